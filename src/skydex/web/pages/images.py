"""Images: found by name or position, time, band and collection; as a list, as footprints, and cut out.

The rows are those of `ivoa.obscore`, found as SIA 2 finds them; previews, files, links and cutouts are the services'
own. What is asked stands in the address, so that a search can be passed on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from skydex.archive import ImageSearch, Interval, LightCurvesRequest, Parameters, Spanning, Words, cutout_request
from skydex.archive.links import adql_name
from skydex.errors import BadParameterError, SkydexError, UnknownImageError
from skydex.query import parse_regions
from skydex.sky import Cone
from skydex.store import ImageRecord
from skydex.tables import OBSCORE, spelled
from skydex.web.asgi import Call
from skydex.web.naming import look_up
from skydex.web.pages import assets
from skydex.web.pages.cutting import cutout_uri, file_uri, look_facts, look_words, northward
from skydex.web.pages.definition import Page
from skydex.web.pages.fieldmap import field_of
from skydex.web.pages.policy import Policy
from skydex.web.pages.rendering import Facts, query_part
from skydex.web.pages.rows import rows_of
from skydex.web.pages.searchable import searchable

__all__ = ["PAGE"]

_BANDS = {
    "X-ray": (1e-11, 1e-8),
    "ultraviolet": (1e-8, 4e-7),
    "blue": (4e-7, 5e-7),
    "green": (5e-7, 6e-7),
    "red": (6e-7, 7e-7),
    "near infrared": (7e-7, 1e-6),
    "infrared": (1e-6, 3e-5),
}
"""Metres; images that have some of it."""
_COLUMNS = (
    "obs_collection", "obs_id", "obs_title", "obs_publisher_did", "access_url", "target_name", "s_ra", "s_dec",
    "s_region", "s_pixel_scale", "t_min", "t_exptime", "calib_level", "em_min", "em_max", "facility_name",
    "instrument_name",
)  # fmt: skip
_ASKED = ("q", "radius", "collection", "band", "from", "to", "first", "image")
"""Parameters that make a page of results."""
_KEPT = ("q", "radius", "collection", "band", "from", "to", "first", "surveys")
_MOST = 500
_PER_PAGE = 20
_STAMP = 120
"""Pixels of the small pictures of a list."""
_MOST_EXAMPLES = 6
_DAY_0 = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)
_MJD = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?", re.ASCII)
_PLAIN = "@:+"
_SURVEYS = {"cds": ("https://alasky.cds.unistra.fr", "https://alaskybis.cds.unistra.fr")}
"""Where surveys of the whole sky come from, if the reader asks for them: from the CDS, Strasbourg."""


async def gather(call: Call) -> Facts:
    """A form, what it finds, and a cutout of one of the images."""
    parameters = await call.parameters()
    asked = {name: parameters.find(name) or "" for name in _KEPT}
    collections = call.site.archive.images(call.owner).collections()
    facts: Facts = {
        "asked": asked,
        "collections": list(collections),
        "bands": list(_BANDS),
        "position": None,
        "trouble": "",
        "images": [],
        "n": None,
        "overflow": False,
        "first": 1,
        "back": "",
        "forth": "",
        "field": None,
        "objects": None,
        "cutout": None,
        "examples": [],
        "aladin": assets.built("aladin"),
        "surveys": asked["surveys"] if asked["surveys"] in _SURVEYS else "",
        "query": query_part({name: value for name, value in asked.items() if value}),
        "sia": "",
    }
    if call.site.archive.namespace(owner=call.owner).find(OBSCORE) is None:
        return facts
    if not any(parameters.find(name) for name in _ASKED):
        return facts | {"examples": await _examples(call, collections)}
    place = await _place(call, asked["q"])
    if isinstance(place, str):
        return facts | {"trouble": place}
    return facts | await _found(call, parameters, place, asked)


async def _found(call: Call, parameters: Parameters, place: tuple[float, float] | None, asked: Facts) -> Facts:
    radius = parameters.get_number("radius", least=0.0, most=180.0) if asked["radius"] else 0.1
    cone = Cone(*place, radius) if place else None
    searches = _is_search(asked)
    rows = await _rows(call, asked, cone) if searches else ([], False)
    found = sorted(rows[0], key=_rank)
    begin = min(max((parameters.find_integer("first") or 1) - 1, 0), _MOST)
    chosen = await _chosen(call, parameters.find("image"), found)
    shown = found[begin : begin + _PER_PAGE]
    images = [_image(call, row, place, asked) for row in shown]
    cutout = await _cutout(call, parameters, chosen, found, place) if chosen else None
    return {
        "position": {"ra": place[0], "dec": place[1], "radius": radius} if place else None,
        "images": images,
        "n": len(found) if searches else None,
        "overflow": rows[1],
        "first": begin + 1,
        "back": _turned(asked, begin + 1 - _PER_PAGE) if begin else "",
        "forth": _turned(asked, begin + 1 + _PER_PAGE) if begin + _PER_PAGE < len(found) else "",
        "field": field_of([row["s_region"] or "" for row in shown], centre=place, radius_deg=radius if place else None),
        "objects": _objects(call, [row["obs_collection"] for row in shown]),
        "cutout": cutout,
        "sia": f"{call.site.url}/sia2/query?{_sia(asked, cone)}",
    }


def _objects(call: Call, collections: Sequence[str]) -> Facts | None:
    """The largest table of objects of the collection that most of the images are of, whose places the field shows."""
    if not collections:
        return None
    most = max(collections, key=collections.count)
    namespace = call.site.archive.namespace(owner=call.owner)
    there = [table for table in searchable(call) if table.schema_name == most and table.id_column is not None]
    held = [LightCurvesRequest(table.name).find_holding(namespace) for table in there]
    measured = {holding.points.name for holding in held if holding is not None}
    named = {holding.objects.name for holding in held if holding is not None and holding.objects is not None}
    others = [table for table in there if table.name not in measured and table.find_column("s_region") is None]
    objects = [table for table in others if table.name in named] or others
    table = max(objects, key=lambda one: one.n_rows or 0, default=None)
    if table is None:
        return None
    ra, dec = (spelled(column.name) for column in table.position_columns())
    return {"table": table.name, "written": adql_name(table.name), "ra": ra, "dec": dec}


def _rank(row: dict[str, Any]) -> tuple[Any, ...]:
    """What is worked up furthest comes first, then what was taken first."""
    return -(row["calib_level"] or 0), row["t_min"] or 0.0, row["obs_collection"], row["obs_publisher_did"]


def _turned(asked: Facts, first: int) -> str:
    """The query of another page of the same search."""
    return query_part({**{name: value for name, value in asked.items() if value}, "first": max(first, 1)})


def _is_search(asked: Facts) -> bool:
    return any(asked[name] for name in ("q", "collection", "band", "from", "to"))


async def _place(call: Call, text: str) -> tuple[float, float] | str | None:
    """The position that is meant; a sentence where nobody knows it."""
    if not text.strip():
        return None
    found = (await look_up(call, [text.strip()[:200]]))[0]
    if found.objects:
        return found.objects[0].ra_deg, found.objects[0].dec_deg
    meant = f" Did you mean {' or '.join(found.near)}?" if found.near else ""
    return f'Nobody here knows where "{text[:100]}" is.{meant} A position is written in degrees, as 16.2 +2.1.'


async def _rows(call: Call, asked: Facts, cone: Cone | None) -> tuple[list[dict[str, Any]], bool]:
    search = ImageSearch(
        regions=(cone,) if cone else (),
        facts=tuple(_conditions(asked)),
        columns=_COLUMNS,
        max_rows=_MOST,
        owner=call.owner,
    )
    found = await rows_of(call, search, is_quick=True)
    return found.dicts(), found.overflow


def _conditions(asked: Facts) -> list[Spanning | Words]:
    conditions: list[Spanning | Words] = [Words("dataproduct_type", ("image", "cube"))]
    if asked["collection"]:
        conditions.append(Words("obs_collection", (asked["collection"],)))
    if asked["band"]:
        conditions.append(Spanning("em_min", "em_max", (_band(asked["band"]),)))
    if asked["from"] or asked["to"]:
        conditions.append(Spanning("t_min", "t_max", (_times(asked),)))
    return conditions


def _band(text: str) -> Interval:
    known = {name.lower(): limits for name, limits in _BANDS.items()}
    if text.lower() not in known:
        raise BadParameterError("band", f'must be one of {", ".join(_BANDS)}, not "{text[:40]}".')
    return Interval(*known[text.lower()])


def _times(asked: Facts) -> Interval:
    low = _mjd("from", asked["from"]) if asked["from"] else -math.inf
    high = _mjd("to", asked["to"]) if asked["to"] else math.inf
    if asked["to"] and len(asked["to"]) == len("2026-01-01") and "-" in asked["to"]:
        high += 1.0  # the whole day
    if low > high:
        raise BadParameterError("to", "lies before the beginning.")
    return Interval(low, high)


def _mjd(name: str, text: str) -> float:
    """A day of the calendar, or a Modified Julian Date."""
    if _MJD.fullmatch(text.strip()):
        return float(text)
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadParameterError(name, f'must be a date such as 2012-06-30, or an MJD, not "{text[:40]}".') from error
    return (moment.replace(tzinfo=moment.tzinfo or dt.UTC) - _DAY_0) / dt.timedelta(days=1)


def _sia(asked: Facts, cone: Cone | None) -> str:
    """The same search, as SIA 2 is asked."""
    words: dict[str, str] = {}
    if cone:
        words["POS"] = f"CIRCLE {cone.ra_deg:.8g} {cone.dec_deg:.8g} {cone.radius_deg:g}"
    if asked["collection"]:
        words["COLLECTION"] = asked["collection"]
    intervals = {
        "BAND": _band(asked["band"]) if asked["band"] else None,
        "TIME": _times(asked) if asked["from"] or asked["to"] else None,
    }
    for word, interval in intervals.items():
        if interval is not None:
            words[word] = f"{interval.low:.10g} {interval.high:.10g}".replace("inf", "Inf")
    return query_part(words)


async def _chosen(call: Call, did: str | None, found: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The image of the cutout: the one that is named, or the first that was found."""
    if not did:
        return found[0] if found else None
    known = next((row for row in found if row["obs_publisher_did"] == did), None)
    if known is not None:
        return known
    search = ImageSearch(facts=(Words("obs_publisher_did", (did[:1000],)),), columns=_COLUMNS, owner=call.owner)
    rows = (await rows_of(call, search, is_quick=True)).dicts()
    if not rows:
        raise UnknownImageError(did[:200])
    return rows[0]


