import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mocpy import MOC

from skydex.errors import BadRegionError
from skydex.sky import Crossings, HalfSpaces, Polygon, unit_vectors

N_POLYGONS = 10_000
N_BLOCKS = 10
N_POINTS = 50


def random_star(rng, frame, size_deg):
    """A polygon of 3 to 12 vertices around a centre, mostly concave; no gap between neighbours nears half a turn."""
    n = int(rng.integers(3, 13))
    azimuths = (np.arange(n) + rng.uniform(0.0, 0.4, n)) * 360.0 / n
    return frame.place(size_deg * rng.uniform(0.2, 1.0, n), azimuths)


def random_centre(rng):
    """Everywhere, and at the poles and RA 0."""
    ra, dec = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
    place = rng.integers(4)
    if place == 0:
        dec = rng.choice([-1, 1]) * (90.0 - 10.0 ** rng.uniform(-6, 1))
    if place == 1:
        ra = (rng.choice([-1, 1]) * 10.0 ** rng.uniform(-6, 1)) % 360.0
    return float(ra), float(dec)


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_ten_thousand_random_polygons_hold_what_the_oracle_says(block, frame_at, star_oracle, edge_distance):
    rng, n_convex = np.random.default_rng(block), 0
    for _ in range(N_POLYGONS // N_BLOCKS):
        frame, size = frame_at(*random_centre(rng)), 10.0 ** rng.uniform(-4, np.log10(80))
        vertices = random_star(rng, frame, size)
        ra, dec = frame.place(1.2 * size * np.sqrt(rng.random(N_POINTS)), rng.uniform(0, 360, N_POINTS))
        polygon = Polygon(*map(tuple, vertices))
        clear = edge_distance(ra, dec, vertices) > 1e-14
        expected = star_oracle(ra, dec, vertices, frame)
        np.testing.assert_array_equal(polygon.contains(ra, dec)[clear], expected[clear], err_msg=repr(polygon))
        n_convex += polygon.is_convex
    assert 0.1 < n_convex * N_BLOCKS / N_POLYGONS < 0.9, "both tests are exercised"


@pytest.mark.parametrize("block", range(4))
def test_polygons_larger_than_a_hemisphere_hold_what_the_oracle_says(block, frame_at, star_oracle, edge_distance, sky):
    rng = np.random.default_rng(block)
    for _ in range(250):
        frame = frame_at(*random_centre(rng))
        vertices = random_star(rng, frame, 170.0)
        polygon = Polygon(*map(tuple, vertices))
        x, y, z = unit_vectors(*vertices).mean(axis=1)
        antipode = np.degrees([np.arctan2(-y, -x)]), np.degrees([np.arctan2(-z, np.hypot(x, y))])
        expected = star_oracle(*sky, vertices, frame) != star_oracle(*antipode, vertices, frame)
        clear = edge_distance(*sky, vertices) > 1e-14
        np.testing.assert_array_equal(polygon.contains(*sky)[clear], expected[clear], err_msg=repr(polygon))


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_ten_thousand_random_boxes_hold_what_the_oracle_says(block, frame_at, star_oracle, edge_distance):
    rng = np.random.default_rng(100 + block)
    for _ in range(N_POLYGONS // N_BLOCKS):
        ra0, dec0 = rng.uniform(0, 360), rng.uniform(-89, 89)
        width, height = 10.0 ** rng.uniform(-4, 2.2), 2.0 * min(10.0 ** rng.uniform(-4, 1.8), 90.0 - abs(dec0))
        box = Polygon.from_box(ra0, dec0, width, height)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2 * (width, height) + (ra0, dec0)
        x, y, z = unit_vectors(*corners.T).mean(axis=1)
        frame = frame_at(np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y))))
        ra = (ra0 + width * rng.uniform(-0.6, 0.6, N_POINTS)) % 360.0
        dec = np.clip(dec0 + height * rng.uniform(-0.6, 0.6, N_POINTS), -90, 90)
        clockwise = tuple(corners[::-1].T)
        clear = edge_distance(ra, dec, clockwise) > 1e-14
        expected = star_oracle(ra, dec, clockwise, frame)
        np.testing.assert_array_equal(box.contains(ra, dec)[clear], expected[clear], err_msg=repr(box))


