"""Kinds of values in T-SQL, and how one becomes another unasked (Transact-SQL, "Data type precedence").

A flag counts as 0 or 1, a text beside a number becomes that number, a number where text is wanted becomes text. A
decimal counts as a float: its digits beyond those that a double holds are not kept, and its scale is not.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import spoken_kind, written_text
from skydex.query.kernels import Kernel, computed, numbers
from skydex.query.tsql.dates import written
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = [
    "INT",
    "as_bigint",
    "as_double",
    "as_text",
    "guarded",
    "is_flag",
    "is_text",
    "number",
    "text",
]

INT = Column("", Datatype.INT)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
"""A number in a text; Python would also take `nan`, `inf` and `1_000`."""
_MOST_EXACT = 2.0**63
_LOOSE = (exp.Binary, exp.Not, exp.Neg, exp.BitwiseNot, exp.Between, exp.In, exp.Case)


def is_text(value: Value) -> bool:
    column = value.column
    return column.datatype.is_text and not column.is_timestamp and not column.is_array and not value.is_null


def is_flag(value: Value) -> bool:
    return value.column.datatype is Datatype.BOOLEAN and not value.column.is_array


def guarded(node: exp.Expression) -> exp.Expression:
    """In parentheses if an operator beside it could take it apart."""
    return exp.Paren(this=node) if isinstance(node, _LOOSE) else node


def number(value: Value) -> Value:
    """A value as a number: flags and texts become one.

    Raises
    ------
    BadQueryError
        It is a time, an array, or a text that is written out and says no number.
    """
    column = value.column
    if value.is_null:
        return Value(_cast(value.node, "int"), INT)
    if column.is_array or column.is_timestamp:
        raise BadQueryError(f"A number is expected here, not {spoken_kind(column)}.")
    if is_flag(value):
        return Value(_cast(value.node, "int"), INT)
    if column.datatype.is_text:
        return _number_of_text(value)
    return value


def _number_of_text(value: Value) -> Value:
    said = written_text(value)
    if said is None:
        return Value(_cast(tree.call(exp.Trim, value.node), "double"), types.DOUBLE)
    stripped = said.strip()
    found = float(stripped) if _NUMBER.fullmatch(stripped) else math.nan
    if not math.isfinite(found):
        raise BadQueryError(f"Conversion failed: {said[:60]!r} is no number.")
    if stripped.lstrip("+-").isdigit() and abs(found) < _MOST_EXACT:
        return Value(tree.integer(int(stripped)), types.LONG)
    return Value(tree.number(found), types.DOUBLE)


def text(value: Value) -> Value:
    """A value as text: numbers, flags and times become what CAST(... AS varchar) makes of them."""
    column = value.column
    if value.is_null:
        return Value(_cast(value.node, "varchar"), types.text(1))
    if is_text(value):
        return value
    if column.is_array:
        raise BadQueryError(f"Text is expected here, not {spoken_kind(column)}.")
    return Value(as_text(value), types.text(30))


def as_text(value: Value, style: int = 0) -> exp.Expression:
    """A number or a flag as text; floats have 6 digits unless a style asks for more (Transact-SQL, CONVERT)."""
    column = value.column
    if column.is_timestamp:
        return written(value.node, style)
    if is_flag(value):
        return _cast(_cast(value.node, "int"), "varchar")
    if column.datatype.is_integer or not column.datatype.is_numeric:
        return _cast(value.node, "varchar")
    literal = value.node.unnest()
    if "decimal" in literal.meta:
        return tree.string(literal.meta["decimal"])
    return computed(_TEXT_OF_FLOAT, as_double(value), tree.integer(style))


def _cast(node: exp.Expression, kind: str) -> exp.Expression:
    return exp.Cast(this=node, to=exp.DataType.build(kind))


def as_double(value: Value) -> exp.Expression:
    """A number as a double."""
    if value.column.datatype is Datatype.DOUBLE or value.constant is not None:
        return guarded(value.node)
    return _cast(value.node, "double")


def as_bigint(value: Value) -> exp.Expression:
    """A number as a long integer, without its fraction."""
    if value.column.datatype is Datatype.LONG or (value.constant is not None and value.column.datatype.is_integer):
        return guarded(value.node)
    cuts = value.column.datatype.is_floating
    return _cast(tree.call(exp.Trunc, value.node) if cuts else value.node, "bigint")


_FORMATS = {0: "%.6g", 1: "%.7e", 2: "%.15e", 3: "%.17g"}


def _text_of_float(values: pa.Array, styles: pa.Array) -> pa.Array:
    given, style = numbers(values), styles.fill_null(0).to_numpy(zero_copy_only=False)
    shown = np.full(len(given), "", dtype="U32")
    for wanted in np.unique(style):
        rows = style == wanted
        shown[rows] = np.char.mod(_FORMATS.get(int(wanted), _FORMATS[0]), given[rows])
    mantissa, _, exponent = np.char.partition(shown, "e").T
    signed = np.char.add(
        np.where(np.char.startswith(exponent, "-"), "e-", "e+"), np.char.zfill(np.char.lstrip(exponent, "+-0"), 3)
    )
    shown = np.char.add(mantissa, np.where(exponent == "", "", signed))
    return pa.array(shown.astype(object), pa.string(), mask=np.isnan(given))


_TEXT_OF_FLOAT = Kernel("tsql_float_text", (pa.float64(), pa.int64()), pa.string(), _text_of_float)
