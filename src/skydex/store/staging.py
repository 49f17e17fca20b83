"""`Staging`: a data set being written, which survives being killed.

Rows come in pieces of any size and order, each under a key. They are sorted into runs, which lie in memory as long as
they are few and on the disk, entered in a journal, when they are many. At the end the sky is divided so that partitions
hold about the same number of rows; each partition gathers its slice of every run, sorts and writes it. Memory is
bounded by a buffer and two partitions, whatever the size of the input.

A process that dies is started again with the same pieces; those in the journal are not asked for again. Nothing here
is visible to readers: `ArchiveDirectory.publish` makes it so, in one step.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import StoreError
from skydex.store.files import storing, sync_directories, sync_directory
from skydex.store.journal import Entry, Journal
from skydex.store.layout import DATASET, UNPOSITIONED, Layout, partition_file
from skydex.store.parquet import PartitionFile, write_partition
from skydex.store.partitioning import Pixels, adaptive_pixels
from skydex.store.publication import COVERAGE_ORDER, Publication
from skydex.store.runs import Run, merged, open_run, sorted_table, write_run
from skydex.store.texts import TextSize, joined_sizes, sized_columns, text_sizes
from skydex.tables import INDEX_COLUMN, Table, arrow_schema, metadata_of_columns

__all__ = ["BUFFER_BYTES", "Progress", "Staging", "WriteReport"]

BUFFER_BYTES = 128 << 20
"""Rows in memory before they become a run on the disk."""
_WRITERS = max(1, min(4, os.cpu_count() or 1))
"""Partitions written at the same time; Arrow works outside the interpreter's lock."""

Progress = Callable[[int, int], None]
"""Called with the rows written so far and all rows."""
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


class Staging:
    """A data set being written; see `open`."""

    def __init__(self, directory: Path, table: Table, layout: Layout, *, buffer_bytes: int = BUFFER_BYTES) -> None:
        self.directory = directory
        self._table = table
        self._layout = layout
        self._buffer_bytes = buffer_bytes
        self._schema = _physical_schema(table)
        self._buffer: list[pa.Table] = []
        self._buffered: dict[str, int] = {}
        self._bytes = 0
        self._lock = _lock(directory, table.name)
        try:
            self._journal = Journal(directory / "journal.jsonl", _purpose(table, layout))
            self._discard_unknown_runs()
        except BaseException:
            self.close()
            raise
        self._pieces = {key: rows for entry in self._journal.entries for key, rows in entry.pieces.items()}

    @classmethod
    def open(cls, directory: Path, *, table: Table, layout: Layout | None = None) -> Staging:
        """Begin a data set, or go on with one that was interrupted.

        Parameters
        ----------
        directory : Path
            Where it is written; created if need be. It must lie on the file system of the archive.
        table : Table
            What is written. The index column is not in it, but in the rows if the table has a position.
        layout : Layout, optional
            How rows are spread.

        Raises
        ------
        StoreError
            Another process is writing there, or the directory cannot be written to.
        """
        with storing(f"the staging directory of {table.name}"):
            return cls(Path(directory), table, layout or Layout())

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write here; what is in the journal stays."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def rows_done(self) -> int:
        """Rows of all pieces added, those of earlier attempts included."""
        return sum(self._pieces.values()) + sum(self._buffered.values())

    def is_done(self, key: str) -> bool:
        """Whether a piece has been added, now or by an earlier attempt."""
        return key in self._pieces or key in self._buffered

    def add(self, key: str, batch: pa.Table) -> None:
        """Add a piece of input.

        Parameters
        ----------
        key : str
            Names the piece, so that it is added once.
        batch : Table
            Rows in `arrow_schema(table.columns)`; for a table with a position `_healpix_29` (int64) comes first, null
            for rows without one.
        """
        if self.is_done(key):
            raise StoreError(f"The piece {key} of {self._table.name} has been written already.")
        if not batch.schema.equals(self._schema):
            raise StoreError(f"The piece {key} does not have the columns of {self._table.name}.")
        self._buffer.append(batch)
        self._buffered[key] = len(batch)
        self._bytes += batch.nbytes
        if self._bytes >= self._buffer_bytes:
            self._flush()

    def _flush(self) -> None:
        """Turn the buffer into runs on the disk and enter its pieces in the journal."""
        with storing(f"rows of {self._table.name}"):
            rows = pa.concat_tables(self._buffer)
            parts = list(enumerate(_parts(rows, self._buffer_bytes), start=self._n_runs))
            with ThreadPoolExecutor(_WRITERS) as pool:
                written = list(pool.map(self._write_run, parts))
            sync_directory(self._runs)
            sizes = {name: size for name, size, _ in written}
            texts = reduce(joined_sizes, (texts for _, _, texts in written))
            self._journal.append(Entry(self._buffered, sizes, texts))
        self._pieces.update(self._buffered)
        self._buffer, self._buffered, self._bytes = [], {}, 0

    def _write_run(self, part: tuple[int, pa.Table]) -> tuple[str, int, dict[str, TextSize]]:
        number, rows = part
        name = f"run-{number:06d}.arrow"
        written = write_run(self._runs / name, sorted_table(rows, self._layout.sort_by))
        return name, written.size, text_sizes(rows)

    @property
    def _runs(self) -> Path:
        return self.directory / "runs"

    @property
    def _n_runs(self) -> int:
        return sum(len(entry.runs) for entry in self._journal.entries)

    def _discard_unknown_runs(self) -> None:
        """Remove runs that no journal entry names, and refuse to go on without those that one names."""
        known = {name: size for entry in self._journal.entries for name, size in entry.runs.items()}
        self._runs.mkdir(exist_ok=True)
        found = {path.name: path.stat().st_size for path in self._runs.iterdir()}
        for name in found.keys() - known.keys():
            (self._runs / name).unlink()
        if any(found.get(name) != size for name, size in known.items()):
            raise StoreError(f"The staged rows of {self._table.name} are damaged. Remove them and start again.")

    def finish(self, *, progress: Progress | None = None) -> WriteReport:
        """Write the catalogue.

        Parameters
        ----------
        progress : callable, optional
            Called after each partition with the rows written so far and all rows.

        Returns
        -------
        report : WriteReport
            Where the catalogue is and what is in it; `ArchiveDirectory.publish` takes it from there.

        Raises
        ------
        StoreError
            The disk is full or fails. What was staged stays, and `finish` can be called again.
        """
        with storing(f"the partitions of {self._table.name}"):
            return _Finish(self, progress or _silent).run()

    def all_runs(self) -> list[Run]:
        """Every row so far as sorted runs, those on the disk first."""
        runs = [open_run(self._runs / name) for entry in self._journal.entries for name in entry.runs]
        if self._buffer:
            runs.append(Run(sorted_table(pa.concat_tables(self._buffer), self._layout.sort_by)))
        return runs

    def published_table(self) -> Table:
        """The table with what is known now that all rows have passed."""
        sizes: dict[str, TextSize] = {}
        for entry in self._journal.entries:
            sizes = joined_sizes(sizes, entry.texts)
        if self._buffer:
            sizes = joined_sizes(sizes, text_sizes(pa.concat_tables(self._buffer)))
        columns = sized_columns(self._table.columns, sizes)
        position = {column.name for column in self._table.position_columns()}
        columns = tuple(replace(c, indexed=True) if c.name in position else c for c in columns)
        return replace(self._table, columns=columns, n_rows=self.rows_done)


