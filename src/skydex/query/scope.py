"""`Scope`: what the names in one SELECT refer to.

A source is a table, a derived table or a common table expression under its alias. Scopes nest: a subquery sees the
sources of the queries around it (SQL-92, section 7.6; correlated subqueries).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

__all__ = ["Merged", "Scope", "Source", "qualifier_of"]


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
        """One of its columns, noted as used; an address that is stored without its beginning is completed."""
        self.used[name] = None
        node: exp.Expression = tree.column(self.identifier, name)
        if self.relation is not None and name in self.relation.links:
            server = tree.string(self.relation.links[name])
            node = exp.Paren(this=exp.DPipe(this=server, expression=node))
        return Value(node, self.columns[name])

    def shown(self) -> Iterator[str]:
        """Names in the tree of the columns that `*` means; what begins with `~` is never a user's."""
        return (name for name in self.columns if not name.startswith("~"))

    def matches(self, name: str) -> list[str]:
        """Names in the tree of the columns that users call `name`: exactly so, else in any case."""
        alike = self._by_lower_name.get(name.lower(), [])
        return [key for key in alike if self.columns[key].name == name] or alike

    @cached_property
    def _by_lower_name(self) -> dict[str, list[str]]:
        if self.relation is not None:
            return self.relation.table.names_by_lower
        alike: dict[str, list[str]] = {}
        for key, column in self.columns.items():
            alike.setdefault(column.name.lower(), []).append(key)
        return alike

    def is_called(self, name: str) -> bool:
        """Whether a qualifier such as `t` or `schema.t` means this source."""
        lower = name.lower()
        if self.alias.lower() == lower:
            return True
        if self.relation is None or self.alias.lower() != self.relation.table.name.lower():
            return False
        schema, _, bare = self.alias.lower().rpartition(".")
        return lower in (bare, f"dbo.{bare}", f"{schema}.{bare}")

    def reads(self, name: str) -> bool:
        """Whether it is the table of a name, under whatever alias."""
        whole = self.relation.table.name.lower() if self.relation else ""
        return name.lower() in (whole, whole.rpartition(".")[2])


@dataclass(frozen=True)
class Merged:
    """A column that NATURAL or USING made of two or more."""

    name: str
    """Its bare name."""
    value: Value
    """What the bare name means."""
    members: frozenset[tuple[str, str]]
    """The columns in it, each by source and by its name there."""


Shown = Merged | tuple[Source, str]
"""A column of a FROM clause as `*` has it: one that was merged, or a column of a source by its name there."""


