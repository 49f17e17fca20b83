"""What services say of themselves is valid by IVOA's schemas, and true."""

from __future__ import annotations

import pytest
import schemas
from lxml import etree
from serving import HOSTILE


@pytest.fixture(scope="module")
def validate(tmp_path_factory):
    """Parse a document and check it against IVOA's schemas."""
    schema = schemas.vo_schema(tmp_path_factory.mktemp("xsd"))

    def validate(document):
        root = etree.fromstring(document)
        schema.assertValid(root)
        return root

    return validate


def texts(root, path):
    return [element.text for element in root.findall(path)]


@pytest.mark.parametrize("base", ["", "/tap", "/sky/tap", "/sky/scs/stars"])
def test_r25_availability_is_valid_and_yes(web, validate, base):
    root = validate(web.get(f"{base}/availability").content)
    assert root[0].text == "true"


@pytest.mark.parametrize(
    ("base", "more"), [("/tap", {"table-update-async-1.x", "table-load-sync-1.x"}), ("/sky/tap", set())]
)
def test_capabilities_of_tap_are_valid(web, server, validate, base, more):
    root = validate(web.get(f"{base}/capabilities").content)
    tap, *others = root.findall("capability")
    assert tap.find("interface/accessURL").text == f"{server.url}{base}"
    assert texts(tap, "language/version") == ["2.0", "2.1"]
    assert {"POINT", "CIRCLE", "CONTAINS"} <= set(texts(tap, "language/languageFeatures/feature/form"))
    assert "application/x-votable+xml" in texts(tap, "outputFormat/mime")
    assert (texts(tap, "outputLimit/default"), texts(tap, "outputLimit/hard")) == (["1000"], ["2000"])
    assert {other.get("standardID").rpartition("#")[2] for other in others} == {
        "capabilities",
        "availability",
        "tables",
        "examples",
        *more,
    }


def test_capabilities_of_the_server_list_every_cone_search(web, server):
    root = etree.fromstring(web.get("/capabilities").content)
    urls = [url.text for url in root.iter("accessURL")]
    assert urls == [f"{server.url}/tap", f"{server.url}/sky/scs/stars?"]


def test_a_cone_search_describes_itself(web, server):
    root = etree.fromstring(web.get("/sky/scs/stars/capabilities").content)
    cone = root.find("capability")
    assert cone.get("standardID") == "ivo://ivoa.net/std/ConeSearch"
    assert texts(cone, "maxSR") == ["180"]
    assert web.get("/sky/scs/detections/capabilities").status_code == 404


@pytest.mark.parametrize("path", ["/tap/tables", "/tap/tables?detail=max", "/tap/tables?detail=min", "/sky/tap/tables"])
def test_tables_are_valid_and_begin_with_tap_schema(web, validate, path):
    root = validate(web.get(path).content)
    names = texts(root, "schema/table/name")
    assert names[:5] == [f"TAP_SCHEMA.{name}" for name in ("schemas", "tables", "columns", "keys", "key_columns")]
    assert set(names[5:]) == {"sky.stars", "sky.detections"}
    assert bool(root.findall("schema/table/column")) == ("min" not in path)


def test_descriptions_come_back_as_they_are(web, validate):
    root = validate(web.get("/tap/tables/sky.stars").content)
    assert root.find("description").text == f"stars of the test {HOSTILE}"


def test_one_table_is_described_with_its_columns_in_any_case(web, validate):
    root = validate(web.get("/tap/tables/SKY.Stars").content)
    assert texts(root, "column/name") == ["star_id", "ra", "dec", "gmag", "n_obs", "name"]
    assert root.find("nrows").text == "5000"
    ra = root.findall("column")[1]
    assert (ra.find("unit").text, ra.find("dataType").text) == ("deg", "double")


def test_what_is_not_there_is_not_found(web):
    for path in (
        "/tap/tables/sky.nowhere",
        "/nowhere/tap/tables",
        "/nowhere/tap/capabilities",
        "/tap/tables/..%2f..%2fetc",
    ):
        answer = web.get(path)
        assert answer.status_code == 404
        assert answer.text.startswith("NotFoundError: ")
    assert web.get("/tap/tables?detail=some").status_code == 400


def test_columns_are_flagged_as_clients_look_for(web, validate):
    root = validate(web.get("/tap/tables/sky.stars").content)
    flags = {column.find("name").text: texts(column, "flag") for column in root.findall("column")}
    assert flags["star_id"] == ["primary", "principal"]
    assert flags["ra"] == ["indexed", "principal"]
    columns = validate(web.get("/tap/tables/TAP_SCHEMA.columns").content).findall("column")
    assert all(column.get("std") == "true" for column in columns)
    assert '"size"' in [column.find("name").text for column in columns]
