"""Values in a T-SQL batch: types as they are declared, variables, and what goes into a table of another type.

Conversions are the implicit ones of Transact-SQL (SQL Server 2022, "Data type conversion"): a number loses its fraction
on becoming an integer, text with blanks around a number is that number, what does not fit is an error. Lengths of texts
are hints: a text is kept whole.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.errors import BadQueryError, QueryTooLargeError
from skydex.tables import Column, Datatype, arrow_schema, arrow_type, longest_text

__all__ = [
    "column_of",
    "converted",
    "converted_value",
    "converted_values",
    "empty",
    "kept_value",
    "literal_of",
    "measured",
    "written_value",
]

_DATATYPES = {
    "BIT": Datatype.BOOLEAN,
    "BOOLEAN": Datatype.BOOLEAN,
    "TINYINT": Datatype.UNSIGNED_BYTE,
    "UTINYINT": Datatype.UNSIGNED_BYTE,
    "SMALLINT": Datatype.SHORT,
    "INT": Datatype.INT,
    "BIGINT": Datatype.LONG,
    "DECIMAL": Datatype.DOUBLE,
    "DOUBLE": Datatype.DOUBLE,
    "FLOAT": Datatype.DOUBLE,
    "MONEY": Datatype.DOUBLE,
    "SMALLMONEY": Datatype.DOUBLE,
    "REAL": Datatype.FLOAT,
    "CHAR": Datatype.CHAR,
    "VARCHAR": Datatype.CHAR,
    "TEXT": Datatype.CHAR,
    "NCHAR": Datatype.UNICODE_CHAR,
    "NVARCHAR": Datatype.UNICODE_CHAR,
    "UUID": Datatype.CHAR,
}
_TIMES = ("DATE", "DATETIME", "DATETIME2", "SMALLDATETIME", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ")
_SINGLE_DIGITS = 24
"""FLOAT(n) is single precision up to so many bits."""
_DEFAULT_LENGTH = {"UUID": 36}
_SIZE = re.compile(r"[0-9]{1,9}", re.ASCII)
_SPOKEN = {
    Datatype.BOOLEAN: "bit",
    Datatype.UNSIGNED_BYTE: "tinyint",
    Datatype.SHORT: "smallint",
    Datatype.INT: "int",
    Datatype.LONG: "bigint",
    Datatype.FLOAT: "real",
    Datatype.DOUBLE: "float",
}
_LONGEST_TEXT = 100_000
"""Characters of a variable."""
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"


def column_of(name: str, kind: exp.DataType) -> Column:
    """A column of a declared type.

    Raises
    ------
    BadQueryError
        A type that tables here cannot have.
    """
    word = kind.this.value if isinstance(kind.this, exp.DataType.Type) else str(kind.this)
    word = word.upper()
    sizes = [size.name for size in kind.expressions]
    if word in _TIMES:
        return Column(name, Datatype.CHAR, arraysize="26*", xtype="timestamp")
    datatype = _DATATYPES.get(word)
    if datatype is None:
        raise BadQueryError(f"{name}: the type {kind.sql(dialect='tsql')} is not offered here.")
    if any(not _SIZE.fullmatch(size) and not (datatype.is_text and size.upper() == "MAX") for size in sizes):
        raise BadQueryError(f"{name}: the size of a type is a whole number, or MAX for texts.")
    if datatype is Datatype.DOUBLE and sizes and word in ("FLOAT", "DOUBLE"):
        return Column(name, Datatype.FLOAT if int(sizes[0]) <= _SINGLE_DIGITS else Datatype.DOUBLE)
    if not datatype.is_text:
        return Column(name, datatype)
    length = sizes[0] if sizes and sizes[0].isdigit() else _DEFAULT_LENGTH.get(word)
    return Column(name, datatype, arraysize=f"{length}*" if length else "*")


def converted(values: pa.Array, target: Column) -> pa.Array:
    """Values as those of a column.

    Raises
    ------
    BadQueryError
        One that cannot be converted, or does not fit.
    """
    kind = arrow_type(target)
    if values.type == kind:
        return values
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), kind)
    if target.is_array or pa.types.is_list(values.type):
        raise BadQueryError(f"The column {target.name} takes no arrays of another type.")
    try:
        return _cast(values, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        spoken = "datetime" if target.is_timestamp else _SPOKEN.get(target.datatype, "varchar")
        raise BadQueryError(f"A value for the column {target.name} cannot be converted to {spoken}.") from error


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    source = values.type
    if pa.types.is_string(source):
        values = pc.utf8_trim_whitespace(values)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            values = pc.if_else(pc.equal(values, ""), "0", values)
        return values.cast(kind)
    if pa.types.is_timestamp(source):
        return pc.strftime(values, _TIME_FORMAT) if pa.types.is_string(kind) else values.cast(kind)
    if pa.types.is_boolean(kind):
        return pc.not_equal(values, pa.scalar(0, source))
    if pa.types.is_boolean(source):
        values = values.cast(pa.int8())
    if pa.types.is_floating(source) and pa.types.is_integer(kind):
        values = pc.trunc(values)
    return values.cast(kind, safe=not pa.types.is_floating(kind))


def converted_value(value: Any, target: Column) -> Any:
    """One value, the same way."""
    source = pa.array([value]) if value is not None else pa.nulls(1)
    return converted(source, target)[0].as_py()


def converted_values(values: Sequence[Any], column: Column) -> pa.Array:
    """Values, each of any type, as those of a column."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return converted(pa.array(list(values)), column)
    return pa.array([converted_value(value, column) for value in values], arrow_type(column))


