"""The XML around the rows of a VOTable: header, footer, and documents that carry only an error.

VOTable 1.4 (IVOA REC 2019-10-21, namespace v1.3) with the INFO elements of DALI 1.1, section 4.4: QUERY_STATUS before
the table, and OVERFLOW or ERROR after it. Older versions can be asked for, since cone search clients expect them; the
error document of cone search is that of SCS 1.03, section 2.3. Rows are written by `tabledata` and `binary`.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skydex.tables import Column, Datatype, field_xml, xml_attribute, xml_text

__all__ = [
    "VOTABLE_1_1",
    "VOTABLE_1_2",
    "VOTABLE_1_4",
    "Info",
    "Serialization",
    "Version",
    "error_votable",
    "field_ids",
    "footer",
    "header",
    "magic_null",
    "scs_error_votable",
    "wire_column",
]


class Serialization(enum.StrEnum):
    """How the rows are written, in VOTable's words."""

    BINARY2 = "BINARY2"
    BINARY = "BINARY"
    TABLEDATA = "TABLEDATA"


@dataclass(frozen=True)
class Version:
    """A version of the VOTable standard, as a document claims it."""

    number: str
    """Value of the version attribute."""
    namespace: str
    """XML namespace, which lags behind the number."""


VOTABLE_1_1 = Version("1.1", "http://www.ivoa.net/xml/VOTable/v1.1")
VOTABLE_1_2 = Version("1.2", "http://www.ivoa.net/xml/VOTable/v1.2")
VOTABLE_1_4 = Version("1.4", "http://www.ivoa.net/xml/VOTable/v1.3")


@dataclass(frozen=True)
class Info:
    """An INFO element: a fact about the document or its table."""

    name: str
    """What the fact is called."""
    value: str
    """The fact."""
    text: str = ""
    """Words about it for people."""

    def xml(self) -> str:
        words = f"<INFO name={xml_attribute(self.name)} value={xml_attribute(self.value)}"
        return f"{words}>{xml_text(self.text)}</INFO>\n" if self.text else f"{words}/>\n"


_ICRS = "icrs"
_MAGIC = {
    Datatype.SHORT: -(2**15),
    Datatype.INT: -(2**31),
    Datatype.LONG: -(2**63),
}
_VARIABLE_ROWS = re.compile(r"x\d*\*$")
_OPENING = {
    Serialization.TABLEDATA: "<TABLEDATA>\n",
    Serialization.BINARY: '<BINARY>\n<STREAM encoding="base64">\n',
    Serialization.BINARY2: '<BINARY2>\n<STREAM encoding="base64">\n',
}
_CLOSING = {
    Serialization.TABLEDATA: "</TABLEDATA>\n",
    Serialization.BINARY: "\n</STREAM>\n</BINARY>\n",
    Serialization.BINARY2: "\n</STREAM>\n</BINARY2>\n",
}


def header(
    columns: Sequence[Column],
    serialization: Serialization,
    *,
    name: str = "",
    description: str = "",
    infos: Iterable[Info] = (),
    version: Version = VOTABLE_1_4,
) -> bytes:
    """Everything before the first row.

    Parameters
    ----------
    columns : sequence of Column
        One FIELD each; the rows must be written with `wire_column` of the same columns.
    serialization : Serialization
        What the rows will be.
    name, description : str, optional
        Of the TABLE.
    infos : iterable of Info, optional
        INFO elements before the TABLE, QUERY_STATUS among them.
    version : Version, optional
        Which VOTable the document claims to be.
    """
    system, fields = _fields(tuple(_facts(column) for column in columns), serialization)
    words = f" name={xml_attribute(name)}" if name else ""
    about = f"<DESCRIPTION>{xml_text(description)}</DESCRIPTION>\n" if description else ""
    parts = (
        _opening(version),
        '<RESOURCE type="results">\n',
        *(info.xml() for info in infos),
        system,
        f"<TABLE{words}>\n",
        about,
        fields,
        "<DATA>\n",
        _OPENING[serialization],
    )
    return "".join(parts).encode()


_Facts = tuple[str, Datatype, str | None, str | None, str | None, str | None, str | None, str]


def _facts(column: Column) -> _Facts:
    """What a FIELD says of a column, as a key: columns themselves cannot be hashed."""
    return (
        column.name,
        column.datatype,
        column.arraysize,
        column.unit,
        column.ucd,
        column.utype,
        column.xtype,
        column.description,
    )


