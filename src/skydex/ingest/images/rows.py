"""`RowWriter`: rows on their way into a table that describes images."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import StoreError, UnknownTableError
from skydex.sky import index29
from skydex.store import ArchiveDirectory, ArchiveEntry, Layout
from skydex.tables import INDEX_COLUMN, Column, Position, Table, arrow_schema

__all__ = ["ID", "POSITION", "OutdatedError", "RowWriter", "is_listed", "rows_of"]

POSITION = Position("s_ra", "s_dec")
"""Where tables of images have the position of an image."""
ID = "obs_publisher_did"
"""And its identifier."""
_BATCH = 4000
"""Rows that are written at once."""


class RowWriter:
    """Rows on their way into a table; nothing is left of them if they are not published."""

    def __init__(self, directory: ArchiveDirectory, table: Table) -> None:
        self._directory, self._table = directory, table
        self._schema = arrow_schema(table.columns)
        self._waiting: list[Mapping[str, Any]] = []
        self._pieces = self.n_rows = 0

    def __enter__(self) -> RowWriter:
        self._staging = self._directory.stage(self._table, Layout())
        return self

    def __exit__(self, *_: object) -> None:
        self._staging.close()
        shutil.rmtree(self._staging.directory, ignore_errors=True)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows; columns that one does not have are null."""
        waiting = len(self._waiting)
        self._waiting += rows
        self.n_rows += len(self._waiting) - waiting
        if len(self._waiting) >= _BATCH:
            self._flush()

    def add_table(self, rows: pa.Table) -> None:
        """Add rows in the columns of the table."""
        if self._table.position is not None:
            ra, dec = (rows[name].to_numpy().astype(np.float64) for name in (POSITION.ra, POSITION.dec))
            index = index29(ra, dec)
            rows = rows.add_column(0, pa.field(INDEX_COLUMN, pa.int64()), pa.array(index, mask=index < 0))
        self._staging.add(str(self._pieces), rows)
        self._pieces += 1

    def take_over(self, dids: pa.Array) -> None:
        """Add the rows of some images from the table that is published now."""
        for rows in rows_of(self._directory, self._table.name, self._table.columns):
            chosen = rows.filter(pc.is_in(rows[ID], dids))
            if len(chosen):
                self.n_rows += len(chosen)
                self.add_table(chosen)

    def _flush(self) -> None:
        arrays = [
            pa.array([row.get(field.name) for row in self._waiting], field.type, from_pandas=True)
            for field in self._schema
        ]
        self.add_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []

    def publish(self, notes: Mapping[str, Any] | None = None, *, of: tuple[ArchiveEntry, ...] = ()) -> None:
        """Make the table appear.

        Parameters
        ----------
        notes : mapping, optional
            Notes of its entry.
        of : tuple of ArchiveEntry
            The tables that it was made of.

        Raises
        ------
        OutdatedError
            These were published anew meanwhile.
        """
        if self._waiting:
            self._flush()

        def settle(entry: ArchiveEntry, listed: tuple[ArchiveEntry, ...]) -> ArchiveEntry:
            if of and not set(_versions(of)) <= set(_versions(listed)):
                raise OutdatedError("Tables of images were published meanwhile.")
            return replace(entry, notes=notes or {})

        written = self._staging.finish()
        self._directory.publish(self._table.name, written.directory, settle=settle)


class OutdatedError(StoreError):
    """What a table was made of has changed."""


def _versions(entries: Iterable[ArchiveEntry]) -> Iterator[tuple[str, str]]:
    return ((entry.name, entry.version) for entry in entries)


def rows_of(directory: ArchiveDirectory, name: str, columns: tuple[Column, ...]) -> Iterator[pa.Table]:
    """Rows of a published table, in some of its columns."""
    dataset = directory.open(name)
    schema = arrow_schema(columns)
    for piece in dataset.select(None).pieces:
        yield dataset.read(piece, schema.names).select(schema.names).cast(schema)


def is_listed(directory: ArchiveDirectory, name: str) -> bool:
    try:
        directory.get(name)
    except UnknownTableError:
        return False
    return True
