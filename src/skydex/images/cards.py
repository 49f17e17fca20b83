"""Header cards as text: what a cutout keeps of an image's header, and how its pixel coordinates move.

FITS 4.0 (IAU FWG, 2018-08-13): cards (4.1), mandatory keywords (4.4.1), WCS keywords (8.2). A cutout moves the
reference pixels (`CRPIXja` of every WCS), IRAF's `LTVj` and the `CNPIXj` of the Digitized Sky Survey; everything else
that a WCS needs counts from those. Headers of some hundred cards are moved in microseconds, because only the cards that
change are written anew.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = [
    "BLOCK",
    "CARD",
    "MovableCards",
    "card_of",
    "cards_of",
    "chosen",
    "keyword_of",
    "number_of",
    "padded",
    "plain_text",
    "written_number",
]

CARD, BLOCK = 80, 2880
_STRUCTURE = re.compile(
    r"(SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|EXTEND|NEXTEND|INHERIT|CHECKSUM|DATASUM|ZHECKSUM|ZDATASUM"
    r"|BSCALE|BZERO|BLANK|BLOCKED|END|EXTNAME|EXTVER|EXTLEVEL|XTENSION|DATAMIN|DATAMAX)\s*"
)
_BEYOND_PLANE = re.compile(r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME|CRDER|CSYER)[3-9][A-Z]?")
_MATRIX_BEYOND = re.compile(r"(CD|PC)(\d_[3-9]|[3-9]_\d)[A-Z]?|(PV|PS)[3-9]_\d+[A-Z]?|WCSAXES[A-Z]?")
_UNTRUE = (_STRUCTURE, _BEYOND_PLANE, _MATRIX_BEYOND)
_WCS_NAME = re.compile(r"CTYPE[12]([A-Z]?)")
_MOVED = re.compile(r"CRPIX([12])([A-Z]?)|LTV([12])|CNPIX([12])")
_NUMBER = rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[ED][+-]?\d+)?"
_STANDARD_VALUE = re.compile(
    rb" *(?:'(?:[^']|'')*'|[TF]|%b|\( *%b *, *%b *\))? *(?:/.*)?" % (_NUMBER, _NUMBER, _NUMBER), re.DOTALL
)
_VALUE = re.compile(rb"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?)\s*(/.*)?$")
_PRINTABLE = bytes(code if 32 <= code < 127 else 63 for code in range(256))


@dataclass(frozen=True)
class _Movable:
    start: int
    keyword: str
    value: float
    comment: bytes
    is_y: bool
    sign: int


@dataclass(frozen=True)
class MovableCards:
    """The cards that a cutout of an image has, before those that tell its shape and its type.

    Made by `of`; asked by `moved`.
    """

    text: bytes
    movables: tuple[_Movable, ...]

    @classmethod
    def of(cls, cards: bytes) -> MovableCards:
        """From all cards of an image."""
        kept = list(_kept(cards_of(cards)))
        kept += _unsaid(kept)
        movables = tuple(filter(None, (_movable(i * CARD, card) for i, card in enumerate(kept))))
        return cls(b"".join(kept), movables)

    def moved(self, x0: int, y0: int) -> bytes:
        """The cards when the pixel (x0, y0), from 0, of the image becomes the first one."""
        text = bytearray(self.text)
        for card in self.movables:
            value = card.value + card.sign * (y0 if card.is_y else x0)
            text[card.start : card.start + CARD] = card_of(card.keyword, value, card.comment)
        return bytes(text)


def plain_text(header: fits.Header) -> bytes:
    """All cards of a header without END, as they would be written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text: str = header.tostring(sep="", endcard=False, padding=False)
    return text.encode("ascii", "replace").translate(_PRINTABLE)


def cards_of(text: bytes) -> Iterator[bytes]:
    """Cards up to END, each of 80 characters that FITS allows."""
    for start in range(0, len(text) - CARD + 1, CARD):
        card = text[start : start + CARD]
        if card.rstrip() == b"END":
            return
        yield card.translate(_PRINTABLE)


def chosen(cards: Iterable[bytes], is_wanted: Callable[[str], bool]) -> Iterator[bytes]:
    """Cards of keywords that are wanted; what continues a card goes with it."""
    is_chosen = False
    for card in cards:
        keyword = keyword_of(card)
        if keyword != "CONTINUE":
            is_chosen = is_wanted(keyword)
        if is_chosen:
            yield card


def keyword_of(card: bytes) -> str:
    """The keyword of a card; of a HIERARCH card that word."""
    return card[:8].decode("ascii").rstrip()


def number_of(card: bytes) -> float | None:
    """The number that a card holds, if it holds one; one that is too large for a float is none."""
    number = written_number(card)
    return number if math.isfinite(number) else None


def written_number(card: bytes) -> float:
    """The number that is written on a card, infinite if no float can hold it; NaN if there is none."""
    found = _VALUE.match(card[10:]) if card[8:9] == b"=" else None
    return float(found[1].upper().replace(b"D", b"E")) if found else math.nan


def card_of(keyword: str, value: object, comment: bytes = b"") -> bytes:
    """A card with a number, a logical or a short text, in fixed format."""
    if isinstance(value, bool):
        shown = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        shown = f"'{value.replace(chr(39), chr(39) * 2):<8}'".ljust(20)
    else:
        shown = f"{repr(value).upper():>20}"
    note = b" " + comment if comment else b""
    return (f"{keyword:<8}= {shown}".encode("ascii") + note)[:CARD].ljust(CARD)


def padded(text: bytes, fill: bytes = b" ") -> bytes:
    """The text, filled to whole FITS blocks."""
    return text + fill * (-len(text) % BLOCK)


def _kept(cards: Iterable[bytes]) -> Iterator[bytes]:
    """Cards that are still true of a plane cut from the image, as FITS wants them."""
    kept = chosen(cards, lambda keyword: not any(kind.fullmatch(keyword) for kind in _UNTRUE))
    return (_standard(card) for card in kept if card.strip())


def _standard(card: bytes) -> bytes:
    """A card that FITS allows: exponents in capitals, and what no reader could make sense of a comment."""
    if card[8:9] != b"=" or (card[9:10] == b" " and _STANDARD_VALUE.fullmatch(card[10:])):
        return card
    from astropy.io import fits

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mended = fits.Card.fromstring(card)
            mended.verify("silentfix+exception")
            text = mended.image.encode("ascii", "replace")
    except (fits.VerifyError, ValueError):
        text = b""
    return text if len(text) == CARD else (b"COMMENT " + card)[:CARD]


def _unsaid(cards: list[bytes]) -> Iterator[bytes]:
    """Reference pixels that are 0 because no card says where they are."""
    said = {keyword_of(card) for card in cards}
    versions = {found[1] for found in map(_WCS_NAME.fullmatch, said) if found}
    for version in sorted(versions):
        for axis in "12":
            if f"CRPIX{axis}{version}" not in said:
                yield card_of(f"CRPIX{axis}{version}", 0.0)


def _movable(start: int, card: bytes) -> _Movable | None:
    keyword = keyword_of(card)
    found = _MOVED.fullmatch(keyword)
    value = number_of(card) if found else None
    if found is None or value is None:
        return None
    axis = found[1] or found[3] or found[4]
    slash = card.find(b"/", 10)
    return _Movable(
        start, keyword, value, card[slash:].rstrip() if slash > 0 else b"", axis == "2", 1 if found[4] else -1
    )
