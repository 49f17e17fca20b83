"""`NearDoor`: an archive on this disk, asked in this process, without a server.

It shows everything, or what a preset names: then its tables have the names, and its verbs are those, of the service
that the preset stands for, so that the same words ask either.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from skydex.archive import Archive, QueryRequest
from skydex.client import (
    VERBS,
    CutoutOrder,
    FileSource,
    NamedPlace,
    OwnTables,
    Query,
    RowsOrder,
    RunningJob,
)
from skydex.client.presets import Preset
from skydex.connection.near_tables import NearTables, tables_of
from skydex.connection.near_uploads import uploaded
from skydex.errors import NotOfferedError
from skydex.settings import load_settings
from skydex.tables import Result, Table

__all__ = ["NearDoor"]

_VERBS: dict[str, tuple[str, ...]] = {
    "tap": ("tables", "columns", "cone", "search", "query", "submit", "light_curve"),
    "scs": ("cone",),
    "catalog": ("tables", "columns", "cone", "search", "light_curve"),
    "jobs": ("tables", "columns", "sql", "mydb", "light_curve"),
    "invoke": ("tables", "columns", "search", "stamps"),
    "download": ("stamps", "download"),
    "fitscut": ("cutout", "cutouts", "download"),
    "filenames": ("download",),
    "sesame": ("resolve",),
    "lookup": ("resolve",),
}
"""What each service of a preset can be asked."""


class NearDoor:
    """An archive directory.

    Parameters
    ----------
    directory : path
        The archive.
    preset : Preset, optional
        Whose names its tables have; without, their own.
    user : str, optional
        As whom it is asked: whose tables are `mydb`.

    Raises
    ------
    StoreError
        It is no archive.
    UnknownUserError
        It has no such user.
    """

    def __init__(
        self, directory: str | os.PathLike[str], *, preset: Preset | None = None, user: str | None = None
    ) -> None:
        self._path = Path(directory)
        self._preset = preset
        self._archive = Archive.open(self._path, load_settings(self._path), shows_private=True)
        self._owner = self._archive.accounts.get(user).name if user is not None else None
        self._tables: NearTables = tables_of(self._archive, preset, self._owner)

    @property
    def name(self) -> str:
        """The directory, and the preset whose names it has."""
        return f"{self._preset.name} at {self._path}" if self._preset is not None else str(self._path)

    @functools.cached_property
    def verbs(self) -> frozenset[str]:
        """Everything, or what the service of the preset can be asked; a user's own tables if there is a user."""
        offered = set(VERBS)
        if self._preset is not None:
            offered = {verb for kind in self._preset.services for verb in _VERBS.get(kind, ())}
        if self._owner is None:
            offered -= {"mydb"}
        return frozenset(offered)

    def place(self, name: str) -> NamedPlace:
        """Where an object is: as the archive's own tables know it, or as everybody does."""
        self._check("resolve")
        names = self._archive.names(self._owner)
        ra, dec = names.get(name)
        found = names.find(name)[0]
        return NamedPlace(ra, dec, found.name, found.authority or found.source)

    def tables(self) -> tuple[Table, ...]:
        """What there is."""
        return self._tables.tables()

    def table(self, name: str) -> Table:
        """One table with its columns."""
        return self._tables.table(name)

    def rows(self, order: RowsOrder) -> Result:
        """Rows of one table."""
        self._check("search" if order.cone is None else "cone")
        return self._archive.query(self._tables.request(order))

    def query(self, order: Query) -> Result:
        """Answer a query; what it brings along is read before."""
        self._check("query")
        with uploaded(order.uploads) as uploads:
            return self._archive.query(
                QueryRequest(
                    order.text,
                    language=order.language,
                    max_rows=order.max_rows,
                    owner=self._owner,
                    collection=self._tables.collection,
                    uploads=uploads,
                )
            )

    def submit(self, order: Query) -> RunningJob:
        """Answer a query in a thread of its own."""
        self._refuse("submit")

    def job(self, url: str) -> RunningJob:
        """A job that this process has begun."""
        self._refuse("submit")

    def sql(self, text: str, context: str | None) -> Result:
        """Carry out statements in T-SQL."""
        self._refuse("sql")

    def own_tables(self) -> OwnTables:
        """The tables of the user."""
        self._refuse("mydb")

    def cutout(self, order: CutoutOrder) -> FileSource:
        """A part of an image."""
        self._refuse("cutout")

    def filtered(
        self, service: str, columns: Sequence[str], filters: Sequence[Mapping[str, object]], max_rows: int | None = None
    ) -> Result:
        """Rows as MAST's invoke filters them."""
        self._refuse("stamps")

    def file(self, reference: str) -> FileSource:
        """The file that a data URI or the name of an image stands for."""
        self._refuse("download")

    def bundle(self, references: Sequence[str], container: str = "tar.gz") -> FileSource:
        """Many files in one."""
        self._refuse("download")

    def close(self) -> None:
        """Nothing is held that does not go by itself."""

    def _check(self, verb: str) -> None:
        if verb not in self.verbs:
            self._refuse(verb)

    def _refuse(self, verb: str) -> NoReturn:
        hint = "Its tables need a user: connect(..., user=...)." if verb == "mydb" and self._owner is None else ""
        raise NotOfferedError(verb, self.name, [verb for verb in VERBS if verb in self.verbs], hint=hint)
