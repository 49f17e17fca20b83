"""Light curves out of an archive: those of objects that were published, by number, name and place.

The simulated archive holds printed rows of the real ones verbatim: the nova in M87, the source of IC 1613 with the
greatest MAD, and detections of KQ UMa and two eclipsing binaries.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

import skydex
from skydex.errors import BadParameterError, NoPositionError, UnknownBandError, UnknownObjectError
from skydex.ingest import ingest_files
from skydex.lightcurve import Good, Roles, band_correlation, features

sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("web", "clients")]

from casjobs_ground import PASSWORDS, casjobs_server  # noqa: E402

_KQ_UMA = 190361393344112894


@pytest.fixture(scope="module")
def archive(simulated):
    with skydex.connect(simulated) as opened:
        yield opened


def test_the_nova_in_m87_is_the_published_one(archive, shared_data):
    nova = archive.light_curve(1905457)
    assert {band: int(np.sum(nova.band == band)) for band in nova.bands} == {"ACS_F606W": 21, "ACS_F814W": 22}
    with (shared_data / "published/hcv_nova_m87_f606w.csv").open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    found = nova.in_band("F606W")
    assert found.time == pytest.approx(np.sort([float(row["MJD"]) for row in rows]), abs=1e-9)
    assert sorted(found.mag) == pytest.approx(sorted(float(row["CorrMag"]) for row in rows), abs=1e-6)
    assert features(found.by_band())["mad"][0] == pytest.approx(0.45988274, abs=1e-6)
    assert "hst_10543_29_acs_wfc_f606w" in list(found.rows["ImageName"])
    assert nova.place is not None
    assert nova.place.separation(SkyCoord(187.706, 12.391, unit="deg")).arcmin < 3


def test_the_most_variable_source_of_ic_1613_varies_in_both_filters(simulated):
    curve = skydex.connect("mast-hsc", at=simulated).light_curve(80189155, "detailed", ["F475W", "F814W"])
    assert [int(np.sum(curve.band == band)) for band in curve.bands] == [12, 12]
    assert np.median(curve.in_band("F475W").mag) == pytest.approx(22.451, abs=5e-4)
    found = band_correlation(curve, within_days=0.2, mag_err=0.02)
    assert found.n_pairs >= 10
    assert found.stetson_j > 5
    assert found.pearson_r > 0.8


@pytest.mark.parametrize("preset", [None, "ps1-tap", "panstarrs"])
@pytest.mark.parametrize("thing", ["KQ UMa", _KQ_UMA, str(_KQ_UMA), (139.3345, 68.63509)], ids=str)
def test_a_star_of_panstarrs_is_found_by_name_number_and_place(simulated, preset, thing):
    archive = skydex.connect(preset, at=simulated) if preset else skydex.connect(simulated)
    curve = archive.light_curve(thing)
    assert len(curve) == 66
    assert curve.bands == tuple("grizy")
    assert curve.time_scale == "tai"
    assert np.unique(curve.rows["objID"]).tolist() == [_KQ_UMA]


@pytest.fixture(scope="module")
def server(simulated, tmp_path_factory):
    with casjobs_server(simulated, tmp_path_factory.mktemp("state")) as (server, _):
        yield server


@pytest.mark.parametrize("preset", [None, "ps1-tap", "panstarrs"])
def test_a_server_gives_the_same_light_curve(archive, server, preset):
    far = skydex.connect(preset, at=server.url) if preset else skydex.connect(server.url)
    near, found = archive.light_curve("KQ UMa"), far.light_curve("KQ UMa", quality=">= 0.9")
    assert len(found) == len(near.cut(near.quality >= 0.9))
    assert found.mag == pytest.approx(near.cut(near.quality >= 0.9).mag, abs=1e-6)
    assert found.bands == near.bands


@pytest.mark.parametrize("is_far", [False, True], ids=["near", "far"])
def test_casjobs_gives_the_same_by_its_own_language(simulated, archive, server, is_far):
    login = {"user": "alice", "password": PASSWORDS["alice"]} if is_far else {}
    jobs = skydex.connect("mast-casjobs", at=server.url if is_far else simulated, **login)
    nova = archive.light_curve(1905457)
    for thing in (1905457, (nova.ra_deg, nova.dec_deg)):
        found = jobs.light_curve(thing)
        assert found.mag == pytest.approx(nova.mag, abs=1e-6)
        assert (found.ra_deg, found.dec_deg) == pytest.approx((nova.ra_deg, nova.dec_deg), abs=1e-9)


def test_the_bad_point_is_cut_by_quality(archive):
    whole = archive.light_curve("KQ UMa")
    bad = whole.in_band("z").cut(np.abs(whole.in_band("z").minus_mean("median").mag) > 2)
    assert bad.quality == pytest.approx([0.322986])
    for quality in ("good", "> 0.9", ">= 0.9", Good(">", 0.9)):
        kept = archive.light_curve("KQ UMa", quality=quality, bands="z")
        assert len(kept) == 12
        assert np.ptp(kept.mag) < 1.0
    with pytest.raises(BadParameterError, match="quality"):
        archive.light_curve("KQ UMa", quality="fine")


def test_a_row_of_another_table_names_its_object(archive):
    row = archive.search("hcv.HCVfilter", {"MatchID": 1905457})[0]
    assert archive.light_curve(row, "hcv.HCVdetailed").name == "1905457"
    with pytest.raises(BadParameterError, match="a row without objID"):
        archive.light_curve(row, "ps1.Detection")


def test_the_images_of_a_light_curve_are_cut_where_its_object_is(archive):
    """HCVdetailed has no positions: the light curve knows that of HCVmatch."""
    nova = archive.light_curve(1905457, bands="F814W")
    brightest = nova.chosen(np.argsort(nova.mag)[:2])
    cutouts = archive.cutouts(brightest, size=19)
    assert cutouts.cube.shape == (2, 19, 19)
    assert cutouts.table["ImageName"].tolist() == brightest.rows["ImageName"].tolist()
    assert cutouts[0].wcs.world_to_pixel(nova.place) == pytest.approx((9.0, 9.0), abs=1.0)


def test_any_table_gives_light_curves_by_roles(archive):
    roles = Roles(time="obsTime", flux="apFlux", flux_err="apFluxErr", band="filterID", object="objID")
    curve = archive.light_curve(_KQ_UMA, "ps1.Detection", roles=roles)
    assert curve.bands == ("1", "2", "3", "4", "5")
    assert archive.light_curve("KQ UMa", "ps1.Detection", roles=roles, bands=["1", "2"]).bands == ("1", "2")
    assert curve.place.separation(SkyCoord(139.3345, 68.63509, unit="deg")).arcsec < 1
    with pytest.raises(BadParameterError, match="known to hold objects"):
        archive.light_curve(5, "ps1.Detection", roles=Roles(time="obsTime", flux="apFlux"))
    by_text = Roles(time="StartMJD", mag="MagAper2", object="TargetName")
    assert archive.light_curve("NGC5139", "hsc.detailedCatalog", roles=by_text).name == "NGC5139"
    with pytest.raises(NoPositionError):
        archive.light_curve("M87", "hcv.HCVdetailed", roles=Roles(time="MJD", mag="Mag", object="MatchID"))


def test_an_object_that_is_not_there_is_named_with_what_to_try(archive):
    with pytest.raises(UnknownObjectError, match=r'No object "5" in hcv\.HCVdetailed'):
        archive.light_curve(5)
    with pytest.raises(UnknownObjectError, match=r"within 1 arcsec of 10\.0+ \+80\.0+: ask with a greater"):
        archive.light_curve((10.0, 80.0))
    with pytest.raises(UnknownBandError, match="ACS_F606W"):
        archive.light_curve(1905457, bands="g")


@pytest.mark.parametrize("preset", ["csc21", "mast-psf"])
def test_an_archive_without_measurements_asks_for_a_table(simulated, preset):
    with pytest.raises(BadParameterError, match=f"no table of {preset}"):
        skydex.connect(preset, at=simulated).light_curve("M31")


def test_an_eclipsing_binary_is_faint_at_phase_0_if_its_epoch_is_read_as_what_it_is(archive):
    """The epoch of the Kepler catalogue is a Julian date less 2,400,000, the times of the archive are MJD."""
    curve = archive.light_curve("KIC 8153568", quality=">= 0.9")
    as_it_is = curve.combined(3.6071431, 54999.289794, t0_format="bjd-2400000")
    faint = as_it_is.folded.phase[as_it_is.curve.mag > 0.8]
    assert len(faint) >= 4
    assert np.abs(np.mod(faint + 0.5, 1.0) - 0.5).max() < 0.06
    assert np.median(np.abs(as_it_is.curve.mag[~as_it_is.is_eclipsed])) < 0.05
    as_mjd = curve.minus_mean("median").fold(3.6071431, 54999.289794)
    assert as_mjd.phase[as_mjd.curve.mag > 0.8] == pytest.approx(1.0 - 0.13861, abs=0.06)


def test_a_table_whose_times_are_texts_is_told(tmp_path):
    (tmp_path / "rows.csv").write_text("objid,ra,dec,obstime,mag\n7,10,20,noon,18.5\n7,10,20,midnight,18.6\n")
    ingest_files([tmp_path / "rows.csv"], tmp_path / "archive", "my.rows")
    with (
        skydex.connect(tmp_path / "archive") as mine,
        pytest.raises(BadParameterError, match=r"texts in obstime.*Roles\(time="),
    ):
        mine.light_curve(7, table="my.rows")


def test_the_table_of_objects_leads_to_that_of_their_measurements(archive):
    alike = (
        archive.light_curve(1905457, "hsc.SumMagAper2CatView"),
        archive.light_curve(1905457, "hsc.detailedCatalog"),
    )
    np.testing.assert_array_equal(*(curve.time for curve in alike))


def test_a_table_that_is_called_as_one_of_a_survey_but_has_other_columns_is_read_by_roles(tmp_path):
    (tmp_path / "rows.csv").write_text("obj,ra,dec,mjd,flux\n7,10,20,58000.5,3\n7,10,20,57000.5,4\n8,11,20,58000,5\n")
    ingest_files([tmp_path / "rows.csv"], tmp_path / "archive", "my.detections")
    roles = Roles(time="mjd", flux="flux", object="obj")
    with skydex.connect(tmp_path / "archive") as mine:
        assert mine.light_curve(7, "my.detections", roles=roles).flux.tolist() == [4.0, 3.0]
        with pytest.raises(BadParameterError, match="known to hold objects"):
            mine.light_curve(7, "my.detections")
        with pytest.raises(BadParameterError, match="say which does"):
            mine.light_curve(7)
