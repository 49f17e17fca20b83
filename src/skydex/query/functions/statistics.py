"""Histograms, lists and noise: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), sections 2.4, 2.5.

The note leaves the order of `ivo_string_agg` open: here it is that of the texts, so that a query has one answer.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import always, double_like_first
from skydex.query.kernels import Kernel, computed, numbers
from skydex.tables import Column, Datatype

__all__ = ["GATHERINGS", "RANDOM"]

_MOST_BINS = 10_000


def _gathered(nodes: Nodes) -> exp.Expression:
    ordered = exp.Order(this=nodes[0].copy(), expressions=[exp.Ordered(this=nodes[0].copy())])
    return exp.GroupConcat(this=ordered, separator=nodes[1].copy())


def _histogram(nodes: Nodes) -> exp.Expression:
    lower, upper, n_bins = (tree.constant(node) for node in nodes[1:])
    if lower is None or upper is None or not lower < upper:
        raise BadQueryError("The lower limit of a histogram must be below its upper limit.")
    if n_bins is None or not 1 <= n_bins <= _MOST_BINS:
        raise BadQueryError(f"A histogram has 1 to {_MOST_BINS:,} bins.")
    limits = [tree.number(lower), tree.number(upper), tree.integer(int(n_bins))]
    return tree.Histogram(this=computed(_BIN, nodes[0], *limits), expression=tree.integer(int(n_bins) + 2))


def _bin(values: pa.Array, lower: pa.Array, upper: pa.Array, n_bins: pa.Array) -> pa.Array:
    """Number of each value's bin: 0 for underflow and null, then 1 to n; a value at the upper limit is in the last."""
    value, low, high, n = numbers(values), numbers(lower), numbers(upper), n_bins.to_numpy()
    with np.errstate(invalid="ignore"):
        place = np.floor((value - low) / (high - low) * n) + 1.0
    place = np.where(value > high, n + 1.0, np.minimum(place, n))
    return pa.array(np.where(value >= low, place, 0.0).astype(np.int64))


_BIN = Kernel("bin", (pa.float64(), pa.float64(), pa.float64(), pa.int64()), pa.int64(), _bin)


def _normal(mu: pa.Array, sigma: pa.Array) -> pa.Array:
    centre, width = numbers(mu), numbers(sigma)
    drawn = centre + width * np.random.default_rng().standard_normal(len(centre))
    return pa.array(drawn, mask=~(width >= 0.0) | np.isnan(drawn))


_NORMAL = Kernel("normal", (pa.float64(), pa.float64()), pa.float64(), _normal, is_repeatable=False)

_STRING_AGG = Function(
    "IVO_STRING_AGG",
    "sS",
    2,
    _gathered,
    always(types.text(None, datatype=Datatype.UNICODE_CHAR)),
    "ivo_string_agg(text, 'delimiter')",
    "All texts of a group that are not null, in alphabetical order, with a delimiter between them.",
    "ivo_string_agg(expression VARCHAR, delimiter VARCHAR) -> VARCHAR",
)
_HISTOGRAM = Function(
    "IVO_HISTOGRAM",
    "nKKI",
    4,
    _histogram,
    always(Column("", Datatype.LONG, "*", ucd="meta.number")),
    "ivo_histogram(x, lower, upper, nbins)",
    "How many values of a group lie below the lower limit (or are null), in each of nbins bins up to the upper limit, "
    "and above that.",
    "ivo_histogram(val DOUBLE, lower DOUBLE, upper DOUBLE, nbins INTEGER) -> INTEGER[]",
)
_NORMAL_RANDOM = Function(
    "IVO_NORMAL_RANDOM",
    "nn",
    2,
    lambda n: computed(_NORMAL, *n),
    double_like_first,
    "ivo_normal_random(mu, sigma)",
    "A random number drawn from a normal distribution, another one for every row.",
    "ivo_normal_random(mu DOUBLE, sigma DOUBLE) -> DOUBLE",
)

RANDOM = (_NORMAL_RANDOM, _NORMAL_RANDOM.called("gavo_normal_random"))
GATHERINGS = (_STRING_AGG, _HISTOGRAM, _HISTOGRAM.called("gavo_histogram"))
