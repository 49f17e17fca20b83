"""Whole queries: joins, subqueries, set operations, groups, orders and names, as `whole_queries.txt` lists them.

Truth is SQLite's own engine on the same rows, wherever its SQL can say the same; the rows themselves stand in the file.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp
from tests.engines.conftest import SHARE_ON_SPARK

from skydex.engines import ScanEngine
from skydex.errors import BadQueryError, RequestError
from skydex.query import Namespace, Relation, bind, get_language, make_plan
from skydex.store import ArchiveDirectory, Staging
from skydex.tables import Column, Datatype, Table, arrow_schema

FILE = Path(__file__).parent / "whole_queries.txt"
KINDS = {"long": Datatype.LONG, "int": Datatype.INT, "double": Datatype.DOUBLE, "text": Datatype.CHAR}


@dataclass(frozen=True)
class Case:
    """One query of the file."""

    sentence: str
    """What it shows."""
    text: str
    """The query."""
    sqlite: str
    """How SQLite says it; `none` where it cannot."""
    names: str
    """Names of the result's columns, if the case is about them."""
    rows: tuple[str, ...]
    """The rows expected."""

    @property
    def is_ordered(self) -> bool:
        order = get_language("ADQL").parse(self.text, version="2.1").args.get("order")
        return order is not None


def tables() -> dict[str, tuple[Table, list[tuple]]]:
    """The tables at the head of the file, with their rows."""
    found: dict[str, tuple[Table, list[tuple]]] = {}
    for line in FILE.read_text(encoding="utf-8").partition("\n== ")[0].splitlines():
        if line.startswith("table "):
            _, name, *columns = line.split()
            pairs = [column.split(":") for column in columns]
            table = Table(name, tuple(Column(n, KINDS[k], arraysize="12*" if k == "text" else None) for n, k in pairs))
            found[name] = (table, [])
        elif line.startswith("= "):
            table, rows = list(found.values())[-1]
            cells = zip(line[2:].split(" | "), table.columns, strict=True)
            rows.append(tuple(value_of(cell, column) for cell, column in cells))
    return found


def value_of(cell: str, column: Column):
    if cell == "NULL":
        return None
    return cell if column.datatype.is_text else float(cell) if column.datatype.is_floating else int(cell)


def cases() -> list[Case]:
    body = FILE.read_text(encoding="utf-8").partition("\n== ")[2]
    found = []
    for block in re.split(r"^# ", body, flags=re.MULTILINE)[1:]:
        sentence, *lines = re.split(r"^(?:== |! )", block, maxsplit=1, flags=re.MULTILINE)[0].split("\n")
        starting = {sign: [line[len(sign) :] for line in lines if line.startswith(sign)] for sign in (": ", "= ")}
        sqlite = [line.removeprefix("sqlite: ") for line in lines if line.startswith("sqlite: ")]
        text = "\n".join(line for line in lines if not line.startswith(("sqlite: ", ": ", "= "))).strip()
        names = "".join(starting[": "])
        found.append(Case(sentence, text, sqlite[0] if sqlite else text, names, tuple(starting["= "])))
    return found


def refusals() -> list[tuple[str, str]]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [tuple(line[2:].rsplit(" -> ", 1)) for line in lines if line.startswith("! ")]


def shown(rows) -> list[str]:
    """Rows as the file has them."""
    return [" | ".join(_shown(value) for value in row) for row in rows]


def _shown(value) -> str:
    if value is None:
        return "NULL"
    return f"{value:.10g}" if isinstance(value, int | float) else str(value)


def arrow_table(table: Table, rows: list[tuple]) -> pa.Table:
    columns = {column.name: [row[i] for row in rows] for i, column in enumerate(table.columns)}
    return pa.table(columns, schema=arrow_schema(table.columns))


@pytest.fixture(scope="module")
def held() -> Namespace:
    """The tables in memory."""
    return Namespace([Relation(table, arrow_table(table, rows)) for table, rows in tables().values()])


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Namespace:
    """The tables on disk."""
    given = [(table, arrow_table(table, rows)) for table, rows in tables().values()]
    archive = ArchiveDirectory.create(tmp_path_factory.mktemp("whole") / "archive")
    relations = []
    for table, rows in given:
        with Staging.open(archive.staging_directory(table.name, "k"), table=table) as staging:
            staging.add("all", rows)
            report = staging.finish()
        archive.publish(table.name, report.directory)
        dataset = archive.open(table.name)
        relations.append(Relation(dataset.table, dataset))
    return Namespace(relations)


