"""Angles in hours or degrees, minutes, seconds: Catalogue of ADQL User Defined Functions 1.2, section 2.7."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.query.functions.function import Function
from skydex.query.functions.meanings import in_unit
from skydex.query.kernels import Floats, Kernel, computed, numbers

__all__ = ["SEXAGESIMAL"]

_SECONDS = r"(?P<seconds>\d{1,2}(?:\.\d*)?)"
_FORMS = (
    rf"^\s*(?P<sign>[+-]?)(?P<whole>\d{{1,3}})\s*[:\s]\s*(?P<minutes>\d{{1,2}})\s*[:\s]\s*{_SECONDS}\s*$",
    rf"^\s*(?P<sign>[+-]?)(?P<whole>\d{{1,3}})\s*[hHdD]\s*(?P<minutes>\d{{1,2}})\s*[mM]\s*{_SECONDS}\s*[sS]\s*$",
    r"^\s*(?P<sign>[+-]?)(?P<whole>\d{2,3})(?P<minutes>\d{2})(?P<seconds>\d{2}(?:\.\d*)?)\s*$",
)
"""`d:m:s` (or with blanks), `dDmMsS`, `ddmmss`; hours likewise."""


def _parsed(texts: pa.Array, letters: str) -> tuple[Floats, Floats]:
    """Sign and unsigned value of each text; NaN for what cannot be read, or has sixty minutes or seconds."""
    sign, value = np.ones(len(texts)), np.full(len(texts), np.nan)
    for form in _FORMS:
        parts = pc.extract_regex(texts, pattern=form.replace("[hHdD]", letters))
        whole, minutes, seconds = (
            numbers(pc.cast(pc.struct_field(parts, name), pa.float64())) for name in ("whole", "minutes", "seconds")
        )
        is_read = (minutes < 60.0) & (seconds < 60.0)
        value[is_read] = (whole + (minutes + seconds / 60.0) / 60.0)[is_read]
        negative = pc.equal(pc.struct_field(parts, "sign"), "-").fill_null(False).to_numpy(zero_copy_only=False)
        sign[negative] = -1.0
    return sign, value


def _from_hours(texts: pa.Array) -> pa.Array:
    sign, hours = _parsed(texts, "[hH]")
    return pa.array(15.0 * hours, mask=np.isnan(hours) | (hours > 24.0) | (sign < 0.0))


def _from_degrees(texts: pa.Array) -> pa.Array:
    sign, degrees = _parsed(texts, "[dD]")
    return pa.array(sign * degrees, mask=np.isnan(degrees) | (degrees > 360.0))


_HOURS = Kernel("hms_to_degrees", (pa.string(),), pa.float64(), _from_hours)
_DEGREES = Kernel("dms_to_degrees", (pa.string(),), pa.float64(), _from_degrees)

SEXAGESIMAL = (
    Function(
        "IVO_HMS_TO_DEGREES",
        "s",
        1,
        lambda n: computed(_HOURS, *n),
        in_unit("deg"),
        "ivo_hms_to_degrees(text)",
        "Hours, minutes, seconds in degrees: '3:34:45.4', '3 34 45.4', '3h34m45.4s' or '033445.4'; null for what "
        "cannot be read.",
        "ivo_hms_to_degrees(hms VARCHAR) -> DOUBLE",
    ),
    Function(
        "IVO_DMS_TO_DEGREES",
        "s",
        1,
        lambda n: computed(_DEGREES, *n),
        in_unit("deg"),
        "ivo_dms_to_degrees(text)",
        "Degrees, minutes, seconds in degrees: '-42:9:6.768', '-42 9 6.768', '-42d9m6.768s' or '-420906.768'; null "
        "for what cannot be read.",
        "ivo_dms_to_degrees(dms VARCHAR) -> DOUBLE",
    ),
)
