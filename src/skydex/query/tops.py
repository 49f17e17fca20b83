"""TOP with PERCENT or WITH TIES: the first rows of an order, as a share of all or with those level with the last.

Transact-SQL (SQL Server 2022), TOP: a share is rounded up to whole rows.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree
from skydex.query.same_rows import output

__all__ = ["is_plain", "top_rows"]


def is_plain(limit: exp.Limit | None) -> bool:
    """Whether a row limit is a mere number of rows."""
    return limit is None or not (limit.meta.get("percent") or limit.meta.get("ties"))


def top_rows(bound: exp.Select, limit: exp.Limit, new_name: Callable[[], str]) -> exp.Select:
    """The first rows of a bound SELECT.

    Parameters
    ----------
    bound : exp.Select
        Complete but for its limit; it is changed.
    limit : exp.Limit
        A number of rows or, by its `meta`, a percentage, and whether rows of the same rank as the last come too.
    new_name : callable
        Gives names for derived tables.

    Raises
    ------
    BadQueryError
        WITH TIES where nothing says what level means.
    """
    n, order = len(bound.expressions), bound.args.get("order")
    if limit.meta.get("ties") and order is None:
        raise BadQueryError("TOP ... WITH TIES needs ORDER BY.")
    keys = _keys(bound, order)
    bound.set("order", None)
    bound.set("expressions", [*bound.expressions, *(output(key.this, n + i) for i, key in enumerate(keys))])
    inner, outer = new_name(), new_name()
    ranked = exp.Select(expressions=[output(tree.column(inner, f"c{i}"), i) for i in range(n + len(keys))])
    sorting = [_ordered(key, tree.column(inner, f"c{n + i}")) for i, key in enumerate(keys)]
    rank = exp.Rank() if limit.meta.get("ties") else exp.RowNumber()
    place = exp.Window(this=rank, order=exp.Order(expressions=sorting) if sorting else None)
    total = exp.Window(this=exp.Count(this=exp.Star()))
    ranked.set("expressions", [*ranked.expressions, output(place, n + len(keys)), output(total, n + len(keys) + 1)])
    ranked.set("from_", _from(bound, inner))
    first = exp.Select(expressions=[output(tree.column(outer, f"c{i}"), i) for i in range(n)])
    first.set("from_", _from(ranked, outer))
    most = _most(limit, tree.column(outer, f"c{n + len(keys) + 1}"))
    within = exp.LTE(this=tree.column(outer, f"c{n + len(keys)}"), expression=most)
    first.set("where", exp.Where(this=within))
    if keys:
        again = [_ordered(key, tree.column(outer, f"c{n + i}")) for i, key in enumerate(keys)]
        first.set("order", exp.Order(expressions=again))
    return first


def _keys(bound: exp.Select, order: exp.Order | None) -> list[exp.Ordered]:
    """What the rows are ordered by, with values in place of positions."""
    if order is None:
        return []
    keys = []
    for key in order.expressions:
        is_position = isinstance(key.this, exp.Literal) and not key.this.is_string
        value = bound.expressions[int(key.this.this) - 1].this if is_position else key.this
        keys.append(_ordered(key, value.copy()))
    return keys


def _ordered(key: exp.Ordered, value: exp.Expression) -> exp.Ordered:
    return exp.Ordered(this=value, desc=key.args["desc"], nulls_first=key.args["nulls_first"])


def _from(query: exp.Select, name: str) -> exp.From:
    return exp.From(this=exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(name))))


def _most(limit: exp.Limit, n_rows: exp.Expression) -> exp.Expression:
    if not limit.meta.get("percent"):
        return limit.expression
    part = exp.Mul(this=n_rows, expression=tree.number(float(limit.expression.this)))
    return exp.Ceil(this=exp.Div(this=exp.Paren(this=part), expression=tree.number(100.0)))
