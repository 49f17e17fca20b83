"""Cells of circles: none that a circle touches is left out, wherever on the sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from skydex.sky import (
    circle_levels,
    circle_order,
    circle_ranges29,
    circles_touching,
    grown_ranges,
    index29,
    pixels_of,
    ranges_overlap,
)
from skydex.sky.matching import FINEST_CELLS


def places(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random ones, and ones near poles, RA 0, equator, transition and the corners of base cells."""
    part = n // 6
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    scale = 10.0 ** rng.uniform(-10, 0, (6, part)) * rng.choice([-1, 1], (6, part))
    dec[:part] = rng.choice([-1, 1], part) * (90.0 - np.abs(scale[0]))
    ra[part : 2 * part] = scale[1] % 360.0
    transition = np.degrees(np.arcsin(2 / 3))
    dec[2 * part : 3 * part] = rng.choice([-transition, transition], part) + scale[2]
    dec[3 * part : 4 * part] = scale[3]
    ra[2 * part : 4 * part] = (rng.integers(0, 8, 2 * part) * 45.0 + scale[4:6].ravel()) % 360.0
    return ra, dec


def rims(ra, dec, radius, rng) -> tuple[np.ndarray, np.ndarray]:
    """A place on each circle, by rotating unit vectors, which is exact near the poles too."""
    east = np.stack([-np.sin(np.radians(ra)), np.cos(np.radians(ra)), np.zeros(len(ra))])
    centre = SkyCoord(ra * u.deg, dec * u.deg).cartesian.xyz.value
    north = np.cross(centre, east, axis=0)
    angle, reach = rng.integers(0, 16, len(ra)) * (np.pi / 8), np.radians(radius)
    rim = centre * np.cos(reach) + np.sin(reach) * (east * np.cos(angle) + north * np.sin(angle))
    return np.degrees(np.arctan2(rim[1], rim[0])), np.degrees(np.arctan2(rim[2], np.hypot(rim[0], rim[1])))


@pytest.mark.parametrize("seed", range(5))
def test_the_cells_of_a_circle_hold_all_of_its_rim_and_centre(seed):
    rng = np.random.default_rng(seed)
    n = 6000
    ra, dec = places(n, rng)
    radius = 10.0 ** rng.uniform(-10, np.log10(9.5), n)
    finest = np.array([circle_order(r, roominess=1.0) for r in radius])
    order = np.maximum(finest - rng.integers(0, 3, n), 0)
    pixels, counts = circles_touching(index29(ra, dec), radius, order)
    owner = np.repeat(np.arange(n), counts)
    have = set(zip(owner.tolist(), pixels.tolist(), strict=True))
    assert len(have) == len(pixels)
    assert counts.max() <= 12
    for share in (0.0, 0.7, 1.0, 1.0, 1.0):
        touched = pixels_of(*rims(ra, dec, radius * share, rng), order)
        assert have.issuperset(zip(range(n), touched.tolist(), strict=True))


def test_circles_without_centre_or_radius_touch_nothing():
    index = index29([10.0, np.nan, 20.0, 30.0], [5.0, 5.0, 5.0, 5.0])
    pixels, counts = circles_touching(index, [0.1, 0.1, -1.0, np.nan], 3)
    assert counts.tolist() == [1, 0, 0, 0]
    assert pixels.tolist() == (index[:1] >> 52).tolist()


def test_small_circles_mostly_touch_one_cell():
    rng = np.random.default_rng(1)
    ra, dec = rng.random(50_000) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, 50_000)))
    order = circle_order(1 / 3600, roominess=8.0)
    _, counts = circles_touching(index29(ra, dec), 1 / 3600, order)
    assert counts.mean() < 1.3


def test_cells_are_as_wide_as_asked_for():
    for radius in (0.0, 1e-8, 1 / 3600, 0.1, 9.0):
        order = circle_order(radius, roominess=1.0)
        side = 58.6 / 2**order
        assert side > 2 * radius
        assert side < 10 * radius or order == FINEST_CELLS
    assert circle_order(20.0) < 0 <= circle_order(19.0, roominess=1.0)


def test_ranges_hold_every_cell():
    rng = np.random.default_rng(2)
    ra, dec = places(3000, rng)
    radius = 10.0 ** rng.uniform(-6, 0, 3000)
    ranges = circle_ranges29(index29(ra, dec), radius, 4)
    touched = index29(*rims(ra, dec, radius, rng))
    assert ranges_overlap(ranges, touched, touched).all()


@pytest.mark.parametrize("radius", [1e-8, 1e-3, 0.5, 30.0, 180.0])
def test_grown_ranges_hold_everything_around_places_in_them(radius):
    rng = np.random.default_rng(3)
    ra, dec = places(3000, rng)
    ranges = circle_ranges29(index29(ra, dec), 1e-5, 12)
    grown = grown_ranges(ranges, radius)
    touched = index29(*rims(ra, dec, np.full(3000, radius), rng))
    assert ranges_overlap(grown, touched, touched).all()
    assert (grown[1:, 0] > grown[:-1, 1]).all()


def test_nothing_grown_is_nothing():
    assert len(grown_ranges(np.empty((0, 2), np.int64), 1.0)) == 0


def test_levels_of_circles_are_the_orders_that_suit_them():
    radius = np.array([0.0, 1e-9, 1 / 3600, 0.1, 9.0, 40.0, 180.0, np.inf, -1.0, np.nan])
    orders = [max(circle_order(r), 0) for r in radius[:7]]
    assert circle_levels(radius).tolist() == [*orders, 0, -1, -1]
