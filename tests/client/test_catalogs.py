"""The catalogue API of MAST, asked of a server that answers as MAST does."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import httpx
import numpy as np
import pytest
from loopback import Reply, answering

from skydex.client import catalogs
from skydex.client.conditions import All, Any, Comparison
from skydex.client.far import far_door
from skydex.client.http import Web
from skydex.client.orders import RowsOrder
from skydex.client.presets import get_preset
from skydex.connection.rows import result_table
from skydex.errors import (
    BadAnswerError,
    BadParameterError,
    NotOfferedError,
    RefusedError,
    UnknownColumnError,
    UnknownTableError,
)
from skydex.sky import Cone
from skydex.tables import Datatype

IC_1613 = Cone(16.2016962, 2.1194959, 0.5)
OFTEN = All((Comparison("A_F475W_N", ">=", (10,)), Comparison("A_F814W_N", ">=", (10,))))


class OfMast(Web):
    """A server of skydex that does not say what it is, and so is asked as MAST is."""

    def whole(self, method, url, **asked):
        return replace(super().whole(method, url, **asked), headers={})


@pytest.fixture(scope="module", params=["as MAST", "as skydex"])
def web(request):
    return OfMast() if request.param == "as MAST" else Web()


@pytest.fixture(scope="module")
def hsc(demonstration, web):
    return far_door(get_preset("mast-hsc").moved(demonstration.url), web)


@pytest.fixture(scope="module")
def panstarrs(demonstration, web):
    return far_door(get_preset("panstarrs").moved(demonstration.url), web)


def plainly(demonstration, path, **fields):
    """What `requests` and `csv` make of the same answer."""
    text = httpx.get(f"{demonstration.url}/api/v0.1/{path}.csv", params=fields).raise_for_status().text
    return list(csv.DictReader(io.StringIO(text)))


def test_a_cone_with_constraints_has_the_rows_that_a_plain_request_gets(hsc, demonstration):
    names = ("MatchID", "MatchRA", "A_F475W", "A_F475W_N")
    found = hsc.rows(RowsOrder("summary", names, OFTEN, IC_1613)).to_arrow().to_pylist()
    fields = {"ra": IC_1613.ra_deg, "dec": IC_1613.dec_deg, "radius": 0.5, "A_F475W_N.gte": 10, "A_F814W_N.gte": 10}
    plain = plainly(demonstration, "hsc/v3/summary/magaper2", columns=f"[{','.join(names)}]", pagesize=10**6, **fields)
    assert len(found) > 100
    assert [row["MatchID"] for row in found] == [int(row["MatchID"]) for row in plain]
    assert [row["MatchRA"] for row in found] == [float(row["MatchRA"]) for row in plain]


def test_columns_have_the_types_units_and_words_of_the_metadata(hsc):
    table = hsc.table("summary")
    assert len(table.columns) == 418
    assert table.get_column("matchid").datatype is Datatype.LONG
    assert table.get_column("MatchRA").datatype is Datatype.DOUBLE, "the service calls it float"
    assert table.get_column("MatchRA").unit == "deg"
    assert table.get_column("A_F475W").description
    assert table.position.ra == "MatchRA"
    result = hsc.rows(RowsOrder("summary", ("MatchRA", "A_F475W"), None, IC_1613, max_rows=1))
    assert [column.unit for column in result.columns] == ["deg", "mag"]


def test_rows_are_the_same_in_both_forms(demonstration):
    preset = get_preset("mast-hsc").moved(demonstration.url)
    for table, condition in (("summary", OFTEN), ("hcv", Comparison("MatchID", "=", (1905457,)))):
        order = RowsOrder(table, (), condition, sort_by=("MatchID",))
        slow, fast = (far_door(preset, web).rows(order) for web in (OfMast(), Web()))
        described = [[(c.name, c.unit, c.ucd, c.description) for c in result.columns] for result in (slow, fast)]
        assert described[0] == described[1]
        ours, theirs = (result_table(result) for result in (slow, fast))
        assert len(ours) == len(theirs) > 0
        for name in ours.colnames:
            np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_tables_are_named_as_they_can_be_asked_for(hsc):
    names = [table.name for table in hsc.tables()]
    assert names[:3] == ["summary", "summary/magauto", "detailed"]
    assert all(hsc.table(name).columns for name in names)


def test_a_limit_cuts_and_says_so_exactly_if_there_are_more(hsc):
    order = RowsOrder("hcv", (), Comparison("MatchID", "=", (1905457,)))
    n_rows = hsc.rows(order).to_arrow().num_rows
    assert n_rows == 43, "21 in F606W and 22 in F814W, as HCV has published them"
    for max_rows, is_cut in ((n_rows - 1, True), (n_rows, False), (n_rows + 1, False)):
        result = hsc.rows(RowsOrder("hcv", (), order.condition, max_rows=max_rows))
        assert result.to_arrow().num_rows == min(max_rows, n_rows)
        assert result.overflow is is_cut


def test_pages_follow_each_other_until_there_are_no_more(hsc, monkeypatch):
    order = RowsOrder("hcv", ("MJD", "Filter"), Comparison("MatchID", "=", (1905457,)), sort_by=("Filter", "-MJD"))
    whole = hsc.rows(order).to_arrow()
    for page_rows in (10, 43):
        monkeypatch.setattr(catalogs, "PAGE_ROWS", page_rows)
        assert hsc.rows(order).to_arrow().equals(whole)
    days = [row["MJD"] for row in whole.to_pylist() if row["Filter"] == "ACS_F606W"]
    assert days == sorted(days, reverse=True)
    assert len(days) == 21


def test_a_long_request_is_a_form(hsc):
    names = tuple(column.name for column in hsc.table("summary").columns)
    result = hsc.rows(RowsOrder("summary", names, None, IC_1613, max_rows=3))
    assert [column.name for column in result.columns] == list(names)


def test_what_pan_starrs_writes_for_a_missing_measurement_is_null(panstarrs, demonstration):
    names = ("objID", "gMeanPSFMag", "nDetections", "distance")
    place = plainly(demonstration, "panstarrs/dr2/mean", nDetections=1, columns="[raMean,decMean]", pagesize=1)[0]
    cone = Cone(float(place["raMean"]), float(place["decMean"]), 0.2)
    found = panstarrs.rows(RowsOrder("mean", names, None, cone)).to_arrow()
    fields = {"ra": cone.ra_deg, "dec": cone.dec_deg, "radius": 0.2, "columns": f"[{','.join(names)}]"}
    plain = plainly(demonstration, "panstarrs/dr2/mean", pagesize=10**6, **fields)
    n_missing = sum(float(row["gMeanPSFMag"]) == -999 for row in plain)
    assert found["gMeanPSFMag"].null_count == n_missing > 0
    assert found["objID"].to_pylist() == [int(row["objID"]) for row in plain]
    assert max(found["distance"].to_pylist()) <= 0.2


def test_what_stands_for_a_missing_measurement_is_no_faint_or_bright_one(panstarrs, demonstration):
    cone = Cone(187.706, 12.391, 0.2)

    def found(*conditions):
        order = RowsOrder("mean", ("objID", "gMeanPSFMag"), All(conditions), cone)
        return panstarrs.rows(order).to_arrow()["gMeanPSFMag"]

    n_all = panstarrs.rows(RowsOrder("mean", ("objID",), None, cone)).to_arrow().num_rows
    known, missing = found(Comparison("gMeanPSFMag", "is not null")), found(Comparison("gMeanPSFMag", "is null"))
    assert known.null_count == 0
    assert missing.null_count == len(missing) > 0
    assert len(known) + len(missing) == n_all
    assert found(Comparison("gMeanPSFMag", "<", (50,))).equals(known)
    assert found(Comparison("gMeanPSFMag", "<>", (50,))).equals(known)


def test_a_service_that_takes_what_stands_for_nothing_as_a_number_is_asked_for_greater_ones(shared_data):
    _, server = recorded(shared_data)
    with server as running:
        door = far_door(get_preset("panstarrs").moved(running.url), Web(retries=0))
        condition = All((Comparison("iMeanApMag", "<", (20,)), Comparison("gMeanApMag", "between", (1, 2))))
        door.rows(RowsOrder("mean", (), condition))
    asked = running.asked[1].query
    assert {key: value for key, value in asked.items() if "Mag" in key} == {
        "iMeanApMag.lt": "20",
        "iMeanApMag.gt": "-999",
        "gMeanApMag.gte": "1",
        "gMeanApMag.lte": "2",
    }


def test_identifiers_that_are_missing_are_null_too(panstarrs, demonstration):
    order = RowsOrder("detection", ("detectID", "imageID"), Comparison("filterID", "=", (1,)), max_rows=10)
    plain = plainly(demonstration, "panstarrs/dr2/detection", filterID=1, columns="[imageID]", pagesize=10)
    assert [int(row["imageID"]) for row in plain] == [-999] * 10
    assert panstarrs.rows(order).to_arrow()["imageID"].null_count == 10


def test_a_name_that_is_none_is_told_before_anything_is_asked(hsc):
    with pytest.raises(UnknownColumnError, match="A_F475W"):
        hsc.rows(RowsOrder("summary", ("A_F475",), None, IC_1613))
    with pytest.raises(UnknownColumnError, match='"first" nor "A_F475"'):
        hsc.rows(RowsOrder("summary", ("MatchID", "first", "A_F475"), None, IC_1613))
    with pytest.raises(UnknownTableError, match="detailed"):
        hsc.rows(RowsOrder("detail", (), None, IC_1613))


def test_a_search_without_any_condition_is_refused_here(hsc):
    with pytest.raises(BadParameterError, match="position or a condition"):
        hsc.rows(RowsOrder("summary"))


def test_what_the_service_refuses_is_told_in_its_words(hsc):
    with pytest.raises(RefusedError, match=r"radius.*0\.5"):
        hsc.rows(RowsOrder("summary", (), None, Cone(16.2, 2.1, 5.0)))


def test_conditions_of_which_one_may_fail_are_not_offered(hsc):
    either = Any((Comparison("MatchID", "=", (1,)), Comparison("NumImages", ">", (2,))))
    with pytest.raises(NotOfferedError, match="constraints must all hold"):
        hsc.rows(RowsOrder("summary", (), either))


def recorded(shared_data, change=lambda text: text):
    """A server with the metadata that astroquery's tests have recorded from Pan-STARRS, and rows made of its answer."""
    folder = shared_data / "services/mast"
    answer = json.loads((folder / "panstarrs.json").read_text())
    head = ",".join(column["name"] for column in answer["info"])
    rows = [",".join("" if cell is None else str(cell) for cell in row) for row in answer["data"]]
    text = change("\n".join([head, *rows]) + "\n")
    metadata = (folder / "panstarrs_columns.json").read_bytes()
    return answer, answering(lambda asked: metadata if asked.path.endswith("metadata") else text.encode())


