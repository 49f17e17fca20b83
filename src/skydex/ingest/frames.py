"""Positions in the frame of a file, to ICRS.

astropy does the transformation; this module only says which of its frames a recipe means.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skydex.ingest.recipe import Frame, PositionRecipe

__all__ = ["to_icrs"]


def to_icrs(
    lon_deg: NDArray[np.float64], lat_deg: NDArray[np.float64], position: PositionRecipe
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ICRS right ascension and declination of positions in a recipe's frame.

    FK4 and FK5 positions are taken at rest at their equinox: no proper motion is applied. A position that is NaN or
    whose latitude is impossible comes out as NaN.

    Parameters
    ----------
    lon_deg, lat_deg : (n,) float64 array
        Degrees, in the recipe's frame and equinox.
    position : PositionRecipe
        Says the frame.

    Returns
    -------
    ra_deg, dec_deg : (n,) float64 array
        ICRS, degrees.
    """
    if position.frame is Frame.ICRS:
        return lon_deg, lat_deg
    possible = np.isfinite(lon_deg) & (np.abs(lat_deg) <= 90.0)
    ra_deg, dec_deg = np.full_like(lon_deg, np.nan), np.full_like(lat_deg, np.nan)
    ra_deg[possible], dec_deg[possible] = _converted(lon_deg[possible], lat_deg[possible], position)
    return ra_deg, dec_deg


def _converted(
    lon_deg: NDArray[np.float64], lat_deg: NDArray[np.float64], position: PositionRecipe
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    frame = _astropy_frame(position.frame, position.equinox)
    icrs = SkyCoord(lon_deg * u.deg, lat_deg * u.deg, frame=frame).icrs
    return icrs.ra.deg, icrs.dec.deg


@lru_cache(maxsize=16)
def _astropy_frame(frame: Frame, equinox: str | None) -> object:
    from astropy.coordinates import FK4, FK5, BarycentricMeanEcliptic, Galactic

    match frame:
        case Frame.FK5:
            return FK5(equinox=_epoch(equinox or "J2000"))
        case Frame.FK4:
            return FK4(equinox=_epoch(equinox or "B1950"))
        case Frame.ECLIPTIC:
            return BarycentricMeanEcliptic(equinox=_epoch(equinox or "J2000"))
        case _:
            return Galactic()


def _epoch(equinox: str) -> str:
    """A bare year is Besselian before 1984 (as in the FITS WCS standard, 3.1), Julian from then on."""
    if equinox[0] in "JB":
        return equinox
    return f"B{equinox}" if float(equinox) < 1984.0 else f"J{equinox}"
