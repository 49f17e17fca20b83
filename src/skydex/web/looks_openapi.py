"""Looks described for machines: OpenAPI 3.1.0 (OpenAPI Initiative, 2021-02-15).

One description for all tables: which there are, the catalogue REST API says (`catalog_openapi`), as it does what
constraints on their columns may be.
"""

from __future__ import annotations

from typing import Any

from skydex import __version__
from skydex.formats import writable
from skydex.settings import Settings

__all__ = ["looks_openapi"]

Schema = dict[str, Any]
_Look = tuple[str, str, list[Schema]]
"""Its name, what it gives, and its parameters."""

_EXPRESSION = "A column, or an expression of columns in ADQL"
_RANGE: Schema = {"type": "string", "pattern": r"^[^,]+,[^,]+$"}


def looks_openapi(settings: Settings, *, url: str) -> Schema:
    """Describe every look.

    Parameters
    ----------
    settings : Settings
        Limits.
    url : str
        Public address of the looks.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings.title}: looks at tables", "version": __version__},
        "servers": [{"url": url}],
        "paths": {
            f"/{name}/{{table}}.{{format}}": {
                "parameters": [_path("table", {"type": "string"}), _path("format", _formats())],
                "get": {"summary": summary, "parameters": parameters, "responses": _responses()},
            }
            for name, summary, parameters in (
                _density(settings),
                _sky(),
                _histogram(settings),
                _facets(),
                _columns(),
            )
        },
    }


def _density(settings: Settings) -> _Look:
    cells = settings.look_cells
    parameters = [
        *(_query(name, _EXPRESSION, {"type": "string"}, is_required=True) for name in "xy"),
        *(_query(f"{name}_range", "From where to where: two numbers", _RANGE) for name in "xy"),
        *(_query(f"n{name}", f"Cells along {name}", _count(cells, 256)) for name in "xy"),
        _query("color", f"{_EXPRESSION}, of which each cell has the median or the mean", {"type": "string"}),
        *_chosen(),
    ]
    return "density", "Rows in the cells of a plane: ix, iy, n, and value_median or value_mean of a colour", parameters


def _sky() -> _Look:
    parameters = [
        _query("order", "HEALPix order", {"type": "integer", "minimum": 0, "maximum": 29}),
        _query("centers", "Whether the places of the pixels are wanted", {"type": "boolean"}),
        *_chosen(),
    ]
    return "sky", "Rows by HEALPix pixel (NESTED, ICRS): order, pixel, n", parameters


def _histogram(settings: Settings) -> _Look:
    parameters = [
        _query("x", _EXPRESSION, {"type": "string"}, is_required=True),
        _query("range", "From where to where: two numbers", _RANGE),
        _query("bins", "How many", _count(settings.look_cells, 100)),
        _query("log", "Whether they are equal in the logarithm", {"type": "boolean"}),
        *_chosen(),
    ]
    return "histogram", "Rows in bins of a value: bin, lo, hi, n", parameters


def _facets() -> _Look:
    parameters = [
        _query("columns", "Names with commas; those that look like categories by default", {"type": "string"}),
        _query("most", "Values of each", _count(1000, 20)),
        *_chosen(),
    ]
    return "facets", "The most frequent values of columns: column, value, n, n_distinct, is_estimate", parameters


def _columns() -> _Look:
    parameters = [_query("bins", "Bins of each histogram", _count(200, 24))]
    return "columns", "Every column with its bounds, nulls and a small histogram", parameters


def _chosen() -> list[Schema]:
    """Which rows count."""
    return [
        _query("ra", "Right ascension of the centre of a cone, ICRS, degrees", _number(0, 360)),
        _query("dec", "Declination of the centre, ICRS, degrees", _number(-90, 90)),
        _query("radius", "Radius of the cone in degrees", _number(0, 180)),
        _constraints(),
    ]


def _query(name: str, description: str, schema: Schema, *, is_required: bool = False) -> Schema:
    return {"name": name, "in": "query", "description": description, "required": is_required, "schema": schema}


def _path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _constraints() -> Schema:
    """Constraints on columns, as one object in exploded form (section 4.8.12)."""
    return {
        "name": "constraints",
        "in": "query",
        "style": "form",
        "explode": True,
        "description": "`column=value` or `column.operator=value`, as in catalogue searches",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }


def _formats() -> Schema:
    return {"type": "string", "enum": [form.name for form in writable() if "/" not in form.name]}


def _number(least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


def _count(most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


def _responses() -> Schema:
    content: Schema = {form.media_type.partition(";")[0]: {} for form in writable()}
    told = {"application/json": {"schema": {"type": "object", "required": ["error", "status"]}}}
    return {
        "200": {"description": "The look", "content": content},
        "400": {"description": "Something in the request cannot be; the message names it", "content": told},
        "404": {"description": "There is no such table", "content": told},
    }
