"""Names at MAST: `Mast.Name.Lookup`, and SANTA, which astroquery asks from version 0.4.11 on.

Both give a list of entries, as JSON or XML: MAST API, https://mast.stsci.edu/api/v0/_services.html, and
https://mastresolver.stsci.edu/Santa-war. SANTA takes `name` up to 30 times, `resolver` to ask somebody particular (of
several the first that knows the name), `resolveAll` for everybody's answers, `outputFormat`, `jsonp`, `grouped`. Of a
name that nobody knows there is no entry. MAST prefers the position of NED where it is known, then that of SIMBAD.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from skydex.errors import BadParameterError
from skydex.names import NamedObject
from skydex.web.asgi import Call, Reply
from skydex.web.mast.requests import InvokeRequest, InvokeService
from skydex.web.naming import Found, look_up
from skydex.web.vosi import XML_TYPE
from skydex.web.xml import document, element, text

__all__ = ["SERVICES", "santa"]

JSON_TYPE = "application/json"

_CATALOGS = ("TIC", "KEPLER", "K2", "EXO")
_ORDER = ("NED", "SIMBAD")
"""Who is asked first for one answer."""
_EVERYBODY = (*_CATALOGS, "SIMBAD", "NED")
"""In the order of the answers of all."""
_SPEAKING_FOR_ALL = ("SIMBAD", "NED")
"""Those who answer with what the archive knows, where they have no position of their own."""
_MOST_NAMES = 100
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,100}", re.ASCII)

Entry = dict[str, Any]


async def lookup(call: Call, request: InvokeRequest) -> Reply:
    """Answer `Mast.Name.Lookup`; it is XML unless the service's own parameters ask for JSON."""
    name = request.params.get("input")
    if not isinstance(name, str) or not name.strip():
        raise BadParameterError("input", "is missing: it holds the name of an object.")
    entries = await _entries(call, [name], resolvers=_texts(request.params.get("resolver")), with_all=False)
    wanted = request.params.get("format", request.format or "xml")
    return _reply(entries, as_json=isinstance(wanted, str) and wanted.lower() in ("json", "extjs"))


async def santa(call: Call) -> Reply:
    """Answer a request to SANTA."""
    parameters = await call.parameters()
    names = [name for name in parameters.values("name") if name.strip()]
    if not names:
        raise BadParameterError("name", "is missing.")
    if len(names) > _MOST_NAMES:
        raise BadParameterError("name", f"is given more than {_MOST_NAMES} times.")
    with_all = (parameters.find("resolveAll") or "").lower() == "true"
    entries = await _entries(call, names, resolvers=parameters.values("resolver"), with_all=with_all)
    callback = parameters.find("jsonp")
    if callback is not None:
        return _called_back(callback, entries)
    as_json = (parameters.find("outputFormat") or "xml").lower() == "json"
    is_grouped = (parameters.find("grouped") or "").lower() == "true"
    return _grouped(entries, as_json=as_json) if is_grouped else _reply(entries, as_json=as_json)


async def _entries(call: Call, names: Sequence[str], *, resolvers: Sequence[str], with_all: bool) -> list[Entry]:
    start = time.monotonic()
    found = await look_up(call, names)
    milliseconds = round((time.monotonic() - start) * 1000.0)
    return [
        _entry(one, known, resolver, milliseconds)
        for one in found
        for resolver, known in (_everybody(one) if with_all else _somebody(one, resolvers))
    ]


def _everybody(found: Found) -> Iterator[tuple[str, NamedObject]]:
    """What each authority answers; for catalogues only positions of their own."""
    for authority in _EVERYBODY:
        known = found.by(authority)
        if known and (known.authority or (authority in _SPEAKING_FOR_ALL and not _is_position(known))):
            yield authority, known
    yield from ((_speaker(known), known) for known in found.objects if _is_position(known))


def _somebody(found: Found, resolvers: Sequence[str]) -> Iterator[tuple[str, NamedObject]]:
    """The first answer, of those who are asked or of anybody."""
    for resolver in resolvers:
        if known := found.by(resolver):
            yield resolver.upper(), known
            return
    known = None if resolvers else found.best(_ORDER)
    if known:
        yield _speaker(known), known


def _is_position(known: NamedObject) -> bool:
    return known.source == "position"


def _speaker(known: NamedObject) -> str:
    """Who answers if nobody particular was asked."""
    return "Coordinates" if _is_position(known) else known.authority.upper() or known.source


def _entry(found: Found, known: NamedObject, resolver: str, milliseconds: int) -> Entry:
    entry: Entry = {
        "searchString": found.text.lower(),
        "resolver": resolver,
        "cached": False,
        "resolverTime": milliseconds,
        "searchRadius": -1.0 if known.radius_deg is None else known.radius_deg,
        "canonicalName": known.name,
        "ra": known.ra_deg,
        "decl": known.dec_deg,
    }
    if known.major_axis_deg is not None:
        entry |= {"radius": known.major_axis_deg / 2.0, "majorAxis": known.major_axis_deg}
        entry["minorAxis"] = known.major_axis_deg if known.minor_axis_deg is None else known.minor_axis_deg
    if known.position_angle_deg is not None:
        entry["positionAngle"] = known.position_angle_deg
    if known.object_type:
        entry["objectType"] = known.object_type
    return entry


def _reply(entries: Sequence[Entry], *, as_json: bool) -> Reply:
    if as_json:
        return Reply(_json({"resolvedCoordinate": entries, "status": ""}), JSON_TYPE)
    return Reply(document(element("resolvedItems", *map(_element, entries), text("status", ""))), XML_TYPE)


def _grouped(entries: Sequence[Entry], *, as_json: bool) -> Reply:
    """Entries by the name that was asked for."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry["searchString"], []).append(entry)
    if as_json:
        items = [{"searchString": name, "resolvedCoordinate": group} for name, group in groups.items()]
        return Reply(_json({"resolvedItems": items, "status": ""}), JSON_TYPE)
    elements = (
        element("resolvedItem", *map(_element, group), attributes={"searchString": name})
        for name, group in groups.items()
    )
    return Reply(document(element("resolvedItems", *elements, text("status", ""))), XML_TYPE)


def _called_back(callback: str, entries: Sequence[Entry]) -> Reply:
    if not _CALLBACK.fullmatch(callback):
        raise BadParameterError("jsonp", "must be the name of a function.")
    body = _json({"resolvedCoordinate": entries, "status": ""})
    return Reply(callback.encode() + b"(" + body + b");", "application/javascript")


def _element(entry: Entry) -> str:
    words = ((key, str(value).lower() if isinstance(value, bool) else value) for key, value in entry.items())
    return element("resolvedCoordinate", *(text(key, value) for key, value in words))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _texts(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str) and item]


SERVICES = (InvokeService("Mast.Name.Lookup", lookup),)
