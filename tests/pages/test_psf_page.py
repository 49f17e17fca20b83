"""Stars of the PSF databases: cut down, drawn on the detector, shown as stamps, and taken along."""

from __future__ import annotations

import io
import re
import tarfile

import duckdb
import httpx
import numpy as np
import pytest
from astropy.io import fits

CUTS = "filter=F814W&qfit_to=0.05&saturated=no&focus_from=-2&mjd_from=2009-01-01"
WHERE = "filter = 'F814W' AND qfit <= 0.05 AND n_sat_pixels = 0 AND focus >= -2 AND mjd >= 54832"


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def uvis(simulated):
    """The rows of a database, asked with DuckDB alone."""
    files = [str(file) for file in simulated.glob("**/Npix*.parquet") if "uvis" in str(file).lower()]

    def asked(what, where):
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {what} FROM read_parquet({files}) WHERE {where}").fetchall()

    return asked


def test_cuts_count_as_duckdb_counts(web, uvis):
    facts = web.get(f"/psf.json?detector=UVIS&{CUTS}").json()
    ((n,),) = uvis("COUNT(*)", WHERE)
    assert facts["n"] == facts["panels"][0]["n"] == n > 0
    others = uvis("filter, COUNT(*)", WHERE.partition(" AND ")[2] + " GROUP BY filter ORDER BY filter")
    assert [tuple(one) for one in facts["filters"]] == others


def test_each_chip_of_wfpc2_is_drawn_by_itself(web):
    facts = web.get("/psf.json?detector=WFPC2&saturated=no").json()
    assert [panel["title"] for panel in facts["panels"]] == ["Chip 1", "Chip 2", "Chip 3", "Chip 4"]
    assert sum(panel["n"] for panel in facts["panels"]) == facts["n"]
    assert len(web.get("/psf.json?detector=WFPC2&chip=3").json()["panels"]) == 1


def test_a_stamp_is_the_product_of_its_data_uri(web):
    (stamp,) = web.get("/psf.json?detector=UVIS&psf_x_center_from=100&psf_x_center_to=100&saturated=no").json()[
        "stamps"
    ][:1]
    assert stamp["uri"].startswith("mast:WFC3PSF/url/cgi-bin/fitscut.cgi?red=")
    assert fits.getdata(io.BytesIO(web.get(f"/{stamp['fits']}").content)).shape == (51, 51)
    assert web.get(f"/{stamp['src']}").headers["content-type"] == "image/png"


def test_the_median_of_stars_is_that_of_their_files(web):
    facts = web.get(f"/psf.json?detector=UVIS&{CUTS}&psf_x_center_to=150").json()
    uris = [stamp["uri"] for stamp in facts["stamps"]]
    answer = web.get(f"/{facts['median']['fits']}").raise_for_status()
    found = fits.open(io.BytesIO(answer.content))[0]
    assert found.header["NSTAMPS"] == facts["median"]["n"] == facts["n"] == len(uris)
    stamps = [fits.getdata(io.BytesIO(web.get("/api/v0.1/Download/file", params={"uri": one}).content)) for one in uris]
    rim = np.ones((51, 51), bool)
    rim[1:-1, 1:-1] = False
    scaled = [(stamp - np.nanmedian(stamp[rim])) for stamp in np.array(stamps, float)]
    median = np.nanmedian([stamp / np.nansum(stamp) for stamp in scaled], axis=0)
    np.testing.assert_allclose(found.data, median / median.sum(), rtol=1e-4, atol=1e-7)
    assert web.get(f"/{facts['median']['src']}").headers["content-type"] == "image/png"
    assert web.get("/psf.json?detector=UVIS").json()["median"] is None
    assert web.get("/psf/median.fits?detector=UVIS").status_code == 400


def test_cuts_in_place_are_drawn_on_the_map_of_all_stars(web):
    (panel,) = web.get(
        "/psf.json?detector=UVIS&psf_x_center_from=1024&psf_x_center_to=2048&psf_y_center_from=2051"
    ).json()["panels"]
    assert panel["chosen"] == {"x": 80.0, "y": 0.0, "width": 80.0, "height": pytest.approx(160.0)}
    assert panel["n"] == web.get("/psf.json?detector=UVIS").json()["n"]


@pytest.mark.parametrize(
    "words", ["detector=ACS", "chip=9", "qfit_from=best", "saturated=perhaps", "suffix=drz", "stretch=x"]
)
def test_a_cut_that_makes_no_sense_is_named(web, words):
    reply = web.get(f"/psf.json?{words}")
    assert reply.status_code == 400
    assert words.partition("=")[0] in reply.json()["error"]


def test_the_page_shows_python_that_gives_the_same_stars(web):
    pytest.importorskip("matplotlib").use("Agg")
    facts = web.get(f"/psf.json?detector=UVIS&{CUTS}").json()
    known: dict = {}
    exec(facts["python"].replace("maxrec=24", "maxrec=3"), known)
    stamps = known["stamps"]
    assert [str(one) for one in stamps.table["id"]] == [str(one["id"]) for one in facts["stamps"][:3]]


def test_somebody_cuts_looks_and_takes_stamps_along(open_page, ready):
    page = open_page("/psf")
    ready(page)
    box = page.locator("svg.detector").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] * 0.5, steps=3)
    page.mouse.up()
    page.wait_for_url("**/psf?*psf_x_center_to=4*")
    assert int(page.get_by_label("y, pixels from").input_value()) == pytest.approx(2051, abs=30)
    page.get_by_label("Filter").select_option("F814W")
    page.get_by_label("Fit (qfit) to").fill("0.05")
    page.get_by_label("Saturated").select_option("no")
    page.get_by_role("button", name="Show").click()
    n = int(re.match("[0-9,]+", page.locator("main strong").inner_text())[0].replace(",", ""))
    shown = page.locator("ul.stamps li").count()
    assert shown == min(n, 24)
    page.get_by_role("link", name="Tick all of these").click()
    ready(page)
    assert page.locator("ul.things li").count() == shown
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download .tar.gz").click()
    with tarfile.open(coming.value.path()) as bundle:
        names = [name for name in bundle.getnames() if name.endswith("_flt_cutout.fits")]
    assert len(names) == shown
    assert all("F814W" in name for name in names)
