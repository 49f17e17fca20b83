"""The engine of first rows: `TOP n ... ORDER BY column` of a large table, from the row groups that can hold them.

Which row groups come first, the plan says (`query.firsts`). Where conditions leave so few rows that a good part of the
table would have to be read for them, the plan is handed on to an engine that reads all of it faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.engines.engine import Deadline, Engine
from skydex.engines.evaluate import evaluate
from skydex.engines.reading import read_scan
from skydex.engines.scan import projected, selected
from skydex.errors import BadQueryError, EngineError
from skydex.query import FirstRows, Plan
from skydex.tables import Result, limited

__all__ = ["FirstRowsEngine"]

_MOST_SHARE = 16
"""One part in so many of the rows may be read before the plan is handed on."""
_MOST_GROUPS = 32
"""Row groups read at a time, at the most; at first it is one, and then twice as many each time."""


class FirstRowsEngine:
    """Runs plans whose `engine` is `first`.

    Parameters
    ----------
    otherwise : callable
        Gives the engine for plans for which bounds turn out to be no help.
    """

    name = "first"

    def __init__(self, otherwise: Callable[[], Engine]) -> None:
        self._otherwise = otherwise

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Start looking for the first rows; they are read when the result is walked through."""
        if plan.first is None:
            raise EngineError("Only the first rows of a table by one of its columns are found by bounds.")
        return limited(Result(plan.columns, self._rows(plan, plan.first, deadline)), plan.max_rows)

    def _rows(self, plan: Plan, first: FirstRows, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
        try:
            found = _found(plan, first, deadline)
            if found is None:
                yield from self._otherwise().run(plan, deadline).batches
            elif found.num_rows:
                yield projected(found, plan.bound.tree.expressions, plan.columns)
        except pa.ArrowInvalid as error:
            raise BadQueryError("The query computes a number that is out of range.") from error


def _found(plan: Plan, first: FirstRows, deadline: Deadline | None) -> pa.RecordBatch | None:
    """The rows sought, in their order; `None` if too much would have to be read."""
    (scan,) = plan.scans.values()
    dataset, selection = scan.stored
    where = plan.bound.tree.args.get("where")
    best: pa.RecordBatch | None = None
    n_read = start = 0
    step = 1
    while start < len(first.groups) and not _is_complete(best, first, start):
        if n_read * _MOST_SHARE > selection.n_rows:
            return None
        part = dataset.selection_of(np.sort(first.groups[start : start + step]))
        n_read += part.n_rows
        for batch in read_scan(replace(scan, selection=part)):
            if deadline is not None:
                deadline.check()
            batch = _promising(batch, best, first)
            kept = selected(batch, where.this) if where is not None else batch
            best = _best(kept if best is None else pa.concat_batches([best, kept]), first)
        start, step = start + step, min(2 * step, _MOST_GROUPS)
    return best


def _promising(rows: pa.RecordBatch, best: pa.RecordBatch | None, first: FirstRows) -> pa.RecordBatch:
    """The rows that are as good as the last one found by the first key, once there are as many as are wanted."""
    if best is None or best.num_rows < first.n_wanted or not (last := _values(best, 0, first)[-1]).is_valid:
        return rows
    as_good = pc.greater_equal if first.is_descending[0] else pc.less_equal
    return rows.filter(as_good(_values(rows, 0, first), last))


def _best(rows: pa.RecordBatch, first: FirstRows) -> pa.RecordBatch:
    """The rows that come first among some."""
    keys = {f"k{number}": _values(rows, number, first) for number in range(len(first.keys))}
    ways = [("descending" if way else "ascending", "at_end") for way in first.is_descending]
    order = pc.sort_indices(pa.table(keys), sort_keys=[(key, *way) for key, way in zip(keys, ways, strict=True)])
    return rows.take(order.slice(0, first.n_wanted))


def _values(rows: pa.RecordBatch, number: int, first: FirstRows) -> pa.Array:
    operand = evaluate(first.keys[number], rows)
    return pa.repeat(operand, rows.num_rows) if isinstance(operand, pa.Scalar) else operand


def _is_complete(best: pa.RecordBatch | None, first: FirstRows, start: int) -> bool:
    """Whether no row of the groups from `start` on can come before the last one found."""
    if best is None or best.num_rows < first.n_wanted:
        return False
    last, bound = _values(best, 0, first)[-1], first.bounds[start]
    if not bound.is_valid:  # only missing values are left
        return bool(last.is_valid) or len(first.keys) == 1
    if not last.is_valid:
        return False
    one = bool(len(first.keys) == 1)
    worse = (pc.less_equal if one else pc.less) if first.is_descending[0] else (pc.greater_equal if one else pc.greater)
    return bool(worse(bound, last).as_py())
