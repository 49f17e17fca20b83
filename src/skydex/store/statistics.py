"""Statistics: the least and the greatest value of each column in each row group, and how many values are missing.

They say which row groups a condition on values cannot touch, and answer MIN, MAX and COUNT without a look at the rows.
Parquet footers hold them for every column of every file together; here they lie in one file, column by column, so that
a question reads those of its own columns alone and nothing is read when a table is opened. Small tables do without
that file: their few footers say the same.

A bound may be wider than the values, never narrower: long texts are cut, and what a footer does not say is unknown.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = [
    "FEW_GROUPS",
    "ColumnStatistics",
    "Statistics",
    "has_statistics",
    "joined_statistics",
    "no_statistics",
    "statistics_in_memory",
    "statistics_of_footer",
    "statistics_to_bytes",
    "text_above",
]

FEW_GROUPS = 32
"""Tables up to so many row groups have no file of statistics."""
UNKNOWN = -1
"""Stands for a number of nulls that nobody wrote down."""
_LONGEST = 64
"""Characters of a text that are kept."""
_MOST_KEPT = 1 << 20
"""Entries of row groups that are kept of all columns together; some 25 bytes each."""
_CLUSTERED = 3.0
"""Row groups that may hold a value, if the column is to count as one that rows are sorted by."""
_PARTS = ("min", "max", "nulls", "exact")
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True, eq=False)
class ColumnStatistics:
    """Statistics of one column; one entry for each row group, in the order of `Dataset.row_groups`."""

    min: pa.Array
    """No value is less; null where all are missing, and where nothing is known."""
    max: pa.Array
    """No value is greater; null where `min` is."""
    null_count: NDArray[np.int64]
    """Missing values; -1 where it is not known. NaN in foreign catalogues is missing, and nobody counts it."""
    is_exact: NDArray[np.bool_]
    """Whether `min` and `max` are values of the column, rather than bounds of them."""

    def __len__(self) -> int:
        return len(self.null_count)

    @property
    def is_clustered(self) -> bool:
        """Whether rows are so nearly in the order of the column that its bounds leave few row groups to a value."""
        known = self.min.is_valid()
        return len(self) > 0 and _depth(self.min.filter(known), self.max.filter(known)) <= _CLUSTERED

    def is_empty(self, n_rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether all values of each row group, of so many rows, are known to be missing."""
        return np.asarray(self.null_count == n_rows)


