"""Bytes of FITS tables as Arrow arrays, whole columns at a time.

FITS 4.0 (2018), section 7.3.3: big-endian values at a fixed place of every row; arrays of varying length on the heap
(7.3.5); section 7.2.5: numbers as text. Nulls are TNULLn, NaN, a zero byte for logicals, and blanks for texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.formats.fits.fields import Field
from skydex.tables import arrow_type

__all__ = ["ascii_column", "binary_column", "descriptors", "heap_column"]

_STORED = {
    "L": "u1",
    "X": "u1",
    "B": "u1",
    "I": ">i2",
    "J": ">i4",
    "K": ">i8",
    "E": ">f4",
    "D": ">f8",
    "C": ">f4",
    "M": ">f8",
    "A": "u1",
}
_Bytes = NDArray[np.uint8]


def binary_column(field: Field, rows: _Bytes) -> pa.Array:
    """Decode one column of a binary table that lies in its rows.

    Parameters
    ----------
    field : Field
        The column.
    rows : (n_rows, row_bytes) uint8 array
        The rows as they are in the file.
    """
    raw = rows[:, field.offset : field.offset + field.width]
    if field.letter == "A":
        return _texts(raw)
    if field.letter == "X":
        bits = np.unpackbits(np.ascontiguousarray(raw), axis=1)[:, : field.repeat]
        return _shaped(pa.array(bits.ravel().view(bool)), field, len(rows))
    stored = _strided(rows, field)
    values = _scalars(stored.ravel(), field)
    return _shaped(values, field, len(rows))


def descriptors(field: Field, rows: _Bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of elements and byte offsets on the heap of a column, one of each a row."""
    kind = ">i4" if field.descriptor == "P" else ">i8"
    raw = np.ascontiguousarray(rows[:, field.offset : field.offset + field.width])
    pairs = raw.view(kind).astype(np.int64)
    return pairs[:, 0], pairs[:, 1]


