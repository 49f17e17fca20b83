"""Rows of BINARY and BINARY2, a block at a time (VOTable 1.4, sections 5.3 and 5.4).

Rows of fixed width are one structured array. Where lengths vary, the places of the rows must be found one after the
other, which is the only loop; rows of equal lengths are leapt over together. Then every column is taken out of the
block by one gather.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import UnreadableFileError
from skydex.formats.votable.fields import WireField
from skydex.formats.votable.primitives import BIG_ENDIAN
from skydex.formats.votable.utf16 import text_of_utf16
from skydex.formats.votable.values import from_numbers, text_from_bytes, timestamps, whole_or_null
from skydex.tables import Datatype

__all__ = ["plain_bytes", "rows_of_binary"]

_COUNT = struct.Struct(">I")
_LONGEST_ROW = 256 << 20
_BLANKS = b" \t\r\n"


def plain_bytes(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decode a stream of base64 that is cut anywhere and broken into lines anyhow.

    Raises
    ------
    UnreadableFileError
        It is not base64.
    """
    held = b""
    for chunk in chunks:
        held += chunk.translate(None, _BLANKS)
        whole = len(held) // 4 * 4
        yield _decoded64(held[:whole])
        held = held[whole:]
    if held:
        yield _decoded64(held)


def _decoded64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except binascii.Error as error:
        raise UnreadableFileError("the table", f"its rows are not base64 ({error})") from error


