"""What the results of functions are: their type, unit and UCD, told from the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skydex.query import types
from skydex.query.functions.function import Meaning
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = [
    "always",
    "double_like_first",
    "in_unit",
    "is_double",
    "is_integer",
    "is_long",
    "is_point",
    "like_first",
    "minor",
]


def always(column: Column) -> Meaning:
    """The same, whatever the arguments are."""
    return lambda _: column


is_double = always(types.DOUBLE)
is_integer = always(Column("", Datatype.INT))
is_long = always(types.LONG)
is_point = always(Column("", Datatype.DOUBLE, "2", unit="deg", ucd="pos.eq", xtype="point"))


def in_unit(unit: str) -> Meaning:
    """A double in a unit."""
    return always(replace(types.DOUBLE, unit=unit))


def like_first(arguments: Sequence[Value]) -> Column:
    """Type and unit of the first argument, without its UCD's right to be the main one."""
    first = arguments[0].column
    return Column(
        "",
        first.datatype,
        first.arraysize,
        unit=first.unit,
        ucd=minor(first.ucd),
        xtype=first.xtype,
        description=first.description,
    )


def double_like_first(arguments: Sequence[Value]) -> Column:
    """A double in the unit of the first argument."""
    return replace(like_first(arguments), datatype=Datatype.DOUBLE, arraysize=None)


def minor(ucd: str | None) -> str | None:
    """A UCD without `meta.main`, which what is computed from a main column is not."""
    words = [word for word in (ucd or "").split(";") if word and word != "meta.main"]
    return ";".join(words) or None
