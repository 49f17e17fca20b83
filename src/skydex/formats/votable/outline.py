"""What a VOTable document holds, and where in it the rows are.

One pass of expat over everything but the rows: `TABLEDATA` and `STREAM` contents are skipped by searching for their end
tag, and only their place is noted, so that a document of any size is outlined in little memory. The rows are decoded
later, by `tabledata_reader` and `binary_reader`. Nothing that a document claims of its own size is believed, a document
type declaration is refused unless it is a bare reference and the caller allows it, and nothing is ever fetched.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from skydex.errors import UnreadableFileError
from skydex.formats.votable.document import Info

__all__ = ["Data", "Field", "Limits", "Outline", "TableOutline", "outline_of", "utf8_stream"]

CHUNK = 1 << 20
_LONGEST_TAG = 1 << 20
_ROWS_TAG = re.compile(rb"<((?:[\w.-]+:)?(?:TABLEDATA|STREAM))(?=[\s/>])[^<>]*>")
_CONTAINERS = ("VOTABLE", "RESOURCE", "TABLE")
_UTF_16 = (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)


@dataclass(frozen=True)
class Limits:
    """How far a document is trusted."""

    allow_doctype: bool = False
    """Whether a DOCTYPE that names a DTD, and declares nothing, is overlooked. The DTD is never fetched."""
    allow_fits: bool = False
    """Whether rows may be a FITS file inside the document."""
    allow_siblings: bool = False
    """Whether a STREAM may name a file in the document's own directory."""
    max_columns: int = 10_000
    """How many FIELDs one table may have."""
    max_depth: int = 1000
    """How deep elements may be nested."""
    bad_are_null: bool = False
    """Whether a cell that is no value of its datatype is read as a null, and not an error."""


@dataclass(frozen=True)
class Field:
    """A FIELD element as it stands."""

    attributes: dict[str, str]
    """Its attributes."""
    description: str = ""
    """Its DESCRIPTION."""
    null: str | None = None
    """Its magic null, if it has one."""

    @property
    def name(self) -> str:
        return self.attributes.get("name") or self.attributes.get("ID") or ""


@dataclass(frozen=True)
class Data:
    """Where the rows of a table are."""

    kind: str
    """TABLEDATA, BINARY, BINARY2, FITS or PARQUET."""
    start: int = 0
    """First byte of the rows in the plain UTF-8 (or declared) document."""
    end: int = 0
    """Byte after the last."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Attributes of the STREAM, `href` and `encoding` among them, and `extnum` of FITS."""


@dataclass(frozen=True)
class TableOutline:
    """A TABLE without its rows."""

    name: str
    """Its name or ID; may be empty."""
    description: str
    """Its DESCRIPTION."""
    fields: tuple[Field, ...]
    """Its FIELDs."""
    data: Data | None
    """Its rows, if there are any."""


@dataclass(frozen=True)
class Outline:
    """A document without its rows."""

    tables: tuple[TableOutline, ...]
    """In the order of the document."""
    infos: tuple[Info, ...]
    """Every INFO, in the order of the document."""
    facts: dict[str, str]
    """Attributes of the first COOSYS and TIMESYS."""
    encoding: str
    """Character encoding of the bytes that `Data` counts."""


