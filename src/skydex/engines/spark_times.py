"""Times in Spark's SQL: parts, steps and differences of moments as bound trees mean them.

To Spark a week has a first day, not one numbered 0, seconds have a fraction, and a difference counts whole units where
a tree counts the borders between them. Moments have no zone, and the session's is UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

__all__ = ["TIMES"]

_YEAR_1_US = 62_135_596_800_000_000
"""Microseconds from the year 1 to 1970: a whole number of hours, which makes those of all moments positive."""
_SIZES_US = {"HOUR": 3_600_000_000, "MINUTE": 60_000_000, "SECOND": 1_000_000, "MILLISECOND": 1_000, "MICROSECOND": 1}
_PARTS: dict[str, str] = {
    "DOW": "(DAYOFWEEK({}) - 1)",
    "DOY": "DAYOFYEAR({})",
    "SECOND": "SECOND({})",
    "MILLISECONDS": "CAST(FLOOR(EXTRACT(SECOND FROM {}) * 1000) AS BIGINT)",
    "MICROSECONDS": "CAST(EXTRACT(SECOND FROM {}) * 1000000 AS BIGINT)",
}
_STEPS: dict[str, str] = {
    "YEAR": "MAKE_INTERVAL({})",
    "MONTH": "MAKE_INTERVAL(0, {})",
    "DAY": "MAKE_INTERVAL(0, 0, 0, {})",
    "HOUR": "MAKE_INTERVAL(0, 0, 0, 0, CAST({} AS INT))",
    "MINUTE": "MAKE_INTERVAL(0, 0, 0, 0, 0, CAST({} AS INT))",
    "SECOND": "MAKE_INTERVAL(0, 0, 0, 0, 0, 0, CAST({} AS DECIMAL(18, 6)))",
    "MILLISECOND": "MAKE_INTERVAL(0, 0, 0, 0, 0, 0, CAST(CAST({} AS DECIMAL(24, 0)) * 0.001BD AS DECIMAL(18, 6)))",
    "MICROSECOND": "MAKE_INTERVAL(0, 0, 0, 0, 0, 0, CAST(CAST({} AS DECIMAL(24, 0)) * 0.000001BD AS DECIMAL(18, 6)))",
}
_BORDERS: dict[str, str] = {
    "YEAR": "CAST(YEAR({0}) AS BIGINT)",
    "QUARTER": "(YEAR({0}) * 4L + QUARTER({0}))",
    "MONTH": "(YEAR({0}) * 12L + MONTH({0}))",
    "DAY": "CAST(UNIX_DATE(CAST({0} AS DATE)) AS BIGINT)",
    **{
        unit: f"((UNIX_MICROS(CAST({{0}} AS TIMESTAMP_LTZ)) + {_YEAR_1_US}L) DIV {size}L)"
        for unit, size in _SIZES_US.items()
    },
}
"""Number of the unit in which a moment lies."""


def _extract(generator: Any, node: exp.Extract) -> str:
    part, moment = node.name.upper(), generator.sql(node.expression)
    return _PARTS.get(part, f"EXTRACT({part} FROM {{}})").format(moment)


def _interval(generator: Any, node: exp.Interval) -> str:
    return _STEPS[node.text("unit").upper()].format(generator.sql(node.this))


def _difference(generator: Any, node: exp.DateDiff) -> str:
    number = _BORDERS[node.text("unit").upper()]
    return f"({number.format(generator.sql(node.this))} - {number.format(generator.sql(node.expression))})"


TIMES: dict[type[exp.Expression], Callable[[Any, Any], str]] = {
    exp.Extract: _extract,
    exp.Interval: _interval,
    exp.DateDiff: _difference,
    exp.TimestampTrunc: lambda g, e: f"CAST(DATE_TRUNC('{e.text('unit').upper()}', {g.sql(e.this)}) AS TIMESTAMP_NTZ)",
}
"""How nodes are spelled."""
