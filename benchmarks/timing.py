"""Timing of work in this process: warmed up, several times over, those to be compared in turns.

Taking turns lets a disturbance of the machine fall on all of them alike.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.sample import Sample, Unit

__all__ = ["Timing", "Work", "timed"]

_ENOUGH_S = 20.0
"""Work that has taken so long in all is not repeated any more."""


@dataclass(frozen=True)
class Work:
    """Something to be timed."""

    call: Callable[[], object]
    """Does it."""
    n_items: int = 1
    """How many alike things a call does; times are given for one of them."""
    cpu_clock: Callable[[], float] = time.process_time
    """Tells the CPU of whoever does it: by default this process, all threads together."""


@dataclass
class Timing:
    """What one thing took, in every run."""

    wall_s: list[float] = field(default_factory=list)
    """Seconds by the clock."""
    cpu_s: list[float] = field(default_factory=list)
    """Seconds of CPU of whoever does the work."""

    @property
    def wall(self) -> Sample:
        """Times by the clock."""
        return Sample.of(self.wall_s, Unit.SECONDS)

    @property
    def cpu(self) -> Sample:
        """Times of CPU."""
        return Sample.of(self.cpu_s, Unit.CPU_SECONDS)


def timed(*works: Work, n_runs: int = 7) -> list[Timing]:
    """Time each piece of work, in turns; a first round does not count for those that are quick."""
    timings = [Timing() for _ in works]
    spent = [0.0] * len(works)
    for is_warm in [False] + [True] * n_runs:
        for number, work in enumerate(works):
            if spent[number] > _ENOUGH_S and timings[number].wall_s:
                continue
            wall_s, cpu_s = _run(work)
            spent[number] += wall_s
            if is_warm or spent[number] > _ENOUGH_S:
                timings[number].wall_s.append(wall_s / work.n_items)
                timings[number].cpu_s.append(cpu_s / work.n_items)
    return timings


def _run(work: Work) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), work.cpu_clock()
    work.call()
    wall_s = time.perf_counter() - wall
    return wall_s, work.cpu_clock() - cpu
