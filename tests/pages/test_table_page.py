"""The page of a table: its rows are those of the table, however they are chosen, and what it offers elsewhere runs."""

from __future__ import annotations

import io
import shutil
import subprocess
from contextlib import redirect_stdout

import httpx
import numpy as np
import pyarrow as pa
import pytest
from astropy.table import Table

VARIABLES = "hcv.HCVSummaryView"
CHOSEN = {"MAD.gt": "0.1", "Filter.like": "ACS*", "sort_by": "MeanMag.desc", "pagesize": "20"}


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as web:
        yield web


@pytest.fixture(scope="module")
def variables(web):
    """All rows of the table, as astropy reads them."""
    reply = web.get(
        "/tap/sync", params={"LANG": "ADQL", "RESPONSEFORMAT": "fits", "QUERY": f"SELECT * FROM {VARIABLES}"}
    )
    return Table.read(io.BytesIO(reply.content))


def facts(web, **given):
    reply = web.get(f"/t/{VARIABLES}.json", params=given)
    assert reply.status_code == 200, reply.text
    return reply.json()


def values(found, name):
    place = [column["name"] for column in found["rows"]["columns"]].index(name)
    return [row[place] for row in found["rows"]["rows"]]


def test_rows_are_those_that_numpy_chooses(web, variables):
    is_chosen = (variables["MAD"] > 0.1) & np.char.startswith(np.asarray(variables["Filter"], "U"), "ACS")
    found = facts(web, **CHOSEN)
    assert found["n_found"] == is_chosen.sum()
    assert values(found, "MeanMag") == sorted(variables["MeanMag"][is_chosen], reverse=True)[:20]
    assert (found["first"], found["last"]) == (1, 20)


def test_pages_have_each_row_once_and_end_with_the_last_one(web, variables):
    seen, address = [], "?pagesize=1000&sort_by=Filter&columns=MatchID,Filter"
    while address:
        found = web.get(f"/t/{VARIABLES}.json{address}").json()
        seen += map(tuple, found["rows"]["rows"])
        address = found["next"]
    assert sorted(seen) == sorted(zip(variables["MatchID"], variables["Filter"], strict=True))


def test_a_page_that_is_just_full_and_the_last_one_leads_to_no_other(web, variables):
    n = int((variables["MAD"] > 0.4).sum())
    assert facts(web, **{"MAD.gt": "0.4", "pagesize": str(n)})["next"] is None
    assert facts(web, **{"MAD.gt": "0.4", "pagesize": str(n - 1)})["next"] is not None


def test_what_the_form_says_becomes_an_address_of_the_rest_api(web):
    sent = {
        "filter.column": ["MAD", "", "Filter"],
        "filter.operator": ["gt", "eq", "like"],
        "filter.value": ["0.1", "", "ACS*"],
        "ra": "", "dec": "", "radius": "", "pagesize": "50",
        "columns": ["MatchID", "Filter", "GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass",
                    "VarQualFlag", "FilterDetFlag", "NumLC", "MeanMag"],
    }  # fmt: skip
    reply = web.get(f"/t/{VARIABLES}", params=sent)
    assert (reply.status_code, reply.headers["location"]) == (303, "?MAD.gt=0.1&Filter.like=ACS%2A")
    assert web.get(f"/t/{VARIABLES}", params=sent, follow_redirects=True).status_code == 200


def test_a_filter_that_cannot_be_is_told_with_what_may_be_meant(web):
    reply = web.get(f"/t/{VARIABLES}.json", params={"MeanMg.lt": "20"})
    assert reply.status_code == 400
    assert "MeanMag" in reply.json()["error"]
    reply = web.get(
        f"/t/{VARIABLES}.json", params={"filter.column": "MAD", "filter.operator": "gt", "filter.value": ""}
    )
    assert "no value" in reply.json()["error"]
    assert web.get("/t/hcv.nothing").status_code == 404


def test_columns_are_told_with_what_their_values_are(web, variables):
    columns = {column["name"]: column for column in facts(web)["columns"]}
    mag = columns["MeanMag"]
    assert (mag["unit"], mag["ucd"]) == ("mag", "phot.mag;stat.mean")
    assert (mag["min"], mag["max"]) == (variables["MeanMag"].min(), variables["MeanMag"].max())
    assert (
        mag["counts"]
        == np.histogram(variables["MeanMag"], len(mag["counts"]), (mag["counts_from"], mag["counts_to"]))[0].tolist()
    )
    assert mag["null_share"] == 0.0


