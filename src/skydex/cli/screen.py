"""What a person sees while a command works: progress on stderr, results on stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

__all__ = ["output", "progress_bar", "remark"]


class Told(Protocol):
    """Told the stage, how much of it is done, and how much there is if that is known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def output() -> Console:
    """The console for results; as wide as they need where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, soft_wrap=not sys.stdout.isatty())


def remark(text: str) -> None:
    """Tell the user something that is no result, after all results that were told before."""
    sys.stdout.flush()
    print(text, file=sys.stderr)


@contextmanager
def progress_bar(title: str, *, unit: str = "rows") -> Iterator[Told]:
    """Show how far some work is, stage by stage; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    shown = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as progress:
        stages: dict[str, TaskID] = {}

        def told(stage: str, done: int, total: int | None) -> None:
            if stage not in stages:
                stages[stage] = progress.add_task(f"{title}: {stage}", total=total)
            progress.update(stages[stage], completed=done, total=total)

        yield told
