"""Sorted runs: the middle state of an external sort.

A run is a table sorted by index, rows without a position last. It is either in memory or an Arrow file that is mapped,
so that the rows of one pixel are two binary searches and a slice away and no run is ever read whole.
"""

from __future__ import annotations

import json
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
_ALIKE, _SCHEMA = b"skydex.alike", b"skydex.schema"
"""In the metadata of a run: the value of each column that has only one, and the schema of the rows."""


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
    def positioned(self) -> pa.Table:
        return self.rows.slice(0, len(self.index))

    @property
    def unpositioned(self) -> pa.Table:
        return self.rows.slice(len(self.index))


def sorted_table(rows: pa.Table, sort_by: Sequence[str]) -> pa.Table:
    """Sort by index, then by the given columns; equal rows keep their order and nulls go last."""
    rows = rows.combine_chunks()
    if len(rows) < 2:
        return rows
    if INDEX_COLUMN not in rows.column_names:
        return _taken(rows, pc.sort_indices(rows, sort_keys=_ascending(sort_by))) if sort_by else rows
    index = pc.fill_null(rows[INDEX_COLUMN], _LAST).to_numpy()
    order = np.argsort(index)
    tied = _tied(index[order])
    if tied.any():
        order[tied] = _settled(rows, index, order[tied], sort_by)
    return _taken(rows, pa.array(order))


def _taken(rows: pa.Table, order: pa.Array) -> pa.Table:
    """All rows in another order; columns of one value, of which wide tables have many, stay as they are."""
    columns = [column if _has_one_value(column) else column.take(order) for column in rows.columns]
    return pa.Table.from_arrays(columns, schema=rows.schema)


def _has_one_value(column: pa.ChunkedArray) -> bool:
    if column.null_count:
        return bool(column.null_count == len(column))
    if not pa.types.is_integer(column.type):
        return False
    ends = pc.min_max(column)
    return bool(ends["min"] == ends["max"])


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
    some = [piece for piece in pieces if len(piece)] or list(pieces[:1])
    if len(some) == 1:
        return some[0]
    return sorted_table(pa.concat_tables(some), sort_by)


def write_run(path: Path, rows: pa.Table) -> Written:
    """Write a sorted table as a file that `open_run` can map; of columns of one value only the value."""
    later = rows.column_names[1:] if len(rows) else []  # one column is kept, as it tells how many rows there are
    alike = {name: rows[name][0].as_py() for name in later if _has_one_value(rows[name])}
    schema = pa.schema([rows.schema.field(name) for name in rows.column_names if name not in alike])
    schema = schema.with_metadata({_ALIKE: json.dumps(alike), _SCHEMA: rows.schema.serialize().to_pybytes()})
    with new_file(path) as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_table(rows.select(schema.names).cast(schema))
    return file.written


def _mapped(path: Path) -> pa.MemoryMappedFile:
    try:
        return pa.memory_map(str(path))
    except OSError as error:
        if "allocate memory" in str(error):  # Arrow gives no number for it
            raise MemoryError(f"No room to map {path.name}") from error
        raise


def open_run(path: Path) -> Run:
    """Map a run; its rows stay on the disk until they are used.

    Raises
    ------
    MemoryError
        The process may not have so much of it: what is mapped counts, too.
    """
    mapped = pa.ipc.open_file(_mapped(path)).read_all()
    about = mapped.schema.metadata
    schema, alike = pa.ipc.read_schema(pa.py_buffer(about[_SCHEMA])), json.loads(about[_ALIKE])
    shared: dict[tuple[pa.DataType, int | None], pa.Array] = {}
    columns = []
    for field in schema:
        if field.name not in alike:
            columns.append(mapped[field.name])
            continue
        key = field.type, alike[field.name]
        if key not in shared:
            shared[key] = pa.repeat(pa.scalar(key[1], field.type), len(mapped))
        columns.append(shared[key])
    return Run(pa.Table.from_arrays(columns, schema=schema))
