"""Catalogues behind a web server on this machine that can be made to fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from tests.rangeserver import RangeServer, serving

from skydex.store import Dataset, Layout, RemoteAccess

LAYOUT = Layout(rows_per_partition=500, rows_per_group=100)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[RangeServer]:
    (tmp_path / "web").mkdir()
    with serving(tmp_path / "web") as server:
        yield server


@pytest.fixture
def access(tmp_path: Path) -> RemoteAccess:
    """Quick to repeat, and with a cache."""
    return RemoteAccess(cache_directory=tmp_path / "cache", cache_bytes=64 << 20, pause_s=0.005, time_s=2.0)


@pytest.fixture
def own(writer, web) -> Dataset:
    """A catalogue of ours that is served as `own`, opened where it lies."""
    local = writer.dataset(writer.scattered(4_000), layout=LAYOUT)
    shutil.copytree(local.directory, web.root / "own")
    return local


@pytest.fixture
def foreign(shared_data, web) -> Path:
    """A catalogue of others that is served as `foreign`; where it lies."""
    shutil.copytree(shared_data / "hats/small_sky_order3_source", web.root / "foreign")
    return web.root / "foreign"


def rows_of(dataset: Dataset, columns: list[str] | None = None) -> pa.Table:
    pieces = dataset.select(None).pieces
    return pa.concat_tables([dataset.read(piece, columns or dataset.arrow_schema.names) for piece in pieces])
