"""VOTable in: every table of a document as a `Source`, its rows decoded block by block.

Reads versions 1.0 to 1.5 with TABLEDATA, BINARY and BINARY2, plain or compressed. What cannot be carried (bit arrays,
complex numbers) is named in the warnings of its table; the other columns are read all the same.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from skydex.errors import UnreadableFileError, one_line
from skydex.formats import fits, parquet
from skydex.formats.compressed import open_decompressed
from skydex.formats.format import Source
from skydex.formats.votable.binary_reader import plain_bytes, rows_of_binary
from skydex.formats.votable.document import Info
from skydex.formats.votable.fields import WireField, wire_fields
from skydex.formats.votable.outline import Data, Limits, Outline, TableOutline, outline_of, utf8_stream
from skydex.formats.votable.tabledata_reader import rows_of_tabledata
from skydex.formats.votable.values import BadTimestampError
from skydex.tables import Column, arrow_schema

__all__ = ["read", "read_answer", "read_votable", "sniff"]

_ANSWER = "the answer"
_CHUNK = 4 << 20
_ROOT = re.compile(rb"<(?:[\w.-]+:)?VOTABLE[\s>]", re.IGNORECASE)
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe \t\r\n"
"""Byte order marks and blanks."""


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is a VOTable, and no other file that carries one, as Arrow and Parquet do."""
    text = head.replace(b"\x00", b"")
    return text.lstrip(_BEFORE_XML).startswith(b"<") and _ROOT.search(text) is not None


@dataclass(frozen=True)
class _Document:
    """An outlined document that can be opened again for its rows."""

    name: str
    """What to call it in errors."""
    open_stream: Callable[[], io.BufferedReader]
    """Start reading its plain bytes."""
    limits: Limits
    """How far it is trusted."""
    outline: Outline
    """What it holds."""

    @classmethod
    def opened(cls, name: str, open_plain: Callable[[], io.BufferedReader], limits: Limits) -> _Document:
        def open_stream() -> io.BufferedReader:
            return utf8_stream(open_plain())

        with open_stream() as stream:
            return cls(name, open_stream, limits, outline_of(stream, file=name, limits=limits))

    def with_tables(self) -> _Document:
        """The same; `UnreadableFileError` if it holds no table."""
        if not self.outline.tables:
            raise UnreadableFileError(self.name, _why_no_table(self.outline))
        return self


