"""Documents 000 and 001 against the demonstration: the searches of HSC and HCV as notebooks write them."""

from __future__ import annotations

import csv
import io
import re

import hubble
import numpy as np
import pytest
import requests
from astropy.io.votable import parse_single_table
from astropy.table import Table

BANDS = ("F475W", "F814W")
NOVA_BANDS = ("F606W", "F814W")
IC1613 = (16.2016962, 2.1194959)
COLUMNS = ["MatchID", "MatchRA", "MatchDec", "NumFilters", "NumVisits", "NumImages", "StartMJD", "StopMJD",
           "\n    A_F475W", " A_F475W_N", " A_F475W_MAD", "# red", "\n A_F814W", " A_F814W_N", " A_F814W_MAD",
           ]  # fmt: skip
"""As the document types them, with blanks, line breaks and comments."""
NAMES = [name.strip() for name in COLUMNS if not name.startswith("#")]
WELL_MEASURED = {"A_F475W_N.gte": 10, "A_F814W_N.gte": 10}
SHOWN = {"A_F475W": 3, "A_F475W_MAD": 3, "A_F814W": 3, "A_F814W_MAD": 3, "MatchRA": 6, "MatchDec": 6, "StartMJD": 5}
"""Digits that the document shows."""


@pytest.fixture(scope="module")
def hsc(tmp_path_factory):
    """The functions, for a server over the simulated HSC and HCV."""
    import serving
    from demonstration import build_collection

    from skydex.demo.hcv import simulate_hcv
    from skydex.demo.hsc import simulate_hsc

    archive = build_collection(tmp_path_factory.mktemp("hsc"), simulate_hsc, simulate_hcv)
    with serving.serving(archive) as server:
        yield hubble.Hubble(server.url)


@pytest.fixture
def hcv(hsc):
    """The same, for searches of HCV."""
    return hsc


def printed(shared_data, name):
    with (shared_data / "published" / f"{name}.csv").open() as lines:
        return list(csv.DictReader(lines))


def seed(shared_data, name):
    return Table.read(shared_data / "seeds" / f"{name}.ecsv")


def check_rows(rows, expected, key, names):
    """The rows that a document prints are among those found, with the values that it prints."""
    place = {value: i for i, value in enumerate(rows[key])}
    assert set(expected[key]) <= set(place)
    found = rows[[place[value] for value in expected[key]]]
    for name in names:
        digits = SHOWN.get(name, 12)
        assert np.allclose(found[name], expected[name], atol=0.51 * 10.0**-digits, rtol=0), name


def test_metadata_are_those_of_the_document(hsc, shared_data):
    meta = hsc.hscmetadata("summary")
    base = printed(shared_data, "hsc_summary_base_columns")
    filters = printed(shared_data, "hsc_summary_filters")
    assert len(meta) == 418
    assert [str(name) for name in meta["name"][:19]] == [row["name"] for row in base]
    assert [str(word) for word in meta["type"][:19]] == [row["type"] for row in base]
    assert [str(name) for name in meta["name"][19::3]] == [row["name"] for row in filters]
    assert set(meta["type"]) == {"long", "float", "int", "char"}
    detailed = printed(shared_data, "hsc_detailed_columns")
    assert [str(name) for name in hsc.hscmetadata("detailed")["name"]] == [row["name"] for row in detailed]


def test_the_search_of_the_document_finds_the_printed_objects(hsc, shared_data):
    rows = hsc.hsccone(*IC1613, 0.5, format="table", columns=COLUMNS, **WELL_MEASURED)
    assert rows.colnames == NAMES
    assert [rows[name].dtype.kind for name in rows.colnames] == list("iffiiifffiffif")
    assert rows["A_F475W_N"].min() >= 10
    assert rows["A_F814W_N"].min() >= 10
    expected = seed(shared_data, "hsc_ic1613_summary")
    expected = expected[(expected["A_F475W_N"] >= 10) & (expected["A_F814W_N"] >= 10)]
    check_rows(rows, expected, "MatchID", ["A_F475W", "A_F475W_MAD", "A_F814W", "A_F814W_N", "MatchRA", "MatchDec"])


def test_the_most_variable_object_is_that_of_the_document(hsc, shared_data):
    rows = hsc.hsccone(*IC1613, 0.5, format="table", columns=COLUMNS, **WELL_MEASURED)
    variable = rows[(rows["A_F475W_MAD"] > 0.1) & (rows["A_F475W"] < 24) & (rows["A_F475W"] > 21)]
    variable.sort("A_F475W_MAD")
    first = variable[-1]
    assert first["MatchID"] == 80189155
    assert f"{first['A_F475W']:.3f}" == "22.451"
    assert f"{first['A_F475W'] - first['A_F814W']:.3f}" == "0.450"


