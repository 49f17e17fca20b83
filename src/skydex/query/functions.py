"""The functions that a query may call: signature, meaning of the result, and a neutral expansion.

Scalar functions answer ADQL 2.1 (IVOA REC 2023-12-15), section 2.3 (mathematical and trigonometric) and 4.5
(string and conditional), aggregates SQL-92's set functions. A function outside its domain (the root of a negative
number, the logarithm of zero, a division by zero) gives null on every engine, never an error or NaN. Geometry stands
apart in `geometry`, since shapes are not values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.kernels import PIXEL, computed
from skydex.query.tree import call, integer, number
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["AGGREGATES", "SCALARS", "Function"]

Nodes = Sequence[exp.Expression]
Meaning = Callable[[Sequence[Value]], Column]


@dataclass(frozen=True)
class Function:
    """A function as the namespace of queries knows it."""

    name: str
    """In capitals."""
    takes: str
    """What each argument is, a letter each: `n`umber, `i`nteger, `s` text, `x` anything; trailing `*` repeats."""
    least: int
    """Smallest number of arguments."""
    build: Callable[[Nodes], exp.Expression]
    """Neutral expansion of the bound arguments."""
    meaning: Meaning
    """What the result is."""
    usage: str
    """How it is called, for messages and documentation."""

    def apply(self, arguments: Sequence[Value]) -> Value:
        """Check the arguments and expand the call.

        Raises
        ------
        BadQueryError
            Too few or too many arguments, or one of the wrong type.
        """
        kinds = self._kinds(len(arguments))
        for position, (value, kind) in enumerate(zip(arguments, kinds, strict=True), start=1):
            if not value.is_null and not _fits(value.column, kind):
                raise BadQueryError(f"Argument {position} of {self.name} must be {_WORDS[kind]}: {self.usage}.")
        column = replace(self.meaning(arguments), name=self.name.lower())
        return Value(self.build([value.node for value in arguments]), column)

    def _kinds(self, n: int) -> str:
        repeated = self.takes.endswith("*")
        letters = self.takes.rstrip("*")
        if n < self.least or (n > len(letters) and not repeated):
            raise BadQueryError(f"{self.name} does not take {n} argument{'s' if n != 1 else ''}: {self.usage}.")
        return letters[:n] + letters[-1:] * (n - len(letters))


_WORDS = {"n": "a number", "i": "an integer", "s": "text", "x": "a value"}


def _fits(column: Column, kind: str) -> bool:
    if column.is_array:
        return False
    if kind == "n":
        return column.datatype.is_numeric
    if kind == "i":
        return column.datatype.is_integer
    if kind == "s":
        return column.datatype.is_text and not column.is_timestamp
    return True


def _where(condition: exp.Expression, value: exp.Expression) -> exp.Expression:
    """The value where a condition holds, null elsewhere."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _double(node: exp.Expression) -> exp.Expression:
    return exp.Cast(this=node.copy(), to=exp.DataType.build("double"))


