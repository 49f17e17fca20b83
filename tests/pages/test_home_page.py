"""The first page: what it says of collections is so, and what it offers to begin with is there."""

from __future__ import annotations

import csv
import io

import httpx
import numpy as np
import pytest
from mocpy import MOC

from skydex.sky import cells_in_fits
from skydex.web.pages.skymap import drawing


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as web:
        yield web


@pytest.fixture(scope="module")
def home(web):
    return web.get("/index.json").json()


def asked(web, adql):
    reply = web.get("/tap/sync", params={"LANG": "ADQL", "RESPONSEFORMAT": "csv", "QUERY": adql})
    return list(csv.DictReader(io.StringIO(reply.text)))


def test_collections_have_the_images_and_times_that_obscore_says(web, home):
    (told,) = (one for one in home["collections"] if one["name"] == "psf")
    (found,) = asked(
        web, "SELECT COUNT(*) AS n, MIN(t_min) AS a, MAX(t_max) AS b FROM ivoa.obscore WHERE obs_collection = 'psf'"
    )
    assert told["images"]["n"] == int(found["n"])
    day = np.datetime64("1858-11-17")
    assert told["days"] == [str(day + int(float(found["a"]))), str(day + int(float(found["b"])))]
    assert told["bands"] == "ultraviolet, optical, infrared"


def test_the_map_has_a_dot_where_rows_are_and_nowhere_else(home):
    (layer,) = (one for one in home["map"]["layers"] if one["name"] == "ps1")
    assert (
        0 < len(layer["cells"]) < 20
    )  # the demonstration has some fields of Pan-STARRS, not its three quarters of the sky


def test_the_pole_is_at_the_top_and_right_ascension_runs_to_the_left():
    (layer,) = drawing({"a": [(180.0, 90.0), (180.0, 0.0), (270.0, 0.0)]})["layers"]
    pole, middle, left = layer["cells"]
    assert pole == [360.0, 0.0]
    assert middle == [360.0, 180.0]
    assert left[0] < 360.0


@pytest.mark.parametrize("kind", ["RANGE", "NUNIQ"])
def test_cells_of_a_coverage_are_those_of_mocpy(tmp_path, kind):
    moc = MOC.from_str("1/3 4/100 9/3000000 29/3458764513820540927")
    if kind == "RANGE":
        moc.save(str(tmp_path / "moc.fits"), format="fits")
    else:
        moc.serialize("fits", v1_compatible=True).writeto(tmp_path / "moc.fits")
    found = cells_in_fits((tmp_path / "moc.fits").read_bytes(), 4)
    assert found.tolist() == sorted(moc.degrade_to_order(4).flatten().tolist())


def test_examples_lead_to_rows_that_are_there(web, home):
    kinds = {one["kind"]: one for one in home["examples"]}
    assert set(kinds) == {"diagram", "curve", "query"}
    assert asked(web, kinds["query"]["adql"])
    table, key = kinds["curve"]["at"].removeprefix("o/").split("/")
    assert web.get(f"/t/{table}.json", params={"objID": key}).json()["n_found"] == 1
    assert kinds["diagram"]["drawing"]["levels"]


def test_a_table_that_is_dropped_on_the_box_is_sent(open_page, ready):
    page = open_page("/")
    ready(page)
    sent = []
    page.route("**/search", lambda route: (sent.append(route.request), route.fulfill(status=200, body="ok")))
    given = page.evaluate_handle(
        """() => { const given = new DataTransfer();
        given.items.add(new File(["ra,dec\\n16.2,2.1\\n"], "mine.csv", {type: "text/csv"})); return given; }"""
    )
    page.dispatch_event("[data-island=drop]", "drop", {"dataTransfer": given})
    page.wait_for_url("**/search")
    assert sent[0].method == "POST"
    assert b'name="table"; filename="mine.csv"' in sent[0].post_data_buffer
