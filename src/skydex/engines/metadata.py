"""The metadata engine: COUNT, MIN and MAX from what is known of row groups; few rows are read, or none.

What is to be known and what is to be read, the plan says (`query.tallies`). Rows at the rim are tested as the scan
engine tests them, so that the answer is that of the other engines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.engines.engine import Deadline
from skydex.engines.reading import read_scan
from skydex.engines.scan import projected, selected
from skydex.errors import BadQueryError, EngineError
from skydex.query import Measure, Plan, Tally
from skydex.tables import Result, limited

__all__ = ["MetadataEngine"]


class MetadataEngine:
    """Runs plans whose `engine` is `metadata`."""

    name = "metadata"

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Start a count; the rows at the rim are read when its one row is asked for."""
        if plan.tally is None:
            raise EngineError("Only COUNT, MIN and MAX can be answered from metadata.")
        return limited(Result(plan.columns, _rows(plan, plan.tally, deadline)), plan.max_rows)


def _rows(plan: Plan, tally: Tally, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
    try:
        values = _completed(plan, tally, deadline)
        (scan,) = plan.scans.values()
        kinds = [
            pa.int64() if measure.kind == "count" else scan.kind_of(str(measure.column)) for measure in tally.measures
        ]
        names = [f"m{number}" for number in range(len(values))]
        arrays = [pa.array([_plain(value)], kind) for value, kind in zip(values, kinds, strict=True)]
        yield projected(pa.RecordBatch.from_arrays(arrays, names), tally.outputs, plan.columns)
    except pa.ArrowInvalid as error:
        raise BadQueryError("The query computes a number that is out of range.") from error


def _completed(plan: Plan, tally: Tally, deadline: Deadline | None) -> list[Any]:
    """What is known, with what the rows at the rim add to it."""
    values = [measure.of_whole for measure in tally.measures]
    if not tally.rim.n_groups:
        return values
    (scan,) = plan.scans.values()
    where = plan.bound.tree.args.get("where")
    batches = read_scan(replace(scan, selection=tally.rim))
    try:
        for batch in batches:
            if deadline is not None:
                deadline.check()
            kept = selected(batch, where.this) if where is not None else batch
            values = [_joined(m, value, kept) for m, value in zip(tally.measures, values, strict=True)]
    finally:
        batches.close()
    return values


def _joined(measure: Measure, value: Any, rows: pa.RecordBatch) -> Any:
    if measure.column is None:
        return value + rows.num_rows
    column = rows.column(measure.column)
    if measure.kind == "count":
        return value + rows.num_rows - column.null_count
    found = pc.min_max(column)[measure.kind].as_py()
    known = [each for each in (value, found) if each is not None]
    return (min if measure.kind == "min" else max)(known, default=None)


def _plain(value: Any) -> Any:
    """A value as rows have it; statistics write zero with a sign."""
    return value + 0.0 if isinstance(value, float) else value
