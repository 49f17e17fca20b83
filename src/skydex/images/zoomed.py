"""Headers of what is made of a cutout: enlarged or shrunk pixels, a picture.

What counts in pixels changes with them: reference pixels, matrices, SIP polynomials, IRAF's LTM and LTV. Tables of
distortions are left out, which matters by less than a tenth of a pixel of the instruments that have them.
"""

from __future__ import annotations

import re
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
    for card in list(header.cards):
        if _TABLES.fullmatch(card.keyword):
            header.remove(card.keyword, ignore_missing=True, remove_all=True)
        elif isinstance(card.value, int | float):
            _rescale(header, card, resizing.zooms)
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


def _rescale(header: fits.Header, card: fits.Card, zooms: tuple[float, float]) -> None:
    keyword, value = card.keyword, float(card.value)
    if found := _REFERENCE.fullmatch(keyword):
        zoom = zooms[int(found[2]) - 1]
        header[keyword] = value * zoom + (0.5 * (1.0 - zoom))
    elif found := _MATRIX.fullmatch(keyword) or _STEP.fullmatch(keyword):
        header[keyword] = value / zooms[int(found[1]) - 1]
    elif found := _TURN.fullmatch(keyword):  # which steps multiply, once for each axis of the world
        header[keyword] = value * zooms[int(found[1]) - 1] / zooms[int(found[2]) - 1]
    elif found := _IRAF_MATRIX.fullmatch(keyword):
        header[keyword] = value * zooms[int(found[1]) - 1]
    elif found := _POLYNOMIAL.fullmatch(keyword):
        axis = 0 if found[1].startswith("A") else 1
        header[keyword] = value * zooms[axis] / zooms[0] ** int(found[2]) / zooms[1] ** int(found[3])


def _make_steps(header: fits.Header, zooms: tuple[float, float]) -> None:
    """A WCS that says neither CD nor CDELT has pixels of one degree, which are so no longer."""
    for suffix in {keyword[6:] for keyword in header if re.fullmatch(r"CRPIX1[A-Z]?", keyword)}:
        if not any(f"CD{i}_{j}{suffix}" in header for i in "12" for j in "12"):
            for axis in (1, 2):
                if f"CDELT{axis}{suffix}" not in header:
                    header[f"CDELT{axis}{suffix}"] = 1.0 / zooms[axis - 1]