def _unary(kind: type[exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    return lambda nodes: call(kind, _double(nodes[0]))


def _within(kind: type[exp.Expression], lower: float, upper: float) -> Callable[[Nodes], exp.Expression]:
    def build(nodes: Nodes) -> exp.Expression:
        domain = exp.Between(this=nodes[0].copy(), low=number(lower), high=number(upper))
        return _where(domain, call(kind, _double(nodes[0])))

    return build


def _positive(value: Callable[[exp.Expression], exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    def build(nodes: Nodes) -> exp.Expression:
        return _where(exp.GT(this=nodes[0].copy(), expression=integer(0)), value(_double(nodes[0])))

    return build


def _root(nodes: Nodes) -> exp.Expression:
    return _where(exp.GTE(this=nodes[0].copy(), expression=integer(0)), call(exp.Sqrt, _double(nodes[0])))


def _power(nodes: Nodes) -> exp.Expression:
    return call(exp.Pow, _double(nodes[0]), _double(nodes[1]))


def _modulo(nodes: Nodes) -> exp.Expression:
    divisor = call(exp.Nullif, nodes[1].copy(), integer(0))
    return exp.Paren(this=exp.Mod(this=exp.Paren(this=nodes[0].copy()), expression=exp.Paren(this=divisor)))


def _rounded(kind: type[exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    """ROUND or TRUNCATE to some decimals, by scaling: engines differ on decimals of doubles."""

    def build(nodes: Nodes) -> exp.Expression:
        if len(nodes) == 1:
            return call(kind, _double(nodes[0]))
        scale = call(exp.Pow, number(10.0), _double(nodes[1]))
        scaled = exp.Mul(this=exp.Paren(this=_double(nodes[0])), expression=scale)
        return exp.Div(this=call(kind, scaled), expression=scale.copy())

    return build


def _cotangent(nodes: Nodes) -> exp.Expression:
    tangent = call(exp.Tan, _double(nodes[0]))
    return exp.Div(this=number(1.0), expression=call(exp.Nullif, tangent, integer(0)))


def _log10(node: exp.Expression) -> exp.Expression:
    return call(exp.Log, integer(10), node)


def _substring(nodes: Nodes) -> exp.Expression:
    length = {"length": nodes[2].copy()} if len(nodes) == 3 else {}
    return exp.Substring(this=nodes[0].copy(), start=nodes[1].copy(), **length)


def _coalesce(nodes: Nodes) -> exp.Expression:
    return exp.Coalesce(this=nodes[0].copy(), expressions=[node.copy() for node in nodes[1:]])


def _is_double(_: Sequence[Value]) -> Column:
    return types.DOUBLE


def _in_unit(unit: str) -> Meaning:
    return lambda _: replace(types.DOUBLE, unit=unit)


def _like_first(arguments: Sequence[Value]) -> Column:
    """Type and unit of the first argument, without its UCD's right to be the main one."""
    first = arguments[0].column
    return Column(
        "",
        first.datatype,
        first.arraysize,
        unit=first.unit,
        ucd=_minor(first.ucd),
        xtype=first.xtype,
        description=first.description,
    )


def _double_like_first(arguments: Sequence[Value]) -> Column:
    return replace(_like_first(arguments), datatype=Datatype.DOUBLE, arraysize=None)


def _is_long(_: Sequence[Value]) -> Column:
    return types.LONG


def _common(arguments: Sequence[Value]) -> Column:
    merged = types.common_of(value.column for value in arguments if not value.is_null)
    if merged is None:
        raise BadQueryError("The arguments of COALESCE must be all numbers, or all text.")
    return merged


def _remainder(arguments: Sequence[Value]) -> Column:
    return replace(types.arithmetic(arguments[0].column, arguments[1].column), unit=arguments[0].column.unit)


def _minor(ucd: str | None) -> str | None:
    words = [word for word in (ucd or "").split(";") if word and word != "meta.main"]
    return ";".join(words) or None


SCALARS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("ABS", "n", 1, lambda n: call(exp.Abs, n[0].copy()), _like_first, "ABS(x)"),
        Function("CEILING", "n", 1, _unary(exp.Ceil), _double_like_first, "CEILING(x)"),
        Function("DEGREES", "n", 1, _unary(exp.Degrees), _in_unit("deg"), "DEGREES(x)"),
        Function("EXP", "n", 1, _unary(exp.Exp), _is_double, "EXP(x)"),
        Function("FLOOR", "n", 1, _unary(exp.Floor), _double_like_first, "FLOOR(x)"),
        Function("LOG", "n", 1, _positive(lambda x: call(exp.Ln, x)), _is_double, "LOG(x), the natural logarithm"),
        Function("LOG10", "n", 1, _positive(_log10), _is_double, "LOG10(x)"),
        Function("MOD", "nn", 2, _modulo, _remainder, "MOD(x, y)"),
        Function("PI", "", 0, lambda _: number(math.pi), _is_double, "PI()"),
        Function("POWER", "nn", 2, _power, _is_double, "POWER(x, y)"),
        Function("RADIANS", "n", 1, _unary(exp.Radians), _in_unit("rad"), "RADIANS(x)"),
        Function("RAND", "i", 0, lambda _: exp.Rand(), _is_double, "RAND()"),
        Function("ROUND", "ni", 1, _rounded(exp.Round), _double_like_first, "ROUND(x) or ROUND(x, decimals)"),
        Function("SIGN", "n", 1, _unary(exp.Sign), _is_double, "SIGN(x)"),
        Function("SQRT", "n", 1, _root, _is_double, "SQRT(x)"),
        Function("TRUNCATE", "ni", 1, _rounded(exp.Trunc), _double_like_first, "TRUNCATE(x) or TRUNCATE(x, decimals)"),
        Function("ACOS", "n", 1, _within(exp.Acos, -1.0, 1.0), _in_unit("rad"), "ACOS(x)"),
        Function("ASIN", "n", 1, _within(exp.Asin, -1.0, 1.0), _in_unit("rad"), "ASIN(x)"),
        Function("ATAN", "n", 1, _unary(exp.Atan), _in_unit("rad"), "ATAN(x)"),
        Function(
            "ATAN2", "nn", 2, lambda n: call(exp.Atan2, _double(n[0]), _double(n[1])), _in_unit("rad"), "ATAN2(y, x)"
        ),
        Function("COS", "n", 1, _unary(exp.Cos), _is_double, "COS(x)"),
        Function("COT", "n", 1, _cotangent, _is_double, "COT(x)"),
        Function("SIN", "n", 1, _unary(exp.Sin), _is_double, "SIN(x)"),
        Function("TAN", "n", 1, _unary(exp.Tan), _is_double, "TAN(x)"),
        Function("LOWER", "s", 1, lambda n: call(exp.Lower, n[0].copy()), _like_first, "LOWER(text)"),
        Function("UPPER", "s", 1, lambda n: call(exp.Upper, n[0].copy()), _like_first, "UPPER(text)"),
        Function("SUBSTRING", "sii", 2, _substring, _like_first, "SUBSTRING(text, start[, length])"),
        Function("CHAR_LENGTH", "s", 1, lambda n: call(exp.Length, n[0].copy()), _is_long, "CHAR_LENGTH(text)"),
        Function("LENGTH", "s", 1, lambda n: call(exp.Length, n[0].copy()), _is_long, "LENGTH(text)"),
        Function("TRIM", "s", 1, lambda n: call(exp.Trim, n[0].copy()), _like_first, "TRIM(text)"),
        Function("COALESCE", "x*", 1, _coalesce, _common, "COALESCE(x, y, ...)"),
        Function("NULLIF", "xx", 2, lambda n: call(exp.Nullif, n[0].copy(), n[1].copy()), _like_first, "NULLIF(x, y)"),
    )
}
SCALARS["IVO_HEALPIX_INDEX"] = Function(
    "IVO_HEALPIX_INDEX",
    "inn",
    3,
    lambda n: computed(PIXEL, *n),
    lambda _: replace(types.LONG, ucd="pos.healpix"),
    "IVO_HEALPIX_INDEX(order, ra, dec)",
)
SCALARS["CEIL"] = replace(SCALARS["CEILING"], name="CEIL")
SCALARS["TRUNC"] = replace(SCALARS["TRUNCATE"], name="TRUNC")


def _total(arguments: Sequence[Value]) -> Column:
    first = arguments[0].column
    datatype = Datatype.LONG if first.datatype.is_integer else Datatype.DOUBLE
    return Column("", datatype, unit=first.unit, ucd=_minor(first.ucd), description=_of("Sum", first))


def _mean(arguments: Sequence[Value]) -> Column:
    first = arguments[0].column
    return Column(
        "", Datatype.DOUBLE, unit=first.unit, ucd=_with_word(first.ucd, "stat.mean"), description=_of("Mean", first)
    )


def _extreme(word: str, name: str) -> Meaning:
    def meaning(arguments: Sequence[Value]) -> Column:
        first = arguments[0].column
        return replace(_like_first(arguments), ucd=_with_word(first.ucd, word), description=_of(name, first))

    return meaning


def _of(name: str, column: Column) -> str:
    what = column.description or column.name
    return f"{name} of: {what}" if what else ""


def _with_word(ucd: str | None, word: str) -> str | None:
    minor = _minor(ucd)
    return f"{minor};{word}" if minor and word not in minor else minor


def _sum(nodes: Nodes) -> exp.Expression:
    return call(exp.Sum, nodes[0].copy())


def _count_meaning(_: Sequence[Value]) -> Column:
    return Column("", Datatype.LONG, ucd="meta.number")


AGGREGATES: dict[str, Function] = {
    function.name: function
    for function in (
        Function("COUNT", "x", 1, lambda n: call(exp.Count, n[0].copy()), _count_meaning, "COUNT(*) or COUNT(x)"),
        Function("SUM", "n", 1, _sum, _total, "SUM(x)"),
        Function("AVG", "n", 1, lambda n: call(exp.Avg, _double(n[0])), _mean, "AVG(x)"),
        Function("MIN", "x", 1, lambda n: call(exp.Min, n[0].copy()), _extreme("stat.min", "Minimum"), "MIN(x)"),
        Function("MAX", "x", 1, lambda n: call(exp.Max, n[0].copy()), _extreme("stat.max", "Maximum"), "MAX(x)"),
    )
}
