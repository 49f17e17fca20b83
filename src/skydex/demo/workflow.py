"""The demonstration's work: questions asked with pyvo over the network, answers written as tables."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skydex.demo.questions import Questions
from skydex.errors import ServiceError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Answers", "ask_all"]


@dataclass(frozen=True)
class Answers:
    """What came back."""

    cone: Table
    """Stars around a position."""
    aggregate: Table
    """One row for each type of variable."""
    join: Table
    """Variables from two tables."""


def ask_all(url: str, questions: Questions, folder: Path) -> Answers:
    """Ask a server everything, and write each answer as VOTable and as CSV.

    Parameters
    ----------
    url : str
        The server.
    questions : Questions
        What to ask.
    folder : Path
        Where the tables go.
    """
    import pyvo

    folder.mkdir(parents=True, exist_ok=True)
    schema, _, table = questions.cone_table.partition(".")
    place = (questions.ra_deg, questions.dec_deg)
    cones = pyvo.dal.SCSService(f"{url}/{schema}/scs/{table}?")
    tap = pyvo.dal.TAPService(f"{url}/tap")
    return Answers(
        cone=_asked("cone", lambda: cones.search(pos=place, radius=questions.radius_deg, verbosity=3), folder),
        aggregate=_asked("aggregate", lambda: tap.search(questions.aggregate), folder),
        join=_asked("join", lambda: tap.search(questions.join), folder),
    )


def _asked(name: str, ask: Any, folder: Path) -> Table:
    start = time.perf_counter()
    answer = ask()
    seconds = time.perf_counter() - start
    if not len(answer):
        raise ServiceError(f"The {name} of the demonstration came back empty.")
    table = answer.to_table()
    answer.votable.to_xml(str(folder / f"{name}.vot"))
    table.write(folder / f"{name}.csv", format="ascii.csv", overwrite=True)
    print(f"  {name}: {len(table):,} rows in {seconds:.2f} s -> {folder / name}.vot, .csv", flush=True)
    return table
