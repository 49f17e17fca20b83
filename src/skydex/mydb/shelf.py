"""`Shelf`: the directory with the tables of one user, made when she first keeps something."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from skydex.errors import StoreError, UnknownTableError, UnreadableFileError, near_names
from skydex.store import ArchiveDirectory, ArchiveEntry
from skydex.store.files import storing, sync_directory

__all__ = ["MYDB", "Shelf", "among", "bare", "bare_name"]

MYDB = "mydb"
"""The schema under which everybody finds her own tables."""
_DAMAGED = "The list of your own tables is damaged. The operator of this archive can restore it from a copy."


class Shelf:
    """Where the tables of one user stand.

    Parameters
    ----------
    path : Path
        Her directory; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: ArchiveDirectory | None = None

    @property
    def store(self) -> ArchiveDirectory:
        """The directory, which is there; `StoreError` if it is damaged."""
        if self._found is None:
            try:
                self._found = ArchiveDirectory(self.path)
            except UnreadableFileError as error:
                raise StoreError(_DAMAGED) from error
        return self._found

    def exists(self) -> bool:
        """Whether anything was ever kept."""
        return self._found is not None or self.path.exists()

    def made(self) -> ArchiveDirectory:
        """The store, made if it is not there; of two processes that make it at once, one does."""
        if not self.exists():
            with storing("a new MyDB"):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                new = Path(tempfile.mkdtemp(prefix=".new-", dir=self.path.parent))
                ArchiveDirectory.create(new)
                try:
                    os.rename(new, self.path)
                except OSError:
                    shutil.rmtree(new, ignore_errors=True)
                    if not self.path.exists():
                        raise
                sync_directory(self.path.parent)
        return self.store

    def entries(self) -> tuple[ArchiveEntry, ...]:
        """What is listed; `StoreError` if the list is damaged."""
        if not self.exists():
            return ()
        try:
            return self.store.tables()
        except (FileNotFoundError, StoreError) as error:
            raise StoreError(_DAMAGED) from error

    def find(self, name: str) -> ArchiveEntry | None:
        """What is listed of a table, without regard to case, or `None`."""
        return among(self.entries(), f"{MYDB}.{name}")

    def get(self, name: str) -> ArchiveEntry:
        """What is listed of a table; `UnknownTableError` if there is none of that name."""
        found = self.find(name)
        if found is None:
            near = [f"{MYDB}.{hit}" for hit in near_names(name, (bare(entry) for entry in self.entries()))]
            raise UnknownTableError(f"{MYDB}.{name[:100]}", near=near)
        return found


def bare_name(name: str) -> str:
    """The name of a table without its schema."""
    return name.partition(".")[2]


def bare(entry: ArchiveEntry) -> str:
    """The name of a listed table without its schema."""
    return bare_name(entry.name)


def among(entries: Iterable[ArchiveEntry], name: str) -> ArchiveEntry | None:
    """The entry of a name, without regard to case, or `None`."""
    return next((entry for entry in entries if entry.name.lower() == name.lower()), None)
