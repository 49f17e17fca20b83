"""Row tests: conditions on values, as far as they tell which row groups need not be read.

A test is asked of row groups, by their statistics and by the look-ups of their table. It may let a group pass in which
no row fulfils the condition, but never the reverse: bounds count as fulfilled, and numbers of
different types are compared as doubles, whose rounding keeps their order. Rows are tested again by whoever reads them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.store.lookup import hashes_of
from skydex.store.statistics import ColumnStatistics

__all__ = ["AllOf", "Among", "AnyOf", "Between", "Missing", "Present", "RowTest", "Value", "columns_of", "passing"]

Value: TypeAlias = bool | int | float | str | dt.datetime
Mask = NDArray[np.bool_]
Int = NDArray[np.int64]
_WHOLE = 2.0**53
"""Beyond this a double no longer tells which whole number is meant."""


@dataclass(frozen=True)
class Among:
    """A column has one of some values."""

    column: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return self.column


@dataclass(frozen=True)
class Between:
    """A column has a value between two, both included; `None` is no bound."""

    column: str
    low: Value | None = None
    high: Value | None = None

    def __str__(self) -> str:
        return self.column


@dataclass(frozen=True)
class Missing:
    """A column has no value."""

    column: str


@dataclass(frozen=True)
class Present:
    """A column has a value."""

    column: str


@dataclass(frozen=True)
class AllOf:
    """All of some tests."""

    parts: tuple[RowTest, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of some tests."""

    parts: tuple[RowTest, ...]


RowTest: TypeAlias = Among | Between | Missing | Present | AllOf | AnyOf


class Known(Protocol):
    """What must be known of a table to test its row groups."""

    def statistics(self, column: str) -> ColumnStatistics: ...

    def find_groups(self, column: str, hashes: Callable[[], NDArray[np.uint64]]) -> Mask | None:
        """The row groups in which values of some hashes may stand; `None` if there is no look-up of the column."""
        ...


def columns_of(test: RowTest) -> tuple[str, ...]:
    """The columns that a test looks at, each once."""
    if isinstance(test, AllOf | AnyOf):
        return tuple(dict.fromkeys(name for part in test.parts for name in columns_of(part)))
    return (test.column,)


def passing(test: RowTest, known: Known, numbers: Int, n_rows: Int) -> Mask:
    """Which of some row groups may have rows that fulfil a test.

    Parameters
    ----------
    test : RowTest
        The test.
    known : Known
        The data set.
    numbers : (n,) int64 array
        The row groups.
    n_rows : (n,) int64 array
        Rows in each of them.
    """
    if isinstance(test, AllOf | AnyOf):
        join = np.logical_and if isinstance(test, AllOf) else np.logical_or
        return np.asarray(join.reduce([passing(part, known, numbers, n_rows) for part in test.parts]))
    if isinstance(test, Among):
        return _with_one(test, known, numbers, n_rows)
    statistics = known.statistics(test.column)
    if isinstance(test, Missing):
        return np.asarray(statistics.null_count[numbers] != 0)
    if isinstance(test, Present):
        return np.asarray(statistics.null_count[numbers] != n_rows)
    return _between(test, statistics, numbers, n_rows)


def _with_one(test: Among, known: Known, numbers: Int, n_rows: Int) -> Mask:
    """Row groups that may hold one of some values: those that a look-up finds, as far as their bounds allow it."""
    found = known.find_groups(test.column, lambda: _hashes(test.values)) if _is_told_apart(test.values) else None
    passed = np.ones(len(numbers), np.bool_) if found is None else found[numbers]
    some = np.flatnonzero(passed)
    passed[some] = _within(test, known.statistics(test.column), numbers[some], n_rows[some])
    return passed


def _within(test: Among, statistics: ColumnStatistics, numbers: Int, n_rows: Int) -> Mask:
    is_some = np.asarray(statistics.null_count[numbers] != n_rows)
    form = _form(test.values, statistics.min.type)
    if form is None:
        return is_some
    if not test.values:
        return np.zeros(len(numbers), np.bool_)
    least, greatest, is_unknown = _bounds(statistics, numbers, form)
    ordered = np.sort(form.of_values(test.values))
    places = np.minimum(np.searchsorted(ordered, least), len(ordered) - 1)
    between = (ordered[places] >= least) & (ordered[places] <= greatest)
    return np.asarray(is_some & (between | is_unknown))


