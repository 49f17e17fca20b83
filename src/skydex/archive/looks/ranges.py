"""Ranges: from where to where an axis goes if nobody says it.

Sentinels such as -999 and a few wild values would leave the rest of a plot in one corner. So an axis shows the values
that lie within five times the distance of the quartiles from them: for a normal distribution that is seven sigma. Where
all values do, the axis has all; the statistics of the store tell that of plain columns without reading them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.archive.looks.sampling import Sample
from skydex.query import Plan

__all__ = ["Range", "find_range", "known_bounds"]

Floats = NDArray[np.float64]

_REACH = 5.0
"""Distances of the quartiles that an axis reaches beyond them."""
_WIDEST = 1e300


@dataclass(frozen=True)
class Range:
    """From where to where, and who said so."""

    low: float
    """Less than `high`."""
    high: float
    """Greater than `low`."""
    origin: str
    """`request`; `rows`: all were read; `statistics` of the store; `sample` of the rows; `nothing`: there are none."""


def find_range(place: int, values: Floats, sample: Sample, scaled: Callable[[Floats], Floats]) -> Range:
    """Find the range of one of the values that a plan gives.

    Parameters
    ----------
    place : int
        Which of its outputs.
    values : (n,) float64 array
        That output in a sample of the rows; what is not finite does not count.
    sample : Sample
        The sample.
    scaled : callable
        What has been done with the values, such as taking logarithms.
    """
    known = values[np.abs(values) <= _WIDEST]
    if not len(known):
        return Range(0.0, 1.0, "nothing")
    low, high = _fences(known)
    bounds = None if sample.is_whole else known_bounds(sample.plan, place)
    if bounds is not None:
        least, greatest = scaled(np.array(bounds)).tolist()
        if low <= least and greatest <= high:
            return _opened(least, greatest, "statistics")
    inside = known[(known >= low) & (known <= high)]
    return _opened(float(inside.min()), float(inside.max()), "rows" if sample.is_whole else "sample")


def known_bounds(plan: Plan, place: int) -> tuple[float, float] | None:
    """Between what all values of an output lie, if it is a plain column of which every row group says so."""
    node = plan.bound.tree.expressions[place].this.unnest()
    (scan,) = plan.scans.values()
    if not isinstance(node, exp.Column) or scan.selection is None:
        return None
    dataset, _ = scan.stored
    if dataset.is_distant:
        return None
    statistics = dataset.statistics(node.name)
    is_told = pc.or_(statistics.min.is_valid(), pa.array(statistics.is_empty(dataset.row_groups.n_rows)))
    low, high = pc.min(statistics.min).as_py(), pc.max(statistics.max).as_py()
    if low is None or not pc.all(is_told).as_py() or not isinstance(low, int | float):
        return None
    return float(low), float(high)


def _fences(values: Floats) -> tuple[float, float]:
    """Beyond what a value is left out; there are always some between."""
    low, first, third, high = np.percentile(values, [1.0, 25.0, 75.0, 99.0]).tolist()
    spread = next(_spreads(values, third - first, high - low))
    return first - _REACH * spread, third + _REACH * spread


def _spreads(values: Floats, *found: float) -> Iterator[float]:
    """Measures of how far apart values are, from the most robust one on, but for those that are 0."""
    yield from (spread for spread in found if spread > 0.0)
    yield float(values.max() - values.min())


def _opened(low: float, high: float, origin: str) -> Range:
    """A range as `numpy.histogram` opens it where all values are one."""
    low, high = low + 0.0, high + 0.0
    if low < high:
        return Range(low, high, origin)
    return Range(low - 0.5, high + 0.5, origin)
