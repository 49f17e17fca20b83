"""Text tables of astronomy, each in its own dialect.

Tables between blanks, the large ones among them, are read in blocks as CSV is; the others are small by nature and are
read whole by `astropy.io.ascii`. The dialect is recognised by its marks (`dialect`); only what has none is guessed by
astropy, on its first lines.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from skydex.errors import UnreadableFileError
from skydex.formats.ascii.blanks import blank_layout
from skydex.formats.ascii.dialect import dialect_of, readme_of
from skydex.formats.delimited.opening import open_plain
from skydex.formats.delimited.reader import source_of_layout
from skydex.formats.delimited.sniffing import Layout, sniffed, unique_names
from skydex.formats.format import Source
from skydex.tables import Column, Datatype, arrow_schema, arrow_type

if TYPE_CHECKING:
    from astropy.table import Column as AstropyColumn
    from astropy.table import Table as AstropyTable

__all__ = ["is_text_table", "read_ascii"]

_HEAD = 1 << 18
_LINES_GUESSED_ON = 60
_MOST_BYTES = 256 << 20
_ROWS_A_BATCH = 1 << 16
_READING = {"bars": {"format": "basic", "delimiter": "|"}}
_DATATYPES = {
    "b1": Datatype.BOOLEAN,
    "u1": Datatype.UNSIGNED_BYTE,
    "i1": Datatype.SHORT,
    "i2": Datatype.SHORT,
    "u2": Datatype.INT,
    "i4": Datatype.INT,
    "u4": Datatype.LONG,
    "i8": Datatype.LONG,
    "u8": Datatype.LONG,
    "f2": Datatype.FLOAT,
    "f4": Datatype.FLOAT,
    "f8": Datatype.DOUBLE,
}


@dataclass(frozen=True)
class _Head:
    lines: tuple[str, ...]
    is_whole: bool


def is_text_table(start: bytes) -> bool:
    """Whether a file that begins so may be a text table: printable, with more than one word a line."""
    return bool(start) and b"\0" not in start and start.count(b"\n") > 0


def read_ascii(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe a text table.

    Parameters
    ----------
    file : Path
        The file, compressed or not.
    options : mapping
        `dialect`: its name in `astropy.io.ascii`, where the file does not tell; `delimiter`, `header`, `names` and
        `null_values` as for CSV; `max_bytes`.

    Raises
    ------
    UnreadableFileError
        No dialect fits, or the rows do not fit the header.
    """
    if file.name.lower() == "readme":
        raise UnreadableFileError(file.name, "it describes tables but holds none; name the tables beside it")
    head = _head(file, options.get("max_bytes"))
    dialect = options.get("dialect") or dialect_of(file, head.lines)
    if dialect:
        return [_astropy_source(file, dialect, options)]
    layout = _layout(file, head, options)
    if layout:
        return [source_of_layout(file, layout)]
    return [_astropy_source(file, "guessed", {**options, **_guessed(file, head)})]


def _layout(file: Path, head: _Head, options: Mapping[str, Any]) -> Layout | None:
    """Between delimiters or between blanks, whichever cuts the lines evenly and into more fields."""
    if len(head.lines) < 2:
        raise UnreadableFileError(file.name, "it is one long line")
    delimited = sniffed(file, options, favourite=" ")
    if {"delimiter", "header", "names"} & options.keys() or delimited.delimiter in (",", ";", "|"):
        return delimited
    blank = blank_layout(head.lines, is_whole=head.is_whole)
    if delimited.delimiter == "\t" and (blank is None or len(blank.names) <= len(delimited.names)):
        return delimited
    return blank if blank and len(blank.names) > 1 else None


def _head(file: Path, max_bytes: int | None) -> _Head:
    with open_plain(file, max_bytes=max_bytes) as stream:
        start = stream.read(_HEAD)
    if not start.strip():
        raise UnreadableFileError(file.name, "it is empty")
    if b"\0" in start:
        raise UnreadableFileError(file.name, "it is not a text")
    return _Head(tuple(start.decode("utf-8", errors="replace").splitlines()), len(start) < _HEAD)


