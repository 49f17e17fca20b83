"""The page that plots a query: its rows as points, one column against another, chosen by what the columns mean.

It is apart from the page where queries are written, since what draws the points needs a wider policy than an editor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from skydex.errors import BadParameterError
from skydex.tables import Datatype
from skydex.web import dali
from skydex.web.asgi import Call
from skydex.web.foresight import explained
from skydex.web.pages.definition import Page
from skydex.web.pages.policy import Policy
from skydex.web.pages.rendering import Facts
from skydex.web.pages.rows import rows_of
from skydex.web.questions import read_question

__all__ = ["PAGE"]

_ROWS = 50
"""Rows that are shown as text."""
_MOST_POINTS = 200_000
_PLACE = 1
"""Rank of a coordinate: what is measured tells more, what is only counted less."""
_LONGEST = 6000
"""Characters of a query that fits into an address."""


async def gather(call: Call) -> Facts:
    """Which columns there are, which two are meant, and where the points are."""
    given = await call.parameters()
    question = read_question(call, given, most=_ROWS, default=_ROWS)
    if question.is_batch or not question.text.strip() or len(question.text) > _LONGEST:
        raise BadParameterError("query", f"must be one in ADQL, of {_LONGEST:,} characters at the most.")
    facts: Facts = {"asked": question.facts(), "mistake": None, "columns": [], "axes": None, "rows": None}
    told = await explained(call, question)
    if told.get("mistake") is not None:
        return facts | {"mistake": told["mistake"]}
    columns = [column for column in told["explanation"]["columns"] if Datatype(column["datatype"]).is_numeric]
    x, y = _chosen(columns, given)
    base = f"{question.name}/tap/sync" if question.name else "tap/sync"
    points = {"LANG": "ADQL", "QUERY": question.text, "MAXREC": _MOST_POINTS, "RESPONSEFORMAT": "arrow"}
    axes = {
        "x": x,
        "y": y,
        "invert_x": _is_ra(x),
        "invert_y": _is_magnitude(y),
        "points": f"{base}?{urlencode(points)}",
    }
    rows = await rows_of(call, question.request(call.owner))
    return facts | {"columns": columns, "axes": axes if x and y else None, "rows": rows.facts()}


def _chosen(
    columns: Sequence[Mapping[str, Any]], given: dali.Parameters
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The two columns that are asked for, or else those that tell most: magnitudes, positions, whatever comes first."""
    ranked = sorted(columns, key=_rank)
    by_name = {column["name"]: column for column in columns}
    x = by_name.get(given.find("x") or "")
    y = by_name.get(given.find("y") or "")
    if x is None and y is None:
        position = [column for column in columns if _rank(column) == _PLACE]
        telling = [column for column in columns if _rank(column) < _PLACE]
        pair = position[:2] if len(telling) < 2 <= len(position) else sorted(ranked[:2], key=columns.index)
        return (pair[0], pair[1]) if len(pair) == 2 else (None, None)
    other = next((column for column in ranked if column not in (x, y)), None)
    return x or other, y or other


def _rank(column: Mapping[str, Any]) -> int:
    ucd = (column["ucd"] or "").lower()
    if "meta.id" in ucd or "meta.code" in ucd or "stat.error" in ucd:
        return _PLACE + 2
    if ucd.startswith("pos.eq"):
        return _PLACE
    if ucd.startswith(("phot.mag", "phot.color", "time.epoch", "phot.flux")):
        return 0
    return _PLACE + 1


def _is_ra(column: Mapping[str, Any] | None) -> bool:
    return bool(column) and "pos.eq.ra" in ((column or {})["ucd"] or "")


def _is_magnitude(column: Mapping[str, Any] | None) -> bool:
    return bool(column) and "phot.mag" in ((column or {})["ucd"] or "")


PAGE = Page("/query/plot", "plot.html", gather, Policy(compiles=True))
