"""`FarTables`: the tables of an archive that lie far away, opened beside so that nobody waits for those that are down.

An archive opens with those that answer soon. One that does not is absent for the time being: queries of it are told
so, and everything else goes on. It is tried again now and then, and appears as soon as it answers; one that was seen
to have changed is opened anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from skydex.errors import RemoteUnavailableError, SkydexError
from skydex.query import Relation
from skydex.store import ArchiveEntry

__all__ = ["FarTables", "is_far"]

_WAIT_S = 5.0
"""How long those who ask wait for tables that are being opened."""
_PAUSE_S = 30.0
"""How long a table that did not answer is left alone."""


def is_far(entry: ArchiveEntry) -> bool:
    """Whether a table lies where each look costs a journey."""
    return entry.kind == "mounted" and "://" in entry.location and not entry.location.startswith("file://")


@dataclass
class _Opening:
    """One table, while it is being opened and afterwards."""

    entry: ArchiveEntry
    done: threading.Event = field(default_factory=threading.Event)
    relation: Relation | None = None
    failure: SkydexError | None = None
    ended_at: float = 0.0
    is_told: bool = False
    """Whether what came of it has been handed out."""

    @property
    def is_spent(self) -> bool:
        """Whether it is time to open the table once more."""
        if not self.done.is_set():
            return False
        dataset = self.relation.dataset if self.relation else None
        is_due = self.failure is not None and time.monotonic() - self.ended_at > _PAUSE_S
        return is_due or (dataset is not None and dataset.is_outdated)


class FarTables:
    """The tables that lie far away.

    Parameters
    ----------
    open_table : callable
        Opens one, however long it takes.
    """

    def __init__(self, open_table: Callable[[ArchiveEntry], Relation]) -> None:
        self._open_table = open_table
        self._known: dict[str, _Opening] = {}

    @property
    def has_news(self) -> bool:
        """Whether `relations` would give something else than before, or should try."""
        return any(one.is_spent or (one.done.is_set() and not one.is_told) for one in tuple(self._known.values()))

    def relations(self, entries: Iterable[ArchiveEntry]) -> tuple[list[Relation], Mapping[str, SkydexError]]:
        """Open tables, or give them as they were opened before.

        Returns
        -------
        relations : list of Relation
            Those that could be opened.
        absent : mapping of str to SkydexError
            Why the others could not, by name in small letters.
        """
        self._known = {entry.name: self._opening(entry) for entry in entries}
        moment = time.monotonic() + _WAIT_S
        relations, absent = [], dict[str, SkydexError]()
        for name, one in self._known.items():
            one.is_told = one.done.wait(max(0.0, moment - time.monotonic()))
            if one.relation is not None:
                relations.append(one.relation)
            else:
                absent[name.lower()] = one.failure or RemoteUnavailableError(name, "its server is silent")
        return relations, absent

    def _opening(self, entry: ArchiveEntry) -> _Opening:
        known = self._known.get(entry.name)
        if known is not None and known.entry == entry and not known.is_spent:
            return known
        opening = _Opening(entry)
        threading.Thread(target=self._open, args=(opening,), name="open", daemon=True).start()
        return opening

    def _open(self, opening: _Opening) -> None:
        try:
            opening.relation = self._open_table(opening.entry)
        except SkydexError as error:
            opening.failure = error
        except Exception as error:
            opening.failure = RemoteUnavailableError(opening.entry.name, "what its server sends cannot be read")
            opening.failure.__cause__ = error
        finally:
            opening.ended_at = time.monotonic()
            opening.done.set()