def _guessed(file: Path, head: _Head) -> dict[str, Any]:
    """What astropy must be told so that it reads the first lines."""
    from astropy.io import ascii as astropy_ascii

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            astropy_ascii.read(list(head.lines[:_LINES_GUESSED_ON]), guess=True)
        trials = astropy_ascii.get_read_trace()
        found = next(trial["kwargs"] for trial in trials if trial["status"].startswith("Success"))
        form = found["reader_cls"]._format_name
    except Exception as error:  # astropy raises many kinds
        raise UnreadableFileError(file.name, "its rows fit no known text format") from error
    reading = {key: found[key] for key in ("delimiter", "quotechar") if found.get(key)}
    return {"reading": {"format": form, **reading}}


def _astropy_source(file: Path, dialect: str, options: Mapping[str, Any]) -> Source:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = _table(file, dialect, options)
    names = unique_names(table.colnames)
    columns = tuple(_column(table[given], name) for given, name in zip(table.colnames, names, strict=True))
    if not columns:
        raise UnreadableFileError(file.name, f"as {dialect} it has no columns")
    return Source(
        file=file,
        name=file.name.split(".")[0],
        columns=columns,
        open_batches=partial(_batches, table, columns),
        description=" ".join(str(line) for line in table.meta.get("comments", []))[:4000],
        n_rows=len(table),
        warnings=tuple(dict.fromkeys(str(warning.message).splitlines()[0] for warning in caught)),
    )


def _table(file: Path, dialect: str, options: Mapping[str, Any]) -> AstropyTable:
    from astropy.io import ascii as astropy_ascii

    with open_plain(file, max_bytes=int(options.get("max_bytes") or _MOST_BYTES)) as stream:
        text = stream.read().decode("utf-8-sig", errors="replace")
    readme = readme_of(file) if dialect == "cds" else None
    try:
        if readme:
            return astropy_ascii.read(str(file), format="cds", readme=str(readme))
        lines = _without_rules(text.splitlines()) if dialect == "bars" else text.splitlines()
        reading = options.get("reading") or _READING.get(dialect) or {"format": dialect}
        return astropy_ascii.read(lines, **{"guess": False, **reading})
    except Exception as error:  # astropy raises many kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise UnreadableFileError(file.name, f"as {dialect} it cannot be read ({reason})") from error


def _without_rules(lines: Sequence[str]) -> list[str]:
    """Lines between bars without the outer bars and without the lines that only draw."""
    inner = [line.strip().removeprefix("|") for line in lines if set(line.strip()) - set("|-+= ")]
    return [line.removesuffix("|") for line in inner] if inner and inner[0].endswith("|") else inner


def _column(values: AstropyColumn, name: str) -> Column:
    datatype, arraysize = _type_of(values)
    return Column(name, datatype, arraysize=arraysize, unit=_unit(values), description=str(values.description or ""))


def _type_of(values: AstropyColumn) -> tuple[Datatype, str | None]:
    datatype = _DATATYPES.get(values.dtype.str[1:])
    if datatype is None:
        texts = [str(text) for text in np.ma.asarray(values).compressed().ravel()]
        wide = any(not text.isascii() for text in texts)
        return Datatype.UNICODE_CHAR if wide else Datatype.CHAR, f"{max(map(len, texts), default=1) or 1}*"
    shape = values.shape[1:]
    return datatype, "x".join(str(side) for side in reversed(shape)) if shape else None


def _unit(values: AstropyColumn) -> str | None:
    if values.unit is None:
        return None
    try:
        return str(values.unit.to_string("vounit"))
    except ValueError:
        return str(values.unit)


def _batches(table: AstropyTable, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(tuple(columns))
    for start in range(0, len(table), _ROWS_A_BATCH):
        part = table[start : start + _ROWS_A_BATCH]
        arrays = [_array(part[given], column) for given, column in zip(table.colnames, columns, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: AstropyColumn, column: Column) -> pa.Array:
    mask = np.ma.getmaskarray(np.ma.asarray(values))
    plain = np.ma.getdata(np.ma.asarray(values))
    if column.datatype.is_text:
        texts = [None if missing else str(text) for text, missing in zip(plain, mask, strict=True)]
        return pa.array(texts, pa.string())
    kind = arrow_type(column)
    if column.is_array:
        flat = pa.array(plain.ravel(), mask=mask.ravel()).cast(kind.value_type)
        ends = np.arange(len(plain) + 1, dtype=np.int32) * np.int32(plain[0].size if len(plain) else 0)
        return pa.ListArray.from_arrays(pa.array(ends), flat)
    return pa.array(plain, mask=mask, from_pandas=True).cast(kind)
