"""`Assembly`: from sorted runs to the files of a catalogue.

The sky is divided so that partitions hold about the same number of rows; each partition gathers its slice of every
run, sorts and writes it. Several are written at a time, since Arrow works outside the interpreter's lock.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import StoreError
from skydex.store.files import sync_directories
from skydex.store.layout import DATASET, UNPOSITIONED, Layout, partition_file
from skydex.store.lookup import is_hashable
from skydex.store.packing import repetitive_columns
from skydex.store.parquet import PartitionFile, write_partition
from skydex.store.partitioning import Pixels, adaptive_pixels
from skydex.store.publication import COVERAGE_ORDER, Publication
from skydex.store.runs import Run, merged, sorted_table
from skydex.tables import INDEX_COLUMN, Table, arrow_schema, arrow_type, metadata_of_columns

__all__ = ["WRITERS", "Assembly", "Progress", "WriteReport", "new_version", "physical_schema", "silent"]

WRITERS = max(1, min(4, os.cpu_count() or 1))
"""Partitions written at the same time."""

Progress = Callable[[int, int], None]
"""Called with the rows written so far and all rows."""
_ID_UCD = "meta.id;meta.main"
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class WriteReport:
    """What was written."""

    directory: Path
    """The finished catalogue, not yet published."""
    table: Table
    """As published: with the sizes of its texts and the number of rows."""
    version: str
    """Name of this version."""
    n_rows: int
    """All rows."""
    n_unpositioned: int
    """Those of them without a position."""
    n_partitions: int
    """Files with rows."""
    n_bytes: int
    """Bytes of all files."""


class Assembly:
    """A catalogue being made of sorted runs."""

    def __init__(self, directory: Path, table: Table, layout: Layout, runs: Sequence[Run]) -> None:
        self.directory = directory
        self.table = table
        self.schema = physical_schema(table)
        self.layout = replace(layout.for_columns(len(self.schema)), look_up=_looked_up(table, layout))
        self.runs = runs
        n_bytes = sum(run.n_bytes for run in self.runs)
        self.threshold = self.layout.rows_for(n_bytes / max(self.table.n_rows or 0, 1))
        self.repetitive = repetitive_columns(_sample(runs, layout.rows_per_group)) if runs else ()
        self.progress: Progress = silent
        self.about = metadata_of_columns(self.table.columns, name=self.table.name, description=self.table.description)
        self.coverage: list[NDArray[np.int64]] = []
        self.rows_written = 0

    def write(self, progress: Progress, beside: Mapping[str, bytes]) -> WriteReport:
        """Write all files of the catalogue, the manifest last; what an earlier attempt left is removed."""
        self.progress = progress
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        book = Publication(self.directory, self.table, self.schema, self.about, self.layout)
        n_unpositioned = sum(len(run) - run.n_positioned for run in self.runs)
        if self.layout.for_others or (self.table.n_rows or 0) > self.threshold:
            with ThreadPoolExecutor(WRITERS) as pool:
                self._write_positioned(pool, book)
                self._write_unpositioned(pool, book)
        elif self.table.n_rows:
            self._write_in_one(book)
        self._count_again()
        for name, content in beside.items():
            book.keep(name, content)
        version = new_version()
        book.close(self._covered(), n_unpositioned=n_unpositioned, version=version)
        sync_directories(self.directory)
        size = book.n_bytes
        return WriteReport(
            self.directory, self.table, version, self.rows_written, n_unpositioned, len(book.partitions), size
        )

    def _write_positioned(self, pool: ThreadPoolExecutor, book: Publication) -> None:
        pixels = self._pixels()
        spans = zip(pixels.order.tolist(), pixels.pixel.tolist(), pixels.ranges().tolist(), strict=True)
        for (order, pixel, _), (written, covered) in _in_order(pool, self._write_pixel, spans):
            self.coverage.append(covered)
            self._note(book, partition_file(order, pixel), (order, pixel), written)

    def _write_in_one(self, book: Publication) -> None:
        """Write everything into one file that belongs to no pixel: the bounds of its row groups say where rows are."""
        positioned = merged([run.positioned for run in self.runs], self.layout.sort_by)
        others = pa.concat_tables([run.unpositioned for run in self.runs])
        file = f"{DATASET}/part0.parquet"
        rows = [part for part in (positioned, sorted_table(others, self.layout.sort_by)) if len(part)]
        self._note(book, file, None, self._write(self.directory / file, rows))

    def _pixels(self) -> Pixels:
        return adaptive_pixels(_Indices(self.runs), threshold=self.threshold, max_order=self.layout.max_order)

    def _write_pixel(self, span: tuple[int, int, list[int]]) -> tuple[PartitionFile, NDArray[np.int64]]:
        order, pixel, (start, stop) = span
        rows = merged([run.within(start, stop) for run in self.runs], self.layout.sort_by)
        written = self._write(self.directory / partition_file(order, pixel), [rows])
        return written, _without_repeats(rows[INDEX_COLUMN].to_numpy() >> 2 * (29 - COVERAGE_ORDER))

    def _covered(self) -> NDArray[np.int64] | None:
        """Occupied pixels, each once; partitions finer than the coverage map share some."""
        if not (self.table.position and self.layout.for_others):
            return None
        return _without_repeats(np.concatenate([*self.coverage, np.empty(0, np.int64)]))

    def _write_unpositioned(self, pool: ThreadPoolExecutor, book: Publication) -> None:
        """Rows without a position, in the order in which they came."""
        folder = UNPOSITIONED if self.table.position else DATASET
        parts = enumerate(_regrouped((run.unpositioned for run in self.runs), self.threshold))
        named = ((f"{folder}/part{number}.parquet", part) for number, part in parts)
        for (file, _), written in _in_order(pool, self._write_part, named):
            self._note(book, file, None, written)

    def _write_part(self, part: tuple[str, list[pa.Table]]) -> PartitionFile:
        file, tables = part
        rows = sorted_table(pa.concat_tables(tables), self.layout.sort_by)
        return self._write(self.directory / file, [rows])

    def _write(self, path: Path, tables: Iterable[pa.Table]) -> PartitionFile:
        return write_partition(
            path, tables, self.schema, about=self.about, layout=self.layout, repetitive=self.repetitive
        )

    def _note(self, book: Publication, file: str, pixel: tuple[int, int] | None, written: PartitionFile) -> None:
        book.add(file, pixel, written)
        self.rows_written += written.n_rows
        self.progress(self.rows_written, self.table.n_rows or 0)

    def _count_again(self) -> None:
        """Rows in must be rows out; an index beyond the sky is how they could differ."""
        if self.rows_written != self.table.n_rows:
            lost = (self.table.n_rows or 0) - self.rows_written
            raise StoreError(f"{lost:,} rows of {self.table.name} have an index that is no HEALPix pixel of order 29.")


class _Indices:
    """The indices of runs, one after the other, of which only one at a time is in memory."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = [run for run in runs if run.n_positioned]

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        return (run.index for run in self._runs)


