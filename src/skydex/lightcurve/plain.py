"""Plain arrays out of what users have: quantities, masked columns, Arrow arrays, times, texts as bytes.

Nothing here knows what the numbers mean: masked and missing ones become NaN, quantities are converted, and times become
numbers of days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError, one_line
from skydex.lightcurve.segments import Floats, Ints, Mask

__all__ = ["days", "floats", "is_time", "jd_of_zero", "number", "taken", "texts", "unit_of"]

_NAMED = {"mjd": 2400000.5, "bkjd": 2454833.0, "btjd": 2457000.0}
_JULIAN = re.compile(r"[hb]?jd(?: *- *(\d+(?:\.\d+)?))?", re.IGNORECASE)


def jd_of_zero(format: str) -> float:
    """Julian date at which a way of counting days begins: `mjd`, `jd`, `hjd`, `bjd`, `bjd-2400000`, `bkjd`, `btjd`.

    `bkjd` and `btjd` are those of Kepler and TESS; any number may be taken off a Julian date.
    """
    julian = _JULIAN.fullmatch(format.strip())
    if julian:
        return float(julian[1] or 0.0)
    try:
        return _NAMED[format.lower()]
    except KeyError:
        problem = f'"{format}" is no way of counting days; such are mjd, jd, hjd, bjd, bjd-2400000, bkjd and btjd.'
        raise BadParameterError("time_format", problem) from None


def floats(values: Any, unit: str | None = None) -> Floats:
    """Numbers as float64, NaN where there is none; those that carry a unit in the unit that is asked for."""
    factor = 1.0 if unit is None else _factor(values, unit)
    mask = _mask(values)
    bare = getattr(values, "unmasked", values)
    try:
        plain = np.array(np.ma.getdata(getattr(bare, "value", bare)), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadParameterError("values", f"are not numbers: {one_line(str(error))}") from error
    if mask is not None and np.any(mask):
        plain[np.broadcast_to(np.asarray(mask), plain.shape)] = np.nan
    return plain if factor == 1.0 else plain * factor


def unit_of(values: Any) -> Any:
    """The unit that a column or a quantity carries, as astropy has it; None if it has none, or none that is known."""
    unit = getattr(values, "unit", None)
    if not unit:
        return None
    from astropy import units as u

    known = u.Unit(unit, parse_strict="silent")
    return None if isinstance(known, u.UnrecognizedUnit) else getattr(known, "function_unit", known)


def _factor(values: Any, wanted: str) -> float:
    """By what numbers are multiplied to be in a unit."""
    unit = unit_of(values)
    if unit is None:
        return 1.0
    from astropy import units as u

    try:
        return float(unit.to(u.Unit(wanted)))
    except u.UnitConversionError as error:
        raise BadParameterError("unit", f"values in {unit} are not in {wanted}, and cannot be.") from error


def number(value: Any, unit: str) -> float:
    """One number in a unit: bare, a quantity, or a text such as `11.7 h`."""
    if isinstance(value, str):
        from astropy.units import Quantity

        try:
            value = Quantity(value)
        except TypeError as error:
            raise BadParameterError("value", f'"{value[:40]}" is no number with a unit.') from error
    found = floats(value, unit)
    if found.shape != ():
        raise BadParameterError("value", f"is one number, not {found.size}.")
    return float(found)


def texts(values: Any, n: int) -> NDArray[np.str_]:
    """Labels of n points as text; a single one stands for all, bytes are decoded, a missing one is empty."""
    if isinstance(values, str | bytes):
        return np.full(n, values if isinstance(values, str) else values.decode())
    mask = _mask(values)
    plain = np.asarray(np.ma.getdata(values))
    if plain.dtype.kind == "O":
        plain = np.array(["" if one is None or one != one else one for one in plain.tolist()])
    if plain.dtype.kind == "f":  # whole numbers of a column that has nulls
        plain = np.array(["" if np.isnan(one) else f"{one:.15g}" for one in plain.tolist()], dtype=np.str_)
    labels = np.char.decode(plain) if plain.dtype.kind == "S" else plain.astype(np.str_)
    return np.char.strip(labels if mask is None else np.where(np.asarray(mask), "", labels))


def _mask(values: Any) -> Any:
    mask = getattr(values, "mask", None)
    return None if callable(mask) else mask  # a method of pandas


def is_time(values: Any) -> bool:
    """Whether values are an astropy `Time`."""
    return hasattr(values, "mjd") and hasattr(values, "scale")


def days(values: Any, format: str, scale: str = "") -> Floats:
    """Times as days from the zero of a format; an astropy `Time` is brought to the scale, if one is named."""
    if not is_time(values):
        return floats(values, "d")
    moved = getattr(values, scale) if scale and scale != values.scale and values.scale != "local" else values
    whole = np.asarray(moved.jd1) - jd_of_zero(format)  # in two parts, so that no digit is lost
    return floats(np.ma.array(whole + np.asarray(moved.jd2), mask=np.asarray(moved.mask)))


def taken(rows: Any, index: Ints | Mask) -> Any:
    """Some rows of a table of astropy, pandas, polars or Arrow, of a mapping of arrays, or of an array."""
    place = np.flatnonzero(index) if index.dtype == np.bool_ else index
    if isinstance(rows, Mapping):
        return {
            name: (values if hasattr(values, "shape") else np.asarray(values))[place] for name, values in rows.items()
        }
    if hasattr(rows, "iloc") and not hasattr(rows, "colnames"):  # tables of astropy have an iloc of another meaning
        return rows.iloc[place]
    return rows.take(place) if hasattr(rows, "combine_chunks") else rows[place]
