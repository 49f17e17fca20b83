"""Comparisons: which values can be compared, and how flags and times meet what users write for them."""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree
from skydex.query.languages import place_of
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["comparable", "spoken_kind", "written_time"]


def comparable(left: Value, right: Value, node: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
    """Make two sides comparable: flags with 0 and 1, times with ISO text; refuse other mixtures."""
    if left.is_null or right.is_null:
        return left.node, right.node
    for this, that in ((left, right), (right, left)):
        adapted = _adapted(this, that)
        if adapted is not None:
            return (adapted, that.node) if this is left else (that.node, adapted)
    if _kind(left.column) != _kind(right.column):
        raise BadQueryError(
            f"Cannot compare {spoken_kind(left.column)} with {spoken_kind(right.column)}.", **place_of(node)
        )
    return left.node, right.node


def _adapted(value: Value, other: Value) -> exp.Expression | None:
    """A flag's 0 or 1, or a time's text, as the type of the other side; `None` if it needs no change."""
    if other.column.datatype is Datatype.BOOLEAN and value.constant in (0.0, 1.0):
        return exp.Boolean(this=value.constant == 1.0)
    if other.column.is_timestamp and isinstance(value.node, exp.Literal) and value.node.is_string:
        return exp.Cast(this=tree.string(written_time(value.node.this)), to=exp.DataType.build("timestamp"))
    if other.column.datatype is Datatype.BOOLEAN and isinstance(value.node, exp.Literal) and value.node.is_string:
        word = value.node.this.lower()
        return exp.Boolean(this=word in ("t", "true")) if word in ("t", "f", "true", "false") else None
    return None


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
