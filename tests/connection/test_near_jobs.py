"""Jobs, own tables and T-SQL of an archive on this disk; everything in a copy, since they write."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import skydex
from skydex.errors import (
    JobFailedError,
    TableExistsError,
    UnknownColumnError,
    UnknownResourceError,
    UnknownTableError,
    UnknownUserError,
)

ENDLESS = """
    SELECT COUNT(*) AS n FROM hsc.SumMagAper2CatView a, hsc.SumMagAper2CatView b, hsc.SumMagAper2CatView c,
    hsc.SumMagAper2CatView d WHERE a.MatchRA + b.MatchRA + c.MatchRA < d.MatchDec"""


@pytest.fixture(scope="module")
def place(simulated, tmp_path_factory):
    return shutil.copytree(simulated, tmp_path_factory.mktemp("near") / "archive")


@pytest.fixture(scope="module")
def archive(place):
    with skydex.connect(place) as archive:
        yield archive


def test_a_job_gives_the_rows_that_the_query_gives(archive):
    text = "SELECT MatchID, MatchRA FROM hsc.SumMagAper2CatView ORDER BY MatchID"
    job = archive.submit(text, maxrec=7)
    rows = job.result()
    assert job.phase == "COMPLETED"
    assert rows.truncated
    assert list(rows["MatchID"]) == list(archive.query(text, maxrec=7)["MatchID"])
    assert rows["MatchRA"].unit == "deg"


def test_a_job_is_found_again_by_another_process(archive, place):
    url = archive.submit("SELECT COUNT(*) AS n FROM hsc.SumMagAper2CatView").wait().url
    program = f"import skydex; print(skydex.connect({str(place)!r}).job({url!r}).result()['n'][0])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) == archive.query("SELECT COUNT(*) AS n FROM hsc.SumMagAper2CatView")["n"][0]


def test_a_job_whose_process_has_ended_says_so(archive, place):
    program = f"import skydex; print(skydex.connect({str(place)!r}).submit('''{ENDLESS}''').url)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    job = archive.job(done.stdout.strip())
    assert job.phase == "ERROR"
    with pytest.raises(JobFailedError, match="ended"):
        job.result()


def test_a_job_that_is_aborted_stops_within_seconds(archive):
    job = archive.submit(ENDLESS)
    with pytest.raises(TimeoutError, match="goes on"):
        job.wait(0.2)
    start = time.monotonic()
    job.abort()
    assert time.monotonic() - start < 3
    assert job.phase == "ABORTED"
    with pytest.raises(JobFailedError, match="ABORTED"):
        job.result()


def test_what_is_wrong_with_a_query_shows_before_its_job_is_made(archive):
    with pytest.raises(UnknownColumnError, match="MatchID"):
        archive.submit("SELECT MatchIDD FROM hsc.SumMagAper2CatView")


def test_a_job_that_is_deleted_is_gone(archive):
    job = archive.submit("SELECT 1 AS one FROM ps1.Filter").wait()
    job.delete()
    with pytest.raises(UnknownResourceError, match="job"):
        archive.job(job.url)


def test_a_stream_gives_the_rows_in_tables_of_a_size(archive):
    text = "SELECT MatchID FROM hsc.SumMagAper2CatView"
    with archive.stream(text, rows=100) as stream:
        sizes = [len(rows) for rows in stream]
    assert sum(sizes) == len(archive.query(text))
    assert set(sizes[:-1]) == {100}


def test_own_tables_need_no_account_in_an_archive_that_is_nobody_elses(archive, place):
    table = archive.query("SELECT TOP 5 MatchID, MatchRA FROM hsc.SumMagAper2CatView")
    archive.mydb.write("five", table)
    assert "five" in archive.mydb
    assert list(archive.mydb["mydb.five"]["MatchID"]) == list(table["MatchID"])
    assert archive.mydb["five"]["MatchRA"].unit == "deg"
    assert archive.query("SELECT COUNT(*) AS n FROM mydb.five")["n"][0] == 5
    assert list(skydex.connect(place).query("SELECT COUNT(*) AS n FROM mydb.five")["n"]) == [5]
    with pytest.raises(TableExistsError, match="five"):
        archive.mydb.write("five", table)
    archive.mydb.write("five", {"x": np.arange(3)}, overwrite=True)
    assert len(archive.mydb["five"]) == 3
    archive.mydb.drop("five")
    archive.mydb.drop_if_exists("five")
    with pytest.raises(UnknownTableError, match="five"):
        archive.mydb.drop("five")


def test_a_query_of_casjobs_goes_into_mydb(place):
    with skydex.connect("mast-casjobs", at=place) as casjobs:
        casjobs.mydb.drop_if_exists("HCV_demo")
        said = casjobs.sql(
            """select m.MatchID, f.Filter, f.MAD into mydb.HCV_demo
            from SearchHCVMatchID(16.117562, 2.162183, 1800) s join HCVmatch m on m.MatchID=s.MatchID
            join HCVfilter f on f.MatchID=s.MatchID"""
        )
        rows = casjobs.mydb["HCV_demo"]
        assert len(rows) > 0
        assert said[said.colnames[0]][0] == len(rows)
        casjobs.mydb.drop("HCV_demo")


def test_a_user_who_is_not_there_is_an_error(place):
    with pytest.raises(UnknownUserError, match="nobody_here"):
        skydex.connect(place, user="nobody_here")