def heap_column(field: Field, counts: NDArray[np.int64], starts: NDArray[np.int64], heap: _Bytes) -> pa.Array:
    """Decode one column of arrays of varying length.

    Raises
    ------
    UnreadableFileError
        A descriptor points behind the heap.
    """
    stored = np.dtype(_STORED[field.letter])
    size = stored.itemsize * (2 if field.letter in "CM" else 1)
    n_bytes = counts * size
    flat = _gathered(heap, starts, n_bytes)
    if len(flat) // stored.itemsize >= 2**31:
        raise ValueError(f'an array of column "{field.column.name}" has over 2^31 elements')
    ends = np.concatenate([[0], np.cumsum(n_bytes // stored.itemsize)]).astype(np.int32)
    if field.letter == "A":
        return _plain_texts(pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(flat)), len(counts))
    values = _scalars(flat.view(stored), field).cast(arrow_type(field.column).value_type)
    return pa.ListArray.from_arrays(pa.array(ends), values)


def ascii_column(field: Field, rows: _Bytes) -> pa.Array:
    """Decode one column of an ASCII table; blank fields are nulls."""
    texts = _texts(rows[:, field.offset : field.offset + field.width])
    if field.null is not None:
        texts = pc.if_else(pc.equal(pc.ascii_trim_whitespace(texts), field.null), None, texts)
    if field.letter == "A":
        return texts
    numbers = pc.replace_substring_regex(pc.ascii_trim_whitespace(texts), pattern="[dD]", replacement="E")
    numbers = pc.if_else(pc.equal(numbers, ""), None, numbers)
    numbers = pc.ascii_ltrim(numbers, characters="+") if field.letter == "I" else numbers
    try:
        values = numbers.cast(pa.int64() if field.letter == "I" else pa.float64())
    except pa.ArrowInvalid as error:
        raise ValueError(f'column "{field.column.name}" holds what is not a number ({error})') from error
    return _scaled(values, field).cast(arrow_type(field.column))


def _strided(rows: _Bytes, field: Field) -> NDArray[Any]:
    """A big-endian view of one column, (n_rows, elements), without a copy."""
    stored = np.dtype(_STORED[field.letter])
    return np.ndarray(
        (len(rows), field.width // stored.itemsize),
        stored,
        buffer=rows.data,
        offset=field.offset,
        strides=(rows.strides[0], stored.itemsize),
    )


def _scalars(stored: NDArray[Any], field: Field) -> pa.Array:
    """Stored values as Arrow values: native byte order, nulls, scale and sign."""
    if field.letter == "L":
        return pa.array(stored == ord("T"), mask=(stored != ord("T")) & (stored != ord("F")))
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if field.letter in "EDCM":
        return _scaled(pa.array(native, from_pandas=not field.column.is_array), field)
    missing = stored == field.null if field.null is not None else None
    if field.is_offset_integer:
        native = _unsigned(native, field)
    return _scaled(pa.array(native, mask=missing), field)


def _unsigned(native: NDArray[Any], field: Field) -> NDArray[Any]:
    if field.letter != "K":
        return native.astype(np.int64) + int(field.zero)
    if (native >= 0).any():
        raise ValueError(f'column "{field.column.name}" holds integers over 2^63 - 1')
    return native ^ np.int64(-(2**63))


def _scaled(values: pa.Array, field: Field) -> pa.Array:
    if not field.is_scaled:
        return values
    return pc.add(pc.multiply(values.cast(pa.float64()), float(field.scale)), float(field.zero))


def _shaped(values: pa.Array, field: Field, n_rows: int) -> pa.Array:
    kind = arrow_type(field.column)
    if not field.column.is_array:
        return values.cast(kind)
    size = len(values) // n_rows if n_rows else 0
    ends = np.arange(n_rows + 1, dtype=np.int32) * np.int32(size)
    return pa.ListArray.from_arrays(pa.array(ends), values.cast(kind.value_type))


def _texts(raw: _Bytes) -> pa.Array:
    """Fixed-width texts: ended by a NUL or by blanks; blank ones are null."""
    raw = np.ascontiguousarray(raw)
    if (raw == 0).any():
        raw = np.where(np.logical_or.accumulate(raw == 0, axis=1), np.uint8(ord(" ")), raw)
    n_rows, width = raw.shape
    ends = np.arange(n_rows + 1, dtype=np.int32) * np.int32(width)
    texts = _plain_texts(pa.py_buffer(ends), pa.py_buffer(raw), n_rows)
    trimmed = pc.ascii_rtrim(texts, characters=" ")
    blank = pc.equal(trimmed, "")
    return pc.if_else(blank, pa.scalar(None, pa.string()), trimmed) if pc.any(blank).as_py() else trimmed


def _plain_texts(ends: pa.Buffer, data: pa.Buffer, n_rows: int) -> pa.Array:
    texts = pa.BinaryArray.from_buffers(pa.binary(), n_rows, [None, ends, data])
    try:
        return texts.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8, so bytes of the old Western sets
        return pa.array([text.decode("latin-1") for text in texts.to_pylist()], pa.string())


def _gathered(heap: _Bytes, starts: NDArray[np.int64], n_bytes: NDArray[np.int64]) -> _Bytes:
    """The bytes of many stretches of the heap, one after the other."""
    if (starts < 0).any() or (n_bytes < 0).any() or ((starts + n_bytes > len(heap)) & (n_bytes > 0)).any():
        raise ValueError("an array lies outside the heap")
    used = n_bytes > 0
    begins, lengths = starts[used], n_bytes[used]
    if not len(begins):
        return np.empty(0, np.uint8)
    if (begins[1:] == begins[:-1] + lengths[:-1]).all():
        stretch: _Bytes = np.array(heap[begins[0] : begins[-1] + lengths[-1]])
        return stretch
    places = np.arange(lengths.sum()) + np.repeat(begins - np.cumsum(lengths) + lengths, lengths)
    pieces: _Bytes = heap[places]
    return pieces
