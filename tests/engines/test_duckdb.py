"""The connection of the DuckDB engine: what is set on it holds for every query."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest

from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits
from skydex.errors import BadQueryError, QueryTooLargeError
from skydex.query import bind, get_language, make_plan
from skydex.sky import Polygon


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("parquet_metadata_cache", True),
        ("python_enable_replacements", False),
        ("max_expression_depth", 1000),
        ("lock_configuration", True),
        ("autoinstall_known_extensions", False),
        ("temp_directory", ""),
    ],
)
def test_settings_hold_for_the_cursor_of_each_query(setting: str, value: object) -> None:
    engine = DuckDBEngine(DuckDBLimits(threads=1))
    cursor = engine._connection.cursor()
    assert cursor.sql(f"SELECT current_setting('{setting}')").fetchall() == [(value,)]


@pytest.fixture
def run(namespace):
    def run(text: str):
        plan = make_plan(bind(get_language("ADQL").parse(text), namespace))
        return DuckDBEngine(DuckDBLimits(threads=1)).run(plan).to_arrow()

    return run


@pytest.mark.parametrize(
    "text",
    [
        "SELECT SUM(9223372036854775807) FROM sources",
        "SELECT id * 9223372036854775807 FROM sources ORDER BY id",
        "SELECT CAST(flux + 1e300 AS BIGINT) FROM sources ORDER BY id",
        "SELECT CAST('x.parquet' || name AS INTEGER) FROM sources ORDER BY id",
        "SELECT CAST(name AS DOUBLE PRECISION) FROM sources ORDER BY id",
        "SELECT CAST('parquet' || name AS TIMESTAMP) FROM sources ORDER BY id",
        "SELECT (0 - 9223372036854775807 - 1) / (0 - 1) FROM sources ORDER BY id",
    ],
)
def test_r07_values_that_cannot_be_are_the_asker_s_mistake_and_no_damaged_file(run, text):
    with pytest.raises(BadQueryError):
        run(text)


@pytest.mark.parametrize(
    "expression",
    [
        " + ".join(["flux"] * 550),
        " / ".join(["flux"] * 450),
        f"{'ABS(' * 199}flux{')' * 199}",
        f"{'COALESCE(1, ' * 199}flux{')' * 199}",
        f"{'CASE WHEN 1 = 1 THEN ' * 199}flux{' END' * 199}",
        f"{'CAST(' * 199}flux{' AS BIGINT)' * 199}",
        f"{'ROUND(' * 199}flux{', 2)' * 199}",
        f"{'MOD(7, ' * 199}id{')' * 199}",
        f"{'(SELECT MAX(n) FROM sources WHERE n < ' * 60}1{')' * 60}",
    ],
)
def test_r03_what_is_deep_is_answered_or_refused_in_time(run, expression):
    start = time.process_time()
    with contextlib.suppress(QueryTooLargeError):
        run(f"SELECT {expression} AS x FROM sources WHERE id < 9007199254741000")
    assert time.process_time() - start < 5


@pytest.mark.parametrize("n", [90, 150, 2_000])
def test_borders_of_many_edges_hold_what_the_region_says_and_soon(n, run, rows):
    """A jagged ring around a place; beyond some number of edges another way is taken (R04)."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    reach = 20 + 10 * (np.arange(n) % 2)
    ra, dec = (40 + reach * np.cos(turn)) % 360, reach * np.sin(turn)
    border = ", ".join(f"{x!r}, {y!r}" for x, y in zip(ra.tolist(), dec.tolist(), strict=True))
    text = f"SELECT id FROM sources WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON({border})) AND mag + flux IS NOT NULL"
    start = time.process_time()
    found = run(f"{text} ORDER BY id").column(0).to_pylist()
    assert time.process_time() - start < 5
    inside = Polygon(tuple(ra), tuple(dec)).contains(rows["ra"].to_numpy(), rows["dec"].to_numpy())
    valid = rows["mag"].is_valid().to_numpy() & rows["flux"].is_valid().to_numpy()
    assert found == rows["id"].to_numpy()[inside & valid].tolist()
