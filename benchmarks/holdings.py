"""The archive that is asked: simulated catalogues, published once and used again as long as the store is the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import duckdb
import pyarrow.parquet as pq

from benchmarks import simulated
from skydex import demo, store
from skydex.demo.publishing import publish_simulated
from skydex.demo.simulation import Simulate
from skydex.demo.size import SIZES
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory

__all__ = ["Holdings", "Setup", "duckdb_beside", "simulated_collection"]

N_SOURCES = 406_089
"""Rows of the sources, as many as a catalogue of the documents has."""
N_FIELD = 2_000_000
"""Rows of the deep field."""


@dataclass(frozen=True)
class Setup:
    """What a run is asked for."""

    cache: Path
    """Where files are made and kept."""
    rows: int = 10_000_000
    """Rows of the largest catalogue."""
    is_long: bool = False
    """Whether 10^8 rows are measured too."""

    @property
    def sizes(self) -> list[int]:
        """Numbers of rows of the catalogues of the whole sky."""
        sizes = [10**power for power in range(5, 8) if 10**power <= self.rows] or [self.rows]
        return [*sizes, 10**8] if self.is_long else sizes


class Holdings:
    """Published simulated catalogues."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.directory = setup.cache / f"archive-{_digest(store)}"
        for old in setup.cache.glob("archive-*"):
            if old != self.directory:
                shutil.rmtree(old)
        self._archive = ArchiveDirectory.create(self.directory)

    def sky(self, n_rows: int) -> str:
        """Name of a catalogue of the whole sky."""
        return self._published(f"sim.sky_{n_rows}", lambda: simulated.sky(n_rows, self._setup.cache))

    def second_sky(self, n_rows: int) -> str:
        """Name of another survey's catalogue of the same whole sky."""
        return self._published(f"sim.second_sky_{n_rows}", lambda: simulated.second_sky(n_rows, self._setup.cache))

    def decimal_sky(self, n_rows: int) -> str:
        """Name of a catalogue of the whole sky, every column rounded."""
        name = f"sim.decimal_sky_{n_rows}"
        return self._published(name, lambda: simulated.decimal_sky(n_rows, self._setup.cache))

    @property
    def n_field(self) -> int:
        """Rows of the deep field."""
        return min(N_FIELD, self._setup.rows)

    def field(self) -> str:
        """Name of the catalogue of the deep field."""
        return self._published(f"sim.field_{self.n_field}", lambda: simulated.field(self.n_field, self._setup.cache))

    def sources(self) -> str:
        """Name of the catalogue of sources."""
        return self._published("sim.sources", self._sources_file)

    def hats_path(self, name: str) -> str:
        """A table as the HATS catalogue that it is."""
        return str(self._archive.hats_path(name))

    def glob(self, name: str) -> str:
        """The files of a table, as another engine would be told of them."""
        return f"{self.hats_path(name)}/dataset/Norder=*/Dir=*/Npix=*.parquet"

    def _published(self, name: str, make_file: Callable[[], Path]) -> str:
        if name not in {entry.name for entry in self._archive.tables()}:
            about = "Simulated for benchmarks: no row is an observation."
            ingest_files([make_file()], self._archive, name, description=about)
        return name

    def _sources_file(self) -> Path:
        file = self._setup.cache / "sources.parquet"
        pq.write_table(simulated.sources(N_SOURCES), file)
        return file


def duckdb_beside() -> duckdb.DuckDBPyConnection:
    """DuckDB as an informed user would set it up: all cores, and footers of files kept."""
    connection = duckdb.connect()
    connection.execute("SET parquet_metadata_cache = true")
    return connection


def simulated_collection(setup: Setup, name: str, simulate: Simulate, tables: Collection[str]) -> Path:
    """An archive of some tables of the demonstration at the size of the documents, with its services.

    It is made once, and again when the store or the simulator has changed.

    Parameters
    ----------
    setup : Setup
        Where it is kept.
    name : str
        What it is called there.
    simulate : Simulate
        Makes the collection.
    tables : collection of str
        Which of its tables are needed.
    """
    directory = setup.cache / f"{name}-{_digest(store)}-{_digest(demo)}"
    for old in setup.cache.glob(f"{name}*"):
        if old != directory:
            shutil.rmtree(old)
    archive = ArchiveDirectory.create(directory)
    there = {entry.name for entry in archive.tables()}
    if not there.issuperset(tables):
        for table in simulate(SIZES["seed"], 1):
            if table.name in tables:
                publish_simulated(table, archive, setup.cache, label="benchmarks")
    (directory / "services.toml").write_bytes((files(demo) / "services.toml").read_bytes())
    return directory


def _digest(room: ModuleType) -> str:
    """Names the files of a room: what it does changes only with them."""
    folder = Path(str(room.__file__)).parent
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".csv", ".yaml")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
