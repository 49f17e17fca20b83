"""What the figures were measured on."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

__all__ = ["Machine", "commit", "load_average", "now"]

_LIBRARIES = ("skydex", "astropy", "duckdb", "numpy", "pyarrow", "pyvo", "sqlglot", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Machine:
    """A machine, and the software on it."""

    cpu: str
    """Model name."""
    cores: int
    """Cores that this process may use."""
    memory_gib: float
    """Memory of the whole machine."""
    system: str
    """Kernel and architecture."""
    python: str
    """Version."""
    libraries: dict[str, str]
    """Versions."""

    @classmethod
    def here(cls) -> Machine:
        """The machine that this runs on."""
        pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        return cls(
            cpu=_cpu_model(),
            cores=len(os.sched_getaffinity(0)),
            memory_gib=round(pages * page / 2**30, 1),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            python=platform.python_version(),
            libraries={name: version(name) for name in _LIBRARIES},
        )

    def __str__(self) -> str:
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib} GiB of memory, {self.system}; "
            f"Python {self.python}, {libraries}"
        )


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def commit() -> str:
    """The commit of the checkout that skydex is imported from, with a plus sign if it has been changed."""
    import skydex

    git = ["git", "-C", str(Path(skydex.__file__).parent)]
    try:
        name = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
        changes = subprocess.run(
            [*git, "status", "--porcelain", "."], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.strip() + ("+" if changes.strip() else "")


def load_average() -> float:
    """Processes that wanted a core in the last minute, ours among them."""
    return round(os.getloadavg()[0], 1)


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
