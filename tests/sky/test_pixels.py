import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Latitude, Longitude, SkyCoord
from healpix_geo import nested
from hypothesis import given, settings
from hypothesis import strategies as st
from mocpy import MOC

from skydex.errors import BadRegionError
from skydex.sky import (
    N_PIXELS_29,
    Cone,
    Polygon,
    Range,
    index29,
    merge_ranges,
    pixels_touching,
    ranges29,
    ranges29_inside,
    ranges_overlap,
    unit_vectors,
)
from skydex.sky.pixels import CIRCUMRADIUS, NEIGHBOURHOOD

SKY_DEG2 = 129600.0 / np.pi
N_CONES = 10_000
N_BLOCKS = 10


def area_deg2(ranges):
    return (ranges[:, 1] - ranges[:, 0]).sum() / N_PIXELS_29 * SKY_DEG2


def cap_area_deg2(radius_deg):
    return SKY_DEG2 * np.sin(np.radians(radius_deg) / 2.0) ** 2


def missed(ranges, ra, dec):
    index = index29(ra, dec)
    return ~ranges_overlap(ranges, index, index)


def pixel_corner(rng):
    order = int(rng.integers(0, 25))
    ra, dec = nested.vertices(np.array([rng.integers(0, 12 * 4**order)], dtype=np.uint64), order)
    corner = rng.integers(4)
    return float(ra[0, corner]), float(dec[0, corner])


def awkward_centre(rng, radius):
    """Anywhere, at pixel corners, round the poles within a few radii, at RA 0 and where HEALPix changes its grid."""
    ra, dec = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
    case = rng.integers(6)
    if case == 1:
        return pixel_corner(rng)
    if case == 2:
        dec = rng.choice([-1, 1]) * (90.0 - min(radius * 10.0 ** rng.uniform(-2, 1.5), 90.0))
    if case == 3:
        ra = rng.choice([0.0, 45.0, 90.0, 180.0, 1e-10, 359.9999999999])
    if case == 4:
        dec = float(np.clip(rng.choice([-1, 1]) * (41.8103148957786 + radius * rng.uniform(-2, 2)), -90, 90))
    if case == 5:
        ra, dec = (
            rng.choice([0.0, 45.0, 90.0, 225.0]),
            rng.choice([-90.0, -41.8103148957786, 0.0, 41.8103148957786, 90.0]),
        )
    return float(ra), float(dec)


@pytest.mark.parametrize("order", [0, 5, 13, 29])
def test_index29_agrees_with_mocpy(order, sky):
    ra, dec = sky
    moc = MOC.from_lonlat(ra * u.deg, dec * u.deg, max_norder=order)
    expected = np.unique(moc.flatten().astype(np.int64))
    np.testing.assert_array_equal(np.unique(index29(ra, dec) >> 2 * (29 - order)), expected)


