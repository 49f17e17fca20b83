"""Commands run as processes of their own, with the time and memory that the system says they took.

A small process stands between: a child inherits the peak memory of whoever starts it, and this one may be large.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Spent", "python", "run_child"]

_BETWEEN = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
wall_s = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "status": done.returncode, "output": done.stdout.decode(),
    "wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024,
}))
"""


@dataclass(frozen=True)
class Spent:
    """What a process took."""

    wall_s: float
    """From its start to its end."""
    cpu_s: float
    """User and system, all threads."""
    peak_mib: float
    """Greatest resident memory, files mapped into it counted too."""


def python(script: str, *arguments: object) -> list[str]:
    """The command that runs a piece of Python."""
    return [sys.executable, "-c", script, *map(str, arguments)]


def run_child(command: Sequence[object]) -> Spent:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        It failed; its own words.
    """
    between = [sys.executable, "-S", "-c", _BETWEEN, *map(str, command)]
    facts = json.loads(subprocess.run(between, capture_output=True, check=True).stdout)
    if facts.pop("status"):
        raise RuntimeError(f"{command} failed: {facts['output'][-2000:]}")
    del facts["output"]
    return Spent(**facts)