@dataclass
class Scope:
    """The sources of one SELECT, and the scope around it."""

    outer: Scope | None = None
    """The query in which this one stands."""
    sources: list[Source] = field(default_factory=list)
    """In the order of the FROM clause."""
    shown: list[Shown] = field(default_factory=list)
    """The columns that `*` means, in its order."""
    merged: dict[tuple[str, str], Merged] = field(default_factory=dict)
    """Columns that NATURAL or USING made one, by each of their members."""

    def add(self, source: Source, *, at: exp.Expression | None = None) -> None:
        """Take in a source; two of the same alias could not be told apart."""
        if any(other.alias.lower() == source.alias.lower() for other in self.sources):
            sentence = f'Two tables are called "{source.alias}": give one of them an alias.'
            raise BadQueryError(sentence, **_place(at))
        self.sources.append(source)
        self.shown += [(source, key) for key in source.shown()]

    def take_in(self, other: Scope, *, at: exp.Expression) -> None:
        """Take in all that another scope has, behind what is here; `at` is where the text has it."""
        n_shown = len(self.shown)
        for source in other.sources:
            self.add(source, at=at)
        self.shown[n_shown:] = other.shown
        self.merged |= other.merged

    def merge(self, columns: Sequence[Merged]) -> None:
        """Make columns one each, which stand first from now on (SQL-92, section 7.5)."""
        self.merged |= {member: column for column in columns for member in column.members}
        gone = {member for column in columns for member in column.members}
        self.shown = [*columns, *(shown for shown in self.shown if not _members(shown) & gone)]

    def members(self, name: str) -> frozenset[tuple[str, str]]:
        """The columns that a bare name stands for."""
        return frozenset(member for shown in self._called(name, "") for member in _members(shown))

    def shared_names(self, other: Scope) -> list[str]:
        """Names that both scopes have a column of, in the order that they have here."""
        there = {_name(shown).lower() for shown in other.shown}
        return list(dict.fromkeys(name for shown in self.shown if (name := _name(shown)).lower() in there))

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
            if qualifier and any(source.is_called(qualifier) for source in scope.sources):
                break  # a table hides another of the same name in the query around
            scope = scope.outer
        raise self._unknown(name, qualifier, at)

    def source_called(self, qualifier: str, *, at: exp.Expression) -> Source:
        """The source of a qualifier such as `t` in `t.*`."""
        found = next((source for source in self.sources if source.is_called(qualifier)), None)
        if found is None:
            raise self._unknown_source(qualifier, at)
        return found

    def star(self) -> Iterator[Value]:
        """All columns of all sources, merged ones once and first."""
        return (_value(shown) for shown in self.shown)

    def around(self) -> Iterator[Scope]:
        """The scope itself and those around it, from the inside."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def _find(self, name: str, qualifier: str, at: exp.Expression | None) -> Value | None:
        hits = self._called(name, qualifier)
        if len(hits) > 1:
            having = {identifier for hit in hits for identifier, _ in _members(hit)}
            tables = [source.alias for source in self.sources if source.identifier in having]
            raise AmbiguousColumnError(name, tables, **_place(at))
        return _value(hits[0]) if hits else None

    def _called(self, name: str, qualifier: str) -> list[Shown]:
        """The columns that a name may mean: a bare one means what was merged, a qualified one a table's own."""
        sources = [source for source in self.sources if not qualifier or source.is_called(qualifier)]
        hits: list[Shown] = [(source, key) for source in sources for key in source.matches(name)]
        if qualifier or not self.merged:
            return hits
        whole = {_members(shown): shown for hit in hits for shown in (self._whole(hit),)}
        return list(whole.values())

    def _whole(self, shown: Shown) -> Shown:
        return next((self.merged[member] for member in _members(shown) if member in self.merged), shown)

    def _unknown(self, name: str, qualifier: str, at: exp.Expression | None) -> Exception:
        sources = [source for scope in self.around() for source in scope.sources]
        if qualifier:
            sources = [source for source in sources if source.is_called(qualifier)][:1]
            if not sources:
                return self._unknown_source(qualifier, at)
        names = [column.name for source in sources for column in source.columns.values()]
        where = sources[0].alias if len(sources) == 1 else ""
        near = near_names(name, names)
        return UnknownColumnError(name, where=where, near=near, hint=_hint(name, near, at), **_place(at))

    def _unknown_source(self, qualifier: str, at: exp.Expression | None) -> UnknownTableError:
        sources = [source for scope in self.around() for source in scope.sources]
        near = near_names(qualifier, [source.alias for source in sources])
        hint = next((f'It is called "{source.alias}" there.' for source in sources if source.reads(qualifier)), "")
        return UnknownTableError(qualifier, where="the FROM clause", near=near, hint=hint, **_place(at))


def _hint(name: str, near: Sequence[str], at: exp.Expression | None) -> str:
    """What somebody may have meant who writes a name where no column has it."""
    if not isinstance(at, exp.Column) or qualifier_of(at):
        return ""
    if name.lower() == "nan":
        return "NaN is null here: write IS NULL."
    select = at.find_ancestor(exp.Select)
    if select is not None and any(item.alias.lower() == name.lower() for item in select.expressions):
        return "SELECT gives a result that name, after the rows were chosen: write its expression here again."
    return f"A text stands in single quotes: '{name}'." if at.this.args["quoted"] and not near else ""


def _members(shown: Shown) -> frozenset[tuple[str, str]]:
    return shown.members if isinstance(shown, Merged) else frozenset({(shown[0].identifier, shown[1])})


def _name(shown: Shown) -> str:
    return shown.name if isinstance(shown, Merged) else shown[0].columns[shown[1]].name


def _value(shown: Shown) -> Value:
    return shown.value if isinstance(shown, Merged) else shown[0].value(shown[1])


def _place(node: exp.Expression | None) -> dict[str, Any]:
    return place_of(node) if node is not None else {}


def qualifier_of(column: exp.Column) -> str:
    """What stands before the dot of a column's name: a table, or a schema and a table."""
    parts = (column.args.get(part) for part in ("catalog", "db", "table"))
    return ".".join(part.name for part in parts if part is not None)
