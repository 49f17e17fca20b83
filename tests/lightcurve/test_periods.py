"""Periodograms beside astropy's and a plain fit, and periods of real stars beside those that papers give.

Tolerances: a period is the published one if the phases that both give differ by less than a tenth over the whole
light curve, or, for the survey that Sesar et al. 2010 took them from, within 0.01 d as VanderPlas & Ivezic 2015 count.
"""

import csv

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from astropy.timeseries import LombScargle
from astropy.timeseries.periodograms.bls import BoxLeastSquares

from skydex.errors import BadParameterError
from skydex.lightcurve import LightCurve, frequency_grid, periodogram
from skydex.lightcurve.boxes import box_power
from skydex.lightcurve.chances import false_alarm
from skydex.lightcurve.harmonics import FrequencyGrid, Series, harmonic_power


@pytest.fixture
def rng():
    return np.random.default_rng(1899)


@pytest.fixture
def points(rng):
    """Times, magnitudes and errors of a star that varies in 0.7 d, as a survey of three years sees it."""
    time = np.sort(rng.uniform(55000, 56100, 80))
    mag = 18 + 0.3 * np.sin(2 * np.pi * time / 0.7) + 0.1 * np.cos(4 * np.pi * time / 0.7) + rng.normal(0, 0.03, 80)
    return time, mag, rng.uniform(0.02, 0.05, 80)


@pytest.mark.parametrize("n_terms", [1, 3])
def test_powers_of_one_band_are_those_of_astropy(points, n_terms):
    time, mag, error = points
    grid = frequency_grid(np.ptp(time), min_period=0.5, oversampling=3)
    series = Series.of_points(time, mag, error, np.full(80, "g"))
    expected = LombScargle(time, mag, error, nterms=n_terms)
    method = "cython" if n_terms == 1 else "chi2"
    np.testing.assert_allclose(
        harmonic_power(series, grid, n_terms), expected.power(grid.values(), method=method), atol=1e-8
    )


def test_powers_of_several_bands_are_those_of_a_plain_fit(points, rng):
    time, mag, error = points
    band = rng.choice(["g", "r", "z"], 80)
    series = Series.of_points(time, mag + (band == "g") * 0.6, error, band)
    weight = np.sqrt(series.weight)
    for frequency in (0.3, 1.43, 4.9):
        phase = 2 * np.pi * frequency * series.time
        waves = [series.scale * wave(k * phase) for k in (1, 2) for wave in (np.cos, np.sin)]
        model = np.column_stack([*(series.band == number for number in range(3)), *waves]) * weight[:, None]
        left = series.value * weight - model @ np.linalg.lstsq(model, series.value * weight, rcond=None)[0]
        found = harmonic_power(series, FrequencyGrid(frequency, 1.0, 1), 2)[0]
        assert found == pytest.approx(1 - (left**2).sum() / series.chi2, abs=1e-8)


def test_false_alarms_of_one_sinusoid_are_those_of_astropy(points):
    time, mag, error = points
    series = Series.of_points(time, mag, error, np.full(80, "g"))
    for power in (0.3, 0.4, 0.6):
        found = false_alarm(power, n_points=80, n_bands=1, n_terms=1, n_independent=5.0 * series.width_d)
        known = LombScargle(time, mag, error).false_alarm_probability(power, method="baluev", maximum_frequency=5.0)
        assert found == pytest.approx(known, rel=1e-3)


def test_noise_raises_as_many_false_alarms_as_it_is_said_to(rng):
    chances = []
    for _ in range(60):
        time = np.sort(rng.uniform(0, 40, 50))
        noise = LightCurve.of_points(time, rng.normal(0, 0.1, 50), mag_err=np.full(50, 0.1))
        chances.append(noise.periodogram(min_period=1.0).best.false_alarm)
    for level in (0.1, 0.5):
        spread = 3 * np.sqrt(level * (1 - level) / 60)
        assert abs(np.mean(np.array(chances) < level) - level) < spread + 0.03


