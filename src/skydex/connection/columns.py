"""Columns as an astronomer writes them: `col.A_F475W >= 10` is a condition, `archive.columns("t")` a searchable list.

A column that is compared gives a condition (`skydex.client.conditions`), which the archive that is asked settles: only
there is it known what the column is called and in which unit it is.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from skydex.client.conditions import All, Comparison, Condition, Measured, Moment, Not, Value
from skydex.connection.printing import printed_rows
from skydex.errors import BadParameterError, near_names
from skydex.tables import Column, Table

if TYPE_CHECKING:
    from skydex.connection.rows import ResultTable

__all__ = ["ColumnRef", "Columns", "col", "joined_conditions", "listed_names"]

_SUFFIXES = {
    "": "=",
    "eq": "=",
    "neq": "<>",
    "ne": "<>",
    "gt": ">",
    "gte": ">=",
    "min": ">=",
    "lt": "<",
    "lte": "<=",
    "max": "<=",
    "in": "in",
    "between": "between",
    "like": "like",
    "contains": "like",
    "null": "is null",
    "nnull": "is not null",
}
"""What may stand behind a column and a dot, in the words of the catalogue API, and what it means."""
_WILDCARDS = str.maketrans({"*": "%", "?": "_"})


class ColumnRef:
    """A column by its name; comparing it gives a condition.

    Parameters
    ----------
    name : str
        What it is called, without regard to case.
    column : Column, optional
        What it is, if that is known.

    Examples
    --------
    >>> from skydex import col
    >>> (col.MAD > 0.1) & col.A_F475W.between(21, 24)  # doctest: +ELLIPSIS
    All(conditions=(Comparison(column='MAD', operator='>', values=(0.1,)), ...
    """

    def __init__(self, name: str, column: Column | None = None) -> None:
        self.name = name
        self.column = column

    __hash__ = object.__hash__
    __array_ufunc__ = None
    """Numbers of numpy and quantities leave comparisons with a column to the column."""

    def __eq__(self, value: object) -> Comparison:  # type: ignore[override]
        return self.is_null() if value is None else Comparison(self.name, "=", (_value(value),))

    def __ne__(self, value: object) -> Comparison:  # type: ignore[override]
        return self.is_not_null() if value is None else Comparison(self.name, "<>", (_value(value),))

    def __lt__(self, value: object) -> Comparison:
        return Comparison(self.name, "<", (_value(value),))

    def __le__(self, value: object) -> Comparison:
        return Comparison(self.name, "<=", (_value(value),))

    def __gt__(self, value: object) -> Comparison:
        return Comparison(self.name, ">", (_value(value),))

    def __ge__(self, value: object) -> Comparison:
        return Comparison(self.name, ">=", (_value(value),))

    def __neg__(self) -> str:
        return f"-{self.name}"

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self.name} is a column, neither true nor false: compare it, as in col.{self.name} == 1.")

    def between(self, low: object, high: object) -> Comparison:
        """From one value to another, both included."""
        return Comparison(self.name, "between", (_value(low), _value(high)))

    def isin(self, values: Iterable[object]) -> Comparison:
        """Any of some values."""
        return Comparison(self.name, "in", tuple(map(_value, values)))

    def like(self, pattern: str) -> Comparison:
        """A text pattern: `%` stands for anything, `_` for one character."""
        return Comparison(self.name, "like", (pattern,))

    def is_null(self) -> Comparison:
        """Has no value."""
        return Comparison(self.name, "is null")

    def is_not_null(self) -> Comparison:
        """Has a value."""
        return Comparison(self.name, "is not null")

    def __repr__(self) -> str:
        if self.column is None:
            return f"<column {self.name}>"
        unit = f" [{self.column.unit}]" if self.column.unit else ""
        about = f": {self.column.description}" if self.column.description else ""
        return f"<column {self.name}{unit}, {_kind(self.column)}{about}>"


class _AnyColumn:
    """Every column of every table, by attribute or, for names that are none in Python, in brackets."""

    def __getattr__(self, name: str) -> ColumnRef:
        if name.startswith("__"):
            raise AttributeError(name)
        return ColumnRef(name)

    def __getitem__(self, name: str) -> ColumnRef:
        return ColumnRef(name)

    def __repr__(self) -> str:
        return "<columns: col.NAME or col['NAME'] is one; compare it for a condition>"


col = _AnyColumn()
"""Columns by name: `col.A_F475W_N >= 10`, `col["B-V"] < 0.4`."""


class Columns(Mapping[str, ColumnRef]):
    """The columns of a table: by attribute or name, to be looked through, printed, and compared.

    Parameters
    ----------
    table : Table
        Whose they are.
    words : str, optional
        Only those with all these words in their name, unit, UCD or description.
    """

    def __init__(self, table: Table, words: str | None = None) -> None:
        wanted = (words or "").lower().split()
        shown = [column for column in table.columns if all(word in _searched(column) for word in wanted)]
        self._table = table
        self._refs = {column.name: ColumnRef(column.name, column) for column in shown}

    def __getitem__(self, name: str) -> ColumnRef:
        exact = self._refs.get(name)
        return exact if exact is not None else self._refs[self._table.get_column(name).name]

    def __getattr__(self, name: str) -> ColumnRef:
        if name.startswith("_"):
            raise AttributeError(name)
        column = self._table.find_column(name)
        if column is None or column.name not in self._refs:
            near = near_names(name, self._refs)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise AttributeError(f"{self._table.name} has no column {name}.{hint}")
        return self._refs[column.name]

    def __contains__(self, name: object) -> bool:
        column = self._table.find_column(name) if isinstance(name, str) else None
        return column is not None and column.name in self._refs

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *filter(str.isidentifier, self._refs)]

    @property
    def table(self) -> ResultTable:
        """The list as a table: name, type, unit, UCD, description."""
        from skydex.connection.listing import listed_columns

        return listed_columns(self._table.name, self._columns)

    @property
    def _columns(self) -> list[Column]:
        return [ref.column for ref in self._refs.values() if ref.column is not None]

    def __repr__(self) -> str:
        title = f"{self._table.name}: {len(self):,} columns"
        return printed_rows(title, _HEAD, _rows(self._columns), dispensable="UCD", hint=_HINT)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{word}</th>" for word in _HEAD)
        rows = (
            "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in _rows(self._columns)
        )
        name = html.escape(self._table.name)
        return f"<p><b>{name}</b>: {len(self):,} columns</p><table><tr>{head}</tr>{''.join(rows)}</table>"


def joined_conditions(given: Sequence[object], suffixed: Mapping[str, object]) -> Condition | None:
    """Make one condition of all that a search is given: conditions, and dictionaries in the suffix form.

    Parameters
    ----------
    given : sequence
        Conditions, or mappings such as `{"A_F475W_N.gte": 10, "Detector": "ACS/WFC"}`.
    suffixed : mapping
        Another of these.

    Raises
    ------
    BadParameterError
        There is something else among them, or a suffix that has no meaning.
    """
    found: list[Condition] = []
    for one in [*given, suffixed]:
        if isinstance(one, Mapping):
            found += [_suffixed(name, value) for name, value in one.items()]
        elif isinstance(one, All):
            found += one.conditions
        elif isinstance(one, Condition):
            found.append(one)
        else:
            raise BadParameterError("condition", f"is a comparison such as col.x > 1, or a dictionary, not {one!r}.")
    return All(tuple(found)) if len(found) > 1 else found[0] if found else None


def listed_names(given: object) -> tuple[str, ...]:
    """Names of columns as they may be typed: a list, or one text with commas, line breaks and `#` comments."""
    if isinstance(given, ColumnRef):
        return (given.name,)
    if isinstance(given, str):
        lines = (line.partition("#")[0] for line in given.strip().removeprefix("[").removesuffix("]").splitlines())
        return tuple(name for line in lines for name in line.replace(",", " ").split())
    if not isinstance(given, Iterable):
        raise BadParameterError("columns", f"is a list of names, not {given!r}.")
    names = [one.name if isinstance(one, ColumnRef) else str(one).partition("#")[0].strip() for one in given]
    return tuple(filter(None, names))


def _suffixed(name: str, value: object) -> Condition:
    column, _, word = name.partition(".")
    operator = _SUFFIXES.get(word.lower())
    if operator is None:
        near = near_names(word, _SUFFIXES)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(filter(None, _SUFFIXES))}."
        raise BadParameterError(name, f'there is no operator "{word}". {hint}')
    if operator in ("is null", "is not null"):
        is_null = Comparison(column, operator)
        return is_null if value not in (False, "false", 0, "0") else Not(is_null)
    values = _several(value, is_split=operator in ("in", "between"))
    if operator == "between" and len(values) == 2:
        return Comparison(column, "between", tuple(values))
    if operator == "between":
        raise BadParameterError(name, f"takes two values, not {len(values)}.")
    if operator == "like":
        around = "%" if word.lower() == "contains" else ""
        values = [f"{around}{str(text).translate(_WILDCARDS)}{around}" for text in values]
    if len(values) == 1 and operator != "in":
        return Comparison(column, operator, tuple(values))
    if operator == "in" or operator == "=":
        return Comparison(column, "in", tuple(values))
    raise BadParameterError(name, f"takes one value, not {len(values)}.")


def _several(value: object, *, is_split: bool) -> list[Value]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")] if is_split else [value]
    if isinstance(value, Sequence | set | frozenset) or (isinstance(value, np.ndarray) and value.ndim):
        return [_value(one) for one in value]
    return [_value(value)]


def _value(value: object) -> Value:
    """A value as a query may hold it: plain, or with its unit."""
    if isinstance(value, np.generic):  # first, since numpy's float64 is a float, too
        return _value(value.item())
    if isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "mjd") and hasattr(value, "isot"):
        return Moment(float(value.utc.mjd), str(value.utc.isot))  # type: ignore[attr-defined]
    if hasattr(value, "unit") and hasattr(value, "value"):
        return Measured(float(value.value), _unit_text(value.unit))
    raise BadParameterError("condition", f"compares with a number, a text, a quantity or a time, not {value!r}.")


def _unit_text(unit: Any) -> str:
    """A unit as VOUnit writes it; one that it has no words for, such as `mag(AB)`, as astropy does."""
    try:
        return str(unit.to_string("vounit"))
    except ValueError:
        return str(unit)


_HEAD = ("name", "type", "unit", "UCD", "description")
_HINT = "Words find some, as in archive.columns(table, 'F814W'); .table is the whole list."


def _rows(columns: Iterable[Column]) -> list[tuple[str, ...]]:
    return [(c.name, _kind(c), c.unit or "", c.ucd or "", c.description) for c in columns]


def _kind(column: Column) -> str:
    if column.is_timestamp:
        return "timestamp"
    if column.datatype.is_text:
        return "text"
    return f"{column.datatype.value}[{column.arraysize}]" if column.is_array else column.datatype.value


def _searched(column: Column) -> str:
    return " ".join(filter(None, (column.name, column.unit, column.ucd, column.description))).lower()
