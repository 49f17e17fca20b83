"""What the tests of formats share: results made of columns of values, and STILTS where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skydex.tables import Column, Result, arrow_schema


@pytest.fixture
def result_of() -> Callable[..., Result]:
    """Make a result from (column, values) pairs."""

    def make(*pairs: tuple[Column, list[Any]], **facts: Any) -> Result:
        columns = tuple(column for column, _ in pairs)
        schema = arrow_schema(columns)
        arrays = [pa.array(values, kind) for (_, values), kind in zip(pairs, schema.types, strict=True)]
        return Result(columns, iter([pa.RecordBatch.from_arrays(arrays, schema=schema)]), **facts)

    return make


@pytest.fixture(scope="session")
def stilts() -> Callable[..., str]:
    """Run STILTS; skips where it is not installed."""
    command = shutil.which("stilts")
    if command is None:
        pytest.skip("STILTS is not installed")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
