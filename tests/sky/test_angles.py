import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skydex.sky import separation_deg


def test_separations_agree_with_astropy_all_over_the_sky(sky):
    ra, dec = sky
    places = SkyCoord(ra, dec, unit="deg")
    expected = places[:, None].separation(places[None, ::7]).deg
    np.testing.assert_allclose(
        separation_deg(ra[:, None], dec[:, None], ra[::7], dec[::7]), expected, rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("tiny", [1e-12, 1e-9, 1e-6, 1e-3])
def test_tiny_separations_keep_their_digits(tiny):
    assert separation_deg(10.0, 60.0, 10.0, 60.0) == 0.0
    assert separation_deg(0.0, 0.0, tiny, 0.0) == pytest.approx(tiny, rel=1e-12)
    assert separation_deg(0.0, 0.0, 360.0 - 1e-6, 0.0) == pytest.approx(1e-6, rel=1e-6)


@pytest.mark.parametrize("tiny", [0.0, 1e-10, 1e-7, 1e-4])
def test_separations_near_the_antipode_keep_their_digits(tiny):
    assert 180.0 - separation_deg(0.0, 0.0, 180.0 - tiny, 0.0) == pytest.approx(tiny, abs=6e-14)
    assert 180.0 - separation_deg(20.0, 90.0 - tiny, 70.0, -90.0) == pytest.approx(tiny, abs=6e-14)


def test_separation_broadcasts_and_passes_nan_on():
    assert separation_deg(np.zeros((3, 1)), 0.0, np.zeros(4), 1.0).shape == (3, 4)
    assert np.isnan(separation_deg(0.0, 0.0, np.nan, 0.0))


def test_mizar_and_alcor_are_as_far_apart_as_published():
    places = SkyCoord(["13 23 55.54 +54 55 31.3", "13 25 13.54 +54 59 16.7"], unit=(u.hourangle, u.deg))
    apart = separation_deg(places.ra.deg[0], places.dec.deg[0], places.ra.deg[1], places.dec.deg[1])
    assert apart * 60.0 == pytest.approx(11.8, abs=0.05)  # 708.5 arcsec from the Hipparcos positions
