"""Functions of the time domain: magnitudes of fluxes, phases, and how much the rows of a group vary.

Definitions are those of `skydex.lightcurve`, which computes most of them: the rows of a group are gathered as one list
and a kernel takes the lists of all groups at once. Means and extremes need no list, and are arithmetic in SQL. Wherever
they occur, arguments are a time, a value and its error, in this order. A row counts if all of these are finite and the
error is above 0; a group with too few of them gives null.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.functions.function import Function, Meaning, Nodes
from skydex.query.functions.mathematics import double, log10, where
from skydex.query.functions.meanings import always, double_like_first, minor
from skydex.query.functions.units import factor
from skydex.query.kernels import Kernel, computed, unrolled_fields
from skydex.query.tree import Gathered, call, conjunction, integer, number
from skydex.query.values import Value
from skydex.tables import Column

if TYPE_CHECKING:
    from skydex.lightcurve import LightCurves

__all__ = ["MAGNITUDES", "VARIABILITY"]

_AB_ZERO = 8.90
"""AB magnitude of 1 Jy, as `skydex.lightcurve.ab_mag` has it."""
_MAG_PER_RATIO = 2.5 / np.log(10.0)
_LARGEST = sys.float_info.max
_LEAST_ERROR = 1e-150
"""An error below has a square that is no number any more."""
_PAIR_DAYS = 0.1

Floats = NDArray[np.float64]
Statistic = Callable[..., Floats]
"""Takes light curves, gives one number for each."""


def _in_jansky(arguments: Sequence[Value]) -> list[Value]:
    flux = arguments[0]
    if len(arguments) == 1 and not flux.column.unit:
        name = flux.column.name or "flux"
        raise BadQueryError(f"A flux without unit has no magnitude: ab_mag({name}, 'nJy') says what its unit is.")
    unit = arguments[1].node.name if len(arguments) == 2 else flux.column.unit or ""
    return [_times(flux, factor(unit, "Jy"))]


def _in_unit_of_flux(arguments: Sequence[Value]) -> list[Value]:
    """The error in the unit of the flux, if both have one; what has none is taken as it is."""
    flux, error = arguments
    for value in arguments:
        if value.column.unit:
            factor(value.column.unit, "Jy")
    return [flux, _like(error, flux)]


def _in_unit_of_time(arguments: Sequence[Value]) -> list[Value]:
    """A period and an epoch in the unit of the time."""
    time, *others = arguments
    return [time, *(_like(value, time) for value in others)]


def _in_days(arguments: Sequence[Value]) -> list[Value]:
    """The same with a time, the first argument, in days, which it is if it has no unit."""
    time, *others = arguments
    return [_times(time, factor(time.column.unit, "d")) if time.column.unit else time, *others]


def _like(value: Value, model: Value) -> Value:
    """A value in the unit of another, if both have one."""
    if not value.column.unit or not model.column.unit:
        return value
    return _times(value, factor(value.column.unit, model.column.unit))


def _times(value: Value, size: float) -> Value:
    if size == 1.0:
        return value
    return Value(exp.Paren(this=exp.Mul(this=double(value.node), expression=number(size))), value.column)


def _magnitude(nodes: Nodes) -> exp.Expression:
    (flux,) = nodes
    steps = exp.Mul(this=number(2.5), expression=log10(double(flux)))
    return where(_is_positive(flux), exp.Sub(this=number(_AB_ZERO), expression=exp.Paren(this=steps)))


def _magnitude_error(nodes: Nodes) -> exp.Expression:
    flux, error = nodes
    scaled = exp.Paren(this=exp.Mul(this=number(_MAG_PER_RATIO), expression=double(error)))
    known = conjunction([_is_positive(flux), _is_between(error, 0.0, _LARGEST)])
    return where(known, exp.Div(this=scaled, expression=double(flux)))


def _phase(nodes: Nodes) -> exp.Expression:
    """By the remainder, which is exact where a quotient would lose the digits that many periods take up."""
    time, period, t0 = (double(node) for node in nodes)
    since = exp.Paren(this=exp.Sub(this=time, expression=t0))
    rest = exp.Paren(this=exp.Mod(this=since, expression=period))
    share = exp.Paren(this=exp.Div(this=rest, expression=period.copy()))
    above = exp.Paren(this=exp.Add(this=share, expression=number(1.0)))
    known = conjunction([_is_positive(nodes[1]), _is_finite(since)])
    return where(known, exp.Mod(this=above, expression=number(1.0)))


def _is_positive(node: exp.Expression) -> exp.Expression:
    """Above 0 and finite; NaN is neither, being the greatest number of all to engines."""
    above = exp.GT(this=double(node), expression=integer(0))
    return conjunction([above, exp.LTE(this=double(node), expression=number(_LARGEST))])


def _is_finite(node: exp.Expression) -> exp.Expression:
    return exp.LTE(this=call(exp.Abs, double(node)), expression=number(_LARGEST))


def _is_between(node: exp.Expression, low: float, high: float) -> exp.Expression:
    return exp.Between(this=double(node), low=number(low), high=number(high))


def _of_phot(*words: str) -> Meaning:
    """A magnitude whose band is that of the flux."""

    def meaning(arguments: Sequence[Value]) -> Column:
        given = (minor(arguments[0].column.ucd) or "").split(";")
        bands = [word for word in given if word.startswith(("em.", "instr."))]
        description = arguments[0].column.description
        return replace(types.DOUBLE, unit="mag", ucd=";".join([*words, *bands]), description=description)

    return meaning


def _weight(value: exp.Expression, error: exp.Expression, upper: exp.Expression) -> exp.Expression:
    """Sum of something over the squares of the errors."""
    square = exp.Paren(this=exp.Mul(this=double(error), expression=double(error)))
    usable = conjunction([_is_finite(value), _is_between(error, _LEAST_ERROR, _LARGEST)])
    return exp.Sum(this=where(usable, exp.Div(this=upper, expression=square)))


def _weighted_mean(nodes: Nodes) -> exp.Expression:
    value, error = nodes
    upper, lower = _weight(value, error, double(value)), _weight(value, error, number(1.0))
    return exp.Paren(this=exp.Div(this=upper, expression=call(exp.Nullif, lower, integer(0))))


def _weighted_mean_error(nodes: Nodes) -> exp.Expression:
    value, error = nodes
    total = call(exp.Nullif, _weight(value, error, number(1.0)), integer(0))
    return exp.Paren(this=exp.Div(this=number(1.0), expression=call(exp.Sqrt, total)))


def _amplitude(nodes: Nodes) -> exp.Expression:
    usable = where(_is_finite(nodes[0]), double(nodes[0]))
    extent = exp.Sub(this=call(exp.Max, usable), expression=call(exp.Min, usable.copy()))
    return where(exp.GT(this=call(exp.Count, usable.copy()), expression=integer(1)), extent)


def _gathered(name: str, parts: str, statistic: Statistic, *numbers: float) -> Callable[[Nodes], exp.Expression]:
    """A call of the kernel of a statistic; `parts` are which of t, x and e the arguments are, further ones numbers.

    Parameters
    ----------
    name : str
        The kernel's.
    parts : str
        A letter for each argument that is gathered.
    statistic : Statistic
        What the kernel computes.
    *numbers : float
        What the further arguments are if they are left out.
    """
    kind = pa.float64() if len(parts) == 1 else pa.struct([(f"c{i}", pa.float64()) for i in range(len(parts))])
    takes = (pa.list_(kind), *(pa.float64() for _ in numbers))

    def compute(rows: pa.Array, *more: pa.Array) -> pa.Array:
        curves = _curves(rows, parts)
        with np.errstate(all="ignore"):
            found = statistic(curves, *(one[0].as_py() for one in more if len(one)))
        return pa.array(found, mask=~np.isfinite(found))

    kernel = Kernel(name, takes, pa.float64(), compute)

    def build(nodes: Nodes) -> exp.Expression:
        rows = Gathered(expressions=[double(node) for node in nodes[: len(parts)]])
        given = [node.copy() for node in nodes[len(parts) :]] or [number(one) for one in numbers]
        return computed(kernel, rows, *given)

    return build


def _curves(rows: pa.Array, parts: str) -> LightCurves:
    """Light curves of lists of points; what is not given of a point is the same for all."""
    from skydex.lightcurve import LightCurves

    columns, lengths = unrolled_fields(rows)
    given = dict(zip(parts, columns, strict=True))
    n = len(columns[0])
    error = given.get("e", np.ones(n))
    owner = np.repeat(np.arange(len(rows)), lengths)
    usable = np.where(error > _LEAST_ERROR, error, np.nan)
    return LightCurves.of_points(owner, given.get("t", np.zeros(n)), given["x"], usable, n_curves=len(rows))


def _median(curves: LightCurves) -> Floats:
    return curves.median


def _stetson_j(curves: LightCurves, pair_days: float = _PAIR_DAYS) -> Floats:
    from skydex.lightcurve import stetson

    return stetson.stetson_j(curves, pair_days=pair_days)


def _index(name: str) -> Statistic:
    """A function of `skydex.lightcurve.indices`, which is loaded when it is called."""

    def statistic(curves: LightCurves) -> Floats:
        from skydex.lightcurve import indices

        return np.asarray(getattr(indices, name)(curves))

    return statistic


def _in_unit_of(position: int, *words: str, before: bool = False) -> Meaning:
    """A double in the unit of an argument, with words added to its UCD."""

    def meaning(arguments: Sequence[Value]) -> Column:
        like = double_like_first(arguments[position:])
        given = [word for word in (like.ucd or "").split(";") if word and word not in words]
        return replace(like, ucd=";".join([*words, *given] if before else [*given, *words]))

    return meaning


_is_index = always(replace(types.DOUBLE, ucd="src.var.index"))
_is_chi2 = always(replace(types.DOUBLE, ucd="stat.fit.chi2"))

_J = _gathered("stetson_j", "txe", _stetson_j, _PAIR_DAYS)
_J_USAGE = "stetson_j(t, x, err) or stetson_j(t, x, err, pair_days)"
_STETSON_J = Function(
    "STETSON_J",
    "nnn",
    3,
    _J,
    _is_index,
    _J_USAGE,
    "Stetson's J (1996, PASP 108, 851): about 0 for noise, large where points close in time deviate together. A point "
    "and the next one are a pair if 0.1 days lie between them at the most; others stand alone. From two points.",
    "stetson_j(t DOUBLE, x DOUBLE, err DOUBLE) -> DOUBLE",
    Function(
        "STETSON_J",
        "nnnK",
        4,
        _J,
        _is_index,
        _J_USAGE,
        "The same with pairs of points between which so many days lie at the most.",
        "stetson_j(t DOUBLE, x DOUBLE, err DOUBLE, pair_days DOUBLE) -> DOUBLE",
        prepare=_in_days,
    ),
    prepare=_in_days,
)

MAGNITUDES = (
    Function(
        "AB_MAG",
        "n",
        1,
        _magnitude,
        _of_phot("phot.mag"),
        "ab_mag(flux) or ab_mag(flux, 'unit')",
        "AB magnitude of a flux density, 8.90 - 2.5 log10(flux / Jy), by the unit of its column; null for a flux that "
        "is not positive.",
        "ab_mag(flux DOUBLE) -> DOUBLE",
        Function(
            "AB_MAG",
            "nS",
            2,
            _magnitude,
            _of_phot("phot.mag"),
            "ab_mag(flux) or ab_mag(flux, 'unit')",
            "The same for what has no unit, or another one: ab_mag(psfFlux * 1.02, 'Jy').",
            "ab_mag(flux DOUBLE, unit VARCHAR) -> DOUBLE",
            prepare=_in_jansky,
        ),
        prepare=_in_jansky,
    ),
    Function(
        "AB_MAG_ERR",
        "nn",
        2,
        _magnitude_error,
        _of_phot("stat.error", "phot.mag"),
        "ab_mag_err(flux, flux_err)",
        "Error of an AB magnitude, 1.0857 flux_err / flux; null for a flux that is not positive or a negative error.",
        "ab_mag_err(flux DOUBLE, flux_err DOUBLE) -> DOUBLE",
        prepare=_in_unit_of_flux,
    ),
    Function(
        "PHASE",
        "nnn",
        3,
        _phase,
        always(replace(types.DOUBLE, ucd="time.phase")),
        "phase(t, period, t0)",
        "Phase of a time, from 0 to below 1: how much of a period has gone by since the last one began, counted from "
        "t0. All in the unit of t; null for a period that is not positive.",
        "phase(t DOUBLE, period DOUBLE, t0 DOUBLE) -> DOUBLE",
        prepare=_in_unit_of_time,
    ),
)

VARIABILITY = (
    Function(
        "MEDIAN",
        "n",
        1,
        _gathered("median", "x", _median),
        _in_unit_of(0, "stat.median"),
        "median(x)",
        "Median; of an even number of values, the mean of the two in the middle.",
        "median(x DOUBLE) -> DOUBLE",
    ),
    Function(
        "MAD",
        "n",
        1,
        _gathered("mad", "x", _index("mad")),
        _in_unit_of(0, "stat.error", before=True),
        "mad(x)",
        "Median absolute deviation from the median, not scaled, as the MAD columns of the Hubble Source Catalog are; "
        "1.4826 times it is the standard deviation of Gaussian noise. One value has 0.",
        "mad(x DOUBLE) -> DOUBLE",
    ),
    Function(
        "IQR",
        "n",
        1,
        _gathered("iqr", "x", _index("interquartile_range")),
        _in_unit_of(0, "stat.stdev", before=True),
        "iqr(x)",
        "Interquartile range: median of the upper half less that of the lower one (Tukey's hinges). From four values.",
        "iqr(x DOUBLE) -> DOUBLE",
    ),
    Function(
        "AMPLITUDE",
        "n",
        1,
        _amplitude,
        _in_unit_of(0, "src.var.amplitude", before=True),
        "amplitude(x)",
        "The greatest value less the smallest. From two values.",
        "amplitude(x DOUBLE) -> DOUBLE",
    ),
    Function(
        "WEIGHTED_MEAN",
        "nn",
        2,
        _weighted_mean,
        _in_unit_of(0, "stat.mean"),
        "weighted_mean(x, err)",
        "Mean weighted by 1 / err squared.",
        "weighted_mean(x DOUBLE, err DOUBLE) -> DOUBLE",
    ),
    Function(
        "WEIGHTED_MEAN_ERR",
        "nn",
        2,
        _weighted_mean_error,
        _in_unit_of(0, "stat.error", before=True),
        "weighted_mean_err(x, err)",
        "Error of the weighted mean, as far as the errors tell: 1 over the root of the sum of 1 / err squared.",
        "weighted_mean_err(x DOUBLE, err DOUBLE) -> DOUBLE",
    ),
    Function(
        "CHI2",
        "nn",
        2,
        _gathered("chi2", "xe", _index("chi2")),
        _is_chi2,
        "chi2(x, err)",
        "Chi square about the weighted mean. From two points.",
        "chi2(x DOUBLE, err DOUBLE) -> DOUBLE",
    ),
    Function(
        "REDUCED_CHI2",
        "nn",
        2,
        _gathered("reduced_chi2", "xe", _index("chi2_reduced")),
        _is_chi2,
        "reduced_chi2(x, err)",
        "Chi square about the weighted mean per degree of freedom, which are one fewer than points. From two points.",
        "reduced_chi2(x DOUBLE, err DOUBLE) -> DOUBLE",
    ),
    Function(
        "ROMS",
        "nn",
        2,
        _gathered("roms", "xe", _index("roms")),
        _is_index,
        "roms(x, err)",
        "Robust median statistic (Enoch et al. 2003, AJ 126, 1006): mean deviation from the median in units of the "
        "errors; 0.8 for noise. From two points.",
        "roms(x DOUBLE, err DOUBLE) -> DOUBLE",
    ),
    Function(
        "VON_NEUMANN",
        "nn",
        2,
        _gathered("von_neumann", "tx", _index("von_neumann")),
        _is_index,
        "von_neumann(t, x)",
        "Von Neumann's ratio: mean square of the steps from point to point, in the order of the times, over the "
        "variance; 2 for noise, small for what varies smoothly. From three points.",
        "von_neumann(t DOUBLE, x DOUBLE) -> DOUBLE",
    ),
    _STETSON_J,
)
