"""Queries in T-SQL, the language of CasJobs, for what is asked of one table; and which tables a query makes.

T-SQL has no cones. A cone is a box in declination and right ascension, which an index may serve, and in it the
haversine formula, which is right at every distance: an arccosine would not be for small ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from skydex.client.conditions import adql, settled
from skydex.client.orders import RowsOrder
from skydex.errors import NoPositionError
from skydex.sky import Cone
from skydex.tables import Table

__all__ = ["names_of_into", "rows_query"]

_INTO = re.compile(
    r"\binto\s+\[?mydb\]?\s*\.\s*(?:\[?dbo\]?\s*\.)?\s*\[?(?P<name>[A-Za-z_]\w*)\]?", re.ASCII | re.IGNORECASE
)
_REMARKS = re.compile(r"/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'", re.DOTALL)
_WIDEST_DEG = 80.0
"""Declination from which on a box in right ascension is no help."""


def rows_query(order: RowsOrder, table: Table) -> str:
    """Write an order as a query, for one row more than its limit, so that it is known whether there are more.

    Raises
    ------
    UnknownColumnError
        The table has no such column.
    NoPositionError
        There is a cone, and the table has no positions.

    Examples
    --------
    >>> from skydex.tables import Column, Datatype
    >>> table = Table("HCVmatch", (Column("MatchID", Datatype.LONG),))
    >>> rows_query(RowsOrder("HCVmatch", ("matchid",), sort_by=("-matchid",), max_rows=10), table)
    'SELECT TOP 11 [MatchID] FROM HCVmatch ORDER BY [MatchID] DESC'
    """
    top = f"TOP {order.max_rows + 1} " if order.max_rows is not None else ""
    columns = ", ".join(_quoted(table.get_column(name).name) for name in order.columns)
    parts = [f"SELECT {top}{columns or '*'} FROM {'.'.join(map(_plain, table.name.split('.')))}"]
    conditions = list(_in_cone(order.cone, table)) if order.cone is not None else []
    if order.condition is not None:
        conditions.append(f"({adql(settled(order.condition, table))})")
    if conditions:
        parts.append(f"WHERE {' AND '.join(conditions)}")
    if order.sort_by:
        parts.append(f"ORDER BY {', '.join(_key(name, table) for name in order.sort_by)}")
    return " ".join(parts)


def names_of_into(text: str) -> list[str]:
    """The tables of MyDB that statements make by SELECT ... INTO, in their order.

    Examples
    --------
    >>> names_of_into("select 1 as a into mydb.[first]; /* into mydb.no */ select 2 as b INTO MyDB.dbo.second")
    ['first', 'second']
    """
    return [found["name"] for found in _INTO.finditer(_REMARKS.sub(" ", text))]


def _in_cone(cone: Cone, table: Table) -> Iterator[str]:
    if table.position is None:
        raise NoPositionError(table.name)
    ra, dec = _quoted(table.position.ra), _quoted(table.position.dec)
    low, high = cone.dec_deg - cone.radius_deg, cone.dec_deg + cone.radius_deg
    yield f"{dec} BETWEEN {low!r} AND {high!r}"
    if max(abs(low), abs(high)) < _WIDEST_DEG:
        half = math.degrees(math.asin(min(1.0, _sin(cone.radius_deg) / math.cos(math.radians(cone.dec_deg))))) + 1e-9
        yield f"(ABS({ra} - {cone.ra_deg!r}) <= {half!r} OR ABS({ra} - {cone.ra_deg!r}) >= {360.0 - half!r})"
    half_dec = f"SIN(RADIANS(({dec} - {cone.dec_deg!r}) / 2.0))"
    half_ra = f"SIN(RADIANS(({ra} - {cone.ra_deg!r}) / 2.0))"
    widths = f"COS(RADIANS({dec} + 0.0)) * {math.cos(math.radians(cone.dec_deg))!r}"
    limit = math.sin(math.radians(min(cone.radius_deg, 180.0) / 2.0)) ** 2
    yield f"{half_dec} * {half_dec} + {widths} * {half_ra} * {half_ra} <= {limit!r}"


def _sin(degrees: float) -> float:
    return math.sin(math.radians(degrees))


def _key(name: str, table: Table) -> str:
    column = _quoted(table.get_column(name.removeprefix("-")).name)
    return f"{column} DESC" if name.startswith("-") else column


def _plain(word: str) -> str:
    return word if re.fullmatch(r"\w+", word, re.ASCII) else _quoted(word.strip('[]"'))


def _quoted(name: str) -> str:
    return f"[{name.replace(']', ']]')}]"
