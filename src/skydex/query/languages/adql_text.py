"""From tree to text: a query that was not written as ADQL, as somebody would write it.

For people, who see what a page or a service asked and may go on from there; engines never read it. It is the way back
of `adql` for the trees of `query.build` over one table: what is parsed from the text has the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from skydex.query.tree import flattened
from skydex.tables import spelled

__all__ = ["adql_text"]

_WIDTH = 100
"""Characters of a line of columns."""


def adql_text(tree: exp.Select, *, top: int | None = None) -> str:
    """The text of a query over one table, on a few lines.

    Parameters
    ----------
    tree : sqlglot.exp.Select
        Made by `query.build`, not bound; it names one table.
    top : int, optional
        Rows that are wanted.

    Examples
    --------
    >>> from skydex.query.languages.adql import parse_adql
    >>> print(adql_text(parse_adql('SELECT t."ra", t."size" FROM stars AS t WHERE t."ra" > 3'), top=5))
    SELECT TOP 5 ra, "size"
    FROM stars
    WHERE ra > 3
    """
    return "\n".join(_lines(tree.transform(_plain), top))


def _plain(node: exp.Expression) -> exp.Expression:
    """Names without the table's, in quotes where they must be."""
    if isinstance(node, exp.Column):
        return exp.Column(this=_plain(node.this))
    if isinstance(node, exp.Identifier):
        return exp.Identifier(this=node.name, quoted=spelled(node.name) != node.name)
    return node


def _lines(tree: exp.Select, top: int | None) -> Iterator[str]:
    count = "" if top is None else f"TOP {top} "
    yield from _wrapped(f"SELECT {count}", [part.sql() for part in tree.expressions])
    table = tree.args["from_"].this.copy()
    table.set("alias", None)
    yield f"FROM {table.sql()}"
    where, order, offset = (tree.args.get(name) for name in ("where", "order", "offset"))
    if where is not None:
        conditions = flattened(where.this, exp.And)
        yield from (f"{word} {node.sql()}" for word, node in zip(_words("WHERE", "  AND"), conditions, strict=False))
    if order is not None:
        yield from _wrapped("ORDER BY ", list(dict.fromkeys(_keys(order))))
    if offset is not None:
        yield f"OFFSET {offset.expression.sql()}"


def _keys(order: exp.Order) -> Iterator[str]:
    """What rows are sorted by; what has sorted them once cannot do so again."""
    known = set()
    for key in order.expressions:
        text = key.this.sql()
        if text not in known:
            known.add(text)
            yield f"{text} DESC" if key.args.get("desc") else text


def _words(first: str, later: str) -> Iterator[str]:
    yield first
    while True:
        yield later


def _wrapped(head: str, parts: list[str]) -> Iterator[str]:
    """Parts with commas, as many on a line as there is room for."""
    line = head + parts[0]
    for part in parts[1:]:
        if len(line) + len(part) + 2 > _WIDTH:
            yield f"{line},"
            line = f"       {part}"
        else:
            line += f", {part}"
    yield line
