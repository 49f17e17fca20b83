"""The parts of a FITS file: where each header and its data lie.

FITS 4.0 (2018), sections 3.1 (blocks), 4.4 (headers), 6 (random groups), 7 (tables). Sizes are checked before anything
is allocated: a header can claim any.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from skydex.errors import UnreadableFileError
from skydex.formats.compressed import open_decompressed

__all__ = ["HDU", "read_hdus", "whole_number"]

BLOCK = 2880
_MAX_HEADER_BLOCKS = 4000
_MAX_HDUS = 10_000
_MAX_ROW = 256 << 20
_FIRST = {"SIMPLE", "XTENSION"}


@dataclass(frozen=True)
class HDU:
    """One header-data unit."""

    file: Path
    """The file it is in."""
    number: int
    """Its place in the file, from 0."""
    header: Any
    """Its `astropy.io.fits.Header`."""
    start: int
    """Byte offset of its data among the file's plain bytes."""
    n_bytes: int
    """Size of its data without padding."""

    @property
    def kind(self) -> str:
        """XTENSION, or `PRIMARY`."""
        return str(self.value("XTENSION", "PRIMARY")).strip().upper()

    @property
    def is_table(self) -> bool:
        """Whether it holds rows: no compressed image, which only looks like a table (10.1)."""
        return self.kind in ("TABLE", "BINTABLE", "A3DTABLE") and not self.value("ZIMAGE", False)

    @property
    def row_bytes(self) -> int:
        return whole_number(self, "NAXIS1")

    @property
    def n_rows(self) -> int:
        return whole_number(self, "NAXIS2")

    def value(self, key: str, default: Any = None) -> Any:
        """The value of a keyword."""
        try:
            return self.header.get(key, default)
        except Exception as error:  # a card that astropy cannot parse
            raise self.problem(f"{key} cannot be read ({error})") from error

    def problem(self, what: str) -> UnreadableFileError:
        """An error that says in which part of the file it is."""
        return UnreadableFileError(self.file.name, f"HDU {self.number}: {what}")


def read_hdus(file: Path) -> list[HDU]:
    """List the header-data units of a FITS file, compressed or not.

    Raises
    ------
    UnreadableFileError
        It is not FITS, a header has no END or impossible sizes, or a table is cut short.
    """
    with open_decompressed(file) as stream:
        hdus = list(_walk(file, stream))
    if not hdus:
        raise UnreadableFileError(file.name, "it is empty")
    return hdus


def whole_number(hdu: HDU, key: str, default: int | None = None) -> int:
    """Read a keyword that must be a whole number and not negative."""
    value = hdu.value(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise hdu.problem(f"{key} is {value!r}, which is not a size")
    return value


def _walk(file: Path, stream: BinaryIO) -> Iterator[HDU]:
    position = 0
    for number in range(_MAX_HDUS):
        text = _header_text(file, number, stream)
        if text is None:
            return
        position += len(text)
        hdu = HDU(file, number, _parsed(file, number, text), position, 0)
        hdu = HDU(file, number, hdu.header, position, _data_bytes(hdu))
        yield hdu
        room = -(-hdu.n_bytes // BLOCK) * BLOCK
        if _skip(stream, room) < hdu.n_bytes and hdu.is_table:
            raise hdu.problem(f"the file ends before the {hdu.n_bytes:,} bytes of the table that its header announces")
        position += room


def _header_text(file: Path, number: int, stream: BinaryIO) -> bytes | None:
    """One header with its END; `None` at the end of the file, or at what follows the last HDU (3.5)."""
    blocks: list[bytes] = []
    while len(blocks) < _MAX_HEADER_BLOCKS:
        block = stream.read(BLOCK)
        if not blocks and block[:8].decode("latin-1").strip() not in _FIRST:
            if number == 0:
                raise UnreadableFileError(file.name, "it does not begin as a FITS file does")
            return None
        blocks.append(block)
        if any(block[card : card + 8] == b"END     " for card in range(0, len(block), 80)):
            return b"".join(blocks)
        if len(block) < BLOCK:
            break
    raise UnreadableFileError(file.name, f"HDU {number}: its header has no END")


def _parsed(file: Path, number: int, text: bytes) -> Any:
    from astropy.io.fits import Header

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = Header.fromstring(text)
            for key in ("XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "TFIELDS"):
                header.get(key)
    except Exception as error:  # astropy raises many kinds on broken cards
        raise UnreadableFileError(file.name, f"HDU {number}: its header cannot be read ({error})") from error
    return header


def _data_bytes(hdu: HDU) -> int:
    """Size of the data (4.4.1, 6.1.1, 7.3.1)."""
    axes = [whole_number(hdu, f"NAXIS{axis}") for axis in range(1, min(whole_number(hdu, "NAXIS"), 999) + 1)]
    if not axes:
        return 0
    if hdu.value("GROUPS", False) is True and axes[0] == 0:
        axes = axes[1:]
    bits = hdu.value("BITPIX")
    if bits not in (8, 16, 32, 64, -32, -64):
        raise hdu.problem(f"BITPIX is {bits!r}")
    size: int = abs(bits) // 8 * whole_number(hdu, "GCOUNT", 1) * (whole_number(hdu, "PCOUNT", 0) + prod(axes))
    if size >= 2**62 or (hdu.is_table and axes[0] > _MAX_ROW):
        raise hdu.problem(f"its header announces {size:,} bytes, with rows of {axes[0]:,}")
    return size


def _skip(stream: BinaryIO, n_bytes: int) -> int:
    """Go forward; gives the number of bytes that were there."""
    if stream.seekable():
        here = stream.tell()
        end = stream.seek(0, 2)
        stream.seek(min(here + n_bytes, end))
        return min(n_bytes, end - here)
    left = n_bytes
    while left and (gone := len(stream.read(min(left, 1 << 20)))):
        left -= gone
    return n_bytes - left
