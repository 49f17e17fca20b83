"""Geometries of rows: the kernels that compute with them.

A geometry is the list of the numbers of its DALI form (DALI 1.1, IVOA REC 2017-05-17, section 3.3): two are a point,
three a circle, six or more a polygon; several of these, parted by `BETWEEN`, are a region, which contains what one of
its parts contains, and whose area is the sum of theirs. The mathematics is `sky`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.query.kernels import Kernel, elements, rolled, unrolled, vectors
from skydex.query.region_texts import BETWEEN, numbers_of_regions, rotate_numbers
from skydex.sky import (
    Shapes,
    area_deg2,
    centroids_deg,
    corners_of_boxes,
    directions_deg,
    shapes_contain,
    shapes_intersect,
    unit_vectors,
)

__all__ = [
    "AREA",
    "CENTROID",
    "CONTAINS",
    "FROM_TEXT",
    "INTERSECTS",
    "OF_KIND",
    "OF_PLACE",
    "POLYGON_OF_BOX",
    "PROPER",
    "TO_STC",
    "TO_TEXT",
    "turned",
]

Test = Callable[[Shapes, Shapes], tuple[np.ndarray, np.ndarray]]

_LIST = pa.list_(pa.float64())
_AREA_OF_POINT = 1e-30
"""Square degrees: what a point weighs beside other points, and not beside anything else."""


def _shapes(lists: pa.Array) -> Shapes:
    numbers, lengths = unrolled(lists)
    return Shapes.from_numbers(numbers, np.concatenate([[0], lengths.cumsum()]))


def _doubles(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers, mask=np.isnan(numbers))


def _proper(lists: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(_shapes(lists).is_known), lists, pa.scalar(None, _LIST))


def _polygons_of_boxes(lists: pa.Array) -> pa.Array:
    corners = corners_of_boxes(*elements(lists, 4))
    return vectors([*corners.T], np.isnan(corners[:, 0]))


def _split(lists: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The single geometries of regions, and the row of each; every row has one at least, be it null."""
    numbers, lengths = unrolled(lists)
    is_between = numbers == BETWEEN
    if not is_between.any():
        return lists, np.arange(len(lists))
    rows = np.repeat(np.arange(len(lists)), lengths)
    n_parts = 1 + np.bincount(rows[is_between], minlength=len(lists))
    part_of_number = rows + is_between.cumsum()
    sizes = np.bincount(part_of_number[~is_between], minlength=n_parts.sum())
    return rolled(numbers[~is_between], sizes, sizes > 0), np.repeat(np.arange(len(lists)), n_parts)


def _test(test: Test, *, of_all: bool) -> Callable[[pa.Array, pa.Array], pa.Array]:
    """A test of rows: whether each part of the right, or any, has an answer among the parts of the left."""

    def compute(left: pa.Array, right: pa.Array) -> pa.Array:
        (lefts, left_rows), (rights, right_rows) = _split(left), _split(right)
        if len(lefts) == len(rights) == len(left):
            answers, is_known = test(_shapes(left), _shapes(right))
            return pa.array(answers, mask=~is_known)
        left_parts, right_parts = _pairs(left_rows, right_rows)
        answers, is_known = test(_shapes(lefts.take(left_parts)), _shapes(rights.take(right_parts)))
        n_hits = np.bincount(right_rows, np.bincount(right_parts, answers, minlength=len(rights)) > 0)
        is_unknown = np.bincount(right_rows[right_parts], ~is_known) > 0
        return pa.array(n_hits >= (np.bincount(right_rows) if of_all else 1), mask=is_unknown)

    return compute


