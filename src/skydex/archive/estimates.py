"""Estimates: about how many rows a plan meets, and how many bytes that is, before it runs.

How many rows lie in a region follows from the bounds of the row groups, as if the rows of a group were spread evenly
over its piece of the sky. What share of them fulfils the other conditions shows a sample: a few row groups are read,
spread over those that the plan names; of a table far away none is, and all rows count. Of joins and groups nothing is
foretold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from sqlglot import exp

from skydex.engines import n_passing
from skydex.query import Plan, Scan, is_scannable, tree
from skydex.query.tree import InRegion
from skydex.sky import intersect_ranges, ranges29

__all__ = ["Estimate", "estimated"]

_SAMPLED_GROUPS = 6
_FINE = 2_000
"""Ranges by which a region is followed."""


@dataclass(frozen=True)
class Estimate:
    """What is expected of a plan that has not run."""

    rows: dict[str, int]
    """Rows of each table that fulfil the conditions on it alone, by source."""
    n_bytes: int
    """Bytes of the files that must be read, packed as they are."""
    n_rows: int | None
    """Rows of the answer; None where nothing can be said."""

    def __str__(self) -> str:
        parts = [f"about {n:,} rows of {name}" for name, n in self.rows.items()]
        if self.n_rows is not None:
            parts.append(f"about {self.n_rows:,} rows in the answer")
        return f"{', '.join(parts)}; about {self.n_bytes / 1e6:,.1f} MB to read"


def estimated(plan: Plan) -> Estimate:
    """Foretell what a plan will meet; reads at most a few row groups of each table."""
    rows = {name: _n_rows(plan, scan) for name, scan in plan.scans.items()}
    return Estimate(rows, sum(map(_n_bytes, _read_by(plan))), _n_answers(plan, rows))


def _n_rows(plan: Plan, scan: Scan) -> int:
    if scan.selection is None:
        return scan.side().n_rows
    dataset, selection = scan.stored
    conditions = list(_conditions(plan.bound.tree, scan.source))
    regions = [node.meta["region"] for node in conditions if isinstance(node, InRegion)]
    ranges = scan.ranges
    if ranges is not None:
        for region in regions:
            ranges = intersect_ranges(ranges, ranges29(region, most=_FINE))
    n_rows = selection.n_rows
    if ranges is not None and dataset.knows_row_groups:
        n_rows = min(dataset.row_groups.n_rows_in(ranges), n_rows)
    others = [node for node in conditions if not isinstance(node, InRegion)]
    return round(n_rows * _share(scan, others))


def _conditions(query: exp.Query, source: str) -> Iterator[exp.Expression]:
    """The conditions of WHERE on one table of a SELECT alone."""
    where = query.args.get("where") if isinstance(query, exp.Select) else None
    for part in tree.flattened(where.this, exp.And) if where is not None else ():
        if {column.table for column in part.find_all(exp.Column)} == {source} and is_scannable(part):
            yield part.unnest()


def _share(scan: Scan, conditions: list[exp.Expression]) -> float:
    """The part of the rows that fulfil conditions, by a sample; 1 where none can be taken."""
    dataset, selection = scan.stored
    if not conditions or scan.is_distant or not selection.n_groups:
        return 1.0
    numbers = dataset.numbers_of(selection)
    chosen = np.unique(numbers[np.linspace(0, len(numbers) - 1, _SAMPLED_GROUPS).round().astype(int)])
    sample = replace(scan, selection=dataset.selection_of(chosen))
    n_passed, n_read = n_passing(sample, tree.conjunction(conditions))
    return n_passed / n_read if n_read else 1.0


def _read_by(plan: Plan) -> Iterator[Scan]:
    for scan in plan.scans.values():
        if scan.selection is not None:
            yield scan if plan.tally is None else replace(scan, selection=plan.tally.rim)


def _n_bytes(scan: Scan) -> int:
    """Bytes of the columns and row groups of a scan, as if all columns of a width were packed alike."""
    dataset, selection = scan.stored
    return dataset.about_bytes(selection, [scan.stored_name(column) for column in scan.column_list()])


def _n_answers(plan: Plan, rows: dict[str, int]) -> int | None:
    """Rows of an answer that takes its rows from one table."""
    query = plan.bound.tree
    if plan.tally is not None:
        return 1
    if not isinstance(query, exp.Select) or len(rows) != 1 or not _is_plain(query):
        return None
    limits = [int(limit.expression.this)] if (limit := query.args.get("limit")) is not None else []
    limits += [plan.max_rows] if plan.max_rows is not None else []
    return min([*rows.values(), *limits])


def _is_plain(query: exp.Select) -> bool:
    """Whether each row of the table makes one of the answer, if it fulfils the conditions that were weighed."""
    clauses = ("distinct", "group", "having", "joins", "offset", "with_")
    if any(query.args.get(clause) for clause in clauses) or not isinstance(query.args["from_"].this, exp.Table):
        return False
    outputs = (node for output in query.expressions for node in tree.walk(output))
    return not any(isinstance(node, exp.AggFunc | exp.Query) for node in outputs)
