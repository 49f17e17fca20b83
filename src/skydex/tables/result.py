"""`Result`: rows in motion, from an engine or a file to a writer.

Rows travel as Arrow record batches in the types of `column.arrow_type`. Whether a result was cut at its row limit is
known only after its last row (TAP 1.1, section 3.4), so `overflow` may be asked only when the batches are used up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from skydex.tables.column import Column, arrow_schema, arrow_type
from skydex.tables.services import ServiceDescriptor

__all__ = ["Result", "conform", "conformed", "counted", "limited"]


@dataclass
class Result:
    """A table in motion; it can be walked through once."""

    columns: tuple[Column, ...]
    """What the columns mean."""
    batches: Iterator[pa.RecordBatch]
    """The rows, each batch in `arrow_schema(columns)`."""
    name: str = "result"
    """A name for the table in formats that have one."""
    description: str = ""
    """A sentence for people."""
    infos: tuple[tuple[str, str], ...] = ()
    """Facts about the result that travel with it: (name, value), as VOTable INFO."""
    services: tuple[ServiceDescriptor, ...] = ()
    """What can be done with its rows elsewhere; formats that have no place for it leave it out."""
    warnings: list[str] = field(default_factory=list)
    """What is odd about the answer."""
    max_rows: int | None = None
    """The row limit in force, if any."""
    overflow: bool = False
    """True when there was at least one row more than the limit. Meaningful after the last batch."""
    rows_affected: int | None = None
    """Rows that statements have written, if the result shows nothing but their number."""
    n_rows: int = 0
    """Rows that have been taken out, if they are `counted`."""
    is_held: bool = False
    """Whether all rows have been seen already and are only given out, so that `overflow` is known from the start."""

    @property
    def schema(self) -> pa.Schema:
        return arrow_schema(self.columns)

    def to_arrow(self) -> pa.Table:
        """All remaining rows at once."""
        return pa.Table.from_batches(list(self.batches), self.schema)

    def close(self) -> None:
        """Give up the remaining rows and free what the engine holds."""
        close = getattr(self.batches, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Result:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def limited(result: Result, max_rows: int | None) -> Result:
    """Cut a result after `max_rows` rows and mark it as overflowed exactly if a further row exists."""
    if max_rows is None:
        return result
    result.batches = _cut(result, result.batches, max_rows)
    result.max_rows = max_rows
    return result


def _cut(result: Result, batches: Iterator[pa.RecordBatch], max_rows: int) -> Iterator[pa.RecordBatch]:
    left = max_rows
    for batch in batches:
        if batch.num_rows > left:
            result.overflow = True
            if left:
                yield batch.slice(0, left)
            return
        left -= batch.num_rows
        if batch.num_rows:
            yield batch


def counted(result: Result) -> Result:
    """Have a result count its rows as they are taken out."""
    result.batches = _count(result, result.batches)
    return result


def _count(result: Result, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        result.n_rows += batch.num_rows
        yield batch


def conform(batches: Iterable[pa.RecordBatch], columns: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
    """Cast batches to the types of their columns; floating NaN becomes null on the way."""
    schema = arrow_schema(columns)
    for batch in batches:
        arrays = [conformed(array, column) for array, column in zip(batch.columns, columns, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def conformed(array: pa.Array, column: Column) -> pa.Array:
    """Cast one array to the type of its column; floating NaN becomes null."""
    kind = arrow_type(column)
    if array.type != kind:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        array = array.cast(kind, safe=not pa.types.is_timestamp(kind))
    if not pa.types.is_floating(kind):
        return array
    nan = pc.is_nan(array)
    return pc.if_else(nan, pa.scalar(None, kind), array) if pc.any(nan).as_py() else array
