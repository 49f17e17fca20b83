"""CPU and memory of a process and all that it started, as Linux tells them in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["cpu_s", "pss_mib"]

_TICKS = os.sysconf("SC_CLK_TCK")
_GONE = (FileNotFoundError, ProcessLookupError)


def cpu_s(pid: int) -> float:
    """Seconds of CPU so far, of those that have ended too; to a hundredth."""
    total = 0
    for process in _family(pid):
        with suppress(*_GONE):
            numbers = (process / "stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, numbers[11:15]))  # user and system, then those of buried children
    return total / _TICKS


def pss_mib(pid: int) -> float:
    """Memory in MiB; what several share is counted once."""
    total = 0.0
    for process in _family(pid):
        with suppress(*_GONE):
            lines = (process / "smaps_rollup").read_text().splitlines()
            total += int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) / 1024
    return total


def _family(pid: int) -> Iterator[Path]:
    waiting = [pid]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        yield process
        with suppress(*_GONE):
            for task in (process / "task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