@pytest.mark.parametrize(
    "polygon",
    [
        Polygon.from_box(10.0, 20.0, 4.0, 3.0),
        Polygon.from_box(359.9, -70.0, 20.0, 5.0),
        Polygon.from_box(40.0, 80.0, 60.0, 20.0),
        Polygon((0.0, 10.0, 5.0, 3.0), (0.0, 0.0, 10.0, 2.0)),
        Polygon((0.0, 90.0, 180.0, 270.0), (80.0, 82.0, 84.0, 86.0)),
        Polygon((350.0, 20.0, 20.0, 5.0, 350.0), (-30.0, -30.0, 25.0, -10.0, 30.0)),
    ],
)
def test_away_from_the_border_mocpy_agrees(polygon):
    order = 10
    moc = MOC.from_polygon(polygon.ra_deg * u.deg, polygon.dec_deg * u.deg, max_depth=order)
    rng, cone = np.random.default_rng(1), polygon.bounding_cone
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, 400_000)))
    ra = rng.uniform(0, 360, 400_000)
    near = np.abs(dec - cone.dec_deg) < cone.radius_deg
    ra, dec = ra[near], dec[near]
    clear = ~polygon.border.near(unit_vectors(ra, dec), 2.0 / 2**order)
    expected = moc.contains_lonlat(ra * u.deg, dec * u.deg)
    assert expected[clear].sum() > 20
    np.testing.assert_array_equal(polygon.contains(ra, dec)[clear], expected[clear])


def test_edges_are_great_circles_not_parallels():
    box = Polygon.from_box(0.0, 45.0, 60.0, 10.0)
    top = np.degrees(np.arctan(np.tan(np.radians(50.0)) / np.cos(np.radians(30.0))))  # where the upper edge culminates
    assert box.contains([0.0, 0.0], [top - 1e-9, top + 1e-9]).tolist() == [True, False]
    assert not box.contains(0.0, 40.5)


def test_either_way_round_is_the_same_polygon(sky):
    ra, dec = (0.0, 40.0, 30.0, 10.0), (0.0, 0.0, 50.0, 10.0)
    there, back = Polygon(ra, dec), Polygon(ra[::-1], dec[::-1])
    np.testing.assert_array_equal(there.contains(*sky), back.contains(*sky))


def test_repeated_and_closing_vertices_count_once():
    plain = Polygon((0.0, 10.0, 5.0), (0.0, 0.0, 10.0))
    wordy = Polygon((0.0, 0.0, 10.0, 5.0, 5.0, 360.0), (0.0, 0.0, 0.0, 10.0, 10.0, 0.0))
    assert set(plain.test.normals) == set(wordy.test.normals)


def test_a_polygon_around_the_pole_holds_the_pole_under_any_right_ascension():
    polygon = Polygon((0.0, 90.0, 180.0, 270.0), (80.0, 80.0, 80.0, 80.0))
    assert polygon.contains([0.0, 77.0, 359.9], 90.0).all()
    assert not polygon.contains([0.0, 77.0, 359.9], -90.0).any()


def test_border_points_of_a_convex_polygon_are_inside():
    box = Polygon((0.0, 10.0, 10.0, 0.0), (0.0, 0.0, 10.0, 10.0))
    assert box.contains([0, 10, 10, 0, 5, 10, 0], [0, 0, 10, 10, 0, 3, 7]).all()


@settings(max_examples=300)
@given(st.floats(0, 360), st.floats(-89, 89), st.floats(1e-4, 40), st.integers(0, 3))
def test_corners_of_any_box_are_inside(ra, dec, size, corner):
    box = Polygon.from_box(ra, dec, size, min(size, 2 * (90 - abs(dec))))
    assert box.contains(box.ra_deg[corner], box.dec_deg[corner])


