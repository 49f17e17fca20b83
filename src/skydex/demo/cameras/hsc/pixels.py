"""`open_image`: a simulated image of the Hubble cameras, in electrons per second, with the background taken off."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.hsc.headers import header_of
from skydex.demo.cameras.hsc.noted import Noted
from skydex.demo.cameras.hsc.optics import (
    aperture_arcsec,
    enclosed,
    full_well,
    pixel_noise,
    psf_of_image,
    rays_per_second,
)
from skydex.demo.cameras.hsc.sources import Sources, read_sources
from skydex.demo.cameras.noise import key_of, normals, poissons, uniforms
from skydex.demo.cameras.scene import draw_points, stamps_of
from skydex.demo.cameras.section import Section, SimulatedImage
from skydex.demo.hsc.images import Image
from skydex.demo.hsc.measurements import ZERO_POINTS
from skydex.images import Pixels

__all__ = ["open_image"]

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_UNSEEN = 0.03
"""Light that is left out, relative to the noise of an empty pixel."""
_POINTS_OF_GALAXY, _GALAXY_ARCSEC, _GOLDEN = 160, (0.06, 0.16), np.pi * (3 - np.sqrt(5))
_GALAXY_REACH_PX, _OF_GALAXY = 21.0, ("size", "tilt", "position angle")
_CELL_PX, _MOST_RAYS = 64, 64
_RAY_ELECTRONS, _RAY_SPREAD, _RAY_PX, _RAY_STEPS = 900.0, 0.7, (1.0, 12.0), 24


def open_image(archive: Path, key: str, access: bytes) -> Pixels:
    """Open an image.

    Parameters
    ----------
    archive : Path
        The archive, in whose truth stands what is on it.
    key : str
        Its name.
    access : bytes
        What was noted when it was registered.
    """
    noted = Noted.from_bytes(access)
    image, sources = noted.image, read_sources(archive, noted.group, noted.number)
    view = _View(image, noted.group, sources, noted.seed)
    return SimulatedImage((image.naxis, image.naxis), header_of(image, noted.seed), view.draw)


class _View:
    """What an image shows, drawn section by section."""

    def __init__(self, image: Image, group: str, sources: Sources, seed: int) -> None:
        self._image, self._psf, self._noise = image, psf_of_image(image), pixel_noise(image)
        self._name, self._field = ("hsc", seed, image.name), ("hsc", seed, group)
        self._radius_px = aperture_arcsec(image) / image.detector.scale_arcsec
        self._zero = ZERO_POINTS[image.detector.name]
        self._places = (sources.x, sources.y)
        is_star = sources.galaxy < 0
        share = enclosed(self._psf, self._radius_px, np.zeros(1))
        self._stars = (sources.x[is_star], sources.y[is_star], self._rates(sources.mag[is_star]) / share)
        numbers = sources.galaxy.astype(np.float64)
        galaxies = (sources.x, sources.y, self._rates(sources.mag), numbers)
        self._galaxies = tuple(one[~is_star] for one in galaxies)
        self._hit = np.flatnonzero(~np.isnan(sources.ray_mag))
        self._hit_rates = self._rates(sources.ray_mag[self._hit])

    def draw(self, section: Section) -> Floats:
        """Electrons per second in each pixel."""
        least = _UNSEEN * self._noise.background
        light = draw_points(section, self._psf, *self._stars, least=least)
        light += draw_points(section, self._psf, *self._points_of_galaxies(section), least=least)
        self._add_rays(light, section)
        deviation = np.sqrt(self._noise.background**2 + self._noise.quantum * np.maximum(light, 0.0))
        light += deviation * normals(key_of(*self._name, "noise"), section.numbers(self._image.naxis))
        self._bleed(light, section)
        return light

    def _rates(self, mag: NDArray[np.float32]) -> Floats:
        """Electrons per second."""
        return np.asarray(10 ** (-0.4 * (mag.astype(np.float64) - self._zero)))

    def _points_of_galaxies(self, section: Section) -> tuple[Floats, Floats, Floats]:
        """Points whose light together makes tilted exponential discs with the right light in the aperture.

        A galaxy looks the same in all images of its field.
        """
        near = section.near(self._galaxies[0], self._galaxies[1], self._psf.wings_px + _GALAXY_REACH_PX)
        x, y, rates, galaxy = (one[near, None] for one in self._galaxies)
        size, tilt, turn = (uniforms(key_of(*self._field, word), galaxy.astype(np.uint64)) for word in _OF_GALAXY)
        scale = _GALAXY_ARCSEC[0] + size * (_GALAXY_ARCSEC[1] - _GALAXY_ARCSEC[0])
        radius, light = _disc()
        radius, angle = scale * radius, np.arange(_POINTS_OF_GALAXY) * _GOLDEN
        along, across = radius * np.cos(angle), radius * np.sin(angle) * (0.35 + 0.65 * tilt)
        east = along * np.sin(turn * np.pi) + across * np.cos(turn * np.pi)
        north = along * np.cos(turn * np.pi) - across * np.sin(turn * np.pi)
        to_pixels = np.linalg.inv(self._image.cd * 3600)
        dx, dy = (line[0] * east + line[1] * north for line in to_pixels)
        within = (light * enclosed(self._psf, self._radius_px, np.hypot(dx, dy))).sum(axis=1, keepdims=True)
        return (x + dx).ravel(), (y + dy).ravel(), (light * rates / within).ravel()

    def _add_rays(self, light: Floats, section: Section) -> None:
        """Cosmic rays: those that hit catalogued sources, and in single exposures any others."""
        near = section.near(self._places[0][self._hit], self._places[1][self._hit], _RAY_PX[1])
        if near.any():
            own = self._hit[near]
            turn = uniforms(key_of(*self._name, "hit"), own.astype(np.uint64)) * np.pi
            middle = (self._places[0][own] + 0.6 * np.cos(turn), self._places[1][own] + 0.6 * np.sin(turn))
            _add_tracks(light, section, *middle, np.full(len(own), 2.0), turn, self._hit_rates[near])
        rate = rays_per_second(self._image) * self._image.exposure_s
        if not rate:
            return
        x, y, length, turn, electrons = self._rays(section, rate)
        kept = section.near(x, y, _RAY_PX[1])
        kept[kept] = self._is_clear(x[kept], y[kept], length[kept])
        flux = electrons[kept] / self._image.exposure_s
        _add_tracks(light, section, x[kept], y[kept], length[kept], turn[kept], flux)

    def _rays(self, section: Section, rate: float) -> tuple[Floats, ...]:
        """Rays of all cells of pixels that the section touches or nearly touches."""
        reach, across = _RAY_PX[1], -(-self._image.naxis // _CELL_PX)
        rows, columns = (
            np.arange(max(0, int(low - reach) // _CELL_PX), min(across, int(high + reach) // _CELL_PX + 1))
            for low, high in ((section.y0, section.y1), (section.x0, section.x1))
        )
        cells = (rows[:, None] * across + columns).ravel().astype(np.uint64)
        counts = poissons(key_of(*self._name, "rays"), cells, np.full(len(cells), rate * _CELL_PX**2))
        cell = np.repeat(cells, np.minimum(counts, _MOST_RAYS).astype(np.int64))
        place = np.arange(len(cell)) - np.searchsorted(cell, cell)
        numbers = cell * np.uint64(_MOST_RAYS) + place.astype(np.uint64)
        one, two, long, turn = (uniforms(key_of(*self._name, word), numbers) for word in ("x", "y", "long", "turn"))
        x = (cell % np.uint64(across)).astype(np.float64) * _CELL_PX + one * _CELL_PX - 0.5
        y = (cell // np.uint64(across)).astype(np.float64) * _CELL_PX + two * _CELL_PX - 0.5
        energy = np.exp(_RAY_SPREAD * normals(key_of(*self._name, "energy"), numbers).astype(np.float64))
        length = _RAY_PX[0] + (_RAY_PX[1] - _RAY_PX[0]) * long**3  # most come steeply
        return x, y, length, turn * np.pi, _RAY_ELECTRONS * energy * np.sqrt(length)

    def _is_clear(self, x: Floats, y: Floats, length: Floats) -> NDArray[np.bool_]:
        """Which rays stay away from the apertures of sources: where one was hit, the catalogue knows of it."""
        reach = self._radius_px + 1.0 + length / 2
        near = np.flatnonzero(
            (self._places[0] > x.min(initial=0) - 20)
            & (self._places[0] < x.max(initial=0) + 20)
            & (self._places[1] > y.min(initial=0) - 20)
            & (self._places[1] < y.max(initial=0) + 20)
        )
        apart = np.hypot(x[:, None] - self._places[0][near], y[:, None] - self._places[1][near])
        return np.asarray((apart > reach[:, None]).all(axis=1))

    def _bleed(self, light: Floats, section: Section) -> None:
        """Pixels hold no more than they can; what is too much runs along columns."""
        well = full_well(self._image)
        if well == np.inf:
            return
        np.minimum(light, well, out=light)
        x, low, high = self._bleeds
        touched = (x >= section.x0) & (x < section.x1) & (high > section.y0) & (low < section.y1)
        for column, first, last in zip(x[touched].tolist(), low[touched].tolist(), high[touched].tolist(), strict=True):
            light[max(first - section.y0, 0) : last - section.y0, column - section.x0] = well

    @cached_property
    def _bleeds(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Columns with their full rows, for each saturated star."""
        well = full_well(self._image)
        is_bright = self._stars[2] * self._psf.core.max() > well
        x, y, flux = (one[is_bright] for one in self._stars)
        stamps = stamps_of(self._psf, x, y, flux, self._psf.core_px)
        is_full = stamps > well
        excess = np.where(is_full, stamps - well, 0.0).sum(axis=1)
        star, column = np.nonzero(is_full.any(axis=1))
        rows = np.arange(stamps.shape[1]) - self._psf.core_px
        full = is_full[star, :, column]
        low = np.where(full, rows, rows[-1]).min(axis=1)
        high = np.where(full, rows, rows[0]).max(axis=1) + 1
        runs = np.round(excess[star, column] / well / 2).astype(np.int64)
        middle_x, middle_y = (np.floor(place[star] + 0.5).astype(np.int64) for place in (x, y))
        return middle_x + column - self._psf.core_px, middle_y + low - runs, middle_y + high + runs


