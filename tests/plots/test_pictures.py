"""Cutouts and stamps are shown the right way up, with their titles, and without a warning."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from PIL import Image

import skydex
from skydex import plots
from skydex.errors import BadParameterError


def star(side: int = 15) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    pixels = 1000.0 * np.exp(-(x**2 + (y - 2) ** 2) / 4.0) + np.random.default_rng(1).normal(0, 3, (side, side))
    return np.asarray(pixels)


def test_images_stand_in_rows_with_their_titles_and_what_is_left_over_is_empty() -> None:
    axes = plots.cutouts([star()] * 6, columns=4, titles=[str(number) for number in range(6)])
    assert axes.shape == (2, 4)
    assert [ax.get_title() for ax in axes.ravel()] == ["0", "1", "2", "3", "4", "5", "", ""]
    assert [len(ax.images) for ax in axes.ravel()] == [1] * 6 + [0] * 2


def test_numbers_have_their_first_row_at_the_bottom_and_pictures_at_the_top() -> None:
    picture = np.zeros((8, 8), np.uint8)
    axes = plots.cutouts([star(), picture, Image.fromarray(picture)], columns=3)
    assert [ax.images[0].origin for ax in axes[0]] == ["lower", "upper", "upper"]


def test_a_box_stands_about_the_middle_pixel() -> None:
    (patch,) = plots.cutouts(star(101), box=19)[0, 0].patches
    assert patch.get_bbox().bounds == (40.5, 40.5, 19.0, 19.0)


def test_the_box_of_a_wide_view_is_what_the_close_one_shows() -> None:
    axes = plots.cutout_pairs([star(19)] * 2, [star(101)] * 2, titles=["a", "b"])
    assert axes.shape == (2, 2)
    assert not axes[0, 0].patches
    assert axes[1, 1].patches[0].get_bbox().bounds == (40.5, 40.5, 19.0, 19.0)
    assert axes[1, 0].get_title(loc="left") == "b"
    with pytest.raises(BadParameterError, match="has 1 images"):
        plots.cutout_pairs([star(19)] * 2, [star(101)])


def test_titles_are_made_from_the_columns_of_cutouts(simulated: Path) -> None:
    archive = skydex.connect("mast-psf", at=str(simulated))
    stamps = archive.stamps("UVIS", maxrec=3)
    axes = plots.cutouts(stamps, columns=3, titles="{rootname} {qfit:.3f}", stretch="log")
    row = stamps.table[1]
    assert axes[0, 1].get_title() == f"{row['rootname']} {row['qfit']:.3f}"
    with pytest.raises(BadParameterError, match="rootname"):
        plots.cutouts(stamps, titles="{nothing}")
    assert plots.stamp(stamps[0]).get_title() == stamps[0].file_name


def test_a_cutout_that_could_not_be_had_says_why() -> None:
    class Missing:
        data, origin, name, problem = np.zeros((0, 0)), "lower", "a", "no such image"

    axes = plots.cutouts([star(), Missing()], box=3)
    assert [text.get_text() for text in axes[0, 1].texts] == ["no such image"]
    assert not axes[0, 1].images


def test_one_image_alone_is_drawn_whatever_it_is() -> None:
    class One:
        data, origin, name = star(), "lower", "hst_10505_12"

    for one in (star(), One(), Image.fromarray(np.zeros((8, 8, 3), np.uint8)), star()[None]):
        assert len(plots.cutouts(one)[0, 0].images) == 1
    assert plots.cutouts(One())[0, 0].get_title() == "hst_10505_12"


def test_no_image_at_all_is_an_empty_figure() -> None:
    assert plots.cutouts([]).shape == (1, 4)


def test_words_that_mean_nothing_are_told() -> None:
    with pytest.raises(BadParameterError, match="asinh"):
        plots.cutouts([star()], stretch="sinus")
    with pytest.raises(BadParameterError, match="2 images"):
        plots.cutouts([star()] * 2, titles=["one"])
    with pytest.raises(BadParameterError, match="table"):
        plots.cutouts([star()], titles="{MJD}")


def test_a_stamp_in_logarithmic_grey_raises_no_warning_and_shows_the_sky_and_bad_pixels() -> None:
    pixels = star(51)
    pixels[3, 4], pixels[5, 6] = np.nan, -100.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.stamp(pixels, title="star.fits")
        ax.figure.canvas.draw()
    shown = ax.images[0].get_array()
    assert shown[5, 6] == shown.min() > 0.0
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[3, 4]
    assert ax.images[0].origin == "lower"
    assert ax.get_title() == "star.fits"


def test_a_stamp_is_read_from_a_file_of_fits_with_its_unit(tmp_path: Path) -> None:
    path = tmp_path / "ibc302ioq_8184981_F814W_flt_cutout.fits"
    header = fits.Header({"BUNIT": "ELECTRONS"})
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(star(51), header)]).writeto(path)
    ax = plots.stamp(path)
    assert ax.get_title() == path.name
    with fits.open(path) as hdus:
        assert plots.stamp(hdus[1]).figure.axes[1].get_ylabel() == "electrons"


@pytest.mark.parametrize("pixels", [np.zeros((5, 5)), np.full((5, 5), np.nan), np.full((5, 5), -1.0), np.ones((5, 5))])
def test_a_stamp_without_a_star_is_drawn(pixels: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.stamp(pixels).figure.canvas.draw()


def test_a_table_of_units_gives_titles_without_them() -> None:
    class Listed(list):  # type: ignore[type-arg]
        table = QTable({"mag": [22.1234]}, units={"mag": "mag"})

    assert plots.cutouts(Listed([star()]), titles="m={mag:.3f}")[0, 0].get_title() == "m=22.123"
