"""`publish_simulated`: a simulated table goes through an ingest like anybody's, by way of a Parquet file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.demo.simulation import TRUTH, SimulatedTable
from skydex.formats import get_format
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory
from skydex.tables import Result

__all__ = ["publish_simulated"]


def publish_simulated(simulated: SimulatedTable, directory: ArchiveDirectory, folder: Path, *, label: str) -> int:
    """Ingest a simulated table, or keep it beside the archive if it is part of the truth.

    Parameters
    ----------
    simulated : SimulatedTable
        The table; its batches are used up.
    directory : ArchiveDirectory
        Where it is published; the truth goes into its folder `truth`.
    folder : Path
        For the file in between, which is removed.
    label : str
        What made it, for the description: simulator, version and seed.

    Returns
    -------
    n_rows : int
        Rows stored.
    """
    schema, _, bare = simulated.name.partition(".")
    result = Result(simulated.columns, simulated.batches, simulated.name, _described(simulated, label))
    if schema == TRUTH:
        return _written(result, directory.path / TRUTH / f"{bare}.parquet")
    file = folder / f"{simulated.name}.parquet"
    try:
        _written(result, file)
        options = {**simulated.options, "description": result.description}
        return ingest_files([file], directory, simulated.name, **options).n_stored
    finally:
        file.unlink(missing_ok=True)
        pa.default_memory_pool().release_unused()


def _described(simulated: SimulatedTable, label: str) -> str:
    """The description, with what is simulated and what is not in plain sight."""
    if simulated.is_real:
        return f"NOT SIMULATED. {simulated.description}"
    n_real = sum(len(printed.values) for printed in simulated.printed)
    but = f", but for {_counted(n_real)} that publications printed (see demo.printed_rows)" if n_real else ""
    return f"SIMULATED by {label}{but}. {simulated.description}"


def _counted(n_rows: int) -> str:
    return "1 row" if n_rows == 1 else f"{n_rows:,} rows"


def _written(result: Result, file: Path) -> int:
    """Write a Parquet file; gives the number of its rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write = get_format("parquet").write
    assert write is not None
    with file.open("wb") as stream:
        stream.writelines(write(result))
    return int(pq.read_metadata(file).num_rows)
