"""An order for rows of one table as a query in ADQL 2.1 (IVOA REC 2023-12-15): the same near and far.

The frame is written out, as ADQL 2.0 (IVOA REC 2008-10-30, section 2.4.5) demands it; 2.1 takes it still.
"""

from __future__ import annotations

from skydex.client.conditions import adql, settled
from skydex.client.orders import RowsOrder
from skydex.errors import BadParameterError
from skydex.sky import Cone
from skydex.tables import Table, spelled

__all__ = ["query_text"]


def query_text(order: RowsOrder, table: Table) -> str:
    """Write an order as a query.

    Parameters
    ----------
    order : RowsOrder
        What is asked; its row limit is not part of the text, since a service tells what overflows MAXREC alone.
    table : Table
        The table of the order, with its columns and, if there is a cone, its position.

    Raises
    ------
    UnknownColumnError
        The table has no such column.
    BadParameterError
        There is a cone, and the table has no positions.
    """
    columns = [spelled(table.get_column(name).name) for name in order.columns]
    parts = [f"SELECT {', '.join(columns) or '*'}", f"FROM {_table_name(table.name)}"]
    conditions = [_in_cone(order.cone, table)] if order.cone is not None else []
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


def _in_cone(cone: Cone, table: Table) -> str:
    if table.position is None:
        raise BadParameterError("where", f"{table.name} has no positions to search by.")
    point = f"POINT('ICRS', {spelled(table.position.ra)}, {spelled(table.position.dec)})"
    return f"1 = CONTAINS({point}, CIRCLE('ICRS', {cone.ra_deg!r}, {cone.dec_deg!r}, {cone.radius_deg!r}))"


def _key(name: str, table: Table) -> str:
    column = spelled(table.get_column(name.removeprefix("-")).name)
    return f"{column} DESC" if name.startswith("-") else column
