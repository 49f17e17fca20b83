"""Sorted rows on the disk, mapped into memory."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from skydex.store.files import new_file
from skydex.store.runs import open_run, write_run
from skydex.tables import INDEX_COLUMN

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


def test_a_slice_of_a_run_on_the_disk_is_that_of_its_rows_for_every_kind_of_column(tmp_path):
    rng = np.random.default_rng(5)
    n = 1000
    missing = rng.random(n) < 0.2
    index = np.sort(rng.integers(0, 10**15, n))
    rows = pa.table(
        {
            INDEX_COLUMN: pa.array(index, mask=np.arange(n) >= 900),
            "whole": pa.array(rng.integers(-9, 9, n).astype(np.int16), mask=missing),
            "real": pa.array(rng.normal(size=n), mask=missing),
            "flag": pa.array(rng.random(n) < 0.5, mask=missing),
            "text": pa.array(["å" * (i % 7) for i in range(n)], mask=missing),
            "list": pa.array([None if i % 11 == 0 else list(range(i % 5)) for i in range(n)], pa.list_(pa.int32())),
            "when": pa.array(rng.integers(0, 10**15, n), mask=missing).cast(pa.timestamp("us")),
            "nothing": pa.nulls(n, pa.float32()),
        }
    )
    write_run(tmp_path / "run", rows)
    run = open_run(tmp_path / "run")
    assert run.rows.equals(rows)
    assert run.unpositioned.equals(rows.slice(900))
    for first, last in [(0, 1), (7, 8), (8, 17), (333, 700), (899, 1000), (500, 500)]:
        assert run.slice(first, last).equals(rows.slice(first, last - first))
    low, high = int(index[123]), int(index[456])
    inside = (index[:900] >= low) & (index[:900] < high)
    assert run.within(low, high).equals(rows.slice(0, 900).filter(pa.array(inside)))


def test_runs_keep_no_file_open(tmp_path):
    write_run(tmp_path / "run", pa.table({INDEX_COLUMN: np.arange(100), "n": np.arange(100)}))
    before = len(os.listdir("/proc/self/fd"))
    runs = [open_run(tmp_path / "run") for _ in range(20)]
    assert all(len(run.within(10, 20)) == 10 for run in runs)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_writer_that_failed_writes_nowhere_when_it_is_forgotten(tmp_path):
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "first") as lost:
        raise ZeroDivisionError
    with new_file(tmp_path / "second") as file:
        with pytest.raises(OSError, match="descriptor"):
            lost.write(b"late")
        file.write(b"own")
    assert (tmp_path / "second").read_bytes() == b"own"
