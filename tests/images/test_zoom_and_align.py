"""What becomes of coordinates when pixels change: zoomed headers, images on the pixels of others, compasses."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import import_module
from io import BytesIO

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from files import IMAGES, needs_images
from PIL import Image as Pictures
from reproject import reproject_interp
from star_fields import Plane, stars

from skydex.errors import NoOverlapError
from skydex.images import (
    Box,
    Compass,
    Cutout,
    Image,
    Look,
    Resizing,
    aligned,
    brightness,
    compass_at,
    cut,
    index_fits,
    open_pixels,
    placed,
    render,
    sky_text,
    zoomed,
)

pytestmark = pytest.mark.filterwarnings("ignore")

PROJECTIONS = ["wcs/sipsample.fits", "wcs/tpv_odd.fits", "wcs/pole.fits", "wcs/1904-66_HPX.fits",
               "ps1/panstarrs-g-m61.fits", "misc/galactic_2d.fits", "hst/goodss_f160w_sect22.fits"]  # fmt: skip


def image_of(data, *, rotation_deg=0.0, scale_arcsec=1.0, centre=(150.0, 2.0), parity=-1) -> Image:
    """An image around a place; seen from inside the sky unless its parity says otherwise."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ("RA---TAN", "DEC--TAN"), centre
    wcs.wcs.crpix = data.shape[1] / 2 + 0.5, data.shape[0] / 2 + 0.5
    angle = np.radians(rotation_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([parity * scale_arcsec, scale_arcsec]) / 3600.0
    return Image("sky", Plane(data, wcs.to_header()))


def real(name: str) -> Image:
    file = IMAGES / name
    return Image(file.stem, open_pixels("fits", str(file), index_fits(file)[0].access))


@needs_images
@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("look", [Look(zoom=0.5), Look(zoom=0.2), Look(zoom=3.0), Look(output_size=17)])
def test_a_zoomed_header_finds_the_same_places(name, look):
    image = real(name)
    box = Box(4, 7, 33, 21)
    resizing = Resizing.of(box.shape, look)
    cards, lookups = placed(image, box)
    plain = Cutout(np.zeros(box.shape, np.float32), cards, box, image.name, lookups)
    header = zoomed(plain, np.zeros(resizing.shape, np.float32), resizing).header
    x, y = np.array([3.0, 12.0, 30.0]), np.array([2.0, 18.0, 9.0])
    before = WCS(plain.header).all_pix2world(x, y, 0)
    there = WCS(header).all_pix2world((x + 0.5) * resizing.zooms[0] - 0.5, (y + 0.5) * resizing.zooms[1] - 0.5, 0)
    ours, theirs = SkyCoord(*there, unit="deg"), SkyCoord(*before, unit="deg")
    assert ours.separation(theirs).arcsec.max() < 1e-4


def test_means_of_a_large_image_are_read_in_strips(monkeypatch):
    data = stars(shape=(301, 203))
    image = image_of(data)
    whole = brightness(image, Box(-5, -3, 220, 310), shrink=7)
    monkeypatch.setattr(import_module("skydex.images.brightness"), "_STRIP", 7 * 220)
    assert np.array_equal(brightness(image, Box(-5, -3, 220, 310), shrink=7), whole, equal_nan=True)
    framed = np.full((310, 220), np.nan, np.float32)
    framed[3:304, 5:208] = data
    for wide in (3, 200, 5000):
        monkeypatch.setattr(import_module("skydex.images.brightness"), "_STRIP", wide)
        same = brightness(image, Box(-5, -3, 220, 310), shrink=7)
        assert same == pytest.approx(whole, rel=1e-6, nan_ok=True)
    expected = [np.nanmean(framed[y : y + 7, x : x + 7]) for y in range(0, 310, 7) for x in range(0, 220, 7)]
    assert whole.ravel() == pytest.approx(np.array(expected), rel=1e-4, nan_ok=True)


@pytest.mark.parametrize(("rotation", "scale", "centre"), [(30.0, 1.0, 2.0), (200.0, 0.4, 2.0), (47.0, 2.5, 89.995)])
def test_an_image_is_brought_to_the_pixels_of_another_as_reproject_does(rotation, scale, centre):
    reference = image_of(stars(1, (120, 150)), centre=(150.0, centre))
    other = image_of(stars(2, (140, 130)), rotation_deg=rotation, scale_arcsec=scale, centre=(150.0, centre))
    box = Box(10, -5, 120, 100)
    ours = aligned(other, reference, box)
    place = fits.PrimaryHDU(cut(reference, box).data, WCS(cut(reference, box).header).to_header())
    hdu = fits.PrimaryHDU(other.pixels.read(0, 140, 0, 130), other.pixels.header)
    theirs, _ = reproject_interp(hdu, place.header, shape_out=box.shape, order="nearest-neighbor")
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.mean() > 0.1
    assert (np.isfinite(ours) == np.isfinite(theirs)).mean() > 0.995
    assert (ours[both] == theirs[both].astype(np.float32)).mean() > 0.995


def test_a_huge_box_around_a_small_image_costs_what_the_image_costs():
    means = brightness(image_of(stars()), Box(-5_000_000, -5_000_000, 10_000_000, 10_000_000), shrink=2_500_000)
    assert means.shape == (4, 4)
    assert np.isfinite(means).sum() == 1


def test_an_image_of_another_place_cannot_be_aligned():
    with pytest.raises(NoOverlapError):
        aligned(image_of(stars(), centre=(10.0, 2.0)), image_of(stars()), Box(0, 0, 20, 20))


@pytest.mark.parametrize(
    ("given", "north", "east"),
    [
        ({}, 90.0, 180.0),
        ({"parity": 1}, 90.0, 0.0),
        ({"rotation_deg": 30.0}, 120.0, 210.0),
        ({"centre": (150.0, -89.99)}, 90.0, 180.0),
        ({"centre": (0.0, -2.0)}, 90.0, 180.0),
    ],
)
def test_a_compass_points_to_north_and_east(given, north, east):
    compass = compass_at(image_of(np.zeros((101, 101), np.float32), **given), Box(0, 0, 101, 101))
    assert (compass.north_deg - north + 180.0) % 360.0 == pytest.approx(180.0, abs=0.1)
    assert (compass.east_deg - east + 180.0) % 360.0 == pytest.approx(180.0, abs=0.1)


def test_a_jpeg_says_where_it_is_as_viewers_read_it():
    """As FITS cards in its comment, which is how HLA's pictures come into Aladin."""
    image = image_of(stars())
    cutout = cut(image, Box(10, 20, 30, 25))
    picture = Pictures.open(BytesIO(render([cutout.data], Look(), "jpeg", comment=sky_text(cutout))))
    header = fits.Header.fromstring(picture.info["comment"].decode(), sep="\n")
    place = WCS(header).pixel_to_world(4, 5)
    assert place.separation(WCS(image.pixels.header).pixel_to_world(14, 25)).mas < 1e-3


def test_a_compass_without_direction_is_not_drawn():
    plain, look = np.ones((64, 64), np.float32), Look(low=(0.0,), high=(2.0,))
    marked = render([plain], replace(look, has_compass=True), compass=Compass(math.nan, 0.0))
    assert marked == render([plain], look)


def test_numbers_of_a_header_that_are_none_are_left_out_when_it_is_zoomed():
    cards = [b"CRPIX1  = 1E400", b"CRPIX2  = 7.5", b"A_9_9   = 1E300", b"CDELT1  = 1E-320"]
    cutout = Cutout(np.zeros((1, 1), np.float32), b"".join(card.ljust(80) for card in cards), Box(0, 0, 100, 100), "it")
    header = zoomed(cutout, cutout.data, Resizing.of((100, 100), Look(zoom=0.01))).header
    assert "CRPIX1" not in header
    assert "A_9_9" not in header
    assert header["CRPIX2"] == pytest.approx(0.57)
