"""`StoredPixels`: what all images of FITS files share, however their numbers are packed.

FITS 4.0 (IAU FWG, 2018-08-13): BSCALE, BZERO and BLANK (4.4.2.5). Values are those that astropy gives: integers with
the offset of an unsigned type become that type, other scaled integers floats.
"""

from __future__ import annotations

import functools
import os
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import DamagedDataError
from skydex.images.cards import cards_of, keyword_of, number_of
from skydex.images.fits_headers import FitsFacts
from skydex.images.limits import ImageLimits
from skydex.images.pixels import LookUp

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["CHANGED", "GONE", "TYPES", "Place", "Scaling", "StoredPixels", "whole"]

CHANGED = "The file of an image is not as it was when it was registered: ingest it again."
GONE = "The file of an image cannot be read any more."
TYPES = {8: "u1", 16: "i2", 32: "i4", 64: "i8", -32: "f4", -64: "f8"}


@dataclass(frozen=True)
class Place:
    """Where the data of an image lie."""

    path: str
    """The file."""
    offset: int
    """Where in it, unpacked, in bytes."""
    check: int
    """CRC-32 of the header before it, so that another file of the same path is another place."""
    limits: ImageLimits
    """How much of it may be unpacked."""


class StoredPixels(ABC):
    """An image of a FITS file."""

    def __init__(self, place: Place, facts: FitsFacts, cards: bytes, lookups: tuple[LookUp, ...]) -> None:
        assert facts.shape is not None, "only images are opened"
        self.shape, self.cards, self.lookups = facts.shape, cards, lookups
        self._place = place
        self._key = f"{place.offset} {place.check} {place.path}"
        self._type = np.dtype(">" + TYPES[facts.bitpix])
        self._scaling = Scaling.of(cards, facts.bitpix)

    @functools.cached_property
    def header(self) -> fits.Header:
        """The cards as astropy has them."""
        from astropy.io import fits

        return fits.Header.fromstring(self.cards.decode("ascii"))

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        try:
            return self._scaling.applied(self._stored(y0, y1, x0, x1))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise DamagedDataError(GONE) from error

    def _version(self) -> str:
        """What numbers that are kept are known by: of a file that is changed they are others."""
        facts = os.stat(self._place.path)
        return f"{self._key} {facts.st_mtime_ns} {facts.st_size}"

    @abstractmethod
    def _stored(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        """Numbers as the file has them."""


class Scaling:
    """From stored numbers to physical values."""

    def __init__(self, scale: float, zero: float, blank: int | None, bitpix: int) -> None:
        self._scale, self._zero, self._blank = scale, zero, blank
        unsigned = {8: -128.0, 16: 2.0**15, 32: 2.0**31, 64: 2.0**63}.get(bitpix)
        self._is_unsigned = scale == 1.0 and zero == unsigned and blank is None
        self._is_plain = scale == 1.0 and zero == 0.0 and blank is None
        self._float = np.dtype(np.float32 if abs(bitpix) <= 16 or bitpix == -32 else np.float64)

    @classmethod
    def of(cls, cards: bytes, bitpix: int) -> Scaling:
        listed = ((keyword_of(card), card) for card in cards_of(cards))
        values = {keyword: number_of(card) for keyword, card in listed if keyword in ("BSCALE", "BZERO", "BLANK")}
        blank = values.get("BLANK") if bitpix > 0 else None
        scale, zero = values.get("BSCALE"), values.get("BZERO")
        return cls(1.0 if scale is None else scale, zero or 0.0, None if blank is None else int(blank), bitpix)

    def applied(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Physical values, in native byte order."""
        native = stored.astype(stored.dtype.newbyteorder("="))  # a copy, always
        if self._is_plain:
            return native
        if self._is_unsigned:
            return _offset(native)
        values: NDArray[Any] = native.astype(self._float)
        np.multiply(values, self._scale, out=values)
        np.add(values, self._zero, out=values)
        if self._blank is not None:
            values[native == self._blank] = np.nan
        return values


def _offset(native: NDArray[Any]) -> NDArray[Any]:
    """Integers of which the highest bit tells the other sign."""
    if native.dtype == np.uint8:
        return (native ^ np.uint8(0x80)).view(np.int8)
    unsigned = native.view(native.dtype.str.replace("i", "u"))
    turned: NDArray[Any] = unsigned ^ unsigned.dtype.type(1 << (8 * native.dtype.itemsize - 1))
    return turned


def whole(raw: bytes, n_bytes: int) -> bytes:
    """The bytes, if there are as many as there were."""
    if len(raw) < n_bytes:
        raise DamagedDataError(CHANGED)
    return raw
