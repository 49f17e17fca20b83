"""VOSI: what services say of themselves.

VOSI 1.1 (IVOA REC 2017-05-24): availability (section 5), capabilities (4), tables with `detail` and single tables (6).
Tables are described as VODataService 1.2 (IVOA REC 2021-11-02), section 3.3, lays down. What a protocol says of its own
capability stands with the protocol.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

from starlette.routing import BaseRoute, Route

from skydex.archive import Schema, View
from skydex.errors import BadParameterError, UnknownResourceError
from skydex.query.languages.words import spelled
from skydex.tables import Column, ForeignKey, Table
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.views import view_of
from skydex.web.xml import document, element, optional, text

__all__ = [
    "SECURITY_METHODS",
    "SERVICE",
    "STARTED",
    "capabilities_document",
    "capability",
    "vosi_capabilities",
    "vosi_routes",
]

XML_TYPE = "text/xml; charset=utf-8"
SECURITY_METHODS = (
    element("securityMethod"),
    element("securityMethod", attributes={"standardID": "ivo://ivoa.net/sso#BasicAA"}),
)
"""What an interface says of logging in: one need not, or by HTTP Basic (IVOA SSO 2.0, section 2)."""

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NAMESPACES = {
    "xmlns:xsi": _XSI,
    "xmlns:vr": "http://www.ivoa.net/xml/VOResource/v1.0",
    "xmlns:vs": "http://www.ivoa.net/xml/VODataService/v1.1",
}
_PROTOCOLS = {
    "xmlns:vosi": "http://www.ivoa.net/xml/VOSICapabilities/v1.0",
    "xmlns:tr": "http://www.ivoa.net/xml/TAPRegExt/v1.0",
    "xmlns:cs": "http://www.ivoa.net/xml/ConeSearch/v1.0",
    "xmlns:sia": "http://www.ivoa.net/xml/SIA/v1.1",
    **_NAMESPACES,
}
STARTED = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
"""When this process of the server began."""

Capability = Callable[[Call], Iterable[str]]
"""The capability elements of the service that a call addresses."""


def vosi_routes(site: Site, base: str, capabilities: Capability, *, with_tables: bool) -> list[BaseRoute]:
    """The VOSI resources below the base path of a service; in `base`, `{collection}` restricts the tables."""

    async def describe(call: Call) -> Reply:
        ways = () if call.user else dali.CHALLENGES  # where TOPCAT looks for a way to log in (AuthVO 1.0 WD 2025-05-27)
        return call.document(capabilities_document(capabilities(call)), XML_TYPE, ways)

    handlers = {"/capabilities": describe, "/availability": _availability}
    if with_tables:
        handlers |= {"/tables": _tables, "/tables/{name}": table_reply}
    return [Route(base + path, Endpoint(site, handler)) for path, handler in handlers.items()]


def vosi_capabilities(base_url: str, *, with_tables: bool) -> Iterable[str]:
    """Capability elements of the VOSI resources below a service's address."""
    names = ("capabilities", "availability", "tables") if with_tables else ("capabilities", "availability")
    for name in names:
        version = "1.1" if name == "tables" else None
        yield capability(f"ivo://ivoa.net/std/VOSI#{name}", f"{base_url}/{name}", version=version)


def capability(standard_id: str, url: str, *, version: str | None = None, use: str = "full") -> str:
    """The capability element of a standard resource with an address of its own, or that begins so (`use="base"`)."""
    access = text("accessURL", url, {"use": use})
    attributes = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": version}
    interface = element("interface", access, *SECURITY_METHODS, attributes=attributes)
    return element("capability", interface, attributes={"standardID": standard_id})


def capabilities_document(capabilities: Iterable[str]) -> bytes:
    """A VOSI capabilities document."""
    return document(element("vosi:capabilities", *capabilities, attributes=_PROTOCOLS))


async def _availability(_: Call) -> Reply:
    namespace = {"xmlns:vosi": "http://www.ivoa.net/xml/VOSIAvailability/v1.0"}
    facts = (text("vosi:available", "true"), text("vosi:upSince", STARTED))
    return Reply(document(element("vosi:availability", *facts, attributes=namespace)), XML_TYPE)


