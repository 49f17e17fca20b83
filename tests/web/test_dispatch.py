"""The dispatcher gives every request its turn, its time and a clean end, and always has its workers."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from skydex.errors import BadParameterError, BusyError, EngineError, TimeLimitError, WorkerError


async def answer(dispatcher, deed, argument=None, *, asker="a", is_quick=False):
    exchange = await dispatcher.submit((deed, argument), asker=asker, is_quick=is_quick)
    try:
        await exchange.facts()
        body = b""
        while piece := await exchange.read():
            body += piece
        return body
    finally:
        exchange.close()


async def all_ready(dispatcher, n):
    while dispatcher.n_ready < n:
        await asyncio.sleep(0.01)


def test_requests_are_answered_by_whoever_is_idle(run, staff):
    async def main():
        async with staff() as dispatcher:
            texts = [str(i).encode() for i in range(50)]
            return texts, await asyncio.gather(*(answer(dispatcher, "echo", text) for text in texts))

    texts, answers = run(main())
    assert answers == texts


def test_a_small_answer_is_known_to_be_whole_at_once(run, staff):
    async def main():
        async with staff() as dispatcher:
            exchange = await dispatcher.submit(("echo", b"Vega"), asker="a")
            facts = await exchange.facts()
            return facts["deed"], exchange.small_answer()

    assert run(main()) == ("echo", b"Vega")


def test_an_error_of_the_request_reaches_its_asker_and_the_worker_goes_on(run, staff):
    async def main():
        async with staff(n_workers=1) as dispatcher:
            pid = await answer(dispatcher, "pid")
            with pytest.raises(BadParameterError, match="RA"):
                await answer(dispatcher, "refuse", "out of range")
            assert await answer(dispatcher, "pid") == pid

    run(main())


def test_r04_a_request_that_ignores_interrupts_ends_at_its_limit_while_eight_others_go_on(run, staff):
    async def main():
        async with staff(n_workers=2, time_s=1.0) as dispatcher:
            start = time.monotonic()
            runaway = asyncio.create_task(answer(dispatcher, "sleep_in_c", 60, asker="villain"))
            n_rounds = 0
            while not runaway.done():
                await asyncio.gather(*(answer(dispatcher, "echo", b"x", asker=str(i), is_quick=True) for i in range(8)))
                n_rounds += 1
            with pytest.raises(TimeLimitError, match="1 s"):
                await runaway
            assert time.monotonic() - start < 30
            assert n_rounds > 1, "they did not wait for the runaway's end"
            await all_ready(dispatcher, 2)

    run(main())


def test_a_worker_that_is_killed_gives_a_clean_error_and_is_replaced(run, staff):
    async def main():
        async with staff(n_workers=1) as dispatcher:
            pid = int(await answer(dispatcher, "pid"))
            request = asyncio.create_task(answer(dispatcher, "sleep", 30))
            await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(WorkerError):
                await request
            assert int(await answer(dispatcher, "pid")) != pid

    run(main())


def test_r04_a_worker_that_is_given_up_as_it_ends_answers_nobody_else(run, staff):
    async def main():
        async with staff(n_workers=1) as dispatcher:
            for _ in range(5):
                given_up = await dispatcher.submit(("echo", b"x"), asker="a")
                waiting = asyncio.create_task(answer(dispatcher, "echo", b"Vega", asker="b"))
                await asyncio.sleep(0)  # so that it stands in line
                time.sleep(0.2)  # the answer is there, and this process has not looked yet
                given_up.close()
                assert await waiting == b"Vega"

    run(main())


def test_workers_that_all_die_with_the_fork_server_come_back(run, staff):
    async def main():
        async with staff(n_workers=2) as dispatcher:
            await answer(dispatcher, "echo", b"x")
            os.kill(dispatcher._fork_server.pid, signal.SIGKILL)
            await asyncio.sleep(0.2)
            assert await answer(dispatcher, "echo", b"again") == b"again"

    run(main())


def test_r24_a_client_that_leaves_frees_its_worker(run, staff):
    async def main():
        async with staff(n_workers=1, time_s=60, queue_wait_s=25) as dispatcher:
            request = asyncio.create_task(answer(dispatcher, "sleep_in_c", 60))
            await asyncio.sleep(0.3)
            request.cancel()
            assert await answer(dispatcher, "echo", b"next") == b"next"  # long before its time is over

    run(main())


def test_r24_a_client_that_leaves_at_the_moment_of_its_turn_gives_the_turn_on(run, staff):
    async def main():
        async with staff(n_workers=1, time_s=60) as dispatcher:
            await answer(dispatcher, "echo", b"x")
            first = asyncio.create_task(answer(dispatcher, "sleep", 0.3))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(answer(dispatcher, "sleep_in_c", 60))
            give_a_turn = dispatcher.on_free

            def leave_as_well(worker):
                give_a_turn(worker)
                second.cancel()

            dispatcher.on_free = leave_as_well
            await first
            await asyncio.wait([second])
            assert await answer(dispatcher, "echo", b"next") == b"next"

    run(main())


def test_r24_a_slow_reader_does_not_hold_the_worker(run, staff):
    async def main():
        async with staff(n_workers=1) as dispatcher:
            exchange = await dispatcher.submit(("megabytes", 50), asker="slow")
            await exchange.facts()
            assert await answer(dispatcher, "echo", b"next") == b"next"  # nothing of the first answer is read yet
            n_bytes = 0
            while piece := await exchange.read():
                n_bytes += len(piece)
            exchange.close()
            assert n_bytes == 50 << 20

    run(main())


def test_an_answer_beyond_memory_and_disk_waits_for_its_reader(run, staff):
    async def main():
        async with staff(n_workers=1, disk_bytes=4 << 20) as dispatcher:
            exchange = await dispatcher.submit(("megabytes", 50), asker="slow")
            await exchange.facts()
            await asyncio.sleep(0.5)
            assert not exchange.is_whole
            n_bytes = 0
            while piece := await exchange.read():
                n_bytes += len(piece)
            exchange.close()
            assert n_bytes == 50 << 20

    run(main())


def test_an_answer_that_breaks_off_gives_its_bytes_and_then_its_error(run, staff):
    async def main():
        async with staff() as dispatcher:
            exchange = await dispatcher.submit(("stumble_late", None), asker="a")
            await exchange.facts()
            n_bytes, error = 0, None
            while not error:
                try:
                    n_bytes += len(await exchange.read())
                except EngineError as caught:
                    error = caught
            exchange.close()
            assert "secret" not in str(error)
            assert n_bytes == (1 << 20) + len(b"the end")

    run(main())


def test_askers_take_turns(run, staff):
    async def main():
        async with staff(n_workers=1) as dispatcher:
            await answer(dispatcher, "echo", b"")
            order = []

            async def ask(asker):
                await answer(dispatcher, "sleep", 0.02, asker=asker)
                order.append(asker)

            greedy = [asyncio.create_task(ask("greedy")) for _ in range(10)]
            await asyncio.sleep(0.01)
            modest = [asyncio.create_task(ask("modest")) for _ in range(2)]
            await asyncio.gather(*greedy, *modest)
            return order

    assert run(main()).index("modest") <= 2


def test_quick_requests_have_a_worker_that_slow_ones_cannot_take(run, staff):
    async def main():
        async with staff(n_workers=2) as dispatcher:
            await all_ready(dispatcher, 2)
            slow = [asyncio.create_task(answer(dispatcher, "sleep", 9.0)) for _ in range(4)]
            await asyncio.sleep(0.05)
            await answer(dispatcher, "echo", b"", is_quick=True)
            n_done = sum(task.done() for task in slow)
            for task in slow:
                task.cancel()
            return n_done

    assert run(main()) == 0


def test_who_waits_too_long_is_told_when_to_come_back(run, staff):
    async def main():
        async with staff(n_workers=1, queue_wait_s=1.0, queue_length=1) as dispatcher:
            await all_ready(dispatcher, 1)
            first = asyncio.create_task(answer(dispatcher, "sleep", 10))
            await asyncio.sleep(0.05)
            second = asyncio.create_task(answer(dispatcher, "echo", b""))
            await asyncio.sleep(0.05)
            with pytest.raises(BusyError) as third:  # at once: the queue is full
                await answer(dispatcher, "echo", b"")
            with pytest.raises(BusyError):
                await second
            first.cancel()
            return third.value.retry_after_s

    assert run(main()) >= 1


def test_requests_are_told_to_come_back_when_no_worker_can_be_made(run, staff):
    import deeds

    async def main():
        async with staff(factory=deeds.factory_that_fails, queue_wait_s=0.3) as dispatcher:
            with pytest.raises(BusyError):
                await answer(dispatcher, "echo", b"")

    run(main())
