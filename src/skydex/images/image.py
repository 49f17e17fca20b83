"""`Image`: pixels with a name and a place on the sky.

The celestial WCS is what astropy makes of the header (FITS WCS papers I to IV, SIP, TPV, table lookup); it is made
once. Pixel coordinates here are counted from 0, at the middle of the first pixel.
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import NoOverlapError, NoPositionError
from skydex.images.box import Box
from skydex.images.cards import MovableCards, cards_of, keyword_of, plain_text
from skydex.images.pixels import CardedPixels, DistortedPixels, LookUp, Pixels
from skydex.sky import separation_deg, unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from skydex.images.projection import Projection

__all__ = ["Image"]

Floats = NDArray[np.float64]
_RIM_POINTS = 33
"""Places along each edge of an image that its distance is measured to."""


class Image:
    """An image that is open.

    Parameters
    ----------
    name : str
        What people call it.
    pixels : Pixels
        Its numbers and its header.
    """

    def __init__(self, name: str, pixels: Pixels) -> None:
        self.name, self.pixels = name, pixels

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.pixels.shape

    @functools.cached_property
    def cards(self) -> MovableCards:
        """Its header as a cutout has it."""
        return MovableCards.of(self._text)

    @functools.cached_property
    def keywords(self) -> frozenset[str]:
        """What its header has cards for."""
        return frozenset(map(keyword_of, cards_of(self._text)))

    @functools.cached_property
    def lookups(self) -> tuple[LookUp, ...]:
        """Tables of distortions that its WCS needs."""
        return self.pixels.lookups if isinstance(self.pixels, DistortedPixels) else ()

    @functools.cached_property
    def wcs(self) -> WCS:
        """Its celestial WCS; its world axes stand in the order of the header.

        Raises
        ------
        NoPositionError
            Its header has none, or one that makes no sense.
        """
        from skydex.images.projection import celestial_wcs

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wcs = celestial_wcs(self._text, self.lookups)
        except Exception as error:  # the WCS library raises what it likes
            raise NoPositionError(self.name) from error
        if wcs is None:
            raise NoPositionError(self.name)
        return wcs

    @functools.cached_property
    def projection(self) -> Projection:
        """The way between ICRS and its pixels; `NoPositionError` if there is none."""
        from skydex.images.projection import Projection

        try:
            return Projection(self.wcs)
        except ValueError as error:  # a frame that is not one of the sky
            raise NoPositionError(self.name) from error

    @functools.cached_property
    def scale_arcsec(self) -> float:
        """Size of the pixel in its middle, the root of its area; NaN where there is no sky."""
        ny, nx = self.shape
        x, y = (nx - 1) / 2.0 + np.array([0.0, 1.0, 0.0]), (ny - 1) / 2.0 + np.array([0.0, 0.0, 1.0])
        origin, right, up = unit_vectors(*self.positions_of(x, y)).T
        area = float(np.linalg.norm(np.cross(right - origin, up - origin)))
        return math.degrees(math.sqrt(area)) * 3600.0

    def pixels_of(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates x, y (from 0) of positions, ICRS, degrees; NaN where they cannot be projected."""
        return self.projection.pixels_of(ra_deg, dec_deg)

    def positions_of(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Positions, ICRS, degrees, of pixel coordinates (from 0); NaN where there is no sky."""
        return self.projection.positions_of(x, y)

    def box_at(self, ra_deg: float, dec_deg: float, nx: int, ny: int) -> Box:
        """The box of a size around a position, ICRS, degrees.

        Raises
        ------
        NoOverlapError
            The position cannot be projected: it is on the far side of the sky.
        """
        x, y = self.pixels_of(ra_deg, dec_deg)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise NoOverlapError(self.name, self.distance_arcsec(ra_deg, dec_deg))
        return Box.centred(float(x), float(y), nx, ny)

    def overlap(self, box: Box) -> Box:
        """The part of a box that lies on the image.

        Raises
        ------
        NoOverlapError
            There is none.
        """
        inside = box.on(self.shape)
        if inside is None:
            raise NoOverlapError(self.name, self._distance_of(box))
        return inside

    def distance_arcsec(self, ra_deg: float, dec_deg: float) -> float | None:
        """How far a position outside the image is from its nearest edge; None if its edges have no position."""
        ny, nx = self.shape
        x, y = np.linspace(-0.5, nx - 0.5, _RIM_POINTS), np.linspace(-0.5, ny - 0.5, _RIM_POINTS)
        same_x, same_y = np.full_like(y, -0.5), np.full_like(x, -0.5)
        rim_x = np.concatenate([x, x, same_x, same_x + nx])
        rim_y = np.concatenate([same_y, same_y + ny, y, y])
        separations = separation_deg(ra_deg, dec_deg, *self.positions_of(rim_x, rim_y))
        return None if np.isnan(separations).all() else float(np.nanmin(separations)) * 3600.0

    @property
    def _text(self) -> bytes:
        return self.pixels.cards if isinstance(self.pixels, CardedPixels) else plain_text(self.pixels.header)

    def _distance_of(self, box: Box) -> float | None:
        try:
            ra, dec = self.positions_of(box.x0 + (box.nx - 1) / 2.0, box.y0 + (box.ny - 1) / 2.0)
            return self.distance_arcsec(float(ra), float(dec)) if np.isfinite(ra) else None
        except NoPositionError:
            return None
