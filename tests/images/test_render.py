"""Pictures: levels, stretches, sizes, colours, against fitscut, astropy and matplotlib."""

from __future__ import annotations

from io import BytesIO

import matplotlib
import numpy as np
import pytest
from astropy.nddata import block_reduce
from astropy.visualization import ZScaleInterval, make_lupton_rgb
from fitscut import draw_png, needs_fitscut, write_image
from PIL import Image as Pictures
from star_fields import stars

from skydex.errors import BadParameterError, UnsupportedFormatError
from skydex.images import PALETTES, Look, Scale, Stretch, render
from skydex.images.levels import levels_of, percentile_levels
from skydex.images.marks import Compass
from skydex.images.palettes import palette_of
from skydex.images.render import picture_of
from skydex.images.resizing import Resizing, resized, shrunk


@needs_fitscut
@pytest.mark.parametrize(
    ("options", "look"),
    [
        ((), Look()),
        (("--invert",), Look(is_inverted=True)),
        (("--zoom=3",), Look(zoom=3)),
        (("--min=2", "--max=40"), Look(low=(2.0,), high=(40.0,))),
        (("--min=2", "--max=40", "--sqrt-scale"), Look(low=(2.0,), high=(40.0,), stretch=Stretch.SQRT)),
    ],
)
def test_a_picture_is_the_one_that_fitscut_draws(tmp_path, options, look):
    data = stars()
    drawn = draw_png("--all", *options, write_image(tmp_path / "a.fits", data))
    assert np.array_equal(picture_of([data], look), drawn)


@needs_fitscut
def test_three_bands_are_red_green_and_blue_as_fitscut_has_them(tmp_path):
    bands = [stars(seed) for seed in (1, 2, 3)]
    files = [write_image(tmp_path / f"{k}.fits", band) for k, band in enumerate(bands)]
    options = [f"--{color}={file}" for color, file in zip(("red", "green", "blue"), files, strict=True)]
    drawn = draw_png("--all", "--min=2", "--max=40", *options)
    assert np.array_equal(picture_of(bands, Look(low=(2.0,), high=(40.0,))), drawn)


def test_the_first_row_of_a_picture_is_the_last_of_its_image():
    data = np.arange(1.0, 13.0).reshape(3, 4)
    assert picture_of([data], Look())[0, -1] == 255


def test_percentiles_are_numpys_but_for_the_width_of_a_bin():
    numbers = stars(n=400, shape=(300, 300)).ravel()
    low, high = percentile_levels(numbers, (1.0, 99.5))
    width = float(numbers.max() - numbers.min()) / 50_000
    assert low == pytest.approx(np.percentile(numbers, 1.0), abs=2 * width)
    assert high == pytest.approx(np.percentile(numbers, 99.5), abs=2 * width)


def test_a_hot_pixel_does_not_spoil_the_levels():
    numbers = stars(n=400, shape=(300, 300)).ravel()
    plain = percentile_levels(numbers, (0.5, 99.5))
    hot = percentile_levels(np.append(numbers, np.float32(1e9)), (0.5, 99.5))
    assert tuple(hot) == pytest.approx(tuple(plain), rel=0.02)


def test_noise_alone_stays_dim():
    numbers = np.random.default_rng(1).normal(0.0, 1.0, 100_000).astype(np.float32)
    low, high = percentile_levels(numbers, (0.5, 99.5))
    assert high == pytest.approx(np.median(numbers) + 5.0 * (np.median(numbers) - low), abs=0.05)


def test_pixels_without_a_measurement_have_no_part_in_levels():
    data = stars()
    spoilt = np.concatenate([data, np.zeros_like(data), np.full_like(data, np.nan)])
    look = Look(scale=Scale.PERCENTILES)
    assert levels_of(spoilt, look) == levels_of(data, look)


@pytest.mark.parametrize("stretch", list(Stretch))
@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0, -3.0, 1e30, np.inf])
def test_an_image_that_is_the_same_everywhere_becomes_a_picture_all_the_same(stretch, scale, value):
    flat = np.full((5, 7), value, np.float32)
    assert picture_of([flat], Look(stretch=stretch, scale=scale)).shape == (5, 7)
    assert picture_of([flat, stars(shape=(5, 7)), flat], Look(stretch=stretch, scale=scale)).shape == (5, 7, 3)


@pytest.mark.parametrize("stretch", list(Stretch))
def test_every_stretch_keeps_the_order_of_brightness_and_bad_pixels_black(stretch):
    data = np.sort(stars().ravel())
    data[:3] = (np.nan, np.inf, 0.0)
    grey = picture_of([data[None, :]], Look(stretch=stretch, scale=Scale.PERCENTILES))[0]
    assert (np.diff(grey[3:].astype(int)) >= 0).all()
    assert grey[-1] > 200
    assert not grey[:3].any()


