"""Parquet files as skydex writes them.

How columns are packed is `packing`'s affair. Pages carry checksums, and the file's columns are described as VOTable in
its key-value metadata.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.store.files import new_file
from skydex.store.layout import Layout
from skydex.store.lookup import entries_of
from skydex.store.manifest import FileFacts
from skydex.store.packing import parquet_options
from skydex.store.rowgroups import RowGroups
from skydex.store.statistics import statistics_of_footer
from skydex.tables import INDEX_COLUMN

__all__ = ["PartitionFile", "constant_columns", "footer_checksum", "open_checked", "write_partition"]

_VARIES = "varies"
_TAIL = 8
"""Bytes behind a Parquet footer: its length and the magic number."""


@dataclass(frozen=True, eq=False)
class PartitionFile:
    """A partition that has been written."""

    facts: FileFacts
    """What its bytes are."""
    row_groups: RowGroups
    """Bounds of its row groups; the partition number is yet to be given."""
    n_rows: int
    """All its rows."""
    metadata: pq.FileMetaData
    """Its footer."""
    statistics: pa.Table
    """What the footer says of the values in its row groups, as `statistics_of_footer` has it."""
    entries: Mapping[str, NDArray[np.uint64]]
    """Of each column that is looked up, which values stand in which of the row groups, as `entries_of` has it."""


def write_partition(
    path: Path,
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    *,
    about: Mapping[bytes, bytes],
    layout: Layout,
    repetitive: Collection[str] = (),
) -> PartitionFile:
    """Write tables one after the other into one durable Parquet file.

    Parameters
    ----------
    path : Path
        Final name; it appears when the file is whole.
    tables : iterable of Table
        Sorted rows in `schema`; each begins a new row group.
    schema : Schema
        Physical schema of the file.
    about : mapping
        Key-value metadata.
    layout : Layout
        Size of row groups and level of compression.
    repetitive : collection of str
        Numeric columns that are packed by a dictionary.
    """
    groups: list[tuple[int, int, int]] = []
    entries: dict[str, list[NDArray[np.uint64]]] = {name: [] for name in layout.look_up}
    with new_file(path) as file:
        with pq.ParquetWriter(file, schema, **_options(schema, layout, repetitive)) as writer:
            writer.add_key_value_metadata(dict(about))
            for rows in tables:
                writer.write_table(rows, row_group_size=layout.rows_per_group)
                bounds = _bounds(rows, layout.rows_per_group)
                sizes = np.array([size for size, _, _ in bounds], np.int64)
                for name, parts in entries.items():
                    parts.append(entries_of(rows[name], sizes) + np.uint64(len(groups)))
                groups += bounds
        footer, tail = _read_footer(file.fileno(), file.written.size)
    facts = FileFacts(file.written.size, file.written.sha256, zlib.crc32(tail))
    statistics = statistics_of_footer(footer, schema, is_own=True)
    n_rows = sum(group[0] for group in groups)
    joined = {name: np.concatenate(parts) for name, parts in entries.items()}
    return PartitionFile(facts, _row_groups(groups), n_rows, footer, statistics, joined)


def _options(schema: pa.Schema, layout: Layout, repetitive: Collection[str]) -> dict[str, Any]:
    return {
        **parquet_options(schema, level=layout.compression_level, repetitive=repetitive),
        "sorting_columns": [pq.SortingColumn(0)] if schema.names[:1] == [INDEX_COLUMN] else None,
        "write_page_checksum": True,
    }


def _bounds(rows: pa.Table, size: int) -> list[tuple[int, int, int]]:
    """Rows, least and greatest index of each row group; an empty interval where there is no position."""
    starts = range(0, len(rows), size)
    counts = [min(size, len(rows) - start) for start in starts]
    if INDEX_COLUMN not in rows.column_names or rows[INDEX_COLUMN].null_count:
        return [(count, 0, -1) for count in counts]
    index: NDArray[np.int64] = rows[INDEX_COLUMN].to_numpy()
    return [(count, int(index[s]), int(index[s + count - 1])) for s, count in zip(starts, counts, strict=True)]


def _row_groups(groups: list[tuple[int, int, int]]) -> RowGroups:
    n_rows, least, greatest = np.array(groups, np.int64).reshape(-1, 3).T.copy()
    return RowGroups(np.zeros(len(n_rows), np.int32), np.arange(len(n_rows), dtype=np.int32), n_rows, least, greatest)


def _read_footer(descriptor: int, size: int) -> tuple[pq.FileMetaData, bytes]:
    """Read back the footer that has just been written."""
    length = int.from_bytes(os.pread(descriptor, 4, size - _TAIL), "little") + _TAIL
    tail = os.pread(descriptor, length, size - length)
    return pq.read_metadata(pa.BufferReader(tail)), tail


def footer_checksum(source: pa.NativeFile) -> int:
    """CRC-32 of the Parquet footer of an open file, with its length and magic number."""
    size = source.size()
    tail = source.read_at(_TAIL, max(size - _TAIL, 0))
    length = min(int.from_bytes(tail[:4], "little") + _TAIL, size)
    return zlib.crc32(source.read_at(length, size - length))


def open_checked(source: pa.NativeFile, facts: FileFacts) -> pq.ParquetFile:
    """Open one of our files if its footer is the one that was written; its pages are checked when they are read."""
    if source.size() != facts.size or footer_checksum(source) != facts.footer:
        raise OSError("The footer is not what was written.")
    return pq.ParquetFile(source, page_checksum_verification=True)


def constant_columns(footer: pq.FileMetaData, schema: pa.Schema) -> dict[str, pa.Scalar]:
    """The columns that are null throughout a file, or one and the same integer, by the statistics of its footer."""
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    found = {}
    for number, field in enumerate(schema) if footer.num_columns == len(schema) else ():
        values = set()
        for group in groups:
            values.add(_constant(group.column(number).statistics, group.num_rows, pa.types.is_integer(field.type)))
            if len(values) > 1 or _VARIES in values:
                break
        else:
            if values:
                found[field.name] = pa.scalar(values.pop(), field.type)
    return found


def _constant(statistics: pq.Statistics | None, n_rows: int, is_integer: bool) -> int | str | None:
    if statistics is None or not statistics.has_null_count:
        return _VARIES
    if statistics.null_count == n_rows:
        return None
    if is_integer and not statistics.null_count and statistics.has_min_max and statistics.min == statistics.max:
        return int(statistics.min)
    return _VARIES
