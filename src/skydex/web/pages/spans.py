"""Spans of time and wavelength in the words of people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow.compute as pc

from skydex.query import Relation
from skydex.tables import Column

__all__ = ["bands_of_metres", "bands_of_ucds", "day_of", "time_span"]

_BANDS = (
    ("em.gamma", "gamma rays", 1e-20, 1e-11),
    ("em.X-ray", "X-rays", 1e-11, 1e-8),
    ("em.UV", "ultraviolet", 1e-8, 3.0e-7),
    ("em.opt", "optical", 3.0e-7, 1.0e-6),
    ("em.IR", "infrared", 1.0e-6, 1.0e-4),
    ("em.mm", "millimetre", 1.0e-4, 1.0e-2),
    ("em.radio", "radio", 1.0e-2, float("inf")),
)
"""Words of UCD1+ 1.5, words of people, and wavelengths in metres."""
_MORE = 1.3
"""By what factor an interval must reach into a part of the spectrum."""
_FIRST_MJD, _LAST_MJD = 10_000.0, 100_000.0
"""1886 and 2132: what is outside is no date, whatever its UCD says."""
_TIMES = ("time.epoch", "time.start", "time.end")
_MJD_0 = "1858-11-17"


def bands_of_metres(low: float | None, high: float | None) -> str:
    """Which parts of the spectrum an interval of wavelengths reaches into.

    Examples
    --------
    >>> bands_of_metres(2.1e-7, 1.7e-6)
    'ultraviolet, optical, infrared'
    >>> bands_of_metres(1.2e-10, 1.24e-8)
    'X-rays'
    """
    if low is None or high is None:
        return ""
    reached = (name for _, name, first, last in _BANDS if min(high, last) > _MORE * max(low, first))
    return ", ".join(reached)


def bands_of_ucds(ucds: Iterable[str | None]) -> Iterator[str]:
    """Which parts of the spectrum UCDs name."""
    words = {word for ucd in ucds for word in (ucd or "").split(";") if word.startswith("em.")}
    for prefix, name, _, _ in _BANDS:
        if any(word == prefix or word.startswith(f"{prefix}.") for word in words):
            yield name


def time_span(relation: Relation) -> tuple[float, float] | None:
    """From when to when a table has measurements, MJD, as the bounds of its columns of times tell."""
    dataset = relation.dataset
    if dataset is None or dataset.is_distant or not dataset.knows_row_groups:
        return None
    found = []
    for column in filter(_is_date, relation.table.columns):
        known = dataset.statistics(column.name)
        low, high = pc.min(known.min).as_py(), pc.max(known.max).as_py()
        if low is not None and high is not None and _FIRST_MJD < low <= high < _LAST_MJD:
            found += [low, high]
    return (float(min(found)), float(max(found))) if found else None


def day_of(mjd: float) -> str:
    """The date of a modified Julian date.

    Examples
    --------
    >>> day_of(51544.5)
    '2000-01-01'
    """
    return str(np.datetime64(_MJD_0) + np.timedelta64(int(mjd), "D"))


def _is_date(column: Column) -> bool:
    is_time = (column.ucd or "").startswith(_TIMES)
    return is_time and column.unit == "d" and column.datatype.is_floating and not column.is_array
