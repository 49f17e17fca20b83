"""The PSF databases by invoke, against the rows that were published."""

from __future__ import annotations

import csv
import io
import json

import httpx
import pyarrow as pa
import pytest
import serving
from astropy.coordinates import SkyCoord
from astropy.table import Table
from demonstration import build_collection
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.demo.psf import simulate_psf
from skydex.demo.size import SIZES

UVIS = "Mast.Catalogs.Filtered.Wfc3Psf.Uvis"
DATABASES = {UVIS: "UVIS", "Mast.Catalogs.Filtered.Wfc3Psf.Ir": "IR", "Mast.Catalogs.Filtered.Wfpc2Psf.Uvis": "WFPC2"}
CORNER = [
    {"paramName": "psf_x_center", "values": [{"min": 100, "max": 102}]},
    {"paramName": "psf_y_center", "values": [{"min": 100, "max": 102}]},
    {"paramName": "n_sat_pixels", "values": ["0"]},
]
"""The filters of the published query."""


@pytest.fixture(scope="module")
def truth():
    tables = simulate_psf(SIZES["tiny"], 1)
    return {table.name: pa.Table.from_batches(list(table.batches)).to_pandas() for table in tables}


@pytest.fixture(scope="module")
def psf_server(tmp_path_factory):
    with serving.serving(build_collection(tmp_path_factory.mktemp("psf"), simulate_psf)) as server:
        yield server


@pytest.fixture(scope="module")
def web(psf_server):
    with httpx.Client(base_url=psf_server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def ask(web):
    def ask(columns="*", filters=(), service=UVIS, *, is_fine=True, params=None, **more):
        params = {"columns": columns, "filters": filters, **(params or {})}
        asked = {"service": service, "params": params, "format": "json", "pagesize": 50000, "page": 1, **more}
        answer = web.post("/api/v0/invoke", data={"request": json.dumps(asked)})
        assert answer.status_code == 200
        if more.get("format", "json") != "json":
            return answer
        answer = answer.json()
        assert (answer["status"] == "COMPLETE") == is_fine, answer["msg"]
        return answer if is_fine else answer["msg"]

    return ask


def where(name, *values, **more):
    return [{"paramName": name, "values": list(values), **more}]


def ids(answer):
    return sorted(row["id"] for row in answer["data"])


def test_the_published_query_finds_six_stars(ask):
    answer = ask("id,rootname,filter,x_cal,y_cal,x_raw,y_raw,chip,qfit,subarray", CORNER)
    assert [field["name"] for field in answer["fields"]][:3] == ["id", "rootname", "filter"]
    types = {field["name"]: field["type"] for field in answer["fields"]}
    assert (types["id"], types["chip"], types["qfit"], types["x_cal"]) == ("int", "string", "float", "int")
    assert len(answer["data"]) == 6
    assert {"id": 8184981, "rootname": "ibc302ioq", "filter": "F814W"}.items() <= next(
        row.items() for row in answer["data"] if row["id"] == 8184981
    )
    paging = {"page": 1, "pageSize": 50000, "pagesFiltered": 1, "rows": 6, "rowsFiltered": 6, "rowsTotal": 6}
    assert answer["paging"] == paging


@pytest.mark.parametrize("service", DATABASES)
def test_a_database_has_every_row_and_every_column(ask, truth, service):
    answer, rows = ask(service=service), truth[f"psf.{DATABASES[service]}"]
    assert [field["name"] for field in answer["fields"]] == list(rows.columns)
    assert ids(answer) == sorted(rows["id"])
    assert isinstance(answer["data"][0]["chip"], str)


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        (where("chip", "1"), lambda t: t.chip == "1"),
        (where("chip", 1), lambda t: t.chip == "1"),
        (where("filter", "F814W", "f606w"), lambda t: t["filter"].isin(["F814W", "F606W"])),
        (where("id", 8184981), lambda t: t.id == 8184981),
        (where("qfit", {"min": 0, "max": 0}), lambda t: t.qfit == 0),
        (where("qfit", {"min": "0.01", "max": "0.05"}), lambda t: t.qfit.between(0.01, 0.05)),
        (where("psf_x_center", {"min": 99.5, "max": 200.5}), lambda t: t.psf_x_center.between(100, 200)),
        (where("psf_x_center", {"max": 200}), lambda t: t.psf_x_center <= 200),
        (
            where("psf_x_center", 7, {"min": 100, "max": 110}, {"min": 4000}),
            lambda t: (t.psf_x_center == 7) | t.psf_x_center.between(100, 110) | (t.psf_x_center >= 4000),
        ),
        (where("rootname", freeText="ibc%"), lambda t: t.rootname.str.startswith("ibc")),
        (
            where("aperture", "UVIS1", freeText="%CENTER"),
            lambda t: (t.aperture == "UVIS1") | t.aperture.str.endswith("CENTER"),
        ),
        (where("aperture", "center", "%", separator="-"), lambda t: t.aperture == "UVIS-CENTER"),
        (where("aperture", "UVIS", separator="-"), lambda t: t.aperture.isin(["UVIS", "UVIS-CENTER"])),
        (where("PROPTYPE", "GO/DD", separator=","), lambda t: t.proptype == "GO/DD"),
        (where("chip", "2") + where("n_sat_pixels", "0"), lambda t: (t.chip == "2") & (t.n_sat_pixels == 0)),
    ],
)
def test_filters_choose_rows(ask, truth, filters, chosen):
    rows = truth["psf.UVIS"]
    wanted = rows[chosen(rows)]
    assert 0 < len(wanted) < len(rows)
    assert ids(ask("id", filters)) == sorted(wanted["id"])
    assert ask("COUNT_BIG(*)", filters)["data"] == [{"Column1": len(wanted)}]


