import numpy as np
import pytest
from astropy.coordinates import SkyCoord, angular_separation
from hypothesis import given
from hypothesis import strategies as st

from skydex.errors import BadRegionError
from skydex.sky import Cone

ANYWHERE = st.tuples(st.floats(0, 360), st.floats(-90, 90))
N_CONES = 10_000
N_BLOCKS = 10


def random_cones(seed, n):
    """Centres and radii: everywhere and at the awkward places, from a microarcsecond to the whole sky."""
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    quarter = n // 4
    dec[:quarter] = rng.choice([-1, 1], quarter) * (90.0 - 10.0 ** rng.uniform(-9, 1.3, quarter))
    ra[quarter : 2 * quarter] = (rng.choice([-1, 1], quarter) * 10.0 ** rng.uniform(-9, 1, quarter)) % 360.0
    radius = np.where(rng.random(n) < 0.5, rng.uniform(0, 180, n), 10.0 ** rng.uniform(-9, np.log10(180), n))
    return ra, dec, radius


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_ten_thousand_random_cones_find_what_astropy_finds(block, sky):
    ra, dec = sky
    centres_ra, centres_dec, radii = random_cones(block, N_CONES // N_BLOCKS)
    centres = SkyCoord(centres_ra, centres_dec, unit="deg")
    separation = centres[:, None].separation(SkyCoord(ra, dec, unit="deg")[None, :]).deg
    assert np.abs(separation - radii[:, None]).min() > 1e-13, "no case here is left to rounding"
    found = [Cone(*cone).contains(ra, dec) for cone in zip(centres_ra, centres_dec, radii, strict=True)]
    np.testing.assert_array_equal(found, separation <= radii[:, None])


@pytest.mark.parametrize(
    "radius", [1e-9, 1e-6, 1e-3, 1.0, 45.0, 89.9999999, 90.0, 90.0000001, 135.0, 179.0, 179.999999]
)
def test_the_rim_is_where_the_radius_says(radius, frame_at):
    for centre in [(0.0, 0.0), (359.9999999, 12.0), (123.4, 89.9999999), (10.0, 90.0), (200.0, -90.0)]:
        frame, azimuth = frame_at(*centre), np.linspace(0.0, 359.0, 360)
        assert Cone(*centre, radius).contains(*frame.place(np.full(360, radius - 5e-13), azimuth)).all()
        assert not Cone(*centre, radius).contains(*frame.place(np.full(360, radius + 5e-13), azimuth)).any()


@given(ANYWHERE, ANYWHERE)
def test_a_cone_reaching_a_source_holds_it_and_a_smaller_one_does_not(centre, source):
    separation = np.degrees(angular_separation(*np.radians([*centre, *source])))
    assert Cone(*centre, min(separation + 1e-12, 180.0)).contains(*source)
    if separation > 1e-11:
        assert not Cone(*centre, separation - 1e-12).contains(*source)


@given(ANYWHERE)
def test_radius_zero_finds_a_source_at_exactly_that_position(place):
    assert Cone(*place, 0.0).contains(*place)


@given(ANYWHERE)
def test_radius_zero_leaves_out_a_source_a_picodegree_away(place):
    ra, dec = place
    assert not Cone(ra, dec, 0.0).contains(ra, dec - np.copysign(1e-12, dec))


def test_one_place_written_in_two_ways_is_one_place():
    assert Cone(0.0, 30.0, 0.0).contains(360.0, 30.0)
    assert Cone(350.0, 30.0, 0.0).contains(-10.0, 30.0)
    assert Cone(10.0, 90.0, 0.0).contains(200.0, 90.0)
    assert Cone(10.0, -90.0, 0.0).contains(33.3, -90.0)


@given(ANYWHERE, ANYWHERE)
def test_radius_180_is_the_whole_sky(centre, source):
    assert Cone(*centre, 180.0).contains(*source)


def test_radius_180_holds_the_antipode_and_a_smaller_one_does_not():
    assert Cone(20.0, 30.0, 180.0).contains(200.0, -30.0)
    assert not Cone(20.0, 30.0, 180.0 - 1e-10).contains(200.0, -30.0)


def test_a_cone_across_the_pole_finds_both_sides():
    assert Cone(10.0, 89.0, 2.5).contains([10.0, 190.0, 100.0], [87.0, 89.0, 88.0]).tolist() == [True, True, True]


def test_what_is_no_position_is_in_no_cone():
    ra, dec = [np.nan, 0.0, np.inf, 0.0, 0.0], [0.0, np.nan, 0.0, 91.0, -np.inf]
    for radius in (0.0, 1.0, 120.0, 180.0):
        assert not Cone(0.0, 0.0, radius).contains(ra, dec).any()


def test_scalars_shapes_and_small_floats_are_taken():
    assert Cone(1.0, 2.0, 3.0).contains(1.0, 2.0).shape == ()
    assert Cone(1.0, 2.0, 3.0).contains(np.ones((4, 1)), np.ones(3)).shape == (4, 3)
    assert Cone(0.1, 0.2, 1e-6).contains(np.float32([0.1]), np.float32([0.2])).tolist() == [True]
    assert Cone(0.1, 0.2, 1.0).contains([], []).shape == (0,)


def test_right_ascension_counts_modulo_360():
    assert Cone(370.0, 0.0, 1.0) == Cone(10.0, 0.0, 1.0)
    assert Cone(-1e-20, 0.0, 1.0).ra_deg == 0.0


@pytest.mark.parametrize(
    ("cone", "problem"),
    [
        ((10.0, 91.0, 1.0), "swapped"),
        ((10.0, 0.0, -1.0), "0 to 180"),
        ((10.0, 0.0, 180.1), "0 to 180"),
        ((np.nan, 0.0, 1.0), "finite"),
        ((0.0, np.inf, 1.0), "finite"),
        ((0.0, 0.0, np.nan), "finite"),
    ],
)
def test_impossible_cones_are_refused_with_a_reason(cone, problem):
    with pytest.raises(BadRegionError, match=problem):
        Cone(*cone)


def test_the_constants_of_a_cap_are_the_test_itself(sky):
    ra, dec = sky
    for cone in (Cone(33.0, -20.0, 12.0), Cone(33.0, -20.0, 121.0)):
        cap = cone.cap
        dra, ddec = np.radians(ra - cap.ra_deg) / 2, np.radians(dec - cap.dec_deg) / 2
        cosines = np.cos(np.radians(dec)) * np.cos(np.radians(cap.dec_deg))
        haversine = np.sin(ddec) ** 2 + cosines * np.sin(dra) ** 2
        repeated = haversine >= cap.limit if cap.beyond else haversine <= cap.limit
        np.testing.assert_array_equal(repeated, cone.contains(ra, dec))