def test_the_light_curves_are_those_of_the_document(hsc, shared_data):
    names = ["MatchID", "SourceID", "StartMJD", "Detector", "Filter", "MagAper2", "Flags", "ImageName"]
    asked = {"MatchID": 80189155, "Detector": "ACS/WFC"}
    blue, red = (hsc.hscsearch("detailed", columns=names, format="table", **asked, Filter=band) for band in BANDS)
    assert blue.colnames == red.colnames == names
    assert len(blue) == len(red) == 12
    check_rows(blue, seed(shared_data, "hsc_80189155_lightcurve"), "SourceID", ["StartMJD", "MagAper2"])
    assert np.median(red["MagAper2"]) == pytest.approx(22.451 - 0.450, abs=0.001)


def test_four_formats_hold_the_same(hsc):
    asked = {"columns": ["MatchID", "A_F475W"], **WELL_MEASURED}
    table = hsc.hsccone(*IC1613, 0.1, format="table", **asked)
    text = hsc.hsccone(*IC1613, 0.1, format="csv", **asked)
    document = hsc.hsccone(*IC1613, 0.1, format="json", **asked)
    votable = parse_single_table(io.BytesIO(hsc.hsccone(*IC1613, 0.1, format="votable", **asked).encode())).to_table()
    ids = table["MatchID"].tolist()
    assert ids
    assert [int(line.split(",")[0]) for line in text.splitlines()[1:]] == ids
    assert [int(row[0]) for row in document["data"]] == ids
    assert votable["MatchID"].tolist() == ids
    assert np.allclose(votable["A_F475W"], table["A_F475W"])


def test_earlier_release_has_sigma_where_the_later_one_has_mad(hsc):
    assert "A_F475W_Sigma" in hsc.hscmetadata(release="v2")["name"]
    rows = hsc.hsccone(*IC1613, 0.1, release="v2", format="table", columns=["MatchID", "a_f475w_sigma"])
    assert rows.colnames == ["MatchID", "a_f475w_sigma"]
    assert len(hsc.hsccone(*IC1613, 0.5, magtype="magauto", format="table"))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"release": "v4"}, "Bad value for release (must be one of v2, v3)"),
        ({"table": "propermotions", "release": "v2"}, "Bad value for table (for v2 must be one of summary, detailed)"),
        ({"magtype": "magiso"}, "Bad value for magtype (must be one of magaper2, magauto)"),
        ({"format": "fits"}, "Bad value for format"),
        ({"columns": ["MatchID", "Matchid2", "nix"]}, "Some columns not found in table: Matchid2, nix"),
    ],
)
def test_what_the_functions_refuse(hsc, asked, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        hsc.hscsearch(**{"MatchID": 80189155, **asked})
    with pytest.raises(ValueError, match="some parameters"):
        hsc.hscsearch()


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("v4/summary/magaper2.csv", {"MatchID": 1}, 404),
        ("v2/propermotions.csv", {"objID": 1}, 404),
        ("v3/summary/magiso.csv", {"MatchID": 1}, 404),
        ("v3/summary/magaper2.csv", {}, 400),
        ("v3/summary/magaper2.csv", {"ra": 16.2, "dec": 2.1, "radius": 0.6}, 400),
        ("v3/summary/magaper2.csv", {"MatchID": 1, "columns": "[nix]"}, 400),
    ],
)
def test_what_the_server_refuses_raises_for_its_status(hsc, path, asked, status):
    answer = requests.get(f"{hsc.baseurl}/{path}", params=asked, timeout=30)
    with pytest.raises(requests.HTTPError):
        answer.raise_for_status()
    assert (answer.status_code, answer.json()["status"]) == (status, status)


# --- the Catalog of Variables ---


