"""The questions of the document about the Hubble Catalog of Variables, asked of the simulated one through TAP."""

import csv
from pathlib import Path

import numpy as np
import pytest
import pyvo
from astropy.table import join

from skydex.archive import Archive, QueryRequest
from skydex.demo import SIZES
from skydex.demo.hcv.printed import printed_rows
from skydex.lightcurve import LightCurves, features

TINY = SIZES["tiny"]
PUBLISHED = Path(__file__).parents[3].parent / "shared" / "data" / "published"
needs_published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no printed rows here")
IN_IC_1613 = """
SELECT m.MatchID, GroupID, SubGroupID, RA, Dec, AutoClass, ExpertClass, NumFilters, Filter, FilterDetFlag, VarQualFlag,
  NumLC, MeanMag, MeanCorrMag, MAD, Chi2
FROM hcv.HCVmatch AS m
JOIN hcv.HCVfilter AS f ON m.MatchID = f.MatchID AND (f.Filter = 'ACS_F475W' OR f.Filter = 'ACS_F814W')
WHERE DISTANCE(POINT(RA, Dec), POINT(16.19913, 2.11778)) <= 1800.0 / 3600"""


@pytest.fixture(scope="module")
def tap(server):
    return pyvo.dal.TAPService(f"{server.url}/tap")


@pytest.fixture(scope="module")
def archive(directory):
    return Archive.open(directory)


@pytest.fixture(scope="module")
def ic_1613(tap):
    return tap.search(IN_IC_1613).to_table()


def ask(archive, query):
    return archive.query(QueryRequest(query)).to_arrow()


def test_columns_have_the_names_the_order_and_the_types_of_the_catalogue(ic_1613):
    assert ic_1613.colnames[0] == "MatchID"
    whole = ("MatchID", "GroupID", "SubGroupID", "AutoClass", "ExpertClass", "NumFilters", "NumLC")
    assert all(ic_1613[name].dtype == np.int64 for name in whole)
    assert all(ic_1613[name].dtype == np.float64 for name in ("RA", "Dec", "MeanMag", "MeanCorrMag", "MAD", "Chi2"))
    assert set(ic_1613["FilterDetFlag"]) == {0, 1}
    assert {len(flag) for flag in ic_1613["VarQualFlag"]} == {5}
    assert set(ic_1613["Filter"]) == {"ACS_F475W", "ACS_F814W"}


def test_light_curves_select_their_columns_in_the_order_of_the_catalogue(tap):
    curve = tap.search("SELECT TOP 1 * FROM hcv.HCVdetailed").to_table()
    assert curve.colnames == ["MatchID", "Filter", "MJD", "ImageName", "Mag", "CorrMag", "MagErr", "CI", "D"]
    assert [curve[name].dtype for name in ("Mag", "CorrMag", "MagErr")] == [np.float32, np.float64, np.float32]


def test_ic_1613_has_its_share_of_rows_and_pairs(ic_1613):
    assert len(ic_1613) == TINY.count(40_196)
    keys = ["MatchID", "GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass"]
    blue, red = (ic_1613[ic_1613["Filter"] == name] for name in ("ACS_F475W", "ACS_F814W"))
    pairs = join(blue, red, keys=keys, table_names=["f475", "f814"])
    assert len(pairs) == TINY.count(17_090)
    assert len(pairs.colnames) == 25


def test_experts_looked_at_as_many_objects_as_the_document_counts(tap):
    rows = tap.search("SELECT COUNT(*) AS n FROM hcv.HCVSummaryView WHERE ExpertClass > 0")["n"][0]
    assert rows == TINY.count(31_258)
    table = tap.search("""SELECT AutoClass, ExpertClass, COUNT(*) AS n FROM hcv.HCVmatch
        WHERE ExpertClass > 0 GROUP BY AutoClass, ExpertClass""").to_table()
    found = {(int(row["AutoClass"]), int(row["ExpertClass"])): int(row["n"]) for row in table}
    counts = {1: (3323, 3055, 1761), 2: (2101, 2442, 851)}
    assert found == {(a, e): TINY.count(n) for a in (1, 2) for e, n in zip((1, 2, 4), counts[a], strict=True)}


