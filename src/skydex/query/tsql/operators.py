"""Operators and predicates of T-SQL: `+` on texts, division of integers, bits, LIKE with sets, CASE, IN.

A division by zero is null, as SQL Server has it with ARITHABORT and ANSI_WARNINGS off, not the end of the query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import spoken_kind
from skydex.query.languages import place_of
from skydex.query.rules import Expressions, Method
from skydex.query.tsql.calendar import days_later
from skydex.query.tsql.collation import comparable, like, sped_up
from skydex.query.tsql.dates import moment
from skydex.query.tsql.kinds import INT, as_bigint, as_double, guarded, is_flag, is_text, number, text
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["METHODS", "alike"]


def _literal(binder: Expressions, node: exp.Literal) -> Value:
    """A literal; a number without exponent is a decimal, which as text has the digits that are written."""
    value = binder.literal(node)
    if value.column.datatype.is_floating and "e" not in node.this.lower():
        value.node.meta["decimal"] = node.this
    return value


def _add(binder: Expressions, node: exp.Add) -> Value:
    left, right = binder.bind(node.this), binder.bind(node.expression)
    return binder.located(node, lambda: _sum(left, right))


def _sum(left: Value, right: Value) -> Value:
    if left.column.is_timestamp or right.column.is_timestamp:
        return days_later(*((left, right) if left.column.is_timestamp else (right, left)), sign=1)
    if all(is_text(value) or value.is_null for value in (left, right)) and not (left.is_null and right.is_null):
        return _joined(left, right)
    return _computed(exp.Add, left, right)


def _joined(left: Value, right: Value) -> Value:
    """Two texts, one behind the other; null if one of them is (CONCAT_NULL_YIELDS_NULL)."""
    lengths = [value.column.max_length for value in (left, right)]
    total = None if None in lengths else sum(length for length in lengths if length is not None)
    unicode = Datatype.UNICODE_CHAR in (left.column.datatype, right.column.datatype)
    column = types.text(total, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR)
    parts = [part for value in (left, right) for part in tree.flattened(value.node, exp.DPipe)]
    return Value(tree.conjunction([guarded(part) for part in parts], exp.DPipe), column)


def _subtract(binder: Expressions, node: exp.Sub) -> Value:
    left, right = binder.bind(node.this), binder.bind(node.expression)
    if left.column.is_timestamp and not right.column.is_timestamp:
        return binder.located(node, lambda: days_later(left, right, sign=-1))
    return binder.located(node, lambda: _computed(exp.Sub, left, right))


def _arithmetic(binder: Expressions, node: exp.Binary) -> Value:
    left, right = binder.bind(node.this), binder.bind(node.expression)
    return binder.located(node, lambda: _computed(type(node), left, right))


def _computed(kind: type[exp.Expression], left: Value, right: Value) -> Value:
    unit = _unit(kind, left, right)
    left, right = number(left), number(right)
    column = replace(types.arithmetic(left.column, right.column), unit=unit)
    widened = as_bigint if column.datatype is Datatype.LONG else as_double
    this, that = widened(left), widened(right)
    if kind in (exp.Div, exp.Mod):
        that = tree.call(exp.Nullif, that, tree.integer(0))
    if kind is exp.Div and column.datatype is Datatype.LONG:
        kind = exp.IntDiv
    return Value(kind(this=this, expression=that), column)


def _unit(kind: type[exp.Expression], left: Value, right: Value) -> str | None:
    if kind not in (exp.Add, exp.Sub):
        return None
    units = {value.column.unit for value in (left, right) if value.constant is None}
    return units.pop() if len(units) == 1 else None


def _bits(binder: Expressions, node: exp.Binary) -> Value:
    left, right = binder.bind(node.this), binder.bind(node.expression)
    return binder.located(node, lambda: _with_bits(type(node), left, right))


def _with_bits(kind: type[exp.Expression], left: Value, right: Value) -> Value:
    operands = [as_bigint(_integer(value)) for value in (left, right)]
    return Value(exp.Paren(this=kind(this=operands[0], expression=operands[1])), types.LONG)


def _integer(value: Value) -> Value:
    given = number(value)
    if not (given.column.datatype.is_integer or given.is_null):
        raise BadQueryError(f"The operators of bits need integers, not {spoken_kind(given.column)} with a fraction.")
    return given


def _inverted(binder: Expressions, node: exp.BitwiseNot) -> Value:
    value = binder.bind(node.this)
    if is_flag(value):
        return Value(exp.Not(this=guarded(value.node)), types.BOOLEAN)
    return binder.located(
        node, lambda: Value(exp.Paren(this=exp.BitwiseNot(this=as_bigint(_integer(value)))), types.LONG)
    )


def _negative(binder: Expressions, node: exp.Neg) -> Value:
    value = binder.bind(node.this)
    return binder.located(node, lambda: _negated(number(value)))


def _negated(value: Value) -> Value:
    if value.column.datatype.is_integer and value.constant is None:
        value = Value(as_bigint(value), replace(value.column, datatype=Datatype.LONG))
    return replace(value, node=exp.Neg(this=guarded(value.node))).meaning(name="", ucd=None)


def _like(binder: Expressions, node: exp.Like) -> Value:
    return _matched(binder, node, "")


def _like_with_escape(binder: Expressions, node: exp.Escape) -> Value:
    escape = node.expression.name
    if not isinstance(node.expression, exp.Literal) or len(escape) != 1 or not isinstance(node.this, exp.Like):
        raise BadQueryError("ESCAPE is followed by one character in single quotes.", **place_of(node))
    return _matched(binder, node.this, escape)


def _matched(binder: Expressions, node: exp.Like, escape: str) -> Value:
    subject, pattern = binder.bind(node.this), binder.bind(node.expression)
    return binder.located(node, lambda: like(text(subject), text(pattern), escape))


def _in(binder: Expressions, node: exp.In) -> Value:
    subject, query = binder.bind(node.this), node.args.get("query")
    if query is None:
        return _in_list(binder, node, subject)
    rows = binder.rows_of(query)
    return binder.located(node, lambda: _in_rows(subject, *rows, node=node))


def _in_list(binder: Expressions, node: exp.In, subject: Value) -> Value:
    pairs = []
    for item in node.expressions:
        value = binder.bind(item)
        pairs.append(_pair(binder, subject, value, node))
    left = next((this for this, that in pairs if not isinstance(that, exp.Null)), pairs[0][0])
    return Value(exp.In(this=guarded(left), expressions=[guarded(that) for _, that in pairs]), types.BOOLEAN)


def _pair(
    binder: Expressions, left: Value, right: Value, node: exp.Expression
) -> tuple[exp.Expression, exp.Expression]:
    pair: list[tuple[exp.Expression, exp.Expression]] = []

    def compare() -> Value:
        pair.append(comparable(left, right, node))
        return left

    binder.located(node, compare)
    return pair[0]


def _in_rows(subject: Value, rows: exp.Expression, column: Column, *, node: exp.Expression) -> Value:
    listed = Value(tree.column("listed", "c0"), column)
    left, right = comparable(subject, listed, node)
    if right is not listed.node:
        alias = exp.TableAlias(this=exp.to_identifier("listed"))
        source = exp.Subquery(this=rows, alias=alias)
        rows = exp.Select(expressions=[exp.Alias(this=right, alias=exp.Identifier(this="c0", quoted=True))])
        rows.set("from_", exp.From(this=source))
    return Value(exp.In(this=guarded(left), query=exp.Subquery(this=rows)), types.BOOLEAN)


def _between(binder: Expressions, node: exp.Between) -> Value:
    subject = binder.bind(node.this)
    at_least, low = _pair(binder, subject, binder.bind(node.args["low"]), node)
    at_most, high = _pair(binder, subject, binder.bind(node.args["high"]), node)
    if at_least == at_most and not subject.is_null:
        return Value(exp.Between(this=guarded(at_least), low=guarded(low), high=guarded(high)), types.BOOLEAN)
    above = exp.GTE(this=guarded(at_least), expression=guarded(low))
    below = exp.LTE(this=guarded(at_most), expression=guarded(high))
    return Value(exp.Paren(this=exp.And(this=above, expression=below)), types.BOOLEAN)


def _case(binder: Expressions, node: exp.Case) -> Value:
    subject = binder.bind(node.this) if node.this is not None else None
    tests = [_when(binder, subject, branch.this) for branch in node.args["ifs"]]
    given = [binder.bind(branch.args["true"]) for branch in node.args["ifs"]]
    default = node.args.get("default")
    if default is not None:
        given.append(binder.bind(default))
    return binder.located(node, lambda: _chosen(tests, given, has_default=default is not None))


def _when(binder: Expressions, subject: Value | None, node: exp.Expression) -> exp.Expression:
    if subject is None:
        return binder.condition(node)
    left, right = _pair(binder, subject, binder.bind(node), node)
    return exp.EQ(this=guarded(left), expression=guarded(right))


def _chosen(tests: Sequence[exp.Expression], given: Sequence[Value], *, has_default: bool) -> Value:
    values, column = alike(given)
    ifs = [exp.If(this=test, true=value.node) for test, value in zip(tests, values, strict=False)]
    return Value(exp.Case(ifs=ifs, default=values[-1].node if has_default else None), column)


def alike(values: Sequence[Value]) -> tuple[list[Value], Column]:
    """Values that stand for one another, in the one type that takes precedence over theirs, and that type."""
    known = [value for value in values if not value.is_null]
    if not known:
        return list(values), INT
    if any(value.column.is_timestamp for value in known):
        made = [moment(value) for value in values]
    elif all(is_text(value) or is_flag(value) for value in known) and any(is_text(value) for value in known):
        made = [text(value) for value in values]
    elif any(value.column.datatype.is_numeric for value in known) and not any(v.column.is_array for v in known):
        made = [value if value.is_null else number(value) for value in values]
    else:
        made = list(values)
    column = types.common_of(value.column for value in made if not value.is_null)
    if column is None:
        raise BadQueryError("The branches must be of one kind, such as all numbers or all text.")
    return made, replace(column, name="")


def _compared_with_rows(binder: Expressions, node: exp.Binary) -> Value:
    """A comparison with ALL or ANY row of a query, or with a value."""
    quantifier = node.expression
    if not isinstance(quantifier, exp.All | exp.Any):
        test = binder.shapes_compared(node)
        if test is not None:
            return test
        values = binder.bind(node.this), binder.bind(quantifier)
        left, right = _pair(binder, *values, node)
        test = type(node)(this=guarded(left), expression=guarded(right))
        return Value(sped_up(test, *values), types.BOOLEAN)
    subject, (rows, column) = binder.bind(node.this), binder.rows_of(quantifier.this)
    value = Value(tree.column("listed", "c0"), column)
    left, right = _pair(binder, subject, value, node)
    if right is not value.node:
        raise BadQueryError("ALL and ANY compare numbers or times with those of a query.", **place_of(node))
    return Value(type(node)(this=guarded(left), expression=type(quantifier)(this=rows)), types.BOOLEAN)


METHODS: dict[type[exp.Expression], Method] = {
    exp.Literal: _literal,
    exp.Add: _add,
    exp.Sub: _subtract,
    **dict.fromkeys((exp.Mul, exp.Div, exp.Mod), _arithmetic),
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor), _bits),
    exp.BitwiseNot: _inverted,
    exp.Neg: _negative,
    exp.Like: _like,
    exp.Escape: _like_with_escape,
    exp.Between: _between,
    exp.In: _in,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _compared_with_rows),
    exp.Case: _case,
}
