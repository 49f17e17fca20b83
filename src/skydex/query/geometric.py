"""Geometry functions in expressions: CONTAINS, INTERSECTS and DISTANCE over shapes.

`CONTAINS(...) = 1` and `DISTANCE(...) < r` are read as the conditions that they are, so that they can prune; standing
alone, the functions have the values that ADQL 2.1 (section 4.2) gives them. What shapes mean is `geometry`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import geometry, tree, types
from skydex.query.languages import place_of
from skydex.query.values import Shape, Value
from skydex.tables import Column, Datatype

__all__ = ["GEOMETRY_FUNCTIONS", "GeometryBinder"]

_TESTS = ("CONTAINS", "INTERSECTS")
GEOMETRY_FUNCTIONS = (*_TESTS, "DISTANCE", *geometry.SHAPES)

_MIRRORED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
}


class GeometryBinder:
    """Binds calls of geometry functions.

    Parameters
    ----------
    number : callable
        Binds an expression that must be a number.
    """

    def __init__(self, number: Callable[[exp.Expression], Value]) -> None:
        self._number = number

    def call(self, node: exp.Anonymous) -> Value:
        """A geometry function as a value."""
        name = node.name.upper()
        if name in _TESTS:
            return self._one_or_zero(node)
        if name != "DISTANCE":
            raise BadQueryError(f"{name} stands only inside CONTAINS, INTERSECTS or DISTANCE.", **place_of(node))
        left, right = self._two_points(node)
        column = replace(types.DOUBLE, name="distance", unit="deg", ucd="pos.angDistance")
        return Value(geometry.distance(left, right), column)

    def comparison(self, node: exp.Binary) -> exp.Expression | None:
        """Read `CONTAINS(...) = 1` and `DISTANCE(...) < r` as the conditions that they are."""
        left, right, kind = node.this, node.expression, type(node)
        if not _is_call(left) and _is_call(right):
            left, right, kind = right, left, _MIRRORED.get(kind, kind)
        if not _is_call(left):
            return None
        name = left.name.upper()
        if name in _TESTS and kind in (exp.EQ, exp.NEQ) and tree.constant(right) in (0.0, 1.0):
            test = self._test(left)
            wanted = (tree.constant(right) == 1.0) == (kind is exp.EQ)
            return test if wanted else exp.Not(this=exp.Paren(this=test))
        if name == "DISTANCE" and kind in (exp.LT, exp.LTE):
            first, second = self._two_points(left)
            radius = self._number(right).node
            return geometry.within_distance(first, second, radius, closed=kind is exp.LTE)
        return None

    def _one_or_zero(self, node: exp.Anonymous) -> Value:
        """CONTAINS and INTERSECTS as what they are in ADQL: the integers 1 and 0."""
        test = self._test(node)
        refused = exp.Not(this=exp.Paren(this=test.copy()))
        ifs = [exp.If(this=test, true=tree.integer(1)), exp.If(this=refused, true=tree.integer(0))]
        return Value(exp.Case(ifs=ifs), Column(node.name.lower(), Datatype.INT))

    def _test(self, node: exp.Anonymous) -> exp.Expression:
        if len(node.expressions) != 2:
            raise BadQueryError(f"{node.name.upper()} takes two geometries.", **place_of(node))
        left, right = (self._shape(item) for item in node.expressions)
        test = geometry.contains if node.name.upper() == "CONTAINS" else geometry.intersects
        return test(left, right)

    def _shape(self, node: exp.Expression) -> Shape:
        inner = node.this if isinstance(node, exp.Paren) else node
        if not isinstance(inner, exp.Anonymous) or inner.name.upper() not in geometry.SHAPES:
            raise BadQueryError("A POINT, CIRCLE, BOX or POLYGON is expected here.", **place_of(node))
        kind, arguments = inner.name.upper(), list(inner.expressions)
        frame = None
        if arguments and isinstance(arguments[0], exp.Literal) and arguments[0].is_string:
            frame = arguments.pop(0).this
        if kind != "POINT" and arguments and _is_point(arguments[0]):
            arguments = [number for item in arguments for number in (item.expressions if _is_point(item) else [item])]
        values = [self._number(item) for item in arguments if not (isinstance(item, exp.Literal) and item.is_string)]
        try:
            return geometry.make_shape(kind, values, frame)
        except BadQueryError as error:
            raise BadQueryError(str(error), **place_of(inner)) from error

    def _two_points(self, node: exp.Anonymous) -> tuple[Shape, Shape]:
        arguments = [item for item in node.expressions if not (isinstance(item, exp.Literal) and item.is_string)]
        if len(arguments) == 4:
            numbers = [self._number(item) for item in arguments]
            return Shape("POINT", tuple(numbers[:2])), Shape("POINT", tuple(numbers[2:]))
        shapes = [self._shape(item) for item in arguments]
        if len(shapes) != 2 or any(shape.kind != "POINT" for shape in shapes):
            raise BadQueryError("DISTANCE takes two points, or four numbers in degrees.", **place_of(node))
        return shapes[0], shapes[1]


def _is_call(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous)


def _is_point(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == "POINT"
