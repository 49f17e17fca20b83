"""Tile-compressed images: where each tile lies in its table, and how it is unpacked.

FITS 4.0 (IAU FWG, 2018-08-13), section 10.1: keywords (10.1.1), table columns (10.1.3), quantised floats (10.2), the
algorithms (10.4). The C routines are astropy's, which gives them to nobody but its own reader of whole sections; here
they are called for single tiles, with sizes that were checked, and with room behind the input, as they read on where a
damaged tile leads them.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skydex.images.cards import cards_of, keyword_of
from skydex.images.fits_headers import value_of
from skydex.images.fits_stored import TYPES
from skydex.images.limits import ImageLimits

__all__ = ["Tile", "TileLayout", "TileRow"]

_ALGORITHMS = ("RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS")
_WIDTHS = {"L": 1, "X": 1, "B": 1, "A": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_NUMBERS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_FORM = re.compile(r"(\d{0,9})([LXBAIJKEDCMPQ])([A-Z]?).*")
_DITHERS = {"": -1, "NONE": 0, "NO_DITHER": -1, "SUBTRACTIVE_DITHER_1": 1, "SUBTRACTIVE_DITHER_2": 2}
_MOST_HCOMPRESS = 16 << 20
_MOST_BLOCK = 4096
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class _Field:
    offset: int
    kind: str
    element: str


class Tile(NamedTuple):
    """One rectangle of an image, as it was compressed."""

    number: int
    """Row of the table, from 0."""
    x0: int
    y0: int
    nx: int
    ny: int


@dataclass(frozen=True)
class TileRow:
    """What the table says of a tile."""

    column: str
    """Which column holds it."""
    length: int
    """Bytes in the heap; 0 for none."""
    offset: int
    """Where in the heap."""
    scale: float
    zero: float
    blank: int | None


@dataclass(frozen=True)
class TileLayout:
    """How an image is cut into tiles, and how its table says where they are."""

    shape: tuple[int, int]
    """Rows and columns of the image."""
    tile: tuple[int, int]
    """Rows and columns of a tile."""
    bitpix: int
    """Type of the pixels."""
    algorithm: str
    """ZCMPTYPE."""
    block: int
    """Pixels that RICE codes together."""
    word: int
    """Bytes of an integer that RICE codes."""
    scale: int
    """Loss of HCOMPRESS."""
    is_smooth: bool
    """Whether HCOMPRESS smooths."""
    dither: int
    """How quantised floats were dithered: -1 not at all, or 1, or 2 which keeps zeros."""
    seed: int
    """Where the sequence of dithers begins."""
    blank: int | None
    """ZBLANK, or BLANK."""
    width: int
    """Bytes of a row of the table."""
    heap: int
    """Where the heap begins, from the beginning of the table."""
    n_heap: int
    """Bytes of what follows the table."""
    fields: dict[str, _Field]
    """Columns of the table."""

    @classmethod
    def of(cls, cards: bytes, shape: tuple[int, int], limits: ImageLimits) -> TileLayout:
        """Read the header of a compressed image.

        Raises
        ------
        ValueError
            It makes no sense, or its tiles are larger than they may be.
        """
        words = {keyword_of(card): value_of(card) for card in cards_of(cards)}
        tile = _tile(words, shape)
        if tile[0] * tile[1] > limits.tile_mpix * 1_000_000:
            raise ValueError(
                f"its tiles have {tile[1]:,} x {tile[0]:,} pixels, and the limit is {limits.tile_mpix} million: "
                "unpack it, or compress it with smaller tiles"
            )
        algorithm = words.get("ZCMPTYPE", "")
        if algorithm not in _ALGORITHMS:
            raise ValueError(f"it is compressed by {algorithm[:20] or 'no known algorithm'}")
        if algorithm == "HCOMPRESS_1" and tile[0] * tile[1] > _MOST_HCOMPRESS:
            raise ValueError("its tiles are too large for HCOMPRESS_1")
        options = {words.get(f"ZNAME{n}", "").upper(): words.get(f"ZVAL{n}", "") for n in range(1, 20)}
        fields, width = _fields(words)
        rows, n_rows = _whole(words, "NAXIS1"), _whole(words, "NAXIS2")
        n_tiles = math.ceil(shape[0] / tile[0]) * math.ceil(shape[1] / tile[1])
        if width > rows or n_rows < n_tiles or not {"COMPRESSED_DATA"} <= set(fields):
            raise ValueError("its table does not fit its tiles")
        block, word = _option(options, "BLOCKSIZE", 32), _option(options, "BYTEPIX", 4)
        if not 1 <= block <= _MOST_BLOCK or word not in (1, 2, 4):
            raise ValueError("BLOCKSIZE or BYTEPIX of RICE_1 cannot be")
        dither = _DITHERS.get(words.get("ZQUANTIZ", "NO_DITHER").upper())
        if dither is None:
            raise ValueError("ZQUANTIZ is no known way of quantising")
        blank = words.get("ZBLANK", words.get("BLANK"))
        heap = _whole(words, "THEAP", rows * n_rows)
        return cls(
            shape, tile, _whole(words, "ZBITPIX"), algorithm, block, word, _option(options, "SCALE", 0),
            _option(options, "SMOOTH", 0) != 0, dither, _whole(words, "ZDITHER0", 0),
            int(blank) if blank is not None else None, rows, heap, max(_whole(words, "PCOUNT", 0), 0), fields,
        )  # fmt: skip

    def tiles(self, y0: int, y1: int, x0: int, x1: int) -> Iterator[Tile]:
        """The tiles that hold some of the rows y0 to y1 - 1 and columns x0 to x1 - 1."""
        (ny, nx), (ty, tx) = self.shape, self.tile
        across = math.ceil(nx / tx)
        columns = [(column, column * tx, min(tx, nx - column * tx)) for column in range(x0 // tx, (x1 - 1) // tx + 1)]
        for row in range(y0 // ty, (y1 - 1) // ty + 1):
            first, y = row * across, row * ty
            height = min(ty, ny - y)
            for column, x, width in columns:
                yield Tile(first + column, x, y, width, height)

    def row(self, raw: bytes) -> TileRow:
        """What a row of the table says.

        Raises
        ------
        ValueError
            The tile is not in the heap.
        """
        for column in ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA"):
            if column not in self.fields:
                continue
            field = self.fields[column]
            n_values, offset = np.frombuffer(raw, ">i4" if field.kind == "P" else ">i8", 2, field.offset).tolist()
            if n_values:
                length = n_values * np.dtype(_NUMBERS.get(field.element, "u1")).itemsize
                if n_values < 0 or offset < 0 or offset + length > self.n_heap:
                    raise ValueError("a tile lies outside of its table")
                blank = self._number(raw, "ZBLANK")
                return TileRow(
                    column, length, offset, self._number(raw, "ZSCALE") or 1.0, self._number(raw, "ZZERO") or 0.0,
                    self.blank if blank is None else int(blank),
                )  # fmt: skip
        raise ValueError("a tile is missing")

    def unpacked(self, tile: Tile, row: TileRow, packed: bytes) -> NDArray[Any]:
        """The stored values of a tile, (ny, nx), in native byte order; quantised floats made floats again.

        Raises
        ------
        ValueError
            It is damaged.
        """
        n = tile.nx * tile.ny
        dtype = np.dtype(TYPES[self.bitpix])
        if row.column == "UNCOMPRESSED_DATA":
            element = _NUMBERS.get(self.fields[row.column].element, "u1")
            return _shaped(np.frombuffer(packed, element), tile).astype(dtype)
        if row.column == "GZIP_COMPRESSED_DATA":
            return _shaped(_gzip(packed, n, self.bitpix, is_exact=True, is_shuffled=False), tile).astype(dtype)
        is_quantised = "ZSCALE" in self.fields and self.bitpix < 0
        try:
            values = _shaped(self._decoded(tile, packed, is_exact=not is_quantised), tile)
        except Exception as error:  # the C routines have errors of their own
            raise ValueError("a tile is damaged") from error
        if not is_quantised:
            return _with_blanks(values.astype(dtype), values, row.blank if self.bitpix < 0 else None)
        return _with_blanks(self._floats(tile, row, values, dtype), values, row.blank)

    def _number(self, raw: bytes, column: str) -> float | None:
        field = self.fields.get(column)
        if field is None or field.kind not in _NUMBERS:
            return None
        return float(np.frombuffer(raw, _NUMBERS[field.kind], 1, field.offset)[0])

    def _decoded(self, tile: Tile, packed: bytes, *, is_exact: bool) -> NDArray[Any]:
        n = tile.nx * tile.ny
        if self.algorithm.startswith("RICE"):
            return _rice(packed, self.block, self.word, n)
        if self.algorithm.startswith("GZIP"):
            is_shuffled = self.algorithm == "GZIP_2"
            return _gzip(packed, n, self.bitpix, is_exact=is_exact, is_shuffled=is_shuffled)
        if self.algorithm == "PLIO_1":
            return _plio(packed, n)
        if self.algorithm == "HCOMPRESS_1":
            return _hcompress(packed, tile, self.scale, is_smooth=self.is_smooth)
        return _numbers(packed, n, self.bitpix, is_exact=is_exact)

    def _floats(self, tile: Tile, row: TileRow, values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        if self.dither == -1:
            return (values * row.scale + row.zero).astype(dtype)
        from astropy.io.fits.hdu.compressed._compression import unquantize_double_c, unquantize_float_c

        native = values.astype(values.dtype.newbyteorder("="))
        unquantised = unquantize_float_c if self.bitpix == -32 else unquantize_double_c
        number = tile.number + self.seed
        raw = unquantised(
            native.tobytes(), number, native.size, row.scale, row.zero, self.dither, 0, 0, 0.0, native.dtype.itemsize
        )
        return np.frombuffer(raw, dtype).reshape(values.shape).copy()


def _tile(words: dict[str, str], shape: tuple[int, int]) -> tuple[int, int]:
    tx, ty = _whole(words, "ZTILE1", shape[1]), _whole(words, "ZTILE2", 1)
    if tx < 1 or ty < 1:
        raise ValueError("ZTILEn is not positive")
    return min(ty, shape[0]), min(tx, shape[1])


def _fields(words: dict[str, str]) -> tuple[dict[str, _Field], int]:
    """Columns by name, and the bytes of all of them."""
    fields: dict[str, _Field] = {}
    offset = 0
    for number in range(1, min(_whole(words, "TFIELDS"), 999) + 1):
        form = _FORM.fullmatch(words.get(f"TFORM{number}", "").strip())
        if form is None:
            raise ValueError(f"TFORM{number} makes no sense")
        fields[words.get(f"TTYPE{number}", "").strip().upper()] = _Field(offset, form[2], form[3])
        n_values = int(form[1] or 1)
        offset += math.ceil(n_values / 8) if form[2] == "X" else n_values * _WIDTHS[form[2]]
    return fields, offset


def _whole(words: dict[str, str], keyword: str, default: int | None = None) -> int:
    text = words.get(keyword, "" if default is None else str(default))
    if not re.fullmatch(r"[+-]?\d{1,15}", text):
        raise ValueError(f"{keyword} is missing, or no whole number")
    return int(text)


def _option(options: dict[str, str], name: str, default: int) -> int:
    try:
        return int(float(options.get(name) or default))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} is no number") from error


def _shaped(values: NDArray[Any], tile: Tile) -> NDArray[Any]:
    n = tile.nx * tile.ny
    if values.size < n:
        raise ValueError("a tile has too few pixels")
    return values[:n].reshape(tile.ny, tile.nx)


def _with_blanks(values: NDArray[Any], stored: NDArray[Any], blank: int | None) -> NDArray[Any]:
    if blank is not None and stored.dtype.kind in "iu":
        values[stored == blank] = np.nan
    return values


def _rice(packed: bytes, block: int, word: int, n: int) -> NDArray[Any]:
    from astropy.io.fits.hdu.compressed._compression import decompress_rice_1_c

    buffer = np.frombuffer(packed + b"\xff" * (block * 16 + 64), "u1")  # it looks for its end after each block only
    raw = decompress_rice_1_c(buffer[: len(packed)], block, word, n)
    return np.frombuffer(raw, {1: "u1", 2: "i2", 4: "i4"}[word])


def _plio(packed: bytes, n: int) -> NDArray[Any]:
    from astropy.io.fits.hdu.compressed._compression import decompress_plio_1_c

    words = np.frombuffer(packed, ">i2")
    if words.size < 4:
        raise ValueError("a tile is damaged")
    length = int(words[3]) if words[2] > 0 else (int(words[4]) + (int(words[5]) << 15) if words.size >= 6 else -1)
    if not 0 <= length <= words.size:
        raise ValueError("a tile is damaged")
    buffer = words.astype("i2").tobytes() + bytes(16)
    return np.frombuffer(decompress_plio_1_c(buffer, n), "i4")


def _hcompress(packed: bytes, tile: Tile, scale: int, *, is_smooth: bool) -> NDArray[Any]:
    from astropy.io.fits.hdu.compressed._compression import decompress_hcompress_1_c

    sides = np.frombuffer(packed[2:10].ljust(8, b"\0"), ">i4").tolist()
    planes = packed[22:25]
    if packed[:2] != b"\xdd\x99" or sides != [tile.ny, tile.nx] or max(planes, default=99) > 64:
        raise ValueError("a tile is damaged")
    buffer = packed + bytes(12 * (tile.nx + 2) * (tile.ny + 2) + 1024)  # it never looks for its end
    raw = decompress_hcompress_1_c(buffer, tile.ny, tile.nx, scale, is_smooth, 8)
    return np.frombuffer(raw, "i4")


def _gzip(packed: bytes, n: int, bitpix: int, *, is_exact: bool, is_shuffled: bool) -> NDArray[Any]:
    raw = zlib.decompressobj(_GZIP).decompress(packed, 8 * n + 1)
    if not raw or len(raw) > 8 * n:
        raise ValueError("a tile is damaged")
    if is_shuffled:
        raw = np.frombuffer(raw[: len(raw) // n * n], "u1").reshape(-1, n).T.tobytes()
    return _numbers(raw, n, bitpix, is_exact=is_exact)


def _numbers(raw: bytes, n: int, bitpix: int, *, is_exact: bool) -> NDArray[Any]:
    """Big-endian numbers, whose width is told by how many bytes there are."""
    width = len(raw) // n
    if width not in (1, 2, 4, 8):
        raise ValueError("a tile is damaged")
    kind = "u" if width == 1 else "f" if bitpix < 0 and is_exact and width > 2 else "i"
    return np.frombuffer(raw, f">{kind}{width}", n)
