"""Skycells: the rectangles into which Pan-STARRS1 divides the sky (Waters et al. 2020, ApJS 251, 4, section 5).

Rings of declination hold projection cells of four degrees, each with a tangential projection of its own; these hold
ten by ten skycells, which overlap. Sizes and reference pixels are those of the real tessellation, RINGS.V3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from skydex.demo.cameras.tangent import Tangent
from skydex.demo.columns import read_rows
from skydex.errors import StoreError

__all__ = ["PIXEL_ARCSEC", "Skycell", "skycell_at", "skycells_near"]

Floats = NDArray[np.float64]

PIXEL_ARCSEC = 0.25
_PIXEL_DEG = PIXEL_ARCSEC / 3600.0
_OVERLAP = 480
_SIDE = 10
_REFERENCE = 5
"""Row and column of the skycell that holds the reference pixel of its projection cell."""


@dataclass(frozen=True)
class _Ring:
    first: int
    n_cells: int
    dec: float
    dec_max: float
    width: int
    height: int
    crpix1: float
    crpix2: float


@dataclass(frozen=True)
class Skycell:
    """A skycell; `1784.059` is the one at row 5 and column 9 of the projection cell 1784."""

    projcell: int
    subcell: int
    ra_deg: float
    """Where its projection touches the sky, ICRS."""
    dec_deg: float
    shape: tuple[int, int]
    """Rows and columns."""
    crpix: tuple[float, float]
    """Reference pixel along x and y, counted from 1."""

    @property
    def name(self) -> str:
        """As file names begin."""
        return f"rings.v3.skycell.{self.projcell:04}.{self.subcell:03}"

    def pixels_of(self, ra_deg: Floats, dec_deg: Floats) -> tuple[Floats, Floats]:
        """Pixels x, y, counted from 0, of positions, ICRS."""
        east, north = Tangent(self.ra_deg, self.dec_deg).to_plane(ra_deg, dec_deg)
        return self.crpix[0] - 1.0 - east / _PIXEL_DEG, self.crpix[1] - 1.0 + north / _PIXEL_DEG

    def holds(self, ra_deg: Floats, dec_deg: Floats) -> NDArray[np.bool_]:
        """Whether positions lie on it."""
        x, y = self.pixels_of(ra_deg, dec_deg)
        ny, nx = self.shape
        return np.asarray((x >= 0) & (x < nx) & (y >= 0) & (y < ny))


def skycell_at(ra_deg: float, dec_deg: float) -> Skycell:
    """The skycell of a position: that whose middle is nearest.

    Raises
    ------
    StoreError
        Pan-STARRS1 does not look so far south.
    """
    return _cell(*_place(ra_deg, dec_deg))


def skycells_near(ra_deg: float, dec_deg: float, radius_deg: float) -> list[Skycell]:
    """The skycells of all positions in a circle, ascending."""
    steps = np.linspace(-radius_deg, radius_deg, 41)
    east, north = (axis.ravel() for axis in np.meshgrid(steps, steps))
    inside = np.hypot(east, north) <= radius_deg
    ra, dec = Tangent(ra_deg, dec_deg).to_sky(east[inside], north[inside])
    return [_cell(*place) for place in sorted({_place(a, d) for a, d in zip(ra.tolist(), dec.tolist(), strict=True)})]


def _place(ra_deg: float, dec_deg: float) -> tuple[int, int, int]:
    """Number of the ring, of the projection cell in it, and of the skycell in that."""
    ring = int(np.searchsorted([one.dec_max for one in _rings()], dec_deg))
    if dec_deg < _rings()[0].dec - 2.0:
        raise StoreError("Pan-STARRS1 does not look so far south.")
    facts = _rings()[ring]
    number = round(ra_deg % 360.0 * facts.n_cells / 360.0) % facts.n_cells
    east, north = Tangent(number * 360.0 / facts.n_cells, facts.dec).to_plane(np.array([ra_deg]), np.array([dec_deg]))
    column, row = (
        int(np.clip(np.rint(_REFERENCE - 0.5 + offset[0] / _PIXEL_DEG / (side - _OVERLAP)), 0, _SIDE - 1))
        for offset, side in ((-east, facts.width), (north, facts.height))
    )
    return ring, number, _SIDE * row + column


def _cell(ring: int, number: int, subcell: int) -> Skycell:
    facts = _rings()[ring]
    row, column = divmod(subcell, _SIDE)
    return Skycell(
        facts.first + number,
        subcell,
        number * 360.0 / facts.n_cells,
        facts.dec,
        (facts.height, facts.width),
        (
            facts.crpix1 + (facts.width - _OVERLAP) * (_REFERENCE - column),
            facts.crpix2 + (facts.height - _OVERLAP) * (_REFERENCE - row),
        ),
    )


@cache
def _rings() -> tuple[_Ring, ...]:
    whole = ("first", "n_cells", "width", "height")
    rows = read_rows("cameras/ps1/rings")
    return tuple(_Ring(**{k: int(v) if k in whole else float(v) for k, v in row.items()}) for row in rows)  # type: ignore[arg-type]
