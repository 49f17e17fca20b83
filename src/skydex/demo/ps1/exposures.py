"""When and how well Pan-STARRS1 looked at a field (science.md has the plan of the survey).

Pairs of exposures a quarter of an hour or two apart, in seasons of five months around opposition from May 2009 to April
2014; g, r and i in dark nights, z and y in bright ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["AB_ZERO_JY", "BANDS", "DEPTHS", "Exposures", "plan_exposures"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BANDS = "grizy"
"""Letters of the bands, in the order of filterID, which begins at 1."""
AB_ZERO_JY = 8.90
"""m(AB) = -2.5 log10(flux in Jy) + 8.90."""
DEPTHS = np.array((22.0, 21.8, 21.5, 20.9, 19.7))
"""Magnitude of a source at five sigma in a typical exposure."""

_FIRST_MJD, _LAST_MJD = 54_978.0, 56_772.0
_EQUINOX_MJD, _YEAR_DAYS = 55_275.7, 365.2422
_NEW_MOON_MJD, _MONTH_DAYS = 55_211.30, 29.530588
_MIDNIGHT = 0.42
"""Middle of the night on Haleakala, as a part of the day in UTC."""
_SEASON_DAYS = 75.0
_DARK = np.array((True, True, True, False, False))
_EXPOSURE_S = np.array((43.0, 40.0, 45.0, 30.0, 30.0))
_ZERO_POINTS = np.array((24.41, 24.68, 24.56, 24.22, 23.24))
_SKY_JY = np.array((1.3e-6, 2.1e-6, 3.3e-6, 6.1e-6, 1.3e-5))
_FWHM_ARCSEC = np.array((1.31, 1.19, 1.11, 1.07, 1.02))


@dataclass(frozen=True)
class Exposures:
    """The exposures of one field, by band and time; arrays of shape (n,)."""

    band: Ints
    """Index in `BANDS`."""
    mjd: Floats
    """Middle of the exposure."""
    depth: Floats
    """Magnitude at five sigma."""
    fwhm: Floats
    """Major axis of the PSF, arcsec."""
    roundness: Floats
    """Minor by major axis."""
    angle_deg: Floats
    """Of the major axis."""
    air_mass: Floats
    zero_point: Floats
    exposure_s: Floats
    sky_jy: Floats
    """Background, Jy/arcsec**2."""

    def __len__(self) -> int:
        return len(self.mjd)


def plan_exposures(ra_deg: float, n_per_band: NDArray[np.int64], chance: np.random.Generator) -> Exposures:
    """Exposures of a field.

    Parameters
    ----------
    ra_deg : float
        Right ascension of the field, which decides on its seasons.
    n_per_band : (5,) int array
        How many there are in each band.
    chance : Generator
        Random numbers.
    """
    band = np.repeat(np.arange(len(BANDS)), n_per_band)
    mjd = np.concatenate(
        [_moments(ra_deg, int(n), bool(dark), chance) for n, dark in zip(n_per_band, _DARK, strict=True)]
    )
    n = len(band)
    fwhm = _FWHM_ARCSEC[band] * chance.lognormal(0.1, 0.25, n)
    return Exposures(
        band,
        mjd,
        DEPTHS[band] + chance.normal(0.0, 0.15, n) - 1.25 * np.log10(fwhm / _FWHM_ARCSEC[band]),
        fwhm,
        chance.uniform(0.82, 0.99, n),
        chance.uniform(-90.0, 90.0, n),
        1.0 + chance.gamma(2.0, 0.12, n),
        _ZERO_POINTS[band] + chance.normal(0.0, 0.03, n),
        _EXPOSURE_S[band],
        _SKY_JY[band] * chance.lognormal(0.0, 0.2, n),
    )


def _moments(ra_deg: float, n: int, is_dark: bool, chance: np.random.Generator) -> Floats:
    """Moments of one band in ascending order: two each in as many nights as it takes."""
    n_nights = (n + 1) // 2
    nights = _nights(ra_deg, is_dark, chance)[:n_nights]
    first = nights + _MIDNIGHT + np.clip(chance.normal(0.0, 0.06, n_nights), -0.12, 0.12)
    second = first + chance.uniform(15.0, 30.0, n_nights) / 1440.0
    return np.sort(np.concatenate((first, second))[:n])


def _nights(ra_deg: float, is_dark: bool, chance: np.random.Generator) -> Floats:
    """More nights than anybody needs, as whole MJD, in no order."""
    opposition = _EQUINOX_MJD + _YEAR_DAYS * ((ra_deg - 180.0) / 360.0 % 1.0 - 1.0)
    night = np.unique(
        np.round(np.arange(-_SEASON_DAYS, _SEASON_DAYS) + opposition + _YEAR_DAYS * np.arange(7)[:, None])
    )
    age = np.abs(((night - _NEW_MOON_MJD) / _MONTH_DAYS + 0.5) % 1.0 - 0.5)
    fits = (night >= _FIRST_MJD) & (night <= _LAST_MJD) & ((age < 0.3) if is_dark else (age > 0.2))
    return chance.permutation(night[fits])
