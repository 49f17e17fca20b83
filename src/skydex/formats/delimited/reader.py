"""CSV, TSV and tables separated by blanks, read in blocks.

A file is walked through once to settle the types of its columns (`settling`), and once more when its rows are asked
for. Arrow cuts the fields; a file with ragged rows, at which Arrow stops, is cut by Python's `csv`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from skydex.errors import UnreadableFileError
from skydex.formats.delimited.opening import open_plain, squeezed, unescaped
from skydex.formats.delimited.settling import Settling, converted
from skydex.formats.delimited.sniffing import Layout, sniffed
from skydex.formats.format import Source
from skydex.tables import Column, arrow_schema

__all__ = ["read_csv", "read_tsv", "source_of_layout", "text_batches"]

_BLOCK = 8 << 20
_ROWS_A_BATCH = 1 << 16
_LONGEST_FIELD = 16 << 20
_REMARK = "# OVERFLOW: "


def read_csv(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe a CSV file, whatever its delimiter; see `sniffing.sniffed` for the options."""
    return [source_of_layout(file, sniffed(file, options))]


def read_tsv(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe a TSV file; as CSV, but tabs are preferred."""
    return [source_of_layout(file, sniffed(file, options, favourite="\t"))]


def source_of_layout(file: Path, layout: Layout) -> Source:
    """Describe a file whose layout is known; walks through it once to settle the types.

    Raises
    ------
    UnreadableFileError
        Rows that do not fit the header, a text that is not in its encoding, damaged compression.
    """
    settled = _settled(file, layout)
    return Source(
        file=file,
        name=file.name.split(".")[0],
        columns=settled.columns,
        open_batches=partial(_batches, file, settled),
        description=" ".join(filter(None, layout.comments))[:4000],
        n_rows=settled.n_rows,
    )


@dataclass(frozen=True)
class _Settled:
    columns: tuple[Column, ...]
    n_rows: int
    layout: Layout
    is_ragged: bool


def _settled(file: Path, layout: Layout, *, is_ragged: bool = False) -> _Settled:
    try:
        settlings, n_rows = _surveyed(file, layout, is_ragged)
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error) and layout.encoding == "utf-8":
            return _settled(file, replace(layout, encoding="latin-1"))
        if "straddling" in str(error):
            reason = f"a line, or a text in quotes, is longer than {_BLOCK >> 20} MB"
            raise UnreadableFileError(file.name, reason) from error
        if is_ragged:
            raise UnreadableFileError(file.name, _first_line(error)) from error
        return _settled(file, layout, is_ragged=True)
    columns = tuple(_described(settling, layout) for settling in settlings)
    return _Settled(columns, n_rows, layout, is_ragged)


def _described(settling: Settling, layout: Layout) -> Column:
    name = settling.name
    found = settling.text_column() if name.lower() in layout.texts else settling.column()
    return replace(found, unit=layout.units.get(name), description=layout.descriptions.get(name, ""))


def _surveyed(file: Path, layout: Layout, is_ragged: bool) -> tuple[list[Settling], int]:
    settlings = [Settling(name, layout.nulls) for name in layout.names]
    n_rows = 0
    for batch in text_batches(file, layout, is_ragged=is_ragged):
        n_rows += batch.num_rows
        for settling, texts in zip(settlings, batch.columns, strict=True):
            settling.see(texts)
    return settlings, n_rows


def _batches(file: Path, settled: _Settled) -> Iterator[pa.RecordBatch]:
    schema, layout = arrow_schema(settled.columns), settled.layout
    try:
        for batch in text_batches(file, layout, is_ragged=settled.is_ragged):
            pairs = zip(batch.columns, settled.columns, strict=True)
            arrays = [converted(texts, column, layout.nulls) for texts, column in pairs]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(file.name, f"it changed while it was read ({_first_line(error)})") from error


def text_batches(file: Path, layout: Layout, *, is_ragged: bool = False) -> Iterator[pa.RecordBatch]:
    """Cut a file into fields: one text column for each name, nulls where there is no value."""
    cut = _ragged_batches if is_ragged else _even_batches
    with open_plain(file, max_bytes=layout.max_bytes) as stream:
        plain = squeezed(stream) if layout.any_blanks else unescaped(stream) if layout.is_dump else stream
        for batch in cut(file, plain, layout):
            yield _without_remark(batch) if batch.num_columns == 1 else batch


def _even_batches(file: Path, stream: BinaryIO, layout: Layout) -> Iterator[pa.RecordBatch]:
    places = [str(place) for place in range(len(layout.names))]
    source = pa.PythonFile(stream, "r")
    if layout.encoding != "utf-8":
        source = pa.transcoding_input_stream(source, layout.encoding, "utf-8")
    reader = pacsv.open_csv(
        source,
        read_options=pacsv.ReadOptions(
            block_size=_BLOCK,
            column_names=places,
            skip_rows=layout.skip_lines,
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char=False if layout.is_dump else '"',
            newlines_in_values=not layout.is_dump,
            invalid_row_handler=lambda row: "skip" if (row.text or "").lstrip().startswith("#") else "error",
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.string()),
            null_values=list(layout.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    yield from reader


def _ragged_batches(file: Path, stream: BinaryIO, layout: Layout) -> Iterator[pa.RecordBatch]:
    """Rows of unequal length: short ones are filled up with nulls, as astropy does."""
    places, nulls = [str(place) for place in range(len(layout.names))], frozenset(layout.nulls)
    with io.TextIOWrapper(stream, layout.encoding, newline="") as text:
        rows = _ragged_rows(file, text, layout)
        while block := list(islice(rows, _ROWS_A_BATCH)):
            columns = zip(*block, strict=True)
            texts = [pa.array([None if cell in nulls else cell for cell in column], pa.string()) for column in columns]
            yield pa.RecordBatch.from_arrays(texts, places)


def _ragged_rows(file: Path, text: io.TextIOWrapper, layout: Layout) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(
        islice(text, layout.skip_lines, None),
        delimiter=layout.delimiter,
        quoting=csv.QUOTE_NONE if layout.is_dump else csv.QUOTE_MINIMAL,
    )
    least = len(layout.names) if layout.any_blanks else 1  # between blanks a missing field would shift the others
    try:
        for row in filter(_holds_data, reader):
            # comments between blanks are gone before lines can be counted
            place = f"row {reader.line_num}" if layout.any_blanks else f"line {reader.line_num + layout.skip_lines}"
            yield _evened(file, row, (least, len(layout.names)), place)
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableFileError(file.name, _first_line(error)) from error


def _holds_data(row: Sequence[str]) -> bool:
    return bool(row) and not row[0].lstrip().startswith("#") and any(map(str.strip, row))


def _evened(file: Path, row: list[str], n_fields: tuple[int, int], place: str) -> list[str]:
    least, n_columns = n_fields
    if len(row) < least or any(map(str.strip, row[n_columns:])):
        raise UnreadableFileError(file.name, f"{place} has {len(row)} fields, but there are {n_columns} columns")
    return list(chain(row[:n_columns], [""] * (n_columns - len(row))))


def _without_remark(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One column: the remark that a result was cut cannot be told from a row by its fields."""
    remark = pc.starts_with(batch.column(0), _REMARK).fill_null(False)
    return batch.filter(pc.invert(remark)) if pc.any(remark).as_py() else batch


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300]
