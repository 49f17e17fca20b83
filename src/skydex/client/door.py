"""`Door`: what can be asked of an archive, wherever it is.

An archive on this disk and a service far away keep the same protocol, so that what is built on it (`skydex.connection`)
is written once. Doors take plain values and give plain values; what a user may write instead (`SkyCoord`, `Quantity`,
tables) is read before, and what a user sees is made after. A door that cannot do a thing says so in `verbs`, and raises
`NotOfferedError` when it is asked to all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from skydex.client.orders import CrossmatchOrder, CurvesOrder, CutoutOrder, NamedPlace, Query, RowsOrder
from skydex.tables import Result, Table

__all__ = ["VERBS", "Door", "FileSource", "OpenedFile", "OwnTables", "RunningJob"]

VERBS = (
    "resolve",
    "tables",
    "columns",
    "cone",
    "search",
    "query",
    "crossmatch",
    "submit",
    "sql",
    "mydb",
    "light_curve",
    "images",
    "cutout",
    "cutouts",
    "stamps",
    "download",
)
"""What may be asked of an archive, in the words of `skydex.connection`."""


@dataclass(frozen=True)
class OpenedFile:
    """The bytes of a file from some place on, and what is known about the whole."""

    chunks: Iterator[bytes]
    """The bytes, as they arrive."""
    offset: int = 0
    """Where in the file they begin."""
    n_bytes: int | None = None
    """Size of the whole file, if known."""
    validator: str = ""
    """A strong validator of this version (an ETag, or a date of change); empty if there is none."""
    media_type: str = ""
    """What they are."""
    file_name: str = ""
    """What the sender calls the file; not to be trusted."""
    sha256: str = ""
    """Checksum of the whole file, if the sender tells it."""


class FileSource(Protocol):
    """A file that can be fetched, also in parts."""

    @property
    def reference(self) -> str:
        """What it was asked for by: an address, a data URI, the name of an image."""
        ...

    @property
    def file_name(self) -> str:
        """What a copy may be called: one plain name."""
        ...

    def open(self, offset: int = 0, validator: str = "") -> AbstractContextManager[OpenedFile]:
        """Open it from a byte on, if it is still what `validator` says; from its beginning otherwise."""
        ...


class RunningJob(Protocol):
    """A query that is carried out apart from the one who asked it."""

    @property
    def url(self) -> str:
        """By which it is found again."""
        ...

    def phase(self, wait_s: float = 0.0) -> str:
        """As UWS names it; with `wait_s`, as soon as it changes or that time is over."""
        ...

    def progress(self) -> float | None:
        """From 0 to 1, where the service tells it."""
        ...

    def message(self) -> str:
        """Why it failed, in the service's words."""
        ...

    def result(self) -> Result:
        """Its rows."""
        ...

    def abort(self) -> None:
        """End it."""
        ...

    def delete(self) -> None:
        """Forget it, with its result."""
        ...


class OwnTables(Protocol):
    """The tables that a user keeps in an archive."""

    def tables(self) -> tuple[Table, ...]:
        """What there is."""
        ...

    def read(self, name: str) -> Result:
        """All rows of one."""
        ...

    def write(self, name: str, rows: Result) -> None:
        """Keep rows as a new table."""
        ...

    def drop(self, name: str) -> None:
        """Delete one."""
        ...


class Door(Protocol):
    """An archive that can be asked."""

    @property
    def name(self) -> str:
        """What it is called in messages: an address, a directory, a preset."""
        ...

    @property
    def verbs(self) -> frozenset[str]:
        """What can be asked of it, out of `VERBS`."""
        ...

    def place(self, name: str) -> NamedPlace:
        """Where an object is."""
        ...

    def tables(self) -> tuple[Table, ...]:
        """What there is; of columns only as much as is known without asking for each table."""
        ...

    def table(self, name: str) -> Table:
        """One table with all its columns."""
        ...

    def rows(self, order: RowsOrder) -> Result:
        """Rows of one table."""
        ...

    def query(self, order: Query) -> Result:
        """Answer a query at once."""
        ...

    def crossmatch(self, order: CrossmatchOrder) -> Result:
        """Match tables with one another."""
        ...

    def curves(self, order: CurvesOrder) -> Result:
        """Measurements of many objects over time, in the same columns whatever the table; few archives can."""
        ...

    def submit(self, order: Query) -> RunningJob:
        """Have a query answered apart."""
        ...

    def job(self, url: str) -> RunningJob:
        """Find a query again that was submitted earlier."""
        ...

    def sql(self, text: str, context: str | None) -> Result:
        """Carry out statements in T-SQL, in a context of CasJobs."""
        ...

    def own_tables(self) -> OwnTables:
        """Those of the user as whom the archive is asked."""
        ...

    def images(self, place: tuple[float, float], bands: str, kind: str) -> Result:
        """The images that hold a place, as their own service lists them; see `skydex.client.pictures.image_rows`."""
        ...

    def cutout(self, order: CutoutOrder) -> FileSource:
        """A part of an image."""
        ...

    def filtered(
        self, service: str, columns: Sequence[str], filters: Sequence[Mapping[str, object]], max_rows: int | None = None
    ) -> Result:
        """Rows of a service of MAST's invoke, such as `Mast.Catalogs.Filtered.Wfc3Psf.Uvis`."""
        ...

    def file(self, reference: str) -> FileSource:
        """What an address, a data URI or the name of an image stands for."""
        ...

    def bundle(self, references: Sequence[str], container: str = "tar.gz") -> FileSource:
        """Many files in one."""
        ...

    def close(self) -> None:
        """Give up what it holds: connections, threads."""
        ...


Told = Callable[[str, int, int | None], None]
"""Told a stage, how much of it is done, and how much there is in all if that is known."""
