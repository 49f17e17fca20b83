"""The catalogue REST API over the rows that documents print."""

from __future__ import annotations

import io
import json

import httpx
import numpy as np
import pandas as pd
import pytest
from astropy.io import ascii, fits
from astropy.io.votable import parse_single_table
from astropy.table import Table

IC1613 = {"ra": 16.2016962, "dec": 2.1194959, "radius": 0.5}
SUMMARY = "hsc/v3/summary/magaper2"


@pytest.fixture(scope="module")
def api(tmp_path_factory, shared_data):
    """A client of the API of a server over the printed rows."""
    import catalog_ground
    import serving

    archive = catalog_ground.build_catalogs(tmp_path_factory.mktemp("catalogs"), shared_data)
    with (
        serving.serving(archive, max_rows_hard=2_000_000, max_rows_default=1000) as server,
        httpx.Client(base_url=f"{server.url}/api/v0.1/", timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def seed(shared_data):
    return lambda name: Table.read(shared_data / "seeds" / f"{name}.ecsv")


def found(api, path, **asked):
    """The rows of a search, as pandas reads them."""
    answer = api.get(f"{path}.csv", params=asked)
    assert answer.status_code == 200, answer.text
    return pd.read_csv(io.StringIO(answer.text))


def refused(api, path, status=400, **asked):
    """The message of a refusal."""
    answer = api.get(path, params=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["status"] == status
    return document["error"]


def ids(rows, column="MatchID"):
    return sorted(rows[column].tolist())


# --- regions and constraints ---


def test_a_cone_finds_what_is_within_its_radius(api, seed):
    rows = found(api, SUMMARY, **IC1613)
    assert ids(rows) == ids(seed("hsc_ic1613_summary"))
    near = found(api, SUMMARY, ra=16.11131, dec=2.160908, radius=0.01)
    distance = np.hypot((near["MatchRA"] - 16.11131) * np.cos(np.radians(2.16)), near["MatchDec"] - 2.160908)
    assert 0 < len(near) < len(rows)
    assert distance.max() <= 0.01


def test_without_a_radius_a_cone_has_half_a_degree(api):
    asked = {key: IC1613[key] for key in ("ra", "dec")}
    assert ids(found(api, SUMMARY, **asked)) == ids(found(api, SUMMARY, **IC1613))


@pytest.mark.parametrize(
    ("asked", "test"),
    [
        ({"A_F475W_N.gte": 12}, lambda r: r["A_F475W_N"] >= 12),
        ({"a_f475w_n.min": 12, "A_F475W.lt": "23.0"}, lambda r: (r["A_F475W_N"] >= 12) & (r["A_F475W"] < 23)),
        ({"A_F475W.gt": 22, "A_F475W.lte": 23}, lambda r: (r["A_F475W"] > 22) & (r["A_F475W"] <= 23)),
        ({"A_F475W.between": "22,23"}, lambda r: (r["A_F475W"] >= 22) & (r["A_F475W"] <= 23)),
        ({"A_F475W_N.in": "[11, 12]"}, lambda r: r["A_F475W_N"].isin([11, 12])),
        ({"A_F475W_N": ["11", "12"]}, lambda r: r["A_F475W_N"].isin([11, 12])),
        ({"A_F475W_N.neq": 12}, lambda r: r["A_F475W_N"] != 12),
        ({"A_F475W_N.ne": [11, 12]}, lambda r: ~r["A_F475W_N"].isin([11, 12])),
        ({"A_F475W_N.gt": 10.5}, lambda r: r["A_F475W_N"] > 10),
        ({"A_F475W_N.max": "11.9"}, lambda r: r["A_F475W_N"] <= 11),
        ({"A_F475W_N.lt": 1e300}, lambda r: r["A_F475W_N"] > 0),
        ({"MatchRA.gt": 16.1, "MatchRA.lt": 16.2}, lambda r: (r["MatchRA"] > 16.1) & (r["MatchRA"] < 16.2)),
        ({"StartMJD.nnull": ""}, lambda r: r["MatchID"] > 0),
    ],
)
def test_constraints_choose_rows(api, seed, asked, test):
    rows = seed("hsc_ic1613_summary").to_pandas()
    expected = rows[test(rows)]
    assert len(expected)
    assert ids(found(api, SUMMARY, **asked)) == ids(expected)


@pytest.mark.parametrize(
    "asked",
    [
        {"Filter": "acs_f475w"},
        {"filter.eq": "ACS_F475W"},
        {"Filter.in": "ACS_F475W,ACS_F999W"},
        {"Filter.like": "*f475?"},
        {"Filter.like": "%F475W"},
        {"Filter.contains": "475"},
        {"Filter.neq": "ACS_F814W"},
    ],
)
def test_texts_are_compared_without_regard_to_case(api, seed, asked):
    rows = seed("hcv_ic1613_summary")
    expected = rows[rows["Filter"] == "ACS_F475W"]
    assert ids(found(api, "hsc/v3/hcvsummary", **asked)) == ids(expected)


def test_what_is_missing_fulfils_no_comparison(api):
    present = found(api, "panstarrs/dr2/mean", **{"yMeanPSFMag.gt": -100, "columns": "objID"})
    missing = found(api, "panstarrs/dr2/mean", **{"yMeanPSFMag.null": "", "columns": "objID,yMeanPSFMag"})
    assert missing["yMeanPSFMag"].tolist() == [-999.0]
    assert not set(present["objID"]) & set(missing["objID"])
    assert len(present) == len(found(api, "panstarrs/dr2/mean", **{"yMeanPSFMag.null": "false"}))
    assert len(found(api, "panstarrs/dr2/mean", **{"objID.nnull": ""})) == len(present) + len(missing)


@pytest.mark.parametrize("value", ["-999", "-999.0", ["-999", "10"]])
def test_what_an_answer_shows_for_a_missing_value_finds_it(api, value):
    missing = ids(found(api, "panstarrs/dr2/mean", **{"yMeanPSFMag.null": ""}), "objID")
    assert ids(found(api, "panstarrs/dr2/mean", yMeanPSFMag=value), "objID") == missing
    others = ids(found(api, "panstarrs/dr2/mean", **{"yMeanPSFMag.neq": value}), "objID")
    assert others == ids(found(api, "panstarrs/dr2/mean", **{"yMeanPSFMag.nnull": ""}), "objID")


def test_a_number_is_compared_as_its_column_holds_it(api):
    """A single-precision value that was sent back as it was shown finds its row."""
    shown = found(api, "panstarrs/dr2/mean", **{"objID.gt": 0})["gMeanPSFMag"].iloc[0]
    assert len(found(api, "panstarrs/dr2/mean", gMeanPSFMag=shown)) == 1


@pytest.mark.parametrize("way", ["form", "json", "query"])
def test_every_method_means_the_same(api, way):
    asked = {"MatchID": ["80189155", "100437228"], "columns": ["MatchID", "A_F475W"], "sort_by": ["A_F475W.desc"]}
    if way == "query":
        answer = api.get(f"{SUMMARY}.csv", params=asked)
    else:
        answer = api.post(f"{SUMMARY}.csv", **{"data" if way == "form" else "json": asked})
    assert answer.text == "MatchID,A_F475W\n100437228,23.382\n80189155,22.451\n"


def test_the_body_outweighs_the_address(api):
    address = f"{SUMMARY}.csv?MatchID=100437228&pagesize=5&columns=MatchID"
    assert api.post(address, json={"matchid": 80189155}).text == "MatchID\n80189155\n"
    assert api.post(address, data={"matchid": 80189155}).text == "MatchID\n80189155\n"


# --- columns, order, pages ---


@pytest.mark.parametrize(
    "columns",
    ["[matchID, MATCHra ,A_f475W]", "matchID,MATCHra,A_f475W", ["matchID", "MATCHra", "A_f475W"],
     '["matchID","MATCHra","A_f475W"]'],
)  # fmt: skip
def test_columns_come_in_the_order_and_the_spelling_of_the_request(api, columns):
    rows = found(api, SUMMARY, MatchID=80189155, columns=columns)
    assert list(rows.columns) == ["matchID", "MATCHra", "A_f475W"]
    assert rows["matchID"].tolist() == [80189155]


def test_default_columns_are_those_of_the_offer(api):
    rows = found(api, "hsc/v3/hcvsummary", **{"AutoClass.gte": 0})
    expected = "MatchID Filter GroupID SubGroupID RA Dec AutoClass ExpertClass VarQualFlag FilterDetFlag NumLC MeanMag"
    assert list(rows.columns) == [*expected.split(), "MeanCorrMag", "MAD", "Chi2"]


def test_rows_are_sorted_by_several_keys(api, seed):
    rows = found(api, "hsc/v3/hcvsummary", **{"MatchID.gt": 0, "sort_by": ["Filter", "MAD.desc"]})
    expected = seed("hcv_ic1613_summary").to_pandas().sort_values(["Filter", "MAD"], ascending=[True, False])
    assert rows["MatchID"].tolist() == expected["MatchID"].tolist()
    assert rows["MAD"].tolist() == expected["MAD"].tolist()


def test_a_cone_can_be_sorted_by_distance(api):
    near = {"ra": 16.11131, "dec": 2.160908, "radius": 0.5, "columns": "MatchID,distance", "sort_by": "distance.asc"}
    rows = found(api, SUMMARY, **near)
    assert rows["MatchID"].iloc[0] == 100437228
    assert rows["distance"].is_monotonic_increasing
    assert "distance" not in found(api, SUMMARY, **IC1613)
    assert "cone" in refused(api, f"{SUMMARY}.csv", MatchID=1, sort_by="distance")


def test_pages_fit_together_and_say_whether_there_are_more(api, seed):
    whole = found(api, SUMMARY, **IC1613)["MatchID"].tolist()
    address, params, pages = f"{SUMMARY}.csv", {**IC1613, "pagesize": 50}, []
    while address:
        answer = api.get(address, params=params)
        pages.append(pd.read_csv(io.StringIO(answer.text))["MatchID"].tolist())
        assert answer.headers["x-more-rows"] == ("true" if answer.links.get("next") else "false")
        address, params = answer.links.get("next", {}).get("url"), None
    assert [len(page) for page in pages[:-1]] == [50] * (len(pages) - 1)
    assert [number for page in pages for number in page] == whole
    assert len(set(whole)) == len(whole) == len(seed("hsc_ic1613_summary"))


def test_a_page_that_is_just_full_has_no_next_one(api, seed):
    n = len(seed("hsc_ic1613_summary"))
    for size, more in ((n, "false"), (n - 1, "true")):
        answer = api.get(f"{SUMMARY}.json", params={**IC1613, "pagesize": size})
        assert answer.headers["x-more-rows"] == more
        assert answer.json()["overflow"] == (more == "true")
    assert api.get(f"{SUMMARY}.csv", params={**IC1613, "page": 99}).text.count("\n") == 1


# --- formats ---


def test_csv_is_a_header_and_rows_and_nothing_else(api, seed):
    text = api.get("hsc/v3/hcv.csv", params={"MatchID": 1905457, "Filter": "ACS_F606W", "pagesize": 5}).text
    assert text.splitlines()[0] == "MatchID,Filter,MJD,ImageName,Mag,CorrMag,MagErr,CI,D"
    assert len(text.splitlines()) == 6
    assert "1905457,ACS_F606W,53767.4197952871,hst_10543_29_acs_wfc_f606w,25.327,25.3267132802993" in text
    assert (
        api.get("hsc/v3/hcv.csv", params={"MatchID": 5}).text
        == "MatchID,Filter,MJD,ImageName,Mag,CorrMag,MagErr,CI,D\n"
    )


def test_every_format_holds_the_same_rows(api):
    asked = {**IC1613, "columns": "[MatchID,MatchRA,A_F475W]", "sort_by": "MatchID"}
    rows = found(api, SUMMARY, **asked)
    for form in ("csv", "votable", "json", "ecsv", "fits", "parquet", "arrow", "tsv"):
        content = api.get(f"{SUMMARY}.{form}", params=asked).content
        assert api.get(SUMMARY, params={**asked, "format": form}).content == content or form == "fits"
        assert np.array_equal(read(content, form)["MatchID"], rows["MatchID"])


def read(content, form):
    if form == "json":
        document = json.loads(content)
        names = [info["name"] for info in document["info"]]
        return {name: [int(v) if name == "MatchID" else v for v in column]
                for name, column in zip(names, zip(*document["data"], strict=True), strict=True)}  # fmt: skip
    if form == "parquet":
        return pd.read_parquet(io.BytesIO(content))
    if form == "arrow":
        import pyarrow as pa

        return pa.ipc.open_stream(content).read_all().to_pandas()
    if form == "fits":
        return Table(fits.getdata(io.BytesIO(content), 1))
    if form == "votable":
        return parse_single_table(io.BytesIO(content)).to_table()
    return ascii.read(content.decode(), format={"ecsv": "ecsv", "tsv": "tab"}.get(form, form))


def test_json_without_a_suffix_is_the_default(api):
    answer = api.get(SUMMARY, params={"MatchID": 80189155, "columns": "MatchID,A_F475W_N"})
    assert answer.json()["data"] == [["80189155", 12]]


# --- metadata ---


def test_metadata_are_a_list_of_texts(api, shared_data):
    recorded = json.loads((shared_data / "services" / "mast" / "panstarrs_columns.json").read_text())
    for address in ("panstarrs/dr2/mean/metadata", "panstarrs/dr2/mean/metadata.json"):
        ours = api.get(address).json()
        assert [list(column) for column in ours] == [list(recorded[0])] * len(ours)
        assert all(isinstance(value, str) for column in ours for value in column.values())
    of = {column["name"]: column for column in ours}
    theirs = {column["name"]: column for column in recorded}
    for name in ("objID", "raMean", "gMeanPSFMag"):
        for key in ("db_type", "datatype", "size", "type", "default_value", "arraysize", "column_name"):
            if not (name == "raMean" and key == "default_value"):
                assert of[name][key] == theirs[name][key], (name, key)
    types = {column["name"]: column["type"] for column in api.get(f"{SUMMARY}/metadata").json()}
    assert (types["MatchID"], types["MatchRA"]) == ("long", "float")
    assert api.post(f"{SUMMARY}/metadata").status_code == 405


def test_a_json_answer_is_that_of_the_recorded_one(api, shared_data):
    recorded = json.loads((shared_data / "services" / "mast" / "panstarrs.json").read_text())
    asked = {"columns": ["objID", "gMeanPSFMag"], "ra": 291.744, "dec": 37.591, "radius": 0.01}
    ours = api.post("panstarrs/dr2/mean.json", json=asked).json()
    assert list(ours)[:2] == list(recorded)
    theirs = {info["name"]: info for info in recorded["info"]}["objID"]
    mine = ours["info"][0]
    assert {key: mine[key] for key in ("name", "type", "db_type")} == {
        key: theirs[key] for key in ("name", "type", "db_type")
    }
    assert [type(value) for value in ours["data"][0]] == [str, float]


# --- tables without positions, other collections ---


def test_a_table_without_positions_is_searched_at_those_of_its_objects(api, seed):
    rows = found(api, "hsc/v3/hcv", ra=187.701, dec=12.391, radius=0.1)
    assert len(rows) == len(seed("hcv_1905457_lightcurve"))
    assert found(api, "hsc/v3/hcv", **IC1613).empty
    detections = found(api, "panstarrs/dr2/detection", ra=139.334453, dec=68.635059, radius=0.001, sort_by="obsTime")
    assert len(detections) == len(seed("ps1_detections_kq_uma"))
    assert detections["obsTime"].is_monotonic_increasing
    assert list(detections.columns)[-1] == "distance"
    assert detections["distance"].max() < 0.001


def test_a_table_whose_places_are_not_published_is_searched_by_constraints_alone(api):
    offer = "hsc/v3/detailed"
    assert len(found(api, offer, MatchID=80189155)) > 0
    assert "positions" in refused(api, f"{offer}.csv", **IC1613)


def test_every_collection_is_offered_without_configuration(api):
    assert len(found(api, "hcv/HCVmatch", ra=187.701, dec=12.391, radius=0.1)) == 1
    assert len(found(api, "HCV/hcvmatch", MatchID=1905457)) == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, ["ra, dec, radius", "constraint"]),
        ({"pagesize": 5}, ["constraint"]),
        ({"ra": 10}, ["dec", "missing"]),
        ({"radius": 0.1}, ["ra", "missing"]),
        ({"ra": 10, "dec": 95}, ["dec", "-90 to 90"]),
        ({"ra": "10h", "dec": 5}, ["ra", '"10h"']),
        ({**IC1613, "radius": 0.51}, ["radius", "0.5"]),
        ({**IC1613, "radius": "nan"}, ["radius"]),
        ({"MatchID": "1 OR 1=1"}, ["MatchID", "number"]),
        ({"NumImages.gte": "2f"}, ["NumImages.gte", '"2f"']),
        ({"NumImages": "2.5"}, ["NumImages", "whole number"]),
        ({"NumImages.gte": ""}, ["NumImages.gte", "number"]),
        ({"NumImages.between": "1"}, ["NumImages.between", "two values"]),
        ({"NumImages.gtt": "1"}, ["NumImages.gtt", "gt"]),
        ({"NumImages.like": "1%"}, ["NumImages.like", "texts"]),
        ({"MatchID.null": "maybe"}, ["MatchID.null", "true or false"]),
        ({"numimage": 2}, ["numimage", "NumImages"]),
        ({"raduis": 2}, ["raduis", "radius"]),
        ({"MatchID": 1, "columns": "MatchID,MatchRa,Nix"}, ["Nix"]),
        ({"MatchID": 1, "columns": "[MatchID,(SELECT 1)]"}, ["(SELECT 1)"]),
        ({"MatchID": 1, "sort_by": "MatchID.down"}, ["sort_by", "desc"]),
        ({"MatchID": 1, "sort_by": "MatchIdd"}, ["MatchIdd", "MatchID"]),
        ({"MatchID": 1, "pagesize": 0}, ["pagesize"]),
        ({"MatchID": 1, "pagesize": 10**9}, ["pagesize", "2,000,000"]),
        ({"MatchID": 1, "page": -1}, ["page"]),
        ({"MatchID": 1, "page": ["1", "2"]}, ["page", "more than once"]),
    ],
)
def test_a_mistake_is_named_in_json(api, asked, says):
    message = refused(api, f"{SUMMARY}.csv", **asked)
    assert all(word in message for word in says), message


