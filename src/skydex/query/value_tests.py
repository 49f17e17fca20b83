"""Value tests: what the conditions of a query say of the values of single columns of its tables.

A comparison of a stored column with constants restricts its table to the row groups in which it may hold, wherever
that is sound: AND-ed conditions all restrict, an OR restricts a table only if each of its branches does. Which tables
a condition may restrict, `pairs` knows; which row groups it leaves, `store.rowtests` does. A comparison that ignores
case looks at LOWER of its column, not at the column, and restricts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import reduce

from sqlglot import exp

from skydex.query import tree
from skydex.query.pairs import bare_column, conditions
from skydex.query.scope import Source
from skydex.store import AllOf, Among, AnyOf, Between, Missing, Present, RowTest, Value, text_above

__all__ = ["value_tests"]

_Tests = dict[str, RowTest]
_MIRRORED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.EQ, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE,
}  # fmt: skip


def value_tests(query: exp.Expression, sources: Mapping[str, Source]) -> dict[str, RowTest]:
    """Find the tests that rows of a source must pass to matter; sources of which any row may matter are absent.

    Parameters
    ----------
    query : exp.Expression
        A bound tree.
    sources : mapping of str to Source
        Its tables.
    """
    found: _Tests = {}
    stored = {name for name, source in sources.items() if source.relation and source.relation.dataset is not None}
    for select in (node for node in tree.walk(query) if isinstance(node, exp.Select)):
        for condition, free in conditions(select):
            tests = {name: test for name, test in _tests(condition).items() if name in free & stored}
            if _has_outer_join(select):  # whose missing rows have missing values, which are in no file
                tests = {name: test for name, test in tests.items() if not _asks_for_missing(test)}
            found = _both(found, tests)
    return found


def _has_outer_join(select: exp.Select) -> bool:
    return any(join.side for join in select.find_all(exp.Join))  # those in parentheses, too


def _asks_for_missing(test: RowTest) -> bool:
    if isinstance(test, AllOf | AnyOf):
        return any(map(_asks_for_missing, test.parts))
    return isinstance(test, Missing)


def _tests(condition: exp.Expression) -> _Tests:
    bare = condition.unnest()
    if isinstance(bare, exp.And):
        return reduce(_both, map(_tests, tree.flattened(bare, exp.And)))
    if isinstance(bare, exp.Or):
        return reduce(_either, map(_tests, tree.flattened(bare, exp.Or)))
    read = _READ.get(type(bare))
    found = read(bare) if read else None
    return {} if found is None else {found[0]: found[1]}


def _both(left: _Tests, right: _Tests) -> _Tests:
    shared = {name: AllOf((*_parts(left[name], AllOf), *_parts(right[name], AllOf))) for name in left.keys() & right}
    return {**left, **right, **shared}


def _either(left: _Tests, right: _Tests) -> _Tests:
    return {name: AnyOf((*_parts(left[name], AnyOf), *_parts(right[name], AnyOf))) for name in left.keys() & right}


def _parts(test: RowTest, kind: type[AllOf | AnyOf]) -> tuple[RowTest, ...]:
    return test.parts if isinstance(test, kind) else (test,)


_Found = tuple[str, RowTest] | None


def _comparison(node: exp.Expression) -> _Found:
    kind, column, value = type(node), bare_column(node.this), _value(node.expression)
    if column is None:
        kind, column, value = _MIRRORED[kind], bare_column(node.expression), _value(node.this)
    if column is None or value is None:
        return None
    if kind is exp.EQ:
        return column.table, Among(column.name, (value,))
    is_upper = kind in (exp.LT, exp.LTE)
    return column.table, Between(column.name, None if is_upper else value, value if is_upper else None)


def _between(node: exp.Between) -> _Found:
    column, low, high = bare_column(node.this), _value(node.args["low"]), _value(node.args["high"])
    if column is None or low is None or high is None:
        return None
    return column.table, Between(column.name, low, high)


def _in(node: exp.In) -> _Found:
    column, values = bare_column(node.this), [_value(item) for item in node.expressions]
    known = tuple(value for value in values if value is not None)
    if column is None or not known or len(known) < len(values) or node.args.get("query") is not None:
        return None
    return column.table, Among(column.name, known)


def _is(node: exp.Is) -> _Found:
    column = bare_column(node.this)
    if column is None or not isinstance(node.expression.unnest(), exp.Null):
        return None
    return column.table, Missing(column.name)


def _not(node: exp.Not) -> _Found:
    inner = node.this.unnest()
    found = _is(inner) if isinstance(inner, exp.Is) else None
    return (found[0], Present(found[1].column)) if found is not None and isinstance(found[1], Missing) else None


def _like(node: exp.Like) -> _Found:
    """A pattern whose beginning is plain: the texts lie between that and the last one that begins so."""
    column, pattern = bare_column(node.this), node.expression.unnest()
    if column is None or not (isinstance(pattern, exp.Literal) and pattern.is_string):
        return None
    plain = str(pattern.this)
    plain = plain[: min((plain.find(sign) for sign in "%_\\" if sign in plain), default=len(plain))]
    return (column.table, Between(column.name, plain, text_above(plain))) if plain else None


def _value(node: exp.Expression) -> Value | None:
    """A constant, as exact as it is written."""
    bare = node.unnest()
    if isinstance(bare, exp.Literal):
        if bare.is_string:
            return str(bare.this)
        return int(bare.this) if bare.this.isdigit() and not bare.meta.get("double") else float(bare.this)
    if isinstance(bare, exp.Boolean):
        return bool(bare.this)
    if isinstance(bare, exp.Neg):
        value = _value(bare.this)
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(bare, exp.Cast) and bare.args["to"].this is exp.DataType.Type.TIMESTAMP:
        return _moment(bare.this)
    if any(cast.args["to"].this is not exp.DataType.Type.DOUBLE for cast in bare.find_all(exp.Cast)):
        return None  # it may be rounded
    return tree.constant(bare)


def _moment(node: exp.Expression) -> dt.datetime | None:
    if not (isinstance(node, exp.Literal) and node.is_string):
        return None
    try:
        moment = dt.datetime.fromisoformat(node.this)
    except ValueError:
        return None
    return moment if moment.tzinfo is None else None


_READ = {
    exp.EQ: _comparison, exp.LT: _comparison, exp.LTE: _comparison, exp.GT: _comparison, exp.GTE: _comparison,
    exp.Between: _between, exp.In: _in, exp.Is: _is, exp.Not: _not, exp.Like: _like,
}  # fmt: skip
