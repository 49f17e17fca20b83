"""Results as VOTable, in three serialisations, as a stream.

The header leaves first; it waits only for the first batch, which tells whether a `char` column must become
`unicodeChar`. Rows follow block by block, encoded in two threads and kept in order; base64 runs on across blocks. What
is known only at the end stands in INFO elements after the table: overflow, late warnings, and an error half-way.
"""

from __future__ import annotations

import binascii
import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import SkydexError
from skydex.formats.parallel import ordered_map, sliced
from skydex.formats.votable.binary import rows_as_bytes
from skydex.formats.votable.document import (
    VOTABLE_1_4,
    Info,
    Serialization,
    Version,
    field_ids,
    footer,
    header,
    wire_column,
)
from skydex.formats.votable.services import services_xml
from skydex.formats.votable.tabledata import rows_as_xml
from skydex.tables import Column, Datatype, Result

__all__ = ["write_votable"]

_BLOCK_ROWS = 32_768
_BLOCK_BYTES = 8 << 20


def write_votable(
    result: Result, serialization: Serialization = Serialization.BINARY2, *, version: Version = VOTABLE_1_4
) -> Iterator[bytes]:
    """Write a result as one VOTable document.

    Parameters
    ----------
    result : Result
        What to write; its `warnings` and `overflow` are asked for after the last row.
    serialization : Serialization
        How the rows are written.
    version : Version
        Which VOTable the document claims to be.

    Yields
    ------
    chunk : bytes
        The header first, then rows as they come, then the end.

    Raises
    ------
    SkydexError
        Whatever the rows raise. If rows have been sent by then, the document is first ended with an INFO that says so.
    """
    batches = iter(result.batches)
    first = list(itertools.islice(batches, 1))
    columns = _with_unicode(result.columns, first)
    told = len(result.warnings)
    yield header(
        columns,
        serialization,
        name=result.name,
        description=result.description,
        infos=[Info("QUERY_STATUS", "OK"), *itertools.starmap(Info, result.infos), *_warnings(result.warnings)],
        version=version,
    )
    damaged: set[str] = set()
    try:
        yield from _rows(itertools.chain(first, batches), columns, serialization, damaged)
    except SkydexError as error:
        yield footer(serialization, infos=[Info("QUERY_STATUS", "ERROR", str(error))])
        raise
    result.warnings.extend(_damage(name, serialization) for name in sorted(damaged))
    infos = [*_overflow(result), *_warnings(result.warnings[told:])]
    yield footer(serialization, infos=infos, services=_services(result, columns, serialization))


def _services(result: Result, columns: Sequence[Column], serialization: Serialization) -> str:
    if not result.services:
        return ""
    wire = [wire_column(column, serialization) for column in columns]
    identifiers = {column.name: known for column, known in zip(wire, field_ids(wire), strict=True)}
    return services_xml(result.services, identifiers)


def _rows(
    batches: Iterable[pa.RecordBatch], columns: Sequence[Column], serialization: Serialization, damaged: set[str]
) -> Iterator[bytes]:
    """Encode block by block; names of columns whose texts did not fit go to `damaged`."""
    if serialization is Serialization.TABLEDATA:
        encode = functools.partial(rows_as_xml, columns=columns)
    else:
        encode = functools.partial(rows_as_bytes, columns=columns, serialization=serialization)
    blocks = ordered_map(encode, _blocks(batches))
    chunks = _noting(blocks, damaged)
    yield from map(bytes, chunks) if serialization is Serialization.TABLEDATA else _base64(chunks)


def _blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut batches so that a block's bytes fit a processor's cache, whatever the width of a row."""
    for batch in batches:
        if batch.get_total_buffer_size() <= _BLOCK_BYTES and batch.num_rows <= _BLOCK_ROWS:
            yield batch
            continue
        row_bytes = max(1, batch.nbytes // max(1, batch.num_rows))
        yield from sliced([batch], max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // row_bytes)))


def _noting(blocks: Iterable[tuple[memoryview, set[str]]], damaged: set[str]) -> Iterator[memoryview]:
    for data, names in blocks:
        damaged |= names
        yield data


def _base64(chunks: Iterable[memoryview]) -> Iterator[bytes]:
    """Encode a stream that is cut anywhere: one or two bytes wait for the next chunk."""
    kept = b""
    for chunk in chunks:
        data = kept + bytes(chunk) if kept else chunk
        whole = len(data) // 3 * 3
        kept = bytes(data[whole:])
        if whole:
            yield binascii.b2a_base64(data[:whole], newline=False)
    if kept:
        yield binascii.b2a_base64(kept, newline=False)


def _with_unicode(columns: Sequence[Column], first: Sequence[pa.RecordBatch]) -> tuple[Column, ...]:
    """Declare `unicodeChar` where the first batch has more than ASCII: VOTable's `char` is ASCII."""
    return tuple(
        replace(column, datatype=Datatype.UNICODE_CHAR)
        if column.datatype is Datatype.CHAR and any(_has_unicode(batch.column(i)) for batch in first)
        else column
        for i, column in enumerate(columns)
    )


def _has_unicode(array: pa.Array) -> bool:
    return pa.types.is_string(array.type) and pc.all(pc.string_is_ascii(array)).as_py() is False


def _overflow(result: Result) -> list[Info]:
    if not result.overflow:
        return []
    limit = f" of {result.max_rows:,} rows" if result.max_rows is not None else ""
    return [
        Info("QUERY_STATUS", "OVERFLOW", f"The result was cut at the limit{limit}; there is at least one row more.")
    ]


def _warnings(warnings: Iterable[str]) -> Iterator[Info]:
    return (Info("warning", warning) for warning in warnings)


def _damage(name: str, serialization: Serialization) -> str:
    if serialization is Serialization.TABLEDATA:
        return f'Texts of column "{name}" hold characters that XML cannot; each was replaced by U+FFFD.'
    return (
        f'Values of column "{name}" do not fit its FIELD: characters beyond ASCII were escaped, long texts cut, '
        "null elements of unsigned bytes written as 0, integers equal to the null value read as null."
    )
