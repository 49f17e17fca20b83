"""R03: a short text cannot become a huge tree, nor take long to become a plan."""

from __future__ import annotations

import time

import pytest

from skydex.engines.duckdb_sql import sql_of
from skydex.errors import QueryTooLargeError
from skydex.query import bind, get_language, make_plan


def nested(opening: str, core: str, closing: str, depth: int) -> str:
    return f"SELECT {opening * depth}{core}{closing * depth} FROM stars"


def doubled(levels: int) -> str:
    """Each WITH query joins the one before with itself."""
    tables = [f"a{i} AS (SELECT x.mag FROM a{i - 1} AS x CROSS JOIN a{i - 1} AS y)" for i in range(1, levels + 1)]
    return f"WITH a0 AS (SELECT mag FROM stars), {', '.join(tables)} SELECT * FROM a{levels}"


LONG_SUM = "+".join(["mag"] * 590)
GROWING = {
    "roots of roots": nested("SQRT(", "mag", ")", 60),
    "logarithms of logarithms": nested("LOG(", "mag", ")", 100),
    "distances of distances": nested("DISTANCE(1, 2, 3, ", "mag", ")", 100),
    "tests of tests": nested("CONTAINS(POINT(mag, ", "mag", "), CIRCLE(mag, 2, 3))", 60),
    "polygons in polygons": nested("CONTAINS(POINT(1, ", "mag", "), POLYGON(1, 2, 3, 4, 5, mag))", 50),
    "cases of cases": nested("CASE ", "id", " WHEN 1 THEN 2 WHEN 3 THEN 4 WHEN 5 THEN 7 END", 100),
    "with of with": doubled(30),
    "a long with, often": f"WITH a AS (SELECT {LONG_SUM} AS m FROM stars) SELECT 1 FROM "
    + ", ".join(f"a AS a{i}" for i in range(60)),
    "groups by name": f"SELECT {LONG_SUM} AS a FROM stars GROUP BY {', '.join(['a'] * 2_000)}",
    "groups by position": f"SELECT {LONG_SUM} AS a FROM stars GROUP BY {', '.join(['1'] * 2_000)}",
}
LARGE = {
    "modulo of modulo": nested("MOD(5, ", "id", ")", 60),
    "defaults of defaults": nested("COALESCE(", "mag", ", 1)", 100),
    "casts of casts": nested("CAST(", "mag", " AS INTEGER)", 150),
    "negations": f"SELECT 1 FROM stars WHERE {'NOT (' * 190}mag = 1{')' * 190}",
    "quotients": f"SELECT {'/'.join(['mag'] * 590)} FROM stars",
    "a sum of numbers": f"SELECT {'+'.join(['1'] * 590)} FROM stars",
    "order by name": f"SELECT {LONG_SUM} AS a FROM stars ORDER BY {', '.join(['a'] * 2_000)}",
    "tables merged": "SELECT * FROM stars AS s0 " + " ".join(f"NATURAL FULL JOIN stars AS s{i}" for i in range(1, 63)),
    "cones": "SELECT id FROM stars WHERE "
    + " OR ".join(f"1 = CONTAINS(POINT(raMean, decMean), CIRCLE({i % 360}, {i % 90}, 0.1))" for i in range(1_000)),
    "alternatives": "SELECT id FROM stars WHERE " + " OR ".join(f"mag = {i}" for i in range(10_000)),
    "subqueries": f"SELECT {'(SELECT MAX(mag) FROM stars WHERE mag < ' * 60}1{')' * 60} FROM stars",
    "with, twice": "WITH a AS (SELECT mag FROM stars) SELECT x.mag FROM a AS x JOIN a AS y ON x.mag = y.mag",
}


@pytest.mark.parametrize("what", GROWING)
def test_r03_what_grows_beyond_measure_is_refused_within_its_time(namespace, what):
    start = time.process_time()
    with pytest.raises(QueryTooLargeError, match="written out"):
        bind(get_language("ADQL").parse(GROWING[what]), namespace)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("what", LARGE)
def test_r03_what_is_only_large_is_planned_within_its_time(namespace, what):
    start = time.process_time()
    plan = make_plan(bind(get_language("ADQL").parse(LARGE[what]), namespace), 1_000)
    assert sql_of(plan, [])
    assert time.process_time() - start < 5
