"""`Archive`: everything an archive can be asked.

The trunk: a request becomes a tree, is bound to the names that its owner sees, planned, run, and written. There is no
other way from a question to an answer; services, jobs and the command line all end here.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from skydex.archive.answer import Answer, Explanation
from skydex.archive.examples import ReadyExample, ready_examples
from skydex.archive.offers import Offers, read_offers
from skydex.archive.requests import TableRequest
from skydex.archive.uploads import UploadLimits, read_upload
from skydex.engines import Deadline, Engine, ScanEngine
from skydex.errors import UnknownTableError, near_names
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan, Relation
from skydex.query.languages.words import spelled
from skydex.settings import Settings
from skydex.store import ArchiveDirectory
from skydex.tables import Result, Table
from skydex.tables.tap_schema import TAP_SCHEMA, tap_schema

__all__ = ["Archive", "Schema"]


@dataclass(frozen=True)
class Schema:
    """A collection: tables that belong together."""

    name: str
    """As it stands before the dot."""
    description: str
    """One paragraph for people."""
    tables: tuple[Table, ...]
    """In the order to show."""


@dataclass(frozen=True)
class _Holdings:
    """What is published at one moment."""

    revision: str
    schemas: tuple[Schema, ...]
    everything: Namespace
    collections: dict[str, Namespace]


class Archive:
    """An archive, opened for asking; safe to share between threads.

    Parameters
    ----------
    directory : ArchiveDirectory
        What is published.
    settings : Settings
        Limits of queries.
    """

    def __init__(self, directory: ArchiveDirectory, settings: Settings) -> None:
        self._directory = directory
        self._settings = settings
        self._scan: Engine = ScanEngine()
        self._sql: Engine | None = None
        self._lock = threading.Lock()
        self._holdings = self._read_holdings()

    @classmethod
    def open(cls, directory: str | os.PathLike[str], settings: Settings | None = None) -> Self:
        """Open an archive directory; reads metadata only."""
        return cls(ArchiveDirectory(directory), settings or Settings())

    @property
    def revision(self) -> str:
        """Changes with every publication."""
        return self.refresh().revision

    @functools.cached_property
    def offers(self) -> Offers:
        """What is offered under names of its own, as it stood in the file when this was first asked."""
        return read_offers(self._directory.path)

    def schemas(self) -> tuple[Schema, ...]:
        """Everything published, by collection, TAP_SCHEMA first."""
        return self.refresh().schemas

    def tables(self) -> tuple[Table, ...]:
        """Everything published, TAP_SCHEMA first."""
        return tuple(table for schema in self.schemas() for table in schema.tables)

    def namespace(self, collection: str | None = None) -> Namespace:
        """The names that a query may use.

        Raises
        ------
        UnknownTableError
            There is no such collection.
        """
        holdings = self.refresh()
        if collection is None:
            return holdings.everything
        found = holdings.collections.get(collection.lower())
        if found is None:
            raise UnknownTableError(collection, near=near_names(collection, holdings.collections))
        return found

    def examples(self, collection: str | None = None) -> tuple[ReadyExample, ...]:
        """Queries to learn from: those of one collection, or those of the archive as a whole.

        The latter are those that reach across collections, and those of TAP_SCHEMA.

        Raises
        ------
        UnknownTableError
            There is no such collection.
        """
        holdings = self.refresh()
        everything = ready_examples(self.namespace(collection))
        if collection is not None:
            return tuple(ready for ready in everything if not _describes(ready))
        elsewhere = {ready for own in holdings.collections.values() for ready in ready_examples(own)}
        return tuple(ready for ready in everything if _describes(ready) or ready not in elsewhere)

    def plan(self, request: TableRequest) -> Plan:
        """Say how a request will be answered; all that a user can do wrong shows here."""
        return request.plan(self._visible(request)[0])

    def query(self, request: TableRequest, deadline: Deadline | None = None) -> Result:
        """Answer any request for a table: tree, bind, plan, execute."""
        namespace, warnings = self._visible(request)
        plan = request.plan(namespace)
        result = self._engine(plan).run(plan, deadline)
        result.warnings += warnings
        return request.shaped(result, namespace)

    def answer(self, request: TableRequest, format_name: str, deadline: Deadline | None = None) -> Answer:
        """Answer a request in a format.

        Raises
        ------
        SkydexError
            Before the first chunk for everything wrong with the request; from the chunks if it fails under way.
        """
        form = get_format(format_name)
        result = self.query(request, deadline)
        return Answer(form.media_type, form.suffixes[0], result.columns, _written(form, result))

    def explain(self, request: TableRequest, *, run: bool = False) -> Explanation:
        """Show what a request would read; with `run`, read it."""
        explanation = Explanation(self.plan(request))
        if not run:
            return explanation
        start = time.perf_counter()
        with self._engine(explanation.plan).run(explanation.plan) as result:
            n_rows = sum(batch.num_rows for batch in result.batches)
        return replace(explanation, n_rows=n_rows, seconds=time.perf_counter() - start)

    def refresh(self) -> _Holdings:
        """Notice new publications."""
        if self._directory.revision != self._holdings.revision:
            with self._lock:
                self._holdings = self._read_holdings()
        return self._holdings

    def _visible(self, request: TableRequest) -> tuple[Namespace, list[str]]:
        """What a request may name: what is published and what it brings along; and what is odd about the latter."""
        namespace = self.namespace(request.collection)
        if not request.uploads:
            return namespace, []
        limits = UploadLimits.of(self._settings)
        read = [read_upload(upload, limits) for upload in request.uploads]
        return namespace.extended(relation for relation, _ in read), [text for _, texts in read for text in texts]

    def _engine(self, plan: Plan) -> Engine:
        if plan.engine == "scan":
            return self._scan
        with self._lock:
            if self._sql is None:
                self._sql = _duckdb(self._settings)
        return self._sql

    def _read_holdings(self) -> _Holdings:
        revision = self._directory.revision
        relations = [Relation(dataset.table, dataset) for dataset in map(self._directory.open, self._names())]
        by_schema: dict[str, list[Relation]] = {}
        for relation in relations:
            by_schema.setdefault(relation.table.schema_name, []).append(relation)
        collections = {name.lower(): _namespace(held, name) for name, held in by_schema.items()}
        everything = _namespace(relations, None)
        own = tuple(relation.table for relation in everything if relation.table.schema_name == TAP_SCHEMA)
        schemas = (
            Schema(TAP_SCHEMA, "The tables of this service, described as tables", own),
            *(Schema(name, "", tuple(r.table for r in held)) for name, held in by_schema.items()),
        )
        return _Holdings(revision, schemas, everything, collections)

    def _names(self) -> list[str]:
        return sorted(entry.name for entry in self._directory.tables())


def _namespace(relations: list[Relation], collection: str | None) -> Namespace:
    tables = [relation.table for relation in relations]
    names = {table.schema_name: "" for table in tables}
    described = [Relation(table, rows) for table, rows in tap_schema(tables, names, spelled=spelled)]
    return Namespace([*described, *relations], default_schema=collection)


def _describes(ready: ReadyExample) -> bool:
    """Whether it asks TAP_SCHEMA alone."""
    return all(name.startswith(f"{TAP_SCHEMA}.") for name in ready.tables)


def _written(form: Format, result: Result) -> Iterator[bytes]:
    assert form.write is not None, "get_format gives formats that can be written"
    with result:
        yield from form.write(result)


def _duckdb(settings: Settings) -> Engine:
    from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits

    threads = settings.threads or os.cpu_count() or 1
    limits = DuckDBLimits(settings.query_memory_mb, settings.query_spill_mb, threads, settings.spill_directory)
    return DuckDBEngine(limits)