def _record(call: Call, row: dict[str, Any]) -> ImageRecord | None:
    """What is known of an image whose pixels are here."""
    try:
        return call.site.archive.images(call.owner).get_did(row["obs_publisher_did"])
    except UnknownImageError:
        return None


def _image(call: Call, row: dict[str, Any], place: tuple[float, float] | None, asked: Facts) -> Facts:
    """One image as the list shows it; addresses are from the first page on."""
    record = _record(call, row)
    facts = {
        "did": row["obs_publisher_did"],
        "title": row["obs_title"] or row["obs_id"],
        "collection": row["obs_collection"],
        "target": row["target_name"],
        "instrument": " ".join(filter(None, dict.fromkeys((row["facility_name"], row["instrument_name"])))),
        "time": _date(row["t_min"]),
        "exptime": row["t_exptime"],
        "wavelength": _wavelength(row["em_min"], row["em_max"]),
        "region": row["s_region"],
        "links": f"datalink?{query_part({'ID': row['obs_publisher_did']})}",
        "file": row["access_url"],
        "preview": None,
        "stamp": None,
        "uri": None,
        "cut": query_part({**{k: v for k, v in asked.items() if v}, "image": row["obs_publisher_did"]}),
    }
    if record is None:
        return facts
    base = f"images/{quote(record.collection)}/{quote(record.name, safe=_PLAIN + '/')}/{record.hdu}"
    return facts | {
        "file": base,
        "preview": f"{base}/preview.jpg",
        "stamp": _stamp(record, row, place),
        "uri": file_uri(record.collection, record.name),
    }