def test_a_recorded_answer_is_read_as_it_was_meant(shared_data):
    answer, server = recorded(shared_data)
    with server as running:
        door = far_door(get_preset("panstarrs").moved(running.url), Web(retries=0))
        result = door.rows(RowsOrder("mean", ("objname", "objid", "iMeanApMag"), None, Cone(5.97, -32.5, 0.1)))
        table = result.to_arrow()
    assert table["objID"].to_pylist() == [int(row[1]) for row in answer["data"]]
    assert result.columns[0].name == "objName", "as the metadata write it"
    assert result.columns[0].max_length == 32
    magnitudes = [row[4] for row in answer["data"]]
    assert -999.0 in magnitudes
    assert table["iMeanApMag"].fill_null(-999.0).to_pylist() == pytest.approx(magnitudes, rel=1e-6)
    assert running.asked[1].query["columns"] == "[objName,objID,iMeanApMag]"


@pytest.mark.parametrize(
    "change", [lambda text: "<html>down</html>\n", lambda text: "<html>down\na,b,c\n", lambda text: text + "1,2\n"]
)
def test_an_answer_that_is_no_table_is_refused(shared_data, change):
    _, server = recorded(shared_data, change)
    with server as running:
        door = far_door(get_preset("panstarrs").moved(running.url), Web(retries=0))
        with pytest.raises(BadAnswerError):
            door.rows(RowsOrder("mean", (), None, Cone(5.97, -32.5, 0.1)))


