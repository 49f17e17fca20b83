"""What a query language means by the trees that its parser makes: `Rules`, and those of ADQL.

Languages share the shapes of their trees, and binding. Where they differ in meaning (which functions there are, what a
division gives, when two texts are the same, where nulls stand in an order) `bind` asks the rules of the language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlglot import exp

from skydex.query.comparisons import comparable
from skydex.query.functions import AGGREGATES, SCALARS, Function
from skydex.query.languages import FOREIGN_FUNCTIONS
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["ADQL_RULES", "Expressions", "Method", "Rules"]


class Expressions(Protocol):
    """The binder of expressions, as methods of a language see it."""

    has_aggregates: bool
    has_windows: bool

    def bind(self, node: exp.Expression) -> Value:
        """Bind one expression."""

    def condition(self, node: exp.Expression) -> exp.Expression:
        """Bind an expression that must be true or false."""

    def rows_of(self, node: exp.Expression) -> tuple[exp.Expression, Column]:
        """Bind a query of one column."""

    def literal(self, node: exp.Literal) -> Value:
        """Bind a number or text that is written out."""

    def shapes_compared(self, node: exp.Binary) -> Value | None:
        """The test that a comparison of a geometry function with a number is, if it is one."""

    def located(self, node: exp.Expression, apply: Callable[[], Value]) -> Value:
        """Apply a function, and let its complaints point at a node."""


Method = Callable[[Any, Any], Value]
"""Binds one kind of node: takes the binder (`Expressions`) and the node."""


def _as_it_is(value: Value) -> exp.Expression:
    return value.node


def _numbered(position: int, _: int) -> str:
    return f"col{position}"


@dataclass(frozen=True)
class Rules:
    """The meaning of a language, where languages differ."""

    name: str
    """The language."""
    scalars: Mapping[str, Function]
    """Functions of the values of a row, by name in capitals."""
    aggregates: Mapping[str, Function]
    """Functions of the rows of a group, by name in capitals."""
    methods: Mapping[type[exp.Expression], Method] = field(default_factory=dict)
    """How kinds of nodes are bound that mean something of their own in this language."""
    calls: Mapping[str, Method] = field(default_factory=dict)
    """How calls are bound whose arguments are more than values, by name in capitals."""
    comparable: Callable[[Value, Value, exp.Expression], tuple[exp.Expression, exp.Expression]] = comparable
    """Makes two sides of a comparison alike."""
    key: Callable[[Value], exp.Expression] = _as_it_is
    """What GROUP BY, DISTINCT and ORDER BY look at of a value."""
    nulls_are_least: bool = False
    """Whether nulls come first in ascending order and last in descending; otherwise they always come last."""
    unnamed: Callable[[int, int], str] = _numbered
    """The name of an output without one, from its position and its number among those without, both from 1."""
    names_expressions: bool = True
    """Whether an expression without alias may have the name of its function."""
    foreign: Mapping[str, str] = field(default_factory=dict)
    """What to say about functions of other languages, by name in capitals."""

    def is_folded(self, values: Sequence[Value]) -> bool:
        """Whether rows that differ in some of these values may be the same."""
        return any(self.key(value) is not value.node for value in values)


ADQL_RULES = Rules("ADQL", SCALARS, AGGREGATES, foreign=FOREIGN_FUNCTIONS)
"""ADQL 2.1 (IVOA REC 2023-12-15)."""
