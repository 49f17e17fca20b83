"""`mirror`: a selection from an archive elsewhere as a table of an archive on this disk, to be worked with offline.

What was asked, of whom and when stands in the description of the table, for whoever finds it, and in the notes of its
entry in the archive, from which `refresh` asks again. Rows travel as an answer does, column meanings with them, and are
published by the pipeline of `ingest`, in one step: until the new rows are there, the old ones are.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from skydex import __version__
from skydex.client import All, Comparison, Condition, Not, Query, RowsOrder
from skydex.client import Any as AnyOf
from skydex.connection.columns import joined_conditions
from skydex.connection.connection import Connection, described
from skydex.connection.files import write_result
from skydex.connection.opening import connect
from skydex.errors import BadParameterError, CutShortError
from skydex.sky import Cone
from skydex.tables import Result, counted

if TYPE_CHECKING:
    from skydex.ingest import Progress
    from skydex.store import ArchiveDirectory, ArchiveEntry

__all__ = ["Mirrored", "mirror", "mirrors", "refresh"]

_NOTE = "mirror"
_SCHEMA = "mirror"
_WORDS_OF_QUERY = 500
_QUALIFIED = re.compile(r"[A-Za-z]\w*\.[A-Za-z]\w*", re.ASCII)

Place = str | os.PathLike[str]
"""A directory, or what `connect` takes."""


@dataclass(frozen=True)
class Origin:
    """Where a mirrored table is from, as `connect` is told."""

    target: str
    """An address, a directory, or a preset."""
    at: str | None = None
    """What stands in for the real services of a preset."""
    user: str | None = None
    """As whom it is asked; the password is not kept."""
    options: Mapping[str, str] = field(default_factory=dict)
    """`release`, `magtype`, `context` of a preset."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.target} at {self.at}" if self.at else self.target

    def open(self, password: str | None) -> Connection:
        return connect(self.target, at=self.at, user=self.user, password=password, **self.options)


@dataclass(frozen=True)
class Mirrored:
    """A table that was mirrored."""

    name: str
    """What it is called here."""
    origin: Origin
    """Where it is from."""
    asked: RowsOrder | Query
    """What was asked."""
    n_rows: int
    """How many rows came."""
    time: str
    """When, UTC, ISO 8601."""
    query: str
    """What was asked, for people."""
    title: str = ""
    """What the origin says of the table."""
    is_truncated: bool = False
    """Whether the origin has more rows than were wanted."""
    n_rows_before: int | None = None
    """How many rows there were before it was refreshed."""

    @property
    def description(self) -> str:
        """One paragraph for people."""
        of_part = ", cut at the row limit" if self.is_truncated else ""
        said = f"Mirrored from {self.origin.name} on {self.time[:10]}: {self.n_rows:,} rows{of_part}. {self.query}"
        return f"{self.title.rstrip()} {said}".strip()

    def notes(self) -> dict[str, Any]:
        """Everything that is kept, fit for JSON."""
        kind = "asked_query" if isinstance(self.asked, Query) else "asked_rows"
        asked = _query_facts(self.asked) if isinstance(self.asked, Query) else _order_facts(self.asked)
        facts = {key: getattr(self, key) for key in ("n_rows", "time", "query", "title", "is_truncated")}
        return {_NOTE: {**facts, "origin": asdict(self.origin), kind: asked, "skydex": __version__}}


