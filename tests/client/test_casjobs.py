"""CasJobs, asked with the words of its own clients."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest
from casjobs_ground import PASSWORDS, client
from loopback import Reply, answering

from skydex.client.casjobs import CasJobs
from skydex.client.conditions import Comparison
from skydex.client.far import far_door
from skydex.client.http import Web
from skydex.client.orders import Query, RowsOrder
from skydex.client.presets import get_preset
from skydex.client.tsql import names_of_into, rows_query
from skydex.connection.near import NearDoor
from skydex.errors import (
    BadAnswerError,
    BadParameterError,
    JobFailedError,
    LoginError,
    LoginNeededError,
    NoPositionError,
    RefusedError,
    UnknownTableError,
)
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Position, Result, Table

PRESET = get_preset("mast-casjobs")
SEARCH = """select m.MatchID, f.Filter, f.MAD, f.FilterDetFlag {into}
from SearchHCVMatchID(16.2016962,2.1194959,1800.0) s
join HCVmatch m on m.MatchID=s.MatchID
join HCVfilter f on f.MatchID=s.MatchID and (f.Filter='ACS_F475W' or f.Filter='ACS_F814W')"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("CASJOBS_USERID", "CASJOBS_PW", "CASJOBS_WSID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def casjobs(demonstration):
    return far_door(PRESET.moved(demonstration.url), Web(("alice", PASSWORDS["alice"])))


@pytest.fixture(scope="module")
def theirs(demonstration):
    return client(demonstration.url, context="HSCv3")


def rows(**columns):
    described = tuple(
        Column(name, Datatype.CHAR, arraysize="*") if isinstance(values[0], str) else Column(name, Datatype.DOUBLE)
        for name, values in columns.items()
    )
    batch = pa.record_batch({name: list(values) for name, values in columns.items()})
    return Result(described, iter([batch]))


def test_a_quick_query_gives_the_rows_that_the_module_of_mast_gives(casjobs, theirs):
    text = SEARCH.format(into="")
    ours, known = casjobs.sql(text, None).to_arrow(), theirs.quick(text)
    assert ours.num_rows == len(known) > 0
    assert ours.column_names == known.colnames
    assert ours["MatchID"].to_pylist() == known["MatchID"].tolist()
    assert ours["MAD"].to_pylist() == known["MAD"].tolist()
    assert [str(flag) for flag in ours["FilterDetFlag"].to_pylist()] == known["FilterDetFlag"].tolist()


def test_a_table_of_ones_own_is_made_read_listed_and_dropped(casjobs, theirs):
    mydb = casjobs.own_tables()
    made = casjobs.sql(SEARCH.format(into="into mydb.mast_made"), None)
    n_rows = made.to_arrow().column(0)[0].as_py()
    assert made.rows_affected == n_rows > 0
    assert "mast_made" in {table.name for table in mydb.tables()}
    ours, known = mydb.read("MyDB.mast_made").to_arrow(), theirs.fast_table("mast_made", verbose=False)
    assert ours.num_rows == n_rows
    assert ours["MatchID"].to_pylist() == known["MatchID"].tolist()
    assert ours["FilterDetFlag"].to_pylist() == known["FilterDetFlag"].tolist()
    mydb.drop("[mast_made]")
    assert "mast_made" not in {table.name for table in mydb.tables()}
    with pytest.raises(UnknownTableError, match="mast_made"):
        mydb.read("mast_made")
    with pytest.raises(UnknownTableError, match="mast_made"):
        mydb.drop("mast_made")


def test_rows_that_are_written_are_read_back_also_in_pieces(casjobs, monkeypatch):
    mydb = casjobs.own_tables()
    values = np.linspace(-1.0, 1.0, 2000)
    names = [f"star {number}, <of> 'many'" for number in range(2000)]
    for most in (64 << 20, 20_000):
        monkeypatch.setattr("skydex.client.casjobs._UPLOAD_BYTES", most)
        mydb.write("mast_written", rows(x=values, name=names))
        found = mydb.read("mast_written").to_arrow()
        mydb.drop("mast_written")
        assert found["x"].to_pylist() == values.tolist()
        assert found["name"].to_pylist() == names


def test_a_table_that_exists_is_not_written_over(casjobs):
    mydb = casjobs.own_tables()
    mydb.write("mast_twice", rows(x=[1.0]))
    try:
        with pytest.raises(RefusedError, match="mast_twice"):
            mydb.write("mast_twice", rows(x=[2.0]))
        assert mydb.read("mast_twice").to_arrow()["x"].to_pylist() == [1.0]
    finally:
        mydb.drop("mast_twice")


