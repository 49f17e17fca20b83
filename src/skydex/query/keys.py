"""Keys: what a join on equal values leaves of a large table.

Where rows of a table only count with rows of another that have the same number or name, and that table is restricted
to a few rows, it is worth asking first which values those have: by its index, or because it is sorted by them, the
large table is then read where they stand, and nowhere else. Detections of objects that are chosen by their colours are
found so. Values of a table in memory, such as an upload, are known without asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.query import tree
from skydex.query.narrow import own_conditions
from skydex.query.pairs import bare_column, conditions, is_join, names_of
from skydex.store import Among, Dataset, RowTest

__all__ = ["MOST_KEYS", "KeyProbe", "Keyed", "key_probes", "known_keys"]

_LARGE_ROWS = 400_000
"""Tables up to so many rows are joined without asking first."""
MOST_KEYS = 10_000
"""More values than this stand nearly everywhere."""


class Keyed(Protocol):
    """What must be known of a source to join it by values."""

    @property
    def n_rows(self) -> int: ...

    @property
    def rows(self) -> pa.Table | None: ...

    @property
    def dataset(self) -> Dataset | None: ...


@dataclass(frozen=True)
class KeyProbe:
    """A question to one table whose answer tells which values of a column matter in another."""

    target: str
    """The table of which less may have to be read."""
    column: str
    """Its column."""
    asked: str
    """The table that is asked."""
    asked_column: str
    """Its column of the same values."""
    query: exp.Select
    """The values of rows that may have partners, as `c0`, each once."""

    def test(self, values: pa.ChunkedArray) -> RowTest:
        """What rows of the target must pass to matter, given the answer."""
        return _among(self.column, values)

    def __str__(self) -> str:
        return f"{self.asked} first, to read only where its values of {self.asked_column} stand in {self.target}"


_Key = tuple[exp.Column, exp.Column, exp.Expression]


def known_keys(query: exp.Query, sides: Mapping[str, Keyed]) -> dict[str, RowTest]:
    """Tests that follow from joins with tables in memory.

    Parameters
    ----------
    query : exp.Query
        A bound tree.
    sides : mapping of str to Keyed
        Its tables, by source.
    """
    found = {}
    for target, other, _ in _keys(query, sides):
        rows = sides[other.table].rows
        if rows is not None and len(rows) <= MOST_KEYS:
            found[target.table] = _among(target.name, rows[other.name])
    return found


def key_probes(query: exp.Query, sides: Mapping[str, Keyed]) -> tuple[KeyProbe, ...]:
    """Find out which values are worth asking for before a query is run; parameters as for `known_keys`."""
    found: dict[str, KeyProbe] = {}
    for target, other, equality in _keys(query, sides):
        asked = sides[other.table]
        if asked.dataset is None or asked.n_rows > sides[target.table].n_rows or target.table in found:
            continue
        own = list(own_conditions(equality, other.table))
        if own and other.table not in _not_always_there(equality.find_ancestor(exp.Select)):
            values = _values(other, own)
            found[target.table] = KeyProbe(target.table, target.name, other.table, other.name, values)
    asked_too = {probe.asked for probe in found.values()}
    return tuple(probe for probe in found.values() if probe.target not in asked_too)


def _keys(query: exp.Query, sides: Mapping[str, Keyed]) -> Iterator[_Key]:
    """Equalities of columns of two tables, that of the large table first, which is found by the values of its own."""
    for select in (node for node in tree.walk(query) if isinstance(node, exp.Select)):
        for condition, free in conditions(select):
            for part in _conjuncts(condition):
                left, right = (bare_column(side) for side in (part.this, part.expression))
                if left is None or right is None or left.table == right.table:
                    continue
                for target, other in ((left, right), (right, left)):
                    if target.table in free and other.table in sides and _is_large(target, sides):
                        yield target, other, part


def _not_always_there(select: exp.Select) -> set[str]:
    """Sources whose rows an outer join may replace by nulls, which a condition may be looking for."""
    items = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]
    if any(is_join(item) for item in items):
        return set().union(*map(names_of, items))
    before, found = names_of(items[0]), set[str]()
    for join in select.args.get("joins") or ():
        joined, side = names_of(join.this), (join.side or "").upper()
        found |= {"LEFT": joined, "RIGHT": before, "FULL": before | joined}.get(side, set())
        before = before | joined
    return found


def _conjuncts(condition: exp.Expression) -> Iterable[exp.EQ]:
    for part in tree.flattened(condition, exp.And):
        bare = part.unnest()
        if isinstance(bare, exp.And):
            yield from _conjuncts(bare)
        elif isinstance(bare, exp.EQ):
            yield bare


def _is_large(column: exp.Column, sides: Mapping[str, Keyed]) -> bool:
    side = sides.get(column.table)
    if side is None or side.dataset is None or side.n_rows <= _LARGE_ROWS:
        return False
    return side.dataset.is_found_by(column.name)


def _among(column: str, values: pa.ChunkedArray) -> RowTest:
    return Among(column, tuple(pc.unique(values.drop_null()).to_pylist()))


def _values(column: exp.Column, own: list[exp.Expression]) -> exp.Select:
    query = exp.Select(expressions=[exp.alias_(column.copy(), "c0")], distinct=exp.Distinct())
    name = exp.to_identifier(column.table)
    query.set("from_", exp.From(this=exp.Table(this=name, alias=exp.TableAlias(this=name.copy()))))
    query.set("where", exp.Where(this=tree.conjunction([exp.Paren(this=part.copy()) for part in own])))
    return query
