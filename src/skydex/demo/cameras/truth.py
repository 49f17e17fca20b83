"""Rows of the truth of an archive, which stands beside it as Parquet: those that an image is made of, and no others.

Row groups that were read are kept, a few at a time, for as long as their file is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.errors import StoreError

__all__ = ["read_rows", "rows_between"]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """All rows of a small table."""
    return iter(pq.read_table(path).to_pylist())


def rows_between(path: Path, columns: tuple[str, ...], first: int, end: int) -> Mapping[str, NDArray[Any]]:
    """Rows `first` to `end - 1` of some columns, by column.

    Raises
    ------
    StoreError
        The table is not there, or damaged.
    """
    try:
        version = path.stat().st_mtime_ns
        starts = _starts(path, version)
        lowest = min(int(np.searchsorted(starts, first, "right")) - 1, len(starts) - 2)
        groups = range(lowest, max(int(np.searchsorted(starts, end, "left")), lowest + 1))
        parts = [_group(path, version, columns, group) for group in groups]
    except (OSError, pa.ArrowException) as error:
        raise StoreError("What is simulated in this archive has lost its truth.") from error
    offset = int(starts[groups[0]])
    return {name: np.concatenate([part[name] for part in parts])[first - offset : end - offset] for name in columns}


@lru_cache(16)
def _starts(path: Path, version: int) -> NDArray[np.int64]:
    """Number of the first row of each group, and of the end."""
    facts = pq.read_metadata(path)
    return np.cumsum([0, *(facts.row_group(n).num_rows for n in range(facts.num_row_groups))])


@lru_cache(16)
def _group(path: Path, version: int, columns: tuple[str, ...], group: int) -> Mapping[str, NDArray[Any]]:
    with pq.ParquetFile(path) as file:
        found = file.read_row_group(group, columns=list(columns))
    return {name: found[name].to_numpy() for name in columns}
