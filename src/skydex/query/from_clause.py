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
from skydex.query.growth import Growth
from skydex.query.languages import place_of
from skydex.query.rules import Rules
from skydex.query.scope import Merged, Scope, Source
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["FromBinder"]


class Queries(Protocol):
    """What binds the tables and queries that stand in FROM."""

    growth: Growth
    rules: Rules

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
        self._scope.take_in(sources, at=first)
        bound: list[exp.Join] = []
        for chain in _chains(joins):
            if _reads_alone(chain):
                bound.append(self._beside(chain))
            else:
                bound += [self._join(join) for join in chain]
        return item, bound

    def _item(self, node: exp.Expression) -> tuple[Scope, exp.Expression]:
        """One entry of FROM: its sources, and how it stands in the neutral tree."""
        if isinstance(node, exp.Table):
            return _alone(*self._queries.table(node))
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query) and node.alias:
            bound, columns = self._queries.query(node.this, self._scope.outer)
            return _alone(*self._queries.derived(node.alias, bound, columns))
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery):
            return self._joined(node.this, node.this.args.get("joins") or ())
        raise BadQueryError("FROM names tables, or queries in parentheses with an alias.", **place_of(node))

    def _joined(self, first: exp.Expression, joins: Sequence[exp.Join]) -> tuple[Scope, exp.Expression]:
        """A join in parentheses, whose conditions see its own sources only."""
        inner = Scope(self._scope.outer)
        expressions = ExpressionBinder(inner, self._queries.query, self._queries.growth, self._queries.rules)
        binder = FromBinder(self._queries, inner, expressions)
        item, bound = binder.bind(first, joins)
        item.set("joins", bound)
        return inner, exp.Subquery(this=item)

    def _beside(self, chain: Sequence[exp.Join]) -> exp.Join:
        """What follows a comma, as if it stood in parentheses: an outer join there concerns nothing before it."""
        sources, item = self._joined(chain[0].this, chain[1:])
        self._scope.take_in(sources, at=chain[0].this)
        return exp.Join(this=item, kind="CROSS")

    def _applied(self, node: exp.Lateral) -> exp.Join:
        """A query that is asked anew for each row of what stands before it (T-SQL, APPLY)."""
        if not isinstance(node.this, exp.Subquery) or not node.alias:
            sentence = "APPLY takes a query in parentheses, or a table function that is offered, and a name behind it."
            raise BadQueryError(sentence, **place_of(node))
        bound, columns = self._queries.query(node.this.this, self._scope)
        sources, item = _alone(*self._queries.derived(node.alias, bound, columns))
        self._scope.take_in(sources, at=node)
        if node.args.get("cross_apply"):
            return exp.Join(this=item, kind="CROSS")
        return exp.Join(this=item, side="LEFT", on=exp.Boolean(this=True))

    def _join(self, node: exp.Join) -> exp.Join:
        if isinstance(node.this, exp.Lateral):
            return self._applied(node.this)
        joined, item = self._item(node.this)
        before = Scope(None, list(self._scope.sources), list(self._scope.shown), dict(self._scope.merged))
        shared = _shared_names(node, before, joined)
        self._scope.take_in(joined, at=node.this)
        side = (node.side or "").upper()
        on = node.args.get("on")
        if shared:
            condition: exp.Expression | None = self._merge(shared, before, joined, side)
        else:
            condition = self._expressions.condition(on) if on is not None else None
        if condition is None and (side or (node.kind or "").upper() == "INNER"):
            raise BadQueryError("A JOIN needs ON, USING or NATURAL.", **place_of(node.this))
        words = {"side": side} if side else {} if condition is not None else {"kind": "CROSS"}
        return exp.Join(this=item, on=condition, **words)

    def _merge(self, names: Sequence[exp.Identifier], before: Scope, joined: Scope, side: str) -> exp.Expression:
        """Equate shared columns, and let their bare names mean the side that is never null."""
        conditions, merged = [], []
        for identifier in names:
            name = identifier.name
            left, right = (scope.column(name, at=identifier) for scope in (before, joined))
            pair = self._queries.rules.comparable(left, right, identifier)
            conditions.append(exp.EQ(this=pair[0], expression=pair[1]))
            members = before.members(name) | joined.members(name)
            merged.append(Merged(name, _merged(left, right, side), members))
        self._scope.merge(merged)
        return tree.conjunction(conditions)


def _alone(source: Source, item: exp.Expression) -> tuple[Scope, exp.Expression]:
    scope = Scope()
    scope.add(source)
    return scope, item


def _chains(joins: Sequence[exp.Join]) -> list[list[exp.Join]]:
    """Joins as commas part them; all chains but the first begin with the one that a comma made."""
    chains: list[list[exp.Join]] = [[]]
    for join in joins:
        if _is_comma(join):
            chains.append([])
        chains[-1].append(join)
    return chains


def _is_comma(join: exp.Join) -> bool:
    return not any(value for key, value in join.args.items() if key != "this")


def _reads_alone(chain: Sequence[exp.Join]) -> bool:
    """Whether what stands before a comma would change what a chain means: a comma binds less than JOIN does."""
    follows_comma = bool(chain) and _is_comma(chain[0])
    return follows_comma and any(join.side or join.method or join.args.get("using") for join in chain)


def _merged(left: Value, right: Value, side: str) -> Value:
    if side == "FULL":
        return replace(left, node=exp.Coalesce(this=left.node.copy(), expressions=[right.node.copy()]))
    return right if side == "RIGHT" else left


def _shared_names(node: exp.Join, before: Scope, joined: Scope) -> list[exp.Identifier]:
    """The columns of USING, or those that NATURAL finds."""
    using: list[exp.Identifier] = node.args.get("using") or []
    if using or (node.method or "").upper() != "NATURAL":
        return list({identifier.name.lower(): identifier for identifier in using}.values())
    shared = before.shared_names(joined)
    if not shared:
        raise BadQueryError("NATURAL JOIN of tables that have no column in common.", **place_of(node.this))
    return [exp.to_identifier(name) for name in shared]
