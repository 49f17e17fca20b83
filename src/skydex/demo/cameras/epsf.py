"""Effective PSFs of Hubble's cameras: how much of a star's light falls into a pixel, by where its centre lies.

The telescope's aperture (2.4 m, with its central obscuration, four vanes and three pads) with an error of its wave
front is transformed to the focal plane at a few wavelengths of a filter; the diffusion of charges, light that is
scattered near by, and the pixel itself blur it (Anderson & King 2000, PASP 112, 1360, for the notion; the aperture
after Krist, Hook & Stoehr 2011, SPIE 8127). Widths of the blur are chosen so that the core and the encircled energy
come out like those of the published grids of WFC3, which the tests hold beside them; nothing of the grids is used here.
Amounts of the aberrations are illustrative.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, next_fast_len
from scipy.ndimage import convolve1d, gaussian_filter, map_coordinates, spline_filter

__all__ = ["HALF", "OVERSAMPLING", "Blur", "EffectivePsf", "central_shares", "draw_star", "effective_psf"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Waves = NDArray[np.complex128]

OVERSAMPLING = 4
"""Values in a pixel along each axis."""
HALF = 50
"""A PSF reaches so many pixels from its centre."""

_CORE_HALF = 6
"""As far as light is scattered into the core from."""
_MARGIN = 1
"""Pixels beyond, for interpolation."""
_DIAMETER_M = 2.4
_LEAST_SAMPLES, _MOST_SAMPLES = 96, 256
"""Across the aperture; as many as keep the pattern from repeating itself within the PSF."""
_STEP_OF_SAMPLES = 32
_FINER = 4
_VANE, _PAD = 0.011, 0.065
_PADS = ((0.8921, 0.0), (-0.4615, 0.7555), (-0.4564, -0.7606))
_ARCSEC = np.pi / 648_000.0
_WAVE_FRONT_UM = {"defocus per um": 0.0061, "astigmatism": 0.012, "trefoil": 0.010}
_DEFOCUSED_UM = 6.0
"""Focus of the second PSF between which and the one in focus is interpolated: by the square of the focus."""
_TAPS = 2
"""Steps to each side that are interpolated between."""
_OVERSHOOT = 1.25**2
"""Sum of the magnitudes of the weights of a cubic interpolation, at most, along both axes."""
_PIXEL = np.array((0.5, 1.0, 1.0, 1.0, 0.5)) / OVERSAMPLING


@dataclass(frozen=True)
class Blur:
    """What a camera does to the image that the telescope makes."""

    scale_arcsec: float
    """Side of a pixel."""
    obscuration: float
    """Radius of the central obscuration, of that of the aperture."""
    diffusion: float
    """Of charges, sigma, pixels."""
    scattered: float
    """Part of the light that is scattered near by."""
    scattering: float = 1.7
    """How far, sigma, pixels."""


@dataclass(frozen=True, eq=False)
class EffectivePsf:
    """The part of a star's light in a pixel, by where its middle lies from the star's centre.

    Two tables, in focus and out of it, that are shared by all exposures in a filter; `OVERSAMPLING` steps of each make
    a pixel, and the centre is in the middle. Values at whole pixels add up to 1.
    """

    tables: Singles
    """Of shape (rows, 2, columns)."""
    weight: float
    """Of the second one."""
    brightest: Singles
    """The most that a pixel can have which lies in columns so many steps from the centre, or farther."""

    @property
    def values(self) -> Singles:
        """Both together."""
        return np.asarray(np.einsum("ytx,t->yx", self.tables, self.weights))

    @property
    def weights(self) -> Singles:
        """Of both tables."""
        return np.array((1.0 - self.weight, self.weight), np.float32)

    def columns_with(self, share: float) -> float:
        """How many pixels to each side of its centre there may be columns in which a pixel has more than a share."""
        return float(np.count_nonzero(self.brightest > share)) / OVERSAMPLING


def effective_psf(blur: Blur, wavelengths_um: tuple[float, ...], focus_um: float) -> EffectivePsf:
    """The effective PSF of a camera in a filter.

    Parameters
    ----------
    blur : Blur
        The camera.
    wavelengths_um : tuple of float
        Wavelengths that stand for the filter.
    focus_um : float
        Displacement of the secondary mirror.
    """
    tables, brightest = _tables(blur, wavelengths_um)
    return EffectivePsf(tables, _weight(focus_um), brightest)


def _weight(focus_um: float) -> float:
    return min(abs(focus_um) / _DEFOCUSED_UM, 1.0) ** 2


@functools.lru_cache(32)
def _tables(blur: Blur, wavelengths_um: tuple[float, ...]) -> tuple[Singles, Singles]:
    """PSFs in focus and out of it, and how bright they are at most far from the centre."""
    psfs = (_blurred(blur, wavelengths_um, focus, HALF) for focus in (0.0, _DEFOCUSED_UM))
    tables = np.stack([psf * (OVERSAMPLING**2 / psf.sum()) for psf in psfs], axis=1, dtype=np.float32)
    return tables, _brightest(tables.max(axis=(0, 1)))


def _brightest(columns: Singles) -> Singles:
    """The largest values of columns at a distance, or farther; more, by what interpolation may add."""
    middle = len(columns) // 2
    either = np.maximum(columns[middle:], columns[middle::-1])
    beyond = np.maximum.accumulate(either[::-1])[::-1] * np.float32(_OVERSHOOT)
    return np.concatenate([np.repeat(beyond[:1], _TAPS), beyond])


@functools.lru_cache(200)
def _core_at_focus(blur: Blur, wavelengths_um: tuple[float, ...], focus_um: float) -> Floats:
    """The innermost part of a PSF, to be interpolated by cubic splines."""
    core = _blurred(blur, wavelengths_um, focus_um, _CORE_HALF) * (OVERSAMPLING**2 / len(wavelengths_um))
    return np.asarray(spline_filter(core.astype(np.float64)), np.float64)


def _blurred(blur: Blur, wavelengths_um: tuple[float, ...], focus_um: float, half: int) -> Singles:
    light = sum(_monochromatic(blur, wavelength, focus_um, half) for wavelength in wavelengths_um)
    for axis in (0, 1):
        light = convolve1d(light, _PIXEL, axis=axis, mode="nearest")
    light = gaussian_filter(light, blur.diffusion * OVERSAMPLING, mode="nearest")
    around = gaussian_filter(light, blur.scattering * OVERSAMPLING, mode="nearest", truncate=3.0)
    blurred: Singles = (1.0 - blur.scattered) * light + blur.scattered * around
    return blurred


def _monochromatic(blur: Blur, wavelength_um: float, focus_um: float, half: int) -> Singles:
    """The parts of the light in steps of the focal plane."""
    widest = 2 * (HALF + _MARGIN) * blur.scale_arcsec * _ARCSEC * _DIAMETER_M * 1e6
    n_cells = np.ceil(widest / wavelength_um / _STEP_OF_SAMPLES) * _STEP_OF_SAMPLES
    n_samples = int(np.clip(n_cells, _LEAST_SAMPLES, _MOST_SAMPLES))
    wavelength_um = max(wavelength_um, widest / _MOST_SAMPLES)  # of the largest pixels alone, which hide the core
    across = (np.arange(n_samples) + 0.5) / n_samples * 2.0 - 1.0
    x, y = np.meshgrid(across, across)
    square = x**2 + y**2
    error_um = (
        _WAVE_FRONT_UM["defocus per um"] * focus_um * np.sqrt(3.0) * (2.0 * square - 1.0)
        + _WAVE_FRONT_UM["astigmatism"] * np.sqrt(6.0) * (x**2 - y**2)
        + _WAVE_FRONT_UM["trefoil"] * np.sqrt(8.0) * (x**2 - 3.0 * y**2) * x
    )
    wave = _aperture(blur.obscuration, n_samples) * np.exp(2j * np.pi / wavelength_um * error_um)
    step = blur.scale_arcsec * _ARCSEC / OVERSAMPLING
    period = n_samples * wavelength_um * 1e-6 / _DIAMETER_M  # beyond which the pattern repeats itself: Parseval
    turns, most = step / period, (half + _MARGIN) * OVERSAMPLING
    field = _zoomed(_zoomed(wave, turns, most), turns, most)
    intensity = field.real**2 + field.imag**2
    return np.asarray(intensity * (turns**2 / np.sum(np.abs(wave) ** 2)), np.float32)


def _zoomed(rows: Waves, turns: float, most: int) -> Waves:
    """Fourier transforms of rows about frequency 0, as columns, but for phases that intensities do not show.

    A chirp-z transform (Bluestein 1970, IEEE Trans. AU 18, 451); `turns` is the step of the frequencies, and `most` is
    how many there are to each side. No product of matrices, since BLAS rounds it by how many threads it has, and the
    same seed would not give the same sky. `scipy.signal` has this, too, but takes 0.1 s to import.
    """
    n = rows.shape[1]
    lags = np.arange(-most - (n - 1), most + 1)
    size = next_fast_len(len(lags))
    spread = fft(rows * _chirp(np.arange(n), turns), size) * fft(_chirp(lags, turns).conj(), size)
    return np.asarray(ifft(spread)[:, n - 1 : len(lags)].T, np.complex128)


def _chirp(places: NDArray[np.int64], turns: float) -> Waves:
    return np.asarray(np.exp(-1j * np.pi * turns * places.astype(np.float64) ** 2), np.complex128)


@functools.lru_cache(16)
def _aperture(obscuration: float, n_samples: int) -> Singles:
    """How much of each cell of the aperture is open."""
    n = n_samples * _FINER
    across = (np.arange(n) + 0.5) / n * 2.0 - 1.0
    x, y = np.meshgrid(across, across)
    radius = np.hypot(x, y)
    is_open = (radius <= 1.0) & (radius >= obscuration)
    is_open &= (np.abs(x + y) > _VANE * np.sqrt(2.0)) & (np.abs(x - y) > _VANE * np.sqrt(2.0))
    for at_x, at_y in _PADS:
        is_open &= np.hypot(x - at_x, y - at_y) > _PAD
    return np.asarray(is_open.reshape(n_samples, _FINER, n_samples, _FINER).mean((1, 3)), np.float32)


def central_shares(blur: Blur, wavelengths_um: tuple[float, ...], focus_um: float, x: Floats, y: Floats) -> Floats:
    """The parts of stars' light in the pixels that their centres lie in.

    Parameters
    ----------
    blur, wavelengths_um, focus_um
        As for `effective_psf`.
    x, y : (n,) arrays
        Centres, pixels.
    """
    weight = _weight(focus_um)
    places = [(np.rint(axis) - axis + _CORE_HALF + _MARGIN) * OVERSAMPLING for axis in (y, x)]
    sharp, wide = (
        map_coordinates(_core_at_focus(blur, wavelengths_um, focus), places, prefilter=False)
        for focus in (0.0, _DEFOCUSED_UM)
    )
    return np.asarray((1.0 - weight) * sharp + weight * wide, np.float64)


def draw_star(psf: EffectivePsf, x: float, y: float, *, rows: tuple[int, int], columns: tuple[int, int]) -> Singles:
    """A star's light in the pixels of some rows and columns, none farther than `HALF` from its centre.

    Parameters
    ----------
    psf : EffectivePsf
        How its light is spread.
    x, y : float
        Centre, pixels, counted from 0.
    rows, columns : tuple of int
        First and last but one.
    """
    ny, nx = rows[1] - rows[0], columns[1] - columns[0]
    first_y, weights_y = _cubic(rows[0] - y)
    first_x, weights_x = _cubic(columns[0] - x)
    part = psf.tables[first_y : first_y + OVERSAMPLING * ny, :, first_x : first_x + OVERSAMPLING * nx]
    taps = part.reshape(ny, 2 * OVERSAMPLING, nx * OVERSAMPLING)
    # BLAS would be faster, but then the section in which a pixel is read decides how its value is rounded
    lines = np.einsum("t,ytx->yx", np.outer(weights_y, psf.weights).ravel(), taps)
    drawn: Singles = np.einsum("yxt,t->yx", lines.reshape(ny, nx, OVERSAMPLING), weights_x)
    return drawn


def _cubic(offset: float) -> tuple[int, Singles]:
    """First of four steps of a PSF, and their weights, for a value at an offset from the centre in pixels."""
    place = (offset + HALF + _MARGIN) * OVERSAMPLING
    whole = floor(place)
    t = place - whole
    weights = (
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    )
    return whole - 1, np.array(weights, np.float32)
