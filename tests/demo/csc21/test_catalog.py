"""The tables against what is published of the Chandra Source Catalog, and against each other."""

import csv
from collections import Counter
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy.coordinates import SkyCoord

from skydex.demo.columns import read_columns
from skydex.demo.csc21 import simulate_csc21
from skydex.demo.size import SIZES, parse_size

PUBLISHED = Path(__file__).parents[3] / "../shared/data/published"
TABLES = [
    "cone",
    "master_source",
    "stack_source",
    "observation_source",
    "master_stack_assoc",
    "stack_observation_assoc",
    "detect_stack",
    "valid_stack",
    "likely_stack",
    "image",
    "ObsCore",
]


def printed(name):
    with (PUBLISHED / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def numbers(table, name):
    return table[name].to_numpy(zero_copy_only=False).astype(float)


def test_tables_come_in_the_order_in_which_the_service_lists_them(catalog):
    assert [name for name in catalog if not name.startswith("csc21_")] == TABLES


@pytest.mark.parametrize(
    ("name", "n_columns"), [("master_source", 105), ("stack_source", 67), ("observation_source", 135)]
)
def test_wide_tables_have_all_columns_that_are_known(name, n_columns):
    columns = read_columns(f"csc21/{name}")
    assert len(columns) >= n_columns
    assert len({column.name.lower() for column in columns}) == len(columns)
    assert all(column.ucd and column.description for column in columns)


def test_master_sources_begin_with_the_columns_of_the_cone_search(catalog):
    expected = [row["name"] for row in printed("csc21_cone_columns")]
    assert catalog["master_source"].column_names[:24] == expected
    assert catalog["cone"].column_names == expected
    kinds = {"str21": pa.string(), "float64": pa.float64(), "bool": pa.bool_(), "int32": pa.int32()}
    types = [kinds[row["astropy_dtype"]] for row in printed("csc21_cone_columns")]
    assert catalog["cone"].schema.types == types


def test_units_are_those_of_the_service_and_read_without_a_warning():
    units = {row["name"]: row["unit"] for row in printed("csc21_cone_columns")}
    for column in read_columns("csc21/cone"):
        assert u.Unit(column.unit or "", format="vounit") == u.Unit(units[column.name], format="fits")


def test_rows_are_a_hundredth_of_those_that_the_service_counts(catalog):
    is_extended = pc.ends_with(catalog["master_source"]["name"], "X").to_numpy()
    assert (np.count_nonzero(is_extended), np.count_nonzero(~is_extended)) == (17, 4061)


def test_cone_is_a_short_form_of_the_master_sources(catalog):
    names = catalog["cone"].column_names
    assert catalog["cone"].equals(catalog["master_source"].select(names))


def test_near_ngc_1333_there_are_the_printed_sources_and_no_others(catalog):
    rows = catalog["master_source"]
    near = SkyCoord(rows["ra"], rows["dec"], unit="deg").separation(SkyCoord(52.297, 31.31, unit="deg")) <= 2 * u.arcmin
    found = {row["name"]: row for row in rows.filter(pa.array(near)).to_pylist()}
    expected = printed("csc21_ngc1333_cone_11x24")
    assert len(found) == len(expected) == 11
    for row in expected:
        for name, text in row.items():
            value = found[row["name"]][name]
            assert ("" if value is None else str(value)) == text or float(value) == float(text)


def test_printed_sources_have_no_simulated_values(catalog):
    columns = read_columns("csc21/master_source")
    name = printed("csc21_ngc1333_cone_11x24")[0]["name"]
    (row,) = catalog["master_source"].filter(pc.field("name") == name).to_pylist()
    known = {column.name for column in columns[:24]} | {"gal_l", "gal_b"}
    assert all(row[column.name] is None for column in columns if column.name not in known)


def test_names_are_formed_like_the_printed_ones_and_none_occurs_twice(catalog):
    names = catalog["master_source"]["name"]
    assert pc.all(pc.match_substring_regex(names, r"^2CXO J\d{6}\.\d[+-]\d{6}X?$")).as_py()
    assert pc.count_distinct(names).as_py() == len(names)


def test_names_tell_positions_to_a_few_arcseconds(catalog):
    rows = catalog["master_source"]
    texts = [f"{n[6:8]} {n[8:10]} {n[10:14]} {n[14:17]} {n[17:19]} {n[19:21]}" for n in rows["name"].to_pylist()]
    said = SkyCoord(texts, unit=(u.hourangle, u.deg))
    assert said.separation(SkyCoord(rows["ra"], rows["dec"], unit="deg")).max() < 8 * u.arcsec


@pytest.mark.parametrize("ratio", ["hard_hm", "hard_hs", "hard_ms"])
def test_hardness_lies_on_the_grid_of_the_catalogue(catalog, ratio):
    rows = catalog["master_source"]
    value, low, high = (1601 * numbers(rows, f"{ratio}{limit}") for limit in ("", "_lolim", "_hilim"))
    known = ~np.isnan(value)
    assert 0.5 < known.mean() < 0.95
    value, low, high = value[known], low[known], high[known]
    for array in (value, low, high):
        assert np.abs(array - np.round(array)).max() < 1e-9
    assert (np.round(value) % 2 == 0).all()
    assert (np.round(low) % 2 == 1).all()
    assert (np.round(high) % 2 == 1).all()
    assert (low < value).all()
    assert (value < high).all()
    assert np.abs(value).max() == pytest.approx(1600)


@pytest.mark.parametrize(
    ("table", "suffixes"), [("master_source", "bhmsuw"), ("stack_source", "bw"), ("observation_source", "bhmsuw")]
)
def test_limits_hold_fluxes(catalog, table, suffixes):
    for band in suffixes:
        value, low, high = (numbers(catalog[table], f"flux_aper{limit}_{band}") for limit in ("", "_lolim", "_hilim"))
        assert (np.isnan(value) == np.isnan(low)).all()
        assert (np.isnan(value) == np.isnan(high)).all()
        known = ~np.isnan(value)
        assert (low[known] <= value[known]).all()
        assert (value[known] <= high[known]).all()
        assert (low[value == 0] == 0).all()
        assert (high[value == 0] > 0).all()


def test_shares_of_limits_and_of_missing_photometry_are_like_those_of_the_catalogue(catalog):
    rows = catalog["master_source"].filter(pc.field("acis_num") > 0)
    flux = numbers(rows, "flux_aper_b")
    assert np.isnan(flux).mean() == pytest.approx(0.08, abs=0.02)
    assert (flux == 0).mean() == pytest.approx(0.16, abs=0.03)
    assert (numbers(rows, "flux_aper_w") > 0).mean() < 0.1


def test_sixty_eight_per_cent_of_true_fluxes_lie_within_their_limits(catalog):
    rows = catalog["master_source"].join(catalog["csc21_sources"], "name", right_suffix="_true").combine_chunks()
    rows = rows.filter((pc.field("flux_aper_b") > 0) & ~pc.field("varies_between") & ~pc.field("is_printed"))
    low, true, high = (numbers(rows, name) for name in ("flux_aper_lolim_b", "flux", "flux_aper_hilim_b"))
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.68, abs=0.03)


