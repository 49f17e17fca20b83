"""What one user sees beside what is published: her own tables, and those that others share with her.

Her tables are `mydb.t`, and also `<her name>.t`, as others know those that she shares. Nothing of it is opened before
somebody names it, so that a user with a thousand tables, or with a broken one, is answered like anybody else.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

from skydex.archive.views import Schema, View
from skydex.errors import StoreError
from skydex.mydb import MYDB, MyDB, Owner, OwnTable, SharedTable, UserTables
from skydex.query import Namespace, Relation
from skydex.query.languages.words import spelled
from skydex.tables import Table
from skydex.tables.tap_schema import TAP_SCHEMA, tap_schema

__all__ = ["OwnerViews"]

_MOST_KEPT = 16
"""Views in memory; tables that were asked for stay open in them."""
_ABOUT_MYDB = "Your own tables"
_ABOUT_SHARED = "Tables that {} shares with you"


class OwnerViews:
    """Views as their users see them; each is kept until something in it changes. Safe to share between threads."""

    def __init__(self, tables: UserTables) -> None:
        self.tables = tables
        self._kept: OrderedDict[tuple[str, int], tuple[Hashable, OwnerView]] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, published: View, user: Owner) -> View:
        """A view with what is the user's."""
        key = (published.key, user.wsid)
        stamp = (user, self.tables.stamp(user))
        with self._lock:
            known = self._kept.get(key)
            if known is None or known[0] != stamp or known[1].relations is not published.relations:
                known = self._kept[key] = stamp, _view(published, OwnTables(self.tables, user))
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return known[1]


@dataclass(frozen=True)
class OwnerView(View):
    """What one service shows to one user."""

    own: OwnTables
    """What is hers."""

    @cached_property
    def described(self) -> tuple[Relation, ...]:
        tables = [*(relation.table for relation in self.relations), *self.own.described()]
        texts = {**self.texts, **self.own.texts()}
        return tuple(Relation(table, rows) for table, rows in tap_schema(tables, texts, spelled=spelled))

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        tables = self.own.described()
        more = self.own.texts().items()
        own = (
            Schema(name, text, tuple(t for t in tables if t.schema_name == name), is_own=True) for name, text in more
        )
        return (*self._published_schemas(), *own)

    @cached_property
    def namespace(self) -> Namespace:
        others = _Others(self)
        return Namespace(self.relations, default_schema=self.default_schema, others=others, absent=self.absent)


def _view(published: View, own: OwnTables) -> OwnerView:
    facts = {key: getattr(published, key) for key in View.__dataclass_fields__}
    return OwnerView(**facts, own=own)


class OwnTables:
    """The tables of one user, and those that are shared with her, as they are at one moment."""

    def __init__(self, everybody: UserTables, user: Owner) -> None:
        self.user = user
        self.mydb = everybody.of(user)
        self.shared = everybody.shared_with(user)
        self.failure: StoreError | None = None
        """Why her own tables cannot be seen."""
        self._opened: dict[str, Relation] = {}
        try:
            self.tables = self.mydb.tables()
        except StoreError as error:
            self.tables, self.failure = (), error

    def names(self) -> Iterator[str]:
        """Qualified names of all."""
        yield from (f"{MYDB}.{table.name}" for table in self.tables)
        yield from (f"{shared.owner}.{shared.table.name}" for shared in self.shared)

    def find(self, schema: str, name: str) -> Relation | None:
        """A table by schema and name in lower case; an error if it is hers and cannot be read."""
        key = f"{schema}.{name}"
        if key not in self._opened:
            found = self._open(schema, name)
            if found is None:
                return None
            self._opened[key] = found
        return self._opened[key]

    def _open(self, schema: str, name: str) -> Relation | None:
        if schema in (MYDB, self.user.name.lower()):
            if self.failure is not None:
                raise self.failure
            own = _named(self.tables, name)
            return _relation(self.mydb, own, MYDB if schema == MYDB else self.user.name) if own else None
        theirs = [shared for shared in self.shared if shared.owner.lower() == schema]
        table = _named([shared.table for shared in theirs], name)
        return _relation(theirs[0].mydb, table, theirs[0].owner) if table else None

    def described(self) -> list[Table]:
        """What all of them are; those that cannot be read are left out."""
        own = [_described(self.mydb, table, MYDB) for table in self.tables]
        return [table for table in [*own, *map(_described_as_shared, self.shared)] if table is not None]

    def texts(self) -> dict[str, str]:
        """Their schemas, each with its description."""
        return {MYDB: _ABOUT_MYDB, **{shared.owner: _ABOUT_SHARED.format(shared.owner) for shared in self.shared}}


class _Others:
    """What is found besides what is published."""

    def __init__(self, view: OwnerView) -> None:
        self._view = view

    def names(self) -> Iterator[str]:
        return self._view.own.names()

    def find(self, name: str) -> Relation | None:
        schema, _, bare = name.rpartition(".")
        if schema == TAP_SCHEMA.lower():
            return next((r for r in self._view.described if r.table.name.lower() == name), None)
        return self._view.own.find(schema or MYDB, bare)


def _named(tables: tuple[OwnTable, ...] | list[OwnTable], name: str) -> OwnTable | None:
    return next((table for table in tables if table.name.lower() == name), None)


def _relation(mydb: MyDB, table: OwnTable, schema: str) -> Relation:
    dataset = mydb.open(table.name, schema=schema)
    return Relation(dataset.table, dataset)


def _described(mydb: MyDB, table: OwnTable, schema: str) -> Table | None:
    try:
        return mydb.describe(table.name, schema=schema)
    except StoreError:
        return None


def _described_as_shared(shared: SharedTable) -> Table | None:
    return _described(shared.mydb, shared.table, shared.owner)
