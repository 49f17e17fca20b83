"""Functions that ADQL leaves to services, under the names that services have agreed upon.

Answers the Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), whose names begin with `ivo_`.
"""

from __future__ import annotations

from dataclasses import replace

from skydex.query import types
from skydex.query.functions.function import Function
from skydex.query.functions.meanings import always
from skydex.query.kernels import PIXEL, computed

__all__ = ["CATALOGUED"]

CATALOGUED = (
    Function(
        "IVO_HEALPIX_INDEX",
        "inn",
        3,
        lambda n: computed(PIXEL, *n),
        always(replace(types.LONG, ucd="pos.healpix")),
        "ivo_healpix_index(order, ra, dec)",
        "Number of the HEALPix cell of an order, NESTED, that holds a position in degrees.",
        "ivo_healpix_index(order INTEGER, ra DOUBLE, dec DOUBLE) -> BIGINT",
    ),
)
