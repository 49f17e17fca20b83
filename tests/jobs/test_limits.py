"""What the operating system holds a process to."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    """What a process of its own prints, whose limits are its own as well."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_soft_limit_holds_what_is_allocated_but_neither_mapped_files_nor_what_is_started_without_it(tmp_path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as opened:
        opened.truncate(2 << 30)
    told = run(f"""
import mmap, subprocess, sys
from skydex.jobs.limits import limit_memory_softly, without_memory_limit

limit_memory_softly(100)
with open({str(file)!r}, "rb") as opened:
    print(len(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)) >> 30)
try:
    bytearray(1 << 30)
except MemoryError:
    print("too much")
large = [sys.executable, "-c", "bytearray(1 << 30)"]
with without_memory_limit():
    print(subprocess.run(large).returncode)
print(subprocess.run(large, stderr=subprocess.DEVNULL).returncode)
""")
    assert told.split("\n")[:4] == ["2", "too much", "0", "1"]
