"""The sky that a catalogue covers, as a MOC file.

Occupied pixels are gathered as ranges while partitions are written. The file is a space MOC of MOC 2.0 (IVOA REC
2022-07-27), section 4.2.1: one binary-table column of order-29 ranges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["COVERAGE_ORDER", "joined_ranges", "moc_to_fits", "occupied_ranges", "sky_fraction"]

COVERAGE_ORDER = 10
"""HEALPix order of the coverage: 3.4 arcmin."""

_SHIFT = 2 * (29 - COVERAGE_ORDER)
_BLOCK = 2880
Int = NDArray[np.int64]


def occupied_ranges(index: Int) -> Int:
    """Order-29 ranges, (n, 2), of the coverage pixels that ascending order-29 numbers lie in."""
    pixels = index >> _SHIFT
    pixels = pixels[np.flatnonzero(np.diff(pixels, prepend=-1))]
    return joined_ranges([np.stack([pixels << _SHIFT, (pixels + 1) << _SHIFT], axis=1)])


def joined_ranges(parts: Sequence[Int]) -> Int:
    """Join ranges that come in ascending order and may touch or repeat."""
    ranges = np.concatenate([*parts, np.empty((0, 2), np.int64)])
    if not len(ranges):
        return ranges
    starts = np.flatnonzero(np.append(True, ranges[1:, 0] > np.maximum.accumulate(ranges[:-1, 1])))
    stops = np.append(starts[1:], len(ranges)) - 1
    return np.stack([ranges[starts, 0], ranges[stops, 1]], axis=1)


def sky_fraction(ranges: Int) -> float:
    """Fraction of the sphere, 0 to 1."""
    return float((ranges[:, 1] - ranges[:, 0]).sum() / (12 << 58))


def moc_to_fits(ranges: Int) -> bytes:
    """Write disjoint order-29 ranges as a FITS file."""
    primary = {"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True}
    table = {
        "XTENSION": "BINTABLE",
        "BITPIX": 8,
        "NAXIS": 2,
        "NAXIS1": 8,
        "NAXIS2": ranges.size,
        "PCOUNT": 0,
        "GCOUNT": 1,
        "TFIELDS": 1,
        "TTYPE1": "RANGE",
        "TFORM1": "1K",
        "MOCVERS": "2.0",
        "MOCDIM": "SPACE",
        "ORDERING": "RANGE",
        "COORDSYS": "C",
        "MOCORD_S": COVERAGE_ORDER,
        "MOCTOOL": "skydex",
    }
    return _header(primary) + _header(table) + _padded(ranges.astype(">i8").tobytes(), b"\0")


def _header(cards: Mapping[str, object]) -> bytes:
    lines = [f"{key:<8}= {_value(value)}".ljust(80) for key, value in cards.items()]
    return _padded("".join([*lines, "END".ljust(80)]).encode("ascii"), b" ")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "TF"[not value].rjust(20)
    return f"'{value:<8}'" if isinstance(value, str) else str(value).rjust(20)


def _padded(content: bytes, fill: bytes) -> bytes:
    return content + fill * (-len(content) % _BLOCK)
