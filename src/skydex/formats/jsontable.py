"""JSON: columns described, rows as arrays.

`{"name", "description", "infos", "columns": [{"name", "datatype", "arraysize", "unit", "ucd", ...}], "data": [[...]],
"overflow"}`, in RFC 8259. There is no NaN and no infinity in JSON: both are `null`, as nulls are. 64-bit integers are
numbers, exact for every reader that does not force them into doubles. The same form is read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import UnreadableFileError
from skydex.formats.compressed import open_decompressed
from skydex.formats.encoding import element_offsets, text_of
from skydex.formats.format import Format, Source
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.tables import Column, Datatype, Result, arrow_schema, arrow_type

__all__ = ["FORMAT", "described", "json_cells", "json_rows", "read_json", "write_json"]

Spell = Callable[[pa.Array, Column], pa.Array]
"""Gives the values of a column as JSON texts, nulls as nulls."""

_ROWS_A_CHUNK = 16384
_MOST_BYTES = 512 << 20
_ATTRIBUTES = ("arraysize", "unit", "ucd", "utype", "xtype", "description")
_SPECIAL = r'["\\\x00-\x1f]'
_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write_json(result: Result) -> Iterator[bytes]:
    """Write a result as JSON, a row a line."""
    about: dict[str, Any] = {"name": result.name, "description": result.description, "infos": dict(result.infos)}
    about["columns"] = [described(column) for column in result.columns]
    yield (json.dumps(about, ensure_ascii=False)[:-1] + ', "data": [').encode("utf-8", "replace")

    yield from json_rows(result)
    yield f'\n], "overflow": {json.dumps(result.overflow)}}}\n'.encode()


def json_rows(result: Result, *, spell: Spell | None = None) -> Iterator[bytes]:
    """Write the rows between the brackets of `data`; `spell` may have the values of a column its own way."""
    spell = spell or json_cells

    def rows(batch: pa.RecordBatch) -> bytes:
        texts = [spell(array, column) for array, column in zip(batch.columns, result.columns, strict=True)]
        return joined_lines(texts, ",", begin=",\n[", end="]", null="null")

    separator = 1  # the first row has no comma before it
    for chunk in ordered_map(rows, sliced(result.batches, _ROWS_A_CHUNK)):
        yield chunk[separator:]
        separator = 0


def described(column: Column) -> dict[str, str]:
    """What is known of a column."""
    texts = {key: getattr(column, key) for key in _ATTRIBUTES}
    return {"name": column.name, "datatype": column.datatype.value} | {key: text for key, text in texts.items() if text}


def json_cells(array: pa.Array, column: Column) -> pa.Array:
    """The values of a column as JSON."""
    kind = array.type
    if pa.types.is_list(kind):
        elements = text_of(_finite(array.flatten()), column).fill_null("null")
        lists = pa.ListArray.from_arrays(element_offsets(array), elements)
        texts = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
        return pc.if_else(array.is_valid(), texts, pa.scalar(None, pa.string()))
    texts = text_of(_finite(array), column)
    if pa.types.is_string(kind):
        texts = _escaped(texts)
    return pc.binary_join_element_wise('"', texts, '"', "") if column.datatype.is_text else texts


def _finite(array: pa.Array) -> pa.Array:
    if not pa.types.is_floating(array.type) or pc.all(pc.is_finite(array)).as_py() is not False:
        return array
    return pc.if_else(pc.is_finite(array), array, pa.scalar(None, array.type))


def _escaped(texts: pa.Array) -> pa.Array:
    """Texts as they stand between the quotes of a JSON string (RFC 8259, section 7)."""
    if not pc.any(pc.match_substring_regex(texts, pattern=_SPECIAL)).as_py():
        return texts
    others = {chr(code): f"\\u{code:04x}" for code in range(32) if chr(code) not in _SHORT_ESCAPES}
    for character, escape in chain(_SHORT_ESCAPES.items(), others.items()):
        if pc.any(pc.match_substring(texts, character)).as_py():
            texts = pc.replace_substring(texts, pattern=character, replacement=escape)
    return texts


def read_json(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe a JSON table as this module writes it; it is held in memory, up to `max_bytes`.

    Raises
    ------
    UnreadableFileError
        It is no JSON, or none with columns and data.
    """
    with open_decompressed(file, max_bytes=int(options.get("max_bytes", _MOST_BYTES))) as stream:
        try:
            content = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(file.name, f"it is not JSON ({error})") from error
    described = content.get("columns", content.get("metadata")) if isinstance(content, dict) else None
    if not isinstance(described, list) or not isinstance(content.get("data"), list):
        raise UnreadableFileError(file.name, 'it has no "columns" and "data"')
    columns = tuple(_column(file, item) for item in described)
    return [
        Source(
            file=file,
            name=str(content.get("name") or file.name.split(".")[0]),
            columns=columns,
            open_batches=partial(_batches, file, columns, content["data"]),
            description=str(content.get("description") or ""),
            n_rows=len(content["data"]),
            warnings=("The table was cut when it was written: it has more rows.",) if content.get("overflow") else (),
        )
    ]


def _column(file: Path, item: Any) -> Column:
    try:
        texts = {key: str(item[key]) for key in _ATTRIBUTES if item.get(key)}
        datatype = Datatype(str(item.get("datatype", "")))
        description = texts.pop("description", "")
        return Column(str(item["name"]), datatype, description=description, **texts)  # type: ignore[arg-type]
    except (KeyError, ValueError, AttributeError) as error:
        raise UnreadableFileError(file.name, f"a column is not described as it should be ({error})") from error


def _batches(file: Path, columns: Sequence[Column], rows: list[Any]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(tuple(columns))
    for start in range(0, len(rows), _ROWS_A_CHUNK):
        try:
            cells = zip(*rows[start : start + _ROWS_A_CHUNK], strict=True)
            arrays = [_values(values, column) for values, column in zip(cells, columns, strict=True)]
        except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as error:
            raise UnreadableFileError(file.name, f"its rows are not what its columns say ({error})") from error
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _values(values: Sequence[Any], column: Column) -> pa.Array:
    kind = arrow_type(column)
    return pa.array(values, pa.string()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)


FORMAT = Format(
    name="json",
    media_type="application/json",
    suffixes=(".json",),
    aliases=("text/json",),
    read=read_json,
    write=write_json,
)
