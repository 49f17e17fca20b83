"""`Section`: a rectangle of pixels; `SimulatedImage`: pixels that are drawn section by section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

__all__ = ["Section", "SimulatedImage"]

Floats = NDArray[np.float64]

_PIXELS_AT_ONCE = 1 << 20
"""More are drawn in parts, so that memory stays small."""


@dataclass(frozen=True)
class Section:
    """Rows y0 to y1 - 1 and columns x0 to x1 - 1 of an image, counted from 0."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    def numbers(self, width: int) -> NDArray[np.uint64]:
        """Number of each pixel, row after row, in an image that is `width` pixels wide."""
        rows = np.arange(self.y0, self.y1, dtype=np.uint64) * np.uint64(width)
        columns = np.arange(self.x0, self.x1, dtype=np.uint64)
        return np.asarray(rows[:, None] + columns, dtype=np.uint64)

    def near(self, x: Floats, y: Floats, margin: float | Floats) -> NDArray[np.bool_]:
        """Which places are on the section or within a margin about it."""
        is_beside = (x > self.x0 - 0.5 - margin) & (x < self.x1 - 0.5 + margin)
        return is_beside & (y > self.y0 - 0.5 - margin) & (y < self.y1 - 0.5 + margin)


class SimulatedImage:
    """An image of a simulated camera, as `skydex.images.Pixels` wants it.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    header : Header
        Its header.
    draw : callable
        Gives the values of a section, of its shape; those of a pixel are the same in whatever section.
    dtype : dtype, optional
        In which values are given.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        header: fits.Header,
        draw: Callable[[Section], NDArray[np.generic]],
        *,
        dtype: type[np.generic] = np.float32,
    ) -> None:
        self._shape, self._header, self._draw, self._dtype = shape, header, draw, dtype

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self._shape

    @property
    def header(self) -> fits.Header:
        """Its header; not to be changed."""
        return self._header

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[np.generic]:
        """Values of a section."""
        values = np.empty((y1 - y0, x1 - x0), self._dtype)
        rows = max(1, _PIXELS_AT_ONCE // max(1, x1 - x0))
        for first in range(y0, y1, rows):
            part = Section(first, min(first + rows, y1), x0, x1)
            values[first - y0 : part.y1 - y0] = self._draw(part)
        return values
