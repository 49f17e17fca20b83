"""Reading the row groups that a plan names, in the logical types of their columns.

Shared by the engines. Small selections are read in place, where a thread would only cost time. Of large ones the first
row group is read in place as well, so that the first rows of an answer do not wait and a TOP 10 reads no more than it
needs; the rest is read ahead by two threads. What lies far away is ordered ahead instead, some pieces at a time: the
wire brings them, and no thread has to wait for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from skydex.engines.engine import Deadline
from skydex.query import Scan
from skydex.store import Incoming, Piece, Traffic, current_traffic
from skydex.tables import conform

__all__ = ["Reader", "ahead", "chunks", "read_scan", "worked"]

_Made = TypeVar("_Made")
_Piece = TypeVar("_Piece")

_SMALL_ROWS = 60_000
"""Selections up to so many rows are read in place."""
_CHUNK_ROWS = 20_000
"""Rows read at a time from large selections."""
_WORKED_ROWS = 100_000
"""Rows read at a time where nobody waits for the first ones."""
_READ_AHEAD = 3
_WIDE = 64
"""Of more columns than this, those that have one value in all of a file are not read."""
_FAR_CHUNK_VALUES = 1_000_000
"""Values that are read at a time from far away."""
_FAR_VALUES = 8_000_000
"""Values that may be on their way at a time."""
_FAR_ORDERS = 16
"""Pieces that may be on their way at a time."""
_FAR_KEPT_VALUES = 20_000_000
"""So many values of one scan are kept on the disk; those of a longer one would push out what is asked for again."""
_MOST_KEPT_ROWS = 100_000
"""Of selections up to so many rows the rows are kept for the next question about the same place."""


def read_scan(
    scan: Scan, *, deadline: Deadline | None = None, traffic: Traffic | None = None
) -> Generator[pa.RecordBatch]:
    """Read what a scan of a stored table selects; most rows outside of its ranges are left out.

    The batches have the columns of `scan.column_list()`, in that order.

    Parameters
    ----------
    scan : Scan
        What to read.
    deadline : Deadline, optional
        How long to wait for what lies far away.
    traffic : Traffic, optional
        Where to count what comes from there; by default with the caller's.
    """
    dataset, selection = scan.stored
    reader = Reader(scan)
    if dataset.is_distant:
        return _from_afar(reader, selection.pieces, deadline, traffic or current_traffic())
    if selection.n_rows <= _SMALL_ROWS:
        return (batch for piece in selection.pieces for batch in reader.read(piece))
    return ahead(reader.read, list(chunks(selection.pieces)))


def worked(
    scan: Scan, work: Callable[[pa.RecordBatch], Iterable[_Made]], *, deadline: Deadline | None = None
) -> Generator[_Made]:
    """What some work makes of the rows of a scan, as `read_scan` reads them, done by the threads that read them."""
    dataset, selection = scan.stored
    reader = Reader(scan)

    def made(piece: Piece) -> list[_Made]:
        return [item for batch in reader.read(piece) for item in work(batch)]

    if dataset.is_distant or selection.n_rows <= _SMALL_ROWS:
        return (item for batch in read_scan(scan, deadline=deadline) for item in work(batch))
    return ahead(made, list(chunks(selection.pieces, n_rows=_WORKED_ROWS)))


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


def ahead(work: Callable[[_Piece], Iterable[_Made]], pieces: Sequence[_Piece]) -> Generator[_Made]:
    """What some work makes of pieces, in their order; threads are ahead by a few pieces."""
    if not pieces:
        return
    yield from work(pieces[0])
    waiting: deque[Future[Iterable[_Made]]] = deque()
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


def _from_afar(
    reader: Reader, pieces: Sequence[Piece], deadline: Deadline | None, traffic: Traffic
) -> Generator[pa.RecordBatch]:
    """Read pieces in their order, with some more of them on their way; the first one comes alone if there are many."""
    left = deque(_far_chunks(pieces, reader.n_columns))
    most = 1 if sum(piece.n_rows for piece in pieces) > _SMALL_ROWS else _FAR_ORDERS
    waiting: deque[tuple[Incoming, int]] = deque()
    n_values = n_kept = 0
    try:
        while left or waiting:
            while left and len(waiting) < most and (not waiting or n_values < _FAR_VALUES):
                piece = left.popleft()
                waiting.append((reader.order(piece, traffic), piece.n_rows * reader.n_columns))
                n_values += waiting[-1][1]
            incoming, n_here = waiting.popleft()
            n_values, n_kept, most = n_values - n_here, n_kept + n_here, _FAR_ORDERS
            timeout_s = max(0.0, deadline.left_s) if deadline is not None else None
            yield from reader.finished(incoming.table(keep=n_kept <= _FAR_KEPT_VALUES, timeout_s=timeout_s), {})
    finally:
        for incoming, _ in waiting:
            incoming.cancel()


def _far_chunks(pieces: Sequence[Piece], n_columns: int) -> Iterator[Piece]:
    """Cut pieces into chunks of about equal numbers of values; the very first is one row group if there are many."""
    is_first = sum(piece.n_rows for piece in pieces) > _SMALL_ROWS
    for piece in pieces:
        per_group = max(1, piece.n_rows // max(1, len(piece.groups)))
        step, start = max(1, _FAR_CHUNK_VALUES // n_columns // per_group), 0
        while start < len(piece.groups):
            groups = piece.groups[start : start + (1 if is_first else step)]
            yield Piece(piece.file, groups, per_group * len(groups))
            start, is_first = start + len(groups), False


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
        return self.finished(self._dataset.read(piece, shown, keep=self._keeps), constants)

    @property
    def n_columns(self) -> int:
        """How many columns are read."""
        return len(self._shown)

    def order(self, piece: Piece, traffic: Traffic) -> Incoming:
        """Begin to read one piece from far away."""
        return self._dataset.order(piece, self._shown, traffic=traffic)

    def finished(self, table: pa.Table, constants: Mapping[str, pa.Scalar]) -> list[pa.RecordBatch]:
        """What was read, without what is outside of the ranges, in the logical types."""
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
