"""The Hubble Source Catalog at MAST's invoke, as astroquery's `Catalogs` asks for it.

`Mast.Hsc.Db.v3` and `.v2`: objects around a position, with `ra`, `dec`, `radius` (degrees), `nr` (most rows), `ni`
(least images), `magtype` (1: aperture of 2 pixels, 2: total). `Mast.HscMatches.Db.v3` and `.v2`: the detections of an
object, `input`. `Mast.HscSpectra.Db.All`: all spectra. Answers have the columns, order and names of recorded ones: a
distance in arcminutes, by which rows are sorted, the scatter of a magnitude as `_Sigma` in every version, and no filter
in which nothing was measured. They show the tables that the catalogue REST API has at `hsc/{version}/...`; the columns
that describe the WCS of an image come from the table of images, and are empty for one that is not in the archive.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from skydex.archive import MashupRequest, Output
from skydex.archive.constraints import Constraint
from skydex.archive.mashup import ImagesTable
from skydex.errors import UnknownResourceError
from skydex.formats.mashup import properties_of
from skydex.sky import Cone
from skydex.tables import Table
from skydex.web.asgi import Call, Reply
from skydex.web.catalogs import offers_of, table_of
from skydex.web.mast.requests import InvokeRequest, InvokeService

__all__ = ["SERVICES"]

_MAGNITUDES = {1: "magaper2", 2: "magauto"}
_MOST_ROWS = 50_000
_NOT_TOLD = {"starttime", "stoptime", "htmid", "x", "y", "z"}
"""Columns of the tables that these services leave out."""
_WCS = {
    "naxis": ("s_xel1", "s_xel2"),
    "crpix": ("crpix1", "crpix2"),
    "crval": ("crval1", "crval2"),
    "cd_matrix": ("cd1_1", "cd1_2", "cd2_1", "cd2_2"),
}
"""What is told of the WCS of an image, each of columns of a table of images."""
_COLLECTION = "hsc"
"""Collection of the images, where that of the detections has none."""
_IMAGE_NAME = "ImageName"
_PREFIXES = ("A_", "W2_", "W3_")
"""Detectors, before the name of a filter, in the order of columns of one filter."""
_DISTANCE_AT = 1
_SPECTRA = "hsc/spectra"


async def objects(call: Call, request: InvokeRequest, *, version: str) -> Reply:
    """Answer `Mast.Hsc.Db`."""
    settings = call.site.settings
    magnitudes = _MAGNITUDES[request.integer("magtype", least=1, most=2, default=1)]
    table = _table(call, f"hsc/{version}/summary/{magnitudes}")
    cone = Cone(
        request.number("ra", least=0, most=360),
        request.number("dec", least=-90, most=90),
        request.number("radius", least=0, most=settings.catalog_radius_deg, default=0.2),
    )
    n_images = request.integer("ni", least=0, most=10**9, default=1)
    n_rows = request.integer("nr", least=1, most=10**12, default=_MOST_ROWS)
    rows = MashupRequest(
        table.name,
        _summary(table),
        cone=cone,
        distance_at=_DISTANCE_AT,
        owner=call.owner,
        constraints=(Constraint("NumImages", "gte", (str(n_images),)),),
        max_rows=min(n_rows, settings.max_rows_hard),
        **_paged(request),
    )
    return await call.ask((rows, request.format or "json"), is_quick=cone.radius_deg <= 0.1)


async def detections(call: Call, request: InvokeRequest, *, version: str) -> Reply:
    """Answer `Mast.HscMatches.Db`."""
    table = _table(call, f"hsc/{version}/detailed")
    images = _images_of(call, table)
    match_id = request.integer("input", least=-(2**63), most=2**63 - 1)
    rows = MashupRequest(
        table.name,
        (*(Output(name, name) for name in _told(table)), *_wcs_of(table)),
        images=images,
        constraints=(Constraint("MatchID", "eq", (str(match_id),)),),
        sort_by=("MemID",),
        owner=call.owner,
        max_rows=call.site.settings.max_rows_hard,
        **_paged(request),
    )
    return await call.ask((rows, request.format or "json"), is_quick=True)


async def spectra(call: Call, request: InvokeRequest) -> Reply:
    """Answer `Mast.HscSpectra.Db.All`."""
    table = _table(call, _SPECTRA)
    outputs = tuple(Output(column.name, column.name) for column in table.columns)
    n_rows = call.site.settings.max_rows_hard
    rows = MashupRequest(table.name, outputs, max_rows=n_rows, owner=call.owner, **_paged(request))
    return await call.ask((rows, request.format or "json"))


def _paged(request: InvokeRequest) -> dict[str, Any]:
    return {
        "page": request.page,
        "page_rows": request.page_rows or _MOST_ROWS,
        "without_nulls": request.without_nulls,
        "with_selected": True,
    }


def _table(call: Call, path: str) -> Table:
    """The table that the catalogue REST API has at a path."""
    offer = offers_of(call.site.archive, call.owner).get(path)
    if offer is None:
        raise UnknownResourceError("catalogue", path)
    return table_of(call.site.archive, offer, call.owner)


def _summary(table: Table) -> tuple[Output, ...]:
    """Columns of an object: the general ones, then those of each filter, of one filter sorted by detector."""
    general, filters = [], list[str]()
    for name in _told(table):
        if not name.startswith(_PREFIXES):
            general.append(Output(name, name))
        elif not name.endswith(("_MAD", "_Sigma", "_N")):
            filters.append(name)
    names = {name.lower() for name in _told(table)}
    return (*general, *(output for name in _sorted(filters) for output in _of_filter(name, names)))


def _sorted(filters: Sequence[str]) -> Iterator[str]:
    for _, same in groupby(filters, key=lambda name: name.partition("_")[2]):
        yield from sorted(same)


def _of_filter(name: str, names: set[str]) -> Iterator[Output]:
    """Magnitude, scatter and number of measurements in a filter."""
    for column, shown in ((name, name), (f"{name}_MAD", f"{name}_Sigma"), (f"{name}_Sigma",) * 2, (f"{name}_N",) * 2):
        if column.lower() in names:
            yield Output(column, shown, group=name)


def _told(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name.lower() not in _NOT_TOLD]


def _wcs_of(table: Table) -> Iterator[Output]:
    """What is told of the image of a detection, unless the table has it."""
    return (Output("", name, of_image=columns) for name, columns in _WCS.items() if table.find_column(name) is None)


def _images_of(call: Call, table: Table) -> ImagesTable | None:
    """The table of the images of detections, if there is one that the caller may see."""
    namespace = call.site.archive.namespace(owner=call.owner)
    known = (f"{schema}.images" for schema in (table.schema_name, _COLLECTION))
    found = next((name for name in known if namespace.find(name) is not None), None)
    return ImagesTable(found, _IMAGE_NAME) if found and table.find_column(_IMAGE_NAME) else None


def _properties(call: Call, path: str) -> Mapping[str, Mapping[str, Any]]:
    """What is to be known of the columns of a table; nothing if it is not published."""
    offer = offers_of(call.site.archive, call.owner).get(path)
    if offer is None:
        return {}
    table = table_of(call.site.archive, offer, call.owner)
    columns = (column for column in table.columns if column.name.lower() not in _NOT_TOLD)
    selected = {"text": "selected", "add": True, "type": "boolean", "hidden": True}
    return {"_selected_": selected, **{column.name: properties_of(column) for column in columns}}


def _services() -> Iterator[InvokeService]:
    for version in ("v3", "v2"):
        at = functools.partial(_properties, path=f"hsc/{version}/summary/magaper2")
        yield InvokeService(f"Mast.Hsc.Db.{version}", functools.partial(objects, version=version), at)
        at = functools.partial(_properties, path=f"hsc/{version}/detailed")
        yield InvokeService(f"Mast.HscMatches.Db.{version}", functools.partial(detections, version=version), at)
    yield InvokeService("Mast.HscSpectra.Db.All", spectra, functools.partial(_properties, path=_SPECTRA))


SERVICES = tuple(_services())
