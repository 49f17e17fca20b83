"""Libraries that start no thread, and hold no more memory than they use.

A process that forks must have one thread, since a lock that another thread holds at that moment stays locked in the
child for ever; and what a library does when it is imported, it does in each of the processes.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.abc import MetaPathFinder
from pathlib import Path

__all__ = ["be_quiet", "n_threads", "preload", "quiet_environment"]

_DEFAULTS = {"OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "4"}
_ALWAYS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
_M_ARENA_MAX = -8
"""The option of glibc's `mallopt` that MALLOC_ARENA_MAX sets at the start of a process."""

_MADV_DONTNEED = 4
_OF_A_FILE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9].*/.*\n(?s:.*)^Anonymous: +0 kB$", re.MULTILINE)
"""A mapping in `/proc/self/smaps` that is of a file, cannot be written to and has never been."""


def quiet_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for a process that forks: what the operator set wins, but nothing may start threads."""
    return {**_DEFAULTS, **environ, **_ALWAYS}


def be_quiet() -> None:
    """Prepare this process for forking; to be called before numpy and pyarrow are imported."""
    os.environ.update(quiet_environment(os.environ))
    with contextlib.suppress(AttributeError, ValueError):  # not glibc, or not a number
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, int(os.environ["MALLOC_ARENA_MAX"]))


def preload(modules: Iterable[str]) -> None:
    """Import modules, and make what this process holds fit to be shared with those that it forks."""
    for name in modules:
        importlib.import_module(name)
    if "pyarrow" in sys.modules:
        _keep_pandas_out()
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, the pages that are shared
    _let_go_of_libraries()


def n_threads() -> int:
    """Threads of this process; 1 where the system does not tell."""
    tasks = Path("/proc/self/task")
    return len(os.listdir(tasks)) if tasks.is_dir() else 1


def _let_go_of_libraries() -> None:
    """Unmap the pages of libraries that importing has touched; 40 MB, of which a third is ever used again.

    Only mappings that hold nothing of this process's own: what is read from them again comes from the page cache.
    """
    try:
        mappings = Path("/proc/self/smaps").read_text().split("VmFlags:")
    except OSError:
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for mapping in mappings:
        if found := _OF_A_FILE.search(mapping):
            start, end = (int(address, 16) for address in found.groups())
            madvise(start, end - start, _MADV_DONTNEED)


def _keep_pandas_out() -> None:
    """Have pyarrow decide that there is no pandas, which it imports only to ask whether a list is a Series.

    It asks once in each process, when it makes its first array: 0.2 s and 26 MB for nothing.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        importlib.import_module("pyarrow").array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas(MetaPathFinder):
    """Finds that pandas is not installed."""

    @classmethod
    def find_spec(cls, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)