def kept_value(value: Any, variable: Column) -> Any:
    """A value as a variable keeps it: a text no longer than it was declared.

    Raises
    ------
    BadQueryError
        A value that cannot be converted.
    QueryTooLargeError
        A text that would make any query too large.
    """
    kept = converted_value(value, variable)
    if not isinstance(kept, str):
        return kept
    if len(kept) > _LONGEST_TEXT and (variable.max_length or len(kept)) > _LONGEST_TEXT:
        raise QueryTooLargeError(f"text in {variable.name}", size=len(kept), limit=_LONGEST_TEXT)
    return kept[: variable.max_length]


def literal_of(value: Any, column: Column) -> exp.Expression:
    """A value of a variable as it stands in a query."""
    if value is None:
        return exp.Cast(this=exp.Null(), to=_kind_of(column))
    if isinstance(value, dt.datetime):
        text = value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
        return exp.Cast(this=exp.Literal.string(text), to=_kind_of(column))
    if isinstance(value, bool):
        return exp.Literal.number("1" if value else "0")
    if isinstance(value, int | float):
        literal = exp.Literal.number(_digits(abs(value)))
        return exp.Paren(this=exp.Neg(this=literal)) if value < 0 else literal
    return exp.Literal.string(str(value))


def _digits(value: float) -> str:
    """A number as T-SQL writes it: a float always with an exponent or a point."""
    return str(value) if isinstance(value, int) else repr(value)


def _kind_of(column: Column) -> exp.DataType:
    if column.is_timestamp:
        return exp.DataType.build("DATETIME2", dialect="tsql")
    word = _SPOKEN.get(column.datatype)
    return exp.DataType.build(word or f"VARCHAR({column.max_length or 'MAX'})", dialect="tsql")


def written_value(node: exp.Expression) -> tuple[bool, Any]:
    """Whether an expression is a value that is written out, and which."""
    inner = node.unnest()
    if isinstance(inner, exp.Null):
        return True, None
    if isinstance(inner, exp.Literal):
        return True, inner.this if inner.is_string else _number(inner.this)
    if isinstance(inner, exp.Neg) and isinstance(inner.this, exp.Literal) and not inner.this.is_string:
        return True, -_number(inner.this.this)
    if isinstance(inner, exp.National):
        return True, inner.name
    return False, None


def _number(text: str) -> int | float:
    if text.isdigit() and len(text) < 20 and int(text) < 2**63:
        return int(text)
    if math.isinf(float(text)):
        raise BadQueryError("A number so large is more than a double can hold.")
    return float(text)


def measured(columns: Sequence[Column], rows: pa.Table) -> tuple[Column, ...]:
    """Columns whose texts have the length that they really have."""
    return tuple(_measured(column, rows[place]) for place, column in enumerate(columns))


def _measured(column: Column, values: pa.ChunkedArray) -> Column:
    if not column.datatype.is_text or column.is_timestamp or column.is_array:
        return column
    return replace(column, arraysize=f"{longest_text(values) or column.max_length or 1}*")


def empty(columns: Sequence[Column]) -> pa.Table:
    """A table without rows."""
    return arrow_schema(tuple(columns)).empty_table()
