"""Stars of the PSF databases: cut down, drawn on the detector, shown as stamps, and taken along."""

from __future__ import annotations

import io
import re
import tarfile

import duckdb
import httpx
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
    page.get_by_label("Filter").select_option("F814W")
    page.get_by_label("Fit (qfit) to").fill("0.05")
    page.get_by_label("x, pixels to").fill("400")
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
