"""`Psf`: how a camera spreads the light of a point over its pixels; all light together is 1.

A telescope's is an Airy pattern of an obstructed aperture (Born & Wolf, Principles of Optics, 8.5.2), integrated over
pixels and blurred by jitter, in a halo after Moffat (1969, A&A 3, 455) with diffraction spikes. The core is kept for
fractions of a pixel, between which the scene interpolates; the wings are so smooth that whole pixels suffice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import j1

__all__ = ["Psf", "moffat", "psf_of", "telescope_psf"]

Floats = NDArray[np.float64]

PHASES = 8
"""Fractions of a pixel for which the core is kept."""
_FINE = 2
"""Samples of a profile within the distance between two phases, along each axis."""


@dataclass(frozen=True, eq=False)
class Psf:
    """The light of a point in pixels."""

    core: Floats
    """(PHASES + 1, PHASES + 1, n, n): the pixels about a point whose distance from the middle of its pixel is
    j / PHASES - 1/2 along y, i / PHASES - 1/2 along x; n is odd."""
    wings: Floats
    """(m, m): the pixels about a point in the middle of one, 0 where the core is; m is odd."""
    beyond: Floats
    """Largest share in any pixel further away than 0, 1, 2 ... pixels along an axis."""

    @property
    def core_px(self) -> int:
        """How far the core reaches."""
        return int(self.core.shape[-1] // 2)

    @property
    def wings_px(self) -> int:
        """How far the wings reach."""
        return int(self.wings.shape[-1] // 2)

    def enclosed(self, radius_px: float) -> float:
        """Share of the light within a circle about the point, averaged over places of the point in its pixel."""
        middles = np.linspace(-0.5, 0.5, PHASES + 1)[:-1]
        dy, dx = (axis.ravel() for axis in np.meshgrid(middles, middles, indexing="ij"))
        shares = self.core[:-1, :-1].reshape(-1, *self.core.shape[2:])
        n, reach = 11, self.core_px
        fine = (np.arange(n) + 0.5) / n - 0.5
        axis = (np.arange(-reach, reach + 1)[:, None] + fine).ravel()
        apart = (axis[None, :, None] - dy[:, None, None]) ** 2 + (axis[None, None, :] - dx[:, None, None]) ** 2
        inside = (apart < radius_px**2).reshape(len(dy), 2 * reach + 1, n, 2 * reach + 1, n).mean(axis=(2, 4))
        return float(np.mean(np.sum(inside * shares, axis=(1, 2))))


def psf_of(
    profile: Callable[[Floats, Floats], Floats], *, core_px: int = 12, wings_px: int = 48, blur_px: float = 0.0
) -> Psf:
    """The PSF of a profile.

    Parameters
    ----------
    profile : callable
        Brightness at distances dy, dx from the point, in pixels; of whatever scale.
    core_px, wings_px : int, optional
        How far core and wings reach, along an axis.
    blur_px : float, optional
        Deviation of a Gaussian that blurs the core.
    """
    step = 1.0 / (PHASES * _FINE)
    n_fine = (2 * core_px + 2) * PHASES * _FINE
    axis = (np.arange(n_fine, dtype=np.float64) + 0.5) * step - (core_px + 1)
    fine = profile(axis[:, None], axis[None, :])
    if blur_px:
        fine = gaussian_filter(fine, blur_px / step, mode="nearest")
    sums = np.pad(fine, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1) * step**2
    side = 2 * core_px + 1
    edges = np.arange(side + 1) * PHASES * _FINE
    # A point that lies s to the right of the middle of its pixel has the left edge of the first pixel at
    # -core_px - 1/2 - s; the fine grid begins at -core_px - 1.
    first = [(PHASES - phase) * _FINE for phase in range(PHASES + 1)]
    core = np.empty((PHASES + 1, PHASES + 1, side, side))
    for j, low_y in enumerate(first):
        for i, low_x in enumerate(first):
            corners = sums[np.ix_(low_y + edges, low_x + edges)]
            core[j, i] = corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]
    wide = np.arange(-wings_px, wings_px + 1, dtype=np.float64)
    wings = profile(wide[:, None], wide[None, :])
    wings[np.maximum(np.abs(wide)[:, None], np.abs(wide)) <= core_px] = 0.0
    total = core[PHASES // 2, PHASES // 2].sum() + wings.sum()
    core, wings = core / total, wings / total
    return Psf(core, wings, _beyond(core, wings))


def telescope_psf(
    wavelength_nm: float,
    scale_arcsec: float,
    *,
    diameter_m: float = 2.4,
    obscuration: float = 0.33,
    jitter_arcsec: float = 0.007,
    blur_px: float = 0.0,
    halo: float = 0.12,
    spikes: float = 0.01,
    width: float = 1.0,
) -> Psf:
    """The PSF of a telescope in space.

    Parameters
    ----------
    wavelength_nm : float
        Of the filter.
    scale_arcsec : float
        Side of a pixel.
    diameter_m, obscuration : float, optional
        Of the aperture, and of its obstruction relative to it.
    jitter_arcsec : float, optional
        Deviation of the pointing.
    blur_px : float, optional
        Deviation of what the detector itself blurs.
    halo, spikes : float, optional
        Shares of the light in a Moffat halo of exponent 2.5, and in four spikes along the diagonals.
    width : float, optional
        Factor by which the focus widens the core.
    """
    return _telescope_psf(
        wavelength_nm, scale_arcsec, diameter_m, obscuration, jitter_arcsec, blur_px, halo, spikes, width
    )


@lru_cache(maxsize=32)
def _telescope_psf(
    wavelength_nm: float,
    scale_arcsec: float,
    diameter_m: float,
    obscuration: float,
    jitter_arcsec: float,
    blur_px: float,
    halo: float,
    spikes: float,
    width: float,
) -> Psf:
    disc_px = np.degrees(wavelength_nm * 1e-9 / diameter_m) * 3600 / scale_arcsec * width
    """lambda / D."""
    halo_px = max(1.5 * disc_px, 1.0)

    def profile(dy: Floats, dx: Floats) -> Floats:
        apart = np.hypot(dy, dx)
        light = (1 - halo - spikes) * _airy(apart, disc_px, obscuration)
        return light + halo * moffat(apart, halo_px, 2.5) + spikes * _spikes(dy, dx)

    return psf_of(profile, wings_px=96, blur_px=float(np.hypot(jitter_arcsec / scale_arcsec, blur_px)))


def moffat(apart: Floats, core_px: float, exponent: float) -> Floats:
    """Moffat's profile, whose light over the whole plane is 1."""
    return (exponent - 1) / (np.pi * core_px**2) * (1 + (apart / core_px) ** 2) ** -exponent


