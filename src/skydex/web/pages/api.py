"""All addresses of the services, by the tool that speaks to them, with programs that run as they stand.

Each example asks a table of this archive about a place where it has rows.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from skydex.archive import QueryRequest
from skydex.errors import SkydexError
from skydex.query.languages.words import spelled
from skydex.tables import Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.home_examples import live_examples
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of
from skydex.web.pages.snippets import curl_of, python_of, pyvo_of

__all__ = ["PAGE"]

_RADIUS_DEG = 0.05


@dataclass(frozen=True)
class _Sample:
    """What examples ask."""

    table: Table
    ra_deg: float | None = None
    dec_deg: float | None = None

    @property
    def adql(self) -> str:
        columns = [self.table.get_column(self.table.id_column)] if self.table.id_column else []
        columns = [*columns, *self.table.position_columns()] or list(self.table.columns[:3])
        names = dict.fromkeys(spelled(column.name) for column in columns)
        return f"SELECT TOP 10 {', '.join(names)}\nFROM {self.table.name}"


async def gather(call: Call) -> Facts:
    """Tools with their addresses and examples, and each service with what it says of its addresses."""
    from skydex.web import SERVICES

    services = (
        {"title": service.title, "links": [{"title": link.title, "url": link.url} for link in service.links(call.site)]}
        for service in SERVICES
    )
    sample = await _sample(call)
    objects = [one["at"] for one in await live_examples(call) if one["kind"] == "curve"]
    return {
        "tools": list(_tools(call, sample, objects)) if sample else [],
        "services": [service for service in services if service["links"]],
        "documents": [
            {"title": "The catalogue REST API as OpenAPI", "at": "api/v0.1/openapi.json"},
            {"title": "The TAP service: capabilities", "at": "tap/capabilities"},
            {"title": "The TAP service: tables", "at": "tap/tables"},
            {"title": "Examples of queries", "at": "tap/examples"},
        ],
    }


async def _sample(call: Call) -> _Sample | None:
    """The largest table of objects with positions, and a place where it has a row; else any table."""
    published = call.site.archive.published(call.owner)
    known: list[_Sample] = published.kept(_sample, list)
    if known:
        return known[0]
    tables = [relation.table for relation in published if relation.table.schema_name != TAP_SCHEMA]
    placed = [table for table in tables if table.position is not None and table.id_column is not None]
    table = max(placed or tables, key=lambda one: one.n_rows or 0, default=None)
    if table is None:
        return None
    known.append(await _placed(call, table))
    return known[0]


async def _placed(call: Call, table: Table) -> _Sample:
    if table.position is None:
        return _Sample(table)
    ra, dec = (spelled(column.name) for column in table.position_columns())
    request = QueryRequest(f"SELECT TOP 1 {ra}, {dec} FROM {table.name} WHERE {ra} IS NOT NULL", owner=call.owner)
    try:
        rows = (await rows_of(call, request, is_quick=True)).rows
    except SkydexError:
        return _Sample(table)
    return _Sample(table, *(round(value, 4) for value in rows[0])) if rows else _Sample(table)


def _tools(call: Call, sample: _Sample, objects: Sequence[str]) -> Iterator[Facts]:
    """What each tool is told; of `objects`, each the address of a page, there are light curves."""
    url, adql, table = call.site.url, sample.adql, sample.table
    tap = f"{url}/tap"
    cone = None if sample.ra_deg is None else f"{url}/{table.schema_name}/scs/{table.bare_name}"
    near = {"ra": sample.ra_deg, "dec": sample.dec_deg, "radius": _RADIUS_DEG}
    yield _tool(
        "skydex in Python",
        "Astropy tables with units, fast on the wire; far and near archives are asked alike.",
        {"Python": python_of(adql, url)} | ({"Python, a cone": _skydex_cone(url, sample)} if cone else {}),
    )
    pyvo = {"Python": pyvo_of(adql, url)}
    if cone:
        pyvo["Python, a cone"] = (
            f"import pyvo\n\nservice = pyvo.dal.SCSService({cone!r})\n"
            f"found = service.search(pos=({sample.ra_deg}, {sample.dec_deg}), radius={_RADIUS_DEG})\n"
            "rows = found.to_table()\nprint(rows)"
        )
    yield _tool("pyvo", "Every service of the Virtual Observatory: TAP, cone search, images.", pyvo)
    tap_plus = (
        f"from astroquery.utils.tap.core import TapPlus\n\ntap = TapPlus(url={tap!r})\n"
        f'rows = tap.launch_job("""{adql}""").get_results()\nprint(rows)'
    )
    yield _tool(
        "astroquery", "TapPlus; for Mast and Catalogs see the how-to of the documentation.", {"Python": tap_plus}
    )
    yield _tool(
        "TOPCAT",
        "VO, Table Access Protocol (TAP) Query, TAP URL; or VO, Cone Search, Cone URL.",
        {"TAP URL": tap} | ({"Cone URL": f"{cone}?"} if cone else {}),
    )
    query = shlex.quote(f"adql={' '.join(adql.split())}")
    yield _tool("STILTS", "", {"Shell": f"stilts tapquery tapurl={tap} {query} ofmt=ascii"})
    yield from _casjobs(url)
    yield from _aladin(call)
    curl = {"Query": curl_of(adql, url)}
    if cone:
        curl["Cone search"] = f"curl {shlex.quote(f'{cone}?{urlencode(_upper(near))}')}"
        rest = f"{url}/api/v0.1/{table.schema_name}/{table.bare_name}.csv?{urlencode(near)}&pagesize=10"
        curl["Catalogue REST API"] = f"curl {shlex.quote(rest)}"
    curl["Description of a table"] = f"curl {shlex.quote(f'{url}/t/{table.name}.json?pagesize=1')}"
    curl["Its columns at a glance"] = f"curl {shlex.quote(f'{url}/look/columns/{table.name}.json')}"
    for at in objects:
        _, name, key = at.split("/")
        curl["Light curve"] = f"curl {shlex.quote(f'{url}/look/lightcurves/{name}.csv?id={key}&form=flat')}"
    curl["Position of a name"] = f"curl {shlex.quote(f'{url}/cgi-bin/nph-sesame/-oI/SNV?M31')}"
    yield _tool("curl", "Each page of this site ends in .json for programs, too.", curl)


def _casjobs(url: str) -> Iterator[Facts]:
    base = f"{url}/ps1casjobs"
    program = (
        "from mastcasjobs import MastCasJobs\n\njobs = MastCasJobs(\n"
        '    username="your name",\n    password="your password",\n    context="MyDB",\n'
        f'    base_url="{base}/services/jobs.asmx",\n    wsid_url="{base}/casusers.asmx/GetWebServiceId",\n'
        f'    fast_url="{url}/cgi-bin/quick_casjobs.cgi",\n)\nprint(jobs.list_tables())'
    )
    yield _tool("CasJobs", "Queries in T-SQL into tables of your own; with your account here.", {"Python": program})


def _aladin(call: Call) -> Iterator[Facts]:
    """Maps of images, where there are any."""
    from skydex.web import hips

    links = {link.title: link.url for link in hips.SERVICE.links(call.site)}
    if links:
        yield _tool("Aladin", "File, Load HiPS, by its address; tables come from TOPCAT's addresses above.", links)


def _skydex_cone(url: str, sample: _Sample) -> str:
    return (
        f"import skydex\n\narchive = skydex.connect({url!r})\n"
        f"rows = archive.cone({sample.table.name!r}, ({sample.ra_deg}, {sample.dec_deg}), {_RADIUS_DEG})\nprint(rows)"
    )


def _upper(near: dict[str, float | None]) -> dict[str, float | None]:
    """The parameters of a cone as SCS 1.03 calls them."""
    return {"RA": near["ra"], "DEC": near["dec"], "SR": near["radius"]}


def _tool(name: str, about: str, snippets: dict[str, str]) -> Facts:
    return {"name": name, "about": about, "snippets": [{"label": k, "text": v} for k, v in snippets.items()]}


PAGE = Page("/api", "api.html", gather)
