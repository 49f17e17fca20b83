"""Positions of stars at other epochs: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.2.

Proper motions and radial velocities that are null count as zero, a null parallax as infinitely far away; the note
makes an error of a null position or epoch, which we do where NULL is written out. A row without a position has none at
another epoch either.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.query.functions.function import Function
from skydex.query.functions.meanings import always, is_point
from skydex.query.kernels import Kernel, computed, numbers, vectors
from skydex.sky import Astrometry
from skydex.tables import Column, Datatype

__all__ = ["ASTROMETRY"]

_MAS_PER_DEG = 3_600_000.0


def _moved(*columns: pa.Array) -> Astrometry:
    ra, dec, parallax, pm_ra, pm_dec, rv, start, end = (numbers(column) for column in columns)
    return Astrometry(ra, dec, parallax, pm_ra, pm_dec, rv).after(end - start)


def _moved_by_motion(*columns: pa.Array) -> Astrometry:
    ra, dec, pm_ra, pm_dec, start, end = (numbers(column) for column in columns)
    return Astrometry.of(ra, dec, pm_ra_masyr=pm_ra, pm_dec_masyr=pm_dec).after(end - start)


def _moved_by_degrees(*columns: pa.Array) -> Astrometry:
    ra, dec, pm_ra, pm_dec, years = (numbers(column) for column in columns)
    motion = {"pm_ra_masyr": pm_ra * _MAS_PER_DEG, "pm_dec_masyr": pm_dec * _MAS_PER_DEG}
    return Astrometry.of(ra, dec, **motion).after(years)


def _point(star: Astrometry) -> pa.Array:
    return vectors((star.ra_deg, star.dec_deg), _nowhere(star))


def _six(star: Astrometry) -> pa.Array:
    parts = (star.ra_deg, star.dec_deg, star.parallax_mas, star.pm_ra_masyr, star.pm_dec_masyr, star.rv_kms)
    return vectors(parts, _nowhere(star))


def _nowhere(star: Astrometry) -> NDArray[np.bool_]:
    return np.asarray(~np.isfinite(star.ra_deg + star.dec_deg))


_VECTOR = pa.list_(pa.float64())
_SIX = Kernel("epoch_prop", (pa.float64(),) * 8, _VECTOR, lambda *columns: _six(_moved(*columns)))
_POINT = Kernel("epoch_prop_pos", (pa.float64(),) * 8, _VECTOR, lambda *columns: _point(_moved(*columns)))
_BY_MOTION = Kernel("proper_motion", (pa.float64(),) * 6, _VECTOR, lambda *columns: _point(_moved_by_motion(*columns)))
_BY_DEGREES = Kernel("apply_pm", (pa.float64(),) * 5, _VECTOR, lambda *columns: _point(_moved_by_degrees(*columns)))

_SIX_ARGUMENTS = "ra, dec, parallax, pmra, pmdec, radial_velocity, ref_epoch, out_epoch"
_SIX_TYPES = ", ".join(f"{name} DOUBLE" for name in _SIX_ARGUMENTS.split(", "))
_MOTION_ARGUMENTS = "ra, dec, pmra, pmdec, ref_epoch, out_epoch"
_MOTION_TYPES = ", ".join(f"{name} DOUBLE" for name in _MOTION_ARGUMENTS.split(", "))

_EPOCH_PROP = Function(
    "IVO_EPOCH_PROP",
    "NNnnnnNN",
    8,
    lambda n: computed(_SIX, *n),
    always(Column("", Datatype.DOUBLE, "6")),
    f"ivo_epoch_prop({_SIX_ARGUMENTS})",
    "The six parameters of a star at another epoch: degrees, mas, mas/yr with cos(dec) in pmra, km/s, Julian years. "
    "What was null is NaN; where one proper motion was, both are.",
    f"ivo_epoch_prop({_SIX_TYPES}) -> DOUBLE[6]",
)
_EPOCH_PROP_POS = Function(
    "IVO_EPOCH_PROP_POS",
    "NNnnnnNN",
    8,
    lambda n: computed(_POINT, *n),
    is_point,
    f"ivo_epoch_prop_pos({_SIX_ARGUMENTS}) or ivo_epoch_prop_pos({_MOTION_ARGUMENTS})",
    "Where a star of six parameters is at another epoch: degrees, mas, mas/yr with cos(dec) in pmra, km/s, Julian "
    "years. Motion is uniform (ESA SP-1200, 1.5.5); a null parallax is a star infinitely far away, other nulls are 0.",
    f"ivo_epoch_prop_pos({_SIX_TYPES}) -> POINT",
)
_EPOCH_PROP_POS = replace(
    _EPOCH_PROP_POS,
    otherwise=replace(
        _EPOCH_PROP_POS,
        takes="NNnnNN",
        least=6,
        build=lambda n: computed(_BY_MOTION, *n),
        description="Where a star of unknown parallax and radial velocity is at another epoch.",
        signature=f"ivo_epoch_prop_pos({_MOTION_TYPES}) -> POINT",
    ),
)
_APPLY_PM = Function(
    "GAVO_APPLY_PM",
    "NNnnN",
    5,
    lambda n: computed(_BY_DEGREES, *n),
    is_point,
    "gavo_apply_pm(ra, dec, pmra, pmde, epdist)",
    "Where a star is after epdist Julian years, with proper motions in degrees per year, cos(dec) in pmra. Prefer "
    "ivo_epoch_prop_pos, which takes parallax and radial velocity too.",
    "gavo_apply_pm(ra DOUBLE, dec DOUBLE, pmra DOUBLE, pmde DOUBLE, epdist DOUBLE) -> POINT",
)

ASTROMETRY = (
    _EPOCH_PROP,
    _EPOCH_PROP.called("epoch_prop"),
    _EPOCH_PROP_POS,
    _EPOCH_PROP_POS.called("epoch_prop_pos"),
    _APPLY_PM,
    _APPLY_PM.called("ivo_apply_pm"),
)
