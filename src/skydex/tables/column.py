"""`Column`: what the values of one column mean, in VOTable's words.

A `Column` is a VOTable FIELD (VOTable 1.5, section 4.1) without its bytes. This module also keeps the one mapping
between VOTable datatypes and the Arrow types that carry the values while they are in motion; every reader ends in
these types and every writer may rely on them.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "BIT",
    "INDEX_COLUMN",
    "Column",
    "Datatype",
    "arrow_schema",
    "arrow_type",
    "column_of_arrow",
    "longest_text",
    "uniquely_named",
]

INDEX_COLUMN = "_healpix_29"
"""Name of the order-29 HEALPix column that HATS adds; never shown to users."""

TIMESTAMP = "timestamp"
"""xtype of a DALI timestamp: ISO 8601, UTC unless a TIMESYS says otherwise (DALI 1.1, section 3.3.3)."""
BIT = "bit"
"""xtype of a number that is 0 or 1 and means no or yes, as the type of that name does in Transact-SQL."""

_BEYOND_UTF16 = r"[\x{10000}-\x{10FFFF}]"


class Datatype(enum.StrEnum):
    """The VOTable primitives that skydex carries (VOTable 1.5, section 2.1)."""

    BOOLEAN = "boolean"
    UNSIGNED_BYTE = "unsignedByte"
    SHORT = "short"
    INT = "int"
    LONG = "long"
    CHAR = "char"
    UNICODE_CHAR = "unicodeChar"
    FLOAT = "float"
    DOUBLE = "double"

    @property
    def is_text(self) -> bool:
        return self in (Datatype.CHAR, Datatype.UNICODE_CHAR)

    @property
    def is_floating(self) -> bool:
        return self in (Datatype.FLOAT, Datatype.DOUBLE)

    @property
    def is_integer(self) -> bool:
        return self in (Datatype.UNSIGNED_BYTE, Datatype.SHORT, Datatype.INT, Datatype.LONG)

    @property
    def is_numeric(self) -> bool:
        return self.is_integer or self.is_floating


_ARROW = {
    Datatype.BOOLEAN: pa.bool_(),
    Datatype.UNSIGNED_BYTE: pa.uint8(),
    Datatype.SHORT: pa.int16(),
    Datatype.INT: pa.int32(),
    Datatype.LONG: pa.int64(),
    Datatype.CHAR: pa.string(),
    Datatype.UNICODE_CHAR: pa.string(),
    Datatype.FLOAT: pa.float32(),
    Datatype.DOUBLE: pa.float64(),
}

_DATATYPES: dict[Any, Datatype] = {
    pa.bool_(): Datatype.BOOLEAN,
    pa.uint8(): Datatype.UNSIGNED_BYTE,
    pa.int8(): Datatype.SHORT,
    pa.int16(): Datatype.SHORT,
    pa.uint16(): Datatype.INT,
    pa.int32(): Datatype.INT,
    pa.uint32(): Datatype.LONG,
    pa.int64(): Datatype.LONG,
    pa.uint64(): Datatype.LONG,
    pa.float16(): Datatype.FLOAT,
    pa.float32(): Datatype.FLOAT,
    pa.float64(): Datatype.DOUBLE,
    pa.string(): Datatype.CHAR,
    pa.large_string(): Datatype.CHAR,
    pa.string_view(): Datatype.CHAR,
    pa.null(): Datatype.CHAR,
}


@dataclass(frozen=True)
class Column:
    """A VOTable FIELD: name, type and meaning of one column."""

    name: str
    """As its publisher wrote it; compared without regard to case."""
    datatype: Datatype
    """Primitive type of one value, or of one element of an array value."""
    arraysize: str | None = None
    """VOTable arraysize: None for scalars, `"22*"` for text of at most 22 characters, `"3"` or `"*"` for arrays."""
    unit: str | None = None
    """VOUnit 1.0 string where it can be one, else as published."""
    ucd: str | None = None
    """UCD1+ as far as known."""
    utype: str | None = None
    """Pointer into a data model."""
    xtype: str | None = None
    """DALI xtype: `timestamp`, `point`, `circle`, `polygon`."""
    description: str = ""
    """One line for people."""
    principal: bool = True
    """Whether it belongs in a short selection (TAP_SCHEMA.columns.principal)."""
    indexed: bool = False
    """Whether a condition on it reads less than the whole table."""
    std: bool = False
    """Whether a standard defines it."""
    inferred: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Attributes that were guessed at ingest (`unit`, `ucd`), each with a confidence from 0 to 1."""

    @property
    def is_array(self) -> bool:
        """Whether a value is an array of numbers rather than a scalar or a text."""
        return self.arraysize is not None and not self.datatype.is_text

    @property
    def is_timestamp(self) -> bool:
        return self.xtype == TIMESTAMP

    @property
    def max_length(self) -> int | None:
        """Greatest number of characters of a text, if it is bounded."""
        if not self.datatype.is_text or self.arraysize is None:
            return 1 if self.datatype.is_text else None
        digits = self.arraysize.rstrip("*")
        return int(digits) if digits.isdigit() else None

    def renamed(self, name: str) -> Column:
        return replace(self, name=name)

    def __reduce__(self) -> tuple[Any, ...]:  # a MappingProxyType cannot be pickled
        facts = {key: value for key, value in self.__dict__.items() if key != "inferred"}
        return _restore, (facts, dict(self.inferred))


