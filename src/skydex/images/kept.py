"""`Kept`: what was unpacked with some effort, kept while it is asked for again, up to so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from numpy.typing import NDArray

__all__ = ["Kept"]


class Kept:
    """Arrays by a key, those that were not asked for longest given up first; safe to share between threads.

    Parameters
    ----------
    n_bytes : int
        Size of all of them.
    """

    def __init__(self, n_bytes: int) -> None:
        self._limit, self._size = n_bytes, 0
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> NDArray[Any] | None:
        """The array of a key, if it is there; nobody may change it."""
        try:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        except KeyError:  # it is not there, or another thread gives it up just now
            return None

    def put(self, key: Hashable, made: NDArray[Any]) -> NDArray[Any]:
        """Keep an array, which nobody may change from now on."""
        made.flags.writeable = False
        with self._lock:
            if key not in self._arrays and made.nbytes <= self._limit:
                self._arrays[key] = made
                self._size += made.nbytes
            while self._size > self._limit:
                self._size -= self._arrays.popitem(last=False)[1].nbytes
        return made
