"""`Interval`: all numbers between two."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Interval"]


@dataclass(frozen=True)
class Interval:
    """All numbers between two, both included."""

    low: float
    """May be minus infinity."""
    high: float
    """May be infinity."""

    def touches(self, low: float, high: float) -> bool:
        """Whether it shares a number with another interval; with NaN for a limit it does not."""
        return self.low <= high and low <= self.high
