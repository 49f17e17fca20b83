"""HEALPix pixels of positions and of regions: the one place that knows pixel numbers.

NESTED numbering, orders 0 to 29 (Gorski et al. 2005, ApJ 622, 759). Covers never miss a pixel that a region touches:
prune with them, then test exactly with `Region.contains`.
"""

from __future__ import annotations

import math

import numpy as np
from healpix_geo import nested
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadRegionError
from skydex.sky.angles import Floats, possible_dec, unit_vectors
from skydex.sky.ranges import Ranges, close_gaps, merge_ranges
from skydex.sky.regions import Cone, Region

__all__ = [
    "MAX_ORDER",
    "N_PIXELS_29",
    "centres_deg",
    "index29",
    "pixels_of",
    "pixels_touching",
    "ranges29",
    "ranges29_inside",
]

MAX_ORDER = 29
N_PIXELS_29 = 12 * 4**MAX_ORDER
"""Number of order-29 pixels on the sky."""

Pixels = NDArray[np.int64]

MARGIN_DEG = 1e-9
"""Added around every region: 1 % of an order-29 pixel.

Rounding of positions, indices and pixel centres comes to some 1e-13 deg, so a position can be filed across the border
of a pixel by about that much. hats and cdshealpix file 3e5 positions, half of them near the poles, as healpix_geo does.
"""
BASE_SIDE_DEG = math.degrees(math.sqrt(math.pi / 3.0))
"""Side of a square with the area of an order-0 pixel."""
CIRCUMRADIUS = 1.07
"""No pixel of order k reaches further from its centre than this over 2**k radians (1.0690 as k grows, 0.841 at 0)."""
NEIGHBOURHOOD = 0.6
"""A circle of this over 2**k radians around any place in a pixel stays within it and its neighbours (at least 0.69)."""
PLAIN_RADIUS_DEG = 1.0
"""Largest cone that is given to healpix_geo's own cover."""
_MANY = 10_000
"""Positions beyond which further threads pay."""
_MOST_AT_RIM = 1_500
"""A rim of more pixels than this is fine enough."""
POLAR_RADII = 20.0
"""How many radii such a cone must be away from the poles."""
WIDENING = 1.0 + 1.0 / 32.0
"""Factor on the radius of such a cone: room for that cover's estimates, which were never seen to need it."""


def index29(ra_deg: ArrayLike, dec_deg: ArrayLike) -> Pixels:
    """Order-29 pixels of positions; HATS calls them `_healpix_29`.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) array_like of float
        ICRS, degrees; right ascension counts modulo 360.

    Returns
    -------
    index29 : (n,) int64 array
        NESTED pixel numbers; -1 where there is no position: not finite, or more than 90 degrees from the equator.
    """
    ra, dec = np.broadcast_arrays(np.atleast_1d(ra_deg).astype(np.float64), np.atleast_1d(dec_deg).astype(np.float64))
    is_position = possible_dec(dec) & np.isfinite(ra)
    if is_position.all():
        return _index29(ra, dec)
    index = np.full(ra.shape, -1, dtype=np.int64)
    index[is_position] = _index29(ra[is_position], dec[is_position])
    return index


def pixels_of(ra_deg: ArrayLike, dec_deg: ArrayLike, order: ArrayLike) -> Pixels:
    """HEALPix pixels of positions at an order, the same for all or one each.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) array_like of float
        ICRS, degrees; right ascension counts modulo 360.
    order : int or (n,) array_like of int
        HEALPix order.

    Returns
    -------
    pixels : (n,) int64 array
        NESTED pixel numbers; -1 where there is no position, or the order is not 0 to 29.
    """
    index = index29(ra_deg, dec_deg)
    orders = np.broadcast_to(np.asarray(order, dtype=np.int64), index.shape)
    possible = (orders >= 0) & (orders <= MAX_ORDER)
    shifts = 2 * (MAX_ORDER - np.where(possible, orders, MAX_ORDER))
    return np.where(possible & (index >= 0), index >> shifts, -1)


def centres_deg(pixels: ArrayLike, order: ArrayLike) -> tuple[Floats, Floats]:
    """Centres of HEALPix pixels of an order, the same for all or one each.

    Parameters
    ----------
    pixels : (n,) array_like of int
        NESTED pixel numbers.
    order : int or (n,) array_like of int
        HEALPix order.

    Returns
    -------
    ra_deg, dec_deg : (n,) float64 array
        Degrees; NaN where there is no such pixel, or the order is not 0 to 29.
    """
    numbers, orders = np.broadcast_arrays(np.atleast_1d(pixels).astype(np.int64), np.asarray(order, dtype=np.int64))
    centres = np.full((2, *numbers.shape), np.nan)
    for one in np.unique(orders[(orders >= 0) & (orders <= MAX_ORDER)]):
        chosen = (orders == one) & (numbers >= 0) & (numbers < 12 << 2 * int(one))
        centres[:, chosen] = nested.healpix_to_lonlat(numbers[chosen], int(one), num_threads=1)
    return centres[0], centres[1]


def pixels_touching(region: Region, order: int) -> Pixels:
    """Find every HEALPix pixel that a region may touch.

    Never too few; near the rim there may be pixels that the region just misses.

    Parameters
    ----------
    region : Region
        Cone, polygon or range, ICRS.
    order : int
        HEALPix order, 0 to 29; at order 10 a pixel is 3.4 arcmin wide.

    Returns
    -------
    pixels : (n,) int64 array
        NESTED pixel numbers, ascending, each once.
    """
    if not 0 <= order <= MAX_ORDER:
        raise BadRegionError(f"A HEALPix order is 0 to {MAX_ORDER}; {order} is not.")
    reached, pixels = _first_pixels(region.bounding_cone, order)
    pixels = _touching(region, pixels, reached)
    while reached < order:
        step = min(2, order - reached)
        reached, pixels = reached + step, _touching(region, _descendants(pixels, step), reached + step)
    return pixels


