"""What else the clients of CasJobs do: `mastcasjobs`, `casjobs`, `zeep`, and addresses as people type them."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import requests
import zeep
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.table import Table
from casjobs import CasJobs
from casjobs_ground import PASSWORDS, casjobs_server, client
from lxml import etree
from serving import build_archive

NAMESPACE = "{http://Services.Cas.jhu.edu}"
CONTEXTS = """
[[casjobs]]
context = "Sky"
schemas = { dbo = ["sky"] }
bits = ["stars.n_obs"]

[[casjobs.functions]]
name = "fGetNearbyObjEq"
table = "sky.stars"
columns = ["star_id"]
distance = "distance"
"""


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    place = tmp_path_factory.mktemp("casjobs")
    archive = build_archive(place)
    (archive / "services.toml").write_text(CONTEXTS)
    limits = {"max_rows_default": 2000, "casjobs_answer_mb": 1, "jobs_per_user": 1000, "jobs_per_address": 1000}
    with casjobs_server(archive, place / "state", **limits) as (server, numbers):
        yield server, numbers


@pytest.fixture(scope="module")
def url(ground):
    return ground[0].url


@pytest.fixture(scope="module")
def wsid(ground):
    return ground[1]["alice"]


@pytest.fixture
def alice(url):
    return client(url, context="Sky")


@pytest.fixture(params=["GET", "POST"])
def plain(url, wsid, request):
    """The older client, which asks by GET as well."""
    address = f"{url}/casjobs/services/jobs.asmx"
    return CasJobs(wsid, PASSWORDS["alice"], base_url=address, request_type=request.param, context="SKY")


def made(alice, name, rows=3):
    """A small table of alice's own."""
    alice.drop_table_if_exists(name)
    alice.quick(f"select top {rows} star_id, ra, [dec], gmag, name into mydb.{name} from stars order by star_id")
    return name


def finished(jobs, number):
    """Follow a job as the client does, but faster."""
    status = jobs.monitor(number, timeout=0.05)
    assert status == (5, "finished")
    return number


def test_a_wrong_password_is_told_at_once(url, monkeypatch):
    monkeypatch.setitem(PASSWORDS, "bob", "wrong")
    with pytest.raises(ValueError, match="Incorrect MAST CasJobs username/password"):
        client(url, "bob")


def wrongly(url, number, password):
    jobs = CasJobs(number, password, base_url=f"{url}/casjobs/services/jobs.asmx", context="SKY")
    return pytest.raises(Exception, match=r"failed with status: 500\nThe .* password is wrong"), jobs


def test_a_wrong_number_or_password_is_refused(url, ground):
    for number, password in ((ground[1]["bob"], "wrong"), (ground[1]["bob"] + 1, PASSWORDS["bob"])):
        refused, jobs = wrongly(url, number, password)
        with refused:
            jobs.quick("select 1")


@pytest.mark.parametrize("ask", [
    lambda jobs: jobs.quick("select 1"), lambda jobs: jobs.submit("select 1"), lambda jobs: jobs.status(1),
    lambda jobs: jobs.cancel(1), lambda jobs: jobs.job_info(), lambda jobs: jobs.request_output("t", "CSV"),
])  # fmt: skip
def test_no_operation_is_done_for_nobody(url, ask):
    refused, jobs = wrongly(url, "alice", PASSWORDS["alice"])
    with refused:
        ask(jobs)


def test_tables_are_listed_counted_and_dropped(alice, plain):
    made(alice, "listed")
    assert "listed" in alice.list_tables()
    assert "listed" in plain.list_tables()
    assert {"stars", "detections"} <= set(alice.list_tables(context="sky"))
    assert plain.count("from mydb.listed") == 3
    assert plain.count("from stars") == 5000
    alice.drop_table_if_exists("listed")
    alice.drop_table_if_exists("listed")
    assert "listed" not in plain.list_tables()


