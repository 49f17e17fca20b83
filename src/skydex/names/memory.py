"""`NameMemory`: what another resolver answered, kept in a file so that it need not be asked again.

The file is a convenience: one that is damaged, locked or on a full disk is as good as none, and never an error.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from skydex.names.named import NamedObject
from skydex.names.spellings import key_of

__all__ = ["NameMemory"]

_DAY_S = 86_400.0
_MOST_DAYS_UNKNOWN = 1.0
"""A name that nobody knows today may be known tomorrow."""
_PATIENCE_S = 1.0
"""How long the file may be locked by somebody else."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS names (key TEXT PRIMARY KEY, asked REAL NOT NULL, objects TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_asked ON names (asked);
"""

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class NameMemory:
    """Answers by name, the youngest so many.

    Parameters
    ----------
    file : Path
        Where; it is made when something is kept.
    n_kept : int
        How many names at most.
    days : float
        How long each.
    """

    def __init__(self, file: Path, *, n_kept: int, days: float) -> None:
        self._file, self._n_kept, self._days = file, n_kept, days

    def find(self, name: str) -> tuple[NamedObject, ...] | None:
        """The answer that was kept, empty if the name was not known; None if there is none, or none so young."""

        def recall(database: sqlite3.Connection) -> tuple[NamedObject, ...] | None:
            row = database.execute("SELECT asked, objects FROM names WHERE key = ?", [_key(name)]).fetchone()
            return self._recalled(*row) if row else None

        return self._done(recall) if self._file.is_file() else None

    def keep(self, name: str, objects: Sequence[NamedObject]) -> None:
        """Keep an answer, and forget the oldest if there are too many."""

        def keep(database: sqlite3.Connection) -> None:
            database.executescript(_SCHEMA)
            texts = json.dumps([asdict(known) for known in objects])
            database.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?)", [_key(name), time.time(), texts])
            old = "SELECT key FROM names ORDER BY asked DESC LIMIT -1 OFFSET ?"
            database.execute(f"DELETE FROM names WHERE key IN ({old})", [self._n_kept])

        self._done(keep)

    def _recalled(self, asked: float, texts: str) -> tuple[NamedObject, ...] | None:
        objects = tuple(NamedObject(**{**item, "aliases": tuple(item["aliases"])}) for item in json.loads(texts))
        days = self._days if objects else min(self._days, _MOST_DAYS_UNKNOWN)
        return objects if 0.0 <= time.time() - asked < days * _DAY_S else None

    def _done(self, deed: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Do something with the file; None if anything is wrong with it."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._file, timeout=_PATIENCE_S, isolation_level=None)) as database:
                return deed(database)
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as error:
            _log.warning("Names that were looked up elsewhere cannot be kept or recalled: %s", error)
            return None


def _key(name: str) -> str:
    """Spellings of one name have one answer; what has no letters is itself."""
    return (key_of(name) or name).encode("utf-8", "replace").decode()
