"""`MyDB`: the tables that one user keeps on the server.

Each user has a store of her own, in the form of an archive: tables are written aside and appear in one step; versions
that somebody reads stay until they are no longer read; any number of processes may read and write. What one user's
disk, quota or broken file does, no other user notices.

A change may say on whose behalf it is made (`origin`): asked for again, it is not made again. So a job whose worker
was lost after it had published can be begun anew.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from skydex.errors import (
    BadParameterError,
    BadQueryError,
    TableChangedError,
    TableExistsError,
)
from skydex.mydb.draft import LAYOUT, Draft, indexed, own_columns
from skydex.mydb.own_table import Fills, OwnTable, Quota
from skydex.mydb.rows import fitted, held, rows_of
from skydex.mydb.shelf import MYDB, Shelf, among, bare, bare_name
from skydex.store import (
    ArchiveEntry,
    Dataset,
    Origin,
    WriteReport,
    append_rows,
    worth_appending,
)
from skydex.store.files import storing, write_file
from skydex.tables import (
    POSITION_NAMES,
    Column,
    Position,
    Table,
    arrow_schema,
    conform,
    likely_position,
    uniquely_named,
)

__all__ = ["SHARING", "MyDB"]

SHARING = "sharing"
"""Directory with a file for each user who shares something."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}", re.ASCII)
_LONGEST_DESCRIPTION = 2000
_STAGED_BYTES = 4
"""Rows being written may take so many times the quota, since most become smaller on the disk."""
_LEAST_STAGED = 256 << 20
_APPENDED_BYTES = 64 << 20
"""Rows up to this size are appended from memory."""
_ATTEMPTS = 20
_PAUSE_S = 0.02
"""Those who add to the same table at the same time wait for chance to let one of them go first."""


