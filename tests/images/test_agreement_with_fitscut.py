"""Real images, cut and shown by us and by fitscut.

Debian has version 1.4.4, of 2006: it cuts as today's does, but fills what lies beyond the edge with 0, and chooses
levels a little differently. `fitscut_levels.csv` has the numbers of today's: its own functions (`scan_min_max`,
`autoscale_image`, `asinh_image` of https://github.com/spacetelescope/fitscut, commit c76680d), compiled and given the
pixels of the same files; the last column is the mean of the bytes that it makes of good pixels.
"""

from __future__ import annotations

import csv
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from files import IMAGES, needs_images
from fitscut import cut_fits, draw_jpeg, needs_fitscut
from PIL import Image as Pictures

from skydex.images import Box, Image, Look, Scale, Stretch, cut, index_fits, open_pixels, render
from skydex.images.levels import levels_of
from skydex.images.stretches import stretched

pytestmark = [needs_images, pytest.mark.filterwarnings("ignore")]

LEVELS = list(csv.DictReader((Path(__file__).parent / "fitscut_levels.csv").read_text().splitlines()))
CUT = ["ps1/panstarrs-g-m61", "misc/M51", "hst/goodss_f160w_sect22", "wcs/pole", "wcs/sipsample", "wcs/tpv_odd",
       "wcs/tanflip", "wcs/1904-66_TAN", "wcs/1904-66_HPX", "dss/dss_hd219829", "chandra/image2",
       "spitzer/irac_ch1_flight", "psf/acs_hrc/acs_hrc_f814w", "misc/irsa_dust_ebv"]  # fmt: skip
SHOWN = ["misc/M51", "hst/goodss_f160w_sect22", "wcs/pole", "wcs/tpv_odd", "dss/dss_hd219829", "2mass/gc_2mass_k",
         "ps1/panstarrs-g-m61", "spitzer/irac_ch1_flight"]  # fmt: skip


def opened(file: Path) -> Image:
    return Image(file.stem, open_pixels("fits", str(file), index_fits(file)[0].access))


@pytest.mark.parametrize("row", LEVELS, ids=lambda row: f"{row['file']} {row['high_percent']}")
def test_levels_and_asinh_are_those_of_the_program(row):
    image = opened(IMAGES / row["file"])
    data = cut(image, Box.whole(image.shape)).data.astype(np.float32)
    percent = float(row["low_percent"]), float(row["high_percent"])
    look = Look(stretch=Stretch.ASINH, scale=Scale.PERCENTILES, percent=percent)
    assert tuple(levels_of(data, look)) == pytest.approx((float(row["low"]), float(row["high"])), rel=1e-7)
    is_good = np.isfinite(data) & (data != 0)
    assert stretched([data], look)[0][is_good].mean() == pytest.approx(float(row["asinh_mean"]), abs=0.01)


@needs_fitscut
@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("size", [33, 34])
def test_pixels_are_those_that_fitscut_cuts(name, size):
    file = IMAGES / f"{name}.fits"
    image = opened(file)
    ny, nx = image.shape
    for x, y in ((nx // 2, ny // 3), (3, ny - 2), (nx - 1, 5)):
        theirs = cut_fits(file, f"-x{x}", f"-y{y}", f"-c{size}", f"-r{size - 5}")
        ours = cut(image, Box.centred(x, y, size, size - 5)).data.astype(np.float32)
        box = Box.centred(x, y, size, size - 5)
        if box.on(image.shape) != box:
            ours = np.nan_to_num(ours)
            theirs.data = np.nan_to_num(theirs.data)
        assert np.array_equal(theirs.data.astype(np.float32), ours, equal_nan=True)


@needs_fitscut
@pytest.mark.parametrize("name", SHOWN)
def test_pictures_look_like_those_that_fitscut_draws(name):
    file = IMAGES / f"{name}.fits"
    image = opened(file)
    ny, nx = image.shape
    size = min(nx, ny, 200)
    data = cut(image, Box.centred(nx // 2, ny // 2, size, size)).data
    place = (f"-x{nx // 2}", f"-y{ny // 2}", f"-c{size}", f"-r{size}")
    for options, look, most in (
        (("--autoscale=99.5",), Look(scale=Scale.PERCENTILES), 1.5),
        (("--min=100", "--max=5000"), Look(low=(100.0,), high=(5000.0,)), 1.0),
    ):
        theirs = draw_jpeg(file, *place, *options).astype(float)
        ours = np.asarray(Pictures.open(BytesIO(render([data], look, "jpeg")))).astype(float)
        assert np.abs(theirs - ours).mean() < most
