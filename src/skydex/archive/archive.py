"""`Archive`: everything an archive can be asked.

The trunk: a request becomes a tree, is bound to the names that its owner sees, planned, run, and written. There is no
other way from a question to an answer; services, jobs and the command line all end here.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

import pyarrow as pa
from sqlglot import exp

from skydex.accounts import Accounts
from skydex.archive.answer import Answer, Explanation
from skydex.archive.basis import basis_of, basis_of_pixels
from skydex.archive.batch import Batch, BatchRequest
from skydex.archive.deposits import Deposit, Deposited, deposited
from skydex.archive.descriptors import services_of
from skydex.archive.engines import check_able, make_engine
from skydex.archive.estimates import estimated
from skydex.archive.examples import ReadyExample, ready_examples
from skydex.archive.far import FarTables, is_far
from skydex.archive.images import Images, OpenImages
from skydex.archive.looks import Look
from skydex.archive.matching import CrossmatchReport, CrossmatchRequest, Given, crossmatched, keep_crossmatch
from skydex.archive.matching.outcome import Told
from skydex.archive.naming import ArchiveNames
from skydex.archive.obscore import without_collections
from skydex.archive.offers import ContextOffer, Offers, plain_context, read_offers
from skydex.archive.owners import OwnerViews
from skydex.archive.pictures import Picture, PictureRequest
from skydex.archive.requests import ComposedRequest, TableRequest
from skydex.archive.uploads import UploadLimits, read_upload
from skydex.archive.views import Schema, View, view_of_collection, view_of_everything, view_of_offer
from skydex.engines import Deadline, Engine, FirstRowsEngine, MetadataEngine, ScanEngine
from skydex.errors import RemoteChangedError, SkydexError, UnknownTableError, near_names
from skydex.formats import Format
from skydex.mydb import MYDB, MyDB, Owner, UserTables
from skydex.query import Namespace, Plan, Relation, bind, make_plan
from skydex.query.languages.words import spelled
from skydex.settings import Settings
from skydex.store import (
    LINKS,
    REACHES,
    ArchiveDirectory,
    ArchiveEntry,
    Imagery,
    RemoteAccess,
    TileCache,
    counting,
)
from skydex.tables import OBSCORE, Result, ServiceDescriptor, Table, counted
from skydex.tables.tap_schema import TAP_SCHEMA

__all__ = ["Archive"]

_Made = TypeVar("_Made")

_SHARE_OF_SCRATCH = 2
"""The temporary tables of a batch may take one part in so many of a query's memory."""


