"""`Value`: a bound expression with its meaning, and `Shape`: a bound geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from skydex.query import tree
from skydex.tables import Column

__all__ = ["Shape", "Value", "whole_number"]

_MOST_DIGITS = 18


@dataclass(frozen=True)
class Value:
    """An expression whose names are known, and what it means."""

    node: exp.Expression
    """Neutral tree."""
    column: Column
    """Datatype, unit, UCD and description; its name is what the result column would be called."""

    @property
    def constant(self) -> float | None:
        """The number, if the text writes one out."""
        return tree.constant(self.node)

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, exp.Null)

    def meaning(self, **changes: Any) -> Value:
        """The same expression with another unit, UCD, name, ..."""
        return replace(self, column=replace(self.column, **changes))


@dataclass(frozen=True)
class Shape:
    """A geometry in a query, as the geometry functions see it."""

    kind: str
    """`POINT`, `CIRCLE`, `BOX`, `POLYGON`, or `REGION` if each row says what it has."""
    numbers: tuple[Value, ...]
    """Its coordinates in degrees, in ADQL's order; longitudes and latitudes alternate. Empty if only rows know them."""
    whole: exp.Expression | None = None
    """The geometry as one value (`shapes`), if the query did not make it of numbers."""
    frame: str = "ICRS"
    """What the coordinates refer to, one of `sky.FRAMES`."""
    parts: tuple[Shape, ...] = ()
    """Of a region that is written out as several, each of them."""

    @property
    def constants(self) -> tuple[float, ...] | None:
        """The coordinates as numbers, if every one is written out."""
        values = [value.constant for value in self.numbers] or [None]
        return None if None in values else tuple(value for value in values if value is not None)


def whole_number(digits: str) -> int:
    """A number that a text writes in digits; one too long for a long integer is as large as one can be."""
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MOST_DIGITS else 2**63 - 1
