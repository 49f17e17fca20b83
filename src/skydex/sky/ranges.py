"""Sets of order-29 pixels as sorted, disjoint, half-open ranges: an (n, 2) int64 array of [first, beyond).

The form in which regions, partitions and row groups meet. Pure integer arithmetic; what a pixel is, `pixels` knows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.sky.angles import Mask

__all__ = ["Ranges", "close_gaps", "intersect_ranges", "merge_ranges", "ranges_overlap"]

Ranges = NDArray[np.int64]


def merge_ranges(ranges: ArrayLike) -> Ranges:
    """The same pixels as sorted, disjoint ranges that do not even touch; empty ranges vanish.

    Parameters
    ----------
    ranges : (n, 2) array_like of int
        Half-open, in any order, overlapping or not.

    Returns
    -------
    merged : (m, 2) int64 array

    Examples
    --------
    >>> merge_ranges([[8, 9], [0, 4], [3, 6], [6, 7]]).tolist()
    [[0, 7], [8, 9]]
    """
    spans = np.asarray(ranges, dtype=np.int64).reshape(-1, 2)
    spans = spans[spans[:, 0] < spans[:, 1]]
    if len(spans) < 2:
        return spans
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    reach = np.maximum.accumulate(spans[:, 1])
    is_gap = spans[1:, 0] > reach[:-1]
    return _from_gaps(spans[0, 0], reach[:-1][is_gap], spans[1:, 0][is_gap], reach[-1])


def intersect_ranges(a: Ranges, b: Ranges) -> Ranges:
    """The pixels that are in both of two merged sets of ranges."""
    first = np.searchsorted(b[:, 1], a[:, 0], side="right")
    beyond = np.searchsorted(b[:, 0], a[:, 1], side="left")
    counts = np.maximum(beyond - first, 0)
    in_a = np.repeat(np.arange(len(a)), counts)
    in_b = np.arange(len(in_a)) + np.repeat(first - np.cumsum(counts) + counts, counts)
    return np.stack([np.maximum(a[in_a, 0], b[in_b, 0]), np.minimum(a[in_a, 1], b[in_b, 1])], axis=1)


def ranges_overlap(ranges: Ranges, lo: ArrayLike, hi: ArrayLike) -> Mask:
    """Which of many intervals of pixels hold a pixel of the ranges.

    Parameters
    ----------
    ranges : (n, 2) int64 array
        Merged and half-open.
    lo, hi : (m,) array_like of int
        The smallest and the largest pixel of each interval, *both included*, as row-group statistics give them.

    Returns
    -------
    overlap : (m,) bool array
    """
    if len(ranges) == 0:
        return np.zeros(np.shape(lo), dtype=np.bool_)
    candidate = np.searchsorted(ranges[:, 1], lo, side="right")
    is_any = candidate < len(ranges)
    return np.asarray(is_any & (ranges[np.minimum(candidate, len(ranges) - 1), 0] <= np.asarray(hi)))


def close_gaps(ranges: Ranges, most: int) -> Ranges:
    """At most so many merged ranges that hold the given ones, made by filling the narrowest gaps."""
    if len(ranges) <= most:
        return ranges
    gaps = ranges[1:, 0] - ranges[:-1, 1]
    kept = np.sort(np.argpartition(-gaps, most - 1)[: most - 1])
    return _from_gaps(ranges[0, 0], ranges[kept, 1], ranges[kept + 1, 0], ranges[-1, 1])


def _from_gaps(first: int, gap_starts: Ranges, gap_ends: Ranges, beyond: int) -> Ranges:
    """The ranges between the gaps."""
    return np.stack([np.append(first, gap_ends), np.append(gap_starts, beyond)], axis=1)
