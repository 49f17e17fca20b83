"""A few stored rows, so that either engine can be asked, with a null in each column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from skydex.engines import ScanEngine
from skydex.engines.duckdb import DuckDBEngine
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, arrow_schema

STARS = Table(
    "sky.stars",
    (
        Column("id", Datatype.LONG, ucd="meta.id;meta.main"),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("x", Datatype.DOUBLE, unit="Jy"),
        Column("n", Datatype.SHORT),
        Column("word", Datatype.CHAR, arraysize="30*"),
        Column("seen", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
        Column("spot", Datatype.DOUBLE, arraysize="2", unit="deg", xtype="point"),
        Column("span", Datatype.DOUBLE, arraysize="2", xtype="interval"),
        Column("ring", Datatype.DOUBLE, arraysize="3", unit="deg", xtype="circle"),
    ),
    position=Position("ra", "dec"),
    id_column="id",
)


@pytest.fixture(scope="session")
def rows() -> pa.Table:
    values = {
        "id": [1, 2, 3, 4, 5],
        "ra": [1.0, 359.0, 120.0, 266.4, 10.0],
        "dec": [1.0, -1.0, -23.0, -28.9, 90.0],
        "x": [-1.0, 0.0, 1.5, 3.0, None],
        "n": [0, 1, 2, None, 4],
        "word": ["red#Green#blue", "Miller and Urey have", "Aleph", "aleph", None],
        "seen": [dt.datetime(2000, 1, 2, 12), dt.datetime(1910, 12, 31, 6), dt.datetime(2026, 1, 1), None, None],
        "spot": [[1.0, 1.0], [359.0, -1.0], [120.0, -23.0], None, [10.0, 90.0]],
        "span": [[1.0, 2.0], [0.0, 0.0], [2.0, 1.0], [3.0, float("inf")], None],
        "ring": [[120.0, -23.0, 3.0], None, [0.0, 90.0, 1.0], [0.0, 0.0, 0.5], [1.0, 2.0, 3.0]],
    }
    return pa.table(values, schema=arrow_schema(STARS.columns))


@pytest.fixture(scope="session")
def namespace(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Namespace:
    archive = ArchiveDirectory.create(Path(tmp_path_factory.mktemp("archive")) / "a")
    index = pa.array(index29(rows["ra"].to_numpy(), rows["dec"].to_numpy()))
    directory = archive.staging_directory(STARS.name, "test")
    with Staging.open(directory, table=STARS, layout=Layout()) as staging:
        staging.add("all", rows.add_column(0, INDEX_COLUMN, index))
        report = staging.finish()
    archive.publish(STARS.name, report.directory)
    dataset = archive.open(STARS.name)
    return Namespace([Relation(dataset.table, dataset)])


@pytest.fixture(scope="session")
def duckdb_engine() -> DuckDBEngine:
    return DuckDBEngine()


@pytest.fixture(scope="session")
def answers(namespace: Namespace, duckdb_engine: DuckDBEngine) -> Callable[[str], list[pa.Table]]:
    """What each engine that can run a query answers."""

    def ask(text: str) -> list[pa.Table]:
        plan = make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace))
        engines = [duckdb_engine, *([ScanEngine()] if plan.engine == "scan" else [])]
        return [engine.run(plan).to_arrow() for engine in engines]

    return ask


@pytest.fixture(scope="session")
def column(answers: Callable[[str], list[pa.Table]]) -> Callable[[str], list]:
    """Values of an expression for the rows, in the order of their id; the same on every engine."""

    def values(expression: str) -> list:
        tables = [
            table.sort_by(table.column_names[0]) for table in answers(f"SELECT id, {expression} AS v FROM sky.stars")
        ]
        each = [table.column(1).to_pylist() for table in tables]
        assert all(repr(values) == repr(each[0]) for values in each)
        return each[0]

    return values
