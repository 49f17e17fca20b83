"""A field of the sky as a small drawing, which needs no script: footprints around a place, on a graticule.

Zenithal equal-area projection (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.7), which in a small field is the
tangent plane and shows the whole sky where that is asked for; north is up and east to the left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import SkydexError
from skydex.query import parse_regions
from skydex.sky import Polygon

__all__ = ["corners_of", "field_of"]

_SIDE = 480.0
_CIRCLE = 48
_LEAST = 5.0
"""How small a footprint may become before it is drawn as a square of this size."""
_HIDDEN = -0.98
"""Cosine of how far from the middle things are drawn."""
_WIDEST_DEG, _NARROWEST_DEG = 300.0, 1e-3
_STEPS = tuple(k * 10.0**e for e in (1, 0, -1, -2, -3, -4, -5) for k in (6, 3, 2, 1) if k * 10.0**e >= 1e-5)

Floats = NDArray[np.float64]


def field_of(
    regions: Sequence[str], *, centre: tuple[float, float] | None = None, radius_deg: float | None = None
) -> dict[str, Any] | None:
    """What `field.html` draws; None where there is nothing to draw.

    Parameters
    ----------
    regions : sequence of str
        Footprints in words, as `s_region` of ObsCore has them; one that is none has no outline.
    centre : (float, float), optional
        Where one looks, ICRS, degrees; by default at the middle of the footprints.
    radius_deg : float, optional
        Radius of what was searched, which is drawn as a circle.
    """
    outlines = [corners_of(region) for region in regions]
    corners = [corner for shapes in outlines for shape in shapes for corner in shape]
    middle = centre or _middle(corners)
    if middle is None:
        return None
    fov = _width(middle, corners, radius_deg)
    plane = _Plane(middle, fov)
    return {
        "ra": middle[0],
        "dec": middle[1],
        "fov": fov,
        "side": _SIDE,
        "circle": plane.path(_circle(*middle, radius_deg)) if centre and radius_deg else "",
        "cross": bool(centre),
        "lines": plane.graticule(),
        "outlines": ["".join(plane.path(shape, least=_LEAST) for shape in shapes) for shapes in outlines],
    }


def corners_of(region: str | None) -> list[list[tuple[float, float]]]:
    """The outlines of a footprint: of each part the corners, ICRS, degrees."""
    try:
        shapes = [part.region() for part in parse_regions(region)] if region else []
    except SkydexError:
        return []
    return [
        list(zip(shape.ra_deg, shape.dec_deg, strict=True))
        if isinstance(shape, Polygon)
        else _circle(shape.ra_deg, shape.dec_deg, shape.radius_deg)
        for shape in shapes
    ]


class _Plane:
    """The drawing: where places of the sky are in it."""

    def __init__(self, centre: tuple[float, float], fov_deg: float) -> None:
        ra, dec = np.radians(centre)
        self._east = np.array([-np.sin(ra), np.cos(ra), 0.0])
        self._north = np.array([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])
        self._out = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        self._scale = _SIDE / (4.0 * math.sin(math.radians(fov_deg) / 4.0))
        self._centre, self._fov = centre, fov_deg

    def project(self, places: Any) -> tuple[Floats, Floats]:
        """Pixels, y downwards; NaN of what is hidden."""
        points = _unit(np.asarray(places, np.float64).reshape(-1, 2))
        depth = points @ self._out
        stretch = np.where(depth > _HIDDEN, self._scale * np.sqrt(2.0 / np.maximum(1.0 + depth, 1e-9)), np.nan)
        return _SIDE / 2 - stretch * (points @ self._east), _SIDE / 2 - stretch * (points @ self._north)

    def path(self, places: Any, *, least: float = 0.0) -> str:
        """A closed line; a square if it is smaller than that; nothing if part of it is hidden."""
        x, y = self.project(places)
        if np.isnan(x).any() or not len(x):
            return ""
        if max(np.ptp(x), np.ptp(y)) < least:
            return f"M{x.mean() - least / 2:.1f} {y.mean() - least / 2:.1f}h{least:g}v{least:g}h-{least:g}Z"
        return f"{_line(x, y)}Z"

    def graticule(self) -> list[dict[str, Any]]:
        """Parallels and meridians with their words."""
        (ra, dec), half = self._centre, self._fov * 0.75
        low, high = max(-90.0, dec - half), min(90.0, dec + half)
        wide = min(180.0, half / max(0.02, math.cos(math.radians(min(89.5, abs(dec) + half)))))
        step_dec = _step(self._fov / 4)
        step_ra = _step(min(self._fov / max(0.05, math.cos(math.radians(dec))), 240.0) / 4)
        decs = step_dec * np.arange(math.ceil(low / step_dec), math.floor(high / step_dec) + 1)
        first = math.ceil((ra - wide) / step_ra)
        last = min(math.floor((ra + wide) / step_ra), first + math.ceil(360.0 / step_ra) - 1)
        ras = step_ra * np.arange(first, min(last, first + 60) + 1)
        along_ra, along_dec = np.linspace(ra - wide, ra + wide, 61), np.linspace(low, high, 61)
        lines = [
            self._marked(
                np.column_stack([along_ra, np.full(61, at)]), f"{at:+.{_digits(step_dec)}f}°", is_parallel=True
            )
            for at in decs
        ]
        return lines + [
            self._marked(
                np.column_stack([np.full(61, at), along_dec]), f"{at % 360.0:.{_digits(step_ra)}f}°", is_parallel=False
            )
            for at in ras
        ]

    def _marked(self, places: Floats, word: str, *, is_parallel: bool) -> dict[str, Any]:
        """A line, with its word where it enters the drawing: on the left, or at the bottom."""
        x, y = self.project(places)
        is_seen = np.isfinite(x) & (x >= 0) & (x <= _SIDE - 40) & (y >= 12) & (y <= _SIDE)
        facts: dict[str, Any] = {"d": _pieces(x, y), "word": "", "x": 0.0, "y": 0.0}
        if not is_seen.any() or (not is_parallel and not (is_seen & (x > 56)).any()):
            return facts
        order = np.where(is_seen, x, np.inf) if is_parallel else np.where(is_seen & (x > 56), -y, np.inf)
        k = int(np.argmin(order))
        at = (3.0, float(y[k]) - 3.0) if is_parallel else (float(x[k]) + 3.0, _SIDE - 5.0)
        return facts | {"word": word, "x": round(at[0], 1), "y": round(at[1], 1)}


def _pieces(x: Floats, y: Floats) -> str:
    """A line without the parts that are hidden or far away."""
    is_here = np.isfinite(x) & (np.abs(x) < 10 * _SIDE) & (np.abs(y) < 10 * _SIDE)
    runs = np.split(np.arange(len(x)), np.flatnonzero(np.diff(is_here.astype(np.int8))) + 1)
    return "".join(_line(x[run], y[run]) for run in runs if len(run) > 1 and is_here[run[0]])


def _line(x: Floats, y: Floats) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _unit(places: Floats) -> Floats:
    ra, dec = np.radians(places).T
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _circle(ra_deg: float, dec_deg: float, radius_deg: float) -> list[tuple[float, float]]:
    bearing = np.linspace(0.0, 2.0 * np.pi, _CIRCLE, endpoint=False) + 1e-4
    dec, radius = np.radians([dec_deg, radius_deg])
    sine = np.sin(dec) * np.cos(radius) + np.cos(dec) * np.sin(radius) * np.cos(bearing)
    away = np.arctan2(np.sin(bearing) * np.sin(radius) * np.cos(dec), np.cos(radius) - np.sin(dec) * sine)
    decs = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return list(zip((ra_deg + np.degrees(away)).tolist(), decs.tolist(), strict=True))


def _middle(corners: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    if not corners:
        return None
    x, y, z = _unit(np.array(corners)).mean(axis=0)
    return float(np.degrees(np.arctan2(y, x)) % 360.0), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def _width(middle: tuple[float, float], corners: Sequence[tuple[float, float]], radius_deg: float | None) -> float:
    """A field that holds what was searched, or else all footprints, and some of what is around."""
    if radius_deg:
        wide = 3.0 * radius_deg
    else:
        chords = (
            np.linalg.norm(_unit(np.array(corners)) - _unit(np.array([middle])), axis=1) if corners else np.zeros(1)
        )
        wide = 2.3 * math.degrees(2.0 * math.asin(min(1.0, float(chords.max()) / 2.0)))
    return min(max(wide, _NARROWEST_DEG), _WIDEST_DEG)


def _step(wanted: float) -> float:
    return next((step for step in _STEPS if step <= wanted), _STEPS[-1])


def _digits(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))
