"""What else is at the place of an object: its neighbours in the same table, and the nearest row of every other one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection
from typing import Any

from skydex.archive import QueryRequest
from skydex.archive.links import adql_name, adql_value
from skydex.errors import SkydexError
from skydex.query.languages.words import spelled
from skydex.tables import OBSCORE, Column, Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call
from skydex.web.door import way_up
from skydex.web.pages.drawings import finder
from skydex.web.pages.rendering import Facts, path_part
from skydex.web.pages.rows import rows_of

__all__ = ["counterparts", "exact", "neighbours", "sexagesimal", "told"]

_MOST_NEIGHBOURS = 40
_MOST_TABLES = 60
_AT_ONCE = 4
_ARCSEC = 3600.0
_TWO_TO_53 = 1 << 53
"""From here on JSON's numbers are not exact where scripts read them."""


async def neighbours(
    call: Call, table: Table, value: int | str, place: tuple[float, float], radius_arcsec: float
) -> Facts | None:
    """The rows of a table around one of them, the nearest first; None where rows have no places or no names."""
    if table.position is None or table.id_column is None:
        return None
    is_other = f"{spelled(table.id_column)} <> {adql_value(value)}"
    found = await _near(call, table, place, radius_arcsec, _MOST_NEIGHBOURS, is_other)
    texts = [f"{one['id']}, {one['distance']:.2f} arcsec" for one in found]
    addresses = [_address(call, table, one["id"]) for one in found]
    radius = min(radius_arcsec, 1.1 * found[-1]["distance"]) if len(found) == _MOST_NEIGHBOURS else radius_arcsec
    drawn = finder([(one["east"], one["north"]) for one in found], radius, texts, addresses)
    return {"radius": radius_arcsec, "rows": found, "most": _MOST_NEIGHBOURS, "map": drawn}


async def counterparts(
    call: Call, known: Collection[str], place: tuple[float, float], radius_arcsec: float
) -> list[Facts]:
    """The nearest row of each table of things on the sky, but of those that are known, within a radius."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def nearest(other: Table) -> Facts | None:
        async with gate:
            rows = await _near(call, other, place, radius_arcsec, 1)
        return {"table": other.name, **rows[0]} if rows else None

    tables = call.site.archive.tables(call.owner)
    others = [other for other in tables if _is_of_things(other) and other.name not in known]
    found = await asyncio.gather(*(nearest(other) for other in others[:_MOST_TABLES]))
    return [one for one in found if one is not None]


def _is_of_things(table: Table) -> bool:
    """Whether rows are things on the sky that have names: no images, whose places are those of their middles."""
    if table.position is None or table.id_column is None or table.schema_name == TAP_SCHEMA or table.name == OBSCORE:
        return False
    return table.position.ra.lower() != "s_ra"


async def _near(
    call: Call, table: Table, place: tuple[float, float], radius_arcsec: float, most: int, condition: str = ""
) -> list[Facts]:
    assert table.position is not None
    ra, dec = spelled(table.position.ra), spelled(table.position.dec)
    key, bright = table.get_column(table.id_column or ""), _brightness(table)
    columns = [spelled(key.name), ra, dec, *([spelled(bright.name)] if bright else [])]
    here = f"POINT({place[0]!r}, {place[1]!r})"
    circle = f"CIRCLE({place[0]!r}, {place[1]!r}, {radius_arcsec / _ARCSEC!r})"
    text = (
        f"SELECT TOP {2 * most} {', '.join(columns)}, DISTANCE(POINT({ra}, {dec}), {here}) AS d "
        f"FROM {adql_name(table.name)} WHERE CONTAINS(POINT({ra}, {dec}), {circle}) = 1"
        + (f" AND {condition}" if condition else "")
        + " ORDER BY d"
    )
    try:
        rows = (await rows_of(call, QueryRequest(text, owner=call.owner), is_quick=True)).rows
    except SkydexError:  # the page is worth having without
        return []
    found: dict[Any, Facts] = {}  # a table may have several rows of one thing
    for row in rows:
        east = ((row[1] - place[0] + 180.0) % 360.0 - 180.0) * math.cos(math.radians(place[1])) * _ARCSEC
        found.setdefault(
            row[0],
            {
                "id": exact(row[0]),
                "ra": row[1],
                "dec": row[2],
                "distance": row[-1] * _ARCSEC,
                "east": round(east, 3),
                "north": round((row[2] - place[1]) * _ARCSEC, 3),
                "mag": row[3] if bright and row[3] is not None and -90.0 < row[3] < 90.0 else None,
                "mag_name": bright.name if bright else "",
            },
        )
    return list(found.values())[:most]


def _brightness(table: Table) -> Column | None:
    """The column that says best how bright things are."""
    columns = [c for c in table.columns if c.datatype.is_floating and (c.ucd or "").startswith("phot.mag")]
    plain = [c for c in columns if "stat.error" not in (c.ucd or "") and "arith" not in (c.ucd or "")]
    return next((c for c in plain if "meta.main" in (c.ucd or "")), plain[0] if plain else None)


def _address(call: Call, table: Table, value: object) -> str:
    return f"{way_up(call.scope['path'])}o/{path_part(table.name)}/{path_part(value)}"


def exact(value: Any) -> str:
    """What names a row, as text: numbers of 64 bits are no numbers of scripts."""
    return "" if value is None else str(value)


def told(value: Any) -> Any:
    """A value for JSON: a number that is too large for scripts is text there."""
    return str(value) if isinstance(value, int) and abs(value) >= _TWO_TO_53 else value


def sexagesimal(ra_deg: float, dec_deg: float) -> str:
    """Hours and degrees, minutes, seconds.

    Examples
    --------
    >>> sexagesimal(139.334453053, 68.635059162)
    '09:17:20.269 +68:38:06.21'
    """
    thousandths = round(ra_deg % 360.0 / 15.0 * 3_600_000.0) % 86_400_000
    hundredths = round(abs(dec_deg) * 360_000.0)
    sign = "-" if dec_deg < 0 else "+"
    return f"{_clock(thousandths, 1000, 3)} {sign}{_clock(hundredths, 100, 2)}"


def _clock(parts: int, per_second: int, n_digits: int) -> str:
    seconds, part = divmod(parts, per_second)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{part:0{n_digits}d}"
