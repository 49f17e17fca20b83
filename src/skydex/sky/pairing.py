"""Pairs of positions near each other: all that are within a radius, or the nearest one.

Positions are looked up by HEALPix cell in a sorted order-29 index, which serves cells of every order at once: cells are
as small as the circles allow and as wide as positions are sparse, so that most circles lie within one cell and find few
strangers there. `matching` says which cells a circle may touch, never too few. What shares a cell is measured, by
haversine. Nothing is held of pairs that are too far apart but a block at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.sky.angles import Floats, Mask, antihaversine, haversine, separation_deg
from skydex.sky.matching import circle_levels, circles_touching
from skydex.sky.pixels import MAX_ORDER, index29
from skydex.sky.ranges import Ranges, merge_ranges
from skydex.sky.regions import ONE_PLACE

__all__ = ["Circles", "Pairs", "Places", "find_nearest", "find_pairs", "sparse_order"]

_SMALL_DEG = 0.05
"""Up to this radius most pairs are decided by series of its haversine: two terms for sin² of half a difference."""
_SERIES = 1e-6
"""Largest square of half a difference, in radians, that they are used for: they are wrong by less than 1e-13 then."""
_DOUBT = 1e-9
"""Relative distance from the limit below which the exact haversine decides."""
Rows = NDArray[np.int64]
Found = tuple[Rows, Rows]
"""Left and right rows of pairs."""

_BLOCK_ROWS = 32_768
"""Circles looked up at a time, so that their arrays stay in the processor's cache."""
_MOST_CANDIDATES = 1 << 20
"""Pairs measured at a time, unless a single circle has more."""
_CROWD = 2.0
"""Cells are as wide as leaves so many positions together on average, one that is there anyhow included."""
_GROUP = 256
"""Positions of a sorted catalogue that are looked at together to judge crowds."""
_TIGHT_DEG = 1.0
"""Beyond this radius cells are no wider than circles: few of them make up the sky."""


@dataclass(frozen=True)
class Places:
    """Positions, by the numbers of their rows."""

    ra_deg: Floats
    """(n,) right ascensions, ICRS, degrees."""
    dec_deg: Floats
    """(n,) declinations; a row without a position (NaN, or beyond 90 degrees) is near nothing."""
    index29: Rows | None = None
    """(n,) order-29 pixels, if they are known already; sorted ones save most time."""

    @cached_property
    def pixels(self) -> Rows:
        """(n,) order-29 pixels, -1 where there is no position."""
        return index29(self.ra_deg, self.dec_deg) if self.index29 is None else self.index29


@dataclass(frozen=True)
class Pairs:
    """Rows that are near each other."""

    left: Rows
    """(m,) row numbers, ascending."""
    right: Rows
    """(m,) row numbers; ascending where the left one is the same."""
    separation_deg: Floats
    """(m,) degrees."""


def find_pairs(left: Places, right: Places, radius_deg: ArrayLike) -> Pairs:
    """Find all pairs of positions within a radius of each other.

    Parameters
    ----------
    left, right : Places
        Positions, n and k of them.
    radius_deg : float or (n,) array_like of float
        Largest separation, degrees, the same for all or one for each position on the left. A radius of 0 holds the
        same place only; none is held by one that is negative or NaN, and all by one of 180 or more.

    Returns
    -------
    pairs : Pairs
        Each pair once, by left row and then by right row.

    Examples
    --------
    >>> stars = Places(np.array([10.0, 359.9999]), np.array([-5.0, 0.0]))
    >>> find_pairs(stars, Places(np.array([0.0001, 10.0]), np.array([0.0, -5.0])), 1 / 3600)
    Pairs(left=array([0, 1]), right=array([1, 0]), separation_deg=array([0.    , 0.0002]))
    """
    found = [_sorted_pairs(pairs) for pairs in _Finder(right).iter_pairs(left, radius_deg)]
    return _measured(left, right, *_joined(found))


