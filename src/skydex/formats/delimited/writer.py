"""CSV and TSV: a header line and one line a row.

CSV follows RFC 4180 (text/csv); TSV is the same with tabs and Unix line ends (text/tab-separated-values). A null is an
empty field; an empty text is `""`, and a text that would read as null, as a comment or as two fields is quoted.
Neither format has a place for units; a result that was cut ends in a comment line that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats.encoding import text_of, with_points
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.tables import Column, Result

__all__ = [
    "CSV",
    "TSV",
    "Dialect",
    "overflow_remark",
    "quoted",
    "write_bare_csv",
    "write_csv",
    "write_delimited",
    "write_tsv",
]

_ROWS_A_CHUNK = 16384
_ALWAYS_QUOTED = r'["\r\n]|^\s|\s$|^#|^$|^(NULL|null|NaN|nan|--|\\N)$'


@dataclass(frozen=True)
class Dialect:
    """How fields and lines are told apart."""

    delimiter: str
    """Between two fields."""
    line_end: str
    """After each line."""
    is_bare: bool = False
    """For readers that take every line for a row and tell types from texts: no remarks, and whole floats as `2.0`."""


CSV = Dialect(",", "\r\n")
TSV = Dialect("\t", "\n")
BARE_CSV = Dialect(",", "\n", is_bare=True)


def write_csv(result: Result) -> Iterator[bytes]:
    """Write a result as CSV."""
    return write_delimited(result, CSV)


def write_bare_csv(result: Result) -> Iterator[bytes]:
    """Write a result as CSV without a remark; that rows were cut off must be told in another way."""
    return write_delimited(result, BARE_CSV)


def write_tsv(result: Result) -> Iterator[bytes]:
    """Write a result as TSV."""
    return write_delimited(result, TSV)


def write_delimited(result: Result, dialect: Dialect) -> Iterator[bytes]:
    """Write a header line, the rows, and a remark if rows were cut off."""
    names = pa.array([column.name for column in result.columns], pa.string())
    yield (dialect.delimiter.join(quoted(names, dialect.delimiter).to_pylist()) + dialect.line_end).encode()

    def lines(batch: pa.RecordBatch) -> bytes:
        texts = [_cells(*pair, dialect) for pair in zip(batch.columns, result.columns, strict=True)]
        return joined_lines(texts, dialect.delimiter, end=dialect.line_end)

    yield from ordered_map(lines, sliced(result.batches, _ROWS_A_CHUNK))
    if result.overflow and not dialect.is_bare:
        yield f"# {overflow_remark(result)}{dialect.line_end}".encode()


def overflow_remark(result: Result) -> str:
    """A sentence, without commas and tabs, for a result that was cut at its row limit."""
    limit = f" of {result.max_rows}" if result.max_rows is not None else ""
    return f"OVERFLOW: the result was cut at the row limit{limit}; there are more rows."


def quoted(texts: pa.Array, delimiter: str) -> pa.Array:
    """Put quotes around the texts that need them (RFC 4180, rules 5 to 7); nulls stay null."""
    in_need = pc.match_substring_regex(texts, pattern=f"[{delimiter}]|{_ALWAYS_QUOTED}")
    if not pc.any(in_need).as_py():
        return texts
    doubled = pc.replace_substring(texts, pattern='"', replacement='""')
    return pc.if_else(in_need, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


def _cells(array: pa.Array, column: Column, dialect: Dialect) -> pa.Array:
    texts = text_of(array, column)
    if dialect.is_bare and pa.types.is_floating(array.type):
        return with_points(texts, array)
    return quoted(texts, dialect.delimiter) if pa.types.is_string(array.type) else texts
