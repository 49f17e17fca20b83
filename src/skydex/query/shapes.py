"""Geometries as values: what they are in a result, and the kernels that compute with them.

A geometry travels as the numbers of its DALI form (DALI 1.1, IVOA REC 2017-05-17, section 3.3), a list of doubles: two
are a point, three a circle, six or more a polygon; a box is the polygon that ADQL says it is; several of these, parted
by `BETWEEN`, are a region. So columns of points, circles and polygons, `s_region` texts, and what the geometry
functions of ADQL 2.1 (section 4.2) make are one kind of value. A geometry that cannot be (a null among its numbers, a
declination of 95) is null. A region of several parts contains what one of them contains, and its area is the sum of
theirs. The mathematics is `sky`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.kernels import Kernel, computed
from skydex.query.region_texts import BETWEEN, RegionText, numbers_of_regions, parse_regions, rotate_numbers
from skydex.query.values import Shape, Value
from skydex.sky import (
    Cone,
    Polygon,
    Shapes,
    area_deg2,
    centroids_deg,
    corners_of_boxes,
    shapes_contain,
    shapes_intersect,
    unit_vectors,
)

__all__ = [
    "AREA",
    "CENTROID",
    "COLUMNS",
    "CONTAINS",
    "INTERSECTS",
    "centroid_of",
    "double",
    "in_icrs",
    "list_of",
    "region_of_text",
    "shape_of",
    "shape_of_text",
    "text_of",
    "value_of",
]

Test = Callable[[Shapes, Shapes], tuple[np.ndarray, np.ndarray]]

_LIST = pa.list_(pa.float64())
_AREA_OF_POINT = 1e-30
"""Square degrees: what a point weighs beside other points, and not beside anything else."""
_REGION_XTYPES = ("region", "shape", "stc", "stc-s", "point", "circle", "polygon")
"""xtypes of text columns that hold regions, without the prefix `adql:`."""
COLUMNS = {"POINT": types.POINT, "CIRCLE": types.CIRCLE, "BOX": types.POLYGON, "POLYGON": types.POLYGON}
"""What a geometry of a kind is in a result."""


def value_of(shape: Shape) -> Value:
    """A geometry as a column of a result, ICRS; what is of another kind in each row is a text."""
    shape = in_icrs(shape)
    if shape.kind == "REGION":
        return Value(computed(_TO_STC, list_of(shape)), types.REGION)
    return Value(list_of(shape), COLUMNS[shape.kind])


def list_of(shape: Shape) -> exp.Expression:
    """The numbers of a geometry's DALI form as one value.

    Raises
    ------
    BadRegionError
        A geometry that is written out and cannot be.
    """
    if shape.whole is not None:
        return shape.whole.copy()
    constants = shape.constants
    if constants is not None:
        return exp.Array(expressions=[tree.number(number) for number in _checked(shape.kind, constants)])
    numbers = exp.Array(expressions=[double(value) for value in shape.numbers])
    return computed(_BOX if shape.kind == "BOX" else _PROPER, numbers)


def shape_of(value: Value) -> Shape | None:
    """The geometry that a value is; `None` if it is none.

    Geometries are arrays with the xtype of one, and the texts of ObsCore's `s_region` and the like.
    """
    column = value.column
    if value.is_null:
        return Shape("REGION", (), whole=exp.Cast(this=exp.Null(), to=exp.DataType.build("double[]")))
    xtype = (column.xtype or "").lower().removeprefix("adql:")
    if column.datatype.is_floating and column.is_array:
        return _shape_of_list(value.node, xtype.upper()) if xtype in ("point", "circle", "polygon", "region") else None
    if not column.datatype.is_text or column.is_timestamp:
        return None
    if xtype in _REGION_XTYPES or column.name.lower() == "s_region" or "support.area" in (column.utype or "").lower():
        return region_of_text(value)
    return None


def region_of_text(value: Value) -> Shape:
    """The geometry that a text describes: REGION(text)."""
    parts: tuple[Shape, ...] = ()
    if isinstance(value.node, exp.Literal) and value.node.is_string:
        parts = tuple(_written(region) for region in parse_regions(value.node.this))
    return parts[0] if len(parts) == 1 else Shape("REGION", (), whole=computed(_FROM_TEXT, value.node), parts=parts)


def _written(region: RegionText) -> Shape:
    numbers = tuple(Value(tree.number(number), types.DOUBLE) for number in region.numbers)
    return Shape(region.kind, numbers, frame=region.frame)


def shape_of_text(value: Value, kind: str) -> Shape:
    """The geometry of a kind that a text in DALI's form describes: CAST(text AS POINT)."""
    shape = region_of_text(value)
    if shape.whole is not None:
        return _shape_of_list(computed(_OF_LENGTH[kind], shape.whole), kind)
    if shape.kind != kind and (shape.kind, kind) != ("BOX", "POLYGON"):
        raise BadQueryError(f"{value.node.this!r} is a {shape.kind}, not a {kind}.")
    return shape


