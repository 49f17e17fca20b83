"""The median of stamps is numpy's, stamp by stamp and pixel by pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits

from skydex.images import median_stamp


@pytest.fixture
def stamps():
    """Stars of very different brightness on different skies; some pixels are missing, and one has a cosmic ray."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:21, :21]
    star = np.exp(-((x - 10.2) ** 2 + (y - 9.9) ** 2) / 6.0)
    made = [
        flux * star + sky + rng.normal(0, 0.01, star.shape)
        for flux, sky in zip((5, 80, 900, 30, 7), range(5), strict=True)
    ]
    made[1][3, 4] = np.nan
    made[2][:2] = np.nan
    made[3][15, 15] = 1e4
    return [one.astype(np.float32) for one in made]


def plainly(stamps):
    """The same, one number at a time."""
    scaled = []
    for stamp in np.asarray(stamps, dtype=float):
        rim = [*stamp[0], *stamp[-1], *stamp[1:-1, 0], *stamp[1:-1, -1]]
        stamp = stamp - np.median([value for value in rim if not np.isnan(value)])
        scaled.append(stamp / sum(value for value in stamp.flat if not np.isnan(value)))
    median = np.full(scaled[0].shape, np.nan)
    for place in np.ndindex(median.shape):
        known = [stamp[place] for stamp in scaled if not np.isnan(stamp[place])]
        median[place] = np.median(known) if known else np.nan
    return median / np.nansum(median)


def test_the_median_is_that_of_stamps_without_sky_and_of_equal_flux(stamps):
    found = median_stamp(stamps)
    np.testing.assert_allclose(found.data, plainly(stamps), rtol=1e-9, atol=1e-12)
    assert found.n_stamps == 5
    assert np.nansum(found.data) == pytest.approx(1.0)
    assert abs(found.data[15, 15]) < 1e-3  # nothing is left of the cosmic ray
    hdu = fits.open(io.BytesIO(found.fits()))[0]
    np.testing.assert_allclose(hdu.data, found.data, rtol=1e-6)
    assert hdu.header["NSTAMPS"] == 5


def test_a_stamp_without_a_star_or_without_pixels_does_not_count(stamps):
    empty, dark = np.full_like(stamps[0], np.nan), -stamps[0]
    found = median_stamp([*stamps, empty, dark])
    assert found.n_stamps == 5
    np.testing.assert_allclose(found.data, plainly(stamps), rtol=1e-9, atol=1e-12)
    assert np.isnan(median_stamp([empty, dark]).data).all()


def test_a_pixel_that_no_stamp_has_is_missing(stamps):
    for stamp in stamps:
        stamp[12, 12] = np.nan
    assert np.argwhere(np.isnan(median_stamp(stamps).data)).tolist() == [[12, 12]]
