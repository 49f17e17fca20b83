"""`Dispatcher`: who answers which request when, and for how long.

The one place where waiting happens. It keeps a staff of worker processes (`skydex.jobs`), hands each request to an idle
one, takes turns between askers when all are busy, keeps one worker in four for quick requests and one from jobs, kills
a worker that overruns its deadline or whose asker has left, and replaces whoever dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import pickle
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from skydex.errors import AnswerTooLargeError, BusyError, SkydexError, TimeLimitError, WorkerError
from skydex.jobs import ForkServer, FrameReader, Kind, Staffing, Turns, frame
from skydex.web.spool import Spool, SpoolLimits

__all__ = ["Dispatcher", "Exchange", "Rules"]

GRACE_S = 3.0
"""Time that a worker has beyond its deadline to end by itself with a better error than a kill can give."""
RESTART_PAUSE_S = 1.0
"""Pause before a worker that never became ready is replaced."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """How requests share the workers."""

    n_workers: int
    """Workers to keep."""
    n_with_jobs: int = field(default=0, kw_only=True)
    """Workers to keep in the process that runs the jobs, if that is more."""
    time_s: float
    """Time limit of one request."""
    queue_length: int
    """Requests that may wait."""
    queue_wait_s: float
    """How long one waits."""
    spool: SpoolLimits
    """How much of an answer may wait for its reader."""

    is_for_jobs: bool = False
    """Whether nothing but jobs comes to these workers."""

    @property
    def n_slow(self) -> int:
        """Workers that requests of unknown length may occupy."""
        if self.is_for_jobs:
            return self.n_workers
        return self.n_workers - max(1, self.n_workers // 4) if self.n_workers > 1 else 1

    @property
    def n_jobs(self) -> int:
        """Of those, workers that jobs may occupy, so that an hour's work never stands before somebody who waits."""
        return self.n_slow if self.is_for_jobs else max(1, self.n_slow - 1)


class _Errand(enum.Enum):
    """What kind of work a worker is at."""

    QUICK = "quick"
    """Known to be short."""
    SLOW = "slow"
    """Of unknown length, and somebody waits."""
    JOB = "job"
    """Of unknown length, and nobody holds a connection for it."""