def read(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe every table of a VOTable.

    Parameters
    ----------
    file : Path
        The document, perhaps compressed.
    options : mapping
        `allow_doctype`: overlook a DOCTYPE that only names a DTD (old services write one; it is never fetched);
        `allow_fits`: read rows that are a FITS file inside the document; `allow_siblings`: let rows be in a Parquet
        file in the same directory; `bad_are_null`: read a cell that is no value of its type as null; `max_bytes`: how
        many plain bytes the document may have; `max_columns`: how many columns a table.

    Raises
    ------
    UnreadableFileError
        The document is broken, hostile, or holds no table; or, while rows are read, they are not what they claim.
    """
    document = _in_file(file, options).with_tables()
    return [_source(file, document, number) for number in range(len(document.outline.tables))]


def read_answer(file: Path, options: Mapping[str, Any]) -> tuple[list[Source], tuple[Info, ...]]:
    """Describe every table of a VOTable that may be a mere message, and give its INFOs, in order.

    Parameters are those of `read`. No table at all is no error here: then the INFOs say why.
    """
    document = _in_file(file, options)
    return [_source(file, document, number) for number in range(len(document.outline.tables))], document.outline.infos


def _in_file(file: Path, options: Mapping[str, Any]) -> _Document:
    limits = Limits(**{key: options[key] for key in Limits.__dataclass_fields__ if key in options})
    max_bytes = options.get("max_bytes")
    return _Document.opened(file.name, lambda: open_decompressed(file, max_bytes=max_bytes), limits)


def read_votable(
    document: bytes | BinaryIO, *, table: int = 0
) -> tuple[tuple[Column, ...], pa.Table, tuple[Info, ...]]:
    """Read one table of a document that is in memory or comes as a stream, rows and all.

    Parameters
    ----------
    document : bytes or binary stream
        The whole VOTable; a stream is read to its end.
    table : int, optional
        Which of the document's tables, counted from 0.

    Returns
    -------
    columns : tuple of Column
        What the columns mean.
    rows : pyarrow.Table
        In `arrow_schema(columns)`.
    infos : tuple of Info
        Every INFO of the document, in order; the last QUERY_STATUS tells of overflow.

    Raises
    ------
    UnreadableFileError
        The document is broken or holds no such table; an error document's message is in the reason.
    """
    data = document if isinstance(document, bytes) else document.read()
    limits = Limits(allow_doctype=True)
    opened = _Document.opened(_ANSWER, lambda: _in_memory(data), limits).with_tables()
    chosen = opened.outline.tables[table]
    fields = wire_fields(chosen.fields)
    refusal = _refusal(chosen.data, fields)
    if refusal:
        raise UnreadableFileError(_ANSWER, refusal)
    fields, _problems = _probed(opened, chosen.data, fields)
    columns = _columns(fields)
    return (
        columns,
        pa.Table.from_batches(_batches(opened, chosen.data, fields), arrow_schema(columns)),
        opened.outline.infos,
    )


def _in_memory(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data))


def _why_no_table(outline: Outline) -> str:
    errors = [info for info in outline.infos if info.value == "ERROR" or info.name.lower() == "error"]
    if not errors:
        return "it holds no table"
    said = one_line(errors[0].text or errors[0].value, most=120)
    return f'it holds no table, only an error message: "{said}"'


def _source(file: Path, document: _Document, number: int) -> Source:
    """Describe one table; if it cannot be read but others can, that is said when its rows are asked for."""
    table, n_tables = document.outline.tables[number], len(document.outline.tables)
    stem = file.name.partition(".")[0]
    source = Source(
        file=file,
        name=table.name or (f"{stem}_{number + 1}" if n_tables > 1 else stem),
        columns=(),
        open_batches=lambda: iter(()),
        description=table.description,
        warnings=_complaints(document.outline.infos),
        facts=document.outline.facts,
    )
    try:
        return _with_rows(source, document, table)
    except UnreadableFileError as error:
        if n_tables == 1:
            raise
        reason = error.reason
        return replace(source, open_batches=lambda: _refused(file, reason), warnings=(*source.warnings, reason))


def _with_rows(source: Source, document: _Document, table: TableOutline) -> Source:
    """Give a source its columns and rows."""
    data = table.data
    if data is not None and data.kind == "PARQUET":
        return _in_parquet(source, table, document.limits)
    if data is not None and data.kind == "FITS":
        return _in_fits(source, document, data)
    fields = wire_fields(table.fields)
    refusal = _refusal(data, fields)
    if refusal:
        raise UnreadableFileError(document.name, refusal)
    fields, problems = _probed(document, data, fields)
    return replace(
        source,
        columns=_columns(fields),
        open_batches=lambda: _batches(document, data, fields),
        n_rows=0 if data is None else None,
        warnings=(*problems, *source.warnings),
    )


def _probed(
    document: _Document, data: Data | None, fields: tuple[WireField, ...]
) -> tuple[tuple[WireField, ...], list[str]]:
    """Take a `timestamp` column whose first values are none for text, and say what is left out."""
    problems = [f'Column "{field.name}" is left out: {field.problem}.' for field in fields if field.column is None]
    while _has_timestamps(fields):
        try:
            next(_blocks(document, data, fields), None)
            break
        except BadTimestampError as error:
            problems.append(f'Column "{error.column}" is read as text: {error.reason}.')
            fields = tuple(_as_text(field) if field.name == error.column else field for field in fields)
    return fields, problems


def _batches(document: _Document, data: Data | None, fields: tuple[WireField, ...]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(_columns(fields))
    try:
        for arrays in _blocks(document, data, fields):
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except UnreadableFileError as error:
        raise UnreadableFileError(document.name, error.reason) from error


def _blocks(document: _Document, data: Data | None, fields: tuple[WireField, ...]) -> Iterator[list[pa.Array]]:
    if data is None:
        return iter(())
    chunks = _chunks(document.open_stream, data)
    if data.kind == "TABLEDATA":
        encoding, lenient = document.outline.encoding, document.limits.bad_are_null
        return rows_of_tabledata(chunks, fields, encoding, bad_are_null=lenient)
    return rows_of_binary(plain_bytes(chunks), fields, has_mask=data.kind == "BINARY2")


def _chunks(open_stream: Callable[[], io.BufferedReader], data: Data) -> Iterator[bytes]:
    """Bytes of the rows, in pieces that are always cut at the same places."""
    with open_stream() as stream:
        _skip(stream, data.start)
        left = data.end - data.start
        while left > 0 and (chunk := _read_fully(stream, min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk


def _skip(stream: io.BufferedReader, n_bytes: int) -> None:
    if stream.seekable():
        stream.seek(n_bytes)
        return
    while n_bytes and (skipped := len(stream.read(min(n_bytes, _CHUNK)))):
        n_bytes -= skipped


def _read_fully(stream: io.BufferedReader, n_bytes: int) -> bytes:
    parts = []
    while n_bytes and (part := stream.read(n_bytes)):
        parts.append(part)
        n_bytes -= len(part)
    return b"".join(parts)


def _refusal(data: Data | None, fields: tuple[WireField, ...]) -> str:
    """Why the rows of a table cannot be decoded at all; empty if they can."""
    if fields and not _columns(fields):
        return f'none of its columns can be carried: in "{fields[0].name}", {fields[0].problem}'
    if data is None or data.kind == "TABLEDATA":
        return ""
    if data.attributes.get("href"):
        return f'its rows are elsewhere ("{data.attributes["href"]}"), and references are not followed'
    if data.kind not in ("BINARY", "BINARY2"):
        return f"its rows are written as {data.kind or 'nothing known'}, which is not read here"
    encoding = data.attributes.get("encoding", "base64")
    if encoding != "base64":
        return f'its rows are encoded as "{encoding}", which is not read'
    unknown = [field for field in fields if not field.has_width]
    return f'the width of column "{unknown[0].name}" is unknown: {unknown[0].problem}' if unknown else ""


def _refused(file: Path, refusal: str) -> Iterator[pa.RecordBatch]:
    raise UnreadableFileError(file.name, refusal)


def _in_parquet(source: Source, table: TableOutline, limits: Limits) -> Source:
    """Read rows that stand in a Parquet file beside the document, if the caller trusts it."""
    href = (table.data.attributes if table.data else {}).get("href", "")
    sibling = source.file.parent / href.removeprefix("file:").removeprefix("//")
    if not limits.allow_siblings:
        raise UnreadableFileError(
            source.file.name, f'its rows are elsewhere ("{href}"), and references are not followed'
        )
    if not href.startswith("file:") or sibling.parent != source.file.parent or sibling.is_symlink():
        raise UnreadableFileError(source.file.name, f'its rows are in "{href}", which is not a file beside it')
    if not sibling.is_file():
        raise UnreadableFileError(source.file.name, f'its rows are in "{href}", which is not there')
    described = {field.name: field.column for field in wire_fields(table.fields)}
    rows = parquet.read(sibling, {})[0]
    columns = tuple(_described(column, described.get(column.name)) for column in rows.columns)
    return replace(source, columns=columns, open_batches=rows.open_batches, n_rows=rows.n_rows)


def _in_fits(source: Source, document: _Document, data: Data) -> Source:
    """Read rows that are a FITS file inside the document, by way of a temporary file that goes with the source."""
    if not document.limits.allow_fits or data.attributes.get("href"):
        raise UnreadableFileError(document.name, "its rows are a FITS file, which is not accepted inside a VOTable")
    folder = _Folder()
    inside = folder.path / "inside.fits"
    with inside.open("wb") as out:
        out.writelines(plain_bytes(_chunks(document.open_stream, data)))
    wanted = int(data.attributes.get("extnum", "1"))
    tables = fits.read_fits(inside, {})
    rows = tables[min(wanted, len(tables)) - 1]

    def open_batches(_kept: object = folder) -> Iterator[pa.RecordBatch]:
        yield from rows.open_batches()

    return replace(source, columns=rows.columns, open_batches=open_batches, n_rows=rows.n_rows, warnings=rows.warnings)


class _Folder:
    """A temporary directory that goes when nobody holds it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="skydex-votable-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _described(column: Column, by: Column | None) -> Column:
    """Give a Parquet column the meaning that its FIELD tells."""
    if by is None:
        return column
    return replace(column, unit=by.unit, ucd=by.ucd, utype=by.utype, description=by.description)


def _complaints(infos: Iterable[Info]) -> tuple[str, ...]:
    """What the service that wrote the document had to say about it."""
    said = [info for info in infos if info.name == "QUERY_STATUS"]
    overflow = any(info.value == "OVERFLOW" for info in said)
    errors = [one_line(info.text) or "no reason given" for info in said if info.value == "ERROR"]
    cut = ("The service that wrote it says that the table is not complete (OVERFLOW).",) if overflow else ()
    return (*cut, *(f"The service that wrote it reports an error: {text}" for text in errors))


def _columns(fields: Iterable[WireField]) -> tuple[Column, ...]:
    return tuple(field.column for field in fields if field.column is not None)


def _has_timestamps(fields: Iterable[WireField]) -> bool:
    return any(column.is_timestamp for column in _columns(fields))


def _as_text(field: WireField) -> WireField:
    return replace(field, column=replace(field.column, xtype=None)) if field.column is not None else field
