"""SQL-92's set functions (section 6.5), as ADQL 2.1 takes them over: one value for the rows of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.query.functions.function import Function, Meaning, Nodes
from skydex.query.functions.mathematics import double
from skydex.query.functions.meanings import always, like_first, minor
from skydex.query.tree import call
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["SET_FUNCTIONS"]


def _mean_of(nodes: Nodes) -> exp.Expression:
    return call(exp.Avg, double(nodes[0]))


def _total(arguments: Sequence[Value]) -> Column:
    first = arguments[0].column
    datatype = Datatype.LONG if first.datatype.is_integer else Datatype.DOUBLE
    return Column("", datatype, unit=first.unit, ucd=minor(first.ucd), description=_of("Sum", first))


def _mean(arguments: Sequence[Value]) -> Column:
    first = arguments[0].column
    return Column(
        "", Datatype.DOUBLE, unit=first.unit, ucd=_with_word(first.ucd, "stat.mean"), description=_of("Mean", first)
    )


def _extreme(word: str, name: str) -> Meaning:
    def meaning(arguments: Sequence[Value]) -> Column:
        first = arguments[0].column
        return replace(like_first(arguments), ucd=_with_word(first.ucd, word), description=_of(name, first))

    return meaning


def _of(name: str, column: Column) -> str:
    what = column.description or column.name
    return f"{name} of: {what}" if what else ""


def _with_word(ucd: str | None, word: str) -> str | None:
    rest = minor(ucd)
    return f"{rest};{word}" if rest and word not in rest else rest


_is_count = always(Column("", Datatype.LONG, ucd="meta.number"))
_least = _extreme("stat.min", "Minimum")
_greatest = _extreme("stat.max", "Maximum")

SET_FUNCTIONS = (
    Function("AVG", "n", 1, _mean_of, _mean, "AVG(x)", "Mean of the values that are not null."),
    Function(
        "COUNT",
        "a",
        1,
        lambda n: call(exp.Count, n[0].copy()),
        _is_count,
        "COUNT(*) or COUNT(x)",
        "Number of rows, or of values that are not null.",
    ),
    Function("MAX", "x", 1, lambda n: call(exp.Max, n[0].copy()), _greatest, "MAX(x)", "The greatest value."),
    Function("MIN", "x", 1, lambda n: call(exp.Min, n[0].copy()), _least, "MIN(x)", "The smallest value."),
    Function("SUM", "n", 1, lambda n: call(exp.Sum, n[0].copy()), _total, "SUM(x)", "Sum of the values."),
)
