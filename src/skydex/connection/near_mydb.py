"""The tables that a user keeps in an archive on this disk.

An archive that nobody serves needs no accounts: without a user, tables are kept for one who is called `me` and cannot
log in.
"""

from __future__ import annotations

import secrets

from skydex.archive import Archive, own_name, own_table_request
from skydex.mydb import MyDB
from skydex.tables import Result, Table

__all__ = ["NearOwnTables", "find_own", "owner_of"]

_ME = "me"


def find_own(archive: Archive) -> str | None:
    """The one who has an archive to herself, if she has an account already."""
    found = archive.accounts.find(_ME)
    return found.name if found else None


def owner_of(archive: Archive, user: str | None) -> str:
    """The name of a user; of the one who has an archive to herself, whose account is made when it is needed.

    Raises
    ------
    UnknownUserError
        There is no such user.
    """
    accounts = archive.accounts
    if user is None and accounts.find(_ME) is None:
        return accounts.add(_ME, secrets.token_urlsafe(32), taken=archive.has_name).name
    return accounts.get(user or _ME).name


class NearOwnTables:
    """One user's tables; see `skydex.client.OwnTables`."""

    def __init__(self, archive: Archive, owner: str) -> None:
        self._archive, self._owner = archive, owner

    def tables(self) -> tuple[Table, ...]:
        """What there is, by bare names."""
        mydb = self._mydb
        return tuple(mydb.describe(table.name).renamed(table.name) for table in mydb.tables())

    def read(self, name: str) -> Result:
        """All rows of one."""
        return self._archive.query(own_table_request(self._mydb, self._bare(name)))

    def write(self, name: str, rows: Result) -> None:
        """Keep rows as a new table."""
        with rows:
            self._mydb.create(self._bare(name), rows.columns, rows.batches, description=rows.description)

    def drop(self, name: str) -> None:
        """Delete one."""
        self._mydb.drop(self._bare(name))

    @property
    def _mydb(self) -> MyDB:
        return self._archive.mydb(self._owner)

    def _bare(self, name: str) -> str:
        return own_name(name, self._owner)
