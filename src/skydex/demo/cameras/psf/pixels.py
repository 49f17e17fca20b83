"""Pixels of frames: stars, background and noise in electrons, and what the electronics make of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.epsf import HALF, EffectivePsf, draw_star, effective_psf
from skydex.demo.cameras.noise import key_of, normals
from skydex.demo.cameras.psf.frames import Frame, header_of
from skydex.demo.cameras.section import Section, SimulatedImage
from skydex.demo.cameras.truth import rows_between
from skydex.demo.simulation import TRUTH
from skydex.images import Pixels

__all__ = ["open_image"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_FAINT_PER_PIXEL = 0.2
"""Electrons in a pixel that are not worth drawing; they decide how far out a star is drawn."""
_WINGS = 0.06
"""Of a star's light, in a pixel at a distance: this by the cube of the distance in pixels."""
_LEAST_REACH = 12.0


def open_image(archive: Path, key: str, access: bytes) -> Pixels:
    """Open a frame: what the opener of simulated images calls; the frame is in what was noted of it."""
    frame = Frame(**json.loads(access))
    stars = _stars_of(archive, frame)
    return SimulatedImage(
        frame.shape,
        header_of(frame),
        lambda section: _read_out(frame, stars, section) if frame.is_raw else _calibrated(frame, stars, section),
        dtype=np.int32 if frame.is_raw else np.float32,
    )


@dataclass(frozen=True)
class _Stars:
    """Stars on a chip; arrays of shape (n,)."""

    x: Floats
    """Pixels from 0, in the calibrated file."""
    y: Floats
    flux: Floats
    """Electrons."""
    is_full: NDArray[np.bool_]
    """Whether pixels are full."""
    reach: Floats
    """How far out they are drawn, pixels."""


def _stars_of(archive: Path, frame: Frame) -> _Stars:
    columns = ("chip", "x", "y", "flux", "is_saturated")
    rows = rows_between(archive / TRUTH / "psf_sources.parquet", columns, frame.first, frame.first + frame.n_stars)
    here = rows["chip"] == frame.chip
    flux = rows["flux"][here]
    reach = np.clip(np.cbrt(_WINGS / _FAINT_PER_PIXEL * flux), _LEAST_REACH, HALF - 1.0)
    return _Stars(rows["x"][here], rows["y"][here], flux, rows["is_saturated"][here], reach)


def _calibrated(frame: Frame, stars: _Stars, section: Section) -> Singles:
    """Electrons, or electrons per second of IR."""
    electrons = _electrons(frame, stars, section)
    return electrons / np.float32(frame.exptime) if frame.detector == "IR" else electrons


def _read_out(frame: Frame, stars: _Stars, section: Section) -> NDArray[np.int32]:
    """Units of the analogue-digital converter, overscan and all."""
    camera = frame.camera
    noise = normals(key_of(frame.rootname, frame.chip, "overscan"), section.numbers(frame.shape[1]))
    values = np.float32(camera.bias) + noise * np.float32(camera.read_noise / camera.gain)
    rows, columns = frame.places()
    rows, columns = rows[section.y0 : section.y1], columns[section.x0 : section.x1]
    has_light = np.ix_(rows >= 0, columns >= 0)
    rows, columns = rows[rows >= 0], columns[columns >= 0]
    if len(rows) and len(columns):
        seen = Section(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
        values[has_light] = camera.bias + _electrons(frame, stars, seen) / np.float32(camera.gain)
    return np.asarray(np.clip(np.rint(values), 0, camera.most), np.int32)


def _electrons(frame: Frame, stars: _Stars, section: Section) -> Singles:
    """Electrons in a section of the calibrated file, with noise; no pixel holds more than a full one."""
    camera, full_well = frame.camera, frame.whole.full_well
    light = np.full(section.shape, frame.sky, np.float32)
    psf = effective_psf(camera.blur_in(frame.filter), camera.wavelengths_um(frame.filter), frame.focus)
    for number in np.flatnonzero(section.near(stars.x, stars.y, stars.reach)).tolist():
        _add_star(light, section, psf, stars, number, full_well if camera.is_spilling else np.inf)
    noise = normals(key_of(frame.rootname, frame.chip), section.numbers(frame.seen[1]))
    noise *= np.sqrt(light + np.float32(camera.read_noise**2))
    light += noise
    np.minimum(light, np.float32(full_well), out=light)
    return light


def _add_star(
    light: Singles, section: Section, psf: EffectivePsf, stars: _Stars, number: int, full_well: float
) -> None:
    """Add a star to the light of a section; a pixel that is full beyond `full_well` spills over."""
    x, y, flux = float(stars.x[number]), float(stars.y[number]), float(stars.flux[number])
    is_spilling = bool(stars.is_full[number]) and np.isfinite(full_well)
    reach = float(stars.reach[number])
    whole = Section(ceil(y - reach), int(y + reach) + 1, ceil(x - reach), int(x + reach) + 1)
    y0, y1 = max(section.y0, whole.y0), min(section.y1, whole.y1)
    x0, x1 = max(section.x0, whole.x0), min(section.x1, whole.x1)
    if y0 >= y1 or x0 >= x1:
        return
    drawn = draw_star(psf, x, y, rows=(y0, y1), columns=(x0, x1)) * np.float32(flux)
    beside = psf.columns_with(full_well / flux) if is_spilling else 0.0
    first, end = max(x0, ceil(x - beside)), min(x1, floor(x + beside) + 1)
    if is_spilling and first < end:
        columns = draw_star(psf, x, y, rows=(whole.y0, whole.y1), columns=(first, end)) * np.float32(flux)
        spilled = _spilled(columns, round(y) - whole.y0, full_well)
        drawn[:, first - x0 : end - x0] = spilled[y0 - whole.y0 : y1 - whole.y0]
    light[y0 - section.y0 : y1 - section.y0, x0 - section.x0 : x1 - section.x0] += drawn


def _spilled(light: Singles, middle: int, full_well: float) -> Singles:
    """What is too much for a pixel goes to the nearest ones of its column that have room."""
    columns = np.flatnonzero(light.max(axis=0) > full_well)
    if not len(columns):
        return light
    order = np.argsort(np.abs(np.arange(len(light)) - middle), kind="stable")
    places = order[:, None], columns
    values = light[places].astype(np.float64)
    excess = np.maximum(values - full_well, 0.0).sum(axis=0)
    room = np.maximum(full_well - values, 0.0)
    before = np.cumsum(room, axis=0) - room
    light[places] = np.minimum(values, full_well) + np.clip(excess - before, 0.0, room)
    return light
