"""How the functions of the ADQL grammar are called.

The grammar itself fixes the number of arguments of ADQL's own functions, and where a literal must stand: ADQL 2.1 (IVOA
REC 2023-12-15), sections 2.3 and 4, appendix A. Types, and functions beyond the grammar, are the binder's affair.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

__all__ = ["AGGREGATES", "GEOMETRIES", "misuse"]

AGGREGATES = frozenset({"AVG", "COUNT", "MAX", "MIN", "SUM"})
"""Functions of a group, which take DISTINCT or ALL."""

GEOMETRIES = frozenset({"BOX", "CENTROID", "CIRCLE", "POINT", "POLYGON", "REGION"})
"""Functions that make a shape or a position."""

_NUMBER = "ABS ACOS ASIN ATAN CEILING COS COT DEGREES EXP FLOOR LOG LOG10 RADIANS SIN SQRT TAN"
_OTHER_SINGLE = "AVG COUNT MAX MIN SUM AREA CENTROID COORD1 COORD2 COORDSYS LOWER UPPER REGION"
_COUNTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_NUMBER.split(), (1,)),
    **dict.fromkeys(_OTHER_SINGLE.split(), (1,)),
    **dict.fromkeys(("ATAN2", "MOD", "POWER", "CONTAINS", "INTERSECTS", "IN_UNIT"), (2,)),
    **dict.fromkeys(("ROUND", "TRUNCATE"), (1, 2)),
    "PI": (0,),
    "RAND": (0, 1),
    "DISTANCE": (2, 4),
}
_USAGE = {
    "POINT": "POINT(ra, dec)",
    "CIRCLE": "CIRCLE(ra, dec, radius) or CIRCLE(point, radius)",
    "BOX": "BOX(ra, dec, width, height) or BOX(point, width, height)",
    "POLYGON": "POLYGON(ra1, dec1, ra2, dec2, ra3, dec3, ...) or POLYGON(point1, point2, point3, ...)",
    "DISTANCE": "DISTANCE(point1, point2) or DISTANCE(ra1, dec1, ra2, dec2)",
    "CONTAINS": "CONTAINS(shape, shape)",
    "INTERSECTS": "INTERSECTS(shape, shape)",
    "IN_UNIT": "IN_UNIT(x, 'unit')",
}
_SIZES = {"POINT": 0, "CIRCLE": 1, "BOX": 2}
"""Numbers that follow the position in a shape."""


def misuse(name: str, arguments: Sequence[exp.Expression]) -> str:
    """What is wrong with a call of one of ADQL's functions, in a sentence; empty if nothing is.

    Parameters
    ----------
    name : str
        In capitals. Names that the grammar does not know are never wrong.
    arguments : sequence of expressions
        As parsed.
    """
    if name in _SIZES or name == "POLYGON":
        return _misuse_of_shape(name, arguments)
    if name == "COALESCE" and not arguments:
        return "COALESCE takes one or more arguments."
    if name == "IN_UNIT" and len(arguments) == 2 and not _is_text(arguments[1]):
        return "The second argument of IN_UNIT is a unit in single quotes, as in IN_UNIT(x, 'km')."
    counts = _COUNTS.get(name)
    if counts is None or len(arguments) in counts:
        return ""
    return f"{name} takes {_spelled(counts)}{_as_in(name)}."


def _misuse_of_shape(name: str, arguments: Sequence[exp.Expression]) -> str:
    framed = bool(arguments) and (_is_text(arguments[0]) or isinstance(arguments[0], exp.Null))
    parts = arguments[1:] if framed else arguments
    fits = _polygon_fits(parts) if name == "POLYGON" else _shape_fits(parts, _SIZES[name])
    if fits:
        return ""
    if not framed and len(parts) > 1 and _shape_fits(parts[1:], _SIZES.get(name, 0)):
        return f"The coordinate system of {name} is a text in single quotes, such as 'ICRS', or left out{_as_in(name)}."
    return f"{name} is called as {_USAGE[name]}, with or without a coordinate system such as 'ICRS' in front."


def _shape_fits(parts: Sequence[exp.Expression], n_sizes: int) -> bool:
    by_numbers = len(parts) == 2 + n_sizes
    by_point = n_sizes > 0 and len(parts) == 1 + n_sizes and _may_be_point(parts[0])
    return by_numbers or by_point


def _polygon_fits(parts: Sequence[exp.Expression]) -> bool:
    by_numbers = len(parts) >= 6 and len(parts) % 2 == 0
    by_points = len(parts) >= 3 and all(_may_be_point(part) for part in parts)
    return by_numbers or by_points


def _may_be_point(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column | exp.Anonymous | exp.Cast | exp.Paren | exp.Subquery | exp.Case)


def _is_text(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _spelled(counts: tuple[int, ...]) -> str:
    if counts == (0,):
        return "no arguments"
    return f"{' or '.join(str(count) for count in counts)} argument{'' if counts == (1,) else 's'}"


def _as_in(name: str) -> str:
    usage = _USAGE.get(name)
    return f": {usage}" if usage else ""