def find_nearest(left: Places, right: Places, radius_deg: ArrayLike) -> Pairs:
    """Find the nearest position within a radius of each; arguments as for `find_pairs`.

    Returns
    -------
    pairs : Pairs
        One pair for each left row that has a neighbour. Of several right rows at the very same separation it is the
        first.
    """
    found = [_nearest(left, right, pairs) for pairs in _Finder(right).iter_pairs(left, radius_deg)]
    return _measured(left, right, *_joined(found))


def _nearest(left: Places, right: Places, pairs: Found) -> Found:
    """Of each left row the pair with the smallest separation, and of those with the first right row."""
    rows, others = pairs
    distance = _measured(left, right, rows, others).separation_deg
    best = np.lexsort((others, distance, rows))
    rows = rows[best]
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = rows[1:] != rows[:-1]
    return rows[is_first], others[best][is_first]


def _sorted_pairs(pairs: Found) -> Found:
    rows, others = pairs
    steps = np.diff(rows)
    if (steps > 0).all() or ((steps > 0) | ((steps == 0) & (np.diff(others) > 0))).all():
        return pairs
    order = np.lexsort((others, rows))
    return rows[order], others[order]


def _joined(found: list[Found]) -> Found:
    """Pairs of blocks that are sorted in themselves and have no left row in common."""
    none = np.empty(0, dtype=np.int64)
    rows, others = (np.concatenate([none, *(pairs[side] for pairs in found)]) for side in (0, 1))
    if (np.diff(rows) >= 0).all():
        return rows, others
    order = np.argsort(rows, kind="stable")
    return rows[order], others[order]


def _measured(left: Places, right: Places, rows: Rows, others: Rows) -> Pairs:
    distance = separation_deg(left.ra_deg[rows], left.dec_deg[rows], right.ra_deg[others], right.dec_deg[others])
    return Pairs(rows, others, distance)


class Circles:
    """Circles of one radius around many positions, to look up in them what lies in one part of the sky after another.

    Parameters
    ----------
    places : Places
        Their centres.
    radius_deg : float
        Their radius, degrees.
    finest : int
        HEALPix order of cells in which what is looked up is not crowded; `sparse_order` tells it.
    closed : bool
        Whether what is at just the radius is inside.
    """

    def __init__(self, places: Places, radius_deg: float, *, finest: int = MAX_ORDER, closed: bool = True) -> None:
        self._sizes = _Sizes(places, np.asarray(radius_deg, dtype=np.float64), finest, closed=closed)
        parts = [
            self._sizes.ranges29(np.arange(start, min(start + _BLOCK_ROWS, len(places.pixels))))
            for start in range(0, len(places.pixels), _BLOCK_ROWS)
        ]
        none = np.empty(0, dtype=np.int64)
        self._owners, self._low, high = (np.concatenate([none, *(part[i] for part in parts)]) for i in range(3))
        self._length = int(high[0] - self._low[0]) if len(high) else 1
        by_pixel = _sorting(self._low)
        if by_pixel is not None:
            self._owners, self._low = self._owners[by_pixel], self._low[by_pixel]

    def ranges29(self, most: int = 20_000) -> Ranges:
        """Up to so many order-29 ranges outside of which no position is inside any of them."""
        shift = self._length.bit_length() - 1
        if len(self._low) > most:
            shift = max(shift, 2 * (MAX_ORDER - math.floor(math.log2(most / 12) / 2)))
        cells = _distinct(self._low >> shift)
        return merge_ranges(np.stack([cells << shift, (cells + 1) << shift], axis=1))

    def iter_pairs(self, places: Places) -> Iterator[Found]:
        """Find the positions inside of them, some at a time.

        Parameters
        ----------
        places : Places
            Positions of a part of the sky.

        Yields
        ------
        circles, rows : (m,) int64 arrays
            Row numbers of centres and of positions; each pair once, in no order.
        """
        by_pixel = _sorting(places.pixels)
        if by_pixel is not None:
            places = Places(places.ra_deg[by_pixel], places.dec_deg[by_pixel], places.pixels[by_pixel])
        pixels = places.pixels[places.pixels.searchsorted(0) :]
        if not len(pixels):
            return
        here = slice(
            self._low.searchsorted(pixels[0] - self._length, "right"), self._low.searchsorted(pixels[-1], "right")
        )
        low = self._low[here]
        first = places.pixels.searchsorted(low)
        counts = places.pixels.searchsorted(low + self._length) - first
        for part in _parts(np.arange(len(low)), counts):
            owner, candidate = _expanded(self._owners[here][part], first[part], counts[part])
            is_near = self._sizes.hold(owner, places.ra_deg[candidate], places.dec_deg[candidate])
            near = candidate[is_near]
            yield owner[is_near], near if by_pixel is None else by_pixel[near]


