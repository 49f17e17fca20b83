"""A process that has been prepared for forking has one thread, little that is not its own, and works."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from skydex.jobs.quiet import quiet_environment

SCRIPT = """
import json, sys
from skydex.jobs.quiet import be_quiet, n_threads, preload

def of_files():
    numbers = dict(line.split()[:2] for line in open("/proc/self/smaps_rollup").readlines()[1:])
    return int(numbers["Rss:"]) - int(numbers["Anonymous:"])

be_quiet()
import numpy, pyarrow, pyarrow.compute, pyarrow.parquet
before = of_files()
preload(("skydex.engines.duckdb",))
after = of_files()
array = pyarrow.array([1.5, None, 2.5])
mean = pyarrow.compute.mean(array).as_py()
root = float(numpy.linalg.norm(numpy.array([3.0, 4.0])))
facts = {"threads": n_threads(), "pandas": "pandas" in sys.modules, "before": before, "after": after}
print(json.dumps({**facts, "mean": mean, "root": root}))
"""


@pytest.fixture(scope="module")
def facts():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_there_is_one_thread(facts):
    assert facts["threads"] == 1


def test_pandas_is_not_imported_to_make_an_array(facts):
    assert not facts["pandas"]


def test_libraries_give_back_their_pages_and_go_on_working(facts):
    assert facts["after"] < facts["before"] / 2
    assert (facts["mean"], facts["root"]) == (2.0, 5.0)


def test_what_the_operator_set_counts_unless_it_would_start_threads():
    environ = quiet_environment({"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "64", "HOME": os.sep})
    assert (environ["MALLOC_ARENA_MAX"], environ["OPENBLAS_NUM_THREADS"], environ["HOME"]) == ("1", "1", os.sep)
