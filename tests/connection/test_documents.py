"""The documents that astronomers know, in the words of our client: what each counts and prints comes out of an archive.

Their queries are theirs; the archive is the simulated one, which holds the rows that they print. Figures are compared
in `tests/plots`, and the protocols that the documents use in `tests/clients`.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import join

import skydex
from skydex import col, plots
from skydex.lightcurve import LightCurve, ab_mag

sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("web", "clients")]

from casjobs_ground import PASSWORDS, casjobs_server  # noqa: E402

pytestmark = pytest.mark.filterwarnings("error")

IC1613 = (16.2016962, 2.1194959)
SHOWN = """
    MatchID MatchRA MatchDec NumFilters NumVisits NumImages StartMJD StopMJD
    # blue
    A_F475W A_F475W_N A_F475W_MAD
    A_F814W A_F814W_N A_F814W_MAD
"""
HCV = """m.MatchID, m.GroupID, m.SubGroupID, m.RA, m.Dec, m.AutoClass, m.ExpertClass, m.NumFilters,
    f.Filter, f.FilterDetFlag, f.VarQualFlag, f.NumLC, f.MeanMag, f.MeanCorrMag, f.MAD, f.Chi2"""
KEYS = ["MatchID", "GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass"]
MEANS = """SELECT objID, RAMean, DecMean, nDetections, ng, nr, ni, nz, ny, gMeanPSFMag, rMeanPSFMag, iMeanPSFMag,
    zMeanPSFMag, yMeanPSFMag FROM dbo.MeanObjectView
    WHERE CONTAINS(POINT('ICRS', RAMean, DecMean),CIRCLE('ICRS',187.706,12.391,.2))=1 AND nDetections > 1"""
DETECTIONS = """SELECT objID, detectID, Detection.filterID as filterID, Filter.filterType, obsTime, ra, dec, psfFlux,
    psfFluxErr, psfMajorFWHM, psfMinorFWHM, psfQfPerfect, apFlux, apFluxErr, infoFlag, infoFlag2, infoFlag3
    FROM Detection NATURAL JOIN Filter WHERE objID=190361393344112894 ORDER BY filterID, obsTime"""
SOURCES = """SELECT m.name, m.ra, m.dec, m.conf_flag, m.significance, m.extent_flag, m.sat_src_flag, m.flux_aper_b,
    m.flux_aper_lolim_b, m.flux_aper_hilim_b FROM csc21.master_source m WHERE m.name {} '%X'"""


@pytest.fixture(scope="module")
def hsc(simulated):
    return skydex.connect("mast-hsc", at=simulated)


@pytest.fixture(scope="module")
def hcv(simulated, tmp_path_factory):
    """A copy, since tables are kept in it."""
    import shutil

    place = shutil.copytree(simulated, tmp_path_factory.mktemp("documents") / "archive")
    return skydex.connect("mast-casjobs", at=place)


@pytest.fixture(scope="module")
def ps1(simulated):
    return skydex.connect("ps1-tap", at=simulated)


@pytest.fixture(scope="module")
def csc(simulated):
    return skydex.connect("csc21", at=simulated)


def printed(shared_data, name):
    with (shared_data / "published" / f"{name}.csv").open() as lines:
        return list(csv.DictReader(lines))


# --- the Hubble Source Catalog ---


def test_the_most_variable_star_of_ic_1613_is_the_printed_one(hsc):
    stars = hsc.cone("summary", IC1613, 0.5, col.A_F475W_N >= 10, col.A_F814W_N >= 10, columns=SHOWN)
    assert len(stars.colnames) == 14
    variable = stars[(stars["A_F475W_MAD"].value > 0.1) & (abs(stars["A_F475W"].value - 22.5) < 1.5)]
    variable.sort("A_F475W_MAD")
    first = variable[-1]
    assert first["MatchID"] == 80189155
    blue, red = first["A_F475W"].value, first["A_F814W"].value
    assert (f"{blue:.3f}", f"{blue - red:.3f}") == ("22.451", "0.450")
    assert plots.colour_magnitude(stars, blue="A_F475W", red="A_F814W", highlight=variable).yaxis_inverted()


def test_a_table_tells_its_length_and_shows_head_and_tail(hsc):
    stars = hsc.cone("summary", IC1613, 0.5, columns="MatchID A_F475W")
    assert f"length={len(stars)}" in repr(stars)
    assert "..." in "".join(stars.pformat(max_lines=10))


def test_measurements_of_the_star_are_twelve_in_each_filter(hsc):
    names = "MatchID SourceID StartMJD Detector Filter MagAper2 Flags ImageName"
    for band in ("F475W", "F814W"):
        rows = hsc.search("detailed", columns=names, MatchID=80189155, Detector="ACS/WFC", Filter=band)
        assert rows.colnames == names.split()
        assert len(rows) == 12


def test_every_filter_has_three_columns_whatever_its_name(hsc, shared_data):
    filters = [row["name"] for row in printed(shared_data, "hsc_summary_filters")]
    columns = list(hsc.columns("summary"))
    assert len(columns) == 418 == 19 + 3 * len(filters)
    assert columns[19:] == [f"{name}{ending}" for name in filters for ending in ("", "_MAD", "_N")]
    odd = ["W3_BLANK", "W2_F160BN15", "W3_F665N_F6", "W2_F1042M", "W3_G280", "W3_FQ232N_N"]
    assert hsc.search("summary", MatchID=80189155, columns=odd).colnames == odd


# --- the Hubble Catalog of Variables ---


def test_the_field_goes_into_a_table_of_ones_own_and_both_filters_side_by_side(hcv, shared_data):
    place = hcv.resolve("IC 1613")
    hcv.mydb.drop_if_exists("field")
    said = hcv.sql(
        f"""select {HCV} into mydb.field from SearchHCVMatchID({place.ra.deg},{place.dec.deg},1800.0) s
        join HCVmatch m on m.MatchID=s.MatchID
        join HCVfilter f on f.MatchID=s.MatchID and (f.Filter='ACS_F475W' or f.Filter='ACS_F814W')"""
    )
    field = hcv.mydb["field"]
    assert said["Rows Affected"].tolist() == [len(field)]
    assert "".join(field[name].dtype.kind for name in field.colnames).replace("u", "i") == "iiiffiiiUiUiffff"
    blue, red = (field[field["Filter"] == f"ACS_{band}W"] for band in ("F475", "F814"))
    both = join(blue, red, keys=KEYS, table_names=["f475", "f814"])
    assert len(both.colnames) == 25
    found = {int(row["MatchID"]): row for row in both if row["AutoClass"] > 0}
    for row in printed(shared_data, "hcv_ic1613_joined_f475_f814_rows"):
        mine = found[int(row["MatchID"])]
        assert f"{mine['MAD_f475'].value:.4f}" == row["MAD_f475"]
        assert mine["VarQualFlag_f814"] == row["VarQualFlag_f814"]


def test_classes_by_experts_and_by_program_are_counted_in_one_query(hcv):
    table = hcv.sql(
        "select AutoClass, ExpertClass, count(*) as n from HCVmatch where ExpertClass>0 group by AutoClass, ExpertClass"
    )
    assert {(row["AutoClass"], row["ExpertClass"]) for row in table} == {(a, e) for a in (1, 2) for e in (1, 2, 4)}
    (whole,) = hcv.sql("select count(*) as n from HCVmatch where ExpertClass>0")["n"]
    assert table["n"].sum() == whole


def test_the_nova_is_shown_at_three_epochs_near_and_far(hcv):
    nova = hcv.light_curve(1905457, bands="F606W")
    order = np.argsort(nova.mag)
    epochs = nova.chosen(order[[0, len(order) // 2, -1]])
    near, far = (hcv.cutouts(epochs, size=size, form="jpeg", asinh=True) for size in (19, 101))
    assert (near.cube.shape, far.cube.shape) == ((3, 19, 19), (3, 101, 101))
    assert np.array_equal(near.cube, hcv.cutouts(epochs, size=19, form="jpeg", asinh=1).cube)
    axes = plots.cutout_pairs(near, far, titles="{ImageName} m={CorrMag:.2f}")
    assert axes.shape == (3, 2)
    assert axes[1, 1].patches[0].get_bbox().bounds[2:] == (19.0, 19.0)


def test_images_tell_how_many_exposures_are_in_them(hcv):
    single, combined = (hcv.cutouts(hcv.light_curve(1905457, bands=band), size=19)[0] for band in ("F606W", "F814W"))
    assert single.facts["n_exposures"] == 1
    assert combined.facts["n_exposures"] > 1


def test_all_epochs_of_the_most_variable_good_source_come_in_the_order_of_time(hcv):
    (best,) = hcv.sql(
        """select top 1 m.MatchID, g.TargetName, f.MAD from HCVmatch m join HCVfilter f on m.MatchID=f.MatchID
        join Groups g on m.GroupID=g.GroupID where f.VarQualFlag='AAAAA' order by f.MAD desc"""
    )
    assert (best["MatchID"], best["TargetName"], f"{best['MAD'].value:.2f}") == (5742711, "M31", "0.86")
    curve = hcv.light_curve(best["MatchID"], bands="ACS_F814W")
    assert len(curve) == 5
    for size in (19, 101):
        cutouts = hcv.cutouts(curve, size=size)
        assert cutouts.cube.shape == (5, size, size)
        assert (np.diff(cutouts.table["MJD"].value) > 0).all()


# --- Pan-STARRS1 ---


def test_objects_about_m87_come_by_a_job(ps1):
    job = ps1.submit(MEANS)
    rows = job.wait().result()
    assert len(rows) == len(ps1.query(MEANS)) > 0
    assert rows["objID"].dtype == np.int64
    assert (rows["nDetections"] > 1).all()
    assert ps1.job(job.url).phase == "COMPLETED"


def test_detections_of_kq_uma_have_text_for_text_and_magnitudes_of_fluxes(ps1):
    rows = ps1.query(DETECTIONS)
    assert len(rows) == 66
    assert rows["filterType"].dtype.kind == "U"
    assert (rows["filterType"] == "z").sum() == 13
    assert rows["psfFlux"].unit == u.Jy
    assert ab_mag(rows["psfFlux"]) == pytest.approx(-2.5 * np.log10(rows["psfFlux"].value) + 8.90)


def test_an_eclipsing_binary_shows_both_eclipses_over_two_periods(ps1):
    period, epoch = 3.6071431, 54999.289794
    asked = DETECTIONS.replace("190361393344112894", "160802869044447231 AND psfQfPerfect >= 0.9")
    curve = LightCurve.of_table(ps1.query(asked), name="KIC 8153568")
    assert len(curve) == len(ps1.light_curve("KIC 8153568", quality=">= 0.9"))
    folded = curve.combined(period, epoch, t0_format="bjd-2400000")
    phase, mag = folded.folded.phase, folded.curve.mag
    at_rest = np.median(mag[~folded.is_eclipsed])
    first, second = (np.max(mag[abs((phase - at + 0.5) % 1.0 - 0.5) < 0.04]) for at in (0.0, 0.5))
    assert at_rest + 0.3 < second < first - 0.3
    assert plots.folded(folded, n_periods=2).get_xlim() == (0.0, 2.0)


def test_advice_on_what_to_believe_stands_with_the_column(ps1):
    assert "artefacts" in str(ps1.columns("MeanObjectView", "nDetections").table["description"][0])


# --- Chandra ---


def test_the_cone_about_ngc_1333_is_written_as_fits(csc, shared_data, tmp_path):
    rows = csc.cone("master_source", (52.297, 31.31), 2 * u.arcmin)
    assert rows.colnames == [row["name"] for row in printed(shared_data, "csc21_cone_columns")]
    expected = {row["name"]: row for row in printed(shared_data, "csc21_ngc1333_cone_11x24")}
    assert set(rows["name"]) == set(expected)
    for row in rows:
        assert np.asarray(row["ra"].value) == float(expected[row["name"]]["ra"])
    rows.write(tmp_path / "ngc1333.fits")
    with fits.open(tmp_path / "ngc1333.fits") as hdus:
        assert (len(hdus), len(hdus[1].columns), len(hdus[1].data)) == (2, 24, 11)
        kinds = {"21A": "String[21]", "D": "Real8", "L": "Logical", "J": "Int4"}
        expected = [row["fits_type_dmlist"] for row in printed(shared_data, "csc21_cone_columns")]
        assert [kinds[column.format] for column in hdus[1].columns] == expected


def test_extended_and_other_sources_are_told_by_their_names(csc):
    extended, others = (csc.query(SOURCES.format(word)) for word in ("LIKE", "NOT LIKE"))
    assert all(name.endswith("X") for name in extended["name"])
    assert (len(extended), len(others)) == (17, 4061)
    assert not others.truncated
    assert others["flux_aper_b"].unit.is_equivalent(u.erg / u.s / u.cm**2)
    drawn = plots.hexbin(others, x="significance", y="flux_aper_b").collections[0].get_array().sum()
    assert drawn == np.sum((others["significance"] > 0) & (others["flux_aper_b"].value > 0))


# --- what holds for all ---


@pytest.mark.slow
def test_at_the_size_of_the_documents_their_counts_come_out(tmp_path):
    """Those of the Catalog of Variables are counted in `tests/clients/test_casjobs_document.py`."""
    from demonstration import build_collection

    from skydex.demo.csc21 import simulate_csc21
    from skydex.demo.hsc import simulate_hsc

    place = build_collection(tmp_path, simulate_hsc, simulate_csc21, size="seed")
    stars = skydex.connect("mast-hsc", at=place).cone(
        "summary", IC1613, 0.5, col.A_F475W_N >= 10, col.A_F814W_N >= 10, columns=SHOWN
    )
    assert len(stars) == 18_666
    csc = skydex.connect("csc21", at=place)
    assert [len(csc.query(SOURCES.format(word))) for word in ("LIKE", "NOT LIKE")] == [1_717, 406_089]


def test_an_answer_knows_what_was_asked_when_and_with_which_versions(csc):
    (known,) = csc.query(SOURCES.format("LIKE")).provenance
    assert "csc21.master_source" in known["query"]
    assert "csc21" in known["target"]
    assert known["time"].startswith("20")
    assert {"skydex", "astropy", "numpy"} <= set(known["versions"])


@pytest.mark.parametrize("preset", ["mast-hsc", "mast-casjobs"])
def test_addresses_that_are_asked_can_be_shown_and_passwords_cannot(simulated, tmp_path, caplog, preset):
    with casjobs_server(simulated, tmp_path) as (server, _), caplog.at_level("DEBUG"):
        far = skydex.connect(preset, at=server.url, user="alice", password=PASSWORDS["alice"])
        if preset == "mast-hsc":
            far.search("summary", {"A_F475W_N.gte": 10}, columns="MatchID", maxrec=1)
            assert "/api/v0.1/hsc/v3/summary/magaper2" in caplog.text
            assert "A_F475W_N.gte=10" in caplog.text
        else:
            far.sql("select top 1 MatchID from HCVmatch")
            assert f"POST {server.url}" in caplog.text
    assert PASSWORDS["alice"] not in caplog.text


def test_nothing_is_said_or_asked_when_skydex_is_imported():
    code = """
import socket, sys
socket.socket.connect = None  # whoever asked the network would fail
import skydex
skydex.connect, skydex.col
print([name for name in ("pandas", "polars", "matplotlib", "lightkurve") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