@needs_published
@pytest.mark.parametrize(
    "name", ["hcv_expert_validated_rows", "hcv_ic1613_autoclass_gt0_rows", "hcv_most_variable_AAAAA"]
)
def test_printed_rows_are_there_with_their_values(archive, name):
    found = ask(archive, "SELECT * FROM hcv.HCVSummaryView").to_pylist()
    by_key = {(row["MatchID"], row["Filter"]): row for row in found}
    with (PUBLISHED / f"{name}.csv").open() as stream:
        for printed in csv.DictReader(stream):
            row = by_key[int(printed["MatchID"]), printed["Filter"]]
            assert row["VarQualFlag"] == printed["VarQualFlag"]
            assert row["FilterDetFlag"] == (printed["FilterDetFlag"] in ("1", "True"))
            for key in ("GroupID", "SubGroupID", "AutoClass", "ExpertClass", "NumFilters", "NumLC"):
                assert row[key] == int(printed[key]), (printed["MatchID"], key)
            for key in ("RA", "Dec", "MeanMag", "MeanCorrMag", "MAD", "Chi2"):
                assert row[key] == float(printed[key]), (printed["MatchID"], key)


def test_printed_light_curves_are_told_from_others_of_their_objects(archive):
    query = "SELECT id_value, source FROM demo.printed_rows WHERE table_name = 'hcv.HCVfilter'"
    listed = {(int(row["id_value"]), row["source"].split()[-1]) for row in ask(archive, query).to_pylist()}
    assert listed == {(row["MatchID"], row["Filter"]) for row in printed_rows()}
    assert (1781246, "WFC3_F606W") in listed
    assert (1781246, "WFC3_F814W") not in listed


@needs_published
def test_printed_pairs_of_ic_1613_are_there_with_their_values(ic_1613):
    rows = {(int(row["MatchID"]), row["Filter"]): row for row in ic_1613}
    with (PUBLISHED / "hcv_ic1613_joined_f475_f814_rows.csv").open() as stream:
        for printed in csv.DictReader(stream):
            for end in ("f475", "f814"):
                row = rows[int(printed["MatchID"]), printed[f"Filter_{end}"]]
                for key in ("MeanMag", "MeanCorrMag", "MAD", "Chi2", "NumLC", "FilterDetFlag"):
                    assert row[key] == float(printed[f"{key}_{end}"])


@needs_published
def test_nova_in_m87_has_its_printed_points(tap):
    query = "SELECT * FROM hcv.HCVdetailed WHERE MatchID = 1905457 AND Filter = '{}' ORDER BY MJD"
    blue, red = (tap.search(query.format(name)).to_table() for name in ("ACS_F606W", "ACS_F814W"))
    assert (len(blue), len(red)) == (21, 22)
    with (PUBLISHED / "hcv_nova_m87_f606w.csv").open() as stream:
        for row, printed in zip(blue, csv.DictReader(stream), strict=True):
            assert row["ImageName"] == printed["ImageName"]
            for key in ("MJD", "CorrMag", "CI", "D"):
                assert row[key] == float(printed[key])
            for key in ("Mag", "MagErr"):
                assert row[key] == np.float32(printed[key])


def test_most_variable_source_of_best_quality_is_in_m31(tap):
    found = tap.search("""
        SELECT TOP 1 m.MatchID, g.TargetName, f.Filter, f.MAD, f.NumLC FROM hcv.HCVmatch AS m
        JOIN hcv.HCVfilter AS f ON m.MatchID = f.MatchID JOIN hcv.Groups AS g ON m.GroupID = g.GroupID
        WHERE f.VarQualFlag = 'AAAAA' ORDER BY f.MAD DESC""").to_table()[0]
    assert tuple(found) == (5742711, "M31", "ACS_F814W", 0.8581, 5)
    points = tap.search("SELECT MJD FROM hcv.HCVdetailed WHERE MatchID = 5742711")
    assert len(points) == 5


