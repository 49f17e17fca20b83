"""CAST: values as another type (ADQL 2.1, section 4.7.1).

A number loses its fraction on becoming an integer, text may have blanks around a number, times become text as DALI
writes them. What is written out and cannot become what is asked for is refused while the query is bound; in the values
of a column the engine meets it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import shapes, tree, types
from skydex.query.comparisons import spoken_kind, text_of_time, time_of_text, written_text
from skydex.query.values import Value, whole_number
from skydex.tables import Column, Datatype

__all__ = ["cast"]

_NUMBERS: dict[str, tuple[str, str, Column]] = {
    "SMALLINT": ("SMALLINT", "smallint", Column("", Datatype.SHORT)),
    "INT": ("INTEGER", "int", Column("", Datatype.INT)),
    "BIGINT": ("BIGINT", "bigint", types.LONG),
    "FLOAT": ("REAL", "float", Column("", Datatype.FLOAT)),
    "DOUBLE": ("DOUBLE PRECISION", "double", types.DOUBLE),
}
"""ADQL's name of a type, the neutral one, and its meaning, by the type's name in the tree."""
_BITS = {Datatype.SHORT: 16, Datatype.INT: 32, Datatype.LONG: 64}
_TEXTS = ("VARCHAR", "CHAR")
_GEOMETRIES = ("POINT", "CIRCLE", "POLYGON")
_TEXT_OF_NUMBER = 32
"""Longest text that a number becomes."""
_LONGEST_TEXT = 2**31 - 1


def cast(value: Value, target: exp.DataType) -> Value:
    """Convert a value; unit, UCD and description stay.

    Raises
    ------
    BadQueryError
        A value that never can be of that type.
    """
    name = target.args.get("kind") or target.this.value
    if name in _TEXTS:
        return _to_text(value, target)
    if name in _GEOMETRIES:
        return _to_geometry(value, name)
    return _to_time(value) if name == "TIMESTAMP" else _to_number(value, name)


def _to_number(value: Value, name: str) -> Value:
    spoken, neutral, column = _NUMBERS[name]
    if value.column.is_array or value.column.is_timestamp:
        hint = " ivo_to_mjd makes a number of a time." if value.column.is_timestamp else ""
        raise BadQueryError(f"CAST makes no {spoken} of {spoken_kind(value.column)}.{hint}")
    value = _read(value, spoken, column.datatype)
    if value.constant is not None and not _fits(value.constant, column.datatype):
        raise BadQueryError(f"{value.constant:.6g} is more than {spoken} can hold.")
    cuts = value.column.datatype.is_floating and column.datatype.is_integer
    node = tree.call(exp.Trunc, value.node) if cuts else value.node
    return _kept(value, exp.Cast(this=node, to=exp.DataType.build(neutral)), column)


def _read(value: Value, spoken: str, datatype: Datatype) -> Value:
    """A text without blanks around it, or the number that it says; all else as it is."""
    text = written_text(value)
    if text is None:
        is_text = value.column.datatype.is_text and not value.is_null
        return replace(value, node=tree.call(exp.Trim, value.node)) if is_text else value
    try:
        if datatype.is_integer:
            return Value(tree.integer(int(text)), types.LONG)
        return Value(tree.number(float(text)), types.DOUBLE)
    except ValueError as error:
        raise BadQueryError(f"CAST makes no {spoken} of {text[:60]!r}.") from error


def _fits(number: float, datatype: Datatype) -> bool:
    bits = _BITS.get(datatype)
    if bits is None:
        return math.isfinite(number)
    return -float(2 ** (bits - 1)) <= math.trunc(number) <= float(2 ** (bits - 1) - 1)


def _to_time(value: Value) -> Value:
    if not value.column.datatype.is_text and not value.is_null:
        raise BadQueryError(f"CAST makes no TIMESTAMP of {spoken_kind(value.column)}, only of text.")
    return _kept(value, time_of_text(value), types.TIMESTAMP)


def _to_geometry(value: Value, name: str) -> Value:
    if value.is_null:
        return Value(exp.Null(), shapes.COLUMNS[name])
    if not value.column.datatype.is_text or value.column.is_timestamp:
        raise BadQueryError(f"CAST makes no {name} of {spoken_kind(value.column)}, only of text such as '10.5 -3'.")
    return shapes.value_of(shapes.shape_of_text(value, name))


def _to_text(value: Value, target: exp.DataType) -> Value:
    sizes = [min(whole_number(size.name), _LONGEST_TEXT) for size in target.expressions]
    length = sizes[0] if sizes else _length_of_text(value.column)
    node = _as_text(value.column)(value)
    if sizes:
        node = exp.Substring(this=node, start=tree.integer(1), length=tree.integer(sizes[0]))
    unicode = value.column.datatype is Datatype.UNICODE_CHAR
    return _kept(value, node, types.text(length, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR))


def _length_of_text(column: Column) -> int | None:
    if column.is_array:
        return None
    return column.max_length if column.datatype.is_text else _TEXT_OF_NUMBER


def _as_text(column: Column) -> Callable[[Value], exp.Expression]:
    if column.is_array:
        return shapes.text_of
    if column.is_timestamp:
        return text_of_time
    return _text_of_number


def _text_of_number(value: Value) -> exp.Expression:
    """As the engine writes numbers; some must know of what type they are."""
    node = exp.Cast(this=value.node, to=exp.DataType.build("varchar"))
    node.meta["from"] = value.column.datatype
    return node


def _kept(value: Value, node: exp.Expression, column: Column) -> Value:
    """A converted value with what its column says of it; text of numbers has no unit."""
    unit = None if column.datatype.is_text else value.column.unit
    return Value(node, replace(column, unit=unit, ucd=value.column.ucd, description=value.column.description))
