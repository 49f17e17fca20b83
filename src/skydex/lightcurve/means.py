"""Mean magnitudes of many light curves at once, with rejection of what does not belong to them.

The measure is that of Pan-STARRS1's mean objects: an inverse-variance mean in flux of the measurements that are good
and near the median. Fluxes are in Jy: m(AB) = -2.5 log10(flux) + 8.90.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skydex.lightcurve.indices import SIGMA_PER_MAD
from skydex.lightcurve.photometry import AB_ZERO, MAG_PER_RATIO
from skydex.lightcurve.segments import Floats, Ints, Mask, Segments

__all__ = ["MeanMagnitudes", "mean_magnitudes"]

_MOST_ROUNDS = 10
_N_SIGMA = 3.0
_LEAST_MAG = 0.01
"""A measurement within three times this of the mean is never rejected."""
_MOST_REJECTED = 0.4
"""Where more than this share would be rejected there is no telling which measurements belong: the median stands."""


@dataclass(frozen=True)
class MeanMagnitudes:
    """Arrays of shape (n,), NaN where there is no good measurement."""

    mag: Floats
    """Mean magnitude (AB)."""
    error: Floats
    """Its error: the formal one, or that of the scatter if it is greater."""
    scatter: Floats
    """Standard deviation of the magnitudes used; NaN of fewer than two."""
    brightest: Floats
    """Least magnitude used."""
    faintest: Floats
    """Greatest magnitude used."""
    n_used: Ints
    """Measurements used."""
    n_rejected: Ints
    """Good measurements that were not used."""


def mean_magnitudes(
    flux_jy: ArrayLike, flux_err_jy: ArrayLike, owner: ArrayLike, n: int, *, is_good: ArrayLike = True
) -> MeanMagnitudes:
    """Mean magnitude of each light curve.

    Parameters
    ----------
    flux_jy, flux_err_jy : (n_points,) float array
        Flux densities; those that are not positive, or not finite, are left out.
    owner : (n_points,) int array
        To which light curve each point belongs, 0 to n - 1, in ascending order.
    n : int
        How many light curves there are.
    is_good : (n_points,) bool array, optional
        Points that may be used, for example `psfQfPerfect > 0.9`.
    """
    flux, error = np.asarray(flux_jy, dtype=np.float64), np.asarray(flux_err_jy, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        kept = np.asarray(is_good) & np.isfinite(flux) & np.isfinite(error) & (flux > 0.0) & (error > 0.0)
    flux, error = flux[kept], error[kept]
    points = Segments.of_owners(np.asarray(owner)[kept], n)
    mag = AB_ZERO - 2.5 * np.log10(flux)
    middle = points.median(mag)
    scale = np.maximum(points.spread(SIGMA_PER_MAD * points.mad(mag)), MAG_PER_RATIO * error / flux)
    mean, used = _kept(flux, error, mag, _N_SIGMA * np.maximum(scale, _LEAST_MAG), points)
    is_torn = points.counts - points.sum(used) > _MOST_REJECTED * points.counts
    used |= is_torn[points.owner]
    return _summary(np.where(is_torn, middle, mean), error, mag, used, points)


def _kept(flux: Floats, error: Floats, mag: Floats, tolerance: Floats, points: Segments) -> tuple[Floats, Mask]:
    """Means, from the medians on, and which points are in them."""
    mean, used = points.median(mag), np.zeros(len(flux), dtype=bool)
    for _ in range(_MOST_ROUNDS):
        now = np.abs(mag - points.spread(mean)) <= tolerance
        if np.array_equal(now, used):
            break
        used = now
        weight = used / error**2
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = AB_ZERO - 2.5 * np.log10(points.sum(weight * flux) / points.sum(weight))
    return mean, used


def _summary(mean: Floats, error: Floats, mag: Floats, used: Mask, points: Segments) -> MeanMagnitudes:
    n_used = points.sum(used).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        plain = points.sum(used * mag) / n_used
        scatter = np.sqrt(points.sum(used * (mag - points.spread(plain)) ** 2) / (n_used - 1))
        flux = 10.0 ** (0.4 * (AB_ZERO - mean))
        formal = MAG_PER_RATIO / (flux * np.sqrt(points.sum(used / error**2)))
        of_scatter = scatter / np.sqrt(n_used)
    is_there = n_used > 0
    return MeanMagnitudes(
        np.where(is_there, mean, np.nan),
        np.where(is_there, np.fmax(formal, of_scatter), np.nan),
        np.where(n_used > 1, scatter, np.nan),
        _finite(points.min(np.where(used, mag, np.inf))),
        _finite(points.max(np.where(used, mag, -np.inf))),
        n_used,
        points.counts - n_used,
    )


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
