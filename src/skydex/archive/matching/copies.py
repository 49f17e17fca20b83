"""Tables in order: a copy of one that has no HEALPix index, such as a file, from which it is matched like any other.

The copy lies in a directory of its own for as long as the match takes. Its rows know which they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from skydex.sky import index29
from skydex.store import Dataset, Layout, Piece, Staging, open_dataset
from skydex.tables import INDEX_COLUMN, Column, Datatype, Table, arrow_schema, conform
from skydex.xmatch import position_of

__all__ = ["ROW", "in_order", "rows_of"]

ROW = "_skydex_row"
"""Column of a copy: the place of each row in what it is a copy of, from 0."""
_LAYOUT = Layout(for_others=False)
_BUFFER_BYTES = 64 << 20
_GROUPS_AT_ONCE = 10


def in_order(directory: Path, table: Table, batches: Iterable[pa.RecordBatch]) -> Dataset:
    """Copy rows into a directory, sorted by their place on the sky.

    Parameters
    ----------
    directory : Path
        Empty, or new.
    table : Table
        What the rows are; it has a position, ICRS, degrees.
    batches : iterable of RecordBatch
        Rows by the order of the columns.
    """
    position = position_of(table)
    columns = (*table.columns, Column(ROW, Datatype.LONG))
    schema = arrow_schema(columns)
    n_rows = 0
    with Staging.open(
        directory, table=replace(table, columns=columns), layout=_LAYOUT, buffer_bytes=_BUFFER_BYTES
    ) as to:
        for number, batch in enumerate(conform(batches, table.columns)):
            if not batch.num_rows:
                continue
            numbers = pa.array(np.arange(n_rows, n_rows + batch.num_rows))
            rows = pa.Table.from_arrays([*batch.columns, numbers], schema=schema)
            ra, dec = (np.asarray(rows[name].to_numpy(), np.float64) for name in (position.ra, position.dec))
            index = index29(ra, dec)
            rows = rows.add_column(0, pa.field(INDEX_COLUMN, pa.int64()), pa.array(index, mask=index < 0))
            to.add(str(number), rows)
            n_rows += batch.num_rows
        report = to.finish()
    return open_dataset(report.directory, name=table.name)


def rows_of(dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """All rows of a stored table in their logical types, some row groups at a time."""
    columns = dataset.table.columns
    names = [column.name for column in columns]
    for piece in dataset.select(None).pieces:
        for start in range(0, len(piece.groups), _GROUPS_AT_ONCE):
            part = Piece(piece.file, piece.groups[start : start + _GROUPS_AT_ONCE], 0)
            yield from conform(dataset.read(part, names).combine_chunks().to_batches(), columns)