def test_index29_is_minus_one_where_there_is_no_position():
    index = index29([np.nan, 1.0, np.inf, 1.0, 1.0, 1.0], [1.0, np.nan, 1.0, 90.1, -np.inf, 1.0])
    assert index.dtype == np.int64
    assert (index[:5] == -1).all()
    assert index[5] >= 0
    assert index29([], []).shape == (0,)
    assert index29([-10.0, 365.0], [5.0, 5.0]).tolist() == index29([350.0, 5.0], [5.0, 5.0]).tolist()


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_ten_thousand_covers_of_cones_miss_no_position(block, frame_at):
    rng = np.random.default_rng(block)
    for _ in range(N_CONES // N_BLOCKS):
        radius = 10.0 ** rng.uniform(-9, np.log10(180)) if rng.random() < 0.8 else rng.uniform(0, 180)
        cone, most = Cone(*awkward_centre(rng, radius), radius), int(rng.choice([1, 4, 16, 64, 256]))
        ranges = ranges29(cone, most=most)
        distance = np.append(np.full(150, radius), radius * np.sqrt(rng.random(30)))
        ra, dec = frame_at(cone.ra_deg, cone.dec_deg).place(distance, rng.uniform(0, 360, 180))
        assert not missed(ranges, ra, dec).any(), (cone, most)
        assert len(ranges) <= most


@pytest.mark.parametrize("block", range(4))
def test_covers_of_polygons_miss_no_position(block, frame_at):
    rng = np.random.default_rng(block)
    for _ in range(100):
        size = 10.0 ** rng.uniform(-7, np.log10(150))
        n, frame = int(rng.integers(3, 10)), frame_at(*awkward_centre(rng, size))
        azimuths = (np.arange(n) + rng.uniform(0, 0.4, n)) * 360.0 / n
        polygon = Polygon(*map(tuple, frame.place(size * rng.uniform(0.05, 1.0, n), azimuths)))
        ra, dec = frame.place(size * np.sqrt(rng.random(3000)), rng.uniform(0, 360, 3000))
        inside = polygon.contains(ra, dec)
        ranges = ranges29(polygon)
        assert not missed(ranges, ra[inside], dec[inside]).any(), polygon
        assert not missed(ranges, polygon.ra_deg, polygon.dec_deg).any(), polygon
        assert len(ranges) <= 64


@settings(max_examples=200)
@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 360), st.floats(0, 180), st.integers(0, 2**32 - 1))
def test_covers_of_ranges_miss_no_position(ra, dec, width, height, seed):
    region = Range(ra, ra + width, dec, min(dec + height, 90.0))
    rng = np.random.default_rng(seed)
    inside_ra = ra + width * np.append(rng.random(500), [0.0, 1.0, 0.0, 1.0])
    inside_dec = region.dec_min + (region.dec_max - region.dec_min) * np.append(rng.random(500), [0.0, 0.0, 1.0, 1.0])
    inside = region.contains(inside_ra, inside_dec)
    ranges = ranges29(region)
    assert not missed(ranges, inside_ra[inside], inside_dec[inside]).any()
    assert len(ranges) <= 64


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 180))
def test_a_cover_of_a_cone_holds_its_centre(ra, dec, radius):
    assert not missed(ranges29(Cone(ra, dec, radius)), ra, dec).any()


@pytest.mark.parametrize(
    "whole", [Cone(10.0, 20.0, 180.0), Range(0, 360, -90, 90), Cone(0.0, 90.0, 180.0), Range(-180, 180, -90, 90)]
)
def test_the_whole_sky_is_one_range(whole):
    assert ranges29(whole).tolist() == [[0, 12 * 4**29]]


@pytest.mark.parametrize("radius", [1e-5, 1 / 3600, 2 / 60, 0.5, 1.0, 3.0, 20.0, 60.0, 90.0, 150.0])
def test_covers_of_cones_are_not_much_larger_than_the_cones(radius):
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(40):
        cover = ranges29(Cone(rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1))), radius))
        ratios.append(area_deg2(cover) / cap_area_deg2(radius))
    assert np.median(ratios) < 1.45
    assert max(ratios) < 1.8


def test_radius_zero_takes_a_few_of_the_smallest_pixels():
    rng = np.random.default_rng(6)
    for _ in range(100):
        ranges = ranges29(Cone(*awkward_centre(rng, 0.0), 0.0))
        assert (ranges[:, 1] - ranges[:, 0]).sum() <= 16


@pytest.mark.parametrize(
    ("region", "deg2", "at_most"),
    [
        (Polygon.from_box(10.0, 20.0, 1.0, 1.0), 0.94, 1.3),
        (Polygon.from_box(359.9, -60.0, 2.0, 0.1), 0.1, 2.0),
        (Polygon.from_box(40.0, 20.0, 100.0, 1.0), 100.0, 4.0),
        (Range(350, 10, -1, 1), 40.0, 1.6),
        (Range(0, 360, 80, 90), 313.3, 1.4),
    ],
)
def test_covers_of_other_regions_are_not_much_larger_than_they(region, deg2, at_most):
    assert 1.0 <= area_deg2(ranges29(region)) / deg2 < at_most


@pytest.mark.parametrize(
    "region", [Cone(83.6, 22.0, 3.0), Polygon.from_box(0.0, 88.0, 90.0, 3.0), Range(350, 10, -5, 2)]
)
def test_more_ranges_make_a_tighter_cover(region):
    areas = [area_deg2(ranges29(region, most=most)) for most in (1, 8, 64, 512)]
    assert areas == sorted(areas, reverse=True)
    assert areas[-1] < 0.7 * areas[1]


