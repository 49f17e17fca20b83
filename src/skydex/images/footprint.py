"""`Footprint`: where on the sky an image lies.

Its outline is a polygon through the corners of its outermost pixels. Where the edges between them are not great
circles, as with strong distortion or a wide field, there are further points along them; where parts of the image have
no place on the sky, as in maps of all of it, a circle around those that have stands for the outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skydex.errors import NoPositionError
from skydex.images.image import Image
from skydex.sky import directions_deg, unit_vectors

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["Footprint", "footprint_of", "footprint_of_header"]

Floats = NDArray[np.float64]
_POINTS = 8
"""Points along an edge that is not straight."""
_STRAIGHT = 1e-3
"""How far an edge may leave the great circle between its ends, in parts of its length."""
_GRID = 33
_WIDEST_DEG = 170.0
"""Wider outlines are circles: the inside of a polygon is less than half of the sky."""


@dataclass(frozen=True)
class Footprint:
    """Where on the sky an image lies; ICRS."""

    ra_deg: float
    """Right ascension of its middle."""
    dec_deg: float
    """Declination of its middle."""
    fov_deg: float
    """Diameter of a circle around its middle that holds all of it."""
    region: str
    """Its outline, as ADQL and DALI write a region."""
    pixel_scale_arcsec: float | None
    """Size of a pixel in its middle: the root of its area."""


def footprint_of(image: Image) -> Footprint | None:
    """Where an image lies; `None` if its header does not say."""
    try:
        edge, grid = _edge_of(image), _grid_of(image)
    except NoPositionError:
        return None
    seen = grid[np.isfinite(grid).all(axis=1)]
    if not len(seen):
        return None
    ny, nx = image.shape
    middle = _places(image, np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))[0]
    if not np.isfinite(middle).all():
        middle = seen.mean(axis=0)
        middle /= np.linalg.norm(middle) or 1.0
    ra, dec = directions_deg(middle)
    is_whole = bool(np.isfinite(edge).all())
    radius = _farthest(middle, np.concatenate([seen, edge]) if is_whole else seen)
    scale = image.scale_arcsec if image.scale_arcsec > 0.0 else None
    if is_whole and 2 * radius < _WIDEST_DEG:
        region = _polygon(edge, middle)
    else:
        radius = min(180.0, radius + 1.5 * max(nx, ny) / _GRID * (scale or 0.0) / 3600)  # what the grid may have missed
        region = f"CIRCLE ICRS {ra:.8f} {dec:.8f} {radius:.8f}"
    return Footprint(float(ra), float(dec), 2 * radius, region, scale)


def footprint_of_header(header: fits.Header, shape: tuple[int, int]) -> Footprint | None:
    """Where an image of so many rows and columns lies, by its header alone; `None` if that does not say."""
    return footprint_of(Image("", _HeaderOnly(header, shape)))


@dataclass(frozen=True)
class _HeaderOnly:
    """Pixels of which nobody wants to know more than where they lie."""

    header: fits.Header
    shape: tuple[int, int]

    def read(self, *_: Any) -> NoReturn:
        raise AssertionError("a footprint follows from the header")


def _edge_of(image: Image) -> Floats:
    """Unit vectors along the edge, (4 * _POINTS, 3), from corner to corner; NaN where there is no sky."""
    ny, nx = image.shape
    steps = np.arange(_POINTS) / _POINTS
    x = np.concatenate([steps, np.ones(_POINTS), 1 - steps, np.zeros(_POINTS)]) * nx - 0.5
    y = np.concatenate([np.zeros(_POINTS), steps, np.ones(_POINTS), 1 - steps]) * ny - 0.5
    return _places(image, x, y)


def _grid_of(image: Image) -> Floats:
    """Unit vectors of places all over the image."""
    ny, nx = image.shape
    x, y = np.meshgrid(np.linspace(0, nx - 1, min(nx, _GRID)), np.linspace(0, ny - 1, min(ny, _GRID)))
    return _places(image, x.ravel(), y.ravel())


def _places(image: Image, x: Floats, y: Floats) -> Floats:
    """Unit vectors of pixels, (n, 3)."""
    return unit_vectors(*image.positions_of(x, y)).T


def _farthest(middle: Floats, places: Floats) -> float:
    """Greatest distance from the middle, degrees."""
    chord = np.linalg.norm(places - middle, axis=1).max()
    return float(np.degrees(2 * np.arcsin(min(chord / 2, 1.0))))


def _polygon(edge: Floats, middle: Floats) -> str:
    """An outline as text, counterclockwise as seen from the inside of the sphere (DALI 1.1, section 3.3.6)."""
    outline = edge[::_POINTS] if _is_straight(edge) else edge
    if np.sum(np.cross(outline, np.roll(outline, -1, axis=0)) @ middle) > 0:
        outline = outline[::-1]
    ra, dec = directions_deg(outline.T)
    numbers = " ".join(f"{a % 360.0:.8f} {d:.8f}" for a, d in zip(np.round(ra, 8), dec, strict=True))
    return f"POLYGON ICRS {numbers}"


def _is_straight(edge: Floats) -> bool:
    """Whether every edge stays near the great circle between its ends."""
    corners = edge[::_POINTS]
    across = np.cross(corners, np.roll(corners, -1, axis=0))
    length = np.linalg.norm(across, axis=1)
    if not length.all():
        return True
    away = np.abs(np.einsum("ijk,ik->ij", edge.reshape(4, _POINTS, 3), across / length[:, None]))
    return bool((away <= _STRAIGHT * length[:, None]).all())
