"""Tests for "inside", each a few constants and one rule that an engine can repeat in SQL.

A region compiles to one of three: `Cap` (cones), `HalfSpaces` (convex polygons), `Crossings` (any polygon). Numpy
applies the rule here; `query` expands the same constants into expressions, so that every engine decides alike. The unit
vector of a position is p = (cos dec cos ra, cos dec sin ra, sin dec).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skydex.errors import BadRegionError
from skydex.sky.angles import Floats, Mask, haversine
from skydex.sky.borders import Border

__all__ = ["Cap", "Crossing", "Crossings", "HalfSpaces", "Vector", "inside_test"]

Vector = tuple[float, float, float]

SLACK = 1e-15
"""A point this far (radians; 2e-10 arcsec) outside a convex border is on it: a few roundings of a dot product."""
CLEARANCE = 1e-9
"""How far, in radians, the reference point of a crossing test must stay away from every edge's great circle."""
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
N_CANDIDATES = 64


@dataclass(frozen=True)
class Cap:
    """Inside where the haversine of the distance from the pole is at most `limit`, or at least, if `beyond`.

    The haversine of a position is sin²((dec - dec_deg) / 2) + cos(dec) cos(dec_deg) sin²((ra - ra_deg) / 2).
    """

    ra_deg: float
    """The pole of the cap, ICRS."""
    dec_deg: float
    limit: float
    """Haversine of the cap's radius."""
    beyond: bool = False
    """True when the region is what lies at or beyond the cap's rim."""

    def contains(self, ra_deg: Floats, dec_deg: Floats) -> Mask:
        """Which positions, degrees, are inside; NaN is not."""
        distance = haversine(ra_deg, dec_deg, self.ra_deg, self.dec_deg)
        return np.asarray(distance >= self.limit if self.beyond else distance <= self.limit)


@dataclass(frozen=True)
class HalfSpaces:
    """Inside where `normal . p >= least` for every normal: a convex polygon, its border included."""

    normals: tuple[Vector, ...]
    """Unit normals of the edges' great circles, pointing inwards."""
    least: float = -SLACK
    """Just below zero, so that points on the border are inside however they were rounded."""

    def contains(self, points: Floats) -> Mask:
        """Which unit vectors, shape (3, n), are inside; NaN is not."""
        mask = np.ones(points.shape[1:], dtype=np.bool_)
        for normal in self.normals:
            mask &= np.asarray(normal) @ points >= self.least
        return mask


@dataclass(frozen=True)
class Crossing:
    """One edge: the arc from p to the reference point crosses it where all three hold.

    `side . p > 0`, `(start . p >= 0) == rising`, `(end . p >= 0) != rising`.
    """

    side: Vector
    """Normal of the edge's great circle, pointing away from the reference."""
    start: Vector
    """Normal of the plane through the reference and the edge's first vertex; the edge before has it as its `end`."""
    end: Vector
    """The same for the second vertex."""
    rising: bool
    """Whether the edge runs anticlockwise as seen from the reference."""


@dataclass(frozen=True)
class Crossings:
    """Inside where `axis . p >= least` and an odd number of edges is crossed on the way to the reference point.

    The reference is outside. An edge owns its first vertex but not its second, so a path through a vertex counts once,
    and two polygons that share an edge share no point of it but for rounding. Points on an edge belong to one side of
    it or the other, always the same. Self-intersecting borders follow the even-odd rule.
    """

    axis: Vector
    """Centre of a cap around the whole border."""
    least: float
    """Cosine of that cap's radius."""
    edges: tuple[Crossing, ...]

    def contains(self, points: Floats) -> Mask:
        """Which unit vectors, shape (3, n), are inside; NaN is not."""
        odd = np.zeros(points.shape[1:], dtype=np.bool_)
        ahead = first = np.asarray(self.edges[0].start) @ points >= 0.0
        for n, edge in enumerate(self.edges, start=1):
            behind, ahead = ahead, first if n == len(self.edges) else np.asarray(edge.end) @ points >= 0.0
            odd ^= (behind == edge.rising) & (ahead != edge.rising) & (np.asarray(edge.side) @ points > 0.0)
        return np.asarray(odd & (np.asarray(self.axis) @ points >= self.least))


def inside_test(border: Border) -> HalfSpaces | Crossings:
    """The cheapest test for the inside of a border, the side away from the antipode of its centre."""
    return _half_spaces(border) or _crossings(border)


def _half_spaces(border: Border) -> HalfSpaces | None:
    """The half-spaces of a convex border, or None."""
    turn = np.sign(np.einsum("ij,ij->i", border.normals, np.roll(border.starts, -2, axis=0)).sum())
    inward = turn * border.normals
    is_convex = all((border.starts @ normal).min() >= -SLACK for normal in inward)
    return HalfSpaces(tuple(_vector(normal) for normal in inward)) if is_convex else None


def _crossings(border: Border) -> Crossings:
    reference = _reference(border)
    rising = border.normals @ reference > 0.0
    sides = np.where(rising[:, None], -border.normals, border.normals)
    starts = [_vector(start) for start in np.cross(reference, border.starts)]
    ends = [*starts[1:], starts[0]]
    edges = zip(map(_vector, sides), starts, ends, map(bool, rising), strict=True)
    reach = min(border.reach + CLEARANCE, np.pi) if border.reach < np.pi / 2.0 else np.pi
    return Crossings(_vector(border.centre), float(np.cos(reach)), tuple(Crossing(*edge) for edge in edges))


def _reference(border: Border) -> Floats:
    """A point outside, whose arcs to the points of the inside are well defined, clear of every edge's great circle.

    At right angles to the centre neither it nor its antipode, where directions to it lose their meaning, comes near a
    border that fits in a hemisphere. For larger ones it stays close to the centre's antipode, which is outside by
    definition.
    """
    tilt = np.pi / 2.0 if border.reach < np.radians(89.0) else _clearance(border) / 2.0
    azimuths = GOLDEN_ANGLE * np.arange(1, N_CANDIDATES + 1)
    east, north = _tangents(border.centre)
    around = np.outer(np.cos(azimuths), east) + np.outer(np.sin(azimuths), north)
    candidates = np.sin(tilt) * around - np.cos(tilt) * border.centre
    clear = np.abs(candidates @ border.normals.T).min(axis=1)
    if clear.max() < CLEARANCE:
        raise BadRegionError("The polygon's edges are too many and too long to tell its sides apart; please split it.")
    return np.asarray(candidates[clear.argmax()])


def _clearance(border: Border) -> float:
    """How far, in radians up to 1, the antipode of the centre is from the border; that must be more than nothing."""
    antipode = -border.centre[:, None]
    for radius in np.geomspace(1.0, 2.0 * CLEARANCE, 60):
        if not border.near(antipode, float(radius)).any():
            return float(radius)
    raise BadRegionError("The polygon's border runs through the antipode of its centre: neither side is the smaller.")


def _tangents(direction: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors that make a right-angled frame with a direction."""
    least = np.eye(3)[np.abs(direction).argmin()]
    east = np.cross(least, direction)
    east /= np.linalg.norm(east)
    return east, np.cross(direction, east)


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
