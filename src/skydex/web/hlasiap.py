"""hlaSIAP.cgi: images of Hubble of a place, with addresses of their cutouts.

The interface of https://hla.stsci.edu/cgi-bin/hlaSIAP.cgi, an ancestor of SIA 1.0: `pos` (degrees, with a comma),
`size` (degrees; 0 for images that hold the place), `imagetype` (`color` puts the filters of a visit together),
`inst`, `spectral_elt` (filters, from red to blue), `format`, and `naxis`, the side of the cutouts in pixels. What else
fitscut.cgi knows is handed on to the addresses. Errors are an INFO of a VOTable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Route

from skydex.archive import HlaImagesRequest
from skydex.errors import BadParameterError
from skydex.web import fitscut, sia1
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dali import Parameters
from skydex.web.dali_values import parse_numbers
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["SERVICE"]

PATH = "/cgi-bin/hlaSIAP.cgi"
_FORMATS = {"image/jpeg": "jpeg", "image/jpg": "jpeg", "image/png": "png", "image/fits": "fits"}
_HANDED_ON = ("autoscale", "autoscalemin", "autoscalemax", "asinh", "log", "sqrt", "zoom", "output_size", "palette",
              "invert", "compass", "marker")  # fmt: skip
_WIDEST_DEG = 90.0


async def search(call: Call) -> Reply:
    """Answer with a table of images."""
    parameters = await call.parameters()
    media_type = _media_type(parameters)
    ra_deg, dec_deg = _position(parameters)
    request = HlaImagesRequest(
        ra_deg,
        dec_deg,
        size_deg=_size(parameters),
        url=call.site.url + fitscut.PATHS[0],
        options=tuple(_options(parameters, _FORMATS[media_type])),
        instrument=(parameters.find("inst") or "").strip().lower(),
        filters=tuple(_filters(parameters)),
        is_colored=(parameters.find("imagetype") or "").strip().lower() == "color",
        media_type=media_type,
        owner=call.owner,
    )
    return await call.ask(request)


def _position(parameters: Parameters) -> tuple[float, float]:
    text = parameters.find("pos")
    if text is None:
        raise BadParameterError("pos", "is missing: give right ascension and declination in degrees, as pos=10.5,41.2.")
    numbers = parse_numbers("pos", text)
    if len(numbers) != 2 or not -360.0 <= numbers[0] <= 720.0 or not -90.0 <= numbers[1] <= 90.0:
        raise BadParameterError("pos", "must be right ascension and declination in degrees, with a comma.")
    return numbers[0] % 360.0, numbers[1]


def _size(parameters: Parameters) -> float:
    numbers = parse_numbers("size", parameters.find("size") or "0")
    if not 1 <= len(numbers) <= 2 or not all(0.0 <= number <= _WIDEST_DEG for number in numbers):
        raise BadParameterError("size", f"must be a number of degrees from 0 to {_WIDEST_DEG:g}.")
    return max(numbers)


def _media_type(parameters: Parameters) -> str:
    """Of the media types that are asked for, the first that there is."""
    words = [word.strip().lower() for word in (parameters.find("format") or "").split(",")]
    return next((word for word in words if word in _FORMATS), "image/jpeg")


def _filters(parameters: Parameters) -> Iterator[str]:
    words = (parameters.find("spectral_elt") or "").lower().replace("/", ",").split(",")
    return (word.strip() for word in words if word.strip())


def _options(parameters: Parameters, format: str) -> Iterator[tuple[str, str]]:
    """Parameters of the cutouts."""
    yield "size", str(max(1, parameters.find_integer("naxis") or 0)) if parameters.find("naxis") else "ALL"
    yield "format", format
    for name in _HANDED_ON:
        if (value := parameters.find(name)) is not None:
            yield name, value


def _routes(site: Site) -> list[BaseRoute]:
    return [Route(PATH, Endpoint(site, search, refuse=sia1.refuse, methods=("GET", "POST")))]


def _links(site: Site) -> Iterable[Link]:
    if "hsc" in site.archive.images().collections():
        yield Link("Hubble images of a place", f"{site.url}{PATH}")


SERVICE = Service("hlasiap", "Hubble images (hlaSIAP.cgi)", _routes, lambda _: (), _links)
