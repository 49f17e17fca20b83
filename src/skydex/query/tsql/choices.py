"""What chooses between values in Transact-SQL: ISNULL, COALESCE, NULLIF, IIF, CHOOSE, GREATEST, LEAST."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree
from skydex.query.languages import place_of
from skydex.query.rules import Expressions, Method
from skydex.query.tsql.call import Call
from skydex.query.tsql.collation import comparable
from skydex.query.tsql.kinds import as_bigint, guarded, is_text, number, text
from skydex.query.tsql.operators import alike
from skydex.query.values import Value

__all__ = ["CHOICES"]


def _arguments(binder: Expressions, node: exp.Anonymous, least: int, most: int | None = None) -> list[Value]:
    n = len(node.expressions)
    if n < least or (most is not None and n > most):
        raise BadQueryError(f"{node.name} does not take {n} argument{'s' if n != 1 else ''}.", **place_of(node))
    return [binder.bind(item) for item in node.expressions]


def _of_values(least: int, most: int | None, choose: Callable[[Sequence[Value]], Value]) -> Method:
    def bind(binder: Expressions, node: exp.Anonymous) -> Value:
        values = _arguments(binder, node, least, most)
        return binder.located(node, lambda: choose(values))

    return bind


def _isnull(values: Sequence[Value]) -> Value:
    """The first value, or the second in the type of the first."""
    first, second = values
    if first.is_null:
        return second
    if is_text(first):
        second = text(second)
        length = first.column.max_length
        if length is not None and not second.is_null:
            cut = exp.Substring(this=second.node, start=tree.integer(1), length=tree.integer(length))
            second = replace(second, node=cut)
    elif first.column.datatype.is_integer and not second.is_null:
        second = Value(as_bigint(number(second)), first.column)
    elif first.column.datatype.is_numeric and not second.is_null:
        second = number(second)
    else:
        second = alike([first, second])[0][1]
    return Value(exp.Coalesce(this=first.node, expressions=[second.node]), first.column).meaning(name="")


def _coalesce(values: Sequence[Value]) -> Value:
    made, column = alike(values)
    return Value(exp.Coalesce(this=made[0].node, expressions=[value.node for value in made[1:]]), column)


def _nullif(values: Sequence[Value]) -> Value:
    first, second = values
    left, right = comparable(first, second, first.node)
    same = exp.EQ(this=guarded(left.copy()), expression=guarded(right.copy()))
    return Value(exp.Case(ifs=[exp.If(this=same, true=exp.Null())], default=first.node), first.column).meaning(name="")


def _iif(binder: Expressions, node: exp.Anonymous) -> Value:
    if len(node.expressions) != 3:
        raise BadQueryError("IIF takes a condition and two values.", **place_of(node))
    test, values = binder.condition(node.expressions[0]), [binder.bind(item) for item in node.expressions[1:]]

    def choose() -> Value:
        (yes, no), column = alike(values)
        return Value(exp.Case(ifs=[exp.If(this=test, true=yes.node)], default=no.node), column)

    return binder.located(node, choose)


def _choose(values: Sequence[Value]) -> Value:
    index = as_bigint(number(values[0]))
    made, column = alike(values[1:])
    ifs = [
        exp.If(this=exp.EQ(this=guarded(index.copy()), expression=tree.integer(i)), true=value.node)
        for i, value in enumerate(made, start=1)
    ]
    return Value(exp.Case(ifs=ifs), column)


def _extreme(kind: type[exp.Expression]) -> Callable[[Sequence[Value]], Value]:
    """The greatest or least of numbers or times that are not null."""

    def choose(values: Sequence[Value]) -> Value:
        made, column = alike(values)
        return Value(kind(this=made[0].node, expressions=[v.node for v in made[1:]], ignore_nulls=True), column)

    return choose


CHOICES = {
    "CHOOSE": Call(_of_values(2, None, _choose), "CHOOSE(n, x, y, ...)", "The n-th of the values behind n."),
    "COALESCE": Call(_of_values(1, None, _coalesce), "COALESCE(x, y, ...)", "The first value that is not null."),
    "GREATEST": Call(
        _of_values(1, None, _extreme(exp.Greatest)), "GREATEST(x, y, ...)", "The greatest, but for nulls."
    ),
    "IIF": Call(_iif, "IIF(condition, x, y)", "x where a condition holds, else y."),
    "ISNULL": Call(_of_values(2, 2, _isnull), "ISNULL(x, y)", "x, or y in the type of x where x is null."),
    "LEAST": Call(_of_values(1, None, _extreme(exp.Least)), "LEAST(x, y, ...)", "The least, but for nulls."),
    "NULLIF": Call(_of_values(2, 2, _nullif), "NULLIF(x, y)", "x, or null where it equals y."),
}
"""By name."""