def test_a_submitted_query_is_found_again_by_its_address(casjobs):
    job = casjobs.submit(Query(SEARCH.format(into="into mydb.mast_queued")))
    again = casjobs.job(job.url)
    deadline = time.monotonic() + 30
    while again.phase(5.0) not in ("COMPLETED", "ERROR", "ABORTED") and time.monotonic() < deadline:
        pass
    assert again.phase() == "COMPLETED", again.message()
    assert again.result().to_arrow().num_rows > 0
    casjobs.own_tables().drop("mast_queued")
    again.delete()


def test_a_job_that_fails_tells_why(casjobs):
    job = casjobs.submit(Query("select nothing into mydb.mast_failed from HCVmatch"))
    while job.phase(5.0) not in ("COMPLETED", "ERROR"):
        pass
    assert "nothing" in job.message()
    with pytest.raises(JobFailedError, match="nothing"):
        job.result()


@pytest.mark.parametrize("url", ["", "http://elsewhere/jobs?jobid=1", "{jobs}", "{jobs}/GetJobStatus?jobid=x"])
def test_an_address_that_is_no_job_here_is_refused(casjobs, demonstration, url):
    with pytest.raises(BadParameterError, match="address of a job"):
        casjobs.job(url.format(jobs=PRESET.moved(demonstration.url).services["jobs"]))


def test_tables_of_the_context_have_columns(casjobs):
    names = [table.name for table in casjobs.tables()]
    assert {"dbo.HCVmatch", "dbo.HCVfilter", "dbo.HCVdetailed"} <= set(names)
    table = casjobs.table("hcvmatch")
    assert table.get_column("matchid").datatype is Datatype.LONG
    assert (table.position.ra, table.position.dec) == ("RA", "Dec")
    assert casjobs.table("HCVfilter").get_column("Filter").max_length >= 9
    with pytest.raises(UnknownTableError, match="HCVmatch"):
        casjobs.table("HCVmatches")


def test_units_are_those_that_an_archive_on_this_disk_tells(casjobs, simulated):
    near = NearDoor(simulated, preset=PRESET)
    for name in ("HCVmatch", "HCVfilter", "HCVdetailed", "detailedCatalog", "ProperMotionsView", "SourcePositionsView"):
        known = {column.name: column.unit for column in near.table(f"dbo.{name}").columns}
        assert {column.name: column.unit for column in casjobs.table(name).columns} == known, name
    found = casjobs.sql("select top 1 MJD, Mag, Mag*2 as twice, MatchID as mag from HCVdetailed", None).columns
    assert [column.unit for column in found] == ["d", "mag", None, None]


def test_rows_of_a_table_are_asked_for_without_writing_sql(casjobs):
    condition = Comparison("matchid", "=", (1905457,))
    result = casjobs.rows(RowsOrder("HCVdetailed", ("MJD", "Filter"), condition, sort_by=("-MJD",), max_rows=20))
    days = result.to_arrow()["MJD"].to_pylist()
    assert days == sorted(days, reverse=True)
    assert len(days) == 20
    assert result.overflow, "there are 43"


@pytest.mark.parametrize("radius_deg", [1e-4, 0.05, 0.5])
def test_a_cone_has_what_the_function_of_the_context_finds(casjobs, radius_deg):
    place = (
        casjobs.sql(
            "select top 1 RA, Dec from SearchHCVMatchID(16.2016962,2.1194959,1800.0) s "
            "join HCVmatch m on m.MatchID=s.MatchID order by m.MatchID",
            None,
        )
        .to_arrow()
        .to_pylist()[0]
    )
    cone = Cone(place["RA"], place["Dec"], radius_deg)
    ours = casjobs.rows(RowsOrder("HCVmatch", ("MatchID",), None, cone)).to_arrow()
    text = f"select MatchID from SearchHCVMatchID({cone.ra_deg!r},{cone.dec_deg!r},{radius_deg * 3600!r}) s"
    known = casjobs.sql(text, None).to_arrow()
    assert sorted(ours["MatchID"].to_pylist()) == sorted(known["MatchID"].to_pylist())
    assert ours.num_rows >= 1


def test_what_the_service_refuses_is_told_in_its_words(casjobs):
    with pytest.raises(RefusedError, match="HCVmatches"):
        casjobs.sql("select * from HCVmatches", None)
    with pytest.raises(RefusedError, match="HSCv33"):
        casjobs.sql("select 1 as one", "HSCv33")


def test_who_is_not_known_is_told_so(demonstration):
    wrong = far_door(PRESET.moved(demonstration.url), Web(("alice", "wrong")))
    with pytest.raises(LoginError, match="does not know"):
        wrong.sql("select 1 as one", None)
    nobody = far_door(PRESET.moved(demonstration.url))
    with pytest.raises(LoginNeededError, match="CASJOBS_USERID"):
        nobody.sql("select 1 as one", None)


