"""Cross-matching: which HEALPix cells the circles around many positions touch.

Two catalogues are matched by cells: every position of the one has a single cell, every circle around a position of the
other is given all the cells that it may touch, and only pairs that share a cell are measured. As each position has one
cell, no pair comes up twice; as no touched cell is left out, none is missed (near the poles, at RA 0, and where base
cells meet, too).

Cells are found in the integer coordinates that the bits of an order-29 pixel hold: within a base cell no coordinate
changes faster along the sky than `STEEPNESS`, so that a circle stays within a square of pixels. Only circles that may
leave their base cell ask HEALPix for neighbours.
"""

from __future__ import annotations

import math

import numpy as np
from healpix_geo import nested
from numpy.typing import ArrayLike, NDArray

from skydex.sky.angles import Floats
from skydex.sky.pixels import MARGIN_DEG, MAX_ORDER
from skydex.sky.ranges import Ranges, merge_ranges

__all__ = ["FINEST_CELLS", "circle_levels", "circle_order", "circle_ranges29", "circles_touching", "grown_ranges"]

Pixels = NDArray[np.int64]

STEEPNESS = 1.4523
"""Most that a coordinate in a base cell, 0 to 1 along its side, changes in a radian along the sky.

Gorski et al. 2005, section 5.1: with colatitude t and quarter q (0 to 1) of right ascension a polar coordinate is
sqrt(6) sin(t/2) q, whose gradient is at most sqrt(3/2 + 6/pi²) = 1.4521 (at the pole); equatorial ones reach 1.0207.
"""
FINEST_CELLS = 24
"""Cells for matching are not finer than this order, 12 milliarcsec."""
ROOMINESS = 4.0
"""Cells for matching are at least so many times as wide as circles: most circles then have one cell."""
_LARGEST_DEG = 180.0
_MOST_CELLS = 20_000
"""Ranges are grown by cells of which there are no more than this."""
_EAST = np.int64(sum(1 << 2 * bit for bit in range(MAX_ORDER)))
"""The bits of an order-29 pixel that make its first coordinate."""
_NORTH = np.int64(_EAST << 1)
"""Those that make the second one."""
_SIDE = 1 << MAX_ORDER
_ALL_OF_ORDER_0 = np.arange(12, dtype=np.int64)


def circle_order(radius_deg: float, *, roominess: float = ROOMINESS) -> int:
    """Order of cells that suits circles of a radius.

    Parameters
    ----------
    radius_deg : float
        Radius of the largest circle, degrees.
    roominess : float
        How many times a cell is at least as wide as a circle; no less than 1. Wider cells mean fewer cells for each
        circle, and more positions in them.

    Returns
    -------
    order : int
        Up to `FINEST_CELLS`; below 0 if no cells are large enough.
    """
    width = 2.0 * float(_reach(radius_deg)) * max(roominess, 1.0)
    return min(MAX_ORDER - math.ceil(math.log2(width)), FINEST_CELLS)


def circle_levels(radius_deg: ArrayLike, *, roominess: float = ROOMINESS) -> Pixels:
    """Order of cells that suits each of many circles.

    Parameters
    ----------
    radius_deg : (n,) array_like of float
        Radii, degrees.
    roominess : float
        How many times a cell is at least as wide as its circle; no less than 1.

    Returns
    -------
    orders : (n,) int64 array
        What `circle_order` gives for each radius, but at least 0 (a circle may touch all cells of order 0, however
        large it is); -1 for radii that are negative or NaN.
    """
    radius = np.asarray(radius_deg, dtype=np.float64)
    is_circle = radius >= 0.0
    width = 2.0 * max(roominess, 1.0) * _reach(np.where(is_circle, np.minimum(radius, _LARGEST_DEG), 0.0))
    orders = np.clip(MAX_ORDER - np.ceil(np.log2(width)), 0, FINEST_CELLS).astype(np.int64)
    return np.where(is_circle, orders, -1)


