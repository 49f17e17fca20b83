"""Angles as files spell them, to degrees.

Numbers in degrees, hours, radians or arcseconds; sexagesimal text such as `05:34:31.9`, `5 34 31.9`, `5h34m31.9s`,
`-00d15'07"`; and separate columns for h, m, s and sign, d, m, s (AAS and CDS machine-readable tables). Whole columns
at a time: text is taken apart by Arrow's regular expressions. What cannot be an angle is NaN, never an error, since
such rows are the affair of `checks`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.ingest.recipe import AngleUnit

__all__ = ["degrees", "floats", "share_of_angles"]

_SEXAGESIMAL = (
    r"^\s*(?P<sign>[+\-−–]?)\s*(?P<whole>\d{1,3})\s*[:\shd°]\s*(?P<minutes>\d{1,2}(?:\.\d*)?)"
    r"\s*(?:[:\sm'′]\s*(?:(?P<seconds>\d{1,2}(?:\.\d*)?)\s*(?:s|\"|″|'')?)?)?\s*$"
)
_DEGREES_PER = {AngleUnit.DEG: 1.0, AngleUnit.HOURANGLE: 15.0, AngleUnit.RAD: 180.0 / np.pi, AngleUnit.ARCSEC: 1 / 3600}


def degrees(columns: Sequence[pa.Array], unit: AngleUnit, *, is_hours: bool) -> NDArray[np.float64]:
    """Angles of one coordinate in degrees.

    Parameters
    ----------
    columns : sequence of (n,) arrays
        One column, or the three or four of `AngleUnit.PARTS`.
    unit : AngleUnit
        How they are spelled.
    is_hours : bool
        Whether sexagesimal values, parts and `HOURANGLE` count hours (a right ascension) rather than degrees.

    Returns
    -------
    angle_deg : (n,) float64 array
        NaN where there is no value or no angle.
    """
    factor = 15.0 if is_hours else 1.0
    if unit is AngleUnit.SEXAGESIMAL:
        return factor * _from_text(columns[0])
    if unit is AngleUnit.PARTS:
        return factor * _from_parts(columns)
    if unit is AngleUnit.HOURANGLE:
        return factor * floats(columns[0])
    return _DEGREES_PER[unit] * floats(columns[0])


def floats(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Numbers of a column as float64, NaN for null; text that is no number is NaN too."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _numbers_of_text(column)
    if column.type != pa.float64():
        column = column.cast(pa.float64(), safe=False)
    if column.null_count:
        column = column.fill_null(float("nan"))
    values: NDArray[np.float64] = column.to_numpy()
    return values


def share_of_angles(texts: pa.Array | pa.ChunkedArray, unit: AngleUnit) -> float:
    """Which part of the texts, 0 to 1, are angles in that spelling; blank ones do not count."""
    present = texts.drop_null()
    present = present.filter(pc.not_equal(pc.utf8_trim_whitespace(present), ""))
    return float(np.isfinite(degrees([present], unit, is_hours=False)).mean()) if len(present) else 0.0


def _numbers_of_text(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(texts)
    is_number = pc.match_substring_regex(trimmed, r"^[+\-]?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?$")
    plain = pc.replace_substring_regex(trimmed, r"^\+", "")
    return pc.if_else(is_number, plain, None).cast(pa.float64())


def _from_text(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    parts = pc.extract_regex(texts.cast(pa.string()), _SEXAGESIMAL)
    whole, minutes, seconds = (floats(pc.struct_field(parts, part)) for part in ("whole", "minutes", "seconds"))
    is_negative = pc.is_in(pc.struct_field(parts, "sign"), pa.array(["-", "−", "–"]))
    sign = np.where(is_negative.to_numpy(zero_copy_only=False), -1.0, 1.0)
    return _joined(sign, whole, minutes, np.nan_to_num(seconds))


def _from_parts(columns: Sequence[pa.Array]) -> NDArray[np.float64]:
    if len(columns) == 4:
        is_negative = pc.is_in(pc.utf8_trim_whitespace(columns[0].cast(pa.string())), pa.array(["-", "−", "–"]))
        sign = np.where(is_negative.to_numpy(zero_copy_only=False), -1.0, 1.0)
        columns = columns[1:]
    else:
        sign = np.where(np.signbit(floats(columns[0])), -1.0, 1.0)
    whole, minutes = abs(floats(columns[0])), floats(columns[1])
    seconds = np.nan_to_num(floats(columns[2])) if len(columns) > 2 else np.zeros(len(whole))
    return _joined(sign, whole, minutes, seconds)


def _joined(
    sign: NDArray[np.float64], whole: NDArray[np.float64], minutes: NDArray[np.float64], seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Join the parts; minutes or seconds over 60 make no angle (60 itself is a known way of rounding)."""
    angle = sign * (whole + minutes / 60.0 + seconds / 3600.0)
    return np.where((minutes > 60.0) | (seconds > 60.0), np.nan, angle)