def text_of(value: Value) -> exp.Expression:
    """A geometry as text in DALI's form: CAST(point AS VARCHAR)."""
    return computed(_TO_TEXT, value.node)


def centroid_of(shape: Shape) -> Value:
    """The centre of gravity of a geometry: a point, ICRS."""
    shape = in_icrs(shape)
    if shape.kind in ("POINT", "CIRCLE") and shape.numbers:
        return value_of(Shape("POINT", shape.numbers[:2]))
    constants = shape.constants
    if constants is None:
        return Value(computed(CENTROID, list_of(shape)), types.POINT)
    numbers = np.array(_checked(shape.kind, constants))
    ra_deg, dec_deg = centroids_deg(Shapes.from_numbers(numbers, np.array([0, len(numbers)])))
    return Value(exp.Array(expressions=[tree.number(ra_deg[0]), tree.number(dec_deg[0])]), types.POINT)


def in_icrs(shape: Shape) -> Shape:
    """The same geometry in ICRS."""
    if shape.frame == "ICRS":
        return shape
    constants, kind = shape.constants, "POLYGON" if shape.kind == "BOX" else shape.kind
    if constants is None:
        return _shape_of_list(computed(_to_icrs(shape.frame), list_of(shape)), kind)
    numbers = np.array(_checked(shape.kind, constants))
    turned = rotate_numbers(numbers, np.array([len(numbers)]), shape.frame)
    return Shape(kind, tuple(Value(tree.number(number), types.DOUBLE) for number in turned.tolist()))


def _shape_of_list(node: exp.Expression, kind: str) -> Shape:
    """A geometry of a kind that one value holds."""
    if isinstance(node, exp.Array):
        return Shape(kind, tuple(Value(number, types.DOUBLE) for number in node.expressions))
    n_numbers = {"POINT": 2, "CIRCLE": 3}.get(kind, 0)
    numbers = (Value(computed(_OF_PLACE[n_numbers][i], node), types.DOUBLE) for i in range(n_numbers))
    return Shape(kind, tuple(numbers), whole=node)


