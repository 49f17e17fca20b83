"""The way of a row: read -> map -> check -> index -> partition -> write -> verify -> publish.

Each stage counts its rows, and the counts must agree before anything is published. Pieces that a killed run had stored
already are not stored again; the table appears in one step at the end, in place of an older one if there is one.
Reading, mapping and writing overlap in threads, and no stage holds more than a few pieces.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as NotesOf
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import BadRecipeError, BadRowsError, RequestError, StoreError
from skydex.formats import Source
from skydex.ingest.checks import Counts, PositionCheck, ValueChecks, check_positions
from skydex.ingest.decisions import make_mapping
from skydex.ingest.inputs import Piece, fingerprint, first_rows, iter_pieces, open_sources
from skydex.ingest.mapping import MappedRows, Mapping
from skydex.ingest.readahead import read_ahead
from skydex.ingest.recipe import BadRows, Recipe
from skydex.ingest.recipe_text import to_yaml
from skydex.ingest.reconcile import Shape, reconciled
from skydex.ingest.report import IngestReport
from skydex.sky import index29
from skydex.store import INGEST_REPORT, ArchiveDirectory, Layout, Staging, WriteReport, check_new_name
from skydex.tables import INDEX_COLUMN, Table

__all__ = ["Progress", "ingest", "prepared"]


class Progress(Protocol):
    """Told how far an ingest is: the stage (`read`, `write`), rows done, rows in all if known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True)
