import subprocess
import sys

import astropy.coordinates as ac
import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skydex.errors import BadRegionError
from skydex.sky import FRAMES, rotated

THEIRS = {
    "ICRS": ac.ICRS(),
    "FK5": ac.FK5(equinox="J2000"),
    "FK4": ac.FK4NoETerms(equinox="B1950"),
    "GALACTIC": ac.Galactic(),
    "SUPER_GALACTIC": ac.Supergalactic(),
    "ECLIPTIC": ac.BarycentricMeanEcliptic(equinox="J2000"),
}


@pytest.mark.parametrize("origin", FRAMES)
@pytest.mark.parametrize("target", FRAMES)
def test_rotations_agree_with_astropy_all_over_the_sky(origin, target, sky):
    longitude, latitude = sky
    frame = THEIRS[origin].realize_frame(ac.UnitSphericalRepresentation(longitude * u.deg, latitude * u.deg))
    expected = SkyCoord(frame).transform_to(THEIRS[target]).spherical
    there = rotated(longitude, latitude, origin=origin, target=target)
    separation = SkyCoord(*there, unit="deg").separation(SkyCoord(expected.lon, expected.lat))
    assert separation.mas.max() < 1e-3


@pytest.mark.parametrize(
    ("origin", "target", "place", "expected", "tolerance"),
    [
        ("ICRS", "GALACTIC", (120, -23), (241.121831182, 3.62785788087), 1e-9),
        ("FK4", "GALACTIC", (189.70303055, 22.96240006), (275.00025405, 84.99996154), 1e-7),
        ("GALACTIC", "FK5", (5, 3), (266.44721, -23.107310), 1e-5),
        ("GALACTIC", "FK5", (4.5, 2), (267.09936, -24.051919), 1e-5),
        ("FK4", "GALACTIC", (192.25, 27.4), (None, 90.0), 1e-6),  # the definition of IAU 1958
        ("GALACTIC", "SUPER_GALACTIC", (47.37, 6.32), (None, 90.0), 1e-6),  # de Vaucouleurs 1991
        ("GALACTIC", "SUPER_GALACTIC", (137.37, 0.0), (0.0, 0.0), 1e-9),
    ],
)
def test_published_positions_come_out(origin, target, place, expected, tolerance):
    """The first four are examples of the Catalogue of ADQL User Defined Functions 1.2, which takes FK5 for ICRS."""
    longitude, latitude = rotated(*place, origin=origin, target=target)
    assert latitude == pytest.approx(expected[1], abs=tolerance)
    if expected[0] is not None:
        assert abs((longitude - expected[0] + 180.0) % 360.0 - 180.0) < tolerance


@pytest.mark.parametrize(("name", "hint"), [("galactic", 'Did you mean "GALACTIC"'), ("J2000", "Known: ICRS, FK5")])
def test_an_unknown_frame_is_named_with_what_there_is(name, hint):
    with pytest.raises(BadRegionError, match=hint):
        rotated(0.0, 0.0, origin="ICRS", target=name)


def test_rotating_keeps_nan_where_it_is():
    longitude, latitude = rotated([np.nan, 10.0], [0.0, 10.0], origin="ICRS", target="GALACTIC")
    assert np.isnan(longitude).tolist() == np.isnan(latitude).tolist() == [True, False]


def test_rotating_does_not_wait_for_astropy():
    rotate = "import sys; from skydex.sky import rotated; rotated(1.0, 2.0, origin='FK4', target='GALACTIC')"
    done = subprocess.run([sys.executable, "-c", f"{rotate}; sys.exit('astropy' in sys.modules)"], check=False)
    assert done.returncode == 0
