"""`Source`: who brings bytes from far away, whichever protocol is spoken there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from skydex.store.remote.stamp import Stamp
from skydex.store.remote.traffic import Traffic

__all__ = ["Order", "Reply", "Source", "Span"]


@dataclass(frozen=True)
class Span:
    """A range of bytes of a file."""

    start: int
    """First byte; a negative number counts from the end."""
    stop: int
    """The byte behind the last one; of no meaning where the start is negative."""

    @property
    def length(self) -> int:
        return -self.start if self.start < 0 else self.stop - self.start


@dataclass(frozen=True)
class Order:
    """What is wanted of one file."""

    name: str
    """The file, relative to the catalogue."""
    span: Span | None = None
    """The bytes that are wanted; None for the whole file."""
    expected: Stamp | None = None
    """What the file must still be; anything else is `Altered`."""
    known: Stamp | None = None
    """What need not be sent again."""
    most_bytes: int = 1 << 30
    """Larger answers are refused."""
    only_stamp: bool = False
    """Whether the content is of no interest."""


@dataclass(frozen=True)
class Reply:
    """What came."""

    content: bytes
    """The bytes; none if the file is the known one."""
    stamp: Stamp
    """The version of the file that they are of."""
    date: str = ""
    """The time at the server, as it was sent."""
    is_known: bool = False
    """Whether the file is still the known one."""


class Source(Protocol):
    """A directory of files far away."""

    @property
    def has_listing(self) -> bool:
        """Whether it tells what files there are."""
        ...

    async def get(self, order: Order, traffic: Traffic) -> Reply | None:
        """Bring what is wanted, once; None if there is no such file.

        Raises
        ------
        Fault
            Nothing came, or not what was wanted.
        """
        ...

    async def names(self, folder: str, traffic: Traffic) -> Sequence[str]:
        """Names of all files below a folder, relative to the catalogue."""
        ...
