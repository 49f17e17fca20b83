"""`Projection`: between ICRS and the pixels of an image, as fast as a cutout needs it.

astropy's WCS does the work; what is made anew for each call there is made once here: the rotation between ICRS and the
frame of the image, and the steps of the inversion of distortions (SIP, table lookup), which is astropy's fixed-point
iteration. Positions that cannot be projected are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.coordinates import FK5, ICRS, BaseCoordinateFrame, Galactic, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from numpy.typing import ArrayLike, NDArray

from skydex.images.cards import MovableCards, cards_of, keyword_of, number_of
from skydex.images.pixels import LookUp
from skydex.images.wcs_cards import wcs_cards
from skydex.sky import directions_deg, unit_vectors

__all__ = ["Projection", "celestial_wcs"]

Floats = NDArray[np.float64]
_CLOSE = 1e-9
"""Pixels to which the inversion of distortions agrees with itself."""
_MOST_STEPS = 50
_DIVERGED = 1e7
_MOST_AXES = 32
"""Axes of a WCS that the library takes; when it is told of very many, it ends the process."""


class Projection:
    """The way from the sky to pixels and back.

    Parameters
    ----------
    wcs : WCS
        A celestial WCS.

    Raises
    ------
    ValueError
        Its frame is not one of the sky.
    """

    def __init__(self, wcs: WCS) -> None:
        self._wcs = wcs
        self._lng, self._lat = wcs.wcs.lng, wcs.wcs.lat
        self._frame = wcs_to_celestial_frame(wcs)
        self._rotation = _rotation(self._frame)
        self._is_distorted = wcs.has_distortion

    def pixels_of(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates x, y (from 0) of positions, ICRS, degrees; NaN where they cannot be projected."""
        ra, dec = np.broadcast_arrays(np.asarray(ra_deg, float), np.asarray(dec_deg, float))
        world = np.empty((ra.size, 2))
        world[:, self._lng], world[:, self._lat] = self._from_icrs(ra.ravel(), dec.ravel())
        is_known = np.isfinite(world).all(axis=1) & (np.abs(world[:, self._lat]) <= 90.0)
        pixels = np.full_like(world, np.nan)
        if is_known.any():
            pixels[is_known] = self._projected(world[is_known])
        return pixels[:, 0].reshape(ra.shape), pixels[:, 1].reshape(ra.shape)

    def positions_of(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Positions, ICRS, degrees, of pixel coordinates (from 0); NaN where there is no sky."""
        x_all, y_all = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        world = self._wcs.all_pix2world(np.stack([x_all.ravel(), y_all.ravel()], axis=1), 0)
        ra, dec = self._to_icrs(world[:, self._lng], world[:, self._lat])
        return np.mod(ra, 360.0).reshape(x_all.shape), dec.reshape(x_all.shape)

    def _projected(self, world: Floats) -> Floats:
        ideal: Floats = self._wcs.wcs.s2p(world, 0)["pixcrd"]
        if not self._is_distorted:
            return ideal
        pixels = ideal.copy()
        for _ in range(_MOST_STEPS):
            with np.errstate(all="ignore"):
                step = self._wcs.pix2foc(pixels, 0) - ideal
                pixels -= step
                is_open = ~(np.abs(step).max(axis=1) <= _CLOSE) & (np.abs(pixels).max(axis=1) < _DIVERGED)
            if not is_open.any():
                break
        is_bad = ~(np.abs(step).max(axis=1) <= 1e3 * _CLOSE)
        pixels[is_bad] = np.nan
        return pixels

    def _from_icrs(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        if self._rotation is None:
            place = (
                SkyCoord(ra, np.where(np.abs(dec) <= 90.0, dec, np.nan), unit="deg").transform_to(self._frame).spherical
            )
            return place.lon.deg, place.lat.deg
        if self._rotation is _SAME:
            return ra, dec
        return directions_deg(self._rotation @ unit_vectors(ra, dec))

    def _to_icrs(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        if self._rotation is None:
            place = SkyCoord(lon, np.where(np.abs(lat) <= 90.0, lat, np.nan), unit="deg", frame=self._frame).icrs
            return place.ra.deg, place.dec.deg
        if self._rotation is _SAME:
            return lon, lat
        return directions_deg(self._rotation.T @ unit_vectors(lon, lat))


def celestial_wcs(cards: bytes, lookups: Sequence[LookUp] = ()) -> WCS | None:
    """The celestial part of the WCS that cards of a header describe, of two axes; None if there is none.

    Raises
    ------
    ValueError
        It says that it has more axes than any, or holds a number beyond reason.
    """
    _check_axes(cards)
    hdus = _as_hdus(lookups) if lookups else None
    try:
        wcs = WCS(_as_header(wcs_cards(cards)), fobj=hdus)
    except Exception:  # such as a third axis that needs a table; the library raises what it likes
        wcs = WCS(_as_header(wcs_cards(MovableCards.of(cards).text)), fobj=hdus)
    if not wcs.has_celestial:
        return None
    if wcs.naxis == 2:
        return wcs
    return wcs.celestial if {wcs.wcs.lng, wcs.wcs.lat} == {0, 1} else None


def _check_axes(cards: bytes) -> None:
    counts = (number_of(card) for card in cards_of(cards) if keyword_of(card).startswith("WCSAXES"))
    if any(count is not None and count > _MOST_AXES for count in counts):
        raise ValueError(f"it has more than {_MOST_AXES} axes")


_SAME = np.eye(3)


def _rotation(frame: BaseCoordinateFrame) -> Floats | None:
    """The matrix from ICRS to a frame, if it is a rotation; None for those with aberration or a moment."""
    if isinstance(frame, ICRS):
        return _SAME
    if not isinstance(frame, FK5 | Galactic):
        return None
    axes = SkyCoord([0.0, 90.0, 0.0], [0.0, 0.0, 90.0], unit="deg").transform_to(frame)
    return np.asarray(axes.cartesian.xyz.value)


def _as_header(cards: bytes) -> fits.Header:
    return fits.Header.fromstring(cards.decode("ascii"))


def _as_hdus(lookups: Sequence[LookUp]) -> fits.HDUList:
    hdus = [fits.PrimaryHDU()]
    for table in lookups:
        header = _as_header(table.cards)
        hdus.append(fits.ImageHDU(table.data, header, name=table.name, ver=table.version))
    return fits.HDUList(hdus)