def _stamp(record: ImageRecord, row: dict[str, Any], place: tuple[float, float] | None) -> str:
    """A small picture of the place in an image, or of its middle: all of a large image takes long to shrink."""
    words: dict[str, Any] = {"red": f"{record.name}[{record.hdu}]", "size": _STAMP, "output_size": _STAMP, "asinh": 1}
    if place and _is_on(row["s_region"], place):
        words |= {"ra": f"{place[0]:.8f}", "dec": f"{place[1]:.8f}"}
    return f"cgi-bin/fitscut.cgi?{query_part({**words, 'autoscale': '0.5,99.75', 'format': 'jpeg'})}"


async def _cutout(
    call: Call,
    parameters: Parameters,
    row: dict[str, Any],
    found: Sequence[dict[str, Any]],
    place: tuple[float, float] | None,
) -> Facts | None:
    """What the panel of the cutout shows."""
    record, look = _record(call, row), look_facts(parameters)
    if record is None:
        return None
    partners = [one for one in found if one["obs_collection"] == row["obs_collection"] and one is not row][:60]
    bands = {name: parameters.find(name) or "" for name in ("green", "blue")}
    names = {"red": record, **{name: _partner(call, did) for name, did in bands.items() if did}}
    words: dict[str, Any] = {name: f"{one.name}[{one.hdu}]" for name, one in names.items()}
    words |= {"align": 1} if len(words) > 1 else {}
    centre = place if place and _is_on(row["s_region"], place) else (row["s_ra"], row["s_dec"])
    if None not in centre:
        words |= {"ra": f"{centre[0]:.8f}", "dec": f"{centre[1]:.8f}"}
    place_words = {name: words[name] for name in words if name in ("red", "ra", "dec")} | {"size": look["size"]}
    turned = await _turn(call, place_words) if look["north"] else None
    return {
        **look,
        "did": row["obs_publisher_did"],
        "title": row["obs_title"] or row["obs_id"],
        "ra": centre[0],
        "dec": centre[1],
        "extent": look["size"] * (row["s_pixel_scale"] or math.nan) if row["s_pixel_scale"] else None,
        "green": bands["green"],
        "blue": bands["blue"],
        "partners": [{"did": one["obs_publisher_did"], "title": _short(one)} for one in partners],
        "src": f"cgi-bin/fitscut.cgi?{query_part({**words, **look_words(look), 'format': 'png'})}",
        "fits": f"cgi-bin/fitscut.cgi?{query_part({**place_words, 'format': 'fits'})}",
        "side": round(look["size"] * look["zoom"]),
        "turn": {"degrees": round(turned[0], 3), "is_mirrored": turned[1]} if turned else None,
        "uri": cutout_uri(record.collection, record.name, place_words),
    }


