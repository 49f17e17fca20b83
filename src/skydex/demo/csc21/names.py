"""Names of sources as the Chandra Source Catalog has them: `2CXO Jhhmmss.s+ddmmss`, digits cut off, not rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["source_names"]

_TENTHS, _ARCSECONDS = 864_000, 324_000
"""Tenths of a second in a day; arcseconds from the equator to a pole."""
_WIDTH = 22


def source_names(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], is_extended: NDArray[np.bool_]) -> pa.Array:
    """A name for each position, no two the same; an extended source has an X behind.

    Where two positions share their digits, the later one is named as if it were a little further east.
    """
    tenths = _unlike(
        (ra_deg % 360.0 * 2400.0).astype(np.int64), np.trunc(dec_deg * 3600.0).astype(np.int64), dec_deg < 0
    )
    seconds = np.abs(np.trunc(dec_deg * 3600.0)).astype(np.int64)
    text: NDArray[Any] = np.zeros((len(ra_deg), _WIDTH), np.uint8)
    text[:, :6] = np.frombuffer(b"2CXO J", np.uint8)
    _put(text, 6, tenths // 36_000, 2)
    _put(text, 8, tenths // 600 % 60, 2)
    _put(text, 10, tenths // 10 % 60, 2)
    text[:, 12] = ord(".")
    _put(text, 13, tenths % 10, 1)
    text[:, 14] = np.where(dec_deg < 0, ord("-"), ord("+"))
    _put(text, 15, seconds // 3600, 2)
    _put(text, 17, seconds // 60 % 60, 2)
    _put(text, 19, seconds % 60, 2)
    text[:, 21] = np.where(is_extended, ord("X"), 0)
    return pa.array(text.view(f"S{_WIDTH}").ravel()).cast(pa.string())


def _unlike(tenths: NDArray[np.int64], seconds: NDArray[np.int64], is_south: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Right ascensions in tenths of a second, moved until no two names are the same."""
    rows = (seconds + _ARCSECONDS) * 2 + is_south  # there is -00 and +00
    while True:
        _, first = np.unique(rows * _TENTHS + tenths, return_index=True)
        if len(first) == len(tenths):
            return tenths
        again = np.ones(len(tenths), bool)
        again[first] = False
        tenths = np.where(again, (tenths + 1) % _TENTHS, tenths)


def _put(text: NDArray[Any], place: int, numbers: NDArray[np.int64], n_digits: int) -> None:
    for digit in range(n_digits):
        text[:, place + digit] = ord("0") + numbers // 10 ** (n_digits - 1 - digit) % 10
