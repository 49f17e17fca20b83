"""`Dispatcher`: who answers which request when, and for how long.

The one place where waiting happens. It keeps a staff of worker processes (`skydex.jobs`), hands each request to an idle
one, takes turns between askers when all are busy, keeps one worker in four for quick requests, kills a worker that
overruns its deadline or whose asker has left, and replaces whoever dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import socket
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, cast

from skydex.errors import BusyError, SkydexError, TimeLimitError, WorkerError
from skydex.jobs import ForkServer, FrameReader, Kind, Staffing, frame
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
    time_s: float
    """Time limit of one request."""
    queue_length: int
    """Requests that may wait."""
    queue_wait_s: float
    """How long one waits."""
    spool: SpoolLimits
    """How much of an answer may wait for its reader."""

    @property
    def n_slow(self) -> int:
        """Workers that requests of unknown length may occupy."""
        return self.n_workers - max(1, self.n_workers // 4) if self.n_workers > 1 else 1


class Exchange:
    """One request given to a worker, and its answer on the way back."""

    def __init__(self, worker: _Worker, spool: SpoolLimits) -> None:
        self._worker = worker
        self._spool = Spool(spool, worker.pause, worker.resume)
        self._facts: dict[str, Any] | None = None
        self._error: SkydexError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False
        self.is_whole = False
        """Whether the worker has given everything."""

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

    def small_answer(self) -> bytes | None:
        """The whole answer, if it is there and in memory."""
        return self._spool.take_all() if self.is_whole and self._spool.is_in_memory() else None

    def close(self) -> None:
        """Give up what is left; a worker that is still at it is killed."""
        if not self.is_whole and self._error is None:
            self._worker.kill()
        self._is_closed = True
        self._spool.close()

    def on_header(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def on_data(self, piece: bytes) -> None:
        if not self._is_closed:
            self._spool.put(piece)

    def on_end(self) -> None:
        self.is_whole = True

    def on_error(self, error: SkydexError) -> None:
        if self._error is None and not self.is_whole:
            self._error = error

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
        self.is_slow = False
        self.was_ready = False
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
        if is_free:
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
        self._exchange = None
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None


class _Line:
    """Requests that wait for a worker; askers take turns, each asker's own requests keep their order."""

    def __init__(self) -> None:
        self._askers: OrderedDict[str, deque[asyncio.Future[_Worker]]] = OrderedDict()

    def join(self, asker: str) -> asyncio.Future[_Worker]:
        place: asyncio.Future[_Worker] = asyncio.get_running_loop().create_future()
        self._askers.setdefault(asker, deque()).append(place)
        return place

    def leave(self, asker: str, place: asyncio.Future[_Worker]) -> None:
        places = self._askers.get(asker)
        if places is not None and place in places:
            places.remove(place)
            self._drop_if_empty(asker)

    def next(self) -> asyncio.Future[_Worker] | None:
        """The place whose turn it is; its asker goes to the end."""
        while self._askers:
            asker, places = next(iter(self._askers.items()))
            place = places.popleft()
            self._askers.move_to_end(asker)
            self._drop_if_empty(asker)
            if not place.done():
                return place
        return None

    def __len__(self) -> int:
        return sum(len(places) for places in self._askers.values())

    def _drop_if_empty(self, asker: str) -> None:
        if not self._askers[asker]:
            del self._askers[asker]


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
        self._n_slow = 0
        self._quick_line, self._slow_line = _Line(), _Line()
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

    async def submit(self, request: Any, *, asker: str, is_quick: bool = False) -> Exchange:
        """Give a request to a worker as soon as it is its turn.

        Parameters
        ----------
        request : object
            What the worker's handler takes; it can be pickled.
        asker : str
            Who asks; askers take turns.
        is_quick : bool
            Whether it is known to be short, as a cone search is.

        Raises
        ------
        BusyError
            Its turn did not come in time, or too many wait already.
        """
        worker = self._take(is_quick) or await self._wait(asker, is_quick)
        while worker.number not in self._workers:  # it died on its way here
            worker = await self._wait(asker, is_quick)
        deadline = time.monotonic() + self._rules.time_s
        message = frame(Kind.REQUEST, pickle.dumps((request, deadline), pickle.HIGHEST_PROTOCOL))
        return worker.begin(message, time_s=self._rules.time_s, spool=self._rules.spool)

    def kill(self, number: int) -> None:
        if self._fork_server:
            self._fork_server.kill(number)

    def on_free(self, worker: _Worker) -> None:
        """Give a worker that has nothing to do to whoever waits."""
        if worker.is_slow:
            self._n_slow -= 1
            worker.is_slow = False
        self._idle.append(worker)
        self._serve_lines()

    def on_gone(self, worker: _Worker) -> None:
        """Replace a worker whose process has ended."""
        self._workers.pop(worker.number, None)
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.is_slow:
            self._n_slow -= 1
            worker.is_slow = False
        if not self._is_stopping:
            self._later(self._replace(pause_s=0.0 if worker.was_ready else RESTART_PAUSE_S))

    def _take(self, is_quick: bool) -> _Worker | None:
        """The idle worker that worked last, whose caches are warm."""
        if not self._idle or not (is_quick or self._n_slow < self._rules.n_slow):
            return None
        worker = self._idle.pop()
        worker.is_slow = not is_quick
        self._n_slow += worker.is_slow
        return worker

    async def _wait(self, asker: str, is_quick: bool) -> _Worker:
        if len(self._quick_line) + len(self._slow_line) >= self._rules.queue_length:
            raise BusyError(self._retry_after())
        line = self._quick_line if is_quick else self._slow_line
        place = line.join(asker)
        try:
            return await asyncio.wait_for(place, self._rules.queue_wait_s)
        except TimeoutError:
            raise BusyError(self._retry_after()) from None
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.on_free(place.result())
            raise
        finally:
            line.leave(asker, place)

    def _serve_lines(self) -> None:
        """Quick requests go first, as long as at least one worker does slow ones."""
        while self._idle:
            quick_first = self._n_slow > 0 or not len(self._slow_line)
            for is_quick in (quick_first, not quick_first):
                line = self._quick_line if is_quick else self._slow_line
                if not len(line) or not (worker := self._take(is_quick)):
                    continue
                place = line.next()
                if place is None:
                    self.on_free(worker)
                    return
                place.set_result(worker)
                break
            else:
                return

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
