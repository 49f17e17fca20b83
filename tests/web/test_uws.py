"""Jobs as UWS 1.1 describes them, each resource and each verb, over real HTTP."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import threading
import time

import httpx
import pytest
import serving
from asking import (
    ENDLESS,
    HREF,
    QUICK,
    UWS,
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
from schemas import vo_schema

from skydex.jobs import Ledger

JOB_WAIT_S = 3


@pytest.fixture(scope="module")
def server(archive, tmp_path_factory):
    """A server with jobs of its own and short limits."""
    limits = {"job_time_s": 100, "job_time_hard_s": 200, "job_days": 1, "job_days_hard": 2, "job_wait_s": JOB_WAIT_S}
    place = tmp_path_factory.mktemp("uws") / "state"
    with serving.serving(archive, state_dir=place, max_rows_default=1000, max_rows_hard=2000, **limits) as server:
        server.state = place
        yield server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return vo_schema(tmp_path_factory.mktemp("schemas"))


@pytest.fixture(scope="module")
def done(web):
    """A job that is completed."""
    return finished(web)


def folder(server, job):
    return server.state / "jobs" / job.rpartition("/")[2]


def its_files_go(server, job):
    """What a job that was not completed has left is removed, be it a moment after it has ended."""
    end = time.monotonic() + 10
    while folder(server, job).exists():
        assert time.monotonic() < end
        time.sleep(0.01)


# A job is made, and runs


@pytest.mark.parametrize("base", ["/tap", "/sky/tap", "/SKY/tap"])
def test_a_new_job_is_pending_at_the_address_that_it_was_redirected_to(web, server, base):
    answer = posted(web, base=base)
    assert answer.status_code == 303
    job = answer.headers["location"]
    assert job.startswith(f"{server.url}{base.lower()}/async/j")
    assert answer.content == b""
    assert value(document(web.get(job)), "phase") == "PENDING"


def test_a_job_runs_when_it_is_told_to(web):
    job = created(web)
    answer = web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert (answer.status_code, answer.headers["location"]) == (303, job)
    assert ended(web, job) == "COMPLETED"


@pytest.mark.parametrize("how", [{"PHASE": "RUN"}, {"phase": "run"}])
def test_a_job_may_be_told_to_run_when_it_is_made(web, how):
    assert ended(web, created(web, **how)) == "COMPLETED"


def test_a_job_may_be_told_to_run_in_the_address_to_which_it_is_posted(web):
    answer = web.post("/tap/async?PHASE=RUN", data={"LANG": "ADQL", "QUERY": QUICK})
    assert ended(web, answer.headers["location"]) == "COMPLETED"


def test_a_job_that_was_told_to_run_is_not_pending_any_more_when_the_answer_comes(web):
    for _ in range(5):
        job = created(web)
        web.post(f"{job}/phase", data={"PHASE": "RUN"})
        assert phase_of(web, job) in ("QUEUED", "EXECUTING", "COMPLETED")


def test_a_job_that_runs_may_be_told_to_run_again_but_not_one_that_has_ended(web, done):
    job = created(web, ENDLESS, PHASE="RUN")
    assert web.post(f"{job}/phase", data={"PHASE": "RUN"}).status_code == 303
    web.delete(job)
    answer = web.post(f"{done}/phase", data={"PHASE": "RUN"})
    assert answer.status_code == 403
    assert "COMPLETED" in message(answer)


@pytest.mark.parametrize("form", ["votable", "votable/td", "csv", "fits", "arrow"])
@pytest.mark.parametrize("query", [QUICK, "SELECT * FROM sky.stars", "SELECT COUNT(*) AS n FROM sky.detections"])
def test_synchronous_and_asynchronous_answers_are_the_same_bytes(web, form, query):
    fields = {"LANG": "ADQL", "QUERY": query, "FORMAT": form}
    now = web.post("/tap/sync", data=fields)
    later = web.get(f"{finished(web, query, FORMAT=form)}/results/result")
    assert (later.status_code, later.content) == (now.status_code, now.content)
    names = ("content-type", "content-disposition")
    assert [later.headers.get(name) for name in names] == [now.headers.get(name) for name in names]


def test_a_collection_has_jobs_of_its_own(web):
    job = finished(web, "SELECT TOP 3 * FROM stars", base="/sky/tap")
    assert web.get(job.replace("/sky/tap/", "/tap/")).status_code == 404
    assert web.get(job.replace("/sky/tap/", "/SKY/tap/")).status_code == 200
    assert posted(web, base="/nowhere/tap").status_code == 404


# What cannot be done is not accepted


BAD_QUERIES = [("SELEC *", "SELEC"), ("SELECT nope FROM sky.stars", "nope"), ("SELECT * FROM sky.strs", "sky.stars")]


@pytest.mark.parametrize(("query", "part"), BAD_QUERIES)
@pytest.mark.parametrize("more", [{}, {"PHASE": "RUN"}])
def test_a_job_that_can_never_be_done_has_failed_when_it_is_made(web, server, schema, query, part, more):
    job = created(web, query, **more)
    root = document(web.get(job))
    schema.assertValid(root)
    assert [value(root, name) for name in ("phase", "startTime")] == ["ERROR", None]
    assert part in root.findtext("uws:errorSummary/uws:message", namespaces=UWS)
    now = web.post("/tap/sync", data={"LANG": "ADQL", "QUERY": query})
    assert message(web.get(f"{job}/error")) == message(now)
    assert not folder(server, job).exists()
    assert web.post(f"{job}/phase", data={"PHASE": "RUN"}).status_code == 303  # clients send it before they look
    assert phase_of(web, job) == "ERROR"


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"LANG": "OOBLECK"}, "LANG"), ({"MAXREC": "many"}, "MAXREC"), ({"FORMAT": "papyrus"}, "papyrus")],
)
def test_a_job_with_a_parameter_that_cannot_be_has_failed_when_it_is_made(web, fields, name):
    root = document(web.get(created(web, **fields)))
    assert value(root, "phase") == "ERROR"
    assert name in root.findtext("uws:errorSummary/uws:message", namespaces=UWS)


@pytest.mark.parametrize(("fields", "name"), [({"PHASE": "FLY"}, "PHASE"), ({"RUNID": "x" * 1000}, "RUNID")])
def test_what_is_wrong_with_a_request_rather_than_its_query_makes_no_job(web, fields, name):
    answer = posted(web, **fields)
    assert answer.status_code == 400
    assert name in message(answer)


def test_a_job_may_be_made_without_a_query_and_wait_for_it(web):
    job = created(web, query=None)
    answer = web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert answer.status_code == 400
    assert "QUERY" in message(answer)
    assert phase_of(web, job) == "PENDING"
    assert web.post(f"{job}/parameters", data={"query": QUICK}).status_code == 303
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "COMPLETED"


def test_a_job_without_a_query_cannot_be_made_and_run_at_once(web):
    answer = posted(web, query=None, PHASE="RUN")
    assert answer.status_code == 400
    assert "QUERY" in message(answer)


# Documents


@pytest.mark.parametrize("path", ["", "/parameters", "/results"])
@pytest.mark.parametrize("state", ["pending", "completed", "error"])
def test_documents_are_valid(web, schema, path, state):
    job = {
        "pending": lambda: created(web, "SELECT 'é & <b>' AS a FROM sky.stars", RUNID="<mine>"),
        "completed": lambda: finished(web, MAXREC="7"),
        "error": lambda: failed(web),
    }[state]()
    answer = web.get(job + path)
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    schema.assertValid(document(answer))


def test_the_list_is_valid(web, done, schema):
    root = document(web.get("/tap/async"))
    schema.assertValid(root)
    assert root.get("version") == "1.1"
    assert b"<uws:jobref " in web.get("/tap/async").content  # TapPlus insists on this prefix


def test_a_job_tells_all_that_is_known_of_it(web):
    job = finished(web, RUNID="my run", MAXREC="3", nonsense="x", RESPONSEFORMAT="csv")
    root = document(web.get(job))
    assert root.get("version") == "1.1"
    assert value(root, "jobId") == job.rpartition("/")[2]
    assert value(root, "runId") == "my run"
    assert value(root, "executionDuration") == "100"
    for name in ("ownerId", "quote"):
        element = root.find(f"uws:{name}", namespaces=UWS)
        assert element.get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
    moments = [datetime.datetime.fromisoformat(value(root, f"{name}Time")) for name in ("creation", "start", "end")]
    assert moments == sorted(moments)
    assert abs(moments[0].timestamp() - time.time()) < 60
    kept = datetime.datetime.fromisoformat(value(root, "destruction")) - moments[0]
    assert kept == datetime.timedelta(days=1)
    assert parameters(root) == {"LANG": "ADQL", "QUERY": QUICK, "MAXREC": "3", "RESPONSEFORMAT": "csv"}
    (result,) = root.findall(".//uws:result", namespaces=UWS)
    assert (result.get("id"), result.get(HREF)) == ("result", f"{job}/results/result")
    body = web.get(result.get(HREF))
    assert (result.get("size"), result.get("mime-type")) == (str(len(body.content)), "text/csv")


def test_the_rows_of_a_result_are_counted(web, server):
    job = finished(web, MAXREC="3", RESPONSEFORMAT="csv")
    with contextlib.closing(Ledger(server.state / "jobs.sqlite")) as ledger:
        assert ledger.get(job.rpartition("/")[2]).result.n_rows == 3


def test_a_pending_job_has_neither_begun_nor_ended(web):
    root = document(web.get(created(web)))
    assert [value(root, name) for name in ("startTime", "endTime", "runId")] == [None, None, None]
    assert len(root.find("uws:results", namespaces=UWS)) == 0


def test_secrets_that_come_along_are_not_shown(web, server):
    job = created(web, pw="canary-7", token="canary-7")
    assert "canary-7" not in web.get(job).text + web.get(f"{job}/parameters").text
    assert not any(b"canary-7" in file.read_bytes() for file in server.state.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("path", "text"),
    [("phase", "COMPLETED"), ("executionduration", "100"), ("quote", ""), ("owner", ""), ("error", "")],
)
def test_small_things_are_plain_text(web, done, path, text):
    answer = web.get(f"{done}/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == text


def test_a_parameter_has_an_address_of_its_own(web, done):
    assert web.get(f"{done}/parameters/QUERY").text == QUICK
    assert web.get(f"{done}/parameters/maxrec").status_code == 404


PATHS = (
    *("phase", "executionduration", "destruction", "quote", "error", "parameters", "owner"),
    *("results", "results/result"),
)


@pytest.mark.parametrize("path", ["", *(f"/{path}" for path in PATHS)])
def test_head_is_get_without_a_body(web, done, path):
    head, get = web.head(done + path), web.get(done + path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["content-length"] == str(len(get.content))


@pytest.mark.parametrize("path", ["", *(f"/{path}" for path in PATHS)])
@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "POST"])
def test_verbs_that_a_resource_does_not_know_change_nothing(web, done, path, verb):
    if (verb, path) in (("DELETE", ""), ("POST", "")):
        return
    answer = web.request(verb, done + path, data={"x": "y"})
    assert answer.status_code in (303, 400, 405)
    assert phase_of(web, done) == "COMPLETED"


# Failures


def failed(web):
    """A job that fails while it runs: by its time limit."""
    job = created(web, ENDLESS)
    web.post(f"{job}/executionduration", data={"EXECUTIONDURATION": "1"})
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "ERROR"
    return job


def test_a_job_that_runs_into_its_time_limit_says_so(web, server):
    start = time.monotonic()
    job = failed(web)
    assert time.monotonic() - start < 15
    root = document(web.get(job))
    summary = root.find("uws:errorSummary", namespaces=UWS)
    assert summary.get("hasDetail") == "true"
    assert "limit of 1 s" in value(summary, "message")
    assert message(web.get(f"{job}/error")) == value(summary, "message")
    assert web.get(f"{job}/results/result").status_code == 404
    its_files_go(server, job)


# Stopping and forgetting


@pytest.mark.parametrize("path", ["/phase", ""])
def test_a_job_that_runs_can_be_aborted_and_frees_its_worker(web, server, path):
    job = created(web, ENDLESS, PHASE="RUN")
    until(web, job, "EXECUTING")
    answer = web.post(job + path, data={"PHASE": "ABORT"})
    assert (answer.status_code, answer.headers["location"]) == (303, job)
    assert phase_of(web, job) == "ABORTED"
    assert ended(web, finished(web)) == "COMPLETED"
    its_files_go(server, job)
    assert web.post(f"{job}/phase", data={"PHASE": "ABORT"}).status_code == 303
    assert phase_of(web, job) == "ABORTED"


def test_a_job_that_waits_for_its_turn_can_be_aborted(web):
    running = created(web, ENDLESS, PHASE="RUN")
    until(web, running, "EXECUTING")
    waiting = created(web, PHASE="RUN")
    assert phase_of(web, waiting) == "QUEUED"
    web.post(f"{waiting}/phase", data={"PHASE": "ABORT"})
    assert phase_of(web, waiting) == "ABORTED"
    web.delete(running)


def test_a_pending_job_can_be_aborted_and_then_not_run(web):
    job = created(web)
    web.post(f"{job}/phase", data={"PHASE": "ABORT"})
    assert web.post(f"{job}/phase", data={"PHASE": "RUN"}).status_code == 403


@pytest.mark.parametrize("asked", ["", "FLY", None])
def test_a_phase_that_cannot_be_asked_for_is_refused(web, asked):
    job = created(web)
    answer = web.post(f"{job}/phase", data={} if asked is None else {"PHASE": asked})
    assert answer.status_code == 400
    assert phase_of(web, job) == "PENDING"


@pytest.mark.parametrize("state", ["pending", "running", "completed"])
@pytest.mark.parametrize("how", ["DELETE", "ACTION", "action"])
def test_a_job_that_is_deleted_is_gone_with_its_files(web, server, state, how):
    job = finished(web) if state == "completed" else created(web, ENDLESS)
    if state == "running":
        web.post(f"{job}/phase", data={"PHASE": "RUN"})
        until(web, job, "EXECUTING")
    answer = web.delete(job) if how == "DELETE" else web.post(job, data={how: "DELETE"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{server.url}/tap/async")
    for path in ("", *(f"/{path}" for path in PATHS)):
        assert web.get(job + path).status_code == 404
    assert web.delete(job).status_code == 404
    assert not folder(server, job).exists()
    assert job.rpartition("/")[2] not in web.get("/tap/async").text


def test_several_jobs_are_deleted_by_their_identifiers_all_or_none(web, server):
    jobs = [created(web, ENDLESS) for _ in range(3)]
    ids = [job.rpartition("/")[2] for job in jobs]
    assert web.post("/tap/deletejobs", data={"JOB_IDS": ",".join([*ids, "nobody"])}).status_code == 404
    assert web.post("/sky/tap/deletejobs", data={"JOB_IDS": ids[0]}).status_code == 404
    assert web.post("/tap/deletejobs").status_code == 404
    assert web.post("/tap/deletejobs", data={"JOB_IDS": ",".join(ids[:2] * 2)}).status_code == 200
    assert [web.get(job).status_code for job in jobs] == [404, 404, 200]


# Parameters


def test_parameters_change_while_a_job_is_pending(web):
    job = created(web, MAXREC="3")
    answer = web.post(f"{job}/parameters", data={"maxrec": "2", "runId": "changed"})
    assert (answer.status_code, answer.headers["location"]) == (303, job)
    web.post(job, data={"FORMAT": "csv"})
    assert parameters(document(web.get(f"{job}/parameters"))) == {
        "LANG": "ADQL",
        "QUERY": QUICK,
        "MAXREC": "2",
        "FORMAT": "csv",
    }
    assert value(document(web.get(job)), "runId") == "changed"
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    ended(web, job)
    assert "row limit of 2" in web.get(f"{job}/results/result").text


def test_parameters_that_would_spoil_a_job_are_refused_and_it_stays_as_it_was(web):
    job = created(web)
    assert web.post(f"{job}/parameters", data={"QUERY": "SELEC"}).status_code == 400
    assert parameters(document(web.get(job)))["QUERY"] == QUICK


def test_parameters_of_a_job_that_runs_or_has_run_do_not_change(web, done):
    answer = web.post(f"{done}/parameters", data={"QUERY": "SELECT 1 AS a FROM sky.stars"})
    assert answer.status_code == 403
    assert parameters(document(web.get(done)))["QUERY"] == QUICK


# Times


def test_a_time_limit_is_changed_within_what_the_server_gives(web):
    job = created(web)
    for asked, given in (("17", "17"), ("0", "200"), ("100000", "200"), ("99999999999999999999", "200")):
        answer = web.post(f"{job}/executionduration", data={"EXECUTIONDURATION": asked})
        assert (answer.status_code, answer.headers["location"]) == (303, job)
        assert web.get(f"{job}/executionduration").text == given
    for asked in ("-1", "soon", "", "1.5"):
        assert web.post(f"{job}/executionduration", data={"executionDuration": asked}).status_code == 400
    assert web.get(f"{job}/executionduration").text == "200"


def test_a_destruction_time_is_changed_within_what_the_server_gives(web):
    job = created(web)
    now = datetime.datetime.now(datetime.UTC)
    soon = now + datetime.timedelta(hours=1)
    answer = web.post(f"{job}/destruction", data={"DESTRUCTION": f"{soon:%Y-%m-%dT%H:%M:%S.500Z}"})
    assert (answer.status_code, answer.headers["location"]) == (303, job)
    assert web.get(f"{job}/destruction").text == f"{soon:%Y-%m-%dT%H:%M:%S.500Z}"
    web.post(f"{job}/destruction", data={"DESTRUCTION": "2999-01-01"})
    given = datetime.datetime.fromisoformat(web.get(f"{job}/destruction").text)
    assert abs(given - now - datetime.timedelta(days=2)) < datetime.timedelta(minutes=1)
    for asked in ("", "tomorrow", "2026-13-01T00:00:00", "9999999"):
        assert web.post(f"{job}/destruction", data={"DESTRUCTION": asked}).status_code == 400


def test_a_job_whose_time_is_over_is_gone_at_once(web):
    job = finished(web)
    web.post(f"{job}/destruction", data={"DESTRUCTION": "2001-01-01T00:00:00"})
    assert web.get(job).status_code == 404


# Waiting


def test_waiting_ends_with_the_job_and_not_before(web):
    for _ in range(5):
        job = created(web)
        web.post(f"{job}/phase", data={"PHASE": "RUN"})
        assert value(document(web.get(job, params={"WAIT": -1})), "phase") == "COMPLETED"


@pytest.mark.parametrize("asked", [1, -1, 999_999_999_999])
def test_waiting_ends_at_its_limit(web, asked):
    job = created(web, ENDLESS, PHASE="RUN")
    until(web, job, "EXECUTING")
    start = time.monotonic()
    assert value(document(web.get(job, params={"wait": asked})), "phase") == "EXECUTING"
    assert abs(time.monotonic() - start - min(asked % 2**62, JOB_WAIT_S)) < 1
    web.delete(job)


@pytest.mark.parametrize("wanted", [{"WAIT": 0}, {"WAIT": 30, "PHASE": "QUEUED"}, {"WAIT": -1, "phase": "EXECUTING"}])
def test_there_is_no_waiting_for_what_is_over(web, done, wanted):
    start = time.monotonic()
    assert value(document(web.get(done, params=wanted)), "phase") == "COMPLETED"
    assert time.monotonic() - start < 1


def test_waiting_in_a_phase_ends_when_it_is_left(web):
    job = created(web, ENDLESS)
    start = time.monotonic()
    threading.Timer(0.5, httpx.post, (f"{job}/phase",), {"data": {"PHASE": "RUN"}}).start()
    assert value(document(web.get(job, params={"WAIT": -1, "PHASE": "PENDING"})), "phase") in ("QUEUED", "EXECUTING")
    assert 0.4 < time.monotonic() - start < JOB_WAIT_S
    web.delete(job)


def test_waiting_ends_when_the_job_is_deleted(web):
    job = created(web, ENDLESS, PHASE="RUN")
    threading.Timer(0.5, httpx.delete, (job,)).start()
    assert web.get(job, params={"WAIT": -1}).status_code == 404


def test_a_wait_that_is_no_number_is_refused(web, done):
    assert web.get(done, params={"WAIT": "long"}).status_code == 400


def test_r24_many_who_wait_and_leave_do_not_delay_others(web, server):
    job = created(web, ENDLESS, PHASE="RUN")
    until(web, job, "EXECUTING")

    def wait_and_leave():
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(job, params={"WAIT": -1}, timeout=1)

    crowd = [threading.Thread(target=wait_and_leave) for _ in range(50)]
    for one in crowd:
        one.start()
    start = time.monotonic()
    assert web.get("/availability").status_code == 200
    assert time.monotonic() - start < 1
    for one in crowd:
        one.join()
    web.delete(job)


# Lists


def test_a_list_is_filtered_by_phase_age_and_number(web):
    mark = datetime.datetime.now(datetime.UTC)
    time.sleep(0.01)
    first, second, third = created(web), finished(web), created(web)

    def listed(**wanted):
        root = document(web.get("/tap/async", params={"AFTER": f"{mark:%Y-%m-%dT%H:%M:%S.%fZ}", **wanted}))
        return [(reference.get("id"), reference.get(HREF)) for reference in root]

    everything = [(job.rpartition("/")[2], job) for job in (third, second, first)]
    assert listed() == everything
    assert listed(LAST=2) == everything[:2]
    assert listed(PHASE="PENDING") == [everything[0], everything[2]]
    assert listed(PHASE=["PENDING", "COMPLETED"]) == everything
    assert listed(phase="completed", last=5) == [everything[1]]
    assert listed(PHASE="ARCHIVED") == []
    assert listed(AFTER="2999-01-01") == []


@pytest.mark.parametrize(
    "wanted", [{"PHASE": "FLYING"}, {"LAST": "0"}, {"LAST": "-1"}, {"LAST": "x"}, {"AFTER": "noon"}]
)
def test_a_filter_that_cannot_be_is_refused(web, wanted):
    assert web.get("/tap/async", params=wanted).status_code == 400


# Results


def test_a_result_says_what_it_is(web, done):
    answer = web.get(f"{done}/results/result")
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["etag"] == f'"{digest}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == 'inline; filename="result.vot"'
    assert answer.headers["content-type"] == "application/x-votable+xml"


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=3-3", slice(3, 4)),
        ("bytes=5-999999", slice(5, None)),
        ("bytes=-999999", slice(None)),
    ],
)
def test_a_part_of_a_result_can_be_had(web, done, wanted, part):
    whole = web.get(f"{done}/results/result").content
    answer = web.get(f"{done}/results/result", headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, whole[part])
    start, end, _ = part.indices(len(whole))
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=9-3", "bytes=-0"])
def test_a_part_beyond_a_result_cannot_be_had(web, done, wanted):
    whole = web.get(f"{done}/results/result").content
    answer = web.get(f"{done}/results/result", headers={"Range": wanted})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(whole)}")


@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "lines=1-2", "bytes=x-y", "bytes=-"])
def test_a_range_that_means_nothing_here_gives_the_whole(web, done, wanted):
    answer = web.get(f"{done}/results/result", headers={"Range": wanted})
    assert (answer.status_code, len(answer.content)) == (200, int(answer.headers["content-length"]))


def test_conditions_are_heeded(web, done):
    url = f"{done}/results/result"
    tag = web.get(url).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = web.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert web.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
    assert web.get(url, headers={"Range": "bytes=0-1", "If-Range": tag}).status_code == 206
    assert web.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200


def test_a_result_that_is_being_read_outlives_its_job(web, server):
    query = "SELECT a.*, b.mjd FROM sky.stars AS a JOIN sky.detections AS b ON a.star_id = b.star_id"
    job = finished(web, query, FORMAT="votable/td", MAXREC="2000")
    whole = web.get(f"{job}/results/result").content
    with httpx.stream("GET", f"{job}/results/result") as answer:
        pieces = answer.iter_raw(1000)
        body = next(pieces)
        web.delete(job)
        body += b"".join(pieces)
    assert body == whole


def test_there_is_no_other_result(web, done):
    for name in ("other", "..%2f..%2fjobs.sqlite", "result-1", ".result-1.part"):
        assert web.get(f"{done}/results/{name}").status_code == 404


def test_where_a_result_would_be_stands_why_there_is_none(web):
    job = created(web, "SELECT nope FROM sky.stars")
    answer = web.get(f"{job}/results/result")
    assert answer.status_code == 404
    assert answer.content == web.get(f"{job}/error").content
    assert b"nope" in answer.content


# Uploads


def votable(rows):
    cells = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
    return (
        '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        f'<FIELD name="star_id" datatype="long"/><DATA><TABLEDATA>{cells}</TABLEDATA></DATA>'
        "</TABLE></RESOURCE></VOTABLE>"
    ).encode()


JOIN = "SELECT s.star_id FROM sky.stars AS s JOIN TAP_UPLOAD.mine AS m ON s.star_id = m.star_id ORDER BY star_id"


def test_a_job_keeps_the_tables_that_came_with_it(web, server, schema):
    fields = {"LANG": "ADQL", "QUERY": JOIN, "UPLOAD": "mine,param:part", "FORMAT": "csv"}
    answer = web.post("/tap/async", data=fields, files={"part": ("t.vot", votable([3, 5]))})
    job = answer.headers["location"]
    root = document(web.get(job))
    schema.assertValid(root)
    (reference,) = root.xpath("//uws:parameter[@byReference='true']", namespaces=UWS)
    assert reference.text == f"{job}/parameters/mine"
    assert web.get(reference.text).content == votable([3, 5])
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "COMPLETED"
    assert web.get(f"{job}/results/result").text.split() == ["star_id", "3", "5"]
    web.delete(job)
    assert not folder(server, job).exists()


def test_a_table_may_follow_its_job_and_replace_another(web, server):
    job = created(web, query=None)
    for rows in ([1, 2], [8, 9]):
        part = {"part": ("t.vot", votable(rows))}
        answer = web.post(f"{job}/parameters", data={"UPLOAD": "mine,param:part"}, files=part)
        assert answer.status_code == 303, answer.text
    assert len([file for file in folder(server, job).rglob("*") if file.is_file()]) == 1
    web.post(f"{job}/parameters", data={"QUERY": JOIN, "FORMAT": "csv"})
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "COMPLETED"
    assert web.get(f"{job}/results/result").text.split() == ["star_id", "8", "9"]


def test_parameters_that_are_gathered_have_a_limit_together(web):
    job = created(web, query=None)
    answers = [web.post(f"{job}/parameters", data={"UPLOAD": " " * 99_000}) for _ in range(45)]
    assert [answer.status_code for answer in answers] == [303] * 42 + [413] * 3
    assert "4 MB" in message(answers[-1])


def test_a_job_that_names_a_table_may_wait_for_it(web):
    job = created(web, JOIN, FORMAT="csv")
    assert phase_of(web, job) == "PENDING"
    assert "TAP_UPLOAD.mine" in message(web.post(f"{job}/phase", data={"PHASE": "RUN"}))
    web.post(f"{job}/parameters", data={"UPLOAD": "mine,param:t"}, files={"t": ("t", votable([4]))})
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "COMPLETED"
    assert web.get(f"{job}/results/result").text.split() == ["star_id", "4"]


def test_a_job_that_is_to_run_does_not_wait_for_a_table(web):
    assert phase_of(web, created(web, JOIN, PHASE="RUN")) == "ERROR"


def test_r08_tables_of_a_job_outlive_the_server(archive, tmp_path):
    fields = {"LANG": "ADQL", "QUERY": JOIN, "UPLOAD": "mine,param:t", "FORMAT": "csv"}
    with serving.serving(archive, state_dir=tmp_path) as server, httpx.Client(base_url=server.url) as web:
        job = web.post("/tap/async", data=fields, files={"t": ("t", votable([6, 7]))}).headers["location"]
        server.process.kill()
    with serving.serving(archive, state_dir=tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as web:
        job = f"/tap/async/{job.rpartition('/')[2]}"
        web.post(f"{job}/phase", data={"PHASE": "RUN"})
        assert ended(web, job) == "COMPLETED"
        assert web.get(f"{job}/results/result").text.split() == ["star_id", "6", "7"]


def test_a_table_comes_back_as_a_file_that_no_browser_opens(web):
    fields = {"LANG": "ADQL", "QUERY": JOIN, "UPLOAD": "mine,param:part"}
    part = ("t.html", votable([3]), "text/html; charset=utf-8")
    job = created_with_file(web, fields, part)
    answer = web.get(f"{job}/parameters/mine")
    assert answer.content == part[1]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="mine"'


def test_a_job_that_has_failed_when_it_is_made_keeps_no_table(web, server, schema):
    fields = {"LANG": "ADQL", "QUERY": JOIN.replace("star_id", "nope"), "UPLOAD": "mine,param:part"}
    job = created_with_file(web, fields, ("t.vot", votable([3, 5])))
    root = document(web.get(job))
    schema.assertValid(root)
    assert value(root, "phase") == "ERROR"
    assert parameters(root)["UPLOAD"] == "mine,param:part"
    assert not folder(server, job).exists()


def created_with_file(web, fields, part):
    answer = web.post("/tap/async", data=fields, files={"part": part})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_tables_of_a_request_that_is_refused_are_not_kept(web, server):
    before = set(server.state.glob("jobs/*"))
    fields = {"LANG": "ADQL", "QUERY": JOIN, "UPLOAD": "mine,param:part", "PHASE": "FLY"}
    answer = web.post("/tap/async", data=fields, files={"part": ("t.vot", votable([3, 5]))})
    assert answer.status_code == 400
    assert set(server.state.glob("jobs/*")) == before
