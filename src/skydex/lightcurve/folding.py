"""Phases: times over a period, and light curves over phases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skydex.errors import BadParameterError
from skydex.lightcurve.segments import Floats, Ints

if TYPE_CHECKING:
    from skydex.lightcurve.curve import LightCurve

__all__ = ["FoldedLightCurve", "phases"]


def phases(time_d: Floats, period_d: float, t0_d: float = 0.0) -> tuple[Floats, Ints]:
    """Phase and cycle of each time.

    Parameters
    ----------
    time_d : (n,) float64 array
        Days.
    period_d : float
        Period, days, above 0.
    t0_d : float, optional
        When the phase is 0, counted as the times are.

    Returns
    -------
    phase : (n,) float64 array
        From 0 to below 1.
    cycle : (n,) int64 array
        Whole periods since `t0_d`; negative before it.

    Examples
    --------
    >>> phase, cycle = phases(np.array([55000.0, 54999.0]), 2.2834698, 54999.599837)
    >>> phase.round(10).tolist(), cycle.tolist()
    ([0.1752433949, 0.7373133641], [0, -1])
    """
    if not (np.isfinite(period_d) and period_d > 0.0):
        raise BadParameterError("period", f"must be above 0 days, not {period_d:g}.")
    since = time_d - t0_d
    rest = np.mod(since, period_d)
    cycle = np.rint((since - rest) / period_d).astype(np.int64)
    phase = rest / period_d
    is_next = phase >= 1.0  # a remainder a hair below the period, or, just before t0, equal to it
    return np.where(is_next, 0.0, phase), cycle + is_next


@dataclass(frozen=True, eq=False, repr=False)
class FoldedLightCurve:
    """A light curve over the phase of a period."""

    phase: Floats
    """(n,) from 0 to below 1; in a repeated one up to the number of periods."""
    cycle: Ints
    """(n,) periods since `t0`."""
    curve: LightCurve
    """The n points, in the order of the phases here."""
    period_d: float
    """Period, days."""
    t0: float
    """When the phase is 0, in the days of the curve."""

    def __len__(self) -> int:
        return len(self.phase)

    def __repr__(self) -> str:
        return f"{self.curve!r}, folded at {self.period_d:g} d"

    def in_band(self, *bands: str) -> FoldedLightCurve:
        """The points in some bands."""
        chosen = self.curve.in_band(*bands)
        return self.chosen(np.flatnonzero(np.isin(self.curve.band, chosen.bands)))

    def sorted(self) -> FoldedLightCurve:
        """The same points in the order of their phases."""
        return self.chosen(np.argsort(self.phase, kind="stable"))

    def over(self, n_periods: int = 2) -> FoldedLightCurve:
        """The points repeated over several periods, as one draws them; the phases of copies go on from 1.

        A repeated light curve is for the eye: its points are not independent any more.
        """
        copies = np.tile(np.arange(len(self)), n_periods)
        shift = np.repeat(np.arange(n_periods, dtype=np.float64), len(self))
        return replace(self.chosen(copies), phase=self.phase[copies] + shift)

    def chosen(self, index: Ints) -> FoldedLightCurve:
        """Some points, by their numbers."""
        return replace(self, phase=self.phase[index], cycle=self.cycle[index], curve=self.curve.chosen(index))
