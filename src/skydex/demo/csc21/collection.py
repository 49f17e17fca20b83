"""`simulate_csc21`: the tables of the Chandra Source Catalog 2.1, from sources that are looked at.

Master sources are what all observations of a source tell together, stack sources what one stack tells, and
observation sources what one observation tells (Evans et al. 2010, ApJS 189, 37, section 2; release 2 added stacks).
The eleven sources near NGC 1333 that a document prints have its values in the columns that it prints and no others;
what stacks and observations tell of them is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.demo.chance import stream
from skydex.demo.columns import read_columns
from skydex.demo.csc21.detections import observation_rows, pairs_of, stack_observation_rows, stack_rows
from skydex.demo.csc21.examples import EXAMPLES, FOREIGN_KEYS
from skydex.demo.csc21.fields import Sky, make_sky
from skydex.demo.csc21.master import association_rows, master_rows
from skydex.demo.csc21.pointings import image_rows, obscore_rows, stack_list_rows
from skydex.demo.csc21.sources import Block, Looks, blocks, looks_at, sources_at
from skydex.demo.publications import printed_in
from skydex.demo.simulation import Printed, SimulatedTable, batch_of
from skydex.demo.size import Size
from skydex.tables import OBSCORE_UTYPE, Column, Datatype

__all__ = ["simulate_csc21"]

Rows = Mapping[str, Any]
Make = Callable[[np.random.Generator, Sky, Block, Looks], Rows]
"""Makes the rows of a table for one block of sources."""

_DOUBLE, _BOOLEAN = Datatype.DOUBLE, Datatype.BOOLEAN


def simulate_csc21(size: Size, seed: int) -> Iterator[SimulatedTable]:
    """Make the collection `csc21` and what is true of it."""
    sky = make_sky(size, seed)
    cone = tuple(column.name for column in read_columns("csc21/cone"))
    by_position = {"ra": "ra", "dec": "dec"}
    of_sources = partial(_of_blocks, sky, size, seed)
    printed = (printed_in(read_columns("csc21/cone"), "csc21_ngc1333", identifier="name"),)
    yield of_sources(
        "cone",
        "Sources with the columns of a cone search: a short form of csc21.master_source, with the same rows.",
        lambda rng, sky, block, looks: _only(cone, master_rows(rng, sky, block, looks)),
        {**by_position, "id": "name"},
        printed,
        stream_name="master_source",
    )
    yield of_sources(
        "master_source",
        "Sources on the sky in the manner of the Chandra Source Catalog 2.1: one row for each, from all observations.",
        master_rows,
        {**by_position, "id": "name", "principal": list(cone)},
        printed,
    )
    yield of_sources(
        "stack_source",
        "Detections in stacks of observations, one row for each source and stack.",
        stack_rows,
        by_position,
    )
    yield of_sources(
        "observation_source",
        "What each observation tells of each source that its stack detects.",
        observation_rows,
        by_position,
    )
    no_position = {"position": "none"}
    yield of_sources(
        "master_stack_assoc", "Which detections in stacks belong to which source.", association_rows, no_position
    )
    yield of_sources(
        "stack_observation_assoc",
        "Which detections in observations belong to which detection in a stack.",
        stack_observation_rows,
        no_position,
    )
    n_detected = _n_detected(sky, size, seed)
    for name, what in (
        ("detect_stack", "Stacks of observations of one field with one instrument, in which sources were detected."),
        (
            "valid_stack",
            "Stacks whose detections were checked and found valid; simulated: those with three detections.",
        ),
        ("likely_stack", "Stacks that are likely to hold a source; simulated: those with a detection."),
    ):
        yield _whole(
            name,
            what,
            stack_list_rows(name, sky, n_detected),
            {**by_position, "id": "detect_stack_id"},
        )
    yield _whole(
        "image", "Images of the stacks, one for each band.", image_rows(sky), {**by_position, "id": "image_id"}
    )
    yield _whole(
        "ObsCore",
        "The observations as ObsCore 1.1 describes data.",
        obscore_rows(sky),
        {
            "ra": "s_ra",
            "dec": "s_dec",
            "id": "obs_publisher_did",
            "utype": OBSCORE_UTYPE,
            "columns": {"s_ra": {"ucd": "pos.eq.ra"}, "s_dec": {"ucd": "pos.eq.dec"}},  # without the usual meta.main
        },
    )
    yield from _truth(sky, size, seed)


def _of_blocks(
    sky: Sky,
    size: Size,
    seed: int,
    name: str,
    description: str,
    make: Make,
    options: Mapping[str, Any],
    printed: tuple[Printed, ...] = (),
    *,
    stream_name: str | None = None,
) -> SimulatedTable:
    """A table that is made block by block."""
    columns = read_columns(f"csc21/{name}")

    def batches() -> Iterator[pa.RecordBatch]:
        for block, looks in _seen(sky, size, seed):
            rng = stream(seed, "csc21", stream_name or name, block.number)
            yield _batch(columns, make(rng, sky, block, looks))

    return _table(name, description, columns, batches(), options, printed)


def _whole(name: str, description: str, rows: Rows, options: Mapping[str, Any]) -> SimulatedTable:
    """A table that is made at once."""
    columns = read_columns(f"csc21/{name}")
    return _table(name, description, columns, iter([_batch(columns, rows)]), options)


def _table(
    name: str,
    description: str,
    columns: tuple[Column, ...],
    batches: Iterator[pa.RecordBatch],
    options: Mapping[str, Any],
    printed: tuple[Printed, ...] = (),
) -> SimulatedTable:
    about = {"foreign_keys": FOREIGN_KEYS.get(name, ()), "examples": EXAMPLES.get(name, ())}
    return SimulatedTable(f"csc21.{name}", description, columns, batches, {**about, **options}, printed)


def _seen(sky: Sky, size: Size, seed: int) -> Iterator[tuple[Block, Looks]]:
    for part in blocks(sky, size, seed):
        block = sources_at(sky, *part, seed=seed)
        yield block, looks_at(sky, block, seed=seed)


def _batch(columns: tuple[Column, ...], rows: Rows) -> pa.RecordBatch:
    """A batch of arrays that are all of one length."""
    by_name = {column.name: column for column in columns}
    shaped = {name: _shaped(values, by_name[name]) for name, values in rows.items()}
    return batch_of(columns, shaped, len(next(iter(rows.values()))))


def _shaped(values: Any, column: Column) -> Any:
    """Flags are made as numbers, so that NaN can say that there is none."""
    if column.datatype is Datatype.BOOLEAN and isinstance(values, np.ndarray) and values.dtype != bool:
        return pa.array(values, from_pandas=True).cast(pa.bool_())
    return values


def _only(names: tuple[str, ...], rows: Rows) -> Rows:
    return {name: rows[name] for name in names}


def _n_detected(sky: Sky, size: Size, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many detections each stack has."""
    counts = np.zeros(len(sky.stacks), np.int64)
    for block, looks in _seen(sky, size, seed):
        pairs = pairs_of(sky, block, looks)
        counts += np.bincount(pairs.stack[pairs.is_detected], minlength=len(counts))
    return counts


