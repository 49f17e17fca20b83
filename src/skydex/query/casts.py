"""CAST: values as another type (ADQL 2.1, section 4.4)."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.languages import place_of
from skydex.query.values import Value, whole_number
from skydex.tables import Column, Datatype

__all__ = ["cast"]

_TARGETS: dict[str, tuple[str, Column]] = {
    "SMALLINT": ("smallint", Column("", Datatype.SHORT)),
    "INT": ("int", Column("", Datatype.INT)),
    "BIGINT": ("bigint", types.LONG),
    "FLOAT": ("float", Column("", Datatype.FLOAT)),
    "DOUBLE": ("double", types.DOUBLE),
    "DECIMAL": ("double", types.DOUBLE),
    "TIMESTAMP": ("timestamp", types.TIMESTAMP),
    "BOOLEAN": ("boolean", types.BOOLEAN),
}
"""Neutral type and meaning, by the type's name in the tree."""
_TEXTS = ("VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "TEXT", "BPCHAR")
_TEXT_OF_NUMBER = 32
"""Longest text that a number becomes."""
_LONGEST_TEXT = 2**31 - 1


def cast(value: Value, target: exp.DataType, *, at: exp.Expression) -> Value:
    """Convert a value; unit, UCD and description stay, and a number loses its fraction on becoming an integer.

    Raises
    ------
    BadQueryError
        To a type that is not offered.
    """
    name = target.this.value if isinstance(target.this, exp.DataType.Type) else str(target.this)
    if name in _TEXTS:
        return _cast_to_text(value, target)
    if name not in _TARGETS:
        raise BadQueryError(f"CAST to {name} is not offered.", **place_of(at))
    neutral, column = _TARGETS[name]
    whole = value.column.datatype.is_floating and column.datatype.is_integer
    inner = tree.call(exp.Trunc, value.node) if whole else value.node
    kept = replace(column, unit=value.column.unit, ucd=value.column.ucd, description=value.column.description)
    return Value(exp.Cast(this=inner, to=exp.DataType.build(neutral)), kept)


def _cast_to_text(value: Value, target: exp.DataType) -> Value:
    sizes = [min(whole_number(size.name), _LONGEST_TEXT) for size in target.expressions if size.name.isdigit()]
    length = sizes[0] if sizes else value.column.max_length or _TEXT_OF_NUMBER
    node: exp.Expression = exp.Cast(this=value.node, to=exp.DataType.build("varchar"))
    if sizes:
        node = exp.Substring(this=node, start=tree.integer(1), length=tree.integer(length))
    unicode = value.column.datatype is Datatype.UNICODE_CHAR
    return Value(node, types.text(length, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR))