def test_unknown_addresses_are_404_with_what_there_is(api):
    assert '"hsc/v3/detailed"' in refused(api, "hsc/v3/detaled.csv", 404, MatchID=1)
    assert "hsc/v4" in refused(api, "hsc/v4/detailed/metadata", 404)
    assert "votable" in refused(api, f"{SUMMARY}.doc", MatchID=1)
    refused(api, "nothing.csv", 404)


def test_parameters_of_viewers_are_accepted(api):
    asked = {"flatten_response": "false", "raw": "false", "MatchID": 80189155, "columns": ""}
    assert len(found(api, SUMMARY, **asked)) == 1


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"MatchID": NaN}', b'{"MatchID": {"gt": 1}}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(api, body):
    answer = api.post(f"{SUMMARY}.csv", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("value", [None, []])
def test_a_constraint_without_a_value_is_refused_and_not_passed_over(api, value):
    asked = {**IC1613, "columns": value, "sort_by": None, "MatchID": value}
    answer = api.post(f"{SUMMARY}.csv", json=asked)
    assert answer.status_code == 400
    assert "MatchID" in answer.json()["error"]
    assert api.post(f"{SUMMARY}.csv", json={**asked, "MatchID": [80189155]}).status_code == 200


def test_browsers_may_ask_from_anywhere_and_are_told_so_once(api):
    answer = api.options(f"{SUMMARY}.csv", headers={"Origin": "http://example.org"})
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "POST" in answer.headers["access-control-allow-methods"]


# --- positions that come along ---

POSITIONS = "name,ra,dec\nkq,139.33445,68.63506\nnothing,10,10\nkic,291.744463,37.590999\n"


def counterparts(api, content=POSITIONS, path="panstarrs/dr2/mean", **asked):
    return api.post(f"{path}/crossmatch/upload.csv", params=asked, files={"file": content})


def test_positions_find_their_counterparts(api):
    answer = counterparts(api, radius=0.001, columns="[objID,gMeanPSFMag]")
    assert answer.status_code == 200, answer.text
    rows = pd.read_csv(io.StringIO(answer.text))
    expected = ["_name_", "_ra_", "_dec_", "MatchRA", "MatchDEC", "dstArcSec", "objID", "gMeanPSFMag"]
    assert list(rows.columns) == expected
    assert dict(zip(rows["_name_"], rows["objID"], strict=True)) == {
        "kq": 190361393344112894, "kic": 153102917444859851,
    }  # fmt: skip
    offset = 3600 * np.hypot(
        (rows["_ra_"] - rows["MatchRA"]) * np.cos(np.radians(rows["_dec_"])), rows["_dec_"] - rows["MatchDEC"]
    )
    assert np.allclose(rows["dstArcSec"], offset, rtol=1e-4)


def test_positions_may_be_a_votable_with_names_of_their_own(api):
    stream = io.BytesIO()
    Table({"x": [139.33445], "y": [68.63506]}).write(stream, format="votable")
    asked = {"ra_name": "X", "dec_name": "y", "header": "True", "resolve": "False", "target_name": "target"}
    rows = pd.read_csv(io.StringIO(counterparts(api, stream.getvalue(), "panstarrs/mean", **asked).text))
    assert rows["objID"].tolist() == [190361393344112894]


def test_counterparts_obey_constraints_order_and_radius(api):
    asked = {"radius": 0.001, "sort_by": "dstArcSec.desc", "columns": "_ra_,dstArcSec,objID"}
    rows = pd.read_csv(io.StringIO(counterparts(api, **asked).text))
    assert rows["dstArcSec"].is_monotonic_decreasing
    assert len(rows) == 2
    assert counterparts(api, **asked, **{"objID.lt": 153102917444859852}).text.count("\n") == 2
    assert counterparts(api, radius=1e-9).text.count("\n") == 1
    assert counterparts(api, radius=0.001, pagesize=1).headers["x-more-rows"] == "true"


@pytest.mark.parametrize(
    ("content", "asked", "says"),
    [
        ("a,b\n1,2\n", {}, ["file", '"ra"']),
        ("ra,dec\nx,y\n", {}, ["degrees"]),
        (POSITIONS, {"radius": 2}, ["radius", "0.5"]),
        (POSITIONS, {"nix": 2}, ["nix"]),
        (POSITIONS, {"resolve": "true"}, ["resolve"]),
        (b"\x00\x01\x02", {}, ["positions"]),
    ],
)
def test_positions_that_cannot_be_used_are_refused(api, content, asked, says):
    answer = counterparts(api, content, **asked)
    assert answer.status_code == 400, answer.text
    assert all(word in answer.json()["error"] for word in says), answer.text


def test_a_position_of_which_half_is_missing_has_no_counterpart(api):
    answer = counterparts(api, "ra,dec\n139,69\n10,\n", radius=0.5, columns="objID")
    assert answer.status_code == 200, answer.text
    assert set(pd.read_csv(io.StringIO(answer.text))["_ra_"]) == {139}


def test_pages_of_counterparts_of_the_same_place_are_together_the_whole(api):
    content = "number,ra,dec\n" + "".join(f"{number},139.33445,68.63506\n" for number in range(3000))
    asked = {"radius": 0.001, "columns": "objID"}
    whole = pd.read_csv(io.StringIO(counterparts(api, content, **asked).text))
    pages = [counterparts(api, content, pagesize=1000, page=page, **asked) for page in (1, 2, 3)]
    assert sorted(whole["_number_"]) == list(range(3000))
    assert pd.concat(pd.read_csv(io.StringIO(page.text)) for page in pages)["_number_"].tolist() == list(range(3000))


def test_only_some_tables_take_positions(api):
    assert counterparts(api, path="hsc/v3/detailed").status_code == 404
    assert api.post("panstarrs/dr2/mean/crossmatch/upload.csv").status_code == 400
