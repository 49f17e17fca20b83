"""Grouping: whether every output of a grouped SELECT has one value for each group (SQL-92, section 7.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query.languages import place_of

__all__ = ["check_groups", "check_windows"]


def check_groups(
    select: exp.Select, keys: Sequence[exp.Expression] | None, own: set[str], place: dict[str, Any]
) -> None:
    """Refuse columns that are neither grouped nor aggregated, and aggregates where none may stand.

    Parameters
    ----------
    select : exp.Select
        Bound and complete.
    keys : sequence of exp.Expression or None
        The GROUP BY expressions; None without the clause.
    own : set of str
        Sources of this SELECT; columns of outer queries are constants here.
    place : dict
        Where the SELECT stands in the text.

    Raises
    ------
    BadQueryError
        Naming the column.
    """
    _check_places(select, keys or (), place)
    for aggregate in _aggregates(select):
        _check_arguments(aggregate, own, place)
    parts = [*select.expressions, select.args.get("having"), select.args.get("order")]
    present = [part for part in parts if part is not None]
    if keys is None and not any(True for part in present for _ in _aggregates(part)):
        if select.args.get("having") is not None:
            raise BadQueryError("HAVING needs GROUP BY or an aggregate function.", **place)
        return
    grouped = frozenset(keys or ())
    for part in present:
        for column in _ungrouped(part, grouped, own):
            sentence = f'Column "{column.name}" must stand in GROUP BY or inside an aggregate function.'
            raise BadQueryError(sentence, **_place(column, place))


def check_windows(select: exp.Select, place: dict[str, Any]) -> None:
    """Refuse functions with OVER where rows are still being chosen (SQL:2003, section 7.11)."""
    parts = [select.args.get(clause) for clause in ("where", "group", "having")]
    parts += [join.args.get("on") for join in select.args.get("joins") or ()]
    if any(part is not None and _has_window(part) for part in parts):
        raise BadQueryError(
            "A function with OVER stands only in SELECT and ORDER BY; a query around can use it.", **place
        )


def _has_window(node: exp.Expression) -> bool:
    """Whether a window stands in a part of this SELECT, subqueries aside."""
    if isinstance(node, exp.Window):
        return True
    return any(_has_window(child) for child in node.iter_expressions() if not isinstance(child, exp.Query))


def _check_places(select: exp.Select, keys: Sequence[exp.Expression], place: dict[str, Any]) -> None:
    """Refuse aggregates where rows are not yet grouped."""
    conditions = [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on") is not None]
    where = select.args.get("where")
    for parts, clause, hint in (
        ([where] if where is not None else [], "WHERE", "; use HAVING"),
        (conditions, "ON", ""),
        (keys, "GROUP BY", ""),
    ):
        for aggregate in (found for part in parts for found in _aggregates(part)):
            raise BadQueryError(f"An aggregate function cannot stand in {clause}{hint}.", **_place(aggregate, place))


def _check_arguments(aggregate: exp.Expression, own: set[str], place: dict[str, Any]) -> None:
    """Refuse aggregates of aggregates, and those over columns of the query around, which SQL would count there."""
    for inner in (found for part in aggregate.iter_expressions() for found in _aggregates(part)):
        sentence = "An aggregate function cannot stand inside another; use a subquery."
        raise BadQueryError(sentence, **_place(inner, place))
    columns = list(aggregate.find_all(exp.Column))
    if columns and not any(column.table in own for column in columns):
        raise BadQueryError(
            f'"{columns[0].name}" belongs to the query around: aggregate it there, not in the subquery.',
            **_place(aggregate, place),
        )


def _place(node: exp.Expression, otherwise: dict[str, Any]) -> dict[str, Any]:
    """Where a bound node stood in the text, if it did."""
    place = place_of(node)
    return place if place["line"] is not None else otherwise


def _aggregates(node: exp.Expression) -> Iterable[exp.Expression]:
    """Aggregate calls of this SELECT; those inside subqueries are theirs."""
    if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window):
        yield node
        return
    for child in node.iter_expressions():
        if not isinstance(child, exp.Query):
            yield from _aggregates(child)


def _ungrouped(node: exp.Expression, keys: frozenset[exp.Expression], own: set[str]) -> Iterable[exp.Column]:
    if (isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window)) or node in keys:
        return
    if isinstance(node, exp.Column) and node.table in own:
        yield node
    for child in node.iter_expressions():
        if isinstance(child, exp.Query):
            yield from _ungrouped_inside(child, keys, own)
        else:
            yield from _ungrouped(child, keys, own)


def _ungrouped_inside(query: exp.Query, keys: frozenset[exp.Expression], own: set[str]) -> Iterable[exp.Column]:
    """Columns of this SELECT that a subquery reads, of which a group has no one value."""
    return (column for column in query.find_all(exp.Column) if column.table in own and column not in keys)
