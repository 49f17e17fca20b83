"""Stretches: brightness between two levels becomes grey, 0 (black) to 255 (white).

Linear and asinh are fitscut's, byte for byte, and its square root and logarithm but for bad pixels, which are always
black here. For three bands, asinh and Lupton's stretch (Lupton et al. 2004, PASP 116, 133) act on their sum and leave
the hue alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.images.levels import Levels, good, levels_of
from skydex.images.look import BAD_VALUE, Look, Scale, Stretch

__all__ = ["stretched"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_WHITE = np.float32(255.0)
_BEND = 3.0
_ASINH_WHITE = {1: 0.7, 2: 0.4, 3: 0.33}
"""What becomes white, by the number of bands, that their contrast may be alike."""


def stretched(bands: Sequence[NDArray[Any]], look: Look) -> list[Bytes]:
    """Grey of each band.

    Parameters
    ----------
    bands : sequence of (ny, nx) arrays
        Brightness, all of one shape; NaN and 0 are bad pixels, which are black.
    look : Look
        Stretch and levels.

    Returns
    -------
    greys : list of (ny, nx) uint8 arrays
        In the order of the bands.
    """
    numbers = [_measured(band) for band in bands]
    with np.errstate(all="ignore"):
        if look.stretch is Stretch.ASINH:
            return _asinh(numbers, look)
        if look.stretch is Stretch.LUPTON:
            return _lupton(numbers, look)
        return [_one(band, look, place) for place, band in enumerate(numbers)]


def _one(band: Floats, look: Look, place: int) -> Bytes:
    if look.stretch is Stretch.EQUALIZED:
        return _equalized(band)
    if look.stretch is Stretch.LINEAR:
        return _grey(band, levels_of(band, look, place), look)
    ends = levels_of(band, replace(look, scale=Scale.MINMAX, low=(), high=()))
    return (_rooted if look.stretch is Stretch.SQRT else _logged)(band, look, place, ends)


def _grey(band: Floats, levels: Levels, look: Look) -> Bytes:
    """Linear between two levels, in single precision and cut off as fitscut does."""
    scale = np.float32(255.0 / levels.span)
    grey = np.clip(scale * (band - np.float32(levels.low)), np.float32(0.0), _WHITE)
    grey[np.isnan(grey)] = 0.0
    return np.asarray(_WHITE - grey if look.is_inverted else grey).astype(np.uint8)


def _rooted(band: Floats, look: Look, place: int, ends: Levels) -> Bytes:
    """Square roots of what is above black, or above the least number."""
    base = levels_of(band, replace(look, scale=Scale.MINMAX, high=()), place).low
    low, high = (tuple(math.sqrt(max(0.0, level - base)) for level in side) for side in (look.low, look.high))
    roots = np.sqrt(np.maximum(band - np.float32(base), np.float32(0.0)))
    bounds = Levels(0.0, math.sqrt(max(0.0, ends.high - base)))
    return _grey(roots, levels_of(roots, replace(look, low=low, high=high), place, bounds), look)


def _logged(band: Floats, look: Look, place: int, ends: Levels) -> Bytes:
    """Logarithms of how far numbers are above the least one, plus 1."""
    shift = 1.0 - ends.low
    low, high = (tuple(math.log10(max(1.0, level + shift)) for level in side) for side in (look.low, look.high))
    logs = np.log10(np.maximum(band + np.float32(shift), np.float32(1.0)))
    bounds = Levels(0.0, math.log10(max(1.0, ends.high + shift)))
    return _grey(logs, levels_of(logs, replace(look, low=low, high=high), place, bounds), look)


def _equalized(band: Floats) -> Bytes:
    numbers = good(band)
    if not len(numbers):
        return np.zeros(band.shape, np.uint8)
    shares = np.searchsorted(np.sort(numbers), np.nan_to_num(band, nan=-np.inf), side="right") / len(numbers)
    return np.minimum(shares * 256.0, 255.0).astype(np.uint8)


def _asinh(bands: list[Floats], look: Look) -> list[Bytes]:
    """Each band times the same weight, so that the sum of all is bent and the largest stays within bounds."""
    parts = [_part(band, levels_of(band, look, place)) for place, band in enumerate(bands)]
    total = np.sum(parts, axis=0, dtype=np.float64)
    weight = np.where(total == 0.0, 1.0, np.arcsinh(total * _BEND) / (_BEND * total))
    most = np.maximum(np.max(parts, axis=0), 0.0) * weight
    weight = np.where(most > 1.0, weight / most, weight)
    white = Levels(0.0, _ASINH_WHITE[len(bands)])
    return [_grey((part * weight).astype(np.float32), white, look) for part in parts]


def _lupton(bands: list[Floats], look: Look) -> list[Bytes]:
    """Lupton's stretch of the mean of the bands; what is brighter than white keeps its hue."""
    levels = [levels_of(band, look, place) for place, band in enumerate(bands)]
    above = [np.nan_to_num(band - np.float32(level.low)) for band, level in zip(bands, levels, strict=True)]
    mean = np.maximum(np.mean(above, axis=0, dtype=np.float64), 0.0)
    q = look.lupton_q
    bend = np.arcsinh(0.1 * q) / 0.1
    soft = look.lupton_stretch or float(np.mean([level.span for level in levels])) * q / float(np.sinh(bend))
    slope = np.where(mean > 0.0, np.arcsinh(mean * q / soft) / bend / mean, 0.0)
    parts = [np.maximum(band * slope, 0.0) for band in above]
    most = np.maximum(np.max(parts, axis=0), 1.0)
    return [_grey((part / most).astype(np.float32), Levels(0.0, 1.0), look) for part in parts]


def _part(band: Floats, levels: Levels) -> Floats:
    """Where numbers lie between two levels; 0 for bad ones."""
    parts = (band.astype(np.float64) - levels.low) / levels.span
    return np.nan_to_num(parts).astype(np.float32)


def _measured(band: NDArray[Any]) -> Floats:
    """Single precision, NaN for bad pixels."""
    numbers = np.asarray(band, dtype=np.float32)
    return np.where(np.isfinite(numbers) & (numbers != BAD_VALUE), numbers, np.float32(np.nan))
