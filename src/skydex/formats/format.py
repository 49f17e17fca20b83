"""`Format`: the role of a file format, and `Source`: a table as a file tells it.

A format yields Arrow batches in the file's own columns and writes results as a stream of byte chunks. What columns
mean in the sky is the recipe's affair (`ingest`), not the format's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from skydex.tables import Column, Result

__all__ = ["Format", "Reader", "Source", "Writer"]


@dataclass(frozen=True)
class Source:
    """One table of a file, described but not yet read."""

    file: Path
    """Where it is."""
    name: str
    """The table's own name in its file, or the file's stem."""
    columns: tuple[Column, ...]
    """The file's columns with whatever unit, UCD and description it gives."""
    open_batches: Callable[[], Iterator[pa.RecordBatch]]
    """Start reading: batches in `arrow_schema(columns)`, always cut at the same rows for the same file."""
    description: str = ""
    """What the file says of the table."""
    n_rows: int | None = None
    """Number of rows, if the file tells before it is read."""
    warnings: tuple[str, ...] = ()
    """What a reader of the file should know: columns that could not be carried, and why."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further header facts worth keeping: coordinate and time systems, epoch, equinox."""


class Reader(Protocol):
    """Describe every table of a file, in the file's order; rows are read only when asked for."""

    def __call__(self, file: Path, options: Mapping[str, Any]) -> list[Source]: ...


class Writer(Protocol):
    """Write a result as a stream of byte chunks; ask `result.overflow` after the last row."""

    def __call__(self, result: Result) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class Format:
    """A file format: how it is called, and how it reads and writes."""

    name: str
    """Short name, as in RESPONSEFORMAT and `--format`."""
    media_type: str
    """Media type of what it writes."""
    suffixes: tuple[str, ...]
    """File name endings, the usual one first, each with its dot."""
    aliases: tuple[str, ...] = ()
    """Further names and media types under which it can be asked for."""
    read: Reader | None = None
    """How to read it, if it is read."""
    write: Writer | None = None
    """How to write it, if it is written."""
    sniff: Callable[[bytes], bool] | None = None
    """Whether a file that begins with these bytes is of this format."""
    service: str = ""
    """Name of the one service whose clients read it; it is found by its name, and no other service offers it."""
