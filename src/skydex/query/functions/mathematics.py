"""Mathematical and trigonometric functions: ADQL 2.1 (IVOA REC 2023-12-15), section 2.3.

Outside its domain (the root of a negative number, the logarithm of zero, a division by zero) a function gives null on
every engine, never an error or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.query import types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import double_like_first, in_unit, is_double, like_first
from skydex.query.tree import call, integer, number
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["MATHEMATICS", "double", "log10", "where"]


def double(node: exp.Expression) -> exp.Expression:
    """A number as a double."""
    return exp.Cast(this=node.copy(), to=exp.DataType.build("double"))


def where(condition: exp.Expression, value: exp.Expression) -> exp.Expression:
    """The value where a condition holds, null elsewhere."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _unary(kind: type[exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    return lambda nodes: call(kind, double(nodes[0]))


def _within(kind: type[exp.Expression], lower: float, upper: float) -> Callable[[Nodes], exp.Expression]:
    def build(nodes: Nodes) -> exp.Expression:
        domain = exp.Between(this=nodes[0].copy(), low=number(lower), high=number(upper))
        return where(domain, call(kind, double(nodes[0])))

    return build


def _positive(value: Callable[[exp.Expression], exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    def build(nodes: Nodes) -> exp.Expression:
        return where(exp.GT(this=nodes[0].copy(), expression=integer(0)), value(double(nodes[0])))

    return build


def _root(nodes: Nodes) -> exp.Expression:
    return where(exp.GTE(this=nodes[0].copy(), expression=integer(0)), call(exp.Sqrt, double(nodes[0])))


def _power(nodes: Nodes) -> exp.Expression:
    return call(exp.Pow, double(nodes[0]), double(nodes[1]))


def _modulo(nodes: Nodes) -> exp.Expression:
    divisor = call(exp.Nullif, nodes[1].copy(), integer(0))
    return exp.Paren(this=exp.Mod(this=exp.Paren(this=nodes[0].copy()), expression=exp.Paren(this=divisor)))


def _rounded(kind: type[exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    """ROUND or TRUNCATE to some decimals, by scaling: engines differ on decimals of doubles."""

    def build(nodes: Nodes) -> exp.Expression:
        if len(nodes) == 1:
            return call(kind, double(nodes[0]))
        scale = call(exp.Pow, number(10.0), double(nodes[1]))
        scaled = exp.Mul(this=exp.Paren(this=double(nodes[0])), expression=scale)
        return exp.Div(this=call(kind, scaled), expression=scale.copy())

    return build


def _cotangent(nodes: Nodes) -> exp.Expression:
    tangent = call(exp.Tan, double(nodes[0]))
    return exp.Div(this=number(1.0), expression=call(exp.Nullif, tangent, integer(0)))


def _angle(nodes: Nodes) -> exp.Expression:
    return call(exp.Atan2, double(nodes[0]), double(nodes[1]))


def log10(node: exp.Expression) -> exp.Expression:
    """Logarithm to base 10 of a double."""
    return call(exp.Log, integer(10), node)


def _remainder(arguments: Sequence[Value]) -> Column:
    return replace(types.arithmetic(arguments[0].column, arguments[1].column), unit=arguments[0].column.unit)


_CEILING = Function(
    "CEILING", "n", 1, _unary(exp.Ceil), double_like_first, "CEILING(x)", "The smallest integer that is not below x."
)
_TRUNCATE = Function(
    "TRUNCATE",
    "ni",
    1,
    _rounded(exp.Trunc),
    double_like_first,
    "TRUNCATE(x) or TRUNCATE(x, decimals)",
    "x without its decimals, or without those beyond some.",
)

MATHEMATICS = (
    Function("ABS", "n", 1, lambda n: call(exp.Abs, n[0].copy()), like_first, "ABS(x)", "x without its sign."),
    Function("ACOS", "n", 1, _within(exp.Acos, -1.0, 1.0), in_unit("rad"), "ACOS(x)", "Arc cosine, 0 to pi."),
    Function("ASIN", "n", 1, _within(exp.Asin, -1.0, 1.0), in_unit("rad"), "ASIN(x)", "Arc sine, -pi/2 to pi/2."),
    Function("ATAN", "n", 1, _unary(exp.Atan), in_unit("rad"), "ATAN(x)", "Arc tangent, -pi/2 to pi/2."),
    Function("ATAN2", "nn", 2, _angle, in_unit("rad"), "ATAN2(y, x)", "Angle of the point x, y, -pi to pi."),
    _CEILING,
    replace(_CEILING, name="CEIL", usage="CEIL(x)"),
    Function("COS", "n", 1, _unary(exp.Cos), is_double, "COS(x)", "Cosine of an angle in radians."),
    Function("COT", "n", 1, _cotangent, is_double, "COT(x)", "Cotangent of an angle in radians."),
    Function("DEGREES", "n", 1, _unary(exp.Degrees), in_unit("deg"), "DEGREES(x)", "Radians as degrees."),
    Function("EXP", "n", 1, _unary(exp.Exp), is_double, "EXP(x)", "e to the power of x."),
    Function(
        "FLOOR", "n", 1, _unary(exp.Floor), double_like_first, "FLOOR(x)", "The largest integer that is not above x."
    ),
    Function("LOG", "n", 1, _positive(lambda x: call(exp.Ln, x)), is_double, "LOG(x)", "Natural logarithm."),
    Function("LOG10", "n", 1, _positive(log10), is_double, "LOG10(x)", "Logarithm to base 10."),
    Function("MOD", "nn", 2, _modulo, _remainder, "MOD(x, y)", "Remainder of x / y, with the sign of x."),
    Function("PI", "", 0, lambda _: number(math.pi), is_double, "PI()", "Half the circumference of the unit circle."),
    Function("POWER", "nn", 2, _power, is_double, "POWER(x, y)", "x to the power of y."),
    Function("RADIANS", "n", 1, _unary(exp.Radians), in_unit("rad"), "RADIANS(x)", "Degrees as radians."),
    Function("RAND", "n", 0, lambda _: exp.Rand(), is_double, "RAND()", "A random number between 0 and 1."),
    Function(
        "ROUND",
        "ni",
        1,
        _rounded(exp.Round),
        double_like_first,
        "ROUND(x) or ROUND(x, decimals)",
        "The nearest integer, or the nearest number of so many decimals.",
    ),
    Function("SIGN", "n", 1, _unary(exp.Sign), is_double, "SIGN(x)", "-1, 0 or 1."),
    Function("SIN", "n", 1, _unary(exp.Sin), is_double, "SIN(x)", "Sine of an angle in radians."),
    Function("SQRT", "n", 1, _root, is_double, "SQRT(x)", "Square root."),
    Function("TAN", "n", 1, _unary(exp.Tan), is_double, "TAN(x)", "Tangent of an angle in radians."),
    _TRUNCATE,
    replace(_TRUNCATE, name="TRUNC", usage="TRUNC(x) or TRUNC(x, decimals)"),
)
