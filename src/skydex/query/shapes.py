"""Geometries as values: what they are in a result, and what values are geometries.

Inside a query a geometry is a list of doubles (`shape_kernels`); a box is the polygon that ADQL says it is. So columns
of points, circles and polygons, `s_region` texts, and what the geometry functions of ADQL 2.1 (section 4.2) make are
one kind of value. A geometry that cannot be (a null among its numbers, a declination of 95) is null.
"""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.kernels import computed
from skydex.query.region_texts import RegionText, parse_regions, rotate_numbers
from skydex.query.shape_kernels import (
    CENTROID,
    FROM_TEXT,
    OF_KIND,
    OF_PLACE,
    POLYGON_OF_BOX,
    PROPER,
    TO_STC,
    TO_TEXT,
    turned,
)
from skydex.query.values import Shape, Value
from skydex.sky import (
    Cone,
    Polygon,
    Shapes,
    centroids_deg,
)

__all__ = [
    "COLUMNS",
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

_REGION_XTYPES = ("region", "shape", "stc", "stc-s", "point", "circle", "polygon")
"""xtypes of text columns that hold regions, without the prefix `adql:`."""
COLUMNS = {"POINT": types.POINT, "CIRCLE": types.CIRCLE, "BOX": types.POLYGON, "POLYGON": types.POLYGON}
"""What a geometry of a kind is in a result."""


def value_of(shape: Shape) -> Value:
    """A geometry as a column of a result, ICRS; what is of another kind in each row is a text."""
    shape = in_icrs(shape)
    if shape.kind == "REGION":
        return Value(computed(TO_STC, list_of(shape)), types.REGION)
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
    return computed(POLYGON_OF_BOX if shape.kind == "BOX" else PROPER, numbers)


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
    return parts[0] if len(parts) == 1 else Shape("REGION", (), whole=computed(FROM_TEXT, value.node), parts=parts)


def _written(region: RegionText) -> Shape:
    numbers = tuple(Value(tree.number(number), types.DOUBLE) for number in region.numbers)
    return Shape(region.kind, numbers, frame=region.frame)


def shape_of_text(value: Value, kind: str) -> Shape:
    """The geometry of a kind that a text in DALI's form describes: CAST(text AS POINT)."""
    shape = region_of_text(value)
    if shape.whole is not None:
        return _shape_of_list(computed(OF_KIND[kind], shape.whole), kind)
    if shape.kind != kind and (shape.kind, kind) != ("BOX", "POLYGON"):
        raise BadQueryError(f"{value.node.this!r} is a {shape.kind}, not a {kind}.")
    return shape


def text_of(value: Value) -> exp.Expression:
    """A geometry as text in DALI's form: CAST(point AS VARCHAR)."""
    return computed(TO_TEXT, value.node)


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
        return _shape_of_list(computed(turned(shape.frame, "ICRS"), list_of(shape)), kind)
    numbers = np.array(_checked(shape.kind, constants))
    rotated = rotate_numbers(numbers, np.array([len(numbers)]), origin=shape.frame, target="ICRS")
    return Shape(kind, tuple(Value(tree.number(number), types.DOUBLE) for number in rotated.tolist()))


def _shape_of_list(node: exp.Expression, kind: str) -> Shape:
    """A geometry of a kind that one value holds."""
    if isinstance(node, exp.Array):
        return Shape(kind, tuple(Value(number, types.DOUBLE) for number in node.expressions))
    n_numbers = {"POINT": 2, "CIRCLE": 3}.get(kind, 0)
    numbers = (Value(computed(OF_PLACE[n_numbers][i], node), types.DOUBLE) for i in range(n_numbers))
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
