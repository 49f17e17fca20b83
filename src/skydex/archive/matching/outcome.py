"""What becomes of a cross-match: rows for who asked, a table of the archive, a table of one's own, or a file.

What is kept can be gone on with: interrupted and called again, it does what is left, as long as neither the question
nor the tables have changed. It appears in one step at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from skydex import __version__
from skydex.archive.matching.copies import ROW, rows_of
from skydex.archive.matching.request import CrossmatchRequest, Prepared, prepared
from skydex.archive.matching.running import Run, chance_of, check_whole, iter_parts, staged
from skydex.archive.matching.tasks import Task, tasks_of
from skydex.archive.matching.work import Counts
from skydex.errors import BadParameterError, TableExistsError, UnsupportedFormatError, UnwritableFileError
from skydex.formats import format_of_suffix, writable
from skydex.mydb import MYDB, MyDB
from skydex.query import Namespace
from skydex.store import ArchiveDirectory, Layout, Staging, check_new_name, open_dataset
from skydex.store.assembly import WriteReport
from skydex.tables import INDEX_COLUMN, Result, Table

__all__ = ["CROSSMATCH_NOTE", "CrossmatchReport", "Given", "crossmatched", "keep_crossmatch"]

CROSSMATCH_NOTE = "crossmatch"
"""Note of a table that a cross-match made: what was asked, of which versions, and what was counted."""
_MADE = "Cross-match."
"""Beginning of the description of one's own tables that a match made: only these are replaced."""
_NAMES = re.compile(r"\w+(\.\w+){1,2}")
_BUFFER_BYTES = 64 << 20
_BYTES_OF_TEXT = 24.0

Told = Callable[[str, int, int | None], None]
"""Told the stage, how much of it is done, and how much there is if that is known."""


@dataclass(frozen=True)
class Given:
    """What a match is made with."""

    namespace: Namespace
    """The tables that the asker sees."""
    spill: Path
    """Where temporary files go."""
    run: Run = iter_parts
    """Who carries tasks out."""
    progress: Told | None = None
    """Told how far it is."""


@dataclass(frozen=True)
class CrossmatchReport:
    """What a cross-match found."""

    name: str
    """The table, or the file, that holds it."""
    n_rows: int
    """Rows that came out."""
    n_first: int
    """Rows of the first table, within the region."""
    n_matched: int
    """Those of them with a partner in each other table."""
    n_pairs: tuple[int, ...]
    """Pairs with each other table."""
    chance: tuple[tuple[float, float], ...]
    """Partners expected by chance in each other table, and the error of that; empty if that was not asked."""
    tables: tuple[str, ...]
    """The other tables."""
    description: str
    """What was asked, and what came out."""
    seconds: float
    """How long it took, what was done before not counted."""

    def __str__(self) -> str:
        text = f"{self.name}: {self.n_rows:,} rows; {self.n_matched:,} of {self.n_first:,} have partners"
        for table, (expected, error) in zip(self.tables, self.chance, strict=False):
            text += f"; by chance {expected:,.1f} ± {error:,.1f} in {table}"
        return f"{text} ({self.seconds:,.1f} s)"


def crossmatched(request: CrossmatchRequest, given: Given) -> Result:
    """The rows of a match, in the order of the first table, all of them in memory.

    Parameters
    ----------
    request : CrossmatchRequest
        What is asked.
    given : Given
        With what.
    """
    with ExitStack() as room:
        work = prepared(request, given.namespace, room, given.spill)
        tasks, job = _tasks(work), work.job
        parts, numbers, counts = [job.shape.schema.empty_table()], [np.empty(0, np.int64)], Counts()
        for _, _, part in given.run(tasks, job):
            if part is not None:
                counts += part.counts
                parts.append(part.rows.drop_columns([INDEX_COLUMN]))
                numbers.append(part.numbers)
                _tell(given, "match", counts.n_rows, sum(task.n_rows for task in tasks))
        check_whole(counts, job)
        rows, number = pa.concat_tables(parts), np.concatenate(numbers)
        if work.is_copied:
            number = job.sides[0].rows(number, [ROW])[ROW].to_numpy()
        rows = rows.take(pa.array(np.argsort(number, kind="stable"))).combine_chunks()
    chance = {"chance": json.dumps(chance_of(counts))} if request.criteria.chance else {}
    infos = (("n_first", str(counts.n_rows)), ("n_matched", str(counts.n_matched)), *chance.items())
    text = _told(request, work, counts)
    return Result(job.shape.columns, iter(rows.to_batches()), "crossmatch", text, infos=infos, is_held=True)


