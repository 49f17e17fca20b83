from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from skydex.demo.hsc import detect, get_field, simulate_hsc
from skydex.demo.hsc.detailed import detailed_rows
from skydex.demo.publications import read_printed
from skydex.demo.size import SIZES, Size
from skydex.objects import summarize
from skydex.sky import separation_deg

IC1613 = (16.2016962, 2.1194959)
TOLERANCES = {"MatchRA": 6e-7, "MatchDec": 6e-7, "StartMJD": 6e-6, "StopMJD": 6e-6}


@pytest.fixture(scope="module")
def tables():
    """All tables of the collection, small."""
    found = {}
    for table in simulate_hsc(SIZES["tiny"], 1):
        found[table.name] = pa.Table.from_batches(table.batches)
    return found


@pytest.fixture(scope="module")
def ic1613():
    return summarize(detailed_rows(detect(get_field("ic1613"), SIZES["demo"], 1)))


def row_of(table, match_id):
    rows = table.filter(pc.field("MatchID") == match_id).to_pylist()
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("name", ["hsc_ic1613", "hsc_smc"])
def test_printed_rows_of_the_summary_come_out_of_the_detections(tables, name):
    summary = tables["hsc.SumMagAper2CatView"]
    for printed in read_printed(name).to_pylist():
        row = row_of(summary, printed["MatchID"])
        printed.pop("V-I", None)
        for column, value in printed.items():
            assert row[column] == pytest.approx(value, abs=TOLERANCES.get(column, 5.1e-4)), (row["MatchID"], column)


def test_printed_rows_of_a_target_have_its_times(tables):
    summary = tables["hsc.SumMagAper2CatView"]
    for printed in read_printed("hsc_sdssj0837").to_pylist():
        row = row_of(summary, printed["MatchID"])
        assert row["TargetName"] == "SDSSJ0837+0801"
        assert row["MatchRA"] == pytest.approx(printed["MatchRA"], abs=1e-8)
        starts = {"3/15/2015 2:22:48 PM": "2015-03-15T14:22:48", "3/15/2015 2:34:37 PM": "2015-03-15T14:34:37"}
        stops = {"3/15/2015 3:07:16 PM": "2015-03-15T15:07:16", "3/15/2015 2:55:27 PM": "2015-03-15T14:55:27"}
        assert (row["StartTime"], row["StopTime"]) == (starts[printed["StartTime"]], stops[printed["StopTime"]])


def test_the_most_variable_star_has_its_published_light_curve(tables):
    detailed = tables["hsc.detailedCatalog"]
    ours = detailed.filter(
        (pc.field("MatchID") == 80189155) & (pc.field("Filter") == "F475W") & (pc.field("Det") == "Y")
    )
    names = ["SourceID", "StartMJD", "Detector", "MagAper2", "Flags", "ImageName"]
    published = read_printed("hsc_light_curve").select(names).sort_by("StartMJD").to_pylist()
    assert ours.select(names).sort_by("StartMJD").to_pylist() == published
    row = row_of(tables["hsc.SumMagAper2CatView"], 80189155)
    assert row["A_F475W"] == pytest.approx(22.451, abs=1e-9)
    assert row["A_F475W_MAD"] == pytest.approx(0.2935, abs=1e-9)
    assert row["A_F475W"] - row["A_F814W"] == pytest.approx(0.45, abs=1e-4)


def test_ic_1613_has_the_share_of_the_documents_rows(ic1613):
    for ra, dec in (IC1613, (16.19913, 2.11778)):
        near = separation_deg(ic1613["MatchRA"].to_numpy(), ic1613["MatchDec"].to_numpy(), ra, dec) <= 0.5
        rich = ic1613.filter(pa.array(near)).filter((pc.field("A_F475W_N") >= 10) & (pc.field("A_F814W_N") >= 10))
        assert rich.num_rows == SIZES["demo"].count(18_666)
    bright = (pc.field("A_F475W") > 21) & (pc.field("A_F475W") < 24)
    assert 15 <= rich.filter(bright & (pc.field("A_F475W_MAD") > 0.1)).num_rows <= 40


def test_simulated_objects_have_identifiers_that_nobody_published(tables):
    ids = tables["hsc.SumMagAper2CatView"]["MatchID"].to_numpy()
    printed = {
        row
        for name in ("hsc_ic1613", "hsc_smc", "hsc_sdssj0837", "hcv_summary", "hcv_nova")
        for row in read_printed(name)["MatchID"].to_pylist()
    } | set(read_printed("hsc_sweeps")["ObjID"].to_pylist())
    assert set(ids[ids < 9_000_000_000_000].tolist()) == printed


def test_nova_has_its_published_points_and_an_f814w_light_curve(tables):
    rows = tables["hsc.detailedCatalog"].filter((pc.field("MatchID") == 1905457) & (pc.field("Det") == "Y"))
    published = read_printed("hcv_nova").sort_by("MJD")
    f606w = rows.filter(pc.field("Filter") == "F606W").sort_by("StartMJD")
    assert f606w["ImageName"].to_pylist() == published["ImageName"].to_pylist()
    np.testing.assert_allclose(f606w["MagAper2"].to_numpy(), published["Mag"].to_numpy(), atol=1e-9)
    np.testing.assert_allclose(f606w["D"].to_numpy(), published["D"].to_numpy(), rtol=1e-4)
    assert rows.filter(pc.field("Filter") == "F814W").num_rows == 22


