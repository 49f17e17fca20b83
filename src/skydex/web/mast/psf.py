"""The PSF databases of WFC3 and WFPC2 at MAST's invoke.

`Mast.Catalogs.Filtered.Wfc3Psf.Uvis`, `.Wfc3Psf.Ir` and `.Wfpc2Psf.Uvis` give rows of `psf.UVIS`, `psf.IR` and
`psf.WFPC2`: `columns` (`*`, names, or `COUNT_BIG(*)`), `filters` (see `skydex.archive.filters`). Each has a twin whose
name ends in `.Position`, that searches a cone besides: `ra`, `dec`, `radius` in degrees, or the three in `position`.
Column names and how the tools use them: `mast_api_psf.py` of spacetelescope/hst_notebooks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skydex.archive import MashupCount, MashupRequest, Output, column_filters
from skydex.errors import BadParameterError, UnknownResourceError
from skydex.formats.mashup import properties_of
from skydex.sky import Cone
from skydex.tables import Table
from skydex.web.asgi import Call, Reply
from skydex.web.mast.requests import InvokeRequest, InvokeService

__all__ = ["SERVICES"]

_TABLES = {"Wfc3Psf.Uvis": "psf.UVIS", "Wfc3Psf.Ir": "psf.IR", "Wfpc2Psf.Uvis": "psf.WFPC2"}
"""Tables by what stands behind `Mast.Catalogs.Filtered.`; that of WFPC2 is called so although it has no UVIS."""
_MOST_ROWS = 50_000
_ALIAS = "c."
"""What examples of MAST write before the names of columns."""
_COUNTS = ("count_big(*)", "count(*)")
_CONE = ("ra", "dec", "radius")


async def filtered(call: Call, request: InvokeRequest, *, database: str, in_cone: bool) -> Reply:
    """Answer a Filtered service."""
    table, settings = _table(call, database), call.site.settings
    cone = _cone(request, settings.catalog_radius_deg) if in_cone else None
    filters = column_filters(request.params.get("filters"))
    names = _names(request.params.get("columns", "*"))
    asked: MashupCount | MashupRequest
    if names and names[0].lower() in _COUNTS and len(names) == 1:
        asked = MashupCount(table.name, cone, filters, call.owner)
    else:
        asked = MashupRequest(
            table.name,
            _outputs(table, names),
            cone=cone,
            filters=filters,
            sort_by=None,
            page=request.page,
            page_rows=request.page_rows or _MOST_ROWS,
            max_rows=settings.max_rows_hard,
            without_nulls=request.without_nulls,
            owner=call.owner,
        )
    return await call.ask((asked, request.format or "json"))


def _table(call: Call, database: str) -> Table:
    found = call.site.archive.namespace(owner=call.owner).find(_TABLES[database])
    if found is None:
        raise UnknownResourceError("database", database)
    return found.table


def _cone(request: InvokeRequest, most_deg: float) -> Cone:
    position = request.params.get("position")
    if isinstance(position, str):
        words = position.replace(",", " ").split()
        if len(words) != len(_CONE):
            raise BadParameterError("position", 'is "ra, dec, radius", in degrees.')
        request = InvokeRequest(request.service, dict(zip(_CONE, words, strict=True)))
    return Cone(
        request.number("ra", least=0, most=360),
        request.number("dec", least=-90, most=90),
        request.number("radius", least=0, most=most_deg, default=min(0.2, most_deg)),
    )


def _names(columns: Any) -> list[str]:
    """The columns that are asked for; none where all are."""
    items = columns.split(",") if isinstance(columns, str) else columns
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadParameterError("columns", 'must be "*", or names with commas between them.')
    names = [item.strip().removeprefix(_ALIAS) for item in items if item.strip()]
    spelled = {name.lower(): name for name in reversed(names)}
    return [] if "*" in names else [spelled[key] for key in dict.fromkeys(map(str.lower, names))]


def _outputs(table: Table, names: Sequence[str]) -> tuple[Output, ...]:
    return tuple(Output(name, name) for name in names or [column.name for column in table.columns])


def _properties(call: Call, database: str) -> Mapping[str, Mapping[str, Any]]:
    """What is to be known of the columns; nothing if the database is not here."""
    found = call.site.archive.namespace(owner=call.owner).find(_TABLES[database])
    return {column.name: properties_of(column) for column in found.table.columns} if found else {}


def _services() -> Iterator[InvokeService]:
    for database in _TABLES:
        for ending, in_cone in (("", False), (".Position", True)):
            answer = functools.partial(filtered, database=database, in_cone=in_cone)
            at = functools.partial(_properties, database=database)
            yield InvokeService(f"Mast.Catalogs.Filtered.{database}{ending}", answer, at)


SERVICES = tuple(_services())
