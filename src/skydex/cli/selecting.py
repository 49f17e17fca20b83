"""Which rows are meant, as people type it: places with radii, and conditions on columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from skydex.cli.angles import dec_degrees, ra_degrees, radius_degrees
from skydex.errors import BadParameterError

__all__ = ["Columns", "Sort", "Where", "conditions_of", "cone_of", "region_of"]

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        "-w",
        metavar="CONDITION",
        help='Such as "A_F475W_N>=10", "Detector=ACS/WFC", "name.like=M*" or "mag.between=21,24"; all must hold.',
    ),
]
Columns = Annotated[
    str, typer.Option(metavar="NAMES", help='Which columns, with commas between them; "*" is all of them.')
]
Sort = Annotated[str, typer.Option(metavar="NAMES", help="Columns to sort by; with a minus, the greatest first.")]

_RADIUS_LAST = re.compile(r"(.*\S)[\s,]+([0-9.]+(?:[eE][+-]?\d+)?\s*[a-z°'\"]*)", re.DOTALL)
_COMPARED = re.compile(r"\s*(\w+)\s*(>=|<=|!=|<>|==|>|<)\s*(.*)", re.DOTALL)
_SUFFIXED = re.compile(r"\s*(\w+(?:\.\w+)?)\s*=(?!=)\s*(.*)", re.DOTALL)
_WORDS = {">=": ".gte", "<=": ".lte", ">": ".gt", "<": ".lt", "!=": ".neq", "<>": ".neq", "==": ""}


def conditions_of(given: Sequence[str] | None) -> list[dict[str, str]]:
    """Conditions in the suffix form: `x>=10` is `x.gte=10`."""
    return [_condition(text) for text in given or ()]


def _condition(text: str) -> dict[str, str]:
    if compared := _COMPARED.fullmatch(text):
        column, sign, value = compared.groups()
        return {f"{column}{_WORDS[sign]}": value.strip()}
    if suffixed := _SUFFIXED.fullmatch(text):
        return {suffixed[1]: suffixed[2]}
    raise BadParameterError("where", f"has the form COLUMN>=10, COLUMN.gte=10 or COLUMN=value, not {text!r}.")


def region_of(text: str | None) -> dict[str, Any]:
    """Centre and radius out of `RA DEC RADIUS` or `NAME RADIUS` in one text."""
    if text is None:
        return {}
    found = _RADIUS_LAST.fullmatch(text.strip())
    if found is None:
        raise BadParameterError("cone", f"is a place and a radius, as in 'IC 1613 10arcmin', not {text!r}.")
    place, radius = found[1].rstrip(" ,"), radius_degrees(found[2].replace(" ", ""))
    words = place.replace(",", " ").split()
    if len(words) == 2:
        try:
            return {"where": (ra_degrees(words[0]), dec_degrees(words[1])), "radius": radius}
        except BadParameterError:
            if all(word.lstrip("+-")[:1].isdecimal() for word in words):
                raise
    return {"where": place, "radius": radius}


def cone_of(words: Sequence[str]) -> dict[str, Any]:
    """Centre and radius out of two or three words: `RA DEC RADIUS`, or `NAME RADIUS`."""
    if len(words) == 3:
        return {"where": (ra_degrees(words[0]), dec_degrees(words[1])), "radius": radius_degrees(words[2])}
    if len(words) == 2:
        return {"where": words[0], "radius": radius_degrees(words[1])}
    raise BadParameterError("place", "must be RA DEC RADIUS, or NAME RADIUS with a name of several words in quotes.")
