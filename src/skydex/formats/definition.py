"""Definitions: a VODataService table element, as VOSI shows it, read as a table without rows.

VODataService 1.2 (IVOA REC 2021-11-02), section 3.3: `table` with `column`s, whose `dataType` is a VOTableType, a
SimpleDataType or, as older services write it, a TAPType (1.1, section 3.5.3). So a table may be made on the drafts of
TAP 1.2, and so pyvo's `create_table` describes one. The file is as hostile as any other: no document type
declarations, nothing followed to other places, and depth, columns and bytes are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pyarrow as pa

from skydex.errors import UnreadableFileError
from skydex.formats.format import Format, Source
from skydex.tables import Column, Datatype, arrow_schema

__all__ = ["DEFINITION", "read_definition"]

_MOST_BYTES = 16 << 20
_CHUNK = 1 << 20
_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?(\w+)")
_SIZES = re.compile(r"(\d+x)*(\d+\*?|\*)")
_TEXT = Datatype.CHAR
_TYPES: Mapping[str, tuple[Datatype, str | None, str | None]] = {
    **{kind.lower(): (kind, None, None) for kind in Datatype},
    "smallint": (Datatype.SHORT, None, None),
    "integer": (Datatype.INT, None, None),
    "bigint": (Datatype.LONG, None, None),
    "real": (Datatype.FLOAT, None, None),
    "string": (_TEXT, "*", None),
    "varchar": (_TEXT, "*", None),
    "clob": (_TEXT, "*", None),
    "timestamp": (_TEXT, "26*", "timestamp"),
    "point": (_TEXT, "*", "adql:POINT"),
    "region": (_TEXT, "*", "adql:REGION"),
}
"""For each word for a type, in small letters: datatype, arraysize and xtype."""


def read_definition(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe the table that a document defines; it has no rows.

    Parameters
    ----------
    file : Path
        The document, not compressed.
    options : mapping
        `max_columns`, `max_depth`: what is too much.

    Raises
    ------
    UnreadableFileError
        It is no such document, or says of a column what cannot be.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise UnreadableFileError(file.name, f"a definition is not larger than {_MOST_BYTES >> 20} MB")
    builder = _Builder(file.name, options.get("max_columns", 10_000), options.get("max_depth", 100))
    try:
        with file.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                builder.parser.Parse(piece, False)
        builder.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as error:
        raise UnreadableFileError(file.name, f"its XML is broken or cut short ({error})") from error
    columns = tuple(_column(found, file.name) for found in builder.columns)
    facts = builder.facts
    return [Source(file, facts.get("name", ""), columns, lambda: _no_rows(columns), facts.get("description", ""), 0)]


def _no_rows(columns: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
    yield from arrow_schema(columns).empty_table().to_batches()


def _is_definition(head: bytes) -> bool:
    root = _ROOT.search(head)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and root is not None and root[1] == b"table"


@dataclass
class _Described:
    """A `column` element."""

    facts: dict[str, str] = field(default_factory=dict)
    """Texts of its children, each the first of its name."""
    flags: set[str] = field(default_factory=set)
    """Its `flag`s, in small letters."""
    kind: dict[str, str] = field(default_factory=dict)
    """Attributes of its `dataType`, without prefixes."""


class _Builder:
    """Collects what expat tells."""

    def __init__(self, file: str, max_columns: int, max_depth: int) -> None:
        self.columns: list[_Described] = []
        self.facts: dict[str, str] = {}
        self._file, self._max_columns, self._max_depth = file, max_columns, max_depth
        self._open: list[str] = []
        self._text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _refuse(self, reason: str) -> None:
        raise UnreadableFileError(self._file, reason)

    def _doctype(self, *_: object) -> None:
        self._refuse("it has a document type declaration (DOCTYPE), which a definition does not need")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._open and name != "table":
            self._refuse("it is not a table element of VODataService")
        self._open.append(name)
        self._text.clear()
        if len(self._open) > self._max_depth:
            self._refuse(f"its elements are nested more than {self._max_depth:,} deep")
        if self._open == ["table", "column"]:
            self.columns.append(_Described())
        if len(self.columns) > self._max_columns:
            self._refuse(f"it has more than {self._max_columns:,} columns")
        if self._open == ["table", "column", "dataType"]:
            self.columns[-1].kind = {key.rpartition(":")[2]: value for key, value in attributes.items()}

    def _end(self, _: str) -> None:
        words = " ".join("".join(self._text).split())
        self._text.clear()
        place, name = self._open[:-1], self._open.pop()
        if place == ["table"]:
            self.facts.setdefault(name, words)
        elif place == ["table", "column"] and name == "flag":
            self.columns[-1].flags.add(words.lower())
        elif place == ["table", "column"]:
            self.columns[-1].facts.setdefault(name, words)


def _column(found: _Described, file: str) -> Column:
    facts, kind = found.facts, found.kind
    name = facts.get("name", "").strip('"')
    word = facts.get("dataType", "").rpartition(":")[2].partition("(")[0].strip().lower()
    if not name:
        raise UnreadableFileError(file, "one of its columns has no name")
    if word not in _TYPES:
        raise UnreadableFileError(file, f'column "{name}" is of the type "{facts.get("dataType", "")}", not {_known()}')
    datatype, arraysize, xtype = _TYPES[word]
    return Column(
        name,
        datatype,
        _arraysize(kind, arraysize, name, file),
        unit=facts.get("unit") or None,
        ucd=facts.get("ucd") or None,
        utype=facts.get("utype") or None,
        xtype=kind.get("extendedType") or xtype,
        description=facts.get("description", ""),
        principal="principal" in found.flags or not found.flags,
    )


def _arraysize(kind: Mapping[str, str], usual: str | None, name: str, file: str) -> str | None:
    """What an element says of the size; TAPType has a `size` for the length of a text."""
    given = kind.get("arraysize") or (f"{kind['size']}*" if kind.get("size") else usual)
    if given is None or given == "1":
        return None
    if not _SIZES.fullmatch(given):
        raise UnreadableFileError(file, f'column "{name}" has the arraysize "{given}", which means nothing')
    return given


def _known() -> str:
    return f"one of {', '.join(kind.value for kind in Datatype)}"


DEFINITION = Format(
    name="vositable",
    media_type="text/xml",
    suffixes=(".xml",),
    read=read_definition,
    sniff=_is_definition,
)
"""Not among the formats in which tables travel: it has no rows."""