def test_ninety_five_per_cent_of_true_positions_lie_within_their_ellipses(catalog):
    rows = catalog["master_source"].join(catalog["csc21_sources"], "name", right_suffix="_true")
    rows = rows.filter(~pc.field("is_printed"))
    found, true = (SkyCoord(rows[f"ra{s}"], rows[f"dec{s}"], unit="deg") for s in ("", "_true"))
    assert (found.separation(true).arcsec <= numbers(rows, "err_ellipse_r0")).mean() == pytest.approx(0.95, abs=0.02)


def test_variable_sources_are_found_and_constant_ones_are_not(catalog):
    rows = catalog["master_source"].join(catalog["csc21_sources"], "name", right_suffix="_true")
    rows = rows.filter(~pc.field("is_printed"))
    varies = rows["varies_within"].to_numpy(zero_copy_only=False)
    degree = numbers(rows, "var_intra_index_b")
    assert (degree[varies] >= 6).mean() > 0.5
    assert (degree[~varies] >= 6).mean() < 0.05
    assert set(degree[~np.isnan(degree)]) <= set(range(11))


@pytest.mark.parametrize(
    ("table", "columns", "target", "there"),
    [
        ("master_stack_assoc", ["name"], "master_source", ["name"]),
        ("master_stack_assoc", ["detect_stack_id", "region_id"], "stack_source", ["detect_stack_id", "region_id"]),
        ("stack_source", ["detect_stack_id"], "detect_stack", ["detect_stack_id"]),
        (
            "stack_observation_assoc",
            ["detect_stack_id", "stack_region_id"],
            "stack_source",
            ["detect_stack_id", "region_id"],
        ),
        ("stack_observation_assoc", ["obsid", "obi", "region_id"], "observation_source", ["obsid", "obi", "region_id"]),
        ("image", ["detect_stack_id"], "detect_stack", ["detect_stack_id"]),
    ],
)
def test_keys_lead_to_one_row_each(catalog, table, columns, target, there):
    keys = Counter(zip(*(catalog[target][name].to_pylist() for name in there), strict=True))
    assert set(keys.values()) == {1}
    named = zip(*(catalog[table][name].to_pylist() for name in columns), strict=True)
    assert all(key in keys for key in named if None not in key)


def test_what_a_stack_does_not_detect_is_said_without_a_region(catalog):
    rows = catalog["master_stack_assoc"]
    is_missing = pc.equal(rows["match_type"], "n")
    assert 0 < pc.sum(is_missing).as_py() < len(rows) / 4
    assert pc.equal(pc.is_null(rows["region_id"]), is_missing).to_pylist() == [True] * len(rows)
    assert set(rows["match_type"].to_pylist()) == {"u", "a", "n"}


def test_every_column_has_a_value_somewhere(catalog):
    for name in TABLES[:-1]:
        empty = [
            column for column in catalog[name].column_names if catalog[name][column].null_count == len(catalog[name])
        ]
        assert not empty


def test_the_same_seed_gives_the_same_rows_and_another_gives_others(catalog):
    def master(seed):
        tables = {table.name: table for table in simulate_csc21(SIZES["tiny"], seed)}
        return pa.Table.from_batches(list(tables["csc21.master_source"].batches))

    assert master(1).equals(catalog["master_source"])
    assert not master(2).equals(catalog["master_source"])


def test_a_catalogue_of_any_number_of_rows_has_them():
    tables = {table.name: table for table in simulate_csc21(parse_size("25000"), 1)}
    n_rows = [batch.num_rows for batch in tables["csc21.master_stack_assoc"].batches]
    assert len(n_rows) > 1
    assert sum(batch.num_rows for batch in tables["csc21.cone"].batches) in range(24_990, 25_010)
