"""A worker is killed in the midst of a batch, which is then begun anew: each statement happens once (R13)."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from skydex.archive import Archive, BatchRequest
from skydex.mydb import MyDB
from skydex.query.languages.tsql_batch import MOST_STATEMENTS
from skydex.store import Origin, verify
from skydex.store.directory import _Contents

WORKER = """
import sys
from skydex.archive import Archive, BatchRequest
archive = Archive.open({archive!r})
text = '''
SELECT objid, ra, dec, mag INTO mydb.t{{0}} FROM demo.objects WHERE mag < 25;
INSERT INTO mydb.t{{0}} SELECT objid, ra, dec, mag FROM demo.objects WHERE objid < 1000000000000000010;
DELETE FROM mydb.t{{0}} WHERE objid = 1000000000000000003;
DROP TABLE mydb.t{{1}};
SELECT objid INTO mydb.u{{0}} FROM mydb.t{{0}}
'''
print("ready", flush=True)
for number in range({first}, 1000):
    job = text.format(number, number - 1)
    archive.query(BatchRequest(job, owner="alice", origin=f"job {{number}}")).to_arrow()
    print(number, flush=True)
"""


def run_and_kill(archive: Path, first: int, seconds: float) -> tuple[int, str]:
    """Work from a job on, and be killed; gives the last job that was acknowledged, and what went wrong."""
    program = textwrap.dedent(WORKER.format(archive=str(archive), first=first))
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
        time.sleep(seconds)
        worker.kill()
        done = [int(line) for line in worker.stdout.read().split("\n")[:-1]]
        return (done[-1] if done else first - 1), worker.stderr.read()


def check_tables(mydb: MyDB, last: int, expected: int) -> None:
    """What jobs have left up to the last acknowledged one; of the next there may be more or less of it."""
    tables = {table.name: table for table in mydb.tables()}
    for table in tables.values():
        assert verify(mydb.open(table.name)) == []
    for number in range(1, last + 1):
        assert tables[f"u{number}"].n_rows == expected
    assert tables.keys() >= {f"t{last}"} or f"t{last + 1}" in tables
    assert tables.keys() <= {f"u{n}" for n in range(last + 2)} | {f"t{n}" for n in range(last - 1, last + 2)}


def kill_batches(directory: Path, n_kills: int) -> None:
    archive = Archive.open(directory)
    archive.accounts.add("alice", "correct horse")
    mydb = archive.mydb("alice")
    archive.query(BatchRequest("CREATE TABLE mydb.t0 (a int)", owner="alice")).to_arrow()
    (row,) = (
        archive.query(BatchRequest("SELECT count(*) AS n FROM demo.objects WHERE mag < 25", owner="alice"))
        .to_arrow()
        .to_pylist()
    )
    expected = row["n"] + 10 - 2
    rng, last = random.Random(17), 0
    for _ in range(n_kills):
        last, wrong = run_and_kill(directory, last + 1, rng.uniform(0.1, 0.9))
        assert wrong == ""
        if last:
            check_tables(mydb, last, expected)
    assert last > 0


def test_r13_a_killed_batch_is_begun_anew_and_does_nothing_twice(directory):
    kill_batches(directory.path, 4)


@pytest.mark.slow
def test_r13_of_fifty_killed_batches_none_does_anything_twice(directory):
    kill_batches(directory.path, 50)


def test_of_two_long_jobs_at_once_none_forgets_its_first_statement():
    """Or else a job that is begun anew would make its first changes twice."""
    contents = _Contents(0, ())
    for number in range(MOST_STATEMENTS):
        for job in ("one", "other"):
            contents = contents.after(Origin(f"{job}#{number}", 1))
    assert {"one#0", "other#0"} <= {origin.key for origin in contents.done}