def mirror(
    target: Place,
    into: Place,
    table: str | None = None,
    *conditions: object,
    name: str = "",
    where: Any = None,
    radius: Any = None,
    columns: object = (),
    query: str | None = None,
    maxrec: int | None = None,
    at: Place | None = None,
    user: str | None = None,
    password: str | None = None,
    progress: Progress | None = None,
    **options: str,
) -> Mirrored:
    """Keep a selection from an archive elsewhere as a table of an archive on this disk.

    Parameters
    ----------
    target : str or path
        The archive that is asked, as for `skydex.connect`, with `at`, `user`, `password` and a preset's options.
    into : path
        The archive that keeps it; made if the directory is new or empty.
    table : str, optional
        The table that is asked; a whole table if nothing else is said.
    *conditions, where, radius, columns
        Which rows and columns, as for `Connection.search`.
    name : str, optional
        What the copy is called, as `schema.table`; a table of that name is replaced. By default it is called as at its
        origin, in the schema `mirror` if that is no schema and table; and replaces nothing but itself.
    query : str, optional
        A query in ADQL instead of a table; then the copy needs a name.
    maxrec : int, optional
        At most so many rows, though there may be more.
    progress : callable, optional
        Told how far it is.

    Returns
    -------
    mirrored : Mirrored
        What came, from where and when.

    Raises
    ------
    CutShortError
        The archive gave a part of the rows only, and no `maxrec` had been named; nothing is changed.
    """
    origin = Origin(_lasting(target), None if at is None else _lasting(at), user, options)
    with origin.open(password) as archive:
        asked = _asked(archive, table, conditions, query, maxrec, where=where, radius=radius, columns=columns)
        called = _qualified(name) if name else _name(asked, origin, into)
        return _mirrored(archive, into, called, origin, asked, progress)


def refresh(into: Place, name: str, *, password: str | None = None, progress: Progress | None = None) -> Mirrored:
    """Ask for a mirrored table again, and put what comes in its place.

    Parameters
    ----------
    into : path
        The archive that keeps it.
    name : str
        What it is called there.
    password : str, optional
        Of the user as whom it was asked.
    progress : callable, optional
        Told how far it is.

    Raises
    ------
    BadParameterError
        The table was not mirrored.
    """
    before = _read(_archive(into).get(name))
    if before is None:
        raise BadParameterError("name", f"is {name}, which is no mirrored table. There are: {_listed(into)}.")
    with before.origin.open(password) as archive:
        return _mirrored(archive, into, before.name, before.origin, before.asked, progress, before=before)


def mirrors(into: Place) -> list[Mirrored]:
    """The mirrored tables of an archive."""
    found = (_read(entry) for entry in _entries(into))
    return [one for one in found if one is not None]


def _archive(into: Place) -> ArchiveDirectory:
    from skydex.store import ArchiveDirectory

    return ArchiveDirectory(into)


def _entries(into: Place) -> tuple[ArchiveEntry, ...]:
    """The tables of an archive; none of one that is still to be made."""
    folder = Path(into)
    return _archive(into).tables() if folder.is_dir() and any(folder.iterdir()) else ()


def _lasting(target: Place) -> str:
    """A target as it is understood from any folder."""
    text = os.fspath(target)
    return str(Path(text).absolute()) if Path(text).is_dir() else text


def _asked(
    archive: Connection,
    table: str | None,
    conditions: Sequence[object],
    query: str | None,
    maxrec: int | None,
    **selection: Any,
) -> RowsOrder | Query:
    if (table is None) == (query is None):
        raise BadParameterError("table", "or a query is what is mirrored: give one of both.")
    if query is not None:
        if joined_conditions(conditions, {}) is not None or any(map(_is_given, selection.values())):
            raise BadParameterError("query", "says by itself which rows are wanted: put places and conditions into it.")
        return Query(query, max_rows=maxrec)
    assert table is not None
    return archive.order(table, joined_conditions(conditions, {}), maxrec=maxrec, **selection)


def _is_given(value: object) -> bool:
    return value is not None and not (isinstance(value, str | tuple | list) and not value)


def _qualified(name: str) -> str:
    return name if "." in name else f"{_SCHEMA}.{name}"


def _name(asked: RowsOrder | Query, origin: Origin, into: Place) -> str:
    """What a copy is called if nobody says it: as at its origin, if nothing else is called so here."""
    if isinstance(asked, Query):
        raise BadParameterError("name", "is missing: a query does not say what its rows are called.")
    from skydex.ingest import adql_name

    name = asked.table
    if not _QUALIFIED.fullmatch(name):
        name = f"{_SCHEMA}.{adql_name(re.sub(r'[^A-Za-z0-9_]+', '_', name))}"
    same = [entry for entry in _entries(into) if entry.name.lower() == name.lower()]
    before = _read(same[0]) if same else None
    if same and (before is None or (before.asked, before.origin) != (asked, origin)):
        raise BadParameterError("name", f"is missing: the archive has another {name} already, which would be replaced.")
    return name


