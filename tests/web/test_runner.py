"""The runner has jobs done whatever becomes of workers, and writes down each step before anybody hears of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
import signal
import threading
import time
from collections import Counter

import pytest
from made import ROOM, a_job

from skydex.errors import BadParameterError, JobPhaseError, LedgerError, UnknownResourceError
from skydex.jobs import MOST_ATTEMPTS, Ledger, Phase, StateDirectory
from skydex.settings import Settings
from skydex.web import runner as runner_module
from skydex.web.runner import Runner


@pytest.fixture
def running(staff, tmp_path):
    """Open a runner whose jobs are deeds: `async with running() as runner`."""
    import deeds

    @contextlib.asynccontextmanager
    async def running(place="state", n_workers=3, gone=tuple, **settings):
        async with staff(factory=deeds.filing_factory, n_workers=n_workers) as dispatcher:
            state = StateDirectory(tmp_path / place)
            runner = Runner(state, Settings(**settings), dispatcher, {"tap": order_of}, gone)
            await runner.start()
            try:
                yield runner
            finally:
                await runner.stop()

    return running


def order_of(settings, job, folder):
    (deed, argument), *_ = job.parameters
    if deed == "impossible":
        raise BadParameterError("QUERY", "is missing.")
    if deed == "unforeseen":
        raise KeyError("/secret/path")
    return deed, argument


def a_deed(deed, argument="", **given):
    return a_job(parameters=((deed, argument),), phase=Phase.QUEUED, destruction=time.time() + 100, **given)


async def end_of(runner, job, seconds=30):
    return await runner.wait(job, lambda now: now.is_final, seconds)


def test_a_job_is_done_and_its_result_is_in_its_file(run, running):
    async def main():
        async with running() as runner:
            job = await end_of(runner, await runner.add(a_deed("echo", "M31")))
            return job, runner.result(job).read_bytes()

    job, content = run(main())
    assert (job.phase, job.attempt, job.result.size, content) == (Phase.COMPLETED, 1, 3, b"M31")
    assert job.created <= job.started <= job.ended


@pytest.mark.parametrize("deed", ["refuse", "impossible", "break_store", "stumble", "unforeseen"])
def test_a_job_that_fails_says_why_and_is_not_tried_again(run, running, deed):
    async def main():
        async with running() as runner:
            return await end_of(runner, await runner.add(a_deed(deed, "is odd.")))

    job = run(main())
    assert job.phase is Phase.ERROR
    assert job.attempt <= 1
    assert job.fault.message
    assert "secret" not in job.fault.message
    assert job.fault.is_transient == (deed in ("break_store", "stumble", "unforeseen"))


def test_what_a_failed_job_says_is_no_longer_than_any_error(run, running):
    """What a user wrote may be in it; lists of jobs have it in memory for each."""

    async def main():
        async with running() as runner:
            return await end_of(runner, await runner.add(a_deed("refuse", "x" * 500_000)))

    assert 1000 < len(run(main()).fault.message) < 3000


def test_a_job_that_ends_its_worker_is_tried_again_but_not_for_ever(run, running):
    async def main():
        async with running() as runner:
            beside = await runner.add(a_deed("echo", "beside"))
            job = await end_of(runner, await runner.add(a_deed("die", signal.SIGKILL)))
            return job, await end_of(runner, beside)

    job, beside = run(main())
    assert (job.phase, job.attempt, beside.phase) == (Phase.ERROR, MOST_ATTEMPTS, Phase.COMPLETED)
    assert "interrupted" in job.fault.message


def test_a_worker_that_is_lost_once_does_no_harm(run, running, tmp_path):
    async def main():
        async with running() as runner:
            job = await end_of(runner, await runner.add(a_deed("die_once", str(tmp_path / "mark"))))
            return job, runner.result(job).read_bytes(), sorted(os.listdir(runner.folder(job.id)))

    job, content, files = run(main())
    assert (job.phase, job.attempt, content) == (Phase.COMPLETED, 2, b"rested")
    assert files == ["result-2"]


def test_a_job_ends_at_its_own_time_limit_whatever_it_does(run, running):
    async def main():
        async with running() as runner:
            start = time.monotonic()
            job = await end_of(runner, await runner.add(a_deed("sleep_in_c", 60, duration_s=1)))
            return job, time.monotonic() - start

    job, seconds = run(main())
    assert "limit of 1 s" in job.fault.message
    assert seconds < 10


@pytest.mark.parametrize("stop", [Runner.abort, Runner.remove])
def test_whoever_stops_a_job_frees_its_worker_at_once(run, running, stop):
    async def main():
        async with running() as runner:
            job = await runner.add(a_deed("sleep", 60))
            await runner.wait(job, lambda now: now.phase is Phase.EXECUTING, 20)
            await stop(runner, job.id)
            with pytest.raises((JobPhaseError, UnknownResourceError)):
                await runner.run(job.id)
            quick = await end_of(runner, await runner.add(a_deed("echo", "next")))
            return quick, runner.folder(job.id).exists()

    quick, has_files = run(main())
    assert quick.phase is Phase.COMPLETED
    assert not has_files


def test_those_who_wait_hold_no_thread_and_do_not_poll(run, running):
    async def main():
        async with running() as runner:
            job = await runner.add(a_deed("sleep", 2))
            await runner.wait(job, lambda now: now.phase is Phase.EXECUTING, 20)
            threads, questions = threading.active_count(), count_questions(runner)
            waiting = [asyncio.create_task(end_of(runner, job)) for _ in range(500)]
            await asyncio.sleep(1)
            asked = len(questions)
            assert threading.active_count() == threads
            ends = {task.phase for task in await asyncio.gather(*waiting)}
            return ends, asked, len(questions)

    ends, asked, in_all = run(main())
    assert ends == {Phase.COMPLETED}
    assert (asked, in_all) == (500, 1000)


def count_questions(runner):
    questions, read = [], runner._read

    async def counted(question):
        questions.append(question)
        return await read(question)

    runner._read = counted
    return questions


def test_jobs_whose_time_is_over_go_with_their_files(run, running, monkeypatch):
    monkeypatch.setattr(runner_module, "_SWEEP_S", 0.1)

    async def main():
        async with running() as runner:
            job = await end_of(runner, await runner.add(a_deed("echo", "M31")))
            kept = await end_of(runner, await runner.add(a_deed("echo", "M33")))
            await runner.change(lambda ledger: ledger.set_destruction(job.id, time.time()))
            while runner.folder(job.id).exists():
                await asyncio.sleep(0.02)
            with pytest.raises(UnknownResourceError):
                await runner.get(job.id)
            return runner.result(kept).read_bytes()

    assert run(main()) == b"M33"


def test_jobs_of_a_user_who_is_removed_go_with_their_files_be_they_done_or_not(run, running, monkeypatch):
    monkeypatch.setattr(runner_module, "_SWEEP_S", 0.1)
    gone = ["zoe"]

    async def main():
        async with running(gone=lambda: gone) as runner:
            done = await end_of(runner, await runner.add(a_deed("echo", "M31", owner="alice")))
            busy = await runner.add(a_deed("sleep", 60, owner="alice"))
            waiting = await runner.add(a_deed("sleep", 60, owner="alice"))
            kept = await runner.add(a_deed("echo", "M33", owner="alice_too"))
            await runner.wait(busy, lambda now: now.phase is Phase.EXECUTING, 20)
            gone.append("alice")
            end = time.monotonic() + 10
            while any([await is_known(runner, job) for job in (done, busy, waiting)]):
                assert time.monotonic() < end
                await asyncio.sleep(0.02)
            kept = await end_of(runner, kept)
            return runner.folder(done.id).exists(), kept.phase, dict(runner._running)

    assert run(main()) == (False, Phase.COMPLETED, {})


async def is_known(runner, job):
    try:
        return await runner.get(job.id)
    except UnknownResourceError:
        return None


def test_a_disk_that_is_full_for_a_while_loses_no_job(run, running, monkeypatch):
    monkeypatch.setattr(runner_module, "_RETRY_S", 0.1)
    is_full = threading.Event()

    def full(complete):
        def maybe(ledger, *facts):
            if is_full.is_set():
                raise LedgerError("The record of jobs cannot be written.")
            return complete(ledger, *facts)

        return maybe

    for step in ("complete", "put_back"):
        monkeypatch.setattr(Ledger, step, full(getattr(Ledger, step)))

    async def main():
        async with running() as runner:
            is_full.set()
            job = await runner.add(a_deed("echo", "M31"))
            await asyncio.sleep(0.5)
            assert (await runner.get(job.id)).phase is Phase.EXECUTING
            is_full.clear()
            return await end_of(runner, job)

    assert run(main()).phase is Phase.COMPLETED


def test_a_server_that_stops_puts_its_job_back_and_lets_those_go_who_wait(run, running):
    async def main():
        async with running() as runner:
            job = await runner.add(a_deed("sleep", 3))
            await runner.wait(job, lambda now: now.phase is Phase.EXECUTING, 20)
            waiting = asyncio.create_task(end_of(runner, job))
            await asyncio.sleep(0.1)
            runner.leave()
            assert (await waiting).phase is Phase.EXECUTING
        async with running() as runner:
            return await end_of(runner, job)

    job = run(main())
    assert (job.phase, job.attempt) == (Phase.COMPLETED, 1)


def test_everybody_has_a_turn(run, running):
    async def main():
        async with running() as runner:
            many = [await runner.add(a_deed("sleep", 0.2, address="192.0.2.1")) for _ in range(10)]
            one = await end_of(runner, await runner.add(a_deed("echo", "one", address="192.0.2.2")))
            return one, await end_of(runner, many[-1])

    one, last = run(main())
    assert one.ended < last.started


def test_somebody_with_long_jobs_leaves_a_worker_for_jobs_of_others(run, running):
    async def main():
        async with running(n_workers=4) as runner:
            long = [await runner.add(a_deed("sleep", 20, address="192.0.2.1")) for _ in range(3)]
            await runner.wait(long[0], lambda now: now.phase is Phase.EXECUTING, 20)
            others = [await runner.add(a_deed("echo", "M31", address=f"192.0.2.{n}")) for n in (2, 3)]
            ended = [await end_of(runner, job, 10) for job in others]
            return ended, [(await runner.get(job.id)).phase for job in long]

    ended, long = run(main())
    assert [job.phase for job in ended] == [Phase.COMPLETED] * 2
    assert long == [Phase.EXECUTING, Phase.QUEUED, Phase.QUEUED]


@pytest.mark.parametrize("stall_s", [0, 1])
def test_two_hundred_queued_jobs_of_five_users_are_done_in_turns_and_none_is_lost(run, running, tmp_path, stall_s):
    waiting = [a_deed("echo", "M31", owner="alice", created=1.0) for _ in range(120)]
    waiting += [a_deed("echo", "M33", owner=name, created=2.0) for name in ("bob", "carol", "dave", "erin") * 19]
    waiting += [a_deed("echo", "M33", owner=name, created=3.0) for name in ("carol", "dave", "erin")]
    waiting += [a_deed("sleep", stall_s, owner="bob", created=1.5)]  # a worker may stand still, and others go on
    state = StateDirectory(tmp_path / "state")
    state.claim()
    with contextlib.closing(Ledger(state.ledger)) as ledger, ledger.transaction():
        for job in waiting:
            ledger.add(job, ROOM)
    state.release()

    async def main():
        async with running(n_workers=4) as runner:
            await end_of(runner, waiting[40])  # and then the server is stopped
        async with running(n_workers=4) as runner:
            return [await end_of(runner, job) for job in waiting]

    done = run(main())
    assert {(job.phase, job.result.size) for job in done} == {(Phase.COMPLETED, 3), (Phase.COMPLETED, len("rested"))}
    for name in ("alice", "bob", "carol", "dave", "erin"):
        waits = turns_between(done, name)
        if stall_s and name == "bob":  # his first was begun at once, and again by the next server, which alone is known
            waits = waits[1:]
        assert max(map(n_of_the_busiest, waits)) <= 2, name
    of_alice = sorted((job.started, job.ended) for job in done if job.owner == "alice")
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(of_alice))  # the other place is others'


def turns_between(jobs, name):
    """Who had turns while somebody waited: before the first of his jobs, and from the end of each to the next."""
    own = sorted((job for job in jobs if job.owner == name), key=lambda job: job.started)
    waits = zip([0.0, *(job.ended for job in own)], [job.started for job in own], strict=False)
    return [[job.owner for job in jobs if job.owner != name and since <= job.started < until] for since, until in waits]


def n_of_the_busiest(owners):
    return max(Counter(owners).values(), default=0)


def test_long_jobs_leave_a_worker_to_short_ones_whoever_asks(run, running):
    async def main():
        async with running(n_workers=4, job_time_s=100) as runner:
            long = [await runner.add(a_deed("sleep", 100, duration_s=1000, owner=name)) for name in ("alice", "bob")]
            await runner.wait(long[0], lambda now: now.phase is Phase.EXECUTING, 20)
            short = [await runner.add(a_deed("echo", "M31", duration_s=100, owner=name)) for name in ("bob", "carol")]
            ended = [await end_of(runner, job, 60) for job in short]
            return ended, [(await runner.get(job.id)).phase for job in long]

    ended, long = run(main())
    assert [job.phase for job in ended] == [Phase.COMPLETED] * 2
    assert long == [Phase.EXECUTING, Phase.QUEUED]


def test_a_job_that_becomes_long_while_it_waits_counts_as_one(run, running):
    async def main():
        async with running(n_workers=4, job_time_s=100) as runner:
            busy = [await runner.add(a_deed("sleep", 1, owner=name)) for name in ("alice", "bob")]
            long = [await runner.add(a_deed("sleep", 100, duration_s=100, owner=name)) for name in ("carol", "dave")]
            for job in long:
                await runner.change(lambda ledger, job=job: ledger.set_duration(job.id, 1000))
            for job in busy:
                await end_of(runner, job)
            await runner.wait(long[0], lambda now: now.phase is Phase.EXECUTING, 20)
            await end_of(runner, await runner.add(a_deed("echo", "M31", owner="erin")))
            return [(await runner.get(job.id)).phase for job in long]

    assert run(main()) == [Phase.EXECUTING, Phase.QUEUED]


def test_a_job_whose_worker_was_lost_runs_once_at_a_time_and_gives_its_place_back(run, running, tmp_path):
    async def main():
        async with running(n_workers=8) as runner:
            for n in range(3):
                job = await end_of(runner, await runner.add(a_deed("die_once", str(tmp_path / f"mark {n}"))))
                assert (job.phase, job.attempt) == (Phase.COMPLETED, 2)
            await asyncio.sleep(0.1)
            return dict(runner._n_at_work), dict(runner._running)

    assert run(main()) == ({}, {})


def test_a_request_that_leaves_in_the_middle_leaves_no_half_done_step(run, running):
    async def main():
        async with running() as runner:
            for _ in range(20):
                job = dataclasses.replace(a_deed("echo", "M31"), phase=Phase.PENDING)
                await runner.add(job)
                task = asyncio.create_task(runner.run(job.id))
                await asyncio.sleep(0)
                task.cancel()
                assert (await end_of(runner, job)).phase is Phase.COMPLETED

    run(main())


def test_limits_hold_for_jobs_that_come_together(run, running):
    async def main():
        async with running(jobs_per_address=3) as runner:
            adding = (runner.add(dataclasses.replace(a_deed("echo"), phase=Phase.PENDING)) for _ in range(10))
            return await asyncio.gather(*adding, return_exceptions=True)

    outcomes = run(main())
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 7
