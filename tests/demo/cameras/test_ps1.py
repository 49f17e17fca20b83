"""Stacks and warps of Pan-STARRS1, against its tessellation and against what is true of the objects."""

from __future__ import annotations

import functools
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.wcs import WCS

from skydex.archive import QueryRequest
from skydex.demo.cameras.ps1.pixels import _psf, _steps
from skydex.demo.cameras.ps1.skycells import PIXEL_ARCSEC, skycell_at, skycells_near
from skydex.demo.ps1.exposures import BANDS
from skydex.demo.ps1.variables import differences_mag, named

KQ_UMA = 190361393344112894
PRINTED_FILES = [
    (83.633, 22.0145, "1784.059"),
    (332.6004516572, 2.1998090576, "1405.053"),
    (49.950670, 41.511700, "2166.030"),
]
"""Positions with the skycells of their files, as notebooks and programs for the real archive print them."""


@pytest.fixture(scope="module")
def objects(pictured):
    return pq.read_table(pictured / "truth" / "ps1_objects.parquet").to_pylist()


def rows(archive, query):
    return archive.query(QueryRequest(query)).to_arrow().to_pylist()


def image_of(archive, name):
    images = archive.images()
    return images.open(images.get(name))


def counts(pixels, box):
    """Counts of a section, as the header tells to undo the scale."""
    header = pixels.header
    values = pixels.read(*box).astype(float)
    return header["BOFFSET"] + 2 * header["BSOFTEN"] * np.sinh(values * np.log(10) / 2.5)


@functools.cache
def share_within(steps, radius):
    return _psf(steps).enclosed(radius)


def magnitude(image, ra, dec, radius=12):
    """Magnitude and error of the light in a circle, and of what a star has outside of it."""
    header, (ny, nx) = image.pixels.header, image.shape
    x, y = WCS(header).all_world2pix(ra, dec, 0)
    x0, y0 = int(np.rint(x)) - 60, int(np.rint(y)) - 60
    if not (x0 >= 0 and x0 + 121 <= nx and y0 >= 0 and y0 + 121 <= ny):
        return None
    light = counts(image.pixels, (y0, y0 + 121, x0, x0 + 121))
    row, column = np.indices(light.shape)
    away = np.hypot(column + x0 - x, row + y0 - y)
    around = light[(away > 40) & (away < 58)]
    light -= np.median(around)
    share = share_within(_steps(header["CHIP.SEEING"] * PIXEL_ARCSEC), radius)
    flux, area = light[away <= radius].sum() / share, (away <= radius).sum()
    scatter = 1.4826 * np.median(np.abs(around - np.median(around)))
    noise = scatter * np.sqrt(area + 1.57 * area**2 / around.size) / share
    zero = header["FPA.ZP"] + 2.5 * np.log10(header["EXPTIME"])
    return zero - 2.5 * np.log10(max(flux, 1e-9)), 1.0857 * noise / max(flux, 1e-9)


def is_alone(one, objects):
    return not any(
        other["objID"] != one["objID"]
        and abs(other["dec"] - one["dec"]) < 16 / 3600
        and abs(other["ra"] - one["ra"]) * np.cos(np.radians(one["dec"])) < 16 / 3600
        for other in objects
        if other["mag_i"] is not None
    )


@pytest.mark.parametrize(("ra", "dec", "cell"), PRINTED_FILES)
def test_positions_lie_in_the_skycells_of_the_real_files(ra, dec, cell):
    assert skycell_at(ra, dec).name == f"rings.v3.skycell.{cell}"


def test_every_position_of_a_circle_lies_on_one_of_its_skycells():
    cells = skycells_near(187.706, 12.391, 0.2)
    angle = np.linspace(0, 2 * np.pi, 60)
    ra, dec = 187.706 + 0.2 * np.sin(angle) / np.cos(np.radians(12.39)), 12.391 + 0.2 * np.cos(angle)
    assert np.any([cell.holds(ra, dec) for cell in cells], axis=0).all()


def test_positions_are_those_of_the_header(archive):
    image = image_of(archive, f"{skycell_at(187.706, 12.391).name}.stk.i.unconv.fits")
    ra, dec = np.array([187.6, 187.75]), np.array([12.3, 12.45])
    expected = WCS(image.pixels.header).all_world2pix(ra, dec, 0)
    assert np.allclose(skycell_at(187.706, 12.391).pixels_of(ra, dec), expected, atol=1e-6)


def test_an_image_is_found_by_its_name_its_path_and_without_its_ending(archive):
    name = f"{skycell_at(187.706, 12.391).name}.stk.i.unconv"
    _, _, _, projcell, subcell, *_ = name.split(".")
    names = (name, f"{name}.fits", f"/rings.v3.skycell/{projcell}/{subcell}/{name}.fits")
    assert len({archive.images().get(one).did for one in names}) == 1


