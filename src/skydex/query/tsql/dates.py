"""Dates and times of T-SQL: texts that are one, and the functions of them (SQL Server 2022).

Every type of T-SQL for dates is one here: a time to the microsecond, UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import spoken_kind, written_text
from skydex.query.values import Value

__all__ = ["day", "moment", "parsed", "written"]

_FORMS = (
    "%Y%m%d", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%b %d %Y", "%b %d %Y %I:%M%p",
    "%b %d, %Y", "%d %b %Y", "%B %d, %Y", "%B %d %Y", "%d %B %Y", "%d %b %Y %H:%M:%S", "%m-%d-%Y", "%H:%M:%S", "%H:%M",
)  # fmt: skip
"""Ways to write a time, beside ISO 8601, under SQL Server's settings for U.S. English."""


def parsed(text: str) -> dt.datetime:
    """The time that a text says.

    Raises
    ------
    BadQueryError
        It says none.
    """
    stripped = re.sub(r"\s+", " ", text.strip())
    if not stripped:
        return dt.datetime(1900, 1, 1)
    moment = _parsed(stripped)
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


def _parsed(text: str) -> dt.datetime:
    for form in _FORMS:
        try:
            return dt.datetime.strptime(text, form)  # times without a zone are UTC
        except ValueError:
            continue
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        message = f"Conversion failed: {text[:60]!r} is no date; write it as '2015-01-31' or '2015-01-31T12:00:00'."
        raise BadQueryError(message) from error


def _parsed_in_style(text: str, style: int) -> dt.datetime:
    """The time that a text says in one of CONVERT's styles; the hour may be left out."""
    stripped = re.sub(r"\s+", " ", text.strip())
    form = "".join(_FOR_READING.get(piece, piece) for piece in re.split(r"(%-?[a-zA-Z])", _STYLES.get(style, "")))
    for wanted in (form, form.partition(" %H")[0], form.partition("T%H")[0], f"{form} %H:%M:%S", f"{form} %H:%M"):
        try:
            return dt.datetime.strptime(stripped, wanted)  # times without a zone are UTC
        except ValueError:
            continue
    return parsed(text)


def moment(value: Value, style: int = 0) -> Value:
    """A value as a time; a text that is written out may be in a style of CONVERT."""
    if value.is_null:
        return Value(exp.Cast(this=value.node, to=exp.DataType.build("timestamp")), types.TIMESTAMP)
    if value.column.is_timestamp:
        return value
    text = written_text(value)
    if text is not None:
        time = _parsed_in_style(text, style) if style else parsed(text)
        node: exp.Expression = tree.string(time.isoformat(sep=" "))
    elif value.column.datatype.is_text:
        node = tree.call(exp.Trim, value.node)
    else:
        raise BadQueryError(f"A date is expected here, not {spoken_kind(value.column)}.")
    return replace(value, node=exp.Cast(this=node, to=exp.DataType.build("timestamp")), column=types.TIMESTAMP)


_STYLES = {
    0: "%b %e %Y %l:%M%p", 100: "%b %e %Y %l:%M%p", 1: "%m/%d/%y", 101: "%m/%d/%Y", 2: "%y.%m.%d", 102: "%Y.%m.%d",
    3: "%d/%m/%y", 103: "%d/%m/%Y", 4: "%d.%m.%y", 104: "%d.%m.%Y", 5: "%d-%m-%y", 105: "%d-%m-%Y", 6: "%d %b %y",
    106: "%d %b %Y", 7: "%b %d, %y", 107: "%b %d, %Y", 8: "%H:%M:%S", 108: "%H:%M:%S", 24: "%H:%M:%S",
    10: "%m-%d-%y", 110: "%m-%d-%Y", 11: "%y/%m/%d", 111: "%Y/%m/%d", 12: "%y%m%d", 112: "%Y%m%d",
    14: "%H:%M:%S:%g", 114: "%H:%M:%S:%g", 20: "%Y-%m-%d %H:%M:%S", 120: "%Y-%m-%d %H:%M:%S",
    21: "%Y-%m-%d %H:%M:%S.%g", 25: "%Y-%m-%d %H:%M:%S.%g", 121: "%Y-%m-%d %H:%M:%S.%g", 23: "%Y-%m-%d",
    126: "%Y-%m-%dT%H:%M:%S.%g", 127: "%Y-%m-%dT%H:%M:%S.%gZ", 113: "%d %b %Y %H:%M:%S:%g", 13: "%d %b %Y %H:%M:%S:%g",
}  # fmt: skip
"""CONVERT's styles of dates; `%g` stands for milliseconds, `%e` and `%l` for day and hour with a blank before."""
_OF_DAYS = 23
"""The style of a date without hours."""
_PADDED = {"%e": "%-d", "%l": "%-I"}
_FOR_READING = {"%e": "%d", "%l": "%I", "%g": "%f"}


def written(node: exp.Expression, style: int) -> exp.Expression:
    """A time as text."""
    form = _STYLES.get(style or (_OF_DAYS if node.meta.get("day") else 0))
    if form is None:
        raise BadQueryError(f"CONVERT has no style {style} for dates here: 120 is 2015-01-31 12:00:00.")
    pieces = [_piece(node.copy(), piece) for piece in re.split(r"(%[el])", form) if piece]
    return tree.conjunction(pieces, exp.DPipe)


def _piece(node: exp.Expression, form: str) -> exp.Expression:
    shown = exp.TimeToStr(this=node, format=tree.string(_PADDED.get(form, form)))
    if form not in _PADDED:
        return shown
    return exp.Pad(this=shown, expression=tree.integer(2), fill_pattern=tree.string(" "), is_left=True)


def day(node: exp.Expression) -> Value:
    """A time without hours, which as text has none."""
    node.meta["day"] = True
    return Value(node, types.TIMESTAMP)
