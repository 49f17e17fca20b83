"""Tables far away in an archive: the same answers as near, counted; and what happens when their server is down."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.rangeserver import Fault, serving

from skydex.archive import Archive, QueryRequest
from skydex.errors import RemoteChangedError, RemoteUnavailableError
from skydex.ingest import ingest_files
from skydex.settings import Settings
from skydex.store import ArchiveDirectory

N = 30_000
QUERIES = [
    "SELECT * FROM {t} WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(180, 20, 3)) ORDER BY id",
    "SELECT id, mag FROM {t} WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 90, 5)) AND mag < 20 ORDER BY id",
    "SELECT COUNT(*), MIN(mag), MAX(mag), COUNT(name) FROM {t}",
    "SELECT band, COUNT(*) AS n, MIN(id) FROM {t} GROUP BY band ORDER BY band",
    "SELECT TOP 7 id, mag FROM {t} ORDER BY mag, id",
    "SELECT name FROM {t} WHERE id = 4711",
    "SELECT id FROM {t} WHERE dec BETWEEN -1 AND 1 AND band = 'g' ORDER BY id",
    "SELECT a.id, b.label FROM {t} a JOIN survey.bands b ON a.band = b.band WHERE a.id < 50 ORDER BY a.id",
    "SELECT COUNT(*) FROM {t} a JOIN {t} b ON a.id = b.id + 1 WHERE a.band = b.band",
    "SELECT a.id, b.id FROM {t} a JOIN survey.near b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.001 "
    "ORDER BY a.id, b.id",
    "SELECT id FROM {t} WHERE id IN (SELECT id FROM survey.near WHERE id < 100) ORDER BY id",
    "SELECT id FROM {t} WHERE id < 5 UNION ALL SELECT id FROM survey.near WHERE id < 5 ORDER BY id",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An archive with a table, some rows of it apart, and a table without positions."""
    folder = tmp_path_factory.mktemp("far")
    rng = np.random.default_rng(7)
    rows = pa.table({
        "id": np.arange(N),
        "ra": rng.random(N) * 360,
        "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, N))),
        "mag": pa.array(rng.normal(20, 2, N).astype("f4"), mask=rng.random(N) < 0.1),
        "band": rng.choice(["g", "r", "i"], N),
        "name": pa.array([None if i % 5 == 0 else f"S{i}" for i in range(N)]),
    })  # fmt: skip
    pq.write_table(rows, folder / "rows.parquet")
    pq.write_table(rows.slice(0, N // 100), folder / "near.parquet")
    pq.write_table(pa.table({"band": ["g", "r", "i"], "label": ["green", "red", "infrared"]}), folder / "bands.parquet")
    archive = folder / "archive"
    ingest_files([folder / "rows.parquet"], archive, "survey.stars", ra="ra", dec="dec", id="id")
    ingest_files([folder / "near.parquet"], archive, "survey.near", ra="ra", dec="dec", id="id")
    ingest_files([folder / "bands.parquet"], archive, "survey.bands", position="none")
    return folder


@pytest.fixture
def served(home, tmp_path):
    """The archive with the table mounted over HTTP as `far.stars`, and the server of its files."""
    shutil.copytree(home / "archive", tmp_path / "archive", symlinks=True)
    stars = home / "archive" / "catalogs/survey.stars/current"
    shutil.copytree(stars, tmp_path / "web/stars")
    with serving(tmp_path / "web") as web:
        ArchiveDirectory(tmp_path / "archive").mount("far.stars", f"{web.url}/stars")
        yield tmp_path / "archive", web


def rows(archive, text):
    return archive.query(QueryRequest(text)).to_arrow()


@pytest.mark.parametrize("most_held", [400_000, 1_000])
def test_queries_give_the_same_rows_far_as_near(served, monkeypatch, most_held):
    monkeypatch.setattr("skydex.engines.duckdb._ARROW_ROWS", most_held)  # else all would be small enough to be held
    place, _ = served
    archive = Archive.open(place)
    for query in QUERIES:
        far, near = (rows(archive, query.format(t=table)) for table in ("far.stars", "survey.stars"))
        assert far.equals(near), query


def test_explain_counts_what_came(served):
    place, web = served
    archive = Archive.open(place)
    query = QueryRequest(QUERIES[0].format(t="far.stars").replace(" ORDER BY id", ""))
    web.forget()
    cold = archive.explain(query, run=True)
    assert (cold.traffic.n_requests, cold.traffic.n_bytes) == (len(web.requests), web.n_bytes)
    assert cold.n_rows > 0
    assert cold.traffic.n_requests <= 6
    assert f"Read: {cold.traffic}" in str(cold)
    warm = archive.explain(query, run=True)
    assert (warm.traffic.n_requests, warm.traffic.n_bytes) == (0, 0)
    near = archive.explain(QueryRequest("SELECT COUNT(*) FROM survey.stars"), run=True)
    assert near.traffic is None
    assert "Read:" not in str(near)


def test_explain_counts_what_the_sql_engine_streams(served, monkeypatch):
    monkeypatch.setattr("skydex.engines.duckdb._ARROW_ROWS", 1_000)
    place, web = served
    archive = Archive.open(place)
    web.forget()
    found = archive.explain(QueryRequest("SELECT band, SUM(mag) FROM far.stars GROUP BY band"), run=True)
    assert found.traffic.n_bytes == web.n_bytes > 0
    assert web.n_bytes < sum(f.stat().st_size for f in web.root.rglob("*.parquet"))


@pytest.mark.parametrize("outputs", ["*", "COUNT(*)", "band, MAX(mag)"])
def test_a_cone_without_joint_metadata_looks_into_the_files_it_touches(home, shared_data, tmp_path, outputs):
    shutil.copytree(shared_data / "hats/small_sky_order3_source", tmp_path / "web/theirs")
    (tmp_path / "web/theirs/dataset/_metadata").unlink()
    with serving(tmp_path / "web") as web:
        ArchiveDirectory.create(tmp_path / "archive").mount("far.sources", f"{web.url}/theirs")
        archive = Archive.open(tmp_path / "archive")
        web.forget()
        end = " GROUP BY band" if "band" in outputs else ""
        cone = "1 = CONTAINS(POINT(source_ra, source_dec), CIRCLE(283.4, -61.1, 0.1))"
        archive.explain(QueryRequest(f"SELECT {outputs} FROM far.sources WHERE {cone}{end}"), run=True)
        assert 0 < len({asked.name for asked in web.data_requests}) < 5


def test_a_join_in_a_region_asks_no_footer_for_values_without_joint_metadata(shared_data, tmp_path, monkeypatch):
    monkeypatch.setattr("skydex.query.keys._LARGE_ROWS", 0)
    shutil.copytree(shared_data / "hats/small_sky_order3_source", tmp_path / "web/theirs")
    (tmp_path / "web/theirs/dataset/_metadata").unlink()
    pq.write_table(pa.table({"object": np.arange(700, 831)}), tmp_path / "mine.parquet")
    ingest_files([tmp_path / "mine.parquet"], tmp_path / "archive", "my.objects", position="none")
    with serving(tmp_path / "web") as web:
        ArchiveDirectory(tmp_path / "archive").mount("far.sources", f"{web.url}/theirs")
        archive = Archive.open(tmp_path / "archive")
        text = (
            "SELECT COUNT(*) AS n FROM far.sources AS s JOIN my.objects AS o ON object_id = object WHERE {}object < 800"
        )
        web.forget()
        cone = "1 = CONTAINS(POINT(s.source_ra, s.source_dec), CIRCLE(283.4, -61.1, 0.1)) AND "
        assert rows(archive, text.format(cone))["n"][0].as_py() > 0
        assert len({asked.name for asked in web.data_requests}) < 5
        assert rows(archive, text.format(""))["n"][0].as_py() > 1000  # for the whole table all of them may be asked


def test_a_failure_in_a_stream_is_told_in_our_words(served, monkeypatch):
    monkeypatch.setattr("skydex.engines.duckdb._ARROW_ROWS", 1_000)
    place, web = served
    archive = Archive.open(place)
    rows(archive, "SELECT COUNT(*) FROM far.stars WHERE id = 1")
    web.faults = lambda asked: Fault(status=403) if asked.is_data else None
    with pytest.raises(RemoteUnavailableError, match=r"far\.stars lie elsewhere .* \(status 403\)") as caught:
        rows(archive, "SELECT name, COUNT(*) FROM far.stars GROUP BY name")
    assert "127.0.0.1" not in str(caught.value)


def test_an_archive_opens_without_those_that_are_down_and_says_which(home, tmp_path):
    shutil.copytree(home / "archive", tmp_path / "archive", symlinks=True)
    with serving(home / "archive/catalogs/survey.stars") as web:
        ArchiveDirectory(tmp_path / "archive").mount("far.stars", f"{web.url}/current")
    start = time.monotonic()
    archive = Archive.open(tmp_path / "archive")
    assert time.monotonic() - start < 5
    assert rows(archive, "SELECT COUNT(*) FROM survey.stars")["count"].to_pylist() == [N]
    for name in ("far.stars", "FAR.Stars"):
        with pytest.raises(RemoteUnavailableError, match=r"far\.stars .*cannot be reached"):
            archive.query(QueryRequest(f"SELECT * FROM {name}"))


def test_a_table_appears_when_its_server_answers_again(served, monkeypatch):
    monkeypatch.setattr("skydex.archive.far._PAUSE_S", 0.0)
    place, web = served
    web.faults = lambda asked: Fault(status=404)
    archive = Archive.open(place, Settings(remote_cache_mb=0))
    with pytest.raises(Exception, match=r"far\.stars"):
        rows(archive, "SELECT TOP 1 id FROM far.stars")
    web.faults = lambda asked: None
    assert rows(archive, "SELECT COUNT(*) FROM far.stars")["count"].to_pylist() == [N]


def test_what_is_on_the_disk_answers_while_the_server_is_down(home, tmp_path):
    shutil.copytree(home / "archive", tmp_path / "archive", symlinks=True)
    query = "SELECT COUNT(*) FROM far.stars WHERE dec > 0"
    with serving(home / "archive/catalogs/survey.stars") as web:
        ArchiveDirectory(tmp_path / "archive").mount("far.stars", f"{web.url}/current")
        found = rows(Archive.open(tmp_path / "archive"), query)
    again = Archive.open(tmp_path / "archive")
    assert rows(again, query).equals(found)
    with pytest.raises(RemoteUnavailableError):
        rows(again, "SELECT MAX(mag) FROM far.stars WHERE dec > 0")


def test_a_catalogue_that_was_published_anew_is_opened_anew(served, home, tmp_path):
    place, web = served
    archive = Archive.open(place, Settings(remote_check_s=0.001))
    assert rows(archive, "SELECT COUNT(*) FROM far.stars")["count"].to_pylist() == [N]
    shutil.rmtree(web.root / "stars")
    shutil.copytree(home / "archive/catalogs/survey.near/current", web.root / "stars")
    time.sleep(0.01)
    assert rows(archive, "SELECT COUNT(*) FROM far.stars")["count"].to_pylist() == [N // 100]


def test_one_that_changes_in_the_middle_of_an_answer_is_an_error_and_then_opened_anew(served, home):
    place, web = served
    archive = Archive.open(place, Settings(remote_cache_mb=0))
    with archive.query(QueryRequest("SELECT id, name FROM far.stars")) as result:
        next(iter(result.batches))
        shutil.rmtree(web.root / "stars")
        shutil.copytree(home / "archive/catalogs/survey.near/current", web.root / "stars")
    with pytest.raises(RemoteChangedError, match=r"far\.stars changed"):
        rows(archive, "SELECT id, mag FROM far.stars")
    assert len(rows(archive, "SELECT id, mag FROM far.stars")) == N // 100