class Preparation:
    """What is decided before the first row is stored."""

    recipe: Recipe
    """As given."""
    sources: tuple[Source, ...]
    """One table of each file."""
    shape: Shape
    """Their common columns."""
    mapping: Mapping
    """What these are in the table."""

    @property
    def n_rows(self) -> int | None:
        """Rows of all files, if all of them tell."""
        known = [source.n_rows for source in self.sources]
        return None if None in known else sum(n for n in known if n is not None)

    @property
    def warnings(self) -> tuple[str, ...]:
        of_files = [f"{source.file.name}: {text}" for source in self.sources for text in source.warnings]
        return (*of_files, *self.shape.warnings)

    @property
    def key(self) -> str:
        """Names the same work in every run: the same files, the same decisions."""
        parts = [to_yaml(self.recipe), repr(self.mapping.table), *(fingerprint(source.file) for source in self.sources)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def prepared(recipe: Recipe) -> Preparation:
    """Open the files, find their common columns and decide what each is; reads only a few rows.

    Raises
    ------
    BadRecipeError
        Recipe and files do not fit.
    UnreadableFileError
        A file cannot be read.
    """
    sources = tuple(open_sources(recipe))
    shape = reconciled(sources)
    sample = first_rows(sources, shape)
    description = next((source.description for source in sources if source.description), "")
    facts = {key: value for source in reversed(sources) for key, value in source.facts.items()}
    mapping = make_mapping(recipe, shape.columns, sample, description=description, facts=facts)
    return Preparation(recipe, sources, shape, mapping)


def ingest(
    recipe: Recipe,
    archive: ArchiveDirectory,
    *,
    progress: Progress | None = None,
    notes: NotesOf[str, Any] | None = None,
) -> IngestReport:
    """Publish the table that a recipe describes.

    Parameters
    ----------
    recipe : Recipe
        Which files, which table, how.
    archive : ArchiveDirectory
        Where it is published; a table of that name is replaced.
    progress : Progress, optional
        Told how far it is.
    notes : mapping, optional
        What the table's keeper wants to know of it, fit for JSON; kept in its entry in the archive.

    Raises
    ------
    BadParameterError
        The name is none, or its schema is not for tables that are published.
    BadRecipeError
        Recipe and files do not fit.
    BadRowsError
        Rows without a possible position, where the recipe refuses them.
    UnreadableFileError
        A file cannot be read to its end.
    StoreError
        What was written is not what was read.
    """
    if not recipe.table:
        raise BadRecipeError("The recipe does not name its table: give table: schema.name.")
    check_new_name(recipe.table)
    started = time.perf_counter()
    work = prepared(recipe)
    stages = _Stages(work)
    table = work.mapping.table
    directory = archive.staging_directory(table.name, work.key)
    with _discarded_if_hopeless(directory), Staging.open(directory, table=table, layout=_layout(work)) as staging:
        for piece in read_ahead(stages.run()):
            if not staging.is_done(piece.key):
                staging.add(piece.key, piece.rows)
            _tell(progress, "read", stages.n_read, work.n_rows)
        report = _report(work, stages)
        written = staging.finish(
            progress=lambda done, total: _tell(progress, "write", done, total), beside=_kept_beside(report)
        )
        stages.verify(written)
        archive.publish(
            table.name, written.directory, settle=lambda entry, _: replace(entry, notes=notes) if notes else entry
        )
    return replace(
        report,
        table=written.table,
        n_partitions=written.n_partitions,
        n_bytes=written.n_bytes,
        seconds=time.perf_counter() - started,
    )


def _kept_beside(report: IngestReport) -> dict[str, bytes]:
    return {INGEST_REPORT: json.dumps(report.history(), indent=1, ensure_ascii=False).encode()}


@contextmanager
def _discarded_if_hopeless(directory: Path) -> Iterator[None]:
    """Remove what was staged if files or recipe must change first: nothing of it could be used again."""
    try:
        yield
    except RequestError:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _tell(progress: Progress | None, stage: str, done: int, total: int | None) -> None:
    if progress is not None:
        progress(stage, done, total)


def _layout(work: Preparation) -> Layout:
    asked = work.recipe.layout
    sizes = {key: value for key in ("rows_per_partition", "rows_per_group") if (value := getattr(asked, key))}
    new_names = {item.source.lower(): item.column.name for item in work.mapping.columns}
    sort_by, look_up = (
        tuple(new_names[name.lower()] for name in names if name.lower() in new_names)
        for names in (work.recipe.sort_by, asked.look_up)
    )
    return Layout(**sizes, sort_by=sort_by, look_up=look_up)


@dataclass
class _Stages:
    """Map, check and index piece after piece, counting."""

    work: Preparation
    n_read: int = 0
    n_stored: int = 0
    n_unpositioned: int = 0
    n_dropped: int = 0
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.values = ValueChecks(self.work.mapping.table, self.counts)

    def run(self) -> Iterator[Piece]:
        """Pieces ready to be stored."""
        for piece in read_ahead(iter_pieces(self.work.sources, self.work.shape), depth=1):
            rows = self._checked(self.work.mapping.apply(piece.rows), piece.first_row)
            self.n_read += len(piece.rows)
            self.n_stored += len(rows)
            yield replace(piece, rows=rows)

    def _checked(self, mapped: MappedRows, first_row: int) -> pa.Table:
        self.values.see(mapped.rows, first_row)
        if mapped.ra_deg is None or mapped.dec_deg is None:
            return mapped.rows
        check = check_positions(mapped.ra_deg, mapped.dec_deg, self.counts, first_row=first_row)
        if check.is_bad.any() and self.work.recipe.bad_rows is BadRows.REFUSE:
            raise _refusal(self.counts)
        rows = _indexed(_with_ra(mapped.rows, self.work.mapping.table, check), check)
        return self._kept(rows, check.is_bad)

    def _kept(self, rows: pa.Table, is_bad: NDArray[np.bool_]) -> pa.Table:
        n_bad = int(np.count_nonzero(is_bad))
        if self.work.recipe.bad_rows is BadRows.DROP:
            self.n_dropped += n_bad
            return rows.filter(pa.array(~is_bad)) if n_bad else rows
        self.n_unpositioned += n_bad
        return rows

    def verify(self, written: WriteReport) -> None:
        """Compare what the store holds with what was read.

        Raises
        ------
        StoreError
            The counts differ; nothing has been published.
        """
        has_positions = self.work.mapping.table.position is not None
        unpositioned = self.n_unpositioned if has_positions else written.n_unpositioned
        told = next((n for n in [self.work.n_rows] if n is not None), self.n_read)
        agree = (
            told == self.n_read
            and self.n_read == written.n_rows + self.n_dropped
            and self.n_stored == written.n_rows
            and unpositioned == written.n_unpositioned
        )
        if not agree:
            raise StoreError(
                f"The files tell of {told:,} rows, {self.n_read:,} were read and {self.n_dropped:,} dropped, but "
                f"{written.n_rows:,} were stored ({written.n_unpositioned:,} without a position, "
                f"{unpositioned:,} expected). Nothing was published."
            )


def _refusal(counts: Counts) -> BadRowsError:
    found = "; ".join(str(count) for count in counts.all() if "position" in count.check or "outside" in count.check)
    return BadRowsError(
        f"Rows without a possible position, among the first of the input: {found}. "
        "Nothing was published. bad_rows: keep stores them without a position, drop leaves them out."
    )


def _with_ra(rows: pa.Table, table: Table, check: PositionCheck) -> pa.Table:
    """Store right ascensions in 0..360; what was a column of the input changes only in the rows that were wrapped."""
    if table.position is None or not check.was_wrapped.any():
        return rows
    number = rows.schema.get_field_index(table.position.ra)
    given = rows.column(number)
    turned = pa.array(check.ra_deg, from_pandas=True).cast(given.type, safe=False)
    return rows.set_column(number, rows.schema.field(number), _choose(check.was_wrapped, turned, given))


def _choose(mask: NDArray[np.bool_], yes: pa.Array, no: pa.ChunkedArray) -> pa.Array:
    return pc.if_else(pa.array(mask), yes, no.combine_chunks())


def _indexed(rows: pa.Table, check: PositionCheck) -> pa.Table:
    """Put the order-29 pixel of each row first; null without a position."""
    index = index29(check.ra_deg, check.dec_deg)
    return rows.add_column(0, pa.field(INDEX_COLUMN, pa.int64()), pa.array(index, mask=index < 0))


def _report(work: Preparation, stages: _Stages) -> IngestReport:
    """What is known when all rows have passed and none is published."""
    table = work.mapping.table
    n_unpositioned = stages.n_unpositioned if table.position else stages.n_stored
    return IngestReport(
        table=table,
        files=_file_names(work.sources),
        n_read=stages.n_read,
        n_positioned=stages.n_stored - n_unpositioned,
        n_unpositioned=n_unpositioned,
        n_dropped=stages.n_dropped,
        counts=stages.counts.all(),
        suspicions=stages.values.suspicions(),
        notes=work.mapping.notes,
        warnings=work.warnings,
        recipe=to_yaml(work.recipe),
    )


def _file_names(sources: Sequence[Source]) -> tuple[str, ...]:
    return tuple(source.file.name for source in sources)
