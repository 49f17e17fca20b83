"""`Job`: a query that goes on by itself, as the one who asked it sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from skydex.client import RunningJob
from skydex.connection.rows import ResultTable
from skydex.connection.stream import Stream
from skydex.errors import JobFailedError
from skydex.tables import Result

__all__ = ["Job"]

_WAIT_S = 5.0
"""How long a service is asked to wait for a change, so that Ctrl-C and a bar are never far."""
_GOOD = "COMPLETED"
_FINAL = frozenset({_GOOD, "ERROR", "ABORTED", "ARCHIVED"})

Shown = Callable[[Result], ResultTable]
Streamed = Callable[[Result], Stream]


class Job:
    """A query that is carried out apart from the one who asked it.

    It goes on when this session has ended: `archive.job(url)` finds it again.

    Parameters
    ----------
    running : RunningJob
        How it is asked.
    shown : callable
        Makes a table of its rows.
    streamed : callable
        Makes a stream of its rows.
    """

    def __init__(self, running: RunningJob, shown: Shown, streamed: Streamed) -> None:
        self._running, self._shown, self._streamed = running, shown, streamed

    @property
    def url(self) -> str:
        """By which it is found again."""
        return self._running.url

    @property
    def phase(self) -> str:
        """How it stands, in the words of UWS: `QUEUED`, `EXECUTING`, `COMPLETED`, `ERROR`, `ABORTED`."""
        return str(self._running.phase())

    @property
    def message(self) -> str:
        """Why it failed, in the words of the service; empty if it did not."""
        return self._running.message()

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.phase in _FINAL

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Job:
        """Wait for its end.

        Parameters
        ----------
        timeout : float, optional
            After how many seconds to give up waiting; the job goes on.
        progress : bool, optional
            Whether a terminal shows how it stands; elsewhere nothing is shown.

        Returns
        -------
        job : Job
            Itself.

        Raises
        ------
        TimeoutError
            It has not ended in time.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with _told(progress=progress) as told:
            while (phase := self._running.phase(_left(end))) not in _FINAL:
                told(phase, self._running.progress())
                if end is not None and time.monotonic() >= end:
                    raise TimeoutError(f"The job {self.url} is {phase} after {timeout:g} s; it goes on.")
        return self

    def result(self) -> ResultTable:
        """Its rows, as soon as they are there.

        Raises
        ------
        JobFailedError
            It ended without any; in the words of the service.
        """
        return self._shown(self._ended().result())

    def stream(self) -> Stream:
        """Its rows as soon as they are there, to be walked through in the memory of a few."""
        return self._streamed(self._ended().result())

    def abort(self) -> None:
        """End it."""
        self._running.abort()

    def delete(self) -> None:
        """Have it forgotten, with its rows."""
        self._running.delete()

    def __repr__(self) -> str:
        return f"<job {self.url}: {self.phase}>"

    def _ended(self) -> RunningJob:
        self.wait()
        phase = self._running.phase()
        if phase != _GOOD:
            raise JobFailedError(self.url, phase, self.message)
        return self._running


def _left(end: float | None) -> float:
    return _WAIT_S if end is None else max(0.0, min(_WAIT_S, end - time.monotonic()))


@contextmanager
def _told(*, progress: bool) -> Iterator[Callable[[str, float | None], None]]:
    """Show how a job stands, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not (progress and console.is_terminal)) as bar:
        task = bar.add_task("job", total=None)

        def told(phase: str, done: float | None) -> None:
            bar.update(task, description=phase.lower(), total=None if done is None else 1.0, completed=done or 0.0)

        yield told
