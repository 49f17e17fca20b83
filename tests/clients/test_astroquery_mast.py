"""astroquery's `Catalogs`, as it is, with the catalogues of a skydex server."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astroquery.exceptions import InvalidQueryError, MaxResultsWarning, NoResultsWarning, RemoteServiceError
from astroquery.mast import CatalogsClass, conf
from astroquery.mast.discovery_portal import PortalAPI
from astroquery.mast.services import ServiceAPI
from mastlike import CENTRE, RECORDED, recorded

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not beside this checkout")
M15 = SkyCoord(CENTRE["ra"], CENTRE["dec"], unit="deg")
M87 = SkyCoord(187.706, 12.391, unit="deg")


@pytest.fixture
def catalogs(mast, monkeypatch):
    """`Catalogs` as it is when `conf.server` and `conf.catalogs_server` were set before astroquery was imported."""
    monkeypatch.setattr(PortalAPI, "MAST_REQUEST_URL", f"{mast.url}/api/v0/invoke")
    monkeypatch.setattr(PortalAPI, "COLUMNS_CONFIG_URL", f"{mast.url}/portal/Mashup/Mashup.asmx/columnsconfig")
    monkeypatch.setattr(PortalAPI, "_column_configs", {})
    monkeypatch.setattr(ServiceAPI, "SERVICE_URL", mast.url)
    for name in ("http_proxy", "HTTP_PROXY"):  # the address of the resolver stands in astroquery's code
        monkeypatch.setenv(name, mast.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    with conf.set_temp("server", mast.url), conf.set_temp("catalogs_server", mast.url):
        yield CatalogsClass()


@pytest.mark.parametrize("version", [None, 2, 3])
def test_objects_of_the_hubble_source_catalog_around_a_position(catalogs, version):
    found = catalogs.query_region(M15, radius=0.001, catalog="Hsc", version=version)
    truth = recorded("hsc")
    assert found.colnames == [field["name"] for field in truth["fields"][:-1]]
    assert list(found["MatchID"]) == [row["MatchID"] for row in truth["data"]]
    assert np.isnan(found["W3_F336W"]).sum() == 7
    assert (found["MatchID"].dtype, found["CI"].dtype) == (np.int64, np.float64)


def test_pages_are_turned_until_there_is_no_more(catalogs):
    found = catalogs.query_region(M15, radius=0.001, catalog="Hsc", pagesize=10)
    assert list(found["MatchID"]) == [row["MatchID"] for row in recorded("hsc")["data"]]
    assert len(catalogs.query_region(M15, radius=0.001, catalog="Hsc", pagesize=10, page=3)) == 8


def test_parameters_of_the_catalogue_are_passed_on(catalogs):
    assert (catalogs.query_region(M15, radius=0.001 * u.deg, catalog="Hsc", ni=5)["NumImages"] >= 5).all()
    with pytest.warns(MaxResultsWarning):
        assert len(catalogs.query_region(M15, radius=0.001, catalog="Hsc", nr=5)) == 5


def test_objects_around_a_name(catalogs):
    found = catalogs.query_object("322.525 12.166832", radius=0.001, catalog="Hsc")
    assert len(found) == 28
    with pytest.warns(NoResultsWarning):
        assert len(catalogs.query_object("NGC 1333", radius="1 arcmin", catalog="Hsc")) == 0


def test_detections_of_an_object(catalogs):
    found = catalogs.query_hsc_matchid(82371983)
    truth = recorded("matchid")
    assert found.colnames == [field["name"] for field in truth["fields"][:-1]]
    assert list(found["SourceID"]) == [row["SourceID"] for row in truth["data"]]
    assert list(catalogs.query_hsc_matchid(found[0])["MemID"]) == list(range(1, 10))


def test_spectra(catalogs):
    found = catalogs.get_hsc_spectra()
    assert found["DatasetName"][0].startswith("HAG_J0726")
    assert found.colnames[0] == "ObjID"


def test_an_error_is_shown_to_the_user(catalogs):
    with pytest.raises(RemoteServiceError, match="radius"):
        catalogs.query_region(M15, radius=20, catalog="Hsc")
    with pytest.raises(RemoteServiceError, match="there is none of the name"):
        catalogs.query_region(M15, radius=0.1, catalog="Galex")


def test_objects_of_panstarrs_around_a_position(catalogs, shared_data):
    columns = ["objID", "raMean", "decMean", "nDetections", "gMeanPSFMag"]
    asked = {"data_release": "dr2", "table": "mean", "columns": columns, "sort_by": [("asc", "distance")]}
    found = catalogs.query_region(M87, radius=0.2, catalog="Panstarrs", nDetections=[("gte", 5)], **asked)
    seed = Table.read(shared_data / "seeds" / "ps1_mean_m87.ecsv")
    seed = seed[seed["nDetections"] >= 5]
    places = SkyCoord(seed["raMean"], seed["decMean"], unit="deg")
    order = np.argsort(M87.separation(places))
    assert found.colnames[:5] == columns
    assert list(found["objID"]) == list(seed["objID"][order])
    assert found["gMeanPSFMag"].mask.sum() == (seed["gMeanPSFMag"] == -999).sum()


def test_objects_of_panstarrs_by_criteria(catalogs):
    found = catalogs.query_criteria(
        "Panstarrs", data_release="dr2", table="mean", nDetections=[("gte", 40), ("lt", 46)]
    )
    assert len(found) > 1
    assert ((found["nDetections"] >= 40) & (found["nDetections"] < 46)).all()
    around = catalogs.query_criteria("Panstarrs", coordinates="187.706 12.391", radius=0.1, nDetections=[("gte", 20)])
    assert len(around) > 1
    assert (M87.separation(SkyCoord(around["raMean"], around["decMean"], unit="deg")) < 0.1 * u.deg).all()


def test_objects_of_panstarrs_around_a_name(catalogs):
    found = catalogs.query_object("M87", radius=0.05, catalog="Panstarrs")
    assert len(found) > 1


def test_what_is_no_column_is_told_by_its_metadata(catalogs):
    with pytest.raises(InvalidQueryError, match="Did you mean 'nDetections'"):
        catalogs.query_criteria("Panstarrs", nDetection=3)


def test_what_is_no_operator_is_an_error(catalogs):
    with pytest.raises(InvalidQueryError):
        catalogs.query_criteria("Panstarrs", nDetections=[("above", 3)])
