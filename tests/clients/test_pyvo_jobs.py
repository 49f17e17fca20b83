"""Jobs as pyvo makes, follows, changes and lists them, against a real server."""

from __future__ import annotations

import datetime
import io
import time
import warnings

import numpy as np
import pytest
import pyvo
from asking import ENDLESS
from astropy.table import Table
from pyvo.dal.exceptions import DALOverflowWarning, DALQueryError, DALServiceError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # pyvo leaves connections open

QUERY = "SELECT TOP 50 star_id, ra FROM sky.stars ORDER BY star_id"


@pytest.fixture(scope="module")
def tap(server):
    return pyvo.dal.TAPService(f"{server.url}/tap")


@pytest.fixture
def submit(tap):
    """Make jobs that go when the test ends."""
    jobs = []

    def submit(query=QUERY, **given):
        jobs.append(tap.submit_job(query, **given))
        return jobs[-1]

    yield submit
    for job in jobs:
        if job.url is not None:
            job.delete()


def test_a_search_in_a_job_gives_what_a_search_at_once_gives(tap):
    query = "SELECT * FROM sky.stars ORDER BY star_id"
    now, later = tap.search(query).to_table(), tap.run_async(query).to_table()
    assert now.colnames == later.colnames
    assert now.meta == later.meta
    assert all(np.array_equal(now[name].mask, later[name].mask) for name in now.colnames if now[name].dtype.kind != "f")
    assert now.as_array().tobytes() == later.as_array().tobytes()


def test_a_search_in_a_job_does_not_cost_a_second_of_sleep(tap):
    tap.run_async(QUERY)
    start = time.monotonic()
    tap.run_async(QUERY)
    assert time.monotonic() - start < 1  # pyvo sleeps for a second after any answer that is not the last


@pytest.mark.parametrize("how", ["search", "run_async"])
def test_a_limit_is_kept_and_told(tap, how):
    search = getattr(tap, how)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DALOverflowWarning)
        assert len(search("SELECT TOP 7 star_id FROM sky.stars", maxrec=7)) == 7
    result = search("SELECT star_id FROM sky.stars", maxrec=7)
    assert (len(result), result.query_status) == (7, "OVERFLOW")
    with pytest.warns(DALOverflowWarning):
        assert len(search("SELECT star_id FROM sky.detections")) == 8000


def test_a_job_goes_through_its_life(tap, submit):
    job = submit()
    assert (job.phase, job.uws_version, job.quote, job.owner) == ("PENDING", "1.1", None, None)
    assert job.query == QUERY
    assert job.run().wait().phase == "COMPLETED"
    job.raise_if_error()
    assert job.result_uri == f"{job.url}/results/result"
    assert list(job.fetch_result()["star_id"]) == list(range(50))
    url = job.url
    job.delete()
    with pytest.raises(DALServiceError, match="404"):
        pyvo.dal.AsyncTAPJob(url)


def test_a_job_can_be_left_and_found_again(tap, submit):
    job = submit().run()
    again = pyvo.dal.AsyncTAPJob(job.url, delete=False)
    assert again.wait().phase == "COMPLETED"
    assert len(again.fetch_result()) == 50
    assert tap.get_job(job.job_id).phase == "COMPLETED"


def test_a_job_is_gone_behind_its_block(tap):
    with tap.submit_job(QUERY) as job:
        job.run().wait()
        url = job.url
    with pytest.raises(DALServiceError, match="404"):
        pyvo.dal.AsyncTAPJob(url)


def test_parameters_are_told_and_changed(submit):
    job = submit("SELECT TOP 3 ra FROM sky.stars", maxrec=2)
    told = {parameter.id_: parameter.content for parameter in job.job.parameters}
    assert (told["QUERY"], told["MAXREC"], told["LANG"]) == ("SELECT TOP 3 ra FROM sky.stars", "2", "ADQL")
    job.query = QUERY
    assert job.query == QUERY
    result = job.run().wait().fetch_result()
    assert (len(result), result.query_status) == (2, "OVERFLOW")
    with pytest.raises(DALServiceError, match="403"):
        job.query = "SELECT dec FROM sky.stars"


def test_a_table_is_uploaded_with_a_job_or_after_it(submit):
    query = "SELECT s.star_id FROM sky.stars AS s JOIN TAP_UPLOAD.mine AS m ON s.star_id = m.star_id ORDER BY star_id"
    job = submit(query, uploads={"mine": Table({"star_id": [3, 5]})})
    assert list(job.run().wait().fetch_result()["star_id"]) == [3, 5]
    file = io.BytesIO()
    Table({"star_id": [8]}).write(file, format="votable")
    file.seek(0)
    job = submit(query)
    assert job.phase == "PENDING"
    job.upload(mine=file)
    assert list(job.run().wait().fetch_result()["star_id"]) == [8]


def test_limits_are_told_and_changed(submit):
    job = submit()
    assert job.execution_duration.sec == 3600
    job.execution_duration = 10
    assert job.execution_duration.sec == 10
    later = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=2)
    assert job.destruction.to_datetime(datetime.UTC) - later > datetime.timedelta(days=4)
    job.destruction = later
    assert job.destruction.to_datetime(datetime.UTC) == later


def test_a_job_that_runs_into_its_limit_says_why(submit):
    job = submit(ENDLESS)
    job.execution_duration = 1
    with pytest.raises(DALQueryError, match="limit of 1 s"):
        job.run().wait().raise_if_error()
    with pytest.raises(DALQueryError, match="limit of 1 s"):
        job.fetch_result()


def test_a_job_is_aborted(submit):
    job = submit(ENDLESS).run()
    assert job.phase in ("QUEUED", "EXECUTING")
    assert job.abort().phase == "ABORTED"
    with pytest.raises(DALQueryError):
        job.raise_if_error()


def test_the_list_of_jobs_is_filtered(tap, submit):
    old = submit()
    time.sleep(1.1)  # pyvo sends whole seconds
    mark = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    done, waiting = submit().run().wait(), submit()
    ids = {job.job_id: job for job in (old, done, waiting)}

    def listed(**wanted):
        return [job.jobid for job in tap.get_job_list(**wanted) if job.jobid in ids]

    assert listed() == [waiting.job_id, done.job_id, old.job_id]
    assert listed(phases=["COMPLETED"]) == [done.job_id]
    assert listed(phases=["PENDING", "COMPLETED"], last=2) == [waiting.job_id, done.job_id]
    assert listed(after=mark) == [waiting.job_id, done.job_id]
    assert listed(after=mark.strftime("%Y-%m-%dT%H:%M:%SZ"), phases=["PENDING"]) == [waiting.job_id]
    whole = tap.get_job_list(last=1, short_description=False)[0]
    assert [parameter.content for parameter in whole.parameters if parameter.id_ == "QUERY"] == [QUERY]
