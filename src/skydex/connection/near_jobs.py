"""`NearJob`: a query of an archive on this disk that goes on in a thread, and whose rows wait in a file.

A job has a folder of its own among what the archive keeps for itself: `job.json` says how it stands, `rows.arrow` has
its rows. So another process finds it again by its address (`file://...`) when this one has ended; a job that was not
finished then ends with its process, and says so. Phases are those of UWS 1.1 (IVOA REC 2016-10-24, section 2.1.3).
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from skydex.client import Query
from skydex.engines import Deadline
from skydex.errors import JobFailedError, JobPhaseError, SkydexError, UnknownResourceError
from skydex.formats import get_format
from skydex.formats.arrow import open_stream
from skydex.jobs import FINAL, Phase, new_job_id
from skydex.store.files import storing, write_file
from skydex.tables import Result

__all__ = ["NearJob", "NearJobs"]

_FOLDER = "near-jobs"
_STATE, _ROWS = "job.json", "rows.arrow"
_POLL_S = 0.05
_LOST = "The process in which it ran has ended."
_FAULT = "The query failed in a way nobody foresaw; the log has the reason."

_log = logging.getLogger(__name__)

Ask = Callable[[Query, Deadline], Result]
"""Answers a query within a time that may be taken back."""


@dataclass(frozen=True)
class _Revocable(Deadline):
    """A time without end, as long as it is not taken back."""

    revoked: threading.Event = field(default_factory=threading.Event)

    @property
    def left_s(self) -> float:
        return -1.0 if self.revoked.is_set() else self.seconds

    def awaits(self, done: threading.Event) -> bool:
        while not done.wait(_POLL_S):
            if self.revoked.is_set():
                return False
        return True


@dataclass(frozen=True)
class _State:
    """How a job stands, as its file says."""

    query: str
    """What was asked."""
    process: int
    """Who carries it out."""
    began: float
    """When (Unix time)."""
    phase: Phase = Phase.EXECUTING
    message: str = ""
    """Why it failed."""


class NearJobs:
    """The jobs of one archive.

    Parameters
    ----------
    directory : Path
        What the archive keeps for itself.
    ask : callable
        Answers a query.
    keep_days : float
        After how many days a job is forgotten.
    """

    def __init__(self, directory: Path, ask: Ask, *, keep_days: float) -> None:
        self._directory, self._ask, self._keep_s = directory / _FOLDER, ask, keep_days * 86_400.0
        self._running: dict[str, _Run] = {}

    def submit(self, order: Query) -> NearJob:
        """Begin a query."""
        self._forget_old()
        folder = self._directory / new_job_id()
        with storing("the record of a job"):
            folder.mkdir(parents=True)
        run = self._running[folder.name] = _Run(folder, order, self._ask)
        return NearJob(folder, run)

    def get(self, url: str) -> NearJob:
        """A job by its address.

        Raises
        ------
        UnknownResourceError
            It is none of this archive, or is forgotten.
        """
        folder = self._directory / Path(unquote(urlsplit(url).path)).name
        if not (folder / _STATE).is_file():
            raise UnknownResourceError("job", url[:300])
        return NearJob(folder, self._running.get(folder.name))

    def close(self) -> None:
        """End the jobs that are still at it."""
        for run in self._running.values():
            run.abort()

    def _forget_old(self) -> None:
        for folder in self._directory.glob("j*"):
            if folder.name not in self._running and time.time() - folder.stat().st_mtime > self._keep_s:
                shutil.rmtree(folder, ignore_errors=True)


class NearJob:
    """A job; see `skydex.client.RunningJob`."""

    def __init__(self, folder: Path, run: _Run | None) -> None:
        self._folder, self._run = folder, run

    @property
    def url(self) -> str:
        """By which another process finds it."""
        return self._folder.absolute().as_uri()

    def phase(self, wait_s: float = 0.0) -> str:
        """How it stands; with `wait_s`, as soon as it has ended or that time is over."""
        if self._run is not None:
            self._run.ended.wait(wait_s)
        state = self._state()
        while wait_s > 0 and state.phase not in FINAL:
            time.sleep(min(wait_s, _POLL_S))
            wait_s, state = wait_s - _POLL_S, self._state()
        return state.phase

    def progress(self) -> None:
        """Nobody knows how far it is."""

    def message(self) -> str:
        """Why it failed."""
        return self._state().message

    def result(self) -> Result:
        """Its rows.

        Raises
        ------
        JobFailedError
            There are none, and there will not be.
        JobPhaseError
            There are none yet.
        """
        state = self._state()
        if state.phase not in FINAL:
            raise JobPhaseError(state.phase, "wait for its end before its rows are read")
        if state.phase is not Phase.COMPLETED:
            raise JobFailedError(self.url, state.phase, state.message)
        file = (self._folder / _ROWS).open("rb")
        result = open_stream(file, self.url)
        result.batches = _closing(result.batches, file.close)
        return result

    def abort(self) -> None:
        """End it; one that has ended stays as it is."""
        if self._run is not None:
            self._run.abort()
        elif self._state().phase not in FINAL:
            raise JobPhaseError(Phase.EXECUTING, "the process that carries it out is another one")

    def delete(self) -> None:
        """Forget it, with its rows."""
        self.abort()
        if self._run is not None:
            self._run.ended.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _state(self) -> _State:
        try:
            told = json.loads((self._folder / _STATE).read_bytes())
        except OSError as error:
            raise UnknownResourceError("job", self.url) from error
        state = _State(**{**told, "phase": Phase(told["phase"])})
        is_lost = state.phase not in FINAL and self._run is None and not _is_alive(state.process)
        return replace(state, phase=Phase.ERROR, message=_LOST) if is_lost else state


class _Run:
    """A job that this process carries out."""

    def __init__(self, folder: Path, order: Query, ask: Ask) -> None:
        self._folder, self._order, self._ask = folder, order, ask
        self._state = _State(order.text, os.getpid(), time.time())
        self._deadline = _Revocable(math.inf, math.inf)
        self.ended = threading.Event()
        self._note(self._state)
        threading.Thread(target=self._carry_out, name=f"job {folder.name}", daemon=True).start()

    def abort(self) -> None:
        self._deadline.revoked.set()
        self.ended.wait()

    def _carry_out(self) -> None:
        try:
            self._note(self._finished())
        except OSError:
            _log.exception("The end of a job cannot be recorded")
        finally:
            self.ended.set()

    def _finished(self) -> _State:
        form = get_format("arrow")
        assert form.write is not None, "Arrow can be written"
        try:
            with self._ask(self._order, self._deadline) as result, (self._folder / _ROWS).open("wb") as file:
                for chunk in form.write(result):
                    self._deadline.check()
                    file.write(chunk)
        except SkydexError as error:
            if self._deadline.revoked.is_set():
                return replace(self._state, phase=Phase.ABORTED)
            return replace(self._state, phase=Phase.ERROR, message=str(error))
        except Exception:
            _log.exception("A job failed in a way nobody foresaw")
            return replace(self._state, phase=Phase.ERROR, message=_FAULT)
        return replace(self._state, phase=Phase.COMPLETED)

    def _note(self, state: _State) -> None:
        write_file(self._folder / _STATE, json.dumps(asdict(state)).encode())


def _closing(batches: Iterator[pa.RecordBatch], close: Callable[[], None]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    finally:
        close()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()
