import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Table
from skies import NAMES, simulated_sky

from skydex.errors import UnknownColumnError
from skydex.lightcurve import LightCurves, SearchSettings, Windows, classify, features, running_trend


@pytest.fixture(scope="module")
def sky():
    return simulated_sky()


@pytest.fixture(scope="module")
def found(sky):
    return classify(sky.table, names=NAMES)


def test_search_finds_the_variables_and_little_else(sky, found):
    kind, auto = sky.kind[found.match["MatchID"]], found.match["AutoClass"]
    assert (kind[auto > 0] > 0).mean() >= 0.95
    assert (auto[kind > 0] > 0).mean() >= 0.95
    assert (kind[auto == 2] > 0).mean() >= (kind[auto == 1] > 0).mean()
    assert (auto[kind == 0] > 0).mean() <= 2 / (kind == 0).sum() + 5e-4


def test_threshold_lies_between_what_was_and_what_was_not_detected_in_ic_1613(found):
    """Rows of the HCV: at F475W 25.2 mag 0.0485 is constant and 0.0701 is not; at F814W 24.93 mag 0.0661 and 0.0796."""
    assert 0.035 < threshold_at(found, "ACS_F475W", 25.2) < 0.07
    assert 0.055 < threshold_at(found, "ACS_F814W", 24.93) < 0.0796


def test_numbers_of_a_row_are_those_of_its_points(found):
    rows, points = found.filter, found.detailed
    _, curve = np.unique(np.char.add(points["MatchID"].astype(str), points["Filter"]), return_inverse=True)
    _, row = np.unique(np.char.add(rows["MatchID"].astype(str), rows["Filter"]), return_inverse=True)
    given = features(LightCurves.of_points(curve, points["MJD"], points["CorrMag"], points["MagErr"]))
    np.testing.assert_allclose(rows["MAD"], given["mad"][row], rtol=1e-12)
    np.testing.assert_allclose(rows["Chi2"], given["chi2_red"][row], rtol=1e-12)
    np.testing.assert_array_equal(rows["NumLC"], given.n_points[row])
    assert rows["NumLC"].min() >= 5


def test_classes_count_filters_in_which_an_object_varies(found):
    detected = rows_by_object(found, found.filter["FilterDetFlag"])
    np.testing.assert_array_equal(found.match["AutoClass"], np.minimum(detected, 2))
    np.testing.assert_array_equal(
        found.match["NumFilters"], rows_by_object(found, np.ones(len(found.filter["MatchID"])))
    )


def test_local_zero_points_make_bright_stars_steadier(sky, found):
    untouched = classify(sky.table, SearchSettings(n_iterations=0), names=NAMES)
    assert bright_scatter(found) < 0.75 * bright_scatter(untouched)


def test_letters_are_as_those_of_the_catalogue(found):
    """Constant stars are AAAAC; of variables the errors scatter as their magnitudes do, and the amplitude is large."""
    flags, is_detected = found.filter["VarQualFlag"], found.filter["FilterDetFlag"]
    assert (flags[~is_detected] == "AAAAC").mean() > 0.7
    assert (np.array([flag[4] for flag in flags[is_detected]]) == "A").mean() > 0.9
    assert (np.array([flag[2] for flag in flags[is_detected]]) == "A").mean() < 0.5
    assert flags.dtype == "<U5"


def test_order_of_measurements_does_not_matter(sky, found):
    order = np.random.default_rng(1).permutation(len(sky.table["mag"]))
    again = classify(Table({name: values[order] for name, values in sky.table.items()}), names=NAMES)
    for name, values in found.filter.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(again.filter[name], values, rtol=1e-9)
        else:
            np.testing.assert_array_equal(again.filter[name], values)


def test_a_bad_image_is_dropped(sky):
    table = {name: values.copy() for name, values in sky.table.items()}
    bad = (table["image"] == "hst_10505_04_acs_wfc_f475w") & (np.arange(len(table["mag"])) % 3 == 0)
    table["mag"][bad] += 0.8
    images = set(classify(table, names=NAMES).detailed["ImageName"])
    assert "hst_10505_04_acs_wfc_f475w" not in images
    assert len(images) == 23


