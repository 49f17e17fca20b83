"""Rows that have one coordinate of two: no cone finds them, but who compares that coordinate does."""

from __future__ import annotations

import pytest
from astropy.table import MaskedColumn, Table

from skydex.archive import Archive, QueryRequest
from skydex.ingest import ingest_files


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    where = tmp_path_factory.mktemp("half")
    ra = MaskedColumn([1.0, 0.0, 3.0, 0.0], mask=[False, True, False, True])
    dec = MaskedColumn([5.0, 6.0, 0.0, -7.0], mask=[False, False, True, False])
    Table({"id": [1, 2, 3, 4], "ra": ra, "dec": dec}).write(where / "t.fits")
    ingest_files([where / "t.fits"], where / "archive", "own.t")
    return Archive.open(where / "archive")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("dec > 0", [1, 2]),
        ("dec = 6", [2]),
        ("ra < 10", [1, 3]),
        ("dec BETWEEN -10 AND 0 OR id = 1", [1, 4]),
        ("dec > 0 AND ra < 10", [1]),
        ("dec > 0 AND id < 3 AND NOT ra > 100", [1]),
        ("1 = CONTAINS(POINT(ra, dec), CIRCLE(1, 5, 30))", [1]),
    ],
)
def test_a_comparison_of_one_coordinate_finds_rows_that_lack_the_other(archive, condition, found):
    rows = archive.query(QueryRequest(f"SELECT id FROM own.t WHERE {condition}")).to_arrow()
    assert sorted(rows["id"].to_pylist()) == found
