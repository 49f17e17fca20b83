"""`gain_over`: by how much the numbers of one image are larger than those of another for the same light.

For pictures of one star at several times: with the same levels they show its variation only if the numbers mean the
same. Counts grow with the exposure; what a count per second is worth stands in `FPA.ZP` (Pan-STARRS, magnitudes: Waters
et al. 2020, ApJS 251, 4) or `PHOTFLAM` (HST, erg/s/cm2/Angstrom). What only one of the two headers says is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from skydex.images.image import Image

__all__ = ["gain_over"]

_COUNTS = re.compile(r"(COUNTS?|ELECTRONS?|DN|ADU|E-?)", re.IGNORECASE)
"""Units of numbers that grow with the exposure; with `/S` they do not."""

Header = Mapping[str, Any]


def gain_over(image: Image, other: Image) -> float:
    """The number that an image has where another one, with the same light, has 1.

    Parameters
    ----------
    image, other : Image
        Of one band.
    """
    mine, theirs = image.pixels.header, other.pixels.header
    gain = _seconds(mine) / _seconds(theirs)
    flux, flux_there = _positive(mine, "PHOTFLAM"), _positive(theirs, "PHOTFLAM")
    if flux is not None and flux_there is not None:
        gain *= flux_there / flux
    zero, zero_there = _number(mine, "FPA.ZP"), _number(theirs, "FPA.ZP")
    if zero is not None and zero_there is not None:
        gain *= 10.0 ** (0.4 * (zero - zero_there))
    return gain


def _seconds(header: Header) -> float:
    """By how much exposing made the numbers larger."""
    is_counts = _COUNTS.fullmatch(str(header.get("BUNIT", "")).strip())
    return (_positive(header, "EXPTIME") or 1.0) if is_counts else 1.0


def _positive(header: Header, keyword: str) -> float | None:
    value = _number(header, keyword)
    return value if value is not None and value > 0.0 else None


def _number(header: Header, keyword: str) -> float | None:
    value = header.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
