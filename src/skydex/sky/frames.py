"""Frames of reference, and the rotations between them.

Identifiers are those of the IVOA vocabulary refframe (http://www.ivoa.net/rdf/refframe), which knows small from
capital letters. Every frame is a plain rotation of ICRS, as the Catalogue of ADQL User Defined Functions 1.2 asks of
`ivo_geom_transform`: FK4 is B1950 without the E-terms of aberration (up to 0.34 arcsec), FK5 and the mean ecliptic are
J2000. The angles are astropy's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from skydex.errors import BadRegionError, near_names
from skydex.sky.angles import Floats, normal_ra, unit_vectors

__all__ = ["FRAMES", "rotated"]

FRAMES = ("ICRS", "FK5", "FK4", "GALACTIC", "SUPER_GALACTIC", "ECLIPTIC")


def rotated(longitude_deg: ArrayLike, latitude_deg: ArrayLike, *, origin: str, target: str) -> tuple[Floats, Floats]:
    """Positions of one frame as they read in another.

    Parameters
    ----------
    longitude_deg, latitude_deg : (n,) array_like of float
        Degrees. NaN gives NaN.
    origin, target : str
        Names of frames, from `FRAMES`.

    Returns
    -------
    longitude_deg, latitude_deg : (n,) float64 array
        Degrees, the longitude in [0, 360).

    Raises
    ------
    BadRegionError
        A frame that is not known.

    Examples
    --------
    >>> longitude, latitude = rotated(120.0, -23.0, origin="ICRS", target="GALACTIC")
    >>> round(float(longitude), 4), round(float(latitude), 4)
    (241.1218, 3.6279)
    """
    turn = _from_icrs(target) @ _from_icrs(origin).T
    x, y, z = np.tensordot(turn, unit_vectors(longitude_deg, latitude_deg), axes=1)
    return normal_ra(np.degrees(np.arctan2(y, x))), np.degrees(np.arctan2(z, np.hypot(x, y)))


@cache
def _from_icrs(name: str) -> Floats:
    """The matrix that turns unit vectors of ICRS into those of a frame."""
    if name not in FRAMES:
        near = near_names(name, FRAMES)
        hint = f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(FRAMES)}."
        raise BadRegionError(f'No frame of reference "{name}".{hint}')
    from astropy import coordinates  # takes half a second, and few queries rotate

    frames = {
        "ICRS": coordinates.ICRS(),
        "FK5": coordinates.FK5(equinox="J2000"),
        "FK4": coordinates.FK4NoETerms(equinox="B1950"),
        "GALACTIC": coordinates.Galactic(),
        "SUPER_GALACTIC": coordinates.Supergalactic(),
        "ECLIPTIC": coordinates.BarycentricMeanEcliptic(equinox="J2000"),
    }
    axes = coordinates.ICRS(coordinates.CartesianRepresentation(np.eye(3)))
    turn = np.asarray(axes.transform_to(frames[name]).cartesian.xyz.value)
    left, _, right = np.linalg.svd(turn)  # published angles make matrices that are rotations to ten digits only
    return np.asarray(left @ right)
