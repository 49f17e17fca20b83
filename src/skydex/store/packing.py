"""Packing: how each column is encoded and compressed in its files.

Floating numbers as measured are noise below their exponents: BYTE_STREAM_SPLIT sets the exponents apart; integers are
close to their neighbours: DELTA_BINARY_PACKED. Columns rounded to few digits, as survey catalogues publish magnitudes,
repeat their values instead, and a dictionary is smaller. Which it is shows a trial on a sample of the rows. LZ4 follows
on all of them, since it halves the time in which zstd unpacks a row group; text and flags are packed by zstd.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["parquet_options", "repetitive_columns"]

_WORTH = 0.9
"""A dictionary is used where it takes at most this share of the space."""
_LEAST_ROWS = 200
"""Fewer rows say nothing about a column."""


def repetitive_columns(sample: pa.Table) -> frozenset[str]:
    """Find the numeric columns that a dictionary makes smaller.

    Parameters
    ----------
    sample : Table
        About a row group's worth of rows, in the order in which they will be written.
    """
    numbers = [field.name for field in sample.schema if _encoding(field.type) is not None]
    if len(sample) < _LEAST_ROWS or not numbers:
        return frozenset()
    rows = sample.select(numbers)
    plain, repeated = (_sizes(rows, dictionaries) for dictionaries in ((), numbers))
    pairs = zip(numbers, plain, repeated, strict=True)
    return frozenset(name for name, usual, other in pairs if other < _WORTH * usual)


def parquet_options(schema: pa.Schema, *, level: int, repetitive: Collection[str]) -> dict[str, Any]:
    """Arguments of `pq.ParquetWriter`; columns of lists are named by their leaf.

    Parameters
    ----------
    schema : Schema
        What is written.
    level : int
        Level of zstd.
    repetitive : collection of str
        Numeric columns that get a dictionary.
    """
    encodings = {_leaf(field): _encoding(_value_type(field.type)) for field in schema}
    others = [leaf for leaf, encoding in encodings.items() if encoding is None]
    texts = [_leaf(field) for field in schema if pa.types.is_string(_value_type(field.type))]
    return {
        "compression": {leaf: "zstd" if leaf in others else "lz4" for leaf in encodings},
        "compression_level": dict.fromkeys(others, level) or None,
        "use_dictionary": [*texts, *repetitive],
        "column_encoding": {leaf: kind for leaf, kind in encodings.items() if kind and leaf not in repetitive},
    }


def _sizes(rows: pa.Table, dictionaries: Collection[str]) -> list[int]:
    """Packed bytes of each column, on trial."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, **parquet_options(rows.schema, level=1, repetitive=dictionaries))
    metadata = pq.read_metadata(pa.BufferReader(sink.getvalue()))
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return [sum(g.column(i).total_compressed_size for g in groups) for i in range(metadata.num_columns)]


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_list(kind) else kind


def _encoding(kind: pa.DataType) -> str | None:
    if pa.types.is_floating(kind):
        return "BYTE_STREAM_SPLIT"
    return "DELTA_BINARY_PACKED" if pa.types.is_integer(kind) or pa.types.is_timestamp(kind) else None
