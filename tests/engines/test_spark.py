"""What is Spark's own: how answers come back, what stops a query, and what its SQL would mean differently."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.engines.skies import mixed_radii, nasty_places, near_to, pairs_by_astropy, relation, table_of

from skydex.archive.batch import BatchRequest
from skydex.engines import Deadline
from skydex.engines.spark import SparkEngine, SparkLimits, _translated
from skydex.errors import BadQueryError, DamagedDataError, QueryTooLargeError, TimeLimitError
from skydex.query import Namespace, Plan, bind, get_language, make_plan

pytestmark = pytest.mark.spark

OUTPUTS = [
    "CAST(flux AS VARCHAR), CAST(n AS VARCHAR), CAST(observed AS VARCHAR)",
    "SUBSTRING(name, 0, 3), SUBSTRING(name, -2, 4), SUBSTRING(name, n, 2), SUBSTRING(name, n)",
    "FLOOR(mag - 20), CEILING(20 - mag), TRUNCATE(mag - 20, 1), ROUND(flux * 1e8, 2)",
    "FLOOR(flux * 1e30), FLOOR(CASE WHEN mag > 20 THEN mag * 2 + flux ELSE 0 - flux * 2 END)",
    "gavo_match('^src[0-9]+$', name), ivo_hasword(name, 'src05'), ivo_nocasematch(name, 'S%')",
    "ivo_to_mjd(observed), gavo_getauthority('ivo://a.b/' || name)",
    "ivo_epoch_prop_pos(ra, dec, mag, n, n, 0, 2000, 2016), CIRCLE(ra, dec, 1)",
    "'${env:HOME}' || '\\' || 'a''b\"`' || name, 7 / 2, -7 / 2, MOD(-7, 3)",
]
"""Values that Spark's SQL, spelled as it comes, would take for something else."""
ALIKE = [
    "SELECT band, ivo_histogram(mag, 10, 30, 20) FROM sources GROUP BY band",
    "SELECT band, ivo_histogram(mag, 10, 30, 400) FROM sources GROUP BY band",
    "SELECT band, ivo_string_agg(name, ',') FROM sources WHERE id < 9007199254741500 GROUP BY band",
    "SELECT id FROM sources WHERE name LIKE name OR name LIKE '%\\%'",
    "SELECT NULL AS x, id FROM sources WHERE id < 9007199254741000",
    "SELECT id FROM sources ORDER BY mag DESC, id OFFSET 19990",
    "SELECT s.band, (SELECT b.nm FROM bands b WHERE b.band = s.band) AS nm, COUNT(*) FROM sources s GROUP BY s.band",
]  # fmt: skip
"""Queries that Spark's SQL, spelled as it comes, would take for something else."""


IN_TSQL = [
    "DATEPART(week, observed), DATEPART(dw, observed), DATEPART(dy, observed), DATEPART(iso_week, observed)",
    "DATEPART(hour, observed), DATEPART(second, observed), DATEPART(millisecond, DATEADD(ms, 1234, observed))",
    "DATEADD(day, n, observed), DATEADD(month, n, observed), DATEADD(week, 2, observed), DATEADD(mcs, 7, observed)",
    "observed + 1.5, EOMONTH(observed), DATEFROMPARTS(2015, n + 6, 3), DATETRUNC(week, observed)",
    "DATEDIFF(year, '2016-06-15T13:14:15', observed), DATEDIFF(quarter, '2016-06-15T13:14:15', observed)",
    "DATEDIFF(month, '2016-06-15T13:14:15', observed), DATEDIFF(week, '2016-06-15T13:14:15', observed)",
    "DATEDIFF(day, '2016-06-15T13:14:15', observed), DATEDIFF(hour, '1960-06-15T13:14:15', observed)",
    "CONVERT(varchar, observed, 120), DATENAME(weekday, observed), CONVERT(varchar(20), mag), STR(mag, 10, 3)",
    "LEFT(name, 2), RIGHT(name, 2), CHARINDEX('c', name, 2), PATINDEX('%c0%', name), REPLACE(name, 'SRC', 'x')",
    "REPLICATE(name, 2), REVERSE(name), ASCII(name), STUFF(name, 2, 1, 'zz'), TRY_CAST(name AS int), ISNUMERIC(name)",
    "CAST(mag AS decimal(8,2)), CAST(n AS char(5)), 7 / 2, n % 2, n & 3, ~n, ROUND(mag, 1, 1), CAST(mag AS int)",
    "LAG(mag) OVER (ORDER BY id), NTILE(4) OVER (ORDER BY id), RANK() OVER (PARTITION BY band ORDER BY n)",
    "CASE WHEN name LIKE 'SRC[0-5]%' THEN 1 ELSE 0 END, CASE WHEN name LIKE 'a!_%' ESCAPE '!' THEN 1 ELSE 0 END",
    "CASE WHEN n > ALL (SELECT band FROM bands WHERE band < 3) THEN 1 ELSE 0 END",
    "CASE WHEN NOT (n <> ANY (SELECT NULLIF(band, 2) FROM bands)) THEN 1 ELSE 0 END",
]  # fmt: skip


