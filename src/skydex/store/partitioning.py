"""Which HEALPix pixels become partitions: coarse where the sky is empty, fine where it is crowded.

The rule is that of HATS: the coarsest pixel with no more rows than the threshold. Rows are counted by binary search in
sorted runs, so that nothing grows with the number of pixels of the sky.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pixels", "adaptive_pixels"]

Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pixels:
    """Disjoint HEALPix pixels of several orders, in the order of the sky's index."""

    order: Int
    """HEALPix order of each."""
    pixel: Int
    """NESTED number at that order."""
    n_rows: Int
    """Rows in it."""

    def __len__(self) -> int:
        return len(self.pixel)

    def ranges(self) -> Int:
        """Half-open ranges of order-29 pixels, shape (n, 2)."""
        shift = 2 * (29 - self.order)
        return np.stack([self.pixel << shift, (self.pixel + 1) << shift], axis=1)


def adaptive_pixels(runs: Iterable[Int], *, threshold: int, max_order: int) -> Pixels:
    """Find the partitions of rows with the given indices.

    Parameters
    ----------
    runs : iterable of (n,) int64 arrays
        Order-29 NESTED pixels of the rows, each array ascending; walked through many times, always in one order.
    threshold : int
        Most rows of a partition. A pixel at `max_order`, or one whose rows all have the same index, may hold more.
    max_order : int
        Finest order, 0 to 29.
    """
    pixels = np.arange(12, dtype=np.int64)
    leaves: list[tuple[Int, Int, Int]] = []
    for order in range(max_order + 1):
        starts, counts = _count(runs, pixels, order)
        done = (counts <= threshold) | (order == max_order) | _are_points(runs, starts, counts)
        kept = done & (counts > 0)
        leaves.append((np.full(kept.sum(), order), pixels[kept], counts[kept]))
        pixels = ((pixels[~done] << 2)[:, None] + np.arange(4)).ravel()
        if not len(pixels):
            break
    return _sorted(*(np.concatenate(parts) for parts in zip(*leaves, strict=True)))


def _count(runs: Iterable[Int], pixels: Int, order: int) -> tuple[list[tuple[Int, Int]], Int]:
    """Where each pixel's rows lie in each run, and how many there are in all."""
    shift = 2 * (29 - order)
    spans = [(np.searchsorted(run, pixels << shift), np.searchsorted(run, (pixels + 1) << shift)) for run in runs]
    return spans, sum((stop - start for start, stop in spans), np.zeros(len(pixels), np.int64))


def _are_points(runs: Iterable[Int], spans: list[tuple[Int, Int]], counts: Int) -> NDArray[np.bool_]:
    """Whether all rows of a pixel have one index, so that splitting it would not help."""
    least = np.full(len(counts), np.iinfo(np.int64).max)
    greatest = np.full(len(counts), -1)
    for run, (start, stop) in zip(runs, spans, strict=True):
        some = stop > start
        least[some] = np.minimum(least[some], run[start[some]])
        greatest[some] = np.maximum(greatest[some], run[stop[some] - 1])
    return np.asarray(least == greatest)


def _sorted(order: Int, pixel: Int, n_rows: Int) -> Pixels:
    by_index = np.argsort(pixel << (2 * (29 - order)), kind="stable")
    return Pixels(order[by_index], pixel[by_index], n_rows[by_index])
