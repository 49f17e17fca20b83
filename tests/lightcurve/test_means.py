"""Mean magnitudes with rejection: those of Pan-STARRS1 come out, and what does not belong stays out."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from skydex.lightcurve import mean_magnitudes


def test_constant_light_is_its_own_mean():
    found = mean_magnitudes(np.full(6, 1e-4), np.full(6, 1e-7), [0, 0, 0, 2, 2, 2], 3)
    np.testing.assert_allclose(found.mag, [18.9, np.nan, 18.9], rtol=1e-12)
    np.testing.assert_allclose(found.error, [1.0857362e-3 / 3**0.5, np.nan, 1.0857362e-3 / 3**0.5], rtol=1e-6)
    assert found.n_used.tolist() == [3, 0, 3]


def test_what_does_not_belong_is_rejected_and_what_is_bad_is_not_counted():
    flux = np.array([1.00, 1.01, 0.99, 1.00, 0.05, 0.5, -1.0, np.nan]) * 1e-4
    good = np.array([True] * 5 + [False] + [True] * 2)
    found = mean_magnitudes(flux, np.full(8, 1e-7), np.zeros(8, int), 1, is_good=good)
    assert found.mag[0] == pytest.approx(18.9, abs=2e-3)
    assert (found.n_used[0], found.n_rejected[0]) == (4, 1)
    assert (found.brightest[0], found.faintest[0]) == (
        pytest.approx(18.8892, abs=1e-4),
        pytest.approx(18.9109, abs=1e-4),
    )


def test_where_too_much_would_be_rejected_the_median_stands():
    flux = 10.0 ** (-0.4 * (np.array([18.0, 18.0, 18.0, 18.0, 17.0, 16.0, 15.0]) - 8.9))
    found = mean_magnitudes(flux, flux * 1e-4, np.zeros(7, int), 1)
    assert found.mag[0] == pytest.approx(18.0)
    assert found.n_used[0] == 7


def test_one_light_curve_does_not_change_another():
    rng = np.random.default_rng(3)
    flux = 1e-4 * rng.lognormal(0.0, 0.05, 60)
    owner = np.sort(rng.integers(0, 5, 60))
    together = mean_magnitudes(flux, np.full(60, 1e-6), owner, 5)
    for one in range(5):
        alone = mean_magnitudes(
            flux[owner == one], np.full(sum(owner == one), 1e-6), np.zeros(sum(owner == one), int), 1
        )
        assert alone.mag[0] == together.mag[one]


def test_no_points_give_no_means():
    assert np.isnan(mean_magnitudes([], [], [], 2).mag).all()


def test_published_detections_give_the_published_mean(shared_data):
    seeds = shared_data / "seeds"
    points = Table.read(seeds / "ps1_detections_kq_uma.ecsv", format="ascii.ecsv")
    mean = Table.read(seeds / "ps1_mean_targets.ecsv", format="ascii.ecsv")
    (star,) = mean[mean["name"] == "KQ UMa"]
    for band in "gy":  # bands of which all detections are printed
        points_of_band = points[points["filterType"] == band]
        assert len(points_of_band) == star[f"n{band}"]
        good = points_of_band["psfQfPerfect"] > 0.9
        owner = np.zeros(len(points_of_band), int)
        found = mean_magnitudes(points_of_band["psfFlux"], points_of_band["psfFluxErr"], owner, 1, is_good=good)
        assert abs(found.mag[0] - star[f"{band}MeanPSFMag"]) < found.error[0]
