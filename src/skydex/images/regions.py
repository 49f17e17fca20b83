"""`box_of`: the pixels that a region of the sky takes in an image.

SODA 1.0 (IVOA REC 2017-05-17, 3.3.1): a cutout has at least the part of the image that lies in the region; that is the
smallest rectangle of pixels around it, and no more of the sky than the image has.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skydex.errors import NoOverlapError
from skydex.images.box import Box
from skydex.images.image import Image
from skydex.sky import Cone, Polygon, Range, Region, directions_deg, unit_vectors

__all__ = ["box_of", "rim_of"]

Floats = NDArray[np.float64]
_N_RIM = 256
_N_SIDE = 64
_GRID = 65
"""Places each way at which an image is asked whether the region holds them."""


def box_of(image: Image, region: Region) -> Box:
    """Find the pixels of an image that a region takes.

    Parameters
    ----------
    image : Image
        Where.
    region : Region
        Cone, polygon or range, ICRS.

    Returns
    -------
    box : Box
        The smallest one that holds every pixel of the image that the region touches, to about a pixel.

    Raises
    ------
    NoOverlapError
        No part of the region is on the image.
    NoPositionError
        It is not known where the image is.
    """
    x, y = image.pixels_of(*rim_of(region))
    rim = Box.around(x, y) if np.isfinite(x).all() else None
    is_bound = rim is not None and _bounds(rim, image, region)
    inside = rim.on(image.shape) if rim is not None and is_bound else _by_grid(image, region, x, y)
    if inside is None:
        centre = region.bounding_cone
        raise NoOverlapError(image.name, image.distance_arcsec(centre.ra_deg, centre.dec_deg))
    return inside


def rim_of(region: Region) -> tuple[Floats, Floats]:
    """Positions along the border of a region, ICRS, degrees; of a cone just outside of it, so that arcs are held."""
    if isinstance(region, Cone):
        return _circle(region)
    if isinstance(region, Polygon):
        return _arcs(region)
    if isinstance(region, Range):
        return _frame(region)
    return rim_of(region.bounding_cone)


def _bounds(rim: Box, image: Image, region: Region) -> bool:
    """Whether what lies between the pixels of a border is the region: it is not cut by the edge of the projection."""
    centre = region.bounding_cone
    x, y = image.pixels_of(centre.ra_deg, centre.dec_deg)
    if not rim.x0 - 0.5 <= x <= rim.x0 + rim.nx - 0.5 or not rim.y0 - 0.5 <= y <= rim.y0 + rim.ny - 0.5:
        return False
    return rim.nx <= 4 * image.shape[1] + 1000 and rim.ny <= 4 * image.shape[0] + 1000


def _by_grid(image: Image, region: Region, x: Floats, y: Floats) -> Box | None:
    """From the places of the image that the region holds, and what of its border is on the image."""
    ny, nx = image.shape
    columns, rows = np.linspace(-0.5, nx - 0.5, _GRID), np.linspace(-0.5, ny - 0.5, _GRID)
    grid_x, grid_y = (axis.ravel() for axis in np.meshgrid(columns, rows))
    is_held = region.contains(*image.positions_of(grid_x, grid_y))
    with np.errstate(invalid="ignore"):
        is_on = (x >= -0.5) & (x <= nx - 0.5) & (y >= -0.5) & (y <= ny - 0.5)
    found = Box.around(np.concatenate([grid_x[is_held], x[is_on]]), np.concatenate([grid_y[is_held], y[is_on]]))
    if found is None:
        return None
    step_x, step_y = (nx // _GRID + 1, ny // _GRID + 1) if is_held.any() else (1, 1)
    grown = Box(found.x0 - step_x, found.y0 - step_y, found.nx + 2 * step_x, found.ny + 2 * step_y)
    return grown.on(image.shape)


def _circle(cone: Cone) -> tuple[Floats, Floats]:
    radius = math.radians(min(cone.radius_deg / math.cos(math.pi / _N_RIM), 180.0))
    centre = unit_vectors(cone.ra_deg, cone.dec_deg)
    pole = np.eye(3)[np.argmin(np.abs(centre))]
    east = np.cross(pole, centre)
    east /= np.linalg.norm(east)
    north = np.cross(centre, east)
    angle = np.linspace(0.0, 2.0 * np.pi, _N_RIM, endpoint=False)
    around = np.outer(east, np.cos(angle)) + np.outer(north, np.sin(angle))
    return directions_deg(centre[:, None] * math.cos(radius) + around * math.sin(radius))


def _arcs(polygon: Polygon) -> tuple[Floats, Floats]:
    corners = unit_vectors(np.array(polygon.ra_deg), np.array(polygon.dec_deg))
    following = np.roll(corners, -1, axis=1)
    part = np.linspace(0.0, 1.0, _N_SIDE, endpoint=False)
    along = corners[:, :, None] * (1.0 - part) + following[:, :, None] * part
    return directions_deg(along.reshape(3, -1))


def _frame(region: Range) -> tuple[Floats, Floats]:
    ra = region.ra_min + np.linspace(0.0, region.width_deg, _N_RIM)
    dec = np.linspace(region.dec_min, region.dec_max, _N_SIDE)
    all_ra = np.concatenate([ra, ra, np.full_like(dec, ra[0]), np.full_like(dec, ra[-1])])
    all_dec = np.concatenate([np.full_like(ra, dec[0]), np.full_like(ra, dec[-1]), dec, dec])
    return np.mod(all_ra, 360.0), all_dec
