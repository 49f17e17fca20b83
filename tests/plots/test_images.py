"""Figures look as they looked when somebody looked at them: images of `baseline/`, made with the pinned matplotlib.

`pytest -n 0 tests/plots/test_images.py --mpl-generate-path=tests/plots/baseline` makes them anew: look at each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.table import QTable

from skydex import plots
from skydex.lightcurve import LightCurve

looks_as_before = pytest.mark.mpl_image_compare(style="default", backend="agg", tolerance=6, savefig_kwargs={"dpi": 50})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1899)


@pytest.fixture
def stars(rng: np.random.Generator) -> QTable:
    """Stars of a main sequence and a giant branch, some of them variable."""
    n = 2000
    mag = 28 - rng.exponential(1.5, n)
    colour = np.where(rng.random(n) < 0.5, 0.05 * (mag - 22), 1.6 - 0.08 * (mag - 22)) + rng.normal(0, 0.06, n)
    kind = rng.choice([0, 1, 2], n, p=[0.97, 0.01, 0.02])
    mad = (0.005 + 0.03 * 10 ** (0.4 * (mag - 27))) * rng.lognormal(0, 0.3, n) + 0.15 * (kind > 0) * rng.random(n)
    place = {"RA": 16.12 + rng.uniform(-0.03, 0.03, n), "Dec": 2.16 + rng.uniform(-0.03, 0.03, n)}
    return QTable({**place, "A_F475W": mag, "A_F814W": mag - colour, "MAD": mad, "AutoClass": kind})


@pytest.fixture
def curve(rng: np.random.Generator) -> LightCurve:
    """A pulsating star in three bands."""
    time = np.sort(55000 + rng.uniform(0, 200, 90))
    band = rng.choice(["g", "r", "z"], 90)
    swing = np.select([band == "g", band == "r"], [0.5, 0.35], 0.2)
    mag = 14.5 - swing * np.sin(2 * np.pi * time / 0.48636) + (band == "g") * 0.4 + rng.normal(0, 0.02, 90)
    mag[10] += 1.5
    quality = np.where(np.arange(90) == 10, 0.3, 0.99)
    return LightCurve.of_points(
        time, mag, mag_err=np.full(90, 0.03), band=band, quality=quality, name="KQ UMa", time_scale="tai"
    )


@looks_as_before
def test_positions(stars: QTable) -> Any:
    return plots.sky(stars[:800], centre=(16.15, 2.15), classes="AutoClass").figure


@looks_as_before
def test_whole_sky(rng: np.random.Generator) -> Any:
    ra, dec = rng.uniform(0, 360, 400), np.degrees(np.arcsin(rng.uniform(-1, 1, 400)))
    return plots.all_sky((ra, dec), highlight=dec > 70).figure


@looks_as_before
def test_variability_of_classes(stars: QTable) -> Any:
    return plots.variability(stars, magnitude="A_F475W", index="MAD", classes="AutoClass", scale="log").figure


@looks_as_before
def test_colours_and_magnitudes(stars: QTable) -> Any:
    variable = (stars["MAD"] > 0.1) & (stars["A_F475W"] < 26)
    return plots.colour_magnitude(stars, blue="A_F475W", red="A_F814W", highlight=variable).figure


@looks_as_before
def test_density_of_many_stars(rng: np.random.Generator) -> Any:
    blue, red = rng.normal(24, 0.5, 200_000), rng.normal(23, 0.5, 200_000)
    return plots.colour_magnitude(blue=blue, red=red).figure


@looks_as_before
def test_light_curve_in_several_bands(curve: LightCurve) -> Any:
    return plots.light_curve(curve, highlight=curve.quality < 0.9).figure


@looks_as_before
def test_differences_in_panels(curve: LightCurve) -> Any:
    return plots.by_band(curve, plots.difference, same_span=True)[0].figure


@looks_as_before
def test_two_periods(curve: LightCurve) -> Any:
    return plots.folded(curve.cut(curve.quality > 0.9), 0.48636, n_periods=2).figure


@looks_as_before
def test_near_and_far_views() -> Any:
    y, x = np.mgrid[:101, :101] - 50
    wide = 500 * np.exp(-(x**2 + y**2) / 6) + 200 * np.exp(-((x - 20) ** 2 + (y - 30) ** 2) / 40) + x
    return plots.cutout_pairs([wide[41:60, 41:60]], [wide], titles=["hst_10505_12_acs_wfc_f475w m=22.816"])[0, 0].figure


@looks_as_before
def test_classes_before_all(rng: np.random.Generator) -> Any:
    rows = {"MAD": 10 ** rng.normal(-1, 0.3, 3000), "ExpertClass": rng.choice([1, 2, 4], 3000, p=[0.4, 0.4, 0.2])}
    return plots.histograms(rows, index="MAD", classes="ExpertClass")[0].figure


@looks_as_before
def test_fraction_of_artifacts(rng: np.random.Generator) -> Any:
    mad = 10 ** rng.normal(-1, 0.3, 5000)
    return plots.artifact_fraction(mad, rng.random(5000) < 0.4 * np.exp(-5 * mad)).figure


@looks_as_before
def test_hexagons(rng: np.random.Generator) -> Any:
    significance = 10 ** np.abs(rng.normal(0.3, 0.4, 20_000))
    flux = np.where(rng.random(20_000) < 0.02, 0.0, 1e-15 * significance * 10 ** rng.normal(0, 0.5, 20_000))
    return plots.hexbin(x=significance, y=flux, gridsize=14).figure


@looks_as_before
def test_stamp_of_a_star(rng: np.random.Generator) -> Any:
    y, x = np.mgrid[:51, :51] - 25
    pixels = 2e4 * np.exp(-(x**2 + y**2) / 4) + 300 / (1 + (x**2 + y**2) / 20) + rng.normal(20, 5, (51, 51))
    pixels[40, 10] = np.nan
    return plots.stamp(pixels, title="ibc302ioq_8184981_F814W_flt_cutout.fits").figure


@looks_as_before
def test_periodogram_of_a_pulsating_star(curve: LightCurve) -> Any:
    return plots.periodogram(curve.periodogram(min_period=0.2)).figure
