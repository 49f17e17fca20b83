"""`WarmRows`: decoded row groups that were read lately, within bounds.

Questions come in bursts about the same part of the sky, and decoding a few row groups is most of the work of a cone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import pyarrow as pa

__all__ = ["WarmRows"]


class WarmRows:
    """A bounded cache of tables; the one longest unused goes first. Safe to share between threads.

    Parameters
    ----------
    max_bytes : int
        Memory that all tables together may hold; a table that alone takes a quarter of it is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._kept: OrderedDict[Hashable, tuple[pa.Table, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, read: Callable[[], pa.Table]) -> pa.Table:
        """Give the table of a key, reading it if need be."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        table = read()
        size = table.get_total_buffer_size()
        if size <= self._max_bytes // 4:
            with self._lock:
                self._keep(key, table, size)
        return table

    def _keep(self, key: Hashable, table: pa.Table, size: int) -> None:
        _, replaced = self._kept.pop(key, (None, 0))  # another thread may have read it as well
        self._kept[key] = table, size
        self._n_bytes += size - replaced
        while self._n_bytes > self._max_bytes:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._n_bytes -= dropped
