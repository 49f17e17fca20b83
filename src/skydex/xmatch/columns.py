"""`Shape`: the columns of a cross-match: those of the tables, and what it finds out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from skydex.errors import BadParameterError
from skydex.tables import Column, Datatype, Position, Table, arrow_schema, uniquely_named
from skydex.xmatch.criteria import Criteria, Keep
from skydex.xmatch.partners import Matched, Partners

__all__ = ["Shape", "position_of", "shaped"]

_ARCSEC = 3600.0


@dataclass(frozen=True)
class Shape:
    """The columns of a cross-match."""

    columns: tuple[Column, ...]
    """All, in their order: those of each table, with what was found out about the partner behind them."""
    carried: tuple[tuple[str, ...], ...]
    """For each table the columns that come along, by their names there."""
    position: Position
    """The first table's position, by its names here."""
    id_column: str | None
    """What names a row, if rows of the first table come out once."""
    keep: Keep
    """Which rows come out."""

    @property
    def schema(self) -> pa.Schema:
        return arrow_schema(self.columns)

    def assembled(self, parts: Sequence[pa.Table], partners: Sequence[Partners], found: Matched) -> pa.Table:
        """The rows that come out.

        Parameters
        ----------
        parts : sequence of Table
            For each table the values of its columns, row by row of what comes out; null where there is no partner.
        partners : sequence of Partners
            One for each other table.
        found : Matched
            Which rows come out.
        """
        arrays = list(parts[0].columns)
        for part, pairs, of in zip(parts[1:], found.pairs, partners, strict=False):
            is_alone = pairs < 0
            arrays += [*part.columns, pa.array(_picked(of.separation_deg, pairs) * _ARCSEC, mask=is_alone)]
            arrays.append(pa.array(of.n_matches[found.left].astype(np.int32)))
            if self.keep.has_every_partner:
                arrays.append(pa.array(_picked(of.rank, pairs).astype(np.int32), mask=is_alone))
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _picked(values: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Values of pairs, and anything where there is none."""
    return values[np.maximum(pairs, 0)] if len(values) else np.zeros(len(pairs), values.dtype)


def shaped(tables: Sequence[Table], criteria: Criteria) -> Shape:
    """Find the columns of a cross-match.

    Columns of the first table keep their names, and so do those of the others that nobody else has; the rest get the
    name of their table behind their own.

    Raises
    ------
    UnknownColumnError
        A table does not have a column that shall come along.
    BadParameterError
        A table has no positions.
    """
    position = position_of(tables[0])
    chosen = [list(_chosen(table, criteria.columns_of(number))) for number, table in enumerate(tables)]
    for name in (position.dec, position.ra):
        if name not in (column.name for column in chosen[0]):
            chosen[0].insert(0, tables[0].get_column(name))
    if criteria.keep is Keep.NONE:
        chosen = chosen[:1]
    labels = [column.name for column in uniquely_named([Column(table.bare_name, Datatype.INT) for table in tables])]
    columns = list(chosen[0])
    for number in range(1, len(chosen)):
        position_of(tables[number])
        taken = {c.name.lower() for other in chosen if other is not chosen[number] for c in other}
        columns += [
            _partners(column, labels[number], is_taken=column.name.lower() in taken) for column in chosen[number]
        ]
        end = f"_{labels[number]}" if len(chosen) > 2 else ""
        columns += _found_out(tables[number].name, end, criteria.keep)
    named = uniquely_named([replace(column, indexed=False) for column in columns])
    places = {column.name: name.name for column, name in zip(chosen[0], named, strict=False)}
    first = tables[0].id_column
    return Shape(
        named,
        tuple(tuple(column.name for column in part) for part in chosen),
        Position(places[position.ra], places[position.dec]),
        places.get(first) if first and not criteria.keep.has_every_partner else None,
        criteria.keep,
    )


def position_of(table: Table) -> Position:
    """Where the positions of a table are; `BadParameterError` if it has none."""
    if table.position is None:
        raise BadParameterError(
            "tables",
            f"cannot be matched: {table.name.removeprefix('TAP_UPLOAD.')} has no columns known to be positions in "
            "degrees. Call them ra and dec, or publish the table with skydex ingest, which reads positions of all "
            "kinds.",
        )
    return table.position


def _chosen(table: Table, names: tuple[str, ...] | None) -> list[Column]:
    return list(table.columns) if names is None else [table.get_column(name) for name in dict.fromkeys(names)]


def _partners(column: Column, label: str, *, is_taken: bool) -> Column:
    """A column of another table: what is main there is not so here."""
    words = [word for word in (column.ucd or "").split(";") if word != "meta.main"]
    name = f"{column.name}_{label}" if is_taken else column.name
    return replace(column, name=name, ucd=";".join(words) or None)


def _found_out(table: str, end: str, keep: Keep) -> list[Column]:
    found = [
        Column(
            f"separation{end}",
            Datatype.DOUBLE,
            unit="arcsec",
            ucd="pos.angDistance",
            description=f"Distance from the partner in {table}",
        ),
        Column(
            f"n_matches{end}",
            Datatype.INT,
            ucd="meta.number",
            description=f"Rows of {table} within the radius of this one",
        ),
    ]
    if keep.has_every_partner:
        about = f"1 for the nearest partner in {table}, 2 for the next, ..."
        found.append(Column(f"rank{end}", Datatype.INT, ucd="meta.code;meta.number", description=about))
    return found