@pytest.mark.parametrize("lists", [IN_TSQL[:6], IN_TSQL[6:11], IN_TSQL[11:]], ids=["times", "texts", "others"])
def test_t_sql_means_the_same(lists, namespace, spark_engine, duckdb_engine):
    text = f"SELECT id, {', '.join(lists)} FROM sky.sources WHERE id < 9007199254742000 ORDER BY id"
    plan = BatchRequest(text).plan(namespace)
    check_same(spark_engine.run(plan).to_arrow(), duckdb_engine.run(plan).to_arrow())


def check_same(by_spark: pa.Table, by_duckdb: pa.Table) -> None:
    """The same rows in the same order."""
    assert by_spark.schema == by_duckdb.schema
    for name, here, there in zip(by_spark.column_names, by_spark.columns, by_duckdb.columns, strict=True):
        assert here.to_pylist() == there.to_pylist(), name


def plan_of(text: str, namespace: Namespace, max_rows: int | None = None) -> Plan:
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace), max_rows)


def comparable(table: pa.Table) -> list[tuple]:
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


def test_values_mean_the_same(namespace, spark_engine, duckdb_engine):
    plan = plan_of(f"SELECT id, {', '.join(OUTPUTS)} FROM sources ORDER BY id", namespace)
    check_same(spark_engine.run(plan).to_arrow(), duckdb_engine.run(plan).to_arrow())


@pytest.mark.parametrize("text", ALIKE)
def test_what_spark_would_mean_differently_means_the_same(text, namespace, spark_engine, duckdb_engine):
    plan = plan_of(text, namespace)
    by_spark, by_duckdb = spark_engine.run(plan).to_arrow(), duckdb_engine.run(plan).to_arrow()
    assert by_spark.schema == by_duckdb.schema
    if "ORDER BY" in text:
        assert by_spark.equals(by_duckdb)
    else:
        assert comparable(by_spark) == comparable(by_duckdb)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT SUM(9223372036854775807) FROM sources", "out of range"),
        ("SELECT CAST(flux + 1e300 AS BIGINT) FROM sources", "too large for the type"),
        ("SELECT CAST('x.parquet' || name AS INTEGER) FROM sources", "a text that is no number: 'x.parquet"),
        ("SELECT CAST('[PATH_NOT_FOUND]' || name AS TIMESTAMP) FROM sources", "a text that is no time"),
        ("SELECT label, (SELECT id FROM sources) AS i FROM bands", "more than one row"),
    ],
)
def test_values_that_cannot_be_are_the_asker_s_mistake(text, message, namespace, spark_engine, capfd):
    capfd.readouterr()
    with pytest.raises(BadQueryError, match=message) as caught:
        spark_engine.run(plan_of(text, namespace)).to_arrow()
    assert "spark" not in str(caught.value).lower()
    assert capfd.readouterr() == ("", "")  # nobody else is told the query


@pytest.mark.parametrize(
    ("said", "told"),
    [("java.lang.OutOfMemoryError: Java heap space", "needs more memory"), ("No space left on device", "the disk has")],
)
def test_what_does_not_fit_is_told_without_a_limit_that_nobody_has_set(said, told):
    text = str(_translated(RuntimeError(said), None))
    assert told in text
    assert "MB" not in text


