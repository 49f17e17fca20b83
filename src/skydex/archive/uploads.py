"""Uploads: tables that come along with a request, as relations of its namespace (TAP 1.1, section 2.5).

A file is read as whatever it is by its content, in the process that answers the request, and wholly into memory; who
wants to keep its rows elsewhere reads them one batch after the other (`open_upload`). It is as hostile as everything
from outside: only formats of our own are read, nothing in a file is followed to other places, and bytes, columns and
rows are counted while they are read, whatever the file says of itself.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import pyarrow as pa

from skydex.archive.requests import Upload
from skydex.errors import MemoryLimitError, UnreadableFileError, UnsupportedFormatError, UploadTooLargeError
from skydex.formats import Format, Source, format_of_suffix, get_format
from skydex.formats.compressed import first_bytes, is_compressed, open_decompressed
from skydex.query import Relation
from skydex.settings import Settings
from skydex.store.files import storing
from skydex.tables import Column, Table, arrow_schema, likely_position, longest_text, uniquely_named

__all__ = ["FORMATS", "TAP_UPLOAD", "UploadLimits", "open_upload", "read_upload"]

TAP_UPLOAD = "TAP_UPLOAD"
"""The schema that uploads are in."""
FORMATS = ("votable", "fits", "parquet", "arrow", "ecsv", "csv", "tsv")
"""Formats in which an upload may be; those that look at neighbouring files, or guess for long, are not among them."""

_MOST_COLUMNS = 2000
_DEEPEST = 100
_COPIED = 1 << 20
_SHARE_OF_MEMORY = 2
"""A table may take one part in so many of a query's memory, so that the rest is left for the query."""


