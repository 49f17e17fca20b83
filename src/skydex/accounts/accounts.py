"""`Accounts`: the users of an archive.

Users are made by the operator, or by themselves where that is allowed. The name of a user who was removed is never
given again: it stands in shared tables, old jobs and papers. What is kept of passwords is the affair of `passwords`,
what of tokens that of `token`; guessing is slowed down by `throttle`, in each process; what one of them
counts the others may be told (`tell`, `learn`).
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from skydex.accounts.passwords import Remembered, hash_password, is_password
from skydex.accounts.record import Record
from skydex.accounts.throttle import Throttle, network_of
from skydex.accounts.token import Token, TokenKind, digest_of, new_secret
from skydex.accounts.user import User, check_name
from skydex.errors import (
    BadParameterError,
    LoginError,
    NameTakenError,
    NotAllowedError,
    UnknownGroupError,
    UnknownUserError,
)

__all__ = ["ACCOUNTS_FILE", "Accounts"]

ACCOUNTS_FILE = "accounts.sqlite"
"""Its file in the state directory."""

_LEAST_WSID, _MOST_WSID = 10**8, 10**10 - 1
_MOST_DIGITS = 20
"""Of a number that may be a user's, with zeros before it."""
_MOST_LABEL = 100
_N_TURNS = 64
"""Attempts of one address follow each other, so that many at once are not more than are counted."""
_MOST_KEPT = {TokenKind.TOKEN: 100, TokenKind.SESSION: 20}
"""Tokens of one user; a further one replaces the oldest."""
_MOST_NAMES = 1000
"""Groups that one user may ever make: their names are never given again."""
_BAD_TOKEN = "The token is unknown, or expired, or revoked. Make a new one."
_TOKENS = "SELECT id, label, created, expires FROM tokens WHERE"
_USERS = """
SELECT u.*, (SELECT group_concat(group_name) FROM members m WHERE m.wsid = u.wsid) AS group_names
FROM users u WHERE u.removed IS NULL AND
"""


