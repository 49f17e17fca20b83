"""Frames of reference, and the rotations between them.

Identifiers are those of the IVOA vocabulary refframe (http://www.ivoa.net/rdf/refframe), which knows small from
capital letters. Every frame is a plain rotation of ICRS, as the Catalogue of ADQL User Defined Functions 1.2 asks of
`ivo_geom_transform`: FK4 is B1950 without the E-terms of aberration (up to 0.34 arcsec), FK5 and the mean ecliptic are
J2000. The rotations are astropy's, written out, as importing its frames takes longer than most queries.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from skydex.errors import BadRegionError, near_names
from skydex.sky.angles import Floats, directions_deg, unit_vectors

__all__ = ["FRAMES", "rotated"]

_FROM_ICRS: Mapping[str, Floats] = {
    "ICRS": np.eye(3),
    "FK5": np.array(
        [
            [0.9999999999999929, -1.1102233297408351e-07, -4.411804498096781e-08],
            [1.1102233723050045e-07, 0.9999999999999891, 9.647792245727331e-08],
            [4.41180342697633e-08, -9.647792735627796e-08, 0.9999999999999942],
        ]
    ),
    "FK4": np.array(
        [
            [0.9999256809514503, 0.011181371753884803, 0.004858960740738844],
            [-0.011181372203849883, 0.9999374861373453, -2.707332853580096e-05],
            [-0.004858959705285428, -2.725853209396775e-05, 0.9999881948140962],
        ]
    ),
    "GALACTIC": np.array(
        [
            [-0.05487565771259173, -0.8734370519556164, -0.48383507361671546],
            [0.49410943719272743, -0.44482972122329506, 0.7469821839866673],
            [-0.8676661375596587, -0.19807633727300045, 0.4559838136873017],
        ]
    ),
    "SUPER_GALACTIC": np.array(
        [
            [0.37501555570303213, 0.3413588718562477, 0.8618801851683188],
            [-0.8983204377276135, -0.09572710024885112, 0.4287851600030197],
            [0.2288749093754375, -0.9350456902649068, 0.27075049949244573],
        ]
    ),
    "ECLIPTIC": np.array(
        [
            [0.9999999999999942, -7.078368960971557e-08, 8.056213977613185e-08],
            [3.289700407741965e-08, 0.917482129914958, 0.39777699944404815],
            [-1.0207044725484358e-07, -0.3977769994440427, 0.9174821299149554],
        ]
    ),
}
"""By frame, the matrix that turns unit vectors of ICRS into its own.

As astropy 8.0 has it, made orthonormal: published angles make matrices that are rotations to ten digits only.
"""
FRAMES = tuple(_FROM_ICRS)


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
    return directions_deg(np.tensordot(turn, unit_vectors(longitude_deg, latitude_deg), axes=1))


def _from_icrs(name: str) -> Floats:
    if name not in FRAMES:
        near = near_names(name, FRAMES)
        hint = f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(FRAMES)}."
        raise BadRegionError(f'No frame of reference "{name}".{hint}')
    return _FROM_ICRS[name]
