"""Compressed images, by tile and as a whole: the same pixels as astropy gives, and only the tiles that are needed."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from skydex.errors import UnreadableFileError
from skydex.images import Box, Image, ImageLimits, cut, index_fits, open_pixels, survey_fits

FLOAT_OPTIONS = {
    "lossless": {"quantize_level": 0.0},
    "plain": {"quantize_level": 16.0, "quantize_method": -1},
    "dithered": {"quantize_level": 4.0, "quantize_method": 1, "dither_seed": 17},
    "zeros kept": {"quantize_level": 4.0, "quantize_method": 2, "dither_seed": 9999},
}
BOXES = (Box.whole((70, 90)), Box(3, 4, 33, 33), Box(89, 69, 1, 1), Box(-5, 60, 40, 20), Box(47, 0, 3, 70))


def measured(dtype: str) -> np.ndarray:
    rng = np.random.default_rng(11)
    values = rng.normal(1000, 30, (70, 90))
    values[20:24, 30:50] += 5000
    values = np.clip(values, 0, 200) if dtype == "u1" else values
    return values.astype(dtype)


def opened(path: Path, number: int = 0) -> Image:
    return Image("it", open_pixels("fits", str(path), index_fits(path)[number].access))


def assert_same(image: Image, wanted: np.ndarray) -> None:
    framed = np.full((270, 290), np.nan)
    framed[100:170, 100:190] = wanted
    for box in BOXES:
        part = framed[box.y0 + 100 : box.y0 + 100 + box.ny, box.x0 + 100 : box.x0 + 100 + box.nx]
        np.testing.assert_array_equal(cut(image, box).data, part)
    assert cut(image, BOXES[1]).data.dtype == wanted.dtype.newbyteorder("=")


@pytest.mark.parametrize("tile", [None, (16, 24), (70, 90), (1, 90), (70, 1)], ids=str)
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4"])
@pytest.mark.parametrize("algorithm", ["RICE_1", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS"])
def test_integers_are_those_of_astropy(tmp_path, algorithm, dtype, tile):
    if algorithm == "HCOMPRESS_1" and tile not in (None, (70, 90)):
        tile = (10, 30)
    path = tmp_path / "it.fits.fz"
    fits.CompImageHDU(measured(dtype), compression_type=algorithm, tile_shape=tile).writeto(path)
    assert_same(opened(path), measured(dtype))


@pytest.mark.parametrize("option", FLOAT_OPTIONS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("algorithm", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
@pytest.mark.parametrize("has_gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.filterwarnings("ignore")
def test_floats_are_those_of_astropy(tmp_path, algorithm, dtype, option, has_gaps):
    if option == "lossless" and not algorithm.startswith("GZIP"):
        pytest.skip("only gzip keeps floats as they are")
    data = measured(dtype)
    data[5, 5:9] = 0.0
    data[40:42] = 7.25  # a tile that cannot be quantised
    if has_gaps:
        data[10:13, 20:40] = np.nan
    path = tmp_path / "it.fits.fz"
    fits.CompImageHDU(data, compression_type=algorithm, **FLOAT_OPTIONS[option]).writeto(path)
    with fits.open(path) as hdus:
        assert_same(opened(path), hdus[1].data)


def test_unsigned_and_scaled_integers_are_those_of_astropy(tmp_path):
    path = tmp_path / "it.fits.fz"
    unsigned = fits.CompImageHDU(measured("u2"), name="U")
    scaled = fits.CompImageHDU(measured("i2"), name="S")
    fits.HDUList([fits.PrimaryHDU(), unsigned, scaled]).writeto(path)
    with fits.open(path, mode="update") as hdus:
        hdus["S"]._bintable.header["BSCALE"] = 0.5
        hdus["S"]._bintable.header["BZERO"] = 10.0
    assert_same(opened(path), measured("u2"))
    with fits.open(path) as hdus:
        assert_same(opened(path, 1), hdus["S"].data)


def test_the_header_is_that_of_the_image_before_it_was_compressed(tmp_path):
    path = tmp_path / "it.fits.fz"
    header = fits.Header({"CRVAL1": 10.5, "EXTNAME": "SCI", "OBJECT": "M 87"})
    fits.CompImageHDU(measured("f4"), header).writeto(path)
    (found,) = index_fits(path)
    assert (found.extension, found.header["BITPIX"], found.header["NAXIS1"], found.header["OBJECT"]) == (
        "SCI", -32, 90, "M 87"
    )  # fmt: skip
    assert not any(keyword.startswith(("Z", "TFORM", "TTYPE")) for keyword in found.header)


def test_only_the_tiles_that_are_needed_are_read(tmp_path, monkeypatch):
    from skydex.images import fits_pixels

    path = tmp_path / "it.fits.fz"
    fits.CompImageHDU(measured("i4"), tile_shape=(10, 30)).writeto(path)
    unpacked = []
    read = fits_pixels._Tiles.read
    monkeypatch.setattr(fits_pixels._Tiles, "read", lambda self, tile: unpacked.append(tile) or read(self, tile))
    image = opened(path)
    cut(image, Box(28, 12, 4, 4))
    assert sorted((tile.x0, tile.y0) for tile in unpacked) == [(0, 10), (30, 10)]
    cut(image, Box(28, 12, 4, 4))
    assert len(unpacked) == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
@pytest.mark.parametrize("kind", [fits.ImageHDU, fits.CompImageHDU])
def test_a_file_that_is_packed_as_a_whole_gives_the_same_pixels(tmp_path, pack, kind):
    plain, packed = tmp_path / "it.fits", tmp_path / "it.packed"
    fits.HDUList([fits.PrimaryHDU(), kind(measured("i2")), kind(measured("f8") * 0 + 3)]).writeto(plain)
    packed.write_bytes(pack(plain.read_bytes()))
    assert_same(opened(packed), measured("i2"))
    assert_same(opened(packed, 1), measured("f8") * 0 + 3)


def test_a_large_packed_image_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("skydex.images.fits_pixels._MOST_KEPT", 100)
    plain, packed = tmp_path / "it.fits", tmp_path / "it.packed"
    fits.PrimaryHDU(measured("i2")).writeto(plain)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert_same(opened(packed), measured("i2"))


def test_tiles_beyond_the_limit_are_refused_with_their_size(tmp_path):
    path = tmp_path / "it.fits.fz"
    fits.CompImageHDU(np.zeros((1100, 1000), "i2"), tile_shape=(1100, 1000)).writeto(path)
    assert survey_fits(path).images
    with pytest.raises(UnreadableFileError, match=r"tiles have 1,000 x 1,100 pixels, and the limit is 1 million"):
        index_fits(path, limits=ImageLimits(tile_mpix=1))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tiles", "gzip"])
def test_numbers_that_are_kept_are_not_those_of_an_older_file(tmp_path, pack):
    path = tmp_path / "it.fits"
    plain = tmp_path / "plain.fits"
    kind = fits.CompImageHDU if pack is bytes else fits.ImageHDU
    fits.HDUList([fits.PrimaryHDU(), kind(measured("i2"))]).writeto(plain)
    path.write_bytes(pack(plain.read_bytes()))
    image = opened(path)
    assert_same(image, measured("i2"))
    fits.HDUList([fits.PrimaryHDU(), kind(measured("i2") - 1)]).writeto(plain, overwrite=True)
    path.write_bytes(pack(plain.read_bytes()))
    assert_same(image, measured("i2") - 1)
