"""What simulated cameras share: noise by pixel, PSFs, point sources, sections."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from scipy import stats

from skydex.demo.cameras import open_simulated
from skydex.demo.cameras.noise import hashed, key_of, normals, poissons, uniforms
from skydex.demo.cameras.optics import Psf, moffat, psf_of, telescope_psf
from skydex.demo.cameras.scene import draw_points
from skydex.demo.cameras.section import Section, SimulatedImage
from skydex.errors import StoreError

WHOLE = Section(0, 300, 0, 400)
KEY = key_of("archive", "image", "noise")


@pytest.fixture(scope="module")
def psf() -> Psf:
    return telescope_psf(814.0, 0.05)


def test_noise_of_a_pixel_is_the_same_in_whatever_section_it_is_read() -> None:
    whole, part = normals(KEY, WHOLE.numbers(400)), normals(KEY, Section(120, 170, 33, 301).numbers(400))
    assert np.array_equal(whole[120:170, 33:301], part)


def test_normal_noise_is_normal_and_knows_nothing_of_its_neighbours() -> None:
    noise = normals(KEY, Section(0, 700, 0, 700).numbers(700)).astype(float)
    assert stats.kstest(noise.ravel()[::7], "norm").pvalue > 0.01
    assert abs(stats.kurtosis(noise.ravel())) < 0.03
    for beside in (noise[1:] * noise[:-1], noise[:, 1:] * noise[:, :-1]):
        assert abs(beside.mean()) < 4 / 700


def test_keys_make_noise_of_their_own() -> None:
    numbers = WHOLE.numbers(400)
    other = normals(key_of("archive", "another", "noise"), numbers)
    assert abs(np.corrcoef(normals(KEY, numbers).ravel(), other.ravel())[0, 1]) < 0.012
    assert not np.array_equal(hashed(KEY, numbers), hashed(KEY + 1, numbers))
    assert 0 < uniforms(KEY, numbers).min() < 1e-4


@pytest.mark.parametrize("mean", [0.003, 0.4, 7.0, 39.5, 60.0, 4000.0])
def test_counts_follow_poisson(mean: float) -> None:
    counts = poissons(KEY, WHOLE.numbers(400), np.full(WHOLE.shape, mean)).ravel()
    low, high = stats.poisson.ppf([0.01, 0.99], mean)
    edges = np.unique(np.linspace(low, high, 12).round()) if high > low + 1 else np.array([0.0, 1.0])
    expected = np.diff(np.concatenate([[0], stats.poisson.cdf(edges, mean), [1]])) * len(counts)
    found = np.histogram(counts, [-1, *(edges + 0.5), np.inf])[0]
    filled = expected > 5
    assert stats.chisquare(found[filled], expected[filled] * found[filled].sum() / expected[filled].sum()).pvalue > 1e-3
    assert counts.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / len(counts)))


def test_nothing_is_counted_where_nothing_is_expected() -> None:
    assert not poissons(KEY, WHOLE.numbers(400), np.zeros(WHOLE.shape)).any()
    assert not poissons(KEY, WHOLE.numbers(400), np.full(WHOLE.shape, -1.0)).any()


@pytest.mark.parametrize(("x", "y"), [(200.0, 150.0), (200.37, 149.61), (199.5, 150.5)])
def test_all_light_of_a_point_arrives_and_about_the_right_place(psf: Psf, x: float, y: float) -> None:
    light = draw_points(WHOLE, psf, np.array([x]), np.array([y]), np.array([5000.0]))
    assert light.sum() == pytest.approx(5000.0, rel=2e-3)
    near = np.hypot(np.arange(300)[:, None] - y, np.arange(400) - x) < 8
    weights = np.where(near, light, 0.0)
    assert (weights * np.arange(400)).sum() / weights.sum() == pytest.approx(x, abs=0.01)
    assert (weights * np.arange(300)[:, None]).sum() / weights.sum() == pytest.approx(y, abs=0.01)


def test_a_pixel_holds_the_integral_of_the_profile_over_it() -> None:
    profile = lambda dy, dx: moffat(np.hypot(dy, dx), 1.3, 3.0)  # noqa: E731
    made = psf_of(profile, core_px=20, wings_px=60)
    fine = (np.arange(40) + 0.5) / 40 - 0.5
    for x, y in ((100.0, 100.0), (100.31, 99.83)):
        light = draw_points(Section(0, 200, 0, 200), made, np.array([x]), np.array([y]), np.array([1.0]))
        dy = (np.arange(95, 106)[:, None] + fine - y)[:, :, None, None]
        dx = (np.arange(95, 106)[:, None] + fine - x)[None, None]
        expected = profile(dy, dx).mean(axis=(1, 3))
        assert light[95:106, 95:106] == pytest.approx(expected, rel=0.01, abs=2e-5)


def test_enclosed_light_is_that_of_the_profile() -> None:
    made = psf_of(lambda dy, dx: moffat(np.hypot(dy, dx), 1.3, 3.0), core_px=20, wings_px=60)
    assert made.enclosed(3.0) == pytest.approx(1 - (1 + (3 / 1.3) ** 2) ** -2, abs=0.012)


def test_sources_in_a_section_look_as_in_the_whole_image(psf: Psf) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-60, 460, 500), rng.uniform(-60, 360, 500)
    flux = 10 ** rng.uniform(0, 6, 500)
    whole = draw_points(WHOLE, psf, x, y, flux, least=0.1)
    part = draw_points(Section(77, 130, 201, 240), psf, x, y, flux, least=0.1)
    assert np.array_equal(whole[77:130, 201:240], part)


def test_light_that_is_left_out_is_too_little_to_be_seen(psf: Psf) -> None:
    rng = np.random.default_rng(2)
    x, y, flux = rng.uniform(0, 400, 60), rng.uniform(0, 300, 60), 10 ** rng.uniform(0, 5, 60)
    left_out = draw_points(WHOLE, psf, x, y, flux) - draw_points(WHOLE, psf, x, y, flux, least=0.01)
    assert left_out.min() >= 0
    assert left_out.max() < 0.01 * 10


def test_an_image_is_drawn_in_parts_that_fit() -> None:
    asked = []

    def draw(section: Section) -> np.ndarray:
        asked.append(section.shape)
        return section.numbers(5000).astype(np.float64)

    image = SimulatedImage((4000, 5000), fits.Header(), draw, dtype=np.float64)
    values = image.read(1000, 1500, 0, 5000)
    assert np.array_equal(values, np.arange(5_000_000, 7_500_000.0).reshape(500, 5000))
    assert len(asked) > 1
    assert max(ny * nx for ny, nx in asked) <= 1 << 20


def test_a_camera_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(StoreError, match="no simulated camera"):
        open_simulated("/somewhere/os/path", b"")
