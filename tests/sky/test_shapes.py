"""Shapes by the row, against oracles: paths on a gnomonic projection, Girard's theorem, sampled borders."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from matplotlib.path import Path

from skydex.sky import Polygon, separation_deg, unit_vectors
from skydex.sky.shapes import Shapes, area_deg2, centroids_deg, corners_of_boxes, shapes_contain, shapes_intersect

N = 1_500


def shapes(lists) -> Shapes:
    offsets = np.cumsum([0, *(len(one) for one in lists)])
    return Shapes.from_numbers(np.array([number for one in lists for number in one], dtype=float), offsets)


def list_of(ra, dec) -> list[float]:
    return np.stack([ra, dec], axis=1).ravel().tolist()


def random_star(rng, frame, size_deg):
    """A polygon of 3 to 9 vertices around a centre, mostly concave."""
    n = int(rng.integers(3, 10))
    azimuths = (np.arange(n) + rng.uniform(0.0, 0.4, n)) * 360.0 / n
    return frame.place(size_deg * rng.uniform(0.3, 1.0, n), azimuths)


def random_frame(rng, frame_at):
    return frame_at(rng.uniform(0, 360), rng.choice([90.0, -90.0, 0.0, np.degrees(np.arcsin(rng.uniform(-1, 1)))]))


def flat_path(ra, dec, frame, size_deg) -> Path:
    """A polygon in the plane on which great circles are straight lines, in units of a size."""
    points = unit_vectors(ra, dec)
    depth = frame.centre @ points * np.radians(size_deg)
    corners = np.stack([frame.east @ points / depth, frame.north @ points / depth], axis=1)
    return Path(np.concatenate([corners, corners[:1]]), closed=True)


def sides_cross(left: Path, right: Path) -> bool:
    """Whether any two sides of flat polygons cross, by the sides on which their ends lie."""
    a, b = left.vertices[:-1, None], left.vertices[1:, None]
    c, d = right.vertices[None, :-1], right.vertices[None, 1:]

    def turn(p, q, r):
        return np.sign(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    return bool(((turn(a, b, c) != turn(a, b, d)) & (turn(c, d, a) != turn(c, d, b))).any())


@pytest.mark.parametrize("block", range(4))
def test_points_lie_in_the_polygons_of_their_row_as_the_oracle_says(block, frame_at, star_oracle, edge_distance):
    rng = np.random.default_rng(block)
    polygons, points, expected, clear = [], [], [], []
    for _ in range(N):
        frame, size = random_frame(rng, frame_at), 10.0 ** rng.uniform(-5, np.log10(80))
        vertices = random_star(rng, frame, size)
        ra, dec = frame.place(np.array([1.2 * size * np.sqrt(rng.random())]), rng.uniform(0, 360, 1))
        polygons.append(list_of(*vertices))
        points.append([float(ra[0]), float(dec[0])])
        expected.append(bool(star_oracle(ra, dec, vertices, frame)[0]))
        clear.append(edge_distance(ra, dec, vertices)[0] > 1e-14)
    inside, known = shapes_contain(shapes(polygons), shapes(points))
    meets, _ = shapes_intersect(shapes(points), shapes(polygons))
    assert known.all()
    np.testing.assert_array_equal(inside[clear], np.array(expected)[clear])
    np.testing.assert_array_equal(meets, inside)
    assert 0.2 < np.mean(expected) < 0.8


@pytest.mark.parametrize("block", range(4))
def test_polygons_meet_and_hold_one_another_as_flat_ones_do(block, frame_at):
    rng = np.random.default_rng(100 + block)
    left, right, meet, within = [], [], [], []
    for _ in range(N):
        frame, size = random_frame(rng, frame_at), 10.0 ** rng.uniform(-4, 1.4)
        other = frame_at(*(float(part[0]) for part in frame.place(size * rng.uniform(0, 2, 1), rng.uniform(0, 360, 1))))
        one, two = random_star(rng, frame, size), random_star(rng, other, size * 10.0 ** rng.uniform(-1, 0))
        first, second = flat_path(*one, frame, size), flat_path(*two, frame, size)
        left.append(list_of(*one))
        right.append(list_of(*two))
        crossed, held = sides_cross(first, second), first.contains_points(second.vertices[:-1])
        meet.append(crossed or held.any() or second.contains_points(first.vertices[:-1]).any())
        within.append(held.all() and not crossed)
    found, _ = shapes_intersect(shapes(left), shapes(right))
    held, _ = shapes_contain(shapes(left), shapes(right))
    np.testing.assert_array_equal(found, meet)
    np.testing.assert_array_equal(held, within)
    assert 0.2 < np.mean(meet) < 0.9
    assert 0.02 < np.mean(within) < 0.8


def test_circles_and_polygons_meet_as_their_sampled_borders_say(frame_at, star_oracle):
    rng = np.random.default_rng(7)
    circles, polygons, truth = [], [], []
    while len(truth) < 600:
        frame, size = random_frame(rng, frame_at), 10.0 ** rng.uniform(-4, 1.5)
        vertices = random_star(rng, frame, size)
        ra, dec = (float(part[0]) for part in frame.place(2.0 * size * rng.random(1), rng.uniform(0, 360, 1)))
        radius = size * rng.uniform(0.05, 1.5)
        border = sampled(*vertices)
        distances = separation_deg(ra, dec, *border)
        inside = bool(star_oracle(np.array([ra]), np.array([dec]), vertices, frame)[0])
        if abs(distances.min() - radius) < 1e-3 * size or abs(distances.max() - radius) < 1e-3 * size:
            continue
        circles.append([ra, dec, radius])
        polygons.append(list_of(*vertices))
        near = bool(distances.min() < radius)
        truth.append((inside or near, inside and not near, bool(distances.max() < radius)))
    meet, circle_in, polygon_in = np.array(truth).T
    np.testing.assert_array_equal(shapes_intersect(shapes(polygons), shapes(circles))[0], meet)
    np.testing.assert_array_equal(shapes_intersect(shapes(circles), shapes(polygons))[0], meet)
    np.testing.assert_array_equal(shapes_contain(shapes(polygons), shapes(circles))[0], circle_in)
    np.testing.assert_array_equal(shapes_contain(shapes(circles), shapes(polygons))[0], polygon_in)
    assert min(meet.mean(), circle_in.mean(), polygon_in.mean()) > 0.02


def sampled(ra, dec, n=400):
    """Places along the edges of a polygon."""
    starts = unit_vectors(ra, dec)
    ends = np.roll(starts, -1, axis=1)
    share = np.linspace(0.0, 1.0, n)
    x, y, z = (np.multiply.outer(1 - share, a) + np.multiply.outer(share, b) for a, b in zip(starts, ends, strict=True))
    return np.degrees(np.arctan2(y, x)).ravel(), np.degrees(np.arctan2(z, np.hypot(x, y))).ravel()


def test_circles_meet_and_hold_one_another_by_their_separation():
    rng = np.random.default_rng(3)
    one, two = (np.stack([rng.uniform(0, 360, N), np.degrees(np.arcsin(rng.uniform(-1, 1, N))),
                          180.0 * rng.random(N) ** 2], axis=1) for _ in range(2))  # fmt: skip
    apart = SkyCoord(*one[:, :2].T, unit="deg").separation(SkyCoord(*two[:, :2].T, unit="deg")).deg
    np.testing.assert_array_equal(shapes_intersect(shapes(one), shapes(two))[0], apart <= one[:, 2] + two[:, 2])
    np.testing.assert_array_equal(shapes_contain(shapes(one), shapes(two))[0], apart + two[:, 2] <= one[:, 2])


def test_borders_belong_to_their_shapes():
    square = [[350.0, 10.0, 10.0, 10.0, 10.0, 30.0, 350.0, 30.0]]
    corners = [[350.0, 10.0], [10.0, 10.0], [10.0, 30.0], [370.0, 10.0], [0.0, 20.0]]
    assert shapes_contain(shapes(square * 5), shapes(corners))[0].all()
    assert shapes_contain(shapes([[5.0, 90.0, 0.0]]), shapes([[77.0, 90.0]]))[0].all()
    assert shapes_contain(shapes(square), shapes(square))[0].all()
    neighbour = [[10.0, 10.0, 20.0, 10.0, 20.0, 30.0, 10.0, 30.0]]
    assert shapes_intersect(shapes(square), shapes(neighbour))[0].all()
    assert not shapes_contain(shapes(square), shapes(neighbour))[0].any()


def test_a_polygon_that_holds_a_pole_and_one_larger_than_a_hemisphere():
    cap = list_of(np.arange(0.0, 360.0, 30.0), np.full(12, 80.0))
    assert shapes_contain(shapes([cap] * 2), shapes([[123.0, 90.0], [10.0, 70.0]]))[0].tolist() == [True, False]
    ra, dec = np.arange(0.0, 360.0, 30.0), np.where(np.arange(12) % 3, -20.0, -60.0)
    probes = [[15.0, 89.0], [15.0, -89.0], [33.0, -15.0], [33.0, -50.0]]
    wide = Polygon(tuple(ra), tuple(dec))
    expected = [bool(wide.contains(*probe)) for probe in probes]
    assert shapes_contain(shapes([list_of(ra, dec)] * 4), shapes(probes))[0].tolist() == expected
    assert not all(expected)
    assert any(expected)


def test_areas_follow_girards_theorem(frame_at):
    rng = np.random.default_rng(11)
    polygons, expected = [], []
    for _ in range(200):
        frame = random_frame(rng, frame_at)
        ra, dec = random_star(rng, frame, 10.0 ** rng.uniform(0, np.log10(80)))
        polygons.append(list_of(ra, dec))
        here = SkyCoord(ra, dec, unit="deg")
        before, after = here[np.arange(len(ra)) - 1], here[(np.arange(len(ra)) + 1) % len(ra)]
        angles = (here.position_angle(before) - here.position_angle(after)).to_value(u.rad) % (2 * np.pi)
        excess = angles.sum() - (len(ra) - 2) * np.pi
        expected.append(np.degrees(np.degrees(min(excess % (4 * np.pi), -excess % (4 * np.pi)))))
    np.testing.assert_allclose(area_deg2(shapes(polygons)), expected, rtol=1e-8)


def test_the_areas_of_an_octant_of_caps_and_of_a_point_are_known():
    whole_sky = 4.0 * np.pi * np.degrees(1.0) ** 2
    found = area_deg2(shapes([[0, 0, 90, 0, 0, 90], [10, 20, 180], [10, 20, 60], [10, 20]]))
    np.testing.assert_allclose(found, [whole_sky / 8.0, whole_sky, whole_sky / 4.0, 0.0], rtol=1e-14)
    assert area_deg2(shapes([[10.0, 0.0, 10.0 + 1e-7, 0.0, 10.0, 1e-7]]))[0] == pytest.approx(0.5e-14, rel=1e-6)


def test_centroids_are_where_the_mean_of_the_inside_points(frame_at):
    rng = np.random.default_rng(5)
    for size in (1e-9, 1e-3, 0.1, 5.0, 60.0):
        frame = frame_at(300.0, 50.0)
        vertices = random_star(rng, frame, size)
        uniform = np.degrees(np.arccos(1 - rng.random(400_000) * (1 - np.cos(np.radians(size)))))
        if size < 1e-3:
            uniform = size * np.sqrt(rng.random(400_000))
        ra, dec = frame.place(uniform, rng.uniform(0, 360, 400_000))
        inside, _ = shapes_contain(shapes([list_of(*vertices)] * len(ra)), shapes(np.stack([ra, dec], axis=1)))
        centre, points = frame.centre[:, None], unit_vectors(ra[inside], dec[inside])
        mean = frame.centre + (points - centre).mean(axis=1)
        expected = (
            np.degrees(np.arctan2(mean[1], mean[0])) % 360.0,
            np.degrees(np.arcsin(mean[2] / np.linalg.norm(mean))),
        )
        found = centroids_deg(shapes([list_of(*vertices)]))
        assert separation_deg(*expected, *found)[0] < 0.01 * size


def test_centroids_of_symmetric_shapes_are_their_middles():
    ra, dec = centroids_deg(
        shapes([[0, 0, 90, 0, 0, 90], [12, 34], [359, -5, 2], [350, -10, 10, -10, 10, 10, 350, 10]])
    )
    np.testing.assert_allclose(ra % 360.0, [45.0, 12.0, 359.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(dec, [np.degrees(np.arctan(np.sqrt(0.5))), 34.0, -5.0, 0.0], atol=1e-12)


def test_rows_that_hold_no_shape_are_not_known():
    strange = [[], [1.0], [1.0, 91.0], [1.0, 2.0, -1.0], [1.0, 2.0, 3.0, 4.0], [np.nan, 2.0], [1, 2, 3, 4, 5, 6, 7],
               [0, 0, 1, 0, np.inf, 1], [0, 0, 1, 0, 1, 99.0], [1.0, 2.0, 200.0]]  # fmt: skip
    found = shapes([*strange, [1.0, 2.0]])
    assert found.is_known.tolist() == [False] * len(strange) + [True]
    assert np.isnan(area_deg2(found)[:-1]).all()
    assert np.isnan(centroids_deg(found)[0][:-1]).all()
    assert shapes_contain(found, found)[1].tolist() == found.is_known.tolist()


def test_boxes_have_the_corners_of_a_constant_box():
    rng = np.random.default_rng(2)
    boxes = np.stack([rng.uniform(0, 360, 50), rng.uniform(-60, 60, 50), rng.uniform(0.1, 170, 50),
                      rng.uniform(0.1, 50, 50)])  # fmt: skip
    for corners, box in zip(corners_of_boxes(*boxes), boxes.T, strict=True):
        polygon = Polygon.from_box(*box)
        assert corners.tolist() == list_of(polygon.ra_deg, polygon.dec_deg)
    assert np.isnan(corners_of_boxes(*np.array([[1.0, 0.0, 190.0, 1.0], [1.0, 89.9, 1.0, 1.0]]).T)).all()
