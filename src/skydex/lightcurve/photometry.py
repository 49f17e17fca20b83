"""Flux densities and AB magnitudes.

m(AB) = -2.5 log10(flux / Jy) + 8.90, as the documents of Pan-STARRS1 write it. Oke & Gunn 1983, ApJ 266, 713, define
the constant as 8.9000656, which `exact=True` takes. A flux that is not positive has no magnitude: it is NaN, and never
clipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skydex.lightcurve.plain import floats
from skydex.lightcurve.segments import Floats

__all__ = ["AB_ZERO", "MAG_PER_RATIO", "ab_mag", "ab_mag_err", "flux_jy", "flux_jy_err"]

AB_ZERO = 8.90
"""AB magnitude of 1 Jy, as it is mostly rounded."""
_EXACT_AB_ZERO = 8.9000656
MAG_PER_RATIO = 2.5 / np.log(10.0)
"""Error of a magnitude for a relative error of the flux: 1.0857362."""


def ab_mag(flux: Any, *, exact: bool = False) -> Floats:
    """AB magnitudes of flux densities.

    Parameters
    ----------
    flux : (n,) array_like or Quantity
        Flux densities, in Jy if they are bare numbers.
    exact : bool, optional
        Take 8.9000656 as the magnitude of 1 Jy instead of 8.90.

    Returns
    -------
    mag : (n,) float64 array
        AB magnitudes; NaN where the flux is masked, not finite, 0 or negative.

    Examples
    --------
    >>> ab_mag([1e-4, 3.631e-6, -1e-6]).round(6).tolist()
    [18.9, 22.499934, nan]
    """
    jansky = floats(flux, "Jy")
    with np.errstate(invalid="ignore"):
        positive = np.where(jansky > 0.0, jansky, np.nan)
    return np.asarray((_EXACT_AB_ZERO if exact else AB_ZERO) - 2.5 * np.log10(positive))


def ab_mag_err(flux: Any, flux_err: Any) -> Floats:
    """Errors of AB magnitudes, one sigma: 1.0857362 times the relative error; NaN where `ab_mag` is.

    Parameters
    ----------
    flux, flux_err : (n,) array_like or Quantity
        Flux densities and their errors, in Jy if they are bare numbers.

    Examples
    --------
    >>> ab_mag_err([1e-4, 0.0], [1e-6, 1e-6]).round(8).tolist()
    [0.01085736, nan]
    """
    jansky, error = floats(flux, "Jy"), floats(flux_err, "Jy")
    with np.errstate(invalid="ignore"):
        return np.asarray(MAG_PER_RATIO * error / np.where(jansky > 0.0, jansky, np.nan))


def flux_jy(mag: Any, *, exact: bool = False) -> Floats:
    """Flux densities of AB magnitudes, Jy; the inverse of `ab_mag`."""
    return np.asarray(10.0 ** (0.4 * ((_EXACT_AB_ZERO if exact else AB_ZERO) - floats(mag, "mag"))))


def flux_jy_err(flux: Any, mag_err: Any) -> Floats:
    """Errors of flux densities, in their unit, from the errors of their magnitudes."""
    return np.asarray(floats(flux) * floats(mag_err, "mag") / MAG_PER_RATIO)