def test_an_error_says_what_is_wrong(alice, plain):
    with pytest.raises(Exception, match='ExecuteQuickJob failed with status: 500\nNo table "nonsense"'):
        alice.quick("select * from nonsense")
    with pytest.raises(Exception, match=r'failed with status: 500\nNo column "<b>"'):
        plain.quick("select [<b>] from stars")
    with pytest.raises(Exception, match='"Nowhere" is none here'):
        plain.quick("select 1", context="Nowhere")
    with pytest.raises(Exception, match="qry: is missing"):
        plain.quick(" ")


def test_a_quick_job_answers_with_types_and_nulls(alice):
    rows = alice.quick("select top 8 star_id, ra, n_obs, name from stars order by star_id")
    assert [column.dtype.kind for column in rows.columns.values()] == ["i", "f", "U", "U"]
    assert rows["name"][0] == "<script>alert(1)</script>&\"'"
    assert rows["n_obs"].tolist() == [None, "True", "True", "True", "True", "True", "True", None]
    assert alice.quick("select ra from stars where star_id < 0").colnames == ["ra"]
    assert alice.quick("select star_id from fGetNearbyObjEq(10, 10, 120) n")["star_id"].dtype == "int64"


def test_an_answer_that_would_be_cut_is_an_error_and_the_client_goes_another_way(alice):
    with pytest.raises(Exception, match=r"more than 2,000 rows.*INTO mydb"):
        alice.quick("select * from stars")
    with pytest.raises(Exception, match=r"over the 1 MB that a quick job may have"):
        alice.quick("select top 2000 a.name, b.name as n2, replicate(a.name, 100) as n3 from stars a, stars b")
    alice.drop_table_if_exists("many")
    assert alice.quick("select * into mydb.many from stars")["Rows Affected"].tolist() == [5000]
    assert len(alice.fast_table("many")) == 5000
    monitor = alice.monitor
    alice.monitor = lambda number: monitor(number, timeout=0.05)
    for form in ("FITS", "CSV"):
        whole = alice.get_table("many", format=form)
        assert len(whole) == 5000
        assert whole["star_id"].sum() == 5000 * 4999 // 2


def test_a_job_is_submitted_followed_and_found_in_the_list(plain, alice):
    alice.drop_table_if_exists("queued")
    number = finished(plain, plain.submit("select star_id into mydb.queued from stars", task_name="My <task>"))
    (job,) = plain.job_info(jobid=number)
    assert job["Status"] == "5"
    assert job["Rows"] == "5000"
    assert job["TaskName"] == "My <task>"
    assert (job["Queue"], job["Context"], job["Type"]) == ("30", "Sky", "QUERY")
    assert job["Query"] == "select star_id into mydb.queued from stars"
    assert job["TimeSubmit"] <= job["TimeStart"] <= job["TimeEnd"] <= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    assert plain.job_info(taskname="my <TASK>", status="3|5")[0]["JobID"] == str(number)
    assert plain.job_info(jobid=number, status=4) == []


def test_estimates_choose_the_queue(plain):
    numbers = [plain.submit("select 1 as one", estimate=minutes) for minutes in (1, 2, 31, 10_000)]
    assert [plain.job_info(jobid=number)[0]["Queue"] for number in numbers] == ["1", "30", "500", "500"]


def test_a_job_that_fails_says_why(plain):
    number = plain.submit("select * from nonsense")
    assert plain.monitor(number, timeout=0.05) == (4, "failed")
    (job,) = plain.job_info(jobid=number)
    assert job["Error"].startswith('No table "nonsense"')
    with pytest.raises(Exception, match="is 4"):
        plain.get_output(number, io.BytesIO())


def test_a_running_job_is_cancelled(plain):
    endless = (
        "select sum(a.ra*b.ra*c.ra*d.ra) as s from stars a cross join stars b cross join stars c cross join stars d"
    )
    number = plain.submit(endless)
    end = time.monotonic() + 20
    while plain.status(number)[0] < 1 and time.monotonic() < end:
        time.sleep(0.05)
    assert plain.status(number) == (1, "started")
    plain.cancel(number)
    assert plain.status(number) == (3, "cancelled")
    assert plain.job_info(jobid=number)[0]["TimeEnd"]


