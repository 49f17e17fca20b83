"""HEALPix cells: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from skydex.query import types
from skydex.query.functions.function import Function
from skydex.query.functions.meanings import always, is_point
from skydex.query.kernels import PIXEL, Kernel, computed, elements, integers, vectors
from skydex.sky import centres_deg

__all__ = ["PIXELS"]


def _pixel_of_point(order: pa.Array, point: pa.Array) -> pa.Array:
    return PIXEL.compute(order, *(pa.array(part) for part in elements(point, 2)))


def _centre(order: pa.Array, pixel: pa.Array) -> pa.Array:
    ra, dec = centres_deg(integers(pixel), integers(order))
    return vectors((ra, dec), np.isnan(ra))


_PIXEL_OF_POINT = Kernel("pixel_of_point", (pa.int64(), pa.list_(pa.float64())), pa.int64(), _pixel_of_point)
_CENTRE = Kernel("centre", (pa.int64(), pa.int64()), pa.list_(pa.float64()), _centre)

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
)