class _Holdings:
    """What is published at one moment, as each service shows it; made when it is first asked for."""

    def __init__(
        self,
        revision: str,
        relations: list[Relation],
        offers: Callable[[], Offers],
        *,
        absent: Mapping[str, SkydexError],
        is_part: bool = False,
    ) -> None:
        self.revision = revision
        self.mounted: frozenset[str] = frozenset()
        self._absent = absent
        self._is_part = is_part
        self._relations = relations
        self._offers = offers
        self._views: dict[str, View] = {}
        self._parts: dict[frozenset[str], _Holdings] = {}
        self.collections = {relation.table.schema_name.lower(): relation.table.schema_name for relation in relations}

    def without(self, schemas: frozenset[str]) -> _Holdings:
        """What is left for somebody for whom some schemas, in small letters, do not exist."""
        if not schemas:
            return self
        if schemas not in self._parts:
            seen = [relation for relation in self._relations if relation.table.schema_name.lower() not in schemas]
            shown = [
                without_collections(r, schemas) if r.table.name == OBSCORE else _unlinked(r, schemas) for r in seen
            ]
            absent = {name: why for name, why in self._absent.items() if name.partition(".")[0] not in schemas}
            self._parts[schemas] = _Holdings(self.revision, shown, self._offers, absent=absent, is_part=True)
        return self._parts[schemas]

    def find(self, name: str) -> View | None:
        """The view of a collection, or of an offer by its key or its name; of everything if the name is empty."""
        lower = name.lower()
        if lower not in self._views:
            made = self._make(lower)
            if made is None:
                return None
            self._views[lower] = made
        return self._views[lower]

    def everything(self) -> View:
        """The view of everything."""
        found = self.find("")
        assert found is not None, "everything is always something"
        return found

    @functools.cached_property
    def offers(self) -> Offers:
        """What is offered that shows something, with a context of CasJobs for each collection that is in none."""
        offers = replace(self._offers(), contexts=(*self._offers().contexts, *self._plain_contexts))
        if not self._is_part:
            return offers
        taps = tuple(offer for offer in offers.taps if self.find(offer.key) is not None)
        contexts = tuple(offer for offer in offers.contexts if self.find(offer.key) is not None)
        return replace(offers, taps=taps, contexts=contexts)

    @functools.cached_property
    def _plain_contexts(self) -> tuple[ContextOffer, ...]:
        contexts = self._offers().contexts
        words = {word.lower() for context in contexts for word in context.names}
        words |= {schema.lower() for context in contexts for held in context.schemas.values() for schema in held}
        names = (name for lower, name in self.collections.items() if lower not in words)
        return tuple(filter(None, map(plain_context, names)))

    def _make(self, name: str) -> View | None:
        if not name:
            return replace(view_of_everything(self._relations), absent=self._absent)
        if name in self.collections:
            return replace(view_of_collection(self.collections[name], self._relations), absent=self._absent)
        offers = self._offers()
        tap = next((offer for offer in offers.taps if name in (offer.key, offer.name.lower())), None)
        contexts = (*offers.contexts, *self._plain_contexts)
        offer = tap or next((context for context in contexts if name == context.key), None)
        view = view_of_offer(offer, self._relations) if offer else None
        return None if view is not None and self._is_part and not view.relations else view


@dataclass(frozen=True)
class _Rows:
    """Reads rows for looks, each plan by its engine."""

    engine_of: Callable[[Plan], Engine]
    deadline: Deadline | None

    def each(self, plan: Plan, work: Callable[[pa.RecordBatch], _Made]) -> Iterator[_Made]:
        engine = self.engine_of(plan)
        if isinstance(engine, ScanEngine):
            yield from engine.each(plan, work, self.deadline)
            return
        with engine.run(plan, self.deadline) as result:
            yield from map(work, result.batches)


