"""Whether two bands of a light curve vary together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skydex.lightcurve.curve import LightCurve
from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.segments import Floats, Ints
from skydex.lightcurve.stetson import PAIR_DAYS, deviations, robust_mean

__all__ = ["BandCorrelation", "band_correlation"]


@dataclass(frozen=True)
class BandCorrelation:
    """How much two bands deviate together."""

    n_pairs: int
    """Pairs of points, one of each band, close in time."""
    stetson_j: float
    """Stetson's J of the pairs: about 0 for noise, far above for a variable; NaN without pairs or errors."""
    pearson_r: float
    """Correlation coefficient of their magnitudes, -1 to 1; NaN of fewer than three pairs. It needs no errors."""


def band_correlation(
    curve: LightCurve,
    bands: tuple[str, str] | None = None,
    *,
    within_days: float = PAIR_DAYS,
    mag_err: float = np.nan,
) -> BandCorrelation:
    """Correlate two bands of a light curve.

    Each point of the first band is paired with the nearest one in time of the second, if it is near enough; of several
    that have the same nearest one, the closest keeps it. J is the mean of sgn(P) sqrt(abs(P)), P being the product of
    the deviations of a pair from the robust means of their bands, in units of the errors; all pairs weigh the same.

    Parameters
    ----------
    curve : LightCurve
        With points in both bands.
    bands : pair of str, optional
        By default the first two of the light curve.
    within_days : float, optional
        Longest time between the points of a pair.
    mag_err : float, optional
        Error of points of which none is known, mag, as those of the Hubble Source Catalog.

    References
    ----------
    .. [1] Stetson 1996, PASP 108, 851, equations 1 and 2

    Examples
    --------
    >>> time, swing = np.arange(20.0), np.sin(np.arange(20.0))
    >>> blue = LightCurve.of_points(np.append(time, time + 0.02), np.append(22 + swing, 21 + 0.6 * swing),
    ...                             mag_err=np.full(40, 0.05), band=np.repeat(["F475W", "F814W"], 20))
    >>> found = band_correlation(blue)
    >>> found.n_pairs, round(found.pearson_r, 6), found.stetson_j > 5
    (20, 1.0, True)
    """
    first, second = bands or (*curve.bands, "", "")[:2]
    a, b = curve.in_band(first), curve.in_band(second)
    a, b = a.cut(np.isfinite(a.mag)), b.cut(np.isfinite(b.mag))
    of_a, of_b = _pairs(a.time, b.time, within_days)
    product = _deviations(a, mag_err)[of_a] * _deviations(b, mag_err)[of_b]
    product = product[np.isfinite(product)]
    j = float(np.mean(np.sign(product) * np.sqrt(np.abs(product)))) if len(product) else np.nan
    return BandCorrelation(len(of_a), j, _pearson(a.mag[of_a], b.mag[of_b]))


def _pairs(a: Floats, b: Floats, within: float) -> tuple[Ints, Ints]:
    """Numbers of points of ascending times that are nearest to each other."""
    if not len(a) or not len(b):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    right = np.clip(np.searchsorted(b, a), 1, max(len(b) - 1, 1))
    right = np.minimum(right, len(b) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(np.abs(b[left] - a) <= np.abs(b[right] - a), left, right)
    gap = np.abs(b[nearest] - a)
    order = np.lexsort((gap, nearest))
    is_closest = np.append(True, np.diff(nearest[order]) > 0)
    chosen = np.sort(order[is_closest & (gap[order] <= within)])
    return chosen, nearest[chosen]


def _deviations(curve: LightCurve, mag_err: float) -> Floats:
    """Deviations of all points from the robust mean of those with errors, in units of the errors."""
    error = np.where(np.isfinite(curve.mag_err), curve.mag_err, mag_err)
    found = np.full(len(curve), np.nan)
    is_known = np.isfinite(error) & (error > 0.0)
    known = LightCurves.single(curve.time[is_known], curve.mag[is_known], error[is_known])
    if len(known.time):
        found[is_known] = deviations(known, robust_mean(known))
    return found


def _pearson(a: Floats, b: Floats) -> float:
    if len(a) < 3 or not np.ptp(a) or not np.ptp(b):
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])
