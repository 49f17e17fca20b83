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
from astroquery.mast import Mast, Observations
from astroquery.mast.discovery_portal import PortalAPI

MINIMUM = ["id", "rootname", "filter", "x_cal", "y_cal", "x_raw", "y_raw", "chip", "qfit", "subarray"]
PUBLISHED = "ibc302ioq_8184981_F814W_{}_cutout.fits"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    with serving.serving(psfground.build_simulated(tmp_path_factory.mktemp("psf"))) as server:
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


SUFFIXES = {"UVIS": ["raw", "flt", "flc"], "IR": ["raw", "flt"], "WFPC2": ["d0m", "c0m"]}
FILTERS = {
    "UVIS": {"chip": ["1"], "subarray": ["0"], "n_sat_pixels": ["0"], "psf_x_center": [{"min": 500, "max": 1500}]},
    "IR": {"psf_x_center": [{"min": 500, "max": 520}], "psf_y_center": [{"min": 100, "max": 900}]},
    "WFPC2": {"chip": ["2", "3", "4"], "filter": ["F814W"], "psf_x_center": [{"min": 300, "max": 500}]},
}


@pytest.mark.parametrize("size", [51, 101])
@pytest.mark.parametrize("detector", SUFFIXES)
def test_every_detector_suffix_and_size_can_be_had(tools, detector, size):
    columns = [*MINIMUM, "n_sat_pixels", *(["filter_2"] if detector == "WFPC2" else [])]
    filters = [tools.set_filters({name: values})[0] for name, values in FILTERS[detector].items()]
    obs = tools.mast_query_psf_database(detector, filters, columns)[:8]
    assert len(obs) == 8
    uris = tools.make_dataURIs(obs, detector, SUFFIXES[detector], unsat_size=size, sat_size=101)
    wanted = [size if row["qfit"] > 0 else 101 for row in obs for _ in SUFFIXES[detector]]
    with tarfile.open(tools.download_request_bundle(uris, "bundle.tar.gz"), "r:gz") as tar:
        tar.extractall(filter="data")
        names = [name for name in tar.getnames() if name.endswith(".fits")]
    assert [name.rpartition("/")[2] for name in names] == [uri.rpartition("/")[2] for uri in uris]
    assert {name.split("/")[1] for name in names} == {"WFPC2PSF" if detector == "WFPC2" else "WFC3PSF"}
    assert [fits.getdata(name).shape for name in names] == [(side, side) for side in wanted]
    urls = tools.convert_dataURIs_to_dataURLs(uris[:3])
    for name, url in zip(names, urls, strict=False):
        assert np.array_equal(fits.getdata(name), fits.getdata(url), equal_nan=True)


def test_a_star_is_in_the_middle_of_its_stamp_however_its_file_is_called(tools):
    obs = tools.mast_query_psf_database("UVIS", corner(), list(MINIMUM))
    for suffix in SUFFIXES["UVIS"]:
        for url in tools.convert_dataURIs_to_dataURLs(tools.make_dataURIs(obs, "UVIS", [suffix])):
            stamp = fits.getdata(url)
            core = stamp[20:31, 20:31] - np.median(stamp)
            y, x = np.unravel_index(core.argmax(), core.shape)
            assert max(abs(y - 5), abs(x - 5)) <= 1
            assert core.max() > 0.05 * 40_000


def test_an_address_with_brackets_as_they_are_is_understood(tools, archive):
    obs = tools.mast_query_psf_database("UVIS", corner(), list(MINIMUM))
    (url,) = tools.convert_dataURIs_to_dataURLs(tools.make_dataURIs(obs[:1], "UVIS", ["flt"]))
    assert "[1]" in url
    assert fits.getdata(url).shape == (51, 51)
    assert fits.getdata(requests.get(url).url).shape == (51, 51)  # in which requests has encoded them


def test_astroquery_downloads_stamps_and_whole_exposures(tools, archive, monkeypatch):
    monkeypatch.setattr(PortalAPI, "MAST_DOWNLOAD_URL", f"{archive.url}/api/v0.1/Download/file")
    obs = tools.mast_query_psf_database("IR", tools.set_filters({"psf_x_center": tools.set_min_max(500, 520)}))[:1]
    (uri,) = tools.make_dataURIs(obs, "IR", ["flt"])
    exposure = f"mast:HST/product/{obs['rootname'][0]}_flt.fits"
    for wanted in (uri, exposure):
        assert Observations.download_file(wanted)[0] == "COMPLETE"
    x, y = int(obs["x_cal"][0]), int(obs["y_cal"][0])
    with fits.open(exposure.rpartition("/")[2]) as hdus:
        whole = hdus[1].data
    stamp = fits.getdata(uri.rpartition("/")[2])
    half = min(20, x, y, whole.shape[0] - 1 - y)
    middle = slice(25 - half, 26 + half)
    assert (stamp[middle, middle] != whole[y - half : y + half + 1, x - half : x + half + 1]).sum() == 0


def test_astroquery_counts_and_turns_pages(tools):
    service = "Mast.Catalogs.Filtered.Wfc3Psf.Uvis"
    count = Mast.service_request(service, {"columns": "COUNT_BIG(*)", "filters": []})
    whole = Mast.service_request(service, {"columns": "id", "filters": []})
    assert int(count["Column1"][0]) == len(whole) > 3000
    paged = Mast.service_request(service, {"columns": "id", "filters": []}, pagesize=1500)
    assert list(paged["id"]) == list(whole["id"])
    with pytest.raises(RemoteServiceError, match="No column"):
        Mast.service_request(service, {"columns": "idd", "filters": []})


def test_astroquery_makes_filters_of_arguments(tools):
    service, corner_of = "Mast.Catalogs.Filtered.Wfc3Psf.Uvis", [{"min": 100, "max": 102}]
    found = Mast.mast_query(service, columns="id,ra,dec", psf_x_center=corner_of, psf_y_center=corner_of)
    assert 8184981 in found["id"]
    star = found[list(found["id"]).index(8184981)]
    near = Mast.mast_query(f"{service}.Position", ra=star["ra"], dec=star["dec"], radius=0.001, chip=["2"])
    assert 8184981 in near["id"]
    assert (
        len(Mast.mast_query(f"{service}.Position", position=f"{star['ra']}, {star['dec']}, 0.001", id=[8184981])) == 1
    )
    assert len(Mast.mast_query(service, columns="id,chip", filter="f814w", removenullcolumns=True)) > 10
