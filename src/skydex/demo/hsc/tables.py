"""`simulate_hsc`: the tables of the Hubble Source Catalog, versions 3 and 2, over one simulated sky.

The sky is measured field by field. Whatever a table says of an object is derived from the rows of its `detailed` table
by `skydex.objects`, as anybody could with detections of their own. Rows of a field wait in files until all fields are
done, as tables are published one after the other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.demo.hsc.detailed import COLUMNS, detailed_rows
from skydex.demo.hsc.detections import Detections, detect
from skydex.demo.hsc.examples import EXAMPLES
from skydex.demo.hsc.fields import fields_of
from skydex.demo.hsc.measurements import sky_of
from skydex.demo.hsc.motions import (
    MOTIONS,
    POSITIONS,
    has_motions,
    motion_rows,
    position_rows,
    printed_motions,
)
from skydex.demo.hsc.spectra import spectra
from skydex.demo.hsc.truth import MEASUREMENTS, TRUTHS, measurement_rows, truth_rows
from skydex.demo.publications import printed_in
from skydex.demo.simulation import SimulatedTable
from skydex.demo.size import Size
from skydex.objects import Magnitude, Statistic, summarize, summary_columns

__all__ = ["simulate_hsc"]

_MATCHES_AT_ONCE, _ROWS_TOGETHER, _ROWS_READ = 8_000, 100_000, 20_000
_DETAILED = "detailedCatalog"
_SUMMARY = "SumMagAper2CatView"
_MOVING = "hsc"
_MOTIONS, _POSITIONS = "hsc.ProperMotionsView", "hsc.SourcePositionsView"
_PRINTED = {
    f"hsc.{_SUMMARY}": ("hsc_ic1613", "hsc_smc", "hsc_sdssj0837"),
    f"hsc.{_DETAILED}": ("hsc_light_curve",),
}
_BY_MATCH = {"ra": "MatchRA", "dec": "MatchDec", "id": "MatchID"}


@dataclass(frozen=True)
class _View:
    """A summary of the detailed table."""

    name: str
    magnitude: Magnitude
    within: str
    """Where the light was measured, for the description."""


@dataclass(frozen=True)
class _Version:
    """A version of the catalogue."""

    schema: str
    statistic: Statistic
    triplet: str
    """What it has of each filter, for the description."""


_VIEWS = (
    _View(_SUMMARY, "MagAper2", "the larger of two apertures"),
    _View("SumMagAutoCatView", "MagAuto", "Kron ellipses"),
)
_VERSIONS = (
    _Version("hsc", "median", "median, median absolute deviation and number"),
    _Version("hscv2", "mean", "mean, standard deviation and number"),
)


def simulate_hsc(size: Size, seed: int) -> Iterator[SimulatedTable]:
    """Version 3, with medians; version 2, with means; the truth of the Hubble fields."""
    with _Kept() as kept:
        for detections in _all_detections(size, seed):
            _keep(kept, detections)
        for field in fields_of(size):
            for name, batch in truth_rows(sky_of(field, size, seed)):
                kept.add(name, pa.Table.from_batches([batch]))
        for version in _VERSIONS:
            yield from (_summary_table(version, view, kept) for view in _VIEWS)
            yield _detailed_table(version, kept)
            if version.schema == _MOVING:
                yield from _motion_tables(version, kept)
                yield spectra()
        for name, (columns, description) in TRUTHS.items():
            yield SimulatedTable(name, description, columns, kept.batches(name))


def _all_detections(size: Size, seed: int) -> Iterator[list[Detections]]:
    """Detections of all fields, about as many rows at a time: small fields together, large ones in parts."""
    waiting: list[Detections] = []
    for field in fields_of(size):
        for part in detect(field, size, seed).parts(_MATCHES_AT_ONCE):
            waiting.append(part)
            if sum(len(one.rows) for one in waiting) >= _ROWS_TOGETHER:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def _keep(kept: _Kept, several: list[Detections]) -> None:
    """Everything that is derived from detections."""
    detailed = [detailed_rows(detections) for detections in several]
    rows = pa.concat_tables(detailed)
    kept.add(_DETAILED, rows)
    ebv = {detections.field.target: detections.field.ebv for detections in several}
    for version, view in product(_VERSIONS, _VIEWS):
        summary = summarize(rows, magnitude=view.magnitude, statistic=version.statistic)
        targets = summary["TargetName"].combine_chunks().dictionary_encode()
        extinction = pa.array([ebv[target] for target in targets.dictionary.to_pylist()]).take(targets.indices)
        place = summary.schema.get_field_index("Extinction")
        kept.add(f"{version.schema}.{view.name}", summary.set_column(place, "Extinction", extinction))
    for detections, own in zip(several, detailed, strict=True):
        if has_motions(detections.field):
            kept.add(_MOTIONS, motion_rows(own))
            kept.add(_POSITIONS, position_rows(own))
        kept.add(MEASUREMENTS, pa.Table.from_batches([measurement_rows(detections)]))


def _summary_table(version: _Version, view: _View, kept: _Kept) -> SimulatedTable:
    name = f"{version.schema}.{view.name}"
    said = f"Objects, with magnitudes within {view.within}: {version.triplet} of the measurements in each filter."
    columns = summary_columns(version.statistic)
    keys = () if view.name == _SUMMARY else (_key(version, "The same object within another aperture"),)
    return SimulatedTable(
        name,
        f"{said} Derived from {_DETAILED}.",
        columns,
        kept.batches(name),
        {**_BY_MATCH, "examples": EXAMPLES.get(name, ()), "foreign_keys": keys},
        tuple(printed_in(columns, one, identifier="MatchID") for one in _PRINTED.get(name, ())),
    )


def _detailed_table(version: _Version, kept: _Kept) -> SimulatedTable:
    name = f"{version.schema}.{_DETAILED}"
    said = (
        "One row for each source of an object in an image of one visit and filter: the light curves. Rows with Det N "
        "say that the image covers the object without finding it."
    )
    keys = (_key(version, "The object of the measurement"),)
    return SimulatedTable(
        name,
        said,
        COLUMNS,
        kept.batches(_DETAILED),
        {**_BY_MATCH, "sort_by": ["MatchID", "StartMJD"], "examples": EXAMPLES.get(name, ()), "foreign_keys": keys},
        tuple(printed_in(COLUMNS, one, identifier="SourceID") for one in _PRINTED.get(name, ())),
    )


def _motion_tables(version: _Version, kept: _Kept) -> Iterator[SimulatedTable]:
    """Proper motions, and the positions that they come from."""
    key = _key(version, "Magnitudes of the object", column="objID")
    yield SimulatedTable(
        _MOTIONS,
        "Proper motions of the stars of the field SWEEPS: straight lines through the positions of their sources. "
        f"Derived from {_DETAILED}.",
        MOTIONS,
        kept.batches(_MOTIONS),
        {"ra": "raMean", "dec": "decMean", "id": "objID", "examples": EXAMPLES[_MOTIONS], "foreign_keys": (key,)},
        (printed_motions(),),
    )
    key = {"target_table": _MOTIONS, "columns": {"objID": "objID"}, "description": "Motion of the object"}
    yield SimulatedTable(
        _POSITIONS,
        "Where and when each source of a star of the field SWEEPS lies, as seen from the mean of them all.",
        POSITIONS,
        kept.batches(_POSITIONS),
        {"ra": "SourceRA", "dec": "SourceDec", "examples": EXAMPLES[_POSITIONS], "foreign_keys": (key,)},
    )


def _key(version: _Version, description: str, *, column: str = "MatchID") -> Mapping[str, Any]:
    target = f"{version.schema}.{_SUMMARY}"
    return {"target_table": target, "columns": {column: "MatchID"}, "description": description}


class _Kept:
    """Rows that wait for their table to be published, in files that vanish at the end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="skydex-hsc-")
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, name: str, rows: pa.Table) -> None:
        """Rows of a table, to follow those that are there."""
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self._file(name), rows.schema, compression="lz4")
        self._writers[name].write_table(rows.cast(self._writers[name].schema))

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        """All of them, in the order in which they came."""
        self._writers[name].close()  # closing twice does nothing
        with pq.ParquetFile(self._file(name)) as file:
            yield from file.iter_batches(_ROWS_READ)

    def _file(self, name: str) -> Path:
        return Path(self._folder.name) / f"{name}.parquet"
