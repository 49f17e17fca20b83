"""`simulate_hcv`: a catalogue of variables like the Hubble Catalog of Variables, of the same detections as the HSC.

Field by field, detections are searched for variables; printed objects are added, and experts look at the candidates.
What the documents count beyond that is drawn. The parts go into files as they are made, from which the tables are read:
nothing grows with the size of the archive.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skydex.demo.columns import read_columns
from skydex.demo.hcv.drawn import drawn, drawn_groups
from skydex.demo.hcv.examples import ABOUT
from skydex.demo.hcv.experts import Quota, with_verdicts
from skydex.demo.hcv.part import Arrays, Part, joined
from skydex.demo.hcv.printed import NOVA, NOVA_FILTER, printed_classes, printed_ids, printed_part, printed_rows
from skydex.demo.hcv.searched import IC_1613, searched, trimmed
from skydex.demo.hsc import FIELDS, fields_of
from skydex.demo.hsc.detections import detect
from skydex.demo.publications import read_printed, read_source
from skydex.demo.simulation import Printed, SimulatedTable, batch_of
from skydex.demo.size import Size
from skydex.tables import arrow_schema

__all__ = ["simulate_hcv"]

_TABLES = ("HCVmatch", "HCVfilter", "HCVdetailed", "HCVSummaryView")
_ROWS_OF_BATCH = 50_000


def simulate_hcv(size: Size, seed: int) -> Iterator[SimulatedTable]:
    """The tables of the collection `hcv`."""
    yield _groups(size)
    with tempfile.TemporaryDirectory(prefix="skydex-hcv-") as folder:
        _write(_parts(size, seed), Path(folder))
        for name in _TABLES:
            yield _table(name, _read(Path(folder), name), _printed(name))


def _parts(size: Size, seed: int) -> Iterator[Part]:
    """All objects: those of fields with images first."""
    quota = Quota.of(size).without(*printed_classes())
    ids = printed_ids()
    for field in fields_of(size):
        found = detect(field, size, seed)
        real, simulated = printed_part(found, seed), searched(found, ids)
        if simulated is not None and real is not None and field.name == IC_1613:
            simulated = trimmed(simulated, real, size)
        if simulated is not None:
            simulated = with_verdicts(simulated, quota, seed)
            match = simulated.match
            quota = quota.without(match["AutoClass"], match["ExpertClass"], simulated.n_rows())
        parts = [part for part in (real, simulated) if part is not None]
        if parts:
            yield joined(parts)
    yield from drawn(quota, seed)


def _write(parts: Iterator[Part], folder: Path) -> None:
    """A Parquet file for each table."""
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(pq.ParquetWriter(_file(folder, name), arrow_schema(read_columns(f"hcv/{name}"))))
            for name in _TABLES
        }
        for part in parts:
            tables = (part.match, part.filter, part.detailed, part.summary())
            for name, rows in zip(_TABLES, tables, strict=True):
                writers[name].write_batch(_batch(name, rows))


def _batch(name: str, rows: Arrays) -> pa.RecordBatch:
    columns = read_columns(f"hcv/{name}")
    return batch_of(columns, {column.name: rows[column.name] for column in columns}, len(rows["MatchID"]))


def _read(folder: Path, name: str) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(_file(folder, name), pre_buffer=False).iter_batches(_ROWS_OF_BATCH)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _groups(size: Size) -> SimulatedTable:
    """The fields, printed or not."""
    known = {field.group_id: field.target for field in (*FIELDS, *fields_of(size))}
    known |= {group.group_id: group.target for group in drawn_groups()}
    values = {"GroupID": np.array(list(known)), "TargetName": list(known.values())}
    batch = batch_of(read_columns("hcv/Groups"), values, len(known))
    real = Printed("GroupID", [1045904], read_source("hcv_summary"))
    return _table("Groups", iter([batch]), (real,))


def _printed(name: str) -> tuple[Printed, ...]:
    """Which rows are real."""
    if name == "HCVdetailed":
        points = [NOVA] * read_printed("hcv_nova").num_rows
        return (Printed("MatchID", points, _rows_in(NOVA_FILTER, "hcv_nova")),)
    objects: dict[str, list[int]] = {}
    for row in printed_rows():
        objects.setdefault(row["Filter"], []).append(row["MatchID"])
    if name == "HCVmatch":
        return (Printed("MatchID", sorted(set(chain(*objects.values()))), read_source("hcv_summary")),)
    return tuple(Printed("MatchID", ids, _rows_in(band, "hcv_summary")) for band, ids in sorted(objects.items()))


def _rows_in(band: str, name: str) -> str:
    """The publication, and in which filter it printed rows of an object."""
    return f"{read_source(name)}: rows in {band}"


def _table(name: str, batches: Iterator[pa.RecordBatch], printed: tuple[Printed, ...]) -> SimulatedTable:
    about = ABOUT[name]
    options = {**about.options, "examples": about.examples, "foreign_keys": about.foreign_keys}
    return SimulatedTable(f"hcv.{name}", about.description, read_columns(f"hcv/{name}"), batches, options, printed)
