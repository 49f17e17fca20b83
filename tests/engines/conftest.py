"""A stored table of sources all over the sky, with nulls in every column, and small tables beside it."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from skydex.engines import Engine
from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits
from skydex.engines.spark import SparkEngine, SparkLimits
from skydex.engines.spark_session import close_session, open_session
from skydex.query import Namespace, Relation
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, arrow_schema

N = 20_000
SOURCES = Table(
    "sky.sources",
    (
        Column("id", Datatype.LONG, ucd="meta.id;meta.main"),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("mag", Datatype.FLOAT, unit="mag", ucd="phot.mag"),
        Column("flux", Datatype.DOUBLE, unit="Jy", ucd="phot.flux"),
        Column("name", Datatype.CHAR, arraysize="12*"),
        Column("flag", Datatype.BOOLEAN),
        Column("n", Datatype.SHORT),
        Column("band", Datatype.INT),
        Column("observed", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
    ),
    description="Simulated sources",
    position=Position("ra", "dec"),
    id_column="id",
)
BANDS = Table(
    "sky.bands",
    (Column("band", Datatype.INT), Column("label", Datatype.CHAR, arraysize="1*"), Column("nm", Datatype.DOUBLE)),
)


ON_SPARK = pytest.param("spark", marks=pytest.mark.spark)
SLOW_ON_SPARK = pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.slow])
ENGINES = ["duckdb", ON_SPARK]
"""The engines that answer everything."""
SHARE_ON_SPARK = 10
"""Of long lists of queries Spark runs one in so many in the short form of these tests."""
_SMALL = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""For tables of few rows it takes longest to make Java of a query, and to start tasks."""


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory):
    """A session of Spark on this machine, started once for all tests of a process."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java runtime, and there is none")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")  # Java is in a hurry as well
        session = open_session("local[2]", memory_mb=1024, directory=tmp_path_factory.mktemp("spark"))
    yield session
    close_session(session)


@pytest.fixture(scope="session")
def spark_engine(spark_session, tmp_path_factory: pytest.TempPathFactory) -> SparkEngine:
    """Spark on this machine."""
    return SparkEngine(lambda: spark_session, SparkLimits(tmp_path_factory.mktemp("spool"), _SMALL))


@pytest.fixture(scope="session")
def duckdb_engine() -> DuckDBEngine:
    return DuckDBEngine(DuckDBLimits(threads=2))


@pytest.fixture(scope="session", params=ENGINES)
def sql_engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the engines that answer everything."""
    return request.getfixturevalue(f"{request.param}_engine")


def _with_nulls(values, rng, share=0.1):
    return pa.array(values, mask=rng.random(len(values)) < share)


@pytest.fixture(scope="session")
def rows() -> pa.Table:
    rng = np.random.default_rng(20260101)
    start = dt.datetime(2015, 1, 1)
    ra = rng.random(N) * 360.0
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    dec[:50] = 90.0 - rng.random(50) * 0.01
    ra[50:100] = np.where(rng.random(50) < 0.5, 1e-9, 359.9999999)
    columns = [
        pa.array(np.arange(N) + 2**53 + 1),
        pa.array(ra),
        pa.array(dec),
        _with_nulls(rng.normal(20, 2, N).astype(np.float32), rng),
        _with_nulls(10 ** rng.normal(-6, 1, N), rng),
        _with_nulls([f"src{i % 97:02d}" if i % 3 else f"Abc%_{i % 11}" for i in range(N)], rng),
        _with_nulls(rng.random(N) < 0.5, rng),
        _with_nulls(rng.integers(-5, 6, N).astype(np.int16), rng),
        pa.array(rng.integers(1, 6, N).astype(np.int32)),
        _with_nulls([start + dt.timedelta(hours=int(h)) for h in rng.integers(0, 50000, N)], rng),
    ]
    return pa.table(columns, schema=arrow_schema(SOURCES.columns))


@pytest.fixture(scope="session")
def namespace(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Namespace:
    archive = ArchiveDirectory.create(Path(tmp_path_factory.mktemp("archive")) / "a")
    index = index29(rows["ra"].to_numpy(), rows["dec"].to_numpy())
    indexed = rows.add_column(0, INDEX_COLUMN, pa.array(index))
    directory = archive.staging_directory(SOURCES.name, "test")
    with Staging.open(directory, table=SOURCES, layout=Layout(rows_per_partition=2_000, rows_per_group=500)) as staging:
        staging.add("all", indexed)
        report = staging.finish()
    archive.publish(SOURCES.name, report.directory)
    dataset = archive.open(SOURCES.name)
    bands = {"band": [1, 2, 3, 4, 9], "label": ["g", "r", "i", "z", "y"], "nm": [486.0, 621.0, 754.0, 867.0, 963.0]}
    return Namespace(
        [
            Relation(dataset.table, dataset),
            Relation(BANDS, pa.table(bands, schema=arrow_schema(BANDS.columns))),
        ]
    )
