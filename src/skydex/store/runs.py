"""Sorted runs: the middle state of an external sort.

A run is a table sorted by index, rows without a position last. It is either in memory or an Arrow file, of which the
rows of one pixel are two binary searches and a slice away, so that no run is ever read whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.store.files import Written, new_file
from skydex.store.storedrows import StoredRows
from skydex.tables import INDEX_COLUMN

__all__ = ["Run", "merged", "open_run", "sorted_table", "write_run"]

_LAST = np.iinfo(np.int64).max
"""Stands for the index of rows without a position while they are sorted."""
_ALIKE, _SCHEMA = b"skydex.alike", b"skydex.schema"
"""In the metadata of a run: the value of each column that has only one, and the schema of the rows."""


class Run:
    """Rows sorted by index; those without a position come last.

    Parameters
    ----------
    held : Table or StoredRows
        The rows; a table is in one chunk.
    alike : mapping, optional
        Columns that are not in `held`, since all their rows have one value.
    schema : Schema, optional
        All columns; that of `held` by default.
    """

    def __init__(
        self,
        held: pa.Table | StoredRows,
        alike: Mapping[str, int | None] = MappingProxyType({}),
        schema: pa.Schema | None = None,
    ) -> None:
        self._held = held
        self._alike = alike
        self.schema: pa.Schema = held.schema if schema is None else schema
        self.n_rows: int = held.num_rows

    def __len__(self) -> int:
        return self.n_rows

    @cached_property
    def n_positioned(self) -> int:
        """Rows that have a position."""
        if INDEX_COLUMN not in self.schema.names or not self.n_rows:
            return 0
        if isinstance(self._held, StoredRows):
            return self.n_rows - self._held.null_count(INDEX_COLUMN)
        return self.n_rows - int(self._held[INDEX_COLUMN].null_count)

    @property
    def n_bytes(self) -> int:
        """About how many bytes all rows take in memory."""
        kinds = (self.schema.field(name).type for name in self._alike)
        bits = sum(kind.bit_width if pa.types.is_integer(kind) else 64 for kind in kinds)
        return int(self._held.nbytes) + self.n_rows * bits // 8

    @property
    def index(self) -> NDArray[np.int64]:
        """Order-29 pixels of the rows that have a position, ascending; of a file mapped as long as they are used."""
        if not self.n_positioned:
            return np.empty(0, np.int64)
        if isinstance(self._held, StoredRows):
            return self._held.mapped_integers(INDEX_COLUMN, self.n_positioned)
        return np.asarray(self._held[INDEX_COLUMN].slice(0, self.n_positioned).chunk(0))

    def slice(self, start: int, stop: int) -> pa.Table:
        """Rows by their numbers, in memory."""
        held = self._held.slice(start, stop - start)
        if not self._alike:
            return held.replace_schema_metadata(self.schema.metadata)
        made: dict[tuple[pa.DataType, int | None], pa.Array] = {}
        columns = []
        for field in self.schema:
            if field.name not in self._alike:
                columns.append(held[field.name])
                continue
            key = field.type, self._alike[field.name]
            if key not in made:
                made[key] = pa.repeat(pa.scalar(key[1], field.type), len(held))
            columns.append(made[key])
        return pa.Table.from_arrays(columns, schema=self.schema)

    def within(self, start: int, stop: int) -> pa.Table:
        """Rows whose index is in the half-open range."""
        first, last = np.searchsorted(self.index, (start, stop))
        return self.slice(int(first), int(last))

    @property
    def rows(self) -> pa.Table:
        """All rows, in memory."""
        return self.slice(0, self.n_rows)

    @property
    def positioned(self) -> pa.Table:
        return self.slice(0, self.n_positioned)

    @property
    def unpositioned(self) -> pa.Table:
        return self.slice(self.n_positioned, self.n_rows)


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
    """Write a sorted table as a file for `open_run`; of columns of one value only the value."""
    later = rows.column_names[1:] if len(rows) else []  # one column is kept, as it tells how many rows there are
    alike = {name: rows[name][0].as_py() for name in later if _has_one_value(rows[name])}
    schema = pa.schema([rows.schema.field(name) for name in rows.column_names if name not in alike])
    schema = schema.with_metadata({_ALIKE: json.dumps(alike), _SCHEMA: rows.schema.serialize().to_pybytes()})
    with new_file(path) as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_table(rows.select(schema.names).cast(schema))
    return file.written


def open_run(path: Path) -> Run:
    """Open a run; its rows stay on the disk until they are used.

    Raises
    ------
    MemoryError
        The process may not have so much of it as to look at the file.
    """
    stored = StoredRows(path)
    about = stored.schema.metadata
    schema, alike = pa.ipc.read_schema(pa.py_buffer(about[_SCHEMA])), json.loads(about[_ALIKE])
    return Run(stored, alike, schema)
