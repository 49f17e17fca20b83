"""An order for rows of one table as a query in ADQL 2.1 (IVOA REC 2023-12-15): the same near and far.

The frame is written out, as ADQL 2.0 (IVOA REC 2008-10-30, section 2.4.5) demands it; 2.1 takes it still.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from skydex.client.conditions import adql, settled
from skydex.client.orders import RowsOrder
from skydex.errors import BadParameterError
from skydex.sky import Cone
from skydex.tables import Position, Table, spelled

__all__ = ["InCone", "in_circle", "in_haversine", "query_text"]


InCone = Callable[[Cone, Position], str]
"""Writes that a position lies in a cone."""


def in_circle(cone: Cone, position: Position) -> str:
    """In the words of ADQL for geometry."""
    point = f"POINT('ICRS', {spelled(position.ra)}, {spelled(position.dec)})"
    return f"1 = CONTAINS({point}, CIRCLE('ICRS', {cone.ra_deg!r}, {cone.dec_deg!r}, {cone.radius_deg!r}))"


def in_haversine(cone: Cone, position: Position) -> str:
    """By the haversine formula, for services that know numbers and no geometry; exact at the poles and at RA 0."""
    ra, dec = spelled(position.ra), spelled(position.dec)
    south, north = max(cone.dec_deg - cone.radius_deg, -90.0), min(cone.dec_deg + cone.radius_deg, 90.0)
    least = math.sin(math.radians(min(cone.radius_deg, 180.0)) / 2) ** 2
    across = f"POWER(SIN(RADIANS({dec} - ({cone.dec_deg!r})) / 2), 2)"
    along = f"POWER(SIN(RADIANS({ra} - {cone.ra_deg!r}) / 2), 2)"
    haversine = f"{across} + COS(RADIANS({dec})) * {math.cos(math.radians(cone.dec_deg))!r} * {along}"
    return f"{dec} BETWEEN {south!r} AND {north!r} AND {haversine} <= {least!r}"


def query_text(order: RowsOrder, table: Table, *, in_cone: InCone = in_circle) -> str:
    """Write an order as a query.

    Parameters
    ----------
    order : RowsOrder
        What is asked; its row limit is not part of the text, since a service tells what overflows MAXREC alone.
    table : Table
        The table of the order, with its columns and, if there is a cone, its position.
    in_cone : callable, optional
        How the cone is written: `in_circle`, or `in_haversine`.

    Raises
    ------
    UnknownColumnError
        The table has no such column.
    BadParameterError
        There is a cone, and the table has no positions.
    """
    columns = [spelled(table.get_column(name).name) for name in order.columns]
    parts = [f"SELECT {', '.join(columns) or '*'}", f"FROM {_table_name(table.name)}"]
    conditions = [in_cone(order.cone, _position(table))] if order.cone is not None else []
    if order.condition is not None:
        text = adql(settled(order.condition, table))
        conditions.append(f"({text})" if conditions else text)
    if conditions:
        parts.append(f"WHERE {' AND '.join(conditions)}")
    if order.sort_by:
        parts.append(f"ORDER BY {', '.join(_key(name, table) for name in order.sort_by)}")
    return " ".join(parts)


def _table_name(name: str) -> str:
    return name if '"' in name else ".".join(map(spelled, name.split(".")))


def _position(table: Table) -> Position:
    if table.position is None:
        raise BadParameterError("where", f"{table.name} has no positions to search by.")
    return table.position


def _key(name: str, table: Table) -> str:
    column = spelled(table.get_column(name.removeprefix("-")).name)
    return f"{column} DESC" if name.startswith("-") else column
