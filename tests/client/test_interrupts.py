"""Ctrl-C: everything stops, nothing half-written has a final name, the next call fetches the rest (promise R27)."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from tests.client.faulty import fits_bytes

from skydex.client.files import WebFile
from skydex.client.transfers import MANIFEST, fetch_all

N_FILES, N_BYTES = 12, 120_000

PROGRAM = """
import sys
from skydex.client.files import WebFile
from skydex.client.transfers import fetch_all
print("ready", flush=True)
fetch_all([WebFile(f"{sys.argv[1]}/f{n}.fits") for n in range(int(sys.argv[2]))], sys.argv[3])
print("done", flush=True)
"""
NEAR = """
import sys, time
from contextlib import contextmanager
from skydex.client import OpenedFile
from skydex.client.transfers import fetch_all
class Slow:
    def __init__(self, n): self.reference = self.file_name = f"{n}.fits"
    @contextmanager
    def open(self, offset=0, validator=""):
        def chunks():
            yield b"SIMPLE  ="
            for _ in range(1000):
                time.sleep(0.01)
                yield b"x" * 100
        yield OpenedFile(chunks())
print("ready", flush=True)
fetch_all([Slow(n) for n in range(12)], sys.argv[3])
"""


@pytest.fixture
def slow(faulty):
    for number in range(N_FILES):
        faulty.files[f"/f{number}.fits"] = fits_bytes(N_BYTES, seed=number)
    faulty.pace_s = 0.02
    return faulty


def interrupted(program, slow, folder, after_s, *, how=signal.SIGINT):
    """Start a download, interrupt it, and give its status, what it said, and how long it took to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, slow.url, str(N_FILES), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(after_s)
    process.send_signal(how)
    start = time.monotonic()
    said = process.communicate(timeout=20)[1]
    return process.returncode, said, time.monotonic() - start


def only_whole_files(slow, folder):
    """Files under their final names; each is checked, and has its line in the record."""
    whole = list(folder.glob("*.fits")) if folder.exists() else []
    lines = (folder / MANIFEST).read_text().splitlines() if whole else []
    assert {path.name for path in whole} <= {json.loads(line)["name"] for line in lines}
    for path in whole:
        assert path.read_bytes() == slow.files[f"/{path.name}"]
    return whole


def check_interrupts(slow, folder, n_times, seed):
    dice = random.Random(seed)
    for number in range(n_times):
        into = folder / str(number)
        status, said, lasted_s = interrupted(PROGRAM, slow, into, dice.uniform(0, 0.9))
        assert lasted_s < 3
        n_there = len(only_whole_files(slow, into))
        if status:
            assert status == -signal.SIGINT
            told = re.search(r"KeyboardInterrupt: (\d+) of 12 files are missing in .*Call again", said)
            assert told is None or int(told[1]) == N_FILES - n_there
        yield into, n_there


def test_an_interrupt_stops_everything_and_the_next_call_fetches_the_rest(slow, tmp_path):
    for into, n_there in check_interrupts(slow, tmp_path, 4, seed=1):
        slow.pace_s = 0
        slow.requests.clear()
        sources = [WebFile(f"{slow.url}/f{number}.fits") for number in range(N_FILES)]
        assert fetch_all(sources, into).n_fetched == N_FILES - n_there == len(slow.requests)
        assert {path.name for path in into.iterdir()} == {MANIFEST, *(f"f{n}.fits" for n in range(N_FILES))}
        slow.pace_s = 0.02


@pytest.mark.slow
def test_twenty_interrupts_leave_nothing_half_written(slow, tmp_path):
    assert len(list(check_interrupts(slow, tmp_path, 20, seed=2))) == 20


def test_an_interrupt_says_what_is_missing(slow, tmp_path):
    status, said, _ = interrupted(PROGRAM, slow, tmp_path, 0.5)
    assert status == -signal.SIGINT
    assert re.search(r"KeyboardInterrupt: \d+ of 12 files are missing", said)


def test_files_that_are_made_here_stop_as_well(slow, tmp_path):
    status, _, lasted_s = interrupted(NEAR, slow, tmp_path, 0.5)
    assert status == -signal.SIGINT
    assert lasted_s < 3
    assert list(tmp_path.iterdir()) == []


def test_after_a_power_cut_the_next_call_goes_on(slow, tmp_path):
    interrupted(PROGRAM, slow, tmp_path, 0.7, how=signal.SIGKILL)
    only_whole_files(slow, tmp_path)
    n_left = len(list(tmp_path.glob("*.part")))
    slow.pace_s = 0
    slow.requests.clear()
    sources = [WebFile(f"{slow.url}/f{number}.fits") for number in range(N_FILES)]
    manifest = fetch_all(sources, tmp_path)
    assert [path.read_bytes() for path in manifest.paths] == [*slow.files.values()]
    assert sum("Range" in headers for _, headers in slow.requests) <= n_left
    assert not list(tmp_path.glob("*.part*"))


def test_no_thread_and_no_child_outlives_an_interrupt(slow, tmp_path):
    program = PROGRAM.replace("fetch_all([", "try:\n fetch_all([").replace(
        'print("done", flush=True)',
        "except KeyboardInterrupt:\n import threading, time; time.sleep(0.5)\n"
        " sys.exit(f'{threading.active_count()} threads')",
    )
    status, said, _ = interrupted(program, slow, tmp_path, 0.5)
    assert (status, said.strip()) == (1, "1 threads")
