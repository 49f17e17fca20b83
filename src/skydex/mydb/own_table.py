"""`OwnTable`: what is known of a table of one's own without opening it; `Quota`: how much one may keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, Self

from skydex.errors import QuotaError
from skydex.store import ArchiveEntry

__all__ = ["Fills", "OwnTable", "Owner", "Quota"]

_MB = 1 << 20


class Owner(Protocol):
    """Somebody who keeps tables here."""

    @property
    def name(self) -> str:
        """By which others know her."""
        ...

    @property
    def wsid(self) -> int:
        """Her number, which no other user ever has."""
        ...

    @property
    def quota_mb(self) -> int: ...

    @property
    def quota_tables(self) -> int: ...

    @property
    def groups(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class Fills:
    """What an INSERT that says nothing of some columns puts there."""

    counted: str = ""
    """The column whose values are counted, if any."""
    first: int = 1
    """Where it begins."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Numbers and texts, by the names of their columns."""

    def __bool__(self) -> bool:
        return bool(self.counted or self.defaults)

    def without(self, columns: Iterable[str]) -> Self:
        """The same for a table that has lost some columns."""
        gone = {name.lower() for name in columns}
        kept = {name: value for name, value in self.defaults.items() if name.lower() not in gone}
        return type(self)("" if self.counted.lower() in gone else self.counted, self.first, kept)


@dataclass(frozen=True)
class OwnTable:
    """A table of one's own."""

    name: str
    """As its owner spells it; without a schema."""
    n_rows: int
    """Its rows."""
    n_bytes: int
    """Bytes of its files."""
    created: str
    """When it was made; UTC, ISO 8601."""
    changed: str
    """When it was changed last; UTC, ISO 8601."""
    description: str = ""
    """One paragraph for people."""
    origin: str = ""
    """For what it was written: a job, or nothing."""
    users: tuple[str, ...] = ()
    """With whom it is shared."""
    groups: tuple[str, ...] = ()
    """With which groups it is shared."""
    version: str = ""
    """Changes whenever the rows do."""
    fills: Fills = Fills()
    """What INSERT puts into columns of which it says nothing."""

    @classmethod
    def of(cls, entry: ArchiveEntry) -> Self:
        """The table that is listed so."""
        notes = entry.notes
        return cls(
            name=entry.name.partition(".")[2],
            n_rows=entry.n_rows or 0,
            n_bytes=notes.get("n_bytes", 0),
            created=notes.get("created", entry.published_at),
            changed=entry.published_at,
            description=entry.description,
            origin=notes.get("origin", ""),
            users=tuple(notes.get("users", ())),
            groups=tuple(notes.get("groups", ())),
            version=entry.version,
            fills=Fills(**notes.get("fills", {})),
        )

    @property
    def shared_with(self) -> tuple[str, ...]:
        """Users, and then groups."""
        return (*self.users, *self.groups)

    def is_shared_with(self, user: Owner) -> bool:
        """Whether a user may read it, other than its owner."""
        names = {name.lower() for name in self.users}
        return user.name.lower() in names or bool({g.lower() for g in self.groups} & {g.lower() for g in user.groups})

    def notes(self) -> Mapping[str, Any]:
        """What is listed beside what any table says of itself."""
        fills = {"fills": asdict(self.fills)} if self.fills else {}
        return {
            "n_bytes": self.n_bytes,
            "created": self.created,
            "origin": self.origin,
            "users": list(self.users),
            "groups": list(self.groups),
            **fills,
        }


@dataclass(frozen=True)
class Quota:
    """How much one user may keep."""

    n_bytes: int
    """Bytes of all tables."""
    n_tables: int
    """Number of tables."""

    @classmethod
    def of(cls, user: Owner) -> Self:
        return cls(user.quota_mb * _MB, user.quota_tables)

    def check(self, tables: Iterable[OwnTable], new: OwnTable) -> None:
        """Refuse a table that would take more than may be taken; one that takes less than before is always welcome.

        Raises
        ------
        QuotaError
            It names the limit and what is in use.
        """
        others = {table.name.lower(): table for table in tables}
        before = others.pop(new.name.lower(), None)
        if before is None and len(others) >= self.n_tables:
            raise QuotaError(
                f"{new.name} would be one more.", limit=f"{self.n_tables:,} tables", use=f"{len(others):,} tables"
            )
        used = sum(table.n_bytes for table in others.values())
        is_more = before is None or new.n_bytes > before.n_bytes
        if is_more and used + new.n_bytes > self.n_bytes:
            kept = used + (before.n_bytes if before else 0)
            raise self.exceeded(f"{new.name} would take {_shown(new.n_bytes)}.", kept)

    def exceeded(self, what: str, used: int) -> QuotaError:
        """The error that says so."""
        return QuotaError(what, limit=_shown(self.n_bytes), use=_shown(used))


def _shown(n_bytes: int) -> str:
    return f"{n_bytes / _MB:,.1f} MB" if n_bytes < 100 * _MB else f"{n_bytes / _MB:,.0f} MB"
