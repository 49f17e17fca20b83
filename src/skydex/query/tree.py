"""The nodes of a bound tree, and small builders for them.

A bound tree is a sqlglot tree in neutral terms: every name is quoted and belongs to a source of the query, every
function has been replaced by one that all engines share, and values of the user are literal nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from sqlglot import exp

__all__ = [
    "Compute",
    "Gathered",
    "Histogram",
    "InRegion",
    "Near",
    "array",
    "call",
    "column",
    "conjunction",
    "constant",
    "constants",
    "flattened",
    "integer",
    "number",
    "one_or_zero",
    "outermost_aggregates",
    "string",
    "walk",
]


class InRegion(exp.Expression, exp.Func):  # type: ignore[misc]
    """Whether a position lies in a constant region of the sky (`meta["region"]`, a `sky.Region`).

    Engines that know no such function ask `geometry.expanded` for the same test in arithmetic.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True, "key": False}
    """`key` tells tests of different regions apart."""

    def spoken(self) -> exp.Expression:
        """The test with its region in sight, for people."""
        region = exp.Var(this=str(self.meta["region"]))
        return exp.Anonymous(this="IN_REGION", expressions=[self.this, self.expression, region])


class Near(exp.Expression, exp.Func):  # type: ignore[misc]
    """Whether two positions that both come from rows are within a radius of each other, all in degrees.

    `closed` says whether a distance of just the radius counts. Engines ask `geometry.expanded` for the arithmetic;
    `crossmatch` finds the pairs of rows that need it.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True, "expression": True, "other_this": True, "other_expression": True, "radius": True, "closed": True,
    }  # fmt: skip

    @property
    def points(self) -> tuple[tuple[exp.Expression, exp.Expression], tuple[exp.Expression, exp.Expression]]:
        """Right ascension and declination of both."""
        return (self.this, self.expression), (self.args["other_this"], self.args["other_expression"])

    def spoken(self) -> exp.Expression:
        """The test as a comparison of a distance, for people."""
        distance = exp.Anonymous(this="DISTANCE", expressions=[part for point in self.points for part in point])
        return (exp.LTE if self.args["closed"] else exp.LT)(this=distance, expression=self.args["radius"])


class Compute(exp.Expression, exp.Func):  # type: ignore[misc]
    """A call of a function on arrays (`meta["kernel"]`, a `kernels.Kernel`)."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": False}
    """`this` is the kernel's name, which tells calls of different kernels apart."""
    is_var_len_args = True

    def spoken(self) -> exp.Expression:
        """The call under the name of its kernel."""
        return exp.Anonymous(this=self.meta["kernel"].name.upper(), expressions=self.expressions)


