"""The search page: one box leads everywhere, and what is chosen in one view shows in the others."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from astropy.coordinates import SkyCoord
from serving import Server

FIELD = "/search?ra=16.2&dec=2.1&radius=0.3"


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hsc.SumMagAper2CatView", r"t/hsc\.SumMagAper2CatView"),
        ("IC 1613", r"search\?ra=16\.1\d+&dec=2\.1\d+&radius=[\d.]+&text=IC\+1613"),
        ("01:04:47.8 +02:07:04", r"search\?ra=16\.199\d+&dec=2\.117\d+&.*"),
        ("190361393344112894", r"o/ps1\.[A-Za-z]+/190361393344112894"),
    ],
)
def test_the_box_leads_to_tables_objects_and_places(web, text, expected):
    reply = web.get("/search", params={"q": text})
    if reply.status_code == 200:  # several tables have it
        found = {f"o/{one['table']}/{one['id']}" for one in web.get("/search.json", params={"q": text}).json()["found"]}
        assert any(re.fullmatch(expected, way) for way in found)
    else:
        assert reply.status_code == 303
        assert re.fullmatch(expected, reply.headers["location"]), reply.headers["location"]


def test_what_nobody_knows_is_said_with_what_was_meant(web):
    facts = web.get("/search.json", params={"q": "IC 16133"}).json()
    assert facts["place"] is None
    assert facts["text"] == "IC 16133"
    assert "<b>" not in web.get("/search", params={"q": "<b>x</b>"}).text.replace("</b>", "<b>").split("<main")[1]


def test_rows_here_are_those_of_a_cone_search(web):
    facts = web.get(f"{FIELD}&table=hsc.SumMagAper2CatView".replace("/search", "/search.json")).json()
    query = "SELECT MatchID, MatchRA, MatchDec FROM hsc.SumMagAper2CatView"
    everything = web.get("/tap/sync", params={"LANG": "ADQL", "FORMAT": "json", "QUERY": query}).json()["data"]
    centre = SkyCoord(16.2, 2.1, unit="deg")
    places = SkyCoord([row[1] for row in everything], [row[2] for row in everything], unit="deg")
    assert facts["table"]["n_rows"] == (centre.separation(places).deg <= 0.3).sum() > 100


def test_the_first_axes_are_a_colour_or_what_varies_and_only_what_is_there_is_offered(web):
    view = web.get("/search.json?table=ps1.MeanObjectView").json()["view"]
    assert (view["x"], view["y"]) == ("gMeanPSFMag-yMeanPSFMag", "yMeanPSFMag")
    hsc = web.get(f"{FIELD}&table=hsc.SumMagAper2CatView".replace("/search", "/search.json")).json()["view"]
    offered = {axis["key"] for axis in hsc["axes"]}
    assert "A_F475W" in offered
    assert "W2_F122M" not in offered  # not in this field


@pytest.mark.parametrize("given", ["ra=x&dec=2", "ra=16", "ra=16&dec=91", "ra=16&dec=2&radius=-1", "table=no.such"])
def test_what_cannot_be_searched_is_refused_by_name(web, given):
    reply = web.get(f"/search.json?{given}")
    assert 400 <= reply.status_code < 500
    assert reply.json()["error"]


def test_a_brush_in_the_diagram_chooses_rows_on_the_sky_and_in_the_table(open_page, ready):
    page = open_page(f"{FIELD}&table=hsc.SumMagAper2CatView")
    ready(page)
    linked = page.locator("[data-rows]")
    n = int(linked.get_attribute("data-rows"))
    assert n > 100
    page.get_by_role("button", name="Choose", exact=True).click()
    box = page.locator(".points").first.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    for across, down in ((0.9, 0.1), (0.9, 0.95), (0.2, 0.95), (0.2, 0.12)):
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_function("() => Number(document.querySelector('[data-rows]').dataset.chosen) > 0")
    n_chosen = int(linked.get_attribute("data-chosen"))
    assert 0 < n_chosen < n
    assert page.locator(".grid table").get_attribute("aria-rowcount") == str(n_chosen + 1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == n_chosen + 1
    assert lines[0].startswith("MatchID,MatchRA,MatchDec")
    page.get_by_role("button", name="Choose nothing").click()
    assert linked.get_attribute("data-chosen") == "0"


def test_another_axis_is_drawn_and_kept_in_the_address(open_page, ready):
    page = open_page("/search?table=ps1.MeanObjectView")
    ready(page)
    page.get_by_label("Colour").select_option("rMeanPSFMag")
    page.get_by_text("Colour: rMeanPSFMag").wait_for()
    assert "color=rMeanPSFMag" in page.url


def test_many_rows_are_a_density_that_turns_into_points_on_zooming_in(open_page, ready, simulated, tmp_path):
    server = Server(simulated, state_dir=tmp_path, page_points=1000)
    try:
        page = open_page("/search?table=hcv.HCVSummaryView", server=server)
        ready(page)
        page.get_by_text("rows in view, counted in cells").wait_for()
        assert page.locator("[data-rows]").count() == 0
        box = page.locator(".raster").bounding_box()
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
        for _ in range(6):
            page.mouse.wheel(0, -100)
        page.locator("[data-rows]").wait_for()
        assert 0 < int(page.locator("[data-rows]").get_attribute("data-rows")) <= 1000
        page.get_by_role("button", name="All rows").click()
        page.get_by_text("rows in view, counted in cells").wait_for()
    finally:
        server.stop()


def test_a_list_in_a_file_is_matched_whatever_its_columns_are_called(web):
    query = "SELECT TOP 7 MatchID, MatchRA AS RAJ2000, MatchDec AS DEJ2000 FROM hsc.SumMagAper2CatView"
    told = web.get("/tap/sync", params={"LANG": "ADQL", "FORMAT": "votable", "QUERY": query})
    files = {"table": ("list.vot", told.content, "application/x-votable+xml")}
    page = web.post("/search", files=files, data={"in": "hsc.SumMagAper2CatView", "arcsec": "0.01"})
    assert page.status_code == 200, page.text
    assert "7 rows of" in page.text
    files = {"table": ("list.csv", b"a,b\n1,2\n", "text/csv")}
    refused = web.post("/search", files=files, headers={"accept": "text/html"})
    assert refused.status_code == 400
    assert "has no column" in refused.text
