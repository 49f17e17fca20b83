"""Constraints: what a catalogue search says of one column, as a condition of a query.

The grammar is that of the catalogue REST API: `column=value`, `column.operator=value`, several values for any of them.
A value is compared in the type of its column: a number as that type holds it, a text without regard to case, a time as
a time. Whatever does not fit is an error that names the parameter; nothing of it reaches a query but literal nodes.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlglot import exp

from skydex.errors import BadParameterError, QueryTooLargeError, near_names
from skydex.query import build
from skydex.query.languages import QueryLimits
from skydex.query.tree import conjunction
from skydex.tables import Column, Datatype

__all__ = ["OPERATORS", "Constraint", "condition_of", "list_items"]

Value = str | int | float

Rounding = Callable[[float], int]

_COMPARISONS: dict[str, tuple[type[exp.Expression], Rounding]] = {
    "gt": (exp.GT, math.floor),
    "gte": (exp.GTE, math.ceil),
    "min": (exp.GTE, math.ceil),
    "lt": (exp.LT, math.ceil),
    "lte": (exp.LTE, math.floor),
    "max": (exp.LTE, math.floor),
}
"""Each with how a number with a fraction is rounded for a column of whole numbers, so that it means the same there."""
OPERATORS: dict[str, str] = {
    "eq": "equal; the same as no operator",
    "neq": "not equal",
    "ne": "not equal",
    "gt": "greater",
    "gte": "greater or equal",
    "min": "greater or equal",
    "lt": "less",
    "lte": "less or equal",
    "max": "less or equal",
    "in": "any of a list: `1,2,3` or `[1,2,3]`",
    "between": "from the first to the second of two values: `1,2`",
    "like": "a text pattern: `*` or `%` stands for anything, `?` or `_` for one character",
    "contains": "has a text, with wildcards as in `like`, somewhere in it",
    "null": "has no value; with `false`, has one",
    "nnull": "has a value",
}
"""What may stand behind a column and a dot, and what it means."""

_NUMBER = re.compile(r"[+-]?([0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})([eE][+-]?[0-9]{1,4})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,300}", re.ASCII)
_TRUTHS = {"true": 1, "t": 1, "yes": 1, "false": 0, "f": 0, "no": 0}
_WILDCARDS = str.maketrans({"*": "%", "?": "_"})
_MOST_VALUES = QueryLimits().list_items
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Constraint:
    """One parameter that is about a column."""

    name: str
    """The column, as the request spells it."""
    operator: str
    """One of `OPERATORS`, or what else the request has behind the dot."""
    values: tuple[str, ...]
    """As the request has them; any of them may hold."""

    @property
    def parameter(self) -> str:
        """The parameter as messages name it."""
        return f"{self.name}.{self.operator}" if self.operator != "eq" else self.name


def condition_of(constraint: Constraint, column: Column, alias: str, *, missing: float | None) -> exp.Expression:
    """Make the condition that a constraint means.

    Parameters
    ----------
    constraint : Constraint
        What the request says.
    column : Column
        The column that it is about.
    alias : str
        What its table is called in the query.
    missing : float, optional
        A value that stands for none, besides null.

    Raises
    ------
    BadParameterError
        There is no such operator, or a value is not of the column's type.
    QueryTooLargeError
        There are too many values.
    """
    operator = constraint.operator
    if operator not in OPERATORS:
        near = near_names(operator, OPERATORS)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(OPERATORS)}."
        raise BadParameterError(constraint.parameter, f'there is no operator "{operator[:40]}". {hint}')
    if column.is_array:
        raise BadParameterError(constraint.parameter, "holds arrays, for which there are no constraints.")
    if len(constraint.values) > _MOST_VALUES:
        raise QueryTooLargeError(f"list of values of {constraint.name}", limit=_MOST_VALUES)
    subject = build.column_node(column.name, alias)
    if operator in ("null", "nnull"):
        return _null_test(constraint, column, subject, missing)
    if operator in ("like", "contains"):
        return _pattern_test(constraint, column, subject)
    compared = build.text_of(subject) if _kind(column) == "text" else subject
    read = _Reading(constraint, column)
    if operator == "between":
        return _range(compared, read)
    if operator in _COMPARISONS:
        kind, rounding = _COMPARISONS[operator]
        return _any([kind(this=compared.copy(), expression=node) for node in read.nodes(rounding)])
    equal = _equal(compared, read.nodes())
    if missing is not None and read.has(missing):
        equal = _any([equal, exp.Is(this=subject.copy(), expression=exp.Null())])
    return exp.Not(this=exp.Paren(this=equal)) if operator in ("neq", "ne") else equal


def list_items(text: str) -> list[str]:
    """The items of a list as requests write it: `a,b`, `[a, b]`, or a JSON list."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            text = text[1:-1]
        else:
            return [item if isinstance(item, str) else json.dumps(item) for item in found]
    return [item.strip().strip("\"'") for item in text.split(",") if item.strip()]


def _equal(subject: exp.Expression, nodes: Sequence[exp.Expression]) -> exp.Expression:
    if len(nodes) == 1:
        return exp.EQ(this=subject, expression=nodes[0])
    return exp.In(this=subject, expressions=list(nodes))


def _range(subject: exp.Expression, read: _Reading) -> exp.Expression:
    texts = read.texts()
    if len(texts) != 2:
        raise BadParameterError(read.constraint.parameter, f"takes two values, as in 1,2, not {len(texts)}.")
    low, high = read.node(texts[0], math.ceil), read.node(texts[1], math.floor)
    return exp.Between(this=subject, low=low, high=high)


