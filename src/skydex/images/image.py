"""`Image`: pixels with a name and a place on the sky.

The celestial WCS is what astropy makes of the header (FITS WCS papers I to IV, SIP, TPV, table lookup); it is made
once. Pixel coordinates here are counted from 0, at the middle of the first pixel.
"""

from __future__ import annotations

import functools
import warnings

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from numpy.typing import ArrayLike, NDArray

from skydex.errors import NoPositionError
from skydex.images.pixels import Pixels

__all__ = ["Image"]

Floats = NDArray[np.float64]


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
    def wcs(self) -> WCS:
        """Its celestial WCS.

        Raises
        ------
        NoPositionError
            Its header has none, or one that makes no sense.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wcs = WCS(self.pixels.header).celestial
        except Exception as error:  # the WCS library raises what it likes
            raise NoPositionError(self.name) from error
        if not wcs.has_celestial:
            raise NoPositionError(self.name)
        return wcs

    def pixels_of(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates x, y (from 0) of positions, ICRS, degrees; NaN where they cannot be projected."""
        place = SkyCoord(ra_deg, dec_deg, unit="deg").transform_to(wcs_to_celestial_frame(self.wcs))
        x, y = self.wcs.all_world2pix(place.spherical.lon.deg, place.spherical.lat.deg, 0, quiet=True)
        return np.asarray(x), np.asarray(y)

    def positions_of(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Positions, ICRS, degrees, of pixel coordinates (from 0)."""
        lon, lat = self.wcs.all_pix2world(x, y, 0)
        place = SkyCoord(lon, lat, unit="deg", frame=wcs_to_celestial_frame(self.wcs)).icrs
        return place.ra.deg, place.dec.deg
