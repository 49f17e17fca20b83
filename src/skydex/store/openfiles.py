"""`OpenFiles`: Parquet files kept open between queries, within bounds.

An Arrow Parquet reader must not be used by two threads at once, so each thread has its own; what is bounded is the
number of column chunks that all kept footers describe, which is what their memory grows with.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import pyarrow.parquet as pq

__all__ = ["OpenFiles"]


class OpenFiles:
    """A bounded cache of open Parquet files; the one longest unused goes first."""

    def __init__(self, *, max_files: int = 256, max_chunks: int = 100_000) -> None:
        self._max_files = max_files
        self._max_chunks = max_chunks
        self._chunks = 0
        self._kept: OrderedDict[tuple[int, str], tuple[pq.ParquetFile, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, path: str, open_file: Callable[[str], pq.ParquetFile]) -> pq.ParquetFile:
        """Give this thread's reader of a file, opening it if need be."""
        key = (threading.get_ident(), path)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        file = open_file(path)
        with self._lock:
            dropped = self._keep(key, file)
        del dropped  # To forget a footer takes as long as to read one: no other thread has to wait for it.
        return file

    def _keep(self, key: tuple[int, str], file: pq.ParquetFile) -> list[pq.ParquetFile]:
        """Keep a file, and give those that had to go for it."""
        chunks = file.metadata.num_row_groups * file.metadata.num_columns
        self._kept[key] = (file, chunks)
        self._chunks += chunks
        dropped = []
        while len(self._kept) > 1 and (len(self._kept) > self._max_files or self._chunks > self._max_chunks):
            _, (oldest, chunks) = self._kept.popitem(last=False)
            self._chunks -= chunks
            dropped.append(oldest)
        return dropped