def circles_touching(index29: Pixels, radius_deg: ArrayLike, order: ArrayLike) -> tuple[Pixels, Pixels]:
    """Find the cells that each of many circles may touch.

    Never too few; a few circles are given a cell that they just miss.

    Parameters
    ----------
    index29 : (n,) int64 array
        Order-29 pixels of the centres; -1 where there is none.
    radius_deg : (n,) array_like of float
        Radii, degrees; circles whose radius is negative or NaN touch nothing.
    order : (n,) array_like of int
        Order of the cells for each circle, at most what `circle_order` gives for its radius.

    Returns
    -------
    pixels : (m,) int64 array
        NESTED numbers of the cells at their order, circle by circle, each once a circle.
    counts : (n,) int64 array
        How many cells each circle has; one to four, or up to twelve where base cells meet.
    """
    radius, orders = np.minimum(np.asarray(radius_deg, np.float64), _LARGEST_DEG), np.asarray(order, np.int64)
    is_circle = (index29 >= 0) & (radius >= 0.0)
    if not is_circle.all():
        radius, orders = np.broadcast_to(radius, index29.shape), np.broadcast_to(orders, index29.shape)
        counts = np.zeros(len(index29), dtype=np.int64)
        pixels, counts[is_circle] = circles_touching(index29[is_circle], radius[is_circle], orders[is_circle])
        return pixels, counts
    reach, shifts = _reach(radius), 2 * (MAX_ORDER - orders)
    cells, crosses = index29 >> shifts, ~_keeps_to_its_cell(index29, reach, shifts)
    counts = np.ones(len(index29), dtype=np.int64)
    crossing = np.flatnonzero(crosses)
    if not len(crossing):
        return cells, counts
    reach = np.broadcast_to(reach, index29.shape)[crossing]
    orders = np.broadcast_to(orders, index29.shape)[crossing]
    pixels, counts[crossing] = _touched(index29[crossing], reach, orders)
    cells = np.repeat(cells, counts)
    cells[np.repeat(crosses, counts)] = pixels
    return cells, counts


def circle_ranges29(index29: Pixels, radius_deg: ArrayLike, order: ArrayLike) -> Ranges:
    """The order-29 ranges of all cells that any of many circles may touch; arguments as for `circles_touching`."""
    pixels, counts = circles_touching(index29, radius_deg, order)
    shifts = np.repeat(2 * (MAX_ORDER - np.broadcast_to(np.asarray(order, np.int64), index29.shape)), counts)
    return merge_ranges(np.stack([pixels << shifts, (pixels + 1) << shifts], axis=1))


def grown_ranges(ranges: Ranges, radius_deg: float) -> Ranges:
    """Ranges that hold everything within a radius of any place in the given ones.

    Parameters
    ----------
    ranges : (n, 2) int64 array
        Half-open ranges of order-29 pixels.
    radius_deg : float
        Radius, degrees.

    Returns
    -------
    grown : (m, 2) int64 array
        Half-open, sorted, disjoint; more than needed by some widths of a cell.
    """
    order = max(circle_order(radius_deg), 0)
    while order and _n_cells(ranges, order) > _MOST_CELLS:
        order -= 1
    shift = 2 * (MAX_ORDER - order)
    first, counts = ranges[:, 0] >> shift, ((ranges[:, 1] - 1) >> shift) - (ranges[:, 0] >> shift) + 1
    cells = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    around = _neighbourhoods(np.unique(cells), order).ravel()
    around = np.unique(around[around >= 0])
    return merge_ranges(np.stack([around << shift, (around + 1) << shift], axis=1))


def _n_cells(ranges: Ranges, order: int) -> int:
    shift = 2 * (MAX_ORDER - order)
    return int((((ranges[:, 1] - 1) >> shift) - (ranges[:, 0] >> shift) + 1).sum())


def _reach(radius_deg: ArrayLike) -> Floats:
    """How many order-29 pixels a circle may reach along either coordinate, rounding of positions and all included."""
    return np.asarray(np.ceil(np.radians(np.add(radius_deg, MARGIN_DEG)) * (STEEPNESS * _SIDE)) + 1.0)