class Archive:
    """An archive, opened for asking; safe to share between threads.

    Parameters
    ----------
    directory : ArchiveDirectory
        What is published.
    settings : Settings
        Limits of queries.
    shows_private : bool
        Whether everybody who asks sees what is private, too: for who has the files before him anyway.
    large : Engine, optional
        What runs plans that read `settings.spark_rows` rows or more.
    engine : str, optional
        Which engine answers everything: `scan`, `duckdb` or `spark`; by default each plan says which.
    """

    def __init__(
        self,
        directory: ArchiveDirectory,
        settings: Settings,
        *,
        shows_private: bool = False,
        large: Engine | None = None,
        engine: str | None = None,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._shows_private = shows_private
        self._scan: Engine = ScanEngine()
        self._metadata: Engine = MetadataEngine()
        self._first: Engine = FirstRowsEngine(self._sql_engine)
        self._sql: Engine | None = None
        self._large = large
        self._chosen = make_engine(engine, settings) if engine is not None else None
        self._imagery, self._open_images = Imagery(directory.path), OpenImages()
        self._lock = threading.Lock()
        self._far = FarTables(self._relation)
        self._holdings = self._read_holdings()

    @classmethod
    def open(
        cls,
        directory: str | os.PathLike[str],
        settings: Settings | None = None,
        *,
        shows_private: bool = False,
        large: Engine | None = None,
        engine: str | None = None,
    ) -> Self:
        """Open an archive directory; reads metadata only."""
        chosen = settings or Settings()
        access = RemoteAccess.of(chosen, Path(directory).absolute())
        published = ArchiveDirectory(directory, access=access)
        return cls(published, chosen, shows_private=shows_private, large=large, engine=engine)

    @property
    def revision(self) -> str:
        """Changes with every publication."""
        return self.refresh().revision

    @property
    def is_settled(self) -> bool:
        """Whether only a publication changes anything: what is mounted may change where it lies."""
        return not self.refresh().mounted

    def basis(self, request: TableRequest | PictureRequest) -> str | None:
        """Names what an answer for anybody rests on: the same as long as it would be made of the same tables or files.

        Parameters
        ----------
        request : TableRequest or PictureRequest
            A question without an owner and without uploads.

        Returns
        -------
        basis : str or None
            `None` where a table may change without being published, or an image without its file.
        """
        if isinstance(request, PictureRequest):
            return basis_of_pixels(request, self.images())
        holdings = self.refresh()
        seen = holdings.without(self._hidden_from(None))
        view = seen.find(request.collection or "")
        found = None
        if view is not None:
            found = basis_of(request, view.namespace, seen.everything().namespace, holdings.mounted)
        whole = None if holdings.mounted else holdings.revision
        return whole if found is None else found or None

    @functools.cached_property
    def accounts(self) -> Accounts:
        """Its users."""
        state = self._settings.state_directory(self._directory.path)
        return Accounts(state, quota_mb=self._settings.mydb_mb, quota_tables=self._settings.mydb_tables)

    @functools.cached_property
    def offers(self) -> Offers:
        """What is offered under names of its own, as it stood in the file when this was first asked."""
        return read_offers(self._directory.path)

    def has_name(self, name: str) -> bool:
        """Whether a schema, a context or a word of queries is called so, in any case, so that no user can be."""
        lower = name.lower()
        words = [word for tap in self.offers.taps for word in (tap.name, *tap.schemas)]
        words += [word for context in self.offers.contexts for word in (*context.names, *context.schemas)]
        return lower in self.refresh().collections or lower in map(str.lower, words) or spelled(name) != name

    def offers_for(self, owner: str | None) -> Offers:
        """What is offered to a user, or to anybody: services and contexts that show her something."""
        return self._seen_by(owner).offers

    def find_view(self, name: str, owner: str | None = None) -> View | None:
        """What a service shows to a user, or to anybody.

        Parameters
        ----------
        name : str
            A collection, or a `[[tap]]` by its key or name; everything if the name is empty.
        owner : str or None
            Who asks; what is private and not for her does not exist.
        """
        found = self._seen_by(owner).find(name)
        user = self._user(owner)
        return found if found is None or user is None else self._owned.view(found, user)

    def view(self, name: str | None = None, owner: str | None = None) -> View:
        """Like `find_view`, but raise `UnknownTableError` if there is none."""
        found = self.find_view(name or "", owner)
        if found is None:
            collections = self._seen_by(owner).collections
            raise UnknownTableError(name or "", near=near_names(name or "", collections))
        return found

    def names(self, owner: str | None = None) -> ArchiveNames:
        """Objects by their names: those of the tables that are offered so, and those that everybody knows."""
        everything = self.published(owner)

        def read() -> ArchiveNames:
            return ArchiveNames(self.offers.names, everything, functools.partial(self._rows, everything))

        return everything.kept(ArchiveNames, read)

    def schemas(self, owner: str | None = None) -> tuple[Schema, ...]:
        """Everything published, by collection, TAP_SCHEMA first."""
        return self.view(owner=owner).schemas

    def tables(self, owner: str | None = None) -> tuple[Table, ...]:
        """Everything published, TAP_SCHEMA first."""
        return tuple(table for schema in self.schemas(owner) for table in schema.tables)

    def namespace(self, collection: str | None = None, owner: str | None = None) -> Namespace:
        """The names that a query may use.

        Raises
        ------
        UnknownTableError
            There is no such collection.
        """
        return self.view(collection, owner).namespace

    def published(self, owner: str | None = None) -> Namespace:
        """The tables that are published for a user, or for anybody, without her own: the same as long as they are."""
        return self._seen_by(owner).everything().namespace

    def examples(self, collection: str | None = None, owner: str | None = None) -> tuple[ReadyExample, ...]:
        """Queries to learn from: those of one collection, or those of the archive as a whole.

        The latter are those that reach across collections, as `ivoa.obscore` does, and those of TAP_SCHEMA.

        Raises
        ------
        UnknownTableError
            There is no such collection.
        """
        everything = ready_examples(self.namespace(collection, owner))
        if collection is not None:
            return tuple(ready for ready in everything if not _describes(ready))
        across = OBSCORE.partition(".")[0]
        apart = (self.namespace(name, owner) for name in self._seen_by(owner).collections if name != across)
        elsewhere = {ready for own in apart for ready in ready_examples(own)}
        return tuple(ready for ready in everything if _describes(ready) or ready not in elsewhere)

    def plan(self, request: TableRequest) -> Plan:
        """Say how a request will be answered; all that a user can do wrong shows here."""
        return self._planned(request)[1]

    def check(self, request: TableRequest) -> None:
        """See whether a request could be answered: of a batch, whether its text can be read."""
        if isinstance(request, BatchRequest):
            self._batch(request).check()
        else:
            self.plan(request)

    def query(self, request: TableRequest, deadline: Deadline | None = None) -> Result:
        """Answer any request for a table: tree, bind, plan, execute; a batch does so for each of its statements."""
        if isinstance(request, BatchRequest):
            return self._batch(request, deadline).run()
        if isinstance(request, ComposedRequest):
            return self._composed(request, deadline)
        namespace, plan, warnings = self._planned(request)
        if isinstance(request, Look):
            return request.seen(plan, namespace, _Rows(self._engine, deadline))
        result = self.run(plan, deadline)
        result.warnings += warnings
        result.services += self._services(plan, request.owner)
        return request.shaped(result, namespace)

    def _composed(self, request: TableRequest, deadline: Deadline | None) -> Result:
        assert isinstance(request, ComposedRequest)
        namespace, warnings = self._visible(request)
        result = request.composed(namespace, functools.partial(self.run, deadline=deadline))
        result.warnings += warnings
        return result

    def run(self, plan: Plan, deadline: Deadline | None = None) -> Result:
        """Carry out a plan."""
        return self._engine(plan).run(plan, deadline)

    def crossmatch(self, request: CrossmatchRequest, *, progress: Told | None = None) -> Result:
        """Match tables as wholes; the rows in the order of the first one, all of them in memory."""
        return crossmatched(request, self._given(request, progress))

    def keep_crossmatch(
        self,
        request: CrossmatchRequest,
        into: str | os.PathLike[str],
        *,
        progress: Told | None = None,
        on_spark: bool = False,
    ) -> CrossmatchReport:
        """Match tables as wholes, however large, and keep what comes out.

        Interrupted and called again, it goes on where it was.

        Parameters
        ----------
        request : CrossmatchRequest
            What is asked.
        into : str or path
            `mydb.<name>` for a table of the asker's own, `schema.table` for one of the archive; a path is a file in the
            format of its name. A table that an earlier match made is replaced, and no other; so is a file.
        progress : callable, optional
            Told how far it is.
        on_spark : bool
            Whether it is done where the setting `spark` says that Spark is, instead of in this process.
        """
        own = self.mydb(request.owner) if request.owner and self._user(request.owner) else None
        state = self._settings.state_directory(self._directory.path)
        given = self._given(request, progress)
        if on_spark:
            from skydex.archive.matching.on_spark import spark_run

            given = replace(given, run=spark_run(self._settings))
        return keep_crossmatch(request, given, into, self._directory, own, state)

    def _given(self, request: CrossmatchRequest, progress: Told | None) -> Given:
        return Given(self.namespace(owner=request.owner), self._settings.spill_directory, progress=progress)

    def answer(self, request: TableRequest, format_name: str, deadline: Deadline | None = None) -> Answer:
        """Answer a request in a format.

        Raises
        ------
        SkydexError
            Before the first chunk for everything wrong with the request; from the chunks if it fails under way.
        """
        form = request.form(format_name, self.namespace(request.collection, request.owner))
        result = counted(self.query(request, deadline))
        overflow = result.overflow if result.is_held else None
        chunks = _written(form, result)
        return Answer(form.media_type, form.suffixes[0], result.columns, chunks, overflow, lambda: _n_rows(result))

    def draw(self, request: PictureRequest, deadline: Deadline | None = None) -> Picture:
        """Answer a request for pixels.

        Raises
        ------
        SkydexError
            Before the first chunk for everything wrong with the request; from the chunks if it fails under way.
        """
        return request.draw(self, deadline)

    def images(self, owner: str | None = None) -> Images:
        """The images that a user, or anybody, may see."""
        return Images(self._imagery, self._open_images, self._hidden_from(owner))

    @functools.cached_property
    def tiles(self) -> TileCache:
        """Tiles of maps that were made already."""
        state = self._settings.state_directory(self._directory.path)
        return TileCache(state / "hips", self._settings.hips_cache_mb << 20)

    @property
    def public_url(self) -> str:
        """Address at which a server shows it, or would; that of its images begins so."""
        return self._settings.public_url

    @property
    def most_pixels(self) -> int:
        """How many pixels a cutout may have that is held in memory."""
        return self._settings.cutout_mpix * 1_000_000

    def explain(self, request: TableRequest, *, run: bool = False) -> Explanation:
        """Show what a request would read; with `run`, read it."""
        with counting() as traffic:
            plan = self.plan(request)
            name = self._engine(plan).name if self._chosen is not None else plan.engine
            explanation = Explanation(plan, engine=name, estimate=estimated(plan))
            if not run:
                return explanation
            start = time.perf_counter()
            with self._engine(explanation.plan).run(explanation.plan) as result:
                n_rows = sum(batch.num_rows for batch in result.batches)
        came = traffic if any(scan.is_distant for scan in explanation.plan.scans.values()) else None
        return replace(explanation, n_rows=n_rows, seconds=time.perf_counter() - start, traffic=came)

    def foresee(self, request: BatchRequest) -> tuple[bool, Explanation | None]:
        """Whether a batch only reads, and what it would read if it is a query of tables alone."""
        batch = self._batch(request)
        plan = batch.find_plan()
        explanation = None if plan is None else Explanation(plan, engine=plan.engine, estimate=estimated(plan))
        return batch.is_reading, explanation

    def refresh(self) -> _Holdings:
        """Notice new publications."""
        if self._directory.revision != self._holdings.revision or self._far.has_news:
            with self._lock:
                self._holdings = self._read_holdings()
        return self._holdings

    def _planned(self, request: TableRequest) -> tuple[Namespace, Plan, list[str]]:
        """What a request may name, how it will be answered, and what is odd about it."""
        try:
            namespace, warnings = self._visible(request)
            return namespace, request.plan(namespace), warnings
        except RemoteChangedError:  # which shows before anything was read: it has been opened anew by now
            namespace, warnings = self._visible(request)
            return namespace, request.plan(namespace), warnings

    def _visible(self, request: TableRequest) -> tuple[Namespace, list[str]]:
        """What a request may name: what is published and what it brings along; and what is odd about the latter."""
        namespace = self.namespace(request.collection, request.owner)
        if not request.uploads:
            return namespace, []
        limits = UploadLimits.of(self._settings)
        read = [read_upload(upload, limits) for upload in request.uploads]
        return namespace.extended(relation for relation, _ in read), [text for _, texts in read for text in texts]

    def _services(self, plan: Plan, owner: str | None) -> tuple[ServiceDescriptor, ...]:
        """What can be done with the rows of an answer."""
        relations = [scan.relation for scan in plan.scans.values()]
        everything = self._seen_by(owner).everything().namespace
        return services_of(relations, plan.columns, everything, self._settings.public_url)

    def _seen_by(self, owner: str | None) -> _Holdings:
        """What exists for a user, or for anybody."""
        return self.refresh().without(self._hidden_from(owner))

    def _hidden_from(self, owner: str | None) -> frozenset[str]:
        """Schemas, in small letters, that do not exist for a user, or for anybody."""
        if self._shows_private or not self.offers.private:
            return frozenset()
        return self.offers.hidden_from(owner, self._groups_of(owner))

    def mydb(self, owner: str) -> MyDB:
        """The tables that a user keeps.

        Raises
        ------
        UnknownTableError
            There is no such user, and so no such tables.
        """
        user = self._user(owner)
        if user is None:
            raise UnknownTableError(MYDB)
        return self._owned.tables.of(user)

    def forget_removed(self) -> None:
        """Delete what users kept who were removed; what a query of theirs has still written meanwhile goes, too."""
        for _, wsid in self.accounts.removed():
            self._owned.tables.remove(wsid)

    def deposit(self, order: Deposit) -> Deposited:
        """Keep a file as a table of somebody's own, or as rows of one."""
        settings = self._settings
        limits = UploadLimits(settings.mydb_upload_mb, None, None, settings.spill_directory)
        return deposited(self.mydb(order.owner), order, limits)

    @functools.cached_property
    def _owned(self) -> OwnerViews:
        return OwnerViews(UserTables(self._settings.state_directory(self._directory.path) / MYDB))

    def _user(self, owner: str | None) -> Owner | None:
        """Who asks, if it is somebody with an account."""
        return self.accounts.find(owner) if owner else None

    def _groups_of(self, owner: str | None) -> frozenset[str]:
        user = self._user(owner)
        return user.groups if user else frozenset()

    def _batch(self, request: BatchRequest, deadline: Deadline | None = None) -> Batch:
        scratch_bytes = (self._settings.query_memory_mb << 20) // _SHARE_OF_SCRATCH
        return Batch(request, self, scratch_bytes=scratch_bytes, deadline=deadline)

    def _rows(self, namespace: Namespace, query: exp.Query) -> list[pa.RecordBatch]:
        """A small answer, whole."""
        plan = make_plan(bind(query, namespace))
        with self._engine(plan).run(plan) as result:
            return list(result.batches)

    def _engine(self, plan: Plan) -> Engine:
        if self._chosen is not None:
            check_able(self._chosen, plan)
            return self._chosen
        if plan.engine in ("metadata", "first"):
            return self._metadata if plan.engine == "metadata" else self._first
        if self._large is not None and _n_rows_read(plan) >= self._settings.spark_rows:
            return self._large
        return self._scan if plan.engine == "scan" else self._sql_engine()

    def _sql_engine(self) -> Engine:
        with self._lock:
            if self._sql is None:
                self._sql = make_engine("duckdb", self._settings)
        return self._sql

    def _read_holdings(self) -> _Holdings:
        revision = self._directory.revision
        entries = sorted(self._directory.tables(), key=lambda entry: entry.name)
        far, absent = self._far.relations(entry for entry in entries if is_far(entry))
        near = [self._relation(entry) for entry in entries if not is_far(entry)]
        relations = sorted([*near, *far], key=lambda relation: relation.table.name)
        holdings = _Holdings(revision, relations, lambda: self.offers, absent=absent)
        holdings.mounted = frozenset(entry.name.lower() for entry in entries if entry.kind == "mounted")
        holdings.everything().namespace  # noqa: B018  what most ask for is ready before they ask
        return holdings

    def _relation(self, entry: ArchiveEntry) -> Relation:
        dataset = self._directory.open(entry.name)
        relation = Relation(dataset.table, dataset, reaches=entry.notes.get(REACHES, {}))
        links = entry.notes.get(LINKS)
        return relation.linked(links, self._settings.public_url) if links else relation


def _unlinked(relation: Relation, schemas: frozenset[str]) -> Relation:
    """A table without its keys into schemas that do not exist."""
    keys = relation.table.foreign_keys
    kept = tuple(key for key in keys if key.target_table.partition(".")[0].lower() not in schemas)
    return relation if kept == keys else replace(relation, table=replace(relation.table, foreign_keys=kept))


def _describes(ready: ReadyExample) -> bool:
    """Whether it asks TAP_SCHEMA alone."""
    return all(name.startswith(f"{TAP_SCHEMA}.") for name in ready.tables)


def _n_rows_read(plan: Plan) -> int:
    """Rows of the row groups that a plan names."""
    return sum(scan.selection.n_rows for scan in plan.scans.values() if scan.selection is not None)


def _n_rows(result: Result) -> int:
    """Rows that were shown, or that a batch without rows to show has written."""
    return result.n_rows if result.rows_affected is None else result.rows_affected


def _written(form: Format, result: Result) -> Iterator[bytes]:
    assert form.write is not None, "form gives formats that can be written"
    with result:
        yield from form.write(result)
