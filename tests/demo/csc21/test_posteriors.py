"""Inference from counts, against integrals and against printed values."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from skydex.demo.csc21.posteriors import flux_counts, hardness, intra_index, normal_cdf

PUBLISHED = Path(__file__).parents[3] / "../shared/data/published"


def one(function, *values):
    return [float(part[0]) for part in function(*(np.array([value], float) for value in values))]


def test_no_counts_give_an_upper_limit():
    mode, low, high = one(flux_counts, 0, 0.5)
    assert (mode, low) == (0, 0)
    assert high == pytest.approx(-np.log(0.32), rel=0.02)


@pytest.mark.parametrize("counts", [1, 4, 20, 90, 400])
def test_limits_without_background_hold_what_a_gamma_distribution_says(counts):
    mode, low, high = one(flux_counts, counts, 0)
    posterior = stats.gamma(counts + 1)
    assert mode == counts
    assert posterior.cdf(high) - posterior.cdf(low) == pytest.approx(0.68, abs=0.012)
    assert posterior.pdf(low) == pytest.approx(posterior.pdf(high), rel=0.06)


def test_background_widens_limits():
    _, low, high = one(flux_counts, 30, 20)
    _, pure_low, pure_high = one(flux_counts, 10, 0)
    assert high - low > 1.5 * (pure_high - pure_low)
    assert low < 10 < high


def test_hardness_of_equal_fluxes_is_near_zero():
    value, low, high = one(hardness, 100, 50, 2e7, 1e7)
    assert value == 0
    assert low == pytest.approx(-high, abs=0.02)


def test_hardness_of_one_band_alone_is_at_the_end_of_the_scale():
    assert one(hardness, 9, 0, 1e7, 1e7)[0] == pytest.approx(0.99937539038101)
    assert one(hardness, 9, 0, 1e7, 1e7)[2] == 1.0
    assert one(hardness, 0, 9, 1e7, 1e7)[:2] == [pytest.approx(-0.99937539038101), -1.0]


@pytest.mark.parametrize(("hard", "soft"), [(3, 5), (20, 10), (200, 150)])
def test_limits_of_hardness_hold_what_sampling_says(hard, soft):
    rng = np.random.default_rng(1)
    fluxes = rng.gamma(hard + 1, 1.0, 200_000), rng.gamma(soft + 1, 1.0, 200_000)
    ratio = (fluxes[0] - fluxes[1]) / (fluxes[0] + fluxes[1])
    _, low, high = one(hardness, hard, soft, 1e7, 1e7)
    assert ((low <= ratio) & (ratio <= high)).mean() == pytest.approx(0.68, abs=0.03)


def test_printed_ratios_lie_on_the_same_grid():
    with (PUBLISHED / "csc21_ngc1333_cone_11x24.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = np.array([float(row[name]) for row in rows for name in row if name.startswith("hard_") and row[name]])
    assert np.abs(values * 1601 - np.round(values * 1601)).max() < 1e-9


@pytest.mark.parametrize(
    ("log_odds", "f3", "f5", "degree"),
    [
        *[(-1, 1, 1, 0), (0.1, 1, 1, 1), (0.5, 1, 1, 2), (0.1, 0.9, 1, 3), (0.2, 0.9, 1, 4), (0.5, 0.9, 1, 5)],
        *[(1.5, 1, 1, 6), (3, 1, 1, 7), (5, 1, 1, 8), (20, 1, 1, 9), (31, 1, 1, 10)],
    ],
)
def test_degree_of_variability_follows_odds_and_outliers(log_odds, f3, f5, degree):
    assert intra_index(*(np.array([x], float) for x in (log_odds, f3, f5))).tolist() == [degree]


def test_normal_distribution_is_close():
    x = np.linspace(-5, 5, 101)
    assert np.abs(normal_cdf(x) - stats.norm.cdf(x)).max() < 5e-4