def test_what_is_too_deep_is_refused_before_spark_sees_it(namespace, spark_engine):
    deep = f"{'ABS(' * 190}flux{')' * 190}"
    with pytest.raises(QueryTooLargeError):
        spark_engine.run(plan_of(f"SELECT {deep} + {' + '.join([deep] * 300)} FROM sources", namespace)).to_arrow()


def test_a_query_ends_at_its_deadline(namespace, spark_engine):
    text = "SELECT COUNT(*) FROM sources a, sources b WHERE a.ra * b.dec > SIN(a.dec) * COS(b.ra) * EXP(a.ra / 99)"
    start = time.monotonic()
    with pytest.raises(TimeLimitError):
        spark_engine.run(plan_of(text, namespace), Deadline.after(2.0)).to_arrow()
    assert time.monotonic() - start < 20
    assert spark_engine.run(plan_of("SELECT COUNT(*) FROM bands", namespace)).to_arrow()[0][0].as_py() == 5


def test_parts_are_read_in_the_order_of_the_answer_and_deleted(namespace, rows, spark_engine, tmp_path):
    small = {"spark.sql.shuffle.partitions": "5", "spark.sql.adaptive.enabled": "false"}
    engine = SparkEngine(lambda: spark_engine._opened(), SparkLimits(tmp_path, small))
    result = engine.run(plan_of("SELECT id FROM sources ORDER BY ra, id", namespace))
    first = next(result.batches)
    (spool,) = tmp_path.iterdir()
    assert len(list(spool.glob("rows/part-*"))) > 1
    everything = pa.Table.from_batches([first, *result.batches])
    by_ra = np.lexsort((rows["id"].to_numpy(), rows["ra"].to_numpy()))
    assert everything["id"].to_numpy().tolist() == rows["id"].to_numpy()[by_ra].tolist()
    assert not list(tmp_path.iterdir())


def test_an_answer_that_is_given_up_leaves_nothing_behind(namespace, spark_engine, tmp_path):
    engine = SparkEngine(lambda: spark_engine._opened(), SparkLimits(tmp_path))
    with engine.run(plan_of("SELECT id FROM sources", namespace)) as result:
        next(result.batches)
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_gone_is_damage_and_its_path_is_told_to_nobody(namespace, spark_engine):
    plan = plan_of("SELECT COUNT(mag) FROM sources", namespace)
    ((name, scan),) = plan.scans.items()
    gone = tuple(replace(piece, file=piece.file.replace(".parquet", "[x].parquet")) for piece in scan.selection.pieces)
    plan = replace(plan, scans={name: replace(scan, selection=replace(scan.selection, pieces=gone))})
    with pytest.raises(DamagedDataError) as caught:
        spark_engine.run(plan).to_arrow()
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("radius", ["0.3", "b.r"])
def test_cross_matches_have_the_pairs_that_astropy_finds(radius, spark_engine, duckdb_engine):
    rng = np.random.default_rng(20260401)
    ra, dec = nasty_places(400, rng)
    a = table_of(ra, dec)
    b = table_of(*near_to(ra, dec, 0.3 * rng.choice([0.5, 0.999, 1.001], 400), rng), mixed_radii(400, rng))
    namespace = Namespace([relation("up.a", a), relation("up.b", b)])
    near = f"1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, {radius}))"
    plan = plan_of(f"SELECT a.id, b.id FROM up.a AS a JOIN up.b AS b ON {near}", namespace)
    assert len(plan.matches) == 1
    found = comparable(spark_engine.run(plan).to_arrow())
    assert len(found) == len(set(found)) > 100
    if radius == "0.3":
        pairs, ties = pairs_by_astropy(a, b, 0.3)
        assert {*found} ^ pairs <= ties
    else:
        assert found == comparable(duckdb_engine.run(plan).to_arrow())
    without = plan_of(f"SELECT a.id FROM up.a AS a WHERE NOT EXISTS (SELECT 1 FROM up.b AS b WHERE {near})", namespace)
    alone = {i for (i,) in comparable(spark_engine.run(without).to_arrow())}
    assert alone == {*range(400)} - {i for i, _ in found}
