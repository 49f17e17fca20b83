"""Geometries in other frames of reference: Catalogue of ADQL User Defined Functions 1.2, section 2.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from skydex.errors import BadQueryError, BadRegionError
from skydex.query import tree
from skydex.query.functions.function import Function, Nodes
from skydex.query.kernels import Floats, Kernel, computed, numbers
from skydex.query.values import Value
from skydex.sky import FRAMES, rotated
from skydex.tables import Column

__all__ = ["TRANSFORMS"]

Counts = NDArray[np.int64]

_VECTOR = pa.list_(pa.float64())


def _transformed(nodes: Nodes) -> exp.Expression:
    """The call, or its outcome where the geometry is written out: a constant region prunes."""
    origin, target, geometry = nodes[0].name, nodes[1].name, nodes[2]
    try:
        rotated(0.0, 0.0, origin=origin, target=target)
    except BadRegionError as error:
        raise BadQueryError(str(error)) from error
    constants = tree.constants(geometry)
    if constants is None:
        return computed(_rotation(origin, target), geometry)
    turned = _turned(np.asarray(constants), np.array([len(constants)]), np.array([len(constants)]), origin, target)
    return tree.array(turned.tolist())


@cache
def _rotation(origin: str, target: str) -> Kernel:
    def rotate(geometries: pa.Array) -> pa.Array:
        lengths = geometries.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        ends = np.cumsum(lengths)
        turned = _turned(numbers(geometries.flatten()), ends, lengths, origin, target)
        offsets = pa.array(np.append(0, ends), pa.int32())
        return pa.ListArray.from_arrays(offsets, pa.array(turned), mask=geometries.is_null())

    return Kernel(f"{origin}_to_{target}".lower(), (_VECTOR,), _VECTOR, rotate)


def _turned(values: Floats, ends: Counts, lengths: Counts, origin: str, target: str) -> Floats:
    """Points, circles and polygons of DALI one after another, rotated; the radius that ends a circle stays."""
    is_radius = np.zeros(len(values), dtype=bool)
    is_radius[ends[lengths % 2 == 1] - 1] = True
    places = values[~is_radius].reshape(-1, 2)
    turned = values.copy()
    turned[~is_radius] = np.stack(rotated(places[:, 0], places[:, 1], origin=origin, target=target), axis=1).ravel()
    return turned


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
