"""`Shapes`: one point, circle or polygon a row, and what rows of them have in common.

The geometries of DALI 1.1 (IVOA REC 2017-05-17, section 3.3) as arrays: of two numbers a point, of three a circle, of
six or more a polygon; ICRS, degrees. Rims belong to their shape. A polygon's edges are great circles, and its inside is
the side that does not hold the antipode of its vertices' mean direction, as in `regions`. A row that holds no shape
(numbers of another count, not finite, beyond a pole, a negative radius) is not known.

A region that is the same for every row is `regions`' affair, which is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadRegionError
from skydex.sky.angles import Floats, Mask, directions_deg, normal_ra, unit_vectors
from skydex.sky.regions import Polygon

__all__ = ["Shapes", "area_deg2", "centroids_deg", "corners_of_boxes", "shapes_contain", "shapes_intersect"]

Rows = NDArray[np.int64]
_Test = Callable[["_Discs | _Polygons", "_Discs | _Polygons"], Mask]

SLACK = 2e-15
"""Radians (4e-10 arcsec): a point so near to a rim lies on it, which is a few roundings of a difference of vectors."""
LARGE = np.radians(89.0)
"""Polygons that reach farther from their centre than this are not decided by winding numbers."""
FLAT = 1e-4
"""Radians (20 arcsec): the centre of gravity of a smaller polygon is that of a flat one."""
_MOST_PAIRS = 400_000
"""Pairs of a point and an edge that are looked at together; some 100 MB of them."""


@dataclass(frozen=True)
class _Discs:
    """A centre and a radius a row; a point is a disc of no size."""

    centres: Floats
    """Unit vectors, (3, n)."""
    radii: Floats
    """Radians, (n,)."""

    def take(self, rows: Rows) -> _Discs:
        return _Discs(self.centres[:, rows], self.radii[rows])


@dataclass(frozen=True)
class _Chains:
    """Closed chains of arcs, one behind the other."""

    starts: Floats
    """Unit vectors, (3, m), at which the arcs of all chains begin."""
    lengths: Rows
    """How many arcs each chain has."""

    @cached_property
    def firsts(self) -> Rows:
        """Number of each chain's first arc."""
        return np.asarray(self.lengths.cumsum() - self.lengths)

    @cached_property
    def owners(self) -> Rows:
        """The chain of each arc."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def ends(self) -> Floats:
        """Unit vectors, (3, m), at which the arcs end."""
        following = np.arange(self.starts.shape[1]) + 1
        following[self.firsts + self.lengths - 1] = self.firsts
        return self.starts[:, following]

    @cached_property
    def normals(self) -> Floats:
        """Unit vectors (3, m) along start x end; zero for an arc of no length."""
        normals = _cross(self.starts - self.ends, self.starts + self.ends)
        lengths = _length(normals)
        return np.asarray(normals / np.where(lengths > 0.0, lengths, 1.0))

    @cached_property
    def centres(self) -> Floats:
        """Mean directions of the vertices, (3, k); NaN where there is none."""
        sums = self.sums(self.starts)
        lengths = _length(sums)
        return np.asarray(sums / np.where(lengths > 1e-12 * self.lengths, lengths, np.nan))

    @cached_property
    def reaches(self) -> Floats:
        """Largest distance of a vertex from the centre, radians, (k,)."""
        return np.asarray(np.maximum.reduceat(_angles(self.starts, self.centres[:, self.owners]), self.firsts))

    @cached_property
    def excesses(self) -> Floats:
        """Signed areas, steradians, (k,): positive where the inside is to the left of the border.

        The sum of the triangles between the centre and the arcs (Van Oosterom & Strackee 1983, IEEE Trans. Biomed.
        Eng. 30, 125), which leaves the centre's antipode outside.
        """
        centres = self.centres[:, self.owners]
        volumes = _dot(centres, _cross(self.starts - centres, self.ends - centres))
        others = 1.0 + _dot(centres, self.starts) + _dot(self.starts, self.ends) + _dot(self.ends, centres)
        return self.sums(2.0 * np.arctan2(volumes, others))

    def sums(self, values: Floats) -> Floats:
        """Sums over the arcs of each chain."""
        return np.asarray(np.add.reduceat(values, self.firsts, axis=-1))

    def pairs(self, chains: Rows) -> Iterator[tuple[slice, Rows, Rows]]:
        """Pair item i with every arc of chain `chains[i]`, in blocks.

        Yields
        ------
        items : slice
            The items of the block.
        item, arc : (p,) int64 arrays
            The pairs; items count from the beginning of the block.
        """
        counts = self.lengths[chains]
        ends = counts.cumsum()
        start = 0
        while start < len(chains):
            done = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, done + _MOST_PAIRS, side="right")))
            block = counts[start:stop]
            item = np.repeat(np.arange(stop - start), block)
            within = np.arange(len(item)) - np.repeat(block.cumsum() - block, block)
            yield slice(start, stop), item, self.firsts[chains[start:stop]][item] + within
            start = stop


@dataclass(frozen=True)
class _Polygons:
    """A polygon a row; rows may share one."""

    chains: _Chains
    of_row: Rows
    """Which chain each row has."""

    def take(self, rows: Rows) -> _Polygons:
        return _Polygons(self.chains, self.of_row[rows])

    @property
    def centres(self) -> Floats:
        return self.chains.centres[:, self.of_row]

    @property
    def reaches(self) -> Floats:
        return self.chains.reaches[self.of_row]

    def vertices(self) -> tuple[Rows, Rows]:
        """The rows' vertices: the row of each, and its number among the chains' arcs."""
        blocks = [(item + items.start, arc) for items, item, arc in self.chains.pairs(self.of_row)]
        if not blocks:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        rows, arcs = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return rows, arcs


@dataclass(frozen=True)
class Shapes:
    """A shape a row, or none."""

    is_known: Mask
    """Which rows have a shape."""
    is_polygon: Mask
    """Which rows have a polygon."""
    discs: _Discs
    """The points and circles; meaningless in other rows."""
    polygons: _Polygons
    """The polygons; meaningless in other rows."""

    @classmethod
    def from_numbers(cls, numbers: Floats, offsets: Rows) -> Shapes:
        """Read DALI arrays, one behind the other; row i is `numbers[offsets[i]:offsets[i + 1]]`."""
        lengths = np.diff(offsets)
        n_rows = len(lengths)
        if n_rows > 1 and (lengths == lengths[0]).all():
            table = numbers[offsets[0] : offsets[-1]].reshape(n_rows, -1)
            if (table == table[0]).all():
                return cls._from_lists(table[0], lengths[:1])._repeated(n_rows)
        return cls._from_lists(numbers[offsets[0] : offsets[-1]], lengths)

    @classmethod
    def _from_lists(cls, numbers: Floats, lengths: Rows) -> Shapes:
        owners = np.repeat(np.arange(len(lengths)), lengths)
        places = np.arange(len(numbers)) - np.repeat(lengths.cumsum() - lengths, lengths)
        is_polygon = (lengths >= 6) & (lengths % 2 == 0)
        is_disc = (lengths == 2) | (lengths == 3)
        is_dec, is_radius = places % 2 == 1, (places == 2) & is_disc[owners]
        is_good = np.isfinite(numbers) & ~(is_dec & (np.abs(numbers) > 90.0))
        is_good &= ~(is_radius & ((numbers < 0.0) | (numbers > 180.0)))
        is_known = (is_polygon | is_disc) & (np.bincount(owners[~is_good], minlength=len(lengths)) == 0)
        is_polygon = is_polygon & is_known
        discs = _discs(numbers, lengths, is_known & is_disc)
        chained = is_polygon[owners]
        vertices = numbers[chained].reshape(-1, 2).T
        chains = _Chains(unit_vectors(vertices[0], vertices[1]), lengths[is_polygon] // 2)
        of_row = np.where(is_polygon, is_polygon.cumsum() - 1, 0)
        return cls(is_known, is_polygon, discs, _Polygons(chains, of_row))

    def _repeated(self, n_rows: int) -> Shapes:
        """One shape for many rows."""
        rows = np.zeros(n_rows, np.int64)
        return Shapes(self.is_known[rows], self.is_polygon[rows], self.discs.take(rows), self.polygons.take(rows))

    def of_kind(self, is_polygon: bool, rows: Rows) -> _Discs | _Polygons:
        return self.polygons.take(rows) if is_polygon else self.discs.take(rows)


def shapes_contain(outer: Shapes, inner: Shapes) -> tuple[Mask, Mask]:
    """Whether the shapes of one side lie within those of the other, row by row.

    Returns
    -------
    contains, is_known : (n,) bool arrays
        A row without both its shapes is not known.
    """
    return _row_by_row(outer, inner, {
        (False, False): _disc_in_disc,
        (True, False): _disc_in_polygon,
        (False, True): _polygon_in_disc,
        (True, True): _polygon_in_polygon,
    })  # fmt: skip


def shapes_intersect(left: Shapes, right: Shapes) -> tuple[Mask, Mask]:
    """Whether the shapes of two sides have a point in common, row by row; returned as by `shapes_contain`."""
    return _row_by_row(left, right, {
        (False, False): _discs_meet,
        (True, False): _polygon_meets_disc,
        (False, True): lambda disc, polygon: _polygon_meets_disc(polygon, disc),
        (True, True): _polygons_meet,
    })  # fmt: skip


def area_deg2(shapes: Shapes) -> Floats:
    """Areas in square degrees, (n,); NaN where there is no shape. A border that crosses itself counts both ways."""
    areas = 4.0 * np.pi * np.sin(shapes.discs.radii / 2.0) ** 2
    rows = np.flatnonzero(shapes.is_polygon)
    if len(rows):
        areas[rows] = np.abs(shapes.polygons.chains.excesses)[shapes.polygons.of_row[rows]]
    return np.where(shapes.is_known, np.degrees(np.degrees(areas)), np.nan)


def centroids_deg(shapes: Shapes) -> tuple[Floats, Floats]:
    """Right ascensions and declinations, degrees, of the centres of gravity; NaN where there is no shape."""
    vectors = shapes.discs.centres.copy()
    rows = np.flatnonzero(shapes.is_polygon)
    if len(rows):
        vectors[:, rows] = _centroids(shapes.polygons.chains)[:, shapes.polygons.of_row[rows]]
    return directions_deg(np.where(shapes.is_known, vectors, np.nan))


def corners_of_boxes(ra_deg: Floats, dec_deg: Floats, width_deg: Floats, height_deg: Floats) -> Floats:
    """ADQL's boxes as polygons, (n, 8), with the corners of `Polygon.from_box`; NaN where that refuses."""
    with np.errstate(invalid="ignore"):
        fits = (width_deg > 0.0) & (width_deg < 180.0) & (height_deg > 0.0)
        fits &= np.abs(dec_deg) + height_deg / 2.0 <= 90.0
    west, east = ra_deg - width_deg / 2.0, ra_deg + width_deg / 2.0
    south, north = dec_deg - height_deg / 2.0, dec_deg + height_deg / 2.0
    corners = np.stack([normal_ra(west), south, normal_ra(west), north, normal_ra(east), north, normal_ra(east), south])
    return np.where(fits[:, None], corners.T, np.nan)