@pytest.fixture(params=["held", "stored"])
def namespace(request) -> Namespace:
    """The tables, once in memory and once on disk."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def sqlite() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for schema in {name.partition(".")[0] for name in tables()}:
        connection.execute(f"ATTACH ':memory:' AS {schema}")
    connection.execute("PRAGMA case_sensitive_like = ON")
    for name, (table, rows) in tables().items():
        connection.execute(f"CREATE TABLE {name} ({', '.join(column.name for column in table.columns)})")
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(table.columns))})", rows)
    return connection


def bound(text: str, namespace: Namespace):
    return bind(get_language("ADQL").parse(text, version="2.1"), namespace)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.sentence)
def test_every_query_gives_its_rows_on_every_engine(case, namespace, duckdb_engine):
    plan = make_plan(bound(case.text, namespace))
    if case.names:
        assert " | ".join(column.name for column in plan.columns) == case.names
    engines = [duckdb_engine, ScanEngine()] if plan.engine == "scan" else [duckdb_engine]
    for engine in engines:
        check(case, engine.run(plan).to_arrow())


def check(case: Case, result: pa.Table) -> None:
    rows = shown(zip(*(column.to_pylist() for column in result.columns), strict=True))
    assert rows == list(case.rows) if case.is_ordered else sorted(rows) == sorted(case.rows)


REFUSED_BY_SPARK = {
    "ON with EXISTS": "a subquery in the ON of an outer join sees both sides",
    "A subquery sees two levels out": "a subquery sees rows beyond those of the query around it",
    "A correlated subquery whose own subquery is correlated with the outermost query": "the same",
    "GROUP BY a correlated subquery": "rows are grouped by a subquery that is no aggregate",
    "A column of the outer query is a constant in the groups of the inner one": "the list of IN selects outer columns",
}
"""Forms of queries that Spark does not offer, with what is in them."""


def on_spark() -> list:
    """The queries for Spark: some, and those that it refuses; the rest in the long form."""
    found = []
    for i, case in enumerate(cases()):
        is_short = i % SHARE_ON_SPARK == 0 or case.sentence in REFUSED_BY_SPARK
        marks = [pytest.mark.spark] if is_short else [pytest.mark.spark, pytest.mark.slow]
        found.append(pytest.param(case, id=case.sentence, marks=marks))
    return found


@pytest.mark.parametrize("case", on_spark())
def test_every_query_gives_its_rows_on_spark(case, stored, spark_engine):
    plan = make_plan(bound(case.text, stored))
    if case.sentence in REFUSED_BY_SPARK:
        with pytest.raises(BadQueryError, match="does not offer this form"):
            spark_engine.run(plan).to_arrow()
    else:
        check(case, spark_engine.run(plan).to_arrow())


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.sentence)
def test_every_query_of_tables_in_memory_gives_its_rows_on_spark(case, held, spark_engine):
    if case.sentence not in REFUSED_BY_SPARK:
        check(case, spark_engine.run(make_plan(bound(case.text, held))).to_arrow())


@pytest.mark.parametrize("case", [case for case in cases() if case.sqlite != "none"], ids=lambda case: case.sentence)
def test_sqlite_has_the_same_rows(case, sqlite):
    rows = shown(sqlite.execute(case.sqlite).fetchall())
    assert sorted(rows) == sorted(case.rows)
    if case.is_ordered and case.sqlite == case.text:
        assert rows == list(case.rows)


@pytest.mark.parametrize(("text", "message"), refusals(), ids=lambda text: text[:60])
def test_what_cannot_mean_anything_is_refused_in_words_that_help(text, message, namespace, duckdb_engine):
    with pytest.raises(RequestError) as caught:
        duckdb_engine.run(make_plan(bound(text, namespace))).to_arrow()
    assert message in str(caught.value)


def test_no_sentence_stands_twice():
    sentences = [case.sentence for case in cases()]
    assert len(sentences) == len(set(sentences)) > 250
    assert all(isinstance(get_language("ADQL").parse(case.text, version="2.1"), exp.Query) for case in cases())
