"""`Table`: the description of a published table, how it belongs together with others, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from skydex.errors import UnknownColumnError, near_names
from skydex.tables.column import Column

__all__ = ["Example", "ForeignKey", "Position", "Table"]


@dataclass(frozen=True)
class Position:
    """Which columns hold a table's positions: ICRS, degrees."""

    ra: str
    """Name of the right ascension column."""
    dec: str
    """Name of the declination column."""


@dataclass(frozen=True)
class ForeignKey:
    """Columns of one table that name rows of another (TAP 1.1, section 4.4)."""

    target_table: str
    """Qualified name of the table that is pointed at."""
    columns: tuple[tuple[str, str], ...]
    """Pairs of (column here, column there)."""
    description: str = ""
    """One line for people."""


@dataclass(frozen=True)
class Example:
    """A query in ADQL that shows what a table is good for (DALI 1.1, section 2.3)."""

    name: str
    """What it finds, in a few words."""
    query: str
    """Its text, with qualified names."""
    description: str = ""
    """One paragraph for people."""


@dataclass(frozen=True)
class Table:
    """What a published table is called and what its columns mean."""

    name: str
    """Qualified: `schema.table`."""
    columns: tuple[Column, ...]
    """In the order of the publisher."""
    description: str = ""
    """One paragraph for people."""
    position: Position | None = None
    """The position columns, for a table that can be searched by position."""
    id_column: str | None = None
    """The column that names a row, if one is known (UCD `meta.id;meta.main`)."""
    n_rows: int | None = None
    """Number of rows, if known."""
    utype: str | None = None
    """Data model of the whole table."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    """References to other tables."""
    examples: tuple[Example, ...] = ()
    """What its publisher would ask."""

    @property
    def schema_name(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def bare_name(self) -> str:
        return self.name.rpartition(".")[2]

    @cached_property
    def columns_by_name(self) -> dict[str, Column]:
        """The columns by their names as written; not to be changed."""
        return {column.name: column for column in self.columns}

    @cached_property
    def names_by_lower(self) -> dict[str, list[str]]:
        """Names as written by what they are without regard to case; not to be changed."""
        names: dict[str, list[str]] = {}
        for name in self.columns_by_name:
            names.setdefault(name.lower(), []).append(name)
        return names

    def find_column(self, name: str) -> Column | None:
        """Look a column up: exactly as written first, then without regard to case."""
        exact = self.columns_by_name.get(name)
        alike = self.names_by_lower.get(name.lower())
        return exact or (self.columns_by_name[alike[0]] if alike else None)

    def get_column(self, name: str) -> Column:
        """Like `find_column`, but raise `UnknownColumnError` with near names."""
        found = self.find_column(name)
        if found is None:
            near = near_names(name, (column.name for column in self.columns))
            raise UnknownColumnError(name, where=self.name, near=near)
        return found

    def position_columns(self) -> Iterator[Column]:
        """The right ascension and the declination column, if there are any."""
        if self.position:
            yield self.get_column(self.position.ra)
            yield self.get_column(self.position.dec)

    def renamed(self, name: str) -> Table:
        return replace(self, name=name)
