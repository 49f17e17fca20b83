"""MAST's invoke, asked for rows of its Filtered services."""

from __future__ import annotations

import json

import pytest
from loopback import answering

from skydex.client import invoke
from skydex.client.conditions import All, Comparison
from skydex.client.far import far_door
from skydex.client.http import Web
from skydex.client.orders import RowsOrder
from skydex.client.presets import get_preset
from skydex.errors import (
    BadAnswerError,
    NotOfferedError,
    RefusedError,
    UnknownColumnError,
    UnknownTableError,
    UnreachableError,
)
from skydex.tables import Datatype

UVIS = "Mast.Catalogs.Filtered.Wfc3Psf.Uvis"


@pytest.fixture(scope="module")
def psf(demonstration):
    return far_door(get_preset("mast-psf").moved(demonstration.url))


def near(server):
    return far_door(get_preset("mast-psf").moved(server.url), Web(retries=0))


def test_filters_choose_rows(psf):
    filters = [{"paramName": "n_sat_pixels", "values": ["0"]}, {"paramName": "chip", "values": ["1"]}]
    result = psf.filtered(UVIS, ("id", "rootname", "chip", "n_sat_pixels", "qfit"), filters, None)
    found = result.to_arrow().to_pydict()
    assert list(found) == ["id", "rootname", "chip", "n_sat_pixels", "qfit"]
    assert set(found["chip"]) == {"1"}, "a text, as the tools of MAST take it"
    assert set(found["n_sat_pixels"]) == {0}
    assert [column.datatype for column in result.columns[:2]] == [Datatype.LONG, Datatype.CHAR]
    assert not result.overflow


def test_a_search_with_conditions_is_the_same(psf):
    condition = All((Comparison("n_sat_pixels", "=", (0,)), Comparison("psf_x_center", "between", (100, 300))))
    result = psf.rows(RowsOrder("uvis", ("ID", "psf_x_center"), condition)).to_arrow()
    assert result.num_rows
    assert all(100 <= x <= 300 for x in result["psf_x_center"].to_pylist())
    filters = [
        {"paramName": "psf_x_center", "values": [{"min": 100, "max": 300}]},
        {"paramName": "n_sat_pixels", "values": ["0"]},
    ]
    assert psf.filtered(UVIS, ("id", "psf_x_center"), filters).to_arrow().equals(result)


def test_a_limit_cuts_and_says_so(psf):
    result = psf.filtered(UVIS, (), [], 5)
    assert result.to_arrow().num_rows == 5
    assert result.overflow


