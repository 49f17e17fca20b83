"""CSV of which it is known beforehand what its columns are, as services send it with their metadata.

Nothing is guessed where something is known, so a column of identifiers is never rounded, and one pass is enough. Where
a value is not what it was said to be, its column is read as what it can be, and a warning tells. `read_typed` reads the
text of CasJobs, whose header names types: `[MatchID]:Integer,[Filter]:String` (see `typed`, which writes it).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.csv as pacsv

from skydex.errors import UnreadableFileError
from skydex.tables import Column, Datatype, Result, arrow_schema, arrow_type, column_of_arrow, conformed, longest_text

__all__ = ["TAB", "KnownCsv", "read_known_csv", "read_typed"]

_LONGEST_HEADER = 1 << 20
_TYPED = re.compile(r"\s*\[(?P<name>[^\]]*)\]\s*:\s*(?P<type>\w*)\s*", re.ASCII)
_DATATYPES = {
    "integer": Datatype.LONG,
    "bigint": Datatype.LONG,
    "int": Datatype.INT,
    "smallint": Datatype.SHORT,
    "tinyint": Datatype.UNSIGNED_BYTE,
    "float": Datatype.DOUBLE,
    "decimal": Datatype.DOUBLE,
    "real": Datatype.FLOAT,
    "boolean": Datatype.BOOLEAN,
    "bit": Datatype.BOOLEAN,
}
"""Types by the words for them in headers (mastcasjobs 0.1.1, `get_converters`); any other word is a text."""


@dataclass(frozen=True)
class KnownCsv:
    """How values are told apart."""

    delimiter: str = ","
    """Between two values."""
    nulls: tuple[str, ...] = ("", "null", "NULL", "Null")
    """What stands, outside quotes, for no value."""


TAB = KnownCsv("\t", ("",))
"""The fast download of CasJobs: nothing stands for a null, so an empty text cannot be told from it."""


def read_known_csv(
    content: bytes, find: Callable[[str], Column | None], *, layout: KnownCsv | None = None, name: str = "result"
) -> Result:
    """Read a text whose first line names its columns.

    Parameters
    ----------
    content : bytes
        All of it, in UTF-8.
    find : callable
        Gives what a column is by its name in the first line; None if that is not known.
    layout : KnownCsv, optional
        How values are told apart; by default with commas.
    name : str, optional
        What messages call it.

    Returns
    -------
    result : Result
        Its rows; columns have the names that they are known by, and those of the first line if they are not.

    Raises
    ------
    UnreadableFileError
        It has no first line, or rows that do not fit it.
    """
    layout = layout or KnownCsv()
    head, body = _header(content, layout, name)
    return _read(body, [(word, find(word)) for word in head], layout, name)


def read_typed(content: bytes, *, layout: KnownCsv | None = None, name: str = "result") -> Result:
    """Read a text whose first line names columns and types; parameters as of `read_known_csv`."""
    layout = layout or KnownCsv()
    head, body = _header(content, layout, name)
    columns = [_typed_column(cell, name) for cell in head]
    return _read(body, [(column.name, column) for column in columns], layout, name)


def _header(content: bytes, layout: KnownCsv, name: str) -> tuple[list[str], pa.Buffer]:
    content = content.removeprefix(b"\xef\xbb\xbf")
    end = content.find(b"\n", 0, _LONGEST_HEADER)
    end = len(content) if end < 0 else end
    line = content[: min(end, _LONGEST_HEADER)].decode("utf-8", "replace").strip("\r\n")
    if not line.strip():
        raise UnreadableFileError(name, "it has no line that names its columns")
    head = next(csv.reader(io.StringIO(line), delimiter=layout.delimiter))
    return [cell.strip() for cell in head], pa.py_buffer(content).slice(min(end + 1, len(content)))


def _typed_column(cell: str, name: str) -> Column:
    found = _TYPED.fullmatch(cell)
    if found is None:
        raise UnreadableFileError(name, f'its first line has "{cell[:60]}" where a column and its type are expected')
    datatype = _DATATYPES.get(found["type"].lower(), Datatype.CHAR)
    return Column(found["name"].strip(), datatype, arraysize="*" if datatype.is_text else None)


def _read(body: pa.Buffer, known: Sequence[tuple[str, Column | None]], layout: KnownCsv, name: str) -> Result:
    try:
        kinds = {str(place): _kind(column) for place, (_, column) in enumerate(known) if column is not None}
        table, warnings = _parsed(body, len(known), kinds, layout), list[str]()
    except pa.ArrowInvalid as error:
        if "conversion error" not in str(error):
            raise UnreadableFileError(name, str(error).splitlines()[0][:300]) from error
        table, warnings = _tolerant(body, known, layout, name)
    described = [_described(word, column, table.column(place)) for place, (word, column) in enumerate(known)]
    columns = tuple(column for column, _ in described)
    arrays = [values for _, values in described]
    return Result(columns, _batches(arrays, columns), warnings=warnings)


def _kind(column: Column) -> pa.DataType:
    return pa.string() if column.is_array or column.datatype.is_text else arrow_type(column)


def _parsed(body: pa.Buffer, n_columns: int, kinds: dict[str, pa.DataType], layout: KnownCsv) -> pa.Table:
    places = [str(place) for place in range(n_columns)]
    if not body.size:
        return pa.table({place: pa.array([], kinds.get(place, pa.string())) for place in places})
    return pacsv.read_csv(
        pa.BufferReader(body),
        read_options=pacsv.ReadOptions(column_names=places),
        parse_options=pacsv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=kinds,
            null_values=list(layout.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["True", "true", "1"],
            false_values=["False", "false", "0"],
        ),
    )


def _tolerant(
    body: pa.Buffer, known: Sequence[tuple[str, Column | None]], layout: KnownCsv, name: str
) -> tuple[pa.Table, list[str]]:
    """Read everything as texts, and make of each column the first that it can be."""
    try:
        texts = _parsed(body, len(known), {str(place): pa.string() for place in range(len(known))}, layout)
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(name, str(error).splitlines()[0][:300]) from error
    arrays, warnings = [], []
    for (word, column), values in zip(known, texts.columns, strict=True):
        wanted = _kind(column) if column is not None else pa.int64()
        found = next(cast for kind in (wanted, pa.float64(), pa.string()) if (cast := _cast(values, kind)) is not None)
        if column is not None and found.type != wanted:
            warnings.append(
                f'Column "{word}" is {wanted} by its description, and holds what is not: read as {found.type}.'
            )
        arrays.append(found)
    return pa.table(arrays, [str(place) for place in range(len(known))]), warnings


def _cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


def _described(word: str, known: Column | None, values: pa.ChunkedArray) -> tuple[Column, pa.ChunkedArray]:
    """What a column is, now that its values are there, and these as they travel."""
    column = known
    if column is None or _kind(column) != values.type:
        kind = values.type if not pa.types.is_null(values.type) else pa.string()
        plain = column_of_arrow(word if column is None else column.name, kind)
        if plain is None:
            plain, values = Column(word, Datatype.CHAR, arraysize="*"), values.cast(pa.string())
        column = plain if column is None else replace(plain, name=column.name, unit=column.unit, ucd=column.ucd)
    if column.is_array:
        column = replace(column, datatype=Datatype.CHAR, arraysize="*")
    if column.datatype.is_text and not column.is_timestamp and column.arraysize in (None, "*"):
        column = replace(column, arraysize=f"{max(longest_text(values.cast(pa.string())), 1)}*")
    kind = arrow_type(column)
    return column, pa.chunked_array([conformed(chunk, column) for chunk in values.chunks], kind)


def _batches(arrays: Sequence[pa.ChunkedArray], columns: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
    yield from pa.table(list(arrays), schema=arrow_schema(columns)).to_batches()
