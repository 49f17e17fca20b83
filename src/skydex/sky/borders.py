"""`Border`: the closed chain of great-circle arcs around a polygon.

Knows how long it is and which points lie near it, and refuses chains that enclose nothing or two things. Which side is
inside is told in `insides`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skydex.errors import BadRegionError
from skydex.sky.angles import Floats, Mask, unit_vectors

__all__ = ["Border"]

SAME = 1e-15
"""Chord below which two vertices are one place (2e-10 arcsec)."""
OPPOSITE = 1e-12
"""Distance of `start + end` from zero below which an arc's direction is rounding noise."""
FLAT = 1e-14
"""Smallest singular value of the vertices below which they lie on one great circle."""


@dataclass(frozen=True, eq=False)
class Border:
    """Arcs from each start to the next one, and from the last back to the first."""

    starts: Floats
    """Unit vectors of the vertices, (n, 3), neighbours distinct."""

    @classmethod
    def from_vertices(cls, ra_deg: tuple[float, ...], dec_deg: tuple[float, ...]) -> Border:
        """A border through vertices in degrees; repeated neighbours, the closing vertex among them, count once."""
        vectors = unit_vectors(ra_deg, dec_deg).T
        chords = np.linalg.norm(vectors - np.roll(vectors, 1, axis=0), axis=1)
        border = cls(vectors[chords > SAME])
        border.check()
        return border

    def check(self) -> None:
        """Refuse what is no border, with a sentence that says why."""
        if len(self.starts) < 3:
            raise BadRegionError(f"A polygon needs at least three distinct vertices; this one has {len(self.starts)}.")
        if np.linalg.norm(self.starts + self.ends, axis=1).min() < OPPOSITE:
            raise BadRegionError(
                "Two neighbouring vertices of the polygon are opposite points of the sky; add one between."
            )
        if np.linalg.svd(self.starts, compute_uv=False)[-1] < FLAT:
            raise BadRegionError("The polygon has no inside: its vertices lie on one great circle.")

    @cached_property
    def ends(self) -> Floats:
        return np.roll(self.starts, -1, axis=0)

    @cached_property
    def normals(self) -> Floats:
        """Unit vectors (n, 3) along start x end.

        Taken from (start - end) x (start + end), which keeps its digits for the shortest arcs.
        """
        normals = np.cross(self.starts - self.ends, self.starts + self.ends)
        return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))

    @cached_property
    def centre(self) -> Floats:
        """Mean direction of the vertices, (3,)."""
        mean = self.starts.mean(axis=0)
        length = np.linalg.norm(mean)
        if length < OPPOSITE:
            raise BadRegionError("The polygon's vertices are spread evenly round the sky: neither side is the smaller.")
        return np.asarray(mean / length)

    @cached_property
    def reach(self) -> float:
        """Largest distance of a vertex from the centre, radians."""
        return float(_angles(self.starts - self.centre).max())

    @cached_property
    def length(self) -> float:
        """Sum of the arcs, radians."""
        return float(_angles(self.starts - self.ends).sum())

    def near(self, points: Floats, radius: float) -> Mask:
        """Which points (3, m) lie within `radius` (radians, below pi / 2) of some arc."""
        sine, chord_squared = np.sin(radius), (2.0 * np.sin(radius / 2.0)) ** 2
        mask = np.zeros(points.shape[1:], dtype=np.bool_)
        for start, normal, *walls in zip(self.starts, self.normals, *self._walls, strict=True):
            beside = np.abs(normal @ points) <= sine
            for wall in walls:
                beside &= wall @ points >= 0.0
            mask |= beside | (np.square(points - start[:, None]).sum(axis=0) <= chord_squared)
        return mask

    @cached_property
    def _walls(self) -> tuple[Floats, Floats]:
        """Normals (n, 3) of the planes across each arc at its start and at its end, both pointing to the arc."""
        return np.cross(self.normals, self.starts), np.cross(self.ends, self.normals)


def _angles(chords: Floats) -> Floats:
    """The angles, radians, of chords (n, 3) between unit vectors."""
    return np.asarray(2.0 * np.arcsin(np.minimum(np.linalg.norm(chords, axis=1) / 2.0, 1.0)))
