"""How many digits of a value are shown, so that nobody has to say it: known from unit, UCD and name.

Only what is shown is rounded. Magnitudes have three decimals, their scatter and other variability indices four,
positions six (4 mas), modified Julian dates five (a second), as tables of the Hubble Source Catalog and of the Hubble
Catalog of Variables are printed.
"""

from __future__ import annotations

import re

from skydex.tables import Column

__all__ = ["display_format"]

_SCATTER = re.compile(r"(^|_)(mad|chi2)(_|$)", re.IGNORECASE)
_JULIAN_DATE = re.compile(r"mjd|bjd|hjd|(^|_)jd(_|$)", re.IGNORECASE)
_POSITION = re.compile(r"ra|dec|.*_(ra|dec)|(ra|dec)_.*|.*(RA|Dec)|(ra|dec)(mean|stack)", re.IGNORECASE)


def display_format(column: Column) -> str | None:
    """Give the format in which values of a column are shown; None for as many digits as they have."""
    if not column.datatype.is_floating:
        return None
    unit, ucd = (column.unit or "").strip().lower(), (column.ucd or "").lower()
    if _SCATTER.search(column.name):
        return ".4f"
    if unit == "mag":
        return ".3f"
    if ucd.startswith("time.epoch") and unit in ("d", "") and "ref" not in column.name.lower():
        return ".5f"
    if _JULIAN_DATE.search(column.name):
        return ".5f"
    is_position = ucd.startswith("pos.eq.") or (not ucd and _POSITION.fullmatch(column.name))
    return ".6f" if unit == "deg" and is_position else None