def test_pages_follow_each_other(psf, monkeypatch):
    filters = [{"paramName": "psf_x_center", "values": [{"min": 0, "max": 1000}]}]
    whole = psf.filtered(UVIS, ("id",), filters).to_arrow()
    assert whole.num_rows > 50
    monkeypatch.setattr(invoke, "PAGE_ROWS", whole.num_rows // 3)
    assert psf.filtered(UVIS, ("id",), filters).to_arrow().equals(whole)


def test_rows_can_be_counted(psf):
    result = psf.filtered(UVIS, ("COUNT_BIG(*)",), [])
    assert result.to_arrow().column(0).to_pylist() == [psf.filtered(UVIS, ("id",), []).to_arrow().num_rows]


def test_databases_are_tables_with_columns(psf):
    assert [table.name for table in psf.tables()] == ["UVIS", "IR", "WFPC2"]
    table = psf.table("WFPC2")
    assert table.get_column("filter_2").datatype.is_text
    assert table.get_column("qfit").description
    with pytest.raises(UnknownTableError, match="UVIS"):
        psf.table("ACS")


def test_what_is_wrong_is_told_in_the_words_of_the_service(psf):
    with pytest.raises(RefusedError, match="rootnam"):
        psf.filtered(UVIS, ("rootnam",), [])
    with pytest.raises(UnknownColumnError, match="rootname"):
        psf.rows(RowsOrder("UVIS", ("rootnam",)))
    with pytest.raises(NotOfferedError, match="Sort the rows"):
        psf.rows(RowsOrder("UVIS", sort_by=("qfit",)))


@pytest.mark.parametrize("name", ["hsc", "matchid", "dd"])
def test_recorded_answers_have_all_their_values(shared_data, name):
    content = (shared_data / f"services/mast/{name}.json").read_bytes()
    document = json.loads(content)
    with answering(lambda asked: content if asked.path.endswith("invoke") else b"{}") as server:
        result = near(server).filtered("Mast.Any", (), [])
        table = result.to_arrow()
    fields = {field["name"]: field["type"] for field in document["fields"] if field["name"] != "_selected_"}
    assert table.column_names == list(fields)
    for name, word in fields.items():
        assert table[name].to_pylist() == [row.get(name) for row in document["data"]], name
        datatype = result.columns[table.column_names.index(name)].datatype
        if word in ("float", "int"):
            assert datatype is {"float": Datatype.DOUBLE, "int": Datatype.LONG}[word]


def test_recorded_properties_describe_the_columns(shared_data):
    properties = (shared_data / "services/mast/columnsconfig.json").read_bytes()
    row = {"t_exptime": 3, "s_ra": 1.5, "obs_collection": "HST"}
    fields = [{"name": "t_exptime", "type": "float"}, {"name": "s_ra", "type": "float"}]
    page = {"status": "COMPLETE", "data": [row], "fields": [*fields, {"name": "obs_collection", "type": "string"}]}
    with answering(lambda asked: json.dumps(page).encode() if asked.path.endswith("invoke") else properties) as server:
        result = near(server).filtered("Mast.Any", (), [])
    known = json.loads(properties)
    assert [column.unit for column in result.columns] == [known[c.name].get("vot.unit") for c in result.columns]
    assert result.columns[2].ucd == "meta.id"
    assert result.to_arrow().to_pylist() == [row]


def test_a_service_that_needs_time_is_asked_again(monkeypatch):
    monkeypatch.setattr(invoke, "_PAUSE_S", 0.01)
    answers = [b'{"status": "EXECUTING"}'] * 2
    done = b'{"status": "COMPLETE", "data": [{"x": 1}], "fields": [{"name": "x", "type": "int"}]}'

    def answer(asked):
        return b"{}" if not asked.path.endswith("invoke") else answers.pop() if answers else done

    with answering(answer) as server:
        assert near(server).filtered("Mast.Any", (), []).to_arrow()["x"].to_pylist() == [1]
        monkeypatch.setattr(invoke, "_PATIENCE_S", 0.0)
        answers.append(b'{"status": "EXECUTING"}')
        with pytest.raises(UnreachableError, match="not done"):
            near(server).filtered("Mast.Any", (), [])


def test_values_that_are_not_what_their_type_says_are_kept():
    page = {
        "status": "COMPLETE",
        "data": [{"n": 1.5, "word": 7, "any": "x"}, {"n": 2, "word": "a", "any": None}, {}],
        "fields": [{"name": "n", "type": "int"}, {"name": "word", "type": "string"}, {"name": "any", "type": "float"}],
    }
    with answering(lambda asked: json.dumps(page).encode()) as server:
        found = near(server).filtered("Mast.Any", (), []).to_arrow().to_pydict()
    assert found == {"n": [1.5, 2.0, None], "word": ["7", "a", None], "any": ["x", None, None]}


def test_a_number_that_is_called_a_text_stays_a_number():
    page = {"status": "COMPLETE", "data": [{"Column1": 33211024}], "fields": [{"name": "Column1", "type": "string"}]}
    with answering(lambda asked: json.dumps(page).encode()) as server:
        assert near(server).filtered("Mast.Any", ("COUNT_BIG(*)",), []).to_arrow().to_pydict() == {
            "Column1": [33211024]
        }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 10**5,
        b'{"status": "COMPLETE"}',
        b'{"status": "COMPLETE", "data": 5, "fields": [{"name": "x", "type": "int"}]}',
        b'{"status": "COMPLETE", "data": [5], "fields": [{"name": "x", "type": "int"}]}',
        b'{"status": "COMPLETE", "data": [], "fields": [5]}',
        b'{"status": "COMPLETE", "data": [], "fields": [], "paging": {"pagesFiltered": 1e999}}',
    ],
)
def test_an_answer_that_is_no_page_is_refused(content):
    with answering(lambda asked: content) as server, pytest.raises(BadAnswerError):
        near(server).filtered("Mast.Any", (), [])