def test_boxes_are_those_of_astropy(rng):
    time = np.sort(rng.uniform(0, 30, 400))
    mag = 12 + 0.02 * (np.mod(time, 3.3) < 0.2) + rng.normal(0, 0.004, 400)
    curve = LightCurve.of_points(time, mag, mag_err=np.full(400, 0.004))
    found = curve.periodogram(method="boxes", min_period=1.0, max_period=10.0, error_floor=0.0)
    assert found.best.period_d == pytest.approx(3.3, rel=2e-3)
    assert np.isnan(found.best.false_alarm)
    series = Series.of_points(time, mag, np.full(400, 0.004), np.full(400, "g"))
    own = box_power(series, FrequencyGrid(1 / 3.3, 1.0, 1), is_magnitude=True)[0]
    boxes = BoxLeastSquares(time, -mag, 0.004)
    stats = boxes.power([3.3], 3.3 * np.array([0.02, 0.05, 0.1, 0.16]), oversample=5, objective="likelihood")
    assert own == pytest.approx(2 * stats.power[0] / series.chi2, rel=0.02)


def test_a_grid_misses_no_peak_and_is_bounded():
    grid = frequency_grid(2000.0, min_period=0.2, max_period=10.0)
    assert grid.step == pytest.approx(1 / 10_000)
    assert grid.first == pytest.approx(0.1)
    assert 5.0 <= grid.last < 5.0 + 2 * grid.step
    assert frequency_grid(1e5, most=1000).n <= 1000
    with pytest.raises(BadParameterError, match="periods above"):
        frequency_grid(2000.0, min_period=0.001, most=10_000)
    for wrong in ({"min_period": 5.0, "max_period": 1.0}, {"min_period": -1.0}, {"oversampling": 0.1}):
        with pytest.raises(BadParameterError):
            frequency_grid(2000.0, **wrong)


def test_a_picture_keeps_the_peaks(points):
    found = LightCurve.of_points(*points[:2], mag_err=points[2]).periodogram(min_period=0.3)
    frequency, power = found.thinned(200)
    assert len(frequency) == 200
    assert power.max() == found.power.max()
    assert frequency[np.argmax(power)] == found.frequency[np.argmax(found.power)]
    assert found.thinned(len(found) + 1)[0] is found.frequency


def test_two_sinusoids_do_not_take_twice_the_period_of_a_plain_wave(rng):
    for _ in range(6):
        time = np.sort(rng.uniform(55000, 55200, 90))
        wave = LightCurve.of_points(time, 15 + 0.4 * np.sin(2 * np.pi * time / 0.48636) + rng.normal(0, 0.03, 90))
        found = wave.periodogram(min_period=0.2)
        assert found.best.period_d == pytest.approx(0.48636, rel=1e-3)
        assert found.peaks[1].relation == "2"


def test_fluxes_do_where_there_are_no_magnitudes(points):
    time, mag, _ = points
    flux = 1000 * 10 ** (-0.4 * (mag - 18))
    counts = LightCurve.of_points(time, np.full(80, np.nan), flux=flux, flux_err=np.full(80, 20.0))
    assert counts.periodogram(min_period=0.3).best.period_d == pytest.approx(0.7, rel=1e-4)


def test_what_cannot_be_searched_is_refused(points):
    curve = LightCurve.of_points(*points[:2])
    for few in (curve.chosen(np.arange(3)), LightCurve.of_points(np.full(20, 5.0), np.arange(20.0))):
        with pytest.raises(BadParameterError, match="light curve"):
            few.periodogram()
    with pytest.raises(BadParameterError, match="sinusoids or boxes"):
        curve.periodogram(method="fourier")
    with pytest.raises(BadParameterError, match="1 to 6"):
        periodogram(curve, n_terms=9)
    constant = LightCurve.of_points(points[0], np.full(80, 15.0)).periodogram(min_period=0.5)
    assert (constant.power == 0).all()
    assert constant.best.false_alarm == 1.0


