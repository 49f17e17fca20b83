"""Reading the row groups that a plan names, in the logical types of their columns.

Shared by the engines: large selections are read ahead by two threads, small ones in place, where a thread would only
cost time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import DamagedDataError
from skydex.query import Scan
from skydex.store import Dataset, Piece
from skydex.tables import Column, conform

__all__ = ["read_scan"]

_SMALL_ROWS = 60_000
"""Selections up to so many rows are read in place."""
_CHUNK_ROWS = 64_000
"""Rows read at a time from large selections."""
_READ_AHEAD = 3


def read_scan(scan: Scan, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read some columns of what a scan selects; rows outside the ranges of the scan are left out.

    Parameters
    ----------
    scan : Scan
        Of a stored table.
    columns : sequence of str
        Names of columns, each once; the batches have them in this order.
    """
    dataset, selection = scan.relation.dataset, scan.selection
    assert dataset is not None and selection is not None, "a table in memory needs no reading"
    reader = _Reader(dataset, tuple(scan.relation.table.get_column(name) for name in columns), scan)
    pieces = list(_chunks(selection.pieces))
    if selection.n_rows <= _SMALL_ROWS:
        return (batch for piece in pieces for batch in reader.read(piece))
    return _read_ahead(reader, pieces)


def _chunks(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Cut pieces into chunks of about equal numbers of rows."""
    for piece in pieces:
        per_group = max(1, piece.n_rows // max(1, len(piece.groups)))
        step = max(1, _CHUNK_ROWS // per_group)
        for start in range(0, len(piece.groups), step):
            groups = piece.groups[start : start + step]
            yield Piece(piece.file, groups, per_group * len(groups))


def _read_ahead(reader: _Reader, pieces: Sequence[Piece]) -> Iterator[pa.RecordBatch]:
    waiting: deque[Future[list[pa.RecordBatch]]] = deque()
    with ThreadPoolExecutor(2, thread_name_prefix="read") as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(reader.read, piece))
                if len(waiting) > _READ_AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class _Reader:
    """Reads pieces of one data set."""

    def __init__(self, dataset: Dataset, columns: tuple[Column, ...], scan: Scan) -> None:
        self._dataset = dataset
        self._columns = columns
        self._names = [column.name for column in columns]
        self._ranges = scan.ranges
        shown = list(self._names)
        self._index = dataset.index_column if scan.ranges is not None and dataset.index_order == 29 else None
        if self._index is not None:
            shown.append(self._index)
        self._shown = shown or [dataset.arrow_schema.names[0]]

    def read(self, piece: Piece) -> list[pa.RecordBatch]:
        """Read one piece; its rows in the logical types."""
        try:
            table = self._dataset.open_file(piece.file).read_row_groups(
                list(piece.groups), columns=self._shown, use_threads=False
            )
        except (OSError, pa.ArrowInvalid) as error:
            raise DamagedDataError(f"A partition of {self._dataset.table.name} cannot be read.") from error
        if self._index is not None:
            table = self._within(table)
        if not self._names:
            return [pa.RecordBatch.from_struct_array(_rowless(table.num_rows))]
        return list(conform(table.select(self._names).combine_chunks().to_batches(), self._columns))

    def _within(self, table: pa.Table) -> pa.Table:
        """Leave out the rows before the first and after the last range: cheap, and most of a row group."""
        assert self._ranges is not None
        if not len(self._ranges):
            return table.slice(0, 0)
        index = table.column(self._index).to_numpy()
        inside = (index >= self._ranges[0, 0]) & (index < self._ranges[-1, 1])
        hits = np.flatnonzero(inside)
        if len(hits) == len(index):
            return table
        if len(hits) and hits[-1] - hits[0] + 1 == len(hits):
            return table.slice(int(hits[0]), len(hits))
        return table.filter(pc.array(inside) if hasattr(pc, "array") else pa.array(inside))


def _rowless(n_rows: int) -> pa.StructArray:
    return pa.StructArray.from_buffers(pa.struct([]), n_rows, [None])
