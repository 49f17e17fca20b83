"""The search page: a place on the sky, or a whole table, as linked diagrams and rows.

What is typed into the one box is a table, an identifier, a position or a name, tried in this order; each leads to an
address of its own, which can be kept and sent to others. The views ask the public TAP service for their points.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from skydex.archive import QueryRequest
from skydex.errors import SkydexError
from skydex.query.languages.words import spelled
from skydex.tables import Axis, Table, axes_of, chosen_axes, has_colours, plottable, shown_columns
from skydex.web import dali
from skydex.web.asgi import Call, Reply
from skydex.web.door import way_up
from skydex.web.naming import look_up
from skydex.web.pages.definition import Page
from skydex.web.pages.list_search import matched
from skydex.web.pages.policy import Policy
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import arrow_of, rows_of
from skydex.web.pages.searchable import searchable

__all__ = ["PAGE"]

_RADIUS_DEG = 0.05
_MOST_RADIUS_DEG = 90.0
_MOST_ROWS = 100
"""Rows shown as text; the views have all of them."""
_MOST_SAMPLED = 2000
_MOST_SAMPLED_COLUMNS = 250
_MOST_LISTED = 60
"""Tables in which rows around a place are counted."""
_AT_ONCE = 4
_IDENTIFIER = re.compile(r"[0-9]{4,19}", re.ASCII)
_POLICY = Policy(compiles=True)


@dataclass(frozen=True)
class _Place:
    """Where to look."""

    ra_deg: float
    dec_deg: float
    radius_deg: float
    name: str = ""

    def condition(self, table: Table) -> str:
        """In ADQL."""
        position = ", ".join(spelled(column.name) for column in table.position_columns())
        circle = f"{self.ra_deg!r}, {self.dec_deg!r}, {self.radius_deg!r}"
        return f"1 = CONTAINS(POINT('ICRS', {position}), CIRCLE('ICRS', {circle}))"

    def facts(self) -> Facts:
        return {"ra": self.ra_deg, "dec": self.dec_deg, "radius": self.radius_deg, "name": self.name}


async def gather(call: Call) -> Facts | Reply:
    """What is at a place, or in a table."""
    given = dali.Parameters(call.query_pairs())
    text = (given.find("q") or "").strip()
    if text:
        return await _read(call, text)
    place, tables = _place(given), searchable(call)
    counts = await _counted(call, tables, place) if place else {}
    table = _chosen(call, given, tables, counts, is_placed=place is not None)
    facts: Facts = {
        "text": given.find("text") or "",
        "place": place.facts() if place else None,
        "near": [],
        "found": [],
        "tables": [_listed(one, counts.get(one.name)) for one in tables if not place or counts.get(one.name)],
        "all_tables": [one.name for one in tables],
        "table": None,
        "view": None,
    }
    return facts if table is None else facts | await _looked_at(call, given, table, place)


async def _read(call: Call, text: str) -> Facts | Reply:
    """Where a text leads: to a table, to an object, to a place; or what might have been meant."""
    namespace = call.site.archive.namespace(owner=call.owner)
    relation = namespace.find(text) if len(text) < 200 else None
    if relation is not None:
        return _lead(call, f"t/{quote(relation.table.name)}")
    objects = await _with_identifier(call, text) if _IDENTIFIER.fullmatch(text) else []
    if len(objects) == 1:
        return _lead(call, f"o/{quote(objects[0][0])}/{text}")
    [known] = await look_up(call, [text])
    best = known.best(())
    if best is not None and not objects:
        radius = best.radius_deg or _RADIUS_DEG
        asked = {"ra": f"{best.ra_deg:.7f}", "dec": f"{best.dec_deg:.7f}", "radius": f"{radius:g}", "text": text}
        return _lead(call, f"search?{urlencode(asked)}")
    tables = searchable(call)
    return {
        "text": text,
        "place": None,
        "near": list(known.near),
        "found": [{"table": name, "id": text} for name, _ in objects],
        "tables": [_listed(one, None) for one in tables],
        "all_tables": [one.name for one in tables],
        "table": None,
        "view": None,
    }


def _lead(call: Call, path: str) -> Reply:
    location = way_up(call.scope["path"]) + path
    return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", location.encode()), (b"cache-control", b"no-store")))


async def _with_identifier(call: Call, text: str) -> list[tuple[str, int]]:
    """Tables whose rows have an identifier, a number."""
    keyed = [
        table
        for table in call.site.archive.tables(call.owner)
        if table.id_column and table.get_column(table.id_column).datatype.is_integer
    ]
    queries = (
        f"SELECT COUNT(*) AS n FROM {_written(one)} WHERE {spelled(one.id_column or '')} = {text}" for one in keyed
    )
    counts = await _numbers(call, queries)
    found = [(table, n) for table, n in zip(keyed, counts, strict=True) if n]
    placed = [(table.name, n) for table, n in found if table.position is not None]
    return placed or [(table.name, n) for table, n in found]


def _place(given: dali.Parameters) -> _Place | None:
    if given.find("ra") is None and given.find("dec") is None:
        return None
    ra = given.get_number("ra", least=-360.0, most=360.0) % 360.0
    dec = given.get_number("dec", least=-90.0, most=90.0)
    radius = _RADIUS_DEG
    if given.find("radius") is not None:
        radius = given.get_number("radius", least=0.0, most=_MOST_RADIUS_DEG)
    return _Place(ra, dec, radius, given.find("text") or "")


def _chosen(
    call: Call, given: dali.Parameters, tables: Sequence[Table], counts: dict[str, int], *, is_placed: bool
) -> Table | None:
    """The table that was asked for, or the one that has most to show at a place."""
    asked = given.find("table")
    if asked:
        return call.site.archive.namespace(owner=call.owner).get(asked).table
    if not is_placed:
        return None
    there = [table for table in tables if counts.get(table.name) and table.schema_name != "ivoa"]
    return max(there, key=lambda table: (has_colours(table), counts[table.name]), default=None)


async def _counted(call: Call, tables: Sequence[Table], place: _Place) -> dict[str, int]:
    """Rows of each table around a place."""
    counted = tables[:_MOST_LISTED]
    queries = (f"SELECT COUNT(*) AS n FROM {_written(one)} WHERE {place.condition(one)}" for one in counted)
    return dict(zip((table.name for table in counted), await _numbers(call, queries), strict=True))


async def _numbers(call: Call, queries: Any) -> list[int]:
    """The answers of queries for one number each, a few at a time; 0 where one cannot be had."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(text: str) -> int:
        async with gate:
            try:
                found = await rows_of(call, QueryRequest(text, owner=call.owner), is_quick=True)
            except SkydexError:
                return 0
        return int(found.rows[0][0])

    return list(await asyncio.gather(*(one(text) for text in queries)))