@pytest.mark.parametrize("order", [0, 1, 3, 6])
def test_pixels_touching_holds_every_pixel_with_a_position_inside(order):
    rng = np.random.default_rng(order)
    ra, dec = rng.uniform(0, 360, 200_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 200_000)))
    pixels = index29(ra, dec) >> 2 * (29 - order)
    regions = (
        Cone(1.0, 89.0, 30.0),
        Cone(200.0, -40.0, 110.0),
        Polygon.from_box(0, 10, 50, 30),
        Range(300, 20, -80, 5),
    )
    for region in regions:
        found = pixels_touching(region, order)
        expected = np.unique(pixels[region.contains(ra, dec)])
        assert np.isin(expected, found).all()
        assert len(found) <= 1.5 * len(expected) + 40
        assert (np.diff(found) > 0).all()


def test_pixels_touching_agrees_with_mocpy_to_within_the_neighbours():
    cone = Cone(10.0, 45.0, 2.0)
    found = pixels_touching(cone, 8)
    centre = Longitude(cone.ra_deg * u.deg), Latitude(cone.dec_deg * u.deg)
    moc = MOC.from_cone(*centre, radius=cone.radius_deg * u.deg, max_depth=8, delta_depth=4)
    expected = moc.flatten().astype(np.int64)
    assert np.isin(expected, found).all()
    assert len(found) < 1.15 * len(expected)


@pytest.mark.parametrize("order", [-1, 30])
def test_impossible_orders_are_refused(order):
    with pytest.raises(BadRegionError, match="order"):
        pixels_touching(Cone(0, 0, 1), order)


def test_covers_are_merged_ranges():
    ranges = ranges29(Cone(10.0, 45.0, 2.0))
    np.testing.assert_array_equal(merge_ranges(ranges[::-1]), ranges)
    assert ranges.dtype == np.int64


def test_no_pixel_reaches_further_than_the_circumradius():
    for order in range(7):
        pixels = np.arange(12 * 4**order)
        centres = unit_vectors(*nested.healpix_to_lonlat(pixels, order))
        rims = unit_vectors(*nested.vertices(pixels, order, step=4))
        chords = np.linalg.norm(rims - centres[:, :, None], axis=0)
        assert (2.0 * np.arcsin(chords.max() / 2.0)) * 2**order < CIRCUMRADIUS


@pytest.mark.parametrize("order", range(1, 8))
def test_a_circle_around_a_place_in_a_pixel_stays_in_its_neighbourhood(order, frame_at):
    pixels = np.random.default_rng(order).choice(12 * 4**order, min(12 * 4**order, 500), replace=False)
    rims = np.stack(nested.vertices(pixels, order, step=4), axis=-1)
    neighbourhoods = nested.kth_neighbourhood(pixels, order, 1)
    azimuths = np.arange(0.0, 360.0, 5.0)
    for rim, neighbourhood in zip(rims, neighbourhoods, strict=True):
        for place in rim[::3]:
            ra, dec = frame_at(*place).place(np.full(72, np.degrees(NEIGHBOURHOOD / 2**order)), azimuths)
            assert np.isin(index29(ra, dec) >> 2 * (29 - order), neighbourhood).all()


@pytest.mark.parametrize(
    "region",
    [
        Cone(10.0, 41.0, 3.0),
        Cone(0.0, 90.0, 40.0),
        Cone(123.0, -89.0, 120.0),
        Cone(45.0, 0.0, 180.0),
        Range(350.0, 20.0, -10.0, 90.0),
        Range(0.0, 360.0, 60.0, 90.0),
        Range(100.0, 130.0, -90.0, 90.0),
        Polygon((10.0, 60.0, 60.0, 35.0, 10.0), (10.0, 10.0, 50.0, 20.0, 50.0)),
        Polygon((0.0, 120.0, 240.0), (70.0, 70.0, 70.0)),
    ],
)
def test_what_a_region_holds_as_a_whole_is_inside_it_and_nearly_all_of_it(region):
    rng = np.random.default_rng(8)
    n = 200_000
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    cone = region.bounding_cone
    near = SkyCoord(cone.ra_deg * u.deg, cone.dec_deg * u.deg).directional_offset_by(
        rng.random(n) * 360.0 * u.deg, cone.radius_deg * np.sqrt(rng.random(n)) * u.deg
    )
    ra, dec = np.concatenate([ra, near.ra.deg]), np.concatenate([dec, near.dec.deg])
    held = ranges29_inside(region)
    index = index29(ra, dec)
    place = np.searchsorted(held[:, 0], index, side="right") - 1
    is_held = (place >= 0) & (index < held[np.maximum(place, 0), 1])
    inside = region.contains(ra, dec)
    assert not (is_held & ~inside).any()
    assert is_held.sum() > 0.85 * inside.sum()
