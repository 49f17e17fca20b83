"""`StoredRows`: rows of an Arrow file, of which slices are read.

Mapping the file would be simpler, but what is touched of a map counts as memory of the process, and with large pages of
the system's cache a few rows touch megabytes: going through a thousand files adds up to all of them. Here the file is
mapped once, to see where each column lies in it, and after that rows are read into memory of their own. No file stays
open, since the sort of a large table has more of them than a process may have open.
"""

from __future__ import annotations

import errno
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["StoredRows"]

_WORD = 8
"""Slices are read from a multiple of so many rows on, which begin a byte of a bitmap."""


@dataclass(frozen=True)
class _Buffer:
    """Where some bytes lie in the file."""

    start: int
    size: int

    def read(self, descriptor: int, first: int, beyond: int) -> pa.Buffer:
        """Some of the bytes."""
        n_bytes = min(beyond, self.size) - first
        return pa.py_buffer(os.pread(descriptor, n_bytes, self.start + first) if n_bytes > 0 else b"")


@dataclass(frozen=True)
class _Place:
    """Where an array lies in the file."""

    kind: pa.DataType
    null_count: int
    validity: _Buffer | None
    buffers: tuple[_Buffer | None, ...]
    """Those behind the validity."""
    child: _Place | None = None
    """Of lists: their elements."""

    def read(self, descriptor: int, first: int, beyond: int) -> pa.Array:
        """Elements of the array."""
        begin = first - first % _WORD
        n = beyond - begin
        validity = self.validity.read(descriptor, begin // 8, -(-beyond // 8)) if self.validity else None
        if self.buffers[0] is None:
            return pa.nulls(beyond - first, self.kind)
        if pa.types.is_list(self.kind) or pa.types.is_string(self.kind):
            offsets = np.frombuffer(self.buffers[0].read(descriptor, 4 * begin, 4 * (beyond + 1)), np.int32)
            made = self._behind(descriptor, offsets, validity, n)
        else:
            bits = self.kind.bit_width
            values = self.buffers[0].read(descriptor, begin * bits // 8, -(-beyond * bits // 8))
            made = pa.Array.from_buffers(self.kind, n, [validity, values])
        return made.slice(first - begin)

    def _behind(
        self, descriptor: int, offsets: NDArray[np.int32], validity: pa.Buffer | None, n_values: int
    ) -> pa.Array:
        """Lists, or texts, that begin at offsets."""
        low, high = int(offsets[0]), int(offsets[-1])
        buffers = [validity, pa.py_buffer(offsets - low)]
        if self.child is not None:
            children = [self.child.read(descriptor, low, high)]
            return pa.Array.from_buffers(self.kind, n_values, buffers, children=children)
        texts = self.buffers[1].read(descriptor, low, high) if self.buffers[1] else pa.py_buffer(b"")
        return pa.Array.from_buffers(self.kind, n_values, [*buffers, texts])


class StoredRows:
    """The rows of an Arrow file with one record batch.

    Parameters
    ----------
    path : Path
        The file, which does not change.

    Raises
    ------
    MemoryError
        The process may not have so much memory as to map the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        mapped = _mapped(path)
        table = pa.ipc.open_file(pa.py_buffer(mapped)).read_all()
        base = pa.py_buffer(mapped).address
        self.schema: pa.Schema = table.schema
        self.num_rows: int = table.num_rows
        self.nbytes: int = table.nbytes
        self._columns = {
            name: _place(column.combine_chunks() if column.num_chunks != 1 else column.chunk(0), base)
            for name, column in zip(table.column_names, table.columns, strict=True)
        }

    def null_count(self, name: str) -> int:
        """How many values of a column are missing."""
        return self._columns[name].null_count

    def slice(self, start: int, length: int) -> pa.Table:
        """Read some rows."""
        beyond = min(start + length, self.num_rows)
        if beyond <= start:
            return self.schema.empty_table()
        with self._path.open("rb", buffering=0) as file:
            columns = [place.read(file.fileno(), start, beyond) for place in self._columns.values()]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def mapped_integers(self, name: str, n: int) -> NDArray[np.int64]:
        """The first values of a column of long integers, mapped as long as they are used."""
        values = self._columns[name].buffers[0]
        assert values is not None, "a file with rows has values"
        return np.memmap(self._path, np.int64, "r", values.start, (n,))


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError(f"No room to map {path.name}") from error
        raise


def _place(array: pa.Array, base: int) -> _Place:
    """Where an array lies that is mapped from `base` on."""
    buffers = [
        _Buffer(buffer.address - base, buffer.size) if buffer is not None else None for buffer in array.buffers()
    ]
    child = _place(array.values, base) if pa.types.is_list(array.type) else None
    own = buffers[1:2] if child is not None else buffers[1:]
    return _Place(array.type, array.null_count, buffers[0], tuple(own), child)
