"""Arrow IPC: the fastest way from here to a Python client.

Written as a stream. Unit, UCD and description stand in each field's metadata, where pyarrow shows them, and the whole
of the columns as a VOTable in the schema's (as in `parquet`). Overflow is known only at the end: a last batch without
rows carries it in its custom metadata. Reads streams and files (Feather V2).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from skydex.errors import StoreError, UnreadableFileError
from skydex.formats.format import Format, Source
from skydex.formats.sink import Sink
from skydex.tables import (
    Column,
    Result,
    arrow_type,
    column_of_arrow,
    columns_from_metadata,
    conform,
    metadata_of_columns,
)

__all__ = ["FORMAT", "INFOS", "OVERFLOW", "WARNINGS", "open_stream", "read", "sniff", "write"]

OVERFLOW, INFOS, WARNINGS = b"skydex.overflow", b"skydex.infos", b"skydex.warnings"
"""Keys: overflow and warnings in the metadata of the last batch, infos (JSON pairs) in the schema's."""

_FILE_MAGIC = b"ARROW1\x00\x00"
_STREAM_MAGIC = b"\xff\xff\xff\xff"
_DAMAGED = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)
"""What pyarrow raises of streams that claim what cannot be; a size that no memory has among it."""
_FACTS = ("unit", "ucd", "utype", "description")


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is an Arrow file or stream."""
    return head.startswith(_FILE_MAGIC) or (head.startswith(_STREAM_MAGIC) and head[8:12] == b"\x10\x00\x00\x00")


def write(result: Result) -> Iterator[bytes]:
    """Write a result as an Arrow stream: the schema at once, then a message for every batch."""
    return write_in(result, _schema(result))


def write_in(result: Result, schema: pa.Schema) -> Iterator[bytes]:
    """Like `write`, of a result whose batches are in another schema than its columns say."""
    sink = Sink()
    writer = pa.ipc.new_stream(sink, schema)
    for batch in result.batches:
        writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
        yield sink.taken()
    end = {OVERFLOW: json.dumps(result.overflow), WARNINGS: json.dumps(result.warnings)}
    writer.write_batch(_no_rows(schema), end)
    writer.close()
    yield sink.taken()


def read(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe the table of an Arrow file or stream.

    Parameters
    ----------
    file : Path
        The file; `.feather` of version 2 is the same thing.
    options : mapping
        None are known.

    Raises
    ------
    UnreadableFileError
        It is damaged, cut short, or has no column that can be published.
    """
    schema = _opened(file).schema
    try:
        columns, problems = _columns(schema, file)
    except (StoreError, UnicodeDecodeError) as error:
        raise UnreadableFileError(file.name, f"its schema is damaged ({error})") from error
    positions = list(columns)
    kept = tuple(columns.values())
    return [
        Source(
            file=file,
            name=file.name.partition(".")[0],
            columns=kept,
            open_batches=lambda: conform(_rows(file, positions), kept),
            warnings=tuple(problems),
        )
    ]


def open_stream(stream: BinaryIO, name: str) -> Result:
    """Read a stream as it arrives, batch by batch, in the memory of one.

    Parameters
    ----------
    stream : binary stream
        An Arrow stream; it need not be able to seek.
    name : str
        What to call it in errors.

    Returns
    -------
    result : Result
        What `write` was given: overflow and late warnings are known when its rows are used up.

    Raises
    ------
    UnreadableFileError
        It is no Arrow stream or has no column that can be published; while rows are taken, it is damaged or cut short.
    """
    try:
        opened = pa.ipc.open_stream(pa.PythonFile(stream, "r"))
        columns, problems = _columns(opened.schema, Path(name))
        told = json.loads((opened.schema.metadata or {}).get(INFOS, b"[]"))
        infos = tuple((str(key), str(value)) for key, value in told)
    except (*_DAMAGED, StoreError) as error:
        raise UnreadableFileError(name, f"it is no Arrow stream ({error})") from error
    kept = tuple(columns.values())
    result = Result(kept, iter(()), infos=infos, warnings=problems)
    result.batches = conform(_streamed(opened, list(columns), result, name), kept)
    return result


def _streamed(opened: Any, positions: list[int], result: Result, name: str) -> Iterator[pa.RecordBatch]:
    try:
        for batch, told in opened.iter_batches_with_custom_metadata():
            _note_end(result, told or {})
            batch.validate(full=True)  # or its offsets lead anywhere in memory
            if batch.num_rows:
                yield batch.select(positions)
    except _DAMAGED as error:
        raise UnreadableFileError(name, f"it is damaged or cut short ({error})") from error


def _note_end(result: Result, told: Mapping[bytes, bytes]) -> None:
    result.overflow = result.overflow or json.loads(told.get(OVERFLOW, b"false")) is True
    result.warnings.extend(map(str, json.loads(told.get(WARNINGS, b"[]"))))


def _schema(result: Result) -> pa.Schema:
    metadata = metadata_of_columns(result.columns, name=result.name, description=result.description)
    fields = [pa.field(column.name, arrow_type(column), metadata=_facts(column)) for column in result.columns]
    return pa.schema(fields, metadata | {INFOS: json.dumps(result.infos).encode()})


def _facts(column: Column) -> dict[str, str]:
    return {fact: value for fact in _FACTS if (value := getattr(column, fact))}


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in schema.types], schema=schema)


def _opened(file: Path) -> Any:
    """Open a file or a stream, whichever it is."""
    try:
        mapped = pa.memory_map(str(file))
        is_file = mapped.read(len(_FILE_MAGIC)) == _FILE_MAGIC
        mapped.seek(0)
        return pa.ipc.open_file(mapped) if is_file else pa.ipc.open_stream(mapped)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFileError(file.name, f"it is neither an Arrow file nor a stream ({error})") from error


def _columns(schema: pa.Schema, file: Path) -> tuple[dict[int, Column], list[str]]:
    """Describe the columns that can be carried, by position."""
    told = columns_from_metadata(schema.metadata)
    columns: dict[int, Column] = {}
    problems = []
    for position, field in enumerate(schema):
        plain = column_of_arrow(field.name, field.type)
        if plain is None:
            problems.append(f'Column "{field.name}" is left out: type {field.type} is not carried.')
            continue
        same = told.get(field.name)
        columns[position] = same if same is not None and arrow_type(same) == arrow_type(plain) else _told(plain, field)
    if not columns:
        raise UnreadableFileError(file.name, f"none of its columns can be published ({'; '.join(problems)})")
    return columns, problems


def _told(plain: Column, field: pa.Field) -> Column:
    facts = {key.decode(): value.decode("utf-8", "replace") for key, value in (field.metadata or {}).items()}
    return replace(plain, **{fact: facts[fact] for fact in _FACTS if fact in facts})


def _rows(file: Path, positions: list[int]) -> Iterator[pa.RecordBatch]:
    try:
        opened = _opened(file)
        batches = map(opened.get_batch, range(opened.num_record_batches)) if hasattr(opened, "get_batch") else opened
        for batch in batches:
            batch.validate(full=True)  # or its offsets lead anywhere in memory
            if batch.num_rows:
                yield batch.select(positions)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFileError(file.name, f"it is damaged or cut short ({error})") from error


FORMAT = Format(
    name="arrow",
    media_type="application/vnd.apache.arrow.stream",
    suffixes=(".arrow", ".arrows", ".feather"),
    aliases=("application/vnd.apache.arrow.file", "arrows", "feather"),
    read=read,
    write=write,
    sniff=sniff,
)
