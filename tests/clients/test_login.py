"""Users with the tools they have: pyvo and requests."""

from __future__ import annotations

import pytest
import pyvo
import requests
from pyvo.dal.exceptions import DALQueryError, DALServiceError

from skydex.archive import Archive

PASSWORD = "correct-horse"
QUERY = "SELECT TOP 3 star_id FROM sky.stars"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    import serving

    return serving.build_archive(tmp_path_factory.mktemp("login"))


@pytest.fixture(scope="module")
def served(place):
    import serving

    accounts = Archive.open(place).accounts
    accounts.add("alice", PASSWORD)
    accounts.add("bob", PASSWORD)
    with serving.serving(place) as server:
        yield server


def session_of(name, password=PASSWORD):
    session = pyvo.auth.AuthSession()
    session.credentials.set_password(name, password)
    return session


@pytest.fixture
def tap_of(served):
    def tap_of(name, password=PASSWORD):
        return pyvo.dal.TAPService(f"{served.url}/tap", session=session_of(name, password))

    return tap_of


def test_jobs_of_pyvo_belong_to_who_is_logged_in(tap_of, served):
    alice, bob, nobody = tap_of("alice"), tap_of("bob"), pyvo.dal.TAPService(f"{served.url}/tap")
    job = alice.submit_job(QUERY)
    job.run().wait()
    assert len(job.fetch_result()) == 3
    assert job.owner == "alice"
    assert job.job_id in {one.jobid for one in alice.get_job_list()}
    for other in (bob, nobody):
        assert job.job_id not in {one.jobid for one in other.get_job_list()}
        with pytest.raises(DALServiceError, match="404"):
            pyvo.dal.AsyncTAPJob(job.url, session=other._session)
    job.delete()


def test_pyvo_asks_at_once_and_reads_tables_with_a_login(tap_of):
    tap = tap_of("alice")
    assert len(tap.search(QUERY)) == 3
    assert "sky.stars" in tap.tables


def test_pyvo_searches_a_cone_with_a_login(served):
    scs = pyvo.dal.SCSService(f"{served.url}/sky/scs/stars", session=session_of("alice"))
    assert len(scs.search(pos=(10, 5), radius=3)) > 0


def test_pyvo_hears_that_a_password_is_wrong(tap_of):
    with pytest.raises(DALQueryError, match="password is wrong"):
        tap_of("alice", "wrong horse").search(QUERY)


def test_requests_log_in_with_a_password_or_a_token(served, place):
    accounts = Archive.open(place).accounts
    token = accounts.make_token(accounts.get("alice"), seconds=60)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        made = pyvo.dal.TAPService(f"{served.url}/tap", session=session).submit_job(QUERY)
        assert made.owner == "alice"
        made.delete()
    assert requests.get(f"{served.url}/tap/async", auth=("bob", PASSWORD)).status_code == 200
    assert requests.get(f"{served.url}/tap/async", auth=("bob", "wrong horse")).status_code == 401


def test_a_password_that_requests_sends_in_latin_1_is_understood(served, place):
    Archive.open(place).accounts.add("zoe", "Grüße aus Zürich")
    assert requests.get(f"{served.url}/tap/async", auth=("zoe", "Grüße aus Zürich")).status_code == 200
