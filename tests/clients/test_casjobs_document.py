"""Document 001 from top to bottom, with `mastcasjobs` and `casjobs` as they come from the package registry.

Queries, names and printed values are those of the document; only the addresses of the services are ours. Its counts
hold at `--size seed` (the long test below); at the smallest size they agree with what other services say.
"""

from __future__ import annotations

import contextlib
import csv
import json
from importlib.metadata import version

import numpy as np
import pytest
import requests
from astropy.table import join
from casjobs_ground import casjobs_server, client

COLUMNS = """m.MatchID, m.GroupID, m.SubGroupID, m.RA, m.Dec,
   m.AutoClass, m.ExpertClass, m.NumFilters,
   f.Filter, f.FilterDetFlag, f.VarQualFlag, f.NumLC, 
   f.MeanMag, f.MeanCorrMag, f.MAD, f.Chi2"""  # noqa: W291  as it is in the document
IN_FIELD = """
select {columns}
into mydb.{table}
from SearchHCVMatchID({ra},{dec},1800.0) s
join HCVmatch m on m.MatchID=s.MatchID
join HCVfilter f on f.MatchID=s.MatchID and (f.Filter='ACS_F475W' or f.Filter='ACS_F814W')
"""
BY_EXPERTS = """
select {columns}
into mydb.{table}
from HCVmatch m
join HCVfilter f on m.MatchID=f.MatchID
where m.ExpertClass>0
"""
MOST_VARIABLE = """
select top 1 m.MatchID, m.GroupID, m.SubGroupID, g.TargetName, m.RA, m.Dec,
   m.AutoClass, m.ExpertClass, m.NumFilters,
   f.Filter, f.FilterDetFlag, f.VarQualFlag, f.NumLC,
   f.MeanMag, f.MeanCorrMag, f.MAD, f.Chi2
from HCVmatch m
join HCVfilter f on m.MatchID=f.MatchID
join Groups g on m.GroupID=g.GroupID
where f.VarQualFlag='AAAAA'
order by f.MAD desc
"""
KEYS = ["MatchID", "GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass"]
TYPES = "int64 int64 int64 float64 float64 int64 int64 int64 str9 int64 str5 int64 float64 float64 float64 float64"
DIGITS = {"RA": 6, "Dec": 6, "MeanMag": 3, "MeanCorrMag": 3, "MAD": 4, "Chi2": 4}
"""How many the document shows."""


@contextlib.contextmanager
def serving_variables(place, size):
    from demonstration import build_collection

    from skydex.demo.hcv import simulate_hcv
    from skydex.demo.named import simulate_named

    archive = build_collection(place, simulate_hcv, simulate_named, size=size)
    with casjobs_server(archive, place / "state") as (server, _):
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving_variables(tmp_path_factory.mktemp("variables"), "tiny") as server:
        yield server


@pytest.fixture(scope="module")
def hcv(server):
    """As the document makes it."""
    return client(server.url, context="HSCv3")


@pytest.fixture(scope="module")
def field(server):
    """The table of the field of IC 1613."""
    return field_of(server.url)


@pytest.fixture(scope="module")
def judged(server):
    """The table of what experts have judged."""
    return judged_at(server.url)


def field_of(url):
    """What the document does with the field: a query into MyDB, and the download; gives the answers to both."""
    ra, dec = resolve(url, "IC 1613")
    return into_mydb(url, "HCV_demo", IN_FIELD.format(columns=COLUMNS, table="HCV_demo", ra=ra, dec=dec))


def judged_at(url):
    """The same with what experts have judged."""
    return into_mydb(url, "HCV_demo2", BY_EXPERTS.format(columns=COLUMNS, table="HCV_demo2"))


def into_mydb(url, table, query):
    jobs = client(url, context="MyDB")
    jobs.drop_table_if_exists(table)
    answer = jobs.quick(query, context="HSCv3", task_name=table)
    return answer, jobs.fast_table(table)


