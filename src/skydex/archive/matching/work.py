"""The work of one task: what of it comes out, as a function of the task and the job alone.

Positions of the first table are read for its part of the sky, those of the others for as far around as a partner may be
catalogued: the radius, and how far any of their stars may have moved. Pairs are measured where stars are at the epoch
of the match. Columns are read last, of the rows that come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from skydex.archive.matching.sides import Side, Spots
from skydex.archive.matching.tasks import Task
from skydex.sky import (
    Pairs,
    Places,
    circle_order,
    circle_ranges29,
    directions_deg,
    find_pairs,
    index29,
    intersect_ranges,
    ranges29,
    unit_vectors,
)
from skydex.sky.angles import Floats
from skydex.sky.ranges import Ranges
from skydex.tables import INDEX_COLUMN
from skydex.xmatch import LARGEST_DEG, Criteria, Keep, Matched, Partners, SameRows, Shape, matched, ranked

__all__ = ["SHIFTS", "Counts", "Job", "Part", "matches"]

_PRUNING_ORDER = 13
"""Row groups are chosen by cells no finer than this, 26 arcsec."""
_ROWS_AT_ONCE = 100_000
_PAIRS_AT_ONCE = 2_000_000
_SAMPLE = 200
"""Rows by which the number of pairs is judged."""
_EVERYWHERE = np.array([[0, 12 << 58]], dtype=np.int64)
SHIFTS = 4
"""In so many directions, a right angle apart, positions are shifted to see how many find a partner by chance."""
SHIFT_RADII = 10.0
"""By so many radii they are shifted."""
LEAST_SHIFT_DEG = 10.0 / 3600.0
"""And by no less than this, so that images of one star do not count."""


@dataclass(frozen=True)
class Counts:
    """How many of what; the sum of those of all tasks says it for the whole."""

    n_rows: int = 0
    """Rows of the first table."""
    n_matched: int = 0
    """Those of them with a partner in each other table."""
    n_out: int = 0
    """Rows that come out."""
    n_pairs: tuple[int, ...] = ()
    """Pairs with each other table."""
    n_shifted: tuple[int, ...] = ()
    """Chance partners with each other table, at all shifted positions together."""

    def __add__(self, other: Counts) -> Counts:
        sums = (self.n_rows + other.n_rows, self.n_matched + other.n_matched, self.n_out + other.n_out)
        return Counts(*sums, _summed(self.n_pairs, other.n_pairs), _summed(self.n_shifted, other.n_shifted))


def _summed(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True)) if one and other else one or other


@dataclass(frozen=True)
class Job:
    """A cross-match that is ready to be carried out."""

    sides: tuple[Side, ...]
    """The tables, the first one first."""
    criteria: Criteria
    """Who is whose partner."""
    shape: Shape
    """What comes out."""
    furthest_error_deg: tuple[float, ...] = ()
    """For each table the largest error of a position; 0 where they do not count."""
    furthest_way_deg: tuple[float, ...] = ()
    """For each table how far a star may have moved."""
    same: tuple[bool, ...] = ()
    """For each table whether it is the first one again."""

    @property
    def reach_deg(self) -> float:
        """How far apart partners may be catalogued, degrees."""
        radius = self.criteria.radius
        errors = self.furthest_error_deg
        most = max(float(radius.of_pairs(np.array(errors[:1]), error)[0]) for error in errors[1:])
        ways = self.furthest_way_deg
        return min(
            most + ways[0] + max(ways[1:]) + (self.shift_deg(most) if self.criteria.chance else 0.0), LARGEST_DEG
        )

    def shift_deg(self, radius_deg: float) -> float:
        """How far positions are shifted to see what happens by chance."""
        return min(max(SHIFT_RADII * radius_deg, LEAST_SHIFT_DEG), LARGEST_DEG / 2.0)


@dataclass(frozen=True)
class Part:
    """Some of the rows that come out of a task."""

    rows: pa.Table
    """In the columns of the shape, the order-29 pixel of the first table's position before them."""
    counts: Counts
    """What was counted on the way."""
    numbers: np.ndarray
    """The number of the first table's row, for each row that comes out."""


def matches(task: Task, job: Job) -> Iterator[Part]:
    """Carry out a task: the same parts in the same order, whenever and wherever it is done.

    Parameters
    ----------
    task : Task
        Which part of the sky.
    job : Job
        What is to be done there.
    """
    for spots in _spots(task, job):
        nears = [_around(spots, job, number) for number in range(1, len(job.sides))]
        step = _step(spots, nears, job)
        for start in range(0, len(spots), step):
            yield _part(spots.taken(slice(start, start + step)), nears, job)


def _spots(task: Task, job: Job) -> Iterator[Spots]:
    """The first table's rows of a task, within the region."""
    first, region = job.sides[0], job.criteria.region
    if task.order < 0:
        yield from first.spots_nowhere()
        return
    here = task.ranges if region is None else intersect_ranges(task.ranges, ranges29(region))
    spots = first.spots(here)
    yield spots if region is None else spots.taken(region.contains(spots.ra_deg, spots.dec_deg))