def ranges29(region: Region, *, most: int = 64) -> Ranges:
    """Cover a region with a few ranges of order-29 pixels.

    Parameters
    ----------
    region : Region
        Cone, polygon or range, ICRS.
    most : int
        How many ranges there may be; the pixels are as small as that many ranges can follow.

    Returns
    -------
    ranges : (n, 2) int64 array
        Half-open, sorted, disjoint, not touching; every position in the region has its `index29` in one of them.
    """
    if isinstance(region, Cone) and _is_plain(region):
        return close_gaps(_plain_cover(region, most), most)
    return close_gaps(_cover(region, most), most)


def ranges29_inside(region: Region) -> Ranges:
    """Find ranges of order-29 pixels that a region holds as a whole.

    Parameters
    ----------
    region : Region
        Cone, polygon or range, ICRS.

    Returns
    -------
    ranges : (n, 2) int64 array
        Half-open, sorted, disjoint, not touching; every position with its `index29` in one of them is in the region.
        Near the rim there may be pixels that are inside and not among them.
    """
    spans: list[Ranges] = []
    order, pixels = 0, np.arange(12, dtype=np.int64)
    while True:
        pixels = _touching(region, pixels, order)
        points = unit_vectors(*nested.healpix_to_lonlat(pixels, order, num_threads=1))
        held = region.holds(points, CIRCUMRADIUS / 2**order + math.radians(MARGIN_DEG))
        spans.append(_spans29(pixels[held], order))
        pixels = pixels[~held]
        if not len(pixels) or len(pixels) > _MOST_AT_RIM or order == MAX_ORDER:
            return merge_ranges(np.concatenate(spans))
        order, pixels = order + 1, _descendants(pixels, 1)


def _index29(ra_deg: Floats, dec_deg: Floats) -> Pixels:
    n_threads = 0 if ra_deg.size > _MANY else 1
    return np.asarray(nested.lonlat_to_healpix(ra_deg, dec_deg, MAX_ORDER, num_threads=n_threads), dtype=np.int64)


def _first_pixels(cone: Cone, order: int) -> tuple[int, Pixels]:
    """A few pixels that together hold a cone, of the finest order for which that is sure; and that order."""
    fitting = math.log2(NEIGHBOURHOOD / math.radians(cone.radius_deg + MARGIN_DEG))
    start = min(math.floor(fitting), order)
    if start <= 0:
        return 0, np.arange(12)
    centre = nested.lonlat_to_healpix(cone.ra_deg, cone.dec_deg, start, num_threads=1)
    around = np.unique(np.asarray(nested.kth_neighbourhood(centre, start, 1, num_threads=1), dtype=np.int64))
    return start, around[around >= 0]


def _touching(region: Region, pixels: Pixels, order: int) -> Pixels:
    """Those of the pixels whose circumscribed circle, widened by the margin, meets the region."""
    points = unit_vectors(*nested.healpix_to_lonlat(pixels, order, num_threads=1))
    return pixels[region.may_touch(points, CIRCUMRADIUS / 2**order + math.radians(MARGIN_DEG))]


def _descendants(pixels: Pixels, steps: int) -> Pixels:
    """All pixels inside the given ones, some orders further down."""
    return ((pixels[:, None] << 2 * steps) + np.arange(4**steps)).ravel()


def _cover(region: Region, most: int) -> Ranges:
    """Ranges of ever smaller pixels until there are more than allowed, or enough pixels to show that it needs few."""
    order = _cover_order(region, most)
    pixels = pixels_touching(region, order)
    ranges = merge_ranges(_spans29(pixels, order))
    while len(ranges) <= most and len(pixels) <= 8 * most and order < MAX_ORDER:
        order += 1
        pixels = _touching(region, _descendants(pixels, 1), order)
        ranges = merge_ranges(_spans29(pixels, order))
    return ranges


def _plain_cover(cone: Cone, most: int) -> Ranges:
    """The same for a plain cone, by healpix_geo, at once."""
    radius = cone.radius_deg * WIDENING + MARGIN_DEG
    pixels, orders, _ = nested.cone_coverage((cone.ra_deg, cone.dec_deg), radius, _cover_order(cone, most), flat=False)
    return merge_ranges(_spans29(pixels.astype(np.int64), orders.astype(np.int64)))


def _is_plain(cone: Cone) -> bool:
    """Whether a cone is small and far enough from the poles for healpix_geo's own cover, which is 30 times as fast.

    That one judges pixel sizes by the cone's own latitude and longitude. Elsewhere it can miss pixels at the rim: by
    6 % of the radius within a few radii of a pole, and half the sky for cones beyond 135 degrees (version 0.4.1).
    """
    return cone.radius_deg <= PLAIN_RADIUS_DEG and abs(cone.dec_deg) + POLAR_RADII * cone.radius_deg <= 90.0


def _cover_order(region: Region, most: int) -> int:
    """The order whose pixels along the rim take about as many ranges as allowed."""
    side = max(region.rim_deg / most, region.bounding_cone.radius_deg / 16.0, MARGIN_DEG)
    return min(max(round(math.log2(BASE_SIDE_DEG / side)), 0), MAX_ORDER)


def _spans29(pixels: Pixels, orders: int | Pixels) -> Ranges:
    """What pixels of some order, or of an order each, span at order 29."""
    shifts = 2 * (MAX_ORDER - orders)
    return np.stack([pixels << shifts, (pixels + 1) << shifts], axis=1)
