"""`Sources`: what an image shows; they stand in the truth of the archive, in a file for each group of images.

A group is a field; its file is Parquet, with a row group for each image.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.demo.simulation import TRUTH
from skydex.errors import StoreError

__all__ = ["Sources", "SourcesWriter", "read_sources"]

Floats = NDArray[np.float64]

_SCHEMA = pa.schema(
    [
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("mag", pa.float32()),
        ("ray_mag", pa.float32()),
        ("galaxy", pa.int32()),
        ("source_id", pa.int64()),
    ]
)


@dataclass(frozen=True, eq=False)
class Sources:
    """What an image shows, an array of `n` values each."""

    x: Floats
    """Pixels from 0."""
    y: Floats
    """Pixels from 0."""
    mag: NDArray[np.float32]
    """AB magnitude within the aperture, without cosmic rays."""
    ray_mag: NDArray[np.float32]
    """AB magnitude of the cosmic ray that hit it; NaN if none did."""
    galaxy: NDArray[np.int32]
    """Number of a galaxy in its field; -1 for a star."""
    source_id: NDArray[np.int64]
    """`SourceID` of the catalogue; 0 for what is not in it."""

    def __len__(self) -> int:
        return len(self.x)


class SourcesWriter:
    """Writes the sources of a group's images, one after the other."""

    def __init__(self, archive: Path, group: str) -> None:
        file = _file(archive, group)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(file, _SCHEMA)
        self._n_images = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, sources: Sources) -> int:
        """Write those of an image; give its number in the group."""
        rows = pa.table({field.name: getattr(sources, field.name) for field in fields(sources)}, schema=_SCHEMA)
        self._writer.write_table(rows, row_group_size=max(1, len(rows)))
        self._n_images += 1
        return self._n_images - 1


def read_sources(archive: Path, group: str, number: int) -> Sources:
    """The sources of an image.

    Parameters
    ----------
    archive : Path
        The archive.
    group : str
        The group of the image.
    number : int
        Its number in the group.

    Raises
    ------
    StoreError
        They are not there any more.
    """
    try:
        with pq.ParquetFile(_file(archive, group)) as file:
            rows = file.read_row_group(number)
    except (OSError, pa.ArrowException) as error:
        raise StoreError("The truth that a simulated image is made of is not there any more.") from error
    return Sources(**{name: rows[name].to_numpy() for name in _SCHEMA.names})


def _file(archive: Path, group: str) -> Path:
    return archive / TRUTH / "hsc_scenes" / f"{group}.parquet"