def resolve(url, name):
    """The document's own function: a position from the name of an object."""
    asked = {"service": "Mast.Name.Lookup", "params": {"input": name, "format": "json"}}
    answer = requests.post(f"{url}/api/v0/invoke", data={"request": json.dumps(asked)})
    answer.raise_for_status()
    found = answer.json()["resolvedCoordinate"]
    if not found:
        raise ValueError(f"Unknown object '{name}'")
    return found[0]["ra"], found[0]["decl"]


def printed(shared_data, name):
    with (shared_data / "published" / f"{name}.csv").open() as lines:
        return list(csv.DictReader(lines))


def check_printed(table, rows, ending=""):
    """Each printed row is in the table, with the digits that are printed."""
    lines = {(int(row["MatchID"]), str(row[f"Filter{ending}"])): row for row in table}
    for row in rows:
        found = lines[int(row["MatchID"]), row[f"Filter{ending}"]]
        for name in table.colnames:
            bare = name.removesuffix("_f475").removesuffix("_f814")
            shown = f"{found[name]:.{DIGITS[bare]}f}" if bare in DIGITS else str(found[name])
            assert shown == row[name], (row["MatchID"], name)


def test_the_clients_are_those_of_the_registry():
    assert (version("mastcasjobs"), version("casjobs")) == ("0.1.1", "0.0.2")


def test_names_are_resolved_as_the_document_does(server):
    assert resolve(server.url, "IC 1613") == (16.19913, 2.11778)
    with pytest.raises(ValueError, match="Unknown object 'no such thing'"):
        resolve(server.url, "no such thing")


def test_the_field_goes_into_mydb_and_comes_back_with_its_types(field):
    answer, table = field
    assert answer.colnames == ["Rows Affected"]
    assert answer["Rows Affected"].tolist() == [len(table)]
    assert " ".join(str(table[name].dtype).replace("<U", "str") for name in table.colnames) == TYPES


def test_the_printed_variables_of_the_field_are_there(field, shared_data):
    _, table = field
    variable = table[table["AutoClass"] > 0]
    rows = printed(shared_data, "hcv_ic1613_autoclass_gt0_rows")
    check_printed(variable, rows)


def side_by_side(table):
    """The document's join of both filters."""
    blue, red = (table[table["Filter"] == f"ACS_{band}W"] for band in ("F475", "F814"))
    return join(blue, red, keys=KEYS, table_names=["f475", "f814"])


def test_both_filters_side_by_side_are_those_of_the_document(field, shared_data):
    both = side_by_side(field[1])
    assert len(both.colnames) == 25
    check_printed(both[both["AutoClass"] > 0], printed(shared_data, "hcv_ic1613_joined_f475_f814_rows"), "_f475")


def test_the_join_is_one_query_as_well(hcv, field):
    _, table = field
    ids = [set(table["MatchID"][table["Filter"] == band]) for band in ("ACS_F475W", "ACS_F814W")]
    both = hcv.quick(
        """select a.MatchID, a.MAD as MAD_f475, b.MAD as MAD_f814 from mydb.HCV_demo a
        join mydb.HCV_demo b on a.MatchID=b.MatchID and a.Filter='ACS_F475W' and b.Filter='ACS_F814W'"""
    )
    assert set(both["MatchID"]) == ids[0] & ids[1]


@pytest.mark.parametrize(("band", "n_points"), [("ACS_F606W", 21), ("ACS_F814W", 22)])
def test_the_nova_has_the_light_curves_of_the_document(hcv, shared_data, band, n_points):
    points = hcv.quick(f"select * from HCVdetailed\nwhere MatchID=1905457 and Filter='{band}'")
    assert len(points) == n_points
    assert points.colnames == ["MatchID", "Filter", "MJD", "ImageName", "Mag", "CorrMag", "MagErr", "CI", "D"]
    assert [str(points[name].dtype) for name in ("MatchID", "Filter", "MJD", "ImageName", "Mag")] == [
        "int64", "<U9", "float64", "<U26", "float64",
    ]  # fmt: skip
    if band == "ACS_F606W":
        points.sort("MJD")
        for point, row in zip(points, printed(shared_data, "hcv_nova_m87_f606w"), strict=True):
            for name in ("MatchID", "Filter", "MJD", "ImageName", "CorrMag", "CI", "D"):
                assert str(point[name]) == row[name], name
            for name in ("Mag", "MagErr"):  # which the document prints as it has them, in single precision
                assert np.float32(point[name]) == np.float32(row[name]), name


