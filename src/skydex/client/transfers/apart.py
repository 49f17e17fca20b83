"""Coroutines for callers who do not wait with others: run in a thread of their own, with an end at Ctrl-C.

A thread of its own, since a notebook has a running event loop already. Threads here are daemons: nothing that hangs
keeps a program from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

__all__ = ["in_thread", "run_apart"]

T = TypeVar("T")
_GRACE_S = 2.0
"""How long an interrupted run may take to put things away."""


def run_apart(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end; an interrupt cancels it, and goes on when it has ended."""
    run = _Run(make)
    try:
        run.thread.start()
        run.done.wait()
    except BaseException:
        run.cancel()
        run.done.wait(_GRACE_S)
        raise
    return run.outcome()


class _Run(Generic[T]):
    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.thread = threading.Thread(target=self._run, name="skydex-transfers", daemon=True)
        self.done = threading.Event()
        self._make, self._lock, self._is_cancelled = make, threading.Lock(), False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._result: list[T] = []
        self._error: BaseException | None = None

    def _run(self) -> None:
        try:
            self._result.append(asyncio.run(self._cancellable()))
        except BaseException as error:
            self._error = error
        finally:
            self.done.set()

    async def _cancellable(self) -> T:
        with self._lock:
            if self._is_cancelled:
                raise asyncio.CancelledError
            self._loop, self._task = asyncio.get_running_loop(), asyncio.ensure_future(self._make())
        return await self._task

    def cancel(self) -> None:
        with self._lock, suppress(RuntimeError):  # the loop may have ended just now
            self._is_cancelled = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


async def in_thread(work: Callable[[], T]) -> T:
    """Do something that blocks; if it is waited for no more, it goes on unheeded."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: list[T], error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result[0])

    def worked() -> None:
        result, trouble = list[T](), None
        try:
            result.append(work())
        except Exception as error:
            trouble = error
        with suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(settle, result, trouble)

    threading.Thread(target=worked, name="skydex-transfer", daemon=True).start()
    return await done
