"""CAST, CONVERT, TRY_CAST and TRY_CONVERT (Transact-SQL, SQL Server 2022).

A number loses its fraction on becoming an integer; a decimal is rounded to its scale; a float becomes text with six
digits unless CONVERT names another style; text without a length has 30 characters. What is written out and cannot
become what is asked for is refused while the query is bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import spoken_kind, written_text
from skydex.query.rules import Expressions
from skydex.query.tsql.dates import day, moment
from skydex.query.tsql.kinds import as_double, as_text, is_flag, is_text, number
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["bind_cast", "converted"]

_INTEGERS = {
    "BIGINT": ("bigint", Datatype.LONG, 63),
    "INT": ("int", Datatype.INT, 31),
    "SMALLINT": ("smallint", Datatype.SHORT, 15),
    "TINYINT": ("utinyint", Datatype.UNSIGNED_BYTE, 8),
}
_DECIMALS = ("DECIMAL", "NUMERIC", "MONEY", "SMALLMONEY")
_TEXTS = ("VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "TEXT", "NTEXT", "SYSNAME")
_TIMES = ("DATETIME", "DATETIME2", "SMALLDATETIME", "DATE", "TIME", "DATETIMEOFFSET")
_LONGEST_REAL = 24
"""Bits of the longest float that is a REAL."""
_MONEY_SCALE = 4
_LONGEST_FLOAT = 53
_LONGEST = 8_000
_MOST_DIGITS = 38
_LONG_NUMBER = 9
_LENGTH = 30
"""Characters of a text whose type names no length, in CAST."""


def bind_cast(binder: Expressions, node: exp.Cast) -> Value:
    """CAST and CONVERT; TRY_ of either gives null in place of an error."""
    value, style = binder.bind(node.this), node.args.get("format")
    number_of_style = 0
    if style is not None:
        constant = binder.bind(style).constant
        if constant is None:
            raise BadQueryError("The style of CONVERT is a number that is written out.")
        number_of_style = int(constant)
    cast = exp.TryCast if isinstance(node, exp.TryCast) else exp.Cast
    return binder.located(node, lambda: converted(value, node.args["to"], style=number_of_style, cast=cast))


def converted(value: Value, target: exp.DataType, *, style: int = 0, cast: type[exp.Expression] = exp.Cast) -> Value:
    """A value as another type; unit, UCD and description stay.

    Raises
    ------
    BadQueryError
        A type that is not offered, or a value that never can be of it.
    """
    name, sizes = target.args["kind"], [size.name for size in target.expressions]
    try:
        made = _converted(value, name, sizes, style=style, cast=cast)
    except BadQueryError:
        if cast is exp.Cast:
            raise
        made = _converted(Value(exp.Null(), types.text(1)), name, sizes, style=style, cast=cast)
    unit = None if made.column.datatype.is_text else value.column.unit
    return made.meaning(unit=unit, ucd=value.column.ucd, description=value.column.description)


def _converted(value: Value, name: str, sizes: list[str], *, style: int, cast: type[exp.Expression]) -> Value:
    make: Callable[[], Value] | None = None
    if name in _INTEGERS:
        make = lambda: _integer(value, name, cast)  # noqa: E731
    elif name in _DECIMALS:
        make = lambda: _decimal(value, name, sizes, cast)  # noqa: E731
    if make is not None:
        return make()
    if name in ("FLOAT", "REAL"):
        is_real = name == "REAL" or _size(sizes, 0, _LONGEST_FLOAT, most=_LONGEST_FLOAT) <= _LONGEST_REAL
        return _floating(value, Datatype.FLOAT if is_real else Datatype.DOUBLE, cast)
    if name == "BIT":
        return _flag(value)
    if name in _TEXTS:
        return _text(value, name, sizes, style)
    if name in _TIMES:
        return _time(value, name, style, cast)
    raise BadQueryError(f"T-SQL's type {name} is not offered here.")


def _size(sizes: list[str], place: int, otherwise: int, *, most: int) -> int:
    """One of the numbers behind the name of a type."""
    if len(sizes) <= place:
        return otherwise
    if not sizes[place].isdigit() or len(sizes[place]) > _LONG_NUMBER or int(sizes[place]) > most:
        raise BadQueryError(f"The size of a type is a number of at most {most:,}, or MAX for texts.")
    return int(sizes[place])


def _number(value: Value, name: str, cast: type[exp.Expression]) -> Value:
    """The number that a value is or says."""
    if value.column.is_timestamp and not value.is_null:
        raise BadQueryError(f"CAST makes no {name} of a time: DATEDIFF counts days and seconds.")
    if is_text(value) and written_text(value) is None:
        trimmed = tree.call(exp.Trim, value.node)
        return Value(cast(this=trimmed, to=exp.DataType.build("double")), types.DOUBLE)
    return number(value)


def _integer(value: Value, name: str, cast: type[exp.Expression]) -> Value:
    neutral, datatype, n_bits = _INTEGERS[name]
    column = Column("", datatype)
    target = exp.DataType(this=exp.DataType.Type[neutral.upper()])
    if is_text(value):
        written = written_text(value)
        if written is None:
            return Value(cast(this=tree.call(exp.Trim, value.node), to=target), column)
        if not written.strip().lstrip("+-").isdigit() and written.strip():
            raise BadQueryError(f"Conversion failed: {written[:60]!r} is no {name.lower()}.")
        value = Value(tree.integer(int(written.strip() or 0)), types.LONG)
    given = _number(value, name, cast)
    if given.constant is not None and not -(2.0**n_bits) <= given.constant < 2.0**n_bits:
        raise BadQueryError(f"{given.constant:.6g} is more than {name} can hold.")
    node = tree.call(exp.Trunc, given.node) if given.column.datatype.is_floating else given.node
    return Value(cast(this=node, to=target), column)


def _decimal(value: Value, name: str, sizes: list[str], cast: type[exp.Expression]) -> Value:
    scale = _MONEY_SCALE if name.endswith("MONEY") else _size(sizes, 1, 0, most=_MOST_DIGITS)
    given = as_double(_number(value, name, cast))
    factor = tree.number(10.0**scale)
    rounded = tree.call(exp.Round, exp.Mul(this=given, expression=factor))
    return Value(exp.Paren(this=exp.Div(this=rounded, expression=factor.copy())), types.DOUBLE)


def _floating(value: Value, datatype: Datatype, cast: type[exp.Expression]) -> Value:
    given = _number(value, "FLOAT", cast)
    neutral = "float" if datatype is Datatype.FLOAT else "double"
    return Value(cast(this=given.node, to=exp.DataType.build(neutral)), Column("", datatype))


def _flag(value: Value) -> Value:
    if is_flag(value):
        return value
    written = (written_text(value) or "").strip().lower()
    if written in ("true", "false"):
        return Value(exp.Boolean(this=written == "true"), types.BOOLEAN)
    given = number(value)
    test = exp.NEQ(this=exp.Paren(this=given.node), expression=tree.integer(0))
    return Value(exp.Paren(this=test), types.BOOLEAN)


def _text(value: Value, name: str, sizes: list[str], style: int) -> Value:
    if value.column.is_array:
        raise BadQueryError(f"CAST makes no {name} of {spoken_kind(value.column)}.")
    length = None if sizes == ["MAX"] or name.endswith("TEXT") else _size(sizes, 0, _LENGTH, most=_LONGEST)
    node = value.node if is_text(value) or value.is_null else as_text(value, style)
    unicode = name.startswith("N") or value.column.datatype is Datatype.UNICODE_CHAR
    column = types.text(length, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR)
    if length is None:
        return Value(node, column)
    cut = exp.Substring(this=node, start=tree.integer(1), length=tree.integer(length))
    if name in ("CHAR", "NCHAR"):
        cut = exp.Pad(this=cut, expression=tree.integer(length), fill_pattern=tree.string(" "), is_left=False)
    return Value(cut, column)


def _time(value: Value, name: str, style: int, cast: type[exp.Expression]) -> Value:
    if name in ("TIME", "DATETIMEOFFSET"):
        raise BadQueryError(f"T-SQL's type {name} is not offered here; DATETIME is.")
    made = moment(value, style)
    if cast is exp.TryCast and isinstance(made.node, exp.Cast):
        made = replace(made, node=exp.TryCast(**made.node.args))
    if name == "DATE":
        node: exp.Expression = exp.TimestampTrunc(this=made.node, unit=exp.Var(this="DAY"))
        return day(exp.Cast(this=node, to=exp.DataType.build("timestamp")))
    return Value(made.node, types.TIMESTAMP)