def test_no_value_is_a_value_that_can_be_asked_for(ask, truth):
    rows = truth["psf.WFPC2"]
    found = ask("id,filter_2", where("filter_2", None), service="Mast.Catalogs.Filtered.Wfpc2Psf.Uvis")
    assert ids(found) == sorted(rows[rows.filter_2.isna()]["id"])


def test_a_count_has_the_recorded_form(ask, truth, shared_data):
    theirs = json.loads((shared_data / "services" / "mast" / "countsResp.json").read_text())
    theirs["data"][0]["Column1"] = len(truth["psf.UVIS"])
    assert ask("COUNT_BIG(*)") == theirs
    assert ask("count(*)", service=f"{UVIS}.Position", params={"ra": 0, "dec": 90})["data"] == [{"Column1": 0}]
    assert ask("COUNT_BIG(*)", format="csv").text.split() == ["Column1", str(len(truth["psf.UVIS"]))]


def test_columns_come_as_they_are_asked_for(ask):
    def columns(asked):
        return [field["name"] for field in ask(asked, CORNER)["fields"]]

    assert columns("qfit, ID,qfit") == ["qfit", "ID"]
    assert columns(["c.chip", "id"]) == ["chip", "id"]
    assert columns("id,*") == columns("*") == columns("c.*")


def test_pages_fit_together(ask, truth):
    pages = [ask("id", pagesize=2000, page=number) for number in (1, 2, 3)]
    found = [row["id"] for page in pages for row in page["data"]]
    assert found == [row["id"] for row in ask("id")["data"]]
    assert sorted(found) == sorted(truth["psf.UVIS"]["id"])
    assert [page["paging"]["pagesFiltered"] for page in pages] == [2, 2, 2]


def test_an_answer_without_rows_has_its_fields(ask):
    answer = ask("id,chip", where("id", -1))
    assert (answer["data"], len(answer["fields"]), answer["paging"]["rowsTotal"]) == ([], 2, 0)


def test_the_twin_of_a_service_searches_a_cone(ask, truth):
    rows = truth["psf.IR"]
    star = rows.iloc[17]
    apart = SkyCoord(rows.ra, rows.dec, unit="deg").separation(SkyCoord(star.ra, star.dec, unit="deg")).deg
    wanted = sorted(rows["id"][apart <= 0.01])
    cone = {"ra": star.ra, "dec": star.dec, "radius": 0.01}
    service = "Mast.Catalogs.Filtered.Wfc3Psf.Ir.Position"
    assert ids(ask("*", service=service, params=cone)) == wanted
    assert ids(ask("*", service=service, params={"position": f"{star.ra}, {star.dec}, 0.01"})) == wanted
    assert ids(ask("*", where("id", int(star.id)), service=service, params=cone)) == [star.id]
    assert "Parameter ra" in ask(service=service, is_fine=False)


