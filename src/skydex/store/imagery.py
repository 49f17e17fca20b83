"""`Imagery`: which images an archive has, and where each of them is: its register of images.

One SQLite file for each collection, `images/<collection>.sqlite`, which is written anew and renamed into its place, so
that nobody sees half of one. Images themselves are left where they are: a name that somebody sends is looked up here,
and never joined to a path. A location that begins with `archive:` is one below the archive, wherever that lies.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from skydex.errors import StoreError
from skydex.store.files import storing

__all__ = ["ImageRecord", "Imagery", "OriginalFile"]

_FOLDER = "images"
_SUFFIX = ".sqlite"
_BELOW = "archive:"
_MOST_FOUND = 512
"""Names whose images a thread remembers."""
_FIELDS = "name, hdu, extension, did, opener, location, access"
_TABLES = """
    CREATE TABLE image (
        name TEXT NOT NULL, hdu INTEGER NOT NULL, extension TEXT NOT NULL, did TEXT NOT NULL UNIQUE,
        opener TEXT NOT NULL, location TEXT NOT NULL, access BLOB NOT NULL
    );
    CREATE TABLE alias (alias TEXT NOT NULL, image INTEGER NOT NULL);
    CREATE TABLE original (location TEXT PRIMARY KEY, mark TEXT NOT NULL, problem TEXT NOT NULL);
"""
_INDEXES = """
    CREATE INDEX image_by_name ON image (name);
    CREATE INDEX alias_by_name ON alias (alias);
    CREATE INDEX alias_by_lower_name ON alias (alias COLLATE NOCASE);
