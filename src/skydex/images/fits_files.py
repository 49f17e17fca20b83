"""`survey_fits`: which images a FITS file holds, and where in it each of them lies.

FITS 4.0 (IAU FWG, 2018-08-13): HDUs (3), mandatory keywords (4.4.1), tile compression (10.1). The file is not believed:
sizes are computed and held against the file before anything of them is read. What cannot be cut from is refused with
its reason, and the rest of the file is still good.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from skydex.errors import UnreadableFileError
from skydex.images.cards import BLOCK, CARD, cards_of, keyword_of
from skydex.images.fits_headers import FitsFacts, image_cards, merged_cards
from skydex.images.fits_sources import Source, open_source
from skydex.images.fits_tiles import TileLayout
from skydex.images.limits import ImageLimits

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["Access", "FitsImage", "FitsSurvey", "Hdu", "index_fits", "read_hdu", "survey_fits"]

_LOOKUPS = ("D2IMARR", "WCSDVARR")


@dataclass(frozen=True)
class Hdu:
    """Where one HDU lies in its file, unpacked."""

    number: int
    """0 for the primary HDU."""
    offset: int
    """Where its header begins, in bytes."""
    length: int
    """Length of its header, in bytes."""
    check: int
    """CRC-32 of its header."""


@dataclass(frozen=True)
class Access:
    """What is noted of an image, so that it is opened without walking through its file."""

    image: Hdu
    primary: Hdu
    lookups: tuple[Hdu, ...] = ()
    """Tables of distortions that its WCS needs."""
    limits: ImageLimits = field(default_factory=ImageLimits)
    """What the file was held against; it is held against the same when it is opened."""

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, noted: bytes) -> Access:
        facts = json.loads(noted)
        lookups = tuple(Hdu(**hdu) for hdu in facts["lookups"])
        limits = ImageLimits(**facts.get("limits", {}))
        return cls(Hdu(**facts["image"]), Hdu(**facts["primary"]), lookups, limits)


@dataclass(frozen=True)
class FitsImage:
    """One image of a file."""

    hdu: int
    """Number of its HDU, 0 for the primary one."""
    extension: str
    """EXTNAME, with EXTVER after a comma if it has one; empty without."""
    shape: tuple[int, int]
    """Rows and columns, (ny, nx)."""
    access: bytes
    """What the opener `fits` wants to know of it."""
    header: fits.Header
    """Its header with what it inherits from the primary HDU."""


@dataclass(frozen=True)
class FitsSurvey:
    """What a file holds."""

    images: tuple[FitsImage, ...]
    """Those that can be cut from."""
    refusals: tuple[str, ...]
    """Why others cannot: `HDU 3 (SCI): ...`."""


@dataclass
class _Walk:
    images: list[FitsImage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    lookups: list[tuple[str, Hdu]] = field(default_factory=list)


def index_fits(path: str | os.PathLike[str], *, limits: ImageLimits | None = None) -> tuple[FitsImage, ...]:
    """Find the images of a FITS file.

    Parameters
    ----------
    path : path-like
        The file; also gzip or bzip2 of one.
    limits : ImageLimits, optional
        How large it may be.

    Raises
    ------
    UnreadableFileError
        It is no FITS file, it is damaged, or it has no image; the message says which.
    """
    survey = survey_fits(path, limits=limits)
    if not survey.images:
        raise UnreadableFileError(Path(path).name, "; ".join(survey.refusals) or "it has no image.")
    return survey.images


def survey_fits(path: str | os.PathLike[str], *, limits: ImageLimits | None = None) -> FitsSurvey:
    """Find the images of a FITS file, and what is wrong with others.

    Raises
    ------
    UnreadableFileError
        It is no FITS file, or not one HDU of it can be read.
    """
    name, bounds = Path(path).name, limits or ImageLimits()
    try:
        with open_source(path, bounds) as source:
            return _walked(name, source, bounds)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(name, _reason(error)) from error


def read_hdu(source: Source, hdu: Hdu) -> bytes:
    """The header of an HDU, without END; empty if it is not the one that was noted."""
    raw = source.read(hdu.offset, hdu.length)
    return b"".join(cards_of(raw)) if len(raw) == hdu.length and zlib.crc32(raw) == hdu.check else b""


def _walked(name: str, source: Source, limits: ImageLimits) -> FitsSurvey:
    walk, primary, primary_cards = _Walk(), None, b""
    found: list[tuple[Hdu, bytes, FitsFacts]] = []
    try:
        for hdu, cards, facts in _hdus(source, limits):
            primary, primary_cards = (primary, primary_cards) if primary else (hdu, cards)
            if facts.name in _LOOKUPS:
                walk.lookups.append((f"{facts.name},{facts.version}", hdu))
            if facts.is_image:
                found.append((hdu, cards, _checked(cards, facts, limits)))
    except _BadFileError as error:
        if primary is None:
            raise UnreadableFileError(name, str(error)) from error
        walk.refusals.append(str(error))
    for hdu, cards, facts in found:
        assert primary is not None, "where there is an image there is a first HDU"
        merged = merged_cards(image_cards(cards, facts), primary_cards if hdu.number else b"")
        _add(walk, merged, Access(hdu, primary, limits=limits), facts)
    return FitsSurvey(tuple(walk.images), tuple(walk.refusals))


def _checked(cards: bytes, facts: FitsFacts, limits: ImageLimits) -> FitsFacts:
    """What a header says, and what is wrong with its tiles if it has some."""
    if facts.is_tiled and facts.shape is not None:
        try:
            TileLayout.of(cards, facts.shape, limits)
        except ValueError as error:
            return replace(facts, shape=None, problem=str(error))
    return facts


def _add(walk: _Walk, cards: bytes, access: Access, facts: FitsFacts) -> None:
    from astropy.io import fits

    number = access.image.number
    label = f"HDU {number}" + (f" ({facts.label})" if facts.label else "")
    if facts.problem:
        walk.refusals.append(f"{label}: {facts.problem}")
    elif facts.shape is not None and facts.name not in _LOOKUPS:
        has_tables = any(keyword_of(card).startswith(("CPDIS", "D2IMDIS")) for card in cards_of(cards))
        lookups = tuple(found for _, found in walk.lookups) if has_tables else ()
        header = fits.Header.fromstring(cards.decode("ascii"))
        noted = replace(access, lookups=lookups).to_bytes()
        walk.images.append(FitsImage(number, facts.label, facts.shape, noted, header))


class _BadFileError(Exception):
    """The file cannot be followed any further."""


def _hdus(source: Source, limits: ImageLimits) -> Iterator[tuple[Hdu, bytes, FitsFacts]]:
    """Walk through a file from header to header."""
    offset = n_headers = 0
    for number in range(limits.n_hdus + 1):
        raw = _read_header(source, offset, number, limits)
        if not raw:
            return
        n_headers += len(raw)
        if n_headers > limits.headers_mb << 20:
            raise _BadFileError(f"its headers have more than {limits.headers_mb} MB together, which is the limit")
        if number == limits.n_hdus:
            raise _BadFileError(f"it has more than {limits.n_hdus:,} HDUs, which is the limit")
        cards = b"".join(cards_of(raw))
        try:
            facts = FitsFacts.of(cards, limits)
        except ValueError as error:
            raise _BadFileError(f"HDU {number}: {error}") from error
        end = offset + len(raw) + facts.n_bytes
        if not source.reaches(end):
            raise _BadFileError(f"HDU {number} ends before its data do: the file is truncated, or its header is wrong")
        yield Hdu(number, offset, len(raw), zlib.crc32(raw)), cards, facts
        offset = offset + len(raw) + math.ceil(facts.n_bytes / BLOCK) * BLOCK


def _read_header(source: Source, offset: int, number: int, limits: ImageLimits) -> bytes:
    """Blocks up to the one with END; nothing at the end of the file, or where no extension begins."""
    blocks: list[bytes] = []
    while True:
        block = source.read(offset + len(blocks) * BLOCK, BLOCK)
        if not blocks:
            begins = block[:10] == b"SIMPLE  = " if number == 0 else block[:10] == b"XTENSION= "
            if not begins and number == 0 and block[257:262] == b"ustar":
                raise _BadFileError("it is a tar archive: unpack it, and give the directory of its files")
            if not begins and number == 0:
                raise _BadFileError("it is no FITS file: it does not begin with SIMPLE")
            if not begins:  # special records may follow the last HDU (FITS 4.0, 3.5)
                return b""
        if len(block) < BLOCK:
            raise _BadFileError(f"HDU {number}: the header has no END: the file is truncated")
        blocks.append(block)
        if _has_end(block):
            return b"".join(blocks)
        if len(blocks) * BLOCK > limits.header_mb << 20:
            raise _BadFileError(f"HDU {number}: the header has no END within {limits.header_mb} MB, which is the limit")


def _has_end(block: bytes) -> bool:
    return any(block[start : start + CARD].rstrip() == b"END" for start in range(0, BLOCK, CARD))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is compressed, and the compressed data are damaged"
