"""Geometry functions in expressions: what they take, and what they are where they stand.

`CONTAINS(...) = 1` and `DISTANCE(...) < r` are read as the conditions that they are, so that they can prune; standing
alone, all functions have the values that ADQL 2.1 (section 4.2) gives them, and geometries those of `shapes`. What one
geometry is to another is `geometry`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError, BadRegionError
from skydex.query import geometry, shapes, tree, types
from skydex.query.kernels import computed
from skydex.query.languages import place_of
from skydex.query.shape_kernels import AREA
from skydex.query.values import Shape, Value
from skydex.tables import Column, Datatype

__all__ = ["GEOMETRY_FUNCTIONS", "GeometryBinder"]

_TESTS = ("CONTAINS", "INTERSECTS")
_MAKERS = ("REGION", *geometry.SHAPES)
GEOMETRY_FUNCTIONS: dict[str, tuple[str, str]] = {
    "POINT": ("POINT(ra, dec)", "A position in degrees."),
    "CIRCLE": ("CIRCLE(ra, dec, radius) or CIRCLE(point, radius)", "What is within a radius, 0 to 180 degrees."),
    "BOX": (
        "BOX(ra, dec, width, height) or BOX(point, width, height)",
        "The polygon whose corners are so many degrees of right ascension and declination apart, around a centre.",
    ),
    "POLYGON": (
        "POLYGON(ra1, dec1, ra2, dec2, ra3, dec3, ...) or POLYGON(point1, point2, point3, ...)",
        "The smaller side of a closed chain of great circles.",
    ),
    "REGION": ("REGION('CIRCLE ICRS 10 20 0.5')", "The geometry that a text in STC-S describes."),
    "CONTAINS": ("CONTAINS(inner, outer)", "1 if the second geometry holds the first, its border included, else 0."),
    "INTERSECTS": ("INTERSECTS(a, b)", "1 if two geometries have a place in common, else 0."),
    "DISTANCE": (
        "DISTANCE(point1, point2) or DISTANCE(ra1, dec1, ra2, dec2)",
        "Angle between two positions in degrees.",
    ),
    "AREA": ("AREA(geometry)", "Square degrees."),
    "CENTROID": ("CENTROID(geometry)", "The centre of gravity, a point."),
    "COORD1": ("COORD1(point)", "Right ascension (longitude) in degrees."),
    "COORD2": ("COORD2(point)", "Declination (latitude) in degrees."),
    "COORDSYS": ("COORDSYS(geometry)", "Name of the coordinate system that a geometry was written in."),
}
"""How each is called and what it gives, by name."""
_SIZES = {"CIRCLE": 1, "BOX": 2}
"""Numbers that follow the position."""
_AREA = replace(types.DOUBLE, name="area", unit="deg**2", ucd="phys.angArea")
_SHAPE_WANTED = (
    "A geometry is expected here: POINT, CIRCLE, BOX, POLYGON, REGION, or a column that holds one (a text in STC-S is "
    "read by REGION)."
)

_MIRRORED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
}
_ASKED: dict[tuple[type[exp.Expression], float | None], bool] = {
    (exp.EQ, 1.0): True, (exp.NEQ, 0.0): True, (exp.GT, 0.0): True, (exp.GTE, 1.0): True,
    (exp.EQ, 0.0): False, (exp.NEQ, 1.0): False, (exp.LT, 1.0): False, (exp.LTE, 0.0): False,
}  # fmt: skip
"""Whether a comparison of CONTAINS or INTERSECTS with a number asks for what is so, or for what is not."""


class GeometryBinder:
    """Binds calls of geometry functions.

    Parameters
    ----------
    bind : callable
        Binds an expression.
    number : callable
        Binds an expression that must be a number.
    """

    def __init__(self, bind: Callable[[exp.Expression], Value], number: Callable[[exp.Expression], Value]) -> None:
        self._bind = bind
        self._number = number

    def call(self, node: exp.Anonymous) -> Value:
        """A geometry function as a value."""
        name = node.name.upper()
        with _located(node):
            if name in _TESTS:
                return Value(tree.one_or_zero(self._test(node)), Column(name.lower(), Datatype.INT))
            if name == "DISTANCE":
                left, right = self._two_points(node)
                column = replace(types.DOUBLE, name="distance", unit="deg", ucd="pos.angDistance")
                return Value(geometry.distance(left, right), column)
            if name in _MAKERS:
                return shapes.value_of(self._shape(node)).meaning(name=name.lower())
            return self._of_one(name, node).meaning(name=name.lower())

    def _of_one(self, name: str, node: exp.Anonymous) -> Value:
        """A fact about one geometry."""
        if len(node.expressions) != 1:
            raise BadQueryError(f"{name} takes one geometry.", **place_of(node))
        shape = self._shape(node.expressions[0])
        if name == "COORDSYS":
            return Value(tree.string(shape.frame), types.text(len(shape.frame)))
        if name == "AREA":
            return Value(computed(AREA, shapes.list_of(shape)), _AREA)
        if name == "CENTROID":
            return shapes.centroid_of(shape)
        if shape.kind != "POINT":
            raise BadQueryError(f"{name} takes a point.", **place_of(node))
        coordinate = shape.numbers[int(name[-1]) - 1]
        return Value(shapes.double(coordinate), replace(types.DOUBLE, unit="deg"))

    def comparison(self, node: exp.Binary) -> exp.Expression | None:
        """Read `CONTAINS(...) = 1` and `DISTANCE(...) < r` as the conditions that they are."""
        left, right, kind = node.this, node.expression, type(node)
        if not _is_call(left, *_TESTS) and _scaled_distance(left) is None:
            left, right, kind = right, left, _MIRRORED.get(kind, kind)
        distance, wanted = _scaled_distance(left), _ASKED.get((kind, tree.constant(right)))
        if _is_call(left, *_TESTS) and wanted is not None:
            with _located(left):
                test = self._test(left)
            return test if wanted else exp.Not(this=exp.Paren(this=test))
        if distance is None or kind not in (exp.LT, exp.LTE) or _scaled_distance(right) is not None:
            return None  # two distances are compared as they are: as a radius one would be rounded once more
        call, scale = distance
        radius = self._number(right).node
        if scale != 1.0:
            radius = exp.Div(this=exp.Paren(this=radius), expression=tree.number(scale))
        with _located(call):
            return geometry.within_distance(*self._two_points(call), radius, closed=kind is exp.LTE)

    def _test(self, node: exp.Anonymous) -> exp.Expression:
        if len(node.expressions) != 2:
            raise BadQueryError(f"{node.name.upper()} takes two geometries.", **place_of(node))
        left, right = (self._shape(item) for item in node.expressions)
        test = geometry.contains if node.name.upper() == "CONTAINS" else geometry.intersects
        return test(left, right)

    def _shape(self, node: exp.Expression) -> Shape:
        """The geometry that an expression is."""
        inner = node.unnest()
        with _located(inner):
            if isinstance(inner, exp.Anonymous) and inner.name.upper() == "REGION":
                return self._region(inner)
            if isinstance(inner, exp.Anonymous) and inner.name.upper() in geometry.SHAPES:
                return self._made(inner)
            shape = shapes.shape_of(self._bind(inner))
        if shape is None:
            raise BadQueryError(_SHAPE_WANTED, **place_of(node))
        return shape

    def _region(self, node: exp.Anonymous) -> Shape:
        text = self._bind(node.expressions[0]) if len(node.expressions) == 1 else None
        if text is None or not text.column.datatype.is_text or text.column.is_timestamp:
            raise BadQueryError("REGION takes one text, as in REGION('CIRCLE ICRS 10 20 0.5').", **place_of(node))
        return shapes.region_of_text(text)

    def _made(self, node: exp.Anonymous) -> Shape:
        """The geometry that POINT, CIRCLE, BOX or POLYGON make of numbers, or of points and numbers."""
        kind, arguments = node.name.upper(), list(node.expressions)
        frame = None
        if arguments and isinstance(arguments[0], exp.Null):
            arguments.pop(0)
        elif arguments and isinstance(arguments[0], exp.Literal) and arguments[0].is_string:
            frame = arguments.pop(0).this
        points = [self._point(item, kind) for item in arguments[: self._n_points(kind, arguments)]]
        numbers = [number for point in points for number in point.numbers]
        numbers += [self._number(item) for item in arguments[len(points) :]]
        frames = {point.frame for point in points if frame is None}
        if len(frames) > 1:
            raise BadQueryError(f"The points of this {kind} are of several coordinate systems.", **place_of(node))
        return geometry.make_shape(kind, numbers, frames.pop() if frames else frame)

    def _n_points(self, kind: str, arguments: Sequence[exp.Expression]) -> int:
        """How many of the arguments are points, not numbers."""
        if kind in _SIZES:
            return 1 if len(arguments) == 1 + _SIZES[kind] else 0
        first = arguments[0] if kind == "POLYGON" and arguments else None
        if isinstance(first, exp.Anonymous) and first.name.upper() in ("POINT", "CENTROID", "REGION"):
            return len(arguments)
        is_array = isinstance(first, exp.Column | exp.Anonymous | exp.Cast) and self._bind(first).column.is_array
        return len(arguments) if is_array else 0

    def _point(self, node: exp.Expression, function: str) -> Shape:
        shape = None if self._is_number(node) else self._shape(node)
        if shape is None or shape.kind != "POINT":
            raise BadQueryError(f"A point is expected here: {GEOMETRY_FUNCTIONS[function][0]}.", **place_of(node))
        return shape

    def _is_number(self, node: exp.Expression) -> bool:
        column = self._bind(node).column if isinstance(node, exp.Column | exp.Literal) else None
        return column is not None and column.datatype.is_numeric and not column.is_array

    def _two_points(self, node: exp.Anonymous) -> tuple[Shape, Shape]:
        arguments = [item for item in node.expressions if not (isinstance(item, exp.Literal) and item.is_string)]
        if len(arguments) == 4:
            numbers = [self._number(item) for item in arguments]
            return Shape("POINT", tuple(numbers[:2])), Shape("POINT", tuple(numbers[2:]))
        if len(arguments) != 2:
            raise BadQueryError("DISTANCE takes two points, or four numbers in degrees.", **place_of(node))
        return geometry.of_one_frame(self._point(arguments[0], "DISTANCE"), self._point(arguments[1], "DISTANCE"))


@contextmanager
def _located(node: exp.Expression) -> Iterator[None]:
    """Let complaints point at a call."""
    try:
        yield
    except BadRegionError as error:
        raise BadQueryError(str(error), **place_of(node)) from error
    except BadQueryError as error:
        if error.line is not None:
            raise
        raise BadQueryError(str(error), **place_of(node)) from error


def _is_call(node: exp.Expression, *names: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() in names


def _scaled_distance(node: exp.Expression) -> tuple[exp.Anonymous, float] | None:
    """A call of DISTANCE, and the positive number by which it is multiplied, such as 3600; `None` for all else."""
    node = node.unnest()
    sides = ((node.this, node.expression), (node.expression, node.this)) if isinstance(node, exp.Mul) else ()
    for call, factor in ((node, tree.number(1.0)), *sides):
        scale = tree.constant(factor)
        if _is_call(call, "DISTANCE") and scale is not None and scale > 0.0:
            return call, scale
    return None
