"""`Engine`: the role of an engine, and `Deadline`: the moment at which its work must end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from skydex.errors import TimeLimitError
from skydex.query import Plan
from skydex.tables import Result

__all__ = ["Deadline", "Engine"]


@dataclass(frozen=True)
class Deadline:
    """When a query must have ended."""

    moment: float
    """On the clock of `time.monotonic`."""
    seconds: float
    """The limit that led to it, for the message."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds, seconds)

    @property
    def left_s(self) -> float:
        return self.moment - time.monotonic()

    def awaits(self, done: threading.Event) -> bool:
        """Wait for something, and at most until the moment; whether it came about."""
        return done.wait(max(0.0, self.left_s))

    def check(self) -> None:
        """Raise `TimeLimitError` once the moment has passed."""
        if self.left_s <= 0:
            raise TimeLimitError(self.seconds)


class Engine(Protocol):
    """Runs plans. The rows come in the types of the plan's columns, floating NaN as null."""

    name: str

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result: ...
