"""ECSV, read in blocks: the YAML header says what the columns are, Arrow cuts the CSV below it.

Astropy Proposal for Enhancement 6, ECSV 1.0 (2020). An empty field is a null. Array values of varying length or of any
shape become flat arrays; arrays of texts and other JSON values are carried as the texts they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from skydex.errors import UnreadableFileError
from skydex.formats.delimited.opening import open_plain
from skydex.formats.delimited.reader import text_batches
from skydex.formats.delimited.sniffing import Layout
from skydex.formats.format import Source
from skydex.tables import Column, Datatype, arrow_schema, arrow_type

__all__ = ["is_ecsv", "read_ecsv"]

_LONGEST_HEADER = 1 << 20
_SUBTYPE = re.compile(r"(\w+)\[([\d,\s]*(?:null)?[\d,\s]*)\]")
_DATATYPES = {
    "bool": Datatype.BOOLEAN,
    "int8": Datatype.SHORT,
    "uint8": Datatype.UNSIGNED_BYTE,
    "int16": Datatype.SHORT,
    "uint16": Datatype.INT,
    "int32": Datatype.INT,
    "uint32": Datatype.LONG,
    "int64": Datatype.LONG,
    "uint64": Datatype.LONG,
    "float16": Datatype.FLOAT,
    "float32": Datatype.FLOAT,
    "float64": Datatype.DOUBLE,
    "float128": Datatype.DOUBLE,
    "string": Datatype.UNICODE_CHAR,
}


def is_ecsv(start: bytes) -> bool:
    """Whether a file that begins so is ECSV."""
    return start.startswith(b"# %ECSV ")


def read_ecsv(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe an ECSV file from its header.

    Raises
    ------
    UnreadableFileError
        The header is not YAML or does not describe columns.
    """
    header, n_lines = _header(file, options.get("max_bytes"))
    described = [item for item in header.get("datatype") or [] if isinstance(item, Mapping) and "name" in item]
    if not described:
        raise UnreadableFileError(file.name, "its ECSV header describes no columns")
    if len(described) > options.get("max_columns", len(described)):
        raise UnreadableFileError(file.name, f"it has more than {options['max_columns']:,} columns")
    warnings: list[str] = []
    declared = tuple(_column(item, warnings) for item in described)
    delimiter = _word(header.get("delimiter"), " ")
    layout = Layout(delimiter, tuple(column.name for column in declared), n_lines + 1, nulls=("",))
    columns, n_rows = _measured(file, layout, declared)
    meta = _as_mapping(header.get("meta"))
    return [
        Source(
            file=file,
            name=_word(meta.get("name")) or file.name.split(".")[0],
            columns=columns,
            open_batches=partial(_batches, file, layout, columns),
            description=_word(meta.get("description")),
            n_rows=n_rows,
            warnings=tuple(warnings),
            facts={str(key): str(value) for key, value in meta.items() if isinstance(value, str | int | float)},
        )
    ]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where libyaml is there
    """YAML without Python objects; astropy's own tags (units, columns) become plain values."""


def _untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)
_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _untagged)


