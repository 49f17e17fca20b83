"""`LightCurve`: points keep their rows, their bands and their missing numbers, wherever they come from."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time

from skydex.errors import BadParameterError, UnknownBandError
from skydex.lightcurve import LightCurve, features

_TIME = [55003.0, 55001.0, 55002.0]


def test_points_come_in_the_order_of_time_with_their_rows():
    rows = Table({"id": [3, 1, 2]})
    curve = LightCurve.of_points(_TIME, [20.3, 20.1, 20.2], rows=rows)
    assert curve.time.tolist() == [55001.0, 55002.0, 55003.0]
    assert curve.mag.tolist() == [20.1, 20.2, 20.3]
    assert curve.rows["id"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("make", [Table, QTable, pd.DataFrame, pa.table], ids=["table", "qtable", "pandas", "arrow"])
def test_rows_of_any_kind_of_table_follow_the_points(make):
    curve = LightCurve.of_points(_TIME, [20.3, 20.1, 20.2], rows=make({"id": [3, 1, 2]}))
    assert np.asarray(curve.cut(curve.mag > 20.15).rows["id"]).tolist() == [2, 3]


def test_points_without_time_or_measurement_are_left_out_and_a_flux_below_zero_is_kept():
    curve = LightCurve.of_points([1.0, np.nan, 3.0, 4.0], flux=[1e-4, 1e-4, -1e-6, np.nan], rows=np.arange(4))
    assert curve.rows.tolist() == [0, 2]
    assert curve.flux is not None
    assert curve.flux.tolist() == [1e-4, -1e-6]
    assert np.isnan(curve.mag).tolist() == [False, True]


def test_masked_numbers_are_missing():
    mag = MaskedColumn([20.1, 20.2, 20.3], mask=[False, True, False])
    assert len(LightCurve.of_points([1.0, 2.0, 3.0], mag)) == 2


def test_bands_may_be_bytes_and_are_ordered_by_wavelength():
    curve = LightCurve.of_points([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], band=np.array([b"z", b"g", b"r"]))
    assert curve.bands == ("g", "r", "z")


def test_a_filter_stands_for_its_band_if_one_camera_has_it():
    curve = LightCurve.of_points(_TIME, [20.3, 20.1, 20.2], band=["ACS_F606W", "ACS_F814W", "WFC3_F814W"], name="nova")
    assert len(curve.in_band("f606w")) == 1
    with pytest.raises(UnknownBandError, match=r'No band "F814W" in nova\. Did you mean "ACS_F814W" or "WFC3_F814W"\?'):
        curve.in_band("F814W")
    with pytest.raises(UnknownBandError, match="ACS_F606W"):
        curve.in_band("g")


def test_quantities_are_converted():
    curve = LightCurve.of_points([1.0, 2.0] * u.h, flux=[0.1, 0.2] * u.mJy, flux_err=[1.0, 1.0] * u.uJy)
    assert curve.time == pytest.approx([1 / 24, 2 / 24])
    assert curve.mag == pytest.approx([18.9, 18.1474], abs=1e-4)
    assert curve.mag_err[0] == pytest.approx(1.0857362 / 100)


def test_astropy_times_keep_their_scale_and_come_back():
    when = Time(["2010-01-01T00:00:00", "2010-01-02T12:00:00"], scale="tai")
    curve = LightCurve.of_points(when, [20.0, 20.1])
    assert curve.time_scale == "tai"
    assert curve.time == pytest.approx(when.mjd, abs=1e-9)
    assert np.abs((curve.times - when).to_value("s")).max() < 1e-6
    in_utc = LightCurve.of_points(when, [20.0, 20.1], time_scale="utc")
    assert (in_utc.time - curve.time) * 86400 == pytest.approx([-34.0, -34.0], abs=1e-4)


def test_less_the_mean_of_each_band_or_that_of_a_catalogue():
    curve = LightCurve.of_points([1.0, 2.0, 3.0, 4.0], [18.0, 18.2, 15.0, 15.4], band=["g", "g", "r", "r"])
    assert curve.minus_mean().mag == pytest.approx([-0.1, 0.1, -0.2, 0.2])
    of_catalogue = curve.minus_mean({"g": 18.0}).mag
    assert of_catalogue[:2] == pytest.approx([0.0, 0.2])
    assert np.isnan(of_catalogue[2:]).all()
    assert curve.minus_mean({"g": 18.0 * u.mag, "r": np.float32(15.0)}).mag == pytest.approx([0.0, 0.2, 0.0, 0.4])


def test_what_is_masked_or_not_one_per_point_does_not_cut():
    curve = LightCurve.of_points([1.0, 2.0, 3.0], [18.0, 18.1, 18.2])
    kept = np.ma.array([True, True, True], mask=[False, True, False])
    assert curve.cut(kept).time.tolist() == [1.0, 3.0]
    with pytest.raises(BadParameterError, match="3 times true or false"):
        curve.cut([True, False])
    with pytest.raises(BadParameterError):
        curve.cut([0, 1, 2])


def test_columns_of_different_length_are_refused():
    with pytest.raises(BadParameterError, match="has 2 rows, but there are 3 times"):
        LightCurve.of_points([1.0, 2.0, 3.0], [18.0, 18.1])
    with pytest.raises(BadParameterError, match="magnitudes or fluxes"):
        LightCurve.of_points([1.0])
    with pytest.raises(BadParameterError, match="not numbers"):
        LightCurve.of_points([1.0], ["bright"])
    with pytest.raises(BadParameterError, match="not in Jy"):
        LightCurve.of_points([1.0], flux=[1.0] * u.Jy, flux_err=[1.0] * u.mag)


def test_a_light_curve_without_points_is_one():
    curve = LightCurve.of_points([], [])
    assert repr(curve) == "LightCurve: no points"
    assert curve.bands == ()
    assert len(curve.minus_mean().cut(np.zeros(0, dtype=bool)).by_band()) == 0


def test_each_band_is_a_curve_for_the_indices():
    band = np.array(["r", "g"] * 5)
    curve = LightCurve.of_points(
        np.arange(10.0), np.where(band == "g", 20.0, 18.0), mag_err=np.full(10, 0.1), band=band
    )
    assert features(curve.by_band()).n_points.tolist() == [5, 5]
    assert curve.by_band().median.tolist() == [20.0, 18.0]
    without = LightCurve.of_points(np.arange(10.0), np.zeros(10))
    assert features(without.by_band()).n_points.tolist() == [0]
    assert features(without.by_band(mag_err=0.02)).n_points.tolist() == [10]
