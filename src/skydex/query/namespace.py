"""`Namespace`: the tables that one caller can name, and `Relation`: a named table with its rows.

Published catalogues, TAP_SCHEMA, uploads and a user's own tables are all relations in a namespace; nothing else in the
trunk knows the difference. Names resolve without regard to case; a bare name works when it is unique.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from skydex.errors import SkydexError, UnknownTableError, near_names
from skydex.store import Dataset
from skydex.tables import Column, Table

__all__ = ["Namespace", "Others", "Relation"]

_UPLOADS = "Tables of TAP_UPLOAD are those that are sent along with the query, by UPLOAD."
_T = TypeVar("_T")


@dataclass(frozen=True)
class Relation:
    """A table that can be queried: what it means, and where its rows are."""

    table: Table
    """Name, columns and position."""
    rows: Dataset | pa.Table
    """A stored data set, or a small table in memory."""
    links: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Columns of addresses that are stored without their beginning, each with what stands before its values."""

    reaches: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Columns of outlines, each with how far they reach at most from the positions of their rows, degrees."""

    def linked(self, columns: Iterable[str], server: str) -> Relation:
        """The same table where some columns hold addresses on a server, stored from its first slash onwards."""
        table, links = self.table, dict.fromkeys(columns, server)
        shown = tuple(_longer(c, len(server)) if c.name in links else c for c in table.columns)
        return replace(self, table=replace(table, columns=shown), links=MappingProxyType(links))

    @property
    def dataset(self) -> Dataset | None:
        """The stored data set, if the rows are on disk."""
        return self.rows if isinstance(self.rows, Dataset) else None


class Others(Protocol):
    """Relations that are opened when somebody names them."""

    def find(self, name: str) -> Relation | None:
        """The relation of a qualified name in lower case, or of a bare one."""
        ...

    def names(self) -> Iterable[str]:
        """The qualified names of all."""
        ...


class Namespace:
    """The relations that a query may name.

    Parameters
    ----------
    relations : iterable of Relation
        Everything visible, each under its qualified name.
    default_schema : str, optional
        Schema in which a bare name is looked up before all others.
    others : Others, optional
        What is visible besides, but not walked through. Qualified names are looked up there last, as are bare names.
    absent : mapping of str to SkydexError, optional
        What would be visible but cannot be read at present, by qualified name in lower case, each with the reason.
    """

    def __init__(
        self,
        relations: Iterable[Relation],
        *,
        default_schema: str | None = None,
        others: Others | None = None,
        absent: Mapping[str, SkydexError] | None = None,
    ) -> None:
        self._absent = absent or {}
        self._by_name = {relation.table.name.lower(): relation for relation in relations}
        self._others = others
        self._default_schema = default_schema.lower() if default_schema else None
        self._kept: dict[Hashable, Any] = {}
        self._by_bare_name: dict[str, list[Relation]] = {}
        for relation in self._by_name.values():
            self._by_bare_name.setdefault(relation.table.bare_name.lower(), []).append(relation)

    def __iter__(self) -> Iterator[Relation]:
        return iter(self._by_name.values())

    def extended(self, relations: Iterable[Relation]) -> Namespace:
        """These relations and some more."""
        return Namespace(
            [*self, *relations], default_schema=self._default_schema, others=self._others, absent=self._absent
        )

    def kept(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Something that follows from these names alone, made when it is first asked for."""
        if key not in self._kept:
            self._kept[key] = make()
        found: _T = self._kept[key]
        return found

    def find(self, name: str) -> Relation | None:
        """The relation of a qualified or unique bare name, or `None`."""
        lower = name.lower()
        if lower in self._by_name:
            return self._by_name[lower]
        if self._default_schema and f"{self._default_schema}.{lower}" in self._by_name:
            return self._by_name[f"{self._default_schema}.{lower}"]
        schema, _, bare = lower.rpartition(".")
        candidates = self._by_bare_name.get(bare, [])
        if len(candidates) == 1 and schema in ("", "dbo"):
            return candidates[0]
        return self._others.find(lower) if self._others and (schema or not candidates) else None

    def get(self, name: str, **place: Any) -> Relation:
        """The relation of a name.

        Raises
        ------
        UnknownTableError
            Nothing of that name is visible, or several schemas have the bare name.
        SkydexError
            The table is absent.
        """
        found = self.find(name)
        if found is not None:
            return found
        self._refuse_absent(name.lower())
        lower = name.lower().rpartition(".")[2]
        near = [relation.table.name for relation in self._by_bare_name.get(lower, [])]
        names = [*(relation.table.name for relation in self), *(self._others.names() if self._others else ())]
        near = near or near_names(name, names)
        bare = {name.rpartition(".")[2]: name for name in names}
        near = near or [bare[hit] for hit in near_names(lower, bare)]
        hint = "" if near or not name.upper().startswith("TAP_UPLOAD.") else _UPLOADS
        raise UnknownTableError(name, near=near, hint=hint, **place)

    def _refuse_absent(self, name: str) -> None:
        schema, _, bare = name.rpartition(".")
        names = [absent for absent in self._absent if absent == name or absent.partition(".")[2] == bare]
        for absent in names if schema in ("", "dbo") else [name]:
            if absent in self._absent:
                raise self._absent[absent]


def _longer(column: Column, n_characters: int) -> Column:
    """A column of texts that begin with so many further characters."""
    return replace(column, arraysize=f"{column.max_length + n_characters}*") if column.max_length else column
