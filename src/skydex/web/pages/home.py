"""The first page: what is here, where on the sky it is, and something to click at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skydex.archive import QueryRequest, Schema
from skydex.errors import SkydexError
from skydex.query import Relation
from skydex.tables import OBSCORE
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of
from skydex.web.pages.skymap import cells_of, drawing

__all__ = ["PAGE"]

_IMAGES = (
    "SELECT obs_collection, COUNT(*) AS n, MIN(t_min) AS t_min, MAX(t_max) AS t_max, MIN(em_min) AS em_min, "
    f"MAX(em_max) AS em_max FROM {OBSCORE} GROUP BY obs_collection"
)
_MOST_COLLECTIONS = 1000


async def gather(call: Call) -> Facts:
    """Collections, with what can be counted without reading rows."""
    site = call.site
    view = site.archive.view(owner=call.owner)
    images = {str(row["obs_collection"]).lower(): row for row in await _images(call)}
    schemas = [schema for schema in view.schemas if schema.name != TAP_SCHEMA]
    relations = [relation for relation in view.relations if relation.table.schema_name != TAP_SCHEMA]
    return {
        "collections": [_collection(schema, images.get(schema.name.lower())) for schema in schemas],
        "map": _map(call, relations),
        "n_rows": sum(table.n_rows or 0 for schema in schemas for table in schema.tables),
    }


def _map(call: Call, relations: Sequence[Relation]) -> Facts:
    namespace = call.site.archive.published(call.owner)
    cells: list[tuple[float, float]] = namespace.kept(_map, lambda: cells_of(relations))
    return drawing(cells)


async def _images(call: Call) -> list[dict[str, Any]]:
    """What there is of images, by collection."""
    if call.site.archive.namespace(owner=call.owner).find(OBSCORE) is None:
        return []
    try:
        found = await rows_of(call, QueryRequest(_IMAGES, max_rows=_MOST_COLLECTIONS, owner=call.owner))
    except SkydexError:  # the page is worth having without
        return []
    return found.dicts()


def _collection(schema: Schema, images: dict[str, Any] | None) -> Facts:
    return {
        "name": schema.name,
        "description": schema.description,
        "is_own": schema.is_own,
        "n_rows": sum(table.n_rows or 0 for table in schema.tables),
        "images": images,
        "tables": [
            {
                "name": table.name,
                "n_rows": table.n_rows,
                "n_columns": len(table.columns),
                "description": table.description,
                "has_positions": table.position is not None,
            }
            for table in schema.tables
        ],
    }


PAGE = Page("/", "home.html", gather)
