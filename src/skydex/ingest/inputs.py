"""The stage "read": which files a recipe means, the one table in each, and its rows in pieces of even size.

Pieces are cut at the same rows each time the same files are read, so that a piece has a key under which it can be
found done after a crash.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from skydex.errors import BadRecipeError, UnreadableFileError
from skydex.formats import Format, Source, format_of_file, get_format
from skydex.ingest.recipe import Recipe
from skydex.ingest.reconcile import Shape, first_batch
from skydex.tables import arrow_schema, uniquely_named

__all__ = ["Piece", "find_files", "fingerprint", "first_rows", "iter_pieces", "open_sources", "tables_of"]

ROWS_PER_PIECE = 131_072
"""Enough that a column's work outweighs Python's; little enough that a few pieces fit anywhere."""
BYTES_PER_PIECE = 64 << 20
SAMPLE_ROWS = 20_000
_ENDS = 1 << 16
_HATS_FILES = ("hats.properties", "properties", "collection.properties")


@dataclass(frozen=True)
class Piece:
    """Some consecutive rows of the input, in its common columns."""

    key: str
    """Names the same rows in every run: place and fingerprint of the file, number of the piece."""
    first_row: int
    """Number of the first row in the whole input, from 0."""
    rows: pa.Table
    """The rows."""


def find_files(patterns: Sequence[str]) -> list[Path]:
    """Files that paths and glob patterns mean, sorted within each pattern, each once."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        hits = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))
        if not hits:
            raise BadRecipeError(f"No file matches {pattern}.")
        found |= dict.fromkeys(Path(hit) for hit in hits)
    if not found:
        raise BadRecipeError("The recipe names no files.")
    return list(found)


def is_hats(path: Path) -> bool:
    """Whether a directory is a HATS catalogue, which needs no ingest."""
    return path.is_dir() and any((path / name).is_file() for name in _HATS_FILES)


def tables_of(file: Path, recipe: Recipe) -> list[Source]:
    """Every table of a file that has at least one column.

    Raises
    ------
    UnreadableFileError
        The file is not what it claims to be, or holds no table.
    """
    if is_hats(file):
        raise BadRecipeError(f"{file.name} is a HATS catalogue already: publish it as it is, with skydex mount.")
    sources = [source for source in _read(file, recipe) if source.columns]
    if not sources:
        raise UnreadableFileError(file.name, "it holds no table.")
    return sources


def _read(file: Path, recipe: Recipe) -> list[Source]:
    kind = _format(file, recipe)
    if kind.read is None:
        raise BadRecipeError(f"Format {kind.name} can be written, but not read.")
    try:
        return kind.read(file, {"allow_doctype": True, **recipe.options})  # a file of the operator's own, not an upload
    except OSError as error:
        raise UnreadableFileError(file.name, error.strerror or "it cannot be opened.") from error


def _format(file: Path, recipe: Recipe) -> Format:
    found: Format = get_format(recipe.format) if recipe.format else format_of_file(file)
    return found


def open_sources(recipe: Recipe) -> list[Source]:
    """The one table of each file that the recipe means."""
    return [_selected(file, recipe) for file in find_files(recipe.files)]


def _selected(file: Path, recipe: Recipe) -> Source:
    sources = tables_of(file, recipe)
    if recipe.select is None:
        if len(sources) == 1:
            return sources[0]
        raise BadRecipeError(f"{file.name} holds {len(sources)} tables ({_names(sources)}): choose one with select.")
    if isinstance(recipe.select, int):
        if 0 <= recipe.select < len(sources):
            return sources[recipe.select]
    elif found := [source for source in sources if source.name.lower() == recipe.select.lower()]:
        return found[0]
    raise BadRecipeError(f"{file.name} has no table {recipe.select}; it has {_names(sources)}.")


def _names(sources: Sequence[Source]) -> str:
    return ", ".join(f"{number}: {source.name}" for number, source in enumerate(sources))


def fingerprint(path: Path) -> str:
    """A short text that changes when a file does: from its size, its time and the bytes at its ends.

    For a directory: from those of all files in it.
    """
    if path.is_dir():
        inner = sorted(file for file in path.rglob("*") if file.is_file())
        parts = [f"{file.relative_to(path)} {fingerprint(file)}" for file in inner]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    facts = path.stat()
    digest = hashlib.sha256(f"{facts.st_size} {facts.st_mtime_ns}".encode())
    with path.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(0, facts.st_size - _ENDS))
        digest.update(file.read(_ENDS))
    return digest.hexdigest()[:24]


def first_rows(sources: Sequence[Source], shape: Shape) -> pa.Table:
    """Some rows to judge columns by: the beginning of the first file that has any."""
    for source in sources:
        own = uniquely_named(source.columns)
        batch = first_batch(source)
        if batch is not None:
            return shape.aligned(batch.slice(0, SAMPLE_ROWS), own)
    return shape.aligned(_no_rows(sources[0]), uniquely_named(sources[0].columns))


def _no_rows(source: Source) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=arrow_schema(source.columns))


def iter_pieces(sources: Sequence[Source], shape: Shape) -> Iterator[Piece]:
    """All rows of all files, in order, in pieces of about `ROWS_PER_PIECE` rows."""
    first_row = 0
    for place, source in enumerate(sources):
        mark = f"{place}:{fingerprint(source.file)}"
        own = uniquely_named(source.columns)
        aligned = (shape.aligned(batch, own) for batch in source.open_batches() if batch.num_rows)
        for number, rows in enumerate(_even(aligned)):
            yield Piece(f"{mark}:{number}", first_row, rows)
            first_row += len(rows)


def _even(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables and cut large ones; where they are cut depends on nothing but the tables."""
    waiting: list[pa.Table] = []
    n_rows = n_bytes = 0
    for table in tables:
        for part in _cut(table):
            waiting.append(part)
            n_rows, n_bytes = n_rows + len(part), n_bytes + part.nbytes
            if n_rows >= ROWS_PER_PIECE or n_bytes >= BYTES_PER_PIECE:
                yield pa.concat_tables(waiting).combine_chunks()
                waiting, n_rows, n_bytes = [], 0, 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _cut(table: pa.Table) -> Iterator[pa.Table]:
    per_row = max(1, table.nbytes // max(1, len(table)))
    step = max(1, min(ROWS_PER_PIECE, BYTES_PER_PIECE // per_row))
    for start in range(0, len(table), step):
        yield table.slice(start, step)