def _null_test(
    constraint: Constraint, column: Column, subject: exp.Expression, missing: float | None
) -> exp.Expression:
    words = {text.strip().lower() for text in constraint.values}
    if len(words) != 1 or not words <= {"", "1", "0", *_TRUTHS}:
        raise BadParameterError(constraint.parameter, "takes true or false.")
    is_null: exp.Expression = exp.Is(this=subject, expression=exp.Null())
    if missing is not None and column.datatype.is_numeric:
        value = int(missing) if missing.is_integer() else missing  # a fraction does not compare with every long number
        is_null = _any([is_null, exp.EQ(this=subject.copy(), expression=build.literal(value))])
    word = words.pop()
    is_wanted = (_TRUTHS.get(word, 1) == 1 and word != "0") == (constraint.operator == "null")
    return is_null if is_wanted else exp.Not(this=exp.Paren(this=is_null))


def _pattern_test(constraint: Constraint, column: Column, subject: exp.Expression) -> exp.Expression:
    if _kind(column) != "text":
        raise BadParameterError(constraint.parameter, f"is for texts, and {column.name} holds {_KINDS[_kind(column)]}.")
    texts = [text.translate(_WILDCARDS) for text in constraint.values]
    if constraint.operator == "contains":
        texts = [f"%{text}%" for text in texts]
    return _any([exp.ILike(this=subject.copy(), expression=build.literal(_clean(text, constraint))) for text in texts])


@dataclass(frozen=True)
class _Reading:
    """The values of a constraint in the type of its column."""

    constraint: Constraint
    column: Column

    def nodes(self, rounding: Rounding | None = None) -> list[exp.Expression]:
        """Each value as a literal."""
        return [self.node(text, rounding) for text in self.texts()]

    def node(self, text: str, rounding: Rounding | None) -> exp.Expression:
        value = _READERS[_kind(self.column)](self, text)
        if isinstance(value, float) and self.column.datatype.is_integer:
            if rounding is None and not value.is_integer():
                raise self.bad(text, "a whole number")
            value = (rounding or round)(value)
        if isinstance(value, int):
            value = max(-_LARGEST, min(value, _LARGEST))
        return build.literal(value)

    def has(self, number: float) -> bool:
        """Whether a number is among the values."""
        is_number = _kind(self.column) == "number"
        return is_number and any(_NUMBER.fullmatch(text.strip()) and float(text) == number for text in self.texts())

    def texts(self) -> list[str]:
        """The values as they are written, those of lists one by one."""
        are_lists = self.constraint.operator in ("in", "between")
        may_be_lists = are_lists or _kind(self.column) == "number"
        texts = [
            item
            for text in self.constraint.values
            for item in (list_items(text) if are_lists or (may_be_lists and text.strip().startswith("[")) else [text])
        ]
        if not texts:
            raise BadParameterError(self.constraint.parameter, "has no value.")
        if len(texts) > _MOST_VALUES:
            raise QueryTooLargeError(f"list of values of {self.constraint.name}", limit=_MOST_VALUES)
        return texts

    def number(self, text: str) -> Value:
        word, datatype = text.strip(), self.column.datatype
        if _INTEGER.fullmatch(word) and not datatype.is_floating:
            return int(word)
        if datatype.is_integer and word.lower() in _TRUTHS:
            return _TRUTHS[word.lower()]
        if not _NUMBER.fullmatch(word):
            raise self.bad(text, "a number")
        with np.errstate(over="ignore"):
            number = float(np.float32(word)) if datatype is Datatype.FLOAT else float(word)
        if not math.isfinite(number):
            raise self.bad(text, f"a number that a {datatype.value} can hold")
        return number

    def flag(self, text: str) -> Value:
        word = text.strip().lower()
        if word not in ("1", "0") and word not in _TRUTHS:
            raise self.bad(text, "true or false")
        return _TRUTHS.get(word, int(word == "1"))

    def time(self, text: str) -> Value:
        try:
            dt.datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise self.bad(text, "a time such as 2015-01-31 or 2015-01-31T12:00:00") from error
        return text.strip()

    def text(self, text: str) -> Value:
        return _clean(text, self.constraint).lower()

    def bad(self, text: str, wanted: str) -> BadParameterError:
        shown = text if len(text) <= 60 else f"{text[:60]}..."
        return BadParameterError(self.constraint.parameter, f'must be {wanted}, not "{shown}".')


_READERS: dict[str, Callable[[_Reading, str], Value]] = {
    "number": _Reading.number,
    "flag": _Reading.flag,
    "time": _Reading.time,
    "text": _Reading.text,
}
_KINDS = {"number": "numbers", "flag": "flags", "time": "times", "text": "texts"}


def _clean(text: str, constraint: Constraint) -> str:
    if "\0" in text:
        raise BadParameterError(constraint.parameter, "must not hold the character NUL.")
    return text


def _kind(column: Column) -> str:
    if column.is_timestamp:
        return "time"
    if column.datatype.is_text:
        return "text"
    return "number" if column.datatype.is_numeric else "flag"


def _any(nodes: Sequence[exp.Expression]) -> exp.Expression:
    return exp.Paren(this=conjunction(list(nodes), exp.Or)) if len(nodes) > 1 else nodes[0]
