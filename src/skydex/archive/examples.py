"""Examples: queries that show what a catalogue is good for.

Those that its publisher gave (`examples` in the recipe), or else some that its description suggests: a cone around a
row, a count, a join along a foreign key. An example is shown only if it can be bound, so that none of them names what
is no longer published. How examples go out is the service's affair (DALI 1.1, section 2.3).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from skydex.errors import SkydexError
from skydex.query import Namespace, Relation, bind, get_language
from skydex.query.languages.words import spelled
from skydex.sky import MAX_ORDER, centres_deg
from skydex.tables import Column, Example, ForeignKey, Table
from skydex.tables.tap_schema import TAP_SCHEMA

__all__ = ["ReadyExample", "ready_examples"]

_RADIUS_DEG = 0.1
_N_SHOWN = 3
"""Columns besides identifier and position in a generated query."""
_MOST_FOOTERS = 100
"""Files of a mounted catalogue that are looked into for the sake of an example."""
_DESCRIBING = (
    Example(
        "Tables of this service",
        f"SELECT table_name, description\nFROM {TAP_SCHEMA}.tables\nORDER BY table_index",
        "What can be queried here, in the order in which it is listed.",
    ),
    Example(
        "Columns of magnitudes",
        f"SELECT table_name, column_name, unit, description\nFROM {TAP_SCHEMA}.columns\nWHERE ucd LIKE 'phot.mag%'",
        "Columns are found by their UCD, whatever they are called.",
    ),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadyExample:
    """An example that can be run."""

    example: Example
    """What to show."""
    tables: tuple[str, ...]
    """Qualified names of the tables that it reads."""


def ready_examples(namespace: Namespace) -> tuple[ReadyExample, ...]:
    """Examples of everything in a namespace, those of TAP_SCHEMA first."""
    return namespace.kept(ready_examples, lambda: tuple(_ready(namespace)))


def _ready(namespace: Namespace) -> Iterator[ReadyExample]:
    for example in dict.fromkeys(_every(namespace)):  # a table that is shown under two names has each twice
        try:
            bound = bind(get_language("ADQL").parse(example.query, version="2.1"), namespace)
        except SkydexError as error:
            _log.debug("The example %r cannot be shown: %s", example.name, error)
            continue
        found = (source.relation for source in bound.sources.values())
        yield ReadyExample(example, tuple(dict.fromkeys(relation.table.name for relation in found if relation)))


def _every(namespace: Namespace) -> Iterator[Example]:
    yield from _DESCRIBING
    for relation in namespace:
        if relation.table.schema_name != TAP_SCHEMA:
            yield from relation.table.examples or _suggested(relation, namespace)


def _suggested(relation: Relation, namespace: Namespace) -> Iterator[Example]:
    table, place = relation.table, _place(relation)
    if place is not None:
        yield _cone(table, *place)
    else:
        yield Example(f"Size of {table.name}", f"SELECT COUNT(*) AS n_rows\nFROM {table.name}")
    for key in table.foreign_keys:
        target = namespace.find(key.target_table)
        if target is not None:
            yield _join(table, target.table, key)


def _place(relation: Relation) -> tuple[float, float] | None:
    """A position where there are rows, if the table can be searched by position."""
    if relation.table.position is None or relation.dataset is None:
        return None
    if not relation.dataset.knows_row_groups:
        return None
    if not relation.dataset.is_own and len(relation.dataset.partitions) > _MOST_FOOTERS:
        return None
    groups = relation.dataset.row_groups
    placed = groups.index_min[groups.index_min <= groups.index_max]
    if not len(placed):
        return None
    ra_deg, dec_deg = centres_deg(placed[:1], MAX_ORDER)
    return float(ra_deg[0]), float(dec_deg[0])


def _cone(table: Table, ra_deg: float, dec_deg: float) -> Example:
    position = [spelled(column.name) for column in table.position_columns()]
    identifier = [spelled(table.id_column)] if table.id_column else []
    shown = [*identifier, *position, *_telling(table, apart=(*identifier, *position))]
    circle = f"CIRCLE('ICRS', {ra_deg:.4f}, {dec_deg:.4f}, {_RADIUS_DEG})"
    return Example(
        f"Cone in {table.name}",
        f"SELECT TOP 100 {', '.join(shown)}\nFROM {table.name}\n"
        f"WHERE 1 = CONTAINS(POINT('ICRS', {', '.join(position)}),\n                   {circle})",
        f"Rows within {_RADIUS_DEG} degrees of a position.",
    )


def _join(table: Table, target: Table, key: ForeignKey) -> Example:
    pairs = [(spelled(here), spelled(there)) for here, there in key.columns]
    own = [here for here, _ in pairs]
    own += _telling(table, apart=own)
    beside = _telling(target, apart=[*own, *(there for _, there in pairs)])
    shown = [*(f"a.{name}" for name in own), *(f"b.{name}" for name in beside)]
    condition = " AND ".join(f"a.{here} = b.{there}" for here, there in pairs)
    return Example(
        f"{table.name} with {target.name}",
        f"SELECT TOP 100 {', '.join(shown)}\nFROM {table.name} AS a\nJOIN {target.name} AS b ON {condition}",
        key.description or f"Rows of {table.name}, each with the row of {target.name} that it points at.",
    )


def _telling(table: Table, *, apart: Sequence[str]) -> list[str]:
    """A few columns worth showing, besides those already named."""
    candidates: Iterable[Column] = (column for column in table.columns if column.principal and not column.is_array)
    names = (spelled(column.name) for column in candidates)
    return [name for name in names if name not in apart][:_N_SHOWN]
