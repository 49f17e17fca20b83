"""`Scribe`: the one thread that writes in a ledger, and one that reads in it.

Flushing to the disk takes milliseconds, in which nobody else should have to stand still. What is asked while the
scribe waits for the disk is written together afterwards, in one transaction with one flush.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from skydex.jobs.ledger import Ledger

__all__ = ["Scribe"]

T = TypeVar("T")
_MOST_TOGETHER = 256
_Entry = tuple[Callable[[Ledger], Any], "Future[Any]"]


class Scribe:
    """Does things with a ledger, and says when they are on the disk.

    Parameters
    ----------
    path : Path
        The ledger's file.
    """

    def __init__(self, path: Path) -> None:
        self._writable, self._readable = Ledger(path), Ledger(path)
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ledger-reader")
        self._writer = threading.Thread(target=self._write_all, name="ledger-writer", daemon=True)
        self._writer.start()

    def write(self, change: Callable[[Ledger], T]) -> Future[T]:
        """Change something; done when it is on the disk. Changes happen in the order in which they were asked for."""
        promise: Future[T] = Future()
        self._entries.put((change, promise))
        return promise

    def read(self, question: Callable[[Ledger], T]) -> Future[T]:
        """Look something up among what is on the disk."""
        return self._reader.submit(question, self._readable)

    def close(self) -> None:
        """Write what is still to be written, and close the ledger."""
        self._entries.put(None)
        self._writer.join()
        self._reader.shutdown()
        self._readable.close()
        self._writable.close()

    def _write_all(self) -> None:
        while (first := self._entries.get()) is not None:
            together, is_last = [first], False
            with contextlib.suppress(queue.Empty):
                while len(together) < _MOST_TOGETHER:
                    entry = self._entries.get_nowait()
                    if entry is None:
                        is_last = True
                        break
                    together.append(entry)
            self._write(together)
            if is_last:
                return

    def _write(self, entries: list[_Entry]) -> None:
        """Make some changes in one transaction; one that is refused does not harm the others."""
        entries = [entry for entry in entries if entry[1].set_running_or_notify_cancel()]
        outcomes: list[tuple[Any, Exception | None]] = []
        try:
            with self._writable.transaction():
                outcomes = [self._outcome(change) for change, _ in entries]
        except Exception as error:
            outcomes = [(None, error)] * len(entries)
        for (_, promise), (result, failure) in zip(entries, outcomes, strict=True):
            if failure is None:
                promise.set_result(result)
            else:
                promise.set_exception(failure)

    def _outcome(self, change: Callable[[Ledger], Any]) -> tuple[Any, Exception | None]:
        try:
            with self._writable.step():
                return change(self._writable), None
        except sqlite3.Error:
            raise  # the disk is full or broken, and nothing of this transaction will be there
        except Exception as error:
            return None, error
