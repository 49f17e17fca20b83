"""What becomes of an answer: a table on a terminal; in a pipe CSV; a file in the format of its name.

A terminal shows the first rows, with units and as many digits as they mean, and as many columns as there is room for;
it is told what is left out. Files and pipes get every row and column as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skydex.cli.completing import formats
from skydex.cli.delivery import deliver
from skydex.cli.screen import output, remark

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console
    from rich.table import Table as Grid

    from skydex.formats import Format
    from skydex.tables import Column, Result

__all__ = ["FormatName", "MaxRec", "OutputFile", "Sink", "sink_of"]

OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; by default here.")
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="NAME",
        help="votable, fits, csv, ecsv, parquet, arrow, text, ...; by default as FILE is named; else a table on a "
        "terminal, and CSV in a pipe.",
        autocompletion=formats,
    ),
]
MaxRec = Annotated[int | None, typer.Option(min=0, help="Most rows to return.")]

_SHOWN_ROWS = 50
_TEXT_WIDTH = 40
"""How wide a column of texts is taken to be at most, when it is counted how many columns have room."""
_GAP = 2
_NAMED = 12
"""So many of the columns that are left out are named."""


@dataclass(frozen=True)
class Sink:
    """Where an answer goes."""

    file: Path | None
    """The file; None for standard output."""
    form: Format | None
    """The format; None for a table on the terminal."""

    def take(self, result: Result) -> None:
        """Give out all rows, and say on stderr what is odd about them."""
        with result:
            if self.form is None:
                _show(result, output())
            else:
                assert self.form.write is not None, "sink_of takes formats that can be written"
                deliver(self.form.write(result), self.file)
            _report(result)


def sink_of(name: str | None, file: Path | None) -> Sink:
    """Where an answer goes that was asked for as a format, or for a file.

    Raises
    ------
    UnsupportedFormatError
        There is no such format, or it cannot be written.
    """
    from skydex.errors import UnsupportedFormatError
    from skydex.formats import format_of_suffix, get_format, writable

    if name is None and file is None:
        return Sink(None, None if sys.stdout.isatty() else get_format("csv"))
    form = get_format(name) if name is not None else format_of_suffix(str(file and file.name))
    if form.write is None:
        raise UnsupportedFormatError(form.name, [kind.name for kind in writable()])
    return Sink(file, form)


def _report(result: Result) -> None:
    """What is odd about an answer, once its last row is out."""
    if result.overflow:
        at = f" at {result.max_rows:,} rows" if result.max_rows is not None else ""
        remark(f"skydex: cut{at}; there are more (--maxrec).")
    for warning in result.warnings:
        remark(f"skydex: {warning}")


def _show(result: Result, console: Console) -> None:
    """The first rows in a grid; the others are counted."""
    columns = result.columns
    head, n_rows = _head(result)
    cells = [_texts(head.column(number), column) for number, column in enumerate(columns)]
    n_shown = _n_fitting(columns, cells, console.width)
    console.print(_grid(columns[:n_shown], cells[:n_shown]))
    if n_rows > _SHOWN_ROWS:
        remark(f"The first {_SHOWN_ROWS} of {n_rows:,} rows; -o FILE writes all of them.")
    if hidden := [column.name for column in columns[n_shown:]]:
        more = ", ..." if len(hidden) > _NAMED else ""
        names = ", ".join(hidden[:_NAMED])
        remark(f"{n_shown} of {len(columns)} columns have room here, others are in -o FILE: {names}{more}")


def _head(result: Result) -> tuple[pa.Table, int]:
    """The first rows, and how many there are."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    n_rows = 0
    for batch in result.batches:
        if n_rows < _SHOWN_ROWS:
            held.append(batch.slice(0, _SHOWN_ROWS - n_rows))
        n_rows += batch.num_rows
    return pa.Table.from_batches(held, result.schema), n_rows


def _texts(values: pa.ChunkedArray, column: Column) -> list[str]:
    from skydex.connection import display_format

    form = display_format(column) or (".10g" if column.datatype.is_floating else "")
    return [_text(value, form) for value in values.to_pylist()]


def _text(value: Any, form: str) -> str:
    if value is None or value != value:  # NaN is not equal to itself
        return ""
    if isinstance(value, list):
        return " ".join(_text(one, form) for one in value)
    if isinstance(value, float):
        return format(value, form)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def _n_fitting(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> int:
    """How many columns have room, from the left; one at least."""
    used = -_GAP
    for number, wide in enumerate(_widths(columns, cells)):
        used += wide + _GAP
        if used > width:
            return max(1, number)
    return len(columns)


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> Iterator[int]:
    from rich.cells import cell_len

    for column, texts in zip(columns, cells, strict=True):
        longest = max(map(cell_len, texts), default=0)
        if column.datatype.is_text:
            longest = min(longest, _TEXT_WIDTH)
        yield max(longest, cell_len(column.name), cell_len(column.unit or ""))


def _grid(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> Grid:
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    has_units = any(column.unit for column in columns)
    for column in columns:
        head = Text(column.name)
        if has_units:
            head.append(f"\n{column.unit or ''}", style="not bold dim")
        is_text = column.datatype.is_text
        grid.add_column(head, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    for row in zip(*cells, strict=True):
        grid.add_row(*map(Text, row))
    return grid
