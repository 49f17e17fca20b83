"""The document on PSF cutouts, step by step, with its tools and astroquery as they are."""

from __future__ import annotations

import tarfile

import numpy as np
import psf_tools
import psfground
import pytest
import requests
import serving
from astropy.config import set_temp_cache
from astropy.io import fits
from astroquery.exceptions import RemoteServiceError
from astroquery.mast import Mast
from astroquery.mast.discovery_portal import PortalAPI

MINIMUM = ["id", "rootname", "filter", "x_cal", "y_cal", "x_raw", "y_raw", "chip", "qfit", "subarray"]
PUBLISHED = "ibc302ioq_8184981_F814W_{}_cutout.fits"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    with serving.serving(psfground.build_ground(tmp_path_factory.mktemp("psf"))) as server:
        yield server


@pytest.fixture
def tools(archive, monkeypatch, tmp_path):
    """The tools, with the address of the archive changed, in a folder and with a cache of their own."""
    monkeypatch.setattr(psf_tools, "SERVER", archive.url)
    monkeypatch.setattr(psf_tools, "ARCHIVE", archive.url)
    monkeypatch.setattr(PortalAPI, "MAST_REQUEST_URL", f"{archive.url}/api/v0/invoke")
    monkeypatch.setattr(PortalAPI, "COLUMNS_CONFIG_URL", f"{archive.url}/portal/Mashup/Mashup.asmx/columnsconfig")
    monkeypatch.setattr(PortalAPI, "_column_configs", {})
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    (tmp_path / "cache").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with set_temp_cache(tmp_path / "cache"):
        yield psf_tools


def corner():
    return psf_tools.set_filters({
        "psf_x_center": psf_tools.set_min_max(100, 102),
        "psf_y_center": psf_tools.set_min_max(100, 102),
        "n_sat_pixels": ["0"],
    })  # fmt: skip


def test_the_query_finds_six_stars(tools):
    obs = tools.mast_query_psf_database(detector="UVIS", filts=corner())
    assert len(obs) == 6
    assert (obs["chip"].dtype.kind, obs["id"].dtype, obs["qfit"].dtype) == ("U", np.int64, np.float64)
    few = tools.mast_query_psf_database(detector="uvis", filts=corner(), columns=MINIMUM)
    assert few.colnames == MINIMUM
    assert list(few["id"]) == list(obs["id"])
    assert all((obs[f"psf_{axis}_center"] >= 100).all() for axis in "xy")


def test_the_steps_of_the_document_lead_to_the_same_pixels(tools, capfd):
    obs = tools.mast_query_psf_database("UVIS", corner(), list(MINIMUM))
    uris = tools.make_dataURIs(obs, "UVIS", ["flt"])
    assert len(uris) == 6
    names = [uri.rpartition("/")[2] for uri in uris]
    assert PUBLISHED.format("flt") in names

    single = tools.download_request_file([uris[0], "single.fits"])
    assert fits.getdata(single).shape == (51, 51)

    bundle = tools.download_request_bundle(uris, "bundle.tar.gz")
    with tarfile.open(bundle, "r:gz") as tar:
        folder = tar.getnames()[0]
        tar.extractall(filter="data")
    assert folder.startswith("MAST_2")
    bundled = [fits.getdata(f"{folder}/WFC3PSF/{name}") for name in names]

    pooled = tools.download_request_pool(uris, 2)
    assert pooled.endswith("/WFC3PSF")
    urls = tools.convert_dataURIs_to_dataURLs(uris)
    extracted = tools.extract_cutouts_pool(urls, 2)
    for name, one, other in zip(names, bundled, extracted, strict=True):
        assert (one != other).sum() == 0
        assert (fits.getdata(f"{pooled}/{name}") != other).sum() == 0
        with open(f"{pooled}/{name}", "rb") as a, open(f"{folder}/WFC3PSF/{name}", "rb") as b:
            assert a.read() == b.read()
    assert "6/6" in capfd.readouterr().err


@pytest.mark.parametrize(("unsat_size", "side"), [(51, 51), (101, 101)])
def test_every_suffix_and_size_can_be_had(tools, unsat_size, side):
    obs = tools.mast_query_psf_database("UVIS", corner(), list(MINIMUM))
    uris = tools.make_dataURIs(obs[:1], "UVIS", ["flt", "flc", "raw"], unsat_size=unsat_size)
    for uri in uris:
        assert fits.getdata(tools.download_request_file([uri, uri.rpartition("/")[2]])).shape == (side, side)


def test_an_address_with_brackets_as_they_are_is_understood(tools, archive):
    obs = tools.mast_query_psf_database("UVIS", corner(), list(MINIMUM))
    (url,) = tools.convert_dataURIs_to_dataURLs(tools.make_dataURIs(obs[:1], "UVIS", ["flt"]))
    assert "[1]" in url
    assert fits.getdata(url).shape == (51, 51)
    assert fits.getdata(requests.get(url).url).shape == (51, 51)  # in which requests has encoded them


def test_astroquery_counts_and_turns_pages(tools):
    service = "Mast.Catalogs.Filtered.Wfc3Psf.Uvis"
    count = Mast.service_request(service, {"columns": "COUNT_BIG(*)", "filters": []})
    whole = Mast.service_request(service, {"columns": "id", "filters": []})
    assert int(count["Column1"][0]) == len(whole) > 3000
    paged = Mast.service_request(service, {"columns": "id", "filters": []}, pagesize=1500)
    assert list(paged["id"]) == list(whole["id"])
    with pytest.raises(RemoteServiceError, match="No column"):
        Mast.service_request(service, {"columns": "idd", "filters": []})
