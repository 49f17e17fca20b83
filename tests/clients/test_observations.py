"""Images of the demonstration as pyvo finds them by ObsCore, and the WCS that MAST tells with detections."""

import json

import httpx
import numpy as np
import pytest
import pyvo
from astropy.io import fits
from astropy.wcs import WCS
from serving import serving


@pytest.fixture(scope="module")
def server(simulated):
    with serving(simulated) as server:
        yield server


@pytest.fixture(scope="module")
def tap(server):
    return pyvo.dal.TAPService(f"{server.url}/tap")


def test_the_service_says_that_it_has_obscore(tap):
    (access,) = (found for found in tap.capabilities if found.standardid == "ivo://ivoa.net/std/TAP")
    assert [model.ivo_id for model in access.datamodels] == ["ivo://ivoa.net/std/ObsCore#core-1.1"]


def test_images_of_a_place_are_found_and_fetched(tap):
    found = tap.run_sync(
        "SELECT TOP 1 * FROM ivoa.obscore WHERE obs_collection = 'psf' AND dataproduct_type = 'image'"
        " ORDER BY access_estsize"
    )
    (record,) = found
    assert record["t_min"] < record["t_max"]
    assert 1e-7 < record["em_min"] < record["em_max"] < 2e-6
    with fits.open(record.getdataurl(), cache=False) as file:
        image = next(hdu for hdu in file if hdu.data is not None)
        assert image.data.shape == (record["s_xel2"], record["s_xel1"])


def test_every_collection_of_images_is_in_obscore(tap):
    found = tap.run_sync("SELECT obs_collection, COUNT(*) AS n FROM ivoa.obscore GROUP BY obs_collection")
    for collection, n_images in zip(found["obs_collection"], found["n"], strict=True):
        assert tap.run_sync(f"SELECT COUNT(*) AS n FROM {collection}.images")["n"][0] >= n_images > 0


def test_detections_tell_the_wcs_of_their_images(server, tap):
    """Positions and pixels of detections of the Hubble Source Catalog agree by the WCS that is told with them."""
    match_id = tap.run_sync("SELECT TOP 1 MatchID FROM hsc.detailedCatalog WHERE MatchID IS NOT NULL")["MatchID"][0]
    request = {"service": "Mast.HscMatches.Db.v3", "params": {"input": str(match_id)}, "format": "json"}
    rows = httpx.post(f"{server.url}/api/v0/invoke", data={"request": json.dumps(request)}).json()["data"]
    assert rows
    for row in rows:
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
        wcs.wcs.crpix, wcs.wcs.crval = np.fromstring(row["crpix"], sep=" "), np.fromstring(row["crval"], sep=" ")
        wcs.wcs.cd = np.fromstring(row["cd_matrix"], sep=" ").reshape(2, 2)
        x, y = wcs.all_world2pix(row["SourceRA"], row["SourceDec"], 1)
        assert np.hypot(x - row["XImage"], y - row["YImage"]) < 0.01
        assert all(0 < place <= size for place, size in zip((x, y), np.fromstring(row["naxis"], sep=" "), strict=True))