def _row_by_row(left: Shapes, right: Shapes, tests: dict[tuple[bool, bool], Any]) -> tuple[Mask, Mask]:
    is_known = left.is_known & right.is_known
    answers = np.zeros(len(is_known), np.bool_)
    for (polygon_left, polygon_right), test in tests.items():
        rows = np.flatnonzero(is_known & (left.is_polygon == polygon_left) & (right.is_polygon == polygon_right))
        if len(rows):
            answers[rows] = test(left.of_kind(polygon_left, rows), right.of_kind(polygon_right, rows))
    return answers, is_known


def _discs(numbers: Floats, lengths: Rows, is_disc: Mask) -> _Discs:
    starts = lengths.cumsum() - lengths
    centres, radii = np.full((3, len(lengths)), np.nan), np.zeros(len(lengths))
    rows = np.flatnonzero(is_disc)
    centres[:, rows] = unit_vectors(numbers[starts[rows]], numbers[starts[rows] + 1])
    circles = np.flatnonzero(is_disc & (lengths == 3))
    radii[circles] = np.radians(numbers[starts[circles] + 2])
    return _Discs(centres, radii)


def _disc_in_disc(outer: _Discs, inner: _Discs) -> Mask:
    room = _angles(outer.centres, inner.centres) + inner.radii <= outer.radii + SLACK
    return np.asarray(room | (outer.radii >= np.pi))