class _Finder:
    """Positions in the order of their pixels, to be looked up."""

    def __init__(self, places: Places) -> None:
        self._rows = _sorting(places.pixels)
        by_pixel = slice(None) if self._rows is None else self._rows
        self._pixels = places.pixels[by_pixel]
        self._ra_deg, self._dec_deg = places.ra_deg[by_pixel], places.dec_deg[by_pixel]

    def iter_pairs(self, left: Places, radius_deg: ArrayLike) -> Iterator[Found]:
        """The pairs in blocks, each with all pairs of its left rows."""
        circles = _Sizes(left, np.asarray(radius_deg, dtype=np.float64), _sorted_order(self._pixels))
        by_pixel = _sorting(left.pixels)
        for start in range(0, len(left.pixels), _BLOCK_ROWS):
            rows = np.arange(start, min(start + _BLOCK_ROWS, len(left.pixels)))
            yield from self._near_to(circles, rows if by_pixel is None else by_pixel[rows])

    def _near_to(self, circles: _Sizes, rows: Rows) -> Iterator[Found]:
        """The pairs of some circles, not too many at a time."""
        owners, low, high = circles.ranges29(rows)
        first = self._pixels.searchsorted(low)
        counts = self._pixels.searchsorted(high) - first
        for part in _parts(owners, counts):
            owner, candidate = _expanded(owners[part], first[part], counts[part])
            is_near = circles.hold(owner, self._ra_deg[candidate], self._dec_deg[candidate])
            near = candidate[is_near]
            yield owner[is_near], near if self._rows is None else self._rows[near]


class _Sizes:
    """Circles around positions, all of one radius or each of its own."""

    def __init__(self, places: Places, radius_deg: Floats, finest: int, *, closed: bool = True) -> None:
        self._places = places
        self._closed = closed
        self._radius_deg = radius_deg
        roomy, tight = circle_levels(radius_deg), circle_levels(radius_deg, roominess=1.0)
        self._orders = np.minimum(np.where(radius_deg > _TIGHT_DEG, tight, roomy), finest)
        half = np.radians(np.minimum(radius_deg, 180.0)) / 2.0
        self._limits = np.where(radius_deg >= 0.0, np.maximum(np.sin(half) ** 2, ONE_PLACE if closed else 0.0), np.nan)
        self._is_wide = radius_deg > 90.0
        self._is_small = radius_deg.ndim == 0 and 0.0 <= float(radius_deg) <= _SMALL_DEG
        self._far_limits = np.sin(np.pi / 2.0 - half) ** 2

    def ranges29(self, rows: Rows) -> tuple[Rows, Rows, Rows]:
        """The order-29 ranges of the cells that some of them may touch: whose each is, its beginning, its end."""
        orders = _of(self._orders, rows)
        cells, counts = circles_touching(self._places.pixels[rows], _of(self._radius_deg, rows), orders)
        shifts = 2 * (MAX_ORDER - orders)
        if len(cells) != len(rows) or counts.min() == 0:
            rows, shifts = np.repeat(rows, counts), np.repeat(shifts, counts) if shifts.ndim else shifts
        return rows, cells << shifts, (cells + 1) << shifts

    def hold(self, rows: Rows, ra_deg: Floats, dec_deg: Floats) -> Mask:
        """Whether each of some circles holds a position; beyond 90 degrees the way from the antipode is exact."""
        there = self._places.ra_deg[rows], self._places.dec_deg[rows], ra_deg, dec_deg
        if self._is_small:
            return self._small_hold(*there)
        inside, beyond = (np.less_equal, np.greater_equal) if self._closed else (np.less, np.greater)
        is_near = inside(haversine(*there), _of(self._limits, rows))
        if not self._is_wide.any():
            return np.asarray(is_near)
        is_within: Mask = beyond(antihaversine(*there), _of(self._far_limits, rows))
        return np.where(_of(self._is_wide, rows), is_within, is_near)

    def _small_hold(self, ra1_deg: Floats, dec1_deg: Floats, ra2_deg: Floats, dec2_deg: Floats) -> Mask:
        """The same for one small radius: by series where they leave no doubt, which is nearly everywhere."""
        limit = float(self._limits)
        across, along = np.radians(ra1_deg - ra2_deg) ** 2 / 4.0, np.radians(dec1_deg - dec2_deg) ** 2 / 4.0
        squared_cosine = np.cos(np.radians(dec1_deg + dec2_deg) / 2.0) ** 2 - along
        excess = along * (1.0 - along / 3.0) + squared_cosine * (across * (1.0 - across / 3.0)) - limit
        is_near: Mask = excess < 0.0
        doubtful = np.flatnonzero((np.abs(excess) <= _DOUBT * limit + ONE_PLACE) | (across > _SERIES))
        if len(doubtful):
            exact = haversine(ra1_deg[doubtful], dec1_deg[doubtful], ra2_deg[doubtful], dec2_deg[doubtful])
            is_near[doubtful] = exact <= limit if self._closed else exact < limit
        return is_near


