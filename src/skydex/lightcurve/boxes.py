"""How well dips of constant depth fit a light curve: box least squares (Kovacs, Zucker & Mazeh 2002, A&A 391, 369).

For eclipses and transits that take a small part of the period, which sinusoids describe badly. astropy does the work.
"""

from __future__ import annotations

import numpy as np

from skydex.lightcurve.harmonics import FrequencyGrid, Series
from skydex.lightcurve.segments import Floats

__all__ = ["box_power"]

_SHARES = (0.02, 0.05, 0.1, 0.16)
"""Parts of a period that a dip may take; of the shortest period of those that are looked at together."""
_OCTAVE = 1.5


def box_power(series: Series, grid: FrequencyGrid, *, is_magnitude: bool) -> Floats:
    """By how much a dip fits better than constants.

    Parameters
    ----------
    series : Series
        The points.
    grid : FrequencyGrid
        Frequencies of the dip.
    is_magnitude : bool
        Whether fainter is more.

    Returns
    -------
    power : (n,) float64 array
        1 - chi2 / chi2 of constants, from 0 to 1.
    """
    from astropy.timeseries import BoxLeastSquares

    if series.chi2 == 0.0 or not grid.n:
        return np.zeros(grid.n)
    bright = -series.value if is_magnitude else series.value
    found = np.empty(grid.n)
    boxes = BoxLeastSquares(series.time - series.time.min(), bright, series.weight**-0.5)
    frequency = grid.values()
    start = 0
    while start < grid.n:
        end = int(np.searchsorted(frequency, frequency[start] * _OCTAVE, side="right"))
        period = 1.0 / frequency[start:end]
        result = boxes.power(period, period.min() * np.array(_SHARES), oversample=5, objective="likelihood")
        found[start:end] = 2.0 * np.asarray(result.power) / series.chi2
        start = end
    return np.clip(np.nan_to_num(found), 0.0, 1.0)
