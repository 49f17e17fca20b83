"""From texts and numbers on the wire to Arrow arrays in the types of `arrow_type`.

Nulls are recognised here, whatever marks them: an empty cell, a magic value, NaN, a question mark, or a mask.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import UnreadableFileError
from skydex.tables import Column, Datatype, arrow_type

__all__ = ["BadTimestampError", "from_numbers", "from_words", "text_from_bytes", "timestamps", "whole_or_null"]

_TRUE, _FALSE = ["t", "true", "1"], ["f", "false", "0"]
_NO_VALUE = ("", "null", "none", "nan", "-", "--", "---", "n/a")


class BadTimestampError(UnreadableFileError):
    """A text that is called a timestamp and is none."""

    def __init__(self, column: str, reason: str) -> None:
        self.column = column
        super().__init__("the table", f'column "{column}" holds a bad timestamp ({reason})')


def from_numbers(
    values: NDArray[Any], datatype: Datatype, null: str | None, is_null: NDArray[np.bool_] | None
) -> pa.Array:
    """Make an Arrow array of numbers or Booleans as BINARY has them.

    Parameters
    ----------
    values : (n,) array
        Big-endian numbers, or the letters of Booleans as uint8.
    datatype : Datatype
        What they are.
    null : str, optional
        Magic null.
    is_null : (n,) bool array, optional
        Nulls that a mask tells.
    """
    if datatype is Datatype.BOOLEAN:
        letters = values | np.uint8(0x20)
        is_true = (letters == ord("t")) | (values == ord("1"))
        unknown = ~(is_true | (letters == ord("f")) | (values == ord("0")))
        return pa.array(is_true, mask=_either(is_null, unknown))
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    if datatype.is_floating:
        is_null = _either(is_null, np.isnan(native))
    magic = _magic(null, datatype)
    if magic is not None:
        is_null = _either(is_null, native == native.dtype.type(magic))
    return pa.array(native, mask=is_null)


def from_words(words: pa.StringArray, column: Column, null: str | None, *, bad_are_null: bool = False) -> pa.Array:
    """Make an Arrow array of the words for scalars, as TABLEDATA has them; empty words are nulls.

    Parameters
    ----------
    words : (n,) Arrow string array
        Blanks around them do not matter.
    column : Column
        What they are.
    null : str, optional
        Magic null.
    bad_are_null : bool, optional
        Whether a word that is no value of its datatype is a null, and not an error.

    Raises
    ------
    UnreadableFileError
        A word that is no value of its datatype.
    """
    datatype = column.datatype
    words = pc.ascii_trim_whitespace(words)
    if datatype is Datatype.BOOLEAN:
        lower = pc.ascii_lower(words)
        is_true = pc.is_in(lower, pa.array(_TRUE))
        return pc.if_else(pc.or_(is_true, pc.is_in(lower, pa.array(_FALSE))), is_true, pa.scalar(None, pa.bool_()))
    words = pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
    kind = arrow_type(Column(column.name, datatype))
    try:
        values = words.cast(kind)
    except pa.ArrowInvalid:
        values = pa.array([_number(word, column, null, bad_are_null) for word in words.to_pylist()], kind)
    return _without_magic(values, datatype, null)


def text_from_bytes(array: pa.Array) -> pa.Array:
    """Bytes of `char` as text: UTF-8, which ASCII is, or else Latin-1, which old services write."""
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if text is None else text.decode("latin-1") for text in array.to_pylist()], pa.string())


def whole_or_null(lists: pa.ListArray) -> pa.ListArray:
    """Make array values of which every element is null a null themselves, for serialisations without a mask."""
    if not lists.values.null_count or not len(lists):
        return lists
    n_known = np.concatenate([[0], np.cumsum(lists.values.is_valid().to_numpy(zero_copy_only=False))])
    offsets = lists.offsets.to_numpy()
    is_void = (np.diff(n_known[offsets]) == 0) & (np.diff(offsets) > 0)
    return pc.if_else(pa.array(is_void), pa.scalar(None, lists.type), lists)


def timestamps(texts: pa.Array, column: Column) -> pa.Array:
    """ISO 8601 texts as `timestamp[us]`; a trailing Z says what is understood anyway.

    Raises
    ------
    BadTimestampError
        A text that is not a timestamp of DALI 1.1, section 3.3.3, or is finer than a microsecond.
    """
    plain = pc.ascii_rtrim(pc.ascii_trim_whitespace(texts), "Zz")
    plain = pc.if_else(pc.equal(plain, ""), pa.scalar(None, pa.string()), plain)
    try:
        return plain.cast(pa.timestamp("us"))
    except pa.ArrowInvalid as error:
        raise BadTimestampError(column.name, str(error)) from error


def _magic(null: str | None, datatype: Datatype) -> float | int | None:
    """Give the magic null as a number, if it is one that the datatype can hold."""
    if null is None:
        return None
    try:
        if datatype.is_floating:
            return float(null)
        magic = int(null, 0)
        return magic if _holds(datatype, magic) else None
    except ValueError:
        return None


def _holds(datatype: Datatype, value: int) -> bool:
    """Whether an integer is one of its datatype."""
    limits = np.iinfo({"unsignedByte": "u1", "short": "i2", "int": "i4", "long": "i8"}[datatype.value])
    return bool(limits.min <= value <= limits.max)


def _without_magic(values: pa.Array, datatype: Datatype, null: str | None) -> pa.Array:
    nothing = pa.scalar(None, values.type)
    if datatype.is_floating:
        values = pc.if_else(pc.is_nan(values), nothing, values)
    magic = _magic(null, datatype)
    return values if magic is None else pc.if_else(pc.equal(values, pa.scalar(magic, values.type)), nothing, values)


def _number(word: str | None, column: Column, null: str | None, bad_is_null: bool) -> float | int | None:
    """One number the slow way, for columns with spellings that Arrow does not know: `+1`, `0xff`.

    A magic null may be a number that its datatype cannot hold, such as -1 in a column of `unsignedByte`.
    """
    if word is None or word.lower() in _NO_VALUE or word == null:
        return None
    try:
        if column.datatype.is_floating:
            return float(word)
        value = int(word, 16) if word.lower().startswith("0x") else int(word)
        if not _holds(column.datatype, value):
            raise ValueError(value)
        return value
    except ValueError:
        if bad_is_null:
            return None
        raise UnreadableFileError(
            "the table",
            f'"{word}" in column "{column.name}" is not a value of type {column.datatype.value} '
            "(the option bad_are_null makes such values null)",
        ) from None


def _either(first: NDArray[np.bool_] | None, second: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return second if first is None else first | second
