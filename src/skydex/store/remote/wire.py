"""`Wire`: the connections of a process to catalogues far away.

One thread runs an event loop, in which any number of ranges come in together: threads for each of them would cost a
worker with limited address space more than their bytes. It starts with the first request, and again after a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cached_property
from typing import Any, TypeVar

import httpcore

__all__ = ["Wire", "wire"]

_T = TypeVar("_T")
_MOST_CONNECTIONS = 64
_IDLE_S = 20.0
_STOP_S = 2.0


class Wire:
    """An event loop in a thread of its own, with a pool of connections."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="remote", daemon=True)
        self._thread.start()

    @cached_property
    def pool(self) -> httpcore.AsyncConnectionPool:
        """The connections; to be used inside the loop."""
        return httpcore.AsyncConnectionPool(
            ssl.create_default_context(), max_connections=_MOST_CONNECTIONS, keepalive_expiry=_IDLE_S
        )

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Begin some work in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def stop(self) -> None:
        """Close what is open."""
        if not self._thread.is_alive():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(self._close())
            self.loop.close()

    async def _close(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if "pool" in self.__dict__:
            await self.pool.aclose()


_WIRES: dict[int, Wire] = {}
"""By process, since a fork keeps neither the thread nor the right to its connections."""
_LOCK = threading.Lock()


def wire() -> Wire:
    """The wire of this process."""
    with _LOCK:
        if os.getpid() not in _WIRES:
            _WIRES.clear()
            _WIRES[os.getpid()] = Wire()
            atexit.register(_WIRES[os.getpid()].stop)
        return _WIRES[os.getpid()]


def _unlock() -> None:
    global _LOCK  # a thread that did not come along into the child may have held the old one
    _LOCK = threading.Lock()


os.register_at_fork(after_in_child=_unlock)
