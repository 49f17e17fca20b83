"""An archive on this disk, asked as an astronomer types."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

import skydex
from skydex import col
from skydex.errors import (
    BadParameterError,
    NotOfferedError,
    UnknownColumnError,
    UnknownObjectError,
    UnknownResourceError,
    UnknownTableError,
    UnreadableFileError,
)

IC1613 = SkyCoord(16.19913, 2.11778, unit="deg")


@pytest.fixture(scope="module")
def archive(simulated):
    return skydex.connect(simulated)


@pytest.fixture(scope="module")
def hsc(simulated):
    return skydex.connect("mast-hsc", at=simulated)


def test_an_archive_says_what_it_is_and_what_it_can_be_asked(archive, simulated):
    assert str(simulated) in repr(archive)
    assert {"query", "cone", "search", "resolve"} <= set(archive.verbs)


def test_a_name_becomes_a_position_that_says_who_knew_it(archive):
    place = archive.resolve("IC 1613")
    assert place.separation(IC1613) < 5 * u.arcmin
    assert place.info.meta["resolver"]


def test_a_name_that_nobody_knows_is_an_error(archive):
    with pytest.raises(UnknownObjectError, match="IC 16133333"):
        archive.resolve("IC 16133333")


def test_a_query_gives_an_astropy_table_with_units(archive):
    table = archive.query("SELECT TOP 5 MatchRA, MatchDec FROM hsc.SumMagAper2CatView")
    assert isinstance(table, QTable)
    assert len(table) == 5
    assert table["MatchRA"].unit == u.deg
    assert "TOP 5" in table.provenance[0]["query"]


def test_a_cone_is_the_same_by_name_by_position_and_by_numbers(archive):
    place = archive.resolve("IC 1613")
    table = "hsc.SumMagAper2CatView"
    found = [
        archive.cone(table, "IC 1613", "6 arcmin", columns="MatchID"),
        archive.cone(table, place, 6 * u.arcmin, columns=["MatchID"]),
        archive.cone(table, place.galactic, 6 / 60, columns=col.MatchID),
        archive.cone(table, (place.ra.deg, place.dec.deg), 6 * u.arcmin, columns="matchid  # the object"),
        archive.cone(table, (place.ra, place.dec), (6 * u.arcmin).to("arcsec"), columns="[MatchID]"),
    ]
    assert len(found[0]) > 5
    assert all(sorted(one["MatchID"]) == sorted(found[0]["MatchID"]) for one in found)


def test_a_cone_knows_the_position_that_was_really_used(archive):
    found = archive.cone("hsc.SumMagAper2CatView", "IC 1613", "6 arcmin", columns="MatchID")
    assert found.provenance[0]["ra_deg"] == pytest.approx(archive.resolve("IC 1613").ra.deg)


def test_rows_of_a_cone_are_within_it(archive):
    found = archive.cone("hsc.SumMagAper2CatView", IC1613, 6 * u.arcmin)
    places = SkyCoord(found["MatchRA"], found["MatchDec"])
    assert len(found)
    assert np.all(places.separation(IC1613) <= 6 * u.arcmin)


def test_conditions_in_python_and_in_suffix_form_find_the_same(archive):
    table = "hsc.SumMagAper2CatView"
    ways = [
        archive.search(table, col.A_F475W_N >= 10, col.A_F475W.between(21, 24), columns="MatchID"),
        archive.search(table, (col.a_f475w_n >= 10) & (col.A_F475W >= 21) & (col.A_F475W <= 24), columns="MatchID"),
        archive.search(table, {"A_F475W_N.gte": 10, "A_F475W.between": "21,24"}, columns="MatchID"),
        archive.search(table, columns="MatchID", **{"A_F475W_N.min": 10, "A_F475W.gte": 21, "A_F475W.lte": 24}),
        archive.search(table, col.A_F475W_N >= 10, ~((col.A_F475W < 21) | (col.A_F475W > 24)), columns="MatchID"),
    ]
    assert len(ways[0]) > 0
    assert all(sorted(one["MatchID"]) == sorted(ways[0]["MatchID"]) for one in ways)


def test_a_quantity_is_brought_to_the_unit_of_its_column(archive):
    table = "hsc.SumMagAper2CatView"
    north = archive.search(table, col.MatchDec > 120 * u.arcmin, columns="MatchDec")
    assert len(north) == len(archive.search(table, col.MatchDec > 2.0, columns="MatchDec")) > 0
    with pytest.raises(BadParameterError, match="kg"):
        archive.search(table, col.MatchDec > 1 * u.kg)


def test_rows_come_in_the_order_that_is_asked_for(archive):
    found = archive.search("hsc.SumMagAper2CatView", col.A_F475W_N >= 10, sort_by=-col.A_F475W_MAD, maxrec=5)
    mad = np.asarray(found["A_F475W_MAD"].value)
    assert len(found) == 5
    assert np.all(np.diff(mad) <= 0)
    assert found.truncated


def test_names_that_are_not_there_are_errors_with_names_that_look_alike(archive):
    with pytest.raises(UnknownTableError, match="SumMagAper2CatView"):
        archive.search("hsc.SumMagAper2CatVieww", col.MatchID == 1)
    with pytest.raises(UnknownColumnError, match="MatchID"):
        archive.search("hsc.SumMagAper2CatView", col.MatchIDD == 1)
    with pytest.raises(BadParameterError, match="gte"):
        archive.search("hsc.SumMagAper2CatView", {"MatchID.gtee": 1})


def test_columns_can_be_looked_through_and_compared(archive):
    columns = archive.columns("hsc.SumMagAper2CatView")
    assert len(columns) > 400
    assert columns.matchid.name == "MatchID"
    assert "MatchRA" in columns
    assert "nothing" not in columns
    assert set(archive.columns("hsc.SumMagAper2CatView", "F475W mad")) == {
        name for name in columns if "F475W" in name and name.endswith("MAD")
    }
    assert "[deg]" in repr(columns.MatchRA)
    assert f"{len(columns)} columns" in repr(columns)
    assert columns.table["name"].dtype.kind == "U"
    with pytest.raises(AttributeError, match="MatchID"):
        _ = columns.MatchIDD


def test_tables_are_found_by_words(archive):
    everything = archive.tables()
    assert "hsc.SumMagAper2CatView" in everything["name"]
    assert not any(name.lower().startswith("tap_schema") for name in everything["name"])
    assert "hcv.HCVdetailed" in archive.tables("CorrMag")["name"]


def test_a_table_of_the_user_is_joined(archive):
    ours = archive.search("hsc.SumMagAper2CatView", columns="MatchID MatchRA", maxrec=3)
    found = archive.query(
        "SELECT s.MatchID FROM hsc.SumMagAper2CatView s JOIN TAP_UPLOAD.mine m ON m.MatchID = s.MatchID",
        uploads={"mine": ours},
    )
    assert sorted(found["MatchID"]) == sorted(ours["MatchID"])


def test_a_preset_has_its_names_over_a_directory(hsc):
    assert "summary" in hsc.tables()["name"]
    assert "v2/summary" in hsc.tables()["name"]
    found = hsc.cone("summary", "IC 1613", 0.1, {"numimages.gte": 2}, columns="MatchID NumImages")
    assert len(found)
    assert min(found["NumImages"]) >= 2
    assert len(hsc.cone("summary/magauto", "IC 1613", 0.1, columns="MatchID")) == len(
        hsc.cone("summary", "IC 1613", 0.1, columns="MatchID")
    )


def test_a_verb_that_a_preset_lacks_is_an_error_that_says_what_it_has(hsc):
    with pytest.raises(NotOfferedError, match="cone"):
        hsc.query("SELECT 1")
    with pytest.raises(NotOfferedError, match=r"\|"):
        hsc.search("summary", (col.MatchID == 1) | (col.MatchID == 2))


def test_the_chandra_preset_gives_the_columns_of_its_cone_search(simulated):
    csc = skydex.connect("csc21", at=simulated)
    found = csc.cone("csc21.master_source", "NGC 1333", 2 * u.arcmin)
    assert len(found.colnames) == 24
    assert found.colnames[:3] == ["name", "ra", "dec"]
    assert len(csc.tables()) == 11


def test_what_is_no_archive_is_an_error_that_names_the_presets(tmp_path):
    with pytest.raises(UnknownResourceError, match="mast-hsc"):
        skydex.connect("mast-hsk")


def test_a_condition_is_not_true_or_false_by_itself():
    with pytest.raises(TypeError, match="&"):
        bool((col.a > 1) and (col.b > 1))
    with pytest.raises(TypeError, match="between"):
        _ = 1 < col.a < 2


def test_a_star_is_all_columns_of_a_table(simulated):
    csc = skydex.connect("csc21", at=simulated)
    everything = csc.cone("master_source", "NGC 1333", "2 arcmin", columns="*")
    assert everything.colnames == list(csc.columns("master_source"))


def test_an_upload_that_is_not_there_or_has_no_name_is_an_error(archive, tmp_path):
    with pytest.raises(UnreadableFileError, match="no such file"):
        archive.query("SELECT * FROM TAP_UPLOAD.x", uploads={"x": tmp_path / "nothing.csv"})
    with pytest.raises(BadParameterError, match="a b"):
        archive.query("SELECT * FROM TAP_UPLOAD.x", uploads={"a b": {"x": [1]}})
