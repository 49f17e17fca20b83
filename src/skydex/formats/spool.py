"""`Spool`: rows that must be seen twice, in memory while they are few and on disk when they are many.

Some formats say something at their beginning that is known only at the end: FITS its number of rows, an aligned text
the widths of its columns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

__all__ = ["Spool"]

_IN_MEMORY = 64 << 20
"""Bytes of rows that stay in memory."""


class Spool:
    """Batches put aside, to be walked through as often as one likes."""

    def __init__(self, schema: pa.Schema, *, in_memory: int | None = None) -> None:
        self.n_rows = 0
        """Rows put aside so far."""
        self.schema = schema
        """Of every batch."""
        self._held: list[pa.RecordBatch] = []
        self._n_bytes = 0
        self._in_memory = _IN_MEMORY if in_memory is None else in_memory
        self._file: BinaryIO | None = None
        self._writer: pa.RecordBatchStreamWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Put a batch aside."""
        self.n_rows += batch.num_rows
        self._n_bytes += batch.nbytes
        if self._writer is None and self._n_bytes <= self._in_memory:
            self._held.append(batch)
            return
        self._on_disk().write_batch(batch)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        if self._writer is None:
            yield from self._held
            return
        self._writer.close()
        assert self._file is not None
        self._file.seek(0)
        yield from pa.ipc.open_stream(pa.PythonFile(self._file, "r"))

    def close(self) -> None:
        """Forget the rows."""
        self._held.clear()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_disk(self) -> pa.RecordBatchStreamWriter:
        if self._writer is None:
            self._file = tempfile.TemporaryFile(prefix="skydex-rows-")  # noqa: SIM115
            self._writer = pa.ipc.new_stream(self._file, self.schema)
            for batch in self._held:
                self._writer.write_batch(batch)
            self._held.clear()
        return self._writer