def test_a_long_list_of_jobs_is_in_their_order(plain):
    numbers = [plain.submit(f"select {i} as i", task_name="one of many") for i in range(55)]
    listed = [int(job["JobID"]) for job in plain.job_info(taskname="one of many")][:55]
    assert listed == numbers[::-1]
    assert [job["Query"] for job in plain.job_info(query="select 7 as i", jobid=f"{numbers[0]},")] == ["select 7 as i"]


def test_a_table_is_dropped_by_a_job(plain, alice):
    table = made(alice, "dropped")
    plain.monitor = lambda number: CasJobs.monitor(plain, number, timeout=0.05)
    plain.drop_table(table)
    assert table not in plain.list_tables()
    with pytest.raises(Exception, match="Couldn't drop table"):
        plain.drop_table(table)


def test_queries_of_tap_are_in_the_list_of_jobs(url, plain):
    asked = {"QUERY": "SELECT TOP 7 star_id FROM sky.stars", "LANG": "ADQL", "PHASE": "RUN", "RUNID": "from afar"}
    requests.post(f"{url}/tap/async", data=asked, auth=("alice", PASSWORDS["alice"])).raise_for_status()
    (job,) = plain.job_info(taskname="from afar", type="tap")[:1]
    finished(plain, int(job["JobID"]))
    (job,) = plain.job_info(jobid=job["JobID"])
    assert (job["Rows"], job["Query"], "OutputLoc" in job) == ("7", asked["QUERY"], False)


def test_a_job_that_has_ended_cannot_be_cancelled_and_nothing_happens(plain):
    number = finished(plain, plain.submit("select 1 as one"))
    plain.cancel(number)
    assert plain.status(number) == (5, "finished")
    with pytest.raises(Exception, match='No job "987654321"'):
        plain.cancel(987654321)


@pytest.mark.parametrize("form", ["CSV", "FITS", "VOTable", "DataSet"])
def test_output_jobs_leave_a_file(plain, alice, form):
    table = made(alice, f"out_{form}")
    number = finished(plain, plain.request_output(table, form))
    file = io.BytesIO()
    plain.get_output(number, file)
    (job,) = plain.job_info(jobid=number)
    assert (job["Type"], job["Rows"]) == (form, "3")
    content = file.getvalue()
    if form == "FITS":
        assert fits.open(io.BytesIO(content))[1].data["star_id"].tolist() == [0, 1, 2]
    elif form == "VOTable":
        assert parse_single_table(io.BytesIO(content)).to_table()["star_id"].tolist() == [0, 1, 2]
    elif form == "CSV":
        assert content.decode().splitlines()[0] == "star_id,ra,dec,gmag,name"
        assert Table.read(content.decode(), format="ascii.csv")["star_id"].tolist() == [0, 1, 2]
    else:
        assert [cell.text for cell in etree.fromstring(content).iter("star_id")] == ["0", "1", "2"]


def test_the_file_of_a_job_is_had_by_whoever_knows_its_address_and_by_nobody_else(plain, alice):
    number = finished(plain, plain.request_output(made(alice, "shown"), "CSV"))
    address = plain.job_info(jobid=number)[0]["OutputLoc"]
    assert requests.get(address).status_code == 200
    folder, _, name = address.rpartition("/")
    for other in ("nix.csv", f"{number}.csv", name.replace(".csv", ".fits"), name[:-6] + "00.csv"):
        assert requests.get(f"{folder}/{other}").status_code == 404


def test_an_astropy_table_is_uploaded_and_more_rows_are_added(alice):
    table = Table({"id": np.arange(5), "x y": np.linspace(0, 1, 5), "word": ["a b", "c", "d&e", '"f"', "+%2B"]})
    alice.drop_table_if_exists("up")
    alice.upload_table("up", table)
    with pytest.raises(Exception, match="There is already an object named 'up'"):
        alice.upload_table("up", table)
    alice.upload_table("up", table, exists=True)
    back = alice.fast_table("up")
    assert back["id"].tolist() == [*range(5)] * 2
    assert back["word"].tolist()[:5] == ["a_b", "c", "d&e", '"f"', "+%2B"]


