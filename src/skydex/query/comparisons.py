"""Comparisons: which values can be compared, and how flags and times meet what users write for them."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.languages import place_of
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["comparable", "of_one_kind", "spoken_kind", "text_of_time", "time_of_text", "written_text", "written_time"]


def comparable(left: Value, right: Value, node: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
    """Make two sides comparable: flags with 0 and 1, times with ISO text; refuse other mixtures."""
    if left.is_null or right.is_null:
        return left.node, right.node
    for this, that in ((left, right), (right, left)):
        adapted = _adapted(this, that)
        if adapted is not None:
            return (adapted, that.node) if this is left else (that.node, adapted)
    if _kind(left.column) != _kind(right.column):
        kinds = f"{spoken_kind(left.column)} with {spoken_kind(right.column)}"
        raise BadQueryError(f"Cannot compare {kinds}.{_unquoted(left, right)}", **place_of(node))
    return left.node, right.node


def _adapted(value: Value, other: Value) -> exp.Expression | None:
    """A flag's 0 or 1, or a time's text, as the type of the other side; `None` if it needs no change."""
    if other.column.datatype is Datatype.BOOLEAN and value.constant in (0.0, 1.0):
        return exp.Boolean(this=value.constant == 1.0)
    text = written_text(value)
    if text is not None and other.column.is_timestamp and not value.column.is_timestamp:
        return time_of_text(value)
    if text is not None and other.column.datatype is Datatype.BOOLEAN:
        return exp.Boolean(this=text.lower() in ("t", "true")) if text.lower() in _TRUTHS else None
    return None


def _unquoted(left: Value, right: Value) -> str:
    """What to write in place of a text that is compared with a number."""
    text = written_text(left) or written_text(right)
    if text is None or not (left.column.datatype.is_numeric or right.column.datatype.is_numeric):
        return ""
    if _NUMBER.fullmatch(text.strip()):
        return f" A number stands without quotes: {text.strip()}"
    with contextlib.suppress(BadQueryError):
        written_time(text)
        return f" As days a time is ivo_to_mjd('{text}') or ivo_to_jd('{text}')."
    return ""


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TRUTHS = ("t", "f", "true", "false")


def of_one_kind(values: Sequence[Value]) -> list[Value]:
    """Values that will stand for one another, as in COALESCE: a written text beside times becomes a time."""
    if not any(value.column.is_timestamp for value in values):
        return list(values)
    return [
        value if value.column.is_timestamp or written_text(value) is None
        else replace(value, node=time_of_text(value), column=types.TIMESTAMP)
        for value in values
    ]  # fmt: skip


def written_text(value: Value) -> str | None:
    """The text, if the value is one that is written out."""
    inner = value.node.unnest()
    return str(inner.this) if isinstance(inner, exp.Literal) and inner.is_string else None


def time_of_text(value: Value) -> exp.Expression:
    """A text, or a time, as a time."""
    text = written_text(value)
    node = tree.string(written_time(text)) if text is not None else value.node
    if text is None and not value.column.is_timestamp and not value.is_null:
        node = tree.call(exp.Trim, node)
    return exp.Cast(this=node, to=exp.DataType.build("timestamp"))


def text_of_time(value: Value) -> exp.Expression:
    """A time as DALI writes it (DALI 1.1, section 3.3.3)."""
    text = exp.Cast(this=value.node, to=exp.DataType.build("varchar"))
    return exp.Replace(this=text, expression=tree.string(" "), replacement=tree.string("T"))


def written_time(text: str) -> str:
    """A time that is written out, as engines read it: ISO 8601 with a blank, without zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQueryError(f"{text!r} is not a time; write it as '2015-01-31' or '2015-01-31T12:00:00'.") from error
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return moment.isoformat(sep=" ")


def _kind(column: Column) -> str:
    if column.is_array:
        return "array"
    if column.is_timestamp:
        return "time"
    if column.datatype.is_text:
        return "text"
    return "flag" if column.datatype is Datatype.BOOLEAN else "number"


_KINDS = {"array": "an array", "time": "a time", "text": "text", "flag": "a flag (true or false)", "number": "a number"}


def spoken_kind(column: Column) -> str:
    return _KINDS[_kind(column)]
