"""`Turns`: things that wait, each asker's own in their order, askers one after another."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Turns"]

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue in which somebody with a thousand things delays somebody with one by a single thing."""

    def __init__(self) -> None:
        self._askers: OrderedDict[str, deque[T]] = OrderedDict()

    def join(self, asker: str, thing: T) -> None:
        """Put a thing at the end of its asker's own."""
        self._askers.setdefault(asker, deque()).append(thing)

    def leave(self, asker: str, thing: T) -> None:
        """Take a thing out, if it is there."""
        things = self._askers.get(asker)
        if things is not None and thing in things:
            things.remove(thing)
            self._drop_if_empty(asker)

    def next(self, may: Callable[[T], bool] = lambda _: True) -> T | None:
        """The thing whose turn it is, of those that may be taken now; its asker goes to the end."""
        for asker, things in self._askers.items():
            for thing in filter(may, things):
                self._askers.move_to_end(asker)
                self.leave(asker, thing)
                return thing
        return None

    def __len__(self) -> int:
        return sum(len(things) for things in self._askers.values())

    def _drop_if_empty(self, asker: str) -> None:
        if not self._askers[asker]:
            del self._askers[asker]
