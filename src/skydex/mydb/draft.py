"""`Draft`: rows on their way into a table of somebody's own.

Columns that look like positions make the table one that is searched by position, if their values can be positions:
users compute and rename as they please, and their values are kept as they are. A right ascension outside of 0..360
somewhere in the rows shows that the columns are something else; the table is then written like any other. Rows without
a position may be among the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from skydex.errors import BadQueryError, SkydexError
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging, WriteReport
from skydex.tables import INDEX_COLUMN, Column, Position, Table, arrow_schema

__all__ = ["LAYOUT", "Draft", "indexed"]

LAYOUT = Layout(for_others=False)
"""How own tables are spread over files."""
_BUFFER_BYTES = 64 << 20
_LONGEST_NAME = 256
_LONGEST_DESCRIPTION, _LONGEST_WORD = 2000, 300
"""Characters of what is said of a column: whoever may see the table has that in memory."""


def indexed(rows: pa.Table, position: Position) -> pa.Table | None:
    """Rows with the order-29 pixel before them, null without a position; `None` if the values are no positions."""
    ra, dec = (_degrees(rows[name]) for name in (position.ra, position.dec))
    missing = np.isnan(ra) | np.isnan(dec)
    if not (missing | ((ra >= 0.0) & (ra < 360.0) & (np.abs(dec) <= 90.0))).all():
        return None
    index = index29(ra, dec)
    return rows.add_column(0, pa.field(INDEX_COLUMN, pa.int64()), pa.array(index, mask=index < 0))


def _degrees(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_numpy(), dtype=np.float64)


class Draft:
    """A table being written; nobody sees it until it is published.

    Parameters
    ----------
    store : ArchiveDirectory
        Where it will be published.
    table : Table
        What is written.
    most_bytes : int
        Rows in memory are no larger than this, all together.
    too_large : SkydexError
        What to say if they are.
    """

    def __init__(self, store: ArchiveDirectory, table: Table, *, most_bytes: int, too_large: SkydexError) -> None:
        self._store = store
        self._table = table
        self._left = most_bytes
        self._too_large = too_large
        self._n_pieces = 0
        self._staging = store.stage(table, LAYOUT, buffer_bytes=_BUFFER_BYTES)

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        _discard(self._staging)

    @property
    def n_rows(self) -> int:
        """Rows so far."""
        return self._staging.rows_done

    @property
    def catalog(self) -> Path:
        """Where its files are written."""
        return self._staging.directory / "catalog"

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Add rows in `arrow_schema(table.columns)`."""
        for batch in batches:
            self._left -= batch.nbytes
            if self._left < 0:
                raise self._too_large
            self._add(pa.Table.from_batches([batch], arrow_schema(self._table.columns)))

    def _add(self, rows: pa.Table) -> None:
        if self._table.position is not None:
            with_index = indexed(rows, self._table.position)
            if with_index is None:
                self._forget_position()
            else:
                rows = with_index
        self._put(rows)

    def _put(self, rows: pa.Table) -> None:
        self._staging.add(str(self._n_pieces), rows)
        self._n_pieces += 1

    def _forget_position(self) -> None:
        """Begin again as a table without positions; the order of rows that came so far is that of their positions."""
        before = self._staging
        self._table = replace(self._table, position=None)
        self._staging = self._store.stage(self._table, LAYOUT, buffer_bytes=_BUFFER_BYTES)
        for rows in before.iter_rows():
            self._put(rows.drop_columns([INDEX_COLUMN]))
        _discard(before)

    def finish(self) -> WriteReport:
        """Write the files."""
        return self._staging.finish()


def own_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns of a result as those of a table that somebody keeps: what held where they came from is forgotten.

    Raises
    ------
    BadQueryError
        A name is longer than any name should be. What is said of a column is cut where that is too long.
    """
    return tuple(map(_own_column, columns))


def _own_column(column: Column) -> Column:
    if len(column.name) > _LONGEST_NAME:
        raise BadQueryError(f"The name of the column {column.name[:40]}... is longer than {_LONGEST_NAME} characters.")
    return replace(
        column,
        indexed=False,
        std=False,
        principal=True,
        description=column.description[:_LONGEST_DESCRIPTION],
        unit=_short(column.unit),
        ucd=_short(column.ucd),
        utype=_short(column.utype),
        xtype=_short(column.xtype),
    )


def _short(word: str | None) -> str | None:
    return word and word[:_LONGEST_WORD]


def _discard(staging: Staging) -> None:
    staging.close()
    shutil.rmtree(staging.directory, ignore_errors=True)
