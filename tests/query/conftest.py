"""A small namespace of tables in memory."""

from __future__ import annotations

import pyarrow as pa
import pytest

from skydex.query import Namespace, Relation
from skydex.tables import Column, Datatype, Position, Table, arrow_schema

STARS = Table(
    "sky.stars",
    (
        Column("id", Datatype.LONG, ucd="meta.id;meta.main", description="Name of the star"),
        Column("raMean", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("decMean", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("mag", Datatype.FLOAT, unit="mag", ucd="phot.mag;em.opt.V", description="Mean magnitude"),
        Column("name", Datatype.CHAR, arraysize="12*"),
        Column("is_variable", Datatype.BOOLEAN),
        Column("observed", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
        Column("filterID", Datatype.SHORT),
    ),
    position=Position("raMean", "decMean"),
    id_column="id",
)
BANDS = Table(
    "sky.bands",
    (
        Column("filterID", Datatype.SHORT),
        Column("filterType", Datatype.CHAR, arraysize="1*"),
        Column("size", Datatype.INT),
    ),
)


@pytest.fixture(scope="session")
def namespace() -> Namespace:
    import datetime as dt

    stars = {
        "id": [1, 2, 3, 4],
        "raMean": [10.0, 10.5, 350.0, None],
        "decMean": [-5.0, -5.5, 80.0, None],
        "mag": [12.5, None, 15.0, 16.0],
        "name": ["Mira", "mira", None, "o'Neil"],
        "is_variable": [True, False, None, True],
        "observed": [dt.datetime(2015, 1, 1), dt.datetime(2016, 6, 1, 12), None, dt.datetime(2014, 1, 1)],
        "filterID": [1, 2, 1, 3],
    }
    bands = {"filterID": [1, 2, 4], "filterType": ["g", "r", "z"], "size": [7, 8, 9]}
    return Namespace(
        [
            Relation(STARS, pa.table(stars, schema=arrow_schema(STARS.columns))),
            Relation(BANDS, pa.table(bands, schema=arrow_schema(BANDS.columns))),
        ]
    )
