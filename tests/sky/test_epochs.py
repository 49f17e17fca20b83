import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import CartesianDifferential, Distance, SkyCoord
from astropy.time import Time

from skydex.sky import Astrometry


@pytest.fixture(scope="module")
def stars():
    """Near and fast stars, as SkyCoord; none beyond 47 au a year across."""
    rng = np.random.default_rng(20160101)
    n = 200
    parallax = 10 ** rng.uniform(-1, 2.8, n)
    pm_ra, pm_dec = rng.normal(0, 2000, n), rng.normal(0, 2000, n)
    share = np.minimum(1.0, 47 * parallax / np.hypot(pm_ra, pm_dec))
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    dec[:2] = 89.9999, -89.9999
    return SkyCoord(
        rng.random(n) * 360 * u.deg,
        dec * u.deg,
        distance=Distance(parallax=parallax * u.mas),
        pm_ra_cosdec=pm_ra * share * u.mas / u.yr,
        pm_dec=pm_dec * share * u.mas / u.yr,
        radial_velocity=rng.normal(0, 80, n) * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tdb"),
    )


def astrometry_of(stars: SkyCoord) -> Astrometry:
    return Astrometry.of(
        stars.ra.deg,
        stars.dec.deg,
        parallax_mas=stars.distance.to_value(u.mas, u.parallax()),
        pm_ra_masyr=stars.pm_ra_cosdec.to_value(u.mas / u.yr),
        pm_dec_masyr=stars.pm_dec.to_value(u.mas / u.yr),
        rv_kms=stars.radial_velocity.to_value(u.km / u.s),
    )


@pytest.mark.parametrize("years", [0.0, 16.0, -125.0, 10_000.0])
def test_stars_move_on_straight_lines_through_space(years, stars):
    start = stars.cartesian
    velocity = start.differentials["s"]
    there = (start.without_differentials() + velocity.to_cartesian() * (years * u.yr)).with_differentials(
        CartesianDifferential(velocity.d_xyz)
    )
    expected = SkyCoord(there, frame="icrs", representation_type="cartesian").spherical
    moved = astrometry_of(stars).after(years)
    place = SkyCoord(moved.ra_deg, moved.dec_deg, unit="deg")
    assert place.separation(SkyCoord(expected.lon, expected.lat)).mas.max() < 1e-5
    np.testing.assert_allclose(moved.parallax_mas, expected.distance.to_value(u.mas, u.parallax()), rtol=1e-11)
    speeds = SkyCoord(there, frame="icrs").transform_to("icrs")
    speeds = SkyCoord(speeds, representation_type="spherical", differential_type="sphericalcoslat")
    np.testing.assert_allclose(moved.pm_ra_masyr, speeds.pm_ra_cosdec.to_value(u.mas / u.yr), rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(moved.pm_dec_masyr, speeds.pm_dec.to_value(u.mas / u.yr), rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(moved.rv_kms, speeds.radial_velocity.to_value(u.km / u.s), rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize(("years", "most_mas"), [(16.0, 0.03), (-125.0, 2.0)])
def test_astropy_agrees_but_for_the_time_that_light_takes(years, most_mas, stars):
    """Space motion of ERFA counts light time, which SP-1200 and the function catalogue leave out."""
    expected = stars.apply_space_motion(dt=years * u.yr)
    moved = astrometry_of(stars).after(years)
    separation = SkyCoord(moved.ra_deg, moved.dec_deg, unit="deg").separation(SkyCoord(expected.ra, expected.dec))
    assert separation.mas.max() < most_mas
    np.testing.assert_allclose(moved.pm_ra_masyr, expected.pm_ra_cosdec.to_value(u.mas / u.yr), atol=0.05)
    np.testing.assert_allclose(moved.rv_kms, expected.radial_velocity.to_value(u.km / u.s), atol=0.001)


def test_barnards_star_is_where_pgsphere_and_the_gaia_archive_put_it():
    """From the manual of pgSphere, `epoch_prop`."""
    then = Astrometry.of(
        269.45207695, 4.693364966, parallax_mas=546.9759, pm_ra_masyr=-801.551, pm_dec_masyr=10362, rv_kms=-110
    ).after(-100)
    assert then.ra_deg == pytest.approx(269.4742714391, abs=1e-10)
    assert then.dec_deg == pytest.approx(4.4072939987, abs=1e-10)
    assert [float(value) for value in (then.parallax_mas, then.pm_ra_masyr, then.pm_dec_masyr, then.rv_kms)] == [
        pytest.approx(value, abs=6e-4) for value in (543.624, -791.442, 10235.412, -110.450)
    ]


def test_there_and_back_is_here(stars):
    start = astrometry_of(stars)
    back = start.after(1234.5).after(-1234.5)
    np.testing.assert_allclose(back.dec_deg, start.dec_deg, rtol=0, atol=1e-12)
    np.testing.assert_allclose(back.pm_ra_masyr, start.pm_ra_masyr, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(back.rv_kms, start.rv_kms, rtol=1e-9, atol=1e-9)


def test_what_is_not_known_counts_as_zero_and_stays_unknown():
    star = {"parallax_mas": 23.0, "pm_ra_masyr": 300.0, "pm_dec_masyr": 400.0, "rv_kms": 50.0}
    for name in star:
        moved = Astrometry.of(10.0, 20.0, **{**star, name: np.nan}).after(50.0)
        zeroed = Astrometry.of(10.0, 20.0, **{**star, name: 0.0}).after(50.0)
        assert (moved.ra_deg, moved.dec_deg) == (zeroed.ra_deg, zeroed.dec_deg)
        lost = {"pm_ra_masyr", "pm_dec_masyr"} if name.startswith("pm") else {name}
        assert {key for key in star if np.isnan(getattr(moved, key))} == lost


@pytest.mark.parametrize("parallax", [0.0, -0.5, np.nan])
def test_a_parallax_that_tells_no_distance_leaves_the_radial_velocity_alone(parallax):
    star = Astrometry.of(10.0, 20.0, parallax_mas=parallax, pm_ra_masyr=3.0, pm_dec_masyr=4.0, rv_kms=50.0)
    moved = star.after(1000.0)
    still = Astrometry.of(10.0, 20.0, pm_ra_masyr=3.0, pm_dec_masyr=4.0).after(1000.0)
    assert moved.rv_kms == 50.0
    assert (moved.ra_deg, moved.dec_deg) == (still.ra_deg, still.dec_deg)


def test_a_star_crosses_the_pole_and_the_meridian():
    over = Astrometry.of(45.0, 90.0 - 1e-3, pm_dec_masyr=3_600_000.0 * 2e-3).after(1.0)
    assert (over.ra_deg, over.dec_deg) == (pytest.approx(225.0, abs=1e-6), pytest.approx(90.0 - 1e-3, abs=1e-9))
    west = Astrometry.of(1e-3, 0.0, pm_ra_masyr=-3_600_000.0 * 2e-3).after(1.0)
    assert west.ra_deg == pytest.approx(360.0 - 1e-3, abs=1e-9)


def test_without_a_position_or_a_time_there_is_none_later():
    assert np.isnan(Astrometry.of(np.nan, 20.0).after(1.0).ra_deg)
    assert np.isnan(Astrometry.of(10.0, 20.0, pm_ra_masyr=1.0).after(np.nan).dec_deg)
