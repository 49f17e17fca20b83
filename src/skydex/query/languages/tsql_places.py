"""Where in its text a node of T-SQL's tree stands, as sqlglot notes it, in the way that `place_of` asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlglot import exp

from skydex.query.languages.places import place_of

__all__ = ["noted_place", "placed"]


def placed(node: Any, origin: exp.Expression) -> Any:
    """A node that knows its place, if sqlglot noted it at its origin or at one of the origin's parts."""
    place = noted_place(origin)
    if place["line"] is not None:
        node.meta.update(place)
    return node


def noted_place(node: exp.Expression) -> dict[str, Any]:
    """Where a node stands: sqlglot notes line, last column, and offsets of names, calls and literals."""
    place = place_of(node)
    if place["line"] is not None:
        return place
    noted = [part.meta for part in _parts(node) if "start" in part.meta]
    if not noted:
        return place
    first = min(noted, key=lambda meta: meta["start"])
    found = next(part for part in _parts(node) if part.meta is first)
    column = first["col"] - (first["end"] - first["start"])
    return {"line": first["line"], "column": max(column, 1), "token": found.name or found.sql("tsql")[:40]}


def _parts(node: exp.Expression) -> Iterable[exp.Expression]:
    """The node, its names and theirs, a few levels deep."""
    level = [node]
    for _ in range(3):
        yield from level
        level = [child for part in level for child in part.iter_expressions()][:50]
