"""Numbers of every type, scaled, offset or blank, are those that astropy gives, and come back from what is written."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from tests.images.files import IMAGES, needs_images
from tests.images.planes import plane

from skydex.images import Box, Image, cut, file_chunks, fits_chunks, index_fits, open_pixels, to_fits

KINDS = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def stored(path, dtype, **keywords) -> Image:
    info = np.iinfo(dtype) if dtype[0] in "iu" else None
    data = np.random.default_rng(5).integers(0, 120, (40, 50)).astype(dtype)
    data[0, :2] = (info.min, info.max) if info else (np.nan, np.inf)
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data)]).writeto(path)
    if keywords:
        raw = path.read_bytes()
        begin = raw.index(b"GCOUNT", 2880)
        begin += 80 - (begin % 80)
        cards = b"".join(f"{key:<8}= {value!r:>20}".ljust(80).encode() for key, value in keywords.items())
        path.write_bytes(raw[:begin] + cards + raw[begin:5760][: -len(cards)] + raw[5760:])
    return Image("it", open_pixels("fits", str(path), index_fits(path)[0].access))


@pytest.mark.parametrize(
    "keywords", [{}, {"BSCALE": 0.25, "BZERO": 7.5}, {"BLANK": 5}, {"BSCALE": 2.0, "BLANK": 5}], ids=str
)
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_numbers_are_those_of_astropy(tmp_path, dtype, keywords):
    if keywords and dtype in ("i1", "u2", "u4", "u8"):
        pytest.skip("these have a BZERO of their own")
    if "BLANK" in keywords and dtype[0] == "f":
        pytest.skip("BLANK is for integers")
    image = stored(tmp_path / "it.fits", dtype, **keywords)
    wanted = fits.getdata(tmp_path / "it.fits", 1)
    got = cut(image, Box.whole(image.shape))
    assert got.data.dtype == wanted.dtype.newbyteorder("=")
    np.testing.assert_array_equal(got.data, wanted)
    with fits.open(io.BytesIO(to_fits(got))) as hdus:
        np.testing.assert_array_equal(hdus[0].data, wanted)
        assert hdus[0].data.dtype.newbyteorder("=") == got.data.dtype
    assert b"".join(fits_chunks(image, Box.whole(image.shape))) == to_fits(got)


def test_images_have_their_numbers_in_one_file():
    first, second = plane(30, 20), plane(12, 10)
    file = b"".join(file_chunks({1: ("SCI,1", first), 4: ("SCI,2", second)}))
    with fits.open(io.BytesIO(file)) as hdus:
        hdus.verify("exception")
        assert [(hdu.name, hdu.ver) for hdu in hdus if hdu.data is not None] == [("SCI", 1), ("SCI", 2)]
        assert hdus[4].data.shape == hdus["SCI", 2].data.shape == (10, 12)
        assert hdus[1].header["CRPIX1"] == 15.5


def test_several_cutouts_are_one_file():
    cutouts = [cut(plane(30, 20), Box(5, 6, 7, 8)), cut(plane(40, 20), Box(0, 0, 3, 3))]
    with fits.open(io.BytesIO(to_fits(cutouts))) as hdus:
        hdus.verify("exception")
        assert [hdu.shape for hdu in hdus] == [(), (8, 7), (3, 3)]
        assert hdus[1].header["CRPIX1"] == 15.5 - 5


def test_a_reference_pixel_that_no_card_tells_is_told_by_the_cutout():
    image = plane(30, 20)
    for keyword in ("CRPIX1", "CRPIX2"):
        del image.pixels.header[keyword]
    moved = cut(image, Box(3, 4, 5, 5)).header
    assert (moved["CRPIX1"], moved["CRPIX2"]) == (-3, -4)
    sky, same = WCS(moved).all_pix2world([[1, 2]], 0), WCS(image.pixels.header).all_pix2world([[4, 6]], 0)
    np.testing.assert_allclose(sky, same, atol=1e-12)


def test_physical_coordinates_and_plates_move_along():
    image = plane(30, 20)
    image.pixels.header.update(LTV1=-100.0, LTV2=7.0, LTM1_1=1.0, CNPIX1=1000, CNPIX2=2000)
    moved = cut(image, Box(3, 4, 5, 5)).header
    assert (moved["LTV1"], moved["LTV2"], moved["LTM1_1"]) == (-103, 3, 1)
    assert (moved["CNPIX1"], moved["CNPIX2"]) == (1003, 2004)


@needs_images
@pytest.mark.filterwarnings("ignore")
def test_every_alternate_wcs_moves():
    path = IMAGES / "hst/sample_svm_flc.fits"
    found = index_fits(path)[0]
    image = Image("it", open_pixels("fits", str(path), found.access))
    moved = fits.open(io.BytesIO(to_fits(cut(image, Box(3, 4, 5, 5)))))
    with moved, fits.open(path) as hdus:
        versions = {key[-1] for key in hdus[1].header["CRPIX1?"]}
        assert versions
        for version in versions:
            sky = WCS(moved[0].header, moved, key=version).wcs_pix2world([[0, 1]], 0)
            same = WCS(hdus[1].header, hdus, key=version).wcs_pix2world([[3, 5]], 0)
            np.testing.assert_allclose(sky, same, atol=1e-11)