def _mirrored(
    archive: Connection,
    into: Place,
    name: str,
    origin: Origin,
    asked: RowsOrder | Query,
    progress: Progress | None,
    *,
    before: Mirrored | None = None,
) -> Mirrored:
    """Ask, keep the answer in a file for a while, and publish it."""
    from skydex.ingest import ingest_files  # only here: it takes 0.1 s, and most connections mirror nothing
    from skydex.store import ArchiveDirectory

    directory = ArchiveDirectory.create(into)
    time = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    with TemporaryDirectory(prefix="skydex-mirror-") as room:
        result = counted(archive.door.query(asked) if isinstance(asked, Query) else archive.door.rows(asked))
        file = write_result(result, Path(room, "rows.parquet"))
        _check_whole(archive, asked, result)
        come = Mirrored(
            name,
            origin,
            asked,
            n_rows=result.n_rows,
            time=time,
            query=_said(asked),
            title=_title(archive, asked, result),
            is_truncated=result.overflow,
            n_rows_before=before.n_rows if before else None,
        )
        ingest_files([file], directory, name, description=come.description, progress=progress, notes=come.notes())
    return come


def _check_whole(archive: Connection, asked: RowsOrder | Query, result: Result) -> None:
    if result.overflow and asked.max_rows is None:
        raise CutShortError(archive.name, result.n_rows)


def _said(asked: RowsOrder | Query) -> str:
    text = " ".join((asked.text if isinstance(asked, Query) else described(asked)).split())
    return text if len(text) <= _WORDS_OF_QUERY else f"{text[:_WORDS_OF_QUERY].rstrip()} …"


def _title(archive: Connection, asked: RowsOrder | Query, result: Result) -> str:
    """What the origin says of the rows."""
    if isinstance(asked, Query) or result.description:
        return result.description
    return archive.door.table(asked.table).description


def _read(entry: ArchiveEntry) -> Mirrored | None:
    """What the notes of an entry say, if it was mirrored."""
    facts = entry.notes.get(_NOTE)
    if facts is None:
        return None
    asked = Query(**facts["asked_query"]) if "asked_query" in facts else _order_of(facts["asked_rows"])
    told = {key: facts[key] for key in ("n_rows", "time", "query", "title", "is_truncated")}
    return Mirrored(entry.name, Origin(**facts["origin"]), asked, **told)


def _listed(into: Place) -> str:
    return ", ".join(one.name for one in mirrors(into)) or "none"


def _query_facts(query: Query) -> dict[str, Any]:
    return {"text": query.text, "language": query.language, "max_rows": query.max_rows}


def _order_facts(order: RowsOrder) -> dict[str, Any]:
    return {
        **asdict(order),
        "condition": None if order.condition is None else _condition_facts(order.condition),
        "cone": None if order.cone is None else [order.cone.ra_deg, order.cone.dec_deg, order.cone.radius_deg],
    }


def _order_of(facts: Mapping[str, Any]) -> RowsOrder:
    names = {key: tuple(facts[key]) for key in ("columns", "sort_by")}
    cone = None if facts["cone"] is None else Cone(*facts["cone"])
    condition = None if facts["condition"] is None else _condition_of(facts["condition"])
    return RowsOrder(facts["table"], condition=condition, cone=cone, max_rows=facts["max_rows"], **names)


def _condition_facts(condition: Condition) -> list[Any]:
    """A condition as JSON: its kind, and its parts."""
    match condition:
        case All(parts):
            return ["all", *map(_condition_facts, parts)]
        case AnyOf(parts):
            return ["any", *map(_condition_facts, parts)]
        case Not(inner):
            return ["not", _condition_facts(inner)]
        case Comparison(column, operator, values):
            return [operator, column, *values]


def _condition_of(facts: Sequence[Any]) -> Condition:
    kind, *parts = facts
    if kind == "all":
        return All(tuple(map(_condition_of, parts)))
    if kind == "any":
        return AnyOf(tuple(map(_condition_of, parts)))
    if kind == "not":
        return Not(_condition_of(parts[0]))
    return Comparison(parts[0], kind, tuple(parts[1:]))
