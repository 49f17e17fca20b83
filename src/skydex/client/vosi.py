"""VOSI: what services say of themselves and of their tables.

VOSI 1.1 (IVOA REC 2017-05-24), capabilities (section 4) and tables (6), read as services write them since VOSI 1.0;
what TAP adds is TAPRegExt 1.0 (IVOA REC 2012-08-27), and tables are described as in VODataService 1.1 and 1.2, section
3.3. A service that says something odd of a column loses nothing but what it says of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from skydex.client.xml import Element, child, children, text_of, tree_of
from skydex.tables import POSITION_NAMES, Column, Datatype, ForeignKey, Table, likely_position

__all__ = ["Capabilities", "plain_name", "read_capabilities", "read_tables", "table_of", "tap_column"]

_TAP = "ivo://ivoa.net/std/tap"
_GEOMETRY = "ivo://ivoa.net/std/tapregext#features-adqlgeo"

_LONGEST_NUMBER = 19
_DATATYPES = {datatype.value: datatype for datatype in Datatype}
_ARRAYSIZE = re.compile(r"(\d+x)*(\d+\*?|\*)")
_TAP_TYPES: dict[str, tuple[Datatype, str | None, str | None]] = {
    "BOOLEAN": (Datatype.BOOLEAN, None, None),
    "SMALLINT": (Datatype.SHORT, None, None),
    "INTEGER": (Datatype.INT, None, None),
    "BIGINT": (Datatype.LONG, None, None),
    "REAL": (Datatype.FLOAT, None, None),
    "DOUBLE": (Datatype.DOUBLE, None, None),
    "TIMESTAMP": (Datatype.CHAR, "*", "timestamp"),
    "CHAR": (Datatype.CHAR, "", None),
    "VARCHAR": (Datatype.CHAR, "*", None),
    "CLOB": (Datatype.CHAR, "*", None),
    "BINARY": (Datatype.UNSIGNED_BYTE, "*", None),
    "VARBINARY": (Datatype.UNSIGNED_BYTE, "*", None),
    "BLOB": (Datatype.UNSIGNED_BYTE, "*", None),
    "POINT": (Datatype.DOUBLE, "2", "point"),
    "REGION": (Datatype.CHAR, "*", None),
}
"""The types of TAP 1.0, section 2.5: datatype, arraysize, xtype; the size of a text goes before its arraysize."""


@dataclass(frozen=True)
class Capabilities:
    """What a TAP service says it can."""

    is_tap: bool = False
    """Whether it says to be a TAP service at all."""
    formats: tuple[tuple[str, ...], ...] = ()
    """Formats of results: of each the media type, its aliases and its identifier, in lower case but for the first."""
    geometry: frozenset[str] | None = None
    """Geometrical functions of ADQL, in capitals; None if it says nothing of any."""
    most_rows: int | None = None
    """How many rows an answer can have at most, for those who ask for as many; None if it does not say."""

    @property
    def has_geometry(self) -> bool | None:
        """Whether a place can be asked to lie in a circle; None if nothing is said of it."""
        return None if self.geometry is None else {"POINT", "CIRCLE", "CONTAINS"} <= self.geometry

    def find_format(self, *wanted: str) -> str | None:
        """The media type by which the first of some formats can be asked for, if there is one."""
        names_of = [frozenset(map(str.lower, names)) for names in self.formats]
        places = (place for name in wanted for place, names in enumerate(names_of) if name in names)
        return next((self.formats[place][0] for place in places), None)


def read_capabilities(content: bytes, host: str) -> Capabilities:
    """Read a capabilities document, for the TAP service in it.

    Raises
    ------
    BadAnswerError
        It is no XML.
    """
    root = tree_of(content, host)
    for capability in children(root, "capability"):
        if capability.get("standardID", "").partition("#")[0].lower() == _TAP:
            return _of_tap(capability)
    return Capabilities()


def _of_tap(capability: Element) -> Capabilities:
    return Capabilities(
        is_tap=True,
        formats=tuple(_formats(capability)),
        geometry=_geometry(capability),
        most_rows=_most_rows(capability),
    )


def _most_rows(capability: Element) -> int | None:
    """The hard limit (TAPRegExt 1.0, section 2.6), if it counts rows."""
    limit = child(capability, "outputLimit")
    hard = None if limit is None else child(limit, "hard")
    text = "" if hard is None or hard.get("unit", "row") != "row" else (hard.text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER else None


def _formats(capability: Element) -> Iterator[tuple[str, ...]]:
    for known in children(capability, "outputFormat"):
        media_type = text_of(known, "mime")
        if media_type:
            names = [inside.text.strip().lower() for inside in children(known, "alias") if inside.text]
            yield media_type, *names, known.get("ivo-id", "").lower()


def _geometry(capability: Element) -> frozenset[str] | None:
    """The names of functions; None if no language has a list of features, for then nothing is said."""
    lists = [
        features for language in children(capability, "language") for features in children(language, "languageFeatures")
    ]
    if not lists:
        return None
    forms = [
        text_of(feature, "form")
        for features in lists
        if features.get("type", "").lower() == _GEOMETRY
        for feature in children(features, "feature")
    ]
    return frozenset(form.partition("(")[0].strip().upper() for form in forms)


def read_tables(content: bytes, host: str) -> tuple[Table, ...]:
    """Read the description of all tables, or of one.

    Columns and tables without a name are left out; names are given without the double quotes that queries need.

    Raises
    ------
    BadAnswerError
        It is no XML.
    """
    root = tree_of(content, host)
    inside = [table for schema in children(root, "schema") for table in children(schema, "table")]
    found = [root] if root.tag == "table" else [*inside, *children(root, "table")]
    return tuple(_table(element) for element in found if text_of(element, "name"))


def table_of(name: str, columns: tuple[Column, ...], *, description: str = "", n_rows: int | None = None) -> Table:
    """A table as it is known from afar: which columns are its positions is told by their UCDs, or else their names."""
    return Table(
        name,
        columns,
        description,
        position=likely_position(columns, POSITION_NAMES),
        id_column=next((column.name for column in columns if (column.ucd or "").lower() == "meta.id;meta.main"), None),
        n_rows=n_rows,
    )


def plain_name(name: str) -> str:
    """A column's name without the double quotes that a query needs for it (TAP 1.1, section 4.3)."""
    is_quoted = len(name) > 2 and name[0] == name[-1] == '"'
    return name[1:-1].replace('""', '"') if is_quoted else name


