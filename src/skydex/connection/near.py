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

from skydex.archive import (
    MYDB_CONTEXT,
    Archive,
    BatchRequest,
    CrossmatchReport,
    CrossmatchRequest,
    LightCurvesRequest,
    QueryRequest,
    TableRequest,
    Upload,
)
from skydex.client import (
    VERBS,
    CrossmatchOrder,
    CurvesOrder,
    CutoutOrder,
    FileSource,
    NamedPlace,
    OwnTables,
    Query,
    RowsOrder,
    RunningJob,
)
from skydex.client.crossmatches import crossmatched as by_queries
from skydex.client.door import Told
from skydex.client.presets import Preset, get_preset
from skydex.connection.near_jobs import NearJobs
from skydex.connection.near_mydb import NearOwnTables, find_own, owner_of
from skydex.connection.near_names import near_place
from skydex.connection.near_pictures import near_bundle, near_cutout, near_file, near_skycells
from skydex.connection.near_stars import near_filtered
from skydex.connection.near_tables import NearTables, tables_of
from skydex.connection.near_uploads import uploaded
from skydex.engines import Deadline
from skydex.errors import BadParameterError, NotOfferedError
from skydex.mydb import MYDB
from skydex.settings import load_settings
from skydex.tables import Result, Table

__all__ = ["NearDoor"]