def keep_crossmatch(
    request: CrossmatchRequest,
    given: Given,
    into: str | os.PathLike[str],
    directory: ArchiveDirectory,
    mydb: MyDB | None,
    state: Path,
) -> CrossmatchReport:
    """Keep a match where its asker wants it.

    Parameters
    ----------
    request : CrossmatchRequest
        What is asked.
    given : Given
        With what.
    into : str or path
        `mydb.<name>`, `schema.table`, or the path of a file.
    directory : ArchiveDirectory
        The archive.
    mydb : MyDB or None
        The tables of the asker, if she has any.
    state : Path
        Where matches may lie that are not complete.

    Raises
    ------
    BadParameterError
        There is a table of that name that no match has made, or it is no name.
    """
    if not isinstance(into, str):
        file = Path(into)
        write = _writer(file)
        return _kept(request, given, state, str(file.absolute()), write)
    schema, _, name = into.partition(".")
    if schema.lower() != MYDB or not name:
        _check_free(into, directory)
        return _published(request, given, directory, into)
    if mydb is None:
        raise BadParameterError("into", f"is {into}, a table of a user's own: say of whom.")
    _check_own(name, mydb)

    def create(rows: Result) -> None:
        mydb.create(name, rows.columns, rows.batches, description=f"{_MADE} {rows.description}", replace=True)

    report = _kept(request, given, state, f"{MYDB}.{mydb.owner}.{name}", create)
    return replace(report, name=f"{MYDB}.{name}")


def _published(request: CrossmatchRequest, given: Given, directory: ArchiveDirectory, name: str) -> CrossmatchReport:
    """Keep a match as a table of an archive, in place of an older one of that name."""

    def publish(written: WriteReport, report: CrossmatchReport, notes: dict[str, Any]) -> None:
        directory.publish(name, written.directory, settle=lambda entry, _: replace(entry, notes=notes))

    return _made(request, given, name, lambda key: directory.staging_directory(name, key), publish, Layout())


def _kept(
    request: CrossmatchRequest, given: Given, state: Path, name: str, keep: Callable[[Result], None]
) -> CrossmatchReport:
    """Hand a match to somebody who keeps it: in a file, or as a table of her own."""

    def hand_on(written: WriteReport, report: CrossmatchReport, notes: dict[str, Any]) -> None:
        dataset = open_dataset(written.directory, name=written.table.name)
        about = report.description
        keep(Result(dataset.table.columns, rows_of(dataset), written.table.bare_name, about))
        shutil.rmtree(written.directory.parent, ignore_errors=True)

    def place(key: str) -> Path:
        return state / "crossmatches" / hashlib.sha256(f"{name}\n{key}".encode()).hexdigest()[:24]

    return _made(request, given, name, place, hand_on, Layout(for_others=False))


