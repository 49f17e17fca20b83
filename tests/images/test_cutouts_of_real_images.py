"""Cutouts of real images: their pixels are those of `Cutout2D`, their WCS says what that of the original says."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from tests.images.files import IMAGES, needs_images

from skydex.errors import NoOverlapError, NoPositionError
from skydex.images import Box, Image, cut, fits_chunks, open_pixels, survey_fits, to_fits

pytestmark = [needs_images, pytest.mark.filterwarnings("ignore")]


def real_files() -> list[Path]:
    return sorted(path for path in IMAGES.rglob("*") if ".fits" in path.name)


def opened(path: Path) -> Iterator[tuple[Image, fits.ImageHDU, fits.HDUList]]:
    """Every image of a file, with what astropy makes of it."""
    with fits.open(path) as hdus:
        for found in survey_fits(path).images:
            yield Image(path.stem, open_pixels("fits", str(path), found.access)), hdus[found.hdu], hdus


def first(path: Path) -> Image:
    return Image(path.stem, open_pixels("fits", str(path), b""))


def boxes(shape: tuple[int, int]) -> list[Box]:
    ny, nx = shape
    return [
        Box.whole(shape),
        Box.centred(nx / 2, ny / 2, 9, 9),
        Box.centred(0, 0, 8, 5),
        Box.centred(nx - 1.2, ny * 0.7, 33, 34),
        Box(nx // 3, -2, 1, ny + 5),
    ]


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_pixels_are_those_of_cutout2d(path):
    for image, hdu, _ in opened(path):
        plane = hdu.data.reshape(hdu.data.shape[-2:])
        assert plane.shape == image.shape
        for box in boxes(image.shape):
            got = cut(image, box)
            centre = box.x0 + (box.nx - 1) / 2, box.y0 + (box.ny - 1) / 2
            wanted = Cutout2D(plane.astype(got.data.dtype), centre, box.shape, mode="partial").data
            np.testing.assert_array_equal(got.data, wanted)
            assert got.data.dtype.isnative
            with fits.open(io.BytesIO(to_fits(got))) as written:
                written.verify("exception")
                np.testing.assert_array_equal(written[0].data, wanted)
            assert b"".join(fits_chunks(image, box)) == to_fits(got)


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_a_cutout_lies_where_it_was_cut(path):
    places = np.random.default_rng(7).uniform(-3, 20, (40, 2))
    for image, hdu, hdus in islice(opened(path), 8):
        try:
            image.wcs  # noqa: B018
        except NoPositionError:
            continue
        box = Box(image.shape[1] // 3, image.shape[0] // 2, 17, 13)
        original = WCS(hdu.header, hdus).celestial
        with fits.open(io.BytesIO(to_fits(cut(image, box)))) as written:
            moved = WCS(written[0].header, written)
        assert moved.naxis == 2
        sky, same = moved.all_pix2world(places, 0), original.all_pix2world(places + np.array([box.x0, box.y0]), 0)
        assert np.nanmax(np.abs(sky - same)) < 1e-10
        assert np.array_equal(np.isnan(sky), np.isnan(same))


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_positions_are_those_of_astropy(path):
    for image, hdu, hdus in islice(opened(path), 8):
        try:
            wcs = image.wcs
        except NoPositionError:
            assert not _has_position(hdu, hdus)
            continue
        ny, nx = image.shape
        x, y = np.random.default_rng(3).uniform(-0.5, 1, (2, 50)) * [[nx], [ny]]
        ra, dec = image.positions_of(x, y)
        is_sky = np.isfinite(ra)
        back_x, back_y = image.pixels_of(ra, dec)
        assert np.abs(back_x - x)[is_sky].max(initial=0) < 1e-6
        assert np.abs(back_y - y)[is_sky].max(initial=0) < 1e-6
        place = SkyCoord(ra[is_sky], dec[is_sky], unit="deg").transform_to(wcs_to_celestial_frame(wcs)).spherical
        world = np.empty((is_sky.sum(), 2))
        world[:, wcs.wcs.lng], world[:, wcs.wcs.lat] = place.lon.deg, place.lat.deg
        theirs = wcs.all_world2pix(world, 0, tolerance=1e-9, maxiter=50).T
        assert np.abs(theirs - [back_x[is_sky], back_y[is_sky]]).max(initial=0) < 1e-6


def _has_position(hdu: fits.ImageHDU, hdus: fits.HDUList) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WCS(hdu.header, hdus).has_celestial


def test_what_lies_beside_an_image_is_an_error_that_says_how_far():
    image = first(IMAGES / "ps1/panstarrs-g-m61.fits")
    scale = 3600 * np.sqrt(image.wcs.proj_plane_pixel_area().value)
    with pytest.raises(NoOverlapError) as caught:
        cut(image, Box.centred(image.shape[1] - 0.5 + 200, 250, 11, 11))
    assert caught.value.distance_arcsec == pytest.approx(200 * scale, rel=0.01)
    ra, dec = image.positions_of(250, 250)
    with pytest.raises(NoOverlapError, match="does not reach"):
        image.box_at(float(ra) + 180, -float(dec), 9, 9)


def test_an_image_without_position_can_be_cut_by_pixels_alone():
    image = first(IMAGES / "misc/M51.fits")
    theirs = fits.getdata(IMAGES / "misc/M51.fits")
    assert np.array_equal(cut(image, Box.centred(100, 50, 33, 33)).data, theirs[34:67, 84:117])
    with pytest.raises(NoPositionError, match="no celestial coordinates"):
        image.pixels_of(10, 10)
    with pytest.raises(NoOverlapError):
        cut(image, Box(-40, 0, 20, 20))


def test_distortions_by_tables_go_with_a_cutout():
    image = first(IMAGES / "wcs_headers/dist_lookup.fits.gz")
    with fits.open(io.BytesIO(to_fits(cut(image, Box(20, 30, 40, 40))))) as written:
        assert {hdu.name for hdu in written[1:]} == {"WCSDVARR", "D2IMARR"}
