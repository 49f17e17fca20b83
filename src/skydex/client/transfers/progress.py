"""How far transfers are, for a person at a terminal or in a notebook; nothing is shown anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from skydex.client.door import Told

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Meter", "Shown", "shown"]

Shown = bool | Told
"""Whether to show progress, or who is told instead: the stage (`files`, `bytes`), how much is done, and of how much."""


class Meter(Protocol):
    """Told what comes."""

    def files(self, n_done: int, n_files: int) -> None: ...
    def bytes(self, n_more: int) -> None: ...


class _Quiet:
    def files(self, n_done: int, n_files: int) -> None:
        pass

    def bytes(self, n_more: int) -> None:
        pass


class _Telling:
    """Tells a function."""

    def __init__(self, told: Told) -> None:
        self._told, self._n_bytes = told, 0

    def files(self, n_done: int, n_files: int) -> None:
        self._told("files", n_done, n_files)

    def bytes(self, n_more: int) -> None:
        self._n_bytes += n_more
        self._told("bytes", self._n_bytes, None)


class _Bar:
    """Draws a line: how many files of how many, how many bytes, how fast."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task, self._n_bytes = progress, task, 0

    def files(self, n_done: int, n_files: int) -> None:
        self._progress.update(self._task, completed=n_done, total=n_files)

    def bytes(self, n_more: int) -> None:
        self._n_bytes += n_more
        elapsed_s = self._progress.tasks[0].elapsed or 0.0
        speed = f", {self._n_bytes / elapsed_s / 1e6:.1f} MB/s" if elapsed_s > 0.5 else ""
        self._progress.update(self._task, amount=f"{self._n_bytes / 1e6:,.1f} MB{speed}")


@contextmanager
def shown(progress: Shown, title: str) -> Iterator[Meter]:
    """A meter for one run."""
    if callable(progress):
        yield _Telling(progress)
        return
    if not progress or not _has_viewer():
        yield _Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        yield _Bar(drawn, drawn.add_task(title, total=None, amount=""))


def _has_viewer() -> bool:
    """Whether somebody looks: at a terminal, or in a notebook that can draw it."""
    if sys.stderr.isatty():
        return True
    return "ipykernel" in sys.modules and "ipywidgets" in sys.modules
