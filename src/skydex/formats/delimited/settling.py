"""`Settling`: which type a column of texts has, once all of it was seen.

A type settled on the first block of a file may be wrong in the last. So types are settled over the whole file, and only
then are values converted. What is written as an integer stays exact: integers beyond 64 bits, and ones with leading
zeros (`007`, but not `07`, as in minutes and months), stay texts.
"""

from __future__ import annotations

import enum

import pyarrow as pa
import pyarrow.compute as pc

from skydex.tables import Column, Datatype

__all__ = ["Kind", "Settling", "converted"]


class Kind(enum.Enum):
    """What texts can be read as."""

    NOTHING = "nothing"
    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"
    TEXT = "text"


_DATATYPES = {
    Kind.INTEGER: Datatype.LONG,
    Kind.REAL: Datatype.DOUBLE,
    Kind.BOOLEAN: Datatype.BOOLEAN,
}
_NUMBERS = {Kind.INTEGER, Kind.REAL}
_LONG_INTEGER = 19
"""Digits from which on a whole number may be too long for 64 bits."""
_TRIED_FIRST = 64
_PADDED_NUMBER = 3
"""Digits from which on a leading zero means a label."""


class Settling:
    """The type of one column, as far as it was seen."""

    def __init__(self, name: str, nulls: tuple[str, ...]) -> None:
        self.name = name
        """Of the column."""
        self.kind = Kind.NOTHING
        """What everything seen so far can be read as."""
        self._nulls = pa.array(nulls, pa.string())
        self._longest = 0
        self._is_ascii = True

    def see(self, texts: pa.Array) -> None:
        """Take one batch into account."""
        if self.kind is not Kind.TEXT:
            self.kind = _common(self.kind, _kind_of(texts, self._nulls))
        if self.kind in _NUMBERS:
            self._longest = max(self._longest, pc.max(pc.binary_length(texts)).as_py() or 0)
            return
        self._is_ascii = self._is_ascii and pc.all(pc.string_is_ascii(texts)).as_py() is not False
        self._longest = max(self._longest, pc.max(pc.utf8_length(pc.utf8_trim_whitespace(texts))).as_py() or 0)

    def column(self) -> Column:
        """The column that came out of it; one without any value is text."""
        if self.kind in _DATATYPES:
            return Column(self.name, _DATATYPES[self.kind])
        return self.text_column()

    def text_column(self) -> Column:
        """The column as text, whatever else it could be read as."""
        datatype = Datatype.CHAR if self._is_ascii else Datatype.UNICODE_CHAR
        return Column(self.name, datatype, arraysize=f"{max(self._longest, 1)}*")


def converted(texts: pa.Array, column: Column, nulls: tuple[str, ...]) -> pa.Array:
    """Convert texts to the settled type; texts lose the blanks around them.

    Raises
    ------
    ArrowInvalid
        The file has changed since its types were settled.
    """
    if column.datatype.is_text:
        return _trimmed(texts, pa.array(nulls, pa.string()))
    if column.datatype is Datatype.BOOLEAN:
        return _booleans(_bare(texts, pa.array(nulls, pa.string())))
    kind = pa.int64() if column.datatype is Datatype.LONG else pa.float64()
    numbers = _cast(texts, kind)
    if numbers is None:
        numbers = _tidied(_bare(texts, pa.array(nulls, pa.string()))).cast(kind)
    if column.datatype is Datatype.DOUBLE and pc.any(pc.is_nan(numbers)).as_py():
        return pc.if_else(pc.is_nan(numbers), None, numbers)
    return numbers


def _common(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that holds what two others hold."""
    if Kind.NOTHING in (one, other):
        return other if one is Kind.NOTHING else one
    if one is other:
        return one
    return Kind.REAL if {one, other} == _NUMBERS else Kind.TEXT


def _kind_of(texts: pa.Array, nulls: pa.Array) -> Kind:
    if texts.null_count == len(texts):
        return Kind.NOTHING
    if _is_integer(texts):
        return Kind.TEXT if _has_labels(texts) else Kind.INTEGER
    if _cast(texts, pa.float64()) is not None and not _has_long_integers(texts):
        return Kind.REAL
    bare = _bare(texts, nulls)
    if bare.null_count == len(bare):
        return Kind.NOTHING
    if not bare.drop_null().equals(texts.drop_null()):
        return _kind_of(bare, nulls)
    tidy = _tidied(bare)
    if not tidy.equals(bare):
        return _kind_of(tidy, nulls)
    lower = pc.ascii_lower(bare.drop_null())
    return Kind.BOOLEAN if pc.all(pc.is_in(lower, value_set=pa.array(["true", "false"]))).as_py() else Kind.TEXT


def _is_integer(texts: pa.Array) -> bool:
    if _cast(texts, pa.int64()) is None:
        return False
    return not pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py()  # Arrow reads 0x1F


def _has_labels(texts: pa.Array) -> bool:
    """Whether there are integers whose leading zeros would be lost."""
    padded = texts.filter(pc.fill_null(pc.starts_with(texts, "0"), False))
    return len(padded) > 0 and pc.max(pc.binary_length(padded)).as_py() >= _PADDED_NUMBER


def _has_long_integers(texts: pa.Array) -> bool:
    """Whether there are whole numbers of 19 digits and more, which a float would spoil."""
    long = texts.filter(pc.greater_equal(pc.binary_length(texts), _LONG_INTEGER).fill_null(False))
    pointless = long.filter(pc.invert(pc.match_substring(long, ".")))
    return pc.any(pc.match_substring_regex(pointless, rf"^[+-]?\d{{{_LONG_INTEGER},}}$")).as_py() is True


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Texts as numbers, or `None`; a few are tried first, since Arrow is slow in failing on many."""
    try:
        texts.drop_null()[:_TRIED_FIRST].cast(kind)
        return texts.cast(kind)
    except pa.ArrowInvalid:
        return None


def _bare(texts: pa.Array, nulls: pa.Array) -> pa.Array:
    """Texts without blanks around them; what spells "no value" is null, also in quotes."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(trimmed, value_set=nulls), pa.scalar(None, pa.string()), trimmed)


def _trimmed(texts: pa.Array, nulls: pa.Array) -> pa.Array:
    """Texts without blanks around them; padded spellings of "no value" are null, an empty text is one."""
    trimmed = pc.utf8_trim_whitespace(texts)
    if trimmed.equals(texts):
        return texts
    empty = pc.and_(pc.is_in(trimmed, value_set=nulls), pc.not_equal(trimmed, texts).fill_null(False))
    return pc.if_else(empty, pa.scalar(None, pa.string()), trimmed)


def _tidied(texts: pa.Array) -> pa.Array:
    """Numbers as Arrow reads them: no plus sign in front, E for Fortran's D."""
    unsigned = pc.replace_substring_regex(texts, pattern=r"^\+(\d)", replacement=r"\1")
    return pc.replace_substring_regex(unsigned, pattern=r"^([+-]?[\d.]+)[dD]([+-]?\d+)$", replacement=r"\1E\2")


def _booleans(texts: pa.Array) -> pa.Array:
    return pc.equal(pc.ascii_lower(texts), "true")
