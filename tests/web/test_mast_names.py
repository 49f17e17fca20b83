"""`Mast.Name.Lookup` and SANTA: entries as they are recorded, in every form that is asked for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

IC1613 = {"service": "Mast.Name.Lookup", "params": {"input": "IC 1613", "format": "json"}}


@pytest.fixture(scope="session")
def invoke(mast_web):
    def invoke(request, method="POST"):
        given = {"request": request if isinstance(request, str) else json.dumps(request)}
        sent = {"data": given} if method == "POST" else {"params": given}
        answer = mast_web.request(method, "/api/v0/invoke", **sent)
        assert answer.status_code == 200, answer.text
        return answer

    return invoke


@pytest.fixture(scope="session")
def santa(mast_web):
    def santa(*names, **given):
        answer = mast_web.get("/Santa-war/query", params={"name": names, "outputFormat": "json", **given})
        assert answer.status_code == 200, answer.text
        return answer.json()["resolvedCoordinate"]

    return santa


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_is_looked_up_as_the_notebooks_do(invoke, method):
    answer = invoke(IC1613, method).json()
    assert answer["status"] == ""
    first = answer["resolvedCoordinate"][0]
    assert (first["ra"], first["decl"], first["searchString"]) == (16.19913, 2.11778, "ic 1613")


def test_a_lookup_is_xml_unless_its_own_parameters_ask_for_json(invoke):
    answer = invoke({"service": "Mast.Name.Lookup", "params": {"input": "IC 1613"}})
    assert answer.headers["content-type"].startswith("text/xml")
    assert etree.fromstring(answer.content).findtext("resolvedCoordinate/decl") == "2.11778"


def test_entries_have_the_keys_order_and_types_of_recorded_ones(santa, shared_data):
    recorded = json.loads((shared_data / "services" / "mast" / "resolver.json").read_text())["resolvedCoordinate"]
    types = {key: type(value) for entry in recorded for key, value in entry.items()}
    order = ["searchString", "resolver", "cached", "resolverTime", "cacheDate", "searchRadius", "canonicalName", "ra"]
    order += ["decl", "radius", "majorAxis", "minorAxis", "positionAngle", "objectType"]
    assert all(list(entry) == [key for key in order if key in entry] for entry in recorded)
    names = ["Barnard's star", "M1", "M101", "M103", "M8", "M10"]
    ours = santa(*names, resolveAll="true")
    assert {(entry["searchString"], entry["resolver"]) for entry in ours} >= {
        (entry["searchString"], entry["resolver"])
        for entry in recorded
        if entry["resolver"] in ("SIMBAD", "NED") and entry["searchString"] != "tic 307210830"
    }
    for entry in ours:
        assert list(entry) == [key for key in order if key in entry]
        assert {key: type(value) for key, value in entry.items()} == {key: types[key] for key in entry}
        twin = next(one for one in recorded if one["searchString"] == entry["searchString"])
        assert set(twin) - set(entry) <= {"cacheDate", "radius", "majorAxis", "minorAxis", "positionAngle"}
        assert (entry["ra"], entry["decl"]) == pytest.approx((twin["ra"], twin["decl"]), abs=0.03)


def test_whom_one_asks_decides_where_an_object_is(santa):
    assert santa("IC 1613")[0]["ra"] == 16.19913
    assert santa("IC 1613", resolver="NED")[0]["ra"] == 16.19913
    assert santa("IC 1613", resolver="Simbad")[0]["ra"] == 16.2016962
    assert [(entry["resolver"], entry["ra"]) for entry in santa("IC 1613", resolveAll="True")] == [
        ("SIMBAD", 16.2016962),
        ("NED", 16.19913),
    ]


def test_of_several_resolvers_the_first_that_knows_a_name_answers(santa):
    (entry,) = santa("IC 1613", resolver=["TIC", "SIMBAD", "NED"])
    assert entry["resolver"] == "TIC"  # for whom OpenNGC, which names nobody, speaks


def test_without_a_choice_an_answer_says_from_which_list_it_is(santa):
    assert [santa(name)[0]["resolver"] for name in ("IC 1613", "M1", "Vega", "16.2 +2.1", "KQ UMa")] == [
        "NED",
        "OpenNGC",
        "IAU",
        "Coordinates",
        "demo.named_objects",
    ]


def test_many_names_in_one_request_have_an_entry_each(santa):
    names = [f"M {number}" for number in range(1, 31)]
    assert [entry["searchString"] for entry in santa(*names)] == [name.lower() for name in names]


def test_an_unknown_name_has_no_entry(invoke, santa):
    request = {"service": "Mast.Name.Lookup", "params": {"input": "no such thing", "format": "json"}}
    assert invoke(request).json() == {"resolvedCoordinate": [], "status": ""}
    assert santa("no such thing") == []
    assert santa("no such thing", "M31")[0]["searchString"] == "m31"


def test_a_radius_after_a_name_is_the_search_radius(santa):
    assert santa("M101 r=0.2")[0]["searchRadius"] == 0.2
    assert santa("16.2 +2.1 r=5arcmin")[0]["searchRadius"] == pytest.approx(1 / 12)
    assert santa("M101")[0]["searchRadius"] == -1.0


def test_santa_answers_in_xml_groups_and_calls_back(mast_web):
    answer = mast_web.get("/Santa-war/query", params={"name": "M31"})
    assert etree.fromstring(answer.content).findtext("resolvedCoordinate/canonicalName") == "NGC 224"
    answer = mast_web.get("/Santa-war/query", params={"name": "M31", "jsonp": "shown"})
    assert answer.text.startswith('shown({"resolvedCoordinate": [{"searchString": "m31"')
    grouped = {"name": ["M31", "M1"], "grouped": "true", "outputFormat": "json"}
    items = mast_web.get("/Santa-war/query", params=grouped).json()["resolvedItems"]
    assert [item["searchString"] for item in items] == ["m31", "m1"]
    assert mast_web.get("/Santa-war/query", params={"name": "M31", "jsonp": "alert(1)//"}).status_code == 400


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ("{", "not JSON"),
        ("", "is missing"),
        ("[]", "JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 60 + "1" + "}" * 60, "JSON object"),
        ("{}", "service"),
        ('{"service": 3}', "service"),
        ('{"service": "Mast.Name.Lookup", "params": 3}', "params"),
        ('{"service": "Mast.Name.Lookup"}', "input"),
        ('{"service": "Mast.Name.Lookup", "params": {"input": ""}}', "input"),
        ('{"service": "Mast.Name.Lookups", "params": {}}', "Did you mean Mast.Name.Lookup?"),
        ('{"service": "Mast.Name.Lookup", "format": "exe"}', "format"),
        ('{"service": "Mast.Name.Lookup", "page": 0}', "page"),
        ('{"service": "Mast.Name.Lookup", "pagesize": -5}', "pagesize"),
    ],
)
def test_what_is_wrong_with_a_request_is_told_in_the_form_of_an_answer(invoke, request_, says):
    answer = invoke(request_).json()
    assert answer["status"] == "ERROR"
    assert says in answer["msg"]
    assert answer["data"] == answer["fields"] == []


def test_the_page_of_the_portal_is_asked_by_old_notebooks(mast_web):
    params = {"request": json.dumps(IC1613)}
    answer = mast_web.get("/portal/Mashup/Mashup.asmx/invoke", params=params).json()
    assert answer["resolvedCoordinate"][0]["ra"] == 16.19913


def test_columns_of_a_service_that_is_not_here_are_none(mast_web):
    answer = mast_web.post("/portal/Mashup/Mashup.asmx/columnsconfig", data={"colConfigId": "Mast.Caom.Cone"})
    assert answer.json() == {}


@pytest.mark.parametrize("name", [r"\ud800", r"\u0000", r"\u0008<&", r"\ufffe", "x" * 100_000])
def test_a_name_of_strange_signs_is_just_not_known(invoke, name):
    for form in ("", ', "format": "json"'):
        answer = invoke(f'{{"service": "Mast.Name.Lookup", "params": {{"input": "{name}"{form}}}}}')
        if form:
            assert answer.json()["resolvedCoordinate"] == []
        else:
            assert not len(etree.fromstring(answer.content).findall("resolvedCoordinate"))


WORDS = ("service", "params", "input", "format", "page", "pagesize", "json", "Mast.Name.Lookup", "M31", "", "16.2 2.1")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=150)
@given(request=VALUES | st.fixed_dictionaries({"service": st.just("Mast.Name.Lookup"), "params": VALUES}))
def test_any_json_has_an_answer(invoke, request):
    answer = invoke(json.dumps(request))
    if answer.content.startswith(b"<?xml"):
        etree.fromstring(answer.content)
    else:
        assert answer.json()["status"] in ("", "ERROR")
        assert "Traceback" not in answer.text


@settings(max_examples=100)
@given(request=st.text(max_size=80))
def test_any_text_has_an_answer(invoke, request):
    assert invoke(request).json()["status"] == "ERROR"