def test_few_objects_get_indices_but_no_class(sky):
    few = {name: values[sky.table["match_id"] < 100] for name, values in sky.table.items()}
    found = classify(few, names=NAMES)
    assert len(found.match["MatchID"]) > 90
    assert set(found.match["AutoClass"]) == {0}
    assert set(found.filter["VarQualFlag"]) == {"-----"}
    assert np.isfinite(found.filter["MAD"]).all()
    assert "too few for a threshold" in found.notes[0]


def test_nothing_comes_of_nothing():
    table = {name: np.empty(0, dtype=str if name in ("filter", "image") else float) for name in NAMES}
    found = classify(table, names=NAMES)
    assert all(len(values) == 0 for part in (found.match, found.filter, found.detailed) for values in part.values())


def test_bad_points_make_no_light_curve(sky):
    table = {**sky.table, "flags": np.where(sky.table["match_id"] % 2 == 0, 64, 0)}
    table["mag_err"] = np.where(table["match_id"] % 3 == 0, -999.0, table["mag_err"])
    used = classify(table, names={**NAMES, "flags": "flags"}).match["MatchID"]
    assert len(used)
    assert not (used % 2 == 0).any()
    assert not (used % 3 == 0).any()


@pytest.mark.parametrize(
    "make", [Table, pd.DataFrame, lambda table: pa.table(table), lambda table: pa.table(table)[:0]]
)
def test_tables_of_any_kind_will_do(sky, make):
    few = {name: values[sky.table["match_id"] < 50] for name, values in sky.table.items()}
    table = make(few)
    found = classify(table, names=NAMES)
    expected = classify({name: np.asarray(table[name]) for name in few}, names=NAMES)
    for mine, theirs in ((found.filter, expected.filter), (found.detailed, expected.detailed)):
        assert all(np.array_equal(mine[name], theirs[name], equal_nan=name == "Threshold") for name in mine)
    assert not len(table) or found.detailed["ImageName"].dtype.kind == "U"


@pytest.mark.parametrize("nothing", [99.0, -999.0, np.nan])
def test_magnitudes_that_stand_for_none_are_no_points(sky, nothing):
    table = {**sky.table, "mag": np.where(np.arange(len(sky.table["mag"])) % 7 == 0, nothing, sky.table["mag"])}
    found = classify(table, names=NAMES)
    assert 15 < found.detailed["Mag"].min() < found.detailed["Mag"].max() < 30


def test_a_missing_column_is_named():
    with pytest.raises(UnknownColumnError, match='No column "Dec" in the measurements'):
        classify({"MatchID": [1], "MJD": [1.0], "RA": [1.0], "Mag": [1.0], "MagErr": [0.1]})


def test_trend_does_not_fall_where_faint_stars_are_missed():
    rng = np.random.default_rng(2)
    mag = rng.uniform(20, 26, 5000)
    scatter = np.where(mag < 25, 0.01 + 0.02 * (mag - 20), 0.05) * rng.normal(1.0, 0.05, 5000)
    trend = running_trend(mag, scatter, Windows())
    assert trend.centre_at(np.array([25.8]))[0] < 0.07
    assert trend.never_falling().centre_at(np.array([25.8]))[0] > 0.1
    assert trend.centre_at(np.array([22.0]))[0] == pytest.approx(0.05, rel=0.1)


def threshold_at(found, band, mag):
    rows = found.filter["Filter"] == band
    order = np.argsort(found.filter["MeanCorrMag"][rows])
    return np.interp(mag, found.filter["MeanCorrMag"][rows][order], found.filter["Threshold"][rows][order])


def rows_by_object(found, values):
    _, row = np.unique(found.filter["MatchID"], return_inverse=True)
    return np.bincount(row, values).astype(int)


def bright_scatter(found):
    rows = (found.filter["Filter"] == "ACS_F475W") & (found.filter["MeanCorrMag"] < 23.0)
    return np.median(found.filter["MAD"][rows])