class Exchange:
    """One request given to a worker, and its answer on the way back."""

    def __init__(self, worker: _Worker, spool: SpoolLimits) -> None:
        self._worker = worker
        self._spool = Spool(spool, worker.pause, worker.resume)
        self._facts: dict[str, Any] | None = None
        self._error: SkydexError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False
        self._over = asyncio.Event()
        self.is_whole = False
        """Whether the worker has given everything."""
        self._n_bytes = 0

    async def facts(self) -> dict[str, Any]:
        """What the worker says of its answer, once the first bytes are there.

        Raises
        ------
        SkydexError
            The request failed before its first byte.
        """
        while self._facts is None:
            if self._error:
                raise self._error
            await self._news()
        return self._facts

    async def read(self) -> bytes:
        """Further bytes of the answer; empty at its end.

        Raises
        ------
        SkydexError
            The answer broke off.
        """
        while not (piece := await self._spool.take()):
            if self._error:
                raise self._error
            if self.is_whole:
                return b""
            await self._news()
        return piece

    async def gathered(self, max_mb: int) -> None:
        """Wait until the whole answer is there, where an error after its first byte could not be told.

        Raises
        ------
        AnswerTooLargeError
            It is larger than so many MB.
        SkydexError
            It broke off.
        """
        while True:
            if self._error:
                raise self._error
            if self._n_bytes > max_mb << 20:
                raise AnswerTooLargeError(max_mb)
            if self.is_whole:
                return
            await self._news()

    def small_answer(self) -> bytes | None:
        """The whole answer, if it is there and in memory."""
        return self._spool.take_all() if self.is_whole and self._spool.is_in_memory() else None

    def close(self) -> None:
        """Give up what is left; a worker that is still at it is killed."""
        if not self.is_whole and self._error is None:
            self._worker.kill()
        self._is_closed = True
        self._spool.close()

    async def over(self) -> None:
        """Wait until the worker has nothing more to do with it: it is free again, or dead."""
        await self._over.wait()

    def on_header(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def on_data(self, piece: bytes) -> None:
        self._n_bytes += len(piece)
        if not self._is_closed:
            self._spool.put(piece)

    def on_end(self) -> None:
        self.is_whole = True

    def on_error(self, error: SkydexError) -> None:
        if self._error is None and not self.is_whole:
            self._error = error

    def on_over(self) -> None:
        self._over.set()

    def wake(self) -> None:
        """Tell whoever waits that there is news."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter


class _Worker(asyncio.Protocol):
    """The near end of one worker's socket."""

    def __init__(self, number: int, dispatcher: Dispatcher) -> None:
        self.number = number
        self.errand: _Errand | None = None
        self.was_ready = False
        self._is_killed = False
        self._dispatcher = dispatcher
        self._reader = FrameReader()
        self._exchange: Exchange | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def begin(self, message: bytes, *, time_s: float, spool: SpoolLimits) -> Exchange:
        """Give the worker a request."""
        assert self._transport is not None
        self._exchange = Exchange(self, spool)
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(time_s + GRACE_S, self._overrun, time_s)
        self._transport.write(message)
        return self._exchange

    def pause(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def kill(self) -> None:
        """End the process; its socket then closes, and it is replaced."""
        self._is_killed = True
        self._dispatcher.kill(self.number)
        self.resume()  # a paused socket would not tell of its end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        exchange, is_free = self._exchange, False
        for kind, payload in self._reader.feed(data):
            if kind == Kind.DATA and exchange:
                exchange.on_data(payload)
            elif kind == Kind.HEADER and exchange:
                exchange.on_header(pickle.loads(payload))
            elif kind == Kind.END and exchange:
                exchange.on_end()
                is_free = not payload
            elif kind == Kind.ERROR and exchange:
                error, is_last = pickle.loads(payload)
                exchange.on_error(error)
                is_free = not is_last
            elif kind == Kind.READY:
                self.was_ready = is_free = True
        if exchange:
            exchange.wake()
        if is_free and not self._is_killed:  # it may have said so before its end, and been heard after
            self._finish()
            self._dispatcher.on_free(self)

    def connection_lost(self, _: Exception | None) -> None:
        exchange = self._exchange
        self._finish()
        if exchange and not exchange.is_whole:
            exchange.on_error(WorkerError("The process that worked on the request ended before its answer was whole."))
            exchange.wake()
        self._dispatcher.on_gone(self)

    def _overrun(self, time_s: float) -> None:
        if self._exchange is not None:
            _log.warning("Worker %d did not end at its deadline and is killed", self.number)
            self._exchange.on_error(TimeLimitError(time_s))
            self._exchange.wake()
            self.kill()

    def _finish(self) -> None:
        if self._exchange:
            self._exchange.on_over()
            self._exchange = None
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None


class _Line(Turns["asyncio.Future[_Worker]"]):
    """Requests that wait for a worker."""

    def next_waiting(self) -> asyncio.Future[_Worker] | None:
        """The place whose turn it is, of those that still wait."""
        while (place := self.next()) is not None:
            if not place.done():
                return place
        return None


class Dispatcher:
    """The staff of workers and the requests that wait for them.

    Parameters
    ----------
    staffing : Staffing
        What each worker is.
    rules : Rules
        How requests share them.
    fork_server : ForkServer, optional
        Where workers come from, if it is there already.
    """

    def __init__(self, staffing: Staffing, rules: Rules, fork_server: ForkServer | None = None) -> None:
        self._staffing, self._rules = staffing, rules
        self._idle: list[_Worker] = []
        self._workers: dict[int, _Worker] = {}
        self._lines = {errand: _Line() for errand in _Errand}
        self._after_you = _Errand.JOB
        self._fork_server = fork_server
        self._is_stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._replacing = asyncio.Lock()

    async def start(self) -> None:
        """Have all workers made; requests may come at once and wait for them."""
        if self._fork_server is None:
            await self._start_fork_server()
        else:
            await self._hire_all()

    async def stop(self) -> None:
        """End every worker and remove their files."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        if self._fork_server:
            await asyncio.to_thread(self._fork_server.stop)
            self._fork_server = None

    @property
    def n_ready(self) -> int:
        """Workers that are made and alive."""
        return sum(worker.was_ready for worker in self._workers.values())

    @property
    def n_busy(self) -> int:
        """Workers that are at something."""
        return sum(worker.errand is not None for worker in self._workers.values())

    @property
    def n_waiting(self) -> int:
        """Requests and jobs that wait for a worker."""
        return sum(map(len, self._lines.values()))

    @property
    def n_jobs(self) -> int:
        """Jobs that can be worked on at once."""
        return self._rules.n_jobs

    async def submit(
        self, request: Any, *, asker: str, is_quick: bool = False, time_s: float | None = None
    ) -> Exchange:
        """Give a request to a worker as soon as it is its turn.

        Parameters
        ----------
        request : object
            What the worker's handler takes; it can be pickled.
        asker : str
            Who asks; askers take turns.
        is_quick : bool
            Whether it is known to be short, as a cone search is.
        time_s : float, optional
            How long it may run; by default as long as a query.

        Raises
        ------
        BusyError
            Its turn did not come in time, or too many wait already.
        """
        worker = await self._seat(asker, _Errand.QUICK if is_quick else _Errand.SLOW)
        return self._begin(worker, request, self._rules.time_s if time_s is None else time_s)

    async def submit_job(self, request: Any, *, time_s: float) -> Exchange:
        """Give a job to a worker, however long it takes until one is free.

        Parameters
        ----------
        request : object
            What the worker's handler takes; it can be pickled.
        time_s : float
            How long it may run.
        """
        worker = await self._seat("", _Errand.JOB)
        return self._begin(worker, request, time_s)

    async def take_jobs(self) -> None:
        """Have as many workers as it takes to run everybody's jobs, too."""
        n_more = self._rules.n_with_jobs - self._rules.n_workers
        if n_more <= 0:
            return
        self._rules = replace(self._rules, n_workers=self._rules.n_with_jobs)
        if self._fork_server is not None:
            with contextlib.suppress(OSError):  # it is gone, and the next one makes them all
                for _ in range(n_more):
                    await self._hire()

    def kill(self, number: int) -> None:
        if self._fork_server:
            self._fork_server.kill(number)

    def on_free(self, worker: _Worker) -> None:
        """Give a worker that has nothing to do to whoever waits."""
        worker.errand = None
        self._idle.append(worker)
        self._serve_lines()

    def on_gone(self, worker: _Worker) -> None:
        """Replace a worker whose process has ended."""
        self._workers.pop(worker.number, None)
        if worker in self._idle:
            self._idle.remove(worker)
        worker.errand = None
        if not self._is_stopping:
            self._later(self._replace(pause_s=0.0 if worker.was_ready else RESTART_PAUSE_S))

    def _begin(self, worker: _Worker, request: Any, time_s: float) -> Exchange:
        deadline = time.monotonic() + time_s
        message = frame(Kind.REQUEST, pickle.dumps((request, deadline), pickle.HIGHEST_PROTOCOL))
        return worker.begin(message, time_s=time_s, spool=self._rules.spool)

    async def _seat(self, asker: str, errand: _Errand) -> _Worker:
        """A worker, alive and with nothing else to do."""
        worker = self._take(errand) or await self._wait(asker, errand)
        while worker.number not in self._workers:  # it died on its way here
            worker = await self._wait(asker, errand)
        return worker

    def _take(self, errand: _Errand) -> _Worker | None:
        """The idle worker that worked last, whose caches are warm."""
        if not self._idle or not self._has_room(errand):
            return None
        worker = self._idle.pop()
        worker.errand = errand
        return worker

    def _has_room(self, errand: _Errand) -> bool:
        if errand is _Errand.QUICK:
            return True
        n_jobs, n_slow = self._n_at(_Errand.JOB), self._n_at(_Errand.SLOW)
        return n_jobs + n_slow < self._rules.n_slow and (errand is _Errand.SLOW or n_jobs < self._rules.n_jobs)

    def _n_at(self, errand: _Errand) -> int:
        return sum(worker.errand is errand for worker in self._workers.values())

    async def _wait(self, asker: str, errand: _Errand) -> _Worker:
        line, is_job = self._lines[errand], errand is _Errand.JOB
        if not is_job and len(self._lines[_Errand.QUICK]) + len(self._lines[_Errand.SLOW]) >= self._rules.queue_length:
            raise BusyError(self._retry_after())
        place: asyncio.Future[_Worker] = asyncio.get_running_loop().create_future()
        line.join(asker, place)
        try:
            async with asyncio.timeout(None if is_job else self._rules.queue_wait_s):
                return await place
        except (TimeoutError, asyncio.CancelledError) as error:
            if place.done() and not place.cancelled():  # its turn came at that very moment
                self.on_free(place.result())
            if isinstance(error, TimeoutError):
                raise BusyError(self._retry_after()) from None
            raise
        finally:
            line.leave(asker, place)

    def _serve_lines(self) -> None:
        while self._idle and self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Give an idle worker to whoever is first of those for whom there is room."""
        for errand in self._order():
            if not len(self._lines[errand]) or (worker := self._take(errand)) is None:
                continue
            place = self._lines[errand].next_waiting()
            if place is None:  # all that waited have given up
                worker.errand = None
                self._idle.append(worker)
                continue
            if errand is not _Errand.QUICK:
                self._after_you = errand
            place.set_result(worker)
            return True
        return False

    def _order(self) -> Iterator[_Errand]:
        """Quick requests go first, as long as at least one worker does slow ones; jobs and slow ones take turns."""
        slow_first = self._after_you is _Errand.JOB
        slow = (_Errand.SLOW, _Errand.JOB) if slow_first else (_Errand.JOB, _Errand.SLOW)
        n_slow = self._n_at(_Errand.SLOW) + self._n_at(_Errand.JOB)
        quick_first = n_slow > 0 or not any(len(self._lines[errand]) for errand in slow)
        yield from (_Errand.QUICK, *slow) if quick_first else (*slow, _Errand.QUICK)

    def _retry_after(self) -> int:
        return max(1, round(self._rules.queue_wait_s / 2))

    async def _start_fork_server(self) -> None:
        self._fork_server = await asyncio.to_thread(ForkServer.started, self._staffing)
        await self._hire_all()

    async def _hire_all(self) -> None:
        for _ in range(self._rules.n_workers):
            await self._hire()

    async def _replace(self, *, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        async with self._replacing:  # all workers may have ended at once, and one fork server is enough
            if self._fork_server and not self._fork_server.is_alive() and not self._workers:
                _log.error("The fork server is gone and is started again")
                await asyncio.to_thread(self._fork_server.stop)
                await self._start_fork_server()
            elif len(self._workers) < self._rules.n_workers:
                with contextlib.suppress(OSError):  # it is gone: the last worker to end starts a new one
                    await self._hire()

    async def _hire(self) -> None:
        assert self._fork_server is not None
        number, sock = self._fork_server.spawn()
        worker = _Worker(number, self)
        self._workers[number] = worker
        await self._connect(worker, sock)

    async def _connect(self, worker: _Worker, sock: socket.socket) -> None:
        sock.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=sock)

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
