"""`Radius`: how far apart partners may be: an angle, or a multiple of the errors of their positions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from skydex.errors import BadParameterError
from skydex.sky.angles import Floats
from skydex.tables import Table

__all__ = ["LARGEST_DEG", "Radius", "find_errors"]

LARGEST_DEG = 180.0
"""No two positions are further apart."""

_NO_ANGLES = ("nan", "inf", "infinity")
"""Texts that are numbers, and not taken for columns."""
_NAME = r"[A-Za-z_]\w*"
_SQUARE = rf"({_NAME})\s*(?:\^|\*\*)\s*2"
_ERRORS = re.compile(
    rf"(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)\s*\*\s*)?(?:sqrt\(\s*{_SQUARE}\s*\+\s*{_SQUARE}\s*\)|({_NAME}))"
    r"(?:\s+([A-Za-z]+))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Radius:
    """How far apart partners may be.

    Either an angle; or `factor` times the error of the first table's row, or times the root of the sum of the squares
    of both rows' errors, and then no more than an angle if there is one. A row without an error has no partner.
    """

    most_deg: float = LARGEST_DEG
    """The angle, degrees."""
    factor: float = 0.0
    """How many errors; 0 where it is an angle only."""
    own: str = ""
    """Column of the first table's errors; none for an angle."""
    other: str = ""
    """Column of the errors of the other tables; none if theirs do not count."""
    unit: str | None = None
    """Unit of errors whose columns have none."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.most_deg <= LARGEST_DEG:
            raise BadParameterError("radius", f"must be between 0 and {LARGEST_DEG:g} degrees, not {self.most_deg!r}.")

    def __str__(self) -> str:
        angle = f"{self.most_deg * 3600.0:.6g} arcsec"
        if not self.own:
            return angle
        errors = f"sqrt({self.own}^2 + {self.other}^2)" if self.other else self.own
        bound = f", {angle} at most" if self.most_deg < LARGEST_DEG else ""
        return f"{self.factor:g} * {errors}{bound}"

    def of_pairs(self, own_deg: Floats, other_deg: Floats | float) -> Floats:
        """For pairs of rows the radius, degrees; -1 where an error is unknown or negative."""
        if not self.own:
            return np.full(len(own_deg), self.most_deg)
        is_known = (own_deg >= 0.0) & (np.asarray(other_deg) >= 0.0)
        return np.where(is_known, np.minimum(self.factor * np.hypot(own_deg, other_deg), self.most_deg), -1.0)


def find_errors(text: str) -> Radius | None:
    """Read a radius that is made of errors, or give `None` where the text is something else, such as an angle.

    Parameters
    ----------
    text : str
        `err`, `3*err`, `3*sqrt(err^2+pos_err^2)`: the first column is of the first table, the second one of the
        others. A unit may follow, for columns that have none: `3*err arcsec`.

    Examples
    --------
    >>> str(find_errors("3*sqrt(err^2 + pos_err^2) arcsec"))
    '3 * sqrt(err^2 + pos_err^2)'
    """
    found = _ERRORS.fullmatch(text.strip())
    if found is None or text.strip().lower() in _NO_ANGLES:
        return None
    factor, own, other, alone, unit = found.groups()
    return Radius(factor=float(factor or 1.0), own=own or alone, other=other or "", unit=unit)


def degrees_of_unit(table: Table, column: str, given: str | None) -> float:
    """How many degrees the unit of a column of angles is.

    Raises
    ------
    BadParameterError
        It has none, or it is no angle.
    """
    from astropy import units  # only here: it takes half a second to import

    found = table.get_column(column)
    unit: Any = found.unit or given
    if not found.datatype.is_numeric or found.is_array:
        raise BadParameterError("radius", f"cannot be made of {column} of {table.name}: it holds no numbers.")
    if not unit:
        raise BadParameterError("radius", f"does not say the unit of {column} of {table.name}: write {column} arcsec.")
    try:
        return float(units.Unit(unit).to("deg"))
    except (ValueError, TypeError) as error:
        raise BadParameterError("radius", f"cannot be made of {column} of {table.name}, in {unit}.") from error
