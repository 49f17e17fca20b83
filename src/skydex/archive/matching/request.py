"""`CrossmatchRequest`: tables of an archive, and some that come along, of which rows are to be matched."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from skydex.archive.matching.copies import ROW, in_order, rows_of
from skydex.archive.matching.sides import Side
from skydex.archive.matching.work import Job
from skydex.archive.requests import Upload
from skydex.archive.uploads import TAP_UPLOAD, UploadLimits, open_upload
from skydex.query import Namespace, Relation
from skydex.store import Dataset
from skydex.tables import POSITION_NAMES, Table, likely_position, uniquely_named
from skydex.xmatch import Criteria, degrees_of_unit, find_motion, position_of, shaped

__all__ = ["CrossmatchRequest", "Prepared", "prepared"]

_LARGEST_FILE_MB = 1 << 30
_READ = 1 << 20


@dataclass(frozen=True)
class CrossmatchRequest:
    """What is to be matched."""

    tables: tuple[str, ...]
    """The tables, as queries name them; the first one leads."""
    criteria: Criteria
    """Which rows are partners, and which come out."""
    owner: str | None = None
    """Who asks; None for anybody."""
    uploads: tuple[Upload, ...] = ()
    """Tables that come along, each `TAP_UPLOAD.<name>`."""

    @property
    def description(self) -> str:
        """What it is, for people."""
        first, *others = (name.removeprefix(f"{TAP_UPLOAD}.") for name in self.tables)
        criteria, joined = self.criteria, " and ".join(others)
        what = {
            "nearest": f"Each row of {first} with its nearest partner in {joined}, where it has one",
            "all": f"Each row of {first} with each of its partners in {joined}",
            "none": f"Rows of {first} without a partner in {joined}",
            "left": f"Each row of {first}, with its nearest partner in {joined} or with nulls",
            "left-all": f"Each row of {first}, with each of its partners in {joined} or with nulls",
        }[criteria.keep.value]
        parts = [f"{what}: positions within {criteria.radius} of each other"]
        if criteria.epoch is not None:
            parts.append(f"at epoch J{criteria.epoch:g} where proper motions are known")
        if criteria.region is not None:
            parts.append(f"for rows of {first} in {criteria.region}")
        if len({name.lower() for name in self.tables}) < len(self.tables):
            parts.append({"others": "other rows only", "once": "each pair once", "all": ""}[criteria.same.value])
        return ", ".join(filter(None, parts)) + "."


@dataclass(frozen=True)
class Prepared:
    """A match that can begin."""

    job: Job
    """What is to be done."""
    key: str
    """Names the same match of the same rows."""
    is_copied: bool
    """Whether the first table is a copy, whose rows know their order."""
    versions: tuple[str, ...]
    """The tables, each with its version."""


def prepared(request: CrossmatchRequest, namespace: Namespace, room: ExitStack, spill: Path) -> Prepared:
    """Find the tables of a request, put those in order that are not, and see what there is to be done.

    Parameters
    ----------
    request : CrossmatchRequest
        What is asked.
    namespace : Namespace
        What the asker sees.
    room : ExitStack
        Copies go when it is closed.
    spill : Path
        Where copies may lie.
    """
    criteria = request.criteria.checked(len(request.tables))
    uploads = {f"{TAP_UPLOAD}.{upload.name}".lower(): upload for upload in request.uploads}
    opened: dict[str, tuple[Relation, str]] = {}
    keys = [_key(name, uploads, namespace) for name in request.tables]
    for key in dict.fromkeys(keys):
        upload = uploads.get(key)
        opened[key] = _uploaded(upload, room, spill) if upload else _published(namespace.get(key), room, spill)
    relations = [opened[key][0] for key in keys]
    sides = tuple(_side(relation, criteria, number) for number, relation in enumerate(relations))
    shape = shaped([side.shown for side in sides], criteria)
    job = Job(
        sides,
        criteria,
        shape,
        tuple(_furthest_error(side) for side in sides),
        tuple(_furthest_way(side, criteria) for side in sides),
        tuple(key == keys[0] for key in keys),
    )
    versions = tuple(opened[key][1] for key in keys)
    digest = hashlib.sha256(repr((keys, versions, criteria, shape)).encode()).hexdigest()
    is_copied = sides[0].dataset.table.find_column(ROW) is not None
    return Prepared(job, digest, is_copied, versions)


def _key(name: str, uploads: Mapping[str, Upload], namespace: Namespace) -> str:
    """A table's name, by which it is the same under every spelling."""
    return name.lower() if name.lower() in uploads else namespace.get(name).table.name.lower()


def _published(relation: Relation, room: ExitStack, spill: Path) -> tuple[Relation, str]:
    """A table of the archive, its rows in order; and what names their version."""
    rows = relation.rows
    if isinstance(rows, Dataset) and rows.index_column is not None:
        return relation, f"{rows.table.name} {rows.version}"
    position_of(relation.table)  # which refuses those that have none
    if isinstance(rows, Dataset):
        copy = in_order(_room(room, spill), rows.table, rows_of(rows))
        return replace(relation, rows=copy), f"{rows.table.name} {rows.version}"
    digest = _digest_of_rows(rows)
    return replace(relation, rows=in_order(_room(room, spill), relation.table, rows.to_batches())), digest


def _uploaded(upload: Upload, room: ExitStack, spill: Path) -> tuple[Relation, str]:
    """A file, its rows in order; and what names its content."""
    name = f"{TAP_UPLOAD}.{upload.name}"
    limits = UploadLimits(_LARGEST_FILE_MB, None, None, spill)
    with open_upload(upload, limits, name=name) as source:
        columns = uniquely_named(source.columns)
        table = Table(name, columns, source.description, likely_position(columns, POSITION_NAMES))
        position_of(table)
        copy = in_order(_room(room, spill), table, source.open_batches())
    return Relation(_without_row(copy.table), copy), f"{name} {_digest_of_file(Path(upload.path))}"


def _without_row(table: Table) -> Table:
    return replace(table, columns=table.columns[:-1])


def _room(room: ExitStack, spill: Path) -> Path:
    return Path(room.enter_context(TemporaryDirectory(prefix="skydex-match-", dir=spill)))


def _digest_of_rows(rows: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _digest_of_file(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _side(relation: Relation, criteria: Criteria, number: int) -> Side:
    dataset = relation.dataset
    assert dataset is not None, "every table was put in order"
    table = relation.table
    position_of(table)
    epoch, radius = criteria.epoch, criteria.radius
    motion = None if epoch is None else find_motion(table, criteria.epoch_of(number))
    error = (radius.own if number == 0 else radius.other) and table.get_column(
        radius.own if number == 0 else radius.other
    ).name
    return Side(
        dataset,
        motion,
        epoch or 0.0,
        error,
        degrees_of_unit(table, error, radius.unit) if error else 1.0,
        relation.links,
        table,
    )


def _furthest_error(side: Side) -> float:
    """The largest error of a table; 0 where errors do not count."""
    return max(side.extremes(side.error)[1] * side.error_unit_deg * (1.0 + 1e-6), 0.0) if side.error else 0.0


def _furthest_way(side: Side, criteria: Criteria) -> float:
    """How far a star of a table may have moved, degrees."""
    if side.motion is None or criteria.epoch is None:
        return 0.0
    return side.motion.reach_deg({name: side.extremes(name) for name in side.motion.columns}, criteria.epoch)