def _expanded(owners: Rows, first: Rows, counts: Rows) -> tuple[Rows, Rows]:
    """Pairs of each owner with so many rows from the first on."""
    owner = np.repeat(owners, counts)
    shift = first - np.cumsum(counts) + counts
    return owner, np.repeat(shift, counts) + np.arange(len(owner))


def sparse_order(first: Rows, last: Rows, n_rows: Rows) -> int:
    """Find the coarsest order whose cells are not crowded.

    Parameters
    ----------
    first, last : (n,) int64 array
        Least and greatest order-29 pixel of groups of positions that follow each other on the sky.
    n_rows : (n,) int64 array
        Positions in each group.
    """
    known = last >= first
    length, n_rows = (last - first + 1)[known].astype(np.float64), n_rows[known].astype(np.float64)
    for order in range(MAX_ORDER):
        crowd = n_rows * np.minimum(1.0, 4.0 ** (MAX_ORDER - order) / length)
        if (crowd * n_rows).sum() <= _CROWD * n_rows.sum():
            return order
    return MAX_ORDER


def _sorted_order(pixels: Rows) -> int:
    """The same for sorted pixels."""
    starts = np.arange(0, len(pixels), _GROUP)
    ends = np.minimum(starts + _GROUP, len(pixels))
    return sparse_order(pixels[starts], pixels[ends - 1], ends - starts)


def _of(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """The values of some rows; there is one each, or one for all."""
    return values[rows] if values.ndim else values


def _distinct(cells: Rows) -> Rows:
    return cells[np.flatnonzero(np.diff(cells, prepend=-1))]


def _sorting(pixels: Rows) -> Rows | None:
    """What sorts pixels; `None` if they are sorted."""
    return None if (pixels[1:] >= pixels[:-1]).all() else np.argsort(pixels, kind="stable")


def _parts(owners: Rows, counts: Rows) -> Iterator[slice]:
    """Slices of cells in which there are not too many positions; the cells of one circle stay together."""
    total = np.cumsum(counts)
    if not len(total) or total[-1] <= _MOST_CANDIDATES:
        yield slice(0, len(owners))
        return
    ends = np.flatnonzero(np.append(owners[1:] != owners[:-1], True)) + 1
    cuts = ends[np.flatnonzero(np.diff(total[ends - 1] // _MOST_CANDIDATES))]
    edges = [0, *cuts.tolist(), len(owners)]
    yield from (slice(start, end) for start, end in pairwise(edges))