@cache
def _disc() -> tuple[Floats, Floats]:
    """Points of an exponential disc: their radii in scale lengths, the closer the brighter; the light of each."""
    share = (np.arange(_POINTS_OF_GALAXY) + 0.5) / _POINTS_OF_GALAXY
    radius = 5.0 * share**0.7
    light = radius * np.exp(-radius) * share**-0.3
    return radius, light / light.sum()


def _add_tracks(
    light: Floats, section: Section, x: Floats, y: Floats, length: Floats, turn: Floats, flux: Floats
) -> None:
    """Add straight tracks to the light of a section: each in steps that fall into pixels."""
    steps = (np.arange(_RAY_STEPS) + 0.5) / _RAY_STEPS - 0.5
    column = np.floor(x[:, None] + length[:, None] * steps * np.cos(turn)[:, None] + 0.5).astype(np.int64) - section.x0
    row = np.floor(y[:, None] + length[:, None] * steps * np.sin(turn)[:, None] + 0.5).astype(np.int64) - section.y0
    is_here = (row >= 0) & (row < light.shape[0]) & (column >= 0) & (column < light.shape[1])
    each = np.broadcast_to(flux[:, None] / _RAY_STEPS, is_here.shape)
    np.add.at(light, (row[is_here], column[is_here]), each[is_here])
