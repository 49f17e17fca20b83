"""Value tests: what the conditions of a query say of the values of single columns of its tables.

A comparison of a stored column with constants restricts its table to the row groups in which it may hold, wherever
that is sound: AND-ed conditions all restrict, an OR restricts a table only if each of its branches does. What one
column must equal, a column that is joined with it must equal as well. Which tables a condition may restrict, `pairs`
knows; which row groups it leaves, `store.rowtests` does. A comparison that ignores case looks at LOWER of its column,
not at the column, and restricts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import pyarrow as pa
from sqlglot import exp

from skydex.query import tree
from skydex.query.pairs import bare_column, conditions
from skydex.query.scope import Source
from skydex.store import AllOf, Among, AnyOf, Between, Missing, Present, RowTest, Value, text_above
from skydex.tables import arrow_type

__all__ = ["value_tests"]

_Tests = dict[str, RowTest]
_Place = tuple[str, str]
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
        own: _Tests = {}
        for condition, free in conditions(select):
            tests = {name: test for name, test in _tests(condition).items() if name in free}
            if _has_outer_join(select):  # whose missing rows have missing values, which are in no file
                tests = {name: test for name, test in tests.items() if not _asks_for_missing(test)}
            own = _all_of([own, tests])
        own = _handed_on(own, select, sources)
        found = _all_of([found, {name: test for name, test in own.items() if name in stored}])
    return found


def _handed_on(tests: _Tests, select: exp.Select, sources: Mapping[str, Source]) -> _Tests:
    """With what follows from values that columns must have for the columns that must equal them."""
    pairs = list(_equal_columns(select, sources))
    for _ in pairs:  # as many steps as the longest chain of joins may have
        known = {(name, part.column): part for name in tests for part in _parts(tests[name], AllOf) if _is_exact(part)}
        more = [(other, known[own]) for own, other in pairs if own in known and other not in known]
        for (name, column), among in more:
            tests = _all_of([tests, {name: Among(column, among.values)}])
        if not more:
            break
    return tests


def _equal_columns(select: exp.Select, sources: Mapping[str, Source]) -> Iterator[tuple[_Place, _Place]]:
    """Columns, by source and name, and others of which only rows with the same value count."""
    for condition, free in conditions(select):
        for part in tree.flattened(condition.unnest(), exp.And):
            bare = part.unnest()
            if not isinstance(bare, exp.EQ):
                continue
            left, right = bare_column(bare.this), bare_column(bare.expression)
            for own, other in ((left, right), (right, left)):
                if own is not None and other is not None and other.table in free and _are_alike(own, other, sources):
                    yield (own.table, own.name), (other.table, other.name)


def _are_alike(one: exp.Column, other: exp.Column, sources: Mapping[str, Source]) -> bool:
    """Whether equal values of two columns are the same constant: whole numbers or texts, never rounded ones."""
    kinds = []
    for column in (one, other):
        relation = sources[column.table].relation if column.table in sources else None
        if relation is None:
            return False
        kinds.append(arrow_type(relation.table.get_column(column.name)))
    return all(map(pa.types.is_integer, kinds)) or all(map(pa.types.is_string, kinds))


def _is_exact(test: RowTest) -> TypeGuard[Among]:
    return isinstance(test, Among) and all(isinstance(value, int | str) for value in test.values)


def _has_outer_join(select: exp.Select) -> bool:
    from_, joins = select.args.get("from_"), select.args.get("joins")
    if not joins and (from_ is None or (isinstance(from_.this, exp.Table) and not from_.this.args.get("joins"))):
        return False
    return any(join.side for join in select.find_all(exp.Join))  # in parentheses, too: `tree.walk` would stop before


def _asks_for_missing(test: RowTest) -> bool:
    if isinstance(test, AllOf | AnyOf):
        return any(map(_asks_for_missing, test.parts))
    return isinstance(test, Missing)


def _tests(condition: exp.Expression) -> _Tests:
    bare = condition.unnest()
    if isinstance(bare, exp.And):
        return _all_of([_tests(part) for part in tree.flattened(bare, exp.And)])
    if isinstance(bare, exp.Or):
        return _any_of([_tests(part) for part in tree.flattened(bare, exp.Or)])
    read = _READ.get(type(bare))
    found = read(bare) if read else None
    return {} if found is None else {found[0]: found[1]}


def _all_of(several: Sequence[_Tests]) -> _Tests:
    """What rows of each table must pass that pass all of some tests."""
    parts: dict[str, list[RowTest]] = {}
    for tests in several:
        for name, test in tests.items():
            parts.setdefault(name, []).extend(_parts(test, AllOf))
    return {name: found[0] if len(found) == 1 else AllOf(tuple(found)) for name, found in parts.items()}


def _any_of(several: Sequence[_Tests]) -> _Tests:
    """What rows of each table must pass that pass any of some tests; nothing where one of these tests nothing."""
    names = several[0].keys() if all(several) else ()
    shared = [name for name in names if all(name in tests for tests in several)]
    return {name: AnyOf(tuple(part for tests in several for part in _parts(tests[name], AnyOf))) for name in shared}


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
