"""`Workflow`: one of the published ways of working that the demonstration goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skydex.demo.record import Record

__all__ = ["Workflow"]


@dataclass(frozen=True)
class Workflow:
    """A way from a question to a figure.

    Its steps are the blocks `with record.step(...)` of `run`; what stands in such a block is what an astronomer types.
    """

    name: str
    """A short name, with which those of its files begin."""
    title: str
    """What it is about."""
    question: str
    """What it asks."""
    data: str
    """Which of its data are simulated and which are real."""
    here: str
    """The line that opens the archive of the demonstration, whose address stands for `{at}`."""
    real: str
    """The line that opens the real service instead."""
    run: Callable[[str, Record], None]
    """Goes the way, at an address or a directory."""
