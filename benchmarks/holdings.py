"""The archive that is asked: simulated catalogues, published once and used again as long as the store is the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from benchmarks import simulated
from skydex import store
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory

__all__ = ["Holdings", "Setup", "duckdb_beside", "store_digest"]

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
        self.directory = setup.cache / f"archive-{store_digest()}"
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


def store_digest() -> str:
    """Names the code that writes archives."""
    digest = hashlib.sha256()
    for module in sorted(Path(store.__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:12]
