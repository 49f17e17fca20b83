"""Stamps of stars from the PSF databases, beside the tools that astronomers know; near and far."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import requests
from astropy import units as u
from astropy.io import fits

sys.path.append(str(Path(__file__).parents[1] / "web"))

import psfground
import serving

from skydex import col
from skydex.client import psf
from skydex.errors import BadParameterError, NotOfferedError, RefusedError, UnknownColumnError

CORNER = (col.psf_x_center.between(100, 102), col.psf_y_center.between(100, 102), {"n_sat_pixels": "0"})


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return psfground.build_simulated(tmp_path_factory.mktemp("stamps"))


@pytest.fixture(scope="module")
def url(directory):
    with serving.serving(directory) as server:
        yield server.url


@pytest.fixture(scope="module", params=["near", "far"])
def archive(request, directory):
    import skydex

    at = directory if request.param == "near" else request.getfixturevalue("url")
    with skydex.connect("mast-psf", at=at) as archive:
        yield archive


def test_the_document_in_one_line(archive, url):
    """Six stars; each stamp is, pixel for pixel, what `fits.getdata` makes of the notebook's own address."""
    stamps = archive.stamps("UVIS", *CORNER)
    assert stamps.cube.shape == (6, 51, 51)
    assert "ibc302ioq_8184981_F814W_flt_cutout.fits" in list(stamps.table["file"])
    for stamp, uri in zip(stamps, stamps.table["dataURI"], strict=True):
        (address,) = psf.data_urls([str(uri)], f"{url}/cgi-bin/hla/")
        theirs = fits.getdata(BytesIO(requests.get(address, timeout=30).content))
        assert (stamp.data != theirs).sum() == 0
    assert not list(filter(None, stamps.table["problem"]))


def test_the_steps_one_by_one_lead_to_the_same_pixels(archive, url, tmp_path):
    """Every public function of the notebook's module: query, URIs, single, pool, bundle, addresses, extraction."""
    stars = archive.stars("UVIS", *CORNER, columns=psf.STAMP_COLUMNS)
    uris = psf.data_uris(stars, "UVIS", ["flt"])
    stamps = archive.stamps("UVIS", *CORNER)
    assert uris == list(stamps.table["dataURI"])
    pool = archive.download(uris, tmp_path / "pool")
    bundle = archive.download(uris, tmp_path / "bundle", bundle=True)
    for n, (one, other) in enumerate(zip(pool.paths, bundle.paths, strict=True)):
        assert one.name == other.name == stamps.table["file"][n]
        assert one.read_bytes() == other.read_bytes() == stamps[n].content
    assert archive.download(stamps.table, tmp_path / "pool").n_fetched == 0
    for references in (uris, psf.data_urls(uris, f"{url}/cgi-bin/hla/")):
        assert np.array_equal(archive.cutouts(references).cube, stamps.cube)


def test_a_condition_may_have_a_unit(archive):
    seconds = archive.stars("UVIS", col.exptime >= 300)
    minutes = archive.stars("UVIS", col.exptime >= 5 * u.min)
    assert 0 < len(seconds) == len(minutes) < len(archive.stars("UVIS"))


def test_the_star_is_in_the_middle(archive):
    for stamp in archive.stamps("UVIS", *CORNER):
        core = stamp.data[20:31, 20:31]
        assert max(abs(np.array(np.unravel_index(core.argmax(), core.shape)) - 5)) <= 1


def test_the_table_has_what_the_database_says(archive):
    stamps = archive.stamps("UVIS", *CORNER)
    stars = archive.stars("UVIS", *CORNER)
    assert list(stamps.table["id"]) == list(stars["id"])
    assert stamps[0].meta["rootname"] == stars["rootname"][0]
    few = archive.stamps("UVIS", *CORNER, columns="focus, mjd")
    assert few.table.colnames == [*psf.STAMP_COLUMNS, "focus", "mjd", "dataURI", "file", "problem"]


def test_several_kinds_of_files_and_sizes(archive):
    stamps = archive.stamps("UVIS", *CORNER, suffix=["flt", "raw"], size=21)
    assert len(stamps) == 12
    assert stamps.cube.shape == (12, 21, 21)
    assert [file.split("_")[-2] for file in stamps.table["file"][:4]] == ["flt", "raw", "flt", "raw"]
    assert list(stamps.table["id"][::2]) == list(stamps.table["id"][1::2])


def test_saturated_stars_have_larger_stamps_in_one_cube(archive):
    stamps = archive.stamps("UVIS", {"psf_x_center.between": (500, 1500)}, maxrec=40)
    sides = {(stamp.meta["qfit"] > 0, stamp.shape) for stamp in stamps}
    assert sides <= {(True, (51, 51)), (False, (101, 101))}
    if len(sides) == 2:
        assert stamps.cube.shape[1:] == (101, 101)
        small = next(n for n, stamp in enumerate(stamps) if stamp.shape == (51, 51))
        assert np.array_equal(stamps.cube[small, 25:76, 25:76], stamps[small].data, equal_nan=True)


@pytest.mark.parametrize(("detector", "file"), [("IR", "flt"), ("WFPC2", "c0m")])
def test_every_detector_has_stamps(archive, detector, file):
    stamps = archive.stamps(detector, maxrec=20)
    assert len(stamps) == 20, "more than come one by one"
    assert all(f"_{file}_cutout.fits" in name for name in stamps.table["file"])
    assert np.isfinite(stamps.cube).any(axis=(1, 2)).all()


def test_no_star_is_no_error(archive):
    stamps = archive.stamps("UVIS", col.psf_x_center.between(-2, -1))
    assert len(stamps) == 0
    assert {"dataURI", "file", "problem"} <= set(stamps.table.colnames)


def test_wrong_words_are_told(archive):
    with pytest.raises(BadParameterError, match="UVIS, IR, WFPC2"):
        archive.stamps("ACS")
    with pytest.raises(BadParameterError, match="suffix"):
        archive.stamps("IR", suffix="flc", maxrec=1)
    with pytest.raises((UnknownColumnError, RefusedError), match="psf_z"):
        archive.stamps("UVIS", col.psf_z == 1)
    with pytest.raises(NotOfferedError, match="choose among"):
        archive.stamps("UVIS", ~(col.chip == "1"))
