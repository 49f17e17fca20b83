"""A full disk, a broken disk, a killed process: nothing half-done is ever seen (R11, R14)."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from skydex.errors import StoreError
from skydex.store import ArchiveDirectory, Layout, Staging, verify

SMALL = Layout(rows_per_partition=60, rows_per_group=20)
FEW, MORE = 50, 90
"""Rows of the two versions that replace each other."""
FAILING = ("write", "fsync", "replace", "rename")


class Disk:
    """The calls that change the disk, of which the n-th fails, and with a full disk all later ones too.

    Flushing is only pretended, since nobody pulls the plug here.
    """

    def __init__(self, monkeypatch):
        self.calls = 0
        self.fails_at = None
        self.error = errno.EIO
        self.stays = False
        self.fsync = os.fsync
        for name in FAILING:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, call):
        fsync = self.fsync

        def wrapped(*arguments, **options):
            self.calls += 1
            if self.fails_at is not None and (
                self.calls == self.fails_at or (self.stays and self.calls > self.fails_at)
            ):
                raise OSError(self.error, os.strerror(self.error))
            if call is fsync:
                return None
            return call(*arguments, **options)

        return wrapped

    def fail(self, at, error, *, stays=False):
        self.calls, self.fails_at, self.error, self.stays = 0, at, error, stays

    def heal(self):
        self.calls, self.fails_at = 0, None


def ingest(archive, writer, n_rows):
    folder = archive.staging_directory("sky.objects", f"{n_rows} rows")
    with Staging.open(folder, table=writer.TABLE, layout=SMALL, buffer_bytes=4_000) as staging:
        rows = writer.make_rows(np.linspace(10, 30, n_rows), np.linspace(5, 15, n_rows))
        for start in range(0, n_rows, 25):
            if not staging.is_done(str(start)):
                staging.add(str(start), rows.slice(start, 25))
        report = staging.finish()
    return archive.publish("sky.objects", report.directory)


def check_whole(archive, writer, sizes):
    """Whatever is published is sound and one of the versions that were written."""
    published = ArchiveDirectory(archive.path)
    assert [entry.name for entry in published.tables()] == ["sky.objects"]
    dataset = published.open("sky.objects")
    assert verify(dataset) == []
    n_rows = len(writer.all_rows(dataset))
    assert n_rows in sizes
    assert n_rows == dataset.table.n_rows == published.get("sky.objects").n_rows
    return n_rows


def failure_of(act):
    """What a `StoreError` says, or `None` if the act went well; any other error is a failure of the test."""
    try:
        act()
    except StoreError as error:
        return str(error)
    return None


def fail_at_every_call(tmp_path, writer, monkeypatch, error, *, stays, step):
    archive = ArchiveDirectory.create(tmp_path / "archive")
    ingest(archive, writer, FEW)
    disk = Disk(monkeypatch)
    disk.heal()
    ingest(archive, writer, MORE)
    n_calls = disk.calls
    assert n_calls > 50
    old, new = MORE, FEW
    for n in range(1, n_calls + 1, step):
        disk.fail(n, error, stays=stays)
        message = failure_of(lambda size=new: ingest(archive, writer, size))
        assert message is None or ("disk is full" in message) == (error == errno.ENOSPC)
        assert str(tmp_path) not in (message or "")
        disk.heal()
        if check_whole(archive, writer, {old, new}) == old:
            ingest(archive, writer, new)  # R14: space is free again, and no restart was needed
            check_whole(archive, writer, {new})
        old, new = new, old


def test_r11_a_disk_that_fills_up_leaves_a_whole_version(tmp_path, writer, monkeypatch):
    fail_at_every_call(tmp_path, writer, monkeypatch, errno.ENOSPC, stays=True, step=3)


def test_r11_a_disk_that_fails_once_leaves_a_whole_version(tmp_path, writer, monkeypatch):
    fail_at_every_call(tmp_path, writer, monkeypatch, errno.EIO, stays=False, step=5)


@pytest.mark.slow
@pytest.mark.parametrize(("error", "stays"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_r11_whichever_call_fails_a_version_appears_whole_or_not_at_all(tmp_path, writer, monkeypatch, error, stays):
    fail_at_every_call(tmp_path, writer, monkeypatch, error, stays=stays, step=1)


VICTIM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import Writer
from skydex.store import ArchiveDirectory, Layout, Staging
archive = ArchiveDirectory.create({archive!r})
print("ready", flush=True)
while True:
    for n_rows in (300, 400):
        rows = Writer.scattered(n_rows)
        folder = archive.staging_directory("sky.objects", str(n_rows))
        layout = Layout(rows_per_partition=60, rows_per_group=20)
        with Staging.open(folder, table=Writer.TABLE, layout=layout, buffer_bytes=10_000) as staging:
            for start in range(0, n_rows, 40):
                if not staging.is_done(str(start)):
                    staging.add(str(start), rows.slice(start, 40))
            report = staging.finish()
        archive.publish("sky.objects", report.directory)
        print(n_rows, flush=True)
"""


def kill_while_publishing(tmp_path, writer, n_kills):
    root = tmp_path / "archive"
    archive = ArchiveDirectory.create(root)
    rng = random.Random(11)
    program = textwrap.dedent(VICTIM.format(tests=os.path.dirname(__file__), archive=str(root)))
    for _ in range(n_kills):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as victim:
            assert victim.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0, 0.6))
            victim.kill()
            acknowledged = victim.stdout.read().split()
        if archive.tables():
            check_whole(archive, writer, {300, 400})
        assert archive.tables() or not acknowledged, "what was acknowledged is there"
    ingest(archive, writer, FEW)
    check_whole(archive, writer, {FEW})


def test_r11_a_killed_process_leaves_a_whole_version(tmp_path, writer):
    kill_while_publishing(tmp_path, writer, 4)


@pytest.mark.slow
def test_r11_a_hundred_kills_leave_a_whole_version(tmp_path, writer):
    kill_while_publishing(tmp_path, writer, 100)


def test_r14_a_full_disk_does_not_stop_readers(tmp_path, writer, monkeypatch):
    archive = ArchiveDirectory.create(tmp_path / "archive")
    ingest(archive, writer, FEW)
    disk = Disk(monkeypatch)
    disk.fail(1, errno.ENOSPC, stays=True)
    assert len(writer.all_rows(archive.open("sky.objects"))) == FEW
    with pytest.raises(StoreError, match="disk is full"):
        ingest(archive, writer, MORE)
    assert len(writer.all_rows(archive.open("sky.objects"))) == FEW
    disk.heal()
    ingest(archive, writer, MORE)
    check_whole(archive, writer, {MORE})
