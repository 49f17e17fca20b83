"""`Task`: a part of the sky for which a cross-match is made at a time; together they are where the first table is.

A part is a HEALPix pixel: as large as partitions are, or as small as it takes for the rows of all tables in it and
around it to be few. So memory is bounded whatever the size of the tables. What depends on no other part can be done in
any order, in any process, and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skydex.sky import circle_order, grown_ranges, intersect_ranges, ranges29
from skydex.sky.ranges import Ranges
from skydex.store import Dataset
from skydex.xmatch import Criteria

__all__ = ["NOWHERE", "Task", "tasks_of"]

MOST_ROWS = 200_000
"""Rows of the first table that are matched together; a partition has no more."""
MOST_OTHERS = 1_000_000
"""Rows of another table, in a pixel and around it, unless the radius is larger than the pixel."""
MOST_BYTES = 96 << 20
"""What the rows that come out of one part may take, if each row has one partner."""
_FINEST = 20
"""Order of the smallest pixels, 0.2 arcsec."""
NOWHERE = "nowhere"
"""The task of the rows that have no position."""


@dataclass(frozen=True)
class Task:
    """A part of the sky."""

    order: int
    """HEALPix order; -1 for the rows without a position."""
    pixel: int
    """NESTED number."""
    n_rows: int
    """About how many rows of the first table there are."""

    @property
    def key(self) -> str:
        """Names it."""
        return NOWHERE if self.order < 0 else f"{self.order}-{self.pixel}"

    @property
    def ranges(self) -> Ranges:
        """Its order-29 pixels."""
        shift = 2 * (29 - self.order)
        return np.array([[self.pixel << shift, (self.pixel + 1) << shift]], dtype=np.int64)


def tasks_of(datasets: Sequence[Dataset], reach_deg: float, criteria: Criteria, *, row_bytes: float) -> list[Task]:
    """The parts of a cross-match, in the order of the sky; the rows without a position last, if they count.

    Parameters
    ----------
    datasets : sequence of Dataset
        The tables, the first one first.
    reach_deg : float
        How far apart rows may be that must be looked at together, degrees.
    criteria : Criteria
        Confined to which region, and whether rows without a position come out.
    row_bytes : float
        Bytes of a row that comes out.
    """
    whole = np.array([[0, 12 << 58]], dtype=np.int64) if criteria.region is None else ranges29(criteria.region)
    found = list(_parts(datasets, reach_deg, whole, max(1, min(MOST_ROWS, int(MOST_BYTES / max(row_bytes, 1.0))))))
    groups = datasets[0].row_groups
    n_nowhere = int(groups.n_rows[groups.index_min > groups.index_max].sum())
    if n_nowhere and criteria.keep.asks_for_the_lonely and criteria.region is None:
        found.append(Task(-1, 0, n_nowhere))
    return found


def _parts(datasets: Sequence[Dataset], reach_deg: float, whole: Ranges, most: int) -> Iterator[Task]:
    first, *others = (dataset.row_groups for dataset in datasets)
    coarsest = min(max(circle_order(reach_deg, roominess=1.0), 0), _FINEST)
    waiting = [Task(0, pixel, 0) for pixel in reversed(range(12))]
    while waiting:
        task = waiting.pop()
        here = intersect_ranges(task.ranges, whole)
        if not len(here) or not len(first.touching(here)):
            continue
        n_rows = first.n_rows_in(here)
        is_large = n_rows > most or (
            task.order < coarsest
            and any(other.n_rows_in(grown_ranges(here, reach_deg)) > MOST_OTHERS for other in others)
        )
        if is_large and task.order < _FINEST:
            waiting += [Task(task.order + 1, (task.pixel << 2) + part, 0) for part in (3, 2, 1, 0)]
        else:
            yield Task(task.order, task.pixel, n_rows)