async def _looked_at(call: Call, given: dali.Parameters, table: Table, place: _Place | None) -> Facts:
    """One table: its axes, its first rows, and what the views need to draw it."""
    conditions = [place.condition(table)] if place and table.position else []
    where = f"\nWHERE {conditions[0]}" if conditions else ""
    n_rows = await _n_rows(call, table, where)
    sampled = plottable(table)[:_MOST_SAMPLED_COLUMNS]
    names = ", ".join(spelled(column.name) for column in sampled)
    sample = f"SELECT TOP {_MOST_SAMPLED} {names}\nFROM {_written(table)}{where}"
    axes = axes_of(table, await arrow_of(call, QueryRequest(sample, owner=call.owner))) if sampled else []
    chosen = chosen_axes(axes, {name: given.find(name) for name in ("x", "y", "color")})
    shown = shown_columns(table)
    rows = f"SELECT TOP {_MOST_ROWS} {', '.join(map(spelled, shown))}\nFROM {_written(table)}{where}"
    first = await rows_of(call, QueryRequest(rows, owner=call.owner))
    return {
        "table": {
            "name": table.name,
            "description": table.description,
            "id_column": table.id_column,
            "n_rows": n_rows,
            "is_whole": not conditions,
        },
        "rows": first.facts(),
        "adql": f"SELECT {', '.join(map(spelled, shown))}\nFROM {_written(table)}{where}",
        "view": _view(table, where, shown, axes, chosen, n_rows, place, most=call.site.settings.page_points),
    }


async def _n_rows(call: Call, table: Table, where: str) -> int:
    if not where and table.n_rows is not None:
        return table.n_rows
    count = f"SELECT COUNT(*) AS n FROM {_written(table)}{where}"
    return int((await rows_of(call, QueryRequest(count, owner=call.owner))).rows[0][0])


def _view(
    table: Table,
    where: str,
    shown: Sequence[str],
    axes: Sequence[Axis],
    chosen: dict[str, Axis | None],
    n_rows: int,
    place: _Place | None,
    *,
    most: int,
) -> Facts | None:
    """What the linked views are given; nothing where there is nothing to draw."""
    if chosen["x"] is None or not n_rows:
        return None
    position = table.position
    return {
        "table": table.name,
        "written": _written(table),
        "where": where.strip().removeprefix("WHERE "),
        "id": table.id_column,
        "ra": position.ra if position else None,
        "dec": position.dec if position else None,
        "columns": [{"name": name, "written": spelled(name)} for name in shown],
        "axes": [axis.facts() for axis in axes],
        "x": _key(chosen["x"]),
        "y": _key(chosen["y"]),
        "color": _key(chosen["color"]),
        "rows": n_rows,
        "most": most,
        "cone": place.facts() if place else None,
    }


def _key(axis: Axis | None) -> str | None:
    return axis.key if axis else None


def _written(table: Table) -> str:
    """Name of a table in ADQL."""
    return ".".join(spelled(part) for part in table.name.split("."))


def _listed(table: Table, n: int | None) -> Facts:
    return {"name": table.name, "n": n, "n_rows": table.n_rows, "description": table.description}


PAGE = Page("/search", "search.html", gather, _POLICY, posted=matched)
