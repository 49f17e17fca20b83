"""The rules of T-SQL: what its operators, comparisons, functions and orders mean (Transact-SQL, SQL Server 2022)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from skydex.query.functions.function import Function
from skydex.query.functions.time_domain import MAGNITUDES, VARIABILITY
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
    "Magnitudes and phases, of this archive": _listed(MAGNITUDES),
    "Variability of a group, of this archive": _listed(VARIABILITY),
}
"""Usage and description of every function, as documentation orders them."""


def _by_name(*groups: tuple[Function, ...]) -> dict[str, Function]:
    return {function.name: function for group in groups for function in group}


_FOREIGN = {
    "ATAN2": "T-SQL calls it ATN2(y, x).",
    "CEIL": "T-SQL calls it CEILING(x).",
    **dict.fromkeys(("LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH"), "T-SQL calls it LEN(text)."),
    "LN": "In T-SQL the natural logarithm is LOG(x).",
    "LOG2": "T-SQL has LOG(x, 2).",
    "MOD": "T-SQL writes x % y.",
    **dict.fromkeys(("BIT_AND", "BIT_OR", "BIT_XOR", "BIT_NOT"), "T-SQL writes x & y, x | y, x ^ y and ~x."),
    **dict.fromkeys(("NVL", "IFNULL"), "T-SQL has ISNULL(x, y)."),
    **dict.fromkeys(("IF", "DECODE"), "T-SQL has IIF(condition, x, y), and CASE."),
    **dict.fromkeys(("NOW", "SYSDATE", "CURRENT_DATE"), "T-SQL has GETDATE()."),
    "POW": "T-SQL calls it POWER(x, y).",
    **dict.fromkeys(("INSTR", "POSITION", "STRPOS"), "T-SQL has CHARINDEX(wanted, text)."),
    **dict.fromkeys(("SUBSTR", "MID"), "T-SQL calls it SUBSTRING(text, start, n)."),
    **dict.fromkeys(("TRUNC", "TRUNCATE"), "T-SQL cuts decimals off by ROUND(x, n, 1)."),
    **dict.fromkeys(("TO_CHAR", "DATE_FORMAT", "FORMAT"), "T-SQL has CONVERT(varchar(20), x, style), and STR."),
    **dict.fromkeys(("STDDEV", "STDDEV_SAMP"), "T-SQL calls it STDEV(x)."),
    "STDDEV_POP": "T-SQL calls it STDEVP(x).",
    **dict.fromkeys(("VARIANCE", "VAR_SAMP"), "T-SQL calls it VAR(x)."),
    "VAR_POP": "T-SQL calls it VARP(x).",
    "RANDOM": "T-SQL has RAND(), one number for a query, and NEWID() to mix rows.",
    **dict.fromkeys(("GROUP_CONCAT", "LISTAGG"), "T-SQL has STRING_AGG(text, 'separator')."),
    **dict.fromkeys(("PERCENTILE_CONT", "PERCENTILE_DISC"), "Of the quantiles of a group there is median(x)."),
}
"""What to say about functions of other databases."""
TSQL_RULES = Rules(
    "T-SQL",
    scalars=_by_name(MATHEMATICAL, TEXTS, MAGNITUDES),
    aggregates=_by_name(VARIABILITY),
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
    foreign=_FOREIGN,
)
"""T-SQL as CasJobs has it."""