def _step(spots: Spots, nears: Sequence[Spots], job: Job) -> int:
    """How many rows are matched together, so that there are not too many pairs: judged by some of them."""
    some = spots.taken(slice(0, None, max(1, len(spots) // _SAMPLE)))
    n_pairs = [len(_pairs(some, near, job, number).left) for number, near in enumerate(nears, start=1)]
    return int(np.clip(_PAIRS_AT_ONCE * len(some) / max(*n_pairs, 1), 1, _ROWS_AT_ONCE))


def _known(errors: Floats) -> Floats:
    return np.where(np.isfinite(errors), errors, -1.0)


def _part(spots: Spots, nears: Sequence[Spots], job: Job) -> Part:
    partners, n_shifted = [], []
    for number, near in enumerate(nears, start=1):
        partners.append((_partners(spots, near, job, number), near))
        n_shifted.append(_n_by_chance(spots, near, job, number) if job.criteria.chance else 0)
    found = matched([pairs for pairs, _ in partners], job.criteria.keep)
    is_matched = np.stack([pairs.n_matches > 0 for pairs, _ in partners]).all(axis=0)
    counts = Counts(
        len(spots),
        int(np.count_nonzero(is_matched)),
        len(found.left),
        tuple(len(pairs.right) for pairs, _ in partners),
        tuple(n_shifted),
    )
    rows = _rows(spots, partners, found, job)
    index = spots.index29[found.left]
    rows = rows.add_column(0, pa.field(INDEX_COLUMN, pa.int64()), pa.array(index, mask=index < 0))
    return Part(rows, counts, spots.number[found.left])


def _rows(spots: Spots, partners: list[tuple[Partners, Spots]], found: Matched, job: Job) -> pa.Table:
    """The columns of the rows that come out."""
    shape = job.shape
    parts = [job.sides[0].rows(spots.number[found.left], shape.carried[0])]
    if job.criteria.keep is not Keep.NONE:
        for number, (pairs, (of, near)) in enumerate(zip(found.pairs, partners, strict=True), start=1):
            right = np.full(len(pairs), -1, np.int64)
            right[pairs >= 0] = near.number[of.right[pairs[pairs >= 0]]]
            parts.append(job.sides[number].rows(right, shape.carried[number]))
    return shape.assembled(parts, [pairs for pairs, _ in partners], found)


def _around(spots: Spots, job: Job, number: int) -> Spots:
    """The rows of another table that may be partners."""
    radius = job.criteria.radius.of_pairs(_known(spots.error_deg), job.furthest_error_deg[number])
    is_sought = (spots.places.pixels >= 0) & (radius >= 0.0)
    reach = radius[is_sought] + job.furthest_way_deg[number]
    if job.criteria.chance:
        reach = reach + job.shift_deg(float(radius.max(initial=0.0)))
    return job.sides[number].spots(_ranges_around(spots.places.pixels[is_sought], np.minimum(reach, LARGEST_DEG)))


def _ranges_around(pixels: np.ndarray, reach_deg: Floats) -> Ranges:
    if not len(pixels):
        return np.empty((0, 2), np.int64)
    order = min(circle_order(float(reach_deg.max()), roominess=1.0), _PRUNING_ORDER)
    return _EVERYWHERE if order < 0 else circle_ranges29(pixels, reach_deg, order)


def _partners(spots: Spots, near: Spots, job: Job, number: int) -> Partners:
    pairs = _pairs(spots, near, job, number)
    left, right, separation = pairs.left, pairs.right, pairs.separation_deg
    if job.same[number] and job.criteria.same is not SameRows.ALL:
        own, other = spots.number[left], near.number[right]
        is_other = own != other if job.criteria.same is SameRows.OTHERS else own < other
        left, right, separation = left[is_other], right[is_other], separation[is_other]
    return ranked(len(spots), left, right, separation, places=(near.ra_deg, near.dec_deg))


def _pairs(spots: Spots, near: Spots, job: Job, number: int, *, places: Places | None = None) -> Pairs:
    """Pairs that are near enough, each by its own radius; the first table's rows may be thought elsewhere."""
    radius, own = job.criteria.radius, _known(spots.error_deg)
    pairs = find_pairs(places or spots.places, near.places, radius.of_pairs(own, job.furthest_error_deg[number]))
    if not radius.other:
        return pairs
    bound = radius.of_pairs(own[pairs.left], _known(near.error_deg)[pairs.right])
    is_near = (bound >= 0.0) & (pairs.separation_deg <= bound)
    return Pairs(pairs.left[is_near], pairs.right[is_near], pairs.separation_deg[is_near])


def _n_by_chance(spots: Spots, near: Spots, job: Job, number: int) -> int:
    """Partners that rows find when they are shifted: pairs, or rows with any where only the nearest counts."""
    radius = job.criteria.radius.of_pairs(_known(spots.error_deg), job.furthest_error_deg[number])
    shift = job.shift_deg(float(radius.max(initial=0.0)))
    n_found = 0
    for direction in range(SHIFTS):
        places = _shifted(spots.places, shift, 2.0 * np.pi * direction / SHIFTS)
        pairs = _pairs(spots, near, job, number, places=places)
        n_found += len(pairs.left) if job.criteria.keep.has_every_partner else len(np.unique(pairs.left))
    return n_found


def _shifted(places: Places, shift_deg: float, angle: float) -> Places:
    """Positions moved along a great circle in a direction, from north through east."""
    outwards = unit_vectors(places.ra_deg, places.dec_deg)
    ra, dec = np.radians(places.ra_deg), np.radians(places.dec_deg)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)])
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])
    step = np.radians(shift_deg)
    moved = outwards * np.cos(step) + (east * np.sin(angle) + north * np.cos(angle)) * np.sin(step)
    ra_deg, dec_deg = directions_deg(moved)
    return Places(ra_deg, dec_deg, index29(ra_deg, dec_deg))
