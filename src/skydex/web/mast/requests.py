"""What an invoke request of MAST is, and what a service is that answers it.

MAST API ("Mashup"), https://mast.stsci.edu/api/v0: one parameter, `request`, holds a JSON object with `service`,
`params`, `format`, `page`, `pagesize` and a few more. Keys that are not known here, such as `cacheBreaker`, are passed
over, as MAST passes over them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from skydex.errors import BadParameterError
from skydex.web.asgi import Call, Reply

__all__ = ["FORMATS", "InvokeRequest", "InvokeService"]

FORMATS = ("json", "csv", "votable", "xml", "extjs")
"""What an answer can be."""
_EXAMPLE = 'a JSON object such as {"service": "Mast.Name.Lookup", "params": {"input": "M31", "format": "json"}}'
_INTEGER = re.compile(r"[+-]?[0-9]{1,25}", re.ASCII)
_DEEPEST = 50
_MOST_PAGE = 10**9


@dataclass(frozen=True)
class InvokeRequest:
    """A request, read."""

    service: str
    """Name of the service, such as `Mast.Name.Lookup`."""
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """The service's own parameters."""
    format: str | None = None
    """What the answer is to be, if it is said."""
    page: int = 1
    """Page of the answer, from 1."""
    page_rows: int | None = None
    """Rows of a page, if it is said."""
    without_nulls: bool = False
    """Whether columns are left out that are null throughout."""

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read the parameter `request`.

        Raises
        ------
        BadParameterError
            It is missing, or no such object.
        """
        given = _json_object(text)
        service = given.get("service")
        if not isinstance(service, str) or not service:
            raise BadParameterError("service", "is missing: it names what is asked, as in Mast.Name.Lookup.")
        params = given.get("params")
        if not isinstance(params, dict | None):
            raise BadParameterError("params", "must be an object { ... }.")
        return cls(
            service,
            MappingProxyType(params or {}),
            _format(given.get("format")),
            _count(given, "page") or 1,
            _count(given, "pagesize"),
            bool(given.get("removenullcolumns")),
        )

    def number(self, name: str, *, least: float, most: float, default: float | None = None) -> float:
        """A number among the service's own parameters; texts that hold one are taken too.

        Raises
        ------
        BadParameterError
            It is missing and has no default, or is no number, or out of bounds.
        """
        value = self.params.get(name, default)
        if value is None or value == "":
            raise BadParameterError(name, "is missing.")
        try:
            number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or not least <= number <= most:
            raise BadParameterError(name, f"must be a number from {least:g} to {most:g}, not {_short(value)}.")
        return number

    def integer(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number among the service's own parameters."""
        value = self.params.get(name, default)
        if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
            value = int(value)
        if value is None or value == "":
            raise BadParameterError(name, "is missing.")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadParameterError(name, f"must be a whole number from {least} to {most}, not {_short(value)}.")
        return value


Answer = Callable[[Call, InvokeRequest], Awaitable[Reply]]
Properties = Callable[[Call], Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class InvokeService:
    """A service that can be invoked."""

    name: str
    """As requests call it."""
    answer: Answer
    """Answers a request."""
    properties: Properties = lambda _: {}
    """What is to be known of the columns of its answers, by their names."""


def _json_object(text: str | None) -> dict[str, Any]:
    if text is None:
        raise BadParameterError(
            "request", 'is missing: it holds a JSON object such as {"service": "...", "params": {}}.'
        )
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadParameterError("request", "is not JSON.") from error
    if not isinstance(given, dict) or _depth(given) > _DEEPEST:
        raise BadParameterError("request", f"must be {_EXAMPLE}.")
    return given


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other; beyond the limit it is not counted further."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]
        depth += bool(inner)
        if not inner:
            break
    return depth


def _format(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value.lower() not in FORMATS:
        raise BadParameterError("format", f"must be one of {', '.join(FORMATS)}.")
    return value.lower()


def _count(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name)
    if isinstance(value, str) and value.isdecimal() and len(value) < 12:
        value = int(value)
    if value is None or value == "":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_PAGE:
        raise BadParameterError(name, f"must be a whole number from 1, not {_short(value)}.")
    return value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
