"""What the operating system holds a worker to: its memory, no core files, and death with its parent.

Address space, not resident memory, is what a kernel can refuse: an allocation over the limit fails cleanly and becomes
a `MemoryError`, where a limit of the engine itself misses what its functions allocate.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator

__all__ = [
    "die_with_parent",
    "limit_memory",
    "limit_memory_softly",
    "no_core_files",
    "resident_mb",
    "without_memory_limit",
]

_MB = 1 << 20
_PR_SET_PDEATHSIG = 1
_HEADROOM = 1.25
"""Address space per byte of memory that is asked for: allocators and thread stacks reserve more than they use."""
_HEADROOM_MB = 256
"""Address space that even an empty query reserves: stacks and arenas of the engine's threads."""


def limit_memory(memory_mb: int) -> None:
    """Let this process map `memory_mb` (with headroom) more than it has mapped already."""
    most = _mapped_bytes() + int(memory_mb * _HEADROOM + _HEADROOM_MB) * _MB
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def limit_memory_softly(memory_mb: int) -> None:
    """Let this process have so much more of its own, outside of `without_memory_limit`; files that it maps are free.

    Whoever sorts what is larger than memory maps more than any such limit.
    """
    most = _statm()[2] * resource.getpagesize() + int(memory_mb * _HEADROOM + _HEADROOM_MB) * _MB
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


@contextlib.contextmanager
def without_memory_limit() -> Iterator[None]:
    """Within this, a limit that was set softly is lifted: for processes that are started here and have their own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def no_core_files() -> None:
    """A process that is killed leaves no image of its memory behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; where it cannot, a closed socket ends the worker."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was told
        os._exit(1)


def resident_mb() -> float:
    """Resident memory of this process, in MB; 0 where the system does not tell."""
    return _statm()[1] * resource.getpagesize() / _MB


def _mapped_bytes() -> int:
    return _statm()[0] * resource.getpagesize()


def _statm() -> tuple[int, int, int]:
    """Mapped, resident and own pages; asked after each request, and so without the comfort of a file object."""
    try:
        file = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return 0, 0, 0
    try:
        mapped, resident, _, _, _, own = os.read(file, 100).split()[:6]
    finally:
        os.close(file)
    return int(mapped), int(resident), int(own)
