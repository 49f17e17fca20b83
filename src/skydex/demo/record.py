"""`Record`: what a workflow of the demonstration did, step by step, and the tables and figures that came of it."""

from __future__ import annotations

import ast
import inspect
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from skydex.connection.files import write_result
from skydex.connection.rows import ResultTable

__all__ = ["SIMULATED", "Figure", "Record", "Step", "TableFiles", "imports_in", "steps_in"]

SIMULATED = "simulated data"
"""What stands in a figure of the simulated sky."""
_SUFFIXES = ("vot", "csv", "fits")
"""Of the files of a table."""


@dataclass(frozen=True)
class Figure:
    """A figure that was drawn."""

    path: Path
    """Its file, a PNG."""
    caption: str
    """What is to be seen in it."""
    data: str
    """What it was drawn from: simulated data, or published rows."""


@dataclass(frozen=True)
class TableFiles:
    """A table that was written."""

    rows: ResultTable
    """The rows."""
    paths: tuple[Path, ...]
    """One file for each format."""


@dataclass
class Step:
    """One step of a workflow; what came of it is added to it."""

    title: str
    """What is done, in words."""
    document_s: float | None
    """How long the same took in the document that the workflow follows, in seconds."""
    folder: Path
    """Where files go."""
    prefix: str
    """What their names begin with."""
    seconds: float = 0.0
    """How long it took."""
    sentences: list[str] = field(default_factory=list)
    """What came out."""
    figures: list[Figure] = field(default_factory=list)
    """What was drawn."""
    tables: list[TableFiles] = field(default_factory=list)
    """What was written."""

    def tell(self, sentence: str) -> None:
        """Keep a sentence about what came out."""
        self.sentences.append(sentence)

    def keep_table(self, name: str, rows: ResultTable) -> None:
        """Write a table, as VOTable, as CSV and as FITS."""
        where = _folder(self.folder / "tables")
        paths = tuple(where / f"{self.prefix}-{name}.{suffix}" for suffix in _SUFFIXES)
        for path in paths:
            write_result(rows.to_result(), path, overwrite=True)
        self.tables.append(TableFiles(rows, paths))

    def keep_figure(self, name: str, axes: Any, caption: str, *, data: str = SIMULATED) -> None:
        """Write a figure, which says along its right edge what it was drawn from, and close it."""
        from matplotlib import pyplot

        figure = np.ravel(axes)[0].figure
        _label(np.ravel(axes), data)
        path = _folder(self.folder / "figures") / f"{self.prefix}-{name}.png"
        figure.savefig(path, dpi=150, bbox_inches="tight", pad_inches=0.05)
        pyplot.close(figure)
        self.figures.append(Figure(path, caption, data))


@dataclass(frozen=True)
class Record:
    """What a workflow did.

    Parameters
    ----------
    folder : Path
        Where its tables and figures go.
    prefix : str
        What the names of their files begin with.
    """

    folder: Path
    prefix: str
    steps: list[Step] = field(default_factory=list)

    def seconds(self) -> float:
        """How long all steps took."""
        return sum(step.seconds for step in self.steps)

    @contextmanager
    def step(self, title: str, *, document_s: float | None = None) -> Iterator[Step]:
        """Do one step and note how long it took: the lines of the block, and nothing else.

        Parameters
        ----------
        title : str
            What is done; no two steps of a workflow have the same title, since `steps_in` finds their lines by it.
        document_s : float, optional
            How long the same took in the document, in seconds.
        """
        step = Step(title, document_s, self.folder, self.prefix)
        self.steps.append(step)
        started = time.perf_counter()
        yield step
        step.seconds = time.perf_counter() - started


def steps_in(module: ModuleType) -> dict[str, str]:
    """The lines of each step of a workflow, by its title: those that ran, and no others."""
    source = inspect.getsource(module)
    blocks = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.With) and _title_of(node)]
    return {_title_of(block): _lines_of(block.body, source) for block in blocks}


def imports_in(module: ModuleType) -> str:
    """The lines with which a workflow begins: what it imports, but for what belongs to the demonstration."""
    source = inspect.getsource(module)
    lines = [ast.unparse(node) for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(line for line in lines if not line.startswith(("from __future__", "from skydex.demo")))


def _title_of(block: ast.With) -> str:
    match block.items[0].context_expr:
        case ast.Call(func=ast.Attribute(attr="step"), args=[ast.Constant(value=str(title))]):
            return title
    return ""


def _lines_of(body: Sequence[ast.stmt], source: str) -> str:
    lines = source.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    return textwrap.dedent("\n".join(lines))


def _label(axes: Iterable[Any], text: str) -> None:
    """Write beside the last panel that is seen."""
    *_, last = (ax for ax in axes if ax.get_visible())
    offset = {"xytext": (3, 0), "textcoords": "offset points", "rotation": 90, "ha": "left", "va": "bottom"}
    last.annotate(text, (1.0, 0.0), xycoords="axes fraction", fontsize=7, color="0.35", **offset)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
