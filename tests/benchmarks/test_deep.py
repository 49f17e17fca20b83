"""Detections in a long form are built in pieces: who is killed in the middle goes on there, and loses no row."""

from __future__ import annotations

import signal
import subprocess
import sys

import pyarrow.compute as pc
import pytest

from benchmarks import deep
from skydex.archive import Archive, QueryRequest

N = 20_000
BUILD = """
import os, signal, sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from benchmarks import deep
from skydex.store import ArchiveDirectory, Staging

directory, dies = Path(sys.argv[1]), sys.argv[2]
deep._OBJECTS_OF_PIECE = 20
deep.Staging = SimpleNamespace(open=partial(Staging.open, buffer_bytes=250_000))
piece, publish = deep._piece, ArchiveDirectory.publish

def made(number):
    print(number, flush=True)
    if str(number) == dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return piece(number)

def published(*args, **options):
    if dies == "publish":
        os.kill(os.getpid(), signal.SIGKILL)
    return publish(*args, **options)

deep._piece, ArchiveDirectory.publish = made, published
deep.build(directory, %d)
"""


def build(directory, dies=""):
    """The pieces that were made, and how it ended."""
    words = [sys.executable, "-c", BUILD % N, str(directory), dies]
    ran = subprocess.run(words, check=False, capture_output=True, text=True)
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return [int(line) for line in ran.stdout.split()], ran.returncode


def test_a_build_that_was_killed_goes_on_where_it_was(tmp_path, monkeypatch):
    first, died = build(tmp_path, "3")
    assert (first, died) == ([0, 1, 2, 3], -signal.SIGKILL)
    second, died = build(tmp_path, "publish")
    assert died == -signal.SIGKILL
    assert 0 < second[0] < 4, "what was on the disk is not made again, and what was not is"
    third, ended = build(tmp_path)
    assert (set(third) <= {second[-1]}, ended) == (True, 0), "at the most what was still in memory is made again"
    monkeypatch.setattr(deep, "_OBJECTS_OF_PIECE", 20)
    pieces = [deep._piece(number) for number in range(second[-1] + 1)]
    assert sum(map(len, pieces[:-1])) < N <= sum(map(len, pieces))
    text = "SELECT COUNT(*) AS n, COUNT(DISTINCT obj_id) AS objects, SUM(obj_id) AS ids, SUM(mjd) AS days FROM {}"
    (found,) = Archive.open(tmp_path).query(QueryRequest(text.format(deep.NAME))).to_arrow().to_pylist()
    assert (found["n"], found["objects"]) == (sum(map(len, pieces)), 20 * len(pieces))
    assert found["ids"] == sum(pc.sum(piece["obj_id"]).as_py() for piece in pieces)
    assert found["days"] == pytest.approx(sum(pc.sum(piece["mjd"]).as_py() for piece in pieces), rel=1e-12)
    assert not list((tmp_path / "staging").iterdir())
    assert build(tmp_path) == ([], 0)
