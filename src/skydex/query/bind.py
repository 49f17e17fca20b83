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
from skydex.query.groups import check_groups, check_windows
from skydex.query.growth import Growth
from skydex.query.languages import QueryLimits, place_of
from skydex.query.namespace import Namespace
from skydex.query.rules import ADQL_RULES, Rules
from skydex.query.same_rows import distinct_rows, fold_groups, matching_rows, output
from skydex.query.scope import Scope, Source, qualifier_of
from skydex.query.tops import is_plain, top_rows
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


def bind(query: exp.Query, namespace: Namespace, rules: Rules = ADQL_RULES) -> BoundQuery:
    """Resolve a query against the tables that its author can see, under the rules of its language.

    Raises
    ------
    RequestError
        An unknown or ambiguous name, a wrong type, a column that is not grouped; with its place in the text.
    """
    binder = _QueryBinder(namespace, rules)
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
    rules: Rules
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
        source = Source(self.new_name(), node.alias or relation.table.name, columns, relation)
        self.sources[source.identifier] = source
        return source, exp.Table(this=exp.to_identifier(source.identifier), alias=_table_alias(source))

    def new_name(self) -> str:
        """A name that no source has."""
        return f"t{next(self._numbers)}"

    def derived(self, alias: str, query: exp.Query, columns: Sequence[Column]) -> tuple[Source, exp.Expression]:
        """A bound query in FROM, as a source and as it stands in the neutral tree."""
        source = Source(self.new_name(), alias, {f"c{i}": column for i, column in enumerate(columns)})
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
        known = tuple(column for column in columns if column is not None)
        distinct = bool(node.args.get("distinct"))
        if distinct and self.rules.is_folded([Value(tree.column("", "c"), column) for column in known]):
            return self._tailed(self._same(type(node), left, right, known), known, node)
        merged = type(node)(this=_operand(left), expression=_operand(right), distinct=distinct)
        return self._tailed(merged, known, node)

    def _same(
        self, kind: type[exp.SetOperation], left: exp.Query, right: exp.Query, columns: tuple[Column, ...]
    ) -> exp.Query:
        """A set operation on rows that can be the same though they differ."""
        if kind is exp.Union:
            both = exp.Union(this=_operand(left), expression=_operand(right), distinct=False)
            return distinct_rows(*self.derived("operation", both, columns), self.rules)[0]
        sides = (self.derived("left", left, columns), self.derived("right", right, columns))
        return matching_rows(*sides, kind=kind, rules=self.rules)

    def _tailed(
        self, bound: exp.Query, columns: tuple[Column, ...], node: exp.Expression
    ) -> tuple[exp.Query, tuple[Column, ...]]:
        """Add ORDER BY, TOP and OFFSET of a set operation or of parentheses, around the whole."""
        clauses = [node.args.get(clause) for clause in ("order", "limit", "offset")]
        if not any(clauses):
            return bound, columns
        source, item = self.derived("operation", bound, columns)
        outer = exp.Select(expressions=[output(source.value(f"c{i}").node, i) for i in range(len(columns))])
        outer.set("from_", exp.From(this=item))
        if clauses[0] is not None:
            values = [source.value(f"c{i}").meaning(name=column.name) for i, column in enumerate(columns)]
            outer.set("order", _order(clauses[0], values, None, self.rules))
        return self.limited(outer, node), columns

    def limited(self, bound: exp.Select, node: exp.Expression) -> exp.Select:
        """Add TOP and OFFSET to a SELECT that is complete but for them."""
        limit = node.args.get("limit")
        if is_plain(limit):
            _set_row_limits(bound, node)
            return bound
        return top_rows(bound, limit, self.new_name)


