"""ps1filenames.py: which Pan-STARRS images hold a position, or many, by their file names.

The interface of https://ps1images.stsci.edu/cgi-bin/ps1filenames.py: `ra` and `dec`, or in a POST a file of a line for
each position; `filters` (grizy), `type` (stack, warp), `skycell` (1784.059). The answer is a table in text, with a line
of column names; where there is no image it has only that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

from skydex.archive import SkycellFilesRequest
from skydex.errors import BadParameterError, BodyTooLargeError
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dali import NUMBER, Parameters
from skydex.web.forms import Head
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["SERVICE"]

PATH = "/cgi-bin/ps1filenames.py"
_TYPES = ("stack", "warp")
_MOST_POSITIONS = 10_000
_CELL = re.compile(r"(?:rings\.v\d+\.)?(?:skycell\.)?(\d{1,4})\.(\d{1,3})", re.ASCII)
_LINE = re.compile(r"[\s,;|]+")


async def file_names(call: Call) -> Reply:
    """Answer with the table."""
    texts = _Texts(call.site.settings.form_mb)
    parameters = await call.parameters(texts)
    request = SkycellFilesRequest(
        positions=_positions(parameters, texts.lines()),
        filters=(parameters.find("filters", "filter") or "grizy").strip().lower(),
        types=_types(parameters),
        cells=tuple(_cell(text) for text in _words(parameters, "skycell")),
        owner=call.owner,
    )
    return await call.ask(request, is_quick=len(request.positions) == 1)


class _Texts:
    """The files of a form, kept in memory as one text."""

    def __init__(self, max_mb: int) -> None:
        self._max_mb, self._pieces, self._n_left = max_mb, [b""], max_mb << 20

    def begin(self, head: Head) -> None:
        pass

    def add(self, piece: bytes) -> None:
        self._n_left -= len(piece)
        if self._n_left < 0:
            raise BodyTooLargeError(self._max_mb)
        self._pieces.append(piece)

    def end(self) -> None:
        self._pieces.append(b"\n")

    def lines(self) -> list[str]:
        lines = b"".join(self._pieces).decode("utf-8", "replace").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _positions(parameters: Parameters, lines: list[str]) -> tuple[tuple[float, float], ...]:
    if not lines:
        ra_deg = parameters.get_number("ra", least=-360.0, most=720.0)
        return ((ra_deg, parameters.get_number("dec", least=-90.0, most=90.0)),)
    if len(lines) > _MOST_POSITIONS:
        raise BadParameterError("file", f"has more than {_MOST_POSITIONS:,} positions.")
    has_names = not NUMBER.fullmatch(_LINE.split(lines[0])[0])  # of columns, as a table may
    return tuple(map(_position, lines[1:] if has_names else lines))


def _position(line: str) -> tuple[float, float]:
    words = _LINE.split(line)[:2]
    if len(words) == 2 and all(map(NUMBER.fullmatch, words)):
        ra_deg, dec_deg = map(float, words)
        if math.isfinite(ra_deg) and abs(dec_deg) <= 90.0:
            return ra_deg % 360.0, dec_deg
    raise BadParameterError("file", f'must have right ascension and declination in degrees, not "{line[:80]}".')


def _types(parameters: Parameters) -> tuple[str, ...]:
    """Of the kinds of files those that there are; a kind that there is not has no files."""
    words = _words(parameters, "type") or ["stack"]
    return _TYPES if "all" in words else tuple(word for word in words if word in _TYPES)


def _cell(text: str) -> tuple[int, int]:
    found = _CELL.fullmatch(text)
    if found is None:
        raise BadParameterError("skycell", "must be projection cell and skycell, as 1784.059.")
    return int(found[1]), int(found[2])


def _words(parameters: Parameters, name: str) -> list[str]:
    return [word.strip().lower() for text in parameters.values(name) for word in text.split(",") if word.strip()]


def _routes(site: Site) -> list[BaseRoute]:
    return [Route(PATH, Endpoint(site, file_names, methods=("GET", "POST")))]


def _links(site: Site) -> Iterable[Link]:
    if "ps1" in site.archive.images().collections():
        yield Link("Names of the images of a position", f"{site.url}{PATH}")


SERVICE = Service("ps1filenames", "Pan-STARRS images (ps1filenames.py)", _routes, lambda _: (), _links)
