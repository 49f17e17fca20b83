"""The rules of T-SQL: what its operators, comparisons, functions and orders mean (Transact-SQL, SQL Server 2022)."""

from __future__ import annotations

from sqlglot import exp

from skydex.query.functions.function import Function
from skydex.query.rules import Rules
from skydex.query.tsql.aggregates import AGGREGATES, bind_ordered_aggregate, bind_window
from skydex.query.tsql.calendar import DATES
from skydex.query.tsql.casts import bind_cast
from skydex.query.tsql.choices import CHOICES
from skydex.query.tsql.collation import comparable, key
from skydex.query.tsql.mathematics import MATHEMATICAL
from skydex.query.tsql.operators import METHODS
from skydex.query.tsql.texts import TEXTS

__all__ = ["TSQL_RULES"]


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
    calls={**AGGREGATES, **CHOICES, **DATES},
    comparable=comparable,
    key=key,
    nulls_are_least=True,
    unnamed=lambda _, number: f"Column{number}",
    names_expressions=False,
)
"""T-SQL as CasJobs has it."""