def _header(file: Path, max_bytes: int | None) -> tuple[Mapping[str, Any], int]:
    """The YAML header, and its number of lines."""
    lines, n_bytes = [], 0
    with open_plain(file, max_bytes=max_bytes) as stream:
        for line in iter(lambda: stream.readline(_LONGEST_HEADER), b""):
            n_bytes += len(line)
            if not line.startswith(b"#"):
                break
            if n_bytes > _LONGEST_HEADER:
                raise UnreadableFileError(file.name, f"its ECSV header has more than {_LONGEST_HEADER >> 20} MB")
            lines.append(line[2:].decode("utf-8", errors="replace"))
    try:
        header = yaml.load("".join(lines[1:]), _Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableFileError(file.name, f"its ECSV header is not YAML ({error})") from error
    if not isinstance(header, Mapping):
        raise UnreadableFileError(file.name, "its ECSV header is empty")
    return header, len(lines)


def _as_mapping(value: Any) -> Mapping[str, Any]:
    """A mapping, also from YAML's ordered map, which reads as pairs."""
    if isinstance(value, Mapping):
        return value
    pairs = [pair for pair in value if isinstance(pair, tuple) and len(pair) == 2] if isinstance(value, list) else []
    single = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    return dict(pairs) | {key: item for mapping in single for key, item in mapping.items()}


def _word(value: Any, default: str = "") -> str:
    """A scalar as text; aliases can make the text of a small list endless."""
    return str(value) if isinstance(value, str | int | float) else default


def _column(item: Mapping[str, Any], warnings: list[str]) -> Column:
    name, datatype = _word(item["name"]), _word(item.get("datatype"), "string")
    meta = _as_mapping(item.get("meta"))
    kind, arraysize = _type_of(datatype, item.get("subtype"))
    if kind is None:
        warnings.append(f'Column "{name}" of type {_word(item.get("subtype")) or datatype} is carried as text.')
        kind, arraysize = Datatype.UNICODE_CHAR, "*"
    known = {key: _word(meta[key]) for key in ("ucd", "utype", "xtype") if meta.get(key)}
    if kind.is_text and isinstance(meta.get("arraysize"), str):
        arraysize = meta["arraysize"]
    return Column(
        name,
        kind,
        arraysize=arraysize,
        unit=_unit(item.get("unit")),
        ucd=known.get("ucd"),
        utype=known.get("utype"),
        xtype=known.get("xtype"),
        description=_word(item.get("description")),
    )


def _type_of(datatype: str, subtype: Any) -> tuple[Datatype | None, str | None]:
    """Datatype and arraysize; no datatype for what cannot be carried as it is."""
    if subtype is None:
        kind = _DATATYPES.get(datatype)
        return kind, "*" if kind is Datatype.UNICODE_CHAR else None
    match = _SUBTYPE.fullmatch(_word(subtype))
    kind = _DATATYPES.get(match[1]) if match else None
    if not match or kind is None or kind.is_text:
        return None, None
    sides = [side.strip().replace("null", "*") for side in match[2].split(",")][::-1]
    return kind, "x".join(sides) if "*" not in sides[:-1] else "*"


def _unit(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("unit")
    return _word(value) or None


def _measured(file: Path, layout: Layout, columns: tuple[Column, ...]) -> tuple[tuple[Column, ...], int]:
    """Bound the lengths of texts and say which are ASCII, which a header does not; and count the rows."""
    texts = {place for place, column in enumerate(columns) if column.datatype.is_text and not column.is_timestamp}
    longest, wide, n_rows = dict.fromkeys(texts, 1), set(), 0
    try:
        for batch in text_batches(file, layout):
            n_rows += batch.num_rows
            for place in texts:
                longest[place] = max(longest[place], pc.max(pc.utf8_length(batch.column(place))).as_py() or 0)
                if pc.all(pc.string_is_ascii(batch.column(place))).as_py() is False:
                    wide.add(place)
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(file.name, f"its rows do not fit its header ({error})") from error
    bounded = {
        place: replace(
            columns[place],
            datatype=Datatype.UNICODE_CHAR if place in wide else Datatype.CHAR,
            arraysize=f"{max(longest[place], columns[place].max_length or 0)}*",
        )
        for place in texts
    }
    return tuple(bounded.get(place, column) for place, column in enumerate(columns)), n_rows


def _batches(file: Path, layout: Layout, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(tuple(columns))
    try:
        for batch in text_batches(file, layout):
            arrays = [_values(texts, column) for texts, column in zip(batch.columns, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except pa.ArrowInvalid as error:
        raise UnreadableFileError(file.name, f"its rows are not what its header says ({error})") from error


def _values(texts: pa.Array, column: Column) -> pa.Array:
    kind = arrow_type(column)
    if pa.types.is_list(kind):
        return _arrays(texts, kind)
    if pa.types.is_string(kind):
        return texts
    return _scalars(texts, kind)


def _scalars(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    bare = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if pa.types.is_boolean(kind):
        return _booleans(bare)
    values = bare.cast(kind)
    if pa.types.is_floating(kind) and pc.any(pc.is_nan(values)).as_py():
        return pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    return values


def _arrays(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """JSON arrays of numbers or truth values, of any depth, as flat lists; Gaia writes its truth values as texts."""
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    flat = pc.replace_substring_regex(texts.fill_null(""), pattern=r"[\[\]\s\"]", replacement="")
    parts = pc.split_pattern(flat, pattern=",")
    lengths = pc.if_else(pc.equal(flat, ""), 0, pc.list_value_length(parts)).to_numpy(zero_copy_only=False)
    elements = parts.flatten()
    elements = elements.filter(pc.not_equal(elements, ""))
    elements = pc.if_else(pc.equal(elements, "null"), pa.scalar(None, pa.string()), elements)
    elements = pc.replace_substring(elements, pattern="Infinity", replacement="inf")
    values = _booleans(elements) if pa.types.is_boolean(kind.value_type) else elements.cast(kind.value_type)
    ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    missing = pa.array(np.append(texts.is_null().to_numpy(zero_copy_only=False), False))
    return pa.ListArray.from_arrays(pc.if_else(missing, pa.scalar(None, pa.int32()), ends), values)


def _booleans(texts: pa.Array) -> pa.Array:
    lower = pc.ascii_lower(texts)
    known = pc.or_(pc.is_in(lower, value_set=pa.array(["true", "false"])), texts.is_null())
    if not pc.all(known).as_py():
        raise pa.ArrowInvalid(f"{texts.filter(pc.invert(known))[0].as_py()!r} is not True or False")
    return pc.equal(lower, "true")
