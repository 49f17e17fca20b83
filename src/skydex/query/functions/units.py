"""Values in other units: ADQL 2.1 (IVOA REC 2023-12-15), section 4.9, and GAVO's function for spectral values.

Units are those of the columns, as VOUnit 1.0 spells them; what has none, such as a number that is written out or a
product, cannot be converted. The arithmetic of units is astropy's.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.mathematics import double
from skydex.query.functions.meanings import double_like_first
from skydex.query.tree import call, integer, number
from skydex.query.values import Value

if TYPE_CHECKING:
    from astropy.units import UnitBase

__all__ = ["UNITS", "factor"]


def _in_unit(arguments: Sequence[Value]) -> list[Value]:
    value, target = arguments[0], arguments[1].node.name
    return _scaled(value, factor(_unit_of(value), target), target)


def _in_spectral_unit(arguments: Sequence[Value]) -> list[Value]:
    value, target = arguments[0], arguments[-1].node.name
    origin = arguments[1].node.name if len(arguments) == 3 else _unit_of(value)
    size, is_reciprocal = _spectral_factor(origin, target)
    if is_reciprocal:
        never_zero = call(exp.Nullif, double(value.node), integer(0))
        value = Value(exp.Div(this=number(1.0), expression=never_zero), value.column)
    return _scaled(value.meaning(ucd=None), size, target)


def _scaled(value: Value, size: float, unit: str) -> list[Value]:
    return [value.meaning(unit=unit), Value(number(size), types.DOUBLE)]


def _product(nodes: Nodes) -> exp.Expression:
    return exp.Paren(this=exp.Mul(this=double(nodes[0]), expression=nodes[1].copy()))


def _unit_of(value: Value) -> str:
    unit = value.column.unit
    if not unit:
        raise BadQueryError("What has no unit cannot be converted: IN_UNIT and the like take columns that have one.")
    return unit


@lru_cache(maxsize=256)
def factor(origin: str, target: str) -> float:
    """How many of one unit are one of another."""
    from astropy.units import UnitConversionError

    try:
        return float(_unit(origin).to(_unit(target)))
    except UnitConversionError as error:
        raise BadQueryError(f"{origin} cannot be converted to {target}.") from error


@lru_cache(maxsize=256)
def _spectral_factor(origin: str, target: str) -> tuple[float, bool]:
    """The value in one unit of what is 1 in another, and whether what grows in one shrinks in the other."""
    from astropy.units import UnitConversionError, spectral

    try:
        once, twice = _unit(origin).to(_unit(target), [1.0, 2.0], equivalencies=spectral())
    except UnitConversionError as error:
        raise BadQueryError(f"{origin} and {target} are not both of wavelength, frequency or energy.") from error
    return float(once), bool(twice < once)


@lru_cache(maxsize=256)
def _unit(text: str) -> UnitBase:
    """A unit, by VOUnit's rules; published ones may break them."""
    from astropy.units import Unit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for syntax in ("vounit", "generic"):
            try:
                if text.strip():
                    return Unit(text, format=syntax)
            except ValueError:
                continue
    raise BadQueryError(f"{text!r} is no unit: write one such as 'deg', 'mas/yr', 'Jy' or 'erg.s**-1.cm**-2'.")


_SPECCONV = Function(
    "GAVO_SPECCONV",
    "nS",
    2,
    _product,
    double_like_first,
    "gavo_specconv(x, 'unit') or gavo_specconv(x, 'unit of x', 'unit')",
    "A wavelength, frequency or energy in another spectral unit: gavo_specconv(em_min, 'keV').",
    "gavo_specconv(expr DOUBLE, dest_unit VARCHAR) -> DOUBLE",
    Function(
        "GAVO_SPECCONV",
        "nSS",
        3,
        _product,
        double_like_first,
        "gavo_specconv(x, 'unit') or gavo_specconv(x, 'unit of x', 'unit')",
        "The same for what has no unit, or another one: gavo_specconv(656, 'nm', 'eV').",
        "gavo_specconv(expr DOUBLE, expr_unit VARCHAR, dest_unit VARCHAR) -> DOUBLE",
        prepare=_in_spectral_unit,
    ),
    prepare=_in_spectral_unit,
)

UNITS = (
    Function(
        "IN_UNIT",
        "nS",
        2,
        _product,
        double_like_first,
        "IN_UNIT(x, 'unit')",
        "A value in another unit than that of its column: IN_UNIT(ra, 'rad').",
        prepare=_in_unit,
    ),
    _SPECCONV,
)
