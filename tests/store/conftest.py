"""A small sky to write: rows with every datatype, positions where geometry is hardest, and a short way to publish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from healpix_geo import nested
from numpy.typing import NDArray

from skydex.store import Dataset, Layout, Staging, WriteReport, open_dataset
from skydex.tables import Column, Datatype, Position, Table, arrow_schema

COLUMNS = (
    Column("id", Datatype.LONG, ucd="meta.id;meta.main", description="Number of the object"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
    Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
    Column("mag", Datatype.FLOAT, unit="mag", ucd="phot.mag;em.opt.R"),
    Column("flags", Datatype.SHORT),
    Column("good", Datatype.BOOLEAN),
    Column("name", Datatype.CHAR, arraysize="*"),
    Column("seen", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
    Column("spectrum", Datatype.FLOAT, arraysize="*", unit="Jy"),
)
TABLE = Table("sky.objects", COLUMNS, "A small sky.", Position("ra", "dec"), "id")


def index29(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """The index as another library gives it."""
    from astropy.coordinates import Latitude, Longitude

    return nested.lonlat_to_healpix(Longitude(ra_deg, "deg"), Latitude(dec_deg, "deg"), 29).astype(np.int64)


def make_rows(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], *, seed: int = 0) -> pa.Table:
    """Rows of `TABLE` at given positions, with some nulls."""
    rng = np.random.default_rng(seed)
    n = len(ra_deg)
    spectra = [None if i % 7 == 0 else [float(i), float(i) / 2][: i % 3] for i in range(n)]
    values = {
        "_healpix_29": pa.array(index29(ra_deg, dec_deg)),
        "id": np.arange(n),
        "ra": ra_deg,
        "dec": dec_deg,
        "mag": pa.array(rng.normal(20, 1, n).astype("f4"), mask=rng.random(n) < 0.1),
        "flags": rng.integers(0, 9, n).astype("i2"),
        "good": pa.array(rng.random(n) < 0.5),
        "name": pa.array([None if i % 11 == 0 else f"J{i:05d}" for i in range(n)], pa.string()),
        "seen": pa.array(rng.integers(0, 2**50, n), pa.timestamp("us")),
        "spectrum": pa.array(spectra, pa.list_(pa.float32())),
    }
    schema = arrow_schema(COLUMNS).insert(0, pa.field("_healpix_29", pa.int64()))
    return pa.table(values, schema=schema)


def scattered(n: int, *, seed: int = 1) -> pa.Table:
    """Rows all over the sky, the poles and both sides of RA 0 among them."""
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    edges = np.array([[0, 90], [0, -90], [0, 0], [359.9999999, 0], [45, 41.8103149], [180, 0]], float)[:n]
    ra[: len(edges)], dec[: len(edges)] = edges.T
    return make_rows(ra, dec, seed=seed)


class Writer:
    """Ways to write a data set and open it."""

    TABLE = TABLE
    scattered = staticmethod(scattered)
    make_rows = staticmethod(make_rows)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def report(
        self,
        rows: pa.Table,
        table: Table = TABLE,
        layout: Layout | None = None,
        *,
        pieces: int = 1,
        name: str = "staged",
    ) -> WriteReport:
        with Staging.open(self.folder / name, table=table, layout=layout or Layout()) as staging:
            size = -(-len(rows) // pieces) if len(rows) else 0
            for piece in range(pieces):
                staging.add(f"piece {piece}", rows.slice(piece * size, size))
            return staging.finish()

    def dataset(self, rows: pa.Table, table: Table = TABLE, layout: Layout | None = None, **options: int) -> Dataset:
        return open_dataset(self.report(rows, table, layout, **options).directory, name=table.name)

    @staticmethod
    def all_rows(dataset: Dataset) -> pa.Table:
        """Every row of a data set, as pyarrow reads the files."""
        parts = [dataset.open_file(p.file).read_row_groups(list(p.groups)) for p in dataset.select(None).pieces]
        plain = dataset.arrow_schema.remove_metadata()
        return pa.concat_tables([part.replace_schema_metadata(None) for part in parts] or [plain.empty_table()])


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


@pytest.fixture
def sort_by_id() -> Callable[[pa.Table], pa.Table]:
    return lambda rows: rows.sort_by("id").combine_chunks()
