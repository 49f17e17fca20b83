"""First rows of an order: which row groups to look at first, and which need no look.

The best rows of `ORDER BY column` lie in the row groups with the best bounds. In the order of these a table is read
until as many rows are found as are wanted and no group is left whose bound is better than the last of them. Rows that
are missing the value come last.

Bounds are values, so that n row groups with the best bounds hold n rows as good as these: without further conditions
no more groups are read than have bounds as good as the n-th. Where that is much of the table it is not tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.query.pairs import bare_column
from skydex.query.tree import walk
from skydex.store import Dataset, Selection

__all__ = ["FirstRows", "find_first_rows", "order_keys"]

_MOST_WANTED = 20_000
_LEAST_ROWS = 400_000
"""Smaller selections are sorted as a whole in no time."""
_MOST_SHARE = 32
"""At most one part in so many of the rows is read for certain."""
_CLAUSES = ("distinct", "group", "having", "joins", "offset", "with_")


@dataclass(frozen=True, eq=False)
class FirstRows:
    """How the first rows of an order are found."""

    n_wanted: int
    """How many."""
    keys: tuple[exp.Expression, ...]
    """What they are ordered by; the first is a column."""
    is_descending: tuple[bool, ...]
    """Which way, key by key."""
    groups: NDArray[np.int64]
    """Row groups, as numbers in `Dataset.row_groups`, the best first."""
    bounds: pa.Array
    """The best value of the first key that each of them may have; null where it has none."""

    @property
    def n_certain(self) -> int:
        """Row groups that may have to be read even if all rows fulfil the conditions."""
        last = self.bounds[min(self.n_wanted, len(self.bounds)) - 1]
        if len(self.keys) == 1 or not last.is_valid:
            return min(self.n_wanted, len(self.bounds))
        as_good = pc.greater_equal if self.is_descending[0] else pc.less_equal
        return int(pc.sum(as_good(self.bounds, last)).as_py())


def find_first_rows(query: exp.Query, dataset: Dataset, selection: Selection, limit: int | None) -> FirstRows | None:
    """Find the way to the first rows of a query on one stored table; `None` if bounds are no help.

    Parameters
    ----------
    query : exp.Query
        A bound tree.
    dataset : Dataset
        Its only table.
    selection : Selection
        What its conditions leave of that.
    limit : int or None
        Rows at the most, beside what the query says itself.
    """
    order = query.args.get("order")
    if not isinstance(query, exp.Select) or order is None or any(query.args.get(clause) for clause in _CLAUSES):
        return None
    n_rows = selection.n_rows
    if not dataset.is_own or not n_rows or n_rows < _LEAST_ROWS or any(map(_is_of_many_rows, walk(query))):
        return None
    limits = [int(query.args["limit"].expression.this)] if query.args.get("limit") is not None else []
    wanted = min([*limits, *([limit] if limit is not None else [])], default=_MOST_WANTED + 1)
    keys = order_keys(query)
    first = bare_column(keys[0])
    if first is None or not 0 < wanted <= _MOST_WANTED:
        return None
    descending = tuple(bool(item.args.get("desc")) for item in order.expressions)
    found = _ordered(dataset, dataset.numbers_of(selection), first.name, is_descending=descending[0])
    if found is None or (found[2] and any(item.args.get("nulls_first") for item in order.expressions)):
        return None
    first_rows = FirstRows(wanted, keys, descending, *found[:2])
    n_read = int(dataset.row_groups.n_rows[first_rows.groups[: first_rows.n_certain]].sum())
    return first_rows if n_read * _MOST_SHARE <= selection.n_rows else None


def _is_of_many_rows(node: exp.Expression) -> bool:
    return isinstance(node, exp.AggFunc | exp.Window | exp.Subquery)


def order_keys(query: exp.Query) -> tuple[exp.Expression, ...]:
    """What the rows of a query are ordered by; nothing if it says nothing."""
    order = query.args.get("order")
    return tuple(_key(item.this, query) for item in order.expressions) if order is not None else ()


def _key(node: exp.Expression, query: exp.Query) -> exp.Expression:
    """What a row is ordered by, with values in place of positions."""
    is_position = isinstance(node, exp.Literal) and not node.is_string
    value: exp.Expression = query.expressions[int(node.this) - 1].this if is_position else node
    return value


def _ordered(
    dataset: Dataset, numbers: NDArray[np.int64], name: str, *, is_descending: bool
) -> tuple[NDArray[np.int64], pa.Array, bool] | None:
    """Row groups by the best value that they may have, those values, and whether any are missing."""
    statistics = dataset.statistics(name)
    kind = statistics.min.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind)):
        return None
    n_nulls, n_rows = statistics.null_count[numbers], dataset.row_groups.n_rows[numbers]
    ends = (statistics.max if is_descending else statistics.min).take(pa.array(numbers))
    if (ends.is_null().to_numpy(zero_copy_only=False) & (n_nulls != n_rows)).any():
        return None
    way = "descending" if is_descending else "ascending"
    places = pc.array_sort_indices(ends, order=way, null_placement="at_end")
    return numbers[places.to_numpy()], ends.take(places), bool((n_nulls != 0).any())
