"""Cells of the hierarchical triangular mesh, which the archives that are imitated have in a column.

Eight triangles of the sphere, each divided into four again and again (Kunszt, Szalay & Thakar 2001, "The Hierarchical
Triangular Mesh", in Mining the Sky). skydex itself has no use for them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skydex.sky import unit_vectors

__all__ = ["htm_ids"]

Floats = NDArray[np.float64]

_CORNERS = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=np.float64)
_TRIANGLES = np.array(
    [[1, 5, 2], [2, 5, 3], [3, 5, 4], [4, 5, 1], [1, 0, 4], [4, 0, 3], [3, 0, 2], [2, 0, 1]], dtype=np.int64
)
"""S0 to S3, N0 to N3, whose identifiers are 8 to 15."""


def htm_ids(ra_deg: Floats, dec_deg: Floats, *, level: int = 20) -> NDArray[np.int64]:
    """The cell of each position.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) float64 arrays
        Positions, degrees.
    level : int
        How often the eight triangles are divided; at 20 a cell is 0.3 arcsec wide.
    """
    places = np.asarray(unit_vectors(ra_deg, dec_deg)).T
    quarter = np.floor(np.mod(ra_deg, 360.0) / 90.0).astype(np.int64) % 4
    first = np.where(np.asarray(dec_deg) >= 0, 7 - quarter, quarter)
    ids = first + 8
    a, b, c = (_CORNERS[_TRIANGLES[first, corner]] for corner in range(3))
    for _ in range(level):
        opposite_a, opposite_b, opposite_c = _middle(b, c), _middle(a, c), _middle(a, b)
        in_a, in_b, in_c = (
            _is_left(places, start, end)
            for start, end in ((opposite_c, opposite_b), (opposite_a, opposite_c), (opposite_b, opposite_a))
        )
        child = np.select([in_a, in_b, in_c], [0, 1, 2], 3)
        ids = ids * 4 + child
        choice = child[:, np.newaxis]
        a, b, c = (
            np.choose(choice, [a, b, c, opposite_a]),
            np.choose(choice, [opposite_c, opposite_a, opposite_b, opposite_b]),
            np.choose(choice, [opposite_b, opposite_c, opposite_a, opposite_c]),
        )
    return ids


def _middle(one: Floats, other: Floats) -> Floats:
    total = one + other
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True))


def _is_left(places: Floats, start: Floats, end: Floats) -> NDArray[np.bool_]:
    """Whether places are to the left of the way from one point to the other."""
    return np.asarray(np.einsum("ij,ij->i", np.cross(start, end), places) > 0)
