"""Estimates: about how many rows a plan meets, and how many bytes that is, before it runs.

How many rows lie in a region follows from the bounds of the row groups, as if the rows of a group were spread evenly
over its piece of the sky. What share of them fulfils the other conditions shows a sample: a few row groups are read,
spread over those that the plan names; of a table far away none is, and all rows count. How many rows a join has follows
from its columns of whole numbers, as if each value between the least and the greatest one stood equally often (Selinger
et al. 1979, SIGMOD, 23). How many values a column has nobody wrote down; for groups, and wherever a condition cannot be
weighed, there is only a bound, which holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
    is_bound: bool = False
    """Whether that is the most that there can be, rather than about how many there are."""

    def __str__(self) -> str:
        parts = [f"about {n:,} rows of {name}" for name, n in self.rows.items()]
        if self.n_rows is not None:
            parts.append(f"{'at most' if self.is_bound else 'about'} {self.n_rows:,} rows in the answer")
        return f"{', '.join(parts)}; about {self.n_bytes / 1e6:,.1f} MB to read"


def estimated(plan: Plan) -> Estimate:
    """Foretell what a plan will meet; reads at most a few row groups of each table."""
    rows = {name: _n_rows(plan, scan) for name, scan in plan.scans.items()}
    n_answers, is_bound = _n_answers(plan, rows)
    return Estimate(rows, sum(map(_n_bytes, _read_by(plan))), n_answers, is_bound)


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
    """The conditions of a SELECT on one table alone: of WHERE, and of ON where no join brings rows without partners."""
    for part in _all_conditions(query, with_on=not _has_outer_join(query)):
        if _tables_of(part) == {source} and is_scannable(part):
            yield part


def _all_conditions(query: exp.Query, *, with_on: bool) -> Iterator[exp.Expression]:
    """Everything that is AND-ed."""
    if not isinstance(query, exp.Select):
        return
    where, joins = query.args.get("where"), query.args.get("joins") or ()
    whole = [where.this] if where is not None else []
    whole += [join.args["on"] for join in joins if with_on and join.args.get("on") is not None]
    for condition in whole:
        yield from (part.unnest() for part in tree.flattened(condition.unnest(), exp.And))


def _has_outer_join(query: exp.Query) -> bool:
    return any(join.side for join in query.args.get("joins") or ())


def _tables_of(condition: exp.Expression) -> set[str]:
    return {column.table for column in condition.find_all(exp.Column)}


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


def _n_answers(plan: Plan, rows: dict[str, int]) -> tuple[int | None, bool]:
    """Rows of the answer to one SELECT from tables, and whether it is a bound."""
    query = plan.bound.tree
    if plan.tally is not None:
        return 1, False
    if plan.matches or not isinstance(query, exp.Select) or not _is_from_tables(query, rows) or query.args.get("with_"):
        return None, False
    outputs = [node for output in query.expressions for node in tree.walk(output)]
    if any(isinstance(node, exp.Query) for node in outputs):
        return None, False
    n_rows, is_bound = _n_before_limits(query, plan.scans, rows, is_summed=any(map(_is_sum, outputs)))
    limits = [int(limit.expression.this)] if (limit := query.args.get("limit")) is not None else []
    limits += [plan.max_rows] if plan.max_rows is not None else []
    offset = query.args.get("offset")
    skipped = int(offset.expression.this) if offset is not None else 0
    return min([max(n_rows - skipped, 0), *limits]), is_bound


def _is_sum(node: exp.Expression) -> bool:
    """Whether it makes one value of many rows."""
    return isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window)


def _n_before_limits(
    query: exp.Select, scans: Mapping[str, Scan], rows: dict[str, int], *, is_summed: bool
) -> tuple[int, bool]:
    most, is_grouped = _most_rows(query, scans), query.args.get("group") is not None
    if is_summed and not is_grouped:
        return 1, query.args.get("having") is not None
    if is_grouped or query.args.get("distinct") or query.args.get("having"):
        return _most_distinct(query, scans, most), True
    about = _n_joined(query, scans, rows)
    return (most, True) if about is None else (min(about, most), False)


def _is_from_tables(query: exp.Select, rows: dict[str, int]) -> bool:
    """Whether its FROM names all tables that are read, and nothing else."""
    from_ = query.args.get("from_")
    items = [from_.this, *(join.this for join in query.args.get("joins") or ())] if from_ is not None else []
    return (
        bool(items)
        and all(isinstance(item, exp.Table) for item in items)
        and {item.alias for item in items} == set(rows)
    )


def _most_rows(query: exp.Select, scans: Mapping[str, Scan]) -> int:
    """Rows that there may be before any are merged."""
    return prod(scan.n_rows + _has_outer_join(query) for scan in scans.values())


def _n_joined(query: exp.Select, scans: Mapping[str, Scan], rows: dict[str, int]) -> int | None:
    """About how many rows the joins have; None where a condition cannot be weighed."""
    first, is_outer = query.args["from_"].this.alias, _has_outer_join(query)
    if is_outer and any(join.side != "LEFT" for join in query.args["joins"]):
        return None
    n_rows = float(prod(_n_before_joins(query, scan, rows[name]) for name, scan in scans.items()))
    for part in _all_conditions(query, with_on=True):
        if is_scannable(part) and len(_tables_of(part)) == 1:  # it is counted with its table
            if is_outer and _tables_of(part) != {first}:
                return None
            continue
        n_values = _n_equal(query, part, scans)
        if n_values is None:
            return None
        n_rows /= max(n_values, 1)
    return max(round(n_rows), rows[first]) if is_outer else round(n_rows)


def _n_before_joins(query: exp.Select, scan: Scan, n_rows: int) -> int:
    """Rows of a table that fulfil its own conditions, those included that a join lets nobody read."""
    is_free = scan.dataset is not None and scan.dataset.knows_row_groups and not any(_conditions(query, scan.source))
    return int(scan.dataset.row_groups.n_rows.sum()) if is_free and scan.dataset is not None else n_rows


def _n_equal(query: exp.Select, condition: exp.Expression, scans: Mapping[str, Scan]) -> int | None:
    """Among how many values those of two columns that must be equal may lie.

    It is the greater number of theirs, but of a column that is confined by itself the others are no matter.
    """
    if not isinstance(condition, exp.EQ) or len(_tables_of(condition)) != 2:
        return None
    sides = [node for node in (condition.this, condition.expression) if isinstance(node, exp.Column)]
    found = [(side, _n_values(scans[side.table], side.name, is_whole=True)) for side in sides]
    known = {side: n for side, n in found if n is not None}
    if len(known) < 2:
        return None
    free = [
        n
        for side, n in known.items()
        if not any(side in part.find_all(exp.Column) for part in _conditions(query, side.table))
    ]
    return max(free or known.values())


def _most_distinct(query: exp.Select, scans: Mapping[str, Scan], most: int) -> int:
    """Groups, or distinct rows, that there may be."""
    group, total = query.args.get("group"), 1
    for key in group.expressions if group is not None else [output.unalias() for output in query.expressions]:
        bare = key.unnest()
        n_values = _n_values(scans[bare.table], bare.name) if isinstance(bare, exp.Column) else None
        if not isinstance(bare, exp.Literal):
            total *= most if n_values is None else n_values + 1  # missing values are a group of their own
    return min(total, most)


def _n_values(scan: Scan, name: str, *, is_whole: bool = False) -> int | None:
    """Values that a column has at the most, in what is read or in the whole table; None where nothing is known."""
    if scan.rows is not None:
        return int(pc.count_distinct(scan.rows[name]).as_py())
    dataset, selection = scan.stored
    if pa.types.is_boolean(scan.kind_of(name)):
        return 2
    if not pa.types.is_integer(scan.kind_of(name)) or not dataset.knows_row_groups:
        return None
    statistics, n_rows = dataset.statistics(name), dataset.row_groups.n_rows
    numbers = np.arange(len(n_rows)) if is_whole else dataset.numbers_of(selection)
    least, greatest = (ends.take(pa.array(numbers)) for ends in (statistics.min, statistics.max))
    is_unknown = least.is_null().to_numpy(zero_copy_only=False) & ~statistics.is_empty(n_rows)[numbers]
    if is_unknown.any():
        return None
    low, high = pc.min(least).as_py(), pc.max(greatest).as_py()
    return 0 if low is None else min(int(high) - int(low) + 1, int(n_rows[numbers].sum()))