def test_every_row_is_that_of_its_points(archive):
    rows = ask(archive, "SELECT * FROM hcv.HCVfilter")
    points = ask(archive, "SELECT * FROM hcv.HCVdetailed")
    names = sorted(set(zip(rows["MatchID"].to_pylist(), rows["Filter"].to_pylist(), strict=True)))
    place = {name: number for number, name in enumerate(names)}
    of_rows, of_points = (
        np.array([place[key] for key in zip(t["MatchID"].to_pylist(), t["Filter"].to_pylist(), strict=True)])
        for t in (rows, points)
    )
    found = features(
        LightCurves.of_points(of_points, *(points[name].to_numpy() for name in ("MJD", "CorrMag", "MagErr")))
    )
    np.testing.assert_array_equal(found.n_points[of_rows], rows["NumLC"].to_numpy())
    np.testing.assert_allclose(found["mad"][of_rows], rows["MAD"].to_numpy(), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["chi2_red"][of_rows], rows["Chi2"].to_numpy(), rtol=1e-4)


def test_classes_count_the_filters_in_which_an_object_varies(archive):
    query = """SELECT m.MatchID, AutoClass, NumFilters, SUM(FilterDetFlag) AS detected, COUNT(*) AS n
        FROM hcv.HCVmatch m JOIN hcv.HCVfilter f ON m.MatchID = f.MatchID GROUP BY m.MatchID, AutoClass, NumFilters"""
    found = ask(archive, query)
    np.testing.assert_array_equal(np.minimum(found["detected"].to_numpy(), 2), found["AutoClass"].to_numpy())
    np.testing.assert_array_equal(found["n"].to_numpy(), found["NumFilters"].to_numpy())
    assert found.num_rows == ask(archive, "SELECT COUNT(*) AS n FROM hcv.HCVmatch")["n"][0].as_py()


def test_schema_explains_the_flags(archive):
    tables = {table.name: table for table in archive.tables()}
    said = {column.name: column.description for table in tables.values() for column in table.columns}
    for flag, words in {
        "AutoClass": ("0 constant", "single filter (SFVC)", "several filters (MFVC)"),
        "ExpertClass": ("0 not looked at", "1 variable with high confidence", "2 probable", "4 possible artifact"),
        "VarQualFlag": ("CI", "MagerrAper2", "MagAper2-MagAuto", "peak-to-peak", "AAAAA is best"),
    }.items():
        assert all(word in said[flag] for word in words), said[flag]
    assert all(table.description.startswith("SIMULATED") for table in tables.values() if table.schema_name == "hcv")
    assert "120 rows that publications printed" in tables["hcv.HCVfilter"].description
    assert "not by its pipeline" in tables["hcv.HCVmatch"].description


def test_tables_point_at_each_other(archive):
    tables = {table.name: table for table in archive.tables()}
    targets = {name: [key.target_table for key in tables[f"hcv.{name}"].foreign_keys] for name in tables_of_hcv()}
    assert targets["HCVmatch"] == ["hcv.Groups"]
    assert targets["HCVfilter"] == targets["HCVdetailed"] == targets["HCVSummaryView"] == ["hcv.HCVmatch"]
    groups = ask(archive, "SELECT DISTINCT GroupID FROM hcv.HCVmatch")["GroupID"].to_pylist()
    assert set(groups) <= set(ask(archive, "SELECT GroupID FROM hcv.Groups")["GroupID"].to_pylist())


def tables_of_hcv():
    return ("HCVmatch", "HCVfilter", "HCVdetailed", "HCVSummaryView")


def test_examples_give_rows(archive):
    examples = [example for table in archive.tables() if table.schema_name == "hcv" for example in table.examples]
    assert len(examples) == 4
    for example in examples:
        assert ask(archive, example.query).num_rows, example.name


def test_summary_is_the_join_of_objects_and_filters(archive):
    view = ask(archive, "SELECT * FROM hcv.HCVSummaryView ORDER BY MatchID, Filter")
    expected = "MatchID Filter GroupID SubGroupID RA Dec AutoClass ExpertClass VarQualFlag FilterDetFlag NumLC MeanMag"
    assert view.column_names[:15] == [*expected.split(), "MeanCorrMag", "MAD", "Chi2"]
    columns = ", ".join(f"{_owner(name)}.{name}" for name in view.column_names)
    tables = "hcv.HCVmatch AS m JOIN hcv.HCVfilter AS f ON m.MatchID = f.MatchID"
    joined = ask(archive, f"SELECT {columns} FROM {tables} ORDER BY MatchID, Filter")
    assert joined.to_pylist() == view.to_pylist()


def _owner(name):
    return "m" if name in ["GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass", "NumFilters"] else "f"
