"""The connection of the DuckDB engine: what is set on it holds for every query."""

from __future__ import annotations

import pytest

from skydex.engines.duckdb import DuckDBEngine, DuckDBLimits


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("parquet_metadata_cache", True),
        ("python_enable_replacements", False),
        ("lock_configuration", True),
        ("autoinstall_known_extensions", False),
        ("temp_directory", ""),
    ],
)
def test_settings_hold_for_the_cursor_of_each_query(setting: str, value: object) -> None:
    engine = DuckDBEngine(DuckDBLimits(threads=1))
    cursor = engine._connection.cursor()
    assert cursor.sql(f"SELECT current_setting('{setting}')").fetchall() == [(value,)]