@functools.lru_cache(maxsize=256)
def _fields(facts: tuple[_Facts, ...], serialization: Serialization) -> tuple[str, str]:
    """Write COOSYS and FIELD elements; kept, because small answers of one service differ only in their rows."""
    wire = [wire_column(Column(*one), serialization) for one in facts]
    references = [_ICRS if _is_main_position(column) else None for column in wire]
    fields = "".join(
        field_xml(column, identifier=identifier, null=magic_null(column, serialization), reference=reference) + "\n"
        for column, identifier, reference in zip(wire, field_ids(wire), references, strict=True)
    )
    return f'<COOSYS ID="{_ICRS}" system="ICRS"/>\n' if any(references) else "", fields


def footer(serialization: Serialization, *, infos: Iterable[Info] = (), services: str = "") -> bytes:
    """Everything after the last row, with what became known only then, and the resources that describe services."""
    tail = "".join(info.xml() for info in infos)
    return f"{_CLOSING[serialization]}</DATA>\n</TABLE>\n{tail}</RESOURCE>\n{services}</VOTABLE>\n".encode()


def error_votable(message: str) -> bytes:
    """Write the document that a DALI service answers an error with (DALI 1.1, section 4.4.1)."""
    status = Info("QUERY_STATUS", "ERROR", message).xml()
    return f'{_opening(VOTABLE_1_4)}<RESOURCE type="results">\n{status}</RESOURCE>\n</VOTABLE>\n'.encode()


def scs_error_votable(message: str, *, version: Version = VOTABLE_1_4) -> bytes:
    """Write the document that a cone search answers an error with (SCS 1.03, section 2.3)."""
    info = f'<INFO ID="Error" name="Error" value={xml_attribute(message)}/>\n'
    return f'{_opening(version)}<RESOURCE type="results">\n{info}</RESOURCE>\n</VOTABLE>\n'.encode()


def wire_column(column: Column, serialization: Serialization) -> Column:
    """Describe a column as it is written: what a serialisation cannot carry is widened, never cut.

    Without BINARY2's mask an `unsignedByte` has no place for a null but one of its 256 values, so there it travels as
    `short`. Timestamps without a size would be read as one character. Of an array that varies in its last dimension, as
    `"2x*"`, STILTS counts the elements and astropy the pairs; as `"*"` both read it.
    """
    if column.is_timestamp and column.datatype.is_text and column.arraysize is None:
        return replace(column, arraysize="26*")
    if column.datatype is Datatype.UNSIGNED_BYTE and _lacks_null(column, serialization):
        column = replace(column, datatype=Datatype.SHORT)
    is_binary = serialization is not Serialization.TABLEDATA
    if is_binary and column.is_array and _VARIABLE_ROWS.search(column.arraysize or ""):
        return replace(column, arraysize="*")
    return column


def _lacks_null(column: Column, serialization: Serialization) -> bool:
    """Whether only a value of its own can stand for a null."""
    return serialization is Serialization.BINARY or (column.is_array and serialization is Serialization.TABLEDATA)


def magic_null(column: Column, serialization: Serialization) -> str | None:
    """Value that stands for null where neither an empty cell nor a mask can: integers in BINARY and inside arrays."""
    datatype = wire_column(column, serialization).datatype
    if datatype in _MAGIC and (column.is_array or serialization is Serialization.BINARY):
        return str(_MAGIC[datatype])
    return None


def field_ids(columns: Sequence[Column]) -> list[str]:
    """IDs for FIELDs: the names where these can be XML names, made unique."""
    taken = {_ICRS}
    ids = []
    for column in columns:
        word = re.sub(r"[^A-Za-z0-9_.-]", "_", column.name) or "_"
        word = word if re.match("[A-Za-z_]", word) else f"_{word}"
        unique, n_seen = word, 1
        while unique in taken:
            n_seen += 1
            unique = f"{word}_{n_seen}"
        taken.add(unique)
        ids.append(unique)
    return ids


def _opening(version: Version) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="{version.number}" xmlns="{version.namespace}">\n'


def _is_main_position(column: Column) -> bool:
    """Whether it is one of the two columns that every published position has, which are ICRS by our own rule."""
    words = (column.ucd or "").lower().split(";")
    is_ours = words[0] in ("pos.eq.ra", "pos.eq.dec") and "meta.main" in words
    return is_ours or words[0] in ("pos_eq_ra_main", "pos_eq_dec_main")