def _restore(facts: dict[str, Any], inferred: dict[str, float]) -> Column:
    return Column(**facts, inferred=MappingProxyType(inferred))


def arrow_type(column: Column) -> pa.DataType:
    """Give the Arrow type that carries a column's values.

    Text is `string`; timestamps are `timestamp[us]` without zone; arrays of any shape are flat `list`s of their
    primitive, in VOTable order (first index fastest).
    """
    if column.is_timestamp and column.datatype.is_text:
        return pa.timestamp("us")
    primitive = _ARROW[column.datatype]
    return pa.list_(primitive) if column.is_array else primitive


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """Arrow schema of a table in motion; repeated names are allowed, as they are in a SELECT list."""
    return _schema(tuple((column.name, column.datatype, column.arraysize, column.xtype) for column in columns))


@functools.lru_cache(maxsize=64)
def _schema(facts: tuple[tuple[str, Datatype, str | None, str | None], ...]) -> pa.Schema:
    """Kept, because each stage of a small answer asks for it, and making it takes longer than finding it."""
    columns = (Column(name, datatype, arraysize, xtype=xtype) for name, datatype, arraysize, xtype in facts)
    return pa.schema([pa.field(column.name, arrow_type(column)) for column in columns])


def column_of_arrow(name: str, kind: pa.DataType) -> Column | None:
    """Describe a column of which nothing but its Arrow type is known; `None` if the type cannot be published."""
    if pa.types.is_dictionary(kind):
        return column_of_arrow(name, kind.value_type)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Column(name, Datatype.CHAR, arraysize="26*", xtype=TIMESTAMP)
    if pa.types.is_decimal(kind):
        return Column(name, Datatype.DOUBLE)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        element = _DATATYPES.get(kind.value_type)
        if element is None or element.is_text:
            return None
        size = str(kind.list_size) if pa.types.is_fixed_size_list(kind) else "*"
        return Column(name, element, arraysize=size)
    datatype = _DATATYPES.get(kind)
    if datatype is None:
        return None
    return Column(name, datatype, arraysize="*" if datatype.is_text else None)


def uniquely_named(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Columns whose names differ even without regard to case: later ones get `_2`, `_3`; nameless ones `col5`.

    ADQL compares names without regard to case, and so does every engine below.
    """
    taken = {INDEX_COLUMN}
    found = []
    for number, column in enumerate(columns, start=1):
        stem = column.name.strip() or f"col{number}"
        name = stem if stem.lower() not in taken else _free_name(stem, taken)
        taken.add(name.lower())
        found.append(column.renamed(name))
    return tuple(found)


def _free_name(stem: str, taken: set[str]) -> str:
    suffix = 2
    while f"{stem}_{suffix}".lower() in taken:
        suffix += 1
    return f"{stem}_{suffix}"


def longest_text(texts: pa.ChunkedArray) -> int:
    """Length of the longest text as `arraysize` counts it: in units of UTF-16, of which an emoji has two."""
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return pc.max(pc.binary_length(texts)).as_py() or 0
    lengths = pc.add(pc.utf8_length(texts), pc.count_substring_regex(texts, _BEYOND_UTF16))
    return pc.max(lengths).as_py() or 0