def test_a_large_table_is_uploaded_in_parts(alice):
    table = Table({"id": np.arange(20_000), "x": np.linspace(0, 1, 20_000)})
    alice.drop_table_if_exists("parts")
    alice.upload_table("parts", table, sizelimit=200_000)
    back = alice.fast_table("parts")
    assert back["id"].sum() == table["id"].sum()
    assert np.array_equal(back["x"], table["x"])


def test_an_upload_beyond_the_limit_of_parameters_comes_through(alice):
    table = Table({"id": np.arange(300_000), "x": np.arange(300_000) / 7})
    alice.drop_table_if_exists("large")
    alice.upload_table("large", table)
    assert alice.quick("select count(*) as n, sum(id) as s from mydb.large")["n"].tolist() == [300_000]


def test_parameters_count_in_any_case_and_so_do_addresses(url, wsid):
    asked = {"WSID": wsid, "Pw": PASSWORDS["alice"], "QRY": "select 1 as one", "CONTEXT": "mydb"}
    for base in ("ps1casjobs", "hcasjobs", "casjobs", "CasJobs"):
        answer = requests.get(f"{url}/{base}/Services/Jobs.asmx/executequickjob", params=asked)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        root = etree.fromstring(answer.content)
        assert (root.tag, root.text) == (f"{NAMESPACE}string", "[one]:Integer\n1\n")


def test_queues_and_kinds_of_jobs_are_listed(url, wsid):
    base = f"{url}/casjobs/services/jobs.asmx"
    queues = etree.fromstring(requests.get(f"{base}/GetQueues", {"wsid": wsid, "pw": PASSWORDS["alice"]}).content)
    found = [tuple(cell.text for cell in queue) for queue in queues]
    assert found == [(context, minutes) for context in ("MYDB", "Sky") for minutes in ("1", "30", "500")]
    kinds = etree.fromstring(requests.get(f"{base}/GetJobTypes").content)
    assert [kind.findtext(f"{NAMESPACE}Type") for kind in kinds] == ["QUERY", "CSV", "DataSet", "FITS", "VOTable"]


def test_a_dataset_is_answered_at_once_too(url, wsid):
    asked = {"wsid": wsid, "pw": PASSWORDS["alice"], "qry": "select 1 as one", "context": "mydb", "taskname": "x"}
    answer = requests.post(f"{url}/casjobs/services/jobs.asmx/ExecuteQuickJobDS", data=asked)
    root = etree.fromstring(answer.content)
    assert root.tag == f"{NAMESPACE}DataSet"
    assert root.findtext(".//one") == "1"


@pytest.mark.parametrize("port", ["JobsSoap", "JobsSoap12"])
def test_zeep_makes_a_client_of_the_wsdl(url, wsid, port):
    service = zeep.Client(f"{url}/ps1casjobs/services/jobs.asmx?WSDL").bind("Jobs", port)
    who = {"wsid": wsid, "pw": PASSWORDS["alice"]}
    text = service.ExecuteQuickJob(**who, qry="select 'a<b' as x", context="MYDB", taskname="t", isSystem=False)
    assert text == '[x]:String\n"a<b"\n'
    number = service.SubmitJob(**who, qry="select 1 as one", context="Sky", taskname="by zeep", estimate=1)
    while service.GetJobStatus(**who, jobid=number) < 3:
        time.sleep(0.05)
    (job,) = service.GetJobs(owner_wsid=wsid, owner_pw=who["pw"], conditions=f"jobid:{number}", includeSystem=False)
    assert (job.JobID, job.Status, job.TaskName, job.TimeSubmit.year) == (number, 5, "by zeep", time.gmtime().tm_year)
    assert service.CancelJob(**who, jobid=number) is None
    assert {queue.Timeout for queue in service.GetQueues(**who)} == {1, 30, 500}
    assert "FITS" in {kind.Type for kind in service.GetJobTypes()}
    name = f"soap_{port}"
    service.UploadData(**who, tableName=name, data="a,b\n1,x\n", tableExists=False)
    assert service.SubmitExtractJob(**who, tableName=name, type="CSV") > number
    assert service.ExecuteQuickJobDS(**who, qry=f"select * from {name}", context="MYDB", taskname="t", isSystem=True)
    with pytest.raises(zeep.exceptions.Fault, match='No table "nonsense"'):
        service.ExecuteQuickJob(**who, qry="select * from nonsense", context="MYDB", taskname="t", isSystem=False)