"""


@dataclass(frozen=True)
class ImageRecord:
    """One image of a collection: an extension of a file, or what a simulated camera has seen."""

    collection: str
    """Schema of the tables that describe it."""
    name: str
    """As services and tables name it: `hst_10543_29_acs_wfc_f606w`; images of one file share it."""
    hdu: int
    """Number of the extension; 0 for the primary HDU."""
    extension: str
    """EXTNAME, and EXTVER after a comma, as in `SCI,1`; empty if it has none."""
    did: str
    """Its identifier, `obs_publisher_did` of ObsCore."""
    opener: str
    """How it is opened (`skydex.images.openers`)."""
    location: str
    """Where, as its opener understands it."""
    access: bytes = b""
    """What its opener has noted of it."""
    aliases: tuple[str, ...] = ()
    """Further names under which it is asked for, such as that of its file; not given back."""


@dataclass(frozen=True)
class OriginalFile:
    """A file that was looked at for images, as it was then."""

    location: str
    """Where; images in it have the same location."""
    mark: str
    """Changes when the file does; what it is made of is up to who looks."""
    problem: str = ""
    """What of it is no image, and why; empty if there is nothing to say."""


@dataclass(frozen=True)
class _Register:
    """The register of a collection, opened by one thread."""

    version: tuple[int, int]
    """Which file it is."""
    file: sqlite3.Connection
    """The file."""
    found: dict[tuple[str, bool], tuple[ImageRecord, ...]] = field(default_factory=dict)
    """What names were found to mean, with and without regard to case: many stamps are of one frame."""


_Located = TypeVar("_Located", ImageRecord, OriginalFile)


class Imagery:
    """The register of images of an archive; safe to share between threads.

    Parameters
    ----------
    directory : Path
        The archive.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folder = directory / _FOLDER
        self._local = threading.local()

    def collections(self) -> tuple[str, ...]:
        """Names of the collections that have images, sorted."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return ()
        return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))

    def publish(
        self, collection: str, records: Iterable[ImageRecord], *, originals: Iterable[OriginalFile] = ()
    ) -> int:
        """Write the register of a collection, in place of the one that was there; give the number of its images.

        Parameters
        ----------
        collection : str
            Its name.
        records : iterable of ImageRecord
            Its images.
        originals : iterable of OriginalFile, optional
            The files in which they were found, with those in which there were none.
        """
        with storing("the register of images"):
            self._folder.mkdir(exist_ok=True)
            target = self._folder / f"{collection}{_SUFFIX}"
            made = target.with_suffix(f".{os.getpid()}.part")
            try:
                n_images = _write(made, map(self._kept, records), map(self._kept, originals))
                os.replace(made, target)
            finally:
                made.unlink(missing_ok=True)
        return n_images

    def published(self, collection: str) -> float:
        """When the register of a collection was written, in seconds since 1970; 0 if there is none."""
        try:
            return (self._folder / f"{collection}{_SUFFIX}").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def remove(self, collection: str) -> None:
        """Forget the images of a collection."""
        (self._folder / f"{collection}{_SUFFIX}").unlink(missing_ok=True)

    def find(self, collection: str, name: str, *, caseless: bool = False) -> list[ImageRecord]:
        """The images of a name or an alias, by the numbers of their extensions; none if there is none of that name."""
        register = self._open(collection)
        if register is None:
            return []
        known = register.found.get((name, caseless))
        if known is None:
            collate = " COLLATE NOCASE" if caseless else ""
            query = (
                f"SELECT DISTINCT {_FIELDS} FROM alias JOIN image ON image.rowid = alias.image"
                f" WHERE alias = ?{collate} ORDER BY name, hdu"
            )
            if len(register.found) >= _MOST_FOUND:
                register.found.clear()
            known = register.found[name, caseless] = tuple(self._rows(collection, query, (name,)))
        return list(known)

    def find_did(self, collection: str, did: str) -> ImageRecord | None:
        """The image of an identifier."""
        return next(self._rows(collection, f"SELECT {_FIELDS} FROM image WHERE did = ?", (did,)), None)

    def records(self, collection: str) -> Iterator[ImageRecord]:
        """All images of a collection, in the order in which they were registered."""
        return self._rows(collection, f"SELECT {_FIELDS} FROM image ORDER BY rowid", ())

    def aliases(self, collection: str) -> dict[str, tuple[str, ...]]:
        """Further names of the images of a collection, by identifier."""
        register = self._open(collection)
        found: dict[str, tuple[str, ...]] = {}
        query = "SELECT did, alias FROM alias JOIN image ON image.rowid = alias.image WHERE alias <> name"
        for did, alias in register.file.execute(query) if register is not None else ():
            found[did] = (*found.get(did, ()), alias)
        return found

    def originals(self, collection: str) -> Iterator[OriginalFile]:
        """The files in which images of a collection were looked for."""
        register = self._open(collection)
        if register is not None:
            for location, *facts in register.file.execute(
                "SELECT location, mark, problem FROM original ORDER BY rowid"
            ):
                yield OriginalFile(self._placed(location), *facts)

    def _rows(self, collection: str, query: str, values: tuple[str, ...]) -> Iterator[ImageRecord]:
        register = self._open(collection)
        if register is not None:
            for name, hdu, extension, did, opener, location, access in register.file.execute(query, values):
                yield ImageRecord(collection, name, hdu, extension, did, opener, self._placed(location), access)

    def _placed(self, location: str) -> str:
        return f"{self._directory}/{location[len(_BELOW) :]}" if location.startswith(_BELOW) else location

    def _kept(self, one: _Located) -> _Located:
        """With the location as it is written: without the place of the archive."""
        inside = f"{self._directory}/"
        if not one.location.startswith(inside):
            return one
        return replace(one, location=_BELOW + one.location.removeprefix(inside))

    def _open(self, collection: str) -> _Register | None:
        """The register of a collection, opened by this thread as it stands now."""
        opened: dict[str, _Register] = self._local.__dict__
        path = f"{self._folder}/{collection}{_SUFFIX}"
        try:
            facts = os.stat(path)
        except FileNotFoundError:
            return None
        version = (facts.st_ino, facts.st_mtime_ns)
        if collection not in opened or opened[collection].version != version:
            try:
                file = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
            except sqlite3.Error as error:
                raise StoreError(f"The register of images of {collection} cannot be read.") from error
            opened[collection] = _Register(version, file)
        return opened[collection]


def _write(path: Path, records: Iterable[ImageRecord], originals: Iterable[OriginalFile]) -> int:
    n_images = 0
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(_TABLES)
        for record in records:
            values = (record.name, record.hdu, record.extension, record.did, record.opener, record.location)
            row = file.execute("INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, record.access)).lastrowid
            names = dict.fromkeys((record.name, *record.aliases))
            file.executemany("INSERT INTO alias VALUES (?, ?)", ((name, row) for name in names))
            n_images += 1
        facts = ((original.location, original.mark, original.problem) for original in originals)
        file.executemany("INSERT INTO original VALUES (?, ?, ?)", facts)
        file.executescript(_INDEXES)
    return n_images
