"""SIA 1: the same image search for clients that know the first version of the protocol.

Simple Image Access 1.0 (IVOA REC 2009-11-11): POS, SIZE and INTERSECT (section 4.1.1), FORMAT with METADATA (4.1.2 and
6.1), the answer with UCD1 words of the namespace VOX (4.2), errors as INFO with HTTP status 200 (4.2.3). A region is a
box on the tangential plane; one of more than 90 degrees is taken as a cone around it. Whatever else a client may send
is ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from starlette.routing import BaseRoute, Route

from skydex.archive import OLD_COLUMNS, ImageSearch, OldImageSearch, Touch, Words
from skydex.errors import BadParameterError, BusyError, SkydexError
from skydex.formats import get_format
from skydex.formats.votable import Info, Serialization, error_votable, footer, header
from skydex.sky import Cone, Polygon
from skydex.tables import xml_attribute
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dali_values import parse_numbers
from skydex.web.site import Site
from skydex.web.vosi import SECURITY_METHODS, vosi_capabilities, vosi_routes
from skydex.web.xml import element, text

__all__ = ["BASE", "capability_of", "routes"]

BASE = "/sia1"
DEFAULT_FORMAT = "votable/td"
_FITS = ("ALL", "IMAGE/FITS", "FITS")
_PREVIEWS = {
    "GRAPHIC": "image/jpeg",
    "GRAPHIC-ALL": "image/jpeg",
    "IMAGE/JPEG": "image/jpeg",
    "JPEG": "image/jpeg",
    "IMAGE/PNG": "image/png",
    "PNG": "image/png",
}
"""What FORMAT may ask for instead of the images (section 4.1.2), and the picture that is."""
_IMAGES = Words("dataproduct_type", ("image", "cube"))
_WIDEST_DEG = 90.0
_RELATIONS = ("OVERLAPS", "COVERS", "ENCLOSED", "CENTER")


@dataclass(frozen=True)
class _Param(Info):
    """A PARAM element: a parameter that the service takes (SIA 1.0, section 6.1)."""

    def xml(self) -> str:
        words = f"<PARAM name={xml_attribute(self.name)} value={xml_attribute(self.value)}"
        return f'{words} datatype="char" arraysize="*"><DESCRIPTION>{self.text}</DESCRIPTION></PARAM>\n'


_INPUTS = (
    _Param("INPUT:POS", "0,0", "Centre of the region, ICRS: right ascension and declination in degrees"),
    _Param("INPUT:SIZE", "0.1", "Width and height of the region in degrees, or one number for both"),
    _Param("INPUT:INTERSECT", "OVERLAPS", f"What images are to the region: {', '.join(_RELATIONS)}"),
    _Param("INPUT:FORMAT", "ALL", "Media type of the images, ALL, GRAPHIC or METADATA"),
)


async def search(call: Call) -> Reply:
    """Answer a search for images."""
    parameters = await call.parameters()
    wanted = _formats(parameters)
    if "METADATA" in wanted:
        return Reply(_metadata(), dali.VOTABLE_TYPE)
    region, touch = _region(parameters)
    search = ImageSearch(
        regions=(region,),
        touch=touch,
        facts=(_IMAGES,),
        max_rows=dali.row_limit(parameters, call.site.settings) if _is_known(wanted) else 0,
        owner=call.owner,
    )
    form = get_format(parameters.find("RESPONSEFORMAT") or DEFAULT_FORMAT)
    return await call.answer((OldImageSearch(search, _preview(wanted)), form.name))


def refuse(error: SkydexError) -> Reply:
    """An error as a VOTable; only that the service is busy is told by the status as well."""
    status = dali.error_status(error) if isinstance(error, BusyError) else 200
    return Reply(error_votable(dali.error_message(error)), dali.VOTABLE_TYPE, status, dali.error_headers(error))


def routes(site: Site) -> list[BaseRoute]:
    """Where it answers."""
    return [
        Route(BASE, Endpoint(site, search, refuse=refuse, methods=("GET", "POST"))),
        *vosi_routes(site, BASE, _capabilities_here, with_tables=False),
    ]


def capability_of(site: Site) -> str:
    """What the service says of itself (SimpleDALRegExt 1.2, section 3.2)."""
    access = text("accessURL", f"{site.url}{BASE}?", {"use": "base"})
    return element(
        "capability",
        element("interface", access, *SECURITY_METHODS, attributes={"xsi:type": "vs:ParamHTTP", "role": "std"}),
        text("imageServiceType", "Pointed"),
        text("maxRecords", site.settings.max_rows_hard),
        attributes={"standardID": "ivo://ivoa.net/std/SIA", "xsi:type": "sia:SimpleImageAccess"},
    )


def _capabilities_here(call: Call) -> list[str]:
    return [capability_of(call.site), *vosi_capabilities(call.site.url + BASE, with_tables=False)]


def _formats(parameters: dali.Parameters) -> list[str]:
    words = ",".join(parameters.values("FORMAT")) or "ALL"
    return [word.strip().upper() for word in words.split(",")]


def _is_known(wanted: list[str]) -> bool:
    """Whether there is anything in a format that is wanted."""
    return any(word in _FITS or word in _PREVIEWS for word in wanted)


def _preview(wanted: list[str]) -> str:
    """Media type of the pictures that are wanted, if images themselves are not."""
    if any(word in _FITS for word in wanted):
        return ""
    return next((_PREVIEWS[word] for word in wanted if word in _PREVIEWS), "")


def _region(parameters: dali.Parameters) -> tuple[Cone | Polygon, Touch]:
    """The region, and what footprints are to it."""
    place = parameters.find("POS")
    if place is None:
        raise BadParameterError("POS", "is missing: give right ascension and declination in degrees, as POS=10.5,41.2.")
    centre = parse_numbers("POS", place)
    if len(centre) != 2 or not all(map(math.isfinite, centre)) or abs(centre[1]) > 90.0:
        raise BadParameterError("POS", f'must be right ascension and declination in degrees, not "{place[:80]}".')
    relation = (parameters.find("INTERSECT") or _RELATIONS[0]).upper()
    if relation not in _RELATIONS:
        raise BadParameterError("INTERSECT", f"must be one of {', '.join(_RELATIONS)}.")
    if relation == "CENTER":
        return Cone(centre[0], centre[1], 0.0), Touch.OVERLAPS
    return _box(centre[0], centre[1], *_size(parameters)), Touch(relation)


def _size(parameters: dali.Parameters) -> tuple[float, float]:
    given = parameters.find("SIZE") or "0"
    sizes = parse_numbers("SIZE", given)
    if len(sizes) not in (1, 2) or not all(0.0 <= size <= 360.0 for size in sizes):
        raise BadParameterError("SIZE", f'must be one or two numbers from 0 to 360 degrees, not "{given[:80]}".')
    return sizes[0], sizes[-1]


def _box(ra_deg: float, dec_deg: float, width_deg: float, height_deg: float) -> Cone | Polygon:
    """The box on the tangential plane."""
    if max(width_deg, height_deg) > _WIDEST_DEG:
        return Cone(ra_deg, dec_deg, min(math.hypot(width_deg, height_deg) / 2.0, 180.0))
    if min(width_deg, height_deg) == 0.0:
        return Cone(ra_deg, dec_deg, max(width_deg, height_deg) / 2.0)
    xi = np.tan(np.radians(width_deg / 2.0)) * np.array([1, 1, -1, -1])
    eta = np.tan(np.radians(height_deg / 2.0)) * np.array([-1, 1, 1, -1])
    sin, cos = math.sin(math.radians(dec_deg)), math.cos(math.radians(dec_deg))
    below = cos - eta * sin  # Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3, written for the tangent point
    ra = ra_deg + np.degrees(np.arctan2(xi, below))
    dec = np.degrees(np.arctan2(sin + eta * cos, np.hypot(xi, below)))
    return Polygon(tuple(ra.tolist()), tuple(dec.tolist()))


def _metadata() -> bytes:
    """What can be asked, and the columns of answers."""
    infos = (Info("QUERY_STATUS", "OK"), *_INPUTS)
    table = Serialization.TABLEDATA
    return header(OLD_COLUMNS, table, infos=infos) + footer(table)
