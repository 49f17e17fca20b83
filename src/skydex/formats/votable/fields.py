"""From FIELD elements to columns, and what one needs to know to decode their values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from skydex.formats.votable.arraysize import Arraysize
from skydex.formats.votable.outline import Field
from skydex.tables import Column, Datatype

__all__ = ["WIDTHS", "WireField", "wire_fields"]

WIDTHS = {
    "boolean": 1,
    "unsignedByte": 1,
    "short": 2,
    "int": 4,
    "long": 8,
    "char": 1,
    "unicodeChar": 2,
    "float": 4,
    "double": 8,
    "floatComplex": 8,
    "doubleComplex": 16,
}
"""Bytes of one element in BINARY; eight elements of `bit` share one byte."""

_OTHER_SPELLINGS = {"string": "char", "unicodeString": "unicodeChar", "": "char"}
"""Datatypes that old services write, and what they mean."""


@dataclass(frozen=True)
class WireField:
    """A FIELD with what its bytes look like."""

    name: str
    """Its name."""
    datatype: str
    """VOTable's word, also one that skydex does not carry."""
    size: Arraysize
    """Elements of one value."""
    null: str | None
    """Magic null."""
    column: Column | None
    """What is made of it; `None` if it cannot be carried."""
    problem: str = ""
    """Why it cannot be carried."""
    has_width: bool = True
    """Whether its bytes can be counted, and so passed over if need be."""

    @property
    def width(self) -> int:
        """Bytes of a value of fixed size."""
        if self.datatype == "bit":
            return (self.size.n_fixed + 7) // 8
        return WIDTHS[self.datatype] * self.size.n_fixed

    @property
    def element_width(self) -> int:
        """Bytes of one element; 0 for bits, of which eight share one."""
        return WIDTHS.get(self.datatype, 0)


def wire_fields(fields: Iterable[Field]) -> tuple[WireField, ...]:
    """Understand the FIELDs of a table."""
    return tuple(_wire_field(field) for field in fields)


def _wire_field(field: Field) -> WireField:
    words = field.attributes
    datatype = _OTHER_SPELLINGS.get(words.get("datatype", ""), words.get("datatype", ""))
    arraysize = words.get("arraysize") or ("*" if words.get("datatype") in ("string", "unicodeString") else None)
    try:
        size = Arraysize.parse(arraysize)
    except ValueError as error:
        return WireField(field.name, datatype, Arraysize(), field.null, None, str(error), has_width=False)
    if datatype == "bit" and arraysize in (None, "1"):
        boolean = _column(field, Datatype.BOOLEAN, None)
        return WireField(field.name, datatype, Arraysize(), field.null, boolean)
    if datatype not in {known.value for known in Datatype}:
        is_known = datatype in WIDTHS or datatype == "bit"
        problem = f'datatype "{datatype}" is not carried'
        return WireField(field.name, datatype, size, field.null, None, problem, has_width=is_known)
    if Datatype(datatype).is_text and arraysize and "x" in arraysize:
        return WireField(field.name, datatype, size, field.null, None, "arrays of texts are not carried")
    if arraysize == "1":
        arraysize = None  # what VOTable before 1.3 took for the default, and its erratum 3 deprecates
    return WireField(field.name, datatype, size, field.null, _column(field, Datatype(datatype), arraysize))


def _column(field: Field, datatype: Datatype, arraysize: str | None) -> Column:
    words = field.attributes
    return Column(
        field.name,
        datatype,
        arraysize=arraysize.replace(" ", "") if arraysize else None,
        unit=words.get("unit", "").strip() or None,
        ucd=words.get("ucd", "").strip() or None,
        utype=words.get("utype", "").strip() or None,
        xtype=words.get("xtype", "").strip() or None,
        description=field.description,
    )
