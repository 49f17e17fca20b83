"""A MyDB with nothing in it, and rows to put there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from skydex.mydb import MyDB, Quota
from skydex.tables import Column, Datatype, arrow_schema

MB = 1 << 20
COLUMNS = (
    Column("MatchID", Datatype.LONG, ucd="meta.id;meta.main", description="Number"),
    Column("MatchRA", Datatype.DOUBLE, unit="deg"),
    Column("MatchDec", Datatype.DOUBLE, unit="deg"),
    Column("A_F606W", Datatype.FLOAT, unit="mag"),
    Column("Class", Datatype.CHAR, arraysize="*"),
)


class Rows:
    """Makes rows of `COLUMNS`, each number once."""

    columns = COLUMNS

    def __init__(self) -> None:
        self.made = 0

    def __call__(
        self, n: int, *, ra: tuple[float, float] = (0.0, 360.0), text: str = "variable"
    ) -> list[pa.RecordBatch]:
        rng = np.random.default_rng(self.made)
        numbers = np.arange(self.made, self.made + n)
        self.made += n
        arrays = [
            pa.array(numbers),
            pa.array(rng.uniform(*ra, n)),
            pa.array(rng.uniform(-90, 90, n)),
            pa.array(rng.normal(22, 1, n).astype("f4")),
            pa.array([text] * n, pa.string()),
        ]
        return pa.Table.from_arrays(arrays, schema=arrow_schema(COLUMNS)).to_batches(max_chunksize=1000)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def mydb(tmp_path: Path) -> MyDB:
    return MyDB(tmp_path / "mydb" / "123456789", Quota(200 * MB, 50), owner="alice")


@pytest.fixture
def read():
    """All rows of a table, in the order of their numbers."""

    def read_table(mydb: MyDB, name: str) -> pa.Table:
        dataset = mydb.open(name)
        names = [column.name for column in dataset.table.columns]
        pieces = [dataset.read(piece, names) for piece in dataset.select(None).pieces]
        empty = dataset.arrow_schema.empty_table().select(names)
        return pa.concat_tables([empty, *pieces]).sort_by(names[0])

    return read_table