def test_two_terms_keep_an_rr_lyrae_star_from_its_alias(shared_data):
    """Stars of Stripe 82 with all their measurements (Sesar et al. 2010): the paper of the method has 80 %."""
    folder = shared_data / "lightcurves/s82_rrlyrae"
    lines = [line.split() for line in (folder / "table2.dat").read_text().splitlines() if line[0] != "#"]
    published = {words[0]: float(words[2]) for words in lines}
    files = sorted((folder / "lc").iterdir())[:36:6]
    found = [_star(file).periodogram(min_period=0.2, max_period=1.2) for file in files]
    periods = [published[file.name.partition(".")[0]] for file in files]
    first = [abs(one.best.period_d - period) < 0.01 for one, period in zip(found, periods, strict=True)]
    any_ = [
        any(abs(peak.period_d - period) < 0.01 for peak in one.peaks)
        for one, period in zip(found, periods, strict=True)
    ]
    assert sum(first) >= 5
    assert all(any_)
    assert all(one.best.false_alarm < 1e-6 for one in found)
    assert not any(one.double.shape.is_eclipse for one in found)


def _star(file):
    rows = np.loadtxt(file)
    parts = [rows[rows[:, 3 + 3 * number] > -90][:, 2 + 3 * number : 5 + 3 * number] for number in range(5)]
    band = np.repeat(list("ugriz"), [len(part) for part in parts])
    time, mag, error = np.concatenate(parts).T
    return LightCurve.of_points(time, mag, mag_err=error, band=band)


def test_a_binary_has_twice_the_period_of_its_eclipses(shared_data):
    """Eclipsing binaries of ASAS: the peak is the published period or its half, and the hint is never wrong."""
    folder = shared_data / "lightcurves/asas"
    with (folder / "asas_truth.csv").open() as file:
        periods = {row["asas_id"]: float(row["period"] or 0) for row in csv.DictReader(file)}
    chosen = [star for star, period in periods.items() if 0.8 < period < 4][:24:3]
    rows = pq.read_table(folder / "asas_lightcurves.parquet", filters=pc.field("asas_id").isin(chosen))
    n_half = n_told = n_likely = n_known = 0
    for star in chosen:
        table = rows.filter(pc.equal(rows["asas_id"], star))
        curve = LightCurve.of_points(table["hjd"], table["mag"], mag_err=table["magerr"], time_format="hjd")
        found = curve.periodogram(min_period=0.4, max_period=5.0, n_terms=1)
        ratio = found.best.period_d / periods[star]
        n_known += any(ratio == pytest.approx(one, rel=2e-3) for one in (0.5, 1.0))
        is_half = ratio == pytest.approx(0.5, rel=2e-3)
        n_half += is_half
        n_likely += is_half and found.double.is_likely
        if is_half and found.double.is_better:
            n_told += 1
            assert found.double.period_d == pytest.approx(periods[star], rel=2e-3)
    assert n_known >= 7
    assert n_told >= n_half // 3 > 0
    assert n_likely > 0.7 * n_half


@pytest.mark.parametrize(("sign", "is_eclipse"), [(1.0, True), (-1.0, False)])
def test_narrow_minima_are_eclipses_and_narrow_maxima_are_not(rng, sign, is_eclipse):
    """A binary of two like eclipses, over half of its period; and the same upside down, in magnitudes and in fluxes."""
    time = np.sort(rng.uniform(0.0, 300.0, 150))
    away = np.abs((time / 0.7 + 0.5) % 1.0 - 0.5)
    mag = 15.0 + sign * 0.6 * np.exp(-((away / 0.12) ** 2)) + rng.normal(0.0, 0.01, 150)
    star = LightCurve.of_points(time, mag, mag_err=np.full(150, 0.01))
    lit = LightCurve.of_points(time, flux=10 ** (-0.4 * (mag - 15.0)), flux_err=np.full(150, 0.01))
    for curve in (star, lit):
        found = curve.periodogram(min_period=0.5, max_period=1.0, n_terms=1)
        assert found.best.period_d == pytest.approx(0.7, rel=1e-3)
        assert found.double.shape.is_eclipse is is_eclipse
        assert found.double.is_likely is is_eclipse
        assert not found.double.is_better