def _discs_meet(left: _Discs, right: _Discs) -> Mask:
    return np.asarray(_angles(left.centres, right.centres) <= left.radii + right.radii + SLACK)


def _disc_in_polygon(outer: _Polygons, inner: _Discs) -> Mask:
    inside = _inside(inner.centres, outer)
    rows = np.flatnonzero(inside & (inner.radii > 0.0))
    inside[rows] = _border_distances(inner.centres[:, rows], outer.take(rows)) >= inner.radii[rows] - SLACK
    return inside


def _polygon_in_disc(outer: _Discs, inner: _Polygons) -> Mask:
    rows, arcs = inner.vertices()
    distances = _angles(inner.chains.starts[:, arcs], outer.centres[:, rows])
    within = np.bincount(rows[distances > outer.radii[rows] + SLACK], minlength=len(inner.of_row)) == 0
    wide = np.flatnonzero(within & (outer.radii > np.pi / 2.0))  # more than a hemisphere is not convex
    beyond = _Discs(-outer.centres[:, wide], np.pi - outer.radii[wide])
    within[wide] = ~_inside(beyond.centres, inner.take(wide))
    within[wide] &= _border_distances(beyond.centres, inner.take(wide)) >= beyond.radii - SLACK
    return np.asarray(within)


def _polygon_meets_disc(polygon: _Polygons, disc: _Discs) -> Mask:
    near = _angles(polygon.centres, disc.centres) <= polygon.reaches + disc.radii + SLACK
    rows = np.flatnonzero(near | (polygon.reaches > LARGE))
    meets = np.zeros(len(near), np.bool_)
    meets[rows] = _inside(disc.centres[:, rows], polygon.take(rows))
    rows = rows[~meets[rows]]
    meets[rows] = _border_distances(disc.centres[:, rows], polygon.take(rows)) <= disc.radii[rows] + SLACK
    return meets


