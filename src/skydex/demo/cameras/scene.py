"""`draw_points`: the light of point sources on a section of an image.

All sources are drawn at once, each as far out as it can be told from nothing. A pixel's value is the sum over the same
sources in the same order in whatever section it is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.optics import PHASES, Psf
from skydex.demo.cameras.section import Section

__all__ = ["add_stamps", "draw_points", "stamps_of"]

Floats = NDArray[np.float64]

_REACHES_PX = (4, 7, 12, 20, 32)
"""How far out sources are drawn; those that reach further have wings."""


def draw_points(
    section: Section, psf: Psf, x: Floats, y: Floats, flux: Floats, *, least: float = 0.0
) -> NDArray[np.float64]:
    """Draw point sources.

    Parameters
    ----------
    section : Section
        What is drawn.
    psf : Psf
        How a point is spread.
    x, y : (n,) arrays
        Places, pixels from 0; anywhere, also outside.
    flux : (n,) array
        Total light of each.
    least : float, optional
        Light per pixel that is not worth drawing, such as a small share of the noise.

    Returns
    -------
    light : (ny, nx) array
        The light in each pixel.
    """
    light = np.zeros(section.shape)
    near = section.near(x, y, max(psf.core_px, psf.wings_px) + 1)
    x, y, flux = x[near], y[near], flux[near]
    reaches = _reaches(psf, flux, least)
    for reach in np.unique(reaches).tolist():
        chosen = np.flatnonzero((reaches == reach) & section.near(x, y, min(reach, psf.core_px) + 1))
        if len(chosen):
            add_stamps(light, section, x[chosen], y[chosen], stamps_of(psf, x[chosen], y[chosen], flux[chosen], reach))
    for one in np.flatnonzero(reaches > psf.core_px).tolist():
        _add_wings(light, section, psf, float(x[one]), float(y[one]), float(flux[one]))
    return light


def stamps_of(psf: Psf, x: Floats, y: Floats, flux: Floats, reach: int) -> Floats:
    """Pixels about sources, as far as the core goes at most: (n, 2 reach + 1, 2 reach + 1)."""
    low = psf.core_px - min(reach, psf.core_px)
    side = psf.core.shape[-1] - 2 * low
    phase_x, phase_y = ((place - np.floor(place + 0.5) + 0.5) * PHASES for place in (x, y))
    i, j = (np.minimum(phase.astype(np.int64), PHASES - 1) for phase in (phase_x, phase_y))
    right, up = phase_x - i, phase_y - j
    stamps = np.zeros((len(x), side, side))
    for dj, di in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = flux * (up if dj else 1 - up) * (right if di else 1 - right)
        stamps += weight[:, None, None] * psf.core[j + dj, i + di, low : low + side, low : low + side]
    return stamps


def add_stamps(light: Floats, section: Section, x: Floats, y: Floats, stamps: Floats) -> None:
    """Add stamps about places to the light of a section; each lies within its size of the section."""
    side = stamps.shape[-1]
    reach = side // 2
    ny, nx = section.shape
    wide = nx + 2 * side  # a rim, so that no stamp has to be cut
    first_x = np.floor(x + 0.5).astype(np.int64) - reach - section.x0 + side
    first_y = np.floor(y + 0.5).astype(np.int64) - reach - section.y0 + side
    window = np.arange(side)
    places = (first_y[:, None, None] + window[:, None]) * wide + first_x[:, None, None] + window
    canvas = np.bincount(places.ravel(), stamps.ravel(), wide * (ny + 2 * side)).reshape(ny + 2 * side, wide)
    light += canvas[side : side + ny, side : side + nx]


def _reaches(psf: Psf, flux: Floats, least: float) -> NDArray[np.int64]:
    """How many pixels out each source has to be drawn."""
    steps = np.array([*(reach for reach in _REACHES_PX if reach < psf.core_px), psf.core_px, psf.wings_px])
    faintest = np.array([least / psf.beyond[step] if psf.beyond[step] > 0 else np.inf for step in steps])
    place = np.searchsorted(faintest, np.abs(flux), side="left") if least > 0 else np.full(len(flux), len(steps) - 1)
    return steps[np.minimum(place, len(steps) - 1)]


def _add_wings(light: Floats, section: Section, psf: Psf, x: float, y: float, flux: float) -> None:
    """Add the wings of a bright source; they are so smooth that the four nearest whole pixels make them."""
    left, below = int(np.floor(x)), int(np.floor(y))
    right, up = x - left, y - below
    for dj, di in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = flux * (up if dj else 1 - up) * (right if di else 1 - right)
        y0, x0 = below + dj - psf.wings_px - section.y0, left + di - psf.wings_px - section.x0
        side = psf.wings.shape[0]
        y_low, x_low = max(y0, 0), max(x0, 0)
        y_high, x_high = min(y0 + side, light.shape[0]), min(x0 + side, light.shape[1])
        if weight and y_low < y_high and x_low < x_high:
            cut = psf.wings[y_low - y0 : y_high - y0, x_low - x0 : x_high - x0]
            light[y_low:y_high, x_low:x_high] += weight * cut
