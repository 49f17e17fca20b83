"""Angles on the sphere: separations that stay exact from the smallest to the largest, and unit vectors.

Distances go through the haversine, because the arccos of a dot product loses half its digits near 0 and 180 degrees
(Sinnott 1984, Sky & Telescope 68, 159). Nothing here knows regions or pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Floats",
    "Mask",
    "antihaversine",
    "directions_deg",
    "haversine",
    "normal_ra",
    "possible_dec",
    "separation_deg",
    "unit_vectors",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def separation_deg(ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike) -> Floats:
    """Great-circle distances between positions.

    Accurate to about 1e-14 deg everywhere, antipodes included.

    Parameters
    ----------
    ra1_deg, dec1_deg, ra2_deg, dec2_deg : array_like of float
        ICRS, degrees; they broadcast against one another. NaN gives NaN.

    Returns
    -------
    separation : float64 array
        Degrees, 0 to 180, in the broadcast shape.

    Examples
    --------
    >>> round(float(separation_deg(359.5, 0.0, 0.5, 0.0)), 9)
    1.0
    """
    ra1, dec1, ra2, dec2 = (np.asarray(angle, dtype=np.float64) for angle in (ra1_deg, dec1_deg, ra2_deg, dec2_deg))
    near, far = haversine(ra1, dec1, ra2, dec2), antihaversine(ra1, dec1, ra2, dec2)
    return np.asarray(np.degrees(2.0 * np.arctan2(np.sqrt(near), np.sqrt(far))))


def haversine(ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike) -> Floats:
    """The haversine of the separation, sin²(separation / 2): 0 for one place, 1 for antipodes; arguments in degrees."""
    across = _sin_half(np.subtract(ra1_deg, ra2_deg))
    along = _sin_half(np.subtract(dec1_deg, dec2_deg))
    return np.asarray(along * along + _cos_cos(dec1_deg, dec2_deg) * (across * across))


def antihaversine(ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike) -> Floats:
    """One minus the haversine, with full accuracy where that is small; arguments in degrees."""
    across = np.cos(np.radians(np.subtract(ra1_deg, ra2_deg)) / 2.0)
    along = _sin_half(np.add(dec1_deg, dec2_deg))
    return np.asarray(along * along + _cos_cos(dec1_deg, dec2_deg) * (across * across))


def unit_vectors(ra_deg: ArrayLike, dec_deg: ArrayLike) -> Floats:
    """Unit vectors of positions in degrees: shape (3, ...), so that `x, y, z = unit_vectors(ra, dec)`."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    cos_dec = np.cos(dec)
    return np.stack(np.broadcast_arrays(cos_dec * np.cos(ra), cos_dec * np.sin(ra), np.sin(dec)))


def directions_deg(vectors: ArrayLike) -> tuple[Floats, Floats]:
    """Right ascensions, in [0, 360), and declinations of vectors (3, ...) of any length, in degrees."""
    x, y, z = np.asarray(vectors, dtype=np.float64)
    return normal_ra(np.degrees(np.arctan2(y, x))), np.asarray(np.degrees(np.arctan2(z, np.hypot(x, y))))


def normal_ra(ra_deg: ArrayLike) -> Floats:
    """Right ascensions brought to [0, 360) degrees; the tiniest negative ones become 0, not 360."""
    ra = np.mod(np.asarray(ra_deg, dtype=np.float64), 360.0)
    return np.where(ra == 360.0, 0.0, ra)


def possible_dec(dec_deg: Floats) -> Mask:
    """Which declinations can be: within 90 degrees of the equator, and not NaN."""
    return np.asarray(np.abs(dec_deg) <= 90.0)


def _sin_half(angle_deg: ArrayLike) -> Floats:
    return np.asarray(np.sin(np.radians(angle_deg) / 2.0))


def _cos_cos(dec1_deg: ArrayLike, dec2_deg: ArrayLike) -> Floats:
    return np.asarray(np.cos(np.radians(dec1_deg)) * np.cos(np.radians(dec2_deg)))
