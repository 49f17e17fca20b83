"""What an astronomer writes of a cross-match, brought to plain values."""

from __future__ import annotations

import enum
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from skydex.client import CrossmatchOrder
from skydex.client.crossmatches import UPLOADED
from skydex.connection.columns import listed_names
from skydex.connection.places import degrees_of
from skydex.errors import BadParameterError
from skydex.sky import Region
from skydex.tables import Result
from skydex.xmatch import Criteria, Keep, Radius, SameRows, find_errors

__all__ = ["crossmatch_order"]

_E = TypeVar("_E", bound=enum.StrEnum)
_MINE = "mine"


def crossmatch_order(
    tables: Sequence[Any],
    *,
    radius: Any,
    read: Callable[[str, Any], Result | Path],
    region: Region | None = None,
    at_most: Any = None,
    keep: str = "nearest",
    same: str = "others",
    columns: Any = None,
    epoch: Any = None,
    epochs: Any = None,
    chance: bool = False,
) -> CrossmatchOrder:
    """Say with plain values what is to be matched; `read` makes an upload of a table; the rest as for `crossmatch`."""
    uploads: dict[str, Result | Path] = {}
    names = [_name(table, uploads, read) for table in tables]
    criteria = Criteria(
        _radius(radius, at_most),
        _one_of(Keep, keep, "keep"),
        _one_of(SameRows, same, "same"),
        None if epoch is None else _year(epoch, "epoch"),
        tuple(None if year is None else _year(year, "epochs") for year in _each(epochs, "epochs")),
        region,
        tuple(None if given in (None, "*") else listed_names(given) for given in _each(columns, "columns")),
        chance,
    )
    return CrossmatchOrder(tuple(names), criteria.checked(len(names)), uploads)


def _name(table: Any, uploads: dict[str, Result | Path], read: Callable[[str, Any], Result | Path]) -> str:
    """The name of a table; one that comes along gets one, after its file if it is one."""
    is_file = isinstance(table, os.PathLike) or (isinstance(table, str) and Path(table).is_file())
    if isinstance(table, str) and not is_file:
        return table
    stem = re.sub(r"\W+", "_", Path(table).name.partition(".")[0], flags=re.ASCII) if is_file else _MINE
    stem = stem if re.match(r"[A-Za-z]", stem) else f"{_MINE}_{stem}".rstrip("_")
    name, number = stem, 2
    while name.lower() in {other.lower() for other in uploads}:
        name, number = f"{stem}_{number}", number + 1
    uploads[name] = read(name, table)
    return f"{UPLOADED.upper()}{name}"


def _radius(given: Any, at_most: Any) -> Radius:
    errors = find_errors(given) if isinstance(given, str) else None
    if errors is not None:
        return errors if at_most is None else replace(errors, most_deg=degrees_of(at_most, "at_most"))
    if at_most is not None:
        raise BadParameterError("at_most", "is for a radius that is made of errors, such as 3*err: leave it out.")
    return Radius(degrees_of(given, "radius"))


def _one_of(kind: type[_E], given: str, parameter: str) -> _E:
    try:
        return kind(given)
    except ValueError as error:
        raise BadParameterError(parameter, f"is one of {', '.join(kind)}, not {given!r}.") from error


def _year(given: Any, parameter: str) -> float:
    """A Julian year: a number, `J2016`, or a `Time`."""
    if hasattr(given, "jyear"):
        return float(given.jyear)
    text = given.strip().lstrip("Jj") if isinstance(given, str) else given
    try:
        year = float(text)
    except (TypeError, ValueError):
        year = math.nan
    if not math.isfinite(year):
        raise BadParameterError(parameter, f"is a Julian year such as 2016.0, not {given!r}.")
    return year


def _each(given: Any, parameter: str) -> Sequence[Any]:
    """One for each table."""
    if given is None:
        return ()
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise BadParameterError(parameter, "are given as a list with one entry for each table, None for no word on it.")
    return given
