"""Columns of a catalogue as its publisher's own service describes them.

The metadata of the catalogue REST API are a list of dictionaries in which every value is a text, and a missing one is
the text `NULL`. What follows from a column stands here; what its publisher calls otherwise stands in the offer.
"""

from __future__ import annotations

from collections.abc import Sequence

from skydex.archive.offers import CatalogOffer
from skydex.tables import Column, Datatype, Table

__all__ = ["Described", "described_columns", "info_of"]

Described = dict[str, str]
"""A column in words."""

_NONE = "NULL"
_ADDED = {"distance": "Angle from the centre of the search", "dstarcsec": "Angle from the uploaded position, arcsec"}
"""What columns mean that a search adds."""
_DB_TYPES = {
    Datatype.BOOLEAN: "BIT",
    Datatype.UNSIGNED_BYTE: "TINYINT",
    Datatype.SHORT: "SMALLINT",
    Datatype.INT: "INTEGER",
    Datatype.LONG: "BIGINT",
    Datatype.CHAR: "STRING",
    Datatype.UNICODE_CHAR: "STRING",
    Datatype.FLOAT: "REAL",
    Datatype.DOUBLE: "DOUBLE",
}
_SIZES = {
    Datatype.BOOLEAN: 1,
    Datatype.UNSIGNED_BYTE: 1,
    Datatype.SHORT: 2,
    Datatype.INT: 4,
    Datatype.LONG: 8,
    Datatype.FLOAT: 4,
    Datatype.DOUBLE: 8,
}


def described_columns(table: Table, offer: CatalogOffer) -> list[Described]:
    """The metadata document of a table: all its columns, in order."""
    return [_described(column, number, offer) for number, column in enumerate(table.columns, start=1)]


def info_of(columns: Sequence[Column], table: Table, offer: CatalogOffer) -> list[Described]:
    """What a JSON answer says of its columns; those that the table does not have are described in short."""
    numbers = {column.name.lower(): number for number, column in enumerate(table.columns, start=1)}
    return [_info(column, numbers.get(column.name.lower()), offer) for column in columns]


def _described(column: Column, number: int, offer: CatalogOffer) -> Described:
    kind = _type_of(column, offer)
    length = column.max_length
    size = str(length) if length is not None else str(_SIZES.get(column.datatype, _NONE))
    return {
        "name": column.name,
        "db_type": offer.db_types.get(column.name, _DB_TYPES[column.datatype]),
        "column_name": column.name,
        "description": column.description or _NONE,
        "unit": column.unit or _NONE,
        "ucd": column.ucd or _NONE,
        "utype": column.utype or _NONE,
        "datatype": kind,
        "size": size,
        "principal": _NONE,
        "indexed": _NONE,
        "std": _NONE,
        "column_index": str(number),
        "arraysize": column.arraysize or size,
        "search_priority": str(number),
        "default_value": _default(column, offer),
        "type": kind,
    }


def _info(column: Column, number: int | None, offer: CatalogOffer) -> Described:
    kind = "STRING" if column.datatype.is_text else "NUMBER"
    if number is not None:
        return {**_described(column, number, offer), "db_type": kind}
    word = "float" if column.datatype.is_floating else _type_of(column, offer)
    described = column.description or _ADDED.get(column.name.lower(), _NONE)
    named = {"name": column.name, "type": word, "db_type": kind, "description": described}
    return {**named, "unit": column.unit or _NONE}


def _type_of(column: Column, offer: CatalogOffer) -> str:
    word = "char" if column.datatype.is_text else column.datatype.value
    return offer.types.get(word, word)


def _default(column: Column, offer: CatalogOffer) -> str:
    """What stands for a measurement that is missing; identifiers and flags are never missing."""
    may_be_missing = column.datatype.is_floating or column.datatype is Datatype.SHORT
    is_measured = may_be_missing and column.name not in offer.never_missing
    return f"{offer.missing:g}" if offer.missing is not None and is_measured else _NONE
