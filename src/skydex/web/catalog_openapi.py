"""The catalogue REST API described for machines: OpenAPI 3.1.0 (OpenAPI Initiative, 2021-02-15).

The description follows from what is offered and from the columns of the tables. Constraints are one object-valued
parameter in exploded form (section 4.8.12), whose members are the columns and their operators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from skydex import __version__
from skydex.archive import OPERATORS, CatalogOffer
from skydex.formats import Format, writable
from skydex.settings import Settings
from skydex.tables import Column, Datatype, Table
from skydex.web.catalog_parameters import largest_radius

__all__ = ["openapi_document"]

Schema = dict[str, Any]
TableOf = Callable[[CatalogOffer], Table]

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_TEXT_OPERATORS = ("like", "contains", "in")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")
"""What the name of a component must not have."""
_ERRORS = {
    "400": "Something in the request cannot be; the message names it",
    "404": "There is no such table or release",
    "413": "The request is too large",
    "429": "Too many requests",
    "500": "The service failed",
    "503": "The service is busy; see Retry-After",
}
_ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "description": "What is wrong, to what, and what to try"},
        "status": {"type": "integer"},
        "name": {"type": "string", "description": "The parameter, column or address that it is about"},
        "near": {"type": "array", "items": {"type": "string"}, "description": "What may have been meant"},
    },
    "required": ["error", "status"],
}
_METADATA: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "type", "db_type", "description", "unit", "ucd"],
        "additionalProperties": {"type": "string"},
    },
}
_ANSWER: Schema = {
    "type": "object",
    "required": ["info", "data", "overflow"],
    "properties": {
        "info": {**_METADATA, "items": {**_METADATA["items"], "required": ["name", "type", "db_type", "description"]}},
        "data": {"type": "array", "items": {"type": "array"}},
        "overflow": {"type": "boolean", "description": "Whether there are more rows than this page has"},
    },
}


def openapi_document(
    offers: Iterable[CatalogOffer], table_of: TableOf, settings: Settings, *, url: str, title: str
) -> Schema:
    """Describe everything that is offered.

    Parameters
    ----------
    offers : iterable of CatalogOffer
        What is offered.
    table_of : callable
        Gives the table of an offer.
    settings : Settings
        Limits.
    url : str
        Public address of the API.
    title : str
        Name of the archive.
    """
    paths: Schema = {}
    schemas: Schema = {"Error": _ERROR, "Metadata": _METADATA, "Answer": _ANSWER}
    for offer in offers:
        table = table_of(offer)
        paths |= dict(_paths(offer, table, settings))
        schemas |= {
            _constraints_of(offer): _constraint_schema(table),
            _request_of(offer): _request(offer, table, settings),
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{title}: catalogues",
            "version": __version__,
            "description": "Search catalogues by position and by constraints on columns.",
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _paths(offer: CatalogOffer, table: Table, settings: Settings) -> Iterator[tuple[str, Schema]]:
    fields = _fields(offer, table, settings)
    body = {"content": {kind: {"schema": _reference(_request_of(offer))} for kind in (_JSON, _FORM)}}
    about = {"summary": offer.title or table.name, "description": table.description, "tags": [offer.path]}
    answers = {**_answer(), **_errors()}
    yield (
        f"/{offer.path}.{{format}}",
        {
            "parameters": [_format_parameter()],
            "get": {**about, "parameters": [*_query(fields), _constraints(offer)], "responses": answers},
            "post": {**about, "requestBody": body, "responses": answers},
        },
    )
    described = {"description": "The columns", "content": {_JSON: {"schema": _reference("Metadata")}}}
    responses = {"200": described, **_errors()}
    yield f"/{offer.path}/metadata", {"get": {**about, "responses": responses}}
    if offer.crossmatch:
        yield f"/{offer.path}/crossmatch/upload.{{format}}", {
            "parameters": [_format_parameter()],
            "post": {**about, "requestBody": {"content": {"multipart/form-data": {"schema": _upload(offer, settings)}}},
                     "responses": answers},
        }  # fmt: skip


def _fields(offer: CatalogOffer, table: Table, settings: Settings) -> dict[str, Schema]:
    """The parameters that are no columns, each with its schema."""
    names = [column.name for column in table.columns]
    fields: dict[str, Schema] = {}
    if table.position is not None or offer.place is not None:
        radius = largest_radius(offer, settings)
        fields |= {
            "ra": _number("Right ascension of the centre, ICRS, degrees", 0, 360),
            "dec": _number("Declination of the centre, ICRS, degrees", -90, 90),
            "radius": _number("Radius of the cone in degrees", 0, radius),
        }
    fields |= {
        "columns": _list("Columns of the answer, in their order", {"enum": names}),
        "sort_by": _list("Columns to sort by, each with `.asc` or `.desc`", {"pattern": _keys(names)}),
        "pagesize": _count("Rows of a page", settings.max_rows_hard, offer.page_rows),
        "page": _count("Number of the page, from 1", 1_000_000, 1),
    }
    return fields


def _request(offer: CatalogOffer, table: Table, settings: Settings) -> Schema:
    """All parameters as one object, as a POST has them."""
    constraints = _constraint_schema(table)
    return {**constraints, "properties": {**_fields(offer, table, settings), **constraints["properties"]}}


def _constraints_of(offer: CatalogOffer) -> str:
    return f"{_NO_NAME.sub('_', offer.path)}.constraints"


def _request_of(offer: CatalogOffer) -> str:
    return f"{_NO_NAME.sub('_', offer.path)}.request"


def _query(fields: dict[str, Schema]) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "query",
            "description": schema["description"],
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        for name, schema in fields.items()
    ]


def _constraints(offer: CatalogOffer) -> Schema:
    words = "; ".join(f"`{word}` {meaning}" for word, meaning in OPERATORS.items())
    return {
        "name": "constraints",
        "in": "query",
        "style": "form",
        "explode": True,
        "description": f"`column=value` or `column.operator=value`. Operators: {words}.",
        "schema": _reference(_constraints_of(offer)),
    }


def _constraint_schema(table: Table) -> Schema:
    scalars = [column for column in table.columns if not column.is_array]
    patterns = {
        f"^({'|'.join(re.escape(column.name) for column in group)})\\.({'|'.join(operators)})$": schema
        for group, operators, schema in _groups(scalars)
    }
    return {
        "type": "object",
        "properties": {column.name: _of_column(column) for column in scalars},
        "patternProperties": patterns,
        "additionalProperties": False,
    }


def _groups(columns: list[Column]) -> Iterator[tuple[list[Column], list[str], Schema]]:
    """Columns of one kind, with the operators that they have."""
    plain = [word for word in OPERATORS if word not in ("between", "null", "nnull", *_TEXT_OPERATORS)]
    numbers = [column for column in columns if column.datatype.is_numeric]
    texts = [column for column in columns if column.datatype.is_text and not column.is_timestamp]
    if numbers:
        yield numbers, plain, {"type": "number"}
    if texts:
        yield texts, [*plain, *_TEXT_OPERATORS], {"type": "string"}
    if columns:
        yield columns, ["null", "nnull"], {"type": "boolean"}


def _of_column(column: Column) -> Schema:
    unit = f" [{column.unit}]" if column.unit else ""
    return {"type": _type_of(column), "description": f"{column.description}{unit}"}


def _type_of(column: Column) -> str:
    if column.datatype is Datatype.BOOLEAN:
        return "boolean"
    if column.datatype.is_text:
        return "string"
    return "integer" if column.datatype.is_integer else "number"


def _upload(offer: CatalogOffer, settings: Settings) -> Schema:
    return {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "contentMediaType": "text/csv", "description": "Positions, as CSV or VOTable"},
            "radius": _number("How far a counterpart may be, in degrees", 0, largest_radius(offer, settings)),
            "ra_name": {"type": "string", "description": "Column with right ascensions, in degrees; `ra` by default"},
            "dec_name": {"type": "string", "description": "Column with declinations, in degrees; `dec` by default"},
        },
    }


def _format_parameter() -> Schema:
    names = [form.name for form in writable() if "/" not in form.name]
    return {"name": "format", "in": "path", "required": True, "schema": {"type": "string", "enum": names}}


def _answer() -> Schema:
    forms = [form for form in writable() if form.name != "json"]
    content: Schema = {_media_type(form): {} for form in forms}
    content[_JSON] = {"schema": _reference("Answer")}
    more = {"description": "Whether there are more rows than this page has", "schema": {"enum": ["true", "false"]}}
    link = {"description": 'The next page, as `rel="next"`, if there is one', "schema": {"type": "string"}}
    headers = {"X-More-Rows": more, "Link": link}
    return {"200": {"description": "A page of rows", "headers": headers, "content": content}}


def _media_type(form: Format) -> str:
    return form.media_type.partition(";")[0]


def _errors() -> Schema:
    content = {_JSON: {"schema": _reference("Error")}}
    return {status: {"description": words, "content": content} for status, words in _ERRORS.items()}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _number(description: str, least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most, "description": description}


def _count(description: str, most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default, "description": description}


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "items": {"type": "string", **items}, "description": description}


def _keys(names: Iterable[str]) -> str:
    return f"^({'|'.join(map(re.escape, names))})(\\.(asc|desc))?$"