def test_zscale_is_iraf_s():
    data = stars(n=400, shape=(300, 300))
    assert levels_of(data, Look(scale=Scale.ZSCALE)) == pytest.approx(ZScaleInterval().get_limits(data.ravel()))


def test_lupton_s_colours_are_those_of_astropy():
    bands = [stars(seed) - 5.0 for seed in (1, 2, 3)]
    look = Look(stretch=Stretch.LUPTON, low=(0.0,), high=(1.0,), lupton_q=8.0, lupton_stretch=5.0)
    expected = make_lupton_rgb(*bands, minimum=0.0, stretch=5.0, Q=8.0)
    differences = np.abs(picture_of(bands, look)[::-1].astype(int) - expected)
    assert differences.max() <= 1


def test_asinh_leaves_the_hue_alone():
    band = stars()
    greys = picture_of([band, band * 0.5, band * 0.25], Look(stretch=Stretch.ASINH, low=(0.0,), high=(300.0,)))
    bright = greys[(greys[..., 0] > 100) & (greys[..., 0] < 255)].astype(float)
    assert bright[:, 1] / bright[:, 0] == pytest.approx(0.5, abs=0.02)


def test_green_that_is_missing_is_the_mean_of_red_and_blue():
    red, blue = stars(1), stars(2)
    picture = picture_of([red, None, blue], Look())
    assert np.array_equal(picture[..., 1], (picture[..., 0].astype(int) + picture[..., 2]) // 2)


def test_blocks_are_means_of_what_is_good():
    data = stars(shape=(61, 83))
    data[0, 0], data[30:34, 40:43] = 0.0, np.nan
    padded = np.full((64, 84), np.nan)
    padded[:61, :83] = np.where(data == 0.0, np.nan, data)
    expected = block_reduce(padded, 4, func=np.nanmean)
    assert shrunk(data, 4) == pytest.approx(expected, rel=1e-5, nan_ok=True)


@pytest.mark.parametrize(
    ("shape", "look", "expected"),
    [
        ((60, 80), Look(zoom=0.33), (20, 27)),
        ((60, 80), Look(zoom=0.5), (30, 40)),
        ((60, 80), Look(zoom=2.4), (120, 160)),
        ((60, 80), Look(zoom=0.001), (1, 1)),
        ((60, 80), Look(output_size=40), (30, 40)),
        ((4000, 3000), Look(output_size=1024), (1024, 768)),
        ((33, 33), Look(output_size=300), (300, 300)),
        ((1, 1), Look(output_size=3), (3, 3)),
        ((1, 5000), Look(output_size=10), (1, 10)),
    ],
)
def test_sizes_are_those_that_were_asked_for(shape, look, expected):
    assert Resizing.of(shape, look).shape == expected
    assert resized(np.ones(shape), look).shape == expected


@pytest.mark.parametrize("name", ["viridis", "magma", "inferno", "cividis"])
def test_even_palettes_look_like_matplotlib_s(name):
    expected = (matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).round()
    assert np.abs(palette_of(name) - expected).max() <= 11


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_palettes_colour_pictures_of_one_band(name, format):
    picture = Pictures.open(BytesIO(render([stars()], Look(palette=name), format)))
    assert picture.size == (80, 60)
    assert (picture.mode == "L") == (name == "gray")


def test_an_unknown_palette_is_told_those_that_there_are():
    with pytest.raises(BadParameterError, match="viridis"):
        render([stars()], Look(palette="beige"))


def test_an_unknown_format_is_refused():
    with pytest.raises(UnsupportedFormatError, match="png, jpeg"):
        render([stars()], Look(), "gif")


def test_quality_makes_a_jpeg_smaller():
    data = stars(shape=(200, 200))
    small, large = (render([data], Look(quality=quality), "jpeg") for quality in (20, 90))
    assert len(small) < len(large) / 2


def test_arrows_and_cross_hairs_are_drawn():
    dark = np.full((200, 200), 1.0)
    look = Look(low=(1.0,), high=(2.0,), has_compass=True, has_marker=True)
    picture = np.asarray(Pictures.open(BytesIO(render([dark], look, compass=Compass(90.0, 180.0)))))
    assert picture[99, 20:85].min() == 255
    assert picture[99, 95:105].max() == 0
    assert (picture[:60, 150:] == 255).sum() > 50


@pytest.mark.parametrize(
    "given", [{"zoom": 0.0}, {"zoom": float("nan")}, {"output_size": 0}, {"percent": (60.0, 40.0)}, {"quality": 0}]
)
def test_a_look_that_makes_no_sense_is_refused(given):
    with pytest.raises(BadParameterError):
        Look(**given)
