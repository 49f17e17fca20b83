"""The opener `fits`: pixels of a FITS file, of which only those that are asked for are read.

Of a plain file those are the bytes of the rows and columns themselves; of a tile-compressed image (FITS 4.0, IAU FWG,
2018-08-13, section 10.1) the tiles that hold them; a file that is compressed as a whole is unpacked up to them.
"""

from __future__ import annotations

import os
import zlib
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skydex.errors import DamagedDataError
from skydex.images.cards import cards_of, keyword_of
from skydex.images.fits_files import Access, Hdu, index_fits, read_hdu
from skydex.images.fits_headers import FitsFacts, image_cards, merged_cards
from skydex.images.fits_sources import Source, open_source
from skydex.images.fits_stored import CHANGED, GONE, TYPES, Place, StoredPixels, whole
from skydex.images.fits_tiles import Tile, TileLayout
from skydex.images.kept import Kept
from skydex.images.limits import ImageLimits
from skydex.images.pixels import LookUp, Pixels

__all__ = ["open_fits"]

_SPARE = 1 << 16
"""Bytes between the columns asked for that are rather read in one go than left out by a call for each row."""
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_MOST_KEPT = 32 << 20
"""Bytes of an image that is kept unpacked."""
_KEPT = Kept(128 << 20)
_MOST_OF_TABLE = 64 << 20
_SHAPE = ("XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "CHECKSUM", "DATASUM")


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
        with open_source(location, noted.limits) as source:
            return _opened(location, noted, source)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DamagedDataError(GONE) from error


class PlainPixels(StoredPixels):
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
            return np.ndarray((ny, nx), self._type, whole(raw, n_bytes), strides=(stride, size))
        rows = np.empty((ny, nx), self._type)
        buffer, n_row = memoryview(rows.data).cast("B"), nx * size
        is_at_hand = True
        for row in range(ny):
            part, at = buffer[row * n_row : (row + 1) * n_row], first + row * stride
            if is_at_hand and not _is_read_at_once(descriptor, part, at):
                is_at_hand = False
                _announce(descriptor, range(at, first + ny * stride, stride), n_row)
            if not is_at_hand and os.preadv(descriptor, (part,), at) < n_row:
                raise DamagedDataError(CHANGED)
        return rows


def _is_read_at_once(descriptor: int, part: memoryview, at: int) -> bool:
    """Read bytes that the system has in memory; whether it had all of them."""
    try:
        return os.preadv(descriptor, (part,), at, _NOWAIT) == len(part)
    except OSError:  # not there, or a file system that does not tell
        return False


def _announce(descriptor: int, places: range, n_bytes: int) -> None:
    """Tell the system what will be read, so that it fetches all of that at the same time."""
    if hasattr(os, "posix_fadvise"):
        for at in places:
            os.posix_fadvise(descriptor, at, n_bytes, os.POSIX_FADV_WILLNEED)


class PackedPixels(StoredPixels):
    """An image in a file that is compressed as a whole: unpacked up to the rows that are asked for.

    A small image is kept for a while, unpacked.
    """

    def _stored(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        ny, nx = self.shape
        if ny * nx * self._type.itemsize > _MOST_KEPT:
            return self._unpacked(y0, y1)[:, x0:x1]
        version = self._version()
        kept = _KEPT.find(version)
        return (_KEPT.put(version, self._unpacked(0, ny)) if kept is None else kept)[y0:y1, x0:x1]

    def _unpacked(self, y0: int, y1: int) -> NDArray[Any]:
        stride = self.shape[1] * self._type.itemsize
        n_bytes = (y1 - y0) * stride
        with open_source(self._place.path, self._place.limits) as source:
            raw = source.read(self._place.offset + y0 * stride, n_bytes)
        return np.frombuffer(whole(raw, n_bytes), self._type).reshape(y1 - y0, self.shape[1])


class TiledPixels(StoredPixels):
    """A tile-compressed image: unpacked are the tiles that are asked for, and those are kept for a while."""

    def __init__(
        self, place: Place, facts: FitsFacts, cards: bytes, lookups: tuple[LookUp, ...], layout: TileLayout
    ) -> None:
        super().__init__(place, facts, cards, lookups)
        self._layout = layout

    def _stored(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        out = np.empty((y1 - y0, x1 - x0), self._type.newbyteorder("="))
        version = self._version()
        with _Tiles(self._place, self._layout) as tiles:
            for tile in self._layout.tiles(y0, y1, x0, x1):
                number, left, low, nx, ny = tile
                values = _KEPT.find((version, number))
                if values is None:
                    values = _KEPT.put((version, number), tiles.read(tile))
                x, y = (left if left > x0 else x0), (low if low > y0 else y0)
                part = values[y - low : y1 - low, x - left : x1 - left]
                out[y - y0 : low + ny - y0, x - x0 : left + nx - x0] = part
        return out


class _Tiles:
    """Tiles of a file, which is opened only if one of them is not known already."""

    def __init__(self, place: Place, layout: TileLayout) -> None:
        self._place, self._layout = place, layout
        self._stack = ExitStack()
        self._source: Source | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, tile: Tile) -> NDArray[Any]:
        """Unpack a tile."""
        if self._source is None:
            self._source = self._stack.enter_context(open_source(self._place.path, self._place.limits))
        layout, begin = self._layout, self._place.offset
        row = layout.row(whole(self._source.read(begin + tile.number * layout.width, layout.width), layout.width))
        packed = self._source.read(begin + layout.heap + row.offset, row.length)
        return layout.unpacked(tile, row, whole(packed, row.length))


def _opened(location: str, noted: Access, source: Source) -> Pixels:
    primary = read_hdu(source, noted.primary)
    own = read_hdu(source, noted.image) if noted.image.number else primary
    if not primary or not own:
        raise DamagedDataError(CHANGED)
    facts = FitsFacts.of(own, noted.limits)
    offset = noted.image.offset + noted.image.length
    if facts.shape is None or not source.reaches(offset + facts.n_bytes):
        raise DamagedDataError(CHANGED)
    cards = merged_cards(image_cards(own, facts), primary if noted.image.number else b"")
    lookups = tuple(_lookup(source, hdu, noted.limits) for hdu in noted.lookups)
    place = Place(location, offset, noted.image.check, noted.limits)
    if facts.is_tiled:
        return TiledPixels(place, facts, cards, lookups, TileLayout.of(own, facts.shape, noted.limits))
    return (PackedPixels if source.is_packed else PlainPixels)(place, facts, cards, lookups)


def _lookup(source: Source, hdu: Hdu, limits: ImageLimits) -> LookUp:
    cards = read_hdu(source, hdu)
    facts = FitsFacts.of(cards, limits) if cards else None
    if facts is None or facts.shape is None or facts.n_bytes > _MOST_OF_TABLE:
        raise DamagedDataError(CHANGED)
    raw = whole(source.read(hdu.offset + hdu.length, facts.n_bytes), facts.n_bytes)
    data = np.frombuffer(raw, ">" + TYPES[facts.bitpix]).reshape(facts.shape)
    kept = (card for card in cards_of(cards) if keyword_of(card) not in _SHAPE)
    return LookUp(facts.name, facts.version, data.astype(data.dtype.newbyteorder("=")), b"".join(kept))
