"""A killed process, a full disk: what was acknowledged is there, and nothing half-made is (R13, R14)."""

from __future__ import annotations

import errno
import os
import random
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from skydex.errors import StoreError
from skydex.mydb import MyDB
from skydex.store import verify

FAILING = ("write", "fsync", "replace", "rename", "link")
"""Calls that change the disk."""


class Disk:
    """A disk that is full from the n-th call on that would change it, until it is healed.

    Flushing is only pretended; what it says of a directory, whose names are there already, has no part in it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.full_from: int | None = None
        for name in FAILING:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, call):
        is_flush = call.__name__ == "fsync"

        def wrapped(*arguments, **options):
            if is_flush and stat.S_ISDIR(os.fstat(arguments[0]).st_mode):
                return None
            self.calls += 1
            if self.full_from is not None and self.calls >= self.full_from:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return None if is_flush else call(*arguments, **options)

        return wrapped

    def fill(self, *, after: int) -> None:
        self.calls, self.full_from = 0, after

    def heal(self) -> None:
        self.calls, self.full_from = 0, None


def state(mydb: MyDB, read) -> dict[str, list[int]]:
    """The numbers in all tables, each of which is as it was published."""
    fresh = MyDB(mydb.path, mydb.quota)
    for table in fresh.tables():
        assert verify(fresh.open(table.name)) == []
        assert fresh.open(table.name).table.n_rows == table.n_rows
    return {table.name: read(fresh, table.name)["MatchID"].to_pylist() for table in fresh.tables()}


def unlisted(mydb: MyDB) -> list[str]:
    listed = {entry.location for entry in mydb._shelf.store.tables()}
    versions = {path.relative_to(mydb.path).as_posix() for path in mydb.path.glob("catalogs/*/2*")}
    return [*(versions - listed), *(path.name for path in (mydb.path / "staging").glob("*"))]


def failure_of(act) -> str | None:
    """What a `StoreError` says, or `None` if the act went well."""
    try:
        act()
    except StoreError as error:
        return str(error)
    return None


CHANGES = {
    "create": lambda mydb, columns, lot: mydb.create("new", columns, lot),
    "append": lambda mydb, columns, lot: mydb.append("t", columns, lot),
    "write anew": lambda mydb, columns, lot: mydb.append("small", columns, lot),
    "replace": lambda mydb, columns, lot: mydb.create("t", columns, lot, replace=True),
    "drop": lambda mydb, columns, lot: mydb.drop("t"),
    "rename": lambda mydb, columns, lot: mydb.rename("t", "v"),
    "share": lambda mydb, columns, lot: mydb.share("t", users=["bob"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_r13_r14_on_a_full_disk_a_change_happens_wholly_or_not_at_all(mydb, rows, read, monkeypatch, change):
    mydb.create("t", rows.columns, rows(1000))
    mydb.create("small", rows.columns, rows(5))
    before = state(mydb, read)
    disk = Disk(monkeypatch)
    for n in range(1, 100):
        disk.fill(after=n)
        message = failure_of(lambda: CHANGES[change](mydb, rows.columns, rows(20)))
        if message is None:
            break
        assert "disk is full" in message
        assert str(mydb.path) not in message
        disk.fill(after=1)
        assert state(mydb, read) == before, "tables are read from a full disk, and are as they were"
    disk.heal()
    assert n > 2
    mydb.create("later", rows.columns, rows(5))  # R14: there is room again, and no restart was needed
    after = state(mydb, read)
    assert after.keys() >= {"small", "later"}
    assert unlisted(mydb) == []


def test_r13_one_users_full_quota_or_disk_is_not_anothers(mydb, rows, read, tmp_path, monkeypatch):
    other = MyDB(tmp_path / "mydb" / "987654321", mydb.quota, owner="bob")
    disk = Disk(monkeypatch)
    disk.fill(after=20)
    with pytest.raises(StoreError):
        mydb.create("t", rows.columns, rows(1000))
    disk.heal()
    assert other.create("t", rows.columns, rows(1000)) == 1000
    assert mydb.tables() == ()


VICTIM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import MB, Rows
from skydex.mydb import MyDB, Quota
mydb = MyDB(Path({path!r}), Quota(200 * MB, 50))
rows = Rows()
rows.made = {first}
print("ready", flush=True)
while True:
    for n in range(3):
        name = f"t{{n}}"
        if mydb.find(name) is None:
            mydb.create(name, rows.columns, rows(700))
        elif rows.made % 3 == 0:
            mydb.create(name, rows.columns, rows(500), replace=True)
        else:
            mydb.append(name, rows.columns, rows(40))
        print(name, rows.made, flush=True)
"""


def kill_while_changing(mydb: MyDB, read, n_kills: int) -> None:
    """Kill a writer at any moment, again and again; the last number in each table tells how far it came."""
    rng = random.Random(13)
    here, first = os.path.dirname(__file__), 0
    for _ in range(n_kills):
        program = textwrap.dedent(VICTIM.format(tests=here, path=str(mydb.path), first=first))
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as victim:
            assert victim.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0, 0.4))
            victim.kill()
            acknowledged = [line.split() for line in victim.stdout.read().splitlines() if line.count(" ") == 1]
        tables = state(mydb, read)
        latest = {name: int(made) for name, made in acknowledged}
        for name, made in latest.items():
            assert tables[name][-1] >= made - 1, "what was acknowledged is there"
        for numbers in tables.values():
            assert len(set(numbers)) == len(numbers), "nothing is there twice"
        first = 10_000 * (first // 10_000 + 1) + rng.randrange(3)


def test_r13_a_killed_writer_loses_nothing_and_leaves_nothing_half_made(mydb, rows, read):
    kill_while_changing(mydb, read, 5)
    mydb.create("after", rows.columns, rows(5))
    assert unlisted(mydb) == []


@pytest.mark.slow
def test_r13_fifty_kills_lose_nothing_and_leave_nothing_half_made(mydb, rows, read):
    kill_while_changing(mydb, read, 50)
    mydb.create("after", rows.columns, rows(5))
    assert unlisted(mydb) == []


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import MB, Rows
from skydex.mydb import MyDB, Quota
mydb, rows = MyDB(Path({path!r}), Quota(200 * MB, 50)), Rows()
rows.made = {first}
for _ in range(25):
    mydb.append("t", rows.columns, rows(2))
"""


def test_r13_processes_that_write_to_one_table_at_once_lose_nothing(mydb, rows, read):
    mydb.create("t", rows.columns, rows(100))
    here = os.path.dirname(__file__)
    programs = [WRITER.format(tests=here, path=str(mydb.path), first=1000 * n) for n in range(1, 4)]
    writers = [subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.PIPE, text=True) for text in programs]
    assert [writer.communicate()[1] for writer in writers] == ["", "", ""]
    expected = [*range(100), *(1000 * n + i for n in range(1, 4) for i in range(50))]
    assert state(mydb, read)["t"] == expected
    mydb.append("t", rows.columns, rows(1))
    assert unlisted(mydb) == []
