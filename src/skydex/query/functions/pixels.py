"""HEALPix cells: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import always, is_point
from skydex.query.kernels import PIXEL, Kernel, computed, elements, integers, vectors
from skydex.query.tree import constant, integer
from skydex.sky import centres_deg

__all__ = ["PIXELS"]


def _pixel_of_point(order: pa.Array, point: pa.Array) -> pa.Array:
    return PIXEL.compute(order, *(pa.array(part) for part in elements(point, 2)))


def _centre(order: pa.Array, pixel: pa.Array) -> pa.Array:
    ra, dec = centres_deg(integers(pixel), integers(order))
    return vectors((ra, dec), np.isnan(ra))


def _pixel_of_gaia_source(nodes: Nodes) -> exp.Expression:
    order = constant(nodes[0])
    if order is None or not 0 <= order <= _GAIA_ORDER:
        raise BadQueryError(f"Numbers of Gaia sources hold HEALPix cells of order 0 to {_GAIA_ORDER}.")
    n_rest = 2 ** (_GAIA_BITS + 2 * (_GAIA_ORDER - int(order)))
    source = exp.Cast(this=nodes[1].copy(), to=exp.DataType.build("bigint"))
    return exp.Paren(this=exp.IntDiv(this=source, expression=integer(n_rest)))


_PIXEL_OF_POINT = Kernel("pixel_of_point", (pa.int64(), pa.list_(pa.float64())), pa.int64(), _pixel_of_point)
_CENTRE = Kernel("centre", (pa.int64(), pa.int64()), pa.list_(pa.float64()), _centre)

_GAIA_ORDER = 12
_GAIA_BITS = 35
"""A source_id of Gaia holds its cell of order 12 above so many bits (Gaia Data Release 3 documentation, 20.1.1)."""

_is_pixel = always(replace(types.LONG, ucd="pos.healpix"))

PIXELS = (
    Function(
        "IVO_HEALPIX_INDEX",
        "inn",
        3,
        lambda n: computed(PIXEL, *n),
        _is_pixel,
        "ivo_healpix_index(order, ra, dec) or ivo_healpix_index(order, point)",
        "Number (NESTED) of the HEALPix cell of an order, 0 to 29, that holds a position in degrees.",
        "ivo_healpix_index(hpxOrder INTEGER, long DOUBLE, lat DOUBLE) -> BIGINT",
        Function(
            "IVO_HEALPIX_INDEX",
            "ip",
            2,
            lambda n: computed(_PIXEL_OF_POINT, *n),
            _is_pixel,
            "ivo_healpix_index(order, ra, dec) or ivo_healpix_index(order, point)",
            "Number (NESTED) of the HEALPix cell of an order, 0 to 29, that holds a point.",
            "ivo_healpix_index(hpxOrder INTEGER, point POINT) -> BIGINT",
        ),
    ),
    Function(
        "IVO_HEALPIX_CENTER",
        "ii",
        2,
        lambda n: computed(_CENTRE, *n),
        is_point,
        "ivo_healpix_center(order, index)",
        "Centre of the HEALPix cell of an order and number (NESTED).",
        "ivo_healpix_center(hpxOrder INTEGER, hpxIndex BIGINT) -> POINT",
    ),
    Function(
        "GAIA_HEALPIX_INDEX",
        "Ii",
        2,
        _pixel_of_gaia_source,
        _is_pixel,
        "gaia_healpix_index(order, source_id)",
        "Number (NESTED) of the HEALPix cell of an order, 0 to 12, in which a source of Gaia lies, by its source_id.",
        "gaia_healpix_index(hpxOrder INTEGER, sourceId BIGINT) -> BIGINT",
    ),
)
