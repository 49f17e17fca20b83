"""Mathematical functions of Transact-SQL (SQL Server 2022), with the types of their results.

ABS, CEILING, DEGREES, FLOOR, POWER, RADIANS, ROUND and SIGN give an integer for an integer: POWER(2, 0.5) is 1. LOG is
the natural logarithm unless a base is named. Outside its domain a function gives null, where SQL Server ends the query.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.query import tree, types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.mathematics import MATHEMATICS, double
from skydex.query.functions.meanings import double_like_first, is_double, like_first
from skydex.query.tsql.kinds import number
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["MATHEMATICAL", "numbers_of"]

_ADQL = {function.name: function for function in MATHEMATICS}


def numbers_of(arguments: Sequence[Value]) -> list[Value]:
    """Arguments as numbers."""
    return [number(value) for value in arguments]


def _taken_over(name: str, *, called: str | None = None, usage: str | None = None) -> Function:
    """A function that means the same in ADQL, of whatever can become a number."""
    function = _ADQL[name]
    takes = function.takes.replace("n", "x")
    return replace(
        function, name=called or name, takes=takes, usage=usage or function.usage, prepare=numbers_of, least=len(takes)
    )


class _Whole(Function):
    """A function that gives an integer for an integer, without what is behind the point."""

    def apply(self, arguments: Sequence[Value]) -> Value:
        value = super().apply(arguments)
        if not value.column.datatype.is_integer:
            return value
        return replace(value, node=exp.Cast(this=tree.call(exp.Trunc, value.node), to=exp.DataType.build("bigint")))


def _kept_whole(
    name: str, takes: str, usage: str, description: str, build: Callable[[Nodes], exp.Expression]
) -> Function:
    """A function that gives an integer for an integer, else a float."""
    least = 2 if name == "ROUND" else len(takes)
    return _Whole(name, takes, least, build, _number_like_first, usage, description, prepare=numbers_of)


def _number_like_first(arguments: Sequence[Value]) -> Column:
    is_whole = arguments[0].column.datatype.is_integer
    return replace(double_like_first(arguments), datatype=(types.LONG if is_whole else types.DOUBLE).datatype)


def _log(nodes: Nodes) -> exp.Expression:
    values = [_positive(node) for node in nodes]
    logs = [tree.call(exp.Ln, value) for value in values]
    if len(logs) == 1:
        return logs[0]
    return exp.Div(this=logs[0], expression=tree.call(exp.Nullif, logs[1], tree.integer(0)))


def _positive(node: exp.Expression) -> exp.Expression:
    """A number above 0, else null."""
    test = exp.GT(this=exp.Paren(this=node.copy()), expression=tree.integer(0))
    return exp.Case(ifs=[exp.If(this=test, true=double(node))])


def _square(nodes: Nodes) -> exp.Expression:
    return exp.Paren(this=exp.Mul(this=exp.Paren(this=double(nodes[0])), expression=exp.Paren(this=double(nodes[0]))))


def _rounded(nodes: Nodes) -> exp.Expression:
    """To so many decimals, or cut off there, by scaling."""
    cuts = len(nodes) == 3 and tree.constant(nodes[2]) != 0.0
    scale = tree.call(exp.Pow, tree.number(10.0), double(nodes[1]))
    scaled = exp.Mul(this=exp.Paren(this=double(nodes[0])), expression=scale)
    return exp.Paren(this=exp.Div(this=tree.call(exp.Trunc if cuts else exp.Round, scaled), expression=scale.copy()))


def _random(_: Nodes) -> exp.Expression:
    return tree.number(random.random())  # one number for a query, as in SQL Server


def _of_double(kind: type[exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    return lambda nodes: tree.call(kind, double(nodes[0]))


def _power(nodes: Nodes) -> exp.Expression:
    return tree.call(exp.Pow, double(nodes[0]), double(nodes[1]))


MATHEMATICAL = (
    *(_taken_over(name) for name in ("ACOS", "ASIN", "ATAN", "COS", "COT", "EXP", "LOG10", "PI", "SIN", "SQRT", "TAN")),
    replace(_taken_over("ABS"), meaning=like_first),
    _taken_over("ATAN2", called="ATN2", usage="ATN2(y, x)"),
    _kept_whole("CEILING", "x", "CEILING(x)", "The smallest integer that is not below x.", _of_double(exp.Ceil)),
    _kept_whole("DEGREES", "x", "DEGREES(x)", "Radians as degrees.", _of_double(exp.Degrees)),
    _kept_whole("FLOOR", "x", "FLOOR(x)", "The largest integer that is not above x.", _of_double(exp.Floor)),
    _kept_whole("POWER", "xx", "POWER(x, y)", "x to the power of y.", _power),
    _kept_whole("RADIANS", "x", "RADIANS(x)", "Degrees as radians.", _of_double(exp.Radians)),
    _kept_whole("ROUND", "xxx", "ROUND(x, length[, function])", "x to so many decimals, or cut off there.", _rounded),
    _kept_whole("SIGN", "x", "SIGN(x)", "-1, 0 or 1.", _of_double(exp.Sign)),
    Function(
        "LOG", "xx", 1, _log, is_double, "LOG(x[, base])", "Natural logarithm, or that to a base.", prepare=numbers_of
    ),
    Function("RAND", "", 0, _random, is_double, "RAND()", "A random number, the same for all rows of a query."),
    Function("SQUARE", "x", 1, _square, is_double, "SQUARE(x)", "x times x.", prepare=numbers_of),
)
