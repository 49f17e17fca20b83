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
    obj = np.repeat(np.arange(2_000), rng.integers(1, 12, 2_000))
    np.savetxt(folder / "d.csv", np.c_[obj, rng.random(len(obj))], fmt="%.10g", delimiter=",", header="obj,flux",
               comments="")  # fmt: skip
    (folder / "k.csv").write_text("n,label\n1,a\n2,b\n5,c\n11,d\n")
    for file, table in (("d.csv", "sim.detections"), ("k.csv", "sim.kinds")):
        ingest_files([folder / file], ArchiveDirectory(folder / "a"), table, position="none")
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


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("SELECT s.id, d.flux FROM sim.sources AS s JOIN sim.detections AS d ON d.obj = s.id", 1.05),
        ("SELECT s.id, d.flux FROM sim.sources AS s JOIN sim.detections AS d ON d.obj = s.id AND s.mag < 19", 1.5),
        ("SELECT s.id FROM sim.sources AS s, sim.detections AS d WHERE d.obj = s.id AND mag < 18 AND d.flux > 0.5", 2),
        ("SELECT d.flux FROM sim.detections AS d JOIN sim.detections AS e ON d.obj = e.obj WHERE d.obj < 500", 2),
        ("SELECT s.id FROM sim.sources AS s JOIN sim.kinds AS k ON s.n = k.n", 1.3),
        ("SELECT e.obj FROM sim.sources AS s JOIN sim.detections AS e ON e.obj = s.id WHERE s.id BETWEEN 7 AND 300", 2),
        ("SELECT s.id FROM sim.sources AS s LEFT JOIN sim.detections AS d ON d.obj = s.id WHERE s.mag > 20", 2),
        ("SELECT s.id FROM sim.sources AS s LEFT JOIN sim.kinds AS k ON k.n = s.id", 1.0),
        ("SELECT s.id FROM sim.sources AS s, sim.kinds AS k OFFSET 1000", 1.0),
    ],
)
def test_rows_of_joins_are_foretold_by_the_values_that_their_columns_may_have(text, factor, archive):
    request = QueryRequest(text)
    estimate, found = estimated(archive.plan(request)), archive.query(request).to_arrow().num_rows
    assert found > 40
    assert found / factor <= estimate.n_rows <= found * factor
    assert not estimate.is_bound
    assert f"; about {estimate.n_rows:,} rows in the answer" in str(estimate).replace(", about", "; about")


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("SELECT n, COUNT(*) FROM sim.sources GROUP BY n", 12),
        ("SELECT n, COUNT(*) FROM sim.sources WHERE mag < 19 GROUP BY n HAVING COUNT(*) > 100", 12),
        ("SELECT DISTINCT n FROM sim.sources WHERE n > 3", 12),
        ("SELECT s.n, k.n, COUNT(*) FROM sim.sources AS s JOIN sim.kinds AS k ON s.n < k.n GROUP BY s.n, k.n", 60),
        ("SELECT id, COUNT(*) FROM sim.sources WHERE id < 900 GROUP BY id", N),
        ("SELECT ROUND(mag), COUNT(*) FROM sim.sources GROUP BY ROUND(mag)", N),
        ("SELECT s.id FROM sim.sources AS s JOIN sim.kinds AS k ON s.mag < k.n", 4 * N),
        ("SELECT s.id FROM sim.sources AS s JOIN sim.kinds AS k ON s.n = k.n OR s.mag < 12", 4 * N),
        ("SELECT s.id FROM sim.kinds AS k LEFT JOIN sim.sources AS s ON s.n = k.n AND s.mag < 12", 5 * (N + 1)),
        ("SELECT k.n FROM sim.kinds AS k FULL JOIN sim.sources AS s ON s.n = k.n", 5 * (N + 1)),
        ("SELECT COUNT(*) FROM sim.sources WHERE SIN(mag) > 0 HAVING COUNT(*) > 10", 1),
    ],
)
def test_where_nothing_is_weighed_there_is_a_bound_that_holds(text, most, archive):
    request = QueryRequest(text)
    estimate, found = estimated(archive.plan(request)), archive.query(request).to_arrow().num_rows
    assert found <= estimate.n_rows <= most
    assert estimate.is_bound
    assert f"at most {estimate.n_rows:,} rows in the answer" in str(estimate)


def test_sums_are_one_row_and_of_what_is_derived_nothing_is_foretold(archive):
    of = {
        text: estimated(archive.plan(QueryRequest(text)))
        for text in (
            "SELECT AVG(mag), SUM(n) FROM sim.sources",
            "SELECT AVG(s.mag) FROM sim.sources AS s JOIN sim.kinds AS k ON s.n = k.n",
            "SELECT q.n FROM (SELECT n FROM sim.sources GROUP BY n) AS q",
            "SELECT n FROM sim.sources UNION SELECT n FROM sim.kinds",
        )
    }
    assert [(each.n_rows, each.is_bound) for each in of.values()] == [
        (1, False),
        (1, False),
        (None, False),
        (None, False),
    ]


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