class Histogram(exp.Expression, exp.AggFunc):  # type: ignore[misc]
    """How often each of the numbers 0, 1, 2, ... stands in a group, as an array: of `this`, below `expression`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True}


class Gathered(exp.Expression, exp.AggFunc):  # type: ignore[misc]
    """The rows of a group as one list, in no order: of numbers, or of structs if `expressions` are several.

    A kernel makes something of the list. Nulls may be left out of a list of numbers, and of structs none is.
    """

    arg_types: ClassVar[dict[str, bool]] = {"expressions": True}
    is_var_len_args = True

    @property
    def fields(self) -> dict[str, exp.Expression]:
        """What the fields of the structs are called, and what they hold."""
        return {f"c{i}": part for i, part in enumerate(self.expressions)}


def column(source: str, name: str) -> exp.Column:
    """A column of a source, both quoted."""
    return exp.Column(this=exp.Identifier(this=name, quoted=True), table=exp.Identifier(this=source, quoted=True))


def number(value: float) -> exp.Expression:
    """A double; the sign is an operator, as in any text."""
    literal = exp.Literal.number(repr(abs(float(value))))
    literal.meta["double"] = True
    return exp.Neg(this=literal) if math.copysign(1.0, value) < 0 else literal


def integer(value: int) -> exp.Expression:
    literal = exp.Literal.number(str(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def string(value: str) -> exp.Literal:
    return exp.Literal.string(value)


def array(values: Iterable[float]) -> exp.Array:
    """An array of doubles that is written out, such as the value of a constant POINT."""
    return exp.Array(expressions=[number(value) for value in values])


def constants(node: exp.Expression) -> tuple[float, ...] | None:
    """Elements of an array that is written out in numbers; `None` for anything else."""
    inner = node.unnest()
    if not isinstance(inner, exp.Array):
        return None
    values = [constant(item) for item in inner.expressions]
    return None if None in values else tuple(value for value in values if value is not None)


def call(function: type[exp.Expression], *arguments: exp.Expression, **more: Any) -> exp.Expression:
    """A function node of one or two arguments, such as `call(exp.Pow, base, power)`."""
    names = ("this", "expression")
    return function(**dict(zip(names, arguments, strict=False)), **more)


def constant(node: exp.Expression) -> float | None:
    """Value of a number that is written out, such as `-1.5` or `2./3600`; `None` for anything else."""
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.this)
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Cast):
        return constant(node.this)
    if isinstance(node, exp.Nullif):  # a divisor, which is null instead of 0
        value = constant(node.this)
        return None if value is None or value == constant(node.expression) else value
    if isinstance(node, exp.Sqrt):
        value = constant(node.this)
        return None if value is None or value < 0.0 else math.sqrt(value)
    if isinstance(node, exp.Greatest):
        values = [constant(item) for item in (node.this, *node.expressions)]
        return None if None in values else max(value for value in values if value is not None)
    operation = _ARITHMETIC.get(type(node))
    if operation is None:
        return None
    if "constant" not in node.meta:  # asked at every level of a sum, so that each level must ask the next but once
        node.meta["constant"] = _combined(operation, constant(node.this), constant(node.expression))
    known: float | None = node.meta["constant"]
    return known


def _combined(
    operation: Callable[[float, float], float | None], left: float | None, right: float | None
) -> float | None:
    return None if left is None or right is None else operation(left, right)


def _quotient(left: float, right: float) -> float | None:
    return left / right if right else None


_ARITHMETIC: dict[type[exp.Expression], Callable[[float, float], float | None]] = {
    exp.Add: lambda left, right: left + right,
    exp.Sub: lambda left, right: left - right,
    exp.Mul: lambda left, right: left * right,
    exp.Div: _quotient,
}


def flattened(node: exp.Expression, kind: type[exp.Expression]) -> list[exp.Expression]:
    """The operands of a chain of one associative operator, in their order, without recursion."""
    operands: list[exp.Expression] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if type(top) is exp.Paren and isinstance(top.this, kind):
            top = top.this
        if isinstance(top, kind):
            stack += [top.expression, top.this]
        else:
            operands.append(top)
    return operands


def conjunction(nodes: Sequence[exp.Expression], kind: type[exp.Expression] = exp.And) -> exp.Expression:
    """Join conditions by AND (or OR) as a balanced tree, so that long chains do not make deep trees."""
    if len(nodes) == 1:
        return nodes[0]
    middle = len(nodes) // 2
    return kind(
        this=_wrapped(conjunction(nodes[:middle], kind)), expression=_wrapped(conjunction(nodes[middle:], kind))
    )


def one_or_zero(condition: exp.Expression) -> exp.Expression:
    """1 where a condition holds, 0 where it does not, null where that is not known."""
    refused = exp.Not(this=exp.Paren(this=condition.copy()))
    return exp.Case(ifs=[exp.If(this=condition, true=integer(1)), exp.If(this=refused, true=integer(0))])


def outermost_aggregates(node: exp.Expression) -> list[exp.Expression]:
    """The aggregates in a node that stand in no other."""
    if isinstance(node, exp.AggFunc):
        return [node]
    return [found for child in node.iter_expressions() for found in outermost_aggregates(child)]


def _wrapped(node: exp.Expression) -> exp.Expression:
    return exp.Paren(this=node) if isinstance(node, exp.Connector) else node


def walk(node: exp.Expression) -> Iterator[exp.Expression]:
    """All nodes of a bound tree from the top, but for the names inside columns and tables."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        if isinstance(top, _LEAVES):
            continue
        for value in top.args.values():
            if type(value) is list:
                stack += [item for item in value if isinstance(item, exp.Expression)]
            elif isinstance(value, exp.Expression):
                stack.append(value)


_LEAVES = (exp.Column, exp.Table, exp.Literal, exp.DataType)