class _SelectBinder:
    """Binds one SELECT, clause by clause, in the order in which SQL gives them meaning."""

    def __init__(self, queries: _QueryBinder, outer: Scope | None) -> None:
        self._queries = queries
        self._scope = Scope(outer)
        self._rules = queries.rules
        self._expressions = ExpressionBinder(self._scope, queries.query, queries.growth, queries.rules)
        self._n_unnamed = 0

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
        bound.set("expressions", [output(value.node, i) for i, value in enumerate(outputs)])
        if node.args.get("distinct") is not None:
            bound.set("distinct", exp.Distinct())
        order = node.args.get("order")
        if order is not None:
            bound.set("order", _order(order, outputs, self._expressions, self._rules))
            self._check_distinct_order(bound, node, outputs)
        if keys is not None or having is not None or self._expressions.has_aggregates:
            nodes = [key.node for key in keys] if keys is not None else None
            check_groups(bound, nodes, {source.identifier for source in self._scope.sources}, place_of(node))
        if self._expressions.has_windows:
            check_windows(bound, place_of(node))
        if bound.args.get("distinct") and self._rules.is_folded(outputs):
            positions = self._order_positions(bound, outputs)
            fold_groups(bound, keys or (), self._rules)
            bound = self._distinct(bound, outputs, positions)
        else:
            fold_groups(bound, keys or (), self._rules)
        columns = tuple(value.column for value in outputs)
        return self._queries.limited(bound, node), columns

    def _order_positions(self, bound: exp.Select, outputs: Sequence[Value]) -> list[int]:
        """Which outputs the rows of a SELECT DISTINCT are ordered by, from 0."""
        keys = [self._rules.key(value) for value in outputs]
        ordered = [item.this for item in bound.args["order"].expressions] if bound.args.get("order") else []
        return [int(key.this) - 1 if isinstance(key, exp.Literal) else keys.index(key) for key in ordered]

    def _distinct(self, bound: exp.Select, outputs: Sequence[Value], positions: Sequence[int]) -> exp.Select:
        """The distinct rows of a SELECT where rows can be the same though they differ."""
        order = bound.args.get("order")
        bound.set("distinct", None)
        bound.set("order", None)
        derived = self._queries.derived("distinct", bound, [value.column for value in outputs])
        select, shown = distinct_rows(*derived, self._rules)
        if order is not None:
            for item, position in zip(order.expressions, positions, strict=True):
                item.set("this", self._rules.key(shown[position]).copy())
            select.set("order", order)
        return select

    def _check_distinct_order(self, bound: exp.Select, node: exp.Select, outputs: Sequence[Value]) -> None:
        """Of rows that were made one, only what they have in common can order them (SQL-92, section 20.2)."""
        known = [self._rules.key(value) for value in outputs]
        keys = [item.this for item in bound.args["order"].expressions]
        if bound.args.get("distinct") and any(not isinstance(key, exp.Literal) and key not in known for key in keys):
            raise BadQueryError(
                "ORDER BY of SELECT DISTINCT names columns of the result.", **place_of(node.args["order"])
            )

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
                yield from (source.value(key) for key in source.shown())
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
        if value.column.name and (self._rules.names_expressions or isinstance(item, exp.Column)):
            return value
        self._n_unnamed += 1
        return value.meaning(name=self._rules.unnamed(position, self._n_unnamed))

    def _group(self, node: exp.Select, bound: exp.Select, outputs: Sequence[Value]) -> list[Value] | None:
        """Bind GROUP BY: columns, expressions, output names or positions."""
        group = node.args.get("group")
        if group is None:
            return None
        keys = [self._group_key(item, outputs) for item in group.expressions]
        for key in keys:
            self._queries.growth.add(key.node)
        bound.set("group", exp.Group(expressions=[_as_key(key.node) for key in keys]))
        return keys

    def _group_key(self, item: exp.Expression, outputs: Sequence[Value]) -> Value:
        if isinstance(item, exp.Literal) and not item.is_string:
            return outputs[_position(outputs, item, "GROUP BY") - 1]
        if isinstance(item, exp.Column) and not item.table:
            named = [value for value in outputs if value.column.name.lower() == item.name.lower()]
            if named and not any(source.matches(item.name) for source in self._scope.sources):
                return named[0]
        return self._expressions.bind(item)


def _order(order: exp.Order, outputs: Sequence[Value], expressions: ExpressionBinder | None, rules: Rules) -> exp.Order:
    """ORDER BY output names first, then positions, then expressions; nulls stand alike on every engine."""
    by_name: dict[str, int] = {}
    for position, value in enumerate(outputs, start=1):
        by_name.setdefault(value.column.name.lower(), position)
    items = []
    for item in order.expressions:
        key, desc = _order_key(item.this, outputs, by_name, expressions, rules), bool(item.args.get("desc"))
        items.append(exp.Ordered(this=key, desc=desc, nulls_first=rules.nulls_are_least and not desc))
    return exp.Order(expressions=items)


def _order_key(
    node: exp.Expression,
    outputs: Sequence[Value],
    by_name: Mapping[str, int],
    expressions: ExpressionBinder | None,
    rules: Rules,
) -> exp.Expression:
    position = None
    if isinstance(node, exp.Literal) and not node.is_string:
        position = _position(outputs, node, "ORDER BY")
    elif isinstance(node, exp.Column) and not node.table:
        position = by_name.get(node.name.lower())
    if position is not None:
        value = outputs[position - 1]
        key = rules.key(value)
        return tree.integer(position) if key is value.node else key.copy()
    if expressions is None:
        raise BadQueryError("ORDER BY after a set operation names columns of the result.", **place_of(node))
    return _as_key(rules.key(expressions.bind(node)))


def _as_key(node: exp.Expression) -> exp.Expression:
    """A copy for GROUP BY or ORDER BY, where engines take a bare constant for a position or refuse it."""
    inner = node.unnest()
    if isinstance(inner, exp.Null) or (isinstance(inner, exp.Literal) and inner.is_string):
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


def _table_alias(source: Source) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(source.identifier))


def _operand(query: exp.Query) -> exp.Expression:
    """A side of a set operation; one with its own order or limit stands in parentheses."""
    tailed = any(query.args.get(clause) for clause in ("order", "limit", "offset"))
    return exp.Subquery(this=query) if tailed or isinstance(query, _SET_OPERATIONS) else query
