"""Geometry in ADQL: points and regions on the sphere, and the arithmetic that tests them.

Answers the geometry functions of ADQL 2.1 (IVOA REC 2023-12-15, section 4.2). Coordinates are degrees; two geometries
of one coordinate system are compared as they are, of two systems in ICRS. A test of a position against a region that is
written out becomes an `InRegion` node, which carries its `sky` region for pruning and for engines that work on arrays;
`expanded` gives the same test in arithmetic that every SQL engine has, or as a kernel if that would be long. What else
two geometries can be to one another is computed on arrays (`shapes`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query.insides import inside
from skydex.query.kernels import computed
from skydex.query.region_texts import frame_called, region_of
from skydex.query.shape_kernels import CONTAINS, INTERSECTS
from skydex.query.shapes import in_icrs, list_of
from skydex.query.tree import InRegion, Near, call, conjunction, constant, integer, number
from skydex.query.values import Shape, Value
from skydex.sky import ONE_PLACE, Cap, Cone, Crossing, Crossings, HalfSpaces, Polygon, Region, Vector

__all__ = ["SHAPES", "contains", "distance", "expanded", "intersects", "make_shape", "of_one_frame", "within_distance"]

SHAPES = ("POINT", "CIRCLE", "BOX", "POLYGON")
_RADIAN = math.pi / 180.0
_MOST_EDGES = 100
"""Borders of more edges are not spelled in arithmetic, but left to a kernel."""
_OPEN = 1.0 - 1e-15
"""A radius that does not count itself is smaller by this factor, which is less than positions are known to."""
_LARGEST_RADIUS = 1e300
"""Engines that count NaN as greater than all numbers leave it out by this."""

Position = tuple[exp.Expression, exp.Expression]
"""Right ascension and declination."""


def make_shape(kind: str, numbers: Sequence[Value], frame: str | None) -> Shape:
    """Check a geometry constructor's arguments.

    Raises
    ------
    BadQueryError
        Wrong number of arguments, text among them, or a coordinate system that is not known.
    """
    fitting = {
        "POINT": len(numbers) == 2,
        "CIRCLE": len(numbers) == 3,
        "BOX": len(numbers) == 4,
        "POLYGON": len(numbers) >= 6 and len(numbers) % 2 == 0,
    }
    if not fitting[kind]:
        raise BadQueryError(f"{kind} does not take {len(numbers)} numbers: {_USAGE[kind]}.")
    text = next((value for value in numbers if not value.column.datatype.is_numeric and not value.is_null), None)
    if text is not None:
        raise BadQueryError(f"{kind} takes numbers in degrees: {_USAGE[kind]}.")
    return Shape(kind, tuple(numbers), frame=frame_called(frame or ""))


_USAGE = {
    "POINT": "POINT(ra, dec)",
    "CIRCLE": "CIRCLE(ra, dec, radius)",
    "BOX": "BOX(ra, dec, width, height)",
    "POLYGON": "POLYGON(ra1, dec1, ra2, dec2, ra3, dec3, ...)",
}


def contains(inner: Shape, outer: Shape) -> exp.Expression:
    """Condition that `inner` lies in `outer`."""
    if outer.kind == "POINT":
        raise BadQueryError(
            "A POINT contains nothing: the second argument of CONTAINS, in which the first may lie, is a CIRCLE, BOX "
            "or POLYGON."
        )
    inner, outer = of_one_frame(inner, outer)
    if inner.kind == "POINT" and outer.parts:
        areas = [part for part in outer.parts if part.kind != "POINT"]
        return conjunction([contains(inner, part) for part in areas or outer.parts], exp.Or)
    constants = outer.constants
    if inner.kind == "POINT" and constants is not None and (inner.whole is None or outer.kind == "CIRCLE"):
        return _test(inner, region_of(outer.kind, constants))
    if inner.kind == "POINT" and outer.kind == "CIRCLE":
        return within_distance(inner, _centre(outer), outer.numbers[2].node, closed=True)
    if inner.kind == outer.kind == "CIRCLE":
        room = exp.Sub(this=exp.Paren(this=outer.numbers[2].node), expression=exp.Paren(this=inner.numbers[2].node))
        return within_distance(_centre(inner), _centre(outer), room, closed=True)
    return computed(CONTAINS, list_of(outer), list_of(inner))


def intersects(left: Shape, right: Shape) -> exp.Expression:
    """Condition that two geometries have a point in common."""
    if left.kind == "POINT" and right.kind != "POINT":
        return contains(left, right)
    if right.kind == "POINT" and left.kind != "POINT":
        return contains(right, left)
    left, right = of_one_frame(left, right)
    if left.kind == right.kind == "POINT":
        return within_distance(left, right, integer(0), closed=True)
    if left.kind == right.kind == "CIRCLE":
        reach = exp.Add(this=exp.Paren(this=left.numbers[2].node), expression=exp.Paren(this=right.numbers[2].node))
        return within_distance(_centre(left), _centre(right), reach, closed=True)
    return computed(INTERSECTS, list_of(left), list_of(right))


def distance(left: Shape, right: Shape) -> exp.Expression:
    """Angular distance in degrees of two points, by haversine (exact for close pairs, unlike an arc cosine)."""
    root = call(exp.Sqrt, exp.Least(this=number(1.0), expressions=[_haversine(left, right)]))
    return exp.Mul(this=number(2.0 / _RADIAN), expression=call(exp.Asin, root))


def within_distance(left: Shape, right: Shape, radius: exp.Expression, *, closed: bool) -> exp.Expression:
    """Condition that two points are at most (or less than) `radius` degrees apart.

    If one of the points and the radius are written out, the condition is a cone; else it is a `Near`.
    """
    fixed, moving = (left, right) if left.constants is not None else (right, left)
    radius_deg = constant(radius)
    if radius_deg is not None and (radius_deg < 0.0 or (radius_deg == 0.0 and not closed)):
        return exp.Boolean(this=False)
    if fixed.constants is not None and moving.constants is None and radius_deg is not None:
        ra_deg, dec_deg = fixed.constants
        return _test(moving, Cone(ra_deg, dec_deg, min(radius_deg if closed else radius_deg * _OPEN, 180.0)))
    (ra1, dec1), (ra2, dec2) = ((value.node.copy() for value in point.numbers) for point in (left, right))
    return Near(this=ra1, expression=dec1, other_this=ra2, other_expression=dec2, radius=radius.copy(), closed=closed)


def expanded(node: InRegion | Near) -> exp.Expression:
    """Spell a test of positions in arithmetic on longitude and latitude in degrees."""
    return _expanded_near(node) if isinstance(node, Near) else _expanded_region(node)


def _expanded_region(node: InRegion) -> exp.Expression:
    region: Region = node.meta["region"]
    ra, dec = node.this, node.expression
    if isinstance(region, Cone):
        return _expanded_cap(region.cap, ra, dec)
    if not isinstance(region, Polygon):
        raise BadQueryError(f"A {type(region).__name__} cannot be tested in a query.")
    point = _unit_vector(ra, dec)
    if isinstance(region.test, HalfSpaces):
        return _expanded_half_spaces(region.test, point)
    if len(region.test.edges) > _MOST_EDGES:
        return computed(inside(region), ra, dec)
    return _expanded_crossings(region.test, point)


def _expanded_near(node: Near) -> exp.Expression:
    """The haversine of the distance against that of the radius; a radius that is negative or NaN holds nothing.

    Beyond 90 degrees the haversine of the distance from the antipode is the exact one.
    """
    first, second = node.points
    closed, radius = node.args["closed"], node.args["radius"]
    radius_deg = constant(radius)
    if radius_deg is not None:
        half = math.radians(min(radius_deg, 180.0)) / 2.0
        return (_nearer if radius_deg <= 90.0 else _not_beyond)(first, second, number(half), closed=closed)
    at_most_180 = exp.Least(this=number(180.0), expressions=[radius.copy()])
    half_radius = exp.Mul(this=at_most_180, expression=number(_RADIAN / 2.0))
    is_wide = exp.GT(this=exp.Paren(this=radius.copy()), expression=number(90.0))
    wide = exp.If(this=is_wide, true=_not_beyond(first, second, half_radius, closed=closed))
    test = exp.Case(ifs=[wide], default=_nearer(first, second, half_radius, closed=closed))
    possible = exp.Between(this=exp.Paren(this=radius.copy()), low=integer(0), high=number(_LARGEST_RADIUS))
    return conjunction([test, possible])


def _nearer(first: Position, second: Position, half_radius: exp.Expression, *, closed: bool) -> exp.Expression:
    """Whether two positions are within a radius of at most 90 degrees; half of it comes in radians."""
    limit = _at_least(_squared_sine(half_radius), ONE_PLACE if closed else 0.0)
    return (exp.LTE if closed else exp.LT)(this=exp.Paren(this=_haversine_of(*first, *second)), expression=limit)


def _not_beyond(first: Position, second: Position, half_radius: exp.Expression, *, closed: bool) -> exp.Expression:
    """The same for more than 90 degrees."""
    ra, dec = second
    opposite = exp.Add(this=exp.Paren(this=ra), expression=number(180.0)), exp.Neg(this=exp.Paren(this=dec))
    rest = exp.Sub(this=number(math.pi / 2.0), expression=half_radius)
    from_antipode = exp.Paren(this=_haversine_of(*first, *opposite))
    return (exp.GTE if closed else exp.GT)(this=from_antipode, expression=_squared_sine(rest))


def _squared_sine(angle: exp.Expression) -> exp.Expression:
    value = constant(angle)
    return number(math.sin(value) ** 2) if value is not None else _square(call(exp.Sin, angle))


def _at_least(value: exp.Expression, least: float) -> exp.Expression:
    known = constant(value)
    return number(max(known, least)) if known is not None else exp.Greatest(this=value, expressions=[number(least)])


def _test(point: Shape, region: Region) -> exp.Expression:
    ra, dec = (value.node for value in point.numbers)
    test = InRegion(this=ra.copy(), expression=dec.copy(), key=hash(region))
    test.meta["region"] = region
    return test


def _centre(circle: Shape) -> Shape:
    return Shape("POINT", circle.numbers[:2])


def of_one_frame(left: Shape, right: Shape) -> tuple[Shape, Shape]:
    """Two geometries in one coordinate system: theirs, if it is the same, or ICRS."""
    return (left, right) if left.frame == right.frame else (in_icrs(left), in_icrs(right))


def _haversine(left: Shape, right: Shape) -> exp.Expression:
    """sin^2 of half the distance of two points."""
    (ra1, dec1), (ra2, dec2) = ((v.node.copy() for v in point.numbers) for point in (left, right))
    return _haversine_of(ra1, dec1, ra2, dec2)


def _haversine_of(
    ra1: exp.Expression, dec1: exp.Expression, ra2: exp.Expression, dec2: exp.Expression
) -> exp.Expression:
    across = exp.Mul(
        this=exp.Mul(this=call(exp.Cos, _radians(dec1)), expression=call(exp.Cos, _radians(dec2))),
        expression=_square(call(exp.Sin, _half_difference(ra1, ra2))),
    )
    return exp.Add(this=_square(call(exp.Sin, _half_difference(dec1, dec2))), expression=across)


def _half_difference(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    difference = exp.Paren(this=exp.Sub(this=exp.Paren(this=left.copy()), expression=exp.Paren(this=right.copy())))
    return exp.Mul(this=difference, expression=number(_RADIAN / 2.0))


def _radians(node: exp.Expression) -> exp.Expression:
    return exp.Mul(this=exp.Paren(this=node.copy()), expression=number(_RADIAN))


def _square(node: exp.Expression) -> exp.Expression:
    return exp.Mul(this=exp.Paren(this=node), expression=exp.Paren(this=node.copy()))


def _expanded_cap(cap: Cap, ra: exp.Expression, dec: exp.Expression) -> exp.Expression:
    near = exp.Paren(this=_haversine_of(ra, dec, number(cap.ra_deg), number(cap.dec_deg)))
    return (exp.GTE if cap.beyond else exp.LTE)(this=near, expression=number(cap.limit))


def _expanded_half_spaces(spaces: HalfSpaces, point: Sequence[exp.Expression]) -> exp.Expression:
    least = number(spaces.least)
    sides = [exp.GTE(this=_dot(normal, point), expression=least.copy()) for normal in spaces.normals]
    return conjunction(sides)


def _expanded_crossings(crossings: Crossings, point: Sequence[exp.Expression]) -> exp.Expression:
    """An odd number of crossed edges, counted as a sum of ones."""
    counts = [_counted(conjunction(list(_crossed(edge, point)))) for edge in crossings.edges]
    odd = exp.EQ(
        this=exp.Mod(this=exp.Paren(this=conjunction(counts, exp.Add)), expression=integer(2)), expression=integer(1)
    )
    near = exp.GTE(this=_dot(crossings.axis, point), expression=number(crossings.least))
    return conjunction([near, odd])


def _crossed(edge: Crossing, point: Sequence[exp.Expression]) -> Iterator[exp.Expression]:
    for normal, forwards in ((edge.start, edge.rising), (edge.end, not edge.rising)):
        yield (exp.GTE if forwards else exp.LT)(this=_dot(normal, point), expression=number(0.0))
    yield exp.GT(this=_dot(edge.side, point), expression=number(0.0))


def _counted(condition: exp.Expression) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=condition, true=integer(1))], default=integer(0))


def _unit_vector(ra: exp.Expression, dec: exp.Expression) -> tuple[exp.Expression, ...]:
    across = call(exp.Cos, _radians(dec))
    return (
        exp.Mul(this=across, expression=call(exp.Cos, _radians(ra))),
        exp.Mul(this=across.copy(), expression=call(exp.Sin, _radians(ra))),
        call(exp.Sin, _radians(dec)),
    )


def _dot(vector: Vector, point: Sequence[exp.Expression]) -> exp.Expression:
    products = [
        exp.Mul(this=number(weight), expression=part.copy()) for weight, part in zip(vector, point, strict=True)
    ]
    return exp.Paren(this=exp.Add(this=exp.Add(this=products[0], expression=products[1]), expression=products[2]))