@dataclass(frozen=True)
class UploadLimits:
    """How large an upload may be."""

    plain_mb: int
    """Its bytes when unpacked."""
    n_rows: int | None
    """Its rows; None for as many as there are."""
    memory_mb: int | None
    """Memory of the whole query; None where rows do not stay in it."""
    directory: Path
    """Where files are unpacked."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.upload_mb, settings.upload_rows, settings.query_memory_mb, settings.spill_directory)


def read_upload(upload: Upload, limits: UploadLimits) -> tuple[Relation, tuple[str, ...]]:
    """Read an upload.

    Parameters
    ----------
    upload : Upload
        What it is called, and where its file is.
    limits : UploadLimits
        How large it may be.

    Returns
    -------
    relation : Relation
        `TAP_UPLOAD.<name>`, with its rows in memory. Names of columns that differ only in case get a number.
    warnings : tuple of str
        What was odd: columns that cannot be carried, and why.

    Raises
    ------
    UnreadableFileError
        It is no table, or a broken or hostile one.
    UploadTooLargeError, MemoryLimitError
        It is over a limit.
    """
    name = f"{TAP_UPLOAD}.{upload.name}"
    with open_upload(upload, limits, name=name) as source:
        relation = _relation(name, source, list(source.open_batches()))
    return relation, tuple(f"{name}: {warning}" for warning in source.warnings)


@contextlib.contextmanager
def open_upload(
    upload: Upload,
    limits: UploadLimits,
    *,
    name: str,
    more: Sequence[Format] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Source]:
    """An upload as a table that is described, and can be read as long as the block lasts.

    Parameters
    ----------
    upload : Upload
        What it is called, and where its file is.
    limits : UploadLimits
        How large it may be.
    name : str
        What messages call the table.
    more : sequence of Format, optional
        Formats that it may have besides the usual ones; they are tried first.
    options : mapping, optional
        What readers should know.

    Raises
    ------
    UnreadableFileError
        It is no table, or a broken or hostile one; also in the block, while it is read.
    UploadTooLargeError, MemoryLimitError
        It is over a limit.
    """
    shown = f"the uploaded table {upload.name}"
    try:
        with _plain(Path(upload.path), name, limits) as plain:
            kind = _format(plain, upload, more)
            shown += f" as {kind.name}"
            source = _source(plain, kind, (name, options), limits)
            yield replace(source, open_batches=partial(_counted, source, name, limits))
    except UnreadableFileError as error:
        reason = error.reason.partition(" (the option ")[0]  # options are the operator's
        raise UnreadableFileError(shown, reason) from error
    except OSError as error:
        raise UnreadableFileError(shown, "its file is gone") from error


@contextlib.contextmanager
def _plain(file: Path, name: str, limits: UploadLimits) -> Iterator[Path]:
    """The file itself or, where it is compressed, its plain bytes in another; no reader ever unpacks anything."""
    with file.open("rb") as stream:
        head = stream.read(_COPIED)
    if not is_compressed(head):
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="upload-", dir=limits.directory) as directory:
        plain = Path(directory) / f"{file.name.partition('.')[0]}.plain"
        n_left = limits.plain_mb << 20
        with open_decompressed(file) as packed, storing("an unpacked upload"), plain.open("xb") as out:
            while data := packed.read(_COPIED):
                n_left -= len(data)
                if n_left < 0:
                    raise UploadTooLargeError(f"{name}, unpacked,", f"{limits.plain_mb:,} MB")
                out.write(data)
        with plain.open("rb") as stream:
            if is_compressed(stream.read(_COPIED)):
                raise UnreadableFileError(file.name, "it is compressed more than once")
        yield plain


def _format(file: Path, upload: Upload, more: Sequence[Format]) -> Format:
    """The format of a file: by its content where that tells, else what its sender calls it, else CSV."""
    head = first_bytes(file)
    kinds = [*more, *map(get_format, FORMATS)]
    sniffed = next((kind for kind in kinds if kind.sniff and kind.sniff(head)), None)
    if sniffed is not None:
        return sniffed
    if b"\0" in head:
        raise UnreadableFileError(file.name, f"its content is none of {', '.join(FORMATS)}")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return get_format("votable")  # whose reader can say what is wrong with it
    named = [kind for kind in _named(upload) if kind in kinds and kind.sniff is None]
    return named[0] if named else get_format("csv")


def _named(upload: Upload) -> Iterator[Format]:
    """What the sender calls it."""
    with contextlib.suppress(UnsupportedFormatError):
        yield get_format(upload.content_type)
    with contextlib.suppress(UnsupportedFormatError):
        yield format_of_suffix(Path(upload.path).name)


def _source(file: Path, kind: Format, told: tuple[str, Mapping[str, Any]], limits: UploadLimits) -> Source:
    """The first table of a file that has columns; `told` is its name and what the reader should know."""
    assert kind.read is not None
    name, options = told
    tables = kind.read(file, {**options, "max_columns": _MOST_COLUMNS, "max_depth": _DEEPEST})
    source = next((table for table in tables if table.columns), None)
    if source is None:
        raise UnreadableFileError(file.name, "it holds no table with columns")
    if len(source.columns) > _MOST_COLUMNS:
        raise UploadTooLargeError(name, f"{_MOST_COLUMNS:,} columns")
    _check_rows(source.n_rows or 0, name, limits)
    return source


def _counted(source: Source, name: str, limits: UploadLimits) -> Iterator[pa.RecordBatch]:
    """The rows, as long as they are within the limits."""
    n_rows = n_bytes = 0
    for batch in source.open_batches():
        n_rows, n_bytes = n_rows + batch.num_rows, n_bytes + batch.nbytes
        _check_rows(n_rows, name, limits)
        if limits.memory_mb is not None and n_bytes > (limits.memory_mb << 20) // _SHARE_OF_MEMORY:
            raise MemoryLimitError(limits.memory_mb)
        yield batch


def _check_rows(n_rows: int, name: str, limits: UploadLimits) -> None:
    if limits.n_rows is not None and n_rows > limits.n_rows:
        raise UploadTooLargeError(name, f"{limits.n_rows:,} rows")


def _relation(name: str, source: Source, batches: Sequence[pa.RecordBatch]) -> Relation:
    rows = pa.Table.from_batches(batches, arrow_schema(source.columns))
    columns = tuple(_bounded(column, rows[place]) for place, column in enumerate(uniquely_named(source.columns)))
    table = Table(name, columns, source.description, likely_position(columns), n_rows=len(rows))
    return Relation(table, rows.rename_columns([column.name for column in columns]))


def _bounded(column: Column, values: pa.ChunkedArray) -> Column:
    """A text column of any length with the length that it really has."""
    if column.arraysize != "*" or not pa.types.is_string(values.type):
        return column
    return replace(column, arraysize=f"{longest_text(values) or 1}*")