def _between(test: Between, statistics: ColumnStatistics, numbers: Int, n_rows: Int) -> Mask:
    is_some = np.asarray(statistics.null_count[numbers] != n_rows)
    form = _form(tuple(end for end in (test.low, test.high) if end is not None), statistics.min.type)
    if form is None:
        return is_some
    least, greatest, is_unknown = _bounds(statistics, numbers, form)
    inside = np.ones(len(numbers), np.bool_)
    if test.low is not None:
        inside &= greatest >= min(form.of_values((test.low,)).tolist())
    if test.high is not None:
        inside &= least <= max(form.of_values((test.high,)).tolist())
    return is_some & (inside | is_unknown)


def _bounds(statistics: ColumnStatistics, numbers: Int, form: _Form) -> tuple[Any, Any, Mask]:
    """Least and greatest values of some row groups in a form that can be compared, and where they are not known."""
    places = pa.array(numbers)
    least, greatest = statistics.min.take(places), statistics.max.take(places)
    is_unknown = least.is_null().to_numpy(zero_copy_only=False)
    return form.of_bounds(least), form.of_bounds(greatest), is_unknown


@dataclass(frozen=True)
class _Form:
    """How values and bounds of a column are compared."""

    of_values: Callable[[tuple[Value, ...]], NDArray[Any]]
    of_bounds: Callable[[pa.Array], NDArray[Any]]


def _form(values: tuple[Value, ...], kind: pa.DataType) -> _Form | None:
    """The form in which values meet the bounds of a column; `None` if they are of another kind."""
    if pa.types.is_string(kind):
        return _TEXTS if all(isinstance(value, str) for value in values) else None
    if pa.types.is_timestamp(kind):
        return _TIMES if kind == pa.timestamp("us") and all(isinstance(v, dt.datetime) for v in values) else None
    if not all(isinstance(value, bool | int | float) for value in values):
        return None
    if pa.types.is_integer(kind) and kind != pa.uint64() and all(map(_is_long, values)):
        return _LONGS
    return _FLOATS if pa.types.is_float32(kind) else _DOUBLES


def _is_long(value: Value) -> bool:
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _doubles(values: tuple[Value, ...]) -> NDArray[np.float64]:
    return np.array([_double(value) for value in values if isinstance(value, int | float)], np.float64)


def _floats(values: tuple[Value, ...]) -> NDArray[np.float64]:
    """As they are, and as an engine would have them that rounds them to the type of the column."""
    numbers = _doubles(values)
    with np.errstate(over="ignore"):
        return np.concatenate([numbers, numbers.astype(np.float32).astype(np.float64)])


def _bounds_as_doubles(bounds: pa.Array) -> NDArray[Any]:
    numbers = pc.cast(bounds, pa.int8()) if pa.types.is_boolean(bounds.type) else bounds
    return np.asarray(pc.fill_null(pc.cast(numbers, pa.float64(), safe=False), 0.0))


def _bounds_as_longs(bounds: pa.Array) -> NDArray[Any]:
    return np.asarray(pc.fill_null(pc.cast(bounds, pa.int64()), 0))


_TEXTS = _Form(
    lambda values: np.array(values, object), lambda bounds: np.array(pc.fill_null(bounds, "").to_pylist(), object)
)
_TIMES = _Form(
    lambda values: np.array([_microseconds(v) for v in values if isinstance(v, dt.datetime)], np.int64),
    _bounds_as_longs,
)
_LONGS = _Form(lambda values: np.array(values, np.int64), _bounds_as_longs)
_DOUBLES = _Form(_doubles, _bounds_as_doubles)
_FLOATS = _Form(_floats, _bounds_as_doubles)


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _microseconds(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)


def _is_told_apart(values: tuple[Value, ...]) -> bool:
    """Whether it is certain what the values are, so that equal ones have equal hashes."""
    return all(isinstance(v, str) for v in values) or all(
        (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and abs(v) < _WHOLE) for v in values
    )


def _hashes(values: tuple[Value, ...]) -> NDArray[np.uint64]:
    if values and isinstance(values[0], str):
        return hashes_of(pa.array(values, pa.string()))
    whole = [int(v) for v in values if isinstance(v, int) or (isinstance(v, float) and v.is_integer())]
    fitting = [v % 2**64 for v in whole if -(2**63) <= v < 2**64]
    return hashes_of(pa.array(np.array(fitting, np.uint64)))
