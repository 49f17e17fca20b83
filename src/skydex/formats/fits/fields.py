"""`Field`: one column of a FITS table, as its header describes it.

FITS 4.0 (2018), sections 7.2.2 (ASCII tables) and 7.3.2 (binary tables). What can be carried becomes a `Column`; what
cannot is a `Refusal` with its reason, so that nothing is left out in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from skydex.formats.fits.hdus import HDU
from skydex.tables import Column, Datatype

__all__ = ["Field", "Refusal", "fields_of"]

_BINARY = re.compile(r"(\d*)([LXBIJKAEDCMPQ])(.*)", re.DOTALL)
_ASCII = re.compile(r"([AIFED])(\d+)(?:\.(\d+))?")
_SIZES = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_DATATYPES = {
    "L": Datatype.BOOLEAN,
    "X": Datatype.BOOLEAN,
    "B": Datatype.UNSIGNED_BYTE,
    "I": Datatype.SHORT,
    "J": Datatype.INT,
    "K": Datatype.LONG,
    "A": Datatype.CHAR,
    "E": Datatype.FLOAT,
    "D": Datatype.DOUBLE,
    "C": Datatype.FLOAT,
    "M": Datatype.DOUBLE,
}
_UNSIGNED: dict[tuple[str, float], Datatype] = {
    ("B", -128): Datatype.SHORT,
    ("I", 2**15): Datatype.INT,
    ("J", 2**31): Datatype.LONG,
    ("K", 2**63): Datatype.LONG,
}
"""Offsets that mean the other signedness (7.3.2, table 19), and the type that holds all such values."""


@dataclass(frozen=True)
class Field:
    """Place, encoding and meaning of one column."""

    column: Column
    """What it means."""
    letter: str
    """TFORM letter of its elements."""
    repeat: int
    """Elements a row; for a column on the heap, of descriptors."""
    offset: int
    """Byte in the row where it begins."""
    width: int
    """Bytes in the row."""
    descriptor: str = ""
    """`P` or `Q` for a column on the heap."""
    null: int | str | None = None
    """TNULLn, among the stored values."""
    scale: float = 1
    """TSCALn."""
    zero: float = 0
    """TZEROn."""

    @property
    def is_offset_integer(self) -> bool:
        """Whether TZERO only turns signed integers into unsigned ones or the reverse."""
        return self.scale == 1 and (self.letter, self.zero) in _UNSIGNED

    @property
    def is_scaled(self) -> bool:
        return (self.scale, self.zero) != (1, 0) and not self.is_offset_integer


@dataclass(frozen=True)
class Refusal:
    """A column that is left out, and why."""

    name: str
    """Its name."""
    reason: str
    """What stands in the way."""

    def __str__(self) -> str:
        return f'Column "{self.name}" is left out: {self.reason}.'


def fields_of(hdu: HDU) -> list[Field | Refusal]:
    """Describe every column of a table, in its order.

    Raises
    ------
    UnreadableFileError
        The header contradicts itself.
    """
    describe = _ascii_field if hdu.kind == "TABLE" else _binary_field
    n_fields = hdu.value("TFIELDS", 0)
    if not isinstance(n_fields, int) or not 0 <= n_fields <= 999:
        raise hdu.problem(f"TFIELDS is {n_fields!r}")
    fields: list[Field | Refusal] = []
    offset = 0
    for number in range(1, n_fields + 1):
        field, width = describe(hdu, number, offset)
        fields.append(field)
        offset += width
    if offset > hdu.row_bytes:
        raise hdu.problem(f"its columns take {offset} bytes, but a row has {hdu.row_bytes}")
    return fields


def _binary_field(hdu: HDU, number: int, offset: int) -> tuple[Field | Refusal, int]:
    name, form = _name(hdu, number), str(hdu.value(f"TFORM{number}", "")).strip()
    match = _BINARY.fullmatch(form)
    if not match:
        raise hdu.problem(f"TFORM{number} is {form!r}")
    repeat, letter, rest = int(match[1] or 1), match[2], match[3]
    width = -(-repeat // 8) if letter == "X" else repeat * _SIZES[letter]
    if repeat == 0:
        return Refusal(name, "it has no bytes (TFORM repeat 0)"), 0
    if letter in "PQ":
        return _heap_field(hdu, number, offset, letter, rest), width
    shape = _shape(hdu, number, repeat)
    if letter == "A" and (len(shape) > 1 or (rest[:1].isdigit() and int(re.match(r"\d+", rest)[0]) < repeat)):  # type: ignore[index]
        return Refusal(name, f"it holds several texts a row (TFORM {form}, TDIM {shape})"), width
    return _field(hdu, number, letter, repeat, offset, width, _arraysize(letter, shape)), width


def _heap_field(hdu: HDU, number: int, offset: int, descriptor: str, rest: str) -> Field | Refusal:
    letter = rest[:1]
    if letter not in _DATATYPES or letter == "X":
        return Refusal(_name(hdu, number), f"arrays of type {letter or 'none'!s} on the heap cannot be carried")
    arraysize = "2x*" if letter in "CM" else "*"
    return _field(hdu, number, letter, 1, offset, _SIZES[descriptor], arraysize, descriptor)


def _field(
    hdu: HDU,
    number: int,
    letter: str,
    repeat: int,
    offset: int,
    width: int,
    arraysize: str | None,
    descriptor: str = "",
) -> Field:
    scale, zero = _number(hdu, f"TSCAL{number}", 1), _number(hdu, f"TZERO{number}", 0)
    if letter in "ALX":
        scale, zero = 1, 0
    datatype = _DATATYPES[letter]
    if (scale, zero) != (1, 0):
        datatype = _UNSIGNED.get((letter, zero), Datatype.DOUBLE) if scale == 1 else Datatype.DOUBLE
    null = hdu.value(f"TNULL{number}") if letter in "BIJK" else None
    if not isinstance(null, int):
        null = None
    column = _column(hdu, number, datatype, arraysize)
    return Field(column, letter, repeat, offset, width, descriptor, null, scale, zero)


def _ascii_field(hdu: HDU, number: int, offset: int) -> tuple[Field | Refusal, int]:
    form, start = str(hdu.value(f"TFORM{number}", "")).strip(), hdu.value(f"TBCOL{number}")
    match = _ASCII.fullmatch(form)
    if not match or not isinstance(start, int) or start < 1:
        raise hdu.problem(f"TFORM{number} is {form!r} and TBCOL{number} is {start!r}")
    letter, width = match[1], int(match[2])
    if start - 1 + width > hdu.row_bytes:
        raise hdu.problem(f"column {number} ends behind its row")
    scale, zero = _number(hdu, f"TSCAL{number}", 1), _number(hdu, f"TZERO{number}", 0)
    if letter == "A":
        datatype, scale, zero = Datatype.CHAR, 1, 0
    elif letter == "I" and (scale, zero) == (1, 0):
        datatype = Datatype.INT if width <= 9 else Datatype.LONG
    else:
        datatype = Datatype.DOUBLE
    null = hdu.value(f"TNULL{number}")
    column = _column(hdu, number, datatype, f"{width}*" if letter == "A" else None)
    null = None if null is None else str(null).strip()
    return Field(column, letter, 1, start - 1, width, "", null, scale, zero), 0


def _column(hdu: HDU, number: int, datatype: Datatype, arraysize: str | None) -> Column:
    return Column(
        _name(hdu, number),
        datatype,
        arraysize=arraysize,
        description=_text(hdu, f"TCOMM{number}") or _remark(hdu, number) or "",
        unit=_text(hdu, f"TUNIT{number}"),
        ucd=_text(hdu, f"TUCD{number}"),
        utype=_text(hdu, f"TUTYP{number}"),
    )


def _name(hdu: HDU, number: int) -> str:
    return _text(hdu, f"TTYPE{number}") or f"col{number}"


def _remark(hdu: HDU, number: int) -> str | None:
    """The comment behind TTYPEn, unless it says only that this is a name."""
    try:
        comment = str(hdu.header.comments[f"TTYPE{number}"]).strip()
    except KeyError:
        return None
    return (
        None
        if re.match(r"(?i)(label for|name of|column (name|title)|field name|label|\d+\b)", comment)
        else comment or None
    )


def _text(hdu: HDU, key: str) -> str | None:
    value = hdu.value(key)
    return str(value).strip() or None if value is not None else None


def _number(hdu: HDU, key: str, default: float) -> float:
    value = hdu.value(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def _shape(hdu: HDU, number: int, repeat: int) -> tuple[int, ...]:
    """TDIMn where it fits the repeat count, else one dimension (7.3.2)."""
    text = str(hdu.value(f"TDIM{number}", "")).strip().strip("()")
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        return (repeat,)
    shape = tuple(int(part) for part in parts)
    return shape if prod(shape) == repeat else (repeat,)


def _arraysize(letter: str, shape: tuple[int, ...]) -> str | None:
    if letter == "A":
        return f"{shape[0]}*"
    if letter in "CM":
        shape = (2, *shape) if prod(shape) > 1 else (2,)
    return "x".join(str(side) for side in shape) if prod(shape) > 1 else None
