"""`Trend`: how a quantity runs with magnitude among many stars, and how widely it scatters about that.

Faint stars scatter more than bright ones, so whether a star varies is asked of stars as bright as it is. The rule "more
than 5 sigma from the median of stars of that magnitude" is that of the Hubble Catalog of Variables (Bonanos et al.
2019, A&A 630, A92, as its catalogue pages tell it); widths, steps and clipping are settings of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skydex.lightcurve.indices import SIGMA_PER_MAD
from skydex.lightcurve.segments import Floats

__all__ = ["Trend", "Windows", "running_median", "running_trend"]


@dataclass(frozen=True)
class Windows:
    """Which stars count as being of one magnitude."""

    step_mag: float = 0.1
    """Magnitudes are looked at in these steps."""
    half_width_mag: float = 0.25
    """Stars within this of a step belong to it."""
    least: int = 50
    """A window with fewer stars is widened, step by step."""
    clip_sigma: float = 4.0
    """Stars farther than this from the median are left out of it."""
    n_clips: int = 3
    """How often."""


@dataclass(frozen=True, eq=False)
class Trend:
    """Centre and width of a quantity as functions of magnitude."""

    mag: Floats
    """(n_nodes,) magnitudes, ascending."""
    centre: Floats
    """(n_nodes,) medians there."""
    sigma: Floats
    """(n_nodes,) standard deviations there, from the MAD."""

    def centre_at(self, mag: Floats) -> Floats:
        """The median at magnitudes: linear between nodes, constant beyond them."""
        return np.asarray(np.interp(mag, self.mag, self.centre))

    def sigma_at(self, mag: Floats) -> Floats:
        """The standard deviation at magnitudes."""
        return np.asarray(np.interp(mag, self.mag, self.sigma))

    def above(self, n_sigma: float, mag: Floats) -> Floats:
        """The centre and so many sigma more, at magnitudes."""
        return np.asarray(np.interp(mag, self.mag, self.centre + n_sigma * self.sigma))

    def significance(self, mag: Floats, values: Floats) -> Floats:
        """How many sigma values lie above the centre."""
        difference = values - self.centre_at(mag)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(difference == 0.0, 0.0, difference / self.sigma_at(mag))

    def never_falling(self) -> Trend:
        """The same, but that the centre does not fall again on the faint side of its minimum.

        Near the limit of a survey stars are missed when they are faint: what is left seems to scatter less.
        """
        lowest = int(np.argmin(self.centre)) if len(self.centre) else 0
        centre = self.centre.copy()
        centre[lowest:] = np.maximum.accumulate(centre[lowest:])
        return replace(self, centre=centre)


def running_trend(mag: Floats, values: Floats, windows: Windows | None = None) -> Trend:
    """Find how a quantity runs with magnitude.

    Parameters
    ----------
    mag, values : (n,) float64 arrays
        Magnitudes of stars and the quantity; where either is not finite the star is left out.
    windows : Windows, optional
        Which stars are compared.

    Returns
    -------
    trend : Trend
        With no finite star at all it is NaN everywhere.
    """
    chosen = windows or Windows()
    finite = np.flatnonzero(np.isfinite(mag) & np.isfinite(values))
    order = finite[np.argsort(mag[finite], kind="stable")]
    if not len(order):
        return Trend(np.zeros(1), np.full(1, np.nan), np.full(1, np.nan))
    x, y = mag[order], values[order]
    nodes = np.arange(x[0], x[-1] + chosen.step_mag, chosen.step_mag)
    found = np.array([_clipped(_window(x, y, node, chosen), chosen) for node in nodes])
    return Trend(nodes, found[:, 0], found[:, 1])


def running_median(mag: Floats, values: Floats, windows: Windows | None = None) -> Floats:
    """The median of a quantity among stars as bright as each one, (n,)."""
    return running_trend(mag, values, windows).centre_at(mag)


def _window(mag: Floats, values: Floats, node: float, windows: Windows) -> Floats:
    """Values of the stars about a magnitude: enough of them, if there are enough."""
    half_width = windows.half_width_mag
    while True:
        first, last = np.searchsorted(mag, (node - half_width, node + half_width))
        if last - first >= min(windows.least, len(mag)):
            return values[first:last]
        half_width += windows.step_mag


def _clipped(values: Floats, windows: Windows) -> tuple[float, float]:
    for _ in range(windows.n_clips):
        centre, sigma = _centre_and_sigma(values)
        kept = values[np.abs(values - centre) <= windows.clip_sigma * sigma]
        if len(kept) == len(values):
            return centre, sigma
        values = kept
    return _centre_and_sigma(values)


def _centre_and_sigma(values: Floats) -> tuple[float, float]:
    centre = float(np.median(values))
    return centre, SIGMA_PER_MAD * float(np.median(np.abs(values - centre)))
