"""Diagrams that need no script: points with error bars, in axes with sensible ticks, as `charts.html` draws them.

What is worked out here are places in a drawing; colours are names of the style sheet, so that a diagram follows the
reader's choice of dark or light. Bands and classes look as they do in `skydex.plots`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.plots.style import Mark, band_marks, class_marks

__all__ = [
    "Axis",
    "Looks",
    "Series",
    "chart",
    "finder",
    "looks_of_bands",
    "looks_of_classes",
    "repeated",
    "shape",
    "tick_texts",
    "ticks",
]

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 760.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 66.0, 14.0, 14.0, 44.0
_RADIUS = 4.0
_PADDING = 0.04
"""Part of an axis that is left free at either end."""
_STEPS = (1.0, 2.0, 5.0, 10.0)
_MOST_TICKS = 8
_COLOURS = {
    "#0072B2": "blue",
    "#D55E00": "vermillion",
    "#009E73": "green",
    "#CC79A7": "purple",
    "#E69F00": "orange",
    "#56B4E9": "sky",
    "#000000": "ink",
    "#00B8D4": "cyan",
    "silver": "grey",
}
"""What the style sheet calls the colours of figures."""


@dataclass(frozen=True)
class Looks:
    """How points of one kind look."""

    colour: str
    """As the style sheet calls it: `k-blue` has it."""
    marker: str
    """As matplotlib spells markers."""

    def facts(self) -> dict[str, str]:
        """For a page."""
        return {"colour": self.colour, "marker": self.marker}


def looks_of_bands(bands: Sequence[str]) -> dict[str, Looks]:
    """How the points of each band look."""
    return _looks(band_marks(bands))


def looks_of_classes(names: Sequence[str]) -> dict[str, Looks]:
    """How the points of each class look."""
    return _looks(class_marks(names))


def _looks(marks: Mapping[str, Mark]) -> dict[str, Looks]:
    return {name: Looks(_COLOURS.get(mark.colour, "ink"), mark.marker) for name, mark in marks.items()}


@dataclass(frozen=True)
class Axis:
    """One axis of a diagram."""

    label: str
    """What it shows, with its unit."""
    low: float
    """Its lesser end."""
    high: float
    """Its greater end."""
    is_inverted: bool = False
    """Whether it runs down, or to the left: magnitudes do, so that bright is above."""
    is_log: bool = False
    """Whether equal steps are equal factors."""
    keeps_all: bool = False
    """Whether what is beyond its ends stands at its ends."""

    @classmethod
    def around(cls, label: str, *values: ArrayLike, is_inverted: bool = False, is_log: bool = False) -> Axis:
        """An axis on which all values have a place."""
        known = np.concatenate([np.ravel(np.asarray(one, dtype=np.float64)) for one in values])
        known = known[np.isfinite(known) & ((known > 0.0) | (not is_log))]
        low, high = (float(known.min()), float(known.max())) if len(known) else (1.0, 10.0) if is_log else (0.0, 1.0)
        if is_log:
            factor = (high / low) ** _PADDING if high > low else 2.0
            return cls(label, low / factor, high * factor, is_inverted, is_log)
        room = _PADDING * (high - low) or max(abs(high) * 1e-3, 0.05)
        return cls(label, low - room, high + room, is_inverted, is_log)

    def placed(self, values: ArrayLike, start: float, end: float) -> Floats:
        """Places of values between two places of a drawing; NaN for what has none."""
        numbers = np.asarray(values, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = np.log10(numbers) if self.is_log else numbers
        low, high = (math.log10(self.low), math.log10(self.high)) if self.is_log else (self.low, self.high)
        part = (scaled - low) / (high - low)
        part = np.clip(part, 0.0, 1.0) if self.keeps_all else part
        return np.asarray(start + (end - start) * (1.0 - part if self.is_inverted else part))


@dataclass(frozen=True)
class Series:
    """Points of one kind."""

    name: str
    """For the legend."""
    looks: Looks
    """How they look."""
    x: Floats
    """(n,)"""
    y: Floats
    """(n,) NaN for points that cannot be drawn."""
    error: Floats | None = None
    """(n,) one sigma in y, NaN where it is not known."""
    width: tuple[Floats, Floats] | None = None
    """(n,), (n,) where bars in x begin and end."""
    texts: Sequence[str] = ()
    """What is said of each."""
    links: Sequence[str] = ()
    """Where each leads to; empty for nowhere."""
    names: Sequence[str] = ()
    """What each is called in the page; empty for nothing."""
    is_faint: NDArray[np.bool_] | None = None
    """(n,) which of them are doubtful."""
    lines: bool = field(default=False)
    """Whether they are joined, without markers."""


def ticks(low: float, high: float, most: int = _MOST_TICKS, *, is_log: bool = False) -> list[float]:
    """Round numbers in an interval, not more than so many and evenly spaced.

    Examples
    --------
    >>> ticks(13.7, 15.2)
    [13.8, 14.0, 14.2, 14.4, 14.6, 14.8, 15.0, 15.2]
    >>> ticks(0.007, 2.0, is_log=True)
    [0.01, 0.1, 1.0]
    """
    if is_log:
        powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        if len(powers) >= 2:
            return [10.0**power for power in powers][:: max(1, math.ceil(len(powers) / most))]
    if not high > low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(one * power for one in _STEPS if one * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def tick_texts(values: Sequence[float], *, is_log: bool = False) -> list[str]:
    """What is written at ticks: as many digits as tell one from the next."""
    if is_log or len(values) < 2:
        return [f"{value:g}" for value in values]
    step = min(abs(b - a) for a, b in pairwise(values))
    if max(map(abs, values)) >= 1e7 or step < 1e-6:
        return [f"{value:.6g}" for value in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{value:.{digits}f}" for value in values]


def chart(x: Axis, y: Axis, series: Iterable[Series], *, height: float = HEIGHT) -> dict[str, Any]:
    """What `charts.html` draws: frame, ticks, and points one by one."""
    bottom, right = height - _BOTTOM, WIDTH - _RIGHT
    return {
        "width": WIDTH,
        "height": height,
        "frame": [_LEFT, _TOP, right - _LEFT, bottom - _TOP],
        "x": _axis_facts(x, _LEFT, right),
        "y": _axis_facts(y, bottom, _TOP),
        "series": [_drawn(one, x, y, (_LEFT, right), (bottom, _TOP)) for one in series],
    }


def finder(
    places: Sequence[tuple[float, float]], radius: float, texts: Sequence[str], links: Sequence[str]
) -> dict[str, Any]:
    """A small map around an object, north up and east to the left.

    Parameters
    ----------
    places : sequence of (east, north)
        Offsets in arcsec.
    radius : float
        Of what is shown, arcsec.
    texts, links : sequence of str
        What is said of each, and where it leads to.
    """
    side, middle = 260.0, 130.0
    scale = (middle - 16.0) / radius
    points = [
        {"x": round(middle - east * scale, 1), "y": round(middle - north * scale, 1), "text": text, "link": link}
        for (east, north), text, link in zip(places, texts, links, strict=True)
    ]
    return {"side": side, "middle": middle, "ring": round(radius * scale, 1), "radius": radius, "points": points}


def _axis_facts(axis: Axis, start: float, end: float) -> dict[str, Any]:
    values = ticks(axis.low, axis.high, is_log=axis.is_log)
    places = axis.placed(values, start, end).tolist()
    texts = tick_texts(values, is_log=axis.is_log and len(values) > 1)
    marks = [{"at": round(at, 1), "text": text} for at, text in zip(places, texts, strict=True)]
    return {"label": axis.label, "ticks": marks}


def _drawn(series: Series, x: Axis, y: Axis, across: tuple[float, float], along: tuple[float, float]) -> dict[str, Any]:
    places_x, places_y = x.placed(series.x, *across), y.placed(series.y, *along)
    is_drawn = np.isfinite(places_x) & np.isfinite(places_y)
    told: dict[str, Any] = {
        "name": series.name,
        **series.looks.facts(),
        "sign": shape(series.looks.marker, 0.0, 0.0),
        "line": "",
        "bars": _bars(series, x, y, across, along),
    }
    if series.lines:
        steps = [f"{a:.1f} {b:.1f}" for a, b in zip(places_x[is_drawn], places_y[is_drawn], strict=True)]
        return told | {"line": "M" + "L".join(steps) if steps else "", "points": []}
    faint = np.zeros(len(places_x), dtype=bool) if series.is_faint is None else series.is_faint
    points = [
        {
            "shape": shape(series.looks.marker, float(places_x[i]), float(places_y[i])),
            "text": series.texts[i] if series.texts else "",
            "link": series.links[i] if series.links else "",
            "id": series.names[i] if series.names else "",
            "is_faint": bool(faint[i]),
        }
        for i in np.flatnonzero(is_drawn).tolist()
    ]
    return told | {"points": points}


def _bars(series: Series, x: Axis, y: Axis, across: tuple[float, float], along: tuple[float, float]) -> str:
    """Error bars as one path."""
    paths = []
    if series.error is not None:
        at = x.placed(series.x, *across)
        low, high = (y.placed(series.y + sign * series.error, *along) for sign in (-1.0, 1.0))
        low, high = np.clip(low, along[1], along[0]), np.clip(high, along[1], along[0])
        known = np.isfinite(at) & np.isfinite(low) & np.isfinite(high)
        paths += [f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in zip(at[known], low[known], high[known], strict=True)]
    if series.width is not None:
        at = y.placed(series.y, *along)
        low, high = (x.placed(one, *across) for one in series.width)
        known = np.isfinite(at) & np.isfinite(low) & np.isfinite(high)
        paths += [f"M{a:.1f} {b:.1f}H{c:.1f}" for a, b, c in zip(low[known], at[known], high[known], strict=True)]
    return "".join(paths)


def shape(marker: str, x: float, y: float, r: float = _RADIUS) -> str:
    """A marker as a path; matplotlib's letters."""
    at = f"M{x:.1f} {y:.1f}"
    if marker == "s":
        return f"{at}m{-r} {-r}h{2 * r}v{2 * r}h{-2 * r}z"
    if marker in ("^", "v"):
        up = 1 if marker == "^" else -1
        return f"{at}m0 {-1.2 * r * up:g}l{1.15 * r:g} {2 * r * up:g}h{-2.3 * r:g}z"
    if marker == "D":
        return f"{at}m0 {-1.3 * r:g}l{1.3 * r:g} {1.3 * r:g}l{-1.3 * r:g} {1.3 * r:g}l{-1.3 * r:g} {-1.3 * r:g}z"
    if marker == "P":
        a, b = 0.4 * r, 0.8 * r
        arm = f"h{2 * a:g}v{b:g}h{b:g}v{2 * a:g}h{-b:g}v{b:g}h{-2 * a:g}v{-b:g}h{-b:g}v{-2 * a:g}h{b:g}z"
        return f"{at}m{-a:g} {-a - b:g}{arm}"
    if marker in ("x", "X"):
        d = 0.8 * r
        return f"{at}m{-d:g} {-d:g}l{2 * d:g} {2 * d:g}m0 {-2 * d:g}l{-2 * d:g} {2 * d:g}"
    return f"{at}m{-r} 0a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


def repeated(series: Series, phases: Floats, n_cycles: int = 2) -> Series:
    """Points at their phases, once for each cycle."""
    n = n_cycles

    def again(values: Any) -> Any:
        return None if values is None else np.tile(values, n)

    return replace(
        series,
        x=np.concatenate([phases + cycle for cycle in range(n)]),
        y=again(series.y),
        error=again(series.error),
        is_faint=again(series.is_faint),
        texts=list(series.texts) * n,
        links=list(series.links) * n,
        names=(),
    )
