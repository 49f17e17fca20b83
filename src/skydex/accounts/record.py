"""`Record`: the SQLite file of the users, read and written by several processes.

Write-ahead log, and a flush to the disk for each change. Reading keeps a connection open and notices when the file
appears, is replaced, or is gone; where nobody has made it, it has no rows. Each change opens a connection of its own.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import pathname2url

from skydex.errors import AccountsError

__all__ = ["Record"]

_FORMAT = 1
_WRITER_WAITS_S, _READER_WAITS_S = 10.0, 1.0
"""How long somebody else may have the file for himself; readers hardly ever meet that."""
_TABLES = f"""
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY COLLATE NOCASE, wsid INTEGER NOT NULL UNIQUE, password TEXT,
    quota_mb INTEGER, quota_tables INTEGER, created REAL NOT NULL, removed REAL
) STRICT;
CREATE TABLE IF NOT EXISTS groups (
    name TEXT PRIMARY KEY COLLATE NOCASE, created REAL NOT NULL, removed REAL
) STRICT;
CREATE TABLE IF NOT EXISTS members (
    wsid INTEGER NOT NULL, group_name TEXT NOT NULL COLLATE NOCASE, PRIMARY KEY (wsid, group_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    digest BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, wsid INTEGER NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_of_user ON tokens (wsid, kind, created);
PRAGMA user_version = {_FORMAT};
"""

_Identity = tuple[int, int, int]


class Record:
    """Rows of users, groups and tokens.

    Parameters
    ----------
    path : Path
        The file; it is made by the first change.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: _Identity | None = None

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Rows of a query; none if nobody has made the file.

        Raises
        ------
        AccountsError
            The file cannot be read.
        """
        with self._lock:
            try:
                connection = self._reading()
                return connection.execute(query, values).fetchall() if connection else []
            except (sqlite3.Error, OSError) as error:
                self._forget()
                raise AccountsError("The record of users cannot be read.") from error

    @contextlib.contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what happens in this block, on the disk when it ends.

        Raises
        ------
        AccountsError
            The file cannot be written; nothing of it has happened.
        """
        try:
            with contextlib.closing(self._writing()) as connection:
                yield from _transaction(connection)
        except sqlite3.IntegrityError:  # the affair of whoever made the change
            raise
        except (sqlite3.Error, OSError) as error:
            raise AccountsError("The record of users cannot be written. Please try again later.") from error

    def close(self) -> None:
        """Let the file go until it is needed again."""
        with self._lock:
            self._forget()

    def _reading(self) -> sqlite3.Connection | None:
        """The connection to the file as it is there now."""
        try:
            there = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._forget()
            return None
        identity = there.st_dev, there.st_ino, there.st_mtime_ns
        if self._connection is None or identity != self._identity:
            self._forget()
            self._connection, self._identity = self._opened(), identity
        return self._connection

    def _opened(self) -> sqlite3.Connection | None:
        """A connection for reading, if the file is a record and not one that is just being made."""
        address = f"file:{pathname2url(str(self._path))}?mode=ro"
        try:
            return _checked(_connected(address))
        except sqlite3.OperationalError:
            if self._has_log():
                raise
            return _checked(_connected(f"{address}&immutable=1"))  # a directory in which nobody may write

    def _has_log(self) -> bool:
        """Whether there are changes that are not in the file itself yet."""
        try:
            return Path(f"{self._path}-wal").stat().st_size > 0
        except FileNotFoundError:
            return False

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._identity = None

    def _writing(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = _connected(f"file:{pathname2url(str(self._path))}?mode=rw", patience_s=_WRITER_WAITS_S)
        try:
            version = _version(connection)
            if version == 0:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_TABLES)
            _check_version(_version(connection))
            connection.execute("PRAGMA synchronous = FULL")
            return connection
        except BaseException:
            connection.close()
            raise


def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connected(address: str, *, patience_s: float = _READER_WAITS_S) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=patience_s, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _checked(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    try:
        version = _version(connection)
        if version == 0:  # nothing has been written yet
            connection.close()
            return None
        _check_version(version)
        return connection
    except BaseException:
        connection.close()
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _check_version(version: int) -> None:
    if version != _FORMAT:
        raise AccountsError(f"The record of users is of format {version}; this version of skydex knows {_FORMAT}.")
