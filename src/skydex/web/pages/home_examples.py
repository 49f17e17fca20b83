"""Examples on the first page, of what is really there: a diagram of colours, the light curve of a variable, a query.

Each is chosen by what columns mean, none by what this or that archive is called, and each is left out where there is
nothing of its kind.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Iterable, Iterator
from urllib.parse import quote, urlencode

from skydex.archive import Axis, ColumnsRequest, DensityRequest, QueryRequest, ReadyExample, Subject
from skydex.errors import SkydexError
from skydex.lightcurve.holdings import Holding
from skydex.query import Namespace
from skydex.query.languages.words import spelled
from skydex.tables import Column, Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call
from skydex.web.pages.measured import Curve, find_holding_of, measurements
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of

__all__ = ["live_examples"]

_WIDTH, _HEIGHT = 240.0, 150.0
_CELLS_X, _CELLS_Y = 60, 50
_LEVELS = (0.25, 0.5, 0.75, 1.0)
"""Opacities of cells with few and with many rows."""
_MOST_ROWS = 2_000_000
"""Of larger tables nothing is counted for an example."""
_NAMED_ROWS = 1000
_NEAR_DEG = 2.0 / 3600.0
_BAND = re.compile(r"(.*?)((?<![A-Za-z])[ugrizyUBVRIJHK](?![A-Za-z])|F[0-9]{3,4}[A-Z]{1,2})(.*)")
_NOT_PLAIN = ("stat.error", "stat.stdev", "stat.min", "stat.max", "arith", "meta.", "stat.fit")


async def live_examples(call: Call) -> list[Facts]:
    """Up to three examples, each with a title, a sentence, an address below the first page, and something to see.

    They are of what is published, and are looked for once for each publication.
    """
    known: list[Facts] = call.site.archive.published(call.owner).kept(live_examples, list)
    if not known:
        found = await asyncio.gather(*map(_if_there_is, (_colours(call), _variable(call), _query(call))))
        known[:] = [one for one in found if one is not None]
    return known


async def _if_there_is(example: Awaitable[Facts | None]) -> Facts | None:
    try:
        return await example
    except SkydexError:  # the page is worth having without
        return None


async def _colours(call: Call) -> Facts | None:
    """The diagram of the two magnitudes of which a table has most."""
    tables = [table for table in _tables(call) if table.position and table.id_column and len(_magnitudes(table)) > 1]
    table = next(iter(tables), None)
    if table is None:
        return None
    subject, sample = Subject(table.name), call.site.settings.look_sample_rows
    looks = await rows_of(call, ColumnsRequest(subject=subject, sample_rows=sample, owner=call.owner))
    missing = {row["name"]: row["n_null"] for row in looks.dicts() if row["n_null"] is not None and row["counts"]}
    pair = _best_pair(_magnitudes(table), missing)
    if pair is None:
        return None
    blue, red = (spelled(column.name) for column in pair)
    request = DensityRequest(
        subject=subject,
        sample_rows=sample,
        owner=call.owner,
        x=Axis(f"{blue} - {red}", _CELLS_X),
        y=Axis(red, _CELLS_Y),
        median_rows=call.site.settings.look_median_rows,
    )
    cells = await rows_of(call, request)
    plotted = {"table": table.name, "x": f"{pair[0].name}-{pair[1].name}", "y": pair[1].name}
    return {
        "kind": "diagram",
        "title": "Colours and magnitudes",
        "text": f"{blue} - {red} against {red} of {table.n_rows or 0:,} rows of {table.name}",
        "at": f"search?{urlencode(plotted)}",
        "drawing": {"width": _WIDTH, "height": _HEIGHT, "levels": _shaded(cells.dicts())},
    }


def _tables(call: Call) -> list[Table]:
    """What is published and not too large, the largest first."""
    tables = [relation.table for relation in call.site.archive.published(call.owner)]
    small = (t for t in tables if t.schema_name != TAP_SCHEMA and 0 < (t.n_rows or 0) <= _MOST_ROWS)
    return sorted(small, key=lambda table: -(table.n_rows or 0))


def _magnitudes(table: Table) -> dict[tuple[str, str], list[Column]]:
    """Magnitudes of one kind in several bands, by what stands before and behind the band in their names."""
    families: dict[tuple[str, str], list[Column]] = {}
    for column in table.columns:
        ucd, found = column.ucd or "", _BAND.fullmatch(column.name)
        if ucd.startswith("phot.mag") and not any(word in ucd for word in _NOT_PLAIN) and found and not column.is_array:
            families.setdefault((found[1], found[3]), []).append(column)
    return {name: columns for name, columns in families.items() if len(columns) > 1}


def _best_pair(families: dict[tuple[str, str], list[Column]], missing: dict[str, int]) -> tuple[Column, Column] | None:
    """Two magnitudes of one kind of which the fewest are missing; the bluer one comes first in tables."""
    pairs = []
    for columns in families.values():
        known = sorted((c for c in columns if c.name in missing), key=lambda c: missing[c.name])[:2]
        if len(known) == 2:
            pairs.append((missing[known[1].name], sorted(known, key=columns.index)))
    if not pairs:
        return None
    _, (blue, red) = min(pairs, key=lambda pair: pair[0])
    return blue, red


def _shaded(cells: Iterable[Facts]) -> list[Facts]:
    """Cells of the diagram as a few paths, each of one opacity; magnitudes increase downwards."""
    wide, high = _WIDTH / _CELLS_X, _HEIGHT / _CELLS_Y
    found = [(cell["ix"], cell["iy"], cell["n"]) for cell in cells]
    most = math.log1p(max((n for *_, n in found), default=1))
    paths = [""] * len(_LEVELS)
    for i, j, n in found:
        level = min(int(math.log1p(n) / most * len(_LEVELS)), len(_LEVELS) - 1)
        paths[level] += f"M{i * wide:.4g} {j * high:.4g}h{wide:.4g}v{high:.4g}h-{wide:.4g}z"
    return [{"opacity": level, "path": path} for level, path in zip(_LEVELS, paths, strict=True) if path]


async def _variable(call: Call) -> Facts | None:
    """The light curve of an object that has a name; else of the one with the most measurements."""
    namespace = call.site.archive.namespace(owner=call.owner)
    held = [(table, holding) for table in _tables(call) if (holding := _holding(table, namespace)) is not None]
    for table, holding in held:
        found = await _named(call, table)
        curve = await measurements(call, holding, found[1]) if found else None
        if found and curve is not None:
            return _curve_facts(table, found[1], found[0], curve)
    for table, holding in held:
        key = await _most_measured(call, holding)
        curve = await measurements(call, holding, key) if key is not None else None
        if curve is not None:
            return _curve_facts(table, key, f"{table.id_column} {key}", curve)
    return None


def _holding(table: Table, namespace: Namespace) -> Holding | None:
    """Where the measurements of the objects of a table are, if these are named alike in both."""
    if table.id_column is None or table.position is None:
        return None
    holding = find_holding_of(table, namespace)
    is_of_objects = holding is not None and holding.points.name != table.name
    return holding if is_of_objects and holding is not None and holding.key == table.id_column else None


async def _named(call: Call, table: Table) -> tuple[str, object] | None:
    """An object of a table that has a name in this archive: the name and what the table calls it."""
    assert table.position is not None
    assert table.id_column is not None
    for offer in call.site.archive.offers.names:
        relation = call.site.archive.namespace(owner=call.owner).find(offer.table)
        if relation is None or relation.table.position is None or (relation.table.n_rows or 0) > _NAMED_ROWS:
            continue
        names, place, there = relation.table, relation.table.position, table.position
        near = f"DISTANCE(n.{spelled(place.ra)}, n.{spelled(place.dec)}, t.{spelled(there.ra)}, t.{spelled(there.dec)})"
        text = (
            f"SELECT TOP 1 n.{spelled(offer.columns[0])} AS called, t.{spelled(table.id_column)} AS id_there "
            f"FROM {names.name} AS n JOIN {table.name} AS t ON {near} < {_NEAR_DEG}"
        )
        found = (await rows_of(call, QueryRequest(text, owner=call.owner))).rows
        if found:
            return f"{offer.prefix}{found[0][0]}", found[0][1]
    return None


async def _most_measured(call: Call, holding: Holding) -> object:
    if (holding.points.n_rows or _MOST_ROWS) >= _MOST_ROWS:
        return None
    name = spelled(holding.roles.object)
    text = f"SELECT TOP 1 {name}, COUNT(*) AS n FROM {holding.points.name} GROUP BY {name} ORDER BY n DESC"
    found = (await rows_of(call, QueryRequest(text, owner=call.owner))).rows
    return found[0][0] if found else None


def _curve_facts(table: Table, key: object, name: str, curve: Curve) -> Facts:
    bands = ", ".join(filter(None, curve.bands)) or "one band"
    return {
        "kind": "curve",
        "title": f"Light curve of {name}",
        "text": f"{len(curve.points):,} measurements in {bands}, with their images and periods",
        "at": f"o/{quote(table.name, safe='')}/{quote(str(key), safe='')}",
        "drawing": {"width": _WIDTH, "height": _HEIGHT, "series": list(_dots(curve))},
    }


def _dots(curve: Curve) -> Iterator[Facts]:
    """Good points of each band, as dots of its colour."""
    points = [p for p in curve.points if p["good"] and p[curve.quantity] is not None]
    if not points:
        return
    times, values = [p["time"] for p in points], [p[curve.quantity] for p in points]
    t0, t1, v0, v1 = min(times), max(times), min(values), max(values)
    looks = curve.looks()
    for band in curve.bands:
        dots = []
        for point in (p for p in points if p["band"] == band):
            x = (point["time"] - t0) / (t1 - t0 or 1.0)
            y = (point[curve.quantity] - v0) / (v1 - v0 or 1.0)
            y = y if curve.quantity == "mag" else 1.0 - y
            dots.append([round(6 + x * (_WIDTH - 12), 1), round(6 + y * (_HEIGHT - 12), 1)])
        yield {"name": band, "colour": looks[band].colour, "dots": dots}


async def _query(call: Call) -> Facts | None:
    """A query that a publisher thought of, or the first one that suggests itself."""
    chosen = await asyncio.to_thread(_chosen_query, call)
    if chosen is None:
        return None
    example = chosen.example
    return {
        "kind": "query",
        "title": example.name,
        "text": example.description,
        "at": f"query?{urlencode({'adql': example.query})}",
        "adql": example.query,
    }


def _chosen_query(call: Call) -> ReadyExample | None:
    """Collections are looked at until there is one, since each example is bound to tell whether it can be run."""
    archive = call.site.archive
    given = {example.query for table in _tables(call) for example in table.examples}
    schemas = [schema for schema in archive.schemas(call.owner) if schema.name != TAP_SCHEMA and not schema.is_own]
    ready = (one for schema in schemas for one in archive.examples(schema.name, call.owner))
    first = next(ready, None)
    if first is None or not given or first.example.query in given:
        return first
    return next((one for one in ready if one.example.query in given), first)
