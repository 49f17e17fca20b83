"""What a FITS header says of the bytes that follow it, and which of its cards describe an image.

FITS 4.0 (IAU FWG, 2018-08-13): mandatory keywords (4.4.1), sizes (4.4.1.2), INHERIT (appendix K), tile-compressed
images (10.1.2). Numbers from headers are checked before anything is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from skydex.images.cards import CARD, card_of, cards_of, keyword_of
from skydex.images.limits import ImageLimits

__all__ = ["FitsFacts", "image_cards", "merged_cards", "value_of"]

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_MOST_BYTES = 2**60
_NEVER_INHERITED = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|EXTEND|NEXTEND|INHERIT|CHECKSUM|DATASUM|BSCALE|BZERO|BLANK"
    r"|BLOCKED|EXTNAME|EXTVER|EXTLEVEL|CONTINUE|COMMENT|HISTORY|HIERARCH|DATAMIN|DATAMAX|BUNIT"
    r"|WCSAXES[A-Z]?|WCSNAME[A-Z]?|(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME)\d[A-Z]?|(CD|PC)\d_\d[A-Z]?"
    r"|(PV|PS)\d_\d+[A-Z]?|LONPOLE[A-Z]?|LATPOLE[A-Z]?|RADESYS[A-Z]?|RADECSYS|EQUINOX[A-Z]?|EPOCH"
    r"|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)|LT[MV]\d.*|(CPDIS|CPERR|DP|DQ|D2IMDIS|D2IMERR|D2IM)\d?|CNPIX\d|"
)
_TABLE_OF_TILES = re.compile(
    r"(TTYPE|TFORM|TUNIT|TNULL|TSCAL|TZERO|TDISP|TDIM)\d+|TFIELDS|THEAP|ZIMAGE|ZTILE\d+|ZCMPTYPE|ZNAME\d+|ZVAL\d+"
    r"|ZQUANTIZ|ZDITHER0|ZBLANK|ZMASKCMP|ZTENSION|ZSIMPLE|ZEXTEND|ZPCOUNT|ZGCOUNT|ZBLOCKED|ZHECKSUM|ZDATASUM"
    r"|CHECKSUM|DATASUM|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT"
)


@dataclass(frozen=True)
class FitsFacts:
    """What a header says of its data."""

    n_bytes: int
    """Size of the data, without what fills the last block."""
    name: str
    """EXTNAME, in capitals; empty without."""
    version: int
    """EXTVER."""
    label: str
    """EXTNAME and EXTVER as the header has them: `SCI,1`; empty without."""
    bitpix: int
    """Type of the pixels; of a tile-compressed image, when it is unpacked."""
    shape: tuple[int, int] | None = None
    """Rows and columns, if it is an image of one plane."""
    is_tiled: bool = False
    """Whether it is a tile-compressed image, in a table."""
    problem: str = ""
    """Why nothing can be cut from it, though it is an image."""

    @property
    def is_image(self) -> bool:
        return self.shape is not None or bool(self.problem)

    @classmethod
    def of(cls, cards: bytes, limits: ImageLimits) -> FitsFacts:
        """Read the mandatory keywords.

        Raises
        ------
        ValueError
            They cannot be: where the data end is not known.
        """
        values = _mandatory(cards)
        naxis = _axes(values, "NAXIS")
        bitpix = _bitpix(values.get("BITPIX", ""), "BITPIX")
        n_bytes = _size(values, bitpix, naxis)
        name, version = _name(values)
        label = f"{name},{version}" if "EXTVER" in values and name else name
        is_table = values.get("XTENSION", "").upper().startswith("BINTABLE")
        is_tiled = is_table and values.get("ZIMAGE") == "T"
        if is_tiled:
            try:
                naxis, bitpix = _axes(values, "ZNAXIS"), _bitpix(values.get("ZBITPIX", ""), "ZBITPIX")
            except ValueError as error:
                return cls(n_bytes, name.upper(), version, label, 0, None, True, f"{error}")
        is_plain = "XTENSION" not in values or values["XTENSION"].upper().startswith("IMAGE")
        if not (is_plain or is_tiled) or 0 in naxis or len(naxis) < 2 or values.get("GROUPS") == "T":
            return cls(n_bytes, name.upper(), version, label, bitpix)
        problem = _problem(naxis, limits)
        return cls(
            n_bytes, name.upper(), version, label, bitpix, None if problem else (naxis[1], naxis[0]), is_tiled, problem
        )


def value_of(card: bytes) -> str:
    """The value of a card as text: a string without its quotes, `T` and `F`, digits; empty if it has none."""
    if card[8:9] != b"=":
        return ""
    text = card[9:].decode("ascii").strip()
    if text.startswith("'"):
        found = re.match(r"'((?:[^']|'')*)'?", text)
        return found[1].replace("''", "'").rstrip() if found else ""
    return text.partition("/")[0].strip()


def merged_cards(cards: bytes, primary: bytes) -> bytes:
    """The cards of an image with what it inherits: cards of the primary header that it does not have itself.

    Coordinates are not inherited, as no reader of FITS does so.
    """
    listed = list(cards_of(cards))
    if not primary or any(keyword_of(card) == "INHERIT" and value_of(card) == "F" for card in listed):
        return cards
    own = {keyword_of(card) for card in listed}
    return cards + b"".join(_inherited(primary, own))


def image_cards(cards: bytes, facts: FitsFacts) -> bytes:
    """The cards of the image itself: those of a tile-compressed one as they were before it was compressed."""
    if not facts.is_tiled or facts.shape is None:
        return cards
    ny, nx = facts.shape
    shape = [card_of("XTENSION", "IMAGE"), card_of("BITPIX", facts.bitpix), card_of("NAXIS", 2)]
    shape += [card_of("NAXIS1", nx), card_of("NAXIS2", ny), card_of("PCOUNT", 0), card_of("GCOUNT", 1)]
    kept = (card for card in cards_of(cards) if not _of_tiles(keyword_of(card)))
    return b"".join((*shape, *kept))


def _of_tiles(keyword: str) -> bool:
    return _TABLE_OF_TILES.fullmatch(keyword) is not None or re.fullmatch(r"ZBITPIX|ZNAXIS\d*", keyword) is not None


def _inherited(primary: bytes, own: set[str]) -> Iterator[bytes]:
    is_kept = False
    for card in cards_of(primary):
        keyword = keyword_of(card)
        if keyword != "CONTINUE":
            is_kept = keyword not in own and not _NEVER_INHERITED.fullmatch(keyword)
        if is_kept:
            yield card


def _mandatory(cards: bytes) -> dict[str, str]:
    values: dict[str, str] = {}
    for start in range(0, len(cards), CARD):
        card = cards[start : start + CARD]
        keyword = keyword_of(card)
        if keyword not in values and card[8:9] == b"=":
            values[keyword] = value_of(card)
    return values


def _integer(values: dict[str, str], keyword: str, default: int | None = None) -> int:
    text = values.get(keyword, "" if default is None else str(default))
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{keyword} is missing, or no whole number")
    return int(text)


def _axes(values: dict[str, str], keyword: str) -> tuple[int, ...]:
    n_axes = _integer(values, keyword)
    if not 0 <= n_axes <= 999:
        raise ValueError(f"{keyword} is {n_axes}, and can be 0 to 999")
    axes = tuple(_integer(values, f"{keyword}{axis}") for axis in range(1, n_axes + 1))
    if any(n < 0 for n in axes):
        raise ValueError(f"{keyword}n is negative")
    return axes


def _bitpix(text: str, keyword: str) -> int:
    if text not in ("8", "16", "32", "64", "-32", "-64"):
        raise ValueError(f"{keyword} is {text[:20] or 'missing'}, and can be 8, 16, 32, 64, -32 or -64")
    return int(text)


def _size(values: dict[str, str], bitpix: int, axes: tuple[int, ...]) -> int:
    is_group = values.get("GROUPS") == "T" and axes[:1] == (0,)
    n_values = 1 if axes else 0
    for n in axes[1:] if is_group else axes:
        n_values *= n
        if n_values > _MOST_BYTES:
            raise ValueError("its data would be larger than any file")
    n_parameters, n_groups = _integer(values, "PCOUNT", 0), _integer(values, "GCOUNT", 1)
    if n_parameters < 0 or n_groups < 0:
        raise ValueError("PCOUNT or GCOUNT is negative")
    is_primary_array = "XTENSION" not in values and not is_group
    n_bytes = abs(bitpix) // 8 * (n_values if is_primary_array else n_groups * (n_parameters + n_values))
    if n_bytes > _MOST_BYTES:
        raise ValueError("its data would be larger than any file")
    return n_bytes if axes else 0


def _name(values: dict[str, str]) -> tuple[str, int]:
    version = values.get("EXTVER", "1")
    return values.get("EXTNAME", "").strip(), int(version) if _INTEGER.fullmatch(version) else 1


def _problem(axes: tuple[int, ...], limits: ImageLimits) -> str:
    n_planes = 1
    for n in axes[2:]:
        n_planes *= n
    if n_planes > 1:
        return f"it has {n_planes:,} planes, and only images of one plane can be cut"
    if max(axes[:2]) > limits.side:
        return f"it is {axes[0]:,} x {axes[1]:,} pixels, and the limit is {limits.side:,} each way"
    return ""
