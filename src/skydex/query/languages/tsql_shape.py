"""The shape that a tree of T-SQL may have: not too deep, no list too long, and no part that translation would lose."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from skydex.errors import BadQueryError, QueryTooLargeError
from skydex.query.languages.limits import QueryLimits, too_long_a_chain
from skydex.query.languages.tsql_places import noted_place
from skydex.query.tree import flattened

__all__ = ["CHAINS", "SET_OPERATIONS", "check_shape"]

CHAINS = (exp.And, exp.Or)
SET_OPERATIONS = (exp.Union, exp.Except, exp.Intersect)
_MOST_ROWS_WRITTEN = 1000
"""Rows that VALUES may list, as in SQL Server."""
_TAIL = ("with_", "order", "limit", "offset", "options")
_PARTS: dict[type[exp.Expression], tuple[str, ...]] = {
    exp.Select: (
        "expressions", "distinct", "from_", "joins", "where", "group", "having", "into", "hint", "kind",
        "operation_modifiers", *_TAIL,
    ),
    **dict.fromkeys(SET_OPERATIONS, ("this", "expression", "distinct", *_TAIL)),
    exp.Subquery: ("this", "alias", "joins", "pivots", *_TAIL),
    exp.Table: ("this", "alias", "db", "catalog", "joins", "hints", "pivots", "sample"),
    exp.Join: ("this", "on", "side", "kind", "hint"),
    exp.Lateral: ("this", "alias", "cross_apply"),
    exp.With: ("expressions",),
    exp.CTE: ("this", "alias"),
    exp.TableAlias: ("this", "columns"),
    exp.Group: ("expressions", "rollup", "cube", "grouping_sets", "totals", "all"),
    exp.Distinct: ("expressions",),
    exp.Ordered: ("this", "desc", "nulls_first"),
    exp.Limit: ("this", "expression", "limit_options"),
    exp.Fetch: ("direction", "count", "limit_options"),
    exp.Like: ("this", "expression", "negate"),
    exp.Is: ("this", "expression", "negate"),
    exp.In: ("this", "expressions", "query"),
    exp.Between: ("this", "low", "high"),
    exp.Exists: ("this",),
    exp.Case: ("this", "ifs", "default"),
    exp.Cast: ("this", "to"),
    exp.TryCast: ("this", "to", "safe", "requires_string"),
    exp.Trim: ("this", "expression", "position"),
    exp.Window: ("this", "partition_by", "order", "spec", "alias", "over"),
}  # fmt: skip
"""The parts of nodes that are read, or say nothing about rows."""
_LISTS: dict[type[exp.Expression], tuple[str, Callable[[QueryLimits], int]]] = {
    exp.In: ("IN list", lambda limits: limits.list_items),
    exp.Anonymous: ("number of arguments", lambda limits: limits.list_items),
    exp.Select: ("SELECT list", lambda limits: limits.columns),
    exp.Group: ("GROUP BY list", lambda limits: limits.columns),
    exp.Order: ("ORDER BY list", lambda limits: limits.columns),
    exp.Values: ("list of VALUES", lambda _: _MOST_ROWS_WRITTEN),
}
"""Lists that have a limit."""


def check_shape(query: exp.Expression, limits: QueryLimits) -> None:
    """Refuse a tree that cannot be translated as a whole.

    Raises
    ------
    BadQueryError
        A clause or option that is not offered.
    QueryTooLargeError
        An expression that is too deep, too long a list, or too many tables.
    """
    _check_depth(query, limits)
    n_tables = 0
    for node in query.walk():
        _check_parts(node)
        _check_lists(node, limits)
        n_tables += isinstance(node, exp.Table)
    if n_tables > limits.tables:
        raise QueryTooLargeError("number of tables", size=n_tables, limit=limits.tables)


def _check_parts(node: exp.Expression) -> None:
    """Refuse a node with a part that translation would lose."""
    known = _PARTS.get(type(node))
    lost = [name for name, part in node.args.items() if part and known is not None and name not in known]
    if lost:
        word = lost[0].strip("_").replace("_", " ").upper()
        raise BadQueryError(f"{word} is not offered here.", **noted_place(node))


def _check_lists(node: exp.Expression, limits: QueryLimits) -> None:
    """Refuse what lists more than an engine takes in its time."""
    items = node.args.get("expressions")
    known = _LISTS.get(type(node))
    if known is None or not isinstance(items, list):
        return
    what, most = known[0], known[1](limits)
    if len(items) > most:
        hint = "Upload the values as a table and join with it."
        raise QueryTooLargeError(what, size=len(items), limit=most, hint=hint)


def _check_depth(tree: exp.Expression, limits: QueryLimits) -> None:
    """Refuse a tree too deep to be walked by recursion; chains of AND and OR, which will be balanced, count once."""
    depth, level = 0, [tree]
    while level:
        depth += 1
        if depth > limits.tree_depth:
            raise too_long_a_chain(limits)
        level = [child for node in level for child in _children(node)]


def _children(node: exp.Expression) -> Iterable[exp.Expression]:
    return flattened(node, type(node)) if isinstance(node, CHAINS) else node.iter_expressions()
