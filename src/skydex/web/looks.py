"""Looks at a table: density rasters, maps of counts, histograms, facets and columns at a glance, for anybody.

`/look/density/{schema.table}` and its sisters, in any format by the ending of the address or by `format`. Rows are
chosen as the catalogue REST API chooses them: `column.operator=value`, and a cone by `ra`, `dec` and `radius`. What is
not exact says so in its columns.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from starlette.routing import BaseRoute, Route

from skydex.archive import (
    Axis,
    ColumnsRequest,
    DensityRequest,
    FacetsRequest,
    HistogramRequest,
    Look,
    SkyRequest,
    Subject,
)
from skydex.archive.constraints import list_items
from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.settings import Settings
from skydex.sky import MAX_ORDER
from skydex.tables import Table
from skydex.web.asgi import Call, Endpoint, Handler, Reply
from skydex.web.catalog_parameters import Fields, read_cone, read_constraint, received_fields
from skydex.web.catalogs import DEFAULT_FORMAT, JSON_TYPE, format_named, refuse
from skydex.web.dali import NUMBER
from skydex.web.looks_openapi import looks_openapi
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.table_address import table_in

__all__ = ["BASE", "SERVICE"]

BASE = "/look"
_COMMON = ("ra", "dec", "radius", "format", "responseformat")
"""Parameters of every look."""
_OF_DENSITY = ("x", "y", "x_range", "y_range", "nx", "ny", "color", *_COMMON)
_OF_SKY = ("order", "centers", *_COMMON)
_OF_HISTOGRAM = ("x", "range", "bins", "log", *_COMMON)
_OF_FACETS = ("columns", "most", *_COMMON)
_OF_COLUMNS = ("bins", "format", "responseformat")
_CELLS, _BINS, _SPARKS, _VALUES = 256, 100, 24, 20
_MOST_SPARKS, _MOST_VALUES = 200, 1_000
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_QUICK_ROWS = 1_000_000
_ALL_OF_THE_SKY = 180.0


async def density(call: Call) -> Reply:
    """Count rows in the cells of a plane."""
    asked = await _asked(call, _OF_DENSITY)
    fields, settings = asked.fields, call.site.settings
    request = DensityRequest(
        subject=asked.subject,
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        x=_axis(fields, "x", settings),
        y=_axis(fields, "y", settings),
        color=fields.find("color"),
        median_rows=settings.look_median_rows,
    )
    if request.x.n * request.y.n > settings.look_cells:
        raise BadParameterError("nx", f"times ny is {request.x.n * request.y.n:,}: at most {settings.look_cells:,}.")
    return await _answered(call, asked, request)


async def sky(call: Call) -> Reply:
    """Count rows by pixel of the sky."""
    asked = await _asked(call, _OF_SKY)
    settings = call.site.settings
    request = SkyRequest(
        subject=asked.subject,
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        order=_order(asked.fields),
        most_pixels=settings.look_cells,
        with_centres=_truth(asked.fields, "centers"),
    )
    return await _answered(call, asked, request)


async def histogram(call: Call) -> Reply:
    """Count rows in the bins of a value."""
    asked = await _asked(call, _OF_HISTOGRAM)
    fields, settings = asked.fields, call.site.settings
    is_log, limits = _truth(fields, "log"), _range(fields, "range")
    if is_log and limits is not None and limits[0] <= 0.0:
        raise BadParameterError("range", "must begin above 0 where bins are logarithmic.")
    n = fields.find_count("bins", most=settings.look_cells) or _BINS
    request = HistogramRequest(
        subject=asked.subject,
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        x=Axis(_expression(fields, "x"), n, limits, is_log),
    )
    return await _answered(call, asked, request)


async def facets(call: Call) -> Reply:
    """Count the values of columns."""
    asked = await _asked(call, _OF_FACETS)
    fields, settings = asked.fields, call.site.settings
    request = FacetsRequest(
        subject=asked.subject,
        sample_rows=settings.look_sample_rows,
        owner=call.owner,
        columns=tuple(item for value in fields.values("columns") for item in list_items(value)),
        most=fields.find_count("most", most=_MOST_VALUES) or _VALUES,
        exact_rows=settings.look_exact_rows,
    )
    return await _answered(call, asked, request)


async def columns(call: Call) -> Reply:
    """Show every column at a glance."""
    asked = await _asked(call, _OF_COLUMNS)
    if not asked.subject.is_whole:
        raise BadParameterError("request", "chooses rows: columns are shown as they are in the whole table.")
    request = ColumnsRequest(
        subject=asked.subject,
        sample_rows=call.site.settings.look_sample_rows,
        owner=call.owner,
        bins=asked.fields.find_count("bins", most=_MOST_SPARKS) or _SPARKS,
    )
    return await _answered(call, asked, request)


async def description(call: Call) -> Reply:
    """Looks described for machines."""
    document = looks_openapi(call.site.settings, url=call.site.url + BASE)
    return call.document(json.dumps(document, ensure_ascii=False).encode(), JSON_TYPE)


class _Asked:
    """What every look says: which rows of which table, and in which format."""

    def __init__(self, table: Table, fields: Fields, own: Collection[str], suffix: str) -> None:
        self.table, self.fields = table, fields
        constraints = [read_constraint(field) for field in fields if field.name.lower() not in own]
        known = [*(column.name for column in table.columns), *own]
        for constraint in constraints:
            if table.find_column(constraint.name) is None:
                name = constraint.name[:80]
                raise UnknownColumnError(name, where=table.name, near=near_names(name, known))
        self.subject = Subject(table.name, tuple(constraints), read_cone(fields, _ALL_OF_THE_SKY))
        self.format = format_named(suffix or fields.find("format") or fields.find("responseformat") or DEFAULT_FORMAT)


async def _asked(call: Call, own: Collection[str]) -> _Asked:
    table, suffix = table_in(call)
    return _Asked(table, await received_fields(call), own, suffix)


async def _answered(call: Call, asked: _Asked, request: Look) -> Reply:
    is_quick = asked.table.n_rows is not None and asked.table.n_rows <= _QUICK_ROWS
    return await call.answer((request, asked.format.name), is_quick=is_quick)


def _axis(fields: Fields, name: str, settings: Settings) -> Axis:
    n = fields.find_count(f"n{name}", most=settings.look_cells) or _CELLS
    return Axis(_expression(fields, name), n, _range(fields, f"{name}_range"))


def _expression(fields: Fields, name: str) -> str:
    text = fields.find(name)
    if text is None:
        raise BadParameterError(name, "is missing: name a column, or an expression of columns such as g_mag - r_mag.")
    return text


def _range(fields: Fields, name: str) -> tuple[float, float] | None:
    text = fields.find(name)
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if len(words) != 2 or not all(NUMBER.fullmatch(word) for word in words):
        raise BadParameterError(name, f'must be two numbers with a comma, as in 0,25, not "{text[:60]}".')
    low, high = map(float, words)
    if not low < high:
        raise BadParameterError(name, f"must begin with the lesser number: {words[1][:30]},{words[0][:30]}.")
    return low, high


def _order(fields: Fields) -> int | None:
    text = fields.find("order")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= MAX_ORDER):
        raise BadParameterError("order", f'must be a whole number from 0 to {MAX_ORDER}, not "{text[:60]}".')
    return int(text)


def _truth(fields: Fields, name: str) -> bool:
    text = fields.find(name) or "false"
    if text.lower() not in _TRUTHS:
        raise BadParameterError(name, f'must be true or false, not "{text[:60]}".')
    return _TRUTHS[text.lower()]


_HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {"density": density, "sky": sky, "histogram": histogram, "facets": facets, "columns": columns}
)


def _routes(site: Site) -> list[BaseRoute]:
    looks = (
        Route(f"{BASE}/{name}/{{table}}", Endpoint(site, handler, refuse=refuse, methods=("GET", "POST")))
        for name, handler in _HANDLERS.items()
    )
    return [Route(f"{BASE}/openapi.json", Endpoint(site, description)), *looks]


def _links(_: Site) -> Iterable[Link]:
    return ()


SERVICE = Service("looks", "Looks at tables (density, sky, histogram, facets, columns)", _routes, lambda _: (), _links)
