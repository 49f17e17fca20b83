"""`Tangent`: the gnomonic projection, TAN (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tangent"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tangent:
    """A plane that touches the sky."""

    ra_deg: float
    """Where it does, ICRS."""
    dec_deg: float

    def to_plane(self, ra_deg: Floats, dec_deg: Floats) -> tuple[Floats, Floats]:
        """Degrees towards east and north; NaN on the far side of the sky."""
        away, dec, own = np.radians(ra_deg - self.ra_deg), np.radians(dec_deg), np.radians(self.dec_deg)
        cosine = np.sin(dec) * np.sin(own) + np.cos(dec) * np.cos(own) * np.cos(away)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(cosine > 0.0, np.degrees(1.0) / cosine, np.nan)
        east = np.cos(dec) * np.sin(away)
        north = np.sin(dec) * np.cos(own) - np.cos(dec) * np.sin(own) * np.cos(away)
        return factor * east, factor * north

    def to_sky(self, east_deg: Floats, north_deg: Floats) -> tuple[Floats, Floats]:
        """Positions, ICRS, degrees."""
        east, north, own = np.radians(east_deg), np.radians(north_deg), np.radians(self.dec_deg)
        across = np.cos(own) - north * np.sin(own)
        ra = self.ra_deg + np.degrees(np.arctan2(east, across))
        dec = np.degrees(np.arctan2(np.sin(own) + north * np.cos(own), np.hypot(east, across)))
        return ra % 360.0, dec
