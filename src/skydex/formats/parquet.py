"""Parquet, with column meanings in the file (VOParquet 1.0: a VOTable without data in the key-value metadata).

Reads a file, or a directory of files of one schema. Units and descriptions come from VOTable metadata, or from what
astropy writes there. Writing streams row groups; floats are byte-stream-split, which zstd then halves. A result's
overflow is known only at its end, and stands in the key-value metadata of the footer, which is written last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

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

__all__ = ["FORMAT", "OVERFLOW", "read", "write"]

OVERFLOW = "skydex.overflow"
"""Key in the metadata of what we write: `true` if the result was cut at its row limit."""

_INFOS, _WARNINGS = "skydex.infos", "skydex.warnings"
_ASTROPY = b"table_meta_yaml"
_LONGEST_HEADER = 1 << 20
_BATCH_ROWS, _BATCH_BYTES = 65_536, 16 << 20
"""How many rows are read at once; of wide tables fewer."""
_GROUP_ROWS, _GROUP_BYTES = 131_072, 64 << 20
"""How many rows are written at once; of wide tables fewer."""
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_SUFFIXES = (".parquet", ".parq", ".pq")


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is Parquet."""
    return head.startswith(b"PAR1")


def read(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe the table of a Parquet file or of a directory of Parquet files.

    Parameters
    ----------
    file : Path
        A file; or a directory, all of whose Parquet files, at any depth, are read in the order of their names.
    options : mapping
        None are known.

    Raises
    ------
    UnreadableFileError
        It is damaged, empty, or has no column that can be published.
    """
    parts = _parts(file)
    try:
        first = pq.ParquetFile(parts[0])
        n_rows = sum(pq.read_metadata(part).num_rows for part in parts)
        columns, problems = _columns(first.schema_arrow)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, StoreError) as error:
        raise UnreadableFileError(file.name, f"it is not a Parquet file, or damaged ({error})") from error
    if not columns:
        raise UnreadableFileError(file.name, f"none of its columns can be published ({'; '.join(problems)})")
    kept, masks = tuple(columns), _astropy_masks(first.schema_arrow)
    return [
        Source(
            file=file,
            name=file.name.partition(".")[0],
            columns=tuple(columns.values()),
            open_batches=lambda: conform(_rows(file, parts, kept, masks), tuple(columns.values())),
            n_rows=n_rows,
            warnings=tuple(problems),
        )
    ]


def write(result: Result) -> Iterator[bytes]:
    """Write a result as one Parquet file, row group by row group; a repeated name gets a number."""
    names = _unique([column.name for column in result.columns])
    columns = [column.renamed(name) for column, name in zip(result.columns, names, strict=True)]
    metadata = metadata_of_columns(columns, name=result.name, description=result.description)
    schema = pa.schema([pa.field(column.name, arrow_type(column)) for column in columns], metadata)
    return write_in(result, schema)


def write_in(result: Result, schema: pa.Schema) -> Iterator[bytes]:
    """Like `write`, of a result whose batches are in another schema than its columns say."""
    leaves = {_leaf(field): _element(field.type) for field in schema}
    sink = Sink()
    writer = pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=[leaf for leaf, kind in leaves.items() if pa.types.is_string(kind)],
        use_byte_stream_split=[leaf for leaf, kind in leaves.items() if pa.types.is_floating(kind)],
    )
    for group in _groups(result.batches, schema):
        writer.write_table(group, row_group_size=_GROUP_ROWS)
        yield sink.taken()
    writer.add_key_value_metadata(_end_facts(result))
    writer.close()
    yield sink.taken()


def _leaf(field: pa.Field) -> str:
    """What Parquet calls the values of a column."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)


def _element(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_list(kind) else kind


def _end_facts(result: Result) -> dict[str, str]:
    return {
        OVERFLOW: json.dumps(result.overflow),
        _INFOS: json.dumps(result.infos),
        _WARNINGS: json.dumps(result.warnings),
    }


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Gather batches into row groups of a useful size."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
        if sum(part.num_rows for part in held) >= _GROUP_ROWS or sum(part.nbytes for part in held) >= _GROUP_BYTES:
            yield pa.Table.from_batches(held, schema)
            held = []
    if held:
        yield pa.Table.from_batches(held, schema)


def _unique(names: list[str]) -> list[str]:
    """Names as Parquet readers need them: a repeated one gets a number."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, n_seen = name, 1
        while candidate in taken:
            n_seen += 1
            candidate = f"{name}_{n_seen}"
        taken.add(candidate)
        unique.append(candidate)
    return unique


def _parts(file: Path) -> list[Path]:
    if not file.is_dir():
        return [file]
    parts = sorted(
        part for part in file.rglob("*") if part.suffix in _SUFFIXES and not part.name.startswith(("_", "."))
    )
    if not parts:
        raise UnreadableFileError(file.name, "the directory holds no Parquet files")
    return parts


def _columns(schema: pa.Schema) -> tuple[dict[str, Column], list[str]]:
    """Describe columns by what the metadata say, and by their types."""
    told = columns_from_metadata(schema.metadata) or _told_by_astropy(schema)
    masks = set(_astropy_masks(schema).values())
    columns: dict[str, Column] = {}
    problems = []
    for field in schema:
        plain = column_of_arrow(field.name, field.type)
        if field.name in masks:
            continue
        if plain is None:
            problems.append(f'Column "{field.name}" is left out: type {field.type} is not carried.')
        elif field.name in columns:
            problems.append(f'A second column "{field.name}" is left out.')
        else:
            columns[field.name] = _merged(plain, told.get(field.name))
    return columns, problems


def _merged(plain: Column, told: Column | None) -> Column:
    """Believe the metadata on meaning, and on type only where the values are of that type."""
    if told is None:
        return plain
    if arrow_type(told) == arrow_type(plain):
        return told
    if told.is_timestamp and not plain.is_timestamp:
        told = replace(told, xtype=None)
    return replace(told, datatype=plain.datatype, arraysize=plain.arraysize)


def _told_by_astropy(schema: pa.Schema) -> dict[str, Column]:
    """Units and descriptions as `astropy.table.Table.write(..., format="parquet")` leaves them."""
    plain = {field.name: column_of_arrow(field.name, field.type) for field in schema}
    entries = {entry.get("name", ""): entry for entry in _astropy_header(schema).get("datatype", [])}
    return {
        name: replace(column, unit=entries[name].get("unit"), description=entries[name].get("description", ""))
        for name, column in plain.items()
        if column is not None and name in entries
    }


def _astropy_masks(schema: pa.Schema) -> dict[str, str]:
    """Columns whose nulls astropy keeps in a second, Boolean column: that one's name, by theirs."""
    names = set(schema.names) if _astropy_header(schema) else set()
    return {name: f"{name}.mask" for name in names if f"{name}.mask" in names}


def _astropy_header(schema: pa.Schema) -> dict[str, Any]:
    text = (schema.metadata or {}).get(_ASTROPY)
    if not text or len(text) > _LONGEST_HEADER:
        return {}
    try:
        header = yaml.load(text, Loader=_Loader)  # knows no tags, so nothing can be constructed
    except yaml.YAMLError:
        return {}
    return header if isinstance(header, dict) else {}


def _rows(file: Path, parts: list[Path], names: tuple[str, ...], masks: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    wanted = [*names, *(masks[name] for name in names if name in masks)]
    n_rows = max(1024, min(_BATCH_ROWS, _BATCH_BYTES // (8 * len(wanted))))
    for part in parts:
        try:
            with pq.ParquetFile(part, pre_buffer=False) as opened:  # else Arrow keeps the bytes of the whole file
                for batch in opened.iter_batches(n_rows, columns=wanted):
                    batch.validate(full=True)  # Parquet's texts may be any bytes
                    arrays = [_masked(batch, name, masks.get(name)) for name in names]
                    yield pa.RecordBatch.from_arrays(arrays, names=list(names))
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UnreadableFileError(file.name, f"{part.name} is damaged or of another schema ({error})") from error


def _masked(batch: pa.RecordBatch, name: str, mask: str | None) -> pa.Array:
    values = batch.column(name)
    return values if mask is None else pc.if_else(batch.column(mask), pa.scalar(None, values.type), values)


FORMAT = Format(
    name="parquet",
    media_type="application/vnd.apache.parquet",
    suffixes=_SUFFIXES,
    aliases=("application/parquet", "application/x-parquet"),
    read=read,
    write=write,
    sniff=sniff,
)
