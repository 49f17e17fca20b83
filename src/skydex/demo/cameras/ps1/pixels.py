"""Pixels of stacks and warps: objects, noise, and the asinh scale in which Pan-STARRS1 keeps its counts.

Pixels are v = 2.5 log10(e) asinh((counts - BOFFSET) / (2 BSOFTEN)) (Waters et al. 2020, ApJS 251, 4, section 6.2), from
which the background has been taken off.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.noise import key_of, normals
from skydex.demo.cameras.optics import Psf, moffat, psf_of
from skydex.demo.cameras.ps1.headers import Shot, header_of
from skydex.demo.cameras.ps1.scenes import Place, Scene, read_scene
from skydex.demo.cameras.ps1.skycells import PIXEL_ARCSEC, Skycell
from skydex.demo.cameras.scene import draw_points
from skydex.demo.cameras.section import Section, SimulatedImage
from skydex.images import Pixels

__all__ = ["open_image", "sharpness"]

Floats = NDArray[np.float64]

_BETA = 3.5
"""Exponent of Moffat's profile."""
_CORE_PX, _WINGS_PX = 16, 64
_STEPS_PER_FOLD = 25
"""Widths of PSFs are taken to 4 per cent, so that few have to be made."""
_UNSEEN = 0.03
"""Light that is left out, relative to the noise of an empty pixel."""
_SIZES_ARCSEC = np.array((0.0, 0.45, 0.65, 0.85, 1.2, 1.8))
"""Half-light radii with which galaxies are drawn."""
_ASINH = 2.5 / np.log(10.0)
_M87_DEG, _M87_CORE_ARCSEC, _M87_SLOPE = (187.70593, 12.39112), 9.0, 1.1
_M87_JY = dict(zip("grizy", 10.0 ** (0.4 * (8.90 - np.array((17.75, 17.0, 16.62, 16.37, 16.22)))), strict=True))
"""Surface brightness in the middle of the galaxy, Jy per square arcsec; illustrative."""


def open_image(archive: Path, key: str, access: bytes) -> Pixels:
    """Open a stack or a warp: what the opener of simulated images calls."""
    shot = Shot.noted(access)
    view = _View(shot, _placed(archive, shot.place, shot.cell), key)
    return SimulatedImage(shot.cell.shape, header_of(shot), view.draw)


def sharpness(fwhm_arcsec: float) -> float:
    """Sum of the squares of a PSF's pixels: a star's flux is as uncertain as a pixel, divided by its root."""
    alpha_px = _core_px(fwhm_arcsec / PIXEL_ARCSEC)
    return float((_BETA - 1.0) ** 2 / (np.pi * alpha_px**2 * (2.0 * _BETA - 1.0)))


@lru_cache(16)
def _placed(archive: Path, place: Place, cell: Skycell) -> tuple[Scene, Floats, Floats]:
    """A field, and where its objects lie in a skycell."""
    scene = read_scene(archive, place)
    return scene, *cell.pixels_of(scene.ra_deg, scene.dec_deg)


def _steps(fwhm_arcsec: float) -> int:
    return round(float(np.log(fwhm_arcsec / PIXEL_ARCSEC)) * _STEPS_PER_FOLD)


@lru_cache(40)
def _psf(steps: int) -> Psf:
    """The PSF of a width, counted in steps."""
    core_px = _core_px(float(np.exp(steps / _STEPS_PER_FOLD)))
    return psf_of(lambda dy, dx: moffat(np.hypot(dy, dx), core_px, _BETA), core_px=_CORE_PX, wings_px=_WINGS_PX)


def _core_px(fwhm_px: float) -> float:
    return float(fwhm_px / (2.0 * np.sqrt(2.0 ** (1.0 / _BETA) - 1.0)))


class _View:
    """What an image shows, drawn section by section."""

    def __init__(self, shot: Shot, placed: tuple[Scene, Floats, Floats], key: str) -> None:
        self._shot, self._key = shot, key_of("ps1", key)
        scene, x, y = placed
        flux = scene.flux_at(shot.band, shot.look.number if shot.look else None) * shot.counts_per_jy
        ny, nx = shot.cell.shape
        margin = _WINGS_PX + 1
        here = (flux > 0) & (x > -margin) & (x < nx + margin) & (y > -margin) & (y < ny + margin)
        kind = np.abs(scene.size_arcsec[:, None] - _SIZES_ARCSEC).argmin(axis=1)
        self._groups = [
            (float(np.hypot(shot.fwhm_arcsec, 2.0 * size)), x[those], y[those], flux[those])
            for number, size in enumerate(_SIZES_ARCSEC)
            if len(those := np.flatnonzero(here & (kind == number)))
        ]
        self._m87 = tuple(float(axis[0]) for axis in shot.cell.pixels_of(*(np.array([a]) for a in _M87_DEG)))

    def draw(self, section: Section) -> NDArray[np.float32]:
        """Pixels as in a file."""
        shot = self._shot
        light = np.zeros(section.shape)
        for fwhm_arcsec, x, y, flux in self._groups:
            light += draw_points(section, _psf(_steps(fwhm_arcsec)), x, y, flux, least=_UNSEEN * shot.noise)
        if shot.field == "M87":
            light += self._galaxy(section)
        noise = normals(self._key, section.numbers(shot.cell.shape[1]))
        counts = light + noise * np.sqrt(shot.noise**2 + shot.quantum * light)
        return np.asarray(_ASINH * np.arcsinh((counts - shot.offset) / (2.0 * shot.softening)), np.float32)

    def _galaxy(self, section: Section) -> Floats:
        """The light of M87 itself: an isothermal core with a halo."""
        y = (np.arange(section.y0, section.y1) - self._m87[1])[:, None] * (PIXEL_ARCSEC / _M87_CORE_ARCSEC)
        x = (np.arange(section.x0, section.x1) - self._m87[0]) * (PIXEL_ARCSEC / _M87_CORE_ARCSEC)
        middle = _M87_JY[self._shot.band] * PIXEL_ARCSEC**2 * self._shot.counts_per_jy
        return np.asarray(middle * (1.0 + y**2 + x**2) ** -_M87_SLOPE, np.float64)
