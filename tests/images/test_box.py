"""Boxes: the corner rule of fitscut, edges, and regions of the sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from tests.images.planes import CountingPixels, plane

from skydex.errors import BadParameterError, CutoutTooLargeError, NoOverlapError
from skydex.images import Box, Image, box_of, cut
from skydex.sky import Cone, Polygon, Range

SCALE = 1e-4


def test_the_corner_is_that_of_fitscut():
    assert Box.centred(100.0, 100.0, 33, 33) == Box(84, 84, 33, 33)
    assert Box.centred(100.4, 99.6, 33, 32) == Box(84, 84, 33, 32)
    assert Box.centred(-3.0, 0.5, 2, 1) == Box(-4, 1, 2, 1)


@given(x=st.floats(-1e6, 1e6), n=st.integers(1, 5000).filter(lambda n: n % 2 == 1))
def test_an_odd_box_has_its_place_in_the_middle_pixel(x, n):
    box = Box.centred(x, 0, n, 1)
    assert abs(box.x0 + n // 2 - x) <= 0.5


@pytest.mark.parametrize("place", [np.nan, np.inf, 1e300])
def test_no_place_is_refused(place):
    with pytest.raises(BadParameterError, match="no place in an image"):
        Box.centred(place, 0, 3, 3)


@pytest.mark.parametrize("size", [(0, 3), (3, -1)])
def test_a_box_has_pixels(size):
    with pytest.raises(BadParameterError, match="at least one pixel"):
        Box.centred(0, 0, *size)


def test_too_many_pixels_are_refused_before_anything_is_read():
    with pytest.raises(CutoutTooLargeError, match="1,000,000,000 x 1,000,000,000 pixels is over the limit"):
        cut(plane(100, 80), Box(0, 0, 10**9, 10**9))


@pytest.mark.parametrize("centre", [(150.0, 2.0), (0.0, 0.0), (359.99999, -45.0), (30.0, 90.0), (200.0, -89.99)])
@pytest.mark.parametrize("radius", [1e-6, 0.003, 0.02])
def test_a_box_holds_all_of_a_cone_and_little_more(centre, radius):
    image = plane(400, 300, centre)
    rows, columns = np.mgrid[:300, :400]
    ra, dec = image.positions_of(columns, rows)
    cone = Cone(*map(float, image.positions_of(212.3, 140.9)), radius)
    held = cone.contains(ra, dec)
    box = box_of(image, cone)
    inside = np.zeros_like(held)
    inside[box.y0 : box.y0 + box.ny, box.x0 : box.x0 + box.nx] = True
    assert inside[held].all()
    across = 2 * radius / SCALE
    assert box.nx <= across + 2.5
    assert box.ny <= across + 2.5


def test_a_region_larger_than_the_image_takes_all_of_it():
    image = plane(40, 30)
    for region in (Cone(150.0, 2.0, 5.0), Cone(0.0, 0.0, 180.0), Range(0.0, 360.0, -90.0, 90.0)):
        assert box_of(image, region) == Box(0, 0, 40, 30)


def test_polygons_and_ranges_have_boxes():
    image = plane(400, 300)
    ra, dec = image.positions_of([100, 200, 150], [50, 60, 120])
    box = box_of(image, Polygon(tuple(ra), tuple(dec)))
    assert box in (Box(100, 50, 101, 71), Box(99, 50, 102, 71))
    ra_min, dec_min = image.positions_of(200, 60)
    ra_max, dec_max = image.positions_of(100, 120)
    assert box_of(image, Range(float(ra_min), float(ra_max), float(dec_min), float(dec_max))).nx in (101, 102)


def test_a_region_beside_the_image_tells_its_distance():
    with pytest.raises(NoOverlapError) as caught:
        box_of(plane(400, 300), Cone(150.0, 3.0, 0.1))
    assert caught.value.distance_arcsec == pytest.approx(3600 - 0.36 * 150, rel=1e-3)


def test_a_cone_around_the_pole_of_an_all_sky_image_reaches_its_edge():
    header = fits.Header()
    header.update(NAXIS=2, NAXIS1=360, NAXIS2=180, CTYPE1="RA---CAR", CTYPE2="DEC--CAR", CRPIX1=180.5, CRPIX2=90.5)
    header.update(CRVAL1=180.0, CRVAL2=0.0, CDELT1=-1.0, CDELT2=1.0)
    image = Image("sky", CountingPixels(header))
    box = box_of(image, Cone(10.0, 90.0, 20.0))
    assert (box.x0, box.nx, box.y0 + box.ny) == (0, 360, 180)
    assert 20 <= box.ny <= 25
