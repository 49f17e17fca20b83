"""Palettes: colour tables for pictures of one band.

Each is a broken line of brightness for red, green and blue. The first are those of SAOimage, which fitscut knows as
well; the perceptually even ones are matplotlib's (CC0), at every sixteenth of their length.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError

__all__ = ["GRAY", "PALETTES", "palette_of"]

GRAY = "gray"

Points = tuple[tuple[float, float], ...]
_DARK: Points = ((0.0, 0.0), (1.0, 0.0))
_RISING: Points = ((0.0, 0.0), (1.0, 1.0))
_LINES: dict[str, tuple[Points, Points, Points]] = {
    "heat": (
        ((0.0, 0.0), (0.34, 1.0), (1.0, 1.0)),
        _RISING,
        ((0.0, 0.0), (0.65, 0.0), (0.98, 1.0), (1.0, 1.0)),
    ),
    "cool": (
        ((0.0, 0.0), (0.29, 0.0), (0.76, 0.1), (1.0, 1.0)),
        ((0.0, 0.0), (0.22, 0.0), (0.96, 1.0), (1.0, 1.0)),
        ((0.0, 0.0), (0.53, 1.0), (1.0, 1.0)),
    ),
    "rainbow": (
        ((0.0, 1.0), (0.2, 0.0), (0.6, 0.0), (0.8, 1.0), (1.0, 1.0)),
        ((0.0, 0.0), (0.2, 0.0), (0.4, 1.0), (0.8, 1.0), (1.0, 0.0)),
        ((0.0, 1.0), (0.4, 1.0), (0.6, 0.0), (1.0, 0.0)),
    ),
    "red": (_RISING, _DARK, _DARK),
    "green": (_DARK, _RISING, _DARK),
    "blue": (_DARK, _DARK, _RISING),
}
_STEPS = {
    "viridis": (
        "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c "
        "1f9f88 27ad81 3dbc74 5cc863 81d34d aadc32 d5e21a fde725"
    ),
    "magma": (
        "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 "
        "cf4070 e55064 f4695c fb8761 fea571 fec287 fde0a1 fcfdbf"
    ),
    "inferno": (
        "000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 "
        "d04545 e35933 f1711f f98c0a fcaa0f f9c932 f2e865 fcffa4"
    ),
    "cividis": (
        "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 "
        "8b8778 9a9376 aaa073 bbad6d ccba64 ddc858 efd748 fee838"
    ),
}
"""Colours at even steps, in hexadecimal."""
PALETTES = (GRAY, *_LINES, *_STEPS)
"""Names of all palettes."""
_N_COLORS = 256


@functools.cache
def palette_of(name: str) -> NDArray[np.uint8]:
    """Colours of a palette, (256, 3).

    Raises
    ------
    BadParameterError
        There is none of that name.
    """
    if name not in PALETTES:
        raise BadParameterError("palette", f"must be one of {', '.join(PALETTES)}.")
    place = np.arange(_N_COLORS)
    if name in _STEPS:
        steps = np.array([list(bytes.fromhex(color)) for color in _STEPS[name].split()])
        at = np.linspace(0, _N_COLORS - 1, len(steps))
        colors = np.stack([np.interp(place, at, steps[:, channel]) for channel in range(3)], axis=1)
        return np.asarray(np.rint(colors), dtype=np.uint8)
    if name in _LINES:
        lines = [np.interp(place / _N_COLORS, *np.transpose(points)) for points in _LINES[name]]
        colors = np.stack(lines, axis=1) * (_N_COLORS - 1)
        colors[-1] = _N_COLORS - 1  # the brightest is white in each
        return np.asarray(colors, dtype=np.uint8)
    return np.asarray(np.repeat(place[:, None], 3, axis=1), dtype=np.uint8)
