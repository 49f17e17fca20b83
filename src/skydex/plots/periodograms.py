"""Periodograms: how well each period fits, with the highest peaks marked."""

from __future__ import annotations

from typing import Any

from skydex.lightcurve import Periodogram
from skydex.plots.canvas import new_axes

__all__ = ["periodogram"]

_WIDE = (7.0, 3.6)
_POINTS = 4000
_TINY = 1e-99


def periodogram(found: Periodogram, *, n_peaks: int = 3, ax: Any = None) -> Any:
    """Draw a periodogram over the period, on a logarithmic axis.

    Parameters
    ----------
    found : Periodogram
        As `LightCurve.periodogram` gives it.
    n_peaks : int, optional
        How many of its peaks are marked; the title has the first.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> from skydex.lightcurve import LightCurve
    >>> time = 55000.0 + np.cumsum(np.random.default_rng(3).uniform(0.5, 9.0, 60))
    >>> star = LightCurve.of_points(time, 18.0 + 0.3 * np.sin(2 * np.pi * time / 0.7), name="star")
    >>> ax = periodogram(star.periodogram(min_period=0.2))
    >>> ax.get_xlabel(), ax.get_title()[:13]
    ('Period [d]', 'star: P = 0.7')
    """
    ax = new_axes(ax, size=_WIDE)
    frequency, power = found.thinned(_POINTS)
    ax.plot(1.0 / frequency, power, color="0.25", linewidth=0.7, rasterized=len(power) > _POINTS // 2)
    for place, peak in enumerate(found.peaks[:n_peaks]):
        ax.plot(peak.period_d, peak.power, "v", color=f"C{3 if place == 0 else 0}", markersize=6 if place == 0 else 4)
    name = f"{found.name}: " if found.name else ""
    chance = found.best.false_alarm
    sure = "" if chance != chance else f", false alarm {chance:.1g}" if chance > _TINY else ""
    ax.set(xlabel="Period [d]", ylabel="Power", title=f"{name}P = {found.best.period_d:.7g} d{sure}")
    ax.set_xscale("log")
    ax.set_ylim(0.0, min(1.0, 1.1 * max(float(power.max()), found.best.power)))
    return ax
