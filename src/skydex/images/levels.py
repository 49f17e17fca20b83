"""Levels: which numbers of an image become black and white.

By shares of the histogram as fitscut 1.4 chooses them, of which viewers of HLA and Pan-STARRS images are made; by
IRAF's zscale, which is astropy's affair; or the least and the largest number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skydex.images.look import BAD_VALUE, Look, Scale

__all__ = ["Levels", "good", "levels_of", "percentile_levels"]

Floats = NDArray[np.float32]

_N_BINS = 50_000
_FEWEST_BINS = 10
"""Levels that lie closer together come of single pixels that are far off (cosmic rays); the search goes on between."""
_NOISE = 5.0
"""White is at least so many times as far above the median as black is below it: noise alone stays dim."""
_MOST_ROUNDS = 100


class Levels(NamedTuple):
    """Two numbers of an image."""

    low: float
    """What becomes black."""
    high: float
    """What becomes white."""

    @property
    def span(self) -> float:
        """Their distance; 1 if there is none, as for an image that is the same everywhere."""
        return self.high - self.low if self.high > self.low else 1.0


def levels_of(band: NDArray[Any], look: Look, place: int = 0, bounds: Levels | None = None) -> Levels:
    """The levels that a look gives to a band.

    Parameters
    ----------
    band : array
        Numbers of any shape; those that are not finite or that stand for nothing (0) do not count.
    look : Look
        How they are chosen.
    place : int
        Which band it is, where the look has a number for each.
    bounds : Levels, optional
        The least and the largest number, where they are known.
    """
    low, high = _said(look.low, place), _said(look.high, place)
    if low is None or high is None:
        found = _found(good(band), look, bounds)
        low, high = found.low if low is None else low, found.high if high is None else high
    return Levels(low, high)


def good(band: NDArray[Any]) -> Floats:
    """The numbers of a band that were measured, (n,)."""
    numbers = np.asarray(band, dtype=np.float32)
    kept: Floats = numbers[np.isfinite(numbers) & (numbers != BAD_VALUE)]
    return kept


def percentile_levels(numbers: Floats, percent: tuple[float, float], bounds: Levels | None = None) -> Levels:
    """Levels between which a share of the numbers lies, found in a histogram of 50,000 bins.

    Parameters
    ----------
    numbers : (n,) array
        Finite numbers.
    percent : tuple of float
        Shares below the lower and below the upper level, in percent.
    bounds : Levels, optional
        Where the histogram begins and ends; by default at the least and the largest number.

    References
    ----------
    .. [1] fitscut 1.4, https://github.com/spacetelescope/fitscut
    """
    bounds = bounds or _ends(numbers)
    for _ in range(_MOST_ROUNDS):
        if not bounds.high > bounds.low:
            return bounds
        levels, inner = _round(numbers, bounds, percent)
        if inner is None or inner == bounds:
            return levels
        bounds = inner
    return bounds


def _round(numbers: Floats, bounds: Levels, percent: tuple[float, float]) -> tuple[Levels, Levels | None]:
    """Levels within bounds, and the narrower bounds to search if these are too wide for the bins."""
    size = (bounds.high - bounds.low) / (_N_BINS - 1)
    inside = (numbers >= bounds.low) & (numbers <= bounds.high)
    bins = np.where(numbers < bounds.low, 0, _N_BINS - 1)
    bins[inside] = np.minimum(np.ceil((numbers[inside].astype(np.float64) - bounds.low) / size), _N_BINS)
    below = np.cumsum(np.bincount(bins, minlength=_N_BINS + 1))
    n = len(numbers)
    above = n - below  # beyond each bin
    first = int(np.searchsorted(below, int(n * percent[0] / 100.0), side="right"))
    last = int(np.searchsorted(-above, -int(n * (100.0 - percent[1]) / 100.0), side="left"))
    middle = first if first == last else max(first, int(np.searchsorted(below, int(n * 0.5), side="right")))
    low, high = size * (first - 1) + bounds.low, bounds.high if last == _N_BINS - 1 else size * last + bounds.low
    if first + _FEWEST_BINS >= last and inside.any():
        within = numbers[inside]
        least, most = float(within.min()), float(within.max())
        if least != most:
            return Levels(low, high), Levels(max(least, low), min(most, high))
    median = size * (middle - 0.5) + bounds.low
    return Levels(low, max(high, median + _NOISE * (median - low))), None


def _found(numbers: Floats, look: Look, bounds: Levels | None) -> Levels:
    if not len(numbers):
        return Levels(0.0, 0.0)
    if look.scale is Scale.PERCENTILES:
        return percentile_levels(numbers, look.percent, bounds)
    if look.scale is Scale.ZSCALE:
        from astropy.visualization import ZScaleInterval

        return Levels(*map(float, ZScaleInterval().get_limits(numbers)))
    return bounds or _ends(numbers)


def _ends(numbers: Floats) -> Levels:
    return Levels(float(numbers.min()), float(numbers.max()))


def _said(numbers: tuple[float, ...], place: int) -> float | None:
    return numbers[min(place, len(numbers) - 1)] if numbers else None
