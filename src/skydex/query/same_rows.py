"""Rows that are the same though their texts differ, for languages in which 'g' and 'G' are one text.

GROUP BY, DISTINCT, UNION, EXCEPT and INTERSECT look at the keys of values (`Rules.key`); of the spellings that a group
has, the least is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree
from skydex.query.rules import Rules
from skydex.query.scope import Source
from skydex.query.values import Value

__all__ = ["distinct_rows", "fold_groups", "matching_rows", "output"]


def fold_groups(select: exp.Select, keys: Sequence[Value], rules: Rules) -> None:
    """Group a bound SELECT by the keys of its grouping values; outside of aggregates they become the least of each."""
    folded = {key.node: rules.key(key) for key in keys if rules.key(key) is not key.node}
    if not folded:
        return
    group = select.args["group"]
    group.set("expressions", [folded.get(key, key) for key in group.expressions])
    for clause in ("having", "order"):
        part = select.args.get(clause)
        if part is not None:
            select.set(clause, _shown(part, folded))
    select.set("expressions", [_shown(item, folded) for item in select.expressions])


def _shown(node: exp.Expression, folded: Mapping[exp.Expression, exp.Expression]) -> exp.Expression:
    if node in folded:
        return exp.Min(this=node.copy())
    if isinstance(node, exp.Query):
        _check_inside(node, folded)
    if isinstance(node, exp.Query) or (isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window)):
        return node
    for name, part in list(node.args.items()):  # not by `replace`: a node may have been put in more than one place
        if isinstance(part, exp.Expression):
            node.set(name, _shown(part, folded))
        elif isinstance(part, list):
            node.set(name, [_shown(item, folded) if isinstance(item, exp.Expression) else item for item in part])
    return node


def _check_inside(query: exp.Query, folded: Mapping[exp.Expression, exp.Expression]) -> None:
    """Refuse a subquery that reads a text of which its group may have several spellings."""
    for part in query.walk():
        if part in folded:
            hint = "group in a query in FROM, and ask around it"
            raise BadQueryError(f'"{part.name}" is grouped here and read in a subquery: {hint}.')


def distinct_rows(source: Source, item: exp.Expression, rules: Rules) -> tuple[exp.Select, list[Value]]:
    """The rows of a bound query, each but once, and its outputs as an ORDER BY sees them.

    Parameters
    ----------
    source : Source
        The query, as `_QueryBinder.derived` gives it.
    item : exp.Expression
        The same, as it stands in FROM.
    """
    values = [source.value(key) for key in source.columns]
    shown = [
        value if rules.key(value) is value.node else Value(exp.Min(this=value.node.copy()), value.column)
        for value in values
    ]
    select = exp.Select(expressions=[output(value.node, i) for i, value in enumerate(shown)])
    select.set("from_", exp.From(this=item))
    select.set("group", exp.Group(expressions=[rules.key(value).copy() for value in values]))
    return select, shown


def matching_rows(
    left: tuple[Source, exp.Expression],
    right: tuple[Source, exp.Expression],
    *,
    kind: type[exp.Expression],
    rules: Rules,
) -> exp.Select:
    """The distinct rows of one query that another has too (`exp.Intersect`), or has not (`exp.Except`)."""
    select, _ = distinct_rows(*left, rules)
    pairs = zip(_values(left[0]), _values(right[0]), strict=True)
    same = [exp.NullSafeEQ(this=rules.key(a).copy(), expression=rules.key(b).copy()) for a, b in pairs]
    there = exp.Select(expressions=[tree.integer(1)])
    there.set("from_", exp.From(this=right[1]))
    there.set("where", exp.Where(this=tree.conjunction(same)))
    exists: exp.Expression = exp.Exists(this=there)
    select.set("where", exp.Where(this=exists if kind is exp.Intersect else exp.Not(this=exists)))
    return select


def _values(source: Source) -> list[Value]:
    return [source.value(key) for key in source.columns]


def output(node: exp.Expression, position: int) -> exp.Alias:
    """An output of a neutral SELECT."""
    return exp.Alias(this=node, alias=exp.Identifier(this=f"c{position}", quoted=True))
