"""Counts and extremes from metadata: the same as DuckDB's, with few rows read or none."""

from __future__ import annotations

import dataclasses

import pytest

from skydex.engines import MetadataEngine
from skydex.engines.duckdb import DuckDBEngine
from skydex.query import bind, get_language, make_plan

CONE = "1 = CONTAINS(POINT(ra, dec), CIRCLE({}, {}, {}))"
TOLD = [
    ("SELECT COUNT(*) FROM sources", 0),
    ("SELECT COUNT(*) AS n, COUNT(mag) AS n_mag, MIN(mag) AS a, MAX(mag) AS b, MIN(id) AS i FROM sources", 0),
    ("SELECT MIN(name) AS a, MAX(name) AS b, COUNT(name) AS n, MIN(observed) AS t, MAX(observed) AS u FROM sources", 0),
    ("SELECT MAX(mag) - MIN(mag) AS span, COUNT(*) - COUNT(n) AS missing, 7 AS seven FROM sources", 0),
    ("SELECT COUNT(flag) AS n, COUNT(band) AS m, MIN(n) AS a, MAX(n) AS b FROM sources", 0),
    ("SELECT COUNT(*) FROM sources WHERE ra >= 0", 0),
    ("SELECT COUNT(*) FROM sources WHERE mag IS NOT NULL OR band >= 1", 0),
    ("SELECT COUNT(*) FROM sources WHERE band BETWEEN 1 AND 5 AND id > 5", 0),
    ("SELECT COUNT(*), MIN(mag) AS a, MAX(observed) AS t FROM sources WHERE " + CONE.format(40, 10, 60), 0.97),
    ("SELECT COUNT(*) FROM sources WHERE " + CONE.format(0, 90, 50), 0.97),
    ("SELECT COUNT(*) FROM sources WHERE dec > -60", 0.97),
    ("SELECT COUNT(*) FROM sources WHERE ra < 300 AND dec BETWEEN -50 AND 50", 0.97),
    ("SELECT COUNT(*) FROM sources WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON(0, -60, 90, -60, 90, 60, 0, 60))", 0.97),
    ("SELECT COUNT(*) AS n, MIN(mag) AS a FROM sources WHERE " + CONE.format(40, 10, 90) + " AND band <= 5", 0.97),
]
"""Queries, and the share of the rows of their regions that may be read at the most."""
NOT_TOLD = [
    "SELECT COUNT(DISTINCT band) FROM sources",
    "SELECT AVG(mag) FROM sources",
    "SELECT band, COUNT(*) FROM sources GROUP BY band",
    "SELECT COUNT(*) FROM sources HAVING COUNT(*) > 5",
    "SELECT MAX(ABS(n)) FROM sources",
    "SELECT COUNT(*) FROM sources OFFSET 1",
    "SELECT COUNT(*) FROM sources, bands",
    "SELECT COUNT(*) FROM (SELECT TOP 5 id FROM sources) AS few",
    "SELECT COUNT(*) FROM bands",
    "SELECT COUNT(*) FROM sources WHERE name IN (SELECT label FROM bands)",
]


def plan_of(text, namespace, max_rows=None):
    return make_plan(bind(get_language("ADQL").parse(text, version="2.1"), namespace), max_rows)


@pytest.fixture(scope="module")
def duckdb_engine():
    return DuckDBEngine()


@pytest.mark.parametrize(("text", "share"), TOLD)
def test_metadata_say_what_duckdb_finds_in_the_rows(text, share, namespace, duckdb_engine):
    plan = plan_of(text, namespace)
    assert plan.engine == "metadata"
    (scan,) = plan.scans.values()
    assert plan.tally.rim.n_rows <= share * scan.selection.n_rows
    assert plan.tally.n_known > 0
    told = MetadataEngine().run(plan).to_arrow()
    assert told.equals(duckdb_engine.run(plan).to_arrow())


@pytest.mark.parametrize("centre", [(0.0, 0.0), (359.9, -41.8), (12.3, 89.0), (200.0, -90.0), (45.0, 41.81)])
@pytest.mark.parametrize("radius", [25.0, 75.0, 120.0, 179.0])
def test_counts_in_cones_are_exact_wherever_they_lie(centre, radius, namespace, duckdb_engine):
    plan = plan_of("SELECT COUNT(*) FROM sources WHERE " + CONE.format(*centre, radius), namespace)
    if plan.engine == "metadata":
        assert MetadataEngine().run(plan).to_arrow().equals(duckdb_engine.run(plan).to_arrow())
    assert plan.engine == "metadata" or radius < 60


@pytest.mark.parametrize("text", NOT_TOLD)
def test_what_metadata_do_not_tell_is_left_to_the_engine(text, namespace):
    assert plan_of(text, namespace).engine == "sql"


def test_a_limit_holds_for_what_metadata_tell(namespace):
    assert MetadataEngine().run(plan_of("SELECT TOP 1 COUNT(*) FROM sources", namespace)).to_arrow().num_rows == 1
    assert plan_of("SELECT TOP 0 COUNT(*) FROM sources", namespace).engine == "sql"
    result = MetadataEngine().run(plan_of("SELECT COUNT(*) FROM sources", namespace, 0))
    assert result.to_arrow().num_rows == 0
    assert result.overflow


def test_nothing_is_read_for_a_whole_table(namespace, monkeypatch):
    plan = plan_of("SELECT COUNT(*), MAX(mag) AS m FROM sources", namespace)
    (scan,) = plan.scans.values()
    monkeypatch.setattr(type(scan.relation.dataset), "read", lambda *_, **__: pytest.fail("rows were read"))
    assert MetadataEngine().run(plan).to_arrow().num_rows == 1


def test_bounds_that_are_not_values_are_not_taken_for_them(namespace, monkeypatch):
    dataset = next(iter(plan_of("SELECT COUNT(*) FROM sources", namespace).scans.values())).relation.dataset
    known = dataset.statistics("name")
    cut = dataclasses.replace(known, is_exact=known.is_exact & False)
    monkeypatch.setattr(dataset, "statistics", lambda _: cut)
    assert plan_of("SELECT MIN(name) AS a FROM sources", namespace).engine == "sql"
    assert plan_of("SELECT COUNT(name) AS n FROM sources", namespace).engine == "metadata"
