"""`Staging`: a data set being written, which survives being killed.

Rows come in pieces of any size and order, each under a key. They are sorted into runs, which lie in memory as long as
they are few and on the disk, entered in a journal, when they are many. At the end `assembly` makes a catalogue of them.
Memory is bounded by a buffer and a few partitions, whatever the size of the input.

A process that dies is started again with the same pieces; those in the journal are not asked for again. Nothing here
is visible to readers: `ArchiveDirectory.publish` makes it so, in one step.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from skydex.errors import StoreError
from skydex.store.assembly import WRITERS, Assembly, Progress, WriteReport, physical_schema, silent
from skydex.store.files import storing, sync_directory
from skydex.store.journal import Entry, Journal
from skydex.store.layout import STAGING_LOCK, Layout
from skydex.store.runs import Run, open_run, sorted_table, write_run
from skydex.store.texts import TextSize, joined_sizes, sized_columns, text_sizes
from skydex.tables import Table

__all__ = ["BUFFER_BYTES", "Staging"]

BUFFER_BYTES = 128 << 20
"""Rows in memory before they become a run on the disk."""


class Staging:
    """A data set being written; see `open`."""

    def __init__(self, directory: Path, table: Table, layout: Layout, *, buffer_bytes: int) -> None:
        self.directory = directory
        self._table = table
        self._layout = layout
        self._buffer_bytes = buffer_bytes
        self._schema = physical_schema(table)
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
    def open(
        cls, directory: Path, *, table: Table, layout: Layout | None = None, buffer_bytes: int = BUFFER_BYTES
    ) -> Staging:
        """Begin a data set, or go on with one that was interrupted.

        Parameters
        ----------
        directory : Path
            Where it is written; created if need be. It must lie on the file system of the archive.
        table : Table
            What is written. The index column is not in it, but in the rows if the table has a position.
        layout : Layout, optional
            How rows are spread.
        buffer_bytes : int, optional
            Bytes of rows kept in memory; a data set that fits never touches the disk twice.

        Raises
        ------
        StoreError
            Another process is writing there, or the directory cannot be written to.
        """
        with storing(f"the staging directory of {table.name}"):
            return cls(Path(directory), table, layout or Layout(), buffer_bytes=buffer_bytes)

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
            self.checkpoint()

    def checkpoint(self) -> None:
        """Put what is in memory on the disk and enter it in the journal, so that it is not asked for again."""
        if self._buffered:
            self._flush()

    def describe(self, description: str) -> None:
        """Say of the table what is known only when its rows are there."""
        self._table = replace(self._table, description=description)

    def _flush(self) -> None:
        """Turn the buffer into runs on the disk and enter its pieces in the journal."""
        with storing(f"rows of {self._table.name}"):
            rows = pa.concat_tables(self._buffer)
            parts = list(enumerate(_parts(rows, self._buffer_bytes), start=self._n_runs))
            with ThreadPoolExecutor(WRITERS) as pool:
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

    def finish(
        self, *, progress: Progress | None = None, beside: Mapping[str, bytes] = MappingProxyType({})
    ) -> WriteReport:
        """Write the catalogue.

        Parameters
        ----------
        progress : callable, optional
            Called after each partition with the rows written so far and all rows.
        beside : mapping, optional
            Further files of the catalogue, such as `INGEST_REPORT`, by name.

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
            assembly = Assembly(self.directory / "catalog", self._published_table(), self._layout, self._all_runs())
            return assembly.write(progress or silent, beside)

    def iter_rows(self) -> Iterator[pa.Table]:
        """All rows so far, in no certain order."""
        return (run.rows for run in self._all_runs())

    def _all_runs(self) -> list[Run]:
        """Every row so far as sorted runs, those on the disk first."""
        runs = [open_run(self._runs / name) for entry in self._journal.entries for name in entry.runs]
        if self._buffer:
            runs.append(Run(sorted_table(pa.concat_tables(self._buffer), self._layout.sort_by)))
        return runs

    def _published_table(self) -> Table:
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


def _purpose(table: Table, layout: Layout) -> str:
    return hashlib.sha256(repr((table, layout)).encode()).hexdigest()


def _lock(directory: Path, name: str) -> int:
    """Take hold of a staging directory, for this process alone."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / STAGING_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreError(f"{name} is being written by another process. Wait for it, or stop it.") from error
    return descriptor


def _parts(rows: pa.Table, most: int) -> Iterator[pa.Table]:
    """Cut rows into runs: one for each thread, and more if there are more rows than `most` bytes."""
    n_parts = WRITERS * max(1, round(rows.nbytes / most))
    size = max(1, -(-len(rows) // n_parts))
    for start in range(0, len(rows), size):
        yield rows.slice(start, size)