def _checked(kind: str, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """The numbers of a DALI form, if there can be such a geometry."""
    if kind == "POINT":
        Cone(numbers[0], numbers[1], 0.0)
    elif kind == "CIRCLE":
        Cone(*numbers)
    elif kind == "BOX":
        box = Polygon.from_box(*numbers)
        return tuple(np.stack([box.ra_deg, box.dec_deg], axis=1).ravel().tolist())
    else:
        Polygon(numbers[0::2], numbers[1::2])
    return numbers


def double(value: Value) -> exp.Expression:
    """A number as a double."""
    constant = value.constant
    if constant is not None:
        return tree.number(constant)
    if value.column.datatype is types.DOUBLE.datatype and not value.is_null:
        return value.node.copy()
    return exp.Cast(this=value.node.copy(), to=exp.DataType.build("double"))


def _parts(lists: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a column of lists, one behind the other, and how many each row has; a null has none."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return lists.flatten().to_numpy(zero_copy_only=False), lengths


def _shapes(lists: pa.Array) -> Shapes:
    numbers, lengths = _parts(lists)
    return Shapes.from_numbers(numbers, np.concatenate([[0], lengths.cumsum()]))


def _lists(numbers: np.ndarray, lengths: np.ndarray, is_known: np.ndarray) -> pa.Array:
    offsets = pa.array(np.concatenate([[0], lengths.cumsum()]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(numbers), mask=pa.array(~is_known))


def _rows(*columns: np.ndarray) -> pa.Array:
    """Lists of one length, a column each number; null where a number is NaN."""
    table = np.stack(columns, axis=1)
    lengths = np.full(len(table), table.shape[1])
    return _lists(table.ravel(), lengths, np.isfinite(table).all(axis=1))


def _doubles(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers, mask=np.isnan(numbers))


def _proper(lists: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(_shapes(lists).is_known), lists, pa.scalar(None, _LIST))


def _polygons_of_boxes(lists: pa.Array) -> pa.Array:
    numbers, lengths = _parts(lists)
    boxes = np.full((len(lengths), 4), np.nan)
    boxes[lengths == 4] = numbers[np.repeat(lengths == 4, lengths)].reshape(-1, 4)
    return _rows(*corners_of_boxes(*boxes.T).T)


def _split(lists: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The single geometries of regions, and the row of each; every row has one at least, be it null."""
    numbers, lengths = _parts(lists)
    is_between = numbers == BETWEEN
    if not is_between.any():
        return lists, np.arange(len(lists))
    rows = np.repeat(np.arange(len(lists)), lengths)
    n_parts = 1 + np.bincount(rows[is_between], minlength=len(lists))
    part_of_number = rows + is_between.cumsum()
    sizes = np.bincount(part_of_number[~is_between], minlength=n_parts.sum())
    return _lists(numbers[~is_between], sizes, sizes > 0), np.repeat(np.arange(len(lists)), n_parts)


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
        x, y, z = (np.bincount(rows, weights * part) for part in unit_vectors(ra_deg, dec_deg))
        ra_deg, dec_deg = np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
    return _rows(ra_deg, dec_deg)


def _stc(lists: pa.Array) -> pa.Array:
    """Regions as STC-S has them."""
    parts, rows = _split(lists)
    lengths = _parts(parts)[1]
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
    def compute(lists: pa.Array) -> pa.Array:
        numbers, lengths = _parts(lists)
        starts = lengths.cumsum() - lengths
        found = np.full(len(lengths), np.nan)
        found[lengths == n_numbers] = numbers[starts[lengths == n_numbers] + place]
        return _doubles(found)

    return compute


def _of_length(fits: Callable[[np.ndarray], np.ndarray]) -> Callable[[pa.Array], pa.Array]:
    def compute(lists: pa.Array) -> pa.Array:
        is_one = np.bincount(_split(lists)[1], minlength=len(lists)) == 1
        return pc.if_else(pa.array(is_one & fits(_parts(lists)[1])), lists, pa.scalar(None, _LIST))

    return compute


def _to_text(lists: pa.Array) -> pa.Array:
    return pc.binary_join(pc.cast(lists, pa.list_(pa.string())), " ")


@cache
def _to_icrs(frame: str) -> Kernel:
    """The kernel that turns geometries of a frame to ICRS."""

    def compute(lists: pa.Array) -> pa.Array:
        numbers, lengths = _parts(lists)
        is_known = lists.is_valid().to_numpy(zero_copy_only=False)
        return _lists(rotate_numbers(numbers, lengths, frame), lengths, is_known)

    return Kernel(f"shape_from_{frame.lower()}", (_LIST,), _LIST, compute)


_PROPER = Kernel("shape", (_LIST,), _LIST, _proper)
_BOX = Kernel("box", (_LIST,), _LIST, _polygons_of_boxes)
_FROM_TEXT = Kernel("region", (pa.string(),), _LIST, numbers_of_regions)
_TO_STC = Kernel("text_of_region", (_LIST,), pa.string(), _stc)
_TO_TEXT = Kernel("text_of_shape", (_LIST,), pa.string(), _to_text)
_OF_PLACE = {
    n: [Kernel(f"number_{i}_of_{n}", (_LIST,), pa.float64(), _place(n, i)) for i in range(n)] for n in (0, 2, 3)
}
_OF_LENGTH = {
    "POINT": Kernel("only_point", (_LIST,), _LIST, _of_length(lambda n: n == 2)),
    "CIRCLE": Kernel("only_circle", (_LIST,), _LIST, _of_length(lambda n: n == 3)),
    "POLYGON": Kernel("only_polygon", (_LIST,), _LIST, _of_length(lambda n: n >= 6)),
}

CONTAINS = Kernel("contains", (_LIST, _LIST), pa.bool_(), _test(shapes_contain, of_all=True))
"""Whether the first geometry holds the second."""
INTERSECTS = Kernel("intersects", (_LIST, _LIST), pa.bool_(), _test(shapes_intersect, of_all=False))
"""Whether two geometries have a point in common."""
AREA = Kernel("area", (_LIST,), pa.float64(), _areas)
"""Square degrees."""
CENTROID = Kernel("centroid", (_LIST,), _LIST, _centroids)
"""The centre of gravity, a point."""
