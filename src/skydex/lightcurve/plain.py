"""Plain arrays out of what users have: quantities, masked columns, Arrow arrays, times, texts as bytes.

Nothing here knows what the numbers mean: masked and missing ones become NaN, quantities are converted, and times become
numbers of days.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError
from skydex.lightcurve.segments import Floats, Ints, Mask

__all__ = ["JD_OF_ZERO", "days", "floats", "is_time", "jd_of_zero", "taken", "texts"]

JD_OF_ZERO = {
    "mjd": 2400000.5,
    "jd": 0.0,
    "hjd": 0.0,
    "bjd": 0.0,
    "jd-2400000": 2400000.0,
    "hjd-2400000": 2400000.0,
    "bjd-2400000": 2400000.0,
    "jd-2450000": 2450000.0,
    "hjd-2450000": 2450000.0,
    "bkjd": 2454833.0,
    "btjd": 2457000.0,
}
"""Julian date at which each way of counting days begins; `bkjd` and `btjd` are those of Kepler and TESS."""


def jd_of_zero(format: str) -> float:
    """Julian date at which a way of counting days begins."""
    try:
        return JD_OF_ZERO[format.lower()]
    except KeyError:
        problem = f'"{format}" is no way of counting days. Known are: {", ".join(JD_OF_ZERO)}.'
        raise BadParameterError("time_format", problem) from None


def floats(values: Any, unit: str | None = None) -> Floats:
    """Numbers as float64, NaN where there is none; a quantity in the unit that is asked for."""
    if unit is not None and getattr(values, "unit", None) is not None:
        values = _in_unit(values, unit)
    mask = getattr(values, "mask", None)
    if hasattr(values, "unmasked"):  # astropy.utils.masked
        values = values.unmasked
    if hasattr(values, "to_value"):
        values = values.to_value(unit) if unit is not None and values.unit is not None else values.value
    if hasattr(values, "to_pandas") and hasattr(values, "combine_chunks"):  # Arrow
        values = values.to_pandas()
    plain = np.array(np.ma.getdata(values), dtype=np.float64)
    if mask is not None and np.any(mask):
        plain[np.broadcast_to(np.asarray(mask), plain.shape)] = np.nan
    return plain


def _in_unit(values: Any, unit: str) -> Any:
    """A column or quantity in another unit; as it is, if its unit is no unit of astropy."""
    from astropy import units as u

    try:
        wanted = u.Unit(unit)
        if hasattr(values, "to"):
            return values.to(wanted)
        factor = u.Unit(values.unit).to(wanted)
    except (u.UnitConversionError, ValueError, TypeError) as error:
        raise BadParameterError("unit", f"values in {values.unit} are not in {unit}, and cannot be.") from error
    return values if factor == 1.0 else np.ma.asarray(values) * factor


def texts(values: Any, n: int) -> NDArray[np.str_]:
    """Labels of n points as text; a single one stands for all, bytes are decoded, a missing one is empty."""
    if isinstance(values, str | bytes):
        return np.full(n, values if isinstance(values, str) else values.decode())
    if hasattr(values, "to_pylist"):
        values = [value if value is not None else "" for value in values.to_pylist()]
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    plain = np.asarray(np.ma.getdata(values))
    labels = np.char.decode(plain) if plain.dtype.kind == "S" else plain.astype(np.str_)
    return np.char.strip(labels if mask is None else np.where(mask, "", labels))


def is_time(values: Any) -> bool:
    """Whether values are an astropy `Time`."""
    return hasattr(values, "mjd") and hasattr(values, "scale")


def days(values: Any, format: str, scale: str = "") -> Floats:
    """Times as days from the zero of a format; an astropy `Time` is brought to the scale, if one is named."""
    if not is_time(values):
        return floats(values, "d")
    moved = getattr(values, scale) if scale and scale != values.scale and values.scale != "local" else values
    whole = np.asarray(moved.jd1) - jd_of_zero(format)  # in two parts, so that no digit is lost
    return floats(np.ma.array(whole + np.asarray(moved.jd2), mask=np.ma.getmaskarray(getattr(moved, "mask", False))))


def taken(rows: Any, index: Ints | Mask) -> Any:
    """Some rows of a table of astropy, pandas, polars or Arrow, or of an array."""
    place = np.flatnonzero(index) if index.dtype == np.bool_ else index
    if hasattr(rows, "iloc") and not hasattr(rows, "colnames"):  # tables of astropy have an iloc of another meaning
        return rows.iloc[place]
    return rows.take(place) if hasattr(rows, "combine_chunks") else rows[place]
