"""What the tables of an archive on this disk are called, and how their rows are asked for.

An archive shows its tables as queries name them, all or those of one of its offers (`ViewTables`); as the catalogue API
does (`CatalogTables`), whose searches have a meaning of their own: texts are compared without regard to case, and all
constraints hold; or a few under words of a preset (`WordTables`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from skydex.archive import (
    Archive,
    CatalogOffer,
    CatalogRequest,
    ConeRequest,
    Constraint,
    QueryRequest,
    Search,
    SortKey,
    TableRequest,
)
from skydex.client import Preset, RowsOrder, parameters, query_text, settled
from skydex.client.psf import filters_of
from skydex.connection.near_stars import filtered_request
from skydex.errors import BadParameterError, NotOfferedError, UnknownTableError
from skydex.query import Namespace
from skydex.tables import Table

__all__ = ["NearTables", "tables_of"]


class NearTables(Protocol):
    """Tables by the names under which they are asked for."""

    @property
    def collection(self) -> str | None:
        """The part of the archive to which queries are confined, as requests name it; None for all of it."""
        ...

    def tables(self) -> tuple[Table, ...]: ...

    def table(self, name: str) -> Table: ...

    def request(self, order: RowsOrder) -> TableRequest: ...


def tables_of(archive: Archive, preset: Preset | None, owner: str | None) -> NearTables:
    """What an archive shows under the names of a preset, or under its own."""
    if preset is None:
        return ViewTables(archive, None, owner)
    if preset.tables:
        return CatalogTables(archive, preset, owner)
    if preset.databases:
        return WordTables(archive, preset, owner)
    context = preset.options.get("context")
    if context:
        return ContextTables(archive, f"casjobs:{context.lower()}", owner)
    name = preset.near.get("tap")
    return ViewTables(archive, f"tap:{name.lower()}" if name else None, owner, cone=preset.near.get("scs"))


class ViewTables:
    """Tables as queries name them.

    Parameters
    ----------
    archive : Archive
        Where they are.
    collection : str or None
        The part of it that is seen, as requests name it; None for all of it.
    owner : str or None
        Who asks.
    cone : str, optional
        A table of which a cone alone asks as its cone search does: for the columns that matter.
    """

    def __init__(self, archive: Archive, collection: str | None, owner: str | None, *, cone: str | None = None) -> None:
        self._archive, self._owner, self._cone = archive, owner, cone
        self.collection = collection

    def tables(self) -> tuple[Table, ...]:
        return tuple(
            table for schema in self._archive.view(self.collection, self._owner).schemas for table in schema.tables
        )

    def table(self, name: str) -> Table:
        return self._namespace.get(name).table

    def request(self, order: RowsOrder) -> TableRequest:
        table = self.table(order.table)
        asked = (self.collection, self._owner)
        if order.cone is not None and table.name == self._cone and order == _cone_alone(order):
            cone = order.cone
            place = (cone.ra_deg, cone.dec_deg, cone.radius_deg)
            return ConeRequest(table.name, *place, max_rows=order.max_rows, collection=asked[0], owner=asked[1])
        text = query_text(order, table)
        return QueryRequest(text, max_rows=order.max_rows, collection=asked[0], owner=asked[1])

    @property
    def _namespace(self) -> Namespace:
        return self._archive.namespace(self.collection, self._owner)


class ContextTables(ViewTables):
    """Tables of a context of CasJobs, listed as it lists them: by their names, and those of users elsewhere."""

    def tables(self) -> tuple[Table, ...]:
        published = (relation.table for relation in self._archive.view(self.collection).relations)
        return tuple(sorted(published, key=lambda table: table.name.lower()))


class CatalogTables:
    """Tables as the catalogue API names them: `summary`, `v2/summary/magauto`."""

    collection = None

    def __init__(self, archive: Archive, preset: Preset, owner: str | None) -> None:
        self._archive, self._preset, self._owner = archive, preset, owner

    def tables(self) -> tuple[Table, ...]:
        return tuple(self._named())

    def table(self, name: str) -> Table:
        offer = self._offer(name)
        return self._archive.namespace(owner=self._owner).get(offer.table).table.renamed(name)

    def request(self, order: RowsOrder) -> TableRequest:
        table = self.table(order.table)
        if order.cone is None and order.condition is None:
            raise BadParameterError("search", f"of {order.table} needs a position or a condition: it has none.")
        given = parameters(settled(order.condition, table), self._preset.name) if order.condition is not None else ()
        search = Search(
            replace(self._offer(order.table), missing=None),
            constraints=tuple(_constraint(name, value) for name, value in given),
            cone=order.cone,
            columns=tuple(_spelled(name, table) for name in order.columns),
            sort_by=tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in order.sort_by),
        )
        return CatalogRequest(search, max_rows=order.max_rows, owner=self._owner)

    def _named(self) -> Iterator[Table]:
        namespace = self._archive.namespace(owner=self._owner)
        for name in self._preset.table_names():
            offer = self._find(name)
            found = namespace.find(offer.table) if offer is not None else None
            if offer is not None and found is not None:
                yield replace(found.table, name=name, description=offer.title or found.table.description)

    def _offer(self, name: str) -> CatalogOffer:
        found = self._find(name)
        if found is None:
            raise UnknownTableError(name, where=self._preset.name)
        return found

    def _find(self, name: str) -> CatalogOffer | None:
        path = f"{self._preset.collection}/{self._preset.table_path(name)}".lower()
        offers = self._archive.offers_for(self._owner).catalogs
        return next((one for one in offers if path in (one.path.lower(), *map(str.lower, one.aliases))), None)


class WordTables:
    """A few tables under words of a preset: `UVIS` for `psf.UVIS`."""

    collection = None

    def __init__(self, archive: Archive, preset: Preset, owner: str | None) -> None:
        self._archive, self._preset, self._owner = archive, preset, owner

    def tables(self) -> tuple[Table, ...]:
        namespace = self._archive.namespace(owner=self._owner)
        return tuple(self.table(word) for word, name in self._preset.near.items() if namespace.find(name) is not None)

    def table(self, name: str) -> Table:
        word, stored = self._stored(name)
        return self._archive.namespace(owner=self._owner).get(stored).table.renamed(word)

    def request(self, order: RowsOrder) -> TableRequest:
        if order.sort_by:
            raise NotOfferedError("sorting", self._preset.name, [], hint="Sort the rows when they are there.")
        _, stored = self._stored(order.table)
        table = self._archive.namespace(owner=self._owner).get(stored).table
        condition = settled(order.condition, table) if order.condition is not None else None
        return filtered_request(
            table,
            [table.get_column(name).name for name in order.columns] or ("*",),
            filters_of(condition),
            cone=order.cone,
            max_rows=order.max_rows,
            owner=self._owner,
        )

    def _stored(self, name: str) -> tuple[str, str]:
        """The word of a table, and what it is called in the archive."""
        service = self._preset.database(name)
        word = next(word for word, its in self._preset.databases.items() if its == service)
        return word, self._preset.near[word]


def _spelled(name: str, table: Table) -> str:
    """A column as its table writes it; what a search adds, such as a distance, as it is asked for."""
    column = table.find_column(name)
    return column.name if column is not None else name


def _cone_alone(order: RowsOrder) -> RowsOrder:
    """A cone as cone searches can ask for it."""
    return RowsOrder(order.table, cone=order.cone, max_rows=order.max_rows)


def _constraint(parameter: str, value: str) -> Constraint:
    name, _, operator = parameter.partition(".")
    values = tuple(value.split(",")) if operator == "in" else (value,)
    return Constraint(name, operator or "eq", values)
