"""`Layout`: how one column lies in the rows of a FITS binary table.

FITS 4.0 (2018), section 7.3: TFORMn letters (table 18), TNULLn (7.3.2), TDIMn, and array descriptors (7.3.5). Floats
say null with NaN, logicals with a zero byte, texts with blanks, integers with a TNULLn that does not occur.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.formats.encoding import text_bytes, timestamp_text
from skydex.formats.fits.survey import Survey
from skydex.tables import Column, Datatype

__all__ = ["Layout", "layout_of"]

_LETTERS = {
    Datatype.BOOLEAN: "L",
    Datatype.UNSIGNED_BYTE: "B",
    Datatype.SHORT: "I",
    Datatype.INT: "J",
    Datatype.LONG: "K",
    Datatype.CHAR: "A",
    Datatype.UNICODE_CHAR: "A",
    Datatype.FLOAT: "E",
    Datatype.DOUBLE: "D",
}
_BIG_ENDIAN = {"L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "A": "S1"}
_ARROW = {"B": pa.uint8(), "I": pa.int16(), "J": pa.int32(), "K": pa.int64()}
_WIDER = {"B": "I", "I": "J", "J": "K"}
_TIMESTAMP_LENGTH = 26
_USUAL_NULL = 999_999
"""The integer that numpy and astropy write for a masked one: readers that know no TNULLn know this."""
_WASTE = 64 << 20
"""Bytes of blanks beyond which long texts move to the heap."""


@dataclass(frozen=True)
class Layout:
    """Place and encoding of one column."""

    column: Column
    """What it means."""
    tform: str
    """TFORMn."""
    dtype: np.dtype[Any]
    """Its part of a row: big-endian, with a shape for fixed arrays; two integers for a descriptor."""
    values: Callable[[pa.Array], NDArray[Any]]
    """Encode values: one item a row, or for a column on the heap all elements of all rows."""
    null: int | None = None
    """TNULLn."""
    tdim: str | None = None
    """TDIMn."""
    heap_bytes: int = 0
    """How much of the heap it fills."""
    element_bytes: int = 0
    """Size of one element on the heap; zero for a column that lies in the rows."""

    @property
    def on_heap(self) -> bool:
        return self.element_bytes > 0

    def lengths(self, array: pa.Array) -> NDArray[np.int64]:
        """Elements of each row, for a column on the heap; nulls have none."""
        count = pc.list_value_length if pa.types.is_list(array.type) else pc.binary_length
        lengths: NDArray[np.int64] = count(array).fill_null(0).to_numpy().astype(np.int64)
        return lengths


def layout_of(survey: Survey, batches: Iterable[pa.RecordBatch], index: int, n_rows: int) -> Layout:
    """Decide how a column is laid out, knowing what is in it.

    Parameters
    ----------
    survey : Survey
        What was learnt of its values.
    batches : iterable of RecordBatch
        The rows, to look for an integer that does not occur; walked through only when the obvious ones do.
    index : int
        Which column of the batches it is.
    n_rows : int
        How many rows there are.
    """
    column = survey.column
    if column.is_timestamp:
        return _text(column, _TIMESTAMP_LENGTH)
    if column.datatype.is_text:
        width = max(column.max_length or 0, survey.longest, 1)
        wasteful = n_rows * width > _WASTE + 4 * survey.total
        return _heap(survey, "A", None) if wasteful else _text(column, width)
    letter, null = _LETTERS[column.datatype], None
    if column.datatype.is_integer and survey.has_nulls:
        letter, null = _null_of(letter, survey, batches, index)
    if not column.is_array:
        return Layout(column, letter, np.dtype(_BIG_ENDIAN[letter]), lambda array: _numbers(array, letter, null), null)
    size = _fixed_size(survey)
    return _fixed(column, letter, null, size) if size else _heap(survey, letter, null)


def _text(column: Column, width: int) -> Layout:
    def padded(array: pa.Array) -> NDArray[Any]:
        texts = timestamp_text(array) if pa.types.is_timestamp(array.type) else array
        return _fixed_width(texts, width)

    return Layout(column, f"{width}A", np.dtype(f"S{width}"), padded)


def _fixed(column: Column, letter: str, null: int | None, size: int) -> Layout:
    def rows(array: pa.Array) -> NDArray[Any]:
        return _rectangle(array, _numbers(array.flatten(), letter, null), size, _filler(letter, null))

    tdim = f"({(column.arraysize or '').replace('x', ',')})" if "x" in (column.arraysize or "") else None
    return Layout(column, f"{size}{letter}", np.dtype((_BIG_ENDIAN[letter], (size,))), rows, null, tdim)


def _heap(survey: Survey, letter: str, null: int | None) -> Layout:
    item = np.dtype(_BIG_ENDIAN[letter])
    n_bytes = survey.total * item.itemsize
    kind, descriptor = ("P", ">i4") if n_bytes < 2**31 else ("Q", ">i8")

    def elements(array: pa.Array) -> NDArray[Any]:
        if letter == "A":
            return np.frombuffer(text_bytes(array.fill_null("")), "S1")
        return _numbers(array.flatten(), letter, null).astype(item)

    return Layout(
        survey.column,
        f"{kind}{letter}({survey.longest})",
        np.dtype((descriptor, (2,))),
        elements,
        null,
        heap_bytes=n_bytes,
        element_bytes=item.itemsize,
    )


def _fixed_size(survey: Survey) -> int | None:
    """Elements of every array of a column that has equally long ones, as its arraysize promises."""
    arraysize = survey.column.arraysize or "*"
    if "*" in arraysize:
        return None
    promised = int(np.prod([int(part) for part in arraysize.split("x")]))
    found = {survey.shortest, survey.longest} if survey.shortest is not None else {promised}
    return promised if found == {promised} else None


def _null_of(letter: str, survey: Survey, batches: Iterable[pa.RecordBatch], index: int) -> tuple[str, int]:
    """A TFORM letter and an integer of that type which does not occur among the values."""
    ends = np.iinfo(_BIG_ENDIAN[letter])
    low, high = int(ends.min), int(ends.max)
    if high >= _USUAL_NULL and not _may_hold(survey, _USUAL_NULL):
        return letter, _USUAL_NULL
    if survey.low is None or survey.high is None or survey.low > low:
        return letter, low
    if survey.high < high:
        return letter, high
    if letter in _WIDER:
        return _null_of(_WIDER[letter], survey, batches, index)
    return letter, _unused(low, batches, index)


def _may_hold(survey: Survey, value: int) -> bool:
    return survey.low is not None and survey.high is not None and survey.low <= value <= survey.high


def _unused(low: int, batches: Iterable[pa.RecordBatch], index: int) -> int:
    """The smallest 64-bit integer that does not occur, where both ends of the range do."""
    while True:
        candidates = pa.array(np.arange(low, low + 4096, dtype=np.int64))
        for batch in batches:
            values = batch.column(index)
            values = values.flatten() if pa.types.is_list(values.type) else values
            candidates = candidates.filter(pc.invert(pc.is_in(candidates, value_set=values.drop_null())))
        if len(candidates):
            return int(candidates[0].as_py())
        low += 4096


def _filler(letter: str, null: int | None) -> float | int:
    return float("nan") if letter in "ED" else null or 0


def _numbers(array: pa.Array, letter: str, null: int | None) -> NDArray[Any]:
    """Scalars as numpy values, nulls in FITS's way."""
    if letter == "L":
        array = pc.if_else(array, pa.scalar(ord("T"), pa.uint8()), pa.scalar(ord("F"), pa.uint8()))
    if null is not None:
        array = array.cast(_ARROW[letter])
    if array.null_count:
        array = array.fill_null(_filler(letter, null))
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values


def _rectangle(array: pa.Array, flat: NDArray[Any], size: int, filler: float) -> NDArray[Any]:
    if not array.null_count:
        return flat.reshape(len(array), size)
    rows = np.full((len(array), size), filler, flat.dtype)
    rows[array.is_valid().to_numpy(zero_copy_only=False)] = flat.reshape(-1, size)
    return rows


def _fixed_width(texts: pa.StringArray, width: int) -> NDArray[Any]:
    """Texts as bytes of one width, blanks behind; nulls are blank."""
    padded = pc.ascii_rpad(texts.fill_null("") if texts.null_count else texts, width=width, padding=" ")
    return np.frombuffer(text_bytes(padded), f"S{width}")