def _airy(apart: Floats, disc_px: float, obscuration: float) -> Floats:
    """The pattern of an aperture with a central obstruction, whose light over the whole plane is 1."""
    x = np.maximum(np.pi * apart / disc_px, 1e-9)
    inner = obscuration * x
    amplitude = (2 * j1(x) / x - obscuration**2 * 2 * j1(inner) / inner) / (1 - obscuration**2)
    return np.asarray(amplitude**2 * np.pi * (1 - obscuration**2) / (4 * disc_px**2))


def _spikes(dy: Floats, dx: Floats) -> Floats:
    """Four spikes along the diagonals, 1 px wide, fading with the distance; their light is about 1."""
    along, across = np.maximum(np.abs(dx + dy), np.abs(dx - dy)), np.minimum(np.abs(dx + dy), np.abs(dx - dy))
    along, across = along / np.sqrt(2), across / np.sqrt(2)
    shape = np.exp(-0.5 * (across / 0.6) ** 2) / (0.6 * np.sqrt(2 * np.pi))
    return np.asarray(shape / (4 * 12.0) * (1 + along / 12.0) ** -2)


def _beyond(core: Floats, wings: Floats) -> Floats:
    """Largest share outside of squares about the point."""
    reach, far = core.shape[-1] // 2, wings.shape[-1] // 2
    share = wings.copy()
    share[far - reach : far + reach + 1, far - reach : far + reach + 1] = core.max(axis=(0, 1))
    away = np.abs(np.arange(-far, far + 1))
    ring = np.maximum(away[:, None], away)
    largest = np.zeros(far + 2)
    np.maximum.at(largest, ring.ravel(), share.ravel())
    return np.maximum.accumulate(largest[::-1])[::-1][1:]
