"""`ArchiveDirectory`: what an archive directory holds, and how a table appears in it.

`archive.json` is the truth; it is replaced in one step, so that a publication happens wholly or not at all. Catalogues
lie under `catalogs/<schema>.<table>/<version>/`, and a link `current` beside the versions gives other HATS readers a
path that stays. A version that was replaced goes when no reader holds it any more. What a killed ingest left in
`staging/` waits for the same ingest to go on; it goes when the table is published otherwise, or removed.

Names are ADQL regular identifiers; nothing that a user types is joined to a path before it has been checked.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from skydex.errors import BadParameterError, StoreError, UnknownTableError, UnreadableFileError, near_names
from skydex.store.dataset import Dataset, open_dataset
from skydex.store.files import storing, sync_directory, write_file
from skydex.store.layout import IN_USE, STAGING_LOCK, Layout
from skydex.store.location import LocalLocation
from skydex.store.manifest import find_manifest
from skydex.store.remote import RemoteAccess
from skydex.store.staging import BUFFER_BYTES, Staging
from skydex.tables import Table

__all__ = ["LINKS", "REACHES", "ArchiveDirectory", "ArchiveEntry", "Origin", "Settle", "check_new_name"]

_FORMAT = 1
_ARCHIVE = "archive.json"
_CATALOGS = "catalogs"
_STAGING = "staging"
_CURRENT = "current"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\.[A-Za-z][A-Za-z0-9_]{0,127}", re.ASCII)
_TAKEN = ("tap_schema", "tap_upload", "mydb")
"""Schemas that are not of the archive's tables (TAP 1.1, 2.5 and 4; CasJobs)."""
_ATTEMPTS = 10
LINKS = "links"
"""Note of a table: its columns of addresses on the server that will show them, stored from the first slash onwards."""
REACHES = "reaches"
"""Note of a table: its columns of outlines, each with how far one reaches at most from the position of its row."""
_ORIGINS_KEPT = 2000
"""Changes that are known to have been made: those of two jobs with the most statements that a job may have."""


@dataclass(frozen=True)
class ArchiveEntry:
    """One published table."""

    name: str
    """Qualified: `schema.table`."""
    kind: Literal["stored", "mounted"]
    """Whether its files lie in the archive or elsewhere."""
    location: str
    """Relative to the archive for a stored table, else an absolute path or URL."""
    version: str
    """Changes with every publication."""
    n_rows: int | None
    """Number of rows, if known."""
    description: str
    """One paragraph for people."""
    published_at: str
    """UTC, ISO 8601."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the table's keeper wants to know of it, fit for JSON."""


Settle = Callable[[ArchiveEntry, tuple[ArchiveEntry, ...]], ArchiveEntry]
"""Given an entry that is to be listed and those that are, either the entry as it shall be, or an error against it."""


@dataclass(frozen=True)
class Origin:
    """On whose behalf the list was changed, for callers that may ask for the same change again."""

    key: str
    """Names the change, and no other."""
    n_rows: int
    """Rows that it was about."""


@dataclass(frozen=True)
class _Contents:
    """The content of `archive.json`."""

    serial: int
    entries: tuple[ArchiveEntry, ...]
    done: tuple[Origin, ...] = ()
    """The latest changes that had an origin."""

    def find(self, name: str) -> ArchiveEntry | None:
        lower = name.lower()
        return next((entry for entry in self.entries if entry.name.lower() == lower), None)

    def with_entry(self, new: ArchiveEntry) -> _Contents:
        others = self.without(new.name).entries
        entries = tuple(sorted((*others, new), key=lambda entry: entry.name.lower()))
        return replace(self, serial=self.serial + 1, entries=entries)

    def without(self, name: str) -> _Contents:
        kept = tuple(entry for entry in self.entries if entry.name.lower() != name.lower())
        return replace(self, serial=self.serial + 1, entries=kept)

    def after(self, origin: Origin | None) -> _Contents:
        return replace(self, done=(*self.done, origin)[-_ORIGINS_KEPT:]) if origin else self

    def to_bytes(self) -> bytes:
        """One table a line, which is written ten times as fast as what JSON calls indented."""
        tables = [{key: value for key, value in vars(e).items() if key != "notes" or value} for e in self.entries]
        lines = ",\n  ".join(map(json.dumps, tables))
        done = f',\n "done": {json.dumps([(one.key, one.n_rows) for one in self.done])}' if self.done else ""
        text = f'{{"format": {_FORMAT}, "serial": {self.serial},\n "tables": [\n  {lines}\n ]{done}}}\n'
        return text.encode()