def _table(element: Element) -> Table:
    columns = tuple(_columns(element))
    name = text_of(element, "name")
    table = table_of(name, columns, description=_about(element), n_rows=_count(element))
    return replace(table, utype=text_of(element, "utype") or None, foreign_keys=tuple(_keys(element)))


def _about(element: Element) -> str:
    return text_of(element, "description") or text_of(element, "title")


def _count(element: Element) -> int | None:
    """Rows of a table, as VODataService 1.2 tells them, or ESA's servers do."""
    digits = text_of(element, "nrows") or element.get("size", "")
    return int(digits) if digits.isdecimal() and len(digits) < 19 else None


def _columns(table: Element) -> Iterator[Column]:
    for element in children(table, "column"):
        name = plain_name(text_of(element, "name"))
        if not name:
            continue
        kind = child(element, "dataType")
        flags = {(flag.text or "").strip().lower() for flag in children(element, "flag")}
        attributes = kind.attrib if kind is not None else {}
        yield tap_column(
            name,
            (kind.text or "").strip() if kind is not None else "",
            arraysize=attributes.get("arraysize"),
            size=attributes.get("size"),
            xtype=attributes.get("extendedType") or attributes.get("xtype"),
            unit=text_of(element, "unit"),
            ucd=text_of(element, "ucd"),
            utype=text_of(element, "utype"),
            description=text_of(element, "description"),
            indexed="indexed" in flags,
            std=element.get("std", "").lower() in ("true", "1"),
        )


def tap_column(
    name: str, kind: str, *, arraysize: str | None, size: str | None, xtype: str | None, **facts: Any
) -> Column:
    """A column by the words in which VOSI or TAP_SCHEMA describe its type.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        A datatype of VOTable, or a type of TAP 1.0, perhaps with a prefix and a size, as `adql:VARCHAR(16)`.
    arraysize, size, xtype : str or None
        As the service tells them.
    **facts
        `unit`, `ucd`, `utype`, `description`, `indexed`, `std`; empty texts are none.
    """
    bare, _, inside = kind.rpartition(":")[2].partition("(")
    size = size or inside.rstrip(") ") or None
    known: dict[str, Any] = {
        key: value or None if key in ("unit", "ucd", "utype") else value for key, value in facts.items()
    }
    if bare in _DATATYPES or bare.upper() not in _TAP_TYPES:
        datatype = _DATATYPES.get(bare, Datatype.CHAR)
        usual_size = "*" if bare not in _DATATYPES else None
        told_size = arraysize if arraysize and _ARRAYSIZE.fullmatch(arraysize) and arraysize != "1" else usual_size
        return Column(name, datatype, arraysize=told_size, xtype=xtype or None, **known)
    datatype, usual_size, usual_xtype = _TAP_TYPES[bare.upper()]
    if datatype.is_text and usual_xtype is None and size and size.isdecimal():
        usual_size = f"{size}{usual_size}"
    return Column(name, datatype, arraysize=usual_size or None, xtype=xtype or usual_xtype, **known)


def _keys(table: Element) -> Iterator[ForeignKey]:
    for key in children(table, "foreignKey"):
        pairs = [(text_of(pair, "fromColumn"), text_of(pair, "targetColumn")) for pair in children(key, "fkColumn")]
        yield ForeignKey(text_of(key, "targetTable"), tuple(pairs), text_of(key, "description"))
