"""The scan engine: one table, conditions, columns, a limit, and the order of rows that are few; no SQL.

Reads the row groups that the plan names and evaluates the conditions on Arrow batches as they come. A cone, or the
light curve of an object, costs a millisecond or two, where a SQL engine spends longer on getting ready.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.engines.engine import Deadline
from skydex.engines.evaluate import evaluate
from skydex.engines.reading import read_scan, worked
from skydex.errors import BadQueryError
from skydex.query import Plan, Scan, order_keys
from skydex.query.tree import Compute, conjunction, flattened, walk
from skydex.tables import Column, Result, arrow_schema, conformed, limited

__all__ = ["ScanEngine", "n_passing", "projected", "scanned", "selected"]

_Made = TypeVar("_Made")


class ScanEngine:
    """Runs plans whose `engine` is `scan`."""

    name = "scan"

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Start a scan; rows are read as the result is walked through."""
        return limited(Result(plan.columns, _rows(plan, deadline)), plan.max_rows)

    def each(self, plan: Plan, work: Callable[[pa.RecordBatch], _Made], deadline: Deadline | None) -> Iterator[_Made]:
        """What some work makes of the rows of a plan, of which there is no limit and no order, part by part.

        It is done where rows are read, in several threads, so that no one of them has to wait for all rows.
        """
        (scan,) = plan.scans.values()
        query = plan.bound.tree
        where = query.args.get("where")

        def made(batch: pa.RecordBatch) -> Iterator[_Made]:
            kept = batch if where is None else selected(batch, where.this)
            if kept.num_rows:
                yield work(projected(kept, query.expressions, plan.columns))

        found = worked(scan, made, deadline=deadline)
        try:
            for item in found:
                if deadline is not None:
                    deadline.check()
                yield item
        except pa.ArrowInvalid as error:
            raise BadQueryError("The query computes a number that is out of range.") from error
        finally:
            found.close()


def n_passing(scan: Scan, condition: exp.Expression) -> tuple[int, int]:
    """How many of the rows that a scan reads fulfil a condition, and how many there are."""
    passed = total = 0
    for batch in read_scan(scan):
        passed, total = passed + selected(batch, condition).num_rows, total + batch.num_rows
    return passed, total


def _rows(plan: Plan, deadline: Deadline | None) -> Iterator[pa.RecordBatch]:
    (scan,) = plan.scans.values()
    yield from scanned(plan.bound.tree, read_scan(scan, deadline=deadline), plan, deadline)


def scanned(
    query: exp.Query, batches: Generator[pa.RecordBatch], plan: Plan, deadline: Deadline | None
) -> Iterator[pa.RecordBatch]:
    """What a query that only scans makes of the rows that it reads, up to the limit of its plan."""
    where = query.args.get("where")
    left, skipped = _limit(query, plan.limit), _offset(query)
    try:
        if left == 0:
            return
        sought = _kept(batches, where.this if where is not None else None, deadline)
        for kept in sought if query.args.get("order") is None else _ordered(sought, query):
            if skipped:
                n_skipped = min(skipped, kept.num_rows)
                kept, skipped = kept.slice(n_skipped), skipped - n_skipped
            if left is not None:
                kept = kept.slice(0, left)
                left -= kept.num_rows
            if kept.num_rows:
                yield projected(kept, query.expressions, plan.columns)
            if left == 0:
                return
    except pa.ArrowInvalid as error:
        raise BadQueryError("The query computes a number that is out of range.") from error
    finally:
        batches.close()


def _kept(
    batches: Iterator[pa.RecordBatch], condition: exp.Expression | None, deadline: Deadline | None
) -> Iterator[pa.RecordBatch]:
    """The rows that fulfil a condition, if there is one."""
    for batch in batches:
        if deadline is not None:
            deadline.check()
        yield batch if condition is None else selected(batch, condition)


def _ordered(batches: Iterator[pa.RecordBatch], query: exp.Query) -> Iterator[pa.RecordBatch]:
    """All rows in the order of columns; rows that are level stay as they were."""
    few = [batch for batch in batches if batch.num_rows]
    if not few:
        return
    rows = pa.concat_batches(few)
    ways = query.args["order"].expressions
    keys = [
        (key.unnest().name, "descending" if way.args.get("desc") else "ascending",
         "at_start" if way.args.get("nulls_first") else "at_end")
        for key, way in zip(order_keys(query), ways, strict=True)
    ]  # fmt: skip
    yield rows.take(pc.sort_indices(rows, sort_keys=keys))


def _limit(query: exp.Query, limit: int | None) -> int | None:
    top = query.args.get("limit")
    tops = [int(top.expression.this)] if top is not None else []
    return min([*tops, *([limit] if limit is not None else [])], default=None)


def _offset(query: exp.Query) -> int:
    """Rows that are left out at the beginning."""
    offset = query.args.get("offset")
    return int(offset.expression.this) if offset is not None else 0


def selected(batch: pa.RecordBatch, condition: exp.Expression) -> pa.RecordBatch:
    """The rows for which a condition is true."""
    for stage in _stages(condition):
        if not batch.num_rows:
            break
        mask = evaluate(stage, batch)
        if isinstance(mask, pa.Scalar):
            batch = batch if mask.as_py() else batch.slice(0, 0)
        else:
            batch = batch.filter(mask, null_selection_behavior="drop")
    return batch


def _stages(condition: exp.Expression) -> list[exp.Expression]:
    """A condition as a cheap one and one that calls kernels, which is asked only of what the former leaves."""
    parts = flattened(condition, exp.And)
    are_costly = [any(isinstance(node, Compute) for node in walk(part)) for part in parts]
    cheap = [part for part, is_costly in zip(parts, are_costly, strict=True) if not is_costly]
    costly = [part for part, is_costly in zip(parts, are_costly, strict=True) if is_costly]
    return [conjunction(cheap), conjunction(costly)] if cheap and costly else [condition]


def projected(batch: pa.RecordBatch, outputs: Sequence[exp.Expression], columns: tuple[Column, ...]) -> pa.RecordBatch:
    """The outputs of a SELECT for each row, as columns of the answer."""
    nodes = [output.this for output in outputs]
    if all(isinstance(node, exp.Column) for node in nodes):
        arrays = batch.select([node.name for node in nodes]).columns
    else:
        arrays = [_output(node, column, batch) for node, column in zip(nodes, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns))


def _output(node: exp.Expression, column: Column, batch: pa.RecordBatch) -> pa.Array:
    """Values of an output; what is read comes in its type already, what is computed is brought to it."""
    operand = evaluate(node, batch)
    if isinstance(node, exp.Column):
        return operand
    return conformed(pa.repeat(operand, batch.num_rows) if isinstance(operand, pa.Scalar) else operand, column)