def test_polygons_that_tile_a_region_share_no_point_of_it(frame_at):
    """Two halves of a star, both concave, cut along a chain: each point is in one of them."""
    outline = (0.0, 4.0, 2.5, 10.0, 2.0), (0.0, 1.0, 3.0, 8.0, 6.0)
    cut = (3.0, 1.0, 4.0), (5.0, 4.0, 2.0)
    left = Polygon((4.0, *cut[0][::-1], 2.0, 0.0), (1.0, *cut[1][::-1], 6.0, 0.0))
    whole = Polygon(*outline)
    ra, dec = np.random.default_rng(0).uniform((0, 0), (10, 8), (20_000, 2)).T
    right = Polygon((2.5, 10.0, 2.0, *cut[0], 4.0), (3.0, 8.0, 6.0, *cut[1], 1.0))
    either = left.contains(ra, dec) ^ right.contains(ra, dec)
    np.testing.assert_array_equal(either, whole.contains(ra, dec))


def test_what_is_no_position_is_in_no_polygon():
    for polygon in (Polygon.from_box(0, 0, 9, 9), Polygon((0.0, 10.0, 5.0, 3.0), (0.0, 0.0, 10.0, 2.0))):
        assert not polygon.contains([np.nan, 1.0, np.inf, 1.0], [1.0, np.nan, 1.0, 91.0]).any()


def test_the_centre_of_a_polygon_is_not_lost_to_degeneracy(frame_at):
    rng = np.random.default_rng(3)
    for _ in range(500):
        frame = frame_at(*random_centre(rng))
        azimuths = np.arange(16) * 22.5
        vertices = frame.place(np.where(np.arange(16) % 2, 10.0, 20.0), azimuths)
        polygon = Polygon(*map(tuple, vertices))
        assert isinstance(polygon.test, Crossings)
        assert polygon.contains(*frame.place(np.zeros(1), np.zeros(1))).all()


def test_the_constants_of_a_polygon_are_the_test_itself(sky):
    p = unit_vectors(*sky)
    convex, concave = Polygon.from_box(30.0, 10.0, 50.0, 40.0), Polygon((0.0, 60.0, 30.0, 10.0), (0.0, 0.0, 50.0, 10.0))
    half_spaces, crossings = convex.test, concave.test
    assert isinstance(half_spaces, HalfSpaces)
    assert isinstance(crossings, Crossings)
    repeated = np.all([np.dot(normal, p) >= half_spaces.least for normal in half_spaces.normals], axis=0)
    np.testing.assert_array_equal(repeated, convex.contains(*sky))
    crossed = [
        (np.dot(edge.side, p) > 0)
        & ((np.dot(edge.start, p) >= 0) == edge.rising)
        & ((np.dot(edge.end, p) >= 0) != edge.rising)
        for edge in crossings.edges
    ]
    repeated = (np.sum(crossed, axis=0) % 2 == 1) & (np.dot(crossings.axis, p) >= crossings.least)
    np.testing.assert_array_equal(repeated, concave.contains(*sky))


@pytest.mark.parametrize(
    ("ra", "dec", "problem"),
    [
        ((0, 1), (0, 1), "three distinct"),
        ((0, 1, 0), (0, 1, 0), "three distinct"),
        ((0, 1, 361, 360), (0, 1, 1, 0), "three distinct"),
        ((0, 1, 2), (0, 1), "pairs"),
        ((0, 1, 2), (0, 95, 0), "swapped"),
        ((0, np.nan, 2), (0, 5, 0), "finite"),
        ((0, 10, 20), (0, 0, 0), "great circle"),
        ((0, 180, 90), (0, 0, 45), "opposite"),
        ((0, 0, 120, 120, 240, 240), (1, -1, 1, -1, 1, -1), "neither side"),
    ],
)
def test_impossible_polygons_are_refused_with_a_reason(ra, dec, problem):
    with pytest.raises(BadRegionError, match=problem):
        Polygon(ra, dec)


@pytest.mark.parametrize("box", [(0, 85, 1, 20), (0, 0, 180, 1), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 1, -1)])
def test_impossible_boxes_are_refused(box):
    with pytest.raises(BadRegionError, match="box"):
        Polygon.from_box(*box)
