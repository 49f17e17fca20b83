"""What the simulated Hubble cameras are like: apertures, PSFs, full wells, and how noise follows from the catalogue's.

The catalogue's error of a magnitude m is sigma^2 = a^2 10^(0.4 d) + b^2 10^(0.8 d), where d = m - 25.2. That
is the noise of light itself and that of the background within the aperture; pixels get just these two, so that
photometry within the aperture scatters as the catalogue says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.optics import Psf, telescope_psf
from skydex.demo.cameras.scene import draw_points
from skydex.demo.cameras.section import Section
from skydex.demo.hsc.images import Image
from skydex.demo.hsc.measurements import ZERO_POINTS, noise_of

__all__ = ["PixelNoise", "aperture_arcsec", "enclosed", "full_well", "pixel_noise", "psf_of_image", "rays_per_second"]

Floats = NDArray[np.float64]

_APERTURES_ARCSEC = {"ACS/WFC": 0.15, "WFC3/UVIS": 0.15, "WFC3/IR": 0.45, "WFPC2": 0.3}
"""Radii of the larger aperture of the Hubble Source Catalog."""
_BLUR_PX = {"ACS/WFC": 0.35, "WFC3/UVIS": 0.3, "WFC3/IR": 0.3, "WFPC2": 0.35}
"""What detectors and the combination of exposures blur, illustrative."""
_FULL_WELLS = {"ACS/WFC": 84_000.0, "WFC3/UVIS": 72_000.0, "WFPC2": 60_000.0}
"""Electrons that a pixel holds; the infrared detector is read so often that its pixels are never full."""
_RAYS = {"ACS/WFC": 2.7e-6, "WFC3/UVIS": 2.7e-6, "WFPC2": 2.7e-6}
"""Cosmic rays in a pixel of 15 micrometres and a second: 1.2 per square centimetre. The infrared detector knows them
from stars, as they come all at once."""
_DEPTH_OF_NOISE, _MAG = 25.2, 2.5 / math.log(10)


@dataclass(frozen=True)
class PixelNoise:
    """Noise of a pixel."""

    background: float
    """Deviation of an empty pixel, electrons per second."""
    quantum: float
    """Variance of light relative to it, electrons per second: what one quantum of light contributes."""


def aperture_arcsec(image: Image) -> float:
    """Radius of the aperture to which the catalogue's magnitudes refer."""
    return _APERTURES_ARCSEC[image.detector.name]


def full_well(image: Image) -> float:
    """Most that a pixel holds, electrons per second of an exposure."""
    return _FULL_WELLS.get(image.detector.name, math.inf) * image.n_exposures / image.exposure_s


def rays_per_second(image: Image) -> float:
    """Cosmic rays in a pixel and a second that are left in the image: several exposures tell what is one."""
    return _RAYS.get(image.detector.name, 0.0) if image.n_exposures == 1 else 0.0


def psf_of_image(image: Image) -> Psf:
    """How a point looks."""
    detector = image.detector
    return telescope_psf(image.wavelength / 10, detector.scale_arcsec, blur_px=_BLUR_PX[detector.name])


def pixel_noise(image: Image) -> PixelNoise:
    """Noise of pixels such that magnitudes within the aperture scatter as the catalogue says."""
    noise = noise_of(image)
    rate = 10 ** (-0.4 * (_DEPTH_OF_NOISE - ZERO_POINTS[image.detector.name]))
    n_pixels = math.pi * (aperture_arcsec(image) / image.detector.scale_arcsec) ** 2
    return PixelNoise(noise.b / _MAG * rate / math.sqrt(n_pixels), rate * (noise.a / _MAG) ** 2)


def enclosed(psf: Psf, radius_px: float, apart_px: Floats) -> Floats:
    """Share of the light of points within a circle, by their distances from its middle."""
    places, shares = _enclosed(psf, radius_px)
    return np.asarray(np.interp(apart_px, places, shares))


@lru_cache(maxsize=32)
def _enclosed(psf: Psf, radius_px: float) -> tuple[Floats, Floats]:
    places = np.linspace(0.0, 12.0, 33)
    fine = (np.arange(11) + 0.5) / 11 - 0.5
    reach = math.ceil(radius_px) + 1
    axis = (np.arange(-reach, reach + 1)[:, None] + fine).ravel()
    section = Section(-reach, reach + 1, -reach, reach + 1)
    shares = [psf.enclosed(radius_px)]
    for place in places[1:]:
        inside = np.hypot(axis[:, None], axis) < radius_px
        share = inside.reshape(2 * reach + 1, 11, 2 * reach + 1, 11).mean(axis=(1, 3))
        light = draw_points(section, psf, np.array([place]), np.zeros(1), np.ones(1))
        shares.append(float((share * light).sum()))
    return places, np.array(shares)
