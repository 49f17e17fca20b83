"""`Runner`: has jobs done, and knows how each of them stands.

It keeps the state directory of the archive, if nobody else does; feeds queued jobs to the dispatcher's workers, a
few at a time, with turns between their askers; leaves a worker to others' jobs whoever asks, and to short jobs however
many long ones there are; writes each step into the ledger before anybody hears of it; ends a worker whose job is
stopped; and removes what has lived long enough. What a job means its service says (`OrderOf`).

Of several processes of one server one is the keeper, and runs the jobs of all. The others take in, show, change and
wait for any job all the same: they write into the same ledger, and ring. Where a ring is not heard, a look into the
ledger every second or two is as good. When the keeper ends, another becomes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from skydex.errors import (
    JobPhaseError,
    JobsUnavailableError,
    LedgerError,
    ServiceError,
    SkydexError,
    UnknownResourceError,
    WorkerError,
)
from skydex.jobs import (
    ACTIVE,
    INTERRUPTED,
    MOST_ATTEMPTS,
    Bell,
    Fault,
    Job,
    JobFilter,
    JobResult,
    Ledger,
    Phase,
    QueueLimits,
    Scribe,
    StateDirectory,
    Turns,
    inherit,
    mend,
)
from skydex.settings import Settings
from skydex.web.dali import error_message
from skydex.web.dispatch import Dispatcher
from skydex.web.long_queue import EMBEDDED, ENGINE, LongQueue
from skydex.web.workroom import Filed, JobOrder, Room

__all__ = ["OrderOf", "Runner"]

T = TypeVar("T")
OrderOf = Callable[[Settings, Job, Path], JobOrder]
"""What a worker is to do for a job whose files lie in a directory; raises `RequestError` if it cannot be done."""

_CLAIM_S = 2.0
"""How often a server that may not run jobs asks whether it may."""
_INHERIT_S = 0.2
"""How often a process asks that may use the jobs of another one of the same server."""
_SOON_S, _PATIENCE_S = 0.02, 2.0
"""How often it asks at its start, and for how long requests then have to wait."""
_LOOK_S = 1.0
"""How often it is looked whether another process has changed something without being heard."""
_FORGOTTEN_S = 6 * 3600.0
"""For how long files may be there before their job is."""
_RETRY_S = 5.0
"""How often it is tried to write down how a job stands when that has failed."""
_SWEEP_S = 30.0
"""How often jobs are looked through for those whose time is over."""
_RESULT = tuple(known.name for known in fields(JobResult))
_UNFORESEEN = Fault("The service failed on this job. The fault is logged.", True)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Place:
    """A place in the queue."""

    asker: str
    """Whose turn it is."""
    job_id: str
    """What it is for."""
    is_long: bool = field(default=False, compare=False)
    """Whether it may take longer than a job that asks for no limit."""
    is_far: bool = field(default=False, compare=False)
    """Whether it is done in the long queue, which has workers of its own."""


class Runner:
    """The jobs of one archive.

    Parameters
    ----------
    state : StateDirectory
        Where they are kept.
    settings : Settings
        The operator's choices.
    dispatcher : Dispatcher
        Who works.
    orders : mapping of OrderOf
        What each kind of job means.
    gone : callable, optional
        Names of the users who were removed; their jobs go, too.
    long_queue : LongQueue, optional
        Who works on long jobs instead, if somebody does.
    server : str, optional
        What the processes of this server call it, if there are several.
    bell : Bell, optional
        The way to the other processes of this server.
    """

    def __init__(
        self,
        state: StateDirectory,
        settings: Settings,
        dispatcher: Dispatcher,
        orders: Mapping[str, OrderOf],
        gone: Callable[[], Iterable[str]] = tuple,
        long_queue: LongQueue | None = None,
        *,
        server: str = "",
        bell: Bell | None = None,
    ) -> None:
        self._gone, self._long_queue, self._server, self._bell = gone, long_queue, server, bell
        self._state, self._settings, self._dispatcher, self._orders = state, settings, dispatcher, orders
        self._limits = QueueLimits(
            settings.jobs_per_address,
            settings.jobs_per_user,
            settings.jobs_total,
            settings.jobs_kept,
            settings.jobs_kept_mb,
        )
        self._scribe: Scribe | None = None
        self._is_keeper = False
        self._why_not = JobsUnavailableError("This server is about to start. Please try again in a moment.")
        self._queue: Turns[_Place] = Turns()
        self._queued: dict[str, _Place] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._n_at_work: Counter[str] = Counter()
        self._n_long_at_work = self._n_far_at_work = 0
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._chores: set[asyncio.Task[None]] = set()
        self._is_leaving = False

    async def start(self) -> None:
        """Begin with the jobs that are queued; where somebody else runs them, wait for his end."""
        if self._bell is not None:
            self._bell.heed("job", self._heed)
        end = time.monotonic() + (_PATIENCE_S if self._server else 0.0)
        while self._scribe is None:
            try:
                await self._open()
            except SkydexError as error:
                if time.monotonic() < end:  # another process of this server may be about to put it in order
                    await asyncio.sleep(_SOON_S)
                    continue
                _log.warning("%s", error)
                break
        if not self._is_keeper:
            self._later(self._open_later())
        self._later(self._sweep_now_and_then())
        if self._server:
            self._later(self._look_now_and_then())

    def leave(self) -> None:
        """Begin no further job, and let everybody go who waits for one: the server is about to stop."""
        self._is_leaving = True
        for job_id in list(self._bells):
            self._ring(job_id)

    async def stop(self) -> None:
        """Put the jobs that run back into the queue, and let another server keep the jobs."""
        self.leave()
        for chore in self._chores:
            chore.cancel()
        interrupted = list(self._running)
        await asyncio.gather(*(self._halt(job_id) for job_id in interrupted))
        if self._scribe:
            for job_id in interrupted:
                await self._put_back(job_id)
            await asyncio.to_thread(self._scribe.close)
            self._scribe = None
        self._is_keeper = False
        self._state.release()

    def folder(self, job_id: str) -> Path:
        """Where the files of a job lie; made when it is first needed."""
        return self._state.folder(job_id)

    def result(self, job: Job) -> Path:
        """The file with the result of a completed job."""
        return self._state.result(job.id, job.attempt)

    def order(self, job: Job) -> JobOrder:
        """What a worker is to do for a job; `RequestError` if it cannot be done."""
        return self._orders[job.kind](self._settings, job, self._state.folder(job.id))

    async def check_room(self, address: str, owner: str | None) -> None:
        """Refuse somebody who has as many unfinished jobs as there may be."""
        await self._read(lambda ledger: ledger.check_room(address, owner, self._limits))

    async def add(self, job: Job) -> Job:
        """Take in a new job; one that has failed already keeps no files."""

        async def add() -> Job:
            added = await self._step(lambda ledger: ledger.add(job, self._limits))
            self._enqueue(added)
            if added.is_final:
                await asyncio.to_thread(self._state.clear, added)
            return added

        return await _to_its_end(add())

    async def get(self, job_id: str) -> Job:
        """A job; `UnknownResourceError` if there is none of that name."""
        return await self._read(lambda ledger: ledger.get(job_id))

    async def get_numbered(self, number: int, owner: str) -> Job:
        """A job of a user by its number; `UnknownResourceError` if she has none such."""
        return await self._read(lambda ledger: ledger.get_numbered(number, owner))

    async def jobs(self, wanted: JobFilter) -> list[Job]:
        """Some jobs, youngest first, without their parameters."""
        return await self._read(lambda ledger: ledger.jobs(wanted))

    async def whole_jobs(self, wanted: JobFilter) -> list[Job]:
        """The same with their parameters."""
        return await self._read(lambda ledger: ledger.whole_jobs(wanted))

    async def change(self, change: Callable[[Ledger], Job]) -> Job:
        """Change something about a job that is neither its phase nor its files."""
        return await self._write(change)

    async def set_parameters(self, job: Job) -> Job:
        """Change what a job asks to what is given; files that it needs no more go."""

        def change(ledger: Ledger) -> tuple[Job, Job]:
            ledger.check_space(job, self._limits)
            before = ledger.get(job.id)
            after = ledger.set_parameters(job.id, job.parameters, job.inputs, job.run_id, job.queue)
            return before, after

        async def set_parameters() -> Job:
            before, after = await self._write(change)
            await asyncio.to_thread(self._state.drop_inputs, job.id, set(before.inputs) - set(after.inputs))
            return after

        return await _to_its_end(set_parameters())

    async def run(self, job_id: str) -> Job:
        """Have a job done as soon as it is its turn."""

        async def run() -> Job:
            job = await self._step(lambda ledger: ledger.queue(job_id))
            self._enqueue(job)
            return job

        return await _to_its_end(run())

    async def abort(self, job_id: str) -> Job:
        """Stop a job; what it has produced goes."""

        async def abort() -> Job:
            job = await self._step(lambda ledger: ledger.abort(job_id, time.time()))
            if self._is_keeper:
                self._later(self._clean_up(job))
            return job

        return await _to_its_end(abort())

    async def remove(self, job_id: str) -> None:
        """Forget a job, with all its files."""

        async def remove() -> None:
            await self._step(lambda ledger: ledger.remove(job_id))
            await self._forget(job_id)

        await _to_its_end(remove())

    async def wait(self, job: Job, has_come: Callable[[Job], bool], seconds: float) -> Job:
        """A job as it is when something has come about, or when the time is over, or the server is about to stop."""
        end = time.monotonic() + seconds
        bell = asyncio.Event()
        self._bells[job.id].add(bell)
        try:
            job = await self.get(job.id)
            while not has_come(job) and not self._is_leaving and (left := end - time.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(left, 2 * _LOOK_S) if self._server else left)
                bell.clear()
                job = await self.get(job.id)
            return job
        finally:
            self._bells[job.id].discard(bell)
            if not self._bells[job.id]:
                del self._bells[job.id]

    async def _open(self) -> None:
        """Become the keeper, or use what another process of this server keeps."""
        try:
            await asyncio.to_thread(_claimed, self._state, self._server)
        except SkydexError as error:
            if not self._state.is_kept_by(self._server):
                await self._shut()
                self._why_not = _unavailable(error)
                raise
            self._scribe = self._scribe or await asyncio.to_thread(Scribe, self._state.ledger)
            return
        self._scribe = self._scribe or await asyncio.to_thread(Scribe, self._state.ledger)
        self._is_keeper = True
        await self._dispatcher.take_jobs()
        for job in await self._read(lambda ledger: ledger.in_phase(Phase.QUEUED)):
            self._enqueue(job)

    async def _open_later(self) -> None:
        while not (self._is_keeper or self._is_leaving):
            await asyncio.sleep(_INHERIT_S if self._server else _CLAIM_S)
            with contextlib.suppress(SkydexError):
                await self._open()
        if self._is_keeper:
            _log.info("This process runs the jobs of the archive from now on")

    async def _shut(self) -> None:
        """Leave the ledger to another server."""
        scribe, self._scribe = self._scribe, None
        if scribe is not None:
            await asyncio.to_thread(scribe.close)

    def _heed(self, job_id: str) -> None:
        """Another process has changed something about a job."""
        self._ring(job_id)
        if self._is_keeper:
            self._later(self._attend(job_id))

    async def _attend(self, job_id: str) -> None:
        """Do what another process wants done."""
        with contextlib.suppress(SkydexError):  # the next look comes soon
            job = await self._read(lambda ledger: ledger.find(job_id))
            if job is None:
                await self._forget(job_id)
            elif job.phase is Phase.ABORTED:
                await self._clean_up(job)
            else:
                self._enqueue(job)

    async def _look_now_and_then(self) -> None:
        """See what others have changed and nobody was heard to say."""
        seen = -1
        while True:
            await asyncio.sleep(_LOOK_S)
            with contextlib.suppress(SkydexError):
                version = await self._read(lambda ledger: ledger.version) if self._is_keeper else seen
                if version != seen:
                    seen = version
                    await self._look()

    async def _look(self) -> None:
        active = await self._read(lambda ledger: ledger.in_phase(*ACTIVE))
        for job in active:
            self._enqueue(job)
        for job_id in {*self._queued, *self._running} - {job.id for job in active}:
            await self._attend(job_id)

    def _enqueue(self, job: Job) -> None:
        """Give a job its place, if it is to be done, and here, and has none."""
        if self._is_keeper and job.phase is Phase.QUEUED and job.id not in {*self._queued, *self._running}:
            place = self._queued[job.id] = self._place_of(job)
            self._queue.join(job.asker, place)
            self._fill()

    def _dequeue(self, job_id: str) -> None:
        place = self._queued.pop(job_id, None)
        if place is not None:
            self._queue.leave(place.asker, place)

    async def _forget(self, job_id: str) -> None:
        """Remove all files of a job; where it is done elsewhere, whoever does it looks again when he has ended it."""
        self._dequeue(job_id)
        await self._halt(job_id)
        await asyncio.to_thread(self._state.remove, job_id)

    def _place_of(self, job: Job) -> _Place:
        is_far = self._long_queue is not None and self._long_queue.takes(job)
        return _Place(job.asker, job.id, not is_far and job.duration_s > self._settings.job_time_s, is_far)

    def _fill(self) -> None:
        """Begin with as many jobs as may run at once."""
        while not self._is_leaving:
            place = self._queue.next(self._may_begin)
            if place is None:
                return
            del self._queued[place.job_id]
            self._count(place, 1)
            self._running[place.job_id] = asyncio.get_running_loop().create_task(self._run(place))

    def _count(self, place: _Place, n: int) -> None:
        """Count a job that begins or, with -1, one that has ended."""
        if place.is_far:
            self._n_far_at_work += n
            return
        self._n_at_work.update({place.asker: n})
        if not self._n_at_work[place.asker]:
            del self._n_at_work[place.asker]
        self._n_long_at_work += n * place.is_long

    def _may_begin(self, place: _Place) -> bool:
        """Whether there is a worker, and a job leaves one to others' jobs, and a long one to short ones."""
        if place.is_far:
            return self._long_queue is not None and self._n_far_at_work < self._long_queue.n_jobs
        n_jobs = self._dispatcher.n_jobs
        if len(self._running) - self._n_far_at_work >= n_jobs:
            return False
        most = max(1, n_jobs - 1)
        return self._n_at_work[place.asker] < most and (not place.is_long or self._n_long_at_work < most)

    async def _run(self, place: _Place) -> None:
        job, job_id = None, place.job_id
        try:
            job = await self._work(place)
        except (JobPhaseError, UnknownResourceError):
            pass  # it was stopped or forgotten meanwhile, and whoever did that looks after its files
        except LedgerError:
            _log.exception("How job %s stands could not be written down", job_id)
            self._later(self._take_up_again(job_id))
        except Exception:
            _log.exception("Job %s failed in a way nobody foresaw", job_id)
            self._later(self._give_up(job_id))
        finally:
            del self._running[job_id]
            self._count(place, -1)
            if job is not None:
                self._enqueue(job)
            self._fill()

    async def _work(self, place: _Place) -> Job | None:
        """Have a job done; give it back if it is to be queued again."""
        job, job_id = await self.get(place.job_id), place.job_id
        if job.phase is not Phase.QUEUED:
            return None
        now = self._place_of(job)
        if (now.is_long and not place.is_long) or now.is_far != place.is_far:  # its limit was raised while it waited
            return job
        room = Room(await self._read(lambda ledger: ledger.space_left(job, self._limits)), self._limits.kept_mb)
        try:
            order = Filed(self.order(job), self._state.result(job_id, job.attempt + 1), job.duration_s, room)
        except SkydexError as error:
            await self._fail(job, Fault(error_message(error)))
            return None
        far = self._long_queue if place.is_far else None
        exchange = await (far or self._dispatcher).submit_job(order, time_s=job.duration_s)
        engine = None if self._long_queue is None else ENGINE if far else EMBEDDED
        begun = asyncio.ensure_future(self._step(lambda ledger: ledger.begin(job_id, time.time(), engine)))
        outcome: JobResult | SkydexError
        try:
            facts = await exchange.facts()
            while await exchange.read():
                pass
            outcome = JobResult(**{name: facts[name] for name in _RESULT})
        except SkydexError as error:
            outcome = error
        finally:
            exchange.close()
            await asyncio.shield(exchange.over())
            await asyncio.shield(begun)
        return await self._conclude(await begun, outcome)

    async def _conclude(self, job: Job, outcome: JobResult | SkydexError) -> Job | None:
        if isinstance(outcome, JobResult):
            await self._step(lambda ledger: ledger.complete(job.id, time.time(), outcome))
        elif isinstance(outcome, WorkerError) and job.attempt < MOST_ATTEMPTS:
            return await self._step(lambda ledger: ledger.queue(job.id))
        else:
            is_lost = isinstance(outcome, WorkerError)
            fault = INTERRUPTED if is_lost else Fault(error_message(outcome), isinstance(outcome, ServiceError))
            await self._fail(job, fault)
        return None

    async def _fail(self, job: Job, fault: Fault) -> None:
        failed = await self._step(lambda ledger: ledger.fail(job.id, time.time(), fault))
        await asyncio.to_thread(self._state.clear, failed)

    async def _put_back(self, job_id: str) -> None:
        with contextlib.suppress(JobPhaseError, UnknownResourceError):  # it had ended already, or not begun
            await self._step(lambda ledger: ledger.put_back(job_id))

    async def _take_up_again(self, job_id: str) -> None:
        """Queue a job when the ledger can be written again."""
        while True:
            await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(LedgerError):
                await self._put_back(job_id)
                self._enqueue(await self.get(job_id))
                return

    async def _give_up(self, job_id: str) -> None:
        with contextlib.suppress(SkydexError):  # it has ended meanwhile, or the next server ends it
            await self._fail(await self.get(job_id), _UNFORESEEN)

    async def _clean_up(self, job: Job) -> None:
        self._dequeue(job.id)
        await self._halt(job.id)
        await asyncio.to_thread(self._state.clear, job)

    async def _halt(self, job_id: str) -> None:
        """End the work on a job; done when no worker is at it any more."""
        task = self._running.get(job_id)
        if task:
            if not task.cancelling():
                task.cancel()
            await asyncio.wait([task])

    async def _sweep_now_and_then(self) -> None:
        strangers_at = time.monotonic() + _FORGOTTEN_S
        while True:
            try:
                if self._is_keeper:
                    await self._sweep()
                if self._is_keeper and time.monotonic() > strangers_at:
                    strangers_at += _FORGOTTEN_S
                    await self._sweep_strangers()
            except SkydexError as error:
                _log.warning("Jobs whose time is over could not be removed: %s", error)
            await asyncio.sleep(_SWEEP_S)

    async def _sweep(self) -> None:
        """Remove jobs whose time is over, and those of users who were removed."""
        gone = frozenset(await asyncio.to_thread(self._gone))
        over = await self._read(lambda ledger: ledger.expired(time.time()))
        for job_id in over + await self._read(lambda ledger: ledger.of_owners(ledger.owners() & gone)):
            with contextlib.suppress(UnknownResourceError):  # somebody was faster
                await self.remove(job_id)

    async def _sweep_strangers(self) -> None:
        """Remove files of jobs that were never made, because the process ended that received them."""
        known = await self._read(lambda ledger: ledger.identifiers())
        await asyncio.to_thread(self._state.clear_strangers, known, older_s=_FORGOTTEN_S)

    def _ring(self, job_id: str) -> None:
        for bell in self._bells.get(job_id, ()):
            bell.set()

    async def _step(self, change: Callable[[Ledger], Job]) -> Job:
        """Write down that a job has come to another phase, or to its end, and tell whoever waits for that."""
        job = await self._write(change)
        self._ring(job.id)
        if self._bell is not None:
            self._bell.ring("job", job.id)
        return job

    async def _write(self, change: Callable[[Ledger], T]) -> T:
        if self._scribe is None:
            raise self._why_not
        return await asyncio.wrap_future(self._scribe.write(change))

    async def counts(self) -> dict[str, int]:
        """How many jobs there are in each phase, of everybody."""
        return await self._read(Ledger.counts)

    async def _read(self, question: Callable[[Ledger], T]) -> T:
        if self._scribe is None:
            raise self._why_not
        return await asyncio.wrap_future(self._scribe.read(question))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do something wholly, even if whoever asked for it leaves meanwhile."""
    return await asyncio.shield(asyncio.get_running_loop().create_task(work))


def _claimed(state: StateDirectory, server: str) -> None:
    """Become the keeper of a state directory and put it in order."""
    is_heir = state.claim(server)
    try:
        ledger = Ledger(state.ledger)
        with contextlib.closing(ledger):
            (inherit if is_heir else mend)(ledger, state, time.time())
        state.announce(server)
    except BaseException:
        state.release()
        raise


def _unavailable(error: SkydexError) -> JobsUnavailableError:
    return error if isinstance(error, JobsUnavailableError) else JobsUnavailableError(str(error))
