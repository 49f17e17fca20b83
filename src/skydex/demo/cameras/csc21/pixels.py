"""Pixels of counts images: photons of sources, each with a place of its own, and a background after Poisson."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.csc21.headers import PIXEL_ARCSEC, Exposed, header_of
from skydex.demo.cameras.csc21.scenes import PARTS_OF_BROAD, Scene, read_scene
from skydex.demo.cameras.noise import key_of, poissons, uniforms
from skydex.demo.cameras.section import Section, SimulatedImage
from skydex.demo.cameras.tangent import Tangent
from skydex.demo.csc21.sources import APERTURE_ARCSEC, BACKGROUND_PER_S, BANDS
from skydex.images import Pixels

__all__ = ["open_image"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]

_PIXEL_DEG = PIXEL_ARCSEC / 3600.0
_CORE_SHARE, _CORE, _WINGS = 0.7, 0.2, 0.45
"""Part of the light in the core of the PSF; widths of core and wings, sigma, relative to the radius of the aperture."""
_EXTENT = 0.35
"""Further width of extended sources."""
_FARTHEST = 6.0
"""No photon is farther from its source, in sigma of the wings."""
_PHOTONS_AT_ONCE = 1 << 20


def open_image(archive: Path, key: str, access: bytes) -> Pixels:
    """Open a counts image: what the opener of simulated images calls."""
    exposed = Exposed.noted(access)
    view = _View(exposed, *_placed(archive, exposed.scene, exposed.ra_deg, exposed.dec_deg, exposed.n_pixels))
    return SimulatedImage(exposed.shape, header_of(exposed), view.draw, dtype=np.int32)


@lru_cache(16)
def _placed(
    archive: Path, rows: tuple[int, int], ra_deg: float, dec_deg: float, n_pixels: int
) -> tuple[Scene, Floats, Floats]:
    """The sources of a stack, and where they lie in its image: pixels x, y, from 0."""
    scene = read_scene(archive, *rows)
    east, north = Tangent(ra_deg, dec_deg).to_plane(scene.ra_deg, scene.dec_deg)
    middle = (n_pixels - 1) / 2
    return scene, middle - east / _PIXEL_DEG, middle + north / _PIXEL_DEG


class _View:
    """What an image shows, drawn section by section."""

    def __init__(self, exposed: Exposed, scene: Scene, x: Floats, y: Floats) -> None:
        self._exposed, self._scene, self._x, self._y = exposed, scene, x, y
        radius_px = (APERTURE_ARCSEC[0] + APERTURE_ARCSEC[1] * scene.theta_arcmin**2) / PIXEL_ARCSEC
        extent = np.where(scene.is_extended, _EXTENT, 0.0)
        self._core_px, self._wings_px = (radius_px * np.hypot(width, extent) for width in (_CORE, _WINGS))

    def draw(self, section: Section) -> Counts:
        """Counts in each pixel."""
        band = self._exposed.band
        counts = np.zeros(section.shape, np.int32)
        near = section.near(self._x, self._y, _FARTHEST * self._wings_px)
        seconds = self._seconds(section)
        for part in PARTS_OF_BROAD if band == "b" else band:
            counts += self._background(section, part, seconds)
            for source in np.flatnonzero(near & (self._scene.counts[part] > 0)).tolist():
                self._add_photons(counts, section, part, source)
        return counts

    def _background(self, section: Section, band: str, seconds: Floats) -> Counts:
        means = seconds * (BACKGROUND_PER_S[BANDS.index(band)] * PIXEL_ARCSEC**2)
        numbers = section.numbers(self._exposed.n_pixels)
        return poissons(key_of("csc21", self._exposed.stack, band), numbers, means).astype(np.int32)

    def _seconds(self, section: Section) -> Floats:
        """Seconds for which a detector saw each pixel: a square about each aim point, turned by its roll."""
        exposed = self._exposed
        middle, half = (exposed.n_pixels - 1) / 2, exposed.n_pixels / 2
        seconds = np.zeros(section.shape)
        rows = np.arange(section.y0, section.y1)[:, None] - middle
        columns = np.arange(section.x0, section.x1) - middle
        for ra, dec, roll, exposure in exposed.pointings:
            east, north = Tangent(exposed.ra_deg, exposed.dec_deg).to_plane(np.array([ra]), np.array([dec]))
            x, y = columns + east[0] / _PIXEL_DEG, rows - north[0] / _PIXEL_DEG
            turn = np.radians(roll)
            along, across = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
            is_seen = np.abs(along, out=along) < half
            is_seen &= np.abs(across, out=across) < half
            np.add(seconds, exposure, out=seconds, where=is_seen)
        return seconds

    def _add_photons(self, counts: Counts, section: Section, band: str, source: int) -> None:
        """Put the photons of a source into their pixels."""
        keys = [key_of("csc21", self._exposed.stack, band, source, word) for word in ("kind", "far", "turn")]
        n_photons = int(self._scene.counts[band][source])
        for first in range(0, n_photons, _PHOTONS_AT_ONCE):
            numbers = np.arange(first, min(first + _PHOTONS_AT_ONCE, n_photons), dtype=np.uint64)
            kind, far, turn = (uniforms(key, numbers) for key in keys)
            width = np.where(kind < _CORE_SHARE, self._core_px[source], self._wings_px[source])
            away = width * np.minimum(np.sqrt(-2.0 * np.log(far)), _FARTHEST)
            column = np.rint(self._x[source] + away * np.cos(2.0 * np.pi * turn)).astype(np.int64) - section.x0
            row = np.rint(self._y[source] + away * np.sin(2.0 * np.pi * turn)).astype(np.int64) - section.y0
            ny, nx = section.shape
            is_here = (row >= 0) & (row < ny) & (column >= 0) & (column < nx)
            np.add.at(counts, (row[is_here], column[is_here]), 1)
