"""Recorded answers of the Pan-STARRS catalogue service beside those of the demonstration for the same requests."""

from __future__ import annotations

import json

import httpx
import pytest


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory):
    """A client of the API of a server over the simulated Pan-STARRS1."""
    import serving
    from demonstration import build_collection

    from skydex.demo.ps1 import simulate_ps1

    archive = build_collection(tmp_path_factory.mktemp("ps1"), simulate_ps1)
    with (
        serving.serving(archive) as server,
        httpx.Client(base_url=f"{server.url}/api/v0.1/panstarrs/", timeout=30) as client,
    ):
        yield client


@pytest.fixture
def recorded(shared_data):
    return lambda name: json.loads((shared_data / "services" / "mast" / f"{name}.json").read_text())


def test_metadata_have_the_names_types_and_keys_of_the_recorded_ones(catalogs, recorded):
    ours, theirs = catalogs.get("dr2/mean/metadata.json").json(), recorded("panstarrs_columns")
    assert [list(column) for column in ours] == [list(column) for column in theirs]
    for key in ("name", "column_name", "db_type", "type", "datatype", "unit", "default_value", "column_index",
                "search_priority", "principal", "indexed", "std"):  # fmt: skip
        assert [column[key] for column in ours] == [column[key] for column in theirs], key
    numbers = [(a, b) for a, b in zip(ours, theirs, strict=True) if a["type"] != "char"]
    assert all((a["size"], a["arraysize"]) == (b["size"], b["arraysize"]) for a, b in numbers)


def test_an_answer_has_the_columns_and_types_of_the_recorded_one(catalogs, recorded):
    theirs = recorded("panstarrs")
    asked = {
        "page": 1, "pagesize": 50000, "ra": 187.706, "dec": 12.391, "radius": 0.2, "sort_by": ["distance.asc"],
        "columns": [info["name"] for info in theirs["info"]], "nDetections.gte": 2,
    }  # fmt: skip
    ours = catalogs.post("dr2/mean.json", json=asked).json()
    assert list(ours)[: len(theirs)] == list(theirs)
    for mine, other in zip(ours["info"], theirs["info"], strict=True):
        assert {key: mine[key] for key in ("name", "type", "db_type")} == {
            key: other[key] for key in ("name", "type", "db_type")
        }
    kinds = [type(value) for value in theirs["data"][0]]
    assert ours["data"]
    assert all([type(value) for value in row] == kinds for row in ours["data"])
    assert [-999.0 in row for row in ours["data"]].count(True) > 0


def test_a_cone_appends_the_distance(catalogs):
    found = catalogs.post("dr2/mean.json", json={"ra": 187.706, "dec": 12.391, "radius": 0.1}).json()
    distance = found["info"][-1]
    assert set(distance) == {"name", "type", "db_type", "description", "unit"}
    assert (distance["name"], distance["type"], distance["unit"]) == ("distance", "float", "deg")
    assert max(row[-1] for row in found["data"]) <= 0.1


def test_detections_are_found_around_their_objects(catalogs):
    cone = {"ra": 139.334453, "dec": 68.635059, "radius": 0.001}
    (mean,) = catalogs.get(
        "dr2/mean.json", params={**cone, "columns": "objID,nDetections", "nDetections.gt": 1}
    ).json()["data"]
    near = catalogs.get("dr2/detection.json", params={**cone, "columns": "[objID,obsTime]"}).json()
    own = catalogs.get("dr2/detection.json", params={"objid": mean[0], "columns": "[objID,obsTime]"}).json()
    assert sorted(row for row in near["data"] if row[0] == mean[0]) == sorted(own["data"])
    assert own["data"]


@pytest.mark.parametrize("table", ["dr1/mean", "dr1/stack", "dr2/mean", "dr2/stack", "dr2/forced_mean"])
def test_every_documented_table_is_there(catalogs, table):
    cone = {"ra": 187.706, "dec": 12.391, "radius": 0.2, "pagesize": 5, "sort_by": "distance"}
    answer = catalogs.get(f"{table}.csv", params=cone)
    assert answer.status_code == 200, answer.text
    assert answer.text.count("\n") > 1
    assert catalogs.get(f"{table}/metadata.json").status_code == 200
