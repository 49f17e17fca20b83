"""Looks over HTTP: formats, names of answers, and refusals that say what is wrong."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
import serving
from astropy.io.votable import parse

DENSITY = "/look/density/sky.stars"
ASKED = {"x": "gmag", "y": "n_obs", "x_range": "10,20", "y_range": "0,50", "nx": 5, "ny": 10}


@pytest.fixture(scope="module")
def stars():
    return serving.stars()


def refused(web, path, status=400, **asked):
    answer = web.get(path, params=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_a_density_comes_as_json_with_its_axes_and_totals(web, stars):
    answer = web.get(DENSITY, params=ASKED)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    known = ~np.ma.getmaskarray(stars["n_obs"])
    x, y = np.asarray(stars["gmag"], float)[known], np.asarray(stars["n_obs"], float)[known]
    expected, *_ = np.histogram2d(x, y, (5, 10), [(10, 20), (0, 50)])
    assert [column["name"] for column in document["columns"]] == ["ix", "iy", "n"]
    assert {(ix, iy): n for ix, iy, n in document["data"]} == {
        (ix, iy): expected[ix, iy] for ix, iy in zip(*expected.nonzero(), strict=True)
    }
    infos = document["infos"]
    assert (infos["x_low"], infos["x_bins"], infos["x_unit"]) == ("10.0", "5", "mag")
    assert int(infos["n_null"]) == (~known).sum()


def test_the_ending_or_a_parameter_names_the_format(web):
    arrow = pa.ipc.open_stream(web.get(f"{DENSITY}.arrow", params=ASKED).content)
    assert b'"n_inside"' in arrow.schema.metadata[b"skydex.infos"]
    cells = arrow.read_all()
    assert cells.schema.names == ["ix", "iy", "n"]
    csv = web.get(DENSITY, params={**ASKED, "format": "csv"}).text.splitlines()
    assert (csv[0], len(csv)) == ("ix,iy,n", len(cells) + 1)
    table = parse(io.BytesIO(web.get(DENSITY, params={**ASKED, "RESPONSEFORMAT": "votable"}).content))
    assert len(table.get_first_table().array) == len(cells)
    assert "n_outside" in {info.name for info in table.resources[0].infos}
    assert web.post(f"{DENSITY}.json", json=ASKED).json()["data"] == web.get(DENSITY, params=ASKED).json()["data"]


def test_an_answer_has_a_name_and_need_not_be_sent_again(web):
    answer = web.get(f"{DENSITY}.arrow", params=ASKED)
    again = web.get(f"{DENSITY}.arrow", params=ASKED, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = web.get(f"{DENSITY}.arrow", params={**ASKED, "nx": 6}, headers={"if-none-match": answer.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"x": ""}, "x: is missing"),
        ({"y": "gmag, rmag"}, "y: cannot be read"),
        ({"x_range": "20,10"}, "x_range: must begin with the lesser"),
        ({"x_range": "10"}, "x_range: must be two numbers"),
        ({"x_range": "nan,10"}, "x_range: must be two numbers"),
        ({"x_range": "1,1"}, "x_range"),
        ({"nx": "0"}, "nx"),
        ({"nx": "1000", "ny": "1000"}, "at most"),
        ({"color": "COUNT(gmag)"}, "color"),
        ({"gmagg.gt": "5"}, 'Did you mean "gmag"'),
        ({"colour": "ra"}, 'Did you mean "color"'),
        ({"gmag.near": "5"}, "no operator"),
        ({"gmag.gt": "bright"}, "must be a number"),
        ({"ra": "10"}, "dec"),
        ({"format": "bmp"}, "bmp"),
    ],
)
def test_what_cannot_be_is_refused_by_name(web, asked, words):
    assert words in refused(web, DENSITY, **{**ASKED, **asked})["error"]


def test_an_unknown_table_is_not_found_and_near_ones_are_told(web):
    assert refused(web, "/look/density/sky.star", 404, **ASKED)["near"] == ["sky.stars"]


def test_every_look_answers_in_any_format(web):
    for path, asked in (
        ("sky", {"order": 3}),
        ("histogram", {"x": "gmag", "bins": 7, "log": "true"}),
        ("facets", {"columns": "n_obs", "most": 3}),
        ("columns", {}),
    ):
        rows = web.get(f"/look/{path}/sky.stars", params=asked).json()
        table = pa.ipc.open_stream(web.get(f"/look/{path}/sky.stars.arrow", params=asked).content).read_all()
        assert len(table) == len(rows["data"]) > 0
        votable = web.get(f"/look/{path}/sky.stars.votable", params=asked)
        assert len(parse(io.BytesIO(votable.content)).get_first_table().array) == len(table)
        assert web.get(f"/look/{path}/sky.stars.csv", params=asked).status_code == 200


@pytest.mark.parametrize(
    ("path", "asked", "words"),
    [
        ("sky/sky.stars", {"order": "30"}, "order: must be a whole number"),
        ("sky/sky.stars", {"order": "20"}, "or less"),
        ("sky/sky.detections", {}, "no positions"),
        ("histogram/sky.stars", {"x": "gmag", "bins": "1000000"}, "bins"),
        ("histogram/sky.stars", {"x": "gmag", "log": "perhaps"}, "log: must be true or false"),
        ("histogram/sky.stars", {"x": "gmag", "log": "1", "range": "0,5"}, "above 0"),
        ("histogram/sky.detections", {"x": "mjd", "ra": "5", "dec": "5"}, "no positions"),
        ("facets/sky.stars", {"columns": "nobs"}, 'Did you mean "n_obs"'),
        ("facets/sky.stars", {"most": "100000"}, "most"),
        ("columns/sky.stars", {"gmag.gt": "12"}, "whole table"),
    ],
)
def test_other_looks_refuse_by_name_too(web, path, asked, words):
    assert words in refused(web, f"/look/{path}", **asked)["error"]


def test_looks_are_described_as_they_answer(web):
    document = web.get("/look/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        f"/{look}/{{table}}.{{format}}" for look in ("density", "sky", "histogram", "facets", "columns")
    }
    values = {"x": "gmag", "y": "n_obs", "order": 2, "centers": "true", "log": "true", "columns": "n_obs"}
    values |= {"x_range": "10,20", "y_range": "0,50", "range": "10,20", "color": "ra", "ra": 5, "dec": 5, "radius": 90}
    for path, item in document["paths"].items():
        described = [parameter for parameter in item["get"]["parameters"] if parameter["name"] != "constraints"]
        asked = {p["name"]: values.get(p["name"], 7) for p in described}
        address = "/look" + path.replace("{table}", "sky.stars").replace("{format}", "json")
        answer = web.get(address, params=asked)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] in item["get"]["responses"]["200"]["content"]
