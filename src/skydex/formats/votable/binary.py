"""Rows as the bytes of BINARY and BINARY2 (VOTable 1.4, sections 5.3 and 5.4).

Columns of fixed width are laid side by side in one big-endian structured array; only where a value's length varies are
runs of such arrays and the values joined by one Arrow kernel. Nothing here walks over rows. BINARY2 begins each row
with one bit a column, set for nulls; BINARY has NaN and magic values instead (`document.magic_null`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import EngineError
from skydex.formats.encoding import flat_values, text_bytes, timestamp_text
from skydex.formats.votable.arraysize import Arraysize
from skydex.formats.votable.document import Serialization, magic_null, wire_column
from skydex.formats.votable.primitives import BIG_ENDIAN
from skydex.formats.votable.utf16 import utf16_of
from skydex.tables import Column, Datatype

__all__ = ["rows_as_bytes"]

_Fixed = NDArray[Any]

_TRUE, _FALSE, _UNKNOWN = b"TF?"


@dataclass
class _Rows:
    """Rows under construction: runs of fixed-width fields, and between them values of varying length."""

    n_rows: int
    pieces: list[pa.Array] = field(default_factory=list)
    run: list[_Fixed] = field(default_factory=list)

    def add_fixed(self, values: _Fixed) -> None:
        """Append a field of fixed width: (n,) or (n, k) values."""
        self.run.append(values)

    def add_variable(self, values: pa.Array, n_elements: NDArray[np.integer[Any]]) -> None:
        """Append a field of varying length: its element count, then its bytes."""
        self.add_fixed(n_elements.astype(">u4"))
        self._close_run()
        self.pieces.append(values)

    def to_bytes(self) -> memoryview:
        if not self.pieces:
            return _packed(self.run, self.n_rows).view(np.uint8).data
        self._close_run()
        return text_bytes(pc.binary_join_element_wise(*self.pieces, pa.scalar(b"", pa.binary())))

    def _close_run(self) -> None:
        if self.run:
            packed = _packed(self.run, self.n_rows)
            offsets = np.arange(self.n_rows + 1, dtype=np.int32) * packed.itemsize
            self.pieces.append(_binary(offsets, packed))
            self.run = []


def rows_as_bytes(
    batch: pa.RecordBatch, columns: Sequence[Column], serialization: Serialization
) -> tuple[memoryview, set[str]]:
    r"""Write rows as BINARY or BINARY2.

    Parameters
    ----------
    batch : RecordBatch
        Rows in `arrow_schema(columns)`; below 2 GB.
    columns : sequence of Column
        As given to `document.header`.
    serialization : Serialization
        BINARY or BINARY2.

    Returns
    -------
    rows : bytes-like
        Not yet base64.
    damaged : set of str
        Names of columns whose values do not fit what their FIELD declares: texts longer than a fixed size (cut), not
        ASCII in a `char` (written as `\u00e9` escapes), null elements of `unsignedByte` arrays (written as 0), integers
        that equal their magic null.
    """
    rows = _Rows(batch.num_rows)
    damaged: set[str] = set()
    if serialization is Serialization.BINARY2:
        rows.add_fixed(_null_bits(batch))
    for array, column in zip(batch.columns, columns, strict=True):
        if not _add_column(rows, array, wire_column(column, serialization), serialization):
            damaged.add(column.name)
    return rows.to_bytes(), damaged


def _null_bits(batch: pa.RecordBatch) -> _Fixed:
    """One bit a column, the first column in the highest bit of the first byte: (n, n_bytes) uint8."""
    n_bytes = (batch.num_columns + 7) // 8
    bits = np.zeros((n_bytes, batch.num_rows), np.uint8)
    for position, array in enumerate(batch.columns):
        if array.null_count:
            byte, bit = divmod(position, 8)
            is_null = array.is_null().to_numpy(zero_copy_only=False)
            bits[byte] |= is_null.view(np.uint8) << np.uint8(7 - bit)
    return bits.T


def _add_column(rows: _Rows, array: pa.Array, column: Column, serialization: Serialization) -> bool:
    """Append one column; `False` if a value did not fit."""
    if column.datatype.is_text:
        return _add_text(rows, array, column)
    dtype = BIG_ENDIAN[column.datatype]
    magic = magic_null(column, serialization)
    null = int(magic or 0)
    if not column.is_array:
        values = _numbers(array, null)
        rows.add_fixed(values.astype(dtype, copy=False))
        return magic is None or int((values == null).sum()) == array.null_count
    size = Arraysize.parse(column.arraysize)
    elements = _numbers(flat_values(array), null).astype(dtype)
    n_elements = _lengths(pc.list_value_length(array))
    is_whole = not (column.datatype is Datatype.UNSIGNED_BYTE and flat_values(array).null_count)
    if size.is_variable:
        rows.add_variable(_binary(_offsets(n_elements) * elements.itemsize, elements), n_elements)
        return is_whole
    if n_elements.max(initial=0) > size.n_fixed:
        raise EngineError(f'A value of column "{column.name}" has more elements than its arraysize {column.arraysize}.')
    fill = _numbers(pa.nulls(1, flat_values(array).type), null).astype(dtype)[0]
    rows.add_fixed(_rectangle(elements, n_elements, size.n_fixed, fill))
    return is_whole


def _add_text(rows: _Rows, array: pa.Array, column: Column) -> bool:
    if pa.types.is_timestamp(array.type):
        array = timestamp_text(array)
    texts, is_whole = (array, True) if column.datatype is Datatype.UNICODE_CHAR else _ascii(array)
    if column.datatype is Datatype.UNICODE_CHAR:
        units, n_units = utf16_of(texts)
    else:
        units = np.frombuffer(text_bytes(_filled(texts)), np.uint8)
        n_units = _lengths(pc.binary_length(texts))
    size = Arraysize.parse(column.arraysize)
    if size.is_variable:
        rows.add_variable(_binary(_offsets(n_units) * units.itemsize, units), n_units)
        return is_whole
    width = size.n_fixed
    rows.add_fixed(_rectangle(units, n_units, width, units.dtype.type(0)))
    return is_whole and bool(n_units.max(initial=0) <= width)


def _numbers(array: pa.Array, null: int) -> _Fixed:
    """Values with nulls filled in: NaN, a magic integer, or the question mark of an unknown Boolean."""
    kind = array.type
    if pa.types.is_boolean(kind):
        array = pc.if_else(array, pa.scalar(_TRUE, pa.uint8()), pa.scalar(_FALSE, pa.uint8())).fill_null(_UNKNOWN)
    if array.null_count and not pa.types.is_floating(kind):
        array = array.cast(pa.int16()) if pa.types.is_uint8(kind) and null < 0 else array
        array = array.fill_null(null)
    values: _Fixed = array.to_numpy(zero_copy_only=False)
    return values


def _ascii(texts: pa.Array) -> tuple[pa.Array, bool]:
    """Texts fit for `char`: characters beyond ASCII become escapes, because astropy reads nothing else there."""
    fits = pc.string_is_ascii(texts)
    if pc.all(fits).as_py() is not False:
        return texts, True
    odd = pc.filter(texts, pc.invert(fits.fill_null(True)))
    escaped = [text.encode("ascii", "backslashreplace").decode() for text in odd.to_pylist()]
    return pc.replace_with_mask(texts, pc.invert(fits.fill_null(True)), pa.array(escaped, texts.type)), False


def _filled(texts: pa.Array) -> pa.Array:
    return texts.fill_null("") if texts.null_count else texts


def _lengths(array: pa.Array) -> NDArray[np.int32]:
    lengths: NDArray[np.int32] = array.fill_null(0).to_numpy()
    return lengths


def _offsets(lengths: NDArray[np.int32]) -> NDArray[np.int32]:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _binary(offsets: NDArray[np.int32], data: _Fixed) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def _rectangle(values: _Fixed, lengths: NDArray[np.int32], width: int, fill: Any) -> _Fixed:
    """Values of varying number as (n, width), the short ones filled up, the long ones cut."""
    if lengths.min(initial=width) == lengths.max(initial=width) == width:
        return values.reshape(len(lengths), width)
    table = np.full((len(lengths), width), fill, values.dtype)
    row = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(values)) - np.repeat(_offsets(lengths)[:-1], lengths)
    fits = place < width
    table[row[fits], place[fits]] = values[fits]
    return table


def _packed(fields: list[_Fixed], n_rows: int) -> _Fixed:
    """Lay fields side by side, with no gaps."""
    dtype = np.dtype([(f"f{i}", values.dtype, values.shape[1:]) for i, values in enumerate(fields)])
    packed = np.empty(n_rows, dtype)
    for i, values in enumerate(fields):
        packed[f"f{i}"] = values
    return packed
