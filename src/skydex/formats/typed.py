"""Text as the clients of CasJobs read it, mostly with typed headers: `[MatchID]:Integer,[Filter]:String`.

`casjobs` is what a quick job answers: commas, texts in quotes, `null` for a null, and a bit is `True` or `False`.
`casjobs-tab` is the fast download of a whole table: tabs, bare texts, nothing for a null, and a bit is 1 or 0.
`casjobs-csv` is the file of an output job: bare names, `null` for a null, texts in quotes where they need them. The
words for types are those of the service at MAST, which calls every integer `Integer` and every float `Float`; a client
takes any other word for text (mastcasjobs 0.1.1, `get_converters`). Neither has a place for a remark, so a result that
was cut ends in an error. `casjobs-xml` is `casjobs` inside the one element in which it travels.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import ResultTooLongError
from skydex.formats.encoding import text_of
from skydex.formats.format import Format
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.tables import BIT, Column, Datatype, Result

__all__ = [
    "FORMATS",
    "HEAD",
    "NAMESPACE",
    "SERVICE",
    "TAIL",
    "is_bit",
    "unique_names",
    "write_plain_csv",
    "write_typed_csv",
    "write_typed_tab",
]

SERVICE = "casjobs"
"""The service whose clients read these formats."""
NAMESPACE = "http://Services.Cas.jhu.edu"
"""Of what the service sends as XML."""
HEAD = f'<?xml version="1.0" encoding="utf-8"?>\n<string xmlns="{NAMESPACE}">'.encode()
TAIL = b"</string>\n"
"""What stands around the text in `casjobs-xml`."""
_ROWS_A_CHUNK = 16384
_ENTITIES = (
    (b"&", b"&amp;"),
    (b"<", b"&lt;"),
    (b">", b"&gt;"),
    (b"\r", b"&#13;"),
    (b"\xef\xbf\xbe", b"\xef\xbf\xbd"),  # U+FFFE and U+FFFF
    (b"\xef\xbf\xbf", b"\xef\xbf\xbd"),
)
_ILLEGAL = bytes(code for code in range(32) if code not in b"\t\n\r")
_NAME_BREAKS = str.maketrans('[],"\t\r\n', "_______")
"""What cannot stand in a header, or takes a client out of step."""
_QUOTED_IN_TAB = r'^"|[\t\r\n]'
_QUOTED_IN_CSV = r'[,"\r\n]|^\s|\s$|^#|^$|^(?i:null|nan)$'
"""Where a bare text would be taken for something else."""


@dataclass(frozen=True)
class _Dialect:
    """How values are told apart and spelt."""

    delimiter: str
    """Between two values."""
    null: str
    """For no value."""
    bit: str
    """Word for the type of a bit."""
    bits: tuple[str, str]
    """Its values, true and false."""
    quoted: str
    """Regular expression of texts that stand in quotes."""
    is_typed: bool = True
    """Whether the header names types."""


_QUICK = _Dialect(",", "null", "Boolean", ("True", "False"), "")
_TAB = _Dialect("\t", "", "Integer", ("1", "0"), _QUOTED_IN_TAB)
_FILE = _Dialect(",", "null", "Integer", ("1", "0"), _QUOTED_IN_CSV, is_typed=False)


def write_typed_csv(result: Result) -> Iterator[bytes]:
    """Write a result as a quick job answers it; `ResultTooLongError` at the end if rows were cut off."""
    return _written(result, _QUICK)


def write_typed_xml(result: Result) -> Iterator[bytes]:
    """Write a result as an XML document of one element, whose text is that of `casjobs`."""
    yield HEAD
    yield from map(_escaped, write_typed_csv(result))
    yield TAIL


def write_typed_tab(result: Result) -> Iterator[bytes]:
    """Write a result as the fast download gives it; `ResultTooLongError` at the end if rows were cut off."""
    return _written(result, _TAB)


def write_plain_csv(result: Result) -> Iterator[bytes]:
    """Write a result as an output job files it; `ResultTooLongError` at the end if rows were cut off."""
    return _written(result, _FILE)


def _written(result: Result, dialect: _Dialect) -> Iterator[bytes]:
    yield _header(result.columns, dialect)

    def lines(batch: pa.RecordBatch) -> bytes:
        texts = [_cells(*pair, dialect) for pair in zip(batch.columns, result.columns, strict=True)]
        return joined_lines(texts if dialect.null else _visible(texts), dialect.delimiter, null=dialect.null)

    yield from ordered_map(lines, sliced(result.batches, _ROWS_A_CHUNK))
    if result.overflow:
        raise ResultTooLongError(result.max_rows or 0)


def _header(columns: Sequence[Column], dialect: _Dialect) -> bytes:
    names = unique_names(columns)
    typed = (f"[{name}]:{_type(column, dialect)}" for name, column in zip(names, columns, strict=True))
    cells = typed if dialect.is_typed else names
    return (dialect.delimiter.join(cells) + "\n").encode()


def unique_names(columns: Sequence[Column]) -> list[str]:
    """Names that differ, as ADO.NET makes them: `MatchID`, `MatchID1`; `Column1` for none."""
    taken: set[str] = set()
    found = []
    for column in columns:
        stem = column.name.translate(_NAME_BREAKS).strip()
        name, number = stem or "Column1", 1
        while name.lower() in taken:
            name, number = (f"{stem}{number}" if stem else f"Column{number + 1}"), number + 1
        taken.add(name.lower())
        found.append(name)
    return found


def _type(column: Column, dialect: _Dialect) -> str:
    if is_bit(column):
        return dialect.bit
    if column.is_timestamp:
        return "DateTime"
    if column.is_array or column.datatype.is_text:
        return "String"
    return "Float" if column.datatype.is_floating else "Integer"


def is_bit(column: Column) -> bool:
    return not column.is_array and (column.datatype is Datatype.BOOLEAN or column.xtype == BIT)


def _cells(array: pa.Array, column: Column, dialect: _Dialect) -> pa.Array:
    if is_bit(column):
        return pc.if_else(array.cast(pa.bool_()), *dialect.bits)
    texts = text_of(array, column)
    return _quoted(texts, dialect.quoted) if _type(column, dialect) == "String" else texts


def _visible(texts: list[pa.Array]) -> list[pa.Array]:
    """The same, with an empty text in quotes in rows where nothing else is: readers pass over blank lines."""
    is_blank = functools.reduce(pc.and_, (pc.equal(pc.utf8_trim_whitespace(text.fill_null("")), "") for text in texts))
    if not pc.any(is_blank).as_py():
        return texts
    return [pc.if_else(is_blank, '""', texts[0]), *texts[1:]]


def _escaped(text: bytes) -> bytes:
    """Whole lines of UTF-8 as they stand in XML 1.0, without what it cannot hold."""
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text.translate(None, _ILLEGAL)


def _quoted(texts: pa.Array, pattern: str) -> pa.Array:
    """Texts in quotes, where they match; nulls stay null."""
    in_need = pc.match_substring_regex(texts, pattern=pattern)
    if not pc.any(in_need).as_py():
        return texts
    doubled = pc.replace_substring(texts, pattern='"', replacement='""')
    return pc.if_else(in_need, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


CASJOBS = Format("casjobs", "text/plain; charset=utf-8", (".csv",), write=write_typed_csv, service=SERVICE)
CASJOBS_TAB = Format("casjobs-tab", "text/plain; charset=utf-8", (".tsv",), write=write_typed_tab, service=SERVICE)
CASJOBS_CSV = Format("casjobs-csv", "text/csv; charset=utf-8", (".csv",), write=write_plain_csv, service=SERVICE)
CASJOBS_XML = Format("casjobs-xml", "text/xml; charset=utf-8", (".xml",), write=write_typed_xml, service=SERVICE)
FORMATS = (CASJOBS, CASJOBS_TAB, CASJOBS_CSV, CASJOBS_XML)
