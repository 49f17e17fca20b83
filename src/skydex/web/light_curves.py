"""Light curves of many objects in one answer, and the periodogram of one.

`/look/lightcurves/{table}` and `/look/periodogram/{table}`, where `table` is one of objects or of their measurements,
in JSON, Arrow, Parquet or any other format of tables, by the ending of the address or by `format`.
Objects are named by `id`, which may be repeated, by `ra`, `dec` and `radius`, or by a table that comes along in a POST.
Unknown parameters are errors. What the answers mean is the archive's affair (`skydex.archive.light_curves`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from starlette.routing import BaseRoute, Route

from skydex.archive import LARGEST_RADIUS_DEG, LightCurvesRequest, PeriodogramRequest, Upload
from skydex.errors import BadParameterError, near_names
from skydex.lightcurve import METHODS
from skydex.tables import Table
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.catalog_parameters import Fields, received_fields
from skydex.web.catalogs import DEFAULT_FORMAT, format_named, refuse
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.table_address import table_in
from skydex.web.uploads import KeptFiles

__all__ = ["SERVICE"]

BASE = "/look"
_OBJECTS = ("id", "ra", "dec", "radius", "band", "quality", "format", "responseformat")
_OF_CURVES = frozenset({*_OBJECTS, "form", "maxrec", "file", "upload"})
_OF_PERIODOGRAMS = frozenset({*_OBJECTS, "method", "terms", "min_period", "max_period", "n"})
_DEFAULT_RADIUS_ARCSEC = 1.0
_LARGEST_RADIUS_ARCSEC = LARGEST_RADIUS_DEG * 3600.0
_QUICK_OBJECTS = 10
_MOST_GIVEN = 100_000
_GIVEN = 4000
_MOST_TERMS = 6
_QUALITIES = ("all", "good")
_FORMS = ("nested", "flat")
_UPLOAD = "objects"


async def curves(call: Call) -> Reply:
    """Answer with light curves."""
    if call.scope["method"] != "POST":
        return await _answered(call, _curves_order(call, await received_fields(call)))
    max_mb, intake = call.site.settings.upload_mb, call.site.intake
    with call.site.folders.folder() as folder, KeptFiles(folder, max_mb, intake) as files:
        fields = await received_fields(call, files)
        kept = files.of_part("file") or files.of_part("upload")
        if kept is None:
            return await _answered(call, _curves_order(call, fields))
        upload = Upload(_UPLOAD, str(kept.path), kept.content_type)
        request, name = _curves_order(call, fields, upload)
        return await call.ask((request, name))


async def _answered(call: Call, order: tuple[LightCurvesRequest, str]) -> Reply:
    return await call.answer(order, is_quick=len(order[0].ids) + len(order[0].places) <= _QUICK_OBJECTS)


async def periods(call: Call) -> Reply:
    """Answer with a periodogram."""
    table, suffix = table_in(call)
    fields = await received_fields(call)
    _refuse_unknown(fields, _OF_PERIODOGRAMS)
    settings = call.site.settings
    curve = _request(call, table, fields, is_good=_one_of(fields, "quality", _QUALITIES, "good") == "good")
    if len(curve.ids) + len(curve.places) != 1:
        raise BadParameterError("id", "must name one object, or ra and dec its place.")
    request = PeriodogramRequest(
        curve,
        method=_one_of(fields, "method", METHODS, METHODS[0]),
        n_terms=fields.find_count("terms", most=_MOST_TERMS) or 2,
        min_period=fields.find_number("min_period", least=1e-5, most=1e6),
        max_period=fields.find_number("max_period", least=1e-5, most=1e6),
        n_frequencies=fields.find_count("n", most=_MOST_GIVEN) or _GIVEN,
        max_frequencies=settings.periodogram_frequencies,
        max_points=settings.periodogram_points,
    )
    return await call.answer((request, _format(fields, suffix)))


def _curves_order(call: Call, fields: Fields, upload: Upload | None = None) -> tuple[LightCurvesRequest, str]:
    table, suffix = table_in(call)
    _refuse_unknown(fields, _OF_CURVES)
    is_good = _one_of(fields, "quality", _QUALITIES, "all") == "good"
    request, form = _request(call, table, fields, is_good=is_good, upload=upload), _format(fields, suffix)
    is_flat = _one_of(fields, "form", _FORMS, "nested") == "flat" or not request.nests(form)
    return replace(request, is_flat=is_flat), form


def _request(
    call: Call, table: Table, fields: Fields, *, is_good: bool, upload: Upload | None = None
) -> LightCurvesRequest:
    settings = call.site.settings
    radius = fields.find_number("radius", least=0.0, most=_LARGEST_RADIUS_ARCSEC)
    return LightCurvesRequest(
        table.name,
        ids=tuple(text.strip() for text in fields.values("id")),
        places=_places(fields),
        radius_deg=(_DEFAULT_RADIUS_ARCSEC if radius is None else radius) / 3600.0,
        upload=upload,
        bands=tuple(text.strip() for text in fields.values("band")),
        is_good=is_good,
        max_objects=settings.light_curves,
        max_rows=_limit(fields, call),
        owner=call.owner,
    )


def _limit(fields: Fields, call: Call) -> int:
    settings = call.site.settings
    return fields.find_count("maxrec", most=settings.max_rows_hard) or settings.max_rows_hard


def _places(fields: Fields) -> tuple[tuple[float, float], ...]:
    """Right ascensions and declinations, one of the latter for each of the former."""
    ra, dec = (
        [_degrees(name, text, most) for text in fields.values(name)] for name, most in (("ra", 360), ("dec", 90))
    )
    if len(ra) != len(dec):
        raise BadParameterError("dec", f"has {len(dec)} values, and ra has {len(ra)}: each place needs both.")
    if ra and fields.values("id"):
        raise BadParameterError("id", "and ra, dec exclude each other: name objects in one way.")
    return tuple(zip(ra, dec, strict=True))


def _degrees(name: str, text: str, most: int) -> float:
    least = -most if name == "dec" else 0
    return dali.Parameters([(name, text)]).get_number(name, least=least, most=most)


def _one_of(fields: Fields, name: str, words: tuple[str, ...], default: str) -> str:
    word = (fields.find(name) or default).lower()
    if word not in words:
        raise BadParameterError(name, f'must be {" or ".join(words)}, not "{word[:60]}".')
    return word


def _format(fields: Fields, suffix: str) -> str:
    return format_named(suffix or fields.find("format") or fields.find("responseformat") or DEFAULT_FORMAT).name


def _refuse_unknown(fields: Fields, known: frozenset[str]) -> None:
    for field in fields:
        if field.name.lower() not in known:
            near = near_names(field.name, known)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(sorted(known))}."
            raise BadParameterError(field.name[:80], f"is no parameter here. {hint}")


def _routes(site: Site) -> list[BaseRoute]:
    return [
        Route(f"{BASE}/lightcurves/{{table}}", Endpoint(site, curves, refuse=refuse, methods=("GET", "POST"))),
        Route(f"{BASE}/periodogram/{{table}}", Endpoint(site, periods, refuse=refuse)),
    ]


def _links(site: Site) -> Iterable[Link]:
    return ()


SERVICE = Service("light-curves", "Light curves and their periods", _routes, lambda _: (), _links)
