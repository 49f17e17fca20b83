"""What is expected of a query before it runs, beside what comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skydex.archive import Archive, QueryRequest
from skydex.archive.estimates import estimated
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory

N = 60_000


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("estimates")
    ra, dec = rng.random(N) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    mag, n = rng.normal(20, 2, N), rng.integers(1, 12, N)
    np.savetxt(folder / "s.csv", np.c_[np.arange(N), ra, dec, mag, n], fmt="%.10g", delimiter=",",
               header="id,ra,dec,mag,n", comments="")  # fmt: skip
    ingest_files([folder / "s.csv"], ArchiveDirectory.create(folder / "a"), "sim.sources")
    return Archive.open(folder / "a")


@pytest.mark.parametrize(
    "where",
    [
        "1 = CONTAINS(POINT(ra, dec), CIRCLE(200, 10, 3))",
        "1 = CONTAINS(POINT(ra, dec), CIRCLE(20, -50, 25))",
        "1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 90, 8))",
        "1 = CONTAINS(POINT(ra, dec), BOX(180, 30, 12, 8))",
        "1 = CONTAINS(POINT(ra, dec), POLYGON(10, 10, 40, 10, 25, 40))",
        "ra BETWEEN 100 AND 120 AND dec BETWEEN -20 AND 20",
        "mag < 18",
        "mag BETWEEN 21 AND 22 AND n > 3",
        "mag < 17 OR n = 5",
        "1 = CONTAINS(POINT(ra, dec), CIRCLE(200, 10, 30)) AND mag < 19",
        "dec > 60 AND mag IS NOT NULL",
    ],
)
def test_rows_are_foretold_within_a_factor_of_two(where, archive):
    request = QueryRequest(f"SELECT id FROM sim.sources WHERE {where}")
    estimate = estimated(archive.plan(request))
    found = archive.query(request).to_arrow().num_rows
    assert found > 40
    assert found / 2 <= estimate.n_rows <= found * 2
    assert list(estimate.rows.values()) == [estimate.n_rows]


def test_an_answer_has_no_more_rows_than_its_limit_and_a_count_has_one(archive):
    assert estimated(archive.plan(QueryRequest("SELECT TOP 7 id FROM sim.sources"))).n_rows == 7
    assert estimated(archive.plan(QueryRequest("SELECT COUNT(*) FROM sim.sources"))).n_rows == 1
    assert estimated(archive.plan(QueryRequest("SELECT n, COUNT(*) FROM sim.sources GROUP BY n"))).n_rows is None


def test_few_columns_of_few_row_groups_are_few_bytes(archive):
    of_all, of_one, of_place, of_count = (
        estimated(archive.plan(QueryRequest(text))).n_bytes
        for text in (
            "SELECT * FROM sim.sources",
            "SELECT id FROM sim.sources",
            "SELECT id FROM sim.sources WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(200, 10, 3))",
            "SELECT COUNT(*) FROM sim.sources",
        )
    )
    directory = archive.namespace().get("sim.sources").dataset.directory
    size = sum(file.stat().st_size for file in Path(directory).rglob("*.parquet"))
    assert size / 2 < of_all <= size
    assert of_one < of_all / 2
    assert of_place < of_all / 2
    assert of_count == 0


def test_explain_tells_what_to_expect(archive):
    text = str(archive.explain(QueryRequest("SELECT id FROM sim.sources WHERE mag < 18")))
    assert "\nExpects: about " in text
    assert "rows in the answer; about" in text
