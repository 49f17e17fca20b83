"""Full joins of a cross-match: what matches, joined, and what is left over of the right side.

A FULL JOIN keeps all rows of both sides, so neither can stand in several cells. Taken apart into a LEFT JOIN and the
rows of the right side that have no partner, both halves can be found by cells.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from skydex.query import tree
from skydex.query.tree import Near

__all__ = ["take_apart"]

_BOTH = "~both"
"""What the two halves together are called."""


def take_apart(query: exp.Query) -> None:
    """Replace, in a tree, the full joins of two tables whose condition holds a cross-match."""
    for number, select in enumerate(list(query.find_all(exp.Select))):
        join = _full_join(select)
        if join is not None:
            _take_apart(select, join, f"{_BOTH}{number}")


def _full_join(select: exp.Select) -> exp.Join | None:
    """The only join of a SELECT, if it is such a one."""
    from_, joins = select.args.get("from_"), select.args.get("joins") or []
    if from_ is None or len(joins) != 1 or (joins[0].side or "").upper() != "FULL":
        return None
    are_tables = isinstance(from_.this, exp.Table) and isinstance(joins[0].this, exp.Table)
    return joins[0] if are_tables and joins[0].args["on"].find(Near) is not None else None


def _take_apart(select: exp.Select, join: exp.Join, name: str) -> None:
    left, right, on = select.args["from_"].this, join.this, join.args["on"]
    select.args["joins"].clear()
    select.args["from_"].set("this", exp.Table(this=exp.to_identifier(name)))
    sides = (left.alias, right.alias)
    used = list(dict.fromkeys((c.table, c.name) for c in select.find_all(exp.Column) if c.table in sides))
    matched = exp.Select(expressions=list(_outputs(used)))
    matched.set("from_", exp.From(this=left.copy()))
    matched.set("joins", [exp.Join(this=right.copy(), on=on.copy(), side="LEFT")])
    partner = exp.Select(expressions=[tree.integer(1)])
    partner.set("from_", exp.From(this=left.copy()))
    partner.set("where", exp.Where(this=on.copy()))
    rest = exp.Select(expressions=list(_outputs(used, without=left.alias)))
    rest.set("from_", exp.From(this=right.copy()))
    rest.set("where", exp.Where(this=exp.Not(this=exp.Exists(this=partner))))
    for column in list(select.find_all(exp.Column)):
        if (column.table, column.name) in used:
            column.replace(tree.column(name, _name(column.table, column.name)))
    halves = exp.Union(this=matched, expression=rest, distinct=False)
    alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    select.args["from_"].set("this", exp.Subquery(this=halves, alias=alias))


def _outputs(used: list[tuple[str, str]], *, without: str = "") -> Iterator[exp.Expression]:
    """The columns of both sides under names of their own; null for those of a side that has no row."""
    for source, name in used or [("", "")]:
        value = exp.Null() if source in (without, "") else tree.column(source, name)
        yield exp.Alias(this=value, alias=exp.to_identifier(_name(source, name), quoted=True))


def _name(source: str, name: str) -> str:
    return f"{source}.{name}"
