"""Cross-matches of whole tables on Spark: what comes out is what comes out here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.archive import Archive, CrossmatchRequest
from skydex.archive.matching import keep_crossmatch, tasks
from skydex.archive.matching.on_spark import tasks_on
from skydex.archive.matching.running import iter_parts
from skydex.errors import SettingsError
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory
from skydex.xmatch import Criteria, Keep, Radius

N = 2000


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> ArchiveDirectory:
    place = tmp_path_factory.mktemp("matches")
    rng = np.random.default_rng(29)
    ra, dec = rng.uniform(0, 360, N), np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    for name, step in (("first", 0.0), ("second", 0.4 / 3600)):
        file = place / f"{name}.parquet"
        pq.write_table(pa.table({"id": np.arange(N), "ra": ra, "dec": np.clip(dec + step, -90, 90)}), file)
        ingest_files([file], place / "archive", f"sky.{name}")
    return ArchiveDirectory(place / "archive")


@pytest.mark.spark
def test_tasks_on_spark_give_the_rows_that_they_give_here(directory, spark_session, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "MOST_ROWS", 300)
    archive = Archive.open(directory.path)
    request = CrossmatchRequest(("sky.first", "sky.second"), Criteria(Radius(1 / 3600), Keep.LEFT_ALL, chance=True))
    found = {}
    for name in ("here", "spark"):
        given = archive._given(request, None)
        run = iter_parts if name == "here" else lambda todo, job: tasks_on(spark_session, todo, job, spool=tmp_path)
        state = directory.path / "state"
        report = keep_crossmatch(request, replace(given, run=run), f"m.{name}", directory, None, state)
        dataset = directory.open(f"m.{name}")
        names = [column.name for column in dataset.table.columns]
        rows = pa.concat_tables(dataset.read(piece, names) for piece in dataset.select(None).pieces)
        found[name] = rows, (report.n_rows, report.n_first, report.n_matched, report.n_pairs, report.chance)
    assert found["here"][0].equals(found["spark"][0])
    assert found["here"][1] == found["spark"][1]
    assert found["here"][1][0] == N
    assert not list(tmp_path.iterdir())


def test_without_a_setting_for_spark_it_says_so(directory):
    request = CrossmatchRequest(("sky.first", "sky.second"), Criteria(Radius(1 / 3600)))
    with pytest.raises(SettingsError, match="Setting spark"):
        Archive.open(directory.path).keep_crossmatch(request, "m.none", on_spark=True)