def _polygon_in_polygon(outer: _Polygons, inner: _Polygons) -> Mask:
    """All vertices and middles of edges inside, and no edge through another."""
    rows, arcs = inner.vertices()
    middles = inner.chains.starts[:, arcs] + inner.chains.ends[:, arcs]
    middles /= _length(middles)
    out = ~_inside(inner.chains.starts[:, arcs], outer.take(rows)) | ~_inside(middles, outer.take(rows))
    within = np.bincount(rows[out], minlength=len(inner.of_row)) == 0
    kept = np.flatnonzero(within)
    within[kept] = ~_borders_cross(outer.take(kept), inner.take(kept))
    return np.asarray(within)


def _polygons_meet(left: _Polygons, right: _Polygons) -> Mask:
    """A vertex of one inside the other, or an edge through another."""
    near = _angles(left.centres, right.centres) <= left.reaches + right.reaches + SLACK
    rows = np.flatnonzero(near | (left.reaches > LARGE) | (right.reaches > LARGE))
    meets = np.zeros(len(near), np.bool_)
    for one, other in ((left, right), (right, left)):
        rows = rows[~meets[rows]]
        owners, arcs = one.take(rows).vertices()
        inside = _inside(one.chains.starts[:, arcs], other.take(rows[owners]))
        meets[rows[owners[inside]]] = True
    rows = rows[~meets[rows]]
    meets[rows] = _borders_cross(left.take(rows), right.take(rows))
    return meets


def _inside(points: Floats, polygons: _Polygons) -> Mask:
    """Which points (3, n) lie in the polygon of their row, its border included."""
    inside = np.zeros(points.shape[1], np.bool_)
    reaches = polygons.reaches
    with np.errstate(invalid="ignore"):
        near = _angles(points, polygons.centres) <= reaches + SLACK
    rows = np.flatnonzero(near & (reaches <= LARGE))
    points_near, chains = points[:, rows], polygons.of_row[rows]
    for items, item, arc in polygons.chains.pairs(chains):
        inside[rows[items]] = _wound(points_near[:, items], item, arc, polygons.chains)
    large = np.flatnonzero(~(reaches <= LARGE))
    for chain in np.unique(polygons.of_row[large]):
        mine = large[polygons.of_row[large] == chain]
        inside[mine] = _inside_large(points[:, mine], polygons.chains, int(chain))
    return inside


def _wound(points: Floats, item: Rows, arc: Rows, chains: _Chains) -> Mask:
    """Which points a border runs round, or through: the angles under which its arcs are seen add up to a turn.

    All vectors are differences from the point, so that the smallest shapes lose no digits.
    """
    point = points[:, item]
    start, end = chains.starts[:, arc] - point, chains.ends[:, arc] - point
    volume = _dot(point, _cross(start, end))
    level = _dot(start, end) - _dot(start, point) * _dot(end, point)
    turns = np.bincount(item, np.arctan2(volume, level), minlength=points.shape[1]) / (2.0 * np.pi)
    on_arc = (np.abs(volume) <= SLACK * _length(start - end)) & (level <= SLACK)
    on_arc |= np.minimum(_dot(start, start), _dot(end, end)) <= SLACK**2
    is_odd = np.rint(turns).astype(np.int64) % 2 == 1
    return np.asarray(is_odd | (np.bincount(item[on_arc], minlength=points.shape[1]) > 0))


