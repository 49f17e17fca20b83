"""Variability indices: one number that says how much, or how smoothly, a source varies.

Definitions are those of Sokolovsky et al. 2017, MNRAS 464, 274, unless a function says otherwise; where programs in use
differ, the docstring says which way is taken. Every function takes light curves and gives one number for each, NaN
where there are too few points or where the number is not defined (say, a correlation of points that are all equal).
Nothing depends on the order in which points were given.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.segments import Floats, Ints, Mask

__all__ = [
    "SIGMA_PER_MAD",
    "amplitude",
    "chi2",
    "chi2_reduced",
    "excess_variance",
    "flux_excess_variance",
    "interquartile_range",
    "inverse_von_neumann",
    "lag_one",
    "mad",
    "normalized_excess_variance",
    "peak_to_peak",
    "robust_amplitude",
    "roms",
    "runs",
    "von_neumann",
    "weighted_std",
]

SIGMA_PER_MAD = 1.4826022185
"""Standard deviation of a Gaussian in units of its MAD."""
_FLUX_PER_MAG = 0.4 * np.log(10.0)
Center = Literal["weighted", "mean"]


def mad(curves: LightCurves, *, scale: float = 1.0) -> Floats:
    """Median absolute deviation from the median, times a scale; `SIGMA_PER_MAD` makes it a standard deviation."""
    return scale * curves.segments.median(np.abs(curves.about(curves.median)))


def chi2(curves: LightCurves, *, center: Center = "weighted") -> Floats:
    """Chi square of a constant; about the weighted mean, or as VaST does about the plain one."""
    centre = curves.weighted_mean if center == "weighted" else curves.mean
    return _enough(curves, _moment(curves, centre, curves.weight), least=2)


def chi2_reduced(curves: LightCurves, *, center: Center = "weighted") -> Floats:
    """Chi square of a constant, per degree of freedom; about the weighted mean, or as VaST does about the plain one."""
    return _ratio(curves, chi2(curves, center=center), curves.segments.counts - 1.0, least=2)


def weighted_std(curves: LightCurves) -> Floats:
    """Standard deviation with weights, corrected for their number."""
    weight = curves.weight
    sum1, sum2 = curves.segments.sum(weight), curves.segments.sum(weight**2)
    variance = _ratio(curves, sum1 * _moment(curves, curves.weighted_mean, weight), sum1**2 - sum2, least=2)
    return np.sqrt(variance)


def interquartile_range(curves: LightCurves) -> Floats:
    """Median of the upper half less that of the lower one; an odd median belongs to neither (Tukey's hinges)."""
    counts, first = curves.segments.counts, curves.segments.offsets[:-1]
    last = first + counts - 1
    half = np.maximum(counts // 2 - 1, 0)
    lower = curves.segments.middle_of_sorted(curves.sorted_mag, first, first + half)
    upper = curves.segments.middle_of_sorted(curves.sorted_mag, last - half, last)
    return _enough(curves, upper - lower, least=4)


def roms(curves: LightCurves) -> Floats:
    """Robust median statistic: mean of the deviations from the median in units of their errors; 0.8 for noise.

    References
    ----------
    .. [1] Enoch, Brown & Burgasser 2003, AJ 126, 1006
    """
    deviation = np.abs(curves.about(curves.median)) / curves.mag_err
    return _ratio(curves, curves.segments.sum(deviation), curves.segments.counts - 1.0, least=2)


def normalized_excess_variance(curves: LightCurves) -> Floats:
    """Variance beyond the errors over the square of the mean magnitude; may be negative.

    It depends on the zero point of the magnitudes: `flux_excess_variance` does not.
    """
    excess = _moment(curves, curves.mean, np.ones_like(curves.mag)) - curves.segments.sum(curves.mag_err**2)
    return _ratio(curves, excess, curves.segments.counts * curves.mean**2, least=2)


def flux_excess_variance(curves: LightCurves) -> Floats:
    """Variance of the flux beyond its errors over the square of the mean flux; may be negative.

    References
    ----------
    .. [1] Nandra et al. 1997, ApJ 476, 70
    """
    flux = np.exp(-_FLUX_PER_MAG * curves.about(curves.median))
    mean = curves.segments.mean(flux)
    error = _FLUX_PER_MAG * curves.mag_err * flux
    excess = curves.segments.sum((flux - curves.segments.spread(mean)) ** 2 - error**2)
    return _ratio(curves, excess, curves.segments.counts * mean**2, least=2)


def excess_variance(curves: LightCurves) -> Floats:
    """Sample variance less the mean square of the errors, mag²; may be negative."""
    return _enough(curves, _variance(curves) - curves.segments.mean(curves.mag_err**2), least=2)


def peak_to_peak(curves: LightCurves) -> Floats:
    """Faintest less brightest point over their sum, each moved by its error towards the other."""
    faintest = curves.segments.max(curves.mag - curves.mag_err)
    brightest = curves.segments.min(curves.mag + curves.mag_err)
    return _ratio(curves, faintest - brightest, faintest + brightest, least=2)


def amplitude(curves: LightCurves) -> Floats:
    """Faintest less brightest point, mag."""
    return _enough(curves, curves.segments.max(curves.mag) - curves.segments.min(curves.mag), least=2)


def robust_amplitude(curves: LightCurves) -> Floats:
    """From the 5th to the 95th percentile (with linear interpolation), mag."""
    low, high = (curves.segments.quantile_of_sorted(curves.sorted_mag, share) for share in (0.05, 0.95))
    return _enough(curves, high - low, least=2)


def lag_one(curves: LightCurves) -> Floats:
    """Autocorrelation between each point and the next."""
    deviation = curves.about(curves.mean)
    product = np.append(deviation[:-1] * deviation[1:], 0.0)
    return _ratio(curves, _sum_of_steps(curves, product), curves.segments.sum(deviation**2), least=3)


def von_neumann(curves: LightCurves) -> Floats:
    """Mean square of the steps from point to point over the variance; 2 for noise, small for smooth curves.

    References
    ----------
    .. [1] von Neumann 1941, Ann. Math. Statist. 12, 367
    """
    steps = np.append(np.diff(curves.mag) ** 2, 0.0)
    mean_square = _sum_of_steps(curves, steps) / np.maximum(curves.segments.counts - 1.0, 1.0)
    return _ratio(curves, mean_square, _variance(curves), least=3)


def inverse_von_neumann(curves: LightCurves) -> Floats:
    """One over `von_neumann`: large for smooth variables."""
    return _ratio(curves, np.ones(len(curves)), von_neumann(curves), least=3)


def runs(curves: LightCurves) -> Floats:
    """S_B: squares of the summed deviations of each run of points on one side of the mean, per point and run.

    References
    ----------
    .. [1] Figuera Jaimes et al. 2013, A&A 556, A20
    """
    deviation = curves.about(curves.weighted_mean) / curves.mag_err
    is_faint = deviation >= 0.0
    begins = np.append(True, is_faint[1:] != is_faint[:-1])[: len(is_faint)] | _begins_curve(curves)
    first = np.flatnonzero(begins)
    squares = np.add.reduceat(deviation, first) ** 2 if len(first) else np.empty(0)
    owner = curves.segments.owner[first]
    n_runs = np.bincount(owner, minlength=len(curves))
    total = np.bincount(owner, squares, minlength=len(curves))
    return _ratio(curves, total, curves.segments.counts * n_runs, least=2)


def _variance(curves: LightCurves) -> Floats:
    """Sample variances, (n,)."""
    moment = _moment(curves, curves.mean, np.ones_like(curves.mag))
    return _ratio(curves, moment, curves.segments.counts - 1.0, least=2)


def _moment(curves: LightCurves, centre: Floats, weight: Floats) -> Floats:
    return curves.segments.sum(weight * curves.about(centre) ** 2)


def _sum_of_steps(curves: LightCurves, steps: Floats) -> Floats:
    """Sums over all points but the last one of each curve."""
    return curves.segments.sum(np.where(_ends_curve(curves), 0.0, steps))


def _begins_curve(curves: LightCurves) -> Mask:
    return _marked(curves, curves.segments.offsets[:-1])


def _ends_curve(curves: LightCurves) -> Mask:
    return _marked(curves, curves.segments.offsets[1:] - 1)


def _marked(curves: LightCurves, places: Ints) -> Mask:
    marks = np.zeros(len(curves.mag), dtype=np.bool_)
    marks[places[curves.segments.counts > 0]] = True
    return marks


def _ratio(curves: LightCurves, upper: NDArray[Any], lower: NDArray[Any], *, least: int) -> Floats:
    """A ratio for curves with at least so many points; NaN for the others, and where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _enough(curves, np.where(lower != 0.0, upper / lower, np.nan), least=least)


def _enough(curves: LightCurves, values: Floats, *, least: int) -> Floats:
    return np.where(curves.segments.counts >= least, values, np.nan)
