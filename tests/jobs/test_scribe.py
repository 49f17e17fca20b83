"""The scribe writes in order, together where it can, and says so only when it is on the disk."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import pytest
from made import ROOM, a_job

from skydex.errors import JobPhaseError, LedgerError
from skydex.jobs import Ledger, Phase, Scribe


@pytest.fixture
def scribe(tmp_path):
    scribe = Scribe(tmp_path / "jobs.sqlite")
    yield scribe
    scribe.close()


def test_what_is_written_can_be_read(scribe):
    job = a_job()
    numbered = replace(job, number=1)
    assert scribe.write(lambda ledger: ledger.add(job, ROOM)).result(10) == numbered
    assert scribe.read(lambda ledger: ledger.get(job.id)).result(10) == numbered


def test_r08_changes_that_wait_are_written_together_and_one_that_fails_fails_alone(scribe):
    gate, job = threading.Event(), a_job()
    scribe.write(lambda _: gate.wait(10))
    promises = [
        scribe.write(lambda ledger: ledger.add(job, ROOM)),
        scribe.write(lambda ledger: ledger.begin(job.id, 1.0)),
        scribe.write(lambda ledger: ledger.queue(job.id)),
        scribe.write(lambda ledger: ledger.begin(job.id, 2.0)),
    ]
    assert scribe.read(lambda ledger: ledger.find(job.id)).result(10) is None
    gate.set()
    with pytest.raises(JobPhaseError):
        promises[1].result(10)
    assert promises[3].result(10).started == 2.0
    assert scribe.read(lambda ledger: ledger.get(job.id)).result(10).phase is Phase.EXECUTING


def test_a_change_that_is_not_wanted_any_more_is_left_out(scribe):
    gate, job = threading.Event(), a_job()
    scribe.write(lambda _: gate.wait(10))
    unwanted = scribe.write(lambda ledger: ledger.add(job, ROOM))
    assert unwanted.cancel()
    gate.set()
    assert scribe.write(lambda ledger: ledger.find(job.id)).result(10) is None


def test_r14_what_is_written_together_with_something_for_which_there_is_no_room_fails_with_it(scribe):
    connection = scribe._writable._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    gate, small, large = threading.Event(), a_job(), a_job(parameters=(("QUERY", "x" * 100_000),))
    scribe.write(lambda _: connection.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone()).result(10)
    scribe.write(lambda _: gate.wait(10))
    promises = [scribe.write(partial(Ledger.add, job=job, limits=ROOM)) for job in (small, large, a_job())]
    gate.set()
    for promise in promises:
        with pytest.raises(LedgerError):
            promise.result(10)
    assert scribe.read(Ledger.identifiers).result(10) == set()
    scribe.write(lambda _: connection.execute("PRAGMA max_page_count = 100000").fetchone()).result(10)
    assert scribe.write(lambda ledger: ledger.add(small, ROOM)).result(10) == replace(small, number=1)


def test_closing_writes_what_is_still_to_be_written(tmp_path):
    scribe = Scribe(tmp_path / "jobs.sqlite")
    promises = [scribe.write(lambda ledger: ledger.add(a_job(), ROOM)) for _ in range(300)]
    scribe.close()
    assert all(promise.done() for promise in promises)
