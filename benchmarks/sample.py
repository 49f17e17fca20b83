"""`Sample`: one figure, measured several times; and `Unit`: what it counts, and which way is better."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Sample", "Unit"]


class Unit(enum.StrEnum):
    """What a figure counts."""

    SECONDS = "s"
    CPU_SECONDS = "s CPU"
    MEGABYTES = "MB"
    MEBIBYTES = "MiB"
    ROWS_PER_SECOND = "rows/s"
    REQUESTS_PER_SECOND = "/s"
    TIMES = "times"

    @property
    def more_is_better(self) -> bool:
        """Whether it is a rate."""
        return self in (Unit.ROWS_PER_SECOND, Unit.REQUESTS_PER_SECOND)


@dataclass(frozen=True)
class Sample:
    """The values of a figure in several runs."""

    values: tuple[float, ...]
    """One value a run, in the order of the runs."""
    unit: Unit
    """What they count."""

    @classmethod
    def of(cls, values: Iterable[float] | float, unit: Unit) -> Sample:
        """A sample of one value or of many."""
        return cls((float(values),) if isinstance(values, float | int) else tuple(values), unit)

    @property
    def median(self) -> float:
        """The value that stands for all runs."""
        return statistics.median(self.values)

    def times_better_than(self, other: Sample) -> float:
        """How many times less time or memory, or how many times more rows a second, comparing medians."""
        ours, theirs = self.median, other.median
        return ours / theirs if self.unit.more_is_better else theirs / ours

    def __str__(self) -> str:
        if len(self.values) == 1:
            return _shown(self.median, self.unit)
        least, most = _shown(min(self.values), self.unit), _shown(max(self.values), self.unit)
        return f"{_shown(self.median, self.unit)} ({least} to {most}, n={len(self.values)})"


def _shown(value: float, unit: Unit) -> str:
    if unit in (Unit.SECONDS, Unit.CPU_SECONDS) and value < 1:
        return f"{_digits(value * 1000)} m{unit}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
