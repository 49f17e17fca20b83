"""The page of the demonstration: `index.html`, which shows what was asked, how, how quickly, and what came out.

One static file beside the figures and tables that it shows: no script, and nothing from elsewhere. Every text is
escaped.
"""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from sys import modules
from typing import Any

from skydex.demo.record import Figure, Record, Step, TableFiles, imports_in, steps_in
from skydex.demo.size import Size
from skydex.demo.workflows import Workflow

__all__ = ["PAGE", "Told", "write_page"]

PAGE = "index.html"
_LIBRARIES = ("skydex", "astropy", "numpy", "matplotlib")
_N_ROWS = 4
"""How many rows of a table are shown."""
_N_COLUMNS = 16
_SERVICES = {"the archive": "/", "TAP": "/tap", "its tables": "/tap/tables", "queries to begin with": "/tap/examples"}
_POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Told:
    """A workflow that was gone, and what came of it."""

    workflow: Workflow
    """The way."""
    record: Record
    """What was done on it."""


def write_page(folder: Path, told: Sequence[Told], *, url: str, size: Size) -> Path:
    """Write the page.

    Parameters
    ----------
    folder : Path
        Where it goes; files that it shows are below.
    told : sequence of Told
        The workflows.
    url : str
        The server that was asked.
    size : Size
        How much of the simulated sky there is.
    """
    style = (files("skydex.demo") / "page.css").read_text(encoding="utf-8")
    sections = "".join(_section(one, folder, url) for one in told)
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<title>The demonstration of skydex</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n{_head(told, url, size)}{sections}{_foot()}</body>\n</html>\n"
    )
    path = folder / PAGE
    path.write_text(page, encoding="utf-8")
    return path


def _head(told: Sequence[Told], url: str, size: Size) -> str:
    rows = "".join(_overview(one) for one in told)
    seconds = sum(one.record.seconds() for one in told)
    part = "as many rows as" if size.share == 1 else f"{size.share:.3g} times as many rows as"
    links = ", ".join(f"<a href='{escape(url + path)}'>{escape(name)}</a>" for name, path in _SERVICES.items())
    return (
        "<header><h1>The demonstration of skydex</h1>\n"
        "<p>Published notebooks show how astronomers work with archives. Here are their workflows, asked of an "
        "archive on this machine: what stands in grey is all that had to be typed.</p>\n"
        "<p class='data'><b>The sky is simulated.</b> Only published rows, and what is called real, are real; "
        f"each figure says what it was drawn from. This sky (size {escape(size.name)}) has {part} the "
        "published ones.</p>\n"
        f"<p>Times are those of a server on this machine, asked over loopback ({seconds:.1f} s in all), beside those "
        "that the notebooks print, whose services were far away and had all rows. The first use of anything "
        "includes loading it.</p>\n"
        f"<table><tr><th>Workflow</th><th>Question</th><th class='n'>Steps</th><th class='n'>Lines</th>"
        f"<th class='n'>Time</th></tr>{rows}</table>\n"
        f"<p>As long as <code>make demo</code> runs, the server answers: {links}.</p></header>\n"
    )


def _overview(one: Told) -> str:
    lines = sum(len(code.splitlines()) for code in (_imports(one), one.workflow.here, *_codes(one).values()))
    link = f"<a href='#{one.workflow.name}'>{escape(one.workflow.title)}</a>"
    return (
        f"<tr><td>{link}</td><td>{escape(one.workflow.question)}</td><td class='n'>{len(one.record.steps)}</td>"
        f"<td class='n'>{lines}</td><td class='n'>{one.record.seconds():.1f} s</td></tr>"
    )


def _section(one: Told, folder: Path, url: str) -> str:
    codes = _codes(one)
    steps = "".join(_step(step, codes[step.title], folder) for step in one.record.steps)
    workflow = one.workflow
    opening = f"{_imports(one)}\n\n{workflow.here.format(at=url)}\n# the real one: {workflow.real}"
    return (
        f"<section id='{workflow.name}'><h2>{escape(workflow.title)}</h2>\n"
        f"<p class='question'>{escape(workflow.question)}</p>\n<p class='data'>{escape(workflow.data)}</p>\n"
        f"<pre tabindex='0'><code>{escape(opening)}</code></pre>\n"
        f"{steps}</section>\n"
    )


def _imports(one: Told) -> str:
    return imports_in(modules[one.workflow.run.__module__])


def _codes(one: Told) -> dict[str, str]:
    return steps_in(modules[one.workflow.run.__module__])


def _step(step: Step, code: str, folder: Path) -> str:
    document = "" if step.document_s is None else f"; in the document {step.document_s:g} s"
    sentences = "".join(f"<p>{escape(sentence)}</p>\n" for sentence in step.sentences)
    tables = "".join(_table(table, folder) for table in step.tables)
    figures = "".join(_figure(figure, folder) for figure in step.figures)
    return (
        f"<h3>{escape(step.title)}</h3>\n<p class='time'><b>{step.seconds:.2f} s</b>{document}</p>\n"
        f"<pre tabindex='0'><code>{escape(code)}</code></pre>\n{sentences}{tables}"
        + (f"<div class='figures'>{figures}</div>\n" if figures else "")
    )


def _figure(figure: Figure, folder: Path) -> str:
    place = escape(figure.path.relative_to(folder).as_posix())
    caption = escape(figure.caption)
    return (
        f"<figure><a href='{place}'><img src='{place}' alt='{caption}'></a>"
        f"<figcaption>{caption} <span>({escape(figure.data)})</span></figcaption></figure>"
    )


def _table(table: TableFiles, folder: Path) -> str:
    rows = table.rows
    names = rows.colnames[:_N_COLUMNS]
    shown = rows[:_N_ROWS]
    columns = [_texts(shown[name]) for name in names]
    head = "".join(f"<th>{escape(name)}<span>{escape(_unit(rows[name]))}</span></th>" for name in names)
    body = "".join(f"<tr>{_cells(texts)}</tr>" for texts in zip(*columns, strict=True))
    more = len(rows.colnames) - len(names)
    about = f"{len(rows):,} rows" + (f", {more} more columns" if more else "")
    links = ", ".join(
        f"<a href='{escape(path.relative_to(folder).as_posix())}'>{escape(path.suffix[1:])}</a>" for path in table.paths
    )
    return (
        f"<div class='wide' tabindex='0'><table><tr>{head}</tr>{body}</table></div>\n"
        f"<p class='files'>{about}: {links}</p>\n"
    )


def _texts(column: Any) -> list[str]:
    """Values as their column shows them, without a unit."""
    return [str(text) for text in column.info.iter_str_vals()]


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def _unit(column: Any) -> str:
    return str(column.info.unit or " ")


def _foot() -> str:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    versions = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"<footer><p class='time'>{now}; Python {platform.python_version()}, {versions}.</p></footer>\n"
