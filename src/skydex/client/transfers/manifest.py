"""`Manifest`: what came into a folder, from where, how large and when.

It is kept in the folder itself, one line of JSON for each file, added when the file is whole. Lines are added in one
write each, so that several processes may fetch into one folder, and a crash costs no more than the file that was
coming. The last line of a name counts.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["MANIFEST", "FetchedFile", "Manifest", "keep", "kept", "now", "sha256_of"]

MANIFEST = "MANIFEST.jsonl"
"""What it is called in its folder."""
_PIECE = 1 << 20


@dataclass(frozen=True)
class FetchedFile:
    """One file that came."""

    name: str
    """What it is called in the folder."""
    reference: str
    """What it was asked for by."""
    n_bytes: int
    """Its size."""
    sha256: str
    """Its checksum."""
    fetched_at: str
    """UTC, ISO 8601."""
    validator: str = ""
    """The version at its origin, as that tells it."""
    media_type: str = ""
    """What it is, as its origin says."""
    mtime_ns: int = 0
    """When the copy was last changed; where this and the size are the same, the checksum is not taken again."""

    def is_whole(self, folder: Path) -> bool:
        """Whether the copy is still what came."""
        path = folder / self.name
        try:
            status = path.stat()
        except OSError:
            return False
        if status.st_size != self.n_bytes or path.is_symlink():
            return False
        return status.st_mtime_ns == self.mtime_ns or sha256_of(path) == self.sha256


@dataclass(frozen=True)
class Manifest:
    """Files that came into a folder, in the order in which they were asked for."""

    folder: Path
    """Where they are."""
    files: tuple[FetchedFile, ...] = ()
    """What is there."""
    n_fetched: int = 0
    """How many of them came now; the others were there before."""
    _by_reference: dict[str, FetchedFile] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_reference.update((file.reference, file) for file in self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[FetchedFile]:
        return iter(self.files)

    def __getitem__(self, key: int | str) -> Path:
        """Path of a file, by its number or by what it was asked for by."""
        if isinstance(key, str):
            return self.folder / self._by_reference[key].name
        return self.folder / self.files[key].name

    def __repr__(self) -> str:
        return f"<Manifest of {len(self):,} files, {self.n_bytes:,} bytes, in {self.folder}; {self.n_fetched:,} new>"

    @property
    def paths(self) -> list[Path]:
        """Where the files are."""
        return [self.folder / file.name for file in self.files]

    @property
    def n_bytes(self) -> int:
        """Size of all."""
        return sum(file.n_bytes for file in self.files)

    @property
    def table(self) -> Table:
        """The list as an astropy table: `name`, `n_bytes`, `sha256`, `fetched_at` (UTC), `reference`."""
        from astropy.table import Table

        names = ("name", "n_bytes", "sha256", "fetched_at", "reference")
        table = Table([[getattr(file, name) for file in self.files] for name in names], names=names)
        table["n_bytes"].unit = "byte"
        return table

    def find(self, reference: str) -> FetchedFile | None:
        """The file that was asked for by this, if it came."""
        return self._by_reference.get(reference)


def kept(folder: Path) -> Manifest:
    """What a folder's own record says; lines that cannot be read are passed over."""
    try:
        lines = (folder / MANIFEST).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return Manifest(folder)
    by_name = {file.name: file for line in lines if (file := _read(line)) is not None}
    return Manifest(folder, tuple(by_name.values()))


def keep(folder: Path, file: FetchedFile) -> None:
    """Add a file to the record of its folder."""
    line = json.dumps({"skydex": 1, **asdict(file)}, ensure_ascii=False) + "\n"
    descriptor = os.open(folder / MANIFEST, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a line that a crash cut off
            line = f"\n{line}"
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _read(line: str) -> FetchedFile | None:
    try:
        facts: dict[str, Any] = json.loads(line)
        file = FetchedFile(**{one.name: facts[one.name] for one in fields(FetchedFile) if one.name in facts})
        is_plain = file.name == os.path.basename(file.name) and file.name not in ("", ".", "..", MANIFEST)
    except (ValueError, TypeError, AttributeError):
        return None
    return file if is_plain and isinstance(file.n_bytes, int) else None


def now() -> str:
    """Date and time, UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def sha256_of(path: Path) -> str:
    """Checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
