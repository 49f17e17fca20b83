"""Pairs and nearest neighbours: those that astropy finds, wherever on the sky and whatever the radius."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.skies import (
    TIE_DEG,
    mixed_radii,
    nasty_places,
    near_to,
    pairs_by_astropy,
    pairs_of_circles,
    table_of,
)

from skydex.sky import Pairs, Places, find_nearest, find_pairs, index29, separation_deg
from skydex.sky import pairing as module

RADII = (0.0, 1e-7, 1e-6, 1 / 3600, 0.01, 0.3, 5.0, 40.0, 120.0)


def places(ra, dec) -> Places:
    return Places(np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))


def sorted_places(ra, dec) -> tuple[Places, np.ndarray]:
    """The same in the order of their pixels, as a catalogue is stored, and the rows that they come from."""
    index = index29(ra, dec)
    rows = np.argsort(index, kind="stable")
    return Places(ra[rows], dec[rows], index[rows]), rows


def row_pairs(pairs: Pairs) -> set[tuple[int, int]]:
    found = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert found == sorted(set(found))
    return set(found)


@pytest.fixture(scope="module", params=RADII, ids=str)
def nasty(request):
    """Nasty places and as many beside them, with the pairs that astropy finds."""
    rng = np.random.default_rng(20260401)
    radius = request.param
    n = 1000 if radius < 1.0 else 240
    ra, dec = nasty_places(n, rng)
    scale = np.minimum(np.maximum(radius, 1e-10) * rng.choice([0.5, 0.999, 1.001, 2.0], n), 180.0)
    other = near_to(ra, dec, scale, rng)
    if radius < 90.0:
        return radius, (ra, dec), other, *pairs_by_astropy(table_of(ra, dec), table_of(*other), radius)
    both = table_of(ra, dec), table_of(*other)
    return radius, (ra, dec), other, *pairs_of_circles(*both, np.broadcast_to(radius, (n, n)))


def test_the_pairs_are_those_of_astropy(nasty):
    radius, left, right, truth, ties = nasty
    assert row_pairs(find_pairs(places(*left), places(*right), radius)) ^ truth <= ties


def test_pairs_of_sorted_catalogs_are_the_same(nasty):
    radius, left, right, truth, ties = nasty
    (one, of_one), (two, of_two) = sorted_places(*left), sorted_places(*right)
    pairs = find_pairs(one, two, radius)
    assert row_pairs(pairs)
    found = {*zip(of_one[pairs.left].tolist(), of_two[pairs.right].tolist(), strict=True)}
    assert found ^ truth <= ties


def test_separations_are_those_of_astropy(nasty):
    radius, left, right, *_ = nasty
    pairs = find_pairs(places(*left), places(*right), radius)
    one, two = SkyCoord(*left, unit="deg"), SkyCoord(*right, unit="deg")
    expected = one[pairs.left].separation(two[pairs.right]).deg
    np.testing.assert_allclose(pairs.separation_deg, expected, rtol=1e-14, atol=TIE_DEG)


def test_the_nearest_ones_are_those_of_astropy(nasty):
    radius, left, right, *_ = nasty
    nearest = find_nearest(places(*left), places(*right), radius)
    _, separation, _ = SkyCoord(*left, unit="deg").match_to_catalog_sky(SkyCoord(*right, unit="deg"))
    assert (np.diff(nearest.left) > 0).all()
    np.testing.assert_allclose(nearest.separation_deg, separation.deg[nearest.left], rtol=1e-14, atol=TIE_DEG)
    without = np.setdiff1d(np.arange(len(left[0])), nearest.left)
    assert (separation.deg[without] > radius - TIE_DEG).all()


@pytest.mark.parametrize("find", [find_pairs, find_nearest])
def test_pairs_do_not_depend_on_how_much_is_done_at_a_time(find, monkeypatch):
    rng = np.random.default_rng(20260404)
    ra, dec = nasty_places(400, rng)
    left, right, radius = places(ra, dec), places(*near_to(ra, dec, np.full(400, 0.3), rng)), 1.0
    whole = find(left, right, radius)
    for limit, most in (("_BLOCK_ROWS", 17), ("_MOST_CANDIDATES", 31), ("_CROWD", 1e9)):
        monkeypatch.setattr(module, limit, most)
        again = find(left, right, radius)
        for name in ("left", "right", "separation_deg"):
            np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


def test_each_position_may_have_a_radius_of_its_own():
    rng = np.random.default_rng(20260402)
    n = 600
    ra, dec = nasty_places(n, rng)
    radius = mixed_radii(n, rng)
    usual = np.clip(np.nan_to_num(np.abs(radius)), 1e-7, 90.0)
    other = near_to(ra, dec, usual * rng.choice([0.5, 0.999, 1.001, 2.0], n), rng)
    truth, ties = pairs_of_circles(table_of(ra, dec), table_of(*other), np.broadcast_to(radius[:, None], (n, n)))
    assert row_pairs(find_pairs(places(ra, dec), places(*other), radius)) ^ truth <= ties
    nearest = find_nearest(places(ra, dec), places(*other), radius)
    assert set(nearest.left.tolist()) ^ {i for i, _ in truth} <= {i for i, _ in ties}


def test_rows_without_position_or_radius_are_near_nothing():
    left = places([10.0, np.nan, 10.0, 10.0, 10.0, np.inf], [5.0, 5.0, np.nan, 90.5, 5.0, 5.0])
    right = places([10.0, np.nan, 10.0, 10.0], [5.0, 5.0, 90.5, np.nan])
    for radius in (0.0, 1.0, 180.0, 500.0):
        assert row_pairs(find_pairs(left, right, radius)) == {(0, 0), (4, 0)}
    own = [np.nan, 1.0, 1.0, 1.0, -1e-300, 1.0]
    assert not row_pairs(find_pairs(left, right, own))
    assert not len(find_nearest(left, right, own).left)


def test_one_place_is_one_however_it_is_written():
    left = places([0.0, 0.0, 33.0], [90.0, 20.0, -90.0])
    right = places([123.0, 360.0, 0.0, -360.0, 20.0], [90.0, 20.0, 20.0, 20.0, 0.0])
    assert row_pairs(find_pairs(left, right, 0.0)) == {(0, 0), (1, 1), (1, 2), (1, 3)}


def test_of_equally_near_ones_the_first_is_nearest():
    left = places([50.0, 50.0], [0.0, 80.0])
    right = places([50.5, 49.5, 50.0, 50.0], [0.0, 0.0, 80.0, 80.0])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        nearest = find_nearest(left, places(right.ra_deg[order], right.dec_deg[order]), 1.0)
        assert nearest.right.tolist() == [min(order.index(0), order.index(1)), min(order.index(2), order.index(3))]


def test_nothing_is_near_to_nothing():
    none, some = places([], []), places([1.0, 2.0], [3.0, 4.0])
    for left, right in ((none, some), (some, none), (none, none)):
        for find in (find_pairs, find_nearest):
            pairs = find(left, right, 10.0)
            assert (pairs.left.dtype, pairs.right.dtype, len(pairs.separation_deg)) == (np.int64, np.int64, 0)


def test_a_crowd_in_one_place_is_found_whole():
    rng = np.random.default_rng(20260403)
    crowd = places(np.full(400, 7.0) + rng.uniform(0, 1e-9, 400), np.full(400, -7.0))
    pairs = find_pairs(crowd, crowd, 1 / 3600)
    assert len(pairs.left) == 400**2
    assert row_pairs(pairs)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 360), st.floats(-90, 90)), min_size=1, max_size=12),
    st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=12),
    st.floats(-8, 2),
    st.sampled_from([0.0, 45.0, 90.0, 180.0, 360.0]),
    st.sampled_from([-90.0, -41.8103148957786, 0.0, 41.8103148957786, 90.0]),
)
def test_no_pair_is_missed_near_any_corner(anywhere, shifts, exponent, ra0, dec0):
    radius = 10.0**exponent
    shifted = [(ra0 + x * 2 * radius, float(np.clip(dec0 + y * 2 * radius, -90, 90))) for x, y in shifts]
    left, right = (np.array(points).T for points in (anywhere + shifted, [*shifted[::-1], (ra0, dec0)]))
    separation = separation_deg(left[0][:, None], left[1][:, None], right[0], right[1])
    found = row_pairs(find_pairs(places(*left), places(*right), radius))
    tie = np.abs(separation - radius) <= 1e-12 * max(radius, 1.0)
    assert found ^ {*map(tuple, np.argwhere(separation <= radius).tolist())} <= {*map(tuple, np.argwhere(tie).tolist())}
