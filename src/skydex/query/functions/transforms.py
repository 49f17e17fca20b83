"""Geometries in other frames of reference: Catalogue of ADQL User Defined Functions 1.2, section 2.2.2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlglot import exp

from skydex.errors import BadQueryError, BadRegionError
from skydex.query import tree
from skydex.query.functions.function import Function, Nodes
from skydex.query.kernels import computed
from skydex.query.region_texts import rotate_numbers
from skydex.query.shape_kernels import turned
from skydex.query.values import Value
from skydex.sky import FRAMES, rotated
from skydex.tables import Column

__all__ = ["TRANSFORMS"]


def _transformed(nodes: Nodes) -> exp.Expression:
    """The call, or its outcome where the geometry is written out: a constant region prunes."""
    origin, target, geometry = nodes[0].name, nodes[1].name, nodes[2]
    try:
        rotated(0.0, 0.0, origin=origin, target=target)
    except BadRegionError as error:
        raise BadQueryError(str(error)) from error
    constants = tree.constants(geometry)
    if constants is None:
        return computed(turned(origin, target), geometry)
    numbers, lengths = np.asarray(constants), np.array([len(constants)])
    return tree.array(rotate_numbers(numbers, lengths, origin=origin, target=target).tolist())


def _like_geometry(arguments: Sequence[Value]) -> Column:
    column = arguments[2].column
    return Column("", column.datatype, column.arraysize, unit="deg", xtype=column.xtype)


_TRANSFORM = Function(
    "IVO_GEOM_TRANSFORM",
    "SSg",
    3,
    _transformed,
    _like_geometry,
    "ivo_geom_transform('from', 'to', geometry)",
    f"A POINT, CIRCLE or POLYGON as it reads in another frame of reference, by plain rotation. Frames: "
    f"{', '.join(FRAMES)}; FK4 is B1950 without E-terms, FK5 and ECLIPTIC are J2000. Names are case-sensitive.",
    "ivo_geom_transform(from_sys VARCHAR, to_sys VARCHAR, geo GEOMETRY) -> GEOMETRY",
)

TRANSFORMS = (
    _TRANSFORM,
    _TRANSFORM.called("gavo_transform"),
    _TRANSFORM.called("ivo_transform"),
)
