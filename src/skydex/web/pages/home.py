"""The first page: what is here, where on the sky it is, and something to click at once."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from skydex.archive import QueryRequest, Schema
from skydex.errors import SkydexError
from skydex.query import Namespace, Relation
from skydex.tables import OBSCORE, Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.home_examples import live_examples
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of
from skydex.web.pages.skymap import cells_of, drawing
from skydex.web.pages.spans import bands_of_metres, bands_of_ucds, day_of, time_span

__all__ = ["PAGE"]

_IMAGES = (
    "SELECT obs_collection, COUNT(*) AS n, MIN(t_min) AS t_min, MAX(t_max) AS t_max, MIN(em_min) AS em_min, "
    f"MAX(em_max) AS em_max FROM {OBSCORE} GROUP BY obs_collection"
)
_MOST_COLLECTIONS = 1000
_MOST_LAYERS = 7
"""Collections that have a colour of their own on the map."""
_REST = "others"


async def gather(call: Call) -> Facts:
    """Collections, with what can be counted without reading rows, and examples."""
    view = call.site.archive.view(owner=call.owner)
    of_images, examples = await asyncio.gather(_images(call), live_examples(call))
    images = {str(row["obs_collection"]).lower(): row for row in of_images}
    schemas = [schema for schema in view.schemas if schema.name != TAP_SCHEMA]
    relations = [relation for relation in view.relations if relation.table.schema_name != TAP_SCHEMA]
    known = await asyncio.to_thread(_known, call.site.archive.published(call.owner), relations, set(images))
    return {
        "collections": [_collection(s, images.get(s.name.lower()), known["spans"].get(s.name)) for s in schemas],
        "map": known["map"],
        "n_rows": sum(table.n_rows or 0 for schema in schemas for table in schema.tables),
        "examples": examples,
    }


def _known(namespace: Namespace, relations: Sequence[Relation], timed: Container[str]) -> Facts:
    """What is worked out once for each publication; collections of which images tell the time need no other."""
    others = [relation for relation in relations if relation.table.schema_name.lower() not in timed]
    return namespace.kept(_known, lambda: {"map": _map(relations), "spans": _spans(others)})


def _map(relations: Iterable[Relation]) -> Facts:
    """Where each collection has rows; images are those of the collections."""
    by_schema: dict[str, list[Relation]] = {}
    for relation in relations:
        if relation.table.name != OBSCORE:
            by_schema.setdefault(relation.table.schema_name, []).append(relation)
    cells = {name: found for name, own in by_schema.items() if (found := cells_of(own))}
    widest = sorted(cells, key=lambda name: -len(cells[name]))
    layers = {name: cells[name] for name in widest[:_MOST_LAYERS]}
    rest = {place for name in widest[_MOST_LAYERS:] for place in cells[name]}
    return drawing({**layers, **({_REST: sorted(rest)} if rest else {})})


def _spans(relations: Iterable[Relation]) -> Mapping[str, tuple[float, float]]:
    """From when to when the tables of each collection have measurements, MJD; no row is read for that."""
    spans: dict[str, tuple[float, float]] = {}
    for relation in relations:
        found = time_span(relation)
        if found is not None:
            low, high = spans.get(relation.table.schema_name, found)
            spans[relation.table.schema_name] = (min(low, found[0]), max(high, found[1]))
    return spans


async def _images(call: Call) -> list[dict[str, Any]]:
    """What there is of images, by collection."""
    published = call.site.archive.published(call.owner)
    known: list[dict[str, Any]] = published.kept(_images, list)
    if known or published.find(OBSCORE) is None:
        return known
    try:
        found = await rows_of(call, QueryRequest(_IMAGES, max_rows=_MOST_COLLECTIONS, owner=call.owner))
    except SkydexError:  # the page is worth having without
        return []
    known[:] = found.dicts()
    return known


def _collection(schema: Schema, images: dict[str, Any] | None, span: tuple[float, float] | None) -> Facts:
    if images is not None and images["t_min"] is not None and images["t_max"] is not None:
        low, high = span or (images["t_min"], images["t_max"])
        span = (min(low, images["t_min"]), max(high, images["t_max"]))
    words = {word for table in schema.tables for word in bands_of_ucds(column.ucd for column in table.columns)}
    bands = bands_of_metres(images["em_min"], images["em_max"]) if images is not None else None
    tables = sorted(schema.tables, key=_by_weight)
    return {
        "name": schema.name,
        "description": schema.description or (tables[0].description if tables else ""),
        "is_own": schema.is_own,
        "n_rows": sum(table.n_rows or 0 for table in schema.tables),
        "images": images,
        "bands": bands or ", ".join(sorted(words)),
        "days": None if span is None else [day_of(span[0]), day_of(span[1])],
        "tables": [
            {
                "name": table.name,
                "n_rows": table.n_rows,
                "n_columns": len(table.columns),
                "description": table.description,
                "has_positions": table.position is not None,
            }
            for table in tables
        ],
    }


def _by_weight(table: Table) -> tuple[bool, bool, int]:
    """Tables of objects with positions first, and what only describes images last."""
    is_object = table.position is not None and table.id_column is not None
    is_about_images = table.utype is not None or table.bare_name.startswith("image")
    return is_about_images, not is_object, -(table.n_rows or 0)


PAGE = Page("/", "home.html", gather)