def test_the_nova_is_where_it_is(hcv):
    place = hcv.quick("select MatchID, RA, Dec from HCVmatch\nwhere MatchID=1905457")
    assert len(place) == 1
    assert (place["RA"][0], place["Dec"][0]) == pytest.approx((187.70, 12.39), abs=0.05)


def test_what_experts_judged_is_counted_alike_by_all_services(server, judged, shared_data):
    answer, table = judged
    assert answer["Rows Affected"].tolist() == [len(table)]
    check_printed(table, printed(shared_data, "hcv_expert_validated_rows"))
    ids, first = np.unique(table["MatchID"], return_index=True)
    counted = "SELECT AutoClass, ExpertClass, COUNT(*) AS n FROM hcv.HCVmatch WHERE ExpertClass > 0"
    query = f"{counted} GROUP BY AutoClass, ExpertClass"
    answer = requests.get(f"{server.url}/tap/sync", {"LANG": "ADQL", "FORMAT": "csv", "QUERY": query})
    rows = csv.DictReader(answer.text.splitlines())
    counts = {(int(row["AutoClass"]), int(row["ExpertClass"])): int(row["n"]) for row in rows}
    objects = table[first]
    for (auto, expert), n in counts.items():
        assert np.sum((objects["AutoClass"] == auto) & (objects["ExpertClass"] == expert)) == n
    assert len(ids) == sum(counts.values())
    assert set(table["FilterDetFlag"]) == {0, 1}


def test_the_cross_table_is_one_query(hcv, judged):
    _, table = judged
    counts = hcv.quick(
        """select AutoClass, ExpertClass, count(*) as n from HCVmatch where ExpertClass > 0
        group by AutoClass, ExpertClass"""
    )
    assert counts["n"].sum() == len(np.unique(table["MatchID"]))


def test_the_most_variable_object_of_the_best_quality_is_in_m31(hcv, shared_data):
    (row,) = hcv.quick(MOST_VARIABLE)
    (expected,) = printed(shared_data, "hcv_most_variable_AAAAA")
    assert row.colnames == list(expected)
    for name, value in expected.items():
        shown = f"{row[name]:.{DIGITS[name]}f}" if name in DIGITS else str(row[name])
        assert shown == value, name


def test_the_light_curve_of_the_most_variable_object_has_five_points(hcv):
    points = hcv.quick("select * from HCVdetailed where MatchID=5742711 and Filter='ACS_F814W' order by MJD")
    assert len(points) == 5
    assert (np.diff(points["MJD"]) > 0).all()


def test_the_client_prints_how_large_a_table_is(server, field, capsys):
    client(server.url).fast_table("HCV_demo", verbose=True)
    said = capsys.readouterr().out
    assert "MB table MyDB.HCV_demo" in said
    assert f"Converted to {len(field[1])} row table" in said


def test_a_table_that_is_not_there_is_told_so(server):
    with pytest.raises(ValueError, match=r"table MyDB\.no_such not found"):
        client(server.url).fast_table("no_such")


@pytest.mark.slow
def test_at_the_size_of_the_document_everything_is_as_many_as_it_counts(tmp_path):
    with serving_variables(tmp_path, "seed") as server:
        answer, table = field_of(server.url)
        both = side_by_side(table)
        assert answer["Rows Affected"].tolist() == [len(table)] == [40_196]
        assert np.sum(table["AutoClass"] > 0) == 522
        assert (len(both), np.sum(both["AutoClass"] > 0)) == (17_090, 258)
        answer, table = judged_at(server.url)
        assert answer["Rows Affected"].tolist() == [len(table)] == [31_258]
        objects = table[np.unique(table["MatchID"], return_index=True)[1]]
        assert len(objects) == 13_533
        for auto, counts in ((1, [3323, 3055, 1761]), (2, [2101, 2442, 851])):
            of_class = objects["ExpertClass"][objects["AutoClass"] == auto]
            assert [np.sum(of_class == expert) for expert in (1, 2, 4)] == counts