_VERBS: dict[str, tuple[str, ...]] = {
    "tap": ("tables", "columns", "cone", "search", "query", "crossmatch", "submit", "light_curve"),
    "scs": ("cone",),
    "catalog": ("tables", "columns", "cone", "search", "light_curve"),
    "jobs": ("tables", "columns", "cone", "search", "submit", "sql", "mydb", "light_curve"),
    "invoke": ("tables", "columns", "cone", "search", "light_curve"),
    "download": ("stamps", "download"),
    "fitscut": ("cutout", "cutouts", "download"),
    "filenames": ("images",),
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
        As whom it is asked: whose tables are `mydb`; by default those of whoever has the archive to herself.
    engine : str, optional
        Which engine answers everything; by default each plan says which.

    Raises
    ------
    StoreError
        It is no archive.
    UnknownUserError
        It has no such user.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        preset: Preset | None = None,
        user: str | None = None,
        engine: str | None = None,
    ) -> None:
        self._path = Path(directory)
        self._preset = preset
        settings = load_settings(self._path)
        self._archive = Archive.open(self._path, settings, shows_private=True, engine=engine)
        self._owner = owner_of(self._archive, user) if user is not None else find_own(self._archive)
        self._tables: NearTables = tables_of(self._archive, preset, self._owner)
        self._jobs = NearJobs(settings.state_directory(self._path), self._answered, keep_days=settings.job_days)

    @property
    def name(self) -> str:
        """The directory, and the preset whose names it has."""
        return f"{self._preset.name} at {self._path}" if self._preset is not None else str(self._path)

    @functools.cached_property
    def verbs(self) -> frozenset[str]:
        """Everything, or what the services of the preset can be asked."""
        if self._preset is None:
            return frozenset(VERBS)
        return frozenset(verb for kind in self._preset.services for verb in _VERBS.get(kind, ()))

    def place(self, name: str) -> NamedPlace:
        """Where an object is: as the archive's own tables know it, or as everybody does."""
        self._check("resolve")
        return near_place(self._archive, name, self._preset, self._owner)

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
        return self._answered(order)

    def curves(self, order: CurvesOrder) -> Result:
        """Measurements of many objects over time, of tables under their own names."""
        if self._preset is not None:
            self._refuse("curves")
        request = LightCurvesRequest(
            order.table,
            order.ids,
            order.places,
            order.radius_deg,
            is_flat=True,
            max_objects=len(order.ids) + len(order.places),
            owner=self._owner,
        )
        return self._archive.query(request)

    def crossmatch(self, order: CrossmatchOrder) -> Result:
        """Match tables as wholes; where a preset names them otherwise, by queries, as from afar."""
        self._check("crossmatch")
        if self._preset is not None:
            return by_queries(self, order)
        with uploaded(order.uploads) as uploads:
            return self._archive.crossmatch(self._matching(order, uploads))

    def keep_crossmatch(
        self, order: CrossmatchOrder, into: str | Path, progress: Told | None = None, *, on_spark: bool = False
    ) -> CrossmatchReport:
        """Match tables as wholes, however large, and keep what comes out; see `Archive.keep_crossmatch`."""
        self._check("crossmatch")
        if isinstance(into, str) and into.lower().startswith(f"{MYDB}."):
            self._user()
        with uploaded(order.uploads) as uploads:
            request = self._matching(order, uploads)
            return self._archive.keep_crossmatch(request, into, progress=progress, on_spark=on_spark)

    def _matching(self, order: CrossmatchOrder, uploads: tuple[Upload, ...]) -> CrossmatchRequest:
        return CrossmatchRequest(order.tables, order.criteria, self._owner, uploads)

    def submit(self, order: Query) -> RunningJob:
        """Answer a query in a thread of its own; what can be seen to be wrong with it shows at once."""
        self._check("submit")
        if not order.uploads:
            self._archive.check(self._request(order))
        elif self._context:
            raise BadParameterError("uploads", "do not come along with a job: put tables into mydb first.")
        return self._jobs.submit(order)

    def job(self, url: str) -> RunningJob:
        """A job of this archive."""
        self._check("submit")
        return self._jobs.get(url)

    def sql(self, text: str, context: str | None) -> Result:
        """Carry out statements in T-SQL."""
        self._check("sql")
        return self._archive.query(BatchRequest(text, context or self._context or MYDB_CONTEXT, self._user()))

    def own_tables(self) -> OwnTables:
        """The tables of the user."""
        self._check("mydb")
        return NearOwnTables(self._archive, self._user())

    def images(self, place: tuple[float, float], bands: str, kind: str) -> Result:
        """The images of Pan-STARRS that hold a place, if only these are shown; else ObsCore has the images of all."""
        if self._preset is None or "filenames" not in self._preset.services:
            self._refuse("images")
        return near_skycells(self._archive, place, bands, kind, self._owner)

    def cutout(self, order: CutoutOrder) -> FileSource:
        """A part of an image."""
        self._check("cutout")
        return near_cutout(self._archive, order, self._owner)

    def filtered(
        self, service: str, columns: Sequence[str], filters: Sequence[Mapping[str, object]], max_rows: int | None = None
    ) -> Result:
        """Rows as MAST's invoke filters them."""
        self._check("stamps")
        table = _stored_name(service)
        return near_filtered(self._archive, table, columns, filters, max_rows=max_rows, owner=self._owner)

    def file(self, reference: str) -> FileSource:
        """The file that a data URI or the name of an image stands for."""
        self._check("download")
        return near_file(self._archive, reference, self._owner)

    def bundle(self, references: Sequence[str], container: str = "tar.gz") -> FileSource:
        """Many files in one."""
        self._check("download")
        return near_bundle(self._archive, references, container, self._owner)

    def close(self) -> None:
        """End the jobs that are still at it."""
        self._jobs.close()

    def _user(self) -> str:
        """Whose own tables are meant."""
        self._owner = owner_of(self._archive, self._owner)
        return self._owner

    @property
    def _context(self) -> str | None:
        """The context of CasJobs that the preset means."""
        return self._preset.options.get("context") if self._preset else None

    def _request(self, order: Query, uploads: tuple[Upload, ...] = ()) -> TableRequest:
        """What a query asks: T-SQL in a context, ADQL elsewhere."""
        if self._context:
            return BatchRequest(order.text, self._context, self._user(), order.max_rows)
        return QueryRequest(
            order.text,
            language=order.language,
            max_rows=order.max_rows,
            owner=self._owner,
            collection=self._tables.collection,
            uploads=uploads,
        )

    def _answered(self, order: Query, deadline: Deadline | None = None) -> Result:
        with uploaded(order.uploads) as uploads:
            return self._archive.query(self._request(order, uploads), deadline)

    def _check(self, verb: str) -> None:
        if verb not in self.verbs:
            self._refuse(verb)

    def _refuse(self, verb: str) -> NoReturn:
        raise NotOfferedError(verb, self.name, [verb for verb in VERBS if verb in self.verbs])


def _stored_name(service: str) -> str:
    """The table of a service of MAST's invoke, as the demonstration has it; another one is named itself."""
    preset = get_preset("mast-psf")
    word = next((word for word, its in preset.databases.items() if service in (word, its)), None)
    return preset.near[word] if word is not None else service
