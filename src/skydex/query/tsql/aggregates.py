"""Aggregate functions and windows of Transact-SQL (SQL Server 2022).

The mean of integers is an integer; texts are counted, and the least and greatest found, without regard to case. With
OVER an aggregate gives its value to every row; ROW_NUMBER, RANK and their like stand only with OVER.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import written_text
from skydex.query.functions import AGGREGATES as OF_ADQL
from skydex.query.functions.function import Meaning
from skydex.query.functions.meanings import is_double, is_long, like_first
from skydex.query.languages import place_of
from skydex.query.rules import Expressions
from skydex.query.tsql.call import Call
from skydex.query.tsql.collation import folded, key
from skydex.query.tsql.kinds import as_bigint, as_double, is_flag, is_text, number, text
from skydex.query.tsql.operators import alike
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["AGGREGATES", "WINDOWS", "bind_ordered_aggregate", "bind_window"]

_COUNT = Column("", Datatype.LONG, ucd="meta.number")


def _summed(value: Value) -> Value:
    given = number(value)
    widened = as_bigint(given) if given.column.datatype.is_integer else as_double(given)
    return Value(exp.Sum(this=widened), OF_ADQL["SUM"].meaning([given]))


def _mean(value: Value) -> Value:
    given = number(value)
    column = OF_ADQL["AVG"].meaning([given])
    if not given.column.datatype.is_integer:
        return Value(exp.Avg(this=as_double(given)), column)
    total, count = exp.Sum(this=as_bigint(given)), exp.Count(this=as_bigint(given).copy())
    mean = exp.IntDiv(this=total, expression=tree.call(exp.Nullif, count, tree.integer(0)))
    whole = exp.Cast(this=mean, to=exp.DataType.build("bigint"))
    return Value(whole, replace(column, datatype=Datatype.LONG))


def _spread(kind: type[exp.Expression]) -> Callable[[Value], Value]:
    def build(value: Value) -> Value:
        given = number(value)
        return Value(kind(this=as_double(given)), Column("", Datatype.DOUBLE, unit=given.column.unit))

    return build


def _extreme(kind: type[exp.Expression], of_text: type[exp.Expression], meaning: Meaning) -> Callable[[Value], Value]:
    def build(value: Value) -> Value:
        if is_flag(value):
            raise BadQueryError("MIN and MAX take no flag: CAST(x AS int) makes a number of it.")
        if is_text(value):
            least = of_text(this=value.node, expression=folded(replace(value, node=value.node.copy())))
            return Value(least, meaning([value]))
        return Value(kind(this=value.node), meaning([value]))

    return build


def _counted(value: Value) -> Value:
    return Value(exp.Count(this=value.node), _COUNT)


_ONE: dict[str, Callable[[Value], Value]] = {
    "AVG": _mean,
    "COUNT": _counted,
    "COUNT_BIG": _counted,
    "MAX": _extreme(exp.Max, exp.ArgMax, OF_ADQL["MAX"].meaning),
    "MIN": _extreme(exp.Min, exp.ArgMin, OF_ADQL["MIN"].meaning),
    "STDEV": _spread(exp.Stddev),
    "STDEVP": _spread(exp.StddevPop),
    "SUM": _summed,
    "VAR": _spread(exp.Variance),
    "VARP": _spread(exp.VariancePop),
}
"""Aggregates of one value."""


def _aggregate(binder: Expressions, node: exp.Anonymous) -> Value:
    value = _aggregated(binder, node)
    binder.has_aggregates = True
    for call in tree.outermost_aggregates(value.node):
        call.meta.update(node.meta)
    return value


def _aggregated(binder: Expressions, node: exp.Anonymous) -> Value:
    """An aggregate, alone or to be put over a window."""
    name = node.name.upper()
    if name == "STRING_AGG":
        return _gathered(binder, node, None)
    if len(node.expressions) != 1:
        raise BadQueryError(f"{name} takes one argument.", **place_of(node))
    argument = node.expressions[0]
    if isinstance(argument, exp.Star):
        if not name.startswith("COUNT"):
            raise BadQueryError(f"{name}(*) has no meaning; COUNT(*) has.", **place_of(node))
        return Value(exp.Count(this=exp.Star()), _COUNT)
    if name == "APPROX_COUNT_DISTINCT":
        name, argument = "COUNT", exp.Distinct(expressions=[argument])
    if not isinstance(argument, exp.Distinct):
        value = binder.bind(argument)
        return binder.located(node, lambda: _ONE[name](value))
    value = binder.bind(argument.expressions[0])
    if name.startswith("COUNT") and is_text(value):
        value = replace(value, node=folded(value))
    return binder.located(node, lambda: _distinct(_ONE[name](value)))


def _distinct(value: Value) -> Value:
    for call in tree.outermost_aggregates(value.node):
        if not isinstance(call, exp.ArgMin | exp.ArgMax):
            call.set("this", exp.Distinct(expressions=[call.this]))
    return value


def bind_ordered_aggregate(binder: Expressions, node: exp.WithinGroup) -> Value:
    """STRING_AGG(...) WITHIN GROUP (ORDER BY ...)."""
    if node.this.name.upper() != "STRING_AGG":
        raise BadQueryError("WITHIN GROUP stands only behind STRING_AGG.", **place_of(node))
    value = _gathered(binder, node.this, node.expression)
    binder.has_aggregates = True
    return value


def _gathered(binder: Expressions, node: exp.Anonymous, order: exp.Order | None) -> Value:
    if len(node.expressions) != 2:
        raise BadQueryError("STRING_AGG takes a value and a separator.", **place_of(node))
    subject, separator = (text(binder.bind(item)) for item in node.expressions)
    if written_text(separator) is None:
        raise BadQueryError("The separator of STRING_AGG is a text that is written out.", **place_of(node))
    own = [exp.Ordered(this=_sortable(key(subject)), nulls_first=True)]
    keys = _ordered(binder, order) if order is not None else own
    ordered = exp.Order(this=subject.node, expressions=keys)
    return Value(exp.GroupConcat(this=ordered, separator=separator.node), types.text(None))


def _ordered(binder: Expressions, order: exp.Order) -> list[exp.Ordered]:
    keys = []
    for item in order.expressions:
        desc = bool(item.args.get("desc"))
        value = binder.bind(item.this)
        keys.append(exp.Ordered(this=_sortable(key(value)), desc=desc, nulls_first=not desc))
    return keys


def _sortable(node: exp.Expression) -> exp.Expression:
    """A key of an order, where engines take a bare constant for a position or refuse it."""
    if isinstance(node.unnest(), exp.Literal | exp.Null):
        return exp.Cast(this=node, to=exp.DataType.build("varchar"))
    return node


_SPOKEN = {
    "APPROX_COUNT_DISTINCT": "Number of different values, counted one by one.",
    "AVG": "Mean; of integers, without its fraction.",
    "COUNT": "Number of rows, for *, or of values that are not null.",
    "COUNT_BIG": "The same.",
    "MAX": "The greatest value.",
    "MIN": "The least value.",
    "STDEV": "Standard deviation of a sample.",
    "STDEVP": "Standard deviation of a population.",
    "SUM": "Sum.",
    "VAR": "Variance of a sample.",
    "VARP": "Variance of a population.",
}
AGGREGATES = {
    **{name: Call(_aggregate, f"{name}([DISTINCT] x)", text) for name, text in _SPOKEN.items()},
    "STRING_AGG": Call(
        _aggregate, "STRING_AGG(x, 'separator') [WITHIN GROUP (ORDER BY ...)]", "Texts one behind the other."
    ),
}
"""By name."""

_Ranking = Callable[[Sequence[Value]], Value]


def _rank(kind: type[exp.Expression], meaning: Meaning) -> _Ranking:
    return lambda _: Value(kind(), meaning([]))


def _ntile(values: Sequence[Value]) -> Value:
    return Value(exp.Ntile(this=as_bigint(number(values[0]))), types.LONG)


def _neighbour(kind: type[exp.Expression]) -> _Ranking:
    """LAG or LEAD: the value so many rows before or behind, or a default."""

    def build(values: Sequence[Value]) -> Value:
        offset = as_bigint(number(values[1])) if len(values) > 1 else tree.integer(1)
        made, column = alike([values[0], *values[2:3]])
        default = {"default": made[1].node} if len(made) > 1 else {}
        return Value(kind(this=made[0].node, offset=offset, **default), column)

    return build


def _end(kind: type[exp.Expression]) -> _Ranking:
    return lambda values: Value(kind(this=values[0].node), like_first(values))


_WINDOWS: dict[str, tuple[int, int, _Ranking]] = {
    "CUME_DIST": (0, 0, _rank(exp.CumeDist, is_double)),
    "DENSE_RANK": (0, 0, _rank(exp.DenseRank, is_long)),
    "FIRST_VALUE": (1, 1, _end(exp.FirstValue)),
    "LAG": (1, 3, _neighbour(exp.Lag)),
    "LAST_VALUE": (1, 1, _end(exp.LastValue)),
    "LEAD": (1, 3, _neighbour(exp.Lead)),
    "NTILE": (1, 1, _ntile),
    "PERCENT_RANK": (0, 0, _rank(exp.PercentRank, is_double)),
    "RANK": (0, 0, _rank(exp.Rank, is_long)),
    "ROW_NUMBER": (0, 0, _rank(exp.RowNumber, is_long)),
}
"""Functions that stand only with OVER: their least and greatest number of arguments, and how they are made."""
WINDOWS = {
    "CUME_DIST()": "Share of the rows that come no later.",
    "DENSE_RANK()": "Rank, without gaps.",
    "FIRST_VALUE(x)": "x of the first row.",
    "LAG(x[, n[, default]])": "x of the row before, or n rows before.",
    "LAST_VALUE(x)": "x of the last row.",
    "LEAD(x[, n[, default]])": "x of the row behind, or n rows behind.",
    "NTILE(n)": "Number of the part, of n.",
    "PERCENT_RANK()": "Rank as a share.",
    "RANK()": "Rank, with gaps behind rows that are level.",
    "ROW_NUMBER()": "Number of the row.",
}
"""What functions that stand only with OVER give, by their usage."""


def bind_window(binder: Expressions, node: exp.Window) -> Value:
    """A function with OVER."""
    call, order = node.this, node.args.get("order")
    name = call.name.upper()
    if name in _WINDOWS and order is None:
        raise BadQueryError(f"{name} needs OVER (ORDER BY ...).", **place_of(call))
    if name not in _WINDOWS and name not in _ONE:
        raise BadQueryError(f"{call.name} does not stand with OVER.", **place_of(call))
    if any(isinstance(item, exp.Distinct) for item in call.expressions):
        raise BadQueryError("DISTINCT cannot stand in a function with OVER.", **place_of(call))
    value = _windowed(binder, call, name) if name in _WINDOWS else _aggregated(binder, call)
    partition = [key(binder.bind(item)) for item in node.args.get("partition_by") or ()]
    keys = _ordered(binder, order) if order is not None else []
    binder.has_windows = True
    over = {
        "partition_by": partition,
        "order": exp.Order(expressions=keys) if keys else None,
        "spec": _frame(node.args.get("spec")),
    }
    return replace(value, node=_over(value.node, over))


def _windowed(binder: Expressions, call: exp.Anonymous, name: str) -> Value:
    least, most, build = _WINDOWS[name]
    if not least <= len(call.expressions) <= most:
        raise BadQueryError(f"{name} does not take {len(call.expressions)} arguments.", **place_of(call))
    values = [binder.bind(item) for item in call.expressions]
    return binder.located(call, lambda: build(values))


def _over(node: exp.Expression, over: dict[str, object]) -> exp.Expression:
    """A node whose aggregates, or which itself, stands over a window."""
    if isinstance(node, exp.AggFunc | exp.RowNumber):
        return exp.Window(this=node.copy(), **{part: _copied(value) for part, value in over.items()})
    for child in list(node.iter_expressions()):
        if isinstance(child, exp.AggFunc):
            child.replace(_over(child, over))
        else:
            _over(child, over)
    return node


def _copied(part: object) -> object:
    if isinstance(part, list):
        return [item.copy() for item in part]
    return part.copy() if isinstance(part, exp.Expression) else part


_ENDS = ("UNBOUNDED", "CURRENT ROW")
_SIDES = ("PRECEDING", "FOLLOWING")


def _frame(spec: exp.WindowSpec | None) -> exp.WindowSpec | None:
    """ROWS or RANGE of a window, of which no word is taken over unseen."""
    if spec is None:
        return None
    kind = str(spec.args.get("kind") or "").upper()
    parts: dict[str, object] = {"kind": kind}
    for end in ("start", "end"):
        given = spec.args.get(end)
        if given is None:
            continue
        parts[end] = _end_of_frame(given)
        side = str(spec.args.get(f"{end}_side") or "").upper()
        if side in _SIDES:
            parts[f"{end}_side"] = side
    if kind not in ("ROWS", "RANGE") or spec.args.get("exclude"):
        raise BadQueryError("The frame of a window is ROWS or RANGE BETWEEN ... AND ...")
    if "end" not in parts:
        parts["end"] = "CURRENT ROW"
    return exp.WindowSpec(**parts)


def _end_of_frame(given: object) -> object:
    if isinstance(given, exp.Literal) and given.this.isdigit():
        return tree.integer(int(given.this))
    if str(given).upper() in _ENDS:
        return str(given).upper()
    raise BadQueryError("The frame of a window has a number of rows, UNBOUNDED or CURRENT ROW at its ends.")