def rows_of_binary(chunks: Iterable[bytes], fields: Sequence[WireField], *, has_mask: bool) -> Iterator[list[pa.Array]]:
    """Decode rows.

    Parameters
    ----------
    chunks : iterable of bytes
        Bytes of the rows, cut anywhere.
    fields : sequence of WireField
        The table's fields; their widths must be known, also of those that have no column.
    has_mask : bool
        Whether each row begins with a mask of nulls (BINARY2).

    Yields
    ------
    arrays : list of Arrow arrays
        One for each field that has a column.

    Raises
    ------
    UnreadableFileError
        The bytes end in the middle of a row.
    """
    layout = _Layout(fields, (len(fields) + 7) // 8 if has_mask else 0)
    held = b""
    for chunk in chunks:
        held = held + chunk if held else chunk
        places = layout.places(held)
        if len(places):
            block = _Block(np.frombuffer(held, np.uint8), places, layout)
            yield block.arrays()
            held = held[int(places[-1, -1]) + layout.widths[-1] :]
        elif len(held) > _LONGEST_ROW:
            raise UnreadableFileError("the table", f"it has a row of more than {_LONGEST_ROW:,} bytes")
    if held:
        raise UnreadableFileError("the table", "its rows end in the middle of a row")


class _Layout:
    """How a row is laid out: runs of fields of fixed width, each but the last ended by the count of a variable one."""

    def __init__(self, fields: Sequence[WireField], n_mask_bytes: int) -> None:
        self.fields = fields
        self.n_mask_bytes = n_mask_bytes
        self.widths: list[int] = [n_mask_bytes]
        """Bytes of each run."""
        self.units: list[int] = []
        """Bytes of one counted element after each run but the last; 0 for bits, of which eight share one."""
        self.spots: list[tuple[int, int]] = []
        """For each field its run, and its first byte within the run; a variable one begins where its run ends."""
        for field in fields:
            self.spots.append((len(self.units), self.widths[-1]))
            if field.size.is_variable:
                self.widths[-1] += _COUNT.size
                self.units.append(field.element_width)
                self.widths.append(0)
            else:
                self.widths[-1] += field.width
        if sum(self.widths) > _LONGEST_ROW:
            raise UnreadableFileError("the table", f"its rows have more than {_LONGEST_ROW:,} bytes")

    def places(self, data: bytes) -> NDArray[np.int64]:
        """Where each run of each whole row begins: (n_rows, n_runs)."""
        if not self.units:
            n_rows = len(data) // self.widths[0] if self.widths[0] else 0
            return (np.arange(n_rows, dtype=np.int64) * self.widths[0])[:, None]
        alike = self._alike(data)
        start = int(alike[-1, -1]) + self.widths[-1] if len(alike) else 0
        return np.concatenate([alike, self._walked(data, start)])

    def _alike(self, data: bytes) -> NDArray[np.int64]:
        """Places of the first rows, as far as they all have the lengths of the first."""
        first = self._walked(data, 0, most=1)
        if not len(first):
            return first
        row_bytes = int(first[0, -1]) + self.widths[-1]
        table = np.frombuffer(data, np.uint8, len(data) // row_bytes * row_bytes).reshape(-1, row_bytes)
        same = np.ones(len(table), bool)
        for run in range(len(self.units)):
            end = int(first[0, run]) + self.widths[run]
            same &= (table[:, end - 4 : end] == table[0, end - 4 : end]).all(axis=1)
        n_alike = len(table) if same.all() else int(np.argmin(same))
        return np.arange(n_alike, dtype=np.int64)[:, None] * row_bytes + first

    def _walked(self, data: bytes, start: int, *, most: int | None = None) -> NDArray[np.int64]:
        """Places of whole rows found one after the other."""
        steps = list(zip(self.widths, self.units, strict=False))
        last, size, unpack = self.widths[-1], len(data), _COUNT.unpack_from
        places: list[int] = []
        note = places.append
        n_whole = 0
        try:
            while start < size and n_whole != most:
                for width, unit in steps:
                    note(start)
                    start += width
                    count = unpack(data, start - 4)[0]
                    start += count * unit if unit else (count + 7) // 8
                note(start)
                start += last
                n_whole += start <= size
        except struct.error:  # the count itself is beyond the end
            pass
        return np.array(places[: n_whole * len(self.widths)], np.int64).reshape(-1, len(self.widths))


@dataclass(frozen=True)
class _Block:
    """Bytes with the places of their rows."""

    octets: NDArray[np.uint8]
    """The bytes."""
    places: NDArray[np.int64]
    """Where each run of each row begins."""
    layout: _Layout
    """What is where in a run."""

    def arrays(self) -> list[pa.Array]:
        """Every column that is carried."""
        runs = [self._run(run, width) for run, width in enumerate(self.layout.widths)]
        masks = runs[0][:, : self.layout.n_mask_bytes]
        arrays = []
        for position, (field, (run, spot)) in enumerate(zip(self.layout.fields, self.layout.spots, strict=True)):
            if field.column is None:
                continue
            is_null = (masks[:, position // 8] >> np.uint8(7 - position % 8) & 1).astype(bool) if masks.size else None
            if field.size.is_variable:
                arrays.append(self._variable(field, run, spot, is_null))
            else:
                values = np.ascontiguousarray(runs[run][:, spot : spot + field.width])
                arrays.append(_fixed(field, values, is_null))
        return arrays

    def _run(self, run: int, width: int) -> NDArray[np.uint8]:
        """Bytes of one run of every row: (n_rows, width)."""
        if width == 0:
            return np.empty((len(self.places), 0), np.uint8)
        if len(self.layout.widths) == 1:
            return self.octets[: len(self.places) * width].reshape(-1, width)
        windows = np.ndarray(len(self.octets) - width + 1, f"V{width}", self.octets.data, strides=(1,))
        return windows[self.places[:, run]].view(np.uint8).reshape(-1, width)

    def _variable(self, field: WireField, run: int, spot: int, is_null: NDArray[np.bool_] | None) -> pa.Array:
        """Values of varying length, taken together out of what lies between them."""
        starts = self.places[:, run] + spot + _COUNT.size
        ends = self.places[:, run + 1]
        bounds = np.append(np.stack([starts, ends], axis=1).ravel(), len(self.octets)).astype(np.int32)
        buffers = [None, pa.py_buffer(bounds), pa.py_buffer(self.octets)]
        between = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, buffers)
        values = between.take(pa.array(np.arange(0, len(bounds) - 1, 2)))
        return _of_varying(field, values, is_null)


def _fixed(field: WireField, octets: NDArray[np.uint8], is_null: NDArray[np.bool_] | None) -> pa.Array:
    column = field.column
    assert column is not None
    if field.datatype == "bit":  # writers do not agree on which of the eight it is
        return pa.array(octets.any(axis=1), mask=is_null)
    values = octets.view(BIG_ENDIAN[column.datatype]) if octets.size else octets.astype(BIG_ENDIAN[column.datatype])
    if column.datatype.is_text:
        return _finished_text(field, *_trimmed(values), is_null)
    if not column.is_array:
        return from_numbers(values.reshape(len(octets)), column.datatype, field.null, is_null)
    elements = from_numbers(values.ravel(), column.datatype, field.null, None)
    offsets = np.arange(len(octets) + 1, dtype=np.int32) * field.size.n_fixed
    return _lists(offsets, elements, is_null)


def _of_varying(field: WireField, values: pa.Array, is_null: NDArray[np.bool_] | None) -> pa.Array:
    column = field.column
    assert column is not None
    offsets = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1)
    data = values.buffers()[2]
    octets = np.frombuffer(data, np.uint8, offsets[-1]) if data is not None else np.empty(0, np.uint8)
    elements = octets.view(BIG_ENDIAN[column.datatype])
    places = offsets // field.element_width
    if column.datatype.is_text:
        return _finished_text(field, elements, places, is_null)
    return _lists(places, from_numbers(elements, column.datatype, field.null, None), is_null)


def _trimmed(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Characters of (n, width) texts up to the first NUL of each, and where each text begins among them."""
    is_end = values == 0
    lengths = np.where(is_end.any(axis=1), is_end.argmax(axis=1), values.shape[1]) if values.size else 0
    lengths = np.broadcast_to(lengths, len(values))
    kept = np.arange(values.shape[1]) < lengths[:, None]
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return values[kept], offsets


def _finished_text(
    field: WireField, characters: NDArray[Any], offsets: NDArray[Any], is_null: NDArray[np.bool_] | None
) -> pa.Array:
    """Text of characters; an empty one in BINARY, which has no mask, is a null."""
    column = field.column
    assert column is not None
    if column.datatype is Datatype.UNICODE_CHAR:
        texts = text_of_utf16(characters, offsets)
    else:
        buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets, np.int32)), pa.py_buffer(characters)]
        texts = text_from_bytes(pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers))
    gone = pa.array(is_null) if is_null is not None else pc.equal(texts, "")
    texts = pc.if_else(gone, pa.scalar(None, pa.string()), texts)
    return timestamps(texts, column) if column.is_timestamp else texts


def _lists(offsets: NDArray[np.int32], elements: pa.Array, is_null: NDArray[np.bool_] | None) -> pa.Array:
    if is_null is None:
        return whole_or_null(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), elements))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), elements, mask=pa.array(is_null))
