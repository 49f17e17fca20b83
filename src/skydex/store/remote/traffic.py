"""`Traffic`: what one query reads from far away, counted while it comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Traffic", "counting", "current_traffic"]


class Traffic:
    """Bytes and requests, counted by any number of threads."""

    def __init__(self) -> None:
        self.n_requests = 0
        """Requests that were sent, those that had to be repeated among them."""
        self.n_bytes = 0
        """Bytes of content that came over the network."""
        self.n_cached_bytes = 0
        """Bytes that would have come, but lay in the cache on the disk."""
        self._lock = threading.Lock()

    def __str__(self) -> str:
        requests = "1 request" if self.n_requests == 1 else f"{self.n_requests:,} requests"
        cached = f", {_size(self.n_cached_bytes)} from the cache" if self.n_cached_bytes else ""
        return f"{_size(self.n_bytes)} in {requests}{cached}"

    def add(self, *, requests: int = 0, n_bytes: int = 0, cached_bytes: int = 0) -> None:
        """Count some more."""
        with self._lock:
            self.n_requests += requests
            self.n_bytes += n_bytes
            self.n_cached_bytes += cached_bytes


_ACTIVE: list[Traffic] = []
_CURRENT: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


@contextmanager
def counting() -> Iterator[Traffic]:
    """Count what is asked for inside the block, by this thread or on its behalf."""
    traffic = Traffic()
    token = _CURRENT.set(traffic)
    _ACTIVE.append(traffic)
    try:
        yield traffic
    finally:
        _ACTIVE.remove(traffic)
        _CURRENT.reset(token)


def current_traffic() -> Traffic:
    """Where to count what is asked for now.

    Threads of an engine know nothing of the block; they count with it if it is the only one.
    """
    found = _CURRENT.get()
    if found is not None:
        return found
    active = tuple(_ACTIVE)
    return active[0] if len(active) == 1 else Traffic()


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:,.1f} kB"
