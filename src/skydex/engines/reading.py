"""Reading the row groups that a plan names, in the logical types of their columns.

Shared by the engines. Small selections are read in place, where a thread would only cost time. Of large ones the first
row group is read in place as well, so that the first rows of an answer do not wait and a TOP 10 reads no more than it
needs; the rest is read ahead by two threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from skydex.query import Scan
from skydex.store import Piece
from skydex.tables import conform

__all__ = ["Reader", "ahead", "chunks", "read_scan"]

_Piece = TypeVar("_Piece")

_SMALL_ROWS = 60_000
"""Selections up to so many rows are read in place."""
_CHUNK_ROWS = 20_000
"""Rows read at a time from large selections."""
_READ_AHEAD = 3
_WIDE = 64
"""Of more columns than this, those that have one value in all of a file are not read."""
_MOST_KEPT_ROWS = 100_000
"""Of selections up to so many rows the rows are kept for the next question about the same place."""


def read_scan(scan: Scan) -> Generator[pa.RecordBatch]:
    """Read what a scan of a stored table selects; most rows outside of its ranges are left out.

    The batches have the columns of `scan.column_list()`, in that order.
    """
    _, selection = scan.stored
    reader = Reader(scan)
    if selection.n_rows <= _SMALL_ROWS:
        return (batch for piece in selection.pieces for batch in reader.read(piece))
    return ahead(reader.read, list(chunks(selection.pieces)))


def chunks(pieces: Sequence[Piece], *, n_rows: int = _CHUNK_ROWS) -> Iterator[Piece]:
    """Cut pieces into chunks of about so many rows; the very first is a single row group."""
    is_first = True
    for piece in pieces:
        per_group = max(1, piece.n_rows // max(1, len(piece.groups)))
        step, start = max(1, n_rows // per_group), 0
        while start < len(piece.groups):
            groups = piece.groups[start : start + (1 if is_first else step)]
            yield Piece(piece.file, groups, per_group * len(groups))
            start, is_first = start + len(groups), False


def ahead(work: Callable[[_Piece], Iterable[pa.RecordBatch]], pieces: Sequence[_Piece]) -> Generator[pa.RecordBatch]:
    """The batches that some work makes of pieces, in their order; threads are ahead by a few pieces."""
    if not pieces:
        return
    yield from work(pieces[0])
    waiting: deque[Future[Iterable[pa.RecordBatch]]] = deque()
    with ThreadPoolExecutor(2, thread_name_prefix="read") as pool:
        try:
            for piece in pieces[1:]:
                waiting.append(pool.submit(work, piece))
                if len(waiting) > _READ_AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Reader:
    """Reads pieces of one data set."""

    def __init__(self, scan: Scan) -> None:
        self._dataset, selection = scan.stored
        self._keeps = selection.n_rows <= _MOST_KEPT_ROWS
        self._columns = scan.column_list()
        self._names = [scan.stored_name(column) for column in self._columns]
        self._is_renamed = scan.with_index
        self._is_conformed = self._dataset.ready_columns.issuperset(self._names)
        self._bounds = scan.ranges.ravel() if scan.ranges is not None else np.empty(0, np.int64)
        has_index = scan.ranges is not None and self._dataset.index_order == 29
        self._index = self._dataset.index_column if has_index else None
        self._shown = list(dict.fromkeys([*self._names, *([self._index] if self._index is not None else [])]))

    def read(self, piece: Piece) -> list[pa.RecordBatch]:
        """Read one piece; its rows in the logical types."""
        constants = self._dataset.constants(piece.file) if len(self._shown) > _WIDE else {}
        shown = [name for name in self._shown if name == self._index or name not in constants] or self._shown
        table = self._dataset.read(piece, shown, keep=self._keeps)
        if self._index is not None:
            table = self._within(table)
        table = _completed(table, self._names, constants)
        if self._is_renamed:
            table = table.rename_columns([column.name for column in self._columns])
        batches = table.combine_chunks().to_batches()
        return batches if self._is_conformed else list(conform(batches, self._columns))

    def _within(self, table: pa.Table) -> pa.Table:
        """Leave out the rows outside of the ranges, by looking the ranges up in the sorted index."""
        index = table.column(self._index).to_numpy()
        if not self._dataset.is_own and (index[1:] < index[:-1]).any():
            return table
        bounds = index.searchsorted(self._bounds).reshape(-1, 2)
        lengths = bounds[:, 1] - bounds[:, 0]
        total = int(lengths.sum())
        if total == len(index):
            return table
        shifts = bounds[:, 0] - np.concatenate([[0], lengths[:-1].cumsum()])
        return table.take(pa.array(np.repeat(shifts, lengths) + np.arange(total)))


def _completed(table: pa.Table, names: Sequence[str], constants: Mapping[str, pa.Scalar]) -> pa.Table:
    """The columns of these names; those that were not read are made of their one value, and share it."""
    if not constants:
        return table.select(names)
    read, made = {*table.column_names}, dict[tuple[pa.DataType, Any], pa.Array]()
    columns = []
    for name in names:
        if name in read:
            columns.append(table.column(name))
            continue
        value = constants[name]
        key = value.type, value.as_py()
        if key not in made:
            made[key] = pa.repeat(value, len(table)) if value.is_valid else pa.nulls(len(table), value.type)
        columns.append(made[key])
    return pa.Table.from_arrays(columns, names=list(names))
