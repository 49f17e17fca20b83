"""Summaries of detections: published rows come out again, and loops over objects give the same."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.errors import BadParameterError, UnknownColumnError
from skydex.objects import FILTERS, get_filter, locate_matches, summarize, summary_columns
from skydex.tables import columns_from_metadata


def recorded(data: Path, name: str) -> list[Mapping[str, object]]:
    """Rows that MAST once answered, of version 2 of the catalogue."""
    return list(json.loads((data / "services" / "mast" / name).read_text(encoding="utf-8"))["data"])


def detections(n: int, rng: np.random.Generator, **columns: object) -> pa.Table:
    """Rows of a few objects in a few filters, some of them without a measurement."""
    some = rng.choice(["F475W", "F814W", "F606W"], n)
    source = rng.integers(0, 60, n)
    match = source % 17 + 100
    visit = rng.integers(1, 9, n)
    start = 53000.0 + visit * 1.5
    table = {
        "MatchID": match,
        "SourceID": source,
        "Det": rng.choice(["Y", "Y", "Y", "Y", "N"], n),
        "SourceRA": (match * 1e-3 + source * 1e-6 - 0.1) % 360.0,
        "SourceDec": match * 1e-3 + source * 1e-6,
        "Detector": ["ACS/WFC"] * n,
        "Filter": some,
        "MagAper2": rng.choice([np.nan, 99.0, -999.0, 22.25, 23.5, 21.0, 22.0, 25.0], n),
        "MagAuto": rng.normal(22, 1, n),
        "CI": rng.normal(1, 0.1, n),
        "KronRadius": rng.normal(0.2, 0.01, n),
        "ImageName": [f"hst_10505_{v:02d}_acs_wfc_{f.lower()}" for v, f in zip(visit, some, strict=True)],
        "StartMJD": start,
        "StopMJD": start + 0.01,
        "StartTime": [f"day {v}" for v in visit],
        "TargetName": [f"target {v}" for v in visit],
        "AbsCorr": np.where(source % 3 == 0, "Y", "N"),
    }
    return pa.table({**table, **columns})


def column(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy()


def test_the_summary_has_the_published_columns_in_their_order(shared_data: Path):
    named = [row for part in ("base_columns", "filters") for row in read_csv(shared_data, f"hsc_summary_{part}.csv")]
    names = [row["name"] for row in named[:19]]
    names += [name for row in named[19:] for name in (row["name"], f"{row['name']}_MAD", f"{row['name']}_N")]
    columns = summary_columns()
    assert [one.name for one in columns] == names
    assert len(columns) == 418
    assert [one.description for one in columns[:19]] == [row["description"] for row in named[:19]]


def read_csv(data: Path, name: str) -> list[Mapping[str, str]]:
    with (data / "published" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_twelve_published_measurements_make_the_published_magnitude_and_deviation(shared_data: Path):
    curve = Table.read(shared_data / "seeds" / "hsc_80189155_lightcurve.ecsv")
    rows = pa.table({name: curve[name].tolist() for name in curve.colnames})
    rows = rows.append_column("SourceRA", pa.array([16.14074] * 12)).append_column(
        "SourceDec", pa.array([2.155288] * 12)
    )
    (summary,) = summarize(rows).to_pylist()
    assert summary["A_F475W"] == pytest.approx(22.451, abs=1e-12)
    assert summary["A_F475W_MAD"] == pytest.approx(0.2935, abs=1e-12)
    assert (summary["A_F475W_N"], summary["NumVisits"], summary["NumImages"]) == (12, 12, 12)
    assert summary["StartMJD"] == 53965.29153
    assert (summary["A_F814W"], summary["A_F814W_MAD"], summary["A_F814W_N"]) == (None, None, 0)
    assert (summary["MatchRA"], summary["MatchDec"]) == pytest.approx((16.14074, 2.155288), abs=1e-12)


def test_recorded_detections_of_a_match_have_its_recorded_place_and_scatter(shared_data: Path):
    rows = recorded(shared_data, "matchid.json")
    names = ("MatchID", "SourceID", "SourceRA", "SourceDec", "Det")
    found = locate_matches(pa.table({name: [row[name] for row in rows] for name in names}))
    for name, tolerance in (("MatchRA", 1e-12), ("MatchDec", 1e-12), ("DSigma", 1e-5), ("D", 1e-5)):
        assert column(found, name) == pytest.approx([row[name] for row in rows], abs=tolerance), name


def test_recorded_counts_follow_from_the_recorded_numbers_of_measurements(shared_data: Path):
    rows = recorded(shared_data, "hsc.json")
    filters = [
        get_filter(name.removesuffix("_N")) for name in rows[0] if name.startswith(("A_", "W")) and name.endswith("_N")
    ]
    made = [
        {
            "MatchID": row["MatchID"],
            "SourceRA": row["MatchRA"],
            "SourceDec": row["MatchDec"],
            "Detector": one.detector,
            "Filter": one.filter,
            "ImageName": f"hst_12605_{epoch:02d}_{one.detector.lower().replace('/', '_')}_{one.filter.lower()}",
            "MagAper2": row[one.summary_name],
            "CI": 1.0,
        }
        for row in rows
        for one in filters
        for epoch in range(row[f"{one.summary_name}_N"])
    ]
    summary = {row["MatchID"]: row for row in summarize(pa.Table.from_pylist(made), statistic="mean").to_pylist()}
    assert len(summary) == 28
    for row in rows:
        mine = summary[row["MatchID"]]
        assert (mine["NumFilters"], mine["NumImages"]) == (row["NumFilters"], row["NumImages"]), row["MatchID"]
        for one in filters:
            if row[f"{one.summary_name}_N"] < 2:
                for name in (one.summary_name, f"{one.summary_name}_N", f"{one.summary_name}_Sigma"):
                    assert mine[name] == row[name]


@pytest.mark.parametrize("seed", range(3))
def test_a_loop_over_objects_finds_the_same(seed):
    rng = np.random.default_rng(seed)
    table = detections(400, rng)
    rows = Table({name: column(table, name) for name in table.column_names})
    rows = rows[rows["Det"] == "Y"]
    summary = {row["MatchID"]: row for row in summarize(table).to_pylist()}
    assert list(summary) == sorted(summary)
    for match in np.unique(rows["MatchID"]):
        own = rows[rows["MatchID"] == match]
        measured = own[np.abs(own["MagAper2"]) < 90]
        row = summary.pop(int(match))
        assert row["NumVisits"] == len({name[:12] for name in measured["ImageName"]})
        assert row["NumImages"] == len(set(measured["ImageName"]))
        assert row["NumFilters"] == len(set(measured["Filter"]))
        assert (row["StartMJD"], row["StopMJD"]) == (measured["StartMJD"].min(), measured["StopMJD"].max())
        assert row["StartTime"] == measured["StartTime"][np.argmin(measured["StartMJD"])]
        assert row["TargetName"] == measured["TargetName"][np.argmin(measured["StartMJD"])]
        assert row["StopTime"] is None
        assert row["AbsCorr"] == ("Y" if "Y" in own["AbsCorr"] else "N")
        assert row["CI"] == pytest.approx(np.mean(measured["CI"]), abs=1e-12)
        assert row["KronRadius_Sigma"] == pytest.approx(
            np.std(measured["KronRadius"], ddof=1) if len(measured) > 1 else 0.0, abs=1e-12
        )
        for name in ("F475W", "F814W", "F606W"):
            magnitudes = measured["MagAper2"][measured["Filter"] == name]
            assert row[f"A_{name}_N"] == len(magnitudes)
            if len(magnitudes):
                middle = np.median(magnitudes)
                assert row[f"A_{name}"] == middle
                assert row[f"A_{name}_MAD"] == np.median(np.abs(magnitudes - middle))
            else:
                assert row[f"A_{name}"] is None
    assert not summary


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["median", "mean"]), st.sampled_from(["MagAper2", "MagAuto"]))
def test_the_order_of_the_rows_changes_no_bit(seed, statistic, magnitude):
    rng = np.random.default_rng(seed)
    table = detections(int(rng.integers(1, 120)), rng)
    shuffled = table.take(pa.array(rng.permutation(table.num_rows)))
    first, second = (summarize(rows, statistic=statistic, magnitude=magnitude) for rows in (table, shuffled))
    assert first.equals(second)


def test_positions_of_an_object_across_the_meridian_and_at_the_pole_have_their_mean_there():
    rows = {
        "MatchID": [1, 1, 2, 2],
        "SourceRA": [359.9999, 0.0001, 0.0, 180.0],
        "SourceDec": [0.0, 0.0, 89.9999, 89.9999],
    }
    found = locate_matches(pa.table(rows))
    assert column(found, "MatchRA")[0] % 360.0 == pytest.approx(0.0, abs=1e-9)
    assert column(found, "MatchDec")[2] == pytest.approx(90.0, abs=1e-9)
    assert column(found, "D") == pytest.approx([360.0] * 4, rel=1e-9)
    assert column(found, "DSigma") == pytest.approx([360.0 * 2**0.5] * 4, rel=1e-9)


def test_rows_of_no_match_and_undetected_ones_are_located_as_far_as_can_be():
    rows = {
        "MatchID": pa.array([5, 5, None, 6], pa.int64()),
        "Det": ["Y", "N", "Y", "N"],
        "SourceRA": [10.0, None, 20.0, None],
        "SourceDec": [1.0, None, 2.0, None],
        "D": [0.0, 7.0, 7.0, 7.0],
    }
    found = locate_matches(pa.table(rows))
    assert found["MatchRA"].to_pylist() == pytest.approx([10.0, 10.0, None, None])
    assert [d is None for d in found["D"].to_pylist()] == [False, True, True, True]
    assert found.column_names == ["MatchID", "Det", "SourceRA", "SourceDec", "D", "MatchRA", "MatchDec", "DSigma"]


def test_one_measurement_has_no_scatter_and_a_match_without_any_no_row():
    rng = np.random.default_rng(0)
    table = detections(2, rng, MatchID=[1, 2], MagAper2=[21.5, 99.0], Det=["Y", "Y"], Filter=["F475W", "F475W"])
    (row,) = summarize(table).to_pylist()
    assert (row["MatchID"], row["A_F475W"], row["A_F475W_MAD"], row["A_F475W_N"]) == (1, 21.5, 0.0, 1)
    assert (row["CI_Sigma"], row["KronRadius_Sigma"], row["DSigma"]) == (0.0, 0.0, 0.0)


def test_a_source_whose_magnitude_is_unknown_still_counts_for_the_position():
    rng = np.random.default_rng(0)
    table = detections(
        2, rng, MatchID=[1, 1], SourceID=[1, 2], SourceRA=[10.0, 10.002], SourceDec=[0.0, 0.0], MagAper2=[21.0, np.nan],
        Det=["Y", "Y"],
    )  # fmt: skip
    (row,) = summarize(table).to_pylist()
    assert row["MatchRA"] == pytest.approx(10.001)
    assert row["NumImages"] == 1


def test_a_table_without_rows_makes_a_summary_without_rows():
    table = detections(5, np.random.default_rng(0)).slice(0, 0)
    summary = summarize(table)
    assert (summary.num_rows, summary.num_columns) == (0, 418)
    assert locate_matches(table).num_rows == 0
    assert summarize(detections(3, np.random.default_rng(0), Det=["N"] * 3)).num_rows == 0


def test_least_columns_are_enough_and_a_missing_one_is_named():
    whole = detections(50, np.random.default_rng(0))
    least = whole.select(["MatchID", "SourceRA", "SourceDec", "Detector", "Filter", "MagAper2"])
    summary = summarize(least)
    assert summary["A_F475W"].null_count < summary.num_rows
    assert summary["CI"].null_count == summary["StartTime"].null_count == summary.num_rows
    with pytest.raises(UnknownColumnError, match='No column "SourceRA" in the table of detections'):
        summarize(least.rename_columns(["MatchID", "SourceR", "SourceDec", "Detector", "Filter", "MagAper2"]))


def test_a_filter_without_a_column_is_an_error_that_names_it():
    with pytest.raises(BadParameterError, match="F250W of ACS/HRC has no column"):
        summarize(
            detections(1, np.random.default_rng(1), Detector=["ACS/HRC"], Filter=["F250W"], MagAper2=[20.0], Det=["Y"])
        )


def test_the_summary_says_what_its_columns_mean():
    summary = summarize(detections(20, np.random.default_rng(0)))
    described = columns_from_metadata(summary.schema.metadata)
    assert list(described) == summary.column_names
    assert described["A_F475W"].unit == "mag"
    assert described["DSigma"].unit == "mas"


def test_columns_of_filters_that_nobody_used_take_no_memory():
    summary = summarize(detections(2000, np.random.default_rng(0)))
    assert len({summary[one.summary_name].chunk(0).buffers()[1].address for one in FILTERS}) == 4