class _Finish:
    """The last stage: from runs to a catalogue."""

    def __init__(self, staging: Staging, progress: Progress) -> None:
        self.directory = staging.directory / "catalog"
        self.table = staging.published_table()
        self.schema = _physical_schema(self.table)
        self.layout = staging._layout
        self.runs = staging.all_runs()
        n_bytes = sum(run.rows.nbytes for run in self.runs)
        self.threshold = self.layout.rows_for(n_bytes / max(self.table.n_rows or 0, 1))
        self.progress = progress
        self.about = metadata_of_columns(self.table.columns, name=self.table.name, description=self.table.description)
        self.coverage: list[NDArray[np.int64]] = []
        self.rows_written = 0

    def run(self) -> WriteReport:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        book = Publication(self.directory, self.table, self.schema, self.about, self.layout)
        n_unpositioned = sum(len(run.unpositioned) for run in self.runs)
        with ThreadPoolExecutor(_WRITERS) as pool:
            self._write_positioned(pool, book)
            self._write_unpositioned(pool, book)
        self._count_again()
        version = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
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

    def _pixels(self) -> Pixels:
        runs = [run.index for run in self.runs if len(run.index)]
        return adaptive_pixels(runs, threshold=self.threshold, max_order=self.layout.max_order)

    def _write_pixel(self, span: tuple[int, int, list[int]]) -> tuple[PartitionFile, NDArray[np.int64]]:
        order, pixel, (start, stop) = span
        rows = merged([run.within(start, stop) for run in self.runs], self.layout.sort_by)
        written = self._write(self.directory / partition_file(order, pixel), [rows])
        return written, np.unique(rows[INDEX_COLUMN].to_numpy() >> 2 * (29 - COVERAGE_ORDER))

    def _covered(self) -> NDArray[np.int64] | None:
        """Occupied pixels, each once; partitions finer than the coverage map share some."""
        if not self.table.position:
            return None
        return np.unique(np.concatenate([*self.coverage, np.empty(0, np.int64)]))

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
        return write_partition(path, tables, self.schema, about=self.about, layout=self.layout)

    def _note(self, book: Publication, file: str, pixel: tuple[int, int] | None, written: PartitionFile) -> None:
        book.add(file, pixel, written)
        self.rows_written += written.n_rows
        self.progress(self.rows_written, self.table.n_rows or 0)

    def _count_again(self) -> None:
        """Rows in must be rows out; an index beyond the sky is how they could differ."""
        if self.rows_written != self.table.n_rows:
            lost = (self.table.n_rows or 0) - self.rows_written
            raise StoreError(f"{lost:,} rows of {self.table.name} have an index that is no HEALPix pixel of order 29.")


def _physical_schema(table: Table) -> pa.Schema:
    schema = arrow_schema(table.columns)
    return schema.insert(0, pa.field(INDEX_COLUMN, pa.int64())) if table.position else schema


def _purpose(table: Table, layout: Layout) -> str:
    return hashlib.sha256(repr((table, layout)).encode()).hexdigest()


def _lock(directory: Path, name: str) -> int:
    """Take hold of a staging directory, for this process alone."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreError(f"{name} is being written by another process. Wait for it, or stop it.") from error
    return descriptor


def _silent(_done: int, _all: int) -> None:
    return None


def _parts(rows: pa.Table, most: int) -> Iterator[pa.Table]:
    """Cut rows into runs: one for each thread, and more if there are more rows than `most` bytes."""
    n_parts = _WRITERS * max(1, round(rows.nbytes / most))
    size = max(1, -(-len(rows) // n_parts))
    for start in range(0, len(rows), size):
        yield rows.slice(start, size)


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
            if len(waiting) > _WRITERS:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        for _, future in waiting:
            future.cancel()
