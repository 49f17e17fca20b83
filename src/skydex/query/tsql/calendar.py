"""Functions of dates in Transact-SQL (SQL Server 2022): DATEPART, DATEADD, DATEDIFF and their like.

Weeks begin on Sunday and the first holds January 1, as under SQL Server's settings for U.S. English. All times are UTC;
GETDATE is the moment at which the query was read, the same for all its rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import written_text
from skydex.query.languages import place_of
from skydex.query.rules import Expressions, Method
from skydex.query.tsql.call import Call
from skydex.query.tsql.dates import day, moment, parsed
from skydex.query.tsql.kinds import INT, as_bigint, as_double, guarded, is_text, number
from skydex.query.values import Value

__all__ = ["DATES", "days_later"]

_PARTS = {
    "YEAR": "YEAR", "YY": "YEAR", "YYYY": "YEAR", "QUARTER": "QUARTER", "QQ": "QUARTER", "Q": "QUARTER",
    "MONTH": "MONTH", "MM": "MONTH", "M": "MONTH", "DAYOFYEAR": "DAYOFYEAR", "DY": "DAYOFYEAR", "Y": "DAYOFYEAR",
    "DAY": "DAY", "DD": "DAY", "D": "DAY", "WEEK": "WEEK", "WK": "WEEK", "WW": "WEEK", "WEEKDAY": "WEEKDAY",
    "DW": "WEEKDAY", "W": "WEEKDAY", "HOUR": "HOUR", "HH": "HOUR", "MINUTE": "MINUTE", "MI": "MINUTE", "N": "MINUTE",
    "SECOND": "SECOND", "SS": "SECOND", "S": "SECOND", "MILLISECOND": "MILLISECOND", "MS": "MILLISECOND",
    "MICROSECOND": "MICROSECOND", "MCS": "MICROSECOND", "ISO_WEEK": "ISO_WEEK", "ISOWK": "ISO_WEEK",
    "ISOWW": "ISO_WEEK",
}  # fmt: skip
"""Parts of a date, by their names and short forms."""
_ADDED = {"DAYOFYEAR": "DAY", "WEEKDAY": "DAY", "ISO_WEEK": "WEEK"}
"""Parts that are steps of another."""


def _arguments(binder: Expressions, node: exp.Anonymous, least: int, most: int) -> list[Value]:
    n = len(node.expressions)
    if not least <= n <= most:
        raise BadQueryError(f"{node.name} does not take {n} argument{'s' if n != 1 else ''}.", **place_of(node))
    return [binder.bind(item) for item in node.expressions]


def _with_part(least: int, most: int, make: Callable[[str, Sequence[Value]], Value]) -> Method:
    """A function whose first argument names a part of a date."""

    def bind(binder: Expressions, node: exp.Anonymous) -> Value:
        items = node.expressions
        if not least <= len(items) - 1 <= most:
            raise BadQueryError(f"{node.name} takes a part of a date, such as day, and more.", **place_of(node))
        part = _PARTS.get(items[0].name.upper()) if isinstance(items[0], exp.Column) else None
        if part is None:
            names = "year, month, day, hour, minute, second"
            raise BadQueryError(f"{node.name} begins with a part of a date, such as {names}.", **place_of(items[0]))
        values = [binder.bind(item) for item in items[1:]]
        return binder.located(node, lambda: make(part, values))

    return bind


def _of_values(least: int, most: int, make: Callable[[Sequence[Value]], Value]) -> Method:
    def bind(binder: Expressions, node: exp.Anonymous) -> Value:
        values = _arguments(binder, node, least, most)
        return binder.located(node, lambda: make(values))

    return bind


def _extracted(part: str, node: exp.Expression) -> exp.Expression:
    return exp.Extract(this=exp.Var(this=part), expression=node.copy())


def _part_of(part: str, value: Value) -> exp.Expression:
    time = moment(value).node
    if part == "WEEK":
        first = exp.TimestampTrunc(this=time.copy(), unit=exp.Var(this="YEAR"))
        days = exp.Add(this=_extracted("DOY", time), expression=_extracted("DOW", first))
        weeks = exp.IntDiv(
            this=exp.Paren(this=exp.Sub(this=days, expression=tree.integer(1))), expression=tree.integer(7)
        )
        return exp.Add(this=weeks, expression=tree.integer(1))
    if part == "WEEKDAY":
        return exp.Add(this=_extracted("DOW", time), expression=tree.integer(1))
    if part in ("MILLISECOND", "MICROSECOND"):
        size = 1_000 if part == "MILLISECOND" else 1_000_000
        return exp.Mod(this=_extracted(f"{part}S", time), expression=tree.integer(size))
    return _extracted({"DAYOFYEAR": "DOY", "ISO_WEEK": "WEEK"}.get(part, part), time)


def _datepart(part: str, values: Sequence[Value]) -> Value:
    return Value(exp.Paren(this=_part_of(part, values[0])), INT)


def _single(part: str) -> Callable[[Sequence[Value]], Value]:
    return lambda values: _datepart(part, values)


def _datename(part: str, values: Sequence[Value]) -> Value:
    form = {"MONTH": "%B", "WEEKDAY": "%A"}.get(part)
    if form is not None:
        return Value(exp.TimeToStr(this=moment(values[0]).node, format=tree.string(form)), types.text(30))
    shown = exp.Cast(this=_part_of(part, values[0]), to=exp.DataType.build("varchar"))
    return Value(shown, types.text(30))


def _interval(part: str, n: exp.Expression) -> exp.Expression:
    if part == "QUARTER":
        part, n = "MONTH", exp.Mul(this=guarded(n), expression=tree.integer(3))
    if part == "WEEK":
        part, n = "DAY", exp.Mul(this=guarded(n), expression=tree.integer(7))
    if part in ("YEAR", "MONTH", "DAY"):
        n = exp.Cast(this=n, to=exp.DataType.build("int"))
    return exp.Interval(this=exp.Paren(this=n), unit=exp.Var(this=part))


def _dateadd(part: str, values: Sequence[Value]) -> Value:
    span = _interval(_ADDED.get(part, part), as_bigint(number(values[0])))
    later = exp.Add(this=moment(values[1]).node, expression=span)
    return Value(exp.Paren(this=later), types.TIMESTAMP)


def days_later(value: Value, days: Value, *, sign: int) -> Value:
    """A time so many days later, or earlier; the number may have a fraction."""
    if days.column.is_timestamp:
        raise BadQueryError("Two times are not added: DATEADD adds to one, DATEDIFF tells what lies between two.")
    microseconds = exp.Mul(this=exp.Paren(this=as_double(number(days))), expression=tree.number(sign * 86_400e6))
    span = exp.Cast(this=tree.call(exp.Round, microseconds), to=exp.DataType.build("bigint"))
    later = exp.Add(
        this=value.node, expression=exp.Interval(this=exp.Paren(this=span), unit=exp.Var(this="MICROSECOND"))
    )
    return Value(exp.Paren(this=later), types.TIMESTAMP)


def _datediff(part: str, values: Sequence[Value]) -> Value:
    """How many borders of a part lie between two times."""
    start, end = (moment(value).node for value in values)
    part = _ADDED.get(part, part) if part != "ISO_WEEK" else "WEEK"
    if part == "WEEK":
        weeks = exp.Sub(this=_week(end), expression=_week(start))
        return Value(exp.Paren(this=weeks), types.LONG)
    return Value(exp.DateDiff(this=end, expression=start, unit=exp.Var(this=part)), types.LONG)


def _week(node: exp.Expression) -> exp.Expression:
    """Number of the week of a time, counted from a Sunday; to the engine, weeks begin on Monday."""
    sunday = exp.Cast(this=tree.string("0001-01-07 00:00:00"), to=exp.DataType.build("timestamp"))
    days = exp.DateDiff(this=node, expression=sunday, unit=exp.Var(this="DAY"))
    return exp.IntDiv(this=days, expression=tree.integer(7))


def _datetrunc(part: str, values: Sequence[Value]) -> Value:
    time = moment(values[0]).node
    if part == "WEEK":
        back = exp.Sub(this=time, expression=_interval("DAY", _extracted("DOW", time)))
        part, time = "DAY", exp.Paren(this=back)
    part = {"ISO_WEEK": "WEEK", "DAYOFYEAR": "DAY"}.get(part, part)
    node = exp.TimestampTrunc(this=time, unit=exp.Var(this=part))
    return Value(exp.Cast(this=node, to=exp.DataType.build("timestamp")), types.TIMESTAMP)


def _end_of_month(values: Sequence[Value]) -> Value:
    first = _datetrunc("MONTH", values[:1]).node
    months = as_bigint(number(values[1])) if len(values) > 1 else tree.integer(0)
    later = exp.Add(this=exp.Paren(this=months), expression=tree.integer(1))
    next_month = exp.Add(this=first, expression=_interval("MONTH", exp.Paren(this=later)))
    last = exp.Sub(this=exp.Paren(this=next_month), expression=_interval("DAY", tree.integer(1)))
    return day(exp.Paren(this=last))


def _from_parts(values: Sequence[Value]) -> Value:
    """A time from year, month, day and perhaps hour, minute, second, millisecond."""
    numbers = [as_bigint(number(value)) for value in values]
    start: exp.Expression = exp.Cast(this=tree.string("0001-01-01 00:00:00"), to=exp.DataType.build("timestamp"))
    units = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND")
    for unit, n in zip(units, numbers, strict=False):
        begins_at_one = unit in ("YEAR", "MONTH", "DAY")
        steps = exp.Sub(this=guarded(n), expression=tree.integer(1)) if begins_at_one else n
        start = exp.Add(this=start, expression=_interval(unit, exp.Paren(this=steps)))
    made = exp.Paren(this=start)
    return day(made) if len(numbers) <= units.index("HOUR") else Value(made, types.TIMESTAMP)


def _now(_: Sequence[Value]) -> Value:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return moment(Value(tree.string(now.isoformat(sep=" ")), types.text(26)))


def _is_date(values: Sequence[Value]) -> Value:
    value = values[0]
    written = written_text(value)
    if written is not None:
        return Value(tree.integer(int(_says_time(written))), INT)
    if value.column.is_timestamp or not is_text(value):
        return Value(tree.integer(int(value.column.is_timestamp)), INT)
    read = exp.TryCast(this=tree.call(exp.Trim, value.node), to=exp.DataType.build("timestamp"))
    unknown = exp.Is(this=read, expression=exp.Null())
    return Value(exp.Case(ifs=[exp.If(this=unknown, true=tree.integer(0))], default=tree.integer(1)), INT)


def _says_time(text: str) -> bool:
    try:
        parsed(text)
    except BadQueryError:
        return False
    return True


_NOW = _of_values(0, 0, _now)
_METHODS: dict[str, Method] = {
    "DATEADD": _with_part(2, 2, _dateadd),
    "DATEDIFF": _with_part(2, 2, _datediff),
    "DATEDIFF_BIG": _with_part(2, 2, _datediff),
    "DATEFROMPARTS": _of_values(3, 3, _from_parts),
    "DATENAME": _with_part(1, 1, _datename),
    "DATEPART": _with_part(1, 1, _datepart),
    "DATETIMEFROMPARTS": _of_values(7, 7, _from_parts),
    "DATETRUNC": _with_part(1, 1, _datetrunc),
    "DAY": _of_values(1, 1, _single("DAY")),
    "EOMONTH": _of_values(1, 2, _end_of_month),
    **dict.fromkeys(("GETDATE", "GETUTCDATE", "SYSDATETIME", "SYSUTCDATETIME"), _NOW),
    "ISDATE": _of_values(1, 1, _is_date),
    "MONTH": _of_values(1, 1, _single("MONTH")),
    "YEAR": _of_values(1, 1, _single("YEAR")),
}
_SPOKEN = {
    "DATEADD": ("part, n, date", "A date so many parts later."),
    "DATEDIFF": ("part, start, end", "How many borders of a part lie between two dates."),
    "DATEDIFF_BIG": ("part, start, end", "The same."),
    "DATEFROMPARTS": ("year, month, day", "The beginning of a day."),
    "DATENAME": ("part, date", "A part of a date as text: October, Tuesday, 2007."),
    "DATEPART": ("part, date", "A part of a date: year, quarter, month, dayofyear, day, week, weekday, hour, ..."),
    "DATETIMEFROMPARTS": ("year, month, day, hour, minute, second, millisecond", "A moment."),
    "DATETRUNC": ("part, date", "The beginning of a part."),
    "DAY": ("date", "Day of the month."),
    "EOMONTH": ("date[, months]", "The last day of the month, or of one before or behind."),
    "GETDATE": ("", "Now, in UTC; CURRENT_TIMESTAMP is the same."),
    "GETUTCDATE": ("", "The same."),
    "ISDATE": ("text", "1 if a text says a date, else 0."),
    "MONTH": ("date", "Month, from 1."),
    "SYSDATETIME": ("", "Now, in UTC."),
    "SYSUTCDATETIME": ("", "The same."),
    "YEAR": ("date", "Year."),
}
DATES = {name: Call(_METHODS[name], f"{name}({arguments})", text) for name, (arguments, text) in _SPOKEN.items()}
"""By name."""
