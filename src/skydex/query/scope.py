"""`Scope`: what the names in one SELECT refer to.

A source is a table, a derived table or a common table expression under its alias. Scopes nest: a subquery sees the
sources of the queries around it (SQL-92, section 7.6; correlated subqueries).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlglot import exp

from skydex.errors import AmbiguousColumnError, BadQueryError, UnknownColumnError, UnknownTableError, near_names
from skydex.query import tree
from skydex.query.languages import place_of
from skydex.query.namespace import Relation
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["Scope", "Source", "qualifier_of"]


@dataclass
class Source:
    """One entry of a FROM clause."""

    identifier: str
    """Unique in the whole query; the neutral tree calls it so."""
    alias: str
    """What the user calls it."""
    columns: dict[str, Column]
    """What it offers, by the name that the neutral tree uses, in order."""
    relation: Relation | None = None
    """The table behind it, unless it is derived."""
    used: dict[str, None] = field(default_factory=dict)
    """Names of the columns that the query reads, in the order of their first use."""

    def value(self, name: str) -> Value:
        """One of its columns, noted as used."""
        self.used[name] = None
        return Value(tree.column(self.identifier, name), self.columns[name])

    def matches(self, name: str) -> list[str]:
        """Names in the tree of the columns that users call `name`: exactly so, else in any case."""
        alike = self._by_lower_name.get(name.lower(), [])
        return [key for key in alike if self.columns[key].name == name] or alike

    @cached_property
    def _by_lower_name(self) -> dict[str, list[str]]:
        alike: dict[str, list[str]] = {}
        for key, column in self.columns.items():
            alike.setdefault(column.name.lower(), []).append(key)
        return alike

    def is_called(self, name: str) -> bool:
        """Whether a qualifier such as `t` or `schema.t` means this source."""
        lower = name.lower()
        if self.alias.lower() == lower:
            return True
        if self.relation is None:
            return False
        own = self.relation.table.name.lower()
        return self.alias.lower() == own and own.rpartition(".")[2] == lower.rpartition(".")[2]


@dataclass
class Scope:
    """The sources of one SELECT, and the scope around it."""

    outer: Scope | None = None
    """The query in which this one stands."""
    sources: list[Source] = field(default_factory=list)
    """In the order of the FROM clause."""
    merged: dict[str, Value] = field(default_factory=dict)
    """Columns that NATURAL or USING made one, by lower-case name."""

    def add(self, source: Source) -> None:
        """Take in a source; two of the same alias could not be told apart."""
        if any(other.alias.lower() == source.alias.lower() for other in self.sources):
            raise BadQueryError(f'Two tables are called "{source.alias}": give one of them an alias.')
        self.sources.append(source)

    def column(self, name: str, qualifier: str = "", *, at: exp.Expression | None = None) -> Value:
        """Resolve a column name, here or in the queries around; `at` is where the text has it.

        Raises
        ------
        UnknownColumnError, AmbiguousColumnError, UnknownTableError
            No source has it, several have it, or there is no source of that name.
        """
        scope: Scope | None = self
        while scope is not None:
            found = scope._find(name, qualifier, at)
            if found is not None:
                return found
            scope = scope.outer
        raise self._unknown(name, qualifier, at)

    def source_called(self, qualifier: str, *, at: exp.Expression) -> Source:
        """The source of a qualifier such as `t` in `t.*`."""
        found = next((source for source in self.sources if source.is_called(qualifier)), None)
        if found is None:
            raise self._unknown_source(qualifier, at)
        return found

    def star(self) -> Iterator[Value]:
        """All columns of all sources, merged ones once and first (SQL-92, section 7.5)."""
        yield from self.merged.values()
        for source in self.sources:
            for key, column in source.columns.items():
                if column.name.lower() not in self.merged:
                    yield source.value(key)

    def around(self) -> Iterator[Scope]:
        """The scope itself and those around it, from the inside."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def _find(self, name: str, qualifier: str, at: exp.Expression | None) -> Value | None:
        if not qualifier and name.lower() in self.merged:
            return self.merged[name.lower()]
        sources = [source for source in self.sources if not qualifier or source.is_called(qualifier)]
        hits = [(source, key) for source in sources for key in source.matches(name)]
        if len(hits) > 1:
            tables = [source.alias for source, _ in hits]
            raise AmbiguousColumnError(name, tables if len(set(tables)) > 1 else tables[:1], **_place(at))
        return hits[0][0].value(hits[0][1]) if hits else None

    def _unknown(self, name: str, qualifier: str, at: exp.Expression | None) -> Exception:
        scopes = list(self.around())
        sources = [source for scope in scopes for source in scope.sources]
        if qualifier:
            sources = [source for source in sources if source.is_called(qualifier)]
            if not sources:
                return self._unknown_source(qualifier, at)
        names = [column.name for source in sources for column in source.columns.values()]
        where = sources[0].alias if len(sources) == 1 else ""
        return UnknownColumnError(name, where=where, near=near_names(name, names), **_place(at))

    def _unknown_source(self, qualifier: str, at: exp.Expression | None) -> UnknownTableError:
        aliases = [source.alias for scope in self.around() for source in scope.sources]
        return UnknownTableError(qualifier, where="the FROM clause", near=near_names(qualifier, aliases), **_place(at))


def _place(node: exp.Expression | None) -> dict[str, Any]:
    return place_of(node) if node is not None else {}


def qualifier_of(column: exp.Column) -> str:
    """What stands before the dot of a column's name: a table, or a schema and a table."""
    return ".".join(part.name for part in (column.args.get("db"), column.args.get("table")) if part is not None)
