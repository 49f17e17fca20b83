"""`Stream`: rows that come while they are looked at, in the memory of a few thousand of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from skydex.connection.files import write_result
from skydex.connection.rows import ResultTable, table_of_arrow
from skydex.tables import Column, Result, counted

__all__ = ["Stream"]

_ROWS = 100_000


class Stream:
    """The rows of a large answer, walked through once.

    Looping over it gives tables of some of the rows each; `arrow_batches` gives them as they come, `write` puts them
    into a file, `table` takes all that are left. Whoever leaves early closes it (`with archive.stream(...) as rows`).

    Parameters
    ----------
    result : Result
        Rows in motion.
    rows : int, optional
        How many rows a table of the loop has.
    **provenance
        As for `result_table`.
    """

    def __init__(self, result: Result, *, rows: int = _ROWS, **provenance: Any) -> None:
        self._result, self._rows, self._provenance = counted(result), rows, provenance

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the columns mean."""
        return self._result.columns

    @property
    def n_rows(self) -> int:
        """Rows that have come so far."""
        return self._result.n_rows

    @property
    def truncated(self) -> bool:
        """Whether the answer was cut at a row limit; known when all rows have come."""
        return self._result.overflow

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the answer, as far as is known."""
        return tuple(self._result.warnings)

    def __iter__(self) -> Iterator[ResultTable]:
        """Tables of at most `rows` rows."""
        return (self._table(piece) for piece in _pieces(self._result, self._rows))

    def arrow_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as they come, as Arrow record batches."""
        return self._result.batches

    def to_result(self) -> Result:
        """All rows that have not come yet, in motion."""
        return self._result

    def table(self) -> ResultTable:
        """All rows that have not come yet, as one table."""
        with self:
            return self._table(self._result.to_arrow())

    def write(self, file: str | os.PathLike[str], *, format: str | None = None, overwrite: bool = False) -> Path:
        """Write all rows that have not come yet to a file.

        Parameters
        ----------
        file : path
            Where to; `file.part` until it is whole.
        format : str, optional
            Such as `"fits"`, `"votable"`, `"parquet"`, `"csv"`, `"arrow"`; otherwise the file's ending says it.
        overwrite : bool, optional
            Whether a file of that name may be replaced.

        Raises
        ------
        FileExistsError
            There is a file of that name.
        UnsupportedFormatError
            No such format is written; the message lists those that are.
        """
        return write_result(self._result, file, format=format, overwrite=overwrite)

    def close(self) -> None:
        """Give up the remaining rows."""
        self._result.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        cut = ", cut at a row limit: there are more" if self.truncated else ""
        return f"<Stream of {len(self.columns)} columns, {self.n_rows:,} rows so far{cut}>"

    def _table(self, rows: pa.Table) -> ResultTable:
        known: Mapping[str, Any] = {**self._provenance, "truncated": self.truncated}
        return table_of_arrow(rows, self.columns, provenance=known, warnings=self.warnings)


def _pieces(result: Result, n_rows: int) -> Iterator[pa.Table]:
    """Batches gathered or cut to tables of so many rows, the last with what is left."""
    held: list[pa.RecordBatch] = []
    n_held = 0
    for batch in result.batches:
        while n_held + batch.num_rows >= n_rows:
            held.append(batch.slice(0, n_rows - n_held))
            batch = batch.slice(n_rows - n_held)
            yield pa.Table.from_batches(held, result.schema)
            held, n_held = [], 0
        held.append(batch)
        n_held += batch.num_rows
    if n_held:
        yield pa.Table.from_batches(held, result.schema)