def test_an_answer_without_anything_is_a_table_without_rows(shared_data):
    _, server = recorded(shared_data, lambda text: " \n")
    with server as running:
        door = far_door(get_preset("panstarrs").moved(running.url), Web(retries=0))
        result = door.rows(RowsOrder("mean", ("objid", "imeanapmag"), None, Cone(5.97, -32.5, 0.1)))
        assert [column.name for column in result.columns] == ["objID", "iMeanApMag"]
        assert result.columns[0].datatype is Datatype.LONG
        assert result.to_arrow().num_rows == 0
        whole = door.rows(RowsOrder("mean", (), None, Cone(5.97, -32.5, 0.1)))
        assert len(whole.columns) == len(door.table("mean").columns)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"[1]", b"[" * 10**5, b'[{"type": "long"}]'])
def test_metadata_that_are_none_are_refused(content):
    with answering(lambda asked: content) as running, pytest.raises(BadAnswerError):
        far_door(get_preset("mast-hsc").moved(running.url), Web(retries=0)).table("summary")


def test_a_table_that_the_service_does_not_have_is_unknown():
    with answering(lambda asked: Reply(b"no", 404)) as running, pytest.raises(UnknownTableError, match="summary"):
        far_door(get_preset("mast-hsc").moved(running.url), Web(retries=0)).table("summary")
