"""Timestamps as Julian dates: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.3.

Naive, as the note asks: the date as it reads, without time zone, time scale or leap seconds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.query import types
from skydex.query.comparisons import written_time
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import always
from skydex.query.kernels import Kernel, computed
from skydex.query.tree import string

__all__ = ["TIMES"]

_DAY_US = 86_400_000_000
_MJD_OF_1970 = 40_587
_JD_OF_1970 = 2_440_587.5


def _days(column: pa.Array, start: float) -> pa.Array:
    """Days since 1970 from a start of counting; whole days apart, so that no digit is lost on the way."""
    microseconds = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    whole, rest = np.divmod(microseconds, _DAY_US)
    return pa.array(whole + start + rest / _DAY_US, mask=column.is_null().to_numpy(zero_copy_only=False))


_MJD = Kernel("mjd", (pa.timestamp("us"),), pa.float64(), lambda column: _days(column, _MJD_OF_1970))
_JD = Kernel("jd", (pa.timestamp("us"),), pa.float64(), lambda column: _days(column, _JD_OF_1970))


def _timestamp(nodes: Nodes) -> exp.Expression:
    node = nodes[0]
    if isinstance(node, exp.Literal):
        node = string(written_time(node.this))
    return exp.Cast(this=node.copy(), to=exp.DataType.build("timestamp"))


_is_date = always(replace(types.DOUBLE, unit="d", ucd="time.epoch"))

_TO_JD = Function(
    "IVO_TO_JD",
    "t",
    1,
    lambda n: computed(_JD, _timestamp(n)),
    _is_date,
    "ivo_to_jd(timestamp)",
    "A timestamp, or a text such as '2000-01-02T12:00:00', as Julian date, without corrections.",
    "ivo_to_jd(d TIMESTAMP) -> DOUBLE",
)
_TO_MJD = Function(
    "IVO_TO_MJD",
    "t",
    1,
    lambda n: computed(_MJD, _timestamp(n)),
    _is_date,
    "ivo_to_mjd(timestamp)",
    "A timestamp, or a text such as '2000-01-02T12:00:00', as modified Julian date, without corrections.",
    "ivo_to_mjd(d TIMESTAMP) -> DOUBLE",
)

TIMES = (_TO_JD, _TO_JD.called("gavo_to_jd"), _TO_MJD, _TO_MJD.called("gavo_to_mjd"))
