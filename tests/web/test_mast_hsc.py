"""The Hubble Source Catalog by invoke: requests whose answers were recorded give these answers."""

from __future__ import annotations

import csv
import io
import json
from importlib.resources import files

import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from mastlike import CENTRE, RECORDED, recorded

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not beside this checkout")


@pytest.fixture(scope="session")
def ask(mast_web):
    def ask(service="Mast.Hsc.Db.v3", params=None, **more):
        asked = {"service": service, "params": {**CENTRE, **(params or {})}, "format": "json", **more}
        answer = mast_web.post("/api/v0/invoke", data={"request": json.dumps(asked)})
        assert answer.status_code == 200, answer.text
        return answer

    return ask


def assert_alike(ours, theirs):
    """The same keys, order of columns, types and values; distances are recorded with the errors of single steps."""
    assert ours.keys() == theirs.keys()
    assert (ours["status"], ours["msg"], ours["fields"]) == (theirs["status"], theirs["msg"], theirs["fields"])
    assert ours["paging"] == theirs["paging"]
    assert len(ours["data"]) == len(theirs["data"])
    for mine, yours in zip(ours["data"], theirs["data"], strict=True):
        assert mine.keys() == yours.keys()
        assert mine.pop("Distance", 0) == pytest.approx(yours.pop("Distance", 0), abs=1e-6)
        assert mine == yours


@pytest.mark.parametrize("service", ["Mast.Hsc.Db.v3", "Mast.Hsc.Db.v2"])
def test_a_cone_has_the_recorded_answer(ask, service):
    ours = ask(service, {"nr": 50000, "ni": 1, "magtype": 1}, pagesize=50000, page=1, cacheBreaker="x").json()
    assert_alike(ours, recorded("hsc"))


def test_detections_of_an_object_have_the_recorded_answer(ask):
    theirs = recorded("matchid")
    ours = ask("Mast.HscMatches.Db.v3", {"input": "82371983"}, pagesize=50000, page=1).json()
    for rows in (ours, theirs):
        for row in rows["data"]:
            assert all(isinstance(row.pop(name), str) for name in ("naxis", "crpix", "crval", "cd_matrix"))
    assert_alike(ours, theirs)


def test_pages_fit_together_and_say_how_many_they_are(ask):
    whole = [row["MatchID"] for row in ask().json()["data"]]
    pages = [ask(pagesize=10, page=number).json() for number in (1, 2, 3)]
    assert [row["MatchID"] for page in pages for row in page["data"]] == whole
    assert [page["paging"]["rows"] for page in pages] == [10, 10, 8]
    assert all(page["paging"]["pagesFiltered"] == 3 and page["paging"]["rowsTotal"] == 28 for page in pages)
    assert len({json.dumps(page["fields"]) for page in pages}) == 1
    assert ask(pagesize=10, page=4).json()["data"] == []


def test_parameters_of_the_catalogue_restrict_the_answer(ask):
    assert len(ask(params={"nr": 5}).json()["data"]) == 5
    every = ask().json()["data"]
    many = ask(params={"ni": 5}).json()["data"]
    assert [row["MatchID"] for row in many] == [row["MatchID"] for row in every if row["NumImages"] >= 5]
    assert len(ask(params={"radius": "0.2"}).json()["data"]) == 29


def test_an_empty_place_has_an_answer_without_rows(ask):
    empty = ask(params={"ra": 10.0}).json()
    assert (empty["status"], empty["data"], empty["paging"]["rowsTotal"]) == ("COMPLETE", [], 0)
    assert [field["name"] for field in empty["fields"]][:3] == ["MatchID", "Distance", "MatchRA"]


def test_empty_columns_are_left_out_if_they_are_not_wanted(ask):
    names = [field["name"] for field in ask(params={"nr": 1}, removenullcolumns=True).json()["fields"]]
    assert "W3_F336W" in names
    assert "A_F606W" not in names


def test_the_answer_has_other_formats(ask):
    rows = list(csv.DictReader(io.StringIO(ask(format="csv").text)))
    assert len(rows) == 28
    assert rows[0]["MatchID"] == "82441651"
    for form in ("votable", "xml"):
        table = Table.read(io.BytesIO(ask(format=form).content), format="votable")
        assert (len(table), table["MatchID"][0]) == (28, 82441651)
    grid = ask(format="extjs").json()["data"]["Tables"][0]
    assert len(grid["Rows"]) == 28
    assert grid["ExtendedProperties"]["Paging"]["rowsTotal"] == 28
    assert [column["dataIndex"] for column in grid["Columns"]][:2] == ["MatchID", "Distance"]
    theirs = json.loads((RECORDED / "missions.extjs").read_text(encoding="utf-8"))["data"]["Tables"][0]
    assert list(grid) == list(theirs)


def test_columns_of_a_service_are_described(mast_web):
    answer = mast_web.post("/portal/Mashup/Mashup.asmx/columnsconfig", data={"colConfigId": "Mast.Hsc.Db.v3"}).json()
    theirs = recorded("columnsconfig")
    assert answer["_selected_"] == theirs["_selected_"]
    assert answer["MatchRA"]["vot.datatype"] == "double"
    assert set(answer["MatchRA"]) <= {key for column in theirs.values() for key in column}


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"ra": 400}, "Parameter ra"),
        ({"ra": None}, "Parameter ra: is missing"),
        ({"dec": "x"}, "Parameter dec"),
        ({"radius": 5}, "Parameter radius"),
        ({"magtype": 3}, "Parameter magtype"),
        ({"magtype": 2}, "hsc/v3/summary/magauto"),
        ({"nr": 0}, "Parameter nr"),
        ({"ni": [1]}, "Parameter ni"),
        ({"ni": "+-1"}, "Parameter ni"),
    ],
)
def test_what_is_wrong_is_told(ask, params, says):
    answer = ask(params=params).json()
    assert answer["status"] == "ERROR"
    assert says in answer["msg"]


def test_all_spectra_have_the_recorded_fields(ask):
    theirs = json.loads((files("astroquery.mast.tests") / "data" / "spectra.json").read_text())
    ours = ask("Mast.HscSpectra.Db.All", {}).json()
    assert ours["fields"] == theirs["fields"]
    assert len(ours["data"]) == len(theirs["data"])
    by_id = {row["ObjID"]: row for row in ours["data"]}
    for row in theirs["data"]:
        assert by_id[row["ObjID"]] == {**row, "MatchID": str(row["MatchID"])}  # which their fields call a text


def test_what_is_not_published_is_told_so(ask):
    assert "hsc/v2/detailed" in ask("Mast.HscMatches.Db.v2", {"input": 1}).json()["msg"]


NUMBERS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers())


@settings(max_examples=80)
@given(
    st.dictionaries(st.sampled_from(["ra", "dec", "radius", "nr", "ni", "magtype"]), NUMBERS),
    st.dictionaries(st.sampled_from(["page", "pagesize", "format", "removenullcolumns"]), NUMBERS),
)
def test_any_parameters_have_an_answer(mast_web, params, more):
    asked = {"service": "Mast.Hsc.Db.v3", "params": {**CENTRE, **params}, **more}
    answer = mast_web.post("/api/v0/invoke", data={"request": json.dumps(asked)})
    assert answer.status_code == 200
    assert answer.json()["status"] in ("COMPLETE", "ERROR")
