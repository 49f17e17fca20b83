"""Choosing the engine: the same answer from each, and a word about what one cannot do."""

from __future__ import annotations

import pytest

from skydex.archive import Archive, QueryRequest
from skydex.errors import BadParameterError
from skydex.settings import Settings

SCANNED = "SELECT objid FROM demo.objects WHERE mag < 19"
GROUPED = "SELECT remark, COUNT(*) AS n FROM demo.objects GROUP BY remark"


def opened(archive: Archive, engine: str | None) -> Archive:
    return Archive(archive._directory, Settings(), engine=engine)


def rows_of(archive: Archive, text: str) -> list:
    return sorted(map(repr, archive.query(QueryRequest(text)).to_arrow().to_pylist()))


def test_each_engine_gives_the_same_rows(archive):
    plain, scan, duckdb = (opened(archive, name) for name in (None, "scan", "duckdb"))
    expected = rows_of(plain, SCANNED)
    assert len(expected) > 100
    assert rows_of(scan, SCANNED) == rows_of(duckdb, SCANNED) == expected
    assert "Engine: scan" in str(scan.explain(QueryRequest(SCANNED)))
    assert "Engine: duckdb" in str(duckdb.explain(QueryRequest(SCANNED)))


def test_the_scan_engine_says_what_it_cannot_do(archive):
    with pytest.raises(BadParameterError, match="conditions on one table"):
        opened(archive, "scan").query(QueryRequest(GROUPED))


def test_an_engine_that_is_not_known_is_told_with_those_that_are(archive):
    with pytest.raises(BadParameterError, match="scan, duckdb, spark"):
        opened(archive, "duck")