async def _tables(call: Call) -> Reply:
    detail = ((await call.parameters()).find("detail") or "max").lower()
    if detail not in ("min", "max"):
        raise BadParameterError("detail", 'must be "min" or "max".')
    return call.document(_tableset(view_of(call), detail), XML_TYPE)


async def table_reply(call: Call) -> Reply:
    """The description of the table that a call names."""
    wanted = (call.part("name") or "").lower()
    schemas = view_of(call).schemas
    table = next((table for schema in schemas for table in schema.tables if table.name.lower() == wanted), None)
    if table is None:
        raise UnknownResourceError("table", wanted)
    root = _table_element("vosi:table", table, is_full=True, attributes=_tables_namespaces())
    return call.document(document(root), XML_TYPE)


def _tableset(view: View, detail: str) -> bytes:
    """The document about all tables, kept as long as they are the same."""
    return view.namespace.kept((_tableset, detail), lambda: _new_tableset(view, detail))


def _new_tableset(view: View, detail: str) -> bytes:
    schemas = [_schema_element(schema, is_full=detail == "max" or schema.is_own) for schema in view.schemas]
    attributes = _tables_namespaces() | {"xsi:type": "vs:TableSet"}
    return document(element("vosi:tableset", *schemas, attributes=attributes))


def _schema_element(schema: Schema, *, is_full: bool) -> str:
    tables = [_table_element("table", table, is_full=is_full) for table in schema.tables]
    return element("schema", text("name", schema.name), optional("description", schema.description), *tables)


def _table_element(tag: str, table: Table, *, is_full: bool, attributes: dict[str, str] | None = None) -> str:
    parts = [
        text("name", table.name),
        optional("description", table.description),
        optional("utype", table.utype),
        optional("nrows", table.n_rows),
    ]
    if is_full:
        parts += [_column_element(column, is_key=column.name == table.id_column) for column in table.columns]
        parts += [_foreign_key_element(key) for key in table.foreign_keys]
    return element(tag, *parts, attributes={"type": "table", **(attributes or {})})


def _column_element(column: Column, *, is_key: bool) -> str:
    kind = {"xsi:type": "vs:VOTableType", "arraysize": column.arraysize, "extendedType": column.xtype}
    return element(
        "column",
        text("name", spelled(column.name)),
        optional("description", column.description),
        optional("unit", column.unit),
        optional("ucd", column.ucd),
        optional("utype", column.utype),
        text("dataType", column.datatype.value, kind),
        *(text("flag", flag) for flag, holds in _flags(column, is_key) if holds),
        attributes={"std": "true" if column.std else "false"},
    )


def _flags(column: Column, is_key: bool) -> tuple[tuple[str, bool], ...]:
    return ("indexed", column.indexed), ("primary", is_key), ("principal", column.principal)


def _foreign_key_element(key: ForeignKey) -> str:
    pairs = [
        element("fkColumn", text("fromColumn", spelled(here)), text("targetColumn", spelled(there)))
        for here, there in key.columns
    ]
    return element(
        "foreignKey", text("targetTable", key.target_table), *pairs, optional("description", key.description)
    )


def _tables_namespaces() -> dict[str, str]:
    return {"xmlns:vosi": "http://www.ivoa.net/xml/VOSITables/v1.0", **_NAMESPACES}


def _routes(site: Site) -> list[BaseRoute]:
    from skydex.web import SERVICES

    def everything(call: Call) -> Iterable[str]:
        return [capability for service in SERVICES for capability in service.capabilities(call.site)]

    return vosi_routes(site, "", everything, with_tables=False)


def _links(site: Site) -> Iterable[Link]:
    yield Link("What the services can", f"{site.url}/capabilities")
    yield Link("Whether they are up", f"{site.url}/availability")


SERVICE = Service("vosi", "Service descriptions (VOSI)", _routes, lambda _: (), _links)
