"""The tables of Pan-STARRS1: the survey's columns, the printed values, and one sky behind all of them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from skydex.archive import QueryRequest

OBJECT_COLUMNS = ("nDetections", "ng", "nr", "ni", "nz", "ny")


def table_of(archive, name):
    return next(table for table in archive.tables() if table.name == f"ps1.{name}")


def test_mean_object_view_has_the_columns_of_the_survey(archive, shared_data):
    known = json.loads((shared_data / "services/mast/panstarrs_columns.json").read_text())
    columns = table_of(archive, "MeanObjectView").columns
    assert [column.name for column in columns] == [one["name"] for one in known]
    assert [column.datatype.value for column in columns] == [one["datatype"] for one in known]
    assert [column.unit or "NULL" for column in columns] == [one["unit"] for one in known]
    broken = {"rMeanApMag", *(f"yMean{kind}Mag" for kind in ("PSF", "Kron", "Ap"))}  # ;; and em:ir are no UCDs
    for column, one in zip(columns, known, strict=True):
        if column.name not in broken:
            assert (column.ucd or "NULL") == one["ucd"], column.name


@pytest.mark.parametrize(
    ("name", "file"),
    [("StackObjectView", "ps1_stack_object_types.csv"), ("ForcedMeanObjectView", "ps1_forced_mean_object_types.csv")],
)
def test_other_views_have_the_columns_of_their_exports(archive, shared_data, name, file):
    with (shared_data / "hats/import_formats" / file).open() as lines:
        known = [row["name"] for row in csv.DictReader(lines)]
    assert [column.name for column in table_of(archive, name).columns] == known


def test_tables_share_out_the_columns_of_their_views(archive):
    def names(*tables):
        return {column.name for name in tables for column in table_of(archive, name).columns}

    assert names("ObjectThin", "MeanObject") == names("MeanObjectView")
    assert len(table_of(archive, "ObjectThin").columns) + len(table_of(archive, "MeanObject").columns) == 124 + 2
    assert names("StackObjectThin", "StackObjectAttributes") <= names("StackObjectView")
    assert len(table_of(archive, "Detection").columns) == 58
    assert names("Detection") & names("Filter") == {"filterID"}


def test_every_table_is_called_simulated_and_what_is_real_is_listed(archive):
    tables = [table for table in archive.tables() if table.schema_name == "ps1"]
    assert len(tables) == 11
    assert all(table.description.startswith("SIMULATED") for table in tables)
    assert "but for 111 rows that publications printed" in table_of(archive, "Detection").description
    query = (
        "SELECT id_column, COUNT(*) AS n FROM demo.printed_rows WHERE table_name = 'ps1.Detection' GROUP BY id_column"
    )
    listed = archive.query(QueryRequest(query)).to_arrow().to_pydict()
    assert dict(zip(listed["id_column"], listed["n"], strict=True)) == {"detectID": 103, "obsTime": 8}


@pytest.mark.parametrize("star", ["kq_uma", "kic_2161623", "kic_8153568"])
def test_printed_detections_are_as_they_were_printed(ask, shared_data, star):
    printed = Table.read(shared_data / f"seeds/ps1_detections_{star}.ecsv", format="ascii.ecsv")
    found = Table.from_pandas(
        ask(
            f"SELECT d.*, filterType FROM Detection AS d NATURAL JOIN Filter WHERE objID = {printed['objID'][0]}"
        ).to_pandas()
    )
    place = {int(one): row for row, one in enumerate(found["detectID"])}
    rows = found[[place[int(one)] for one in printed["detectID"]]]
    for name in printed.colnames:
        if printed[name].dtype.kind == "f" and name not in ("obsTime", "ra", "dec"):
            np.testing.assert_array_equal(rows[name], printed[name].astype("f4"), err_msg=name)
        else:
            assert list(rows[name]) == list(printed[name]), name


@pytest.mark.parametrize("file", ["ps1_mean_targets.ecsv", "ps1_mean_m87.ecsv"])
def test_printed_objects_are_as_they_were_printed(ask, shared_data, file):
    printed = Table.read(shared_data / f"seeds/{file}", format="ascii.ecsv")
    names = [name for name in printed.colnames if name != "name"]
    rows = {row["objID"]: row for row in ask(f"SELECT {', '.join(names)} FROM MeanObjectView").to_pylist()}
    for one in printed:
        found = rows[one["objID"]]
        for name in names:
            if name.endswith("Mag"):
                is_missing = one[name] == -999 or not np.isfinite(one[name])
                assert found[name] == (None if is_missing else np.float32(one[name])), name
            else:
                assert found[name] == one[name], name


def test_stars_have_their_names(ask):
    assert ask("SELECT objAltName1 FROM ObjectThin WHERE objID = 190361393344112894").to_pylist() == [
        {"objAltName1": "KQ UMa"}
    ]


def test_counts_of_objects_are_those_of_their_detections(ask):
    query = """
        SELECT o.objID, nDetections, ng, nr, ni, nz, ny, counted.n
        FROM ObjectThin AS o
        JOIN (SELECT objID, COUNT(*) AS n FROM Detection GROUP BY objID) AS counted USING (objID)"""
    rows = ask(query).to_pandas()
    assert len(rows) == ask("SELECT COUNT(*) AS n FROM ObjectThin").to_pylist()[0]["n"]
    assert (rows["nDetections"] == rows["n"]).all()
    assert (rows["nDetections"] == rows[["ng", "nr", "ni", "nz", "ny"]].sum(axis=1)).all()
    assert (rows["nDetections"] == 1).mean() == pytest.approx(0.45, abs=0.01)


def test_missing_values_are_null_and_keys_hold(ask):
    for column in ("gMeanPSFMag", "zMeanKronMag"):
        assert ask(f"SELECT COUNT(*) AS n FROM MeanObjectView WHERE {column} < -900").to_pylist() == [{"n": 0}]
        assert ask(f"SELECT COUNT(*) AS n FROM MeanObjectView WHERE {column} IS NULL").to_pylist()[0]["n"] > 0
    n = ask("SELECT COUNT(*) AS n FROM Detection").to_pylist()
    assert ask("SELECT COUNT(*) AS n FROM Detection NATURAL JOIN ObjectThin").to_pylist() == n
    for table in ("Detection", "StackObjectThin", "ForcedMeanObjectView"):
        orphans = f"SELECT COUNT(*) AS n FROM {table} WHERE objID NOT IN (SELECT objID FROM ObjectThin)"
        assert ask(orphans).to_pylist() == [{"n": 0}]
    twice = "SELECT objID FROM StackObjectThin WHERE primaryDetection = 1 GROUP BY objID HAVING COUNT(*) > 1"
    assert ask(twice).num_rows == 0


def test_views_say_what_their_tables_say(ask):
    query = """
        SELECT v.gPSFMag AS of_view, t.gPSFMag AS of_table, v.gPSFFlux AS flux, a.gPSFFlux AS flux_of_table
        FROM StackObjectView AS v
        JOIN StackObjectThin AS t ON t.uniquePspsSTid = v.uniquePspsSTid
        JOIN StackObjectAttributes AS a ON a.uniquePspsSTid = v.uniquePspsSTid"""
    rows = ask(query).to_pandas()
    assert len(rows) > 100
    for one, other in (("of_view", "of_table"), ("flux", "flux_of_table")):
        np.testing.assert_array_equal(rows[one], rows[other])
    both = rows.dropna()
    np.testing.assert_allclose(both["of_view"], 8.90 - 2.5 * np.log10(both["flux"]), atol=1e-5)


def test_truth_is_kept_beside_the_archive(archive, directory):
    truth = pq.read_table(directory / "truth" / "ps1_objects.parquet").to_pandas()
    assert len(truth) == table_of(archive, "ObjectThin").n_rows
    star = truth[truth["objID"] == 190361393344112894]
    assert star["kind"].tolist() == ["RRab"]
    assert star["period"].tolist() == [0.48636]