def test_a_facet_leads_to_as_many_rows_as_it_says(web, variables):
    (facet,) = (one for one in facts(web)["facets"] if one["column"] == "AutoClass")
    assert facet["is_estimate"] is False
    for one in facet["values"]:
        assert one["n"] == (variables["AutoClass"] == int(one["value"])).sum()
    last = facet["values"][-1]
    assert web.get(f"/t/{VARIABLES}.json{last['address']}").json()["n_found"] == last["n"]


def test_what_is_offered_elsewhere_has_the_same_rows(web):
    found = facts(web, **CHOSEN)
    names = [column["name"] for column in found["rows"]["columns"]]
    wanted = found["rows"]["rows"]
    texts = {one["label"]: one["text"] for one in found["snippets"]}
    assert rows_of(web.get("/tap/sync", params=tap(texts["ADQL"])), names) == wanted
    for label in ("Python, with skydex", "Python, with pyvo"):
        named: dict[str, object] = {}
        with redirect_stdout(io.StringIO()):
            exec(texts[label], named)
        for place, name in enumerate(names):
            got = np.asarray(getattr(named["rows"][name], "value", named["rows"][name])).tolist()
            assert got == [row[place] for row in wanted], (label, name)
    csv = web.get(found["rest"]).text
    assert [line.split(",")[0] for line in csv.splitlines()[1:]] == [str(row[0]) for row in wanted]
    if shutil.which("curl"):
        ran = subprocess.run(["/bin/sh", "-c", texts["curl"]], capture_output=True, text=True, timeout=60, check=True)
        assert [line.split(",")[0] for line in ran.stdout.splitlines()[1:]] == [str(row[0]) for row in wanted]


def tap(adql):
    return {"LANG": "ADQL", "RESPONSEFORMAT": "arrow", "QUERY": adql}


def rows_of(reply, names):
    table = pa.ipc.open_stream(reply.content).read_all()
    assert table.column_names == names
    return [list(row.values()) for row in table.to_pylist()]


def test_texts_with_quotes_and_signs_of_html_are_but_texts(web):
    odd = "<b>O'Neil \"&\\"
    found = facts(web, Filter=odd)
    assert found["n_found"] == 0
    reply = web.get("/tap/sync", params=tap(found["snippets"][0]["text"]))
    assert reply.status_code == 200
    assert "<b>O" not in web.get(f"/t/{VARIABLES}", params={"Filter": odd}, headers={"accept": "text/html"}).text


def test_files_have_all_rows_that_are_chosen(web, variables):
    found = facts(web, **CHOSEN)
    fits = next(one["at"] for one in found["downloads"] if one["title"] == "FITS")
    assert len(Table.read(io.BytesIO(web.get(f"/{fits}").content))) == found["n_found"]


def test_light_curves_of_the_rows_are_rows_about_them_in_order_of_time(web):
    found = facts(web, **{"MAD.gt": "0.3"})
    (curve,) = (one for one in found["pointing"] if one["time"])
    table = pa.ipc.open_stream(web.get("/tap/sync", params=tap(curve["adql"])).content).read_all()
    ids = web.get(f"/t/{VARIABLES}.json", params={"MAD.gt": "0.3", "columns": "MatchID", "pagesize": 1000}).json()
    assert set(table[curve["column"]].to_pylist()) == {row[0] for row in ids["rows"]["rows"]}


def test_a_filter_is_set_and_a_page_turned_without_scripts(open_page):
    page = open_page(f"/t/{VARIABLES}", java_script_enabled=False)
    page.get_by_label("Column of filter 1", exact=True).fill("MAD")
    page.get_by_label("Test of filter 1", exact=True).select_option("gt")
    page.get_by_label("Value of filter 1", exact=True).fill("0.1")
    page.get_by_role("button", name="Show", exact=True).click()
    first = page.locator(".ways").first.inner_text()
    assert first.startswith("Rows 1 to 50 of ")
    page.get_by_role("link", name="Next").first.click()
    assert page.locator(".ways").first.inner_text().startswith("Rows 51 to 100 of ")
    page.get_by_role("link", name="MeanMag", exact=True).click()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("MeanMag")