def _inside_large(points: Floats, chains: _Chains, chain: int) -> Mask:
    """The same for one polygon that does not fit into a hemisphere."""
    ra, dec = directions_deg(chains.starts[:, chains.owners == chain])
    try:
        return Polygon(tuple(ra), tuple(dec)).test.contains(points)
    except BadRegionError:
        return np.zeros(points.shape[1], np.bool_)


def _border_distances(points: Floats, polygons: _Polygons) -> Floats:
    """Distances, radians, of points (3, n) from the border of the polygon of their row."""
    distances = np.empty(points.shape[1])
    chains = polygons.chains
    for items, item, arc in chains.pairs(polygons.of_row):
        point, start, end = points[:, items][:, item], chains.starts[:, arc], chains.ends[:, arc]
        normal = chains.normals[:, arc]
        beside = (_dot(_cross(normal, start), point) >= 0.0) & (_dot(_cross(end, normal), point) >= 0.0)
        beside &= _dot(normal, normal) > 0.5
        across = np.arcsin(np.minimum(np.abs(_dot(normal, point - start)), 1.0))
        along = np.minimum(_angles(point, start), _angles(point, end))
        firsts = np.flatnonzero(np.diff(item, prepend=-1))
        distances[items] = np.minimum.reduceat(np.where(beside, across, along), firsts)
    return distances


def _borders_cross(left: _Polygons, right: _Polygons) -> Mask:
    """Which rows have an edge of one polygon that passes through an edge of the other."""
    crossed = np.zeros(len(left.of_row), np.bool_)
    rows, arcs = left.vertices()
    for items, item, arc in right.chains.pairs(right.of_row[rows]):
        mine = arcs[items][item]
        a, b = left.chains.starts[:, mine], left.chains.ends[:, mine]
        c, d = right.chains.starts[:, arc], right.chains.ends[:, arc]
        sides = np.stack([_dot(a, _cross(c - a, d - a)), -_dot(b, _cross(c - b, d - b)),
                          -_dot(c, _cross(a - c, b - c)), _dot(d, _cross(a - d, b - d))])  # fmt: skip
        noise = SLACK * np.stack([_length(c - d), _length(c - d), _length(a - b), _length(a - b)])
        through = (sides > noise).all(axis=0) | (sides < -noise).all(axis=0)
        crossed[rows[items][item[through]]] = True
    return crossed


def _centroids(chains: _Chains) -> Floats:
    """Directions (3, k) of the integrals of the position over the insides.

    Half the sum of the arcs' lengths along their normals; a polygon so small that the directions of normals are lost in
    rounding is cut into flat triangles instead, which then is exact to 1e-12 rad.
    """
    centres = chains.centres[:, chains.owners]
    starts, ends = chains.starts - centres, chains.ends - centres
    arcs = _angles(chains.starts, chains.ends)
    curved = chains.sums(_cross(starts, ends) + _beyond_sine(arcs) * chains.normals) * np.sign(chains.excesses)
    weights = _dot(centres, _cross(starts, ends))
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = chains.centres + chains.sums(weights * (starts + ends) / 3.0) / chains.sums(weights)
        sums = np.where(chains.reaches < FLAT, flat, curved)
        directions = sums / _length(sums)
    return np.where(np.isfinite(directions).all(axis=0), directions, chains.centres)


def _beyond_sine(angles: Floats) -> Floats:
    """Angles less their sines, by the series where the difference would cancel."""
    square = angles * angles
    series = angles * square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0))
    return np.where(angles < 0.05, series, angles - np.sin(angles))


def _dot(left: Floats, right: Floats) -> Floats:
    return np.asarray(left[0] * right[0] + left[1] * right[1] + left[2] * right[2])


def _cross(left: Floats, right: Floats) -> Floats:
    return np.stack([
        left[1] * right[2] - left[2] * right[1],
        left[2] * right[0] - left[0] * right[2],
        left[0] * right[1] - left[1] * right[0],
    ])  # fmt: skip


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(_dot(vectors, vectors)))


def _angles(left: Floats, right: Floats) -> Floats:
    """Angles, radians, between unit vectors (3, n); beyond a right angle from the antipode, to stay exact."""
    near, far = _length(left - right), _length(left + right)
    return np.asarray(2.0 * np.arctan2(near, far))
