"""What single exposures say of each object together: counts, mean positions and mean magnitudes.

All of it follows from the detections of a field, by what a user could do with the published table of detections: good
measurements (psfQfPerfect) make the means, those that do not fit are rejected (`skydex.lightcurve`). Where a
publication printed a mean, that is the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.demo.ps1.exposures import BANDS
from skydex.demo.ps1.sky import QUALITY, Sky
from skydex.lightcurve import MeanMagnitudes, Segments, mean_magnitudes

__all__ = ["Means", "means_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_N_BANDS = len(BANDS)


@dataclass(frozen=True)
class Means:
    """Of each object, (n,), or of each object in each band, (n, 5)."""

    counts: Ints
    """Detections, (n, 5)."""
    ra_deg: Floats
    dec_deg: Floats
    ra_err_deg: Floats
    """Scatter; NaN of one detection."""
    dec_err_deg: Floats
    epoch_mjd: Floats
    chi2: Floats
    """Reduced chi squared of the position; NaN of one detection."""
    quality: Floats
    """Best psfQfPerfect, (n, 5)."""
    magnitudes: dict[str, MeanMagnitudes]
    """`PSF`, `Kron` and `Ap`; arrays of shape (n * 5,), band by band within each object."""
    psf_mag: Floats
    """Mean PSF magnitude, (n, 5): the printed one if there is one."""


def means_of(sky: Sky) -> Means:
    """The means of a field."""
    found, n = sky.detections, len(sky.objects)
    light_curve = found.owner * _N_BANDS + found.band
    curves = Segments.of_owners(light_curve, n * _N_BANDS)
    fluxes = {"PSF": found.flux, "Kron": found.kron, "Ap": found.aperture}
    magnitudes = {
        name: mean_magnitudes(flux, found.flux_err, light_curve, n * _N_BANDS, is_good=found.quality > QUALITY)
        for name, flux in fluxes.items()
    }
    psf_mag = magnitudes["PSF"].mag.reshape(n, _N_BANDS).copy()
    is_printed = sky.objects.printed >= 0
    psf_mag[is_printed] = sky.known.mag[sky.objects.printed[is_printed]]
    return Means(
        curves.counts.reshape(n, _N_BANDS),
        *_positions(sky),
        curves.max(found.quality).reshape(n, _N_BANDS),
        magnitudes,
        psf_mag,
    )


def _positions(sky: Sky) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Weighted mean positions, their scatter, their epoch and how well they fit; bad measurements do not count."""
    found, things = sky.detections, sky.objects
    points = Segments.of_owners(found.owner, len(things))
    is_good = (found.quality > QUALITY) & np.isfinite(found.error_arcsec)
    none_good = points.sum(is_good) == 0
    error = np.where(np.isfinite(found.error_arcsec), found.error_arcsec, 1.0) / 3600.0
    weight = (is_good | none_good[found.owner]) / error**2
    total = points.sum(weight)
    shrink = np.cos(np.radians(things.dec_deg))
    east = ((found.ra_deg - things.ra_deg[found.owner] + 180.0) % 360.0 - 180.0) * shrink[found.owner]
    north = found.dec_deg - things.dec_deg[found.owner]
    means, errors, chi2 = [], [], np.zeros(len(things))
    for offset in (east, north):
        mean = points.sum(weight * offset) / total
        squares = points.sum(weight * (offset - points.spread(mean)) ** 2)
        means.append(mean)
        errors.append(np.sqrt(squares / total))
        chi2 += squares
    freedom = 2.0 * (points.sum(weight > 0) - 1.0)
    is_single = freedom < 1
    with np.errstate(invalid="ignore", divide="ignore"):
        chi2 = np.where(is_single, np.nan, chi2 / freedom)
    ra_err, dec_err = (np.where(is_single, np.nan, error) for error in errors)
    epoch = points.sum(weight * found.mjd) / total
    ra_deg = (things.ra_deg + means[0] / shrink) % 360.0
    dec_deg = things.dec_deg + means[1]
    is_printed = things.printed >= 0
    position = sky.known.position_deg[things.printed[is_printed]]
    ra_deg[is_printed], dec_deg[is_printed] = position.T
    return ra_deg, dec_deg, ra_err, dec_err, epoch, chi2
