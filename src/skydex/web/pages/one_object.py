"""One object: what the catalogue says of it, its light curve, the images behind it, and what else is at its place.

The page of any table whose rows have names: an object without measurements, place or images has no empty boxes.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from skydex.archive import LinksRequest, QueryRequest
from skydex.archive.links import adql_name, adql_value
from skydex.errors import BadParameterError, SkydexError, UnknownResourceError, UnknownTableError
from skydex.lightcurve.holdings import Holding
from skydex.query.languages.words import spelled
from skydex.tables import Table
from skydex.web import dali
from skydex.web.asgi import Call
from skydex.web.pages.around import counterparts, exact, neighbours, sexagesimal, told
from skydex.web.pages.definition import Page
from skydex.web.pages.epochs import alike, belonging, chosen, images_at
from skydex.web.pages.measured import Curve, Fold, find_holding_of, measurements, periods
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import Rows, rows_of
from skydex.web.pages.stamps import stamps_of

__all__ = ["PAGE"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_MOST_ROWS = 20
"""Rows of one name that are shown, where a table has several."""
_MOST_PRINCIPAL = 20
_NEIGHBOURS_ARCSEC, _MOST_ARCSEC = 30.0, 3600.0
_SAME_ARCSEC = 2.0
_LONGEST_PERIOD_D, _SHORTEST_PERIOD_D = 1e6, 1e-5
_LAST_DAY = 1e8
_MOST_MB = 4
_FILES = (("csv", "CSV"), ("votable", "VOTable"), ("parquet", "Parquet"), ("ecsv", "ECSV"))
_SCALES = ("band", "each")
"""How cutouts are scaled: those of a band alike, or each by itself."""
_CUTOUTS = ("cutout", "preview")
_TELLING = (
    *("meta.id;meta.main", "pos.eq", "phot.mag", "phot.flux", "src.", "meta.code.class", "meta.number", "time"),
    *("stat.stdev;phot.mag", "em.", "meta.id"),
)
"""Beginnings of UCDs of what is looked at, in this order."""


async def gather(call: Call) -> Facts:
    """Everything that is known of one object."""
    table = _table(call)
    given = dali.Parameters(call.query_pairs())
    fold = _fold(given)
    radius = _radius(given)
    key = _key(table, call.part("id") or "")
    found = await _rows(call, table, key)
    row = found.dicts()[0]
    place = _place(table, row)
    namespace = call.site.archive.namespace(owner=call.owner)
    holding = find_holding_of(table, namespace)
    measured_key = _key_there(holding, table, row) if holding is not None else None
    curve, images, links, near, others = await asyncio.gather(
        measurements(call, holding, measured_key) if holding is not None else _nothing(),
        images_at(call, *place) if place else _nothing(),
        _links(call, table, key),
        neighbours(call, table, key, place, radius) if place else _nothing(),
        counterparts(call, _names_of_itself(table, holding), place, _SAME_ARCSEC) if place else _nothing(),
    )
    scale = given.choose("scale", _SCALES)
    pictures = _pictures(curve, images or [])
    levelled = pictures if curve is None else alike(pictures, curve.points, curve.quantity)
    wants_periods = given.find("periods") is not None
    return {
        "table": table.name,
        "about": table.description,
        "id": exact(key),
        "id_column": table.id_column,
        "position": _position(table, place),
        "columns": _columns(table, found, row),
        "rows": {**found.facts(), "rows": [list(map(told, one)) for one in found.rows]}
        if len(found.rows) > 1
        else None,
        "curve": None if curve is None else curve.facts(),
        "diagram": None if curve is None else curve.drawing(),
        "fold": _folded(curve, fold),
        "periods": await periods(call, curve, measured_key) if curve is not None and wants_periods else None,
        "images": levelled if scale == "band" else pictures,
        "n_images": len(images or []),
        "scale": scale if levelled != pictures else None,
        "stamps": stamps_of(table, row),
        "neighbours": near,
        "others": others or [],
        "same_arcsec": _SAME_ARCSEC,
        "links": links,
        "downloads": [] if curve is None else _downloads(curve, measured_key),
        "snippets": _snippets(call.site.url, table, key, curve, measured_key),
    }


def _names_of_itself(table: Table, holding: Holding | None) -> set[str]:
    """The table, and that of its measurements, which are shown."""
    return {table.name, *([holding.points.name] if holding is not None else [])}


async def _nothing() -> None:
    return None


def _table(call: Call) -> Table:
    name = call.part("table") or ""
    try:
        table = call.site.archive.namespace(owner=call.owner).get(name).table
    except UnknownTableError as error:
        raise UnknownResourceError("table", name[:80], near=error.near) from None
    if table.id_column is None:
        raise UnknownResourceError("column that names the rows in table", table.name)
    return table


def _key(table: Table, text: str) -> int | str:
    """What is looked for, as the column has it.

    Raises
    ------
    UnknownResourceError
        It is none of its values.
    """
    column = table.get_column(table.id_column or "")
    if not column.datatype.is_integer:
        return text
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise _unknown(table, text)
    return int(text)


def _unknown(table: Table, text: object) -> UnknownResourceError:
    return UnknownResourceError(f"row of {table.name} with {table.id_column}", str(text)[:100])


async def _rows(call: Call, table: Table, key: int | str) -> Rows:
    """The rows of a name: one in most tables."""
    text = f"SELECT * FROM {adql_name(table.name)} WHERE {spelled(table.id_column or '')} = {adql_value(key)}"
    found = await rows_of(call, QueryRequest(text, max_rows=_MOST_ROWS, owner=call.owner), is_quick=True)
    if not found.rows:
        raise _unknown(table, key)
    return found


def _place(table: Table, row: Mapping[str, Any]) -> tuple[float, float] | None:
    position = [row.get(column.name) for column in table.position_columns()]
    if len(position) != 2 or any(one is None or not math.isfinite(one) for one in position):
        return None
    return float(position[0]), float(position[1])  # type: ignore[arg-type]


def _position(table: Table, place: tuple[float, float] | None) -> Facts | None:
    if place is None or table.position is None:
        return None
    return {
        "ra": place[0],
        "dec": place[1],
        "sexagesimal": sexagesimal(*place),
        "search": f"search?{urlencode({'ra': f'{place[0]:.7f}', 'dec': f'{place[1]:.7f}', 'table': table.name})}",
        "images": f"images?{urlencode({'q': f'{place[0]:.7f} {place[1]:+.7f}'})}",
    }


def _columns(table: Table, found: Rows, row: Mapping[str, Any]) -> list[Facts]:
    """Each value of the row with what it means; the most telling ones are principal."""
    known = {column.name: column for column in table.columns}
    facts = []
    for column in found.columns:
        described = known.get(column["name"])
        facts.append(
            {
                **column,
                "value": told(row[column["name"]]),
                "principal": bool(described and described.principal and row[column["name"]] is not None),
            }
        )
    if sum(one["principal"] for one in facts) > _MOST_PRINCIPAL:
        told_first = sorted((one for one in facts if one["value"] is not None), key=_rank)[:_MOST_PRINCIPAL]
        kept = {one["name"] for one in told_first}
        for one in facts:
            one["principal"] = one["name"] in kept
    return facts


def _rank(column: Facts) -> tuple[int, bool, bool]:
    """How late a column is looked at: by its meaning, zeros last, what the publisher calls principal first."""
    ranks = (place for place, word in enumerate(_TELLING) if column["ucd"].startswith(word))
    return next(ranks, len(_TELLING)), not column["value"], not column["principal"]


def _all_rows(found: Rows) -> Facts | None:
    """Where a name has several rows, these."""
    if len(found.rows) < 2:
        return None
    return {**found.facts(), "rows": [[told(value) for value in row] for row in found.rows]}


def _key_there(holding: Holding, table: Table, row: Mapping[str, Any]) -> Any:
    """What names the object of a row where its measurements are."""
    name = holding.roles.object if holding.points.name == table.name else holding.key
    found = table.find_column(name)
    return row.get(found.name) if found is not None else None


def _pictures(curve: Curve | None, images: list[Facts]) -> list[Facts]:
    """Images that are shown, with their measurements; each measurement is told which of them is its own."""
    points = curve.points if curve is not None else []
    is_mjd = curve is not None and curve.holding.roles.time_format == "mjd"
    times = curve.times if curve is not None and is_mjd else [math.nan] * len(points)
    measured = belonging(times, [point["image"] for point in points], images)
    shown = chosen(images, measured)
    places = {number: place for place, number in enumerate(shown)}
    for point, number in zip(points, measured, strict=True):
        point["picture"] = places.get(number)
    of_image: dict[int, list[int]] = {}
    for place, point in enumerate(points):
        if point["picture"] is not None:
            of_image.setdefault(point["picture"], []).append(place)
    return [{**images[number], "points": of_image.get(place, [])} for place, number in enumerate(shown)]


async def _links(call: Call, table: Table, key: int | str) -> Facts:
    """What DataLink says of the object, but for the cutouts, which are shown."""
    identifier = f"{table.name}/{key}"
    facts: Facts = {"at": f"datalink?{urlencode({'ID': identifier})}", "rows": []}
    request = LinksRequest((identifier,), call.site.url, format="json", owner=call.owner)
    try:
        answer = json.loads(await call.gathered(request, max_mb=_MOST_MB, is_quick=True))
    except SkydexError:  # the page is worth having without
        return facts
    names = [column["name"] for column in answer["columns"]]
    for values in answer["data"]:
        link = dict(zip(names, values, strict=True))
        if link["access_url"] and link["local_semantics"] not in _CUTOUTS:
            at = link["access_url"].removeprefix(f"{call.site.url}/")
            kept = ("semantics", "description", "content_type", "content_qualifier")
            facts["rows"].append({"at": at, **{name: link[name] for name in kept}})
    return facts


def _fold(given: dali.Parameters) -> Fold | None:
    """The period by which is folded, if one is asked for."""
    if not given.find("period"):
        return None
    period = given.get_number("period", least=_SHORTEST_PERIOD_D, most=_LONGEST_PERIOD_D)
    epoch = given.get_number("epoch", least=-_LAST_DAY, most=_LAST_DAY) if given.find("epoch") else 0.0
    if given.find("double") is not None:
        period *= 2.0
    if given.find("half") is not None:
        period /= 2.0
    return Fold(period, epoch)


def _radius(given: dali.Parameters) -> float:
    """How far neighbours may be, in arcsec."""
    if not given.find("radius"):
        return _NEIGHBOURS_ARCSEC
    radius = given.get_number("radius", least=0.0, most=_MOST_ARCSEC)
    if radius == 0.0:
        raise BadParameterError("radius", "must be greater than 0, in arcsec.")
    return radius


def _folded(curve: Curve | None, fold: Fold | None) -> Facts | None:
    if curve is None or fold is None:
        return None
    return {**fold.facts(), "diagram": curve.folded(fold)}


def _downloads(curve: Curve, key: Any) -> list[Facts]:
    """Addresses of the light curve in files."""
    asked = urlencode({"id": exact(key), "form": "flat"})
    return [{"title": title, "at": f"{_curves_path(curve)}.{name}?{asked}"} for name, title in _FILES]


def _curves_path(curve: Curve) -> str:
    return f"look/lightcurves/{quote(curve.holding.points.name)}"


def _snippets(url: str, table: Table, key: int | str, curve: Curve | None, measured_key: Any) -> list[Facts]:
    """The same with tools of one's own."""
    row = f"SELECT * FROM {adql_name(table.name)} WHERE {spelled(table.id_column or '')} = {adql_value(key)}"
    python = f"import skydex\n\narchive = skydex.connect({url!r})\nrow = archive.query({row!r})\nprint(row)"
    lines = [{"label": "ADQL", "text": row}]
    if curve is None:
        asked = urlencode({"LANG": "ADQL", "RESPONSEFORMAT": "csv", "QUERY": row})
        return [
            *lines,
            {"label": "Python", "text": python},
            {"label": "curl", "text": f"curl -sSf '{url}/tap/sync?{asked}'"},
        ]
    there = curve.holding.points.name
    python += f"\n\ncurve = archive.light_curve({measured_key!r}, table={there!r})\nprint(curve.rows)"
    address = f"{url}/{_curves_path(curve)}.csv?{urlencode({'id': exact(measured_key), 'form': 'flat'})}"
    return [*lines, {"label": "Python", "text": python}, {"label": "curl", "text": f"curl -sSf '{address}'"}]


PAGE = Page("/o/{table}/{id:path}", "object.html", gather)
