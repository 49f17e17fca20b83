"""`Box`: a rectangle of pixels, which may reach beyond the image.

The corner of a centred box is fitscut's (its `extract.c`): `floor(x - (n div 2) + 0.5)`, so that of an odd number of
pixels the middle one holds the position, and of an even number the position lies right of the middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError

__all__ = ["Box"]

_FARTHEST = 2**53
"""Pixels beyond which a float does not tell neighbours apart."""


@dataclass(frozen=True)
class Box:
    """Columns x0 to x0 + nx - 1 and rows y0 to y0 + ny - 1, counted from 0."""

    x0: int
    """First column; negative if it lies left of the image."""
    y0: int
    """First row."""
    nx: int
    """Columns, at least 1."""
    ny: int
    """Rows, at least 1."""

    def __post_init__(self) -> None:
        if self.nx < 1 or self.ny < 1:
            raise BadParameterError("size", f"a cutout has at least one pixel each way, not {self.nx} x {self.ny}.")

    @classmethod
    def centred(cls, x: float, y: float, nx: int, ny: int) -> Box:
        """The box of a size around a place in pixel coordinates, from 0.

        Raises
        ------
        BadParameterError
            The place is no pair of finite numbers, or there is not one pixel.
        """
        return cls(_corner(x, nx), _corner(y, ny), nx, ny)

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Box:
        """All of an image of a shape (ny, nx)."""
        return cls(0, 0, shape[1], shape[0])

    @classmethod
    def around(cls, x: NDArray[np.float64], y: NDArray[np.float64]) -> Box | None:
        """The smallest box whose pixels hold all places; those that are NaN do not count, and None if all are."""
        is_place = (np.abs(x) < _FARTHEST) & (np.abs(y) < _FARTHEST)
        if not is_place.any():
            return None
        x0, x1 = (math.floor(edge + 0.5) for edge in (x[is_place].min(), x[is_place].max()))
        y0, y1 = (math.floor(edge + 0.5) for edge in (y[is_place].min(), y[is_place].max()))
        return cls(x0, y0, x1 - x0 + 1, y1 - y0 + 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.ny, self.nx

    @property
    def n_pixels(self) -> int:
        return self.nx * self.ny

    def on(self, shape: tuple[int, int]) -> Box | None:
        """The part of it that lies on an image of a shape (ny, nx); None if there is none."""
        x0, x1 = max(self.x0, 0), min(self.x0 + self.nx, shape[1])
        y0, y1 = max(self.y0, 0), min(self.y0 + self.ny, shape[0])
        return Box(x0, y0, x1 - x0, y1 - y0) if x0 < x1 and y0 < y1 else None


def _corner(middle: float, n: int) -> int:
    if not abs(middle) < _FARTHEST:
        raise BadParameterError("x, y", f"{middle} is no place in an image.")
    return math.floor(middle - n // 2 + 0.5)
