"""Light curves of the tables of surveys: real rows, with the magnitudes and counts that were published of them."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, QTable, Table

from skydex.errors import BadParameterError, UnknownColumnError
from skydex.lightcurve import KNOWN_ROLES, Good, LightCurve, Roles, features, roles_of


@pytest.fixture
def seeds(shared_data):
    return lambda name: Table.read(shared_data / f"seeds/{name}.ecsv")


def test_detections_of_panstarrs_become_magnitudes_in_five_bands(seeds):
    curve = LightCurve.of_table(seeds("ps1_detections_kq_uma"), name="KQ UMa")
    assert set(curve.bands) <= set("grizy")
    assert (curve.time_scale, curve.time_format) == ("tai", "mjd")
    assert np.all(np.diff(curve.time) >= 0)
    expected = -2.5 * np.log10(np.asarray(curve.rows["psfFlux"], dtype=float)) + 8.90
    assert curve.mag == pytest.approx(expected)
    assert curve.band.tolist() == curve.rows["filterType"].tolist()
    ratio = np.asarray(curve.rows["psfFluxErr"] / curve.rows["psfFlux"], dtype=float)
    assert curve.mag_err == pytest.approx(1.0857362 * ratio)


def test_the_bad_point_of_kq_uma_is_the_only_one_below_the_recommended_quality(seeds):
    """All 13 points in z as they were published: magnitude, and what the mean of the catalogue is less by."""
    rows = seeds("ps1_kq_uma_zband_check")
    rows["band"] = "z"
    roles = Roles(time="obsTime", mag="mag", band="band", quality="psfQfPerfect", good=Good(">", 0.9))
    curve = LightCurve.of_table(rows, roles)
    away = curve.minus_mean({"z": 17.64412 - 3.3627195})
    assert away.mag == pytest.approx(np.asarray(away.rows["dmag"]), abs=2e-5)
    bad = away.cut(np.abs(away.mag) > 2)
    assert bad.rows["psfQfPerfect"].tolist() == pytest.approx([0.322986])
    assert len(curve.good_points()) == 12
    assert np.ptp(curve.good_points().mag) < 0.7


def test_the_published_detections_of_a_binary_are_faintest_at_its_eclipse(seeds):
    """All rows that a publication printed: the faintest lies in the eclipse of the Kepler catalogue, read as BJD."""
    curve = LightCurve.of_table(seeds("ps1_detections_kic_8153568")).good_points().minus_mean("median")
    faintest = curve.fold(3.6071431, 54999.289794, t0_format="bjd-2400000").sorted()
    phase = faintest.phase[np.argmax(faintest.curve.mag)]
    assert abs(np.mod(phase + 0.5, 1.0) - 0.5) < 0.06


def test_the_nova_in_m87_has_the_published_statistics(seeds):
    curve = LightCurve.of_table(seeds("hcv_1905457_lightcurve"), name="nova in M87")
    assert curve.bands == ("ACS_F606W",)
    assert len(curve) == 21
    found = features(curve.by_band())
    assert found["mad"][0] == pytest.approx(0.45988274, abs=1e-8)
    assert found["chi2_red"][0] == pytest.approx(77.430741, abs=1e-5)
    assert found["inv_eta"][0] == pytest.approx(1.3413944, abs=1e-7)
    assert found["stetson_K"][0] == pytest.approx(0.86440491, abs=1e-8)
    assert curve.centers("median")["ACS_F606W"] == pytest.approx(24.4274937, abs=1e-7)
    real = curve.cut(np.asarray(curve.rows["CI"]) < 1.5)
    assert features(real.by_band())["inv_eta"][0] == pytest.approx(3.0574850, abs=1e-7)


def test_a_source_of_the_hubble_source_catalog_has_the_median_and_mad_of_its_summary(seeds):
    curve = LightCurve.of_table(seeds("hsc_80189155_lightcurve"))
    assert curve.bands == ("ACS_F475W",)
    assert len(curve.good_points()) == 12
    assert curve.centers("median")["ACS_F475W"] == pytest.approx(22.451, abs=5e-4)
    assert features(curve.by_band(mag_err=0.01))["mad"][0] == pytest.approx(0.2935, abs=1e-4)


def test_numbers_that_stand_for_nothing_are_none():
    table = {"obsTime": [1.0, 2.0, 3.0], "psfFlux": [1e-4, -999.0, -1e-7], "psfFluxErr": [1e-6, -999.0, 1e-6]}
    curve = LightCurve.of_table(table | {"filterID": np.array([1, 2, 5], dtype=np.uint8)})
    assert curve.band.tolist() == ["g", "y"]
    assert curve.flux.tolist() == [1e-4, -1e-7]
    hubble = {
        "StartMJD": [1.0, 2.0],
        "MagAper2": [-999.0, 22.0],
        "Filter": ["F606W"] * 2,
        "Detector": ["WFC3/UVIS"] * 2,
    }
    assert LightCurve.of_table(Table(hubble)).band.tolist() == ["WFC3_F606W"]


@pytest.mark.parametrize(
    "make",
    [Table, QTable, Table.to_pandas, lambda table: pa.Table.from_pandas(table.to_pandas())],
    ids=["table", "qtable", "pandas", "arrow"],
)
def test_a_table_of_any_kind_gives_the_same_curve(make):
    table = Table({"MJD": [3.0, 1.0], "CorrMag": MaskedColumn([20.0, 21.0]), "MagErr": [0.1, 0.2]})
    table["Filter"] = ["ACS_F606W", "ACS_F814W"]
    table["MJD"].unit, table["CorrMag"].unit, table["MagErr"].unit = "d", "mag", "mag"
    curve = LightCurve.of_table(make(table))
    assert (curve.time.tolist(), curve.mag.tolist(), curve.mag_err.tolist()) == ([1, 3], [21, 20], [0.2, 0.1])
    assert curve.band.tolist() == ["ACS_F814W", "ACS_F606W"]
    assert list(np.asarray(curve.rows["MJD"])) == [1.0, 3.0]


def test_bands_that_are_numbers_with_nulls_keep_their_names():
    table = pd.DataFrame({"obsTime": [1.0, 2.0, 3.0], "psfFlux": 1e-4, "filterID": [1.0, 2.0, np.nan]})
    assert LightCurve.of_table(table).band.tolist() == ["g", "r", ""]


def test_a_time_series_and_a_light_curve_of_lightkurve_come_back():
    flux, error = [1e-4, 2e-4], [1e-6, 1e-6]
    curve = LightCurve.of_points([55000.0, 55001.0], flux=flux, flux_err=error, band="g", time_scale="tai")
    back = LightCurve.of_table(curve.to_timeseries())
    assert (back.mag.tolist(), back.time_scale, back.bands) == (curve.mag.tolist(), "tai", ("g",))
    pytest.importorskip("lightkurve", reason="lightkurve is not installed")
    assert LightCurve.of_table(curve.to_lightkurve()).flux.tolist() == flux


def test_names_are_found_in_any_case():
    table = {"mjd": [1.0], "corrmag": [20.0], "magerr": [0.1], "filter": ["ACS_F606W"]}
    assert roles_of(table).mag == "corrmag"
    assert len(LightCurve.of_table(table, KNOWN_ROLES["HCV"].__class__(time="MJD", mag="CorrMag"))) == 1


def test_unknown_tables_are_told_by_ucds_before_names():
    table = Table({"t": [1.0], "when": [55000.0], "a": [20.0], "b": [0.1], "x": [3]})
    for name, ucd in {"when": "time.epoch", "a": "phot.mag;em.opt.V", "b": "stat.error;phot.mag"}.items():
        table[name].meta["ucd"] = ucd
    roles = roles_of(table)
    assert (roles.time, roles.mag, roles.mag_err, roles.band) == ("when", "a", "b", "")


def test_errors_of_magnitudes_follow_from_those_of_fluxes():
    table = {"mjd": [1.0], "mag": [18.0], "flux": [500.0], "e_flux": [5.0]}
    curve = LightCurve.of_table(table)
    assert roles_of(table).flux_err == "e_flux"
    assert curve.mag_err == pytest.approx([0.010857362])
    assert curve.mag.tolist() == [18.0]


def test_julian_dates_are_counted_as_their_numbers_say():
    assert roles_of({"hjd": [2450455.7], "mag": [14.0]}).time_format == "hjd"
    assert roles_of({"hjd": [50455.7], "mag": [14.0]}).time_format == "hjd-2400000"
    assert roles_of({"mjd": [50455.7], "mag": [14.0]}).time_format == "mjd"


def test_what_cannot_be_told_is_asked_for():
    with pytest.raises(BadParameterError, match="hold times, among a, b"):
        roles_of({"a": [1], "b": [2]})
    with pytest.raises(BadParameterError, match="magnitudes or fluxes"):
        roles_of({"mjd": [1], "b": [2]})
    with pytest.raises(UnknownColumnError, match='Did you mean "magnitude"'):
        LightCurve.of_table({"mjd": [1.0], "magnitude": [2.0]}, Roles(time="mjd", mag="magnitud"))


def test_several_objects_are_several_curves():
    table = pd.DataFrame({"MatchID": [7, 8, 7], "MJD": [2.0, 1.0, 1.0], "CorrMag": [20.0, 21.0, 20.5], "Filter": "F1"})
    with pytest.raises(BadParameterError, match="2 objects by its MatchID"):
        LightCurve.of_table(table)
    curves = LightCurve.by_object(table)
    assert {name: curve.mag.tolist() for name, curve in curves.items()} == {"7": [20.5, 20.0], "8": [21.0]}
    assert curves["7"].name == "7"
    assert LightCurve.by_object(table.iloc[:0]) == {}


def test_counts_are_fluxes_without_magnitudes(shared_data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that FITS does not know
        rows = Table.read(shared_data / "lightcurves/tess" / _TESS, hdu=1)
    curve = LightCurve.of_table(rows, name="WASP-46")
    assert curve.flux_unit == "e-/s"
    assert curve.time_format == "bjd-2457000"
    assert np.array_equal(curve.flux_err, np.asarray(curve.rows["PDCSAP_FLUX_ERR"], dtype=float), equal_nan=True)
    assert np.isnan(curve.mag).all()
    assert curve.times[0].isot.startswith("2018-07-25")
    assert 15_000 < len(curve) <= 20_076


_TESS = "tess2018206045859-s0001-0000000231663901-0120-s_lc.fits"
