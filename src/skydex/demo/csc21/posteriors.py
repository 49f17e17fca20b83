"""What is inferred from counts in X-ray bands: fluxes with limits, hardness ratios, degrees of variability.

Counts `n` in an aperture where `b` are expected of the background: the posterior of the source's counts `s` under a
flat prior is proportional to (s + b)^n exp(-s); its mode is max(n - b, 0), and the limits hold 68 % of it at the
highest density. Hardness ratios lie on the grid of the Chandra Source Catalog, 1601 cells from -1 to 1: modes are
middles of cells, limits their edges, as all values that it prints show. Its index of variability within an
observation follows Gregory and Loredo's odds.

References
----------
.. [1] Primini & Kashyap 2014, ApJ 796, 24 (aperture photometry)
.. [2] Park et al. 2006, ApJ 652, 610 (hardness ratios)
.. [3] Gregory & Loredo 1992, ApJ 398, 146; table of the index as in Rots 2006, "Determining Bayesian variability"
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "flux_counts", "hardness", "inter_index", "intra_index", "normal_cdf"]

Floats = NDArray[np.float64]
Interval = tuple[Floats, Floats, Floats]
"""Value, lower and upper 68 % limit."""

_LEVEL = 0.68
_MOST_COUNTS, _MOST_BACKGROUND, _N_BACKGROUNDS = 120, 49.0, 29
"""Extent of the table of limits; beyond it posteriors are normal."""
_ONE_SIDED = 0.4677
"""Standard deviations above the mean that 68 % of a normal distribution lie below."""
_CELLS = 1601


def flux_counts(counts: Floats, background: Floats) -> Interval:
    """The most probable number of counts of a source, with limits.

    Parameters
    ----------
    counts : float64 array
        Counts in the aperture, whole numbers.
    background : float64 array
        How many of them are expected to be background.
    """
    mode = np.maximum(counts - background, 0.0)
    low, high = mode - np.sqrt(counts) + 0.3, mode + np.sqrt(counts + 1.0) + 0.3
    is_tabled = (counts <= _MOST_COUNTS) & (background < _MOST_BACKGROUND)
    low[is_tabled], high[is_tabled] = _looked_up(counts[is_tabled].astype(np.int64), background[is_tabled])
    return mode, np.clip(low, 0.0, mode), np.maximum(high, mode)


def _looked_up(counts: NDArray[np.int64], background: Floats) -> tuple[Floats, Floats]:
    """Limits from the table, linear in the square root of the background."""
    low, high = _limits()
    place = np.sqrt(background) * ((_N_BACKGROUNDS - 1) / np.sqrt(_MOST_BACKGROUND))
    left = place.astype(np.int64)
    part = place - left
    between = (table[counts, left] * (1.0 - part) + table[counts, left + 1] * part for table in (low, high))
    return next(between), next(between)


@cache
def _limits() -> tuple[Floats, Floats]:
    """Limits of highest density by counts and by the square root of the background."""
    backgrounds = np.linspace(0.0, np.sqrt(_MOST_BACKGROUND), _N_BACKGROUNDS) ** 2
    low, high = np.empty((2, _MOST_COUNTS + 1, _N_BACKGROUNDS))
    for counts in range(_MOST_COUNTS + 1):
        source = np.linspace(0.0, counts + 6.0 * np.sqrt(counts + 1.0) + 4.0, 1500)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_density = (
                counts * np.log(source + backgrounds[:, None]) - source
                if counts
                else -source + 0.0 * backgrounds[:, None]
            )
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        order = np.argsort(-density, axis=1, kind="stable")
        held = np.cumsum(np.take_along_axis(density, order, axis=1), axis=1) / density.sum(axis=1, keepdims=True)
        inside = np.take_along_axis(np.broadcast_to(source, density.shape), order, axis=1)
        is_in = held <= _LEVEL
        is_in[:, 0] = True
        low[counts] = np.where(is_in, inside, np.inf).min(axis=1)
        high[counts] = np.where(is_in, inside, -np.inf).max(axis=1)
    return low, high


def hardness(hard: Floats, soft: Floats, hard_exposure: Floats, soft_exposure: Floats) -> Interval:
    """The hardness ratio of two bands, with limits, on the grid of 1601 cells.

    Parameters
    ----------
    hard, soft : float64 arrays
        Net counts in the harder and in the softer band, not negative.
    hard_exposure, soft_exposure : float64 arrays
        What makes photon fluxes of counts: area times time.

    Notes
    -----
    The value is the ratio of the most probable fluxes. The logarithm of the ratio of two gamma variates is close to
    normal, with mean and variance from the digamma and the trigamma function; limits are one-sided where one of the
    bands has no counts.
    """
    fluxes = hard / hard_exposure, soft / soft_exposure
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (fluxes[0] - fluxes[1]) / (fluxes[0] + fluxes[1])
    centre = _digamma(hard + 1.0) - _digamma(soft + 1.0) - np.log(hard_exposure / soft_exposure)
    spread = np.sqrt(_trigamma(hard + 1.0) + _trigamma(soft + 1.0))
    low = np.where(hard <= 0, -1.0, np.tanh((centre - np.where(soft <= 0, _ONE_SIDED, 1.0) * spread) / 2.0))
    high = np.where(soft <= 0, 1.0, np.tanh((centre + np.where(hard <= 0, _ONE_SIDED, 1.0) * spread) / 2.0))
    return _on_grid(value, low, high)


def _on_grid(value: Floats, low: Floats, high: Floats) -> Interval:
    """Values in the middles of cells, limits on their edges."""
    middle = np.clip(2.0 * np.round(value * _CELLS / 2.0), 1 - _CELLS, _CELLS - 1)
    below = np.maximum(2.0 * np.floor((low * _CELLS - 1.0) / 2.0) + 1.0, -_CELLS)
    above = np.minimum(2.0 * np.ceil((high * _CELLS - 1.0) / 2.0) + 1.0, _CELLS)
    edges = np.minimum(below, middle - 1.0), np.maximum(above, middle + 1.0)
    return middle / _CELLS, edges[0] / _CELLS, edges[1] / _CELLS


def _digamma(x: Floats) -> Floats:
    y = x + 3.0
    return np.log(y) - 1 / (2 * y) - 1 / (12 * y**2) + 1 / (120 * y**4) - 1 / x - 1 / (x + 1) - 1 / (x + 2)


def _trigamma(x: Floats) -> Floats:
    y = x + 3.0
    return 1 / y + 1 / (2 * y**2) + 1 / (6 * y**3) - 1 / (30 * y**5) + 1 / x**2 + 1 / (x + 1) ** 2 + 1 / (x + 2) ** 2


def intra_index(log_odds: Floats, f3: Floats, f5: Floats) -> NDArray[np.int64]:
    """Degree of variability within an observation, 0 to 10: up to 2 constant, from 6 on variable.

    Parameters
    ----------
    log_odds : float64 array
        Decimal logarithm of the odds for a variable rate.
    f3, f5 : float64 arrays
        Fraction of the light curve within three and five standard deviations of its mean.
    """
    probability = 1.0 / (1.0 + 10.0**-log_odds)
    is_flat = (f3 > 0.997) & (f5 >= 1.0)
    conditions = [
        probability <= 0.5,
        (probability < 2 / 3) & is_flat,
        (probability < 0.9) & is_flat,
        probability < 0.6,
        probability < 2 / 3,
        probability < 0.9,
        log_odds < 2,
        log_odds < 4,
        log_odds < 10,
        log_odds < 30,
    ]
    return np.select(conditions, list(range(10)), default=10)


def inter_index(probability: Floats) -> NDArray[np.int64]:
    """Degree of variability between observations, 0 to 8; the publisher's scale is not published, this is ours."""
    steps = [0.5, 2 / 3, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999]
    return np.digitize(probability, steps)


def normal_cdf(x: Floats) -> Floats:
    """Cumulative normal distribution, to 3e-4."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))
    return result
