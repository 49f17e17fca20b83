"""The primitives of VOTable as numpy lays them out on the wire (VOTable 1.4, section 2.1: big-endian)."""

from __future__ import annotations

from skydex.tables import Datatype

__all__ = ["BIG_ENDIAN"]

BIG_ENDIAN = {
    Datatype.BOOLEAN: "u1",
    Datatype.UNSIGNED_BYTE: "u1",
    Datatype.SHORT: ">i2",
    Datatype.INT: ">i4",
    Datatype.LONG: ">i8",
    Datatype.FLOAT: ">f4",
    Datatype.DOUBLE: ">f8",
    Datatype.CHAR: "u1",
    Datatype.UNICODE_CHAR: ">u2",
}