def test_variables_near_a_galaxy_have_the_printed_values(hcv, shared_data):
    rows = hcv.hcvcone(*IC1613, 0.5, format="table")
    expected = seed(shared_data, "hcv_ic1613_summary")
    assert rows["FilterDetFlag"].dtype.kind == "i"
    found = {(row["MatchID"], row["Filter"]): row for row in rows}
    for row in expected:
        mine = found[row["MatchID"], row["Filter"]]
        assert [mine[name] for name in ("AutoClass", "VarQualFlag", "NumLC")] == [
            row[name] for name in ("AutoClass", "VarQualFlag", "NumLC")
        ]
        assert np.allclose([mine["MeanMag"], mine["MAD"]], [row["MeanMag"], row["MAD"]], atol=6e-4)
    variable = hcv.hcvcone(*IC1613, 0.5, format="table", **{"AutoClass.gt": 0})
    assert len(variable) == np.sum(rows["AutoClass"] > 0) > 0


def test_the_light_curve_of_the_nova(hcv, shared_data):
    f606, f814 = (hcv.hcvsearch("hcv", format="table", MatchID=1905457, Filter=f"ACS_{band}") for band in NOVA_BANDS)
    expected = printed(shared_data, "hcv_nova_m87_f606w")
    assert f606.colnames == ["MatchID", "Filter", "MJD", "ImageName", "Mag", "CorrMag", "MagErr", "CI", "D"]
    assert (len(f606), len(f814)) == (len(expected), 22) == (21, 22)
    f606.sort("MJD")
    assert np.allclose(f606["CorrMag"], [float(row["CorrMag"]) for row in expected])


def test_the_most_variable_of_the_best_quality_is_that_of_the_document(hcv):
    asked = {"VarQualFlag": "AAAAA", "sort_by": "MAD.desc", "pagesize": 1, "format": "table"}
    best = hcv.hcvsearch("hcvsummary", **asked)
    assert len(best) == 1
    assert (best["MatchID"][0], round(best["MAD"][0], 2)) == (5742711, 0.86)
    curve = hcv.hcvsearch("hcv", MatchID=5742711, Filter="ACS_F814W", format="table")
    assert len(curve) == 5


def test_metadata_of_variables_name_types_and_meanings(hcv):
    for table, first in (("hcvsummary", "MatchID"), ("hcv", "MatchID")):
        meta = hcv.hscmetadata(table)
        assert meta["name"][0] == first
        assert set(meta["type"]) <= {"long", "float", "int", "short", "char"}


def test_a_box_without_a_cone_as_for_the_small_magellanic_cloud(hsc):
    rows = hsc.hsccone(*IC1613, 0.1, format="table", columns=["MatchID", "MatchRA", "MatchDec", "CI", "A_F475W"])
    low, high = np.median(rows["MatchDec"]) - 0.01, np.median(rows["MatchDec"]) + 0.01
    asked = {"CI.gt": 0.9, "CI.lt": 1.6, "MatchDec.gt": low, "MatchDec.lt": high, "A_F475W_N.gte": 1}
    box = hsc.hscsearch("summary", format="table", pagesize=1000000, **asked)
    assert len(box)
    assert len(box.colnames) == 418
    assert box["CI"].min() > 0.9
    assert box["MatchDec"].max() < high


def test_proper_motions_are_spelled_as_they_are_asked_for(hsc, shared_data):
    asked = {"NumFilters.gt": 1, "NumVisits.gt": 9, "NumImages.gt": 19, "pagesize": 500000, "format": "table"}
    names = ["objID", "raMean", "decMean", "pmlon", "pmlonerr", "pmlat", "pmlaterr", "NumVisits"]
    rows = hsc.hscsearch("propermotions", columns=names, **asked)
    assert rows.colnames == names
    assert rows["NumVisits"].min() > 9
    printed_rows = seed(shared_data, "hsc_sweeps_proper_motions")
    known = {number: (lon, lat) for number, lon, lat in printed_rows.iterrows("ObjID", "lpm", "bpm")}
    found = {row["objID"]: (row["pmlon"], row["pmlat"]) for row in rows if row["objID"] in known}
    assert found
    assert all(np.allclose(motion, known[number], rtol=1e-9) for number, motion in found.items())


def test_source_positions_belong_to_proper_motions(hsc):
    some = hsc.hscsearch("propermotions", format="table", columns=["objID", "raMean", "decMean"], **{"NumVisits.gt": 9})
    ra, dec, number = some["raMean"][0], some["decMean"][0], some["objID"][0]
    own = hsc.hscsearch("sourcepositions", format="table", objid=number)
    near = hsc.hsccone(ra, dec, 0.0005, table="sourcepositions", format="table")
    assert {"objID", "dT", "dLon", "dLat"} <= set(own.colnames)
    assert len(own) > 9
    assert set(own["SourceID"]) <= set(near["SourceID"])
