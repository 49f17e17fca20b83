"""`Segments`: stretches of an array that belong together, and what each of them amounts to.

A million light curves of ten points are ten million points and a million offsets; everything here works on all of them
at once. A stretch may be empty: its sum is 0 and everything else of it is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Floats", "Ints", "Mask", "Segments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Segments:
    """Where each stretch begins and the next one follows."""

    offsets: Ints
    """(n + 1,) positions: stretch `i` is `[offsets[i], offsets[i + 1])`."""

    @classmethod
    def of_owners(cls, owner: ArrayLike, n: int) -> Segments:
        """Stretches of points of which each names its stretch, 0 to n - 1, in ascending order."""
        return cls(np.searchsorted(np.asarray(owner, dtype=np.int64), np.arange(n + 1)).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def counts(self) -> Ints:
        """How many points each has, (n,)."""
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> Ints:
        """To which stretch each point belongs, (n_points,)."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.counts)

    def spread(self, values: NDArray[Kind]) -> NDArray[Kind]:
        """A value of each stretch, given to all its points."""
        return np.repeat(values, self.counts)

    def chosen(self, is_kept: Mask) -> Segments:
        """The stretches of what is kept of the points."""
        counts = np.bincount(self.owner[is_kept], minlength=len(self))
        return Segments(np.concatenate([[0], np.cumsum(counts)]))

    def sum(self, values: ArrayLike) -> Floats:
        """Sums, (n,)."""
        weights = np.asarray(values, dtype=np.float64)
        return np.asarray(np.bincount(self.owner, weights, minlength=len(self)), dtype=np.float64)

    def mean(self, values: ArrayLike) -> Floats:
        """Means, (n,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.sum(values) / self.counts

    def max(self, values: Floats) -> Floats:
        """Greatest values, (n,)."""
        return self._reduced(np.maximum, values)

    def min(self, values: Floats) -> Floats:
        """Least values, (n,)."""
        return self._reduced(np.minimum, values)

    def sorted(self, values: Floats) -> Floats:
        """Values in ascending order within each stretch, (n_points,); NaN last."""
        found = np.empty(len(values))
        for place, is_point in self._blocks:
            block = np.where(is_point, values[place], np.nan)
            block.sort(axis=1)
            found[place[is_point]] = block[is_point]
        return found

    @cached_property
    def _blocks(self) -> tuple[tuple[Ints, Mask], ...]:
        """Places of the points of stretches that are about as long, as rows of a matrix: one short sort each."""
        size = np.ceil(np.log2(np.maximum(self.counts, 1))).astype(np.int64)
        return tuple(self._block(np.flatnonzero(size == one)) for one in np.unique(size))

    def _block(self, members: Ints) -> tuple[Ints, Mask]:
        step = np.arange(self.counts[members].max(initial=0))
        is_point = step < self.counts[members][:, None]
        return np.where(is_point, self.offsets[members][:, None] + step, self.offsets[0]), is_point

    def quantile_of_sorted(self, values: Floats, share: float) -> Floats:
        """Quantiles of values that `sorted` gave, with linear interpolation between neighbours, (n,)."""
        position = self.offsets[:-1] + share * np.maximum(self.counts - 1, 0)
        return self._between(values, position)

    def middle_of_sorted(self, values: Floats, first: Ints, last: Ints) -> Floats:
        """Medians of the parts `[first, last]` of sorted values, both ends in, (n,)."""
        return self._between(values, (first + last) / 2.0)

    def median(self, values: Floats) -> Floats:
        """Medians, (n,)."""
        return self.quantile_of_sorted(self.sorted(values), 0.5)

    def mad(self, values: Floats) -> Floats:
        """Medians of the absolute deviation from the median, unscaled, (n,)."""
        return self.median(np.abs(values - self.spread(self.median(values))))

    def _reduced(self, reduce: np.ufunc, values: Floats) -> Floats:
        found = np.full(len(self), np.nan)
        filled = self.counts > 0
        if filled.any():
            found[filled] = reduce.reduceat(values, self.offsets[:-1][filled])
        return found

    def _between(self, values: Floats, position: Floats) -> Floats:
        """Values at fractional positions, NaN for empty stretches."""
        found = np.full(len(self), np.nan)
        filled = self.counts > 0
        low = np.floor(position[filled]).astype(np.int64)
        part = position[filled] - low
        above = np.minimum(low + 1, len(values) - 1)
        with np.errstate(invalid="ignore"):
            step = np.where(part > 0.0, (values[above] - values[low]) * part, 0.0)
        found[filled] = values[low] + step
        return found