def test_the_answer_has_other_formats(ask):
    text = ask("id,chip", CORNER, format="csv").text
    assert len(list(csv.DictReader(io.StringIO(text)))) == 6
    for form in ("votable", "xml"):
        table = Table.read(io.BytesIO(ask("id,chip,qfit", CORNER, format=form).content), format="votable")
        assert (len(table), table["chip"].dtype.kind) == (6, "U")
    assert len(ask("id", CORNER, format="extjs").json()["data"]["Tables"][0]["Rows"]) == 6


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"columns": "id,rootnam"}, 'Did you mean "rootname"'),
        ({"filters": where("filtre", "F814W")}, 'Did you mean "filter"'),
        ({"columns": 5}, "Parameter columns"),
        ({"filters": {}}, "Parameter filters: must be a list"),
        ({"filters": ["chip"]}, "Parameter filters: must be a list"),
        ({"filters": [{"values": ["1"]}]}, "paramName"),
        ({"filters": where("chip")}, "Parameter chip: has no values"),
        ({"filters": where("qfit", "good")}, 'Parameter qfit: must be a number, not "good"'),
        ({"filters": where("qfit", {"min": "a"})}, "Parameter qfit: must be a number"),
        ({"filters": where("qfit", {"least": 1})}, "Parameter qfit: has a range that is not"),
        ({"filters": where("qfit", freeText="%1%")}, "Parameter qfit: is for texts"),
        ({"filters": where("qfit", ["1"])}, "Parameter qfit: has a value that is no number"),
        ({"filters": where("chip", *range(300), separator=";")}, "list of values of chip"),
        ({"filters": where("qfit", *[{"min": 1}] * 101)}, "list of ranges of qfit"),
        ({"filters": where("qfit", 1) * 201}, "Parameter filters: has more than 200"),
        ({"service": "Mast.Catalogs.Filtered.Wfc3Psf.UVIS"}, f"Did you mean {UVIS}"),
    ],
)
def test_what_is_wrong_is_told(ask, asked, says):
    assert says in ask(**asked, is_fine=False)


def test_the_columns_of_a_service_are_described(web):
    answer = web.post("/portal/Mashup/Mashup.asmx/columnsconfig", data={"colConfigId": UVIS}).json()
    assert answer["chip"]["vot.datatype"] == "char"
    assert answer["psf_flux"]["vot.unit"] == "count"


def test_a_database_that_is_not_here_is_told_so(mast_web):
    asked = {"service": UVIS, "params": {"columns": "*", "filters": []}}
    answer = mast_web.post("/api/v0/invoke", data={"request": json.dumps(asked)}).json()
    assert (answer["status"], answer["data"]) == ("ERROR", [])
    assert "Wfc3Psf.Uvis" in answer["msg"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["min", "max", "x"]), inner),
    max_leaves=6,
)
ENTRIES = st.fixed_dictionaries(
    {}, optional={"paramName": st.sampled_from(["chip", "qfit", "date", "x"]), "values": ANYTHING}
    | dict.fromkeys(("freeText", "separator"), st.text(max_size=5) | st.integers()),
)  # fmt: skip


@settings(max_examples=80)
@given(st.lists(ENTRIES, max_size=3) | ANYTHING, st.sampled_from(["id", "*", "COUNT_BIG(*)", "", ","]) | ANYTHING)
def test_any_filters_have_an_answer(web, filters, columns):
    asked = {"service": UVIS, "params": {"filters": filters, "columns": columns}, "pagesize": 3}
    answer = web.post("/api/v0/invoke", data={"request": json.dumps(asked)})
    assert answer.status_code == 200
    assert answer.json()["status"] in ("COMPLETE", "ERROR")
