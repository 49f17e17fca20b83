"""Known answers: the nova in M87 (HCV MatchID 1905457, values cross-checked with the package light-curve 0.13.3), and
the features that cesium computes of ASAS light curves."""

import csv
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skydex.lightcurve import STATISTICS, LightCurves, Reason, features, indices, stetson
from skydex.lightcurve.segments import Segments

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NOVA = DATA / "seeds" / "hcv_1905457_lightcurve.ecsv"
CESIUM = DATA / "lightcurves" / "asas_cesium"
needs_nova = pytest.mark.skipif(not NOVA.is_file(), reason="no light curve of the nova here")
needs_cesium = pytest.mark.skipif(not CESIUM.is_dir(), reason="no ASAS light curves here")


def nova(*, without_artifact=False):
    table = Table.read(NOVA)
    rows = table[table["CI"] < 1.5] if without_artifact else table
    return LightCurves.single(rows["MJD"], rows["CorrMag"], rows["MagErr"])


def many(seed=1, n_curves=200, n_most=30):
    """Light curves of very different lengths, some of them empty, in no order."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, n_most, n_curves)
    curve = rng.permutation(np.repeat(np.arange(n_curves), counts))
    n = len(curve)
    return curve, rng.uniform(0, 30, n), rng.normal(20, 0.3, n), rng.uniform(0.02, 0.3, n)


@needs_nova
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mad", 0.45988274),
        ("mad_sigma", 0.68182317),
        ("chi2_red", 77.430741),
        ("inv_eta", 1.3413944),
        ("stetson_K", 0.86440491),
    ],
)
def test_nova_in_m87_has_its_known_indices(name, expected):
    assert features(nova())[name][0] == pytest.approx(expected, rel=2e-8)


@needs_nova
def test_nova_in_m87_has_its_known_means():
    curves = nova()
    assert curves.median[0] == pytest.approx(24.4274937, abs=1e-7)
    assert curves.weighted_mean[0] == pytest.approx(23.992111, abs=1e-6)
    assert curves.segments.sum(curves.weight)[0] ** -0.5 == pytest.approx(0.011061, abs=1e-6)
    assert indices.chi2_reduced(curves, center="mean")[0] == pytest.approx(182.67196, rel=1e-7)


@needs_nova
def test_one_cosmic_ray_halves_the_smoothness_of_the_nova():
    assert features(nova(without_artifact=True))["inv_eta"][0] == pytest.approx(3.0574850, rel=1e-7)


@needs_cesium
@pytest.mark.parametrize(("star", "row"), [("257141", 0), ("245486", 1), ("247327", 2)])
def test_asas_light_curves_have_the_features_that_cesium_computes(star, row):
    with (CESIUM / "expected_features.csv").open() as stream:
        expected = {name: float(value) for name, value in list(csv.DictReader(stream))[row].items() if value}
    time, mag, err = np.loadtxt(CESIUM / f"{star}.dat", delimiter=",").T
    found, n = features(LightCurves.single(time, mag, err)), len(mag)
    assert found["mad"][0] == pytest.approx(expected["median_absolute_deviation"], rel=1e-9)
    assert found["p2p_amp"][0] / 2 == pytest.approx(expected["amplitude"], rel=1e-9)
    # cesium's variances are those of the population, and its steps are averaged over n - 1
    assert found["eta"][0] * n / (n - 1) == pytest.approx(expected["p2p_ssqr_diff_over_var"], rel=1e-8)
    spread = np.sqrt((found["excess_var"][0] + np.mean(err**2)) * (n - 1) / n)
    assert spread == pytest.approx(expected["std"], rel=1e-8)
    assert found["wstd"][0] == pytest.approx(expected["weighted_std_dev"], rel=3e-3)


@needs_cesium
@pytest.mark.parametrize(("star", "row"), [("257141", 0), ("245486", 1)])
def test_stetson_indices_of_single_points_are_those_of_cesium(star, row):
    """Cesium gives every point the error 0.1 and divides K by 0.798; of the third star its mean does not settle."""
    with (CESIUM / "expected_features.csv").open() as stream:
        expected = list(csv.DictReader(stream))[row]
    time, mag, _ = np.loadtxt(CESIUM / f"{star}.dat", delimiter=",").T
    curves = LightCurves.single(time, mag, np.full(len(mag), 0.1))
    assert stetson.stetson_j(curves, pair_days=-1.0)[0] == pytest.approx(float(expected["stetson_j"]), abs=2e-4)
    k = stetson.stetson_k(curves, center="robust")[0] / 0.798
    assert k == pytest.approx(float(expected["stetson_k"]), rel=1e-3)


def test_many_light_curves_at_once_have_the_indices_that_each_has_alone():
    curve, time, mag, err = many()
    together = features(LightCurves.of_points(curve, time, mag, err, n_curves=200))
    for one in range(200):
        mine = curve == one
        alone = features(LightCurves.single(time[mine], mag[mine], err[mine]))
        for name in STATISTICS:
            np.testing.assert_allclose(together[name][one], alone[name][0], rtol=1e-9, err_msg=name)


def test_noise_and_sinusoids_have_their_textbook_values():
    rng = np.random.default_rng(7)
    time = np.arange(20_000.0)
    noise = features(LightCurves.single(time, rng.normal(20, 0.1, 20_000), np.full(20_000, 0.1)))
    sinusoid = features(LightCurves.single(time, 20 + np.sin(2 * np.pi * time / 511.3), np.full(20_000, 0.1)))
    assert noise["stetson_K"][0] == pytest.approx(np.sqrt(2 / np.pi), abs=0.01)
    assert sinusoid["stetson_K"][0] == pytest.approx(0.900, abs=0.001)
    assert noise["eta"][0] == pytest.approx(2.0, abs=0.05)
    assert noise["chi2_red"][0] == pytest.approx(1.0, abs=0.05)
    assert noise["mad_sigma"][0] == pytest.approx(0.1, abs=0.003)
    assert noise["roms"][0] == pytest.approx(0.798, abs=0.02)
    assert sinusoid["l1"][0] > 0.99 > 0.05 > abs(noise["l1"][0])
    assert sinusoid["stetson_J_time"][0] > 5 > 0.1 > abs(noise["stetson_J_time"][0])


def test_quartiles_leave_an_odd_median_out():
    curves = LightCurves.single(range(7), [1.0, 2, 3, 4, 5, 6, 9], np.full(7, 0.1))
    assert indices.interquartile_range(curves)[0] == 6.0 - 2.0


def test_runs_on_one_side_of_the_mean_add_up():
    """By hand: deviations -3, -1, 4, 0 (which counts as faint) in units of their error are two runs, sums -4 and 4."""
    curves = LightCurves.single([0, 1, 2, 3], [17.0, 19.0, 24.0, 20.0], np.ones(4))
    assert indices.runs(curves)[0] == pytest.approx((16 + 16) / (4 * 2))


def test_points_are_paired_with_the_next_one_and_none_twice():
    """By hand: points 1 and 2, 4 and 5 are pairs, 3 and 6 stand alone."""
    time = [0.0, 0.01, 0.02, 5.0, 5.01, 9.0]
    mag = np.array([20.1, 20.2, 19.9, 19.8, 19.7, 20.3])
    curves = LightCurves.single(time, mag, np.full(6, 0.1))
    deviation = (mag - mag.mean()) / 0.1
    expected = (deviation[0] * deviation[1] + deviation[3] * deviation[4]) / np.sqrt(2)
    assert stetson.welch_stetson_i(curves, pair_days=0.05)[0] == pytest.approx(expected)


@pytest.mark.parametrize("n", range(5))
def test_too_few_points_are_nan_with_a_reason_and_never_an_error(n):
    found = features(LightCurves.single(range(n), 20 + 0.1 * np.arange(n), np.full(n, 0.1)))
    for name, statistic in STATISTICS.items():
        if n < statistic.least:
            assert np.isnan(found[name][0]), name
            assert found.reason(name)[0] == Reason.TOO_FEW_POINTS, name
        elif not np.isnan(found[name][0]):
            assert found.reason(name)[0] == Reason.DEFINED, name


def test_equal_points_have_no_correlation_but_no_scatter_either():
    found = features(LightCurves.single(range(6), np.full(6, 20.0), np.full(6, 0.1)))
    assert found["mad"][0] == found["chi2_red"][0] == found["p2p_amp"][0] == 0.0
    for name in ("eta", "l1", "stetson_K"):
        assert np.isnan(found[name][0])
        assert found.reason(name)[0] == Reason.UNDEFINED


def test_points_that_are_no_numbers_or_have_no_error_are_left_out():
    mag, err = [20, np.nan, 20.2, 20, 20.1, 21], [0.1, 0.1, 0.1, 0.1, np.inf, 0]
    curves = LightCurves.single([1, 2, 3, np.nan, 5, 6], mag, err)
    assert curves.mag.tolist() == [20.0, 20.2]


@given(hnp.arrays(np.float64, st.integers(4, 40), elements=st.floats(15, 25)), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_indices_depend_neither_on_the_order_of_points_nor_on_the_zero_point(mag, seed):
    rng = np.random.default_rng(seed)
    time, err = rng.uniform(0, 10, len(mag)), rng.uniform(0.05, 0.2, len(mag))
    order = rng.permutation(len(mag))
    found = features(LightCurves.single(time, mag, err))
    shuffled = features(LightCurves.single(time[order], mag[order], err[order]))
    shifted = features(LightCurves.single(time, mag + 4.0, err))
    scaled = features(LightCurves.single(time, mag, 3.0 * err))
    for name in STATISTICS:
        np.testing.assert_allclose(shuffled[name], found[name], rtol=1e-12, atol=1e-12, err_msg=name)
    if np.ptp(mag) > 0.1:
        for name in STATISTICS.keys() - {"nxs", "v_p2p"}:
            np.testing.assert_allclose(shifted[name], found[name], rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(scaled["stetson_K"], found["stetson_K"], rtol=1e-9)


@given(st.lists(st.lists(st.floats(-5, 5), max_size=9), max_size=12), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_medians_and_quantiles_of_stretches_are_those_of_numpy(parts, share):
    values = np.array([value for part in parts for value in part])
    segments = Segments(np.cumsum([0, *map(len, parts)]))
    for one, (middle, part) in enumerate(zip(segments.median(values), parts, strict=True)):
        quantile = segments.quantile_of_sorted(segments.sorted(values), share)[one]
        np.testing.assert_allclose(middle, np.median(part) if part else np.nan, atol=1e-12)
        np.testing.assert_allclose(quantile, np.quantile(part, share) if part else np.nan, atol=1e-12)
