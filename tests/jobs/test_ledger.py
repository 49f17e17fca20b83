"""What the ledger has taken in stays; what the graph forbids does not happen."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from made import RESULT, ROOM, a_job

from skydex.errors import (
    BusyError,
    JobPhaseError,
    JobSpaceError,
    LedgerError,
    TooManyJobsError,
    TooManyKeptJobsError,
    UnknownResourceError,
)
from skydex.jobs import Fault, JobFilter, JobInput, Ledger, Phase, QueueLimits
from skydex.jobs.phases import may_follow


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "jobs.sqlite")
    yield ledger
    ledger.close()


def added(ledger, limits=ROOM, **given):
    with ledger.transaction():
        return ledger.add(a_job(**given), limits)


def listed(ledger, *phases, **given):
    wanted = JobFilter("tap", "", None, "192.0.2.1", frozenset(phases))
    return [job.created for job in ledger.jobs(replace(wanted, **given))]


def test_a_job_comes_back_as_it_went_in(ledger):
    whole = added(
        ledger,
        owner="alice",
        run_id="run 7",
        parameters=(("QUERY", "SELECT 'é\x01' FROM t"), ("UPLOAD", "a,param:b")),
        inputs=(JobInput("a", "inputs-1/upload-1.vot", "text/xml"),),
        result=RESULT,
        fault=Fault("Why", is_transient=True),
        started=1.5,
        ended=2.5,
        attempt=2,
    )
    assert ledger.get(whole.id) == whole


def test_a_life_of_a_job(ledger):
    job = added(ledger)
    with ledger.transaction():
        assert ledger.queue(job.id).phase is Phase.QUEUED
        executing = ledger.begin(job.id, 5.0)
        assert (executing.phase, executing.started, executing.attempt) == (Phase.EXECUTING, 5.0, 1)
        done = ledger.complete(job.id, 6.0, RESULT)
    assert (done.phase, done.ended, done.result) == (Phase.COMPLETED, 6.0, RESULT)
    assert ledger.get(job.id) == done


def test_r08_a_step_that_the_graph_forbids_is_refused_and_changes_nothing(ledger):
    job = added(ledger)
    with pytest.raises(JobPhaseError, match="PENDING"), ledger.transaction():
        ledger.complete(job.id, 6.0, RESULT)
    assert ledger.get(job.id) == job


def test_a_job_that_was_put_back_has_not_used_an_attempt(ledger):
    job = added(ledger, phase=Phase.QUEUED)
    with ledger.transaction():
        ledger.begin(job.id, 5.0)
        assert (ledger.put_back(job.id).attempt, ledger.get(job.id).started) == (0, None)


def test_r08_a_transaction_that_fails_leaves_nothing(ledger):
    job = added(ledger)
    with contextlib.suppress(ZeroDivisionError), ledger.transaction():
        ledger.queue(job.id)
        raise ZeroDivisionError
    assert ledger.get(job.id).phase is Phase.PENDING


def test_a_step_that_fails_does_not_harm_the_others_of_its_transaction(ledger):
    job = added(ledger)
    with ledger.transaction():
        with ledger.step():
            ledger.queue(job.id)
        with contextlib.suppress(ZeroDivisionError), ledger.step():
            ledger.begin(job.id, 5.0)
            raise ZeroDivisionError
    assert ledger.get(job.id).phase is Phase.QUEUED


def test_parameters_change_only_while_a_job_is_pending(ledger):
    job = added(ledger)
    with ledger.transaction():
        changed = ledger.set_parameters(job.id, [("QUERY", "x")], [], "me")
        assert (changed.parameters, changed.run_id) == ((("QUERY", "x"),), "me")
        ledger.queue(job.id)
    with pytest.raises(JobPhaseError), ledger.transaction():
        ledger.set_parameters(job.id, [("QUERY", "y")], [], None)
    assert ledger.get(job.id).parameters == (("QUERY", "x"),)


def test_a_time_limit_changes_only_before_a_worker_begins(ledger):
    job = added(ledger, phase=Phase.QUEUED)
    with ledger.transaction():
        assert ledger.set_duration(job.id, 7).duration_s == 7
        ledger.begin(job.id, 5.0)
    with pytest.raises(JobPhaseError), ledger.transaction():
        ledger.set_duration(job.id, 8)


def test_a_job_that_is_not_there_is_unknown(ledger):
    assert ledger.find("jnone") is None
    for ask in (ledger.get, ledger.queue, ledger.remove):
        with pytest.raises(UnknownResourceError), ledger.transaction():
            ask("jnone")


def test_lists_are_filtered_and_the_youngest_comes_first(ledger):
    for created, phase in ((1.0, Phase.PENDING), (2.0, Phase.QUEUED), (3.0, Phase.PENDING)):
        added(ledger, created=created, phase=phase)
    assert listed(ledger) == [3.0, 2.0, 1.0]
    assert listed(ledger, Phase.PENDING) == [3.0, 1.0]
    assert listed(ledger, Phase.PENDING, Phase.QUEUED, last=2) == [3.0, 2.0]
    assert listed(ledger, after=1.0) == [3.0, 2.0]
    assert listed(ledger, Phase.HELD) == []


def test_r09_lists_show_nobody_the_jobs_of_others(ledger):
    added(ledger, created=1.0)
    added(ledger, created=2.0, owner="alice")
    added(ledger, created=3.0, address="192.0.2.9")
    added(ledger, created=4.0, scope="sky")
    added(ledger, created=5.0, kind="soda")
    assert listed(ledger) == [1.0]
    assert listed(ledger, owner="alice") == [2.0]
    assert listed(ledger, owner="alice", address=None) == [2.0]
    assert listed(ledger, owner="bob") == []
    assert listed(ledger, address=None) == []
    assert listed(ledger, scope="sky") == [4.0]


def test_r10_unfinished_jobs_are_counted_by_address_by_user_and_in_all(ledger):
    limits = QueueLimits(per_address=2, per_user=1, total=4, kept=100, kept_mb=1000)
    first = added(ledger, limits)
    added(ledger, limits)
    with pytest.raises(TooManyJobsError, match="2 unfinished jobs of this address"):
        added(ledger, limits)
    added(ledger, limits, owner="alice")
    with pytest.raises(TooManyJobsError, match="1 unfinished jobs of this user"):
        added(ledger, limits, owner="alice", address="192.0.2.7")
    added(ledger, limits, address="192.0.2.8")
    with pytest.raises(BusyError):
        added(ledger, limits, address="192.0.2.9")
    with ledger.transaction():
        ledger.abort(first.id, 9.0)
    added(ledger, limits)


def test_r10_what_jobs_take_on_the_disk_has_a_limit(ledger):
    limits = replace(ROOM, kept_mb=1)
    table = JobInput("a", "inputs-1/upload-1", size=300_000)
    job = added(ledger, limits, inputs=(table,))
    with ledger.transaction():
        ledger.queue(job.id)
        ledger.begin(job.id, 1.0)
        ledger.complete(job.id, 2.0, replace(RESULT, size=700_000))
    assert 48_000 < ledger.space_left(job, limits) < (1 << 20) - 1_000_000
    with pytest.raises(JobSpaceError, match="1 MB"):
        added(ledger, limits, parameters=(("QUERY", "x" * 50_000),))
    added(ledger, limits, owner="alice", inputs=(table,))
    pending = added(ledger, limits)
    ledger.check_space(replace(pending, inputs=(replace(table, size=40_000),)), limits)
    with pytest.raises(JobSpaceError):
        ledger.check_space(replace(pending, inputs=(table,)), limits)
    with ledger.transaction():
        ledger.remove(job.id)
    added(ledger, limits, inputs=(table,))


def test_r10_jobs_that_have_ended_are_counted_too(ledger):
    limits = QueueLimits(per_address=2, per_user=2, total=4, kept=3, kept_mb=1000)
    jobs = [added(ledger, limits, phase=Phase.ERROR) for _ in range(3)]
    with pytest.raises(TooManyKeptJobsError, match="3 jobs of this address"):
        added(ledger, limits)
    added(ledger, limits, address="192.0.2.7")
    added(ledger, limits, owner="alice")
    with ledger.transaction():
        ledger.remove(jobs[0].id)
    added(ledger, limits)


def test_r14_a_full_disk_is_an_error_that_leaves_the_ledger_usable(ledger):
    job = added(ledger)
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerError):
        added(ledger, parameters=(("QUERY", "x" * 100_000),))
    ledger._connection.execute("PRAGMA max_page_count = 100000")
    with ledger.transaction():
        assert ledger.queue(job.id).phase is Phase.QUEUED


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(LedgerError):
        Ledger(tmp_path / "jobs.sqlite")


class Lives(RuleBasedStateMachine):
    """Anything in any order: what was acknowledged is what a copy of the files holds, as after a crash."""

    jobs = Bundle("jobs")

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = Ledger(self.folder / "jobs.sqlite")
        self.known = {}
        self.n_copies = 0

    def teardown(self):
        self.ledger.close()
        shutil.rmtree(self.folder)

    @rule(target=jobs, text=st.text(max_size=5))
    def add(self, text):
        job = a_job(parameters=(("QUERY", text),))
        with self.ledger.transaction():
            self.known[job.id] = self.ledger.add(job, ROOM)
        return job.id

    @rule(
        job_id=jobs,
        step=st.sampled_from(["QUEUED", "EXECUTING", "COMPLETED", "ERROR", "ABORTED"]),
        is_broken_off=st.booleans(),
    )
    def move(self, job_id, step, is_broken_off):
        moves = {
            "QUEUED": lambda: self.ledger.queue(job_id),
            "EXECUTING": lambda: self.ledger.begin(job_id, 1.0),
            "COMPLETED": lambda: self.ledger.complete(job_id, 2.0, RESULT),
            "ERROR": lambda: self.ledger.fail(job_id, 2.0, Fault("no")),
            "ABORTED": lambda: self.ledger.abort(job_id, 2.0),
        }
        known = self.known.get(job_id)
        moved = None
        try:
            with self.ledger.transaction():
                moved = moves[step]()
                if is_broken_off:
                    raise KeyboardInterrupt
            self.known[job_id] = moved
        except KeyboardInterrupt:
            pass
        except UnknownResourceError:
            assert known is None
        except JobPhaseError:
            assert not may_follow(known.phase, Phase(step))
        if moved:
            assert may_follow(known.phase, moved.phase)

    @rule(job_id=jobs)
    def remove(self, job_id):
        if job_id in self.known:
            with self.ledger.transaction():
                self.ledger.remove(job_id)
            del self.known[job_id]

    @invariant()
    def a_copy_of_the_files_holds_what_was_acknowledged(self):
        self.n_copies += 1
        folder = self.folder / f"copy-{self.n_copies}"
        folder.mkdir()
        for name in ("jobs.sqlite", "jobs.sqlite-wal"):
            shutil.copy(self.folder / name, folder)
        copy = Ledger(folder / "jobs.sqlite")
        assert {job_id: copy.get(job_id) for job_id in copy.identifiers()} == self.known
        copy.close()
        shutil.rmtree(folder)


Lives.TestCase.settings = settings(max_examples=25, stateful_step_count=15)
test_r08_any_life_is_on_the_disk_when_it_is_acknowledged = Lives.TestCase