class _Recoded(io.RawIOBase):
    """UTF-16 text as UTF-8 bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-16")("replace").decode
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._held and (data := self._stream.read(CHUNK)):
            self._held = self._decode(data).encode()
        n_bytes = min(len(buffer), len(self._held))
        buffer[:n_bytes], self._held = self._held[:n_bytes], self._held[n_bytes:]
        return n_bytes

    def close(self) -> None:
        self._stream.close()
        super().close()


class _RecodedStream(io.BufferedReader):
    """A stream that was in UTF-16, whatever its XML declaration still says."""


def utf8_stream(stream: io.BufferedReader) -> io.BufferedReader:
    """Give a stream as it is, or recoded if it is in UTF-16, whose bytes cannot be searched for tags."""
    if stream.peek(2)[:2] not in _UTF_16:
        return stream
    return _RecodedStream(_Recoded(stream), CHUNK)


def outline_of(stream: BinaryIO, *, file: str, limits: Limits) -> Outline:
    """Read a document's structure.

    Parameters
    ----------
    stream : binary stream
        From `utf8_stream`.
    file : str
        What to call the document in errors.
    limits : Limits
        How far to trust it.

    Raises
    ------
    UnreadableFileError
        The document is not XML, not a VOTable, cut short, or asks for what `limits` forbid.
    """
    builder = _Builder(file, limits)
    pass_ = _Pass(stream, builder)
    try:
        pass_.run()
    except (expat.ExpatError, LookupError) as error:  # the latter: an encoding that nobody knows
        raise UnreadableFileError(file, f"its XML is broken or cut short ({error})") from error
    if not builder.is_votable:
        raise UnreadableFileError(file, "it is not a VOTable")
    return Outline(tuple(builder.tables), tuple(builder.infos), builder.facts, builder.encoding)


class _Builder:
    """Collects what expat tells."""

    def __init__(self, file: str, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self.tables: list[TableOutline] = []
        self.infos: list[Info] = []
        self.facts: dict[str, str] = {}
        self.encoding = "utf-8"
        self.is_votable = False
        self.rows_begun: Data | None = None
        """Set when the tag just fed has opened a place of rows."""
        self._open: list[str] = []
        self._text: list[str] = []
        self._table: dict[str, str] = {}
        self._fields: list[Field] = []
        self._field: dict[str, str] = {}
        self._field_facts: dict[str, str] = {}
        self._about: dict[str, str] = {}
        self._info: dict[str, str] = {}
        self._data: Data | None = None
        self._extension: dict[str, str] = {}
        self._fields_of: dict[str, tuple[Field, ...]] = {}
        self._null_of: dict[str, str] = {}

    def refuse(self, reason: str) -> None:
        raise UnreadableFileError(self.file, reason)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = "utf-8" if (encoding or "").lower().startswith("utf-16") else (encoding or "utf-8").lower()

    def doctype(self, _name: str, _system: str | None, _public: str | None, has_subset: bool) -> None:
        if has_subset or not self.limits.allow_doctype:
            self.refuse("it has a document type declaration (DOCTYPE), which a VOTable does not need")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.is_votable = self.is_votable or (not self._open and name.upper() == "VOTABLE")
        self._open.append(name)
        if len(self._open) > self.limits.max_depth:
            self.refuse(f"its elements are nested more than {self.limits.max_depth:,} deep")
        self._text.clear()
        handler: Callable[[dict[str, str]], None] | None = getattr(self, f"_start_{name.lower()}", None)
        if handler is not None:
            handler(attributes)

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        handler: Callable[[], None] | None = getattr(self, f"_end_{name.lower()}", None)
        if handler is not None:
            handler()
        self._open.pop()
        self._text.clear()

    def characters(self, text: str) -> None:
        self._text.append(text)

    def rows_end(self, data: Data) -> None:
        """Note where the rows that had begun are."""
        self._data, self.rows_begun = data, None

    def _start_table(self, attributes: dict[str, str]) -> None:
        self._table, self._fields, self._about, self._data = attributes, [], {}, None

    def _end_table(self) -> None:
        fields = tuple(self._fields) or self._fields_of.get(self._table.get("ref", ""), ())
        if "ID" in self._table:
            self._fields_of[self._table["ID"]] = fields
        name = self._table.get("name") or self._table.get("ID") or ""
        self.tables.append(TableOutline(name, self._about.get("TABLE", ""), fields, self._data))

    def _start_field(self, attributes: dict[str, str]) -> None:
        self._field, self._field_facts = attributes, {}

    def _end_field(self) -> None:
        if len(self._open) < 2 or self._open[-2] != "TABLE":
            return
        if len(self._fields) >= self.limits.max_columns:
            self.refuse(f"a table has more than {self.limits.max_columns:,} columns")
        facts = self._field_facts
        self._fields.append(Field(self._field, facts.get("description", ""), facts.get("null")))

    def _start_values(self, attributes: dict[str, str]) -> None:
        null = attributes.get("null", self._null_of.get(attributes.get("ref", "")))
        if null is not None and null.strip() and self._open[-2] == "FIELD":
            self._field_facts["null"] = null.strip()
            self._null_of[attributes.get("ID", "")] = null.strip()

    def _end_description(self) -> None:
        words = " ".join("".join(self._text).split())
        parent = self._open[-2] if len(self._open) > 1 else ""
        if parent == "FIELD":
            self._field_facts.setdefault("description", words)
        elif parent in _CONTAINERS:
            self._about.setdefault(parent, words)

    def _start_info(self, attributes: dict[str, str]) -> None:
        self._info = attributes

    def _end_info(self) -> None:
        words = "".join(self._text).strip()
        self.infos.append(Info(self._info.get("name", ""), self._info.get("value", ""), words))

    def _start_param(self, attributes: dict[str, str]) -> None:
        if attributes.get("name", "").lower() == "error":  # as cone searches may say it (SCS 1.03, section 2.3)
            self.infos.append(Info("Error", attributes.get("value", "")))

    def _start_coosys(self, attributes: dict[str, str]) -> None:
        self._note_system("COOSYS", attributes)

    def _start_timesys(self, attributes: dict[str, str]) -> None:
        self._note_system("TIMESYS", attributes)

    def _note_system(self, kind: str, attributes: dict[str, str]) -> None:
        if not any(key.startswith(kind) for key in self.facts):
            self.facts |= {f"{kind}.{key}": value for key, value in attributes.items() if key != "ID"}

    def _start_tabledata(self, _attributes: dict[str, str]) -> None:
        self.rows_begun = Data("TABLEDATA")

    def _start_fits(self, attributes: dict[str, str]) -> None:
        self._extension = attributes

    def _start_stream(self, attributes: dict[str, str]) -> None:
        kind = self._open[-2] if len(self._open) > 1 else ""
        extension = self._extension if kind == "FITS" else {}
        self.rows_begun = Data(kind, attributes=extension | attributes)


class _Pass:
    """One walk through the bytes: feeds expat, and leaps over rows."""

    def __init__(self, stream: BinaryIO, builder: _Builder) -> None:
        self._stream, self._builder = stream, builder
        self._held = b""
        """Bytes read and not yet dealt with."""
        self._place = 0
        """Where they begin in the document."""
        self._parser = expat.ParserCreate("utf-8" if isinstance(stream, _RecodedStream) else None)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = builder.start
        self._parser.EndElementHandler = builder.end
        self._parser.CharacterDataHandler = builder.characters
        self._parser.XmlDeclHandler = builder.declaration
        self._parser.StartDoctypeDeclHandler = builder.doctype

    def run(self) -> None:
        while self._more():
            while (tag := _ROWS_TAG.search(self._held)) is not None:
                self._feed(tag.end())
                if self._builder.rows_begun is not None:
                    self._leap(tag)
            self._feed(self._whole_tags())
        self._feed(len(self._held))
        self._parser.Parse(b"", True)

    def _more(self) -> bool:
        data = self._stream.read(CHUNK)
        self._held += data
        return bool(data)

    def _feed(self, n_bytes: int) -> None:
        self._parser.Parse(self._take(n_bytes), False)

    def _take(self, n_bytes: int) -> bytes:
        taken, self._held = self._held[:n_bytes], self._held[n_bytes:]
        self._place += len(taken)
        return taken

    def _whole_tags(self) -> int:
        """How much may be fed without tearing a tag that might open a place of rows."""
        begun = self._held.rfind(b"<")
        if begun < 0 or self._held.find(b">", begun) >= 0:
            return len(self._held)
        if len(self._held) - begun > _LONGEST_TAG:
            self._builder.refuse("it has a tag of more than a megabyte")
        return begun

    def _leap(self, tag: re.Match[bytes]) -> None:
        """Pass over rows without parsing them, up to their end tag."""
        begun = self._builder.rows_begun
        assert begun is not None
        start = self._place
        if tag.group().endswith(b"/>"):
            self._builder.rows_end(Data(begun.kind, start, start, begun.attributes))
            return
        closing = b"</" + tag.group(1)
        while (found := self._held.find(closing)) < 0:
            self._take(max(0, len(self._held) - len(closing)))
            if not self._more():
                self._builder.refuse("it ends in the middle of its rows")
        self._take(found)
        self._builder.rows_end(Data(begun.kind, start, self._place, begun.attributes))
