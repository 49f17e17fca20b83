"""The Chandra notebook (document 004: cone search, TAP, FITS) as its reader runs it, with another address."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import astropy.units as u
import httpx
import numpy as np
import pyarrow.compute as pc
import pytest
import pyvo
import serving
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable, Table
from demonstration import build_collection

from skydex.demo.csc21 import simulate_csc21
from skydex.formats import get_format
from skydex.formats.votable import read_votable
from skydex.tables import Result

PUBLISHED = Path(__file__).parents[2] / "../shared/data/published"
N_POINTS, N_EXTENDED = 4061, 17
"""At the smallest size; the document has 406,089 and 1,717."""
COLUMNS = "m.name, m.ra, m.dec, m.conf_flag, m.significance, m.extent_flag, m.sat_src_flag, m.flux_aper_b, "
COLUMNS += "m.flux_aper_lolim_b, m.flux_aper_hilim_b"


def printed(name):
    with (PUBLISHED / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def chandra(tmp_path_factory):
    """A server over the simulated Chandra catalogue."""
    with serving.serving(build_collection(tmp_path_factory.mktemp("csc21"), simulate_csc21)) as server:
        yield server


@pytest.fixture(scope="module")
def cone(chandra):
    return pyvo.dal.SCSService(f"{chandra.url}/csc21scs/coneSearch")


@pytest.fixture(scope="module")
def tap(chandra):
    return pyvo.dal.TAPService(f"{chandra.url}/csc21tap")


@pytest.fixture(scope="module")
def near_ngc1333(cone):
    return cone.search(pos=SkyCoord(52.297, 31.31, unit="deg"), radius=2.0 * u.arcmin, verbosity=2)


def test_cone_search_finds_the_printed_sources_in_the_printed_columns(near_ngc1333):
    assert len(near_ngc1333) == 11
    assert list(near_ngc1333.fieldnames) == [row["name"] for row in printed("csc21_cone_columns")]
    expected = {row["name"]: row for row in printed("csc21_ngc1333_cone_11x24")}
    assert set(near_ngc1333["name"]) == set(expected)
    for row in near_ngc1333.to_table():
        for name, text in expected[row["name"]].items():
            value = row[name]
            assert np.ma.is_masked(value) if text == "" else str(value) == text or float(value) == float(text)


def test_records_can_be_formatted_and_have_positions(near_ngc1333):
    printed_fluxes = {f"{record['flux_aper_b']:.3e}" for record in near_ngc1333}
    assert {"8.559e-14", "5.124e-16", "0.000e+00", "nan"} <= printed_fluxes
    assert all(record.pos.separation(SkyCoord(52.297, 31.31, unit="deg")) < 2 * u.arcmin for record in near_ngc1333)
    assert near_ngc1333[0].id == near_ngc1333["name"][0]


def test_table_has_the_printed_types_units_and_nulls(near_ngc1333):
    table = near_ngc1333.to_table()
    for row in printed("csc21_cone_columns"):
        column = table[row["name"]]
        assert column.dtype == np.dtype("U22" if row["name"] == "name" else row["astropy_dtype"])  # as bounded
        assert u.Unit(column.unit or "") == u.Unit(row["unit"], format="fits")
    assert table["var_intra_index_w"].mask.all()
    assert table["flux_aper_w"].mask.all()
    assert (table["flux_aper_b"] == 0).sum() == 2


def test_name_is_bounded_text_with_the_word_of_cone_searches(near_ngc1333):
    field = near_ngc1333.votable.get_field_by_id_or_name("name")
    assert (field.datatype, field.arraysize, field.ucd) == ("char", "22*", "ID_MAIN")


@pytest.mark.parametrize(("verbosity", "n_columns"), [(1, 3), (2, 24), (3, 258)])
def test_verbosity_chooses_the_columns(cone, verbosity, n_columns):
    found = cone.search(pos=(52.297, 31.31), radius=2 / 60, verbosity=verbosity)
    assert len(found.fieldnames) == n_columns
    assert found.fieldnames[:3] == ("name", "ra", "dec")


def test_the_same_cone_search_answers_at_its_usual_address_and_in_any_case(chandra, near_ngc1333):
    for path in ("/csc21/scs/master_source", "/CSC21SCS/conesearch"):
        found = pyvo.dal.SCSService(chandra.url + path).search(pos=(52.297, 31.31), radius=2 / 60)
        assert set(found["name"]) == set(near_ngc1333["name"])


def test_result_is_written_as_fits_without_a_warning(near_ngc1333, tmp_path):
    near_ngc1333.to_table().write(tmp_path / "ngc1333.fits")
    with fits.open(tmp_path / "ngc1333.fits") as hdus:
        assert len(hdus) == 2
        assert (len(hdus[1].columns), len(hdus[1].data)) == (24, 11)
        for column, row in zip(hdus[1].columns, printed("csc21_cone_columns"), strict=True):
            kinds = {"String[21]": "22A", "Real8": "D", "Logical": "L", "Int4": "J"}
            assert (column.name, column.format) == (row["name"], kinds[row["fits_type_dmlist"]])
            assert str(column.null or "") == row["fits_null"]


def test_our_own_decoder_and_writer_make_the_same_fits(chandra, near_ngc1333, tmp_path):
    answer = httpx.get(f"{chandra.url}/csc21scs/coneSearch", params={"RA": 52.297, "DEC": 31.31, "SR": 2 / 60})
    columns, rows, _ = read_votable(answer.content)
    result = Result(columns, iter(rows.to_batches()), "cone")
    (tmp_path / "ours.fits").write_bytes(b"".join(get_format("fits").write(result)))
    with fits.open(tmp_path / "ours.fits") as hdus:
        header = hdus[1].header
        hdus.verify("exception")
        for number, row in enumerate(printed("csc21_cone_columns"), start=1):
            assert header[f"TTYPE{number}"] == row["name"]
            if row["fits_null"] and rows[row["name"]].null_count:  # astropy says it also where there is no null
                assert str(header[f"TNULL{number}"]) == row["fits_null"]
        assert (header["TUNIT8"], header["TUCD2"]) == ("mW.m**-2", "POS_EQ_RA_MAIN")
    ours, theirs = Table.read(tmp_path / "ours.fits"), near_ngc1333.to_table()
    for name in theirs.colnames:
        assert ours[name].tolist() == theirs[name].tolist()
    assert QTable.read(tmp_path / "ours.fits")["flux_aper_b"].unit == u.Unit("erg s-1 cm-2")


def test_stilts_finds_nothing_to_say_of_the_answer(chandra, stilts, tmp_path):
    answer = httpx.get(f"{chandra.url}/csc21scs/coneSearch", params={"RA": 52.297, "DEC": 31.31, "SR": 2 / 60})
    (tmp_path / "cone.vot").write_bytes(answer.content)
    assert stilts("votlint", f"votable={tmp_path / 'cone.vot'}", with_progress=True) == ""


def test_service_lists_the_printed_tables_in_their_order(tap):
    assert list(tap.tables.keys()) == [row["table"] for row in printed("csc21_tap_tables")]
    assert tap.maxrec == 1_000_000


def test_extended_sources_end_in_x(tap):
    found = tap.search(f"SELECT {COLUMNS} FROM csc21.master_source m WHERE m.name LIKE '%X'")
    assert len(found) == N_EXTENDED
    assert all(name.endswith("X") for name in found["name"])


def test_all_other_sources_come_in_one_answer_and_go_into_fits(tap, tmp_path):
    table = tap.search(f"SELECT {COLUMNS} FROM csc21.master_source m WHERE m.name NOT LIKE '%X'").to_table()
    assert len(table) == N_POINTS
    expected = [(row["name"], row["fits_type_dmlist"]) for row in printed("csc21_tap_subset_columns")]
    table.write(tmp_path / "all.fits")
    kinds = {"22A": "String[22]", "D": "Real8", "L": "Logical"}
    with fits.open(tmp_path / "all.fits") as hdus:
        assert [(column.name, kinds[column.format]) for column in hdus[1].columns] == expected
    bright = table[(table["flux_aper_b"] > 0) & (table["significance"] > 0)]
    assert N_POINTS / 2 < len(bright) < N_POINTS


def test_flags_compare_with_numbers(tap):
    query = "SELECT COUNT(*) AS n FROM csc21.master_source m WHERE m.extent_flag = {}"
    yes, no = (tap.search(query.format(value))["n"][0] for value in (1, 0))
    assert yes > N_EXTENDED
    assert N_POINTS - 11 < yes + no <= N_POINTS + N_EXTENDED


def test_maxrec_cuts_and_says_so(tap):
    found = tap.search("SELECT name FROM csc21.master_source", maxrec=100)
    assert (len(found), found.query_status) == (100, "OVERFLOW")


def test_sources_join_with_what_stacks_and_observations_tell(tap):
    found = tap.search(
        "SELECT m.name, s.flux_aper_b, o.obsid, o.gti_obs, o.livetime, o.flux_aper_b AS flux "
        "FROM csc21.master_source m, csc21.master_stack_assoc a, csc21.stack_source s, "
        "csc21.stack_observation_assoc b, csc21.observation_source o "
        "WHERE m.name = a.name AND s.detect_stack_id = a.detect_stack_id AND s.region_id = a.region_id "
        "AND b.detect_stack_id = s.detect_stack_id AND b.stack_region_id = s.region_id "
        "AND o.obsid = b.obsid AND o.obi = b.obi AND o.region_id = b.region_id "
        "AND m.name = '2CXO J032912.9+311814' AND a.match_type IN ('u', 'a')"
    ).to_table()
    assert len(found) == 4
    assert len(set(found["obsid"])) == 4


def test_keys_between_tables_are_declared(tap):
    keys = tap.search("SELECT from_table, target_table FROM TAP_SCHEMA.keys WHERE from_table LIKE 'csc21.%'")
    pairs = set(zip(keys["from_table"], keys["target_table"], strict=True))
    assert ("csc21.master_stack_assoc", "csc21.master_source") in pairs
    assert ("csc21.stack_observation_assoc", "csc21.observation_source") in pairs


def test_examples_of_the_service_find_something(tap):
    assert len(tap.examples) >= 3
    for example in tap.examples[:3]:
        assert len(example.execute()) > 0


def test_observations_are_listed_as_obscore(tap):
    found = tap.search(
        "SELECT obs_id, s_ra, s_dec, s_region, t_min FROM ivoa.ObsCore WHERE t_exptime > 1000"
    ).to_table()
    assert len(found) > 50
    assert pc.count_distinct(found["obs_id"].tolist()).as_py() == len(found)


def test_everything_says_that_it_is_simulated(tap):
    assert all("SIMULATED" in tap.tables[name].description for name in tap.tables.keys() if name.startswith("csc21"))  # noqa: SIM118
