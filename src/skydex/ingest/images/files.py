"""`ingest_images`: FITS files become images of a collection, and stay where they are.

Every image extension of every file below the directories that are named goes into the collection, or is refused with a
reason. The same call again looks only at files that are new or have changed, forgets those that are gone, and leaves
alone what came from elsewhere. Files are taken in lots, each of which is published, so that little is lost when it is
interrupted.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, count
from pathlib import Path
from typing import Any

from skydex.errors import BadRecipeError, SkydexError, UnreadableFileError
from skydex.images import FITS_OPENER, FitsImage, Image, ImageLimits, footprint_of, open_pixels, survey_fits
from skydex.ingest.images.entry import ImageEntry, did_of, place_of
from skydex.ingest.images.publish import Kept, checked_collection, publish_images, remove_images
from skydex.store import ArchiveDirectory, ImageRecord, Imagery, OriginalFile

__all__ = [
    "Change",
    "FileEntry",
    "ImagesReport",
    "changed_originals",
    "ingest_images",
    "looks_like_fits",
    "survey_images",
]

_SUFFIXES = (".gz", ".bz2", ".fz", ".fits", ".fit", ".fts")
_FITS_NAME = re.compile(r"\.(fits|fit|fts)(\.gz|\.bz2|\.fz)?$", re.IGNORECASE)
_LOT = 2000
"""Files that are published together."""
_ENDS = 1 << 16
_RAW = ("_raw", "_d0m")
"""Ends of names of Hubble's files before calibration."""

Progress = Callable[[str, int, int | None], None]


