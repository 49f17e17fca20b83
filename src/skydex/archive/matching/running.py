"""Carrying a cross-match out: tasks side by side, and what is done already kept for whoever begins it again.

Rows go to a `Staging`, whose journal says which are on the disk; beside it lies a list of the tasks that are done, with
what was counted. A task that is not in the list is done again: it gives the same parts, and those that are staged
already are left out.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skydex.archive.matching.tasks import Task
from skydex.archive.matching.work import SHIFTS, Counts, Job, Part, matches
from skydex.errors import StoreError
from skydex.store import Staging
from skydex.store.assembly import Progress

__all__ = ["Ledger", "Run", "chance_of", "check_whole", "iter_parts", "staged"]

_WAITING_PARTS = 4
_CHECKPOINT_S = 5.0
_LEDGER = "tasks.jsonl"

Done = tuple[Task, int, Part | None]
"""A part of a task with its number; or None and how many parts there were."""
Run = Callable[[Sequence[Task], Job], Iterator[Done]]
"""Carries tasks out, in any order."""


def iter_parts(tasks: Sequence[Task], job: Job, *, n_threads: int = 0) -> Iterator[Done]:
    """Carry tasks out in threads of this process; parts come as they are ready.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they are begun.
    job : Job
        What is to be done.
    n_threads : int
        How many tasks are under way at a time; 0 for two, or one where there is one core.
    """
    n_threads = min(n_threads or min(2, os.cpu_count() or 1), max(len(tasks), 1))
    if n_threads == 1:
        yield from _one_by_one(tasks, job)
        return
    with _Crew(tasks, job, n_threads) as crew:
        yield from crew


def _one_by_one(tasks: Sequence[Task], job: Job) -> Iterator[Done]:
    for task in tasks:
        n_parts = 0
        for part in matches(task, job):
            yield task, n_parts, part
            n_parts += 1
        yield task, n_parts, None


class _Crew:
    """Threads that take one task after the other; few parts are ever waiting to be fetched."""

    def __init__(self, tasks: Sequence[Task], job: Job, n_threads: int) -> None:
        self._job, self._tasks = job, iter(tasks)
        self._n_tasks = len(tasks)
        self._ready: queue.Queue[Done | BaseException] = queue.Queue(_WAITING_PARTS)
        self._turn, self._is_over = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(n_threads)]

    def __enter__(self) -> _Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        while any(thread.is_alive() for thread in self._threads):
            try:
                self._ready.get(timeout=0.05)
            except queue.Empty:
                continue

    def __iter__(self) -> Iterator[Done]:
        n_left = self._n_tasks
        while n_left:
            done = self._ready.get()
            if isinstance(done, BaseException):
                raise done
            n_left -= done[2] is None
            yield done

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                for done in _one_by_one([task], self._job):
                    if self._is_over.is_set():
                        return
                    self._ready.put(done)
        except BaseException as error:  # it is raised where the parts are wanted
            self._ready.put(error)

    def _next(self) -> Task | None:
        with self._turn:
            return None if self._is_over.is_set() else next(self._tasks, None)


class Ledger:
    """The tasks that are done, in a file."""

    def __init__(self, file: Path, staging: Staging) -> None:
        self._file, self._waiting = file, dict[str, dict[str, object]]()
        self.counts = Counts()
        """Of all tasks that are done."""
        self._done: set[str] = set()
        for line in file.read_bytes().splitlines(keepends=True) if file.exists() else []:
            entry = json.loads(line) if line.endswith(b"\n") else {}
            if entry and all(staging.is_done(piece) for piece in entry["pieces"]):
                self._done.add(entry["task"])
                self.counts += _counts(entry["counts"])
        self._cut_torn_end()

    def __contains__(self, task: Task) -> bool:
        return task.key in self._done

    def add(self, task: Task, counts: Counts, pieces: Sequence[str]) -> None:
        """Note a task, to be written down when its rows are on the disk."""
        self.counts += counts
        self._waiting[task.key] = {"task": task.key, "counts": asdict(counts), "pieces": list(pieces)}

    def write(self) -> None:
        """Write down what was noted."""
        if self._waiting:
            lines = "".join(f"{json.dumps(entry)}\n" for entry in self._waiting.values())
            with self._file.open("a", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            self._waiting.clear()

    def _cut_torn_end(self) -> None:
        content = self._file.read_bytes() if self._file.exists() else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self._file, whole)


def _counts(facts: dict[str, Any]) -> Counts:
    pairs, shifted = (tuple(map(int, facts[key])) for key in ("n_pairs", "n_shifted"))
    return Counts(facts["n_rows"], facts["n_matched"], facts["n_out"], pairs, shifted)


@dataclass
class _Sum:
    """What is known of a task under way."""

    counts: Counts
    pieces: list[str]


def staged(
    tasks: Sequence[Task],
    job: Job,
    staging: Staging,
    *,
    run: Run = iter_parts,
    progress: Progress | None = None,
) -> Counts:
    """Carry tasks out, and keep what comes out of them; those of an earlier attempt are not done again.

    Parameters
    ----------
    tasks : sequence of Task
        All of them.
    job : Job
        What is to be done.
    staging : Staging
        Where rows are kept.
    run : callable, optional
        Who does it.
    progress : callable, optional
        Told how many rows of the first table are done, and about how many there are.
    """
    ledger = Ledger(staging.directory / _LEDGER, staging)
    left = [task for task in tasks if task not in ledger]
    under_way: dict[str, _Sum] = {}
    total, n_done, last = sum(task.n_rows for task in tasks), ledger.counts.n_rows, time.monotonic()
    for task, number, part in run(left, job):
        known = under_way.setdefault(task.key, _Sum(Counts(), []))
        if part is not None:
            piece = f"{task.key}/{number}"
            if len(part.rows):
                known.pieces.append(piece)
                if not staging.is_done(piece):
                    staging.add(piece, part.rows)
            known.counts += part.counts
            n_done += part.counts.n_rows
        else:
            ledger.add(task, known.counts, known.pieces)
            del under_way[task.key]
        if progress is not None:
            progress(n_done, max(total, n_done))
        if time.monotonic() - last > _CHECKPOINT_S:
            staging.checkpoint()
            ledger.write()
            last = time.monotonic()
    _check(ledger.counts, staging, job)
    return ledger.counts


def _check(counts: Counts, staging: Staging, job: Job) -> None:
    """Rows in and rows out must agree before anybody sees them."""
    if staging.rows_done != counts.n_out:
        raise StoreError(
            f"{counts.n_out:,} rows were matched, but {staging.rows_done:,} stored. Nothing was published."
        )
    check_whole(counts, job)


def check_whole(counts: Counts, job: Job) -> None:
    """See that every row of the first table was looked at, where all of them count.

    Raises
    ------
    StoreError
        Some were not, or twice: their index is not what the catalogue says of it.
    """
    criteria, n_rows = job.criteria, int(job.sides[0].starts[-1])
    if criteria.keep.asks_for_the_lonely and criteria.region is None and counts.n_rows != n_rows:
        name = job.sides[0].shown.name
        raise StoreError(
            f"Of the {n_rows:,} rows of {name} {counts.n_rows:,} were looked at: its index does not agree with its "
            "files. Ingest it anew."
        )


def chance_of(counts: Counts) -> tuple[tuple[float, float], ...]:
    """For each other table how many partners are expected by chance, and the error of that number.

    Parameters
    ----------
    counts : Counts
        Of the whole match.

    Returns
    -------
    expected : tuple of (float, float)
        Pairs; or rows with a partner, where only the nearest counts or those without. One sigma, of counting alone.

    Notes
    -----
    Positions of the first table are shifted in four directions, and whoever has a partner there has it by chance. So
    the local density of the other table counts where the rows are, and how rows crowd does as well. The chance of one
    row is that of Downes et al. 1986 [1]_, 1 - exp(-pi r² n); see also Pineau et al. 2017 [2]_.

    References
    ----------
    .. [1] Downes, Peacock, Savage & Carrie 1986, MNRAS 218, 31
    .. [2] Pineau et al. 2017, A&A 597, A89
    """
    return tuple((n / SHIFTS, max(n, 1) ** 0.5 / SHIFTS) for n in counts.n_shifted)