def has_statistics(kind: pa.DataType) -> bool:
    """Whether values of a physical type have an order that statistics can speak of."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_timestamp(kind)
        or _is_text(kind)
    )


def statistics_of_footer(footer: pq.FileMetaData, schema: pa.Schema, *, is_own: bool) -> pa.Table:
    """Collect what a footer says of its row groups: one row for each.

    Parameters
    ----------
    footer : FileMetaData
        Footer of a file, or of all files of a catalogue.
    schema : Schema
        The physical schema; columns without an order are left out.
    is_own : bool
        Whether skydex wrote it. Others may cut texts, and mean NaN for what is missing, which is not counted.
    """
    leaves = {footer.schema.column(number).path: number for number in range(footer.num_columns)}
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    parts: dict[str, pa.Array] = {}
    for field in schema:
        if has_statistics(field.type) and field.name in leaves:
            number = leaves[field.name]
            parts |= _collected(field, (_said(group.column(number)) for group in groups), is_own=is_own)
    return pa.table(parts)


_Said = tuple[Any, Any, int]


def _said(chunk: pq.ColumnChunkMetaData) -> _Said:
    """Least and greatest value and the number of nulls of a column chunk, as far as they are known."""
    statistics = chunk.statistics
    if statistics is None:
        return None, None, UNKNOWN
    n_nulls = statistics.null_count if statistics.has_null_count else UNKNOWN
    if not statistics.has_min_max:
        return None, None, n_nulls
    try:
        least, greatest = statistics.min, statistics.max
    except (UnicodeDecodeError, ValueError, ImportError):  # a text cut inside a character; times of a kind not known
        return None, None, n_nulls
    return (least, greatest, n_nulls) if least == least and greatest == greatest else (None, None, n_nulls)


def _collected(field: pa.Field, said: Iterable[_Said], *, is_own: bool) -> dict[str, pa.Array]:
    rows = list(said)
    least, greatest, n_nulls = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    kind = _stored_kind(field.type)
    exact = {}
    if pa.types.is_string(kind):
        exact = {
            _named("exact", field.name): pa.array(
                [is_own and low is not None and max(len(low), len(high)) <= _LONGEST
                 for low, high in zip(least, greatest, strict=True)], pa.bool_()
            )
        }  # fmt: skip
        least, greatest = [low and low[:_LONGEST] for low in least], [_not_less(high) for high in greatest]
    if not is_own and pa.types.is_floating(kind):
        n_nulls = [UNKNOWN] * len(n_nulls)
    try:
        bounds = pa.array(least, kind), pa.array(greatest, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        bounds = pa.nulls(len(n_nulls), kind), pa.nulls(len(n_nulls), kind)
    return {
        _named("min", field.name): bounds[0],
        _named("max", field.name): bounds[1],
        _named("nulls", field.name): pa.array(n_nulls, pa.int64()),
        **exact,
    }


def _not_less(text: str | None) -> str | None:
    """The text, or a short one that is not less."""
    return text if text is None or len(text) <= _LONGEST else text_above(text[:_LONGEST])


def text_above(beginning: str) -> str | None:
    """The least text greater than all that begin so, in the order of code points; `None` if there is none."""
    head = beginning
    while head:
        following = ord(head[-1]) + 1
        if following <= 0x10FFFF:
            return head[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)
        head = head[:-1]
    return None


def _stored_kind(kind: pa.DataType) -> pa.DataType:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if _is_text(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _named(what: str, column: str) -> str:
    return f"{what}({column})"


def joined_statistics(parts: Sequence[pa.Table]) -> pa.Table:
    """Join the statistics of several files; columns that one of them lacks are unknown there."""
    return pa.concat_tables(parts, promote_options="default").combine_chunks()


def statistics_to_bytes(statistics: pa.Table) -> bytes:
    """Write statistics as a Parquet file, of which single columns can be read."""
    sink = io.BytesIO()
    pq.write_table(
        statistics,
        sink,
        compression="zstd",
        use_dictionary=[name for name in statistics.column_names if not _is_number(statistics.schema, name)],
        use_byte_stream_split=[name for name in statistics.column_names if _is_number(statistics.schema, name)],
        write_statistics=False,
        write_page_checksum=True,
        store_schema=True,
    )
    return sink.getvalue()


def _is_number(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind)) and kind.bit_width >= 32


def _depth(least: pa.Array, greatest: pa.Array) -> float:
    """Row groups between whose bounds a value lies, on the average over the bounds themselves."""
    order = pc.rank(pa.concat_arrays([least, greatest]), tiebreaker="min").to_numpy().astype(np.int64)
    low, high = np.split(order, 2)
    begun = np.searchsorted(np.sort(low), low, side="right")
    ended = np.searchsorted(np.sort(high), low, side="left")
    return float((begun - ended).mean())


class Statistics:
    """Statistics of a data set, read column by column; safe to share between threads.

    Parameters
    ----------
    known : iterable of str
        Names of the columns in a table as `statistics_of_footer` makes it.
    read : callable
        Gives some of the columns of that table.
    n_groups : int
        Row groups of the data set.
    """

    def __init__(self, known: Iterable[str], read: Callable[[list[str]], pa.Table], n_groups: int) -> None:
        self._known = frozenset(known)
        self._read = read
        self._n_groups = n_groups
        self._kept: OrderedDict[str, ColumnStatistics | None] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, column: str) -> ColumnStatistics | None:
        """The statistics of a column, if there are any."""
        with self._lock:
            if column not in self._kept:
                self._kept[column] = self._made(column)
                while len(self._kept) > max(1, _MOST_KEPT // max(self._n_groups, 1)):
                    self._kept.popitem(last=False)
            self._kept.move_to_end(column)
            return self._kept[column]

    def everything(self) -> pa.Table:
        """All of it, for a further version of the table."""
        with self._lock:
            return self._read(sorted(self._known))

    def _made(self, column: str) -> ColumnStatistics | None:
        parts = [part for what in _PARTS if (part := _named(what, column)) in self._known]
        if not parts:
            return None
        arrays = dict(_plain(self._read(parts)))
        least, greatest = arrays[_named("min", column)], arrays[_named("max", column)]
        is_known = pc.and_(pc.is_valid(least), pc.is_valid(greatest))
        exact = arrays.get(_named("exact", column), is_known)
        return ColumnStatistics(
            min=pc.if_else(is_known, least, pa.scalar(None, least.type)),
            max=pc.if_else(is_known, greatest, pa.scalar(None, greatest.type)),
            null_count=pc.fill_null(arrays[_named("nulls", column)], UNKNOWN).to_numpy(),
            is_exact=pc.and_(is_known, pc.fill_null(exact, False)).to_numpy(zero_copy_only=False),
        )


def _plain(table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    for name in table.column_names:
        column = table[name]
        yield name, column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def no_statistics(n_groups: int, kind: pa.DataType) -> ColumnStatistics:
    """Of a column of which nothing is known."""
    unknown = pa.nulls(n_groups, kind)
    return ColumnStatistics(unknown, unknown, np.full(n_groups, UNKNOWN, np.int64), np.zeros(n_groups, np.bool_))


def statistics_in_memory(table: pa.Table) -> Statistics:
    """Statistics that were collected just now."""
    return Statistics(table.column_names, table.select, len(table))
