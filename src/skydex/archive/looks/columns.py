"""Columns at a glance: what each means, from where to where it goes, how much is missing, and how it is spread.

Bounds and nulls are what the store knows of them; no row is read for that. How values are spread is a histogram of a
sample, and an estimate unless the sample is the whole table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.archive.looks.binning import Bins
from skydex.archive.looks.cells import Floats, numbers_of
from skydex.archive.looks.look import Look, Rows, whole_result
from skydex.archive.looks.ranges import find_range
from skydex.archive.looks.sampling import Sample, sample_of
from skydex.query import Namespace, Plan, Relation
from skydex.tables import Column, Datatype, Result, Table

__all__ = ["ColumnsRequest"]

_MOST_VALUES = 4_000_000
"""Values that are read of all columns together."""


@dataclass(frozen=True, kw_only=True)
class ColumnsRequest(Look):
    """One row for each column of a table."""

    bins: int = 24
    """Of the histogram of each."""

    def plan(self, namespace: Namespace) -> Plan:
        table = namespace.get(self.subject.table).table
        names = [column.name for column in table.columns if _is_number(column)] or [table.columns[0].name]
        return self.subject.plan_of_columns(namespace, names)

    def seen(self, plan: Plan, namespace: Namespace, rows: Rows) -> Result:
        relation = namespace.get(self.subject.table)
        sample = sample_of(plan, min(self.sample_rows, _MOST_VALUES // len(plan.columns)))
        values = rows.each(sample.plan, lambda batch: list(map(_numbers, batch.columns)))
        columns = [np.concatenate(parts) for parts in zip([np.empty(0)] * len(plan.columns), *values, strict=True)]
        read = {c.name: v for c, v in zip(plan.columns, columns, strict=True) if _is_number(c)}
        places = {name: place for place, name in enumerate(c.name for c in plan.columns)}
        spreads = {name: _Spread.of(found, places[name], sample, self.bins) for name, found in read.items()}
        known = {
            c.name: _Known.of(c, relation, read.get(c.name) if sample.is_whole else None)
            for c in relation.table.columns
        }
        infos = [
            ("n_rows", relation.table.n_rows if relation.table.n_rows is not None else ""),
            ("n_read", len(columns[0])),
            ("share_read", sample.share),
        ]
        return _result(self, relation.table, known, spreads, infos, is_estimate=not sample.is_whole)


@dataclass(frozen=True)
class _Known:
    """What is known of all values of a column."""

    low: float | None = None
    high: float | None = None
    first: str | None = None
    last: str | None = None
    n_null: int | None = None

    @classmethod
    def of(cls, column: Column, relation: Relation, everything: Floats | None) -> _Known:
        dataset = relation.dataset
        if dataset is None or dataset.is_distant or column.is_array:
            return cls._of_all(everything) if everything is not None else cls()
        statistics = dataset.statistics(column.name)
        has_nulls_told = len(statistics) > 0 and bool((statistics.null_count >= 0).all())
        n_null = int(statistics.null_count.sum()) if has_nulls_told else None
        told = statistics.min.is_valid().to_numpy(zero_copy_only=False) | statistics.is_empty(dataset.row_groups.n_rows)
        if not len(statistics) or not told.all():
            return cls(n_null=n_null) if everything is None else cls._of_all(everything)
        low, high = pc.min_max(statistics.min)["min"].as_py(), pc.min_max(statistics.max)["max"].as_py()
        if column.datatype.is_numeric:
            return cls(_float(low), _float(high), n_null=n_null)
        if not (statistics.is_exact | statistics.is_empty(dataset.row_groups.n_rows)).all():  # of texts that were cut
            return cls(n_null=n_null)
        return cls(first=_text(low), last=_text(high), n_null=n_null)

    @classmethod
    def _of_all(cls, values: Floats) -> _Known:
        here = values[~np.isnan(values)]
        n_null = len(values) - len(here)
        return cls(float(here.min()), float(here.max()), n_null=n_null) if len(here) else cls(n_null=n_null)


@dataclass(frozen=True)
class _Spread:
    """How values are spread between two."""

    low: float
    high: float
    counts: list[int]

    @classmethod
    def of(cls, values: Floats, place: int, sample: Sample, n: int) -> _Spread | None:
        found = find_range(place, values, sample, lambda bounds: bounds)
        bins = Bins(found.low, found.high, n)
        if found.origin == "nothing" or not bins.is_resolved:
            return None
        return cls(found.low, found.high, np.bincount(bins.numbers(values), minlength=n + 2)[1:-1].tolist())


def _result(
    look: ColumnsRequest,
    table: Table,
    known: dict[str, _Known],
    spreads: dict[str, _Spread | None],
    infos: Sequence[tuple[str, object]],
    *,
    is_estimate: bool,
) -> Result:
    facts = [known[column.name] for column in table.columns]
    spread = [spreads.get(column.name) for column in table.columns]
    described: list[tuple[Column, list[Any]]] = [
        (_text_column("name", "Name of the column"), [c.name for c in table.columns]),
        (_text_column("datatype", "Its type in VOTable's words"), [c.datatype.value for c in table.columns]),
        (_text_column("arraysize", "Its size, of texts and arrays"), [c.arraysize for c in table.columns]),
        (_text_column("unit", "Its unit"), [c.unit for c in table.columns]),
        (_text_column("ucd", "Its UCD"), [c.ucd for c in table.columns]),
        (_text_column("description", "What it means"), [c.description or None for c in table.columns]),
        (Column("min", Datatype.DOUBLE, description="Least number; null where not known"), [k.low for k in facts]),
        (Column("max", Datatype.DOUBLE, description="Greatest number; null where not known"), [k.high for k in facts]),
        (_text_column("first", "Least text or time; null where not known"), [k.first for k in facts]),
        (_text_column("last", "Greatest text or time; null where not known"), [k.last for k in facts]),
        (Column("n_null", Datatype.LONG, description="Values that are missing; null where not known"),
         [k.n_null for k in facts]),
        (Column("lo", Datatype.DOUBLE, description="Where the histogram begins"),
         [s.low if s else None for s in spread]),
        (Column("hi", Datatype.DOUBLE, description="Where the histogram ends"),
         [s.high if s else None for s in spread]),
        (Column("counts", Datatype.LONG, f"{look.bins}*", description="Histogram of the values that were read"),
         [s.counts if s else None for s in spread]),
        (Column("is_estimate", Datatype.BOOLEAN, description="Whether the histogram is that of a sample"),
         [is_estimate if s else None for s in spread]),
    ]  # fmt: skip
    columns = [_sized(column, values) for column, values in described]
    arrays = [values for _, values in described]
    return whole_result(look, columns, arrays, infos=infos, description=f"Columns of {table.name}")


def _is_number(column: Column) -> bool:
    return column.datatype.is_numeric and not column.is_array


def _numbers(array: pa.Array) -> Floats:
    kind = array.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return numbers_of(array) if is_number else np.full(len(array), np.nan)


def _text_column(name: str, description: str) -> Column:
    return Column(name, Datatype.UNICODE_CHAR, "*", description=description)


def _sized(column: Column, values: Sequence[Any]) -> Column:
    """A column of texts with the length of the longest one."""
    if not column.datatype.is_text:
        return column
    longest = max((len(value.encode("utf-16-be", "surrogatepass")) // 2 for value in values if value), default=1)
    return Column(column.name, column.datatype, f"{max(1, longest)}*", description=column.description)


def _float(value: Any) -> float | None:
    return None if value is None else float(value) + 0.0


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return (
        value.isoformat()
        if hasattr(value, "isoformat")
        else str(value).lower()
        if value in (True, False)
        else str(value)
    )