class Change(StrEnum):
    """What an ingest found of a file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    GONE = "gone"


@dataclass(frozen=True)
class FileEntry:
    """What became of one file."""

    file: str
    """Its path."""
    change: Change
    """Whether it was known."""
    n_images: int
    """Images of it that are published."""
    problem: str = ""
    """What of it is not, and why."""

    def __str__(self) -> str:
        if not self.problem:
            return f"{self.file}: {self.n_images:,} images ({self.change})"
        refused = f"refused {'in part ' if self.n_images else ''}({self.change})"
        return f"{self.file}: {f'{self.n_images:,} images, ' if self.n_images else ''}{refused}: {self.problem}"


@dataclass(frozen=True)
class ImagesReport:
    """What became of all files."""

    collection: str
    """Name of the collection."""
    files: tuple[FileEntry, ...]
    """All that were looked at, and those that are gone."""

    @property
    def headline(self) -> str:
        """How many images and files there are."""
        counts = ", ".join(f"{n:,} {change}" for change in Change if (n := self.n_files(change)))
        n_files = sum(1 for entry in self.files if entry.n_images)
        return f"{self.collection}: {self.n_images:,} images of {n_files:,} files{f' ({counts})' if counts else ''}"

    @property
    def n_images(self) -> int:
        """Images of these files that are published."""
        return sum(entry.n_images for entry in self.files)

    @property
    def refused(self) -> tuple[FileEntry, ...]:
        """Files of which something is not published."""
        return tuple(entry for entry in self.files if entry.problem)

    def n_files(self, change: Change) -> int:
        """How many files are new, say, and hold images."""
        return sum(1 for entry in self.files if entry.change is change and (entry.n_images or not entry.problem))

    def __str__(self) -> str:
        return "\n".join([self.headline, *(f"  {entry}" for entry in self.refused)])


def ingest_images(
    paths: Sequence[str | Path],
    directory: ArchiveDirectory,
    collection: str,
    *,
    description: str = "",
    limits: ImageLimits | None = None,
    chosen: Callable[[Path], bool] = lambda _: True,
    progress: Progress | None = None,
) -> ImagesReport:
    """Publish the images of FITS files.

    Parameters
    ----------
    paths : sequence of path
        Files, and directories with files below them.
    directory : ArchiveDirectory
        The archive.
    collection : str
        Schema of the tables that describe the images.
    description : str, optional
        One paragraph for people; what was said before stays if there is none.
    limits : ImageLimits, optional
        How large a file may claim to be.
    chosen : callable, optional
        Whether a file below a directory is looked at; by default every one is.
    progress : callable, optional
        Told the stage, how many files are done, and how many there are.

    Raises
    ------
    BadRecipeError
        A path at which there is nothing, or a name that no collection can have.
    StoreError
        The disk is full or fails.
    """
    work = _work(paths, directory, collection, limits, chosen)
    said = description or work.described or f"Images of {', '.join(str(Path(path).name) for path in paths)}."
    for done in work.lots():
        work.publish(said)
        if progress is not None:
            progress("read", done, len(work.files))
    return work.report()


def survey_images(
    paths: Sequence[str | Path], directory: ArchiveDirectory, collection: str, *, limits: ImageLimits | None = None
) -> ImagesReport:
    """What `ingest_images` would do; nothing is published."""
    work = _work(paths, directory, collection, limits)
    for _ in work.lots():
        work.forget()
    return work.report()


def changed_originals(directory: ArchiveDirectory, collection: str) -> Iterator[tuple[str, str]]:
    """Files of a collection that are not as they were when they were taken in: each with what is wrong."""
    for original in Imagery(directory.path).originals(collection):
        try:
            mark = _mark(Path(original.location))
        except OSError:
            yield original.location, "it is gone, or cannot be read"
            continue
        if mark != original.mark:
            yield original.location, "it has changed since it was ingested"


def looks_like_fits(path: Path) -> bool:
    """Whether a file is named as FITS files are."""
    return bool(_FITS_NAME.search(path.name))


def _work(
    paths: Sequence[str | Path],
    directory: ArchiveDirectory,
    collection: str,
    limits: ImageLimits | None,
    chosen: Callable[[Path], bool] = lambda _: True,
) -> _Work:
    roots = _roots(paths)
    files = [path for path in _found(roots, directory) if chosen(path)]
    return _Work(directory, checked_collection(collection), limits or ImageLimits(), files, roots)


@dataclass
class _Work:
    """One ingest."""

    directory: ArchiveDirectory
    collection: str
    limits: ImageLimits
    files: list[Path]
    roots: tuple[Path, ...]
    entries: list[ImageEntry] = field(default_factory=list)
    """Images of the present lot."""
    done: list[FileEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        imagery = Imagery(self.directory.path)
        aliases = imagery.aliases(self.collection)
        self.originals = {original.location: original for original in imagery.originals(self.collection)}
        self.records: dict[str, list[ImageRecord]] = {}
        for record in imagery.records(self.collection):
            known = ImageRecord(**{**vars(record), "aliases": aliases.get(record.did, ())})
            self.records.setdefault(record.location, []).append(known)
        self.names = {records[0].name.lower(): location for location, records in self.records.items()}
        self.is_dirty = False

    @property
    def described(self) -> str:
        """What the table of images says of itself."""
        name = f"{self.collection}.images".lower()
        return next((entry.description for entry in self.directory.tables() if entry.name.lower() == name), "")

    def lots(self) -> Iterator[int]:
        """Look at all files; stops after each lot, at the number of files that are done."""
        self._forget_vanished()
        for number, path in enumerate(self.files, start=1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of astropy, about cards that it mends
                self._look_at(path)
            if len(self.entries) >= _LOT:
                yield number
        yield len(self.files)

    def publish(self, description: str) -> None:
        """Publish what is new, with all that is known."""
        if self.is_dirty and not self.records:
            remove_images(self.directory, self.collection)
        elif self.is_dirty:
            new = {entry.record.did for entry in self.entries}
            kept = tuple(r for records in self.records.values() for r in records if r.did not in new)
            publish_images(
                self.directory,
                self.collection,
                self.entries,
                description=description,
                kept=Kept(kept, tuple(self.originals.values())),
            )
        self.forget()

    def forget(self) -> None:
        """Begin the next lot."""
        self.entries, self.is_dirty = [], False

    def report(self) -> ImagesReport:
        return ImagesReport(self.collection, tuple(self.done))

    def _forget_vanished(self) -> None:
        here = {str(path) for path in self.files}
        for location in [known for known in self.originals if known not in here and self._is_below(Path(known))]:
            del self.originals[location]
            self.records.pop(location, None)
            self.is_dirty = True
            self.done.append(FileEntry(location, Change.GONE, 0))

    def _is_below(self, path: Path) -> bool:
        return any(path == root or root in path.parents for root in self.roots)

    def _look_at(self, path: Path) -> None:
        location = str(path)
        before = self.originals.get(location)
        try:
            location.encode()
            mark = _mark(path)
        except UnicodeEncodeError:
            self.done.append(FileEntry(ascii(location)[1:-1], Change.NEW, 0, "its name is not written in UTF-8."))
            return
        except OSError as error:
            mark, problem = "", f"{error.strerror or 'it cannot be read'}."
        else:
            problem = ""
        if before is not None and before.mark == mark:
            n_images = len(self.records.get(location, ()))
            self.done.append(FileEntry(location, Change.UNCHANGED, n_images, before.problem))
            return
        entries, problem = ([], problem) if problem else self._read(path)
        self.entries += entries
        self.records.pop(location, None)
        if entries:
            self.records[location] = [entry.record for entry in entries]
        self.originals[location] = OriginalFile(location, mark, problem)
        self.is_dirty = True
        self.done.append(FileEntry(location, Change.CHANGED if before else Change.NEW, len(entries), problem))

    def _read(self, path: Path) -> tuple[list[ImageEntry], str]:
        """The images of a file, and what is wrong with the rest of it."""
        try:
            survey = survey_fits(path, limits=self.limits)
        except UnreadableFileError as error:
            return [], error.reason
        problems = list(survey.refusals)
        if not survey.images and not problems:
            return [], "it holds no image."
        name, entries = self._name(path), []
        for found in survey.images:
            try:
                entries.append(self._entry(path, name, found))
            except SkydexError as error:
                problems.append(f"HDU {found.hdu}: {error}")
            except Exception as error:  # over headers libraries raise what they like, and other files are still good
                problems.append(f"HDU {found.hdu}: its header makes no sense ({type(error).__name__})")
        return entries, "; ".join(problem.rstrip(".") for problem in problems) + ("." if problems else "")

    def _entry(self, path: Path, name: str, found: FitsImage) -> ImageEntry:
        did = did_of(self.collection, name, found.hdu)
        aliases = tuple(dict.fromkeys((path.name, f"{_stem(path.name)}.fits")))
        record = ImageRecord(
            self.collection, name, found.hdu, found.extension, did, FITS_OPENER, str(path), found.access, aliases
        )
        image = Image(name, open_pixels(FITS_OPENER, str(path), found.access))
        row: dict[str, Any] = {"s_xel1": found.shape[1], "s_xel2": found.shape[0], **place_of(footprint_of(image))}
        row |= {"access_estsize": _kilobytes(found)}
        if name.lower().endswith(_RAW):
            row["calib_level"] = 1
        return ImageEntry(record, row, found.header)

    def _name(self, path: Path) -> str:
        """A name that no other file has: the one it had, its stem, or that with its folder or a number."""
        location = str(path)
        if location in self.records:
            return self.records[location][0].name
        stem = _stem(path.name)
        numbered = (f"{stem}_{number}" for number in count(2))
        choices = chain((stem, path.name, f"{path.parent.name}_{stem}"), numbered)
        name = next(choice for choice in choices if choice.lower() not in self.names)
        self.names[name.lower()] = location
        return name


def _found(roots: Iterable[Path], directory: ArchiveDirectory) -> list[Path]:
    """Files that are meant, each once; hidden ones and those of the archive are passed over."""
    found: dict[Path, None] = {}
    for root in roots:
        if root.is_dir():
            found |= dict.fromkeys(_below(root, directory.path.resolve()))
        elif root.is_file():
            found[root] = None
    return list(found)


def _roots(paths: Iterable[str | Path]) -> tuple[Path, ...]:
    roots = tuple(Path(os.path.abspath(path)) for path in paths)
    missing = [root for root in roots if not root.exists()]
    if missing:
        raise BadRecipeError(f"There is no file or directory {missing[0]}.")
    return roots


def _below(folder: Path, archive: Path) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        yield folder  # which cannot be opened as a file either, and so is refused with the reason
        return
    for path in inside:
        if path.name.startswith(".") or path.resolve() == archive:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, archive)
        elif path.is_file():
            yield path


def _stem(name: str) -> str:
    """The name of a file without its endings."""
    while name.lower().endswith(_SUFFIXES) and "." in name[1:]:
        name = name.rpartition(".")[0]
    return name


def _mark(path: Path) -> str:
    """A short text that changes when a file does: from its size and the bytes at its ends."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(str(size).encode())
        digest.update(file.read(_ENDS))
        file.seek(max(0, size - _ENDS))
        digest.update(file.read(_ENDS))
    return digest.hexdigest()[:32]


def _kilobytes(image: FitsImage) -> int:
    """Size of the image alone, as a FITS file."""
    bits = abs(int(image.header.get("BITPIX", 0)))
    n_bytes = image.shape[0] * image.shape[1] * bits / 8 + len(image.header) * 80
    return max(1, math.ceil(n_bytes / 1000))