async def _turn(call: Call, words: dict[str, Any]) -> tuple[float, bool] | None:
    request = cutout_request(
        Parameters([*((name, str(word)) for name, word in words.items()), ("format", "fits")]), call.owner
    )
    return northward(await call.gathered(replace(request, size=(8, 8)), max_mb=1, is_quick=True))


def _partner(call: Call, did: str) -> ImageRecord:
    return call.site.archive.images(call.owner).get_did(did[:1000])


def _is_on(region: str | None, place: tuple[float, float]) -> bool:
    try:
        return any(part.region().contains(*place).all() for part in parse_regions(region or ""))
    except SkydexError:
        return False


def _short(row: dict[str, Any]) -> str:
    return f"{row['obs_title'] or row['obs_id']} ({_date(row['t_min'])})"


def _date(mjd: float | None) -> str:
    return (_DAY_0 + dt.timedelta(days=mjd)).strftime("%Y-%m-%d %H:%M") if mjd is not None else ""


def _wavelength(low: float | None, high: float | None) -> str:
    """A band in a unit that suits it."""
    if low is None or high is None:
        return ""
    unit, factor = ("µm", 1e6) if high >= 1e-6 else ("nm", 1e9)
    return f"{low * factor:.3g}\u2013{high * factor:.3g} {unit}"


async def _examples(call: Call, collections: Sequence[str]) -> list[Facts]:
    """An image of each collection, as something to begin with."""
    return [
        one for one in await asyncio.gather(*(_example(call, name) for name in collections[:_MOST_EXAMPLES])) if one
    ]


async def _example(call: Call, collection: str) -> Facts | None:
    search = ImageSearch(
        facts=(Words("obs_collection", (collection.lower(),)),), columns=_COLUMNS, max_rows=1, owner=call.owner
    )
    rows = (await rows_of(call, search, is_quick=True)).dicts()
    if not rows or rows[0]["s_ra"] is None:
        return None
    row = rows[0]
    asked = {"q": f"{row['s_ra']:.5f} {row['s_dec']:+.5f}", "radius": "0.05", "collection": collection}
    image = _image(call, row, None, asked)
    return {"collection": collection, "title": image["title"], "stamp": image["stamp"], "query": query_part(asked)}


def _policy(call: Call) -> Policy:
    """Aladin Lite runs here; what it may ask besides this server is what the reader has asked for."""
    surveys = dict(call.query_pairs()).get("surveys", "")
    return Policy(has_wasm=True, sets_styles=True, sends=True, asks=_SURVEYS.get(surveys, ()))


PAGE = Page("/images", "images.html", gather, _policy)
