"""Scenes: how many photons of each source each stack has counted, as truth beside the archive.

Rows are those of a source in a stack; those of one stack follow one another. Numbers are what observations have counted
in the aperture of a source, less what is expected of the background there: what the tables are made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.demo.cameras.truth import rows_between
from skydex.demo.csc21.fields import Sky
from skydex.demo.csc21.measures import first_of_groups, summed
from skydex.demo.csc21.sources import BANDS, Block, Looks, blocks, looks_at, sources_at
from skydex.demo.simulation import TRUTH
from skydex.demo.size import Size

__all__ = ["PARTS_OF_BROAD", "Scene", "read_scene", "write_scenes"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PARTS_OF_BROAD = "hms"
"""Bands that together are the broad one."""
_SCENES = "csc21_scenes"
_COLUMNS = ("ra", "dec", "theta", "is_extended", *(f"counts_{band}" for band in BANDS[1:]))


@dataclass(frozen=True)
class Scene:
    """What a stack has counted; arrays of shape (n,) of its sources."""

    ra_deg: Floats
    dec_deg: Floats
    theta_arcmin: Floats
    """Off-axis angle, the mean of its observations."""
    is_extended: NDArray[np.bool_]
    counts: dict[str, Integers]
    """By band; the broad one is the sum of its parts."""


def read_scene(archive: Path, first: int, end: int) -> Scene:
    """The scene of a stack, which stands in some rows; `StoreError` if it is not there any more."""
    rows = rows_between(archive / TRUTH / f"{_SCENES}.parquet", _COLUMNS, first, end)
    counts = {band: rows[f"counts_{band}"] for band in BANDS[1:]}
    return Scene(rows["ra"], rows["dec"], rows["theta"], rows["is_extended"], counts)


def write_scenes(archive: Path, sky: Sky, size: Size, seed: int) -> Integers:
    """Write the scenes of all stacks beside an archive; give the number of rows of each stack, (n_stacks,)."""
    n_rows = np.zeros(len(sky.stacks), np.int64)
    writer = None
    try:
        for stack, rows in _scenes(sky, size, seed):
            n_rows += np.bincount(stack, minlength=len(n_rows))
            writer = writer or pq.ParquetWriter(archive / TRUTH / f"{_SCENES}.parquet", rows.schema)
            writer.write_table(rows)
    finally:
        if writer:
            writer.close()
    return n_rows


def _scenes(sky: Sky, size: Size, seed: int) -> Iterator[tuple[Integers, pa.Table]]:
    """Rows of whole fields, ascending by stack, and the stack of each."""
    for part in blocks(sky, size, seed):
        block = sources_at(sky, *part, seed=seed)
        yield _rows(sky, block, looks_at(sky, block, seed=seed))


def _rows(sky: Sky, block: Block, looks: Looks) -> tuple[Integers, pa.Table]:
    stack = sky.observations.stack[looks.observation]
    firsts = first_of_groups(looks.source, stack)
    n_looks = np.diff(np.append(firsts, len(looks)))
    net = np.where(looks.exposure > 0, looks.counts - looks.background, 0.0)
    counts = np.maximum(np.rint(summed(net, firsts)), 0).astype(np.int64)
    source = looks.source[firsts]
    columns = {
        "ra": block.ra[source],
        "dec": block.dec[source],
        "theta": summed(looks.theta, firsts) / n_looks,
        "is_extended": block.is_extended[source],
        **{f"counts_{band}": counts[:, number] for number, band in enumerate(BANDS) if number},
    }
    order = np.argsort(stack[firsts], kind="stable")
    return stack[firsts][order], pa.table({name: values[order] for name, values in columns.items()})