def test_stacks_show_objects_with_their_mean_magnitudes(archive, objects):
    stars = [one for one in objects if one["kind"] == "constant" and one["size"] == 0 and is_alone(one, objects)]
    apart, pulls = [], []
    for star in stars:
        if np.hypot(star["ra"] - 187.706, star["dec"] - 12.391) < 0.02:
            continue  # where M87 itself is bright
        for band in "griz":
            image = image_of(archive, f"{skycell_at(star['ra'], star['dec']).name}.stk.{band}.unconv.fits")
            found = magnitude(image, star["ra"], star["dec"])
            if found and found[1] < 0.1:
                apart.append(found[0] - star[f"mag_{band}"])
                pulls.append(apart[-1] / np.hypot(found[1], 0.01))
    assert len(apart) > 40
    assert abs(np.median(apart)) < 0.015
    assert np.median(np.abs(pulls)) * 1.4826 == pytest.approx(1.0, abs=0.3)


def test_warps_show_a_variable_star_as_bright_as_it_was(archive, objects):
    star = next(one for one in objects if one["objID"] == KQ_UMA)
    found = rows(
        archive,
        "SELECT name, t_min, t_max, filter FROM ps1.images"
        " WHERE target_name = 'KQ UMa' AND dataproduct_subtype = 'warp' AND filter = 'g' ORDER BY t_min",
    )
    assert len(found) >= 40
    measured, expected = [], []
    for row in found[:40]:
        measured.append(magnitude(image_of(archive, row["name"]), star["ra"], star["dec"])[0])
        mjd = np.array([(row["t_min"] + row["t_max"]) / 2])
        expected.append(star["mag_g"] + differences_mag(named("KQ UMa"), mjd, np.array([0]))[0])
    assert np.ptp(expected) > 0.7
    assert np.median(np.array(measured) - expected) == pytest.approx(0.0, abs=0.02)
    assert np.median(np.abs(np.array(measured) - expected)) < 0.01


def test_a_printed_measurement_has_a_warp_that_shows_it(archive):
    printed = rows(
        archive,
        "SELECT ra, dec, obsTime, psfFlux FROM ps1.Detection"
        f" WHERE objID = {KQ_UMA} AND filterID = 4 AND detectID < 1000000000000000000",
    )
    images = rows(
        archive,
        "SELECT name, t_min, t_max FROM ps1.images"
        " WHERE target_name = 'KQ UMa' AND filter = 'z' AND dataproduct_subtype = 'warp'",
    )
    assert printed
    for row in printed:
        (image,) = [one for one in images if abs((one["t_min"] + one["t_max"]) / 2 - row["obsTime"]) < 1e-6]
        mag, error = magnitude(image_of(archive, image["name"]), row["ra"], row["dec"])
        assert mag == pytest.approx(8.90 - 2.5 * np.log10(row["psfFlux"]), abs=0.02 + 4 * error)


def test_junk_is_in_the_one_image_in_which_it_was_detected(archive, pictured):
    record = archive.images().get(f"{skycell_at(187.706, 12.391).name}.stk.i.unconv.fits")
    place = json.loads(record.access)["place"]
    scene = pq.read_table(pictured / "truth" / "ps1_scenes.parquet").slice(*place["objects"])
    changes = pq.read_table(pictured / "truth" / "ps1_changes.parquet").slice(
        place["changes"][0], place["changes"][1] - place["changes"][0]
    )
    is_junk = scene["flux_i"].to_numpy() == 0
    of_junk = [one for one in changes["object"].to_numpy() if is_junk[one]]
    assert is_junk.sum() == len(set(of_junk)) == len(of_junk)


def test_a_section_has_the_same_values_whatever_else_is_read(archive):
    pixels = image_of(archive, f"{skycell_at(187.706, 12.391).name}.stk.r.unconv.fits").pixels
    assert np.array_equal(pixels.read(3000, 3200, 3000, 3150)[60:110, 40:90], pixels.read(3060, 3110, 3040, 3090))


def test_noise_of_a_pixel_makes_fluxes_as_uncertain_as_the_tables_say(archive):
    """Depth: a star of that magnitude has five sigma, if it is measured with its PSF (Horne 1986, PASP 98, 609)."""
    from skydex.demo.cameras.ps1.headers import Shot
    from skydex.demo.cameras.ps1.pixels import sharpness

    name = next(
        row["name"] for row in rows(archive, "SELECT TOP 1 name FROM ps1.images WHERE dataproduct_subtype = 'warp'")
    )
    shot = Shot.noted(archive.images().get(name).access)
    pixels = image_of(archive, name).pixels
    values = counts(pixels, (100, 300, 100, 300))
    deviation = 1.4826 * np.median(np.abs(values - np.median(values)))
    assert deviation == pytest.approx(shot.noise, rel=0.05)
    limit = 5 * deviation / np.sqrt(sharpness(shot.fwhm_arcsec)) / shot.counts_per_jy
    assert 8.90 - 2.5 * np.log10(limit) == pytest.approx(shot.look.depth, abs=0.06)


def test_bands_are_all_there(archive):
    found = rows(archive, "SELECT DISTINCT filter FROM ps1.images")
    assert {row["filter"] for row in found} == set(BANDS)
