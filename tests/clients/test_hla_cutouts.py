"""The image sections of documents 000 and 001, against the demonstration: `get_hla_cutout`, mosaics, pairs of sizes.

The function is the one of the notebooks (requests, PIL, the same parameters and defaults); the server is ours.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from io import BytesIO

import numpy as np
import pytest
import requests
import serving
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

NOVA = 1905457
"""MatchID of the nova in M87 of document 001."""
VARIABLE = 80189155
"""MatchID of the variable in IC 1613 of document 000."""


@pytest.fixture(scope="module")
def url(simulated):
    with serving.serving(simulated) as server:
        yield server.url


@pytest.fixture(scope="module")
def nova(url):
    """Its light curve in F606W, from faint to bright."""
    return sorted(_rows(url, "hcv", NOVA, "ACS_F606W"), key=lambda row: -row["CorrMag"])


def _rows(url, catalog, match_id, band):
    answer = requests.get(f"{url}/api/v0.1/hsc/v3/{catalog}.json", params={"MatchID": match_id, "Filter": band})
    answer.raise_for_status()
    found = answer.json()
    names = [column["name"] for column in found["info"]]
    return [dict(zip(names, row, strict=True)) for row in found["data"]]


def get_hla_cutout(url, imagename, ra, dec, size=33, autoscale=99.5, asinh=1, zoom=1):
    """Get JPEG cutout for an image."""
    given = {"ra": ra, "dec": dec, "size": size, "format": "jpeg", "red": imagename, "autoscale": autoscale,
             "asinh": asinh, "zoom": zoom}  # fmt: skip
    answer = requests.get(f"{url}/cgi-bin/fitscut.cgi", params=given)
    return Image.open(BytesIO(answer.content))


def place_of(url, match_id):
    answer = requests.get(f"{url}/api/v0.1/hsc/v3/hcvsummary.json", params={"MatchID": match_id})
    found = answer.json()
    names = [column["name"] for column in found["info"]]
    row = dict(zip(names, found["data"][0], strict=True))
    return row["RA"], row["Dec"]


def test_a_mosaic_of_a_variable_from_faint_to_bright(url):
    """Document 000: size 15, four to a row; each epoch of one filter."""
    ra, dec = place_of(url, VARIABLE)
    epochs = sorted(_rows(url, "hcv", VARIABLE, "ACS_F475W"), key=lambda row: -row["CorrMag"])
    assert len(epochs) == 12
    start = time.monotonic()
    stamps = [get_hla_cutout(url, row["ImageName"], ra, dec, size=15) for row in epochs]
    assert time.monotonic() - start < 10.0
    assert {(stamp.mode, stamp.size, stamp.format) for stamp in stamps} == {("L", (15, 15), "JPEG")}
    mosaic = np.concatenate([np.concatenate([np.asarray(s) for s in stamps[i : i + 4]], axis=1) for i in (0, 4, 8)])
    assert mosaic.shape == (45, 60)
    for stamp in stamps:
        pixels = np.asarray(stamp).astype(int)
        assert pixels[6:9, 6:9].mean() > pixels.mean() + 40


def test_a_nova_brightens_in_pairs_of_two_sizes(url, nova):
    """Document 001: the brightest, the median and the faintest epoch, 19 and 101 pixels."""
    ra, dec = place_of(url, NOVA)
    chosen = (nova[-1], nova[len(nova) // 2], nova[0])
    pairs = [[get_hla_cutout(url, row["ImageName"], ra, dec, size=n, asinh=True) for n in (19, 101)] for row in chosen]
    assert [[stamp.size for stamp in pair] for pair in pairs] == [[(19, 19), (101, 101)]] * 3


def test_fits_of_the_same_place_shows_the_nova_as_bright_as_the_catalogue_says(url, nova):
    """Where the notebook only looks, a program measures: the flux ratio of two epochs is that of the magnitudes."""
    ra, dec = place_of(url, NOVA)
    fluxes, mags = [], []
    for row in (nova[-1], nova[-3]):
        given = {"ra": ra, "dec": dec, "size": 41, "format": "fits", "red": row["ImageName"]}
        answer = requests.get(f"{url}/cgi-bin/fitscut.cgi", params=given)
        with fits.open(BytesIO(answer.content)) as hdus:
            data, wcs = hdus[0].data, WCS(hdus[0].header)
        x, y = wcs.all_world2pix(ra, dec, 0)
        far = np.hypot(*np.meshgrid(np.arange(41) - x, np.arange(41) - y))
        fluxes.append(data[far < 4].sum() - np.median(data[(far > 10) & (far < 18)]) * (far < 4).sum())
        mags.append(row["CorrMag"])
    assert -2.5 * np.log10(fluxes[0] / fluxes[1]) == pytest.approx(mags[0] - mags[1], abs=0.15)


@pytest.mark.skipif(shutil.which("fitscut") is None, reason="Debian's fitscut is not installed")
def test_a_picture_is_the_one_that_fitscut_draws_of_the_same_pixels(url, nova, tmp_path):
    """The program gets the pixels as FITS, and the server is asked for the picture."""
    ra, dec = place_of(url, NOVA)
    asked = {"ra": ra, "dec": dec, "size": 150, "red": nova[-1]["ImageName"]}
    made = requests.get(f"{url}/cgi-bin/fitscut.cgi", params={**asked, "format": "fits"})
    (tmp_path / "cutout.fits").write_bytes(made.content)
    levels = np.percentile(fits.getdata(tmp_path / "cutout.fits"), (5, 99))
    low, high = (f"{level:.4f}" for level in levels)
    options = ["--all", "--png", f"--min={low}", f"--max={high}", str(tmp_path / "cutout.fits")]
    drawn = subprocess.run(["fitscut", *options], capture_output=True, timeout=60, check=True).stdout
    shown = requests.get(f"{url}/cgi-bin/fitscut.cgi", params={**asked, "format": "png", "min": low, "max": high})
    ours, theirs = (np.asarray(Image.open(BytesIO(picture))).astype(int) for picture in (shown.content, drawn))
    assert np.abs(ours - theirs).max() <= 1
    assert ours.std() > 20
