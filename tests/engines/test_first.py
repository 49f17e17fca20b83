"""First rows of an order, found by the bounds of row groups: those that DuckDB finds by sorting all rows."""

from __future__ import annotations

import pytest

from skydex.engines import FirstRowsEngine
from skydex.engines.duckdb import DuckDBEngine
from skydex.query import ADQL_RULES, TSQL_RULES, bind, firsts, get_language, make_plan, plan

CONE = "1 = CONTAINS(POINT(ra, dec), CIRCLE(40, 10, 70))"
UNIQUE = [
    "SELECT TOP 10 id, mag FROM sources ORDER BY id DESC",
    "SELECT TOP 25 * FROM sources ORDER BY flux, id",
    "SELECT TOP 25 id, flux AS f FROM sources ORDER BY f DESC",
    "SELECT TOP 7 id, ra FROM sources ORDER BY 2 DESC, 1",
    "SELECT TOP 300 id, n, mag FROM sources ORDER BY n DESC, mag, id",
    "SELECT TOP 12 id, observed FROM sources ORDER BY observed DESC, id DESC",
    "SELECT TOP 30 id, dec + 1 AS up FROM sources WHERE mag < 20 AND band = 3 ORDER BY dec DESC, id",
    f"SELECT TOP 15 id, mag FROM sources WHERE {CONE} ORDER BY mag DESC, id",
    "SELECT TOP 40 id, n FROM sources ORDER BY n, -mag, name, id",
]
"""Queries whose order leaves nothing open."""


@pytest.fixture(autouse=True)
def _small_tables_too(monkeypatch):
    monkeypatch.setattr(firsts, "_LEAST_ROWS", 0)
    monkeypatch.setattr(firsts, "_MOST_SHARE", 0)
    monkeypatch.setattr(plan, "_MOST_ORDERED_ROWS", 0)


@pytest.fixture(scope="module")
def duckdb_engine():
    return DuckDBEngine()


def refuse():
    pytest.fail("the plan was handed on")


def plan_of(text, namespace, max_rows=None, rules=ADQL_RULES):
    return make_plan(bind(get_language("ADQL").parse(text), namespace, rules), max_rows)


@pytest.mark.parametrize("text", UNIQUE)
def test_the_first_rows_are_those_of_duckdb_in_its_order(text, namespace, duckdb_engine):
    plan = plan_of(text, namespace)
    assert plan.engine == "first"
    assert FirstRowsEngine(lambda: duckdb_engine).run(plan).to_arrow().equals(duckdb_engine.run(plan).to_arrow())


@pytest.mark.parametrize("way", ["", "DESC"])
@pytest.mark.parametrize("n", [1, 50, 19_000])
def test_missing_values_come_last_and_ties_are_any_of_the_level_rows(n, way, namespace, duckdb_engine):
    plan = plan_of(f"SELECT TOP {n} n FROM sources ORDER BY n {way}", namespace)
    assert plan.engine == "first"
    assert FirstRowsEngine(lambda: duckdb_engine).run(plan).to_arrow().equals(duckdb_engine.run(plan).to_arrow())


def test_few_row_groups_are_read(namespace, monkeypatch):
    plan = plan_of("SELECT TOP 3 id, dec FROM sources ORDER BY dec", namespace)
    (scan,) = plan.scans.values()
    dataset, read = scan.relation.dataset, []
    real = type(dataset).read
    monkeypatch.setattr(
        type(dataset), "read", lambda self, piece, *a, **k: read.append(piece) or real(self, piece, *a, **k)
    )
    assert FirstRowsEngine(refuse).run(plan).to_arrow().num_rows == 3
    assert sum(len(piece.groups) for piece in read) <= 3 < scan.selection.total_groups


def test_a_plan_is_handed_on_when_conditions_leave_too_few_rows(namespace, duckdb_engine):
    plan = plan_of("SELECT TOP 5 id FROM sources WHERE name = 'src05' AND mag > 24 ORDER BY flux, id", namespace)
    handed = []
    found = FirstRowsEngine(lambda: handed.append(1) or duckdb_engine).run(plan).to_arrow()
    assert handed
    assert found.equals(duckdb_engine.run(plan).to_arrow())


def test_it_is_not_tried_where_bounds_say_that_much_would_be_read(namespace, monkeypatch):
    monkeypatch.setattr(firsts, "_MOST_SHARE", 20)
    assert plan_of("SELECT TOP 2 id FROM sources ORDER BY n", namespace).engine == "first"
    assert plan_of("SELECT TOP 2 id FROM sources ORDER BY n, id", namespace).engine == "sql"
    assert plan_of("SELECT TOP 40 id FROM sources ORDER BY ra", namespace).engine == "sql"


def test_a_limit_beside_the_query_is_marked_as_overflow(namespace, duckdb_engine):
    result = FirstRowsEngine(lambda: duckdb_engine).run(plan_of("SELECT id FROM sources ORDER BY id", namespace, 4))
    assert result.to_arrow().num_rows == 4
    assert result.overflow


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM sources ORDER BY id",
        "SELECT TOP 5 id FROM sources ORDER BY ABS(n)",
        "SELECT TOP 5 name FROM sources ORDER BY name",
        "SELECT DISTINCT TOP 5 n FROM sources ORDER BY n",
        "SELECT TOP 5 n, COUNT(*) FROM sources GROUP BY n ORDER BY n",
        "SELECT TOP 5 a.id FROM sources AS a JOIN bands AS b ON a.band = b.band ORDER BY a.id",
    ],
)
def test_what_bounds_do_not_tell_is_left_to_the_sql_engine(text, namespace):
    assert plan_of(text, namespace).engine == "sql"


def test_where_missing_values_come_first_bounds_are_no_help(namespace):
    text = "SELECT TOP 5 id FROM sources ORDER BY {}"
    assert plan_of(text.format("mag"), namespace, rules=TSQL_RULES).engine == "sql"
    assert plan_of(text.format("mag DESC"), namespace, rules=TSQL_RULES).engine == "first"
    assert plan_of(text.format("ra"), namespace, rules=TSQL_RULES).engine == "first"
