"""`Trend`: how a quantity runs with magnitude among many stars, and how widely it scatters about that.

Faint stars scatter more than bright ones, so whether a star varies is asked of stars as bright as it is. The rule "more
than 5 sigma from the median of stars of that magnitude" is that of the Hubble Catalog of Variables (Bonanos et al.
2019, A&A 630, A92, as its catalogue pages tell it); widths, steps and clipping are settings of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skydex.lightcurve.indices import SIGMA_PER_MAD
from skydex.lightcurve.segments import Floats, Ints, Segments

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
    nodes, windows_of = _windows_at(mag, values, chosen)
    if not len(nodes):
        return Trend(np.zeros(1), np.full(1, np.nan), np.full(1, np.nan))
    segments, inside = windows_of
    for _ in range(chosen.n_clips):
        centre, sigma = _centre_and_sigma(segments, inside)
        is_near = np.abs(inside - segments.spread(centre)) <= chosen.clip_sigma * segments.spread(sigma)
        if is_near.all():
            break
        segments, inside = segments.chosen(is_near), inside[is_near]
    return Trend(nodes, *_centre_and_sigma(segments, inside))


def running_median(mag: Floats, values: Floats, windows: Windows | None = None) -> Floats:
    """The median of a quantity among stars as bright as each one, (n,); nothing is clipped."""
    nodes, (segments, inside) = _windows_at(mag, values, windows or Windows())
    if not len(nodes):
        return np.full(len(mag), np.nan)
    return np.asarray(np.interp(mag, nodes, segments.median(inside)))


def _windows_at(mag: Floats, values: Floats, windows: Windows) -> tuple[Floats, tuple[Segments, Floats]]:
    """Magnitudes in steps, and the values of the stars about each of them: enough, if there are enough."""
    finite = np.flatnonzero(np.isfinite(mag) & np.isfinite(values))
    order = finite[np.argsort(mag[finite], kind="stable")]
    x, y = mag[order], values[order]
    if not len(x):
        return x, (Segments(np.zeros(1, dtype=np.int64)), y)
    nodes = np.arange(x[0], x[-1] + windows.step_mag, windows.step_mag)
    first, last = _ends(x, nodes, windows)
    offsets = np.concatenate([[0], np.cumsum(last - first)])
    segments = Segments(offsets)
    place = np.arange(offsets[-1]) - segments.spread(offsets[:-1] - first)
    return nodes, (segments, y[place])


def _ends(mag: Floats, nodes: Floats, windows: Windows) -> tuple[Ints, Ints]:
    """Where in sorted magnitudes each window begins and ends."""
    half_width = np.full(len(nodes), windows.half_width_mag)
    while True:
        first, last = np.searchsorted(mag, nodes - half_width), np.searchsorted(mag, nodes + half_width)
        is_small = last - first < min(windows.least, len(mag))
        if not is_small.any():
            return first, last
        half_width[is_small] += windows.step_mag


def _centre_and_sigma(segments: Segments, values: Floats) -> tuple[Floats, Floats]:
    return segments.median(values), SIGMA_PER_MAD * segments.mad(values)
