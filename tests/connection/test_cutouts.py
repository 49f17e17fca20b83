"""Cutouts and stamps of an archive, in the words of an astronomer; near and far."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.table import Table
from astropy.wcs import WCS
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "web"))

import pictures
import serving

import skydex
from skydex.errors import BadParameterError, NotOfferedError, RefusedError, SkydexError, UnknownImageError

F606W, F814W, TURNED = (f"hst_10543_29_acs_wfc_{name}" for name in ("f606w", "f814w", "f435w"))
CENTRE = SkyCoord(pictures.RA, pictures.DEC, unit="deg")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return pictures.build(tmp_path_factory.mktemp("cutouts"))


@pytest.fixture(scope="module")
def url(directory):
    with serving.serving(directory) as server:
        yield server.url


@pytest.fixture(scope="module", params=["near", "far"])
def archive(request, directory):
    target = directory if request.param == "near" else request.getfixturevalue("url")
    with skydex.connect(target) as archive:
        yield archive


def test_a_cutout_is_the_one_that_astropy_cuts(archive):
    place = SkyCoord(pictures.RA + 0.0005, pictures.DEC - 0.0003, unit="deg")
    cutout = archive.cutout(F606W, place, size=(31, 21))
    header = pictures.header_of()
    true = Cutout2D(pictures.numbers(), place, (21, 31), WCS(header))
    assert cutout.shape == true.data.shape
    assert np.array_equal(cutout.data, true.data)
    assert cutout.wcs.pixel_to_world(3, 4).separation(true.wcs.pixel_to_world(3, 4)) < 1e-6 * u.arcsec
    assert (cutout.form, cutout.origin, cutout.name) == ("fits", "lower", F606W)


def test_beyond_the_edge_there_is_nothing(archive):
    cutout = archive.cutout(F606W, x=0, y=0, size=11)
    true = Cutout2D(pictures.numbers(), (0, 0), 11, mode="partial", fill_value=np.nan)
    assert np.array_equal(cutout.data, true.data, equal_nan=True)


def test_the_place_may_be_written_in_every_usual_way(archive):
    place = CENTRE.directional_offset_by(30 * u.deg, 1.01 * u.arcsec)  # within a pixel, not between two
    ra, dec = place.ra, place.dec
    ways = [place, (ra.deg, dec.deg), place.galactic, (ra, dec), (ra.to_string("hour"), dec.to_string("deg"))]
    cutouts = [archive.cutout(F606W, where, size=5).data for where in ways]
    assert all(np.array_equal(cutout, cutouts[0]) for cutout in cutouts)
    assert archive.cutout(F606W, size=5).shape == (5, 5)


def test_a_size_on_the_sky_is_brought_to_pixels(archive):
    assert archive.cutout(F606W, CENTRE, size=2 * u.arcsec).shape == (40, 40)
    several = archive.cutouts([F606W, "rings.v3.skycell.1784.059.stk.g.unconv.fits"], CENTRE, size="2 arcsec")
    assert [cutout.shape for cutout in several] == [(40, 40), (8, 8)]
    assert archive.cutout(F606W, CENTRE, size=7 * u.pix).shape == (7, 7)


@pytest.mark.parametrize(("form", "kind"), [("jpeg", "JPEG"), ("png", "PNG")])
def test_pictures_are_those_of_fitscut(archive, form, kind):
    cutout = archive.cutout(F606W, CENTRE, size=41, form=form, autoscale=99.5, asinh=True, zoom=2)
    with Image.open(BytesIO(cutout.content)) as picture:
        assert (picture.format, picture.mode, picture.size) == (kind, "L", (82, 82))
        assert np.array_equal(cutout.data, np.asarray(picture))
    assert cutout.image.size == (82, 82)
    assert (cutout.origin, cutout.header, cutout.wcs) == ("upper", None, None)


def test_three_images_make_a_colour_picture(archive):
    cutout = archive.cutout((F814W, F606W, F606W), CENTRE, size=21, form="png")
    assert cutout.data.shape == (21, 21, 3)
    assert archive.cutout((F814W, F606W, F606W), CENTRE, size=21).data.shape == (3, 21, 21)


def test_a_picture_of_fits_stands_as_the_sky_does(archive):
    image = archive.cutout(F606W, CENTRE, size=21).image
    pixels = np.asarray(image).astype(int)
    assert pixels[0].mean() > pixels[-1].mean(), "numbers grow upwards in this image"


def test_what_is_not_there_is_said(archive):
    with pytest.raises((UnknownImageError, RefusedError), match="hst_nothing"):
        archive.cutout("hst_nothing", CENTRE)
    with pytest.raises(SkydexError, match="does not reach"):
        archive.cutout(F606W, (10, 10))
    with pytest.raises(BadParameterError, match="both needed"):
        archive.cutout(F606W, x=3)
    with pytest.raises(BadParameterError, match="size"):
        archive.cutout(F606W, CENTRE, size="big")
    with pytest.raises(SkydexError, match="gif"):
        archive.cutout(F606W, CENTRE, form="gif")


def epochs():
    return Table(
        {
            "MJD": [55000.0, 54000.0, 54100.0],
            "ImageName": [F606W, F814W, "hst_gone"],
            "RA": [pictures.RA] * 3,
            "Dec": [pictures.DEC] * 3,
        },
        units={"RA": "deg", "MJD": "d"},
    )


def test_every_row_has_a_cutout_or_a_reason(archive):
    found = archive.cutouts(epochs(), size=9)
    assert found.cube.shape == (3, 9, 9)
    assert list(found.good) == [True, True, False]
    assert np.array_equal(found.cube[0] + 1, found.cube[1])
    assert np.isnan(found.cube[2]).all()
    assert "hst_gone" in found.table["problem"][2]
    assert found.table["MJD"].unit == u.d
    assert found[1].meta["MJD"] == 54000 * u.d
    assert "1 could not be had" in repr(found)
    assert found.wcs[2] is None


def test_rows_without_an_image_or_a_place_do_not_spoil_the_others(archive):
    rows = Table(epochs(), masked=True)
    rows["ImageName"].mask = [True, False, False]
    rows["RA"][2], rows["ImageName"][2] = np.nan, F606W
    found = archive.cutouts(rows, size=9)
    assert list(found.good) == [False, True, False]
    assert "no name" in found.table["problem"][0]
    assert archive.cutouts([F606W, F606W], CENTRE, size=5).good.all()


def test_cutouts_can_be_chosen_as_rows_can(archive):
    found = archive.cutouts(epochs(), CENTRE, size=9)
    assert found[found.good].cube.shape == (2, 9, 9)
    assert list(found[::-1].table["MJD"].value) == [54100, 54000, 55000]
    assert [cutout.name for cutout in found[[1, 0]]] == [F814W, F606W]
    assert len(list(found)) == len(found) == 3


def test_a_light_curve_has_the_images_of_its_rows(archive):
    from skydex.lightcurve import LightCurve

    rows = epochs()[:2]
    curve = LightCurve.of_points(rows["MJD"], [20.0, 21.0], band="F606W", rows=rows)
    found = archive.cutouts(curve, size=9)
    assert [cutout.name for cutout in found] == [F814W, F606W], "in the order of time"


def test_where_none_can_be_had_the_first_reason_is_raised(archive):
    with pytest.raises((UnknownImageError, RefusedError), match="hst_gone"):
        archive.cutouts(["hst_gone", "hst_lost"], CENTRE)
    with pytest.raises(BadParameterError, match="where"):
        archive.cutouts([F606W])
    with pytest.raises(BadParameterError, match="ImageName"):
        archive.cutouts(epochs(), image="Picture")
    assert len(archive.cutouts([], CENTRE)) == 0


def test_different_sizes_have_one_middle(archive):
    from skydex.connection.cutouts import Cutouts

    small, large = (archive.cutouts([F606W], CENTRE, size=size) for size in (5, 9))
    both = Cutouts((*small, *large), large.table[[0, 0]])
    assert both.cube.shape == (2, 9, 9)
    assert np.array_equal(both.cube[0, 2:7, 2:7], both.cube[1, 2:7, 2:7])
    assert np.isnan(both.cube[0, 0]).all()


@pytest.mark.filterwarnings("error")
def test_what_is_written_is_read_by_astropy(archive, tmp_path):
    found = archive.cutouts(epochs(), size=9)
    found.write(tmp_path / "cube.fits")
    with fits.open(tmp_path / "cube.fits") as hdus:
        assert np.array_equal(hdus[0].data, found.cube, equal_nan=True)
        assert list(hdus["TABLE"].data["ImageName"]) == list(epochs()["ImageName"])
    found.write(tmp_path / "each.fits", layout="extensions")
    with fits.open(tmp_path / "each.fits") as hdus:
        assert [hdu.ver for hdu in hdus if hdu.name == "CUTOUT"] == [1, 2]
        assert np.array_equal(hdus["CUTOUT", 2].data, found[1].data)
        middle = WCS(hdus["CUTOUT", 1].header).pixel_to_world(4, 4)
    assert middle.separation(CENTRE) < 0.05 * u.arcsec
    paths = found.write_each(tmp_path / "files")
    assert len(paths) == 2
    assert np.array_equal(fits.getdata(paths[0]), found[0].data)
    with pytest.raises(BadParameterError, match="overwrite"):
        found.write(tmp_path / "cube.fits")


def test_pictures_of_many_epochs_are_one_cube_of_bytes(archive, tmp_path):
    found = archive.cutouts(epochs(), size=15, form="jpeg", asinh=1)
    assert (found.cube.shape, found.cube.dtype) == ((3, 15, 15), np.uint8)
    assert not found.cube[2].any()
    with pytest.raises(BadParameterError, match="pictures"):
        found.write(tmp_path / "x.fits")


def test_products_are_read_as_they_are_named(archive):
    from skydex.client import psf

    star = {"id": 1, "rootname": "ibc302ioq", "filter": "F814W", "chip": "2", "qfit": 0.1, "subarray": 0}
    star |= {"x_cal": 50, "y_cal": 60, "x_raw": 75, "y_raw": 60}
    uris = psf.data_uris([star, {**star, "x_cal": 51}], "UVIS", unsaturated_size=11)
    found = archive.cutouts(uris)
    assert np.array_equal(found.cube[0][:, 1:], found.cube[1][:, :-1])


def test_images_of_a_place_are_found_and_cut(archive):
    found = archive.images(CENTRE)
    assert {F606W, F814W, TURNED} <= set(found["image"])
    assert len(archive.images((10, 10))) == 0
    several = archive.cutouts(found[np.isin(found["image"], [F606W, F814W])], CENTRE, size=7)
    assert {cutout.name for cutout in several} == {F606W, F814W}


@pytest.mark.parametrize("where", ["near", "far"])
def test_images_of_pan_starrs_are_those_that_its_own_service_names(directory, url, where):
    theirs = Table.read(f"{url}/cgi-bin/ps1filenames.py?ra={pictures.RA}&dec={pictures.DEC}", format="ascii")
    with skydex.connect("panstarrs", at=directory if where == "near" else url) as archive:
        stacks = archive.images(CENTRE)
        assert list(stacks["image"]) == list(theirs["filename"])
        assert "".join(stacks["band"]) == "grizy"
        warps = archive.images(CENTRE, bands="g", kind="warp")
        assert list(np.floor(warps["mjd"].value)) == [55230, 55231]
        red, green, blue = (stacks["image"][stacks["band"] == band][0] for band in "irg")
        assert archive.cutout((red, green, blue), CENTRE, size=20, form="jpeg").data.shape == (20, 20, 3)
        assert archive.cutouts(stacks, CENTRE, size=5).cube.shape == (5, 5, 5)


def test_an_archive_that_lists_no_images_says_so(url):
    with skydex.connect("mast-hsc", at=url) as archive, pytest.raises(NotOfferedError, match="images"):
        archive.images(CENTRE)


def test_images_are_asked_for_by_what_every_obscore_has(simulated):
    """The Chandra Source Catalog has the columns of ObsCore that are mandatory, and no others."""
    found = skydex.connect("csc21", at=simulated).images((46.8, 2.26))
    assert "image" in found.colnames


def test_a_preset_without_images_says_so(url):
    with skydex.connect("csc21", at=url) as archive, pytest.raises(NotOfferedError, match="cutout"):
        archive.cutout(F606W, CENTRE)
