"""What real services of the Virtual Observatory answered, replayed, and read as pyvo and astropy read it."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pytest
import pyvo
from astropy.io.votable import parse_single_table
from loopback import Reply, answering

from skydex.client.conditions import Comparison
from skydex.client.far import FarDoor, found_door
from skydex.client.http import Web
from skydex.client.orders import Query, RowsOrder
from skydex.client.scs import ScsService
from skydex.client.tap import TapService
from skydex.client.uws import UWSJob, read_job
from skydex.client.vosi import read_capabilities, read_tables
from skydex.connection.rows import result_table
from skydex.errors import (
    BadAnswerError,
    JobFailedError,
    NotOfferedError,
    RefusedError,
    UnknownResourceError,
    UnreachableError,
)
from skydex.formats import get_format
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Result

CONE = Cone(10.0, -5.0, 0.1)


@pytest.fixture
def services(shared_data) -> Path:
    return shared_data / "services"


def quick() -> Web:
    return Web(pause_s=0.001, timeout_s=10)


def replaying(**bodies):
    """Answer with a body by the end of the path; what is not there is not found."""

    def answer(asked):
        path = unquote(asked.path)
        found = next((body for end, body in bodies.items() if path.endswith(end.replace("__", "/"))), None)
        found = found(asked) if callable(found) else found
        return Reply(b"not here", status=404) if found is None else found

    return answering(answer)


VOSI_TABLES = "vosi/vosi/tests/data/tables"
TABLES = [
    "dal/dal/tests/data/tap/tables.xml",
    "dal/dal/tests/data/tap/lazy-table1.xml",
    "dal/dal/tests/data/tap/lazy-table2.xml",
    "vosi/vosi/tests/data/tables.xml",
    "gaia_tap/test_tables.xml",
    "gaia_tap/test_tables_gaia.xml",
    f"{VOSI_TABLES}/datatypes_tap.xml",
    f"{VOSI_TABLES}/single_table_description.xml",
    f"{VOSI_TABLES}/no_table_description.xml",
    f"{VOSI_TABLES}/sizenegative.xml",
    f"{VOSI_TABLES}/wrong_flag.xml",
    f"{VOSI_TABLES}/wrong_datatypes_tap.xml",
    f"{VOSI_TABLES}/wrong_datatypes_votable.xml",
]


def words(text):
    return " ".join((text or "").split())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TABLES)
def test_tables_are_described_as_pyvo_reads_them(services, name):
    content = (services / name).read_bytes()
    ours = {table.name: table for table in read_tables(content, "here")}
    theirs = {table.name: table for table in pyvo.io.vosi.parse_tables(io.BytesIO(content)).iter_tables()}
    assert list(ours) == list(theirs)
    for table, other in zip(ours.values(), theirs.values(), strict=True):
        assert table.description == words(other.description or other.title)
        assert [column.name for column in table.columns] == [column.name for column in other.columns]
        for column, told in zip(table.columns, other.columns, strict=True):
            assert (column.unit or "", column.ucd or "", column.utype or "") == (
                words(told.unit),
                words(told.ucd),
                words(told.utype),
            )
            assert column.description == words(told.description)


def test_datatypes_of_both_kinds_become_columns(services):
    (tap, _) = read_tables((services / VOSI_TABLES / "datatypes_tap.xml").read_bytes(), "here")
    kinds = {column.name.strip("_"): (str(column.datatype), column.arraysize, column.xtype) for column in tap.columns}
    assert kinds["smallint"] == ("short", None, None)
    assert kinds["timestamp"] == ("char", "*", "timestamp")
    assert kinds["double"] == ("double", None, None)
    (gaia, *_) = read_tables((services / "gaia_tap/test_tables_gaia.xml").read_bytes(), "here")
    assert gaia.name == "external.apassdr9"
    assert (gaia.position.ra, gaia.position.dec) == ("raj2000", "dej2000")
    assert gaia.n_rows == 61176401


@pytest.mark.parametrize(
    "name", ["no_schema_name", "no_schemas", "no_table_name", "multiple_table_names", "wrong_arraysize"]
)
def test_odd_descriptions_lose_nothing_but_what_is_odd(services, name):
    tables = read_tables((services / VOSI_TABLES / f"{name}.xml").read_bytes(), "here")
    assert all(table.name for table in tables)


def test_capabilities_tell_formats_and_functions(services):
    content = (services / "sdss/tap_caps.xml").read_bytes()
    ours = read_capabilities(content, "here")
    assert ours.is_tap
    assert {"POINT", "CIRCLE", "CONTAINS"} <= ours.geometry
    tap = next(c for c in pyvo.io.vosi.parse_capabilities(io.BytesIO(content)) if "std/TAP" in c.standardid)
    assert [names[0] for names in ours.formats] == [kind.mime for kind in tap.outputformats]


def test_an_address_whose_capabilities_say_so_is_a_tap_service(services):
    caps = (services / "sdss/tap_caps.xml").read_bytes()
    with replaying(argus__capabilities=caps) as server:
        assert found_door(f"{server.url}/argus").name == f"{server.url}/argus"


def test_a_server_that_has_a_page_for_everything_is_no_archive():
    page = b"<html><body>Welcome<br></body></html>"
    with answering(lambda _: page) as server, pytest.raises(UnknownResourceError, match="TAP service"):
        found_door(server.url)


@pytest.mark.filterwarnings("ignore")
def test_rows_of_gaia_are_those_that_astropy_reads(services):
    content = (services / "gaia_tap/1714556098855O-result.vot").read_bytes()
    told = parse_single_table(io.BytesIO(content)).to_table(use_names_over_ids=True)
    with replaying(sync=content) as server:
        table = result_table(TapService(server.url, quick()).query(Query("SELECT 1")))
    assert table.colnames == told.colnames
    for name in told.colnames:
        ours, theirs = np.ma.asarray(getattr(table[name], "value", table[name])), told[name]
        if theirs.dtype.kind in "iuf":
            null = np.nan if theirs.dtype.kind == "f" else 0
            np.testing.assert_array_equal(np.ma.filled(ours, null), np.ma.filled(theirs, null))


def test_a_service_that_says_nothing_of_itself_is_asked_for_its_default(services):
    content = (services / "gaia_tap/job_1.vot").read_bytes()
    with replaying(sync=content) as server:
        result = TapService(server.url, quick()).query(Query("SELECT 1", max_rows=7))
        assert result.to_arrow()["table1_oid"].to_pylist() == [1, 2, 3]
        assert server.asked[-1].form == {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": "SELECT 1", "MAXREC": "7"}


def test_binary2_is_asked_for_where_it_is_offered(services):
    caps = b"""<capabilities><capability standardID="ivo://ivoa.net/std/TAP">
      <outputFormat><mime>text/xml</mime></outputFormat>
      <outputFormat ivo-id="ivo://ivoa.net/std/TAPRegExt#output-votable-binary2">
        <mime>application/x-votable+xml;serialization=BINARY2</mime><alias>votable/b2</alias></outputFormat>
      </capability></capabilities>"""
    with replaying(capabilities=caps, sync=(services / "gaia_tap/job_1.vot").read_bytes()) as server:
        TapService(server.url, quick()).query(Query("SELECT 1")).to_arrow()
        assert server.asked[-1].form["RESPONSEFORMAT"] == "application/x-votable+xml;serialization=BINARY2"


def test_a_recorded_overflow_marks_its_rows_as_cut(services):
    with replaying(sync=(services / "dal/dal/tests/data/query/overflowstatus.xml").read_bytes()) as server:
        result = TapService(server.url, quick()).query(Query("SELECT 1"))
        result.to_arrow()
        assert result.overflow


def test_an_error_with_status_200_is_an_error():
    body = b"""<VOTABLE><RESOURCE><INFO name="QUERY_STATUS" value="ERROR">bad query</INFO></RESOURCE></VOTABLE>"""
    with replaying(sync=body) as server, pytest.raises(RefusedError, match="bad query"):
        TapService(server.url, quick()).query(Query("SELECT 1"))


JOBS = ["job", "job-error", "job-implicit-v1.0", "job-with-duplicate-elements", "job-with-empty-jobinfo"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", JOBS)
def test_jobs_are_read_as_pyvo_reads_them(services, name):
    content = (services / f"vosi/uws/tests/data/{name}.xml").read_bytes()
    ours, theirs = read_job(content, "here"), pyvo.io.uws.parse_job(io.BytesIO(content))
    assert (ours.job_id, ours.phase) == (theirs.jobid, theirs.phase)
    assert [href for _, href in ours.results] == [result.href for result in theirs.results or ()]
    assert ours.message == words(theirs.errorsummary.message.content if theirs.errorsummary else "")


def job_document(phase, *, version='version="1.1"', results=""):
    return f"""<job {version} xmlns="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink">
      <jobId>7</jobId><phase>{phase}</phase><results>{results}</results></job>""".encode()


def test_a_service_of_uws_1_0_is_asked_again_until_its_job_has_ended(services):
    phases = iter(["QUEUED", "EXECUTING", "EXECUTING", "COMPLETED", "COMPLETED"])
    href = '<result id="result" xlink:href="results/elsewhere"/>'

    def job(asked):
        return job_document(next(phases), version="", results=href)

    with replaying(async__7=job, results__elsewhere=(services / "gaia_tap/job_1.vot").read_bytes()) as server:
        found = UWSJob(quick(), f"{server.url}/async/7")
        assert found.phase(10) == "COMPLETED"
        assert not any("WAIT" in asked.query for asked in server.asked)
        assert found.result().to_arrow().num_rows == 3


def test_a_service_of_uws_1_1_is_asked_to_wait():
    phases = iter(["EXECUTING", "COMPLETED"])
    with replaying(async__7=lambda asked: job_document(next(phases))) as server:
        assert UWSJob(quick(), f"{server.url}/async/7").phase(30) == "COMPLETED"
        assert 0 < int(server.asked[-1].query["WAIT"]) <= 60


def test_a_service_that_does_not_wait_is_asked_less_and_less_often():
    with replaying(async__7=job_document("EXECUTING", version="")) as server:
        job = UWSJob(quick(), f"{server.url}/async/7")
        for _ in range(6):
            job.phase(0.2)
        assert len(server.asked) <= 9


def test_waiting_for_a_job_ends_when_its_time_is_over():
    with replaying(async__7=job_document("EXECUTING", version="")) as server:
        assert UWSJob(quick(), f"{server.url}/async/7").phase(0.3) == "EXECUTING"


def test_a_failed_job_tells_why_also_where_only_its_error_document_knows(services):
    said = (services / "vosi/uws/tests/data/job-error.xml").read_bytes()
    with replaying(async__7=said) as server, pytest.raises(JobFailedError, match="We have problem"):
        UWSJob(quick(), f"{server.url}/async/7").result()
    error = b"""<VOTABLE><RESOURCE><INFO name="QUERY_STATUS" value="ERROR">out of disk</INFO></RESOURCE></VOTABLE>"""
    with (
        replaying(async__7=job_document("ERROR"), error=error) as server,
        pytest.raises(JobFailedError, match="out of disk"),
    ):
        UWSJob(quick(), f"{server.url}/async/7").result()


def test_a_job_is_begun_where_the_service_leaves_it_pending():
    made = {"phase": "PENDING"}

    def answer(asked):
        if asked.path.endswith("/capabilities"):
            return Reply(status=404)
        if asked.path == "/tap/async":
            return Reply(status=303, headers={"Location": "/tap/async/7"})
        if asked.path.endswith("/phase"):
            made["phase"] = asked.form["PHASE"].replace("RUN", "COMPLETED")
        return job_document(made["phase"])

    with answering(answer) as server:
        job = TapService(f"{server.url}/tap", quick()).submit(Query("SELECT 1"))
        assert job.url == f"{server.url}/tap/async/7"
        assert job.phase(5) == "COMPLETED"


def test_a_job_that_cannot_be_deleted_by_delete_is_deleted_by_a_form():
    def answer(asked):
        return Reply(status=405) if asked.method == "DELETE" else b""

    with answering(answer) as server:
        UWSJob(quick(), f"{server.url}/async/7").delete()
        assert server.asked[-1].form == {"ACTION": "DELETE"}


@pytest.mark.filterwarnings("ignore")
def test_a_recorded_cone_search_has_the_rows_that_astropy_reads(services):
    content = (services / "dal/dal/tests/data/scs/result.xml").read_bytes()
    told = parse_single_table(io.BytesIO(content)).to_table()
    with replaying(scs=content) as server:
        scs = ScsService(f"{server.url}/scs?", quick(), name="x.y")
        table = result_table(scs.rows(RowsOrder("y", cone=CONE)))
        assert server.asked[-1].query == {"RA": "10.0", "DEC": "-5.0", "SR": "0.1", "VERB": "2"}
    assert len(table) == len(told)
    for name in told.colnames:
        if told[name].dtype.kind == "f":
            np.testing.assert_array_equal(np.asarray(table[name]), np.ma.filled(told[name], np.nan))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("status", [200, 400])
def test_a_cone_search_refuses_in_each_of_the_forms_there_are(services, number, status):
    body = (services / f"vizier_xmatch/conesearch_error{number}.xml").read_bytes()
    said = r"Error in input RA value: as3f|Invalid data type: text/html"
    with answering(lambda _: Reply(body, status=status)) as server, pytest.raises(RefusedError, match=said):
        ScsService(server.url, quick(), name="y").rows(RowsOrder("y", cone=CONE))


def test_a_cone_search_is_asked_for_nothing_that_it_cannot():
    scs = ScsService("http://127.0.0.1:9/scs", quick(), name="csc21.master_source")
    condition = Comparison("significance", ">", (5,))
    for order in (
        RowsOrder("master_source", cone=CONE, condition=condition),
        RowsOrder("master_source"),
        RowsOrder("other", cone=CONE),
    ):
        with pytest.raises(NotOfferedError):
            FarDoor("csc21", [scs]).rows(order)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body><h1>It works!</h1></body></html>",
        b"",
        b'<!DOCTYPE x [<!ENTITY a "b">]><VOTABLE><RESOURCE><TABLE/></RESOURCE></VOTABLE>',
        b'<VOTABLE><RESOURCE><TABLE><FIELD name="a" datatype="int"/><DATA><BINARY2>'
        b'<STREAM href="file:///etc/passwd"/></BINARY2></DATA></TABLE></RESOURCE></VOTABLE>',
        b"<VOTABLE><RESOURCE><TABLE>",
    ],
)
def test_what_is_no_table_or_leads_elsewhere_is_refused(body):
    with replaying(sync=body) as server, pytest.raises(BadAnswerError):
        TapService(server.url, quick()).query(Query("SELECT 1")).to_arrow()


@pytest.mark.parametrize("body", [b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<a>" * 5000, b"nothing", b"\xff\xfe<"])
def test_hostile_descriptions_are_refused(body):
    for read in (read_tables, read_capabilities, read_job):
        with pytest.raises(BadAnswerError):
            read(body, "here")


def arrow_rows(n_rows=200_000):
    columns = (Column("x", Datatype.DOUBLE), Column("y", Datatype.DOUBLE))
    numbers = pa.array(np.random.default_rng(0).normal(size=n_rows))
    batch = pa.record_batch([numbers, numbers], names=["x", "y"])
    return b"".join(
        get_format("arrow").write(Result(columns, (batch.slice(i, 20_000) for i in range(0, n_rows, 20_000))))
    )


def test_rows_that_break_off_are_an_error_and_no_shorter_table():
    body = arrow_rows()
    half = Reply(body[: len(body) // 2], length=len(body))
    with replaying(sync=half) as server, pytest.raises(UnreachableError):
        TapService(server.url, quick()).query(Query("SELECT 1"))
    replies = iter([half, half, Reply(body)])
    with replaying(sync=lambda _: next(replies)) as server:
        assert TapService(server.url, quick()).query(Query("SELECT 1")).to_arrow().num_rows == 200_000
    with replaying(sync=body[: len(body) // 2]) as server:
        result = TapService(server.url, quick()).query(Query("SELECT 1"))
        with pytest.raises(BadAnswerError):
            result.to_arrow()


def test_results_that_nobody_takes_hold_no_connection():
    body = arrow_rows()
    with replaying(sync=body) as server:
        tap = TapService(server.url, quick())
        for _ in range(20):
            next(tap.query(Query("SELECT 1")).batches)
            tap.query(Query("SELECT 1"))
        assert tap.query(Query("SELECT 1")).to_arrow().num_rows == 200_000
