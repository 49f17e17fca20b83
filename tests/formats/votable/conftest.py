"""A table with everything in it that has ever gone wrong in a VOTable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from skydex.tables import Column, Datatype, Result, arrow_schema

NASTY = (
    Column("2nd name", Datatype.CHAR, arraysize="22*", ucd="meta.id;meta.main", description='A <b>&\x07 "quote"'),
    Column("E(B-V)", Datatype.DOUBLE, unit="mag"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
    Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
    Column("ra", Datatype.FLOAT),
    Column("flags", Datatype.UNSIGNED_BYTE),
    Column("n", Datatype.SHORT),
    Column("count", Datatype.INT),
    Column("id", Datatype.LONG),
    Column("is_var", Datatype.BOOLEAN),
    Column("greek", Datatype.UNICODE_CHAR, arraysize="*"),
    Column("band", Datatype.CHAR),
    Column("t", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
    Column("flux", Datatype.DOUBLE, arraysize="3"),
    Column("mjds", Datatype.FLOAT, arraysize="*"),
    Column("bits", Datatype.BOOLEAN, arraysize="2"),
)
ARRAYS = ([1.0, 2.0, 3.0], [0.5, 0.25], [True, False])
ROWS = [
    ["<TD>&amp; ]]>", 0.1, 10.0, -0.5, 1.5, 255, -3, 7, 2**60, True, "α Cen", "g", dt.datetime(2015, 1, 1), *ARRAYS],
    [None] * 16,
    ["", 1e-300, 359.9, 90.0, 0.0, 0, 0, 0, 0, False, "", "z", dt.datetime(1999, 1, 1, 2, 3, 4, 500), *ARRAYS],
]


@pytest.fixture
def nasty_rows() -> list[list[object]]:
    return ROWS


@pytest.fixture
def make_result() -> Callable[..., Result]:
    """Make a result of the nasty table, its rows in batches of any size."""

    def make(*, n_rows: int = 3, batch_rows: int = 2, overflow: bool = False, **facts: object) -> Result:
        schema = arrow_schema(NASTY)
        rows = (ROWS * (n_rows // 3 + 1))[:n_rows]
        arrays = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(schema.types)]
        whole = pa.RecordBatch.from_arrays(arrays, schema=schema)

        def batches() -> Iterator[pa.RecordBatch]:
            for start in range(0, n_rows, batch_rows):
                yield whole.slice(start, batch_rows)
            result.overflow = overflow

        result = Result(NASTY, batches(), **facts)
        return result

    return make
