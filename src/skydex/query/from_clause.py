"""FROM: which sources a SELECT has, and how they are joined (SQL-92, sections 7.4 and 7.5).

NATURAL and USING become plain conditions; the columns that they merge are one column under their bare name, and
still two under their qualified ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree
from skydex.query.expressions import ExpressionBinder
from skydex.query.languages import place_of
from skydex.query.scope import Scope, Source
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["FromBinder"]


class Queries(Protocol):
    """What binds the tables and queries that stand in FROM."""

    def query(self, node: exp.Expression, outer: Scope | None, /) -> tuple[exp.Query, tuple[Column, ...]]: ...

    def table(self, node: exp.Table) -> tuple[Source, exp.Expression]: ...

    def derived(self, alias: str, query: exp.Query, columns: Sequence[Column]) -> tuple[Source, exp.Expression]: ...


class FromBinder:
    """Fills a scope with the sources of a FROM clause.

    Parameters
    ----------
    queries : Queries
        Binds tables and queries.
    scope : Scope
        Takes in the sources.
    expressions : ExpressionBinder
        Binds ON conditions in that scope.
    """

    def __init__(self, queries: Queries, scope: Scope, expressions: ExpressionBinder) -> None:
        self._queries = queries
        self._scope = scope
        self._expressions = expressions

    def bind(self, first: exp.Expression, joins: Sequence[exp.Join]) -> tuple[exp.Expression, list[exp.Join]]:
        """Bind the first entry and all that are joined to it."""
        sources, item = self._item(first)
        self._take_in(sources)
        return item, [self._join(join) for join in joins]

    def _item(self, node: exp.Expression) -> tuple[list[Source], exp.Expression]:
        """One entry of FROM: its sources, and how it stands in the neutral tree."""
        if isinstance(node, exp.Table):
            source, item = self._queries.table(node)
            return [source], item
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query) and node.alias:
            bound, columns = self._queries.query(node.this, self._scope.outer)
            source, item = self._queries.derived(node.alias, bound, columns)
            return [source], item
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery):
            return self._joined(node.this)
        raise BadQueryError("FROM names tables, or queries in parentheses with an alias.", **place_of(node))

    def _joined(self, first: exp.Expression) -> tuple[list[Source], exp.Expression]:
        """A join in parentheses, whose conditions see its own sources only."""
        inner = Scope(self._scope.outer)
        binder = FromBinder(self._queries, inner, ExpressionBinder(inner, self._queries.query))
        item, joins = binder.bind(first, first.args.get("joins") or ())
        item.set("joins", joins)
        self._scope.merged.update(inner.merged)
        return inner.sources, exp.Subquery(this=item)

    def _take_in(self, sources: Sequence[Source]) -> None:
        for source in sources:
            self._scope.add(source)

    def _join(self, node: exp.Join) -> exp.Join:
        sources, item = self._item(node.this)
        before = Scope(None, list(self._scope.sources), dict(self._scope.merged))
        shared = _shared_names(node, before, sources)
        self._take_in(sources)
        side = (node.side or "").upper()
        on = node.args.get("on")
        if shared:
            condition: exp.Expression | None = self._merge(shared, before, Scope(None, list(sources)), side)
        else:
            condition = self._expressions.condition(on) if on is not None else None
        if condition is None and (side or (node.kind or "").upper() == "INNER"):
            raise BadQueryError("A JOIN needs ON, USING or NATURAL.", **place_of(node.this))
        words = {"side": side} if side else {} if condition is not None else {"kind": "CROSS"}
        return exp.Join(this=item, on=condition, **words)

    def _merge(self, names: Sequence[str], before: Scope, joined: Scope, side: str) -> exp.Expression:
        """Equate shared columns, and let their bare names mean the side that is never null."""
        conditions = []
        for name in names:
            left, right = before.column(name), joined.column(name)
            conditions.append(exp.EQ(this=left.node, expression=right.node))
            self._scope.merged[name.lower()] = _merged(left, right, side)
        return tree.conjunction(conditions)


def _merged(left: Value, right: Value, side: str) -> Value:
    if side == "FULL":
        return replace(left, node=exp.Coalesce(this=left.node.copy(), expressions=[right.node.copy()]))
    return right if side == "RIGHT" else left


def _shared_names(node: exp.Join, before: Scope, sources: Sequence[Source]) -> list[str]:
    using = [identifier.name for identifier in node.args.get("using") or ()]
    if using or (node.args.get("method") or "").upper() != "NATURAL":
        return using
    here = {column.name.lower() for source in sources for column in source.columns.values()}
    there = [column.name for source in before.sources for column in source.columns.values()]
    shared = list(dict.fromkeys(name for name in there if name.lower() in here))
    if not shared:
        raise BadQueryError("NATURAL JOIN of tables that have no column in common.", **place_of(node.this))
    return shared
