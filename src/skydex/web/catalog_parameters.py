"""What a catalogue search asks, in the parameters of the catalogue REST API.

Names are compared without regard to case. A POST may send a form or a JSON object; what stands there outweighs the
address. A parameter that is none of the API's own is about a column, `column` or `column.operator`; whether there is
such a column is found out where the table is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skydex.archive import (
    PARAMETERS,
    CatalogOffer,
    CatalogRequest,
    Constraint,
    CounterpartsRequest,
    Search,
    SortKey,
    Upload,
)
from skydex.archive.constraints import list_items
from skydex.errors import BadParameterError
from skydex.settings import Settings
from skydex.sky import Cone
from skydex.web.asgi import Call
from skydex.web.dali import MOST_FIELDS, NUMBER
from skydex.web.forms import NO_FILES, Files

__all__ = [
    "Field",
    "Fields",
    "catalog_request",
    "counterparts_request",
    "largest_radius",
    "read_cone",
    "read_constraint",
    "read_sort_key",
    "received_fields",
]

_JSON_TYPES = ("application/json", "text/json")
_DEFAULT_RADIUS_DEG = 0.5
_DEFAULT_MATCH_DEG = 3.0 / 3600.0
_OF_FILES = ("file", "header", "resolve", "ra_name", "dec_name", "target_name")
"""Parameters of an upload that are no columns."""
_FALSE = ("false", "0", "no")
_MOST_PAGES = 10**9
_INTEGER = re.compile(r"[0-9]{1,12}", re.ASCII)
_WHOLE_LIST = ("*", "all")
_DIRECTIONS = {"asc": False, "desc": True}


@dataclass(frozen=True)
class Field:
    """A parameter with its values."""

    name: str
    """As the request spells it first."""
    values: tuple[str, ...]
    """In their order."""


class Fields:
    """The parameters of one request.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Those of the address.
    body : iterable of (str, str)
        Those of the body; the values of a parameter that stands there are the ones that count.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], body: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = {**_gathered(pairs), **_gathered(body)}

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields.values())

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter that is not empty."""
        field = self._fields.get(name)
        return tuple(value for value in field.values if value.strip()) if field else ()

    def find(self, name: str) -> str | None:
        """The one value of a parameter.

        Raises
        ------
        BadParameterError
            It has several.
        """
        found = set(self.values(name))
        if len(found) > 1:
            raise BadParameterError(name, "is given more than once.")
        return found.pop().strip() if found else None

    def find_number(self, name: str, *, least: float, most: float) -> float | None:
        text = self.find(name)
        if text is None:
            return None
        value = float(text) if NUMBER.fullmatch(text) else None
        if value is None or not least <= value <= most:
            raise BadParameterError(name, f'must be a number from {least:g} to {most:g}, not "{text[:60]}".')
        return value

    def find_count(self, name: str, *, most: int) -> int | None:
        text = self.find(name)
        if text is None:
            return None
        value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None or not 1 <= value <= most:
            raise BadParameterError(name, f'must be a whole number from 1 to {most:,}, not "{text[:60]}".')
        return value


async def received_fields(call: Call, files: Files = NO_FILES) -> Fields:
    """Read the parameters of a call, wherever they stand."""
    if call.scope["method"] != "POST":
        return Fields(call.query_pairs())
    kind = call.header(b"content-type").decode("latin-1").partition(";")[0].strip().lower()
    if kind in _JSON_TYPES:
        return Fields(call.query_pairs(), _json_pairs(await call.posted_text()))
    return Fields(call.query_pairs(), await call.posted_pairs(files))


def catalog_request(
    fields: Fields, offer: CatalogOffer, settings: Settings, *, owner: str | None = None
) -> CatalogRequest:
    """Read what a search by somebody asks.

    Raises
    ------
    BadParameterError
        A parameter has a value that cannot be, or there is nothing that restricts the search.
    """
    search = _search(fields, offer, read_cone(fields, largest_radius(offer, settings)))
    if search.cone is None and not search.constraints:
        raise BadParameterError("request", "restricts nothing: give a position (ra, dec, radius) or a constraint.")
    page, max_rows = _page(fields, offer, settings)
    return CatalogRequest(search, page, max_rows, owner)


def counterparts_request(
    fields: Fields, offer: CatalogOffer, settings: Settings, *, upload: Upload, owner: str | None = None
) -> CounterpartsRequest:
    """Read what somebody asks about the positions in a file.

    Raises
    ------
    BadParameterError
        A parameter has a value that cannot be.
    """
    if (fields.find("resolve") or "false").lower() not in _FALSE:
        raise BadParameterError("resolve", "must be false: a file gives positions, not names.")
    if (fields.find("header") or "true").lower() in _FALSE:
        raise BadParameterError("header", "must be true: the first line of a file names its columns.")
    radius = fields.find_number("radius", least=0.0, most=largest_radius(offer, settings))
    page, max_rows = _page(fields, offer, settings)
    return CounterpartsRequest(
        _search(fields, offer, None, own=(*PARAMETERS, *_OF_FILES)),
        upload,
        radius if radius is not None else _DEFAULT_MATCH_DEG,
        (fields.find("ra_name") or "ra", fields.find("dec_name") or "dec"),
        page,
        max_rows,
        owner,
    )


def largest_radius(offer: CatalogOffer, settings: Settings) -> float:
    """The largest cone of a table, in degrees."""
    return offer.max_radius_deg if offer.max_radius_deg is not None else settings.catalog_radius_deg


def _search(fields: Fields, offer: CatalogOffer, cone: Cone | None, *, own: Sequence[str] = PARAMETERS) -> Search:
    return Search(
        offer,
        constraints=tuple(read_constraint(field) for field in fields if field.name.lower() not in own),
        cone=cone,
        columns=_columns(fields),
        sort_by=tuple(read_sort_key(item) for value in fields.values("sort_by") for item in list_items(value)),
    )


def _page(fields: Fields, offer: CatalogOffer, settings: Settings) -> tuple[int, int]:
    """Number and rows of the page."""
    max_rows = fields.find_count("pagesize", most=settings.max_rows_hard)
    page = fields.find_count("page", most=_MOST_PAGES) or 1
    return page, max_rows or min(offer.page_rows, settings.max_rows_hard)


def read_cone(fields: Fields, most_deg: float) -> Cone | None:
    """The cone that `ra`, `dec` and `radius` say, if there is one."""
    ra = fields.find_number("ra", least=0.0, most=360.0)
    dec = fields.find_number("dec", least=-90.0, most=90.0)
    radius = fields.find_number("radius", least=0.0, most=most_deg)
    if ra is None and dec is None and radius is None:
        return None
    if ra is None or dec is None:
        raise BadParameterError("ra" if ra is None else "dec", "is missing: a cone has ra, dec and radius.")
    return Cone(ra, dec, radius if radius is not None else min(_DEFAULT_RADIUS_DEG, most_deg))


def _columns(fields: Fields) -> tuple[str, ...]:
    names = tuple(item for value in fields.values("columns") for item in list_items(value))
    return () if len(names) == 1 and names[0].lower() in _WHOLE_LIST else names


def read_sort_key(text: str) -> SortKey:
    """What an item of `sort_by` says."""
    name, dot, word = text.rpartition(".")
    if not dot:
        return SortKey(text)
    if word.lower() not in _DIRECTIONS:
        raise BadParameterError("sort_by", f'is column.asc or column.desc, not "{text[:60]}".')
    return SortKey(name, _DIRECTIONS[word.lower()])


def read_constraint(field: Field) -> Constraint:
    """What a parameter says that is about a column."""
    name, _, operator = field.name.strip().partition(".")
    return Constraint(name, operator.strip().lower() or "eq", field.values)


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, Field]:
    values: dict[str, tuple[str, list[str]]] = {}
    for name, value in pairs:
        values.setdefault(name.strip().lower(), (name, []))[1].append(value)
    return {key: Field(name, tuple(found)) for key, (name, found) in values.items()}


def _json_pairs(body: bytes) -> list[tuple[str, str]]:
    """The members of a JSON object, those with a list several times.

    Raises
    ------
    BadParameterError
        It is no such object.
    """
    try:
        found = json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadParameterError("request", "has a body that is not JSON.") from error
    if not isinstance(found, dict):
        raise BadParameterError("request", 'has a body that is not a JSON object, as in {"ra": 10.5}.')
    if len(found) > MOST_FIELDS:
        raise BadParameterError("request", f"has more than {MOST_FIELDS} parameters.")
    return [(name, text) for name, value in found.items() for text in _texts(name, value)]


def _texts(name: str, value: Any) -> Sequence[str]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not items and name.lower() not in PARAMETERS:
        raise BadParameterError(name[:80], "has no value: give one, or leave it out.")
    return [_text(name, item) for item in items]


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise BadParameterError(name[:80], "must be a text, a number, true or false, or a list of these.")


def _no_number(word: str) -> Any:
    raise ValueError(word)
