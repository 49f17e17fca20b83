"""`Criteria`: which rows of two tables, or of several, are partners, and what becomes of those that have none.

The first table leads: partners of its rows are sought in each of the others. A row without a position is near nothing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from skydex.errors import BadParameterError
from skydex.sky import Region
from skydex.xmatch.radius import Radius

__all__ = ["Criteria", "Keep", "SameRows"]


class Keep(enum.StrEnum):
    """Which rows come out."""

    NEAREST = "nearest"
    """Rows of the first table with a partner in each other one, with the nearest of each."""
    ALL = "all"
    """Every pair; with several other tables every combination of partners."""
    NONE = "none"
    """Rows of the first table without a partner in any other."""
    LEFT = "left"
    """All rows of the first table, each with its nearest partner, or with nulls."""
    LEFT_ALL = "left-all"
    """All rows of the first table, with every partner, or with nulls."""

    @property
    def has_every_row(self) -> bool:
        """Whether rows without a partner stay."""
        return self in (Keep.LEFT, Keep.LEFT_ALL)

    @property
    def has_every_partner(self) -> bool:
        """Whether a row may come out more than once."""
        return self in (Keep.ALL, Keep.LEFT_ALL)

    @property
    def asks_for_the_lonely(self) -> bool:
        """Whether it matters which rows have no partner, and so also those that have no position."""
        return self is Keep.NONE or self.has_every_row


class SameRows(enum.StrEnum):
    """What a row is to itself where a table is matched with itself."""

    OTHERS = "others"
    """No partner: only other rows are."""
    ONCE = "once"
    """No partner, and of two rows only the first has the other as one: each pair comes once."""
    ALL = "all"
    """A partner like any other, at separation 0."""


@dataclass(frozen=True)
class Criteria:
    """Which rows belong together."""

    radius: Radius
    """How far apart they may be, the bound itself included."""
    keep: Keep = Keep.NEAREST
    """Which of them come out."""
    same: SameRows = SameRows.OTHERS
    """What a row is to itself, of a table that is matched with itself."""
    epoch: float | None = None
    """Julian year to which positions are brought where proper motions are known; None leaves them where they are."""
    epochs: tuple[float | None, ...] = ()
    """For each table the Julian year of its positions, where no column says it."""
    region: Region | None = None
    """Where the rows of the first table lie, by their positions as catalogued."""
    columns: tuple[tuple[str, ...] | None, ...] = ()
    """For each table the columns that come along; None for all."""
    chance: bool = False
    """Whether it is estimated how many would have had a partner by chance."""

    def columns_of(self, number: int) -> tuple[str, ...] | None:
        """The columns of a table that come along; None for all."""
        return self.columns[number] if number < len(self.columns) else None

    def epoch_of(self, number: int) -> float | None:
        """The year of a table's positions, if it was said."""
        return self.epochs[number] if number < len(self.epochs) else None

    def checked(self, n_tables: int) -> Criteria:
        """The same, if it can be asked of so many tables.

        Raises
        ------
        BadParameterError
            There are too few tables, or more is said than there are tables.
        """
        if n_tables < 2:
            raise BadParameterError("tables", "are two or more: the first, and those in which partners are sought.")
        for parameter, given in (("columns", self.columns), ("epochs", self.epochs)):
            if len(given) > n_tables:
                raise BadParameterError(parameter, f"are given for {len(given)} tables, but there are {n_tables}.")
        return self
