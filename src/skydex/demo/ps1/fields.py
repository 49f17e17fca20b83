"""Which parts of the sky the simulated Pan-STARRS1 covers at a size.

A cone about M87 and three variable stars, as in the document that skydex follows; beyond its size further pieces of the
sky, each a HEALPix cell that is made without looking at any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.demo.ps1.published import published_objects
from skydex.demo.size import Size
from skydex.sky import MAX_ORDER, centres_deg, separation_deg

__all__ = ["CELL_ORDER", "M87", "Field", "fields_of", "positions_in"]

Floats = NDArray[np.float64]

M87 = "M87"
CELL_ORDER = 7
"""A cell is 0.21 square degrees."""

_CENTRE_DEG, _RADIUS_DEG = (187.706, 12.391), 0.2
_N_SEED = 6_000
"""Objects with more than one detection in the cone at `seed`."""
_PER_CELL = 10_000
"""Such objects in a cell: as dense as in the cone."""
_LEAST_DEC_DEG = -30.0
_APART_DEG = 1.5
_FIRST_CELL = 10
_STRIDE = 121_393
"""Coprime to the number of cells, so that every cell has its turn, and the first ones lie far apart."""


@dataclass(frozen=True)
class Field:
    """A part of the sky that is made at once."""

    name: str
    """`M87`, the name of a star, or `cell` with a number."""
    number: int
    """In identifiers."""
    ra_deg: float
    dec_deg: float
    n_objects: int
    """Simulated objects with more than one detection."""
    pixel: int | None = None
    """HEALPix cell of order 7; None for the cone and the stars."""


def fields_of(size: Size) -> Iterator[Field]:
    """The fields at a size, the cone about M87 first."""
    known = published_objects()
    n_cone = max(30, round(_N_SEED * min(size.share, 1.0)) - known.names.count(""))
    yield Field(M87, 0, *_CENTRE_DEG, n_cone)
    for number, name in enumerate(filter(None, known.names), start=1):
        ra_deg, dec_deg = known.of(name).position_deg[0]
        yield Field(name, number, float(ra_deg), float(dec_deg), 0)
    yield from _cells(round((size.share - 1.0) * _N_SEED / _PER_CELL))


def _cells(n: int) -> Iterator[Field]:
    """Cells that keep away from the cone and the stars; when there are no more, they are denser."""
    if n <= 0:
        return
    n_pixels = 12 * 4**CELL_ORDER
    pixels = np.arange(n_pixels, dtype=np.int64) * _STRIDE % n_pixels
    ra_deg, dec_deg = centres_deg(pixels, CELL_ORDER)
    apart = dec_deg > _LEAST_DEC_DEG
    for ra, dec in [_CENTRE_DEG, *published_objects().position_deg]:
        apart &= separation_deg(ra_deg, dec_deg, ra, dec) > _APART_DEG
    chosen = np.flatnonzero(apart)[:n]
    n_objects = round(n * _PER_CELL / len(chosen))
    for place in chosen:
        pixel = int(pixels[place])
        yield Field(f"cell {pixel}", _FIRST_CELL + pixel, float(ra_deg[place]), float(dec_deg[place]), n_objects, pixel)


def positions_in(field: Field, n: int, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions spread evenly over a field, a few of them gathered about M87 in its own."""
    if field.pixel is not None:
        steps = 2 * (MAX_ORDER - CELL_ORDER)
        ra_deg, dec_deg = centres_deg((field.pixel << steps) + chance.integers(0, 1 << steps, n), MAX_ORDER)
        return ra_deg, dec_deg
    radius = _RADIUS_DEG * np.sqrt(chance.random(n))
    is_near = chance.random(n) < 0.15
    radius = np.where(is_near, np.minimum(chance.gamma(2.0, 0.03, n), 0.995 * _RADIUS_DEG), 0.999 * radius)
    angle = chance.uniform(0.0, 2.0 * np.pi, n)
    dec_deg = field.dec_deg + radius * np.cos(angle)
    return field.ra_deg + radius * np.sin(angle) / np.cos(np.radians(dec_deg)), dec_deg
