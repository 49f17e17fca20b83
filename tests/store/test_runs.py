"""Sorted rows on the disk, mapped into memory."""

from __future__ import annotations

import subprocess
import sys

MAPPED = """
import resource, sys
from pathlib import Path
import numpy as np
import pyarrow as pa
from skydex.store.runs import open_run, write_run
file = Path(sys.argv[1])
write_run(file, pa.table({"n": np.arange(16 << 20)}))
assert open_run(file).rows.num_rows == 16 << 20
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (16 << 20),) * 2)
try:
    open_run(file)
except MemoryError as error:
    print(error)
"""


def test_a_run_that_a_process_has_no_room_to_map_is_an_error_of_memory_and_not_of_the_disk(tmp_path):
    words = [sys.executable, "-c", MAPPED, str(tmp_path / "run.arrow")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.stdout == "No room to map run.arrow\n", done.stderr
