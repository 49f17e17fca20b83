"""Whatever a server left behind, the next one begins with jobs and files that agree (R08)."""

from __future__ import annotations

import pytest
from made import RESULT, ROOM, a_job

from skydex.errors import JobsUnavailableError
from skydex.jobs import MOST_ATTEMPTS, JobInput, Ledger, Phase, StateDirectory, mend


@pytest.fixture
def state(tmp_path):
    state = StateDirectory(tmp_path / "state")
    state.claim()
    yield state
    state.release()


@pytest.fixture
def ledger(state):
    ledger = Ledger(state.ledger)
    yield ledger
    ledger.close()


def kept(ledger, state, *, files=(), **given):
    job = a_job(**given)
    with ledger.transaction():
        ledger.add(job, ROOM)
    for name in files:
        file = state.folder(job.id) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(RESULT.size))
    return job.id


def files(state, job_id):
    folder = state.folder(job_id)
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_r08_a_job_without_its_worker_is_queued_again_and_its_half_result_goes(ledger, state):
    job_id = kept(ledger, state, phase=Phase.EXECUTING, attempt=1, files=[".result-1.part", "result-1"])
    mend(ledger, state, 2000.0)
    assert ledger.get(job_id).phase is Phase.QUEUED
    assert files(state, job_id) == []


def test_r08_a_job_that_is_interrupted_each_time_ends_with_a_reason(ledger, state):
    job_id = kept(ledger, state, phase=Phase.EXECUTING, attempt=MOST_ATTEMPTS)
    mend(ledger, state, 2000.0)
    job = ledger.get(job_id)
    assert (job.phase, job.ended, job.fault.is_transient) == (Phase.ERROR, 2000.0, True)
    assert "interrupted" in job.fault.message


@pytest.mark.parametrize("names", [[], [".result-1.part"], ["result-2"]])
def test_r08_a_completed_job_without_its_result_is_an_error_with_a_reason(ledger, state, names):
    job_id = kept(ledger, state, phase=Phase.COMPLETED, attempt=1, result=RESULT, files=names)
    mend(ledger, state, 2000.0)
    job = ledger.get(job_id)
    assert (job.phase, job.result) == (Phase.ERROR, None)
    assert "lost" in job.fault.message
    assert files(state, job_id) == []


def test_r08_a_result_that_was_cut_off_is_none(ledger, state):
    job_id = kept(ledger, state, phase=Phase.COMPLETED, attempt=1, result=RESULT, files=["result-1"])
    state.result(job_id, 1).write_bytes(b"short")
    mend(ledger, state, 2000.0)
    assert ledger.get(job_id).phase is Phase.ERROR


def test_a_sound_job_keeps_its_result_and_what_came_with_it(ledger, state):
    inputs = (JobInput("a", "inputs-1/upload-1.vot"),)
    names = ["result-2", "inputs-1/upload-1.vot", "result-1", "inputs-0/upload-1.vot"]
    facts = {"phase": Phase.COMPLETED, "attempt": 2, "result": RESULT, "inputs": inputs}
    job_id = kept(ledger, state, files=names, **facts)
    before = ledger.get(job_id)
    mend(ledger, state, 2000.0)
    assert ledger.get(job_id) == before
    assert files(state, job_id) == ["inputs-1/upload-1.vot", "result-2"]


def test_r08_files_without_a_job_go(ledger, state):
    stranger = state.folder("jstranger")
    stranger.mkdir()
    (stranger / "result-1").write_text("whose?")
    (stranger.parent / "stray").write_text("what?")
    mend(ledger, state, 2000.0)
    assert list(stranger.parent.iterdir()) == []


def test_a_job_whose_time_is_over_goes_with_its_files(ledger, state):
    job_id = kept(ledger, state, destruction=1999.0, files=["result-1"])
    mend(ledger, state, 2000.0)
    assert ledger.find(job_id) is None
    assert not state.folder(job_id).exists()


def test_mending_twice_is_mending_once(ledger, state):
    for phase in (Phase.PENDING, Phase.QUEUED, Phase.EXECUTING, Phase.COMPLETED, Phase.ERROR, Phase.ABORTED):
        kept(ledger, state, phase=phase, attempt=1, files=["result-1"], result=RESULT if phase == "COMPLETED" else None)
    mend(ledger, state, 2000.0)
    once = {job_id: (ledger.get(job_id), files(state, job_id)) for job_id in ledger.identifiers()}
    mend(ledger, state, 3000.0)
    assert {job_id: (ledger.get(job_id), files(state, job_id)) for job_id in ledger.identifiers()} == once


def test_a_state_directory_has_one_keeper_at_a_time(state):
    other = StateDirectory(state.path)
    with pytest.raises(JobsUnavailableError, match="another server"):
        other.claim()
    state.release()
    other.claim()
    other.release()


def test_a_place_that_cannot_be_written_is_no_state_directory(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JobsUnavailableError, match="cannot write"):
        StateDirectory(tmp_path / "file" / "state").claim()
