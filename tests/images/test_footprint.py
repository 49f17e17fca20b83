"""Outlines of images on the sky; the truth is astropy's WCS."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from skydex.images import Image, footprint_of


class Bare:
    def __init__(self, header, shape):
        self.header, self.shape = header, shape


def image_of(*, ra=10.0, dec=20.0, scale_deg=1e-4, shape=(400, 300), kind="TAN", turn=0.0, **cards):
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    header = fits.Header(
        [
            ("NAXIS", 2), ("NAXIS1", shape[1]), ("NAXIS2", shape[0]),
            ("CTYPE1", f"RA---{kind}"), ("CTYPE2", f"DEC--{kind}"), ("CRVAL1", ra), ("CRVAL2", dec),
            ("CRPIX1", (shape[1] + 1) / 2), ("CRPIX2", (shape[0] + 1) / 2), ("RADESYS", "ICRS"),
            ("CD1_1", -scale_deg * c), ("CD1_2", scale_deg * s), ("CD2_1", scale_deg * s), ("CD2_2", scale_deg * c),
            *cards.items(),
        ]
    )  # fmt: skip
    return Image("test", Bare(header, shape))


def vertices(footprint):
    words = footprint.region.split()
    assert words[:2] == ["POLYGON", "ICRS"]
    return np.array(words[2:], float).reshape(-1, 2)


@pytest.mark.parametrize("place", [(10.0, 20.0), (0.001, 0.0), (359.999, -60.0), (77.0, 90.0), (5.0, -89.999)])
@pytest.mark.parametrize("turn", [0.0, 33.0, 180.0])
def test_the_corners_are_those_of_astropy(place, turn):
    image = image_of(ra=place[0], dec=place[1], turn=turn)
    footprint = footprint_of(image)
    ours = SkyCoord(vertices(footprint), unit="deg")
    theirs = SkyCoord(WCS(image.pixels.header).calc_footprint(axes=(300, 400), center=False), unit="deg")
    assert len(ours) == 4
    assert max(corner.separation(ours).min() for corner in theirs) < 0.1 * u.mas
    middle = SkyCoord(footprint.ra_deg, footprint.dec_deg, unit="deg")
    assert middle.separation(SkyCoord(*place, unit="deg")) < 0.1 * u.mas
    assert footprint.fov_deg == pytest.approx(2 * middle.separation(theirs).max().deg, rel=1e-6)
    assert footprint.pixel_scale_arcsec == pytest.approx(0.36, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-4, -1e-4])
def test_an_outline_runs_counterclockwise_with_east_to_the_left(scale):
    corners = vertices(footprint_of(image_of(scale_deg=scale)))
    x, y = -(corners[:, 0] - 10.0), corners[:, 1] - 20.0
    assert np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) > 0


def test_a_wide_image_has_points_along_its_edges():
    assert len(vertices(footprint_of(image_of(scale_deg=0.1, kind="CAR", dec=0.0)))) > 4
    assert (
        len(vertices(footprint_of(image_of(scale_deg=0.1, kind="TAN")))) == 4
    )  # whose straight lines are great circles


def test_a_map_of_the_whole_sky_is_a_circle():
    footprint = footprint_of(image_of(scale_deg=1.0, kind="AIT", shape=(200, 400), dec=0.0))
    words = footprint.region.split()
    assert words[0] == "CIRCLE"
    assert float(words[-1]) > 170


def test_galactic_coordinates_become_icrs():
    image = image_of(scale_deg=1e-3, ra=0.0, dec=0.0, kind="TAN")
    image.pixels.header["CTYPE1"], image.pixels.header["CTYPE2"] = "GLON-TAN", "GLAT-TAN"
    footprint = footprint_of(image)
    assert (footprint.ra_deg, footprint.dec_deg) == (pytest.approx(266.405, abs=1e-3), pytest.approx(-28.936, abs=1e-3))


def test_an_image_without_a_place_has_no_footprint():
    assert footprint_of(Image("test", Bare(fits.Header([("NAXIS", 2)]), (10, 10)))) is None


def test_an_image_of_one_pixel_has_a_footprint():
    assert len(vertices(footprint_of(image_of(shape=(1, 1))))) == 4
