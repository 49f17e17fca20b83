"""Headers of what is made of a cutout: enlarged or shrunk pixels, a picture.

What counts in pixels changes with them: reference pixels, matrices, SIP polynomials, IRAF's LTM and LTV. Tables of
distortions are left out, which matters by less than a tenth of a pixel of the instruments that have them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from skydex.images.cards import CARD, cards_of
from skydex.images.cutout import Cutout
from skydex.images.resizing import Resizing

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["sky_text", "with_history", "zoomed"]

_REFERENCE = re.compile(r"(CRPIX|LTV)([12])[A-Z]?")
_MATRIX = re.compile(r"CD[12]_([12])[A-Z]?")
_STEP = re.compile(r"CDELT([12])[A-Z]?")
_TURN = re.compile(r"PC([12])_([12])[A-Z]?")
_IRAF_MATRIX = re.compile(r"LTM[12]_([12])")
_POLYNOMIAL = re.compile(r"(A|B|AP|BP)_(\d)_(\d)")
_LINEAR = re.compile(
    rb"(CTYPE[12]|CRPIX[12]|CRVAL[12]|CUNIT[12]|CDELT[12]|CROTA2|CD[12]_[12]|PC[12]_[12]|RADESYS|EQUINOX) *="
)
_TABLES = re.compile(r"(CPDIS|CQDIS|CPERR|D2IMDIS|D2IMERR|D2IMARR|D2IMEXT|DP|DQ|AXISCORR)[12]?(\..*)?")


def zoomed(cutout: Cutout, data: NDArray[Any], resizing: Resizing) -> Cutout:
    """A cutout with the pixels that it has after resizing, and a header that says where they lie."""
    header = cutout.header.copy()
    for keyword, value in list(_values(header)):
        if _TABLES.fullmatch(keyword):
            header.remove(keyword, ignore_missing=True, remove_all=True)
        elif isinstance(value, int | float):
            _set(header, keyword, _rescaled(keyword, float(value), resizing.zooms))
    _make_steps(header, resizing.zooms)
    return Cutout(data, cutout.with_header(header).cards, cutout.box, cutout.name)


def with_history(cutout: Cutout, *lines: str) -> Cutout:
    """A cutout that says how it was made."""
    history = b"".join(f"HISTORY {line}".encode("ascii", "replace")[:CARD].ljust(CARD) for line in lines)
    return replace(cutout, cards=cutout.cards + history)


def sky_text(cutout: Cutout) -> str:
    """Its WCS as FITS cards, a line each, without polynomials: what viewers read from the comment of a JPEG."""
    lines = (
        card.decode("ascii").partition(" / ")[0].rstrip() for card in cards_of(cutout.cards) if _LINEAR.match(card)
    )
    return "\n".join(lines)


def _values(header: fits.Header) -> Iterator[tuple[str, Any]]:
    """Keywords and values; cards whose value cannot be read have none."""
    for card in header.cards:
        try:
            yield card.keyword, card.value
        except Exception:  # astropy raises what it likes over damaged cards
            yield card.keyword, None


def _set(header: fits.Header, keyword: str, number: float | None) -> None:
    """Change a number; one that is not finite goes, as FITS cannot write it."""
    if number is None:
        return
    if math.isfinite(number):
        header[keyword] = number
    else:
        header.remove(keyword, ignore_missing=True, remove_all=True)


def _rescaled(keyword: str, value: float, zooms: tuple[float, float]) -> float | None:
    """What a number becomes; None if it stays as it is, not finite if it cannot be told."""
    if found := _REFERENCE.fullmatch(keyword):
        zoom = zooms[int(found[2]) - 1]
        return value * zoom + (0.5 * (1.0 - zoom))
    if found := _MATRIX.fullmatch(keyword) or _STEP.fullmatch(keyword):
        return value / zooms[int(found[1]) - 1]
    if found := _TURN.fullmatch(keyword):  # which steps multiply, once for each axis of the world
        return value * zooms[int(found[1]) - 1] / zooms[int(found[2]) - 1]
    if found := _IRAF_MATRIX.fullmatch(keyword):
        return value * zooms[int(found[1]) - 1]
    if found := _POLYNOMIAL.fullmatch(keyword):
        axis = 0 if found[1].startswith("A") else 1
        scale = zooms[0] ** int(found[2]) * zooms[1] ** int(found[3])
        return value * zooms[axis] / scale if scale else math.inf
    return None


def _make_steps(header: fits.Header, zooms: tuple[float, float]) -> None:
    """A WCS that says neither CD nor CDELT has pixels of one degree, which are so no longer."""
    for suffix in {keyword[6:] for keyword in header if re.fullmatch(r"CRPIX1[A-Z]?", keyword)}:
        if not any(f"CD{i}_{j}{suffix}" in header for i in "12" for j in "12"):
            for axis in (1, 2):
                if f"CDELT{axis}{suffix}" not in header:
                    header[f"CDELT{axis}{suffix}"] = 1.0 / zooms[axis - 1]