class MyDB:
    """The tables of one user; safe to share between threads and processes.

    Parameters
    ----------
    path : Path
        Her directory; it need not be there yet.
    quota : Quota
        How much she may keep.
    owner : str
        Her name, under which others see what she shares.
    """

    def __init__(self, path: Path, quota: Quota, *, owner: str = "") -> None:
        self.path = path
        self.quota = quota
        self.owner = owner
        self._shelf = Shelf(path)
        self._described: dict[str, Table] = {}

    @property
    def revision(self) -> str:
        """Changes with every change; empty as long as there is no table."""
        try:
            return self._shelf.store.revision if self._shelf.exists() else ""
        except OSError:
            return "unreadable"

    def tables(self) -> tuple[OwnTable, ...]:
        """All tables, by name.

        Raises
        ------
        StoreError
            The list of tables is damaged.
        """
        return tuple(map(OwnTable.of, self._shelf.entries()))

    def find(self, name: str) -> OwnTable | None:
        """A table, without regard to case, or `None`."""
        found = self._shelf.find(name)
        return OwnTable.of(found) if found else None

    def get(self, name: str) -> OwnTable:
        """A table; `UnknownTableError` if there is none of that name."""
        return OwnTable.of(self._shelf.get(name))

    @property
    def n_bytes(self) -> int:
        """What all tables take on the disk."""
        return sum(table.n_bytes for table in self.tables())

    def find_done(self, origin: str) -> int | None:
        """Rows of the change that was made for an origin, or `None` if there was none."""
        if not origin or not self._shelf.exists():
            return None
        self._shelf.entries()  # which says what is wrong with the list, if anything is
        done = self._shelf.store.find_origin(origin)
        return None if done is None else done.n_rows

    def note(self, origin: str, n_rows: int = 0) -> None:
        """Keep for `find_done` what came of an origin that changed no table."""
        if origin and self.find_done(origin) is None:
            self._shelf.made().note(Origin(origin, n_rows))

    def open(self, name: str, *, schema: str = MYDB) -> Dataset:
        """Open a table as it is now, for reading; it stays so for the reader.

        Parameters
        ----------
        name : str
            Its name.
        schema : str
            By which schema the reader knows it.
        """
        entry = self._shelf.get(name)
        return self._shelf.store.open(entry.name, called=f"{schema}.{bare(entry)}")

    def describe(self, name: str, *, schema: str = MYDB) -> Table:
        """The description of a table, without keeping it open."""
        entry = self._shelf.get(name)
        if entry.location not in self._described:
            current = {known.location for known in self._shelf.entries()}
            self._described = {key: table for key, table in self._described.items() if key in current}
            self._described[entry.location] = self._shelf.store.open(entry.name).table
        return self._described[entry.location].renamed(f"{schema}.{bare(entry)}")

    def create(
        self,
        name: str,
        columns: Sequence[Column],
        batches: Iterable[pa.RecordBatch],
        *,
        origin: str = "",
        position: Position | None = None,
        description: str = "",
        replace: bool = False,
        basis: str | None = None,
        n_changed: int | None = None,
        fills: Fills | None = None,
    ) -> int:
        """Make a table, wholly or not at all.

        Parameters
        ----------
        name : str
            Letters, digits and `_`, beginning with a letter.
        columns : sequence of Column
            What the columns mean; names that differ only in case get a number.
        batches : iterable of RecordBatch
            The rows, by the order of the columns.
        origin : str, optional
            On whose behalf; the same origin makes a table once.
        position : Position, optional
            The columns that hold positions; by default those that look like it.
        description : str, optional
            One paragraph for people; it is cut after 2,000 characters.
        replace : bool
            Whether a table of that name is replaced; with whom it is shared stays.
        basis : str, optional
            The version from which the rows were made: if it is no longer the present one, nothing is replaced.
        n_changed : int, optional
            What `find_done` says of the origin afterwards; by default the rows of the table.
        fills : Fills, optional
            What INSERT puts into columns of which it says nothing; by default what was so before.

        Returns
        -------
        n_rows : int
            Rows of the table.

        Raises
        ------
        TableExistsError
            There is a table of that name.
        TableChangedError
            It is not of the version `basis` any more.
        QuotaError
            There is no room for it.
        StoreError
            The disk is full or fails.
        """
        done = self.find_done(origin)
        if done is not None:
            return done
        self._check_room(_checked(name), replace=replace)
        named = own_columns(uniquely_named(columns))
        if not named:
            raise BadQueryError(f"The table {name} would have no columns.")
        where = position or likely_position(named, POSITION_NAMES)
        table = Table(f"{MYDB}.{name}", named, description[:_LONGEST_DESCRIPTION], where)
        with self._draft(table) as draft:
            draft.add(conform(batches, named))
            expected = (lambda now: now is None) if not replace else (lambda now: basis in (None, now and now.version))
            complaint = TableChangedError(name) if replace else TableExistsError(name)
            report = draft.finish()
            self._publish(
                table.name,
                report,
                origin=origin,
                n_rows=n_changed,
                expected=expected,
                otherwise=complaint,
                fills=fills,
            )
            return draft.n_rows

    def append(
        self,
        name: str,
        columns: Sequence[Column],
        batches: Iterable[pa.RecordBatch],
        *,
        origin: str = "",
        basis: str | None = None,
    ) -> int:
        """Add rows to a table, all or none; readers of the table go on to read what was there.

        Parameters
        ----------
        name : str
            An existing table.
        columns : sequence of Column
            Columns of the rows; each goes into the table's column of that name, and what is missing is null.
        batches : iterable of RecordBatch
            The rows.
        origin : str, optional
            On whose behalf; rows of the same origin are added once.
        basis : str, optional
            The version for which the rows were made: to another one, nothing is added.

        Returns
        -------
        n_rows : int
            Rows that were added.

        Raises
        ------
        UnknownTableError, UnknownColumnError
            There is no such table, or no such column in it.
        BadQueryError
            A value does not fit its column.
        TableChangedError
            The table is not of the version `basis` any more.
        QuotaError
            There is no room for them.
        """
        done = self.find_done(origin)
        if done is not None:
            return done
        columns_there = self.open(name).table.columns
        rows = fitted(batches, columns, called=f"{MYDB}.{name}", there=columns_there)
        first, rest = held(rows, arrow_schema(columns_there), _APPENDED_BYTES)
        for attempt in range(_ATTEMPTS):
            try:
                n_rows = self._append(name, first, rest, origin, basis)
                self._shelf.store.clear_old_versions(f"{MYDB}.{name}")
                return n_rows
            except TableChangedError:
                if rest is not None or basis is not None:
                    raise
                time.sleep(random.uniform(0.0, _PAUSE_S * attempt))
        raise TableChangedError(name)

    def _append(
        self, name: str, first: pa.Table, rest: Iterator[pa.RecordBatch] | None, origin: str, basis: str | None
    ) -> int:
        entry = self._shelf.get(name)
        if basis not in (None, entry.version):
            raise TableChangedError(name)
        dataset = self._shelf.store.open(entry.name)
        if dataset.version != entry.version or first.schema != arrow_schema(dataset.table.columns):
            raise TableChangedError(name)
        position = dataset.table.position
        rows = indexed(first, position) if position else first
        if rest is None and not len(first):
            return 0
        where = position if rows is not None else None
        table = replace(dataset.table, columns=own_columns(dataset.table.columns), position=where)
        with self._draft(table) as draft:
            if rest is None and rows is not None and worth_appending(dataset, len(rows), layout=LAYOUT):
                n_rows = len(rows)
                report = append_rows(dataset, rows, directory=draft.catalog, layout=LAYOUT)
            else:
                draft.add(rows_of(dataset))
                before = draft.n_rows
                draft.add(first.to_batches())
                draft.add(rest or ())
                report, n_rows = draft.finish(), draft.n_rows - before
            self._publish(
                entry.name,
                report,
                origin=origin,
                n_rows=n_rows,
                expected=lambda now: now is not None and now.version == entry.version,
                otherwise=TableChangedError(name),
            )
        return n_rows

    def drop(self, name: str, *, origin: str = "") -> None:
        """Remove a table; `UnknownTableError` if there is none of that name."""
        if self.find_done(origin) is None:
            entry = self._shelf.get(name)
            self._shelf.store.remove(entry.name, origin=Origin(origin, 0) if origin else None)

    def rename(self, old: str, new: str, *, origin: str = "") -> None:
        """Give a table another name.

        Raises
        ------
        UnknownTableError, TableExistsError
            There is no table of the old name, or one of the new.
        """
        if self.find_done(origin) is not None:
            return
        target = f"{MYDB}.{_checked(new)}"

        def renamed(entry: ArchiveEntry, entries: tuple[ArchiveEntry, ...]) -> ArchiveEntry:
            if target.lower() in {other.name.lower() for other in entries if other is not entry}:
                raise TableExistsError(new)
            return replace(entry, name=target)

        self._shelf.store.amend(self._shelf.get(old).name, renamed, origin=Origin(origin, 0) if origin else None)

    def share(self, name: str, *, users: Iterable[str] = (), groups: Iterable[str] = ()) -> OwnTable:
        """Let users, and members of groups, read a table besides those who may already."""
        self._shelf.get(name)
        marker = self.path.parent / SHARING / self.path.name
        with storing("the list of those who share"):
            marker.parent.mkdir(exist_ok=True)
            write_file(marker, self.owner.encode())
        more = (tuple(users), tuple(groups))
        return self._shared(name, lambda now: tuple(map(_joined, (now.users, now.groups), more)))

    def unshare(self, name: str, *, users: Iterable[str] = (), groups: Iterable[str] = ()) -> OwnTable:
        """Take from users and groups the right to read a table."""
        less = (tuple(users), tuple(groups))
        return self._shared(name, lambda now: tuple(map(_without, (now.users, now.groups), less)))

    def _shared(self, name: str, change: Callable[[OwnTable], Sequence[tuple[str, ...]]]) -> OwnTable:
        def shared(entry: ArchiveEntry, _: tuple[ArchiveEntry, ...]) -> ArchiveEntry:
            now = OwnTable.of(entry)
            users, groups = change(now)
            return replace(entry, notes=replace(now, users=users, groups=groups).notes())

        return OwnTable.of(self._shelf.store.amend(self._shelf.get(name).name, shared))

    def _publish(
        self,
        name: str,
        report: WriteReport,
        *,
        expected: Callable[[ArchiveEntry | None], bool],
        otherwise: Exception,
        origin: str,
        n_rows: int | None = None,
        fills: Fills | None = None,
    ) -> None:
        """Publish what was written, if the table of that name is still what was expected and there is room."""

        def settled(new: ArchiveEntry, entries: tuple[ArchiveEntry, ...]) -> ArchiveEntry:
            now = among(entries, name)
            if not expected(now):
                raise otherwise
            before = OwnTable.of(now) if now else OwnTable.of(new)
            table = replace(before, name=OwnTable.of(new).name, n_bytes=report.n_bytes, origin=origin)
            table = table if fills is None else replace(table, fills=fills)
            self.quota.check(map(OwnTable.of, entries), table)
            return replace(new, notes=table.notes())

        done = Origin(origin, report.n_rows if n_rows is None else n_rows) if origin else None
        self._shelf.store.publish(name, report.directory, settle=settled, origin=done)

    def _draft(self, table: Table) -> Draft:
        used = self.n_bytes
        most = max(_LEAST_STAGED, _STAGED_BYTES * self.quota.n_bytes)
        complaint = self.quota.exceeded(f"{bare_name(table.name)} would take several times as much.", used)
        return Draft(self._shelf.made(), table, most_bytes=most, too_large=complaint)

    def _check_room(self, name: str, *, replace: bool) -> None:
        """Refuse what is sure to be refused, before its rows are computed."""
        tables = {table.name.lower(): table for table in self.tables()}
        if name.lower() in tables and not replace:
            raise TableExistsError(name)
        self.quota.check(tables.values(), OwnTable(name, 0, 1, "", ""))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadParameterError(
            "table", f"{name[:100]!r} cannot be the name of a table: letters, digits and _, the first a letter."
        )
    return name


def _joined(now: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return (*now, *_without(tuple(dict.fromkeys(more)), now))


def _without(now: tuple[str, ...], less: tuple[str, ...]) -> tuple[str, ...]:
    gone = {name.lower() for name in less}
    return tuple(name for name in now if name.lower() not in gone)
