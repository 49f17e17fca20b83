"""Cutouts as FITS (4.0, IAU FWG, 2018-08-13): the pixels as they are, one primary HDU; several in extensions.

Tables of distortions that a WCS needs follow as image extensions, as HST's own files have them (`D2IMARR`,
`WCSDVARR`). A large cutout is written while it is read, some rows at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.images.box import Box
from skydex.images.cards import BLOCK, CARD, card_of, padded
from skydex.images.cutout import Cutout, cut, placed, with_gaps
from skydex.images.image import Image
from skydex.images.pixels import LookUp

__all__ = ["file_chunks", "fits_chunks", "to_fits"]

_STRIP = 1 << 20
"""Pixels that are read at once when a large part of an image is written."""
_UNSIGNED = {"u2": 2**15, "u4": 2**31, "u8": 2**63}
_END = b"END".ljust(CARD)


def to_fits(cutouts: Cutout | Sequence[Cutout]) -> bytes:
    """Write cutouts.

    Parameters
    ----------
    cutouts : Cutout or sequence of Cutout
        One becomes the primary HDU; several become image extensions, in their order, named by `EXTNAME`.

    Returns
    -------
    file : bytes
        A whole FITS file.
    """
    if isinstance(cutouts, Cutout):
        return b"".join(_hdu(cutouts.data, cutouts.cards, has_more=bool(cutouts.lookups))) + _tables(cutouts.lookups)
    parts = [_header(np.dtype(np.uint8), (), b"", has_more=True)]
    for number, cutout in enumerate(cutouts, start=1):
        name = card_of("EXTNAME", _short(cutout.name)) + card_of("EXTVER", number)
        parts += _hdu(cutout.data, name + cutout.cards, is_primary=False)
    tables = {(table.name, table.version): table for cutout in cutouts for table in cutout.lookups}
    return b"".join(parts) + _tables(tuple(tables.values()))


def fits_chunks(image: Image, box: Box) -> Iterator[bytes]:
    """Write a part of an image, however large, with the memory of some rows.

    Parameters
    ----------
    image : Image
        Where from.
    box : Box
        Which pixels; what is not on the image is NaN.

    Yields
    ------
    chunk : bytes
        Further bytes of a whole FITS file.

    Raises
    ------
    NoOverlapError
        No pixel of the box is on the image; before the first chunk.
    """
    dtype = _dtype(image, box)
    cards, lookups = placed(image, box)
    header = _header(dtype, box.shape, cards, has_more=bool(lookups))
    return itertools.chain((header,), _data_chunks(image, box, dtype), (_tables(lookups),))


def file_chunks(images: Mapping[int, tuple[str, Image]]) -> Iterator[bytes]:
    """Write whole images as one file, each at the number of its HDU, with the memory of some rows.

    Parameters
    ----------
    images : mapping of int
        By the numbers of HDUs, 0 for the primary one: EXTNAME, with EXTVER after a comma, and the image. Numbers that
        are left out become HDUs without data.

    Yields
    ------
    chunk : bytes
        Further bytes of a FITS file.
    """
    for number in range(max(images) + 1):
        name, image = images.get(number, ("", None))
        if image is None:
            yield _header(np.dtype(np.uint8), (), b"", is_primary=number == 0, has_more=True)
            continue
        box = Box.whole(image.shape)
        dtype, cards = _dtype(image, box), _extension(name) + image.cards.moved(0, 0)
        yield _header(dtype, box.shape, cards, is_primary=number == 0, has_more=True)
        yield from _data_chunks(image, box, dtype)
    tables = {(table.name, table.version): table for _, image in images.values() for table in image.lookups}
    yield _tables(tuple(tables.values()))


def _extension(name: str) -> bytes:
    word, comma, version = name.partition(",")
    cards = card_of("EXTNAME", _short(word)) if word else b""
    return cards + card_of("EXTVER", int(version)) if comma and version.isdecimal() else cards


def _dtype(image: Image, box: Box) -> np.dtype[Any]:
    """The type of numbers that a box has."""
    inside = image.overlap(box)
    sample = image.pixels.read(inside.y0, inside.y0 + 1, inside.x0, inside.x0 + 1).dtype
    return sample if inside == box else with_gaps(sample)


def _data_chunks(image: Image, box: Box, dtype: np.dtype[Any]) -> Iterator[bytes]:
    n_rows = max(1, _STRIP // box.nx)
    for y0 in range(box.y0, box.y0 + box.ny, n_rows):
        strip = Box(box.x0, y0, box.nx, min(n_rows, box.y0 + box.ny - y0))
        yield _stored(_strip(image, strip, dtype))
    yield b"\0" * (-box.n_pixels * dtype.itemsize % BLOCK)


def _strip(image: Image, strip: Box, dtype: np.dtype[Any]) -> NDArray[Any]:
    if strip.on(image.shape) is None:
        return np.full(strip.shape, np.nan, dtype)
    return cut(image, strip).data.astype(dtype, copy=False)


def _hdu(data: NDArray[Any], cards: bytes, *, is_primary: bool = True, has_more: bool = False) -> tuple[bytes, bytes]:
    header = _header(data.dtype, data.shape, cards, is_primary=is_primary, has_more=has_more)
    return header, padded(_stored(data), b"\0")


def _header(
    dtype: np.dtype[Any], shape: tuple[int, ...], cards: bytes, *, is_primary: bool = True, has_more: bool = False
) -> bytes:
    bits = -8 * dtype.itemsize if dtype.kind == "f" else 8 * dtype.itemsize
    lines = [card_of("SIMPLE", True) if is_primary else card_of("XTENSION", "IMAGE")]
    lines += [card_of("BITPIX", bits), card_of("NAXIS", len(shape))]
    lines += [card_of(f"NAXIS{axis}", n) for axis, n in enumerate(reversed(shape), start=1)]
    if not is_primary:
        lines += [card_of("PCOUNT", 0), card_of("GCOUNT", 1)]
    elif has_more:
        lines.append(card_of("EXTEND", True))
    zero = -128 if dtype == np.int8 else _UNSIGNED.get(f"{dtype.kind}{dtype.itemsize}")
    if zero is not None:
        lines += [card_of("BSCALE", 1), card_of("BZERO", zero)]
    return padded(b"".join((*lines, cards, _END)))


def _stored(data: NDArray[Any]) -> bytes:
    """The bytes of an array, in the order and with the offset of FITS."""
    if data.dtype == np.int8:
        return (data.view(np.uint8) ^ 0x80).tobytes()
    if data.dtype.kind == "u" and data.dtype.itemsize > 1:
        signed: NDArray[Any] = data ^ data.dtype.type(_UNSIGNED[f"u{data.dtype.itemsize}"])
        return signed.astype(data.dtype.newbyteorder(">")).tobytes()
    return data.astype(data.dtype.newbyteorder(">")).tobytes()


def _tables(lookups: Sequence[LookUp]) -> bytes:
    parts = (part for table in lookups for part in _hdu(table.data, table.cards, is_primary=False))
    return b"".join(parts)


def _short(name: str) -> str:
    return name.encode("ascii", "replace").decode("ascii")[:60]