def _looked_up(table: Table, layout: Layout) -> tuple[str, ...]:
    """Columns by which rows are looked up: those asked for, and in published tables numbers and names of objects."""
    names = list(layout.look_up)
    if layout.for_others:
        names += [table.id_column or "", *(column.name for column in table.columns if column.ucd == _ID_UCD)]
        names += [own for key in table.foreign_keys for own, _ in key.columns]
    hashable = {column.name for column in table.columns if is_hashable(arrow_type(column))}
    return tuple(dict.fromkeys(name for name in names if name in hashable))


def _sample(runs: Sequence[Run], n_rows: int) -> pa.Table:
    """Neighbouring rows from the middle of the longest run."""
    run = max(runs, key=len)
    first = max(0, (len(run) - n_rows) // 2)
    return run.slice(first, min(first + n_rows, len(run)))


def _without_repeats(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each of ascending numbers once; sorting again, as `np.unique` does, would cost as much as writing the rows."""
    return ascending[np.flatnonzero(np.diff(ascending, prepend=-1))]


def physical_schema(table: Table) -> pa.Schema:
    """Schema of a table's files: its columns, and the index before them if it has a position."""
    schema = arrow_schema(table.columns)
    return schema.insert(0, pa.field(INDEX_COLUMN, pa.int64())) if table.position else schema


def new_version() -> str:
    """A name for a version: when it was made, and a part by chance."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"


def silent(_done: int, _all: int) -> None:
    """Report no progress."""


def _regrouped(tables: Iterable[pa.Table], size: int) -> Iterator[list[pa.Table]]:
    """Hand on rows in lots of `size`, each a list of slices."""
    lot: list[pa.Table] = []
    room = size
    for table in tables:
        start = 0
        while start < len(table):
            piece = table.slice(start, room)
            lot.append(piece)
            start, room = start + len(piece), room - len(piece)
            if not room:
                yield lot
                lot, room = [], size
    if lot:
        yield lot


def _in_order(pool: ThreadPoolExecutor, work: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[tuple[_T, _R]]:
    """Work on items in parallel and hand them on in order; few are ever under way."""
    waiting: deque[tuple[_T, Future[_R]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > WRITERS:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        for _, future in waiting:
            future.cancel()
