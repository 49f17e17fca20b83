"""What the ledger has taken in stays; what the graph forbids does not happen."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
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
from skydex.jobs import Fault, JobFilter, JobInput, JobResult, Ledger, Phase, QueueLimits
from skydex.jobs import ledger as ledger_module
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
    wanted = JobFilter(frozenset({"tap"}), "", None, "192.0.2.1", frozenset(phases))
    return [job.created for job in ledger.jobs(replace(wanted, **given))]


def test_a_job_comes_back_as_it_went_in(ledger):
    whole = added(
        ledger,
        owner="alice",
        run_id="run 7",
        parameters=(("QUERY", "SELECT 'é\x01' FROM t"), ("UPLOAD", "a,param:b")),
        inputs=(JobInput("a", "inputs-1/upload-1.vot", "text/xml"),),
        result=replace(RESULT, n_rows=7),
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


def test_numbers_count_jobs_and_are_never_given_again(ledger):
    jobs = [added(ledger) for _ in range(3)]
    assert [job.number for job in jobs] == [1, 2, 3]
    assert [ledger.get(job.id).number for job in jobs] == [1, 2, 3]
    with ledger.transaction():
        ledger.remove(jobs[2].id)
    assert added(ledger).number == 4


def test_r09_a_number_finds_a_job_of_its_owner_only(ledger):
    mine, nobodys = added(ledger, owner="alice"), added(ledger)
    assert ledger.get_numbered(mine.number, "alice") == mine
    for number, owner in ((mine.number, "bob"), (nobodys.number, "alice"), (0, "alice"), (-1, "alice"), (9**99, "bob")):
        with pytest.raises(UnknownResourceError, match=f'"{number}"'):
            ledger.get_numbered(number, owner)


def test_a_record_without_numbers_is_read_and_its_jobs_get_some(tmp_path):
    file = tmp_path / "jobs.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as old:
        old.executescript(FORMAT_2)
        for job_id, created, owner in (("jb", 2.0, "alice"), ("ja", 1.0, None)):
            facts = (job_id, owner, created, '[["QUERY", "SELECT 1"]]')
            old.execute(
                "INSERT INTO jobs VALUES (?, 'tap', '', ?, '192.0.2.1', NULL, 'COMPLETED', ?, 60, 9e9, 1.0, 2.0, 1, "
                "10, 'ab', 'text/csv', '.csv', NULL, NULL, '[]', ?, 5)",
                facts,
            )
        old.commit()
    for _ in range(2):
        with contextlib.closing(Ledger(file)) as ledger:
            assert [(job.number, job.id) for job in ledger.in_phase(Phase.COMPLETED)] == [(1, "ja"), (2, "jb")]
            job = ledger.get_numbered(2, "alice")
            assert (job.parameters, job.result) == ((("QUERY", "SELECT 1"),), JobResult(10, "ab", "text/csv", ".csv"))
    with contextlib.closing(Ledger(file)) as ledger:
        assert added(ledger).number == 3


def test_a_record_of_a_later_version_is_left_alone(tmp_path):
    file = tmp_path / "jobs.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="another version"):
        Ledger(file)


FORMAT_2 = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, owner TEXT, address TEXT NOT NULL, run_id TEXT,
    phase TEXT NOT NULL, created REAL NOT NULL, duration_s INTEGER NOT NULL, destruction REAL NOT NULL,
    started REAL, ended REAL, attempt INTEGER NOT NULL,
    size INTEGER, sha256 TEXT, media_type TEXT, suffix TEXT, fault TEXT, is_transient INTEGER,
    inputs TEXT NOT NULL, parameters TEXT NOT NULL, n_given_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_age ON jobs (kind, scope, created);
CREATE INDEX jobs_by_end ON jobs (destruction);
CREATE INDEX jobs_by_asker ON jobs (address, owner, n_given_bytes, size);
CREATE INDEX jobs_by_owner ON jobs (owner, n_given_bytes, size);
CREATE INDEX active_jobs ON jobs (address, owner) WHERE phase IN ('EXECUTING', 'PENDING', 'QUEUED');
PRAGMA user_version = 2;
"""
"""The record as it was before jobs had numbers."""


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


def test_a_list_may_hold_several_kinds_of_jobs_from_everywhere_with_what_they_ask(ledger):
    query = (("QUERY", "SELECT 1"),)
    for number, (kind, scope) in enumerate([("tap", ""), ("casjobs", ""), ("tap", "sky"), ("soda", "")], start=1):
        added(ledger, created=float(number), owner="alice", kind=kind, scope=scope, parameters=query)
    both = frozenset({"tap", "casjobs"})
    assert listed(ledger, owner="alice", kinds=both) == [2.0, 1.0]
    assert listed(ledger, owner="alice", kinds=both, scope=None) == [3.0, 2.0, 1.0]
    assert listed(ledger, owner="alice", kinds=both, scope=None, numbers=frozenset({3, 4, -9, 9**99})) == [3.0]
    assert listed(ledger, owner="bob", kinds=both, scope=None) == []
    assert listed(ledger, owner="alice", scope="sky", beside=frozenset({"casjobs"})) == [3.0, 2.0]
    assert listed(ledger, owner="bob", beside=both) == []
    wanted = JobFilter(both, None, "alice", None, frozenset())
    assert {job.parameters for job in ledger.jobs(wanted)} == {()}
    assert {job.parameters for job in ledger.whole_jobs(wanted)} == {query}


def test_r05_a_list_of_jobs_with_gigabytes_of_queries_is_told_without_the_oldest(ledger, monkeypatch):
    monkeypatch.setattr(ledger_module, "_MOST_TOLD_BYTES", 15_000)
    for number in range(5):
        added(ledger, created=float(number), parameters=(("QUERY", "x" * 10_000),))
    wanted = JobFilter(frozenset({"tap"}), "", None, "192.0.2.1", frozenset())
    assert [(job.created, len(job.parameters)) for job in ledger.whole_jobs(wanted)] == [
        *((4.0, 1), (3.0, 1)),
        *((2.0, 0), (1.0, 0), (0.0, 0)),
    ]


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
