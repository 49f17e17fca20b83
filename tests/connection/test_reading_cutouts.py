"""Bytes that come as a cutout: read as astropy and PIL read them, and refused where they are something else."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from skydex.connection.cutout import missing_cutout, read_cutout
from skydex.errors import BadAnswerError, BadParameterError


def written(data, **cards):
    hdu = fits.PrimaryHDU(data)
    hdu.header.update(cards)
    out = io.BytesIO()
    hdu.writeto(out)
    return out.getvalue()


def picture(form, size=(8, 6), mode="L"):
    out = io.BytesIO()
    Image.new(mode, size, 100).save(out, form)
    return out.getvalue()


PLANE = np.arange(30, dtype=np.float32).reshape(5, 6)


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5, 6), (3, 5, 6)])
def test_every_kind_of_number_is_read_as_astropy_reads_it(kind, shape):
    data = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    cutout = read_cutout(written(data), "fits", "here", {})
    assert np.array_equal(cutout.data, data)
    assert cutout.data.dtype.kind == "f"
    assert cutout.data.dtype.isnative
    assert cutout.shape == (5, 6)


def test_scaled_floats_and_images_in_extensions_are_read():
    scaled = written(PLANE, BSCALE=2.0, BZERO=1.0, HISTORY="NAXIS   = 7")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.array_equal(read_cutout(scaled, "fits", "here", {}).data, fits.getdata(io.BytesIO(scaled)))
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(PLANE)]).writeto(out)
    assert np.array_equal(read_cutout(out.getvalue(), "fits", "here", {}).data, PLANE)


def test_the_header_and_the_file_are_those_that_came(tmp_path):
    content = written(PLANE, EXPTIME=500.0, NCOMBINE=4, FILTER="F606W", TELESCOP="HST")
    cutout = read_cutout(content, "fits", "here", {"image": "x"})
    assert cutout.header == fits.getheader(io.BytesIO(content))
    assert (cutout.facts["n_exposures"], cutout.facts["t_exptime"]) == (4, 500.0)
    assert cutout.wcs is None
    assert cutout.write(tmp_path / "x.fits").read_bytes() == content
    assert repr(cutout) == "<Cutout of x: 6 x 5 pixels, fits>"
    assert cutout._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("cut", [0, 10, 80, 2000, 2880, 2900])
def test_fits_that_broke_off_is_refused(cut):
    with pytest.raises(BadAnswerError):
        read_cutout(written(PLANE)[:cut], "fits", "there", {})


@pytest.mark.parametrize(
    "content",
    [
        b"<html>Sorry</html>",
        b"",
        b"SIMPLE  = but nothing else",
        written(PLANE).replace(b"NAXIS1  =                    6", b"NAXIS1  =   999999999999999999"),
        written(PLANE).replace(b"NAXIS1  =                    6", b"NAXIS1  =                   -6"),
        written(PLANE).replace(b"BITPIX  =                  -32", b"BITPIX  =                    7"),
        written(None),
        picture("PNG"),
    ],
)
def test_what_is_no_image_of_fits_is_refused(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(BadAnswerError):
            read_cutout(content, "fits", "there", {})


@pytest.mark.parametrize(
    ("form", "mode"), [("jpeg", "L"), ("jpeg", "RGB"), ("png", "L"), ("png", "RGB"), ("png", "RGBA")]
)
def test_pictures_are_those_of_pil(form, mode):
    cutout = read_cutout(picture(form, mode=mode), form, "here", {})
    assert cutout.data.shape == ((6, 8) if mode == "L" else (6, 8, 3))
    assert cutout.image.size == (8, 6)


def bomb():
    """A PNG that says of itself to have 10^10 pixels."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"No such image", "jpeg"),
        (b"", "png"),
        (picture("PNG"), "jpeg"),
        (picture("GIF"), "png"),
        (picture("PNG")[:50], "png"),
        (bomb(), "png"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_such_picture_is_refused(content, form):
    with pytest.raises(BadAnswerError):
        read_cutout(content, form, "there", {})


def test_a_file_is_not_replaced_unless_one_says_so(tmp_path):
    cutout = read_cutout(written(PLANE), "fits", "here", {"image": "x"})
    path = cutout.write(tmp_path / "x.fits")
    with pytest.raises(BadParameterError, match="overwrite=True"):
        cutout.write(path)
    assert cutout.write(path, overwrite=True) == path


def test_what_could_not_be_had_is_not_written(tmp_path):
    with pytest.raises(BadParameterError, match="could not be had: gone"):
        missing_cutout("fits", {"size": (3, 3), "problem": "gone"}).write(tmp_path / "x.fits")