def test_the_environment_of_the_module_of_mast_counts(demonstration, monkeypatch):
    monkeypatch.setenv("CASJOBS_USERID", "bob")
    monkeypatch.setenv("CASJOBS_PW", PASSWORDS["bob"])
    found = far_door(PRESET.moved(demonstration.url)).sql("select 1 as one", None)
    assert found.to_arrow().to_pydict() == {"one": [1]}


def answered(text):
    """A service at MAST whose login succeeds, and which answers everything else with a text."""

    def answer(asked):
        if asked.path.endswith("GetWebServiceId"):
            return b'<?xml version="1.0"?><string xmlns="http://Services.Cas.jhu.edu">1234567890</string>'
        return text if isinstance(text, Reply) else text.encode()

    return answering(answer)


def asked(server):
    return CasJobs(PRESET.moved(server.url), Web(("alice", "p+w"), retries=0))


def test_requests_are_those_that_the_module_of_mast_sends():
    with answered('<string xmlns="http://Services.Cas.jhu.edu">[Rows Affected]:Integer\n40196\n</string>') as server:
        found = asked(server).sql("select 1 into mydb.x", None)
    login, query = server.asked
    assert login.form == {"userid": "alice", "password": "p+w"}
    assert query.path == "/ps1casjobs/services/jobs.asmx/ExecuteQuickJob"
    wanted = {"qry": "select 1 into mydb.x", "context": "HSCv3", "isSystem": "False", "wsid": "1234567890", "pw": "p+w"}
    assert wanted.items() <= query.form.items()
    assert found.rows_affected == 40196


def test_a_refusal_is_cut_out_of_the_stack_trace_and_not_tried_again():
    trace = (
        "System.Web.Services.Protocols.SoapException: Server was unable to process request. ---> System.Exception: "
        "Invalid object name &#39;HCVmatches&#39;. ---> System.Data.SqlClient.SqlException: x\n   at Cas.Jobs()\n"
    )
    with answered(Reply(trace.encode(), 500)) as server:
        with pytest.raises(RefusedError, match=r"refuses: Invalid object name 'HCVmatches'\.$"):
            asked(server).sql("select * from HCVmatches", None)
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    "text", ["", "<string/>", "<html><body>down", "<!DOCTYPE x><string>a</string>", "<string>a\n1</string>"]
)
def test_an_answer_that_is_no_typed_text_is_refused(text):
    with answered(text) as server, pytest.raises(BadAnswerError):
        asked(server).sql("select 1 as a", None)


def test_an_answer_about_tables_that_has_other_columns_is_refused():
    with answered("<string>[a]:String\nx\n</string>") as server:
        service = asked(server)
        with pytest.raises(BadAnswerError, match="2 were asked for"):
            service.tables()
        with pytest.raises(BadAnswerError, match="3 were asked for"):
            service.table("HCVmatch")


def test_blanks_become_underscores_where_the_service_stumbles_over_them():
    with answered("") as server, pytest.warns(UserWarning, match="underscores"):
        asked(server).own_tables().write("t", rows(name=["star 1"]))
    assert server.asked[-1].form["data"] == "name\nstar_1\n"


def test_the_tables_that_statements_make_are_known():
    text = "-- into mydb.no\nSELECT 'into mydb.no' a INTO MyDB.[one] FROM t; select 1 b into mydb.dbo.two"
    assert names_of_into(text) == ["one", "two"]


def test_a_query_quotes_what_a_user_says():
    table = Table("dbo.t", (Column("na]me", Datatype.CHAR, arraysize="*"),))
    condition = Comparison("na]me", "=", ("o'clock",))
    text = rows_query(RowsOrder("dbo.t", ("na]me",), condition), table)
    assert text == "SELECT [na]]me] FROM dbo.t WHERE (\"na]me\" = 'o''clock')"
    with pytest.raises(NoPositionError):
        rows_query(RowsOrder("dbo.t", cone=Cone(1, 2, 3)), table)


def test_a_cone_at_the_pole_has_no_box_in_right_ascension():
    columns = (Column("ra", Datatype.DOUBLE), Column("dec", Datatype.DOUBLE))
    table = Table("t", columns, position=Position("ra", "dec"))
    assert " OR " not in rows_query(RowsOrder("t", cone=Cone(10.0, 89.9, 0.5)), table)
    assert " OR " in rows_query(RowsOrder("t", cone=Cone(0.0, 0.0, 0.5)), table)