def test_all_cameras_have_columns_with_values(tables):
    summary = tables["hsc.SumMagAper2CatView"]
    alive = [name for name in summary.column_names if name.endswith("_N") and pc.max(summary[name]).as_py()]
    assert {name.partition("_")[0] for name in alive} == {"A", "W2", "W3"}
    assert {"W3_F160W_N", "W3_F275W_N", "W2_F555W_N", "A_F606W_N"} <= set(alive)


def test_images_that_cover_an_object_without_finding_it_have_a_row(tables):
    missed = tables["hsc.detailedCatalog"].filter(pc.field("Det") == "N")
    assert 0.02 < missed.num_rows / tables["hsc.detailedCatalog"].num_rows < 0.5
    for name in ("CatID", "SourceID", "SourceRA", "D", "MagAper2", "Flags"):
        assert missed[name].null_count == missed.num_rows
    for name in ("MatchID", "MatchRA", "ImageName", "StartMJD", "X"):
        assert missed[name].null_count == 0


def test_printed_proper_motions_have_their_values(tables):
    motions = {row["objID"]: row for row in tables["hsc.ProperMotionsView"].to_pylist()}
    for printed in read_printed("hsc_sweeps").to_pylist():
        row = motions[printed["ObjID"]]
        assert (row["pmLat"], row["pmLon"], row["raMean"]) == (printed["bpm"], printed["lpm"], printed["RA"])
        assert np.hypot(row["pmLonDev"], row["pmLatDev"]) == pytest.approx(printed["pmdev"])
        year = (row["epochMean"] - 47892) / 365.25 + 1990  # as the notebooks compute it
        assert year == pytest.approx(printed["yr"], abs=1e-9)
        assert (row["NumFilters"], row["NumVisits"]) == (printed["NumFilters"], printed["NumVisits"])


def test_simulated_proper_motions_are_those_of_the_stars(tables):
    motions = tables["hsc.ProperMotionsView"]
    truth = tables["truth.hsc_measurements"].select(["match_id", "star_id"]).drop_null()
    stars = tables["truth.hsc_stars"].select(["star_id", "pm_ra", "pm_dec"])
    owners = truth.group_by(["match_id", "star_id"]).aggregate([]).join(stars, "star_id")
    joined = owners.join(motions.select(["objID", "pmRA", "pmRAErr", "numSources"]), "match_id", "objID", "inner")
    good = joined.filter((pc.field("numSources") > 35) & (pc.field("pmRAErr") < 0.5))
    assert good.num_rows > 10
    pulls = (good["pmRA"].to_numpy() - good["pm_ra"].to_numpy()) / good["pmRAErr"].to_numpy()
    assert np.median(np.abs(pulls)) < 1.2


def test_source_positions_lie_on_the_lines_of_their_stars(tables):
    positions = tables["hsc.SourcePositionsView"].filter(pc.field("objID") == 4000709005774)
    motion = tables["hsc.ProperMotionsView"].filter(pc.field("objID") == 4000709005774).to_pylist()[0]
    slope = np.polyfit(positions["dT"].to_numpy(), positions["dLon"].to_numpy(), 1)[0]
    assert slope == pytest.approx(motion["pmLon"], abs=0.6)


def test_version_2_has_means_of_the_same_measurements(tables):
    old, new = tables["hscv2.SumMagAper2CatView"], tables["hsc.SumMagAper2CatView"]
    assert old["MatchID"].equals(new["MatchID"])
    assert "A_F475W_Sigma" in old.column_names
    apart = pc.subtract(old["A_F475W"], new["A_F475W"]).drop_null().to_numpy()
    assert np.abs(apart).max() > 0
    assert np.median(np.abs(apart)) < 0.05


def test_truth_knows_what_each_measurement_is_of(tables):
    truth, detailed = tables["truth.hsc_measurements"], tables["hsc.detailedCatalog"]
    found = detailed.filter(pc.field("Det") == "Y")
    assert set(truth["source_id"].to_pylist()) == set(found["SourceID"].to_pylist())
    stars = truth.filter(pc.is_valid(truth["star_id"]))
    assert set(stars["star_id"].to_pylist()) <= set(tables["truth.hsc_stars"]["star_id"].to_pylist())
    # sources of one star that are one object: nearly all, but for the few that cosmic rays pulled away
    pairs = {tuple(pair.values()) for pair in stars.select(["star_id", "match_id"]).to_pylist()}
    assert len(pairs) < 1.1 * len({star for star, _ in pairs})


def test_detecting_twice_gives_the_same():
    first, other, again = (detect(get_field(name), Size("a third", 0.3), 3).rows for name in ("uds", "m101", "uds"))
    assert first is not again
    assert len(other) != len(first)
    for column in fields(first):
        np.testing.assert_array_equal(getattr(first, column.name), getattr(again, column.name))
