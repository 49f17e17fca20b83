"""`ColumnFilter`: what a filter of MAST's Filtered services says of one column, as a condition of a query.

MAST API, "Filtered" services: `paramName` names a column, `values` lists exact values and ranges (`min`, `max`, both of
them inside), `freeText` is a pattern with `%`; any of these may hold. A `separator` says that the column holds lists,
of which one item is compared. Values are read as those of a catalogue search are (`constraints`), so that a number may
come as a text and case does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from skydex.archive.constraints import Constraint, condition_of
from skydex.errors import BadParameterError, QueryTooLargeError
from skydex.query import build
from skydex.query.tree import conjunction
from skydex.tables import Column, Table

__all__ = ["ColumnFilter", "column_filters"]

_MOST_RANGES = 100
_MOST_ITEMS = 200
_MOST_FILTERS = 200


@dataclass(frozen=True)
class _Named(Constraint):
    """A constraint that messages name by its column alone: requests know no operators."""

    @property
    def parameter(self) -> str:
        return self.name


@dataclass(frozen=True)
class ColumnFilter:
    """One entry of `filters`."""

    name: str
    """The column, as the request spells it."""
    values: tuple[str, ...] = ()
    """Each of them alone is enough."""
    ranges: tuple[tuple[str | None, str | None], ...] = ()
    """First and last value of each range; None where it is open."""
    pattern: str | None = None
    """A text with `%` for anything."""
    separator: str = ""
    """What stands between the items of a list; empty where the column holds no lists."""
    has_null: bool = False
    """Whether no value at all is enough, too."""

    def condition(self, table: Table, alias: str) -> exp.Expression:
        """Make the condition.

        Parameters
        ----------
        table : Table
            The table that is searched.
        alias : str
            What it is called in the query.

        Raises
        ------
        UnknownColumnError
            It has no such column.
        BadParameterError
            A value is not of the column's type.
        QueryTooLargeError
            There are too many values or ranges.
        """
        if len(self.ranges) > _MOST_RANGES:
            raise QueryTooLargeError(f"list of ranges of {self.name}", limit=_MOST_RANGES)
        column = table.get_column(self.name)
        nodes = list(self._alternatives(column, alias))
        if not nodes:
            raise BadParameterError(self.name, 'has no values: give "values" such as ["0"] or [{"min": 1, "max": 2}].')
        return exp.Paren(this=conjunction(nodes, exp.Or)) if len(nodes) > 1 else nodes[0]

    def _alternatives(self, column: Column, alias: str) -> Iterator[exp.Expression]:
        def node(operator: str, *values: str) -> exp.Expression:
            return condition_of(_Named(self.name, operator, values), column, alias, missing=None)

        if self.values and self.separator and column.datatype.is_text:
            yield self._item(column, alias)
        elif self.values:
            yield node("eq", *self.values)
        for low, high in self.ranges:
            bounds = [node(operator, text) for operator, text in (("gte", low), ("lte", high)) if text is not None]
            yield exp.Paren(this=conjunction(bounds)) if len(bounds) > 1 else bounds[0]
        if self.pattern is not None:
            yield node("like", self.pattern)
        if self.has_null:
            yield node("null", "true")

    def _item(self, column: Column, alias: str) -> exp.Expression:
        """That a list has one of the values."""
        if len(self.values) > _MOST_ITEMS:
            raise QueryTooLargeError(f"list of values of {self.name}", limit=_MOST_ITEMS)
        comma, items = _literally(self.separator), "|".join(map(_literally, self.values))
        pattern = build.literal(rf"(?i)(^|{comma})\s*({items})\s*({comma}|$)")
        found = build.call("GAVO_MATCH", pattern, build.column_node(column.name, alias))
        return exp.EQ(this=found, expression=build.literal(1))


def _literally(text: str) -> str:
    """A regular expression that matches a text and nothing else."""
    return re.sub(r"[^\w\s]", r"\\\g<0>", text.replace("\0", ""), flags=re.ASCII)


def column_filters(given: Any) -> tuple[ColumnFilter, ...]:
    """The filters that a request has as JSON: a list of `{"paramName": column, "values": [...]}`.

    Raises
    ------
    BadParameterError
        It is something else.
    """
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise BadParameterError("filters", 'must be a list such as [{"paramName": "chip", "values": ["1"]}].')
    if len(given) > _MOST_FILTERS:
        raise BadParameterError("filters", f"has more than {_MOST_FILTERS} entries.")
    return tuple(map(_read, given))


def _read(entry: Mapping[str, Any]) -> ColumnFilter:
    name = entry.get("paramName")
    if not isinstance(name, str) or not name:
        raise BadParameterError("filters", 'has an entry without "paramName", the name of a column.')
    values = entry.get("values", [])
    values = values if isinstance(values, list) else [values]
    pattern, separator = (entry.get(key) or None for key in ("freeText", "separator"))
    if not isinstance(pattern, str | None) or not isinstance(separator, str | None):
        raise BadParameterError(name, "takes texts for freeText and separator.")
    return ColumnFilter(
        name,
        tuple(_value_text(name, value) for value in values if not isinstance(value, dict | None)),
        tuple(_bounds(name, value) for value in values if isinstance(value, dict)),
        pattern,
        separator or "",
        None in values,
    )


def _bounds(name: str, value: Mapping[str, Any]) -> tuple[str | None, str | None]:
    low, high = (value.get(key) for key in ("min", "max"))
    if (low is None and high is None) or not set(value) <= {"min", "max"}:
        raise BadParameterError(name, 'has a range that is not {"min": ..., "max": ...}.')
    return (None if low is None else _value_text(name, low), None if high is None else _value_text(name, high))


def _value_text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise BadParameterError(name, "has a value that is no number, text or range.")
