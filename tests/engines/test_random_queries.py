"""Random queries mean what SQLite says that they mean."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections import Counter

import duckdb
import pyarrow as pa
import pytest
from tests.engines.random_queries import TABLES, Writer

from skydex.engines import Engine
from skydex.errors import BadQueryError
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.tables import Column, Datatype, Table, arrow_schema

N_ROWS = 7
WHOLE = ("k", "n", "m")


@pytest.fixture(scope="module")
def rows():
    """A few rows of small values in each table, with repetitions and nulls."""
    chance = random.Random(1)

    def value(name):
        if chance.random() < 0.2:
            return None
        if name == "s":
            return chance.choice(("a", "b", "bc", "B", ""))
        return chance.randint(-1, 4) if name in WHOLE else chance.choice((-1.5, 0.0, 0.5, 2.0, 3.25))

    return {table: [tuple(value(name) for name in names) for _ in range(N_ROWS)] for table, names in TABLES.items()}


@pytest.fixture(scope="module")
def judges(rows):
    """SQLite, and DuckDB reading the text itself, which is asked where SQLite disagrees: its RIGHT JOIN has faults."""
    if sqlite3.sqlite_version_info < (3, 39):
        pytest.skip("SQLite has RIGHT and FULL JOIN from 3.39 on")
    with contextlib.closing(sqlite3.connect(":memory:")) as first, contextlib.closing(duckdb.connect()) as second:
        first.execute("PRAGMA case_sensitive_like = ON")
        for connection, real in ((first, "REAL"), (second, "DOUBLE")):
            for table, names in TABLES.items():
                types = ["VARCHAR" if name == "s" else "BIGINT" if name in WHOLE else real for name in names]
                fields = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
                connection.execute(f"CREATE TABLE {table} ({fields})")
                connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows[table])
        yield [lambda text, judge=judge: judge.execute(text).fetchall() for judge in (first, second)]


@pytest.fixture(scope="module")
def namespace(rows) -> Namespace:
    relations = []
    for name, names in TABLES.items():
        columns = tuple(map(column, names))
        values = dict(zip(names, zip(*rows[name], strict=True), strict=True))
        relations.append(Relation(Table(name, columns), pa.table(values, schema=arrow_schema(columns))))
    return Namespace(relations)


def asked(engine: Engine, namespace: Namespace):
    language = get_language("ADQL")

    def run(text):
        table = engine.run(make_plan(bind(language.parse(text, version="2.1"), namespace))).to_arrow()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    return run


@pytest.fixture(scope="module")
def ours(namespace, duckdb_engine):
    return asked(duckdb_engine, namespace)


@pytest.fixture(scope="module")
def by_spark(namespace, spark_engine):
    return asked(spark_engine, namespace)


def column(name: str) -> Column:
    if name == "s":
        return Column(name, Datatype.CHAR, arraysize="3*")
    return Column(name, Datatype.LONG if name in WHOLE else Datatype.DOUBLE)


def alike(rows) -> Counter:
    """Rows without their order, numbers to nine digits."""
    return Counter(tuple(float(f"{v:.9g}") + 0.0 if isinstance(v, int | float) else v for v in row) for row in rows)


def check(seeds, ours, judges):
    for seed in seeds:
        text = Writer(random.Random(seed)).query()
        answer = alike(ours(text))
        assert any(answer == alike(judge(text)) for judge in judges), f"seed {seed}: {text}"


def test_three_hundred_random_queries_mean_what_sqlite_says(ours, judges):
    check(range(300), ours, judges)


@pytest.mark.slow
def test_two_thousand_random_queries_mean_what_sqlite_says(ours, judges):
    check(range(300, 2_300), ours, judges)


def check_on_spark(seeds, by_spark, judges) -> None:
    """Every answer is right; a few forms of subqueries are not offered."""
    refused = []

    def run(text):
        try:
            return by_spark(text)
        except BadQueryError as error:
            if "does not offer this form" not in str(error):
                raise
            refused.append(text)
            return judges[0](text)

    check(seeds, run, judges)
    assert len(refused) <= 0.1 * len(seeds), refused


@pytest.mark.spark
def test_a_dozen_random_queries_mean_the_same_on_spark(by_spark, judges):
    check_on_spark(range(12), by_spark, judges)


@pytest.mark.slow
@pytest.mark.spark
def test_two_hundred_random_queries_mean_the_same_on_spark(by_spark, judges):
    check_on_spark(range(12, 212), by_spark, judges)
