"""Bind: from a tree of names to a tree of known things.

Takes the tree of a query language or of `build`, resolves every table, column and function against a namespace, and
gives a `BoundQuery`: a neutral tree whose columns are `c0, c1, ...`, and for each of them name, type, unit, UCD and
description. Clauses follow SQL-92 as ADQL 2.1 takes it over (section 2.2); standing expressions are `expressions`'
affair, what may be read is `prune`'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from skydex.errors import BadQueryError, QueryTooLargeError, UnknownTableError
from skydex.query import tree, types
from skydex.query.expressions import ExpressionBinder
from skydex.query.from_clause import FromBinder
from skydex.query.groups import check_groups
from skydex.query.growth import Growth
from skydex.query.languages import QueryLimits, place_of
from skydex.query.namespace import Namespace
from skydex.query.scope import Scope, Source, qualifier_of
from skydex.query.tree import Compute, InRegion, Near
from skydex.query.values import Value, whole_number
from skydex.tables import Column

__all__ = ["BoundQuery", "bind"]

_SET_OPERATIONS = (exp.Union, exp.Except, exp.Intersect)
_LIMITS = QueryLimits()
_MOST_ROWS = 2**62
"""A larger number of rows means all of them."""


@dataclass(frozen=True)
class BoundQuery:
    """A query whose every name is known."""

    tree: exp.Query
    """Neutral; its output columns are called c0, c1, ..."""
    columns: tuple[Column, ...]
    """What the output columns are called by the user, and mean."""
    sources: dict[str, Source]
    """The tables it reads, by their name in the tree."""

    def __str__(self) -> str:
        shown = self.tree.copy()
        for node in list(shown.find_all(InRegion, Near, Compute)):
            node.replace(node.spoken())
        return str(shown.sql(pretty=True))


def bind(query: exp.Query, namespace: Namespace) -> BoundQuery:
    """Resolve a query against the tables that its author can see.

    Raises
    ------
    RequestError
        An unknown or ambiguous name, a wrong type, a column that is not grouped; with its place in the text.
    """
    binder = _QueryBinder(namespace)
    bound, columns = binder.query(query, None)
    return BoundQuery(bound, columns, binder.sources)


@dataclass(frozen=True)
class _Named:
    """A common table expression; `query` is None while it is not yet known."""

    query: exp.Query | None = None
    columns: tuple[Column, ...] = ()
    n_nodes: int = 0


@dataclass
class _QueryBinder:
    """What all SELECTs of one query share: the namespace, the sources found, the common table expressions."""

    namespace: Namespace
    sources: dict[str, Source] = field(default_factory=dict)
    growth: Growth = field(default_factory=Growth)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _named: list[dict[str, _Named]] = field(default_factory=list)

    def query(self, node: exp.Expression, outer: Scope | None) -> tuple[exp.Query, tuple[Column, ...]]:
        """Bind a SELECT, a set operation, or either in parentheses."""
        with_ = node.args.get("with_")
        self._named.append({})
        try:
            if with_ is not None:
                self._name_common_tables(with_.expressions, outer)
            if isinstance(node, _SET_OPERATIONS):
                return self._set_operation(node, outer)
            if isinstance(node, exp.Subquery):
                return self._wrapped(node, outer)
            if isinstance(node, exp.Select):
                return _SelectBinder(self, outer).bind(node)
        finally:
            self._named.pop()
        raise BadQueryError("A query begins with SELECT or WITH.", **place_of(node))

    def table(self, node: exp.Table) -> tuple[Source, exp.Expression]:
        """A table, or a common table expression, as a source and as it stands in the neutral tree."""
        name = ".".join(part.name for part in node.parts)
        named = self._find_named(node)
        if named is not None:
            return self._common_table(node, named)
        relation = self.namespace.get(name, **place_of(node))
        columns = relation.table.columns_by_name
        source = Source(f"t{next(self._numbers)}", node.alias or relation.table.name, columns, relation)
        self.sources[source.identifier] = source
        return source, exp.Table(this=exp.to_identifier(source.identifier), alias=_table_alias(source))

    def derived(self, alias: str, query: exp.Query, columns: Sequence[Column]) -> tuple[Source, exp.Expression]:
        """A bound query in FROM, as a source and as it stands in the neutral tree."""
        source = Source(f"t{next(self._numbers)}", alias, {f"c{i}": column for i, column in enumerate(columns)})
        return source, exp.Subquery(this=query, alias=_table_alias(source))

    def _name_common_tables(self, nodes: Sequence[exp.CTE], outer: Scope | None) -> None:
        """Bind the common table expressions of a WITH, each of which knows those before it."""
        here = self._named[-1]
        for node in nodes:
            if node.alias.lower() in here:
                raise BadQueryError(f'WITH defines "{node.alias}" twice.', **place_of(node.args["alias"]))
            here[node.alias.lower()] = _Named()
            query, columns = self.query(node.this, outer)
            here[node.alias.lower()] = _Named(query, columns, sum(1 for _ in tree.walk(query)))

    def _find_named(self, node: exp.Table) -> _Named | None:
        """The common table expression that a table of one part means, unless it is only being defined."""
        if len(node.parts) > 1:
            return None
        named = next((level[node.name.lower()] for level in reversed(self._named) if node.name.lower() in level), None)
        if named is not None and named.query is None and self.namespace.find(node.name) is None:
            where = "the WITH before it: a query in WITH knows those before it, and never itself"
            raise UnknownTableError(node.name, where=where, **place_of(node))
        return named if named is not None and named.query is not None else None

    def _common_table(self, node: exp.Table, named: _Named) -> tuple[Source, exp.Expression]:
        """A copy of a common table expression."""
        assert named.query is not None
        self.growth.add_nodes(named.n_nodes)
        return self.derived(node.alias or node.name, named.query.copy(), named.columns)

    def _wrapped(self, node: exp.Subquery, outer: Scope | None) -> tuple[exp.Query, tuple[Column, ...]]:
        """A query in parentheses, which may have its own ORDER BY."""
        bound, columns = self.query(node.this, outer)
        return self._tailed(bound, columns, node)

    def _set_operation(self, node: exp.SetOperation, outer: Scope | None) -> tuple[exp.Query, tuple[Column, ...]]:
        left, left_columns = self.query(node.this, outer)
        right, right_columns = self.query(node.expression, outer)
        word = type(node).__name__.upper()
        if len(left_columns) != len(right_columns):
            n_left, n_right = len(left_columns), len(right_columns)
            raise BadQueryError(f"The two sides of {word} select {n_left} and {n_right} columns.", **place_of(node))
        nulls = [(_is_null(left, i), _is_null(right, i)) for i in range(len(left_columns))]
        columns = [_common(a, b, null) for a, b, null in zip(left_columns, right_columns, nulls, strict=True)]
        for column, a in zip(columns, left_columns, strict=True):
            if column is None:
                raise BadQueryError(f'The two sides of {word} have different types for "{a.name}".', **place_of(node))
        merged = type(node)(this=_operand(left), expression=_operand(right), distinct=bool(node.args.get("distinct")))
        known = tuple(column for column in columns if column is not None)
        return self._tailed(merged, known, node)

    def _tailed(
        self, bound: exp.Query, columns: tuple[Column, ...], node: exp.Expression
    ) -> tuple[exp.Query, tuple[Column, ...]]:
        """Add ORDER BY, TOP and OFFSET of a set operation or of parentheses, around the whole."""
        clauses = [node.args.get(clause) for clause in ("order", "limit", "offset")]
        if not any(clauses):
            return bound, columns
        source, item = self.derived("operation", bound, columns)
        outer = exp.Select(expressions=[_aliased(source.value(f"c{i}").node, i) for i in range(len(columns))])
        outer.set("from_", exp.From(this=item))
        if clauses[0] is not None:
            values = [source.value(f"c{i}").meaning(name=column.name) for i, column in enumerate(columns)]
            outer.set("order", _order(clauses[0], values, None))
        _set_row_limits(outer, node)
        return outer, columns


class _SelectBinder:
    """Binds one SELECT, clause by clause, in the order in which SQL gives them meaning."""

    def __init__(self, queries: _QueryBinder, outer: Scope | None) -> None:
        self._queries = queries
        self._scope = Scope(outer)
        self._expressions = ExpressionBinder(self._scope, queries.query, queries.growth)

    def bind(self, node: exp.Select) -> tuple[exp.Query, tuple[Column, ...]]:
        bound = exp.Select()
        from_ = node.args.get("from_")
        if from_ is not None:
            clause = FromBinder(self._queries, self._scope, self._expressions)
            item, joins = clause.bind(from_.this, node.args.get("joins") or ())
            bound.set("from_", exp.From(this=item))
            bound.set("joins", joins)
        where = node.args.get("where")
        if where is not None:
            bound.set("where", exp.Where(this=self._expressions.condition(where.this)))
        outputs = self._counted(self._outputs(node))
        keys = self._group(node, bound, outputs)
        having = node.args.get("having")
        if having is not None:
            bound.set("having", exp.Having(this=self._expressions.condition(having.this)))
        bound.set("expressions", [_aliased(value.node, i) for i, value in enumerate(outputs)])
        if node.args.get("distinct") is not None:
            bound.set("distinct", exp.Distinct())
        order = node.args.get("order")
        if order is not None:
            bound.set("order", _order(order, outputs, self._expressions))
            _check_distinct_order(bound, node)
        if keys is not None or having is not None or self._expressions.has_aggregates:
            check_groups(bound, keys, {source.identifier for source in self._scope.sources}, place_of(node))
        _set_row_limits(bound, node)
        return bound, tuple(value.column for value in outputs)

    def _counted(self, outputs: Iterator[Value]) -> list[Value]:
        """The outputs, of which stars must not make too many."""
        most = max([_LIMITS.columns, *(len(source.columns) for source in self._scope.sources)])
        counted = list(itertools.islice(outputs, most + 1))
        if len(counted) > most:
            raise QueryTooLargeError("SELECT list with what * means", limit=most, hint="Name the columns you need.")
        return counted

    def _outputs(self, node: exp.Select) -> Iterator[Value]:
        for position, item in enumerate(node.expressions, start=1):
            if isinstance(item, exp.Star):
                yield from self._star(node)
            elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
                source = self._scope.source_called(qualifier_of(item), at=item)
                yield from (source.value(key) for key in source.columns)
            else:
                yield self._output(item, position)

    def _star(self, node: exp.Select) -> Iterator[Value]:
        if not self._scope.sources:
            raise BadQueryError("SELECT * needs a FROM clause.", **place_of(node))
        yield from self._scope.star()

    def _output(self, item: exp.Expression, position: int) -> Value:
        if isinstance(item, exp.Alias):
            return self._expressions.bind(item.this).meaning(name=item.alias)
        value = self._expressions.bind(item)
        return value if value.column.name else value.meaning(name=f"col{position}")

    def _group(self, node: exp.Select, bound: exp.Select, outputs: Sequence[Value]) -> list[exp.Expression] | None:
        """Bind GROUP BY: columns, expressions, output names or positions."""
        group = node.args.get("group")
        if group is None:
            return None
        keys = [self._group_key(item, outputs) for item in group.expressions]
        for key in keys:
            self._queries.growth.add(key)
        bound.set("group", exp.Group(expressions=[_as_key(key) for key in keys]))
        return keys

    def _group_key(self, item: exp.Expression, outputs: Sequence[Value]) -> exp.Expression:
        if isinstance(item, exp.Literal) and not item.is_string:
            return outputs[_position(outputs, item, "GROUP BY") - 1].node
        if isinstance(item, exp.Column) and not item.table:
            named = [value for value in outputs if value.column.name.lower() == item.name.lower()]
            if named and not any(source.matches(item.name) for source in self._scope.sources):
                return named[0].node
        return self._expressions.bind(item).node


def _order(order: exp.Order, outputs: Sequence[Value], expressions: ExpressionBinder | None) -> exp.Order:
    """ORDER BY output names first, then positions, then expressions; nulls come last on every engine."""
    by_name: dict[str, int] = {}
    for position, value in enumerate(outputs, start=1):
        by_name.setdefault(value.column.name.lower(), position)
    keys = [(_order_key(item.this, outputs, by_name, expressions), item) for item in order.expressions]
    items = [exp.Ordered(this=key, desc=bool(item.args.get("desc")), nulls_first=False) for key, item in keys]
    return exp.Order(expressions=items)


def _check_distinct_order(bound: exp.Select, node: exp.Select) -> None:
    """Of rows that were made one, only what they have in common can order them (SQL-92, section 20.2)."""
    outputs = [alias.this for alias in bound.expressions]
    keys = [item.this for item in bound.args["order"].expressions]
    if bound.args.get("distinct") and any(not isinstance(key, exp.Literal) and key not in outputs for key in keys):
        raise BadQueryError("ORDER BY of SELECT DISTINCT names columns of the result.", **place_of(node.args["order"]))


def _order_key(
    node: exp.Expression,
    outputs: Sequence[Value],
    by_name: Mapping[str, int],
    expressions: ExpressionBinder | None,
) -> exp.Expression:
    if isinstance(node, exp.Literal) and not node.is_string:
        return tree.integer(_position(outputs, node, "ORDER BY"))
    if isinstance(node, exp.Column) and not node.table and node.name.lower() in by_name:
        return tree.integer(by_name[node.name.lower()])
    if expressions is None:
        raise BadQueryError("ORDER BY after a set operation names columns of the result.", **place_of(node))
    return _as_key(expressions.bind(node).node)


def _as_key(node: exp.Expression) -> exp.Expression:
    """A copy for GROUP BY or ORDER BY, where engines take a bare constant for a position or refuse it."""
    inner = node.unnest()
    if isinstance(inner, exp.Literal) and inner.is_string:
        return exp.Cast(this=inner.copy(), to=exp.DataType.build("varchar"))
    return (
        exp.Cast(this=node.copy(), to=exp.DataType.build("double")) if tree.constant(node) is not None else node.copy()
    )


def _position(outputs: Sequence[Value], node: exp.Literal, clause: str) -> int:
    """A position as GROUP BY and ORDER BY may have it, from 1."""
    position = whole_number(node.this) if node.this.isdigit() else 0
    if not 1 <= position <= len(outputs):
        raise BadQueryError(f"{clause} {node.this[:20]}: the result has columns 1 to {len(outputs)}.", **place_of(node))
    return position


def _set_row_limits(bound: exp.Query, node: exp.Expression) -> None:
    for clause, kind in (("limit", exp.Limit), ("offset", exp.Offset)):
        given = node.args.get(clause)
        if given is not None:
            bound.set(clause, kind(expression=tree.integer(min(whole_number(given.expression.this), _MOST_ROWS))))


def _is_null(query: exp.Expression, at: int) -> bool:
    """Whether a column of a bound query is NULL and nothing else, which is of every type."""
    if isinstance(query, _SET_OPERATIONS):
        return _is_null(query.this, at) and _is_null(query.expression, at)
    if isinstance(query, exp.Subquery):
        return _is_null(query.this, at)
    return isinstance(query.expressions[at].this, exp.Null)


def _common(left: Column, right: Column, nulls: tuple[bool, bool]) -> Column | None:
    if nulls[0] and not nulls[1]:
        return replace(right, name=left.name)
    return left if nulls[1] else types.common(left, right)


def _aliased(node: exp.Expression, position: int) -> exp.Alias:
    return exp.Alias(this=node, alias=exp.Identifier(this=f"c{position}", quoted=True))


def _table_alias(source: Source) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(source.identifier))


def _operand(query: exp.Query) -> exp.Expression:
    """A side of a set operation; one with its own order or limit stands in parentheses."""
    tailed = any(query.args.get(clause) for clause in ("order", "limit", "offset"))
    return exp.Subquery(this=query) if tailed or isinstance(query, _SET_OPERATIONS) else query