def _keeps_to_its_cell(index29: Pixels, reach: Floats, shifts: Pixels) -> NDArray[np.bool_]:
    """Whether the square around each circle lies within the cell of its centre; sure for those that are said to."""
    step = _spread(np.minimum(reach, _SIDE - 1).astype(np.int64))
    below = (np.int64(1) << shifts) - 1
    keeps = np.ones(index29.shape, dtype=np.bool_)
    for bits, one in ((_EAST & below, step), (_NORTH & below, step << 1)):
        within = index29 & bits
        keeps &= (within >= one) & (within <= bits - one)
    return keeps


def _touched(index29: Pixels, reach: Floats, orders: Pixels) -> tuple[Pixels, Pixels]:
    """The cells that any circles may touch, and how many each has."""
    corners, stays = _corners(index29, reach, 2 * (MAX_ORDER - orders))
    is_new = _first_of_each(corners) & stays
    cells = corners.T[is_new.T]
    counts = is_new.sum(axis=0)
    if stays.all():
        return cells, counts
    return _with_leavers(cells, counts, np.flatnonzero(~stays), index29, orders)


def _corners(index29: Pixels, reach: Floats, shifts: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    """The cells (4, n) at the corners of the square around each circle, and which squares stay in their base cell."""
    base = index29 & ~(_EAST | _NORTH)
    east, north = index29 & _EAST, index29 & _NORTH
    step = _spread(np.minimum(reach, _SIDE - 1).astype(np.int64))
    west_end, south_end = (east - step) & _EAST, (north - (step << 1)) & _NORTH
    east_end, north_end = (east | _NORTH) + step, (north | _EAST) + (step << 1)
    beyond = (east_end | north_end) >> 2 * MAX_ORDER
    stays = (west_end <= east) & (south_end <= north) & (beyond == 0) & (reach < _SIDE)
    east_end, north_end = east_end & _EAST, north_end & _NORTH
    ends = (west_end | south_end, east_end | south_end, west_end | north_end, east_end | north_end)
    return np.stack([(base | end) >> shifts for end in ends]), stays


def _first_of_each(corners: Pixels) -> NDArray[np.bool_]:
    """Which corners (4, n) are not the same cell as one before."""
    east_differs, north_differs = corners[1] != corners[0], corners[2] != corners[0]
    always = np.ones(corners.shape[1], dtype=np.bool_)
    return np.stack([always, east_differs, north_differs, east_differs & north_differs])


def _spread(numbers: Pixels) -> Pixels:
    """Put a zero bit before every bit of numbers below 2**29."""
    spread = numbers
    for shift, mask in _SPREADING:
        spread = (spread | (spread << shift)) & mask
    return spread


_SPREADING = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def _with_leavers(
    cells: Pixels, counts: Pixels, leavers: Pixels, index29: Pixels, orders: Pixels
) -> tuple[Pixels, Pixels]:
    """Add the cells of circles that may leave their base cell: their own and all its neighbours."""
    parts, owners = [cells], [np.repeat(np.arange(len(counts)), counts)]
    for order in np.unique(orders[leavers]).tolist():
        rows = leavers[orders[leavers] == order]
        around = _neighbourhoods(index29[rows] >> 2 * (MAX_ORDER - order), order)
        is_cell = around >= 0
        parts.append(around[is_cell])
        owners.append(np.repeat(rows, is_cell.sum(axis=1)))
    owner = np.concatenate(owners)
    by_owner = np.argsort(owner, kind="stable")
    return np.concatenate(parts)[by_owner], np.bincount(owner, minlength=len(counts))


def _neighbourhoods(pixels: Pixels, order: int) -> Pixels:
    """Each pixel and its neighbours (n, 9 or 12), -1 where there is one less."""
    if order == 0:
        return np.broadcast_to(_ALL_OF_ORDER_0, (len(pixels), 12))
    return np.asarray(nested.kth_neighbourhood(pixels, order, 1, num_threads=1), dtype=np.int64)