def _writer(file: Path) -> Callable[[Result], None]:
    form = format_of_suffix(file.name)
    if form.write is None or form.service:
        raise UnsupportedFormatError(form.name, [kind.name for kind in writable()])
    if not os.access(file.absolute().parent, os.W_OK):  # better now than when all rows are matched
        raise UnwritableFileError(str(file), "there is no such directory, or nothing may be written there.")

    def write(rows: Result) -> None:
        assert form.write is not None
        part = file.with_name(f"{file.name}.part")
        try:
            with rows, part.open("wb") as out:
                out.writelines(form.write(rows))
            part.replace(file)
        except OSError as error:
            raise UnwritableFileError(str(file), f"{error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)

    return write


def _check_free(name: str, directory: ArchiveDirectory) -> None:
    """Refuse to replace what somebody made otherwise, and to take a name that means something else."""
    if name.lower().startswith("ivoa."):
        raise BadParameterError("into", f"is {name}: the schema ivoa is for tables that the IVOA describes.")
    check_new_name(name)
    same = [entry for entry in directory.tables() if entry.name.lower() == name.lower()]
    if same and CROSSMATCH_NOTE not in same[0].notes:
        raise BadParameterError(
            "into", f"is {same[0].name}, which no cross-match made: remove it first, or name another."
        )


def _check_own(name: str, mydb: MyDB) -> None:
    same = [table for table in mydb.tables() if table.name.lower() == name.lower()]
    if same and not same[0].description.startswith(_MADE):
        raise TableExistsError(same[0].name)


_Publish = Callable[[WriteReport, CrossmatchReport, dict[str, Any]], None]


def _made(
    request: CrossmatchRequest,
    given: Given,
    name: str,
    place: Callable[[str], Path],
    publish: _Publish,
    layout: Layout,
) -> CrossmatchReport:
    started = perf_counter()
    with ExitStack() as room:
        work = prepared(request, given.namespace, room, given.spill)
        shape = work.job.shape
        table = Table(_table_name(name), shape.columns, request.description, shape.position, shape.id_column)
        with Staging.open(place(work.key), table=table, layout=layout, buffer_bytes=_BUFFER_BYTES) as staging:
            counts = staged(
                _tasks(work), work.job, staging, run=given.run, progress=lambda n, of: _tell(given, "match", n, of)
            )
            description = _told(request, work, counts)
            staging.describe(description)
            written = staging.finish(progress=lambda n, of: _tell(given, "write", n, of))
            report = CrossmatchReport(
                name,
                counts.n_out,
                counts.n_rows,
                counts.n_matched,
                counts.n_pairs,
                chance_of(counts) if request.criteria.chance else (),
                tuple(side.shown.name for side in work.job.sides[1:]),
                description,
                perf_counter() - started,
            )
            publish(written, report, {CROSSMATCH_NOTE: _notes(request, work, report)})
    return replace(report, seconds=perf_counter() - started)


def _table_name(name: str) -> str:
    """What the table is called inside of its file; nothing of a path."""
    return name if _NAMES.fullmatch(name) else f"match.{Path(name).name.partition('.')[0] or 'rows'}"


def _tasks(work: Prepared) -> list[Task]:
    job = work.job
    datasets = [side.dataset for side in job.sides]
    width = sum(_width(field.type) for field in job.shape.schema)
    return tasks_of(datasets, job.reach_deg, job.criteria, row_bytes=width)


def _width(kind: pa.DataType) -> float:
    """About how many bytes a value takes in memory."""
    return kind.bit_width / 8.0 if pa.types.is_primitive(kind) else _BYTES_OF_TEXT


def _told(request: CrossmatchRequest, work: Prepared, counts: Counts) -> str:
    """What was asked, of what, and what came out, for people."""
    text = f"{request.description} {counts.n_matched:,} of {counts.n_rows:,} rows have partners."
    if request.criteria.chance:
        expected = [f"{n:,.1f} ± {error:,.1f}" for n, error in chance_of(counts)]
        text += f" Partners expected by chance: {', '.join(expected)}."
    versions = [version for version in work.versions if not version.startswith("TAP_UPLOAD.") and " " in version]
    return f"{text} Made by skydex {__version__} of {', '.join(versions) or 'tables that came along'}."


def _notes(request: CrossmatchRequest, work: Prepared, report: CrossmatchReport) -> dict[str, Any]:
    criteria = request.criteria
    asked = {
        "tables": list(request.tables),
        "versions": list(work.versions),
        "radius": str(criteria.radius),
        "keep": criteria.keep.value,
        "same": criteria.same.value,
        "epoch": criteria.epoch,
        "region": str(criteria.region) if criteria.region is not None else None,
    }
    found = asdict(report)
    return {**asked, **{key: found[key] for key in ("n_rows", "n_first", "n_matched", "n_pairs", "chance")}}


def _tell(given: Given, stage: str, done: int, total: int) -> None:
    if given.progress is not None:
        given.progress(stage, done, max(total, done))
