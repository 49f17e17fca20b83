"""Bands put together and correlated: light curves whose answer is known because they were made so."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time

from skydex.errors import BadParameterError
from skydex.lightcurve import LightCurve, band_correlation

_PERIOD, _T0 = 2.2834698, 54999.599837
_LEVELS = {"g": 14.6, "r": 14.28, "i": 14.15}
_DEPTHS = {"g": 0.9, "r": 0.8, "i": 0.7}


def _binary(rng, *, n=300):
    """Trapezoids in three bands, deeper in the blue; far more of the points in g lie in eclipse than of the others."""
    phase = rng.uniform(0, 1, n)
    phase[: n // 4] = rng.uniform(-0.03, 0.03, n // 4)
    band = np.array(["r", "i", "g"])[rng.integers(0, 3, n)]
    band[: n // 4] = "g"
    away = np.abs(np.mod(phase + 0.5, 1) - 0.5)
    depth = np.array([_DEPTHS[one] for one in band]) * np.clip((0.06 - away) / 0.03, 0, 1)
    mag = np.array([_LEVELS[one] for one in band]) + depth + rng.normal(0, 0.005, n)
    time = _T0 + _PERIOD * (phase + rng.integers(0, 500, n))
    return LightCurve.of_points(time, mag, mag_err=np.full(n, 0.005), band=band)


def test_the_light_outside_of_the_eclipses_is_found_however_the_points_fall():
    curve = _binary(np.random.default_rng(1))
    combined = curve.combined(_PERIOD, _T0)
    assert combined.centers == pytest.approx(_LEVELS, abs=0.003)
    assert abs(curve.centers("mean")["g"] - _LEVELS["g"]) > 0.2
    assert np.abs(combined.curve.mag[~combined.is_eclipsed]).max() < 0.05
    assert len(combined.folded) == len(curve)


def test_a_band_with_deeper_eclipses_stands_out():
    offsets = _binary(np.random.default_rng(2), n=2000).combined(_PERIOD, _T0, half_width=0.03).offsets
    assert offsets["g"] > 0.05
    assert offsets["i"] < -0.05


def test_a_band_that_is_alone_or_only_in_eclipse_has_what_it_can_have():
    alone = LightCurve.of_points([0.0, 0.5, 0.25], [15.0, 14.5, 14.0], band="g").combined(1.0)
    assert alone.centers == {"g": 14.0}
    assert np.isnan(alone.offsets["g"])
    eclipsed = LightCurve.of_points([0.0, 0.5], [15.0, 14.5], band="g").combined(1.0)
    assert eclipsed.centers == {"g": 14.75}


def test_two_bands_that_vary_alike_are_correlated_and_noise_is_not():
    rng = np.random.default_rng(3)
    time, band = np.append(np.arange(200.0), np.arange(200.0) + 0.03), np.repeat(["F475W", "F814W"], 200)
    noise = rng.normal(0, 0.02, 400)
    swing = 0.3 * np.sin(time / 3)
    quiet = band_correlation(LightCurve.of_points(time, 22 + noise, mag_err=np.full(400, 0.02), band=band))
    loud = band_correlation(LightCurve.of_points(time, 22 + swing + noise, mag_err=np.full(400, 0.02), band=band))
    against = np.where(band == "F475W", swing, -swing)
    opposite = band_correlation(LightCurve.of_points(time, 22 + against, mag_err=np.full(400, 0.02), band=band))
    assert quiet.n_pairs == loud.n_pairs == 200
    assert abs(quiet.stetson_j) < 0.2
    assert abs(quiet.pearson_r) < 0.2
    assert loud.stetson_j > 5
    assert loud.pearson_r > 0.98
    assert opposite.stetson_j < -5


def test_the_number_is_that_of_the_formula():
    """Deviations of +-1 sigma times sqrt(n / (n - 1)), always together: J = 2 for n = 2."""
    curve = LightCurve.of_points([0, 1, 0, 1], [20.1, 19.9, 18.1, 17.9], mag_err=[0.1] * 4, band=["g", "g", "r", "r"])
    assert band_correlation(curve).stetson_j == pytest.approx(np.sqrt(2.0))


def test_points_far_apart_in_time_are_no_pairs_and_none_is_in_two():
    curve = LightCurve.of_points([0.0, 0.04, 5.0, 0.05], [20.0] * 4, band=["g", "g", "g", "r"])
    found = band_correlation(curve)
    assert found.n_pairs == 1
    assert np.isnan(found.stetson_j)
    assert np.isnan(found.pearson_r)
    assert band_correlation(curve, mag_err=0.02).stetson_j == pytest.approx(0.0)


def test_a_time_series_has_the_times_units_and_bands():
    curve = LightCurve.of_points([55001.0, 55000.0], flux=[1e-4, 2e-4], band=["g", "r"], time_scale="tai", name="star")
    series = curve.to_timeseries()
    assert series.time.scale == "tai"
    assert series.time.mjd.tolist() == [55000.0, 55001.0]
    assert series["band"].tolist() == ["r", "g"]
    assert (str(series["flux"].unit), str(series["mag"].unit)) == ("Jy", "mag")
    assert series.meta["name"] == "star"
    assert len(LightCurve.of_points([], []).to_timeseries()) == 0


def test_one_band_is_a_light_curve_of_lightkurve():
    pytest.importorskip("lightkurve", reason="lightkurve is not installed")
    curve = LightCurve.of_points([55001.0, 55000.0], [18.9, 18.9], mag_err=[0.01, 0.01], band=["g", "r"], name="star")
    with pytest.raises(BadParameterError, match="2 bands"):
        curve.to_lightkurve()
    found = curve.in_band("g").to_lightkurve()
    assert found.time.mjd.tolist() == [55001.0]
    assert found.flux.to_value("Jy") == pytest.approx([1e-4])
    assert found.flux_err.to_value("Jy") == pytest.approx([1e-6 / 1.0857362])
    assert found.meta["LABEL"] == "star"


def test_barycentric_times_are_those_of_astropy():
    """`Time.light_travel_time` for an observatory, which is away from the centre of the Earth by 0.02 s of light."""
    from astropy.coordinates import EarthLocation
    from astropy.utils import iers

    star = SkyCoord(139.3345, 68.63509, unit="deg")
    curve = LightCurve.of_points(np.linspace(54999.0, 55400.0, 30), np.full(30, 14.0), time_scale="tai")
    with iers.conf.set_temp("auto_download", False):
        when = Time(curve.times, location=EarthLocation.from_geodetic(-156.257, 20.707, 3055.0))
        expected = when.tdb + when.light_travel_time(star)
    found = curve.to_bjd_tdb(star)
    assert (found.time_format, found.time_scale) == ("bjd-2400000", "tdb")
    assert np.abs((found.times - expected).to_value("s")).max() < 0.05
    assert np.abs((found.times - curve.times).to_value("s")).max() > 100
    assert found.to_bjd_tdb(star) is found
    with pytest.raises(BadParameterError, match="heliocentric"):
        LightCurve.of_points([50455.7], [14.0], time_format="hjd-2400000").to_bjd_tdb(star)