_TRUTH_OF_SOURCES = (
    Column("name", Datatype.CHAR, "22*"),
    Column("ra", _DOUBLE, unit="deg"),
    Column("dec", _DOUBLE, unit="deg"),
    Column("flux", _DOUBLE, unit="mW.m**-2", description="Mean energy flux, broad band"),
    Column("gamma", _DOUBLE, description="Photon index"),
    Column("nh", _DOUBLE, unit="10**20.cm**-2"),
    Column("varies_within", _BOOLEAN),
    Column("varies_between", _BOOLEAN),
    Column("is_extended", _BOOLEAN),
    Column("is_printed", _BOOLEAN),
)
_TRUTH_OF_LOOKS = (
    Column("name", Datatype.CHAR, "22*"),
    Column("obsid", Datatype.INT),
    Column("factor", _DOUBLE, description="Flux in this observation relative to the mean"),
)
_TRUTH_OF_OBSERVATIONS = (
    Column("obsid", Datatype.INT),
    Column("detect_stack_id", Datatype.CHAR, "28*"),
    Column("detector", Datatype.CHAR, "8*"),
    Column("ra", _DOUBLE, unit="deg"),
    Column("dec", _DOUBLE, unit="deg"),
    Column("roll", _DOUBLE, unit="deg"),
    Column("exposure", _DOUBLE, unit="s"),
    Column("mjd", _DOUBLE, unit="d", description="Start, UTC"),
)


def _truth(sky: Sky, size: Size, seed: int) -> Iterator[SimulatedTable]:
    """What is true of sources, of each look at them, and of the observations."""

    def of_sources() -> Iterator[pa.RecordBatch]:
        for block, _ in _seen(sky, size, seed):
            rows = {name: getattr(block, name) for name in ("ra", "dec", "flux", "gamma", "nh", "varies_within")}
            rows |= {"name": block.names, "varies_between": block.varies_between, "is_extended": block.is_extended}
            yield batch_of(_TRUTH_OF_SOURCES, {**rows, "is_printed": block.printed >= 0}, len(block))

    def of_looks() -> Iterator[pa.RecordBatch]:
        for block, looks in _seen(sky, size, seed):
            varied = np.flatnonzero(block.varies_between[looks.source])
            names = pc.take(block.names, pa.array(looks.source[varied]))
            obsid = sky.observations.obsid[looks.observation[varied]]
            yield batch_of(
                _TRUTH_OF_LOOKS, {"name": names, "obsid": obsid, "factor": looks.factor[varied]}, len(varied)
            )

    seen = sky.observations
    observations = {name: getattr(seen, name) for name in ("obsid", "detector", "ra", "dec", "roll", "exposure", "mjd")}
    observations["detect_stack_id"] = sky.stacks.ids.take(pa.array(seen.stack))
    whole = iter([batch_of(_TRUTH_OF_OBSERVATIONS, observations, len(seen))])
    yield SimulatedTable("truth.csc21_sources", "What is true of each source.", _TRUTH_OF_SOURCES, of_sources())
    yield SimulatedTable(
        "truth.csc21_looks", "Fluxes of variable sources in each observation.", _TRUTH_OF_LOOKS, of_looks()
    )
    yield SimulatedTable(
        "truth.csc21_observations", "Where and when the telescope looked.", _TRUTH_OF_OBSERVATIONS, whole
    )
