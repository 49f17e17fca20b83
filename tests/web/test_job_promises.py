"""Whose jobs they are, how many there may be, and what outlives a server (R09, R10 and what R08 says of restarts)."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import time

import httpx
import pytest
import serving
from asking import (
    ENDLESS,
    HREF,
    QUICK,
    created,
    document,
    ended,
    finished,
    message,
    parameters,
    phase_of,
    posted,
    until,
    value,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skydex.accounts import Accounts
from skydex.jobs import Job, JobInput, JobResult, Ledger, Phase, QueueLimits, StateDirectory, new_job_id

RESOURCES = (
    *("", "/phase", "/executionduration", "/destruction", "/quote", "/error", "/owner"),
    *("/parameters", "/parameters/QUERY", "/parameters/mine", "/results", "/results/result"),
)
CHANGES = (
    *({"PHASE": "RUN"}, {"PHASE": "ABORT"}, {"ACTION": "DELETE"}, {"QUERY": QUICK}),
    *({"EXECUTIONDURATION": "1"}, {"DESTRUCTION": "2001-01-01T00:00:00Z"}),
)
SLOW = "SELECT COUNT(*) AS n FROM sky.detections AS a JOIN sky.detections AS b ON a.mjd < b.mjd"
"""Some tenths of a second."""
PASSWORD = "a long password"
SECOND_ADDRESS = httpx.HTTPTransport(local_address="127.0.0.2")


def kept(state: StateDirectory, **facts) -> Job:
    """A job as an earlier server left it, with its files."""
    job = Job(
        id=new_job_id(), address="127.0.0.1", run_id="mine", created=time.time(), duration_s=60,
        destruction=time.time() + 1000, parameters=(("QUERY", QUICK),), inputs=(JobInput("mine", "inputs-1/a"),),
        **{"kind": "tap", "scope": "", "owner": None, "phase": Phase.PENDING, **facts},
    )  # fmt: skip
    with contextlib.closing(Ledger(state.ledger)) as ledger, ledger.transaction():
        job = ledger.add(job, QueueLimits(100, 100, 100, 100, 100))
    (state.folder(job.id) / "inputs-1").mkdir(parents=True)
    (state.folder(job.id) / "inputs-1" / "a").write_text("mine")
    if job.result:
        state.result(job.id, job.attempt).write_bytes(bytes(job.result.size))
    return job


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    state = StateDirectory(tmp_path_factory.mktemp("promises") / "state")
    state.claim()
    state.release()
    return state


@pytest.fixture(scope="module")
def jobs_of_alice(place):
    completed = {"phase": Phase.COMPLETED, "attempt": 1, "result": JobResult(10, "ab" * 32, "text/csv", ".csv")}
    return [
        kept(place, owner="alice"),
        kept(place, owner="alice", **completed),
        kept(place, owner="alice", kind="casjobs", scope="HSCv3", **completed),
    ]


@pytest.fixture(scope="module")
def accounts(place):
    accounts = Accounts(place.path)
    for name in ("alice", "bob", "zoe"):
        accounts.add(name, PASSWORD)
    return accounts


@pytest.fixture(scope="module")
def job_of_zoe(place, accounts):
    """A job of a user who was removed while no server ran."""
    job = kept(place, owner="zoe")
    accounts.remove("zoe")
    return job


@pytest.fixture(scope="module")
def server(archive, place, jobs_of_alice, accounts, job_of_zoe):
    limits = {
        "jobs_per_address": 20,
        "jobs_per_user": 10,
        "jobs_total": 30,
        "job_time_s": 30,
        "workers": 3,
        "queue_length": 5,
    }
    with serving.serving(archive, state_dir=place.path, **limits) as server:
        yield server


@pytest.fixture
def web(server):
    """A client that takes its jobs along when it goes."""
    with httpx.Client(base_url=server.url, timeout=30) as web:
        yield web
        forget_all(web)


@pytest.fixture
def other(server):
    """A client at another address."""
    with httpx.Client(base_url=server.url, timeout=30, transport=SECOND_ADDRESS) as other:
        yield other
        forget_all(other)


@pytest.fixture
def login(server, accounts):
    """A client of somebody who is logged in: `login("bob")`."""
    with contextlib.ExitStack() as clients:

        def login(name):
            token = accounts.make_token(accounts.get(name), seconds=600)
            headers = {"Authorization": f"Bearer {token}"}
            return clients.enter_context(httpx.Client(base_url=server.url, timeout=30, headers=headers))

        yield login


@pytest.fixture(params=["nobody", "bob"])
def stranger(request, login, web):
    """Somebody whom the jobs of alice do not concern."""
    return web if request.param == "nobody" else login("bob")


def forget_all(web):
    for job in document(web.get("/tap/async")):
        web.delete(f"/tap/async/{job.get('id')}")


# R07


NAMES = (
    *("PHASE", "phase", "WAIT", "LAST", "AFTER", "ACTION", "EXECUTIONDURATION", "DESTRUCTION", "RUNID"),
    *("QUERY", "LANG", "MAXREC", "FORMAT", "UPLOAD", "REQUEST", "", "no\x00name"),
)
VALUES = (
    *("RUN", "ABORT", "DELETE", "PENDING", "ARCHIVED", "", " 5 ", "-1", "0", "1", "+5", "9" * 30, "1e400", "NaN", "١"),
    *("2026-02-30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:60Z"),
    *("SELECT", QUICK, "t,param:p", "\x00", "\uffff", "<x>&", "é" * 300, "a" * 70_000),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verb=st.sampled_from(["GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    path=st.sampled_from([*RESOURCES, "/results/x", "/parameters/%00", "/nothing", "/phase/x"]),
    fields=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(), max_size=4),
    span=st.sampled_from([{}, {"Range": "bytes=0-"}, {"Range": "bytes=" + "9" * 18 + "-"}, {"Range": "bytes=0-0,2-3"}]),
    is_new=st.booleans(),
)
def test_r07_nothing_that_is_asked_of_jobs_is_a_fault_of_the_server(web, verb, path, fields, span, is_new):
    job = "/tap/async" if is_new else created(web) + path
    fields = {
        name: value.encode("utf-8", "replace") for name, value in fields.items() if verb == "POST" or len(value) < 999
    }
    answer = web.request(verb, job, headers=span, **({"data": fields} if verb == "POST" else {"params": fields}))
    assert answer.status_code in (200, 204, 206, 303, 400, 403, 404, 405, 413, 416), answer.text
    forget_all(web)


# R09


def test_r09_identifiers_have_128_random_bits(web):
    names = {created(web).rpartition("/")[2] for _ in range(10)}
    assert all(re.fullmatch("j[0-9a-f]{32}", name) for name in names)
    for place in range(1, 33):
        assert len({name[place] for name in names}) > 1


@pytest.mark.parametrize("guess", ["1", "j", "j" + "0" * 32, "%2e%2e", "..%2fjobs.sqlite", "%00", "é" * 500, "*", "%"])
@pytest.mark.parametrize("path", RESOURCES)
def test_r09_a_guess_finds_nothing(web, guess, path):
    for answer in every_verb(web, f"/tap/async/{guess}{path}"):
        assert answer.status_code in (404, 405), answer.text


def test_r09_jobs_of_a_user_are_unknown_to_others_for_reading_and_for_writing(stranger, place, jobs_of_alice):
    before = [everything(place, job) for job in jobs_of_alice]
    unknown = f"/tap/async/{new_job_id()}"
    for job, path in itertools.product(jobs_of_alice, RESOURCES):
        mine = every_verb(stranger, f"/tap/async/{job.id}{path}")
        nobodys = every_verb(stranger, f"{unknown}{path}")
        for answer, other in zip(mine, nobodys, strict=True):
            assert answer.status_code in (404, 405)
            assert answer.status_code == other.status_code
            assert answer.text.replace(job.id, "") == other.text.replace(unknown.rpartition("/")[2], "")
        assert [everything(place, job) for job in jobs_of_alice] == before
    for job in jobs_of_alice:
        assert job.id not in stranger.get("/tap/async").text
        assert stranger.post("/tap/deletejobs", data={"JOB_IDS": job.id}).status_code == 404
        assert everything(place, job)


def test_a_user_finds_her_jobs_in_the_list_by_whatever_protocol_they_were_made(login, jobs_of_alice, web):
    alice = login("alice")
    nobodys = created(web)
    listed = alice.get("/tap/async").text
    assert all(f'id="{job.id}"' in listed for job in jobs_of_alice)
    assert nobodys.rpartition("/")[2] not in listed
    *_, of_casjobs = jobs_of_alice
    root = document(alice.get(f"/tap/async/{of_casjobs.id}"))
    assert (value(root, "ownerId"), value(root, "phase")) == ("alice", "COMPLETED")
    assert alice.get(f"/tap/async/{of_casjobs.id}/results/result").content == bytes(10)
    assert alice.get(f"/tap/async/{of_casjobs.id}/owner").text == "alice"
    assert alice.get(f"/sky/tap/async/{of_casjobs.id}").status_code == 404
    assert of_casjobs.id not in alice.get("/sky/tap/async").text


def every_verb(web, url):
    posts = [web.post(url, data=change) for change in CHANGES]
    return [web.get(url), web.head(url), *posts, web.put(url), web.patch(url), web.delete(url)]


def everything(place, job):
    with contextlib.closing(Ledger(place.ledger)) as ledger:
        files = sorted(place.folder(job.id).rglob("*"))
        return ledger.get(job.id), [(file, file.stat().st_mtime) for file in files]


def of_casjobs(client, operation, **fields):
    """What an operation of CasJobs answers; a token says who asks."""
    return client.post(f"/casjobs/services/jobs.asmx/{operation}", data={"context": "MYDB", **fields})


def test_a_job_of_casjobs_is_followed_stopped_and_deleted_by_uws(login):
    bob = login("bob")
    forget_all(bob)
    answer = of_casjobs(bob, "SubmitJob", qry=ENDLESS, estimate="500", taskname="my task")
    number = re.search(r">(\d+)</long>", answer.text)[1]
    (listed,) = document(bob.get("/tap/async"))
    assert value(listed, "runId") == "my task"
    job = listed.get(HREF)
    until(bob, job, "EXECUTING")
    root = document(bob.get(job))
    assert (parameters(root)["QUERY"], value(root, "executionDuration")) == (ENDLESS, str(500 * 60))
    assert ">1</int>" in of_casjobs(bob, "GetJobStatus", jobid=number).text
    assert bob.post(f"{job}/phase", data={"PHASE": "ABORT"}).status_code == 303
    assert ">3</int>" in of_casjobs(bob, "GetJobStatus", jobid=number).text
    assert bob.delete(job).status_code == 303
    assert of_casjobs(bob, "GetJobStatus", jobid=number).status_code == 500


def test_a_query_made_by_uws_is_followed_and_cancelled_by_casjobs(login):
    bob = login("bob")
    forget_all(bob)
    job = created(bob, ENDLESS, PHASE="RUN")
    number = re.search(r"<JobID>(\d+)</JobID>", of_casjobs(bob, "GetJobs", conditions="").text)[1]
    until(bob, job, "EXECUTING")
    assert ">1</int>" in of_casjobs(bob, "GetJobStatus", jobid=number).text
    assert of_casjobs(login("alice"), "CancelJob", jobid=number).status_code == 500
    assert phase_of(bob, job) == "EXECUTING"
    assert of_casjobs(bob, "CancelJob", jobid=number).status_code == 200
    assert phase_of(bob, job) == "ABORTED"
    forget_all(bob)


def test_r10_the_limit_of_a_user_holds_for_both_protocols_together(login):
    bob = login("bob")
    forget_all(bob)
    try:
        for _ in range(8):
            created(bob)
        answers = [of_casjobs(bob, "SubmitJob", qry=ENDLESS) for _ in range(3)]
        assert [answer.status_code == 200 for answer in answers] == [True, True, False]
        assert "10 unfinished jobs of this user" in answers[2].text
        assert int(answers[2].headers["retry-after"]) > 0
    finally:
        forget_all(bob)


def test_r09_the_list_shows_jobs_of_the_same_address_only(web, other):
    mine, theirs = created(web), created(other)
    for client, shown, hidden in ((web, mine, theirs), (other, theirs, mine)):
        listed = client.get("/tap/async").text
        assert shown in listed
        assert hidden not in listed
        assert phase_of(client, hidden) == "PENDING"  # who is told of an address may use it


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
def test_r09_behind_a_proxy_the_list_shows_what_comes_from_an_address_only_if_that_is_told(archive, tmp_path, proxies):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    behind = {"port": port, "base_url": f"http://127.0.0.1:{port}", "trusted_proxies": proxies}
    with serving.serving(archive, state_dir=tmp_path / "state", **behind) as server:
        mine, theirs = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}
        with httpx.Client(base_url=server.url, headers=mine) as web:
            posted(web)
            assert len(document(web.get("/tap/async"))) == (1 if proxies else 0)
            assert len(document(web.get("/tap/async", headers=theirs))) == 0
            added = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")]  # as HAProxy does it
            assert len(document(httpx.get(f"{server.url}/tap/async", headers=added))) == 0


# R10


def test_r10_a_thousand_jobs_from_one_address_are_refused_and_another_is_served(web, other):
    first = [posted(web, SLOW, PHASE="RUN") for _ in range(100)]
    assert ended(other, created(other, PHASE="RUN")) == "COMPLETED"
    assert len(document(web.get("/tap/async", params={"PHASE": "QUEUED"}))) > 5
    answers = first + [posted(web, SLOW, PHASE="RUN") for _ in range(900)]
    refused = [answer for answer in answers if answer.status_code != 303]
    assert len(refused) > 900
    assert {answer.status_code for answer in refused} == {429}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert "20 unfinished jobs of this address" in message(refused[0])


def test_r10_unfinished_jobs_of_a_user_have_a_limit_wherever_they_come_from(login, web):
    alice, bob = login("alice"), login("bob")
    try:
        answers = [posted(bob) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [303] * 10 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) > 0
        assert "10 unfinished jobs of this user" in message(answers[-1])
        for client in (alice, web):
            assert ended(client, created(client, PHASE="RUN")) == "COMPLETED"
    finally:
        forget_all(bob)


def test_a_job_of_a_user_who_was_removed_goes_with_its_files(server, place, job_of_zoe):
    end = time.monotonic() + 20
    while place.folder(job_of_zoe.id).exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    with contextlib.closing(Ledger(place.ledger)) as ledger:
        assert ledger.find(job_of_zoe.id) is None


def test_r10_all_together_have_a_limit_too(web, other):
    for _ in range(20):
        created(web)
    answers = [posted(other) for _ in range(15)]
    assert [answer.status_code for answer in answers].count(503) >= 5
    assert int(answers[-1].headers["retry-after"]) > 0


def test_r10_files_of_jobs_have_a_limit(archive, tmp_path):
    many = "SELECT a.*, b.mjd FROM sky.stars AS a JOIN sky.detections AS b ON a.star_id = b.star_id"
    with (
        serving.serving(archive, state_dir=tmp_path / "state", jobs_kept_mb=1) as server,
        httpx.Client(base_url=server.url, timeout=30) as web,
    ):
        job = created(web, many, FORMAT="votable/td", PHASE="RUN")
        assert ended(web, job) == "ERROR"
        assert "1 MB" in message(web.get(f"{job}/error"))
        assert not list(tmp_path.glob("state/jobs/*"))
        table = {"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.t", "UPLOAD": "t,param:p"}
        for kilobytes, status in ((400, 303), (400, 303), (400, 429)):
            part = b"a\n" + b"1234567\n" * (kilobytes << 7)
            answer = web.post("/tap/async", data=table, files={"p": part, "not_needed": part})
            assert answer.status_code == status, answer.text
        assert "Delete some" in message(answer)
        kept = [file.stat().st_size for file in tmp_path.glob("state/jobs/*/*/*")]
        assert (len(kept), max(kept)) == (2, 400 << 10 | 2)
        assert ended(web, created(web, PHASE="RUN")) == "COMPLETED"


# R08


def test_r08_a_server_that_is_stopped_puts_its_jobs_back_and_the_next_one_does_them(archive, tmp_path):
    settings = {"state_dir": tmp_path / "state", "workers": 3}
    with serving.serving(archive, **settings) as first, httpx.Client(base_url=first.url, timeout=30) as web:
        done, waiting = finished(web), created(web)
        jobs = [created(web, SLOW, PHASE="RUN") for _ in range(5)]
        until(web, jobs[0], "EXECUTING")
        result = web.get(f"{done}/results/result").content
    with serving.serving(archive, **settings) as second, httpx.Client(base_url=second.url, timeout=30) as web:
        done, waiting, *jobs = ("/tap/async/" + job.rpartition("/")[2] for job in (done, waiting, *jobs))
        assert web.get(f"{done}/results/result").content == result
        assert phase_of(web, waiting) == "PENDING"
        assert [ended(web, job) for job in jobs] == ["COMPLETED"] * 5


def test_a_second_server_runs_no_jobs_until_the_first_ends(archive, tmp_path):
    settings = {"state_dir": tmp_path / "state", "workers": 3}
    with contextlib.ExitStack() as servers:
        first = servers.enter_context(serving.serving(archive, **settings))
        with serving.serving(archive, **settings) as second, httpx.Client(timeout=30) as web:
            job = finished(web, base=f"{first.url}/tap")
            for answer in (posted(web, base=f"{second.url}/tap"), web.get(job.replace(first.url, second.url))):
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) > 0
                assert "another server" in message(answer)
            assert web.get(f"{second.url}/tap/sync", params={"QUERY": QUICK}).status_code == 200
            servers.close()
            until_it_runs_jobs(web, second)
            assert phase_of(web, job.replace(first.url, second.url)) == "COMPLETED"
            assert ended(web, created(web, PHASE="RUN", base=f"{second.url}/tap")) == "COMPLETED"


def until_it_runs_jobs(web, server):
    end = time.monotonic() + 30
    while web.get(f"{server.url}/tap/async").status_code == 503:
        assert time.monotonic() < end
        time.sleep(0.1)
