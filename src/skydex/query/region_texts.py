"""Regions as text: what REGION('...') and the `s_region` of ObsCore hold.

The part of STC-S that ADQL 2.0 uses (IVOA REC 2008-10-30, section 2.4.14; IVOA Note STC-S 1.33) and the text forms of
DALI 1.2: POSITION or POINT, CIRCLE, BOX and POLYGON, with or without a frame, in degrees; several of them, one behind
the other as footprints of cameras have them, or in UNION (...), are all their places together. Intersections and
differences are not read. `parse_regions` reads one text and says what is wrong with it; `numbers_of_regions` reads
columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import BadQueryError
from skydex.query.kernels import rolled, unrolled
from skydex.sky import Cone, Polygon, corners_of_boxes, rotated

__all__ = [
    "BETWEEN",
    "RegionText",
    "frame_called",
    "numbers_of_regions",
    "parse_regions",
    "region_of",
    "rotate_numbers",
]

BETWEEN = np.inf
"""Stands between the numbers of several regions; no region has such a number."""

_KINDS = {"POSITION": "POINT", "POINT": "POINT", "CIRCLE": "CIRCLE", "BOX": "BOX", "POLYGON": "POLYGON"}
_FRAMES = {
    "": "ICRS",
    "ICRS": "ICRS",
    "J2000": "ICRS",  # as archives mean it; FK5 is meant by those who write FK5, and differs by 0.03 arcsec
    "UNKNOWNFRAME": "ICRS",
    "FK5": "FK5",
    "FK4": "FK4",
    "B1950": "FK4",
    "GALACTIC": "GALACTIC",
    "GALACTIC_II": "GALACTIC",
    "SUPER_GALACTIC": "SUPER_GALACTIC",
    "ECLIPTIC": "ECLIPTIC",
}
_REFERENCE = (
    "(?:GEOCENTER|BARYCENTER|HELIOCENTER|TOPOCENTER|GALACTIC_CENTER|EMBARYCENTER|LSRK?|LSRD|LOCAL_GROUP_CENTER"
    "|RELOCATABLE|UNKNOWNREFPOS)"
)
_SYSTEM = (
    rf"(?P<frame>{'|'.join(sorted(filter(None, _FRAMES), key=len, reverse=True))})?"
    rf"(?:\b\s*{_REFERENCE})?(?:\b\s*SPHERICAL2)?"
)
_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:E[-+]?[0-9]+)?"
_TEXT = (
    rf"^\s*(?P<kind>{'|'.join(_KINDS)})?\b\s*{_SYSTEM}(?:\b|\s|\()\s*\(?\s*"
    rf"(?P<numbers>{_NUMBER}(?:[\s,]+{_NUMBER})*)\s*\)?\s*$"
)
_WHOLE = re.compile(_TEXT)
_KIND = rf"\b({'|'.join(_KINDS)})\b"
_UNION = rf"^\s*UNION\b\s*{_SYSTEM}\s*\("
_SEPARATOR = r"[\s,]+"
_FORMS = "such as 'CIRCLE ICRS 10 20 0.5', with POSITION, CIRCLE, BOX or POLYGON and numbers in degrees, or several"


@dataclass(frozen=True)
class RegionText:
    """What a text says."""

    kind: str
    """`POINT`, `CIRCLE`, `BOX` or `POLYGON`."""
    numbers: tuple[float, ...]
    """Degrees."""
    frame: str
    """One of `sky.FRAMES`."""

    def region(self) -> Cone | Polygon:
        """The region, ICRS; `BadRegionError` if there is none of these numbers."""
        numbers = self.numbers
        if self.frame != "ICRS":
            lengths = np.array([len(numbers)])
            numbers = tuple(rotate_numbers(np.array(numbers), lengths, origin=self.frame, target="ICRS").tolist())
        return region_of(self.kind, numbers)


def region_of(kind: str, numbers: tuple[float, ...]) -> Cone | Polygon:
    """The region of a kind that has some numbers, ICRS, degrees; of a point a cone without a radius.

    Raises
    ------
    BadRegionError
        There is none.
    """
    if kind == "POLYGON":
        return Polygon(numbers[0::2], numbers[1::2])
    if kind == "BOX":
        return Polygon.from_box(*numbers)
    return Cone(numbers[0], numbers[1], numbers[2] if kind == "CIRCLE" else 0.0)


def frame_called(text: str) -> str:
    """The frame of a coordinate system as ADQL 2.0 names it, such as `ICRS GEOCENTER`; one of `sky.FRAMES`.

    Raises
    ------
    BadQueryError
        A frame that is not known.
    """
    found = re.fullmatch(_SYSTEM, text.strip().upper())
    if found is None:
        known = ", ".join(name for name in _FRAMES if name)
        raise BadQueryError(f"No coordinate system {text!r}. Known: {known}; leave it out for ICRS.")
    return _FRAMES[found["frame"] or ""]


def parse_regions(text: str) -> list[RegionText]:
    """Read a region, or several that are one together.

    Raises
    ------
    BadQueryError
        The text is no region, or one of a kind that is not read.
    """
    plain = " ".join(text.upper().split())
    union = re.match(_UNION, plain)
    inner = plain[union.end() :].removesuffix(")") if union else plain
    parts = [part for part in re.sub(_KIND, r"|\1", inner).split("|") if part.strip()]
    found = [_WHOLE.match(part) for part in parts or [plain]]
    outer_frame = (union["frame"] if union else None) or ""
    if None in found:
        raise BadQueryError(f"{_shown(text)} is no region that is read here: write one {_FORMS}.")
    return [_region_of(part, outer_frame, text) for part in found if part is not None]


def _region_of(found: re.Match[str], outer_frame: str, text: str) -> RegionText:
    numbers = tuple(float(number) for number in re.split(_SEPARATOR, found["numbers"]))
    kind = _KINDS[found["kind"]] if found["kind"] else _kind_of(len(numbers))
    if not _fits(kind, len(numbers)):
        raise BadQueryError(f"{_shown(text)} has {len(numbers)} numbers, which make no {kind}: write one {_FORMS}.")
    return RegionText(kind, numbers, _FRAMES[found["frame"] or outer_frame])


def numbers_of_regions(texts: pa.Array) -> pa.Array:
    """Read a column of regions.

    Returns
    -------
    numbers : list<double> array
        Of each region the numbers of its DALI form, ICRS, boxes as polygons, with `BETWEEN` between several; null where
        a text is none.
    """
    upper = pc.utf8_upper(texts)
    union = pc.extract_regex(upper, _UNION)
    are_several = pc.or_(union.is_valid(), pc.greater(pc.count_substring_regex(upper, _KIND), 1))
    if not pc.any(are_several).as_py():
        return _numbers_of(upper)
    inner = pc.if_else(union.is_valid(), pc.replace_substring_regex(upper, _UNION + r"(.*)\)\s*$", r"\2"), upper)
    parts = pc.split_pattern(pc.utf8_ltrim(pc.replace_substring_regex(inner, _KIND, r"|\1"), " |"), "|")
    numbers = _numbers_of(parts.flatten(), pc.struct_field(union, "frame").take(pc.list_parent_indices(parts)))
    return _joined(numbers, pc.list_value_length(parts).fill_null(0).to_numpy(zero_copy_only=False))


def _joined(parts: pa.Array, n_parts: np.ndarray) -> pa.Array:
    """The numbers of so many parts each as one list; null where a part is."""
    numbers, lengths = unrolled(parts)
    lengths = lengths + 1
    rows = np.repeat(np.arange(len(n_parts)), n_parts)
    is_between = np.zeros(lengths.sum(), bool)
    is_between[lengths.cumsum() - 1] = True
    everything = np.full(len(is_between), BETWEEN)
    everything[~is_between] = numbers
    lasts = lengths.cumsum()[n_parts.cumsum()[n_parts > 0] - 1] - 1
    sizes = np.bincount(rows, lengths, minlength=len(n_parts)).astype(np.int64) - (n_parts > 0)
    is_known = (n_parts > 0) & (np.bincount(rows, parts.is_null(), minlength=len(n_parts)) == 0)
    return rolled(np.delete(everything, lasts), sizes, is_known)


def _numbers_of(upper: pa.Array, outer_frames: pa.Array | None = None) -> pa.Array:
    """Read single regions, each of an outer frame if it names none."""
    parts = pc.extract_regex(upper, _TEXT)
    kinds, frames, lists = (pc.struct_field(parts, name) for name in ("kind", "frame", "numbers"))
    if outer_frames is not None:
        frames = pc.if_else(pc.equal(frames, ""), outer_frames, frames)
    words = pc.split_pattern_regex(lists, _SEPARATOR)
    values = pc.cast(words.flatten(), pa.float64()).to_numpy(zero_copy_only=False)
    lengths = pc.list_value_length(words).fill_null(0).to_numpy(zero_copy_only=False)
    kind = kinds.fill_null("").to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    n_endless = np.bincount(rows[~np.isfinite(values)], minlength=len(lengths))
    is_good = words.is_valid().to_numpy(zero_copy_only=False) & (n_endless == 0)
    for word in np.unique(kind):
        is_kind = kind == word
        fitting = [n for n in np.unique(lengths[is_kind]) if _fits(_KINDS.get(word) or _kind_of(int(n)), int(n))]
        is_good = is_good & (~is_kind | np.isin(lengths, fitting))
    is_box = is_good & (lengths == 4)
    values, lengths = _with_boxes_as_polygons(values, lengths, is_box)
    for word, rows in _rows_of(frames):
        values = _rotated_rows(values, lengths, rows, _FRAMES[word])
    return rolled(values, lengths, is_good)


def rotate_numbers(values: np.ndarray, lengths: np.ndarray, *, origin: str, target: str) -> np.ndarray:
    """Turn the numbers of DALI forms, one behind the other, from a frame to another; radii stay."""
    places = np.arange(len(values)) - np.repeat(lengths.cumsum() - lengths, lengths)
    is_longitude = (places % 2 == 0) & ~((places == 2) & np.repeat(lengths == 3, lengths))
    first = np.flatnonzero(is_longitude & (places + 1 < np.repeat(lengths, lengths)))
    turned = values.copy()
    turned[first], turned[first + 1] = rotated(values[first], values[first + 1], origin=origin, target=target)
    return turned


def _rows_of(frames: pa.Array) -> list[tuple[str, np.ndarray]]:
    """The frames that need a rotation, and the rows that have each."""
    words = frames.fill_null("").to_numpy(zero_copy_only=False)
    return [(word, words == word) for word in np.unique(words) if _FRAMES[word] != "ICRS"]


def _rotated_rows(values: np.ndarray, lengths: np.ndarray, rows: np.ndarray, frame: str) -> np.ndarray:
    is_mine = np.repeat(rows, lengths)
    turned = values.copy()
    turned[is_mine] = rotate_numbers(values[is_mine], lengths[rows], origin=frame, target="ICRS")
    return turned


def _with_boxes_as_polygons(
    values: np.ndarray, lengths: np.ndarray, is_box: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if not is_box.any():
        return values, lengths
    grown = np.where(is_box, 8, lengths)
    of_box, of_grown = np.repeat(is_box, lengths), np.repeat(is_box, grown)
    everything = np.empty(grown.sum())
    everything[~of_grown] = values[~of_box]
    everything[of_grown] = corners_of_boxes(*values[of_box].reshape(-1, 4).T).ravel()
    return everything, grown


def _kind_of(n_numbers: int) -> str:
    """The kind of a DALI array, which has no word in front."""
    return {2: "POINT", 3: "CIRCLE"}.get(n_numbers, "POLYGON")


def _fits(kind: str, n_numbers: int) -> bool:
    sizes = {"POINT": 2, "CIRCLE": 3, "BOX": 4}
    return n_numbers == sizes[kind] if kind in sizes else n_numbers >= 6 and n_numbers % 2 == 0


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
