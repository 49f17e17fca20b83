"""Positions that are written out instead of a name, in the forms that people use.

    16.2017 +2.1195        16.2017, 2.1195         16.2017d 2.1195d
    01 04 48.4 +02 07 10   01:04:48.4 +02:07:10    1h4m48.4s +2d7m10s     J010448.40+020710.2
    G129.7380-60.5605      l=129.738 b=-60.5605    129.738 -60.5605 galactic
    01 02 11.9 +01 51 05 B1950

A radius may follow, as MAST's portal takes it: `16.2017 2.1195 r=0.2`, in degrees or with a unit. Two plain numbers
are degrees; where minutes are given and no unit, right ascension is in hours. astropy reads the angles and knows the
frames.
"""

from __future__ import annotations

import re

from skydex.names.named import NamedObject

__all__ = ["read_position", "split_radius"]

SOURCE = "position"
_LONGEST = 200
_RADIUS = re.compile(r"[\s,;]*\br(?:adius)?\s*=\s*([0-9.]+)\s*([a-z°'\"′″]*)\s*$", re.I)
_IN_DEGREES = {
    **dict.fromkeys(("", "d", "deg", "degree", "degrees", "°"), 1.0),
    **dict.fromkeys(("m", "arcmin", "arcminute", "arcminutes", "'", "′"), 1.0 / 60.0),
    **dict.fromkeys(("s", "arcsec", "arcsecond", "arcseconds", '"', "″", "''"), 1.0 / 3600.0),
}
_FRAMES = {
    **dict.fromkeys(("icrs", "j2000", "j2000.0", "fk5"), "icrs"),
    **dict.fromkeys(("b1950", "b1950.0", "fk4"), "fk4"),
    **dict.fromkeys(("g", "gal", "galactic"), "galactic"),
    **dict.fromkeys(("ecl", "ecliptic"), "barycentricmeanecliptic"),
}
_WORDS = "|".join(sorted(map(re.escape, _FRAMES), key=len, reverse=True))
_FRAME_FIRST = re.compile(rf"({_WORDS})[\s:,]+(?=[-+0-9.])", re.I)
_FRAME_LAST = re.compile(rf"[\s,(]+({_WORDS})\)?$", re.I)
_GLUED = re.compile(r"g(?=[0-9]+\.[0-9]+[-+][0-9]+\.[0-9]+$)", re.I)
"""The G of a galactic position: without both decimal points it may be a name, such as that of the star G29-38."""
_LABELLED = re.compile(r"(ra|l|lon)\s*[=:]?\s*([^=a-z].*?)[\s,;]+(dec?|b|lat)\s*[=:]?\s*([^=a-z].*)", re.I)
_COMPACT = re.compile(r"j([0-9]{6}(?:\.[0-9]+)?)([-+][0-9]{6}(?:\.[0-9]+)?)", re.I)
_ANGLES = re.compile(r"""[-+]?[0-9.][-+0-9.\s:,;hmsd°'"]*""", re.I)
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(?:d|deg|°)?", re.I)
_TYPOGRAPHY = str.maketrans({"−": "-", "–": "-", "′": "'", "’": "'", "″": '"', "”": '"', "º": "°"})


def split_radius(text: str) -> tuple[str, float | None]:
    """A name or position, and the radius in degrees that follows it, if one does.

    Examples
    --------
    >>> split_radius("M 101 r=6arcmin")
    ('M 101', 0.1)
    """
    found = _RADIUS.search(text.translate(_TYPOGRAPHY))
    if found is None or found[2].lower() not in _IN_DEGREES or not _NUMBER.fullmatch(found[1]):
        return text, None
    return text[: found.start()], float(found[1]) * _IN_DEGREES[found[2].lower()]


def read_position(text: str) -> NamedObject | None:
    """Read a position that is written out.

    Returns
    -------
    position : NamedObject or None
        Under the text as its name; None if it is no position, or none on the sky.

    Examples
    --------
    >>> position = read_position("01:04:48.4 +02:07:10.2")
    >>> round(position.ra_deg, 5), round(position.dec_deg, 5)
    (16.20167, 2.1195)
    """
    if len(text) > _LONGEST:
        return None
    words, frame = _without_frame(" ".join(text.translate(_TYPOGRAPHY).split()))
    halves = _halves(words)
    if halves is None:
        return None
    is_plain = all(_NUMBER.fullmatch(half) for half in halves)
    place = _plain(*halves) if is_plain and frame == "icrs" else _by_astropy(halves, frame, is_plain=is_plain)
    return NamedObject(text.strip(), *place, SOURCE) if place else None


def _without_frame(words: str) -> tuple[str, str]:
    """The angles alone, and the frame that the rest names."""
    frame = "icrs"
    if glued := _GLUED.match(words):
        return words[glued.end() :], "galactic"
    if first := _FRAME_FIRST.match(words):
        words, frame = words[first.end() :], _FRAMES[first[1].lower()]
    elif last := _FRAME_LAST.search(words):
        words, frame = words[: last.start()], _FRAMES[last[1].lower()]
    if labelled := _LABELLED.fullmatch(words):
        if labelled[1].lower() == "l" and labelled[3].lower() == "b":
            frame = "galactic"
        words = f"{labelled[2]}, {labelled[4]}"
    return words.strip(), frame


def _halves(words: str) -> tuple[str, str] | None:
    """The two angles: apart at a comma, else at the sign of the second, else each half of the parts."""
    if compact := _COMPACT.fullmatch(words):
        return _spaced(compact[1]), _spaced(compact[2])
    if not _ANGLES.fullmatch(words):
        return None
    if len(pair := re.split(r"\s*[,;]\s*", words)) == 2:
        return pair[0], pair[1]
    if signed := re.fullmatch(r"([^,;]+?)\s*([-+][^-+,;]+)", words):
        return signed[1], signed[2]
    parts = words.split()
    middle = len(parts) // 2
    return (" ".join(parts[:middle]), " ".join(parts[middle:])) if len(parts) in (2, 4, 6) else None


def _spaced(digits: str) -> str:
    """HHMMSS.s with blanks."""
    return re.sub(r"([-+]?..)(..)(.*)", r"\1 \2 \3", digits)


def _plain(ra_text: str, dec_text: str) -> tuple[float, float] | None:
    """Two numbers in degrees, for which no library is needed."""
    ra, dec = (float(text.rstrip("dDeEgG°")) for text in (ra_text, dec_text))
    return (ra % 360.0, dec) if 0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0 else None


def _by_astropy(halves: tuple[str, str], frame: str, *, is_plain: bool) -> tuple[float, float] | None:
    from astropy.coordinates import SkyCoord  # only here: it takes half a second to import

    unit = ("hourangle", "deg") if frame in ("icrs", "fk4") and not is_plain else ("deg", "deg")
    try:
        place = SkyCoord(*halves, unit=unit, frame=frame).icrs
    except (ValueError, TypeError, ArithmeticError):
        return None
    return float(place.ra.deg), float(place.dec.deg)
