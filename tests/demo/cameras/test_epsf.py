"""Effective PSFs, against the published grids of WFC3 and the widths in its handbook."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from skydex.demo.cameras.epsf import HALF, OVERSAMPLING, draw_star, effective_psf
from skydex.demo.psf.electronics import CAMERAS

HANDBOOK_FWHM_PX = {"F275W": 1.92, "F336W": 1.82, "F438W": 1.71, "F475W": 1.69, "F555W": 1.68, "F606W": 1.68}
"""UVIS, between the wavelengths of the WFC3 Instrument Handbook, section 6.6."""


def psf_of(detector, band, focus_um=1.0):
    camera = CAMERAS[detector]
    return effective_psf(camera.blur_in(band), camera.wavelengths_um(band), focus_um).values.astype(float)


def fwhm_px(psf):
    middle = len(psf) // 2
    profile = (psf[middle] + psf[:, middle])[middle : middle + 5 * OVERSAMPLING]
    return 2 * np.interp(-profile[0] / 2, -profile, np.arange(len(profile)) / OVERSAMPLING)


def enclosed(psf, radius_px):
    y, x = np.indices(psf.shape) - len(psf) // 2
    return psf[np.hypot(x, y) <= radius_px * OVERSAMPLING].sum() / OVERSAMPLING**2


@pytest.fixture(params=[("UVIS", "F814W"), ("IR", "F110W"), ("IR", "F125W"), ("IR", "F160W")], ids=" ".join)
def both(request, shared_data):
    """A simulated PSF and the mean of the published grid; the grid's light within 5 pixels is 1."""
    detector, band = request.param
    name = f"PSFSTD_WFC3{'UV' if detector == 'UVIS' else 'IR'}_{band}.fits"
    grid = fits.getdata(shared_data / "images" / "psf" / name).astype(float)
    measured = grid[grid.sum(axis=(1, 2)) > 0].mean(axis=0)
    ours = psf_of(detector, band)
    return ours / enclosed(ours, 5.0), measured / enclosed(measured, 5.0)


def test_the_core_is_as_sharp_as_that_of_the_published_grid(both):
    ours, grid = both
    assert ours.max() == pytest.approx(grid.max(), rel=0.06)
    assert fwhm_px(ours) == pytest.approx(fwhm_px(grid), rel=0.05)


def test_light_is_enclosed_as_in_the_published_grid(both):
    ours, grid = both
    for radius in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 7.5, 10.0):
        assert enclosed(ours, radius) == pytest.approx(enclosed(grid, radius), abs=0.035), radius


MADE_BY_ITSELF = """
import hashlib
import numpy as np
from skydex.demo.cameras.epsf import central_shares, effective_psf
from skydex.demo.psf.electronics import CAMERAS

camera, centres = CAMERAS["IR"], np.linspace(9.5, 10.5, 1000)
optics = camera.blur_in("F160W"), camera.wavelengths_um("F160W"), 1.0
tables, shares = effective_psf(*optics).tables, central_shares(*optics, centres, centres[::-1])
print(hashlib.sha256(tables.tobytes() + shares.tobytes()).hexdigest())
"""


def test_psfs_are_the_same_to_the_last_bit_however_many_threads_multiply_matrices():
    def digest(n_threads):
        environ = {**os.environ, "OPENBLAS_NUM_THREADS": str(n_threads)}
        command = [sys.executable, "-c", MADE_BY_ITSELF]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout

    assert digest(1) == digest(2) == digest(4)


@pytest.mark.parametrize("band", HANDBOOK_FWHM_PX)
def test_blue_light_is_as_wide_as_the_handbook_says(band):
    assert fwhm_px(psf_of("UVIS", band)) == pytest.approx(HANDBOOK_FWHM_PX[band], rel=0.05)


@pytest.mark.parametrize("detector", CAMERAS)
def test_all_light_of_a_star_is_1_wherever_it_lies_in_its_pixel(detector):
    psf = effective_psf(CAMERAS[detector].blur_in("F814W" if detector != "IR" else "F160W"), (0.8, 0.9), 0.0)
    whole = (100 - HALF + 1, 100 + HALF)
    for x, y in ((100.0, 100.0), (100.37, 99.81), (99.5, 100.5)):
        light = draw_star(psf, x, y, rows=whole, columns=whole).astype(float)
        assert light.sum() == pytest.approx(1.0, abs=2e-3)
        about = np.arange(*whole)
        assert (light.sum(axis=0) @ about / light.sum(), light.sum(axis=1) @ about / light.sum()) == pytest.approx(
            (x, y), abs=0.04
        )


def test_out_of_focus_the_core_loses_light():
    peaks = [psf_of("UVIS", "F275W", focus).max() for focus in (0.0, 2.0, -2.0, 5.0)]
    assert peaks[0] > peaks[1] == peaks[2] > peaks[3]


def test_a_pixel_of_a_star_is_the_same_number_in_whatever_section():
    rng = np.random.default_rng(1)
    psf, whole = effective_psf(CAMERAS["WFPC2"].blur_in("F814W"), (0.8,), 2.0), (52, 149)
    light = draw_star(psf, 100.37, 99.81, rows=whole, columns=whole)
    for _ in range(200):
        (y0, y1), (x0, x1) = (np.sort(rng.choice(np.arange(*whole), 2, replace=False)).tolist() for _ in range(2))
        part = draw_star(psf, 100.37, 99.81, rows=(y0, y1), columns=(x0, x1))
        assert np.array_equal(part, light[y0 - whole[0] : y1 - whole[0], x0 - whole[0] : x1 - whole[0]])


@pytest.mark.parametrize("focus_um", [0.0, 3.0, 6.0])
def test_no_pixel_has_more_than_a_share_beyond_the_columns_that_may(focus_um):
    rng = np.random.default_rng(2)
    psf, whole = effective_psf(CAMERAS["WFPC2"].blur_in("F814W"), (0.8,), focus_um), (52, 149)
    for share in (1e-1, 1e-2, 1e-3, 1e-4):
        x, y = 100 + rng.uniform(-0.5, 0.5, 2)
        columns = np.arange(*whole)[(draw_star(psf, x, y, rows=whole, columns=whole) > share).any(axis=0)]
        assert np.all(np.abs(columns - x) <= psf.columns_with(share))
        assert psf.columns_with(share) < HALF
