"""The rules of T-SQL: what its operators, comparisons, functions and orders mean (Transact-SQL, SQL Server 2022)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from skydex.query.functions.function import Function
from skydex.query.rules import Rules
from skydex.query.tsql.aggregates import AGGREGATES, bind_ordered_aggregate, bind_window
from skydex.query.tsql.calendar import DATES
from skydex.query.tsql.call import Call
from skydex.query.tsql.casts import bind_cast
from skydex.query.tsql.choices import CHOICES
from skydex.query.tsql.collation import comparable, key
from skydex.query.tsql.mathematics import MATHEMATICAL
from skydex.query.tsql.operators import METHODS
from skydex.query.tsql.texts import TEXTS

__all__ = ["GROUPS", "TSQL_RULES"]


def _listed(functions: Iterable[Function | Call]) -> list[tuple[str, str]]:
    return [(function.usage, function.description) for function in functions]


GROUPS = {
    "Numbers": _listed(MATHEMATICAL),
    "Texts": _listed(TEXTS),
    "Dates": _listed(DATES.values()),
    "Choices": _listed(CHOICES.values()),
    "Rows of a group, or of a window with OVER": _listed(AGGREGATES.values()),
}
"""Usage and description of every function, as documentation orders them."""


def _by_name(*groups: tuple[Function, ...]) -> dict[str, Function]:
    return {function.name: function for group in groups for function in group}


TSQL_RULES = Rules(
    "T-SQL",
    scalars=_by_name(MATHEMATICAL, TEXTS),
    aggregates={},
    methods={
        **METHODS,
        exp.Cast: bind_cast,
        exp.TryCast: bind_cast,
        exp.Window: bind_window,
        exp.WithinGroup: bind_ordered_aggregate,
    },
    calls={name: call.bind for calls in (AGGREGATES, CHOICES, DATES) for name, call in calls.items()},
    comparable=comparable,
    key=key,
    nulls_are_least=True,
    unnamed=lambda _, number: f"Column{number}",
    names_expressions=False,
)
"""T-SQL as CasJobs has it."""