class Accounts:
    """The users of one archive; safe to share between threads.

    Parameters
    ----------
    directory : Path
        The state directory of the archive; it is made by the first change.
    quota_mb, quota_tables : int
        What a user may have whose account says nothing else.
    """

    def __init__(self, directory: Path, *, quota_mb: int = 1000, quota_tables: int = 500) -> None:
        self._record = Record(directory / ACCOUNTS_FILE)
        self._quota_mb, self._quota_tables = quota_mb, quota_tables
        self._remembered = Remembered()
        self._turns = tuple(threading.Lock() for _ in range(_N_TURNS))
        self._throttles = {
            "pair": Throttle("wrong passwords", 5, first_s=2.0, most_s=900.0, forgotten_s=600.0),
            "address": Throttle("wrong passwords", 30, first_s=2.0, most_s=900.0, forgotten_s=60.0),
            "user": Throttle("wrong passwords", 100, first_s=2.0, most_s=60.0, forgotten_s=60.0),
            "new": Throttle("new accounts", 20, first_s=60.0, most_s=3600.0, forgotten_s=300.0),
        }
        self.tell: Callable[[str, str, bool], None] = lambda *_: None
        """What is to hear of each thing that counts, or is forgiven: which counter, for what, whether forgiven."""

    def close(self) -> None:
        """Let the file go."""
        self._record.close()

    # Users

    def add(
        self,
        name: str,
        password: str,
        *,
        quota_mb: int | None = None,
        quota_tables: int | None = None,
        taken: Callable[[str], bool] = lambda _: False,
    ) -> User:
        """Make an account.

        Parameters
        ----------
        name : str
            A letter, then letters, digits and underscores.
        password : str
            8 to 1024 bytes.
        quota_mb, quota_tables : int, optional
            What the user may have, if not what everybody may.
        taken : callable, optional
            Whether a name is that of something else, such as a collection.

        Raises
        ------
        NameTakenError
            Somebody or something else has the name, or had it.
        BadParameterError
            The name or the password cannot be one.
        """
        self.check_free(name, taken=taken)
        kept = hash_password(password)
        try:
            with self._record.change() as record:
                record.execute(
                    "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, NULL)",
                    (name, _new_wsid(record), kept, _quota(quota_mb), _quota(quota_tables), time.time()),
                )
        except sqlite3.IntegrityError as error:
            raise NameTakenError("user", name) from error
        return self.get(name)

    def check_free(self, name: str, *, taken: Callable[[str], bool] = lambda _: False) -> None:
        """See to it that a name can be given to a user (`add`).

        Raises
        ------
        NameTakenError
            Somebody or something else has the name, or had it.
        BadParameterError
            It is no name.
        """
        check_name(name, what="user")
        if taken(name) or self._was_there(name):
            raise NameTakenError("user", name)

    def register(self, name: str, password: str, *, address: str, taken: Callable[[str], bool]) -> User:
        """Make an account for somebody who asks for it, from an address.

        Raises
        ------
        ThrottledError
            There were too many new accounts from there.
        """
        network = network_of(address)
        with self._turn(network):
            self._throttles["new"].check(network)
            user = self.add(name, password, taken=taken)
            self._count("new", network)
        return user

    def remove(self, name: str) -> User:
        """Remove an account, its tokens and memberships; gives who that was.

        The user's tables and jobs are for others to remove.
        """
        user = self.get(name)
        with self._record.change() as record:
            for table in ("tokens", "members"):
                record.execute(f"DELETE FROM {table} WHERE wsid = ?", (user.wsid,))
            mine = _pattern(user)
            record.execute("DELETE FROM members WHERE group_name LIKE ? ESCAPE '!'", (mine,))
            record.execute(
                "UPDATE groups SET removed = ? WHERE name LIKE ? ESCAPE '!' AND removed IS NULL", (time.time(), mine)
            )
            record.execute("UPDATE users SET password = NULL, removed = ? WHERE wsid = ?", (time.time(), user.wsid))
        return user

    def users(self) -> tuple[User, ...]:
        """All, by name."""
        return tuple(map(self._user, self._record.rows(f"{_USERS} TRUE ORDER BY name")))

    def removed(self) -> tuple[tuple[str, int], ...]:
        """Names and numbers of those who were removed."""
        rows = self._record.rows("SELECT name, wsid FROM users WHERE removed IS NOT NULL ORDER BY name")
        return tuple((row["name"], row["wsid"]) for row in rows)

    def find(self, who: str | int) -> User | None:
        """A user by name or number, if there is one."""
        row = self._find(who)
        return self._user(row) if row else None

    def get(self, who: str | int) -> User:
        """A user by name or number.

        Raises
        ------
        UnknownUserError
            There is none.
        """
        user = self.find(who)
        if user is None:
            raise UnknownUserError(str(who)[:100])  # and nothing of who else is there
        return user

    def set_quota(self, name: str, *, mb: int | None = None, tables: int | None = None) -> User:
        """Change what a user may have; what is None stays."""
        user = self.get(name)
        with self._record.change() as record:
            record.execute(
                "UPDATE users SET quota_mb = coalesce(?, quota_mb), quota_tables = coalesce(?, quota_tables)"
                " WHERE wsid = ?",
                (_quota(mb), _quota(tables), user.wsid),
            )
        return self.get(name)

    def set_password(self, name: str, password: str) -> None:
        """Change a password; all tokens and sessions of the user end."""
        user, kept = self.get(name), hash_password(password)
        with self._record.change() as record:
            record.execute("UPDATE users SET password = ? WHERE wsid = ? AND removed IS NULL", (kept, user.wsid))
            record.execute("DELETE FROM tokens WHERE wsid = ?", (user.wsid,))

    # Passwords and tokens

    def login(self, who: str | int, password: str, *, address: str) -> User:
        """Who has this name, or number, and this password.

        Takes some hundredths of a second and as much for somebody who does not exist; a password that was right a
        moment ago takes no time (`find_quickly`).

        Parameters
        ----------
        who : str or int
            Name, or number of CasJobs.
        password : str
            The password.
        address : str
            Where the attempt comes from, to slow guessing down; empty if that is not known.

        Raises
        ------
        LoginError
            There is nobody of that name and password.
        ThrottledError
            There were too many wrong attempts.
        """
        row = self._find(who)
        if row and self._remembered.knows(password, row["password"]):
            return self._user(row)
        whose = str(row["wsid"]) if row else str(who).lower()[:100]
        network = network_of(address)
        tallies = [("pair", f"{whose} {network}"), ("user", whose)]
        if network:
            tallies.append(("address", network))
        with self._turn(network or whose):
            if row and self._remembered.knows(password, row["password"]):  # by the one before
                return self._user(row)
            for name, key in tallies:
                self._throttles[name].check(key)
            if not is_password(password, row["password"] if row else None):
                for name, key in tallies:
                    self._count(name, key)
                raise LoginError
            assert row is not None
            self._forgive("pair", f"{whose} {network}")
            self._remembered.add(password, row["password"])
        return self._user(row)

    def find_quickly(self, who: str | int, password: str) -> User | None:
        """Like `login`, if the answer is known already."""
        row = self._find(who)
        return self._user(row) if row and self._remembered.knows(password, row["password"]) else None

    def make_token(self, user: User, *, seconds: float, label: str = "") -> str:
        """A new token for programs; it is shown this once and not kept."""
        return self._make(user, TokenKind.TOKEN, seconds, label)

    def make_session(self, user: User, *, seconds: float) -> str:
        """A new token for a browser."""
        return self._make(user, TokenKind.SESSION, seconds, "")

    def by_token(self, secret: str) -> User:
        """Whose token this is.

        Raises
        ------
        LoginError
            Nobody's, or not any more.
        """
        user = self._of_token(secret, TokenKind.TOKEN)
        if user is None:
            raise LoginError(_BAD_TOKEN)
        return user

    def by_session(self, secret: str) -> User | None:
        """Whose session this is; None if it has ended."""
        return self._of_token(secret, TokenKind.SESSION)

    def tokens(self, user: User) -> tuple[Token, ...]:
        """The tokens of a user that are still good, youngest first."""
        rows = self._record.rows(
            f"{_TOKENS} wsid = ? AND kind = ? AND expires > ? ORDER BY created DESC",
            (user.wsid, TokenKind.TOKEN, time.time()),
        )
        return tuple(Token(*row) for row in rows)

    def get_token(self, secret: str) -> Token:
        """What is known of a token.

        Raises
        ------
        LoginError
            Nothing.
        """
        rows = self._record.rows(f"{_TOKENS} digest = ?", (digest_of(secret),))
        if not rows:
            raise LoginError(_BAD_TOKEN)
        return Token(*rows[0])

    def revoke(self, user: User, token_id: str) -> None:
        """End a token of a user, if there is one of that identifier."""
        with self._record.change() as record:
            record.execute("DELETE FROM tokens WHERE wsid = ? AND id = ?", (user.wsid, token_id))

    def end_session(self, secret: str) -> None:
        """End a session."""
        with self._record.change() as record:
            record.execute("DELETE FROM tokens WHERE digest = ?", (digest_of(secret),))

    # Groups

    def add_group(self, name: str) -> str:
        """Make a group; gives its name."""
        check_name(name, what="group")
        try:
            with self._record.change() as record:
                record.execute("INSERT INTO groups VALUES (?, ?, NULL)", (name, time.time()))
        except sqlite3.IntegrityError as error:
            raise NameTakenError("group", name) from error
        return name

    def add_own_group(self, owner: User, name: str, *, most: int) -> str:
        """Make a group for a user, who is in it; gives its name, which begins with hers: `alice.friends`.

        No such name is that of a group of the operator's, or tells one user of the groups of another.

        Raises
        ------
        NotAllowedError
            She has `most` groups already.
        """
        full = f"{owner.name}.{check_name(name, what='group')}"
        now = time.time()
        try:
            with self._record.change() as record:
                counted = record.execute(
                    "SELECT count(*), count(*) - count(removed) FROM groups WHERE name LIKE ? ESCAPE '!'",
                    (_pattern(owner),),
                ).fetchone()
                if counted[1] >= most or counted[0] >= _MOST_NAMES:
                    raise NotAllowedError(
                        f"You have made {counted[1]} groups, and may not make more: {most} at a time."
                    )
                record.execute("INSERT INTO groups VALUES (?, ?, NULL)", (full, now))
                record.execute("INSERT INTO members VALUES (?, ?)", (owner.wsid, full))
        except sqlite3.IntegrityError as error:
            raise NameTakenError("group", name) from error
        return full

    def get_own_group(self, owner: User, name: str) -> str:
        """The name of a group that a user made, given with or without her own before it.

        Raises
        ------
        NotAllowedError
            She is in it, but did not make it.
        UnknownGroupError
            There is none that she knows of.
        """
        full = name if "." in name else f"{owner.name}.{name}"
        if full.partition(".")[0].lower() == owner.name.lower():
            return self.get_group(full)
        if full.lower() in map(str.lower, owner.groups):
            raise NotAllowedError(f"Only who made the group {full} may change it. You may leave it.")
        raise UnknownGroupError(name[:100])

    def remove_group(self, name: str) -> None:
        """Remove a group; its name, with which tables may be shared, is never given again."""
        known = self.get_group(name)
        with self._record.change() as record:
            record.execute("DELETE FROM members WHERE group_name = ?", (known,))
            record.execute("UPDATE groups SET removed = ? WHERE name = ?", (time.time(), known))

    def groups(self) -> dict[str, tuple[str, ...]]:
        """All groups by name, each with its members."""
        rows = self._record.rows(
            "SELECT g.name AS group_name, u.name AS user_name FROM groups g"
            " LEFT JOIN members m ON m.group_name = g.name"
            " LEFT JOIN users u ON u.wsid = m.wsid AND u.removed IS NULL"
            " WHERE g.removed IS NULL ORDER BY g.name, u.name"
        )
        members: dict[str, tuple[str, ...]] = {}
        for row in rows:
            further = (row["user_name"],) if row["user_name"] else ()
            members[row["group_name"]] = (*members.get(row["group_name"], ()), *further)
        return members

    def get_group(self, name: str) -> str:
        """The name of a group as it was given.

        Raises
        ------
        UnknownGroupError
            There is none.
        """
        rows = self._record.rows("SELECT name FROM groups WHERE name = ? AND removed IS NULL", (name,))
        if not rows:
            raise UnknownGroupError(name[:100])
        return str(rows[0]["name"])

    def join(self, group: str, name: str) -> User:
        """Make a user a member of a group."""
        known, user = self.get_group(group), self.get(name)
        with self._record.change() as record:
            record.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (user.wsid, known))
        return replace(user, groups=user.groups | {known})

    def leave(self, group: str, name: str) -> User:
        """Make a user no member of a group."""
        known, user = self.get_group(group), self.get(name)
        with self._record.change() as record:
            record.execute("DELETE FROM members WHERE wsid = ? AND group_name = ?", (user.wsid, known))
        return replace(user, groups=user.groups - {known})

    def learn(self, name: str, key: str, *, is_forgiven: bool) -> None:
        """Count, or forgive, what another process was asked and told (`tell`)."""
        throttle = self._throttles.get(name)
        if throttle is not None:
            (throttle.forgive if is_forgiven else throttle.count)(key)

    def _count(self, name: str, key: str) -> None:
        self._throttles[name].count(key)
        self.tell(name, key, False)

    def _forgive(self, name: str, key: str) -> None:
        self._throttles[name].forgive(key)
        self.tell(name, key, True)

    def _turn(self, key: str) -> threading.Lock:
        return self._turns[hash(key) % len(self._turns)]

    def _find(self, who: str | int) -> sqlite3.Row | None:
        text = str(who).strip()
        if text.isascii() and text.isdigit():
            if len(text) > _MOST_DIGITS or not _LEAST_WSID <= int(text) <= _MOST_WSID:
                return None
            rows = self._record.rows(f"{_USERS} u.wsid = ?", (int(text),))
        else:
            rows = self._record.rows(f"{_USERS} u.name = ?", (text.encode("utf-8", "replace").decode(),))
        return rows[0] if rows else None

    def _user(self, row: sqlite3.Row) -> User:
        mb, tables = row["quota_mb"], row["quota_tables"]
        return User(
            name=row["name"],
            wsid=row["wsid"],
            quota_mb=self._quota_mb if mb is None else mb,
            quota_tables=self._quota_tables if tables is None else tables,
            groups=frozenset((row["group_names"] or "").split(",")) - {""},
            created=row["created"],
        )

    def _was_there(self, name: str) -> bool:
        return bool(self._record.rows("SELECT 1 FROM users WHERE name = ?", (name,)))

    def _make(self, user: User, kind: TokenKind, seconds: float, label: str) -> str:
        secret, now = new_secret(kind), time.time()
        facts = digest_of(secret), secrets.token_hex(8), user.wsid, kind, label[:_MOST_LABEL], now, now + seconds
        with self._record.change() as record:
            record.execute("DELETE FROM tokens WHERE expires <= ?", (now,))
            record.execute(
                "DELETE FROM tokens WHERE digest IN (SELECT digest FROM tokens WHERE wsid = ? AND kind = ?"
                " ORDER BY created DESC LIMIT -1 OFFSET ?)",
                (user.wsid, kind, _MOST_KEPT[kind] - 1),
            )
            record.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)", facts)
        return secret

    def _of_token(self, secret: str, kind: TokenKind) -> User | None:
        rows = self._record.rows(
            f"{_USERS} u.wsid = (SELECT wsid FROM tokens WHERE digest = ? AND kind = ? AND expires > ?)",
            (digest_of(secret), kind, time.time()),
        )
        return self._user(rows[0]) if rows else None


def _pattern(owner: User) -> str:
    """What the names of all groups are like that a user made, for LIKE with `!` before what stands for itself."""
    return f"{owner.name.replace('_', '!_')}.%"


def _new_wsid(record: sqlite3.Connection) -> int:
    """A number that nobody has or had, and that nobody guesses."""
    while True:
        wsid = _LEAST_WSID + secrets.randbelow(_MOST_WSID - _LEAST_WSID + 1)
        if not record.execute("SELECT 1 FROM users WHERE wsid = ?", (wsid,)).fetchone():
            return wsid


def _quota(value: int | None) -> int | None:
    if value is not None and value < 0:
        raise BadParameterError("quota", "must not be negative.")
    return value
