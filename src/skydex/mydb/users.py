"""`UserTables`: the tables of all users, and who shares which with whom.

What is shared stands in the list of its owner. So that nobody has to look through the lists of all users, everybody
who ever shared something leaves a file with her name in the directory `sharing`.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from skydex.errors import StoreError
from skydex.mydb.mydb import SHARING, MyDB
from skydex.mydb.own_table import Owner, OwnTable, Quota

__all__ = ["SharedTable", "UserTables"]

_MOST_KEPT = 1000


@dataclass(frozen=True)
class SharedTable:
    """A table that somebody lets somebody else read."""

    owner: str
    """Whose it is."""
    table: OwnTable
    """What is known of it."""
    mydb: MyDB
    """Where it is."""


class UserTables:
    """The tables of all users; safe to share between threads.

    Parameters
    ----------
    path : Path
        The directory that holds theirs; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: OrderedDict[str, MyDB] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, user: Owner) -> MyDB:
        """The tables of a user."""
        return self._mydb(str(user.wsid), Quota.of(user), user.name)

    def shared_with(self, user: Owner) -> tuple[SharedTable, ...]:
        """What others let a user read, by owner and name; lists that cannot be read are left out."""
        return tuple(
            SharedTable(mydb.owner, table, mydb)
            for mydb in self._sharers(user)
            for table in _readable(mydb)
            if table.is_shared_with(user)
        )

    def stamp(self, user: Owner) -> Hashable:
        """Changes when something changes of what a user can see."""
        return (self.of(user).revision, *((mydb.path.name, mydb.revision) for mydb in self._sharers(user)))

    def remove(self, wsid: int) -> None:
        """Delete everything that a user keeps, by her number; of one who kept nothing, nothing."""
        name = str(wsid)
        with self._lock:
            self._kept.pop(name, None)
        (self.path / SHARING / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / name, ignore_errors=True)

    def _sharers(self, user: Owner) -> list[MyDB]:
        """Everybody else who ever shared something, by name."""
        try:
            names = [name for name in os.listdir(self.path / SHARING) if name.isdigit() and name != str(user.wsid)]
        except FileNotFoundError:
            return []
        found = (self._sharer(name) for name in names)
        return sorted((mydb for mydb in found if mydb is not None), key=lambda mydb: mydb.owner.lower())

    def _sharer(self, wsid: str) -> MyDB | None:
        with self._lock:
            known = self._kept.get(wsid)
        if known is not None:
            return known
        try:
            owner = (self.path / SHARING / wsid).read_text(encoding="utf-8")
        except OSError:
            return None  # who was removed this moment
        return self._mydb(wsid, None, owner)

    def _mydb(self, wsid: str, quota: Quota | None, owner: str) -> MyDB:
        """The tables of a user; where they are only read, the quota does not matter."""
        with self._lock:
            known = self._kept.get(wsid)
            if known is None or quota not in (None, known.quota):
                known = self._kept[wsid] = MyDB(self.path / wsid, quota or Quota(0, 0), owner=owner)
            self._kept.move_to_end(wsid)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return known


def _readable(mydb: MyDB) -> tuple[OwnTable, ...]:
    try:
        return mydb.tables()
    except StoreError:
        return ()