def _pairs(left_rows: np.ndarray, right_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each part of the right with all parts of the left that are of its row."""
    n_left = np.bincount(left_rows)
    n_pairs, first_left = n_left[right_rows], (n_left.cumsum() - n_left)[right_rows]
    right_parts = np.repeat(np.arange(len(right_rows)), n_pairs)
    first_pair = n_pairs.cumsum() - n_pairs
    return np.arange(len(right_parts)) + np.repeat(first_left - first_pair, n_pairs), right_parts


def _areas(lists: pa.Array) -> pa.Array:
    parts, rows = _split(lists)
    return _doubles(np.bincount(rows, area_deg2(_shapes(parts)), minlength=len(lists)))


def _centroids(lists: pa.Array) -> pa.Array:
    """Centres of gravity; of several parts, those of the parts by the weight of their areas."""
    parts, rows = _split(lists)
    ra_deg, dec_deg = centroids_deg(_shapes(parts))
    if len(parts) > len(lists):
        weights = area_deg2(_shapes(parts)) + _AREA_OF_POINT
        sums = [np.bincount(rows, weights * part) for part in unit_vectors(ra_deg, dec_deg)]
        ra_deg, dec_deg = directions_deg(sums)
    return vectors((ra_deg, dec_deg), np.isnan(ra_deg))


def _stc(lists: pa.Array) -> pa.Array:
    """Regions as STC-S has them."""
    parts, rows = _split(lists)
    lengths = unrolled(parts)[1]
    words = np.where(lengths == 2, "POSITION", np.where(lengths == 3, "CIRCLE", "POLYGON"))
    numbers = pc.binary_join(pc.cast(parts, pa.list_(pa.string())), " ")
    n_parts = np.bincount(rows, minlength=len(lists))
    frames = np.where(n_parts[rows] > 1, "", "ICRS ")
    texts = pc.binary_join_element_wise(
        pa.array(words), pc.binary_join_element_wise(pa.array(frames), numbers, ""), " "
    )
    offsets = pa.array(np.concatenate([[0], n_parts.cumsum()]).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), " ")
    return pc.if_else(pa.array(n_parts > 1), pc.binary_join_element_wise("UNION ICRS (", joined, ")", ""), joined)


def _place(n_numbers: int, place: int) -> Callable[[pa.Array], pa.Array]:
    return lambda lists: _doubles(elements(lists, n_numbers)[place])


def _of_length(fits: Callable[[np.ndarray], np.ndarray]) -> Callable[[pa.Array], pa.Array]:
    def compute(lists: pa.Array) -> pa.Array:
        is_one = np.bincount(_split(lists)[1], minlength=len(lists)) == 1
        return pc.if_else(pa.array(is_one & fits(unrolled(lists)[1])), lists, pa.scalar(None, _LIST))

    return compute


def _to_text(lists: pa.Array) -> pa.Array:
    return pc.binary_join(pc.cast(lists, pa.list_(pa.string())), " ")


@cache
def turned(origin: str, target: str) -> Kernel:
    """The kernel that turns geometries of one frame to another."""

    def compute(lists: pa.Array) -> pa.Array:
        numbers, lengths = unrolled(lists)
        is_known = lists.is_valid().to_numpy(zero_copy_only=False)
        return rolled(rotate_numbers(numbers, lengths, origin=origin, target=target), lengths, is_known)

    return Kernel(f"shape_{origin}_to_{target}".lower(), (_LIST,), _LIST, compute)


PROPER = Kernel("shape", (_LIST,), _LIST, _proper)
"""A point, circle or polygon that can be, or null."""
POLYGON_OF_BOX = Kernel("box", (_LIST,), _LIST, _polygons_of_boxes)
"""Corners of centre, width and height."""
FROM_TEXT = Kernel("region", (pa.string(),), _LIST, numbers_of_regions)
"""The geometry that a text describes."""
TO_STC = Kernel("text_of_region", (_LIST,), pa.string(), _stc)
"""STC-S of a region."""
TO_TEXT = Kernel("text_of_shape", (_LIST,), pa.string(), _to_text)
"""Numbers as DALI writes them."""
OF_PLACE = {
    n: [Kernel(f"number_{i}_of_{n}", (_LIST,), pa.float64(), _place(n, i)) for i in range(n)] for n in (0, 2, 3)
}
"""The numbers of points and circles: by how many there are, and which."""
OF_KIND = {
    "POINT": Kernel("only_point", (_LIST,), _LIST, _of_length(lambda n: n == 2)),
    "CIRCLE": Kernel("only_circle", (_LIST,), _LIST, _of_length(lambda n: n == 3)),
    "POLYGON": Kernel("only_polygon", (_LIST,), _LIST, _of_length(lambda n: n >= 6)),
}
"""What is of one kind; null for all else."""
CONTAINS = Kernel("contains", (_LIST, _LIST), pa.bool_(), _test(shapes_contain, of_all=True))
"""Whether the first geometry holds the second."""
INTERSECTS = Kernel("intersects", (_LIST, _LIST), pa.bool_(), _test(shapes_intersect, of_all=False))
"""Whether two geometries have a point in common."""
AREA = Kernel("area", (_LIST,), pa.float64(), _areas)
"""Square degrees."""
CENTROID = Kernel("centroid", (_LIST,), _LIST, _centroids)
"""The centre of gravity, a point."""
