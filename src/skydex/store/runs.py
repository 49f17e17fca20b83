"""Sorted runs: the middle state of an external sort.

A run is a table sorted by index, rows without a position last. It is either in memory or an Arrow file that is mapped,
so that the rows of one pixel are two binary searches and a slice away and no run is ever read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.store.files import Written, new_file
from skydex.tables import INDEX_COLUMN

__all__ = ["Run", "merged", "open_run", "sorted_table", "write_run"]

_LAST = np.iinfo(np.int64).max
"""Stands for the index of rows without a position while they are sorted."""


@dataclass(frozen=True, eq=False)
class Run:
    """Rows sorted by index; those without a position come last."""

    rows: pa.Table
    """In one chunk."""

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """Order-29 pixels of the rows that have a position, ascending."""
        if INDEX_COLUMN not in self.rows.column_names or not len(self.rows):
            return np.empty(0, np.int64)
        column = self.rows[INDEX_COLUMN]
        return np.asarray(column.slice(0, len(column) - column.null_count).chunk(0))

    def within(self, start: int, stop: int) -> pa.Table:
        """Rows whose index is in the half-open range."""
        first, last = np.searchsorted(self.index, (start, stop))
        return self.rows.slice(first, last - first)

    @property
    def unpositioned(self) -> pa.Table:
        return self.rows.slice(len(self.index))


def sorted_table(rows: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    """Sort by index, then by the given columns; equal rows keep their order and nulls go last."""
    rows = rows.combine_chunks()
    if len(rows) < 2:
        return rows
    if INDEX_COLUMN not in rows.column_names:
        return rows.take(pc.sort_indices(rows, sort_keys=_ascending(sort_by))) if sort_by else rows
    index = pc.fill_null(rows[INDEX_COLUMN], _LAST).to_numpy()
    order = np.argsort(index)
    tied = _tied(index[order])
    if tied.any():
        order[tied] = _settled(rows, index, order[tied], sort_by)
    return rows.take(pa.array(order))


def _tied(index: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of ascending numbers has an equal neighbour."""
    same = index[1:] == index[:-1]
    return np.asarray(np.append(same, False) | np.append(False, same))


def _settled(
    rows: pa.Table, index: NDArray[np.int64], order: NDArray[np.int64], sort_by: Sequence[str]
) -> NDArray[np.int64]:
    """Order rows with equal indices by the further columns and then by where they stood.

    The fast sort of the index leaves equal ones in any order; usually only few rows come here.
    """
    order = np.sort(order)
    if not sort_by:
        return order[np.argsort(index[order], kind="stable")]
    keys = rows.select([INDEX_COLUMN, *sort_by]).take(pa.array(order))
    by_keys = pc.sort_indices(keys, sort_keys=_ascending([INDEX_COLUMN, *sort_by]))
    return np.asarray(order[np.asarray(by_keys)])


def _ascending(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, "ascending") for name in names]


def merged(pieces: Sequence[pa.Table], sort_by: Sequence[str]) -> pa.Table:
    """Join sorted pieces to one sorted table."""
    some = [piece for piece in pieces if len(piece)]
    if len(some) == 1:
        return some[0]
    return sorted_table(pa.concat_tables(some), sort_by)


def write_run(path: Path, rows: pa.Table) -> Written:
    """Write a sorted table as a file that `open_run` can map."""
    with new_file(path) as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
    return file.written


def open_run(path: Path) -> Run:
    """Map a run; its rows stay on the disk until they are used."""
    return Run(pa.ipc.open_file(pa.memory_map(str(path))).read_all())