def test_zeep_logs_in(url, wsid):
    service = zeep.Client(f"{url}/ps1casjobs/casusers.asmx?WSDL").service
    assert service.GetWebServiceId("alice", PASSWORDS["alice"]) == str(wsid)
    assert service.GetWebServiceId("alice", "wrong") == "-1"


def test_jobs_belong_to_their_owner(url, alice, ground):
    bob = client(url, "bob", context="Sky")
    number = finished(alice, alice.submit("select 1 as one"))
    with pytest.raises(Exception, match=f'No job "{number}"'):
        bob.status(number)
    with pytest.raises(Exception, match=f'No job "{number}"'):
        bob.cancel(number)
    assert bob.job_info(jobid=number) == []
    with pytest.raises(Exception, match="owner alone"):
        bob._send_request(
            "GetJobs", {"owner_wsid": ground[1]["alice"], "owner_pw": PASSWORDS["alice"], "conditions": ""}
        )
    with pytest.raises(Exception, match="wrong"):
        bob._send_request("GetJobs", {"owner_wsid": ground[1]["alice"], "owner_pw": "x", "conditions": ""})


def test_a_table_is_nobody_elses(url, alice):
    made(alice, "secret")
    bob = client(url, "bob")
    assert "secret" not in bob.list_tables()
    with pytest.raises(Exception, match="No table"):
        bob.quick("select * from alice.secret")
    asked = {"userid": "bob", "pw": PASSWORDS["bob"], "table": "secret"}
    assert requests.post(f"{url}/cgi-bin/quick_casjobs.cgi", data=asked).status_code == 404
    asked |= {"userid": "alice"}
    assert requests.post(f"{url}/cgi-bin/quick_casjobs.cgi", data=asked).status_code == 401


def test_what_nobody_offers_is_not_found(url):
    answer = requests.get(f"{url}/casjobs/services/jobs.asmx/ExecuteQuickJobb")
    assert answer.status_code == 500
    assert 'No operation "ExecuteQuickJobb"' in answer.text.replace("&quot;", '"')
    assert "ExecuteQuickJob" in requests.get(f"{url}/casjobs/services/jobs.asmx").text
    assert "MastCasJobs" in requests.get(f"{url}/casjobs/").text


def test_a_quick_query_that_takes_too_long_is_told_of_jobs(tmp_path):
    too_long = "select count(*) as n from stars a, stars b, stars c where a.ra < b.ra + c.ra"
    with (
        casjobs_server(build_archive(tmp_path), tmp_path / "state", query_time_s=1.0) as (server, _),
        pytest.raises(Exception, match=r"limit of 1 s.* submit it as a job"),
    ):
        client(server.url, context="sky").quick(too_long)


def test_a_bit_may_be_asked_for_as_it_is_shown(alice):
    shown = alice.quick("select top 1 n_obs from stars where n_obs = 1")
    assert list(shown["n_obs"]) == ["True"]
    counts = [
        alice.quick(f"select count(*) as n from stars where n_obs {what}")["n"][0] for what in ("= 1", "= 'True'")
    ]
    assert counts[0] == counts[1] > 0
    assert alice.quick("select count(*) as n from stars where n_obs in ('false', 'true')")["n"][0] >= counts[0]
