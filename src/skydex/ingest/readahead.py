"""Do the next piece of work while the last one is being used.

A thread runs an iterator a few items ahead of its consumer. Arrow, numpy and zlib release the interpreter's lock while
they work, so reading, mapping and writing overlap on separate cores; the bound on items keeps memory bounded.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["read_ahead"]

Item = TypeVar("Item")
_DONE = object()
_PATIENCE_S = 0.1


def read_ahead(items: Iterable[Item], *, depth: int = 2) -> Iterator[Item]:
    """Yield the items of an iterable, which a thread works out up to `depth` ahead; its errors are raised here."""
    waiting: queue.Queue[object] = queue.Queue(maxsize=depth)
    given_up = threading.Event()
    thread = threading.Thread(target=_fill, args=(iter(items), waiting, given_up), daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _DONE:
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        given_up.set()
        thread.join()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _fill(items: Iterator[object], waiting: queue.Queue[object], given_up: threading.Event) -> None:
    try:
        for item in items:
            if not _put(waiting, item, given_up):
                return
        _put(waiting, _DONE, given_up)
    except BaseException as error:  # the consumer raises it
        _put(waiting, _Failure(error), given_up)
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _put(waiting: queue.Queue[object], item: object, given_up: threading.Event) -> bool:
    while not given_up.is_set():
        try:
            waiting.put(item, timeout=_PATIENCE_S)
        except queue.Full:
            continue
        return True
    return False
