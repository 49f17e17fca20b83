"""The grid of HiPS: tiles, and where their pixels are.

HiPS 1.0 (IVOA REC 2017-05-19): a tile is a HEALPix pixel of some order, made of 512 x 512 pixels nine orders further
down, in the arrangement of section 4.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skydex.sky import Cone, centres_deg

__all__ = ["SIDE_DEG", "TILE_ORDERS", "TILE_WIDTH", "Tile", "every_other_bit", "places_of"]

TILE_ORDERS = 9
"""Orders between a tile and its pixels."""
TILE_WIDTH = 1 << TILE_ORDERS
"""Pixels along an edge."""
SIDE_DEG = math.degrees(math.sqrt(math.pi / 3.0))
"""Side of a square with the area of a tile of order 0."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Tile:
    """A tile of HiPS."""

    order: int
    """HEALPix order."""
    pixel: int
    """NESTED number."""

    @property
    def scale_arcsec(self) -> float:
        """Size of its pixels."""
        return SIDE_DEG * 3600.0 / (TILE_WIDTH << self.order)

    def positions(self, rows: Numbers, columns: Numbers) -> tuple[Floats, Floats]:
        """Positions, ICRS, degrees, of the centres of its pixels; rows are counted as FITS has them."""
        cells = (self.pixel << 2 * TILE_ORDERS) + _cells(rows, columns)
        ra, dec = centres_deg(cells.ravel(), self.order + TILE_ORDERS)
        return ra.reshape(cells.shape), dec.reshape(cells.shape)

    @cached_property
    def cone(self) -> Cone:
        """A cone that holds it."""
        ra, dec = centres_deg([self.pixel], self.order)
        return Cone(float(ra[0]), float(dec[0]), min(math.degrees(1.07 / (1 << self.order)), 180.0))


def places_of(cells: Numbers) -> Numbers:
    """Numbers of the pixels of a tile, row x 512 + column, from those of HEALPix within the tile."""
    return np.asarray(
        (TILE_WIDTH - 1 - every_other_bit(cells, TILE_ORDERS)) * TILE_WIDTH + every_other_bit(cells >> 1, TILE_ORDERS)
    )


def _cells(rows: Numbers, columns: Numbers) -> Numbers:
    """Numbers, within the tile, of the HEALPix pixels at rows and columns (HiPS 1.0, section 4.1)."""
    return np.asarray(_spread(TILE_WIDTH - 1 - rows) | (_spread(columns) << 1))


def _spread(numbers: Numbers) -> Numbers:
    """Bits of small numbers at every other place."""
    spread = np.zeros_like(numbers)
    for bit in range(TILE_ORDERS):
        spread |= ((numbers >> bit) & 1) << 2 * bit
    return spread


def every_other_bit(numbers: Numbers, n_bits: int) -> Numbers:
    """So many bits of numbers, of those that stand at every other place from the last one on."""
    gathered = np.zeros_like(numbers)
    for bit in range(n_bits):
        gathered |= ((numbers >> 2 * bit) & 1) << bit
    return gathered
