"""Columns as VOTable FIELD elements, and as the metadata of a Parquet file.

The FIELD element follows VOTable 1.4 (IVOA REC 2019-10-21), section 4.1. Parquet files carry a VOTable without data in
their key-value metadata, as the IVOA note "Parquet in the VO" (VOParquet 1.0, 2025) lays down: the keys
`IVOA.VOTable-Parquet.version` and `IVOA.VOTable-Parquet.content`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from skydex.errors import StoreError
from skydex.tables.column import Column, Datatype

__all__ = [
    "VOPARQUET_CONTENT",
    "VOPARQUET_VERSION",
    "columns_from_metadata",
    "field_xml",
    "metadata_of_columns",
    "xml_attribute",
    "xml_text",
]

VOPARQUET_VERSION = b"IVOA.VOTable-Parquet.version"
VOPARQUET_CONTENT = b"IVOA.VOTable-Parquet.content"
SKYDEX_COLUMNS = b"skydex.columns"
"""Our own key: the facts of a column that a FIELD has no place for, as JSON."""

_NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OWN_FACTS = ("principal", "indexed", "std")


def xml_text(text: str) -> str:
    """Escape a text for XML 1.0 and leave out the characters that XML cannot hold at all."""
    return escape(_legal(text), {"\r": "&#13;"})


def xml_attribute(text: str) -> str:
    """Quote a text as the value of an XML 1.0 attribute, quotes included, without what XML cannot hold."""
    return quoteattr(_legal(text), {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


def field_xml(
    column: Column, *, identifier: str | None = None, null: str | None = None, reference: str | None = None
) -> str:
    """Write one FIELD element.

    Parameters
    ----------
    column : Column
        What to describe.
    identifier : str, optional
        Value of the ID attribute.
    null : str, optional
        Magic value for nulls, for serialisations that need one (integers in TABLEDATA and BINARY).
    reference : str, optional
        ID of the coordinate or time system that the values belong to.
    """
    attributes = {
        "ID": identifier,
        "name": column.name,
        "datatype": column.datatype.value,
        "arraysize": column.arraysize,
        "xtype": column.xtype,
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
        "ref": reference,
    }
    words = "".join(f" {key}={xml_attribute(value)}" for key, value in attributes.items() if value)
    inner = f"<DESCRIPTION>{xml_text(column.description)}</DESCRIPTION>" if column.description else ""
    if null is not None:
        inner += f'<VALUES null="{null}"/>'
    return f"<FIELD{words}>{inner}</FIELD>" if inner else f"<FIELD{words}/>"


def metadata_of_columns(
    columns: Iterable[Column], *, name: str = "", description: str = "", nrows: int | None = None
) -> dict[bytes, bytes]:
    """Key-value metadata for a Parquet file: a VOTable without data, and what only skydex says."""
    columns = tuple(columns)
    fields = "".join(field_xml(column) for column in columns)
    about = f"<DESCRIPTION>{xml_text(description)}</DESCRIPTION>" if description else ""
    rows = f' nrows="{nrows}"' if nrows is not None else ""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" xmlns="{_NAMESPACE}"><RESOURCE>'
        f"<TABLE name={xml_attribute(name)}{rows}>{about}{fields}</TABLE></RESOURCE></VOTABLE>"
    )
    return {
        VOPARQUET_VERSION: b"1.0",
        VOPARQUET_CONTENT: content.encode(),
        SKYDEX_COLUMNS: json.dumps({column.name: _own_facts(column) for column in columns}).encode(),
    }


def columns_from_metadata(metadata: Mapping[bytes, bytes] | None) -> dict[str, Column]:
    """Read the columns that a Parquet file's metadata describe, by name; empty if there are none.

    Raises
    ------
    StoreError
        The metadata are there but are not a VOTable.
    """
    content = (metadata or {}).get(VOPARQUET_CONTENT)
    if not content:
        return {}
    try:
        if b"<!DOCTYPE" in content:
            raise ValueError("it has a document type declaration")
        root = ElementTree.fromstring(content.decode())
        own = json.loads((metadata or {}).get(SKYDEX_COLUMNS, b"{}"))
        fields = (element for element in root.iter() if element.tag.rpartition("}")[2] == "FIELD")
        columns = [_column_of_field(element, own) for element in fields]
    except (ElementTree.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"The VOTable in the Parquet metadata cannot be read: {error}") from error
    return {column.name: column for column in columns if column is not None}


def _column_of_field(element: ElementTree.Element, own: Mapping[str, Any]) -> Column | None:
    name = element.get("name", "")
    try:
        datatype = Datatype(element.get("datatype", ""))
    except ValueError:
        return None
    description = next((child.text or "" for child in element if child.tag.endswith("DESCRIPTION")), "")
    facts = dict(own.get(name, {}))
    inferred = MappingProxyType(facts.pop("inferred", {}))
    facts |= {key: element.get(key) for key in ("arraysize", "unit", "ucd", "utype", "xtype")}
    return Column(name, datatype, description=description.strip(), **facts, inferred=inferred)


def _own_facts(column: Column) -> dict[str, Any]:
    facts: dict[str, Any] = {key: getattr(column, key) for key in _OWN_FACTS}
    if column.inferred:
        facts["inferred"] = dict(column.inferred)
    return facts


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
