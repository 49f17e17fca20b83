"""Cross-matches that are kept: as tables that others open, in files, as one's own; and gone on with after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table as AstropyTable

from skydex.archive import Archive, CrossmatchRequest, QueryRequest, Upload
from skydex.archive.matching import running, tasks
from skydex.errors import BadParameterError, TableExistsError, UnknownTableError
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory
from skydex.xmatch import Criteria, Keep, Radius

ARCSEC = 1.0 / 3600.0
N = 3000
REQUEST = CrossmatchRequest(("sky.first", "sky.second"), Criteria(Radius(ARCSEC)))
COUNT = "SELECT COUNT(*) AS n, SUM(id) AS ids, SUM(id_second) AS others, MAX(separation) AS most FROM m.pairs"
KILLED = """
import os, signal, sys
from skydex.archive import Archive, CrossmatchRequest
from skydex.archive.matching import running, tasks
from skydex.xmatch import Criteria, Radius

tasks.MOST_ROWS, running._CHECKPOINT_S = 100, 0.0

def progress(stage, done, total):
    if (stage, done > 1000) == (sys.argv[2], True):
        os.kill(os.getpid(), signal.SIGKILL)

request = CrossmatchRequest(("sky.first", "sky.second"), Criteria(Radius(1 / 3600)))
Archive.open(sys.argv[1]).keep_crossmatch(request, "m.pairs", progress=progress)
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Two tables of one sky, the second a little aside, with some stars of its own."""
    place = tmp_path_factory.mktemp("matches")
    rng = np.random.default_rng(17)
    ra, dec = rng.uniform(0, 360, N), np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    for name, step, n_more in (("first", 0.0, 0), ("second", 0.5 * ARCSEC, 100)):
        rows = {
            "id": np.arange(N + n_more),
            "ra": np.append(ra, rng.uniform(0, 360, n_more)),
            "dec": np.clip(np.append(dec + step, rng.uniform(-90, 90, n_more)), -90, 90),
            "mag": rng.normal(20, 1, N + n_more),
        }
        pq.write_table(pa.table(rows), place / f"{name}.parquet")
        ingest_files([place / f"{name}.parquet"], place / "archive", f"sky.{name}")
    return place / "archive"


@pytest.fixture
def directory(published, tmp_path) -> ArchiveDirectory:
    """A copy, to be written to; the files are the same ones."""
    import shutil

    return ArchiveDirectory(shutil.copytree(published, tmp_path / "archive", symlinks=True, copy_function=_linked))


def _linked(source, target):
    Path(target).hardlink_to(source)


def test_a_kept_match_is_a_table_with_positions_and_with_its_origin(directory):
    report = Archive.open(directory.path).keep_crossmatch(REQUEST, "m.pairs")
    assert (report.n_rows, report.n_first, report.n_matched, report.n_pairs) == (N, N, N, (N,))
    entry = directory.get("m.pairs")
    assert "within 1 arcsec" in entry.description
    assert f"{N:,} of {N:,} rows have partners" in entry.description
    assert directory.get("sky.first").version in entry.description
    assert entry.notes["crossmatch"]["tables"] == ["sky.first", "sky.second"]
    table = directory.open("m.pairs").table
    assert (table.position.ra, table.get_column("separation").unit) == ("ra", "arcsec")
    assert table.get_column("separation").ucd == "pos.angDistance"
    rows = Archive.open(directory.path).query(QueryRequest(COUNT)).to_arrow().to_pylist()[0]
    assert (rows["n"], rows["ids"], rows["others"]) == (N, N * (N - 1) // 2, N * (N - 1) // 2)
    assert rows["most"] <= 0.5 + 1e-6


def test_lsdb_opens_a_kept_match(directory):
    lsdb = pytest.importorskip("lsdb")
    Archive.open(directory.path).keep_crossmatch(REQUEST, "m.pairs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        catalog = lsdb.open_catalog(directory.hats_path("m.pairs"))
    assert len(catalog) == N
    assert {"separation", "id_second"} <= set(catalog.columns)


@pytest.mark.parametrize("stage", ["match", "write"])
def test_a_match_that_was_killed_goes_on_where_it_was(directory, monkeypatch, stage):
    ran = subprocess.run([sys.executable, "-c", KILLED, str(directory.path), stage], check=False, capture_output=True)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    monkeypatch.setattr(tasks, "MOST_ROWS", 100)
    begun = []
    once = running.matches
    monkeypatch.setattr(running, "matches", lambda task, job: begun.append(task.key) or once(task, job))
    report = Archive.open(directory.path).keep_crossmatch(REQUEST, "m.pairs")
    n_tasks = N / 50
    assert (len(begun) < n_tasks) if stage == "match" else not begun
    assert (report.n_rows, report.n_matched, report.n_pairs) == (N, N, (N,))
    rows = Archive.open(directory.path).query(QueryRequest(COUNT)).to_arrow().to_pylist()[0]
    assert (rows["n"], rows["ids"], rows["others"]) == (N, N * (N - 1) // 2, N * (N - 1) // 2)
    assert not list((directory.path / "staging").iterdir())


def test_a_table_that_has_changed_meanwhile_is_matched_anew(directory, monkeypatch, published):
    monkeypatch.setattr(running, "_CHECKPOINT_S", 0.0)

    def stop(stage, done, total):
        if stage == "write":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Archive.open(directory.path).keep_crossmatch(REQUEST, "m.pairs", progress=stop)
    rows = pq.read_table(published.parent / "second.parquet").slice(0, 10)
    pq.write_table(rows, directory.path.parent / "fewer.parquet")
    ingest_files([directory.path.parent / "fewer.parquet"], directory, "sky.second")
    assert Archive.open(directory.path).keep_crossmatch(REQUEST, "m.pairs").n_rows == 10


def test_only_what_a_match_has_made_is_replaced(directory):
    archive = Archive.open(directory.path)
    with pytest.raises(BadParameterError, match="which no cross-match made"):
        archive.keep_crossmatch(REQUEST, "sky.first")
    with pytest.raises(BadParameterError, match="not of the form"):
        archive.keep_crossmatch(REQUEST, "m.pairs; drop")
    with pytest.raises(UnknownTableError):
        archive.keep_crossmatch(replace(REQUEST, tables=("sky.first", "sky.third")), "m.pairs")
    archive.keep_crossmatch(REQUEST, "m.pairs")
    alone = replace(REQUEST, criteria=replace(REQUEST.criteria, keep=Keep.NONE))
    assert archive.keep_crossmatch(alone, "m.pairs").n_rows == 0
    assert directory.open("m.pairs").table.n_rows == 0


def test_a_match_becomes_ones_own_table_or_a_file(directory, tmp_path):
    archive = Archive.open(directory.path)
    archive.accounts.add("alice", "correct horse battery")
    own = replace(REQUEST, owner="alice")
    assert archive.keep_crossmatch(own, "mydb.pairs").n_rows == N
    assert archive.keep_crossmatch(own, "mydb.pairs").name == "mydb.pairs"
    query = QueryRequest("SELECT COUNT(*) AS n FROM mydb.pairs WHERE DISTANCE(ra, dec, 10, 10) < 200", owner="alice")
    assert archive.query(query).to_arrow()["n"].to_pylist() == [N]
    archive.mydb("alice").create("mine", *_columns_and_rows())
    with pytest.raises(TableExistsError):
        archive.keep_crossmatch(own, "mydb.mine")
    matched = replace(own, tables=("mydb.mine", "sky.first"))
    assert archive.crossmatch(matched).to_arrow()["id"].to_pylist() == []
    for name in ("pairs.fits", "pairs.vot", "pairs.csv", "pairs.parquet"):
        file = tmp_path / name
        archive.keep_crossmatch(REQUEST, file)
        rows = AstropyTable.read(file) if name != "pairs.parquet" else pq.read_table(file).to_pandas()
        assert sorted(rows["id"]) == list(range(N))
        assert not file.with_name(f"{name}.part").exists()
    assert not list((directory.path / "state" / "crossmatches").iterdir())


def _columns_and_rows():
    from skydex.tables import Column, Datatype, arrow_schema

    columns = (Column("ra", Datatype.DOUBLE, unit="deg"), Column("dec", Datatype.DOUBLE, unit="deg"))
    return columns, pa.table({"ra": [1.0], "dec": [-89.0]}, schema=arrow_schema(columns)).to_batches()


def test_a_catalogue_of_others_and_a_file_are_matched_as_they_are(directory, published, tmp_path):
    place = tmp_path / "theirs"
    place.mkdir()
    rows = pq.read_table(published.parent / "second.parquet")
    pq.write_table(rows.slice(0, 1500), place / "one.parquet")
    pq.write_table(rows.slice(1500), place / "two.parquet")
    directory.mount("their.stars", str(place))
    directory.mount("hats.stars", str(directory.hats_path("sky.second")))
    (tmp_path / "mine.csv").write_text("name,RAJ2000,DEJ2000\nx,10.0,95\n" + _lines(published, 5))
    archive = Archive.open(directory.path)
    uploads = (Upload("mine", str(tmp_path / "mine.csv")),)
    for other in ("hats.stars", "their.stars"):
        if archive.namespace().get(other).table.position is None:
            continue
        request = replace(REQUEST, tables=("sky.first", other))
        assert archive.crossmatch(request).to_arrow()["id_stars"].to_pylist() == list(
            archive.crossmatch(request).to_arrow()["id"].to_pylist()
        )
        mine = CrossmatchRequest(("TAP_UPLOAD.mine", other), Criteria(Radius(ARCSEC), Keep.LEFT), uploads=uploads)
        assert archive.crossmatch(mine).to_arrow()["id"].to_pylist() == [None, 0, 1, 2, 3, 4]


def _lines(published, n):
    rows = pq.read_table(published.parent / "first.parquet").slice(0, n).to_pylist()
    return "".join(f"s{row['id']},{row['ra']!r},{row['dec']!r}\n" for row in rows)
