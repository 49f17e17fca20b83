"""Types of expressions: what comes out when values meet.

The rules are SQL-92's as ADQL takes them over (ADQL 2.1, section 3): integers meet as integers (and divide as
integers), anything with a floating operand is a double, text is compared with text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from skydex.tables import Column, Datatype

__all__ = [
    "BOOLEAN",
    "CIRCLE",
    "DOUBLE",
    "LONG",
    "POINT",
    "POLYGON",
    "REGION",
    "TIMESTAMP",
    "arithmetic",
    "common",
    "common_of",
    "text",
]

BOOLEAN = Column("", Datatype.BOOLEAN)
DOUBLE = Column("", Datatype.DOUBLE)
LONG = Column("", Datatype.LONG)
TIMESTAMP = Column("", Datatype.CHAR, arraysize="26*", xtype="timestamp")
POINT = Column("", Datatype.DOUBLE, arraysize="2", unit="deg", ucd="pos.eq", xtype="point")
CIRCLE = Column("", Datatype.DOUBLE, arraysize="3", unit="deg", ucd="pos.outline", xtype="circle")
POLYGON = Column("", Datatype.DOUBLE, arraysize="*", unit="deg", ucd="pos.outline", xtype="polygon")
REGION = Column("", Datatype.CHAR, arraysize="*", ucd="pos.outline", xtype="adql:REGION")

_RANK = [Datatype.UNSIGNED_BYTE, Datatype.SHORT, Datatype.INT, Datatype.LONG, Datatype.FLOAT, Datatype.DOUBLE]


def text(length: int | None, *, datatype: Datatype = Datatype.CHAR) -> Column:
    """A text of at most `length` characters; `None` if no bound is known."""
    return Column("", datatype, arraysize=f"{max(length, 1)}*" if length is not None else "*")


def arithmetic(left: Column, right: Column) -> Column:
    """Type of `left + right` and the like: long for integers, double otherwise."""
    return LONG if left.datatype.is_integer and right.datatype.is_integer else DOUBLE


def common(left: Column, right: Column) -> Column | None:
    """Type that holds values of both, for CASE, COALESCE and set operators; `None` if there is none.

    Unit, UCD and description stay where both sides agree on them.
    """
    merged = _common_type(left, right)
    if merged is None:
        return None
    kept = {
        key: value
        for key in ("unit", "ucd", "utype", "description")
        if (value := getattr(left, key)) == getattr(right, key)
    }
    return replace(merged, name=left.name, **kept)


def common_of(columns: Iterable[Column]) -> Column | None:
    """Type that holds values of all columns; a short text if there are none."""
    merged: Column | None = None
    for column in columns:
        merged = column if merged is None else common(merged, column)
        if merged is None:
            return None
    return merged or text(1)


def _common_type(left: Column, right: Column) -> Column | None:
    if left.is_array or right.is_array:
        return left if (left.datatype, left.arraysize) == (right.datatype, right.arraysize) else None
    if left.is_timestamp and right.is_timestamp:
        return TIMESTAMP
    if left.datatype.is_text and right.datatype.is_text:
        return _common_text(left, right)
    if left.datatype is right.datatype:
        return Column("", left.datatype)
    if not (left.datatype.is_numeric and right.datatype.is_numeric):
        return None
    if left.datatype.is_integer and right.datatype.is_integer:
        return Column("", max(left.datatype, right.datatype, key=_RANK.index))
    return DOUBLE


def _common_text(left: Column, right: Column) -> Column:
    unicode = Datatype.UNICODE_CHAR in (left.datatype, right.datatype)
    lengths = (left.max_length, right.max_length)
    longest = None if None in lengths else max(length for length in lengths if length is not None)
    return text(longest, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR)
