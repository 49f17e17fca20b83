"""Conditions on columns, as values: made by comparing columns in Python, or from the suffixes of a REST search.

A condition knows no table. It is written as a condition of ADQL 2.1 (IVOA REC 2023-12-15, section 4.5), or as the
parameters of MAST's catalogue API where that can say it: there, every constraint must hold. A value with a unit, and a
moment, become plain when the column is known that they are compared with (`settled`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from skydex.errors import BadParameterError, NotOfferedError
from skydex.tables import Column, Table, spelled

__all__ = [
    "All",
    "Any",
    "Comparison",
    "Condition",
    "Measured",
    "Moment",
    "Not",
    "adql",
    "has_units",
    "parameters",
    "settled",
]


@dataclass(frozen=True)
class Measured:
    """A number with a unit."""

    number: float
    """How many."""
    unit: str
    """Of what, as VOUnit writes it."""


@dataclass(frozen=True)
class Moment:
    """A moment, UTC."""

    mjd: float
    """As a modified Julian date."""
    iso: str
    """As ISO 8601 writes it."""


Scalar = bool | int | float | str
Value = Scalar | Measured | Moment


class _Joined:
    """What makes one condition of two: `&`, `|` and `~`, as of arrays."""

    def __and__(self, other: Condition) -> All:
        return All((*_parts(self, All), *_parts(other, All)))

    def __or__(self, other: Condition) -> Any:
        return Any((*_parts(self, Any), *_parts(other, Any)))

    def __invert__(self) -> Not:
        return Not(_checked(self))

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "A condition is neither true nor false before rows are asked for: join conditions with & and |, turn one "
            "round with ~, write each in brackets, and col.x.between(1, 2) for 1 <= col.x <= 2."
        )


@dataclass(frozen=True)
class Comparison(_Joined):
    """What one column keeps."""

    column: str
    """Its name."""
    operator: str
    """`=`, `<>`, `<`, `<=`, `>`, `>=`, `like`, `in`, `between`, `is null` or `is not null`."""
    values: tuple[Value, ...] = ()
    """What it is compared with: one value, two for `between`, any number for `in`, none for nulls."""


@dataclass(frozen=True)
class All(_Joined):
    """Every one of some conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Any(_Joined):
    """At least one of some conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not(_Joined):
    """A condition does not hold."""

    condition: Condition


Condition = Comparison | All | Any | Not

_PARAMETERS = {
    "=": "",
    "<>": ".neq",
    "<": ".lt",
    "<=": ".lte",
    ">": ".gt",
    ">=": ".gte",
    "like": ".like",
    "in": ".in",
}
_OPPOSITES = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "is null": "is not null"}
_OPPOSITES["is not null"] = "is null"


def adql(condition: Condition) -> str:
    """Write a condition as it stands behind WHERE.

    Raises
    ------
    BadParameterError
        A value is none that a query can hold: infinite, not a number, or with a unit that nobody resolved.
    """
    match condition:
        case All(conditions):
            return " AND ".join(map(_bracketed, conditions)) or "1 = 1"
        case Any(conditions):
            return " OR ".join(map(_bracketed, conditions)) or "1 = 0"
        case Not(inner):
            return f"NOT {_bracketed(inner)}"
        case Comparison():
            return _compared(condition)


def parameters(condition: Condition, service: str) -> Iterator[tuple[str, str]]:
    """Write a condition as parameters of the catalogue API, of which all must hold.

    Parameters
    ----------
    condition : Condition
        What rows keep.
    service : str
        Of which service, for messages.

    Yields
    ------
    name, value : str
        Such as `nDetections.gte` and `5`.

    Raises
    ------
    NotOfferedError
        It has parts of which one may fail, which these parameters cannot say.
    """
    match condition:
        case All(conditions):
            for part in conditions:
                yield from parameters(part, service)
        case Comparison(column, "between", (low, high)):
            yield f"{column}.gte", _text(column, low)
            yield f"{column}.lte", _text(column, high)
        case Comparison(column, "is null" | "is not null" as operator):
            yield f"{column}.{'null' if operator == 'is null' else 'nnull'}", "true"
        case Comparison(column, "in", values) if values:
            yield f"{column}.in", ",".join(_text(column, value) for value in values)
        case Comparison(column, operator, (value,)) if operator in _PARAMETERS and operator != "in":
            yield f"{column}{_PARAMETERS[operator]}", _text(column, value)
        case Not(Comparison(column, operator, values)) if operator in _OPPOSITES:
            yield from parameters(Comparison(column, _OPPOSITES[operator], values), service)
        case _:
            raise NotOfferedError(
                "search with | and ~", service, [], hint="Its constraints must all hold: ask once for each, or query()."
            )


def settled(condition: Condition, table: Table) -> Condition:
    """The same with the names of columns as their table writes them, and their values in its units.

    Raises
    ------
    UnknownColumnError
        The table has no such column.
    BadParameterError
        A unit is not one of the column's kind.
    """
    match condition:
        case All(conditions):
            return All(tuple(settled(part, table) for part in conditions))
        case Any(conditions):
            return Any(tuple(settled(part, table) for part in conditions))
        case Not(inner):
            return Not(settled(inner, table))
        case Comparison(name, _, values):
            column = table.get_column(name)
            return replace(condition, column=column.name, values=tuple(_plain(value, column) for value in values))


def has_units(condition: Condition) -> bool:
    """Whether it compares with a value that has a unit, or with a moment, so that it must be `settled`."""
    match condition:
        case All(parts) | Any(parts):
            return any(map(has_units, parts))
        case Not(inner):
            return has_units(inner)
        case Comparison(_, _, values):
            return any(isinstance(value, Measured | Moment) for value in values)


def _parts(condition: object, kind: type[All] | type[Any]) -> tuple[Condition, ...]:
    """The conditions that are joined already, so that three stand beside each other and not in each other."""
    checked = _checked(condition)
    return checked.conditions if isinstance(checked, kind) else (checked,)


def _checked(condition: object) -> Condition:
    if not isinstance(condition, Comparison | All | Any | Not):
        raise TypeError(f"{condition!r} is no condition: write brackets around each, as in (col.a > 1) & (col.b < 2).")
    return condition


def _bracketed(condition: Condition) -> str:
    text = adql(condition)
    return text if isinstance(condition, Comparison) else f"({text})"


def _compared(condition: Comparison) -> str:
    name, values = spelled(condition.column), [_literal(condition.column, value) for value in condition.values]
    match condition.operator:
        case "between":
            return f"{name} BETWEEN {values[0]} AND {values[1]}"
        case "in":
            return f"{name} IN ({', '.join(values)})" if values else "1 = 0"
        case "is null" | "is not null":
            return f"{name} {condition.operator.upper()}"
        case operator:
            return f"{name} {operator.upper()} {values[0]}"


def _literal(column: str, value: Value) -> str:
    text = _text(column, value)
    if isinstance(value, str):
        return "'" + text.replace("'", "''") + "'"
    return {"true": "1", "false": "0"}.get(text, text)


def _text(column: str, value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Measured() | Moment():
            raise BadParameterError(column, "is compared with a unit, and the unit of the column is not known.")
        case float() if not math.isfinite(value):
            raise BadParameterError(column, f"cannot be compared with {value}: is_null() finds what has no value.")
        case str() if "\0" in value:
            raise BadParameterError(column, "must not hold the character NUL.")
        case _:
            return str(value) if not isinstance(value, float) else repr(value)


def _plain(value: Value, column: Column) -> Value:
    match value:
        case Measured(number, unit):
            return _converted(number, unit, column)
        case Moment(mjd, iso):
            return iso if column.datatype.is_text else mjd
        case str() if column.datatype.is_numeric:
            return _number(value, column)
        case _:
            return value


def _number(text: str, column: Column) -> int | float:
    """A number that came as a text, as in the suffix form."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    raise BadParameterError(column.name, f'holds numbers and cannot be compared with "{text[:60]}".')


def _converted(number: float, unit: str, column: Column) -> float:
    from astropy import units

    if not unit:
        return number
    try:
        own = units.Unit(column.unit or "", parse_strict="silent")
        return float(units.Quantity(number, unit).to_value(own))
    except (units.UnitsError, TypeError, ValueError) as error:
        raise BadParameterError(
            column.name, f"is in {column.unit or 'no unit'} and cannot be compared with {number:g} {unit}."
        ) from error
