"""`SparkHome`: one process's Spark, opened when it is first needed, kept between jobs, and looked after.

A worker that has one starts Java with its first large query and keeps it for the next. Three things can go wrong with
what is not this process: Java ends, the executors are lost, the server at the other end goes. Each becomes an error
that says so while a query runs, since Spark itself would wait; and each is mended by a session that is opened anew.
Where the process itself is killed, its Java and the executors end with it; a Spark Connect server does not notice, and
so the next process tells it (`interrupt_orphans`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skydex.engines.engine import Deadline, Engine
from skydex.engines.spark_session import (
    cancelled_when_deserted,
    close_session,
    interrupt_session,
    is_alive,
    open_session,
    session_id,
)
from skydex.errors import SkydexError, WorkerError
from skydex.jobs.limits import without_memory_limit
from skydex.query import Plan
from skydex.tables import Result

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from skydex.engines.spark import SparkEngine

__all__ = ["HomedEngine", "SparkChoices", "SparkHome"]

_NOTE = "session"


@dataclass(frozen=True)
class SparkChoices:
    """How Spark is opened."""

    url: str
    """Where it runs."""
    memory_mb: int
    """Of each executor."""
    wait_s: float
    """How long it may be without an executor."""
    idle_s: float
    """How long it is kept when nothing runs."""
    properties: Path | None
    """Further properties."""
    spill: Path
    """Where this process's part of it spills."""
    spool: Path
    """Where executors put rows of answers; all machines see it."""


class SparkHome:
    """The Spark of one process.

    Parameters
    ----------
    choices : SparkChoices
        How it is opened.
    """

    def __init__(self, choices: SparkChoices) -> None:
        self._choices = choices
        self._lock = threading.RLock()
        self._session: SparkSession | None = None
        self._engine: SparkEngine | None = None
        self._engine_of: SparkSession | None = None
        self._n_at_work = 0
        self._alarm: threading.Timer | None = None
        self.spool = choices.spool / str(os.getpid())
        """Where the engine of this process is to have its answers put."""

    def session(self) -> SparkSession:
        """The session, opened if need be.

        Raises
        ------
        SparkUnavailableError
            It cannot be; the message says why.
        """
        with self._lock:
            if self._session is not None and not is_alive(self._session):
                self._close()
            if self._session is None:
                self._session = self._opened()
            return self._session

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Within this, queries run; what happens to Spark meanwhile becomes an error.

        Raises
        ------
        SparkUnavailableError
            All executors were lost and none came.
        WorkerError
            Java has ended; the same may succeed another time.
        """
        self._stay()
        try:
            with cancelled_when_deserted(lambda: self._session, self._choices.wait_s):
                yield
        except WorkerError:
            raise
        except SkydexError as error:
            session = self._session
            if session is not None and not is_alive(session):
                raise WorkerError("The Java process of Spark ended before the answer was whole.") from error
            raise
        finally:
            self._leave()

    def engine(self) -> Engine:
        """The engine of the present session."""
        from skydex.engines.spark import SparkEngine, SparkLimits

        session = self.session()
        with self._lock:
            if self._engine is None or self._engine_of is not session:
                self._engine = SparkEngine(lambda: session, SparkLimits(spool_directory=self.spool))
                self._engine_of = session
            return self._engine

    def close(self) -> None:
        """End the session, if there is one."""
        with self._lock:
            self._close()
        shutil.rmtree(self.spool, ignore_errors=True)

    def interrupt_orphans(self) -> None:
        """Stop what processes have left running at a Spark Connect server that were killed; and remove their files."""
        if not self._choices.spool.is_dir():
            return
        for folder in self._choices.spool.iterdir():
            if folder.name.isdecimal() and not _exists(int(folder.name)):
                note = folder / _NOTE
                if note.is_file():
                    with contextlib.suppress(SkydexError, OSError):
                        interrupt_session(self._choices.url, note.read_text())
                shutil.rmtree(folder, ignore_errors=True)

    def _opened(self) -> SparkSession:
        choices = self._choices
        self.spool.mkdir(parents=True, exist_ok=True)
        with without_memory_limit():  # Java reserves address space as it pleases, and has a limit of its own
            session = open_session(
                choices.url,
                memory_mb=choices.memory_mb,
                wait_s=choices.wait_s,
                directory=choices.spill,
                properties=choices.properties,
            )
        known = session_id(session)
        if known is not None:
            (self.spool / _NOTE).write_text(known)
        return session

    def _stay(self) -> None:
        with self._lock:
            self._n_at_work += 1
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None

    def _leave(self) -> None:
        with self._lock:
            self._n_at_work -= 1
            if self._n_at_work == 0 and self._session is not None:
                self._alarm = threading.Timer(self._choices.idle_s, self._close_if_idle)
                self._alarm.daemon = True
                self._alarm.start()

    def _close_if_idle(self) -> None:
        with self._lock:
            if self._n_at_work == 0:
                self._close()

    def _close(self) -> None:
        """End the session and that of the engine, which at a server is another: left open, it would hold up our end."""
        session, self._session = self._session, None
        engine, self._engine, self._engine_of = self._engine, None, None
        if engine is not None:
            engine.close()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if session is not None:
            close_session(session)


class HomedEngine:
    """The Spark engine of a home: an `Engine` whose session is opened with the first plan."""

    name = "spark"

    def __init__(self, home: SparkHome) -> None:
        self._home = home

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Start a query; rows come as the result is walked through."""
        return self._home.engine().run(plan, deadline)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
