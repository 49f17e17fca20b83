"""`IngestReport`: what went in, what came out, and what a person should look at.

Rich prints it as a table; its `history` is kept beside the rows. A guessed unit or UCD carries a question mark and its
confidence, so that one glance shows what to confirm in a recipe.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.table import Table as RichTable

from skydex.ingest.checks import Count
from skydex.ingest.nulls import Suspicion
from skydex.tables import Column, Table

__all__ = ["IngestReport"]


@dataclass(frozen=True)
class IngestReport:
    """The outcome of one ingest."""

    table: Table
    """The published table."""
    files: tuple[str, ...]
    """Names of the input files."""
    n_read: int
    """Rows of the input."""
    n_positioned: int
    """Rows stored with a position."""
    n_unpositioned: int
    """Rows stored without one."""
    n_dropped: int = 0
    """Rows left out because the recipe says so."""
    n_partitions: int = 0
    """Files of rows."""
    n_bytes: int = 0
    """Size on disk."""
    seconds: float = 0.0
    """How long it took."""
    counts: tuple[Count, ...] = ()
    """What the checks caught."""
    suspicions: tuple[Suspicion, ...] = ()
    """Values that look as if they meant "no value"."""
    notes: tuple[str, ...] = ()
    """How positions and ids were found."""
    warnings: tuple[str, ...] = ()
    """What readers and the reconciliation of files had to say."""
    recipe: str = field(default="", repr=False)
    """The recipe in force, as YAML."""

    @property
    def n_stored(self) -> int:
        return self.n_positioned + self.n_unpositioned

    @property
    def rows_per_second(self) -> float:
        return self.n_read / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """All facts, fit for JSON."""
        measured = {"partitions": self.n_partitions, "bytes": self.n_bytes, "seconds": round(self.seconds, 3)}
        return self.history() | measured

    def history(self) -> dict[str, Any]:
        """How the table came to be: what is known before its files are written, fit for JSON."""
        return {
            "table": self.table.name,
            "files": list(self.files),
            "rows": {
                "read": self.n_read,
                "positioned": self.n_positioned,
                "unpositioned": self.n_unpositioned,
                "dropped": self.n_dropped,
            },
            "checks": [{"check": c.check, "rows": c.n_rows, "examples": list(c.examples)} for c in self.counts],
            "suspicions": [{"column": s.column, "value": s.value, "rows": s.n_rows} for s in self.suspicions],
            "inferred": {column.name: dict(column.inferred) for column in self.table.columns if column.inferred},
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "recipe": self.recipe,
        }

    def __str__(self) -> str:
        sink = io.StringIO()
        Console(file=sink, width=120, no_color=True).print(self)
        return sink.getvalue()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield f"[bold]{self.table.name}[/bold]  {escape(self.table.description)}".rstrip()
        yield self._rows_line()
        yield _columns_table(self.table)
        for title, lines in self._remarks():
            if lines:
                yield f"[bold]{title}[/bold]"
                yield from (f"  {escape(str(line))}" for line in lines)

    def _rows_line(self) -> str:
        parts = [f"{self.n_read:,} rows read", f"{self.n_positioned:,} stored with a position"]
        if self.n_unpositioned:
            parts.append(f"{self.n_unpositioned:,} without")
        if self.n_dropped:
            parts.append(f"{self.n_dropped:,} dropped")
        size = f"{self.n_partitions:,} partitions, {self.n_bytes / 1e6:,.1f} MB"
        return f"{', '.join(parts)}; {size}; {self.seconds:.1f} s ({self.rows_per_second:,.0f} rows/s)"

    def _remarks(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        yield "Found", self.notes
        yield "Checks", self.counts
        yield "Suspected null values (stored as they are)", self.suspicions
        yield "Warnings", self.warnings


def _columns_table(table: Table) -> RichTable:
    grid = RichTable("column", "type", "unit", "ucd", "description", box=None, header_style="bold", pad_edge=False)
    for column in table.columns:
        cells = (column.name, _type(column), _guessed(column, "unit"), _guessed(column, "ucd"), column.description)
        grid.add_row(*(escape(cell) for cell in cells))
    return grid


def _type(column: Column) -> str:
    return f"{column.datatype}[{column.arraysize}]" if column.arraysize else str(column.datatype)


def _guessed(column: Column, attribute: str) -> str:
    """An attribute, with a question mark and the confidence if it was guessed."""
    value = getattr(column, attribute) or ""
    trust = column.inferred.get(attribute)
    return f"{value} ?{trust:.0%}" if value and trust is not None else value
