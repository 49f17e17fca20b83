"""The opener `fits`: pixels of a FITS file, of which only those that are asked for are read.

FITS 4.0 (IAU FWG, 2018-08-13): data types (5), BSCALE, BZERO and BLANK (4.4.2.5). Values are those that astropy gives:
integers with the offset of an unsigned type become that type, other scaled integers floats.
"""

from __future__ import annotations

import os
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import DamagedDataError
from skydex.images.cards import cards_of, keyword_of, number_of
from skydex.images.fits_files import Access, Hdu, index_fits, read_hdu
from skydex.images.fits_headers import FitsFacts, image_cards, merged_cards
from skydex.images.fits_sources import Source, open_source
from skydex.images.kept import Kept
from skydex.images.limits import ImageLimits
from skydex.images.pixels import LookUp, Pixels

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["open_fits"]

_LIMITS = ImageLimits()
_CHANGED = "The file of an image is not as it was when it was registered: ingest it again."
_GONE = "The file of an image cannot be read any more."
_SPARE = 1 << 16
"""Bytes between the columns asked for that are rather read in one go than left out by a call for each row."""
_MOST_KEPT = 32 << 20
"""Bytes of an image that is kept unpacked."""
_KEPT = Kept(128 << 20)
_MOST_OF_TABLE = 64 << 20
_SHAPE = ("XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "CHECKSUM", "DATASUM")
_TYPES = {8: "u1", 16: "i2", 32: "i4", 64: "i8", -32: "f4", -64: "f8"}


def open_fits(location: str, access: bytes) -> Pixels:
    """Open an image of a FITS file.

    Parameters
    ----------
    location : str
        Path of the file.
    access : bytes
        What `index_fits` has noted; if it is empty, the first image of the file.

    Raises
    ------
    DamagedDataError
        The file is gone, or was changed.
    """
    noted = Access.from_bytes(access or index_fits(location)[0].access)
    try:
        with open_source(location, _LIMITS) as source:
            return _opened(location, noted, source)
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedDataError(_GONE) from error


@dataclass(frozen=True)
class Place:
    """Where the data of an image lie."""

    path: str
    """The file."""
    offset: int
    """Where in it, unpacked, in bytes."""
    check: int
    """CRC-32 of the header before it, so that another file of the same path is another place."""


class _StoredPixels(ABC):
    """An image of a FITS file."""

    def __init__(self, place: Place, facts: FitsFacts, header: fits.Header, lookups: tuple[LookUp, ...]) -> None:
        assert facts.shape is not None, "only images are opened"
        self.shape, self.header, self.lookups = facts.shape, header, lookups
        self._place = place
        self._type = np.dtype(">" + _TYPES[facts.bitpix])
        self._scaling = Scaling.of(header, facts.bitpix)

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        try:
            return self._scaling.applied(self._stored(y0, y1, x0, x1))
        except (OSError, EOFError, zlib.error) as error:
            raise DamagedDataError(_GONE) from error

    @abstractmethod
    def _stored(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        """Numbers as the file has them."""


class PlainPixels(_StoredPixels):
    """An image that is stored as it is: rows of numbers."""

    def _stored(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        descriptor = os.open(self._place.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return self._read_rows(descriptor, y0, y1, x0, x1)
        finally:
            os.close(descriptor)

    def _read_rows(self, descriptor: int, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        size, ny, nx = self._type.itemsize, y1 - y0, x1 - x0
        stride = self.shape[1] * size
        first = self._place.offset + y0 * stride + x0 * size
        if (stride - nx * size) * ny <= _SPARE:
            n_bytes = (ny - 1) * stride + nx * size
            raw = os.pread(descriptor, n_bytes, first)
            return np.ndarray((ny, nx), self._type, _whole(raw, n_bytes), strides=(stride, size))
        rows = np.empty((ny, nx), self._type)
        buffer = memoryview(rows.data).cast("B")
        n_row = nx * size
        for row in range(ny):
            part = buffer[row * n_row : (row + 1) * n_row]
            if os.preadv(descriptor, (part,), first + row * stride) < n_row:
                raise DamagedDataError(_CHANGED)
        return rows


class PackedPixels(_StoredPixels):
    """An image in a file that is compressed as a whole: unpacked up to the rows that are asked for.

    A small image is kept for a while, unpacked.
    """

    def _stored(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        ny, nx = self.shape
        if ny * nx * self._type.itemsize > _MOST_KEPT:
            return self._unpacked(y0, y1)[:, x0:x1]
        return _KEPT.get(self._place, lambda: self._unpacked(0, ny))[y0:y1, x0:x1]

    def _unpacked(self, y0: int, y1: int) -> NDArray[Any]:
        stride = self.shape[1] * self._type.itemsize
        n_bytes = (y1 - y0) * stride
        with open_source(self._place.path, _LIMITS) as source:
            raw = source.read(self._place.offset + y0 * stride, n_bytes)
        return np.frombuffer(_whole(raw, n_bytes), self._type).reshape(y1 - y0, self.shape[1])


class Scaling:
    """From stored numbers to physical values."""

    def __init__(self, scale: float, zero: float, blank: int | None, bitpix: int) -> None:
        self._scale, self._zero, self._blank = scale, zero, blank
        unsigned = {8: -128.0, 16: 2.0**15, 32: 2.0**31, 64: 2.0**63}.get(bitpix)
        self._is_unsigned = scale == 1.0 and zero == unsigned and blank is None
        self._is_plain = scale == 1.0 and zero == 0.0 and blank is None
        self._float = np.dtype(np.float32 if abs(bitpix) <= 16 or bitpix == -32 else np.float64)

    @classmethod
    def of(cls, header: fits.Header, bitpix: int) -> Scaling:
        values = {
            keyword_of(card): number_of(card)
            for card in cards_of(header.tostring(sep="", padding=False).encode("ascii", "replace"))
            if keyword_of(card) in ("BSCALE", "BZERO", "BLANK")
        }
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


def _opened(location: str, noted: Access, source: Source) -> Pixels:
    from astropy.io import fits

    primary = read_hdu(source, noted.primary)
    own = read_hdu(source, noted.image) if noted.image.number else primary
    if not primary or not own:
        raise DamagedDataError(_CHANGED)
    facts = FitsFacts.of(own, _LIMITS)
    offset = noted.image.offset + noted.image.length
    if facts.shape is None or not source.reaches(offset + facts.n_bytes):
        raise DamagedDataError(_CHANGED)
    cards = merged_cards(image_cards(own, facts), primary if noted.image.number else b"")
    header = fits.Header.fromstring(cards.decode("ascii"))
    lookups = tuple(_lookup(source, hdu) for hdu in noted.lookups)
    place = Place(location, offset, noted.image.check)
    return (PackedPixels if source.is_packed else PlainPixels)(place, facts, header, lookups)


def _whole(raw: bytes, n_bytes: int) -> bytes:
    if len(raw) < n_bytes:
        raise DamagedDataError(_CHANGED)
    return raw


def _lookup(source: Source, hdu: Hdu) -> LookUp:
    cards = read_hdu(source, hdu)
    facts = FitsFacts.of(cards, _LIMITS) if cards else None
    if facts is None or facts.shape is None or facts.n_bytes > _MOST_OF_TABLE:
        raise DamagedDataError(_CHANGED)
    raw = _whole(source.read(hdu.offset + hdu.length, facts.n_bytes), facts.n_bytes)
    data = np.frombuffer(raw, ">" + _TYPES[facts.bitpix]).reshape(facts.shape)
    kept = (card for card in cards_of(cards) if keyword_of(card) not in _SHAPE)
    return LookUp(facts.name, facts.version, data.astype(data.dtype.newbyteorder("=")), b"".join(kept))
