"""Expressions: from the user's tree to bound values.

Each kind of node has one method; a kind without one is refused by name, so nothing of a user's text reaches an engine
that this module does not know (R01). Types follow `types`, `casts` and `comparisons`; functions come from `functions`
and `geometric`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from sqlglot import exp

from skydex.errors import BadQueryError, Located, UnknownFunctionError, near_names
from skydex.query import tree, types
from skydex.query.casts import cast
from skydex.query.comparisons import of_one_kind, spoken_kind, text_of_time
from skydex.query.geometric import GEOMETRY_FUNCTIONS, GeometryBinder
from skydex.query.growth import Growth
from skydex.query.languages import place_of
from skydex.query.rules import Rules
from skydex.query.scope import Scope, qualifier_of
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["ExpressionBinder", "Subqueries"]

Result = TypeVar("Result")


class Subqueries(Protocol):
    """Binds a query that stands inside an expression."""

    def __call__(self, query: exp.Expression, outer: Scope | None, /) -> tuple[exp.Query, tuple[Column, ...]]: ...


class ExpressionBinder:
    """Binds the expressions of one SELECT.

    Parameters
    ----------
    scope : Scope
        What names mean.
    subqueries : Subqueries
        How to bind queries inside expressions.
    growth : Growth
        Counts what functions write out.
    rules : Rules
        What the query's language means.
    """

    def __init__(self, scope: Scope, subqueries: Subqueries, growth: Growth, rules: Rules) -> None:
        self._scope = scope
        self._subqueries = subqueries
        self._growth = growth
        self._rules = rules
        self._geometry = GeometryBinder(self.bind, self._numeric)
        self.has_aggregates = False
        """Whether an aggregate function has been bound."""
        self.has_windows = False
        """Whether a function with OVER has been bound."""

    def bind(self, node: exp.Expression) -> Value:
        """Bind one expression.

        Raises
        ------
        RequestError
            A name, function or type that does not fit, located where the text says it.
        """
        method = self._rules.methods.get(type(node)) or _METHODS.get(type(node))
        if method is None:
            raise BadQueryError(f"{_spoken(node)} cannot stand here.", **place_of(node))
        value = method(self, node)
        if isinstance(node, exp.Anonymous | exp.Case):  # the nodes whose parts may be repeated
            self._growth.add(value.node)
        return value

    def condition(self, node: exp.Expression) -> exp.Expression:
        """Bind an expression that must be true or false."""
        value = self.bind(node)
        if value.column.datatype is not Datatype.BOOLEAN and not value.is_null:
            raise BadQueryError("A condition is expected here, such as x = 1.", **place_of(node))
        return value.node

    def _column(self, node: exp.Column) -> Value:
        value = self._scope.column(node.name, qualifier_of(node), at=node)
        value.node.meta.update(node.meta)
        return value if value.column.name == node.name else value.meaning(name=node.name)

    def literal(self, node: exp.Literal) -> Value:
        """Bind a number or text that is written out."""
        if node.is_string:
            unicode = not node.this.isascii()
            if "\x00" in node.this:
                raise BadQueryError("A text must not hold the character NUL.", **place_of(node))
            length = len(node.this.encode("utf-16-be", "surrogatepass")) // 2  # as `arraysize` counts
            column = types.text(length, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR)
            return Value(tree.string(node.this), column)
        return _number(node)

    def _null(self, _: exp.Null) -> Value:
        return Value(exp.Null(), types.text(1))

    def _boolean(self, node: exp.Boolean) -> Value:
        return Value(exp.Boolean(this=bool(node.this)), types.BOOLEAN)

    def _paren(self, node: exp.Paren) -> Value:
        inner = self.bind(node.this)
        return replace(inner, node=exp.Paren(this=inner.node))

    def _negative(self, node: exp.Neg) -> Value:
        value = self._numeric(node.this)
        if value.column.datatype.is_integer and value.constant is None:
            value = Value(_widened(value, Datatype.LONG, "bigint"), replace(value.column, datatype=Datatype.LONG))
        return replace(value, node=exp.Neg(this=_guarded(value.node))).meaning(name="", ucd=None)

    def _arithmetic(self, node: exp.Binary) -> Value:
        left, right = self._numeric(node.this), self._numeric(node.expression)
        column = replace(types.arithmetic(left.column, right.column), unit=_unit(node, left, right))
        return Value(_operation(type(node), left, right, column), column)

    def _concatenation(self, node: exp.DPipe) -> Value:
        parts = [self._text(part) for part in tree.flattened(node, exp.DPipe)]
        lengths = [part.column.max_length for part in parts]
        total = None if None in lengths else sum(length for length in lengths if length is not None)
        unicode = any(part.column.datatype is Datatype.UNICODE_CHAR for part in parts)
        column = types.text(total, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR)
        return Value(tree.conjunction([part.node for part in parts], exp.DPipe), column)

    def _connector(self, node: exp.Connector) -> Value:
        kind = type(node)
        parts = [self.condition(part) for part in tree.flattened(node, kind)]
        return Value(tree.conjunction(parts, kind), types.BOOLEAN)

    def _not(self, node: exp.Not) -> Value:
        return Value(exp.Not(this=exp.Paren(this=self.condition(node.this))), types.BOOLEAN)

    def _comparison(self, node: exp.Binary) -> Value:
        test = self.shapes_compared(node)
        if test is not None:
            return test
        left, right = self._comparable(self.bind(node.this), self.bind(node.expression), node)
        return Value(type(node)(this=_guarded(left), expression=_guarded(right)), types.BOOLEAN)

    def shapes_compared(self, node: exp.Binary) -> Value | None:
        """The test that a comparison of a geometry function with a number is, if it is one."""
        test = self._geometry.comparison(node)
        return Value(test, types.BOOLEAN) if test is not None else None

    def _between(self, node: exp.Between) -> Value:
        subject = self.bind(node.this)
        middle, low = self._comparable(subject, self.bind(node.args["low"]), node)
        _, high = self._comparable(subject, self.bind(node.args["high"]), node)
        return Value(exp.Between(this=_guarded(middle), low=_guarded(low), high=_guarded(high)), types.BOOLEAN)

    def _in(self, node: exp.In) -> Value:
        subject = self.bind(node.this)
        query = node.args.get("query")
        if query is not None:
            bound, column = self.rows_of(query)
            self._comparable(subject, Value(bound, column), node)
            return Value(exp.In(this=_guarded(subject.node), query=exp.Subquery(this=bound)), types.BOOLEAN)
        pairs = [self._comparable(subject, self.bind(item), node) for item in node.expressions]
        return Value(exp.In(this=_guarded(pairs[0][0]), expressions=[item for _, item in pairs]), types.BOOLEAN)

    def _comparable(self, left: Value, right: Value, node: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
        if left.column.is_array or right.column.is_array:
            hint = "for geometries there are CONTAINS, INTERSECTS and DISTANCE"
            raise BadQueryError(f"Arrays and geometries are not compared: {hint}.", **place_of(node))
        return self.located(node, lambda: self._rules.comparable(left, right, node))

    def _like(self, node: exp.Binary) -> Value:
        left, right = self._text(node.this), self._text(node.expression)
        return Value(type(node)(this=_guarded(left.node), expression=_guarded(right.node)), types.BOOLEAN)

    def _is_null(self, node: exp.Is) -> Value:
        subject = self.bind(node.this)
        if not isinstance(node.expression, exp.Null):
            raise BadQueryError("IS is followed by NULL or NOT NULL.", **place_of(node))
        return Value(exp.Is(this=_guarded(subject.node), expression=exp.Null()), types.BOOLEAN)

    def _case(self, node: exp.Case) -> Value:
        subject = self.bind(node.this) if node.this is not None else None
        conditions = [self._when(subject, branch.this) for branch in node.args["ifs"]]
        outcomes = [self.bind(branch.args["true"]) for branch in node.args["ifs"]]
        default = self.bind(node.args["default"]) if node.args.get("default") is not None else None
        values = self.located(node, lambda: of_one_kind([*outcomes, *([default] if default is not None else [])]))
        column = types.common_of(value.column for value in values if not value.is_null)
        if column is None:
            raise BadQueryError(
                "The branches of CASE must be of one kind, such as all numbers or all text.", **place_of(node)
            )
        ifs = [exp.If(this=test, true=value.node) for test, value in zip(conditions, values, strict=False)]
        return Value(exp.Case(ifs=ifs, default=values[-1].node if default else None), replace(column, name="case"))

    def _when(self, subject: Value | None, node: exp.Expression) -> exp.Expression:
        if subject is None:
            return self.condition(node)
        left, right = self._comparable(subject, self.bind(node), node)
        return exp.EQ(this=_guarded(left), expression=_guarded(right))

    def _cast(self, node: exp.Cast) -> Value:
        value = self.bind(node.this)
        return self.located(node, lambda: cast(value, node.args["to"]))

    def _exists(self, node: exp.Exists) -> Value:
        bound, _ = self._subqueries(node.this, self._scope)
        return Value(exp.Exists(this=bound), types.BOOLEAN)

    def _subquery(self, node: exp.Subquery) -> Value:
        bound, column = self.rows_of(node)
        return Value(exp.Subquery(this=bound), column)

    def rows_of(self, node: exp.Expression) -> tuple[exp.Expression, Column]:
        """Bind a query of one column."""
        inner = node.this if isinstance(node, exp.Subquery) else node
        bound, columns = self._subqueries(inner, self._scope)
        if len(columns) != 1:
            raise BadQueryError(f"A subquery used as a value selects one column, not {len(columns)}.", **place_of(node))
        return bound, columns[0]

    def _function(self, node: exp.Anonymous) -> Value:
        name, rules = node.name.upper(), self._rules
        if name in GEOMETRY_FUNCTIONS:
            return self._geometry.call(node)
        if name in rules.calls:
            return rules.calls[name](self, node)
        if name in rules.aggregates:
            return self._aggregate(node, name)
        if name not in rules.scalars:
            known = [*rules.scalars, *rules.calls, *rules.aggregates, *GEOMETRY_FUNCTIONS]
            near, hint = near_names(node.name, known), rules.foreign.get(name, "")
            raise UnknownFunctionError(node.name, near=near, hint=hint, **place_of(node))
        return self.located(node, lambda: rules.scalars[name].apply([self.bind(item) for item in node.expressions]))

    def _aggregate(self, node: exp.Anonymous, name: str) -> Value:
        self.has_aggregates = True
        value = self._aggregated(node, name)
        for aggregate in tree.outermost_aggregates(value.node):
            aggregate.meta.update(node.meta)
        return value

    def _aggregated(self, node: exp.Anonymous, name: str) -> Value:
        arguments: Sequence[exp.Expression] = node.expressions
        if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
            if name != "COUNT":
                raise BadQueryError(f"{name}(*) has no meaning; COUNT(*) has.", **place_of(node))
            return Value(exp.Count(this=exp.Star()), Column("count", Datatype.LONG, ucd="meta.number"))
        distinct = len(arguments) == 1 and isinstance(arguments[0], exp.Distinct)
        items = arguments[0].expressions if distinct else arguments
        value = self.located(node, lambda: self._rules.aggregates[name].apply([self.bind(item) for item in items]))
        if distinct:
            if not isinstance(value.node, exp.Avg | exp.Count | exp.Max | exp.Min | exp.Sum):
                raise BadQueryError("DISTINCT stands only in COUNT, SUM, AVG, MIN and MAX.", **place_of(node))
            value.node.set("this", exp.Distinct(expressions=[value.node.this]))
        return value

    def located(self, node: exp.Expression, apply: Callable[[], Result]) -> Result:
        """Apply a function, and let its complaints point at a node."""
        try:
            return apply()
        except Located as error:
            if error.line is not None:
                raise
            raise error.at(place_of(node)) from error

    def _numeric(self, node: exp.Expression) -> Value:
        value = self.bind(node)
        if value.is_null or (value.column.datatype.is_numeric and not value.column.is_array):
            return value
        hint = " ivo_to_mjd makes a number of a time." if value.column.is_timestamp else ""
        raise BadQueryError(f"A number is expected here, not {spoken_kind(value.column)}.{hint}", **place_of(node))

    def _text(self, node: exp.Expression) -> Value:
        value = self.bind(node)
        if not value.column.datatype.is_text:
            hint = "CAST(... AS VARCHAR) makes text of it"
            raise BadQueryError(f"Text is expected here, not {spoken_kind(value.column)}: {hint}.", **place_of(node))
        if value.column.is_timestamp:
            return Value(text_of_time(value), types.text(26))
        return value


_METHODS: dict[type[exp.Expression], Callable[[ExpressionBinder, Any], Value]] = {
    exp.Column: ExpressionBinder._column,
    exp.Literal: ExpressionBinder.literal,
    exp.Null: ExpressionBinder._null,
    exp.Boolean: ExpressionBinder._boolean,
    exp.Paren: ExpressionBinder._paren,
    exp.Neg: ExpressionBinder._negative,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div), ExpressionBinder._arithmetic),
    exp.DPipe: ExpressionBinder._concatenation,
    **dict.fromkeys((exp.And, exp.Or), ExpressionBinder._connector),
    exp.Not: ExpressionBinder._not,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), ExpressionBinder._comparison),
    exp.Between: ExpressionBinder._between,
    exp.In: ExpressionBinder._in,
    **dict.fromkeys((exp.Like, exp.ILike), ExpressionBinder._like),
    exp.Is: ExpressionBinder._is_null,
    exp.Case: ExpressionBinder._case,
    exp.Cast: ExpressionBinder._cast,
    exp.Exists: ExpressionBinder._exists,
    exp.Subquery: ExpressionBinder._subquery,
    exp.Anonymous: ExpressionBinder._function,
}


def _number(node: exp.Literal) -> Value:
    text = node.this
    if text.isdigit() and len(text) < 20:
        value = int(text)
        if value < 2**31:
            return Value(tree.integer(value), Column("", Datatype.INT))
        if value < 2**63:
            return Value(tree.integer(value), types.LONG)
    if not math.isfinite(float(text)):
        raise BadQueryError("A number so large is more than a double can hold.", **place_of(node))
    return Value(tree.number(float(text)), types.DOUBLE)


def _operation(kind: type[exp.Expression], left: Value, right: Value, column: Column) -> exp.Expression:
    """Arithmetic on long or double; a division by zero is null."""
    neutral = "bigint" if column.datatype is Datatype.LONG else "double"
    this, that = (_widened(value, column.datatype, neutral) for value in (left, right))
    if kind is exp.Div:
        zero_free = tree.call(exp.Nullif, that, tree.integer(0))
        return (exp.IntDiv if column.datatype is Datatype.LONG else exp.Div)(this=this, expression=zero_free)
    return kind(this=this, expression=that)


def _widened(value: Value, datatype: Datatype, neutral: str) -> exp.Expression:
    if value.column.datatype is datatype or value.constant is not None:
        return _guarded(value.node)
    return exp.Cast(this=value.node, to=exp.DataType.build(neutral))


def _guarded(node: exp.Expression) -> exp.Expression:
    """In parentheses if an operator beside it could take it apart."""
    loose = (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In, exp.Case)
    return exp.Paren(this=node) if isinstance(node, loose) else node


def _unit(node: exp.Expression, left: Value, right: Value) -> str | None:
    """Unit of a sum stays where both sides agree or one is a bare number; products lose it."""
    if not isinstance(node, exp.Add | exp.Sub):
        return None
    units = {value.column.unit for value in (left, right) if value.constant is None}
    return units.pop() if len(units) == 1 else None


def _spoken(node: exp.Expression) -> str:
    """Name of a construct as a user would say it."""
    return "".join(f" {letter}" if letter.isupper() else letter for letter in type(node).__name__).strip().upper()
