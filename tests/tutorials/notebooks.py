"""Tutorials as tests see them: their code, their block of the original way, and what they show when they run."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 120

_ORIGINAL = re.compile(r"^## The original way$.*?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HOST = re.compile(r"https://[\w.]+")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Shown:
    """What a tutorial showed."""

    text: str
    """All that it printed, and its tables as text."""
    warnings: str
    """What it wrote to the standard error stream."""
    n_figures: int


def read(path: Path) -> Any:
    """A notebook."""
    return nbformat.read(path, 4)


def code_of(notebook: Any) -> str:
    """All its cells of code."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def prose_of(notebook: Any) -> str:
    """All its text."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def original_of(notebook: Any) -> str:
    """The same steps, as one took them before: a block that is shown, and not run in the notebook."""
    found = _ORIGINAL.search(prose_of(notebook))
    assert found, "there is no section about the original way with a block of code"
    return found[1]


def n_statements(code: str) -> int:
    """Statements of Python; long ones that fill several lines count once."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(code)))


def moved(code: str, url: str) -> str:
    """The same with a server in place of all public ones."""
    return _HOST.sub(url, code)


def run(path: Path, archive: str | Path, folder: Path, environ: Mapping[str, str] | None = None) -> Shown:
    """Execute a notebook against an archive, in a folder of its own."""
    from nbclient import NotebookClient

    notebook = read(path)
    client = NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, "TUTORIAL_ARCHIVE": str(archive), **(environ or {})})
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    streams = [(output.name, output.text) for output in outputs if output.output_type == "stream"]
    data = [output.data for output in outputs if output.output_type in ("execute_result", "display_data")]
    return Shown(
        _ESCAPES.sub("", "\n".join([*(text for _, text in streams), *(one.get("text/plain", "") for one in data)])),
        "".join(text for name, text in streams if name == "stderr"),
        sum("image/png" in one for one in data),
    )