class ArchiveDirectory:
    """An archive on the disk. Any number of processes may read it and publish to it.

    Parameters
    ----------
    path : str or path
        Where it is.
    access : RemoteAccess, optional
        How to read tables that lie far away; by default nothing of them is kept on the disk.
    """

    def __init__(self, path: str | os.PathLike[str], *, access: RemoteAccess | None = None) -> None:
        self.path = Path(path).absolute()
        """Where it is."""
        self._access = access
        if not (self.path / _ARCHIVE).is_file():
            raise UnreadableFileError(str(path), "it is not an archive: it has no archive.json.")
        self._read: tuple[str, _Contents] | None = None

    @classmethod
    def create(cls, path: str | os.PathLike[str], *, access: RemoteAccess | None = None) -> ArchiveDirectory:
        """Open an archive, making an empty one if the directory is new or empty."""
        root = Path(path).absolute()
        if not (root / _ARCHIVE).is_file():
            if root.exists() and (not root.is_dir() or any(root.iterdir())):
                raise UnreadableFileError(str(path), "an archive can only be made in a new or empty directory.")
            with storing("a new archive"):
                root.mkdir(parents=True, exist_ok=True)
                write_file(root / _ARCHIVE, _Contents(0, ()).to_bytes())
                sync_directory(root)
        return cls(root, access=access)

    @property
    def revision(self) -> str:
        """Changes with every publication; costs one look at a file's status."""
        status = os.stat(self.path / _ARCHIVE)
        return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"

    def tables(self) -> tuple[ArchiveEntry, ...]:
        """All published tables, by name."""
        return self._contents().entries

    def get(self, name: str) -> ArchiveEntry:
        """Look up a table without regard to case; `UnknownTableError` if there is none."""
        contents = self._contents()
        entry = contents.find(name)
        if entry is None:
            raise UnknownTableError(name, near=near_names(name, (known.name for known in contents.entries)))
        return entry

    def find_origin(self, key: str) -> Origin | None:
        """The change of that origin, if it is among the latest."""
        return next((origin for origin in self._contents().done if origin.key == key), None)

    def open(self, name: str, *, called: str | None = None) -> Dataset:
        """Open the version of a table that is published now; it stays readable when a newer one replaces it.

        Parameters
        ----------
        name : str
            Qualified name.
        called : str, optional
            Qualified name by which the reader knows it, if that is another.
        """
        for _ in range(_ATTEMPTS):
            entry = self.get(name)
            try:
                dataset = open_dataset(self.address(entry), name=called or entry.name, access=self._access)
            except (StoreError, OSError):
                if self.get(name) == entry:
                    raise
            else:
                if self.get(name) == entry:  # else it may have been half deleted when it was opened
                    return dataset
        raise StoreError(f"{name} is being replaced too often to be opened.")

    def address(self, entry: ArchiveEntry) -> str:
        """Absolute path or URL of a table's files."""
        return str(self.path / entry.location) if entry.kind == "stored" else entry.location

    def hats_path(self, name: str) -> Path:
        """Path of a stored table that stays the same from version to version, for other readers of HATS."""
        return (self.path / self.get(name).location).parent / _CURRENT

    def staging_directory(self, name: str, key: str) -> Path:
        """Where a table is to be written before it is published.

        Parameters
        ----------
        name : str
            Qualified name of the table.
        key : str
            What is being ingested; the same key finds the same directory again.
        """
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        return self.path / _STAGING / f"{_checked(name).lower()}-{digest}"

    def stage(self, table: Table, layout: Layout, *, buffer_bytes: int = BUFFER_BYTES) -> Staging:
        """Begin to write a table in a staging directory that nobody else will find.

        What killed processes left behind in other such directories is deleted.
        """
        directory = self.staging_directory(table.name, secrets.token_hex(16))
        with self.locked():  # else somebody might clear the new directory before it is locked
            for folder in _folders(self.path / _STAGING):
                _delete_unless_locked(folder, STAGING_LOCK)
            return Staging.open(directory, table=table, layout=layout, buffer_bytes=buffer_bytes)

    def publish(
        self, name: str, staged: Path, *, settle: Settle | None = None, origin: Origin | None = None
    ) -> ArchiveEntry:
        """Make a finished catalogue visible under a name, in one step; an earlier version is replaced.

        What abandoned ingests of the same table left behind is deleted.

        Parameters
        ----------
        name : str
            Qualified name.
        staged : Path
            `WriteReport.directory`; it is moved, and the staging directory around it removed.
        settle : callable, optional
            Asked while nobody else can publish: it completes the entry, or raises.
        origin : Origin, optional
            Kept with the list, for `find_origin`.
        """
        manifest = find_manifest(LocalLocation(staged), name=_checked(name))
        if manifest is None:
            raise StoreError(f"The files of {name} are not complete: there is no manifest.")
        home = self._catalog(name)
        with self.locked(), storing(f"the publication of {name}"):
            (staged / IN_USE).touch()
            target = home / manifest.version
            entry = ArchiveEntry(
                name=name,
                kind="stored",
                location=target.relative_to(self.path).as_posix(),
                version=manifest.version,
                n_rows=manifest.n_rows,
                description=manifest.table["description"],
                published_at=_now(),
            )
            entry = settle(entry, self._contents().entries) if settle else entry
            home.mkdir(parents=True, exist_ok=True)
            self._move_in(staged, target, entry, origin)
            self._point_current_to(target)
        self._clear_staging(staged)
        self.clear_abandoned(name)
        self.clear_old_versions()
        return entry

    def _move_in(self, staged: Path, target: Path, entry: ArchiveEntry, origin: Origin | None) -> None:
        """Move the files and list them; if they cannot be listed they go back, so that it can be tried again."""
        os.rename(staged, target)
        try:
            sync_directory(target.parent)
            self._write(self._contents().with_entry(entry).after(origin))
        except OSError:
            if self._contents().find(entry.name) != entry:
                os.rename(target, staged)
            raise

    def mount(self, name: str, address: str) -> ArchiveEntry:
        """Publish a catalogue where it lies: a HATS catalogue or collection, local or remote, or Parquet files."""
        place = address if "://" in address else str(Path(address).absolute())
        check_new_name(name)
        dataset = open_dataset(place, name=name, access=self._access)
        table = dataset.table
        entry = ArchiveEntry(name, "mounted", place, dataset.version, table.n_rows, table.description, _now())
        with self.locked(), storing(f"the publication of {name}"):
            self._write(self._contents().with_entry(entry))
        self.clear_abandoned(name)
        self.clear_old_versions()
        return entry

    def abandoned(self, name: str) -> list[Path]:
        """Staging directories of a table's ingests that were killed: nobody writes there."""
        lower = _checked(name).lower()
        folders = [folder for folder in _folders(self.path / _STAGING) if folder.name.rpartition("-")[0] == lower]
        return [folder for folder in sorted(folders) if not _is_locked(folder / STAGING_LOCK)]

    def clear_abandoned(self, name: str) -> None:
        """Delete what killed ingests of a table left behind; those that are under way, or begin just now, go on."""
        with self.locked():
            for folder in self.abandoned(name):
                _delete_unless_locked(folder, STAGING_LOCK)

    def amend(self, name: str, change: Settle, *, origin: Origin | None = None) -> ArchiveEntry:
        """List a table otherwise: `change` is given its entry and all of them, and tells what it shall be."""
        with self.locked(), storing(f"the change of {name}"):
            contents = self._contents()
            entry = self.get(name)
            changed = change(entry, contents.entries)
            self._write(contents.without(entry.name).with_entry(changed).after(origin))
        return changed

    def note(self, origin: Origin) -> None:
        """Keep an origin whose change turned out to change nothing."""
        with self.locked(), storing("the list of tables"):
            self._write(self._contents().after(origin))

    def remove(self, name: str, *, origin: Origin | None = None) -> None:
        """Take a table out of the archive, with what killed ingests of it left; files of a mounted one stay."""
        if self.abandoned(name) and self._contents().find(name) is None:
            return self.clear_abandoned(name)
        entry = self.get(name)
        with self.locked(), storing(f"the removal of {name}"):
            self._write(self._contents().without(entry.name).after(origin))
        self.clear_abandoned(entry.name)
        self.clear_old_versions()
        return None

    def clear_old_versions(self, name: str | None = None) -> None:
        """Delete versions, of one table or of all, that are no longer published and that nobody reads.

        This is done after each publication, too; but then whoever published may still read the version before.
        """
        with self.locked():
            published = {self.path / entry.location for entry in self._contents().entries if entry.kind == "stored"}
            for home in _folders(self.path / _CATALOGS) if name is None else [self._catalog(name)]:
                versions = _folders(home)
                old = [version for version in versions if version not in published]
                for version in old:
                    _delete_unless_locked(version, IN_USE)
                if old or not versions:
                    _tidy(home)

    def _contents(self) -> _Contents:
        """Read `archive.json`, unless it is the one that was read last."""
        revision = self.revision
        if self._read is None or self._read[0] != revision:
            self._read = revision, _parse((self.path / _ARCHIVE).read_bytes())
        return self._read[1]

    def _write(self, contents: _Contents) -> None:
        file = self.path / _ARCHIVE
        before = os.stat(file).st_mtime_ns
        write_file(file, contents.to_bytes())
        if os.stat(file).st_mtime_ns <= before:  # the clock of files ticks in milliseconds, and a revision must be new
            os.utime(file, ns=(before + 1, before + 1))
        sync_directory(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from publishing, and from clearing away, meanwhile."""
        with storing("the archive's lock"):
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _catalog(self, name: str) -> Path:
        """Directory of all versions of a table; names that differ in case share it."""
        return self.path / _CATALOGS / _checked(name).lower()

    def _point_current_to(self, target: Path) -> None:
        """Turn the link for other readers; the archive itself does not need it."""
        with suppress(OSError):
            link = target.parent / f".{_CURRENT}.part"
            link.unlink(missing_ok=True)
            link.symlink_to(target.name)
            os.replace(link, target.parent / _CURRENT)

    def _clear_staging(self, staged: Path) -> None:
        """Remove runs and journal of what has been published."""
        if staged.parent.parent == self.path / _STAGING:
            shutil.rmtree(staged.parent, ignore_errors=True)


def check_new_name(name: str) -> None:
    """See whether a table that is published may have a name.

    Raises
    ------
    BadParameterError
        It is none, or its schema is one that every archive has of itself, which the table would hide.
    """
    schema = _checked(name).partition(".")[0]
    if schema.lower() in _TAKEN:
        raise BadParameterError("name", f"{name!r} is of a schema that every archive has of itself. Choose another.")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadParameterError(
            "name",
            f"{name[:100]!r} is not of the form schema.table (letters, digits and _, each beginning with a letter).",
        )
    return name


def _parse(content: bytes) -> _Contents:
    try:
        found: dict[str, Any] = json.loads(content)
        entries = tuple(ArchiveEntry(**entry) for entry in found["tables"])
        done = tuple(Origin(*origin) for origin in found.get("done", ()))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError("The list of tables, archive.json, is damaged. Restore it from a copy.") from error
    if found["format"] > _FORMAT:
        raise StoreError("The archive was written by a later version of skydex. Update skydex to read it.")
    return _Contents(found["serial"], entries, done)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _folders(path: Path) -> list[Path]:
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path) as found:
        return [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
    return []


def _is_locked(file: Path) -> bool:
    """Whether a process holds a lock on a file."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _delete_unless_locked(folder: Path, lock: str) -> None:
    """Delete a directory unless somebody holds its lock; one that is half deleted goes next time."""
    try:
        descriptor = os.open(folder / lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _tidy(home: Path) -> None:
    """Remove a dead link and an empty directory."""
    link = home / _CURRENT
    with suppress(OSError):
        if link.is_symlink() and not link.exists():
            link.unlink()
        home.rmdir()
