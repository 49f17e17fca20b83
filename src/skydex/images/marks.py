"""Marks on a picture: cross-hairs around its middle, arrows to north and east.

They are light on what is dark, and dark on what is light.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from skydex.images.box import Box
from skydex.images.image import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Drawing

__all__ = ["Compass", "compass_at", "draw_compass", "draw_marker"]

Point = tuple[float, float]
_GAPS = ((60, 5, 2), (200, 10, 20), (500, 20, 40))
"""For pictures up to a size: how far the cross-hairs stay away from the middle, and from the edge."""
_WIDE_GAP = (30, 60)
_ARROWS = ((128, 0.3), (512, 0.2), (1024, 0.1))
"""For pictures up to a size: how long the arrow to the north is, as a part of it."""
_SHORT_ARROW = 0.05
_EAST = 0.6
_TIP = math.radians(25.0)
_STEP_DEG = 0.01 / 3600.0


class Compass(NamedTuple):
    """Where north and east are in a picture, in degrees from its right-hand side, counter-clockwise."""

    north_deg: float
    east_deg: float


def compass_at(image: Image, box: Box) -> Compass:
    """Where north and east are in the middle of a part of an image.

    Raises
    ------
    NoPositionError
        It has no celestial coordinates.
    """
    x, y = box.x0 + (box.nx - 1) / 2.0, box.y0 + (box.ny - 1) / 2.0
    ra, dec = (float(number) for number in image.positions_of(x, y))
    step = math.copysign(_STEP_DEG, -dec)  # towards the equator, that no step leads over a pole
    east = _STEP_DEG / max(math.cos(math.radians(dec)), 1e-6)
    x_to, y_to = image.pixels_of([ra, ra + east], [dec + step, dec])
    north_deg, east_deg = (math.degrees(math.atan2(y_to[i] - y, x_to[i] - x)) for i in (0, 1))
    return Compass(north_deg + (180.0 if step < 0.0 else 0.0), east_deg)


def draw_marker(drawing: Drawing) -> None:
    """Draw cross-hairs that leave the middle free."""
    nx, ny = drawing.size
    inner, outer = next((gaps for size, *gaps in _GAPS if min(nx, ny) <= size), _WIDE_GAP)
    x, y = nx // 2, (ny - 1) // 2
    _line(drawing, (outer, y), (x - inner, y))
    _line(drawing, (x + inner, y), (nx - 1 - outer, y))
    _line(drawing, (x, outer), (x, y - inner))
    _line(drawing, (x, y + inner), (x, ny - 1 - outer))


def draw_compass(drawing: Drawing, compass: Compass) -> None:
    """Draw arrows to north and, shorter, to east, in the upper right corner; none where they have no direction."""
    if not (math.isfinite(compass.north_deg) and math.isfinite(compass.east_deg)):
        return
    nx, ny = drawing.size
    length = min(nx, ny) * next((part for size, part in _ARROWS if min(nx, ny) <= size), _SHORT_ARROW)
    start = (nx - length - 2.0, length + 2.0)
    _arrow(drawing, start, compass.north_deg, length)
    _arrow(drawing, start, compass.east_deg, length * _EAST)


def _arrow(drawing: Drawing, start: Point, angle_deg: float, length: float) -> None:
    angle = math.radians(angle_deg)
    end = _from(start, angle, length)
    _line(drawing, start, end)
    for side in (_TIP, -_TIP):
        _line(drawing, end, _from(end, angle + math.pi + side, length * 0.25))


def _from(start: Point, angle: float, length: float) -> Point:
    return start[0] + length * math.cos(angle), start[1] - length * math.sin(angle)


def _line(drawing: Drawing, start: Point, end: Point) -> None:
    """A line of single pixels, each light or dark as it stands out."""
    n = max(1, round(max(abs(end[0] - start[0]), abs(end[1] - start[1]))))
    pixels = drawing.load()
    assert pixels is not None
    for step in range(n + 1):
        x = round(start[0] + (end[0] - start[0]) * step / n)
        y = round(start[1] + (end[1] - start[1]) * step / n)
        if 0 <= x < drawing.width and 0 <= y < drawing.height:
            was = pixels[x, y]
            is_dark = (was if isinstance(was, int) else max(was)) < 128
            light = 255 if is_dark else 0
            pixels[x, y] = light if drawing.mode == "L" else (light, light, light)
