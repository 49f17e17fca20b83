"""Rows on their way into a table that is there, and out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from skydex.errors import BadQueryError, UnknownColumnError, near_names
from skydex.store import Dataset, Piece
from skydex.tables import Column, arrow_schema, arrow_type, conform

__all__ = ["fitted", "held", "rows_of"]

_GROUPS_AT_ONCE = 10
"""Row groups that are read together."""


def fitted(
    batches: Iterable[pa.RecordBatch], given: Sequence[Column], *, called: str, there: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    """Rows in the columns of a table: each in that of its name, and null in those that are not given.

    Parameters
    ----------
    batches : iterable of RecordBatch
        The rows.
    given : sequence of Column
        Their columns.
    called : str
        What messages call the table.
    there : sequence of Column
        The columns of the table.

    Raises
    ------
    UnknownColumnError
        The table has no such column.
    BadQueryError
        A value does not fit its column.
    """
    places = {column.name.lower(): place for place, column in enumerate(given)}
    known = {column.name.lower() for column in there}
    for column in given:
        if column.name.lower() not in known:
            near = near_names(column.name, (own.name for own in there))
            raise UnknownColumnError(column.name, where=called, near=near)
    schema = arrow_schema(tuple(there))
    for batch in batches:
        arrays = [
            _cast(batch.column(places[column.name.lower()]), column)
            if column.name.lower() in places
            else pa.nulls(batch.num_rows, arrow_type(column))
            for column in there
        ]
        yield from conform([pa.RecordBatch.from_arrays(arrays, schema=schema)], tuple(there))


def _cast(values: pa.Array, column: Column) -> pa.Array:
    kind = arrow_type(column)
    if values.type == kind:
        return values
    try:
        return values.cast(kind, safe=not pa.types.is_floating(kind))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadQueryError(
            f"A value does not fit the column {column.name} of type {column.datatype.value}."
        ) from error


def held(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, most: int
) -> tuple[pa.Table, Iterator[pa.RecordBatch] | None]:
    """The first rows, up to a size, and those behind them if there are any."""
    kept, size = [], 0
    for batch in batches:
        kept.append(batch)
        size += batch.nbytes
        if size > most:
            return pa.Table.from_batches(kept, schema), batches
    return pa.Table.from_batches(kept, schema), None


def rows_of(dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """All rows of a table, some row groups at a time."""
    names = [column.name for column in dataset.table.columns]
    schema = arrow_schema(dataset.table.columns)
    for piece in dataset.select(None).pieces:
        for start in range(0, len(piece.groups), _GROUPS_AT_ONCE):
            part = Piece(piece.file, piece.groups[start : start + _GROUPS_AT_ONCE], 0)
            yield from dataset.read(part, names).cast(schema).to_batches()
