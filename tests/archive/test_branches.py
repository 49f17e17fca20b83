"""IF in batches of T-SQL: ways that a condition decides on, and that a job begun anew goes again."""

from __future__ import annotations

import pytest

from skydex.archive import Archive, BatchRequest
from skydex.errors import BadQueryError, QueryTooLargeError, RequestError, UnknownTableError
from skydex.store import ArchiveDirectory

OWNERS = ("alice", "bob")
CONTEXTS = """
[[casjobs]]
context = "Demo"
schemas = { dbo = ["demo"] }
"""


@pytest.fixture
def house(directory) -> Archive:
    (directory.path / "services.toml").write_text(CONTEXTS, encoding="utf-8")
    opened = Archive.open(directory.path)
    for name in OWNERS:
        opened.accounts.add(name, "correct horse")
    return opened


@pytest.fixture
def run(house):
    """Carry out a batch of alice, and give its rows as tuples."""

    def run(text: str, context: str = "MYDB", owner: str | None = "alice", **more) -> list[tuple]:
        with house.query(BatchRequest(text, context, owner, **more)) as result:
            rows = result.to_arrow()
        return [tuple(row.values()) for row in rows.to_pylist()] if rows.num_columns else []

    return run


@pytest.mark.parametrize(
    "condition",
    [
        "object_id('mydb.dbo.t') is not null",
        "OBJECT_ID(N'MyDB.dbo.T', N'U') IS NOT NULL",
        "object_id('t', 'U') is not null",
        "object_id('mydb..t') > 0",
        "object_id('[mydb].[dbo].[t]') is not null",
        "exists (select * from information_schema.tables where table_name = 't')",
        "(object_id('mydb.' + 't')) is not null",
    ],
)
def test_a_table_is_dropped_if_it_is_there_as_casjobs_users_write_it(run, condition):
    text = f"IF {condition} DROP TABLE mydb.t SELECT 1 AS a INTO mydb.t SELECT a FROM mydb.t"
    assert run(text) == [(1,)]
    assert run(text.replace("1 AS", "2 AS")) == [(2,)]


@pytest.mark.parametrize(
    "name", ["mydb.u", "Demo.dbo.nothing", "a.b.c.d", "", ".", "t t", "[t", "t]", "bob.t", "#t", "x..t", "mydb.dbo."]
)
def test_object_id_is_null_where_there_is_no_such_table(run, name):
    run("select 1 as a into t", owner="bob")
    assert run(f"select 1 as a into t; select object_id('{name}') as i") == [(None,)]


def test_object_id_sees_what_the_caller_sees(run, house):
    run("select 1 as a into t", owner="bob")
    see = "select case when object_id('bob.t') is null then 'no' else 'yes' end as it"
    assert run(see) == [("no",)]
    house.mydb("bob").share("t", users=("alice",))
    assert run(see) == [("yes",)]
    assert run("select case when object_id('Demo.dbo.objects') is null then 'no' else 'yes' end as it") == [("yes",)]
    assert run("select 1 as a into #x if object_id('tempdb..#x') is not null drop table #x select 2 as b") == [(2,)]
    assert run("declare @n varchar(9) = null; select object_id(@n) as a, object_id('bob.t', 'V') as b") == [
        (None, None)
    ]
    with pytest.raises(BadQueryError, match="OBJECT_ID takes the name"):
        run("select object_id(objid) as i from objects", "Demo")


@pytest.mark.parametrize(
    ("condition", "way"),
    [
        ("1 = 1", "then"),
        ("1 = 2", "else"),
        ("null = 1", "else"),
        ("not (1 = 2 or 2 = 3)", "then"),
        ("@n > 3 and @n < 5", "then"),
        ("@nothing is null", "then"),
        ("@nothing = 1", "else"),
        ("exists (select 1 as x from objects where objid < 0)", "else"),
        ("not exists (select * from objects where objid < 0)", "then"),
        ("(select count(*) from objects) = 1000", "then"),
        ("@n in (select 4 as x)", "then"),
        ("case when @n = 4 then 1 else 2 end = 1", "then"),
        ("@@rowcount > 0", "else"),
    ],
)
def test_a_condition_decides(run, condition, way):
    text = f"declare @n int = 4, @nothing int; if {condition} select 'then' as way else select 'else' as way"
    assert run(text, "Demo") == [(way,)]


def test_branches_lie_in_one_another_and_hold_several_statements(run):
    text = """
    declare @n int = {0}
    if @n = 1 begin
        create table mydb.t (a int);
        insert into mydb.t values (1), (2)
    end
    else if @n = 2
        if exists (select 1 as x from mydb.t) begin
            update mydb.t set a = case when a = 1 then 10 else a end
            delete mydb.t where a = 2
        end else select 'empty' as a
    else begin drop table mydb.t end;
    select 'done' as a
    """
    assert run(text.format(1)) == [("done",)]
    assert run("select a from t") == [(1,), (2,)]
    run(text.format(2))
    assert run("select a from t") == [(10,)]
    run(text.format(3))
    with pytest.raises(UnknownTableError):
        run("select a from t")


def test_the_answer_is_that_of_the_last_select_that_is_reached(run):
    assert run("select 1 as a if 1 = 2 select 2 as b") == [(1,)]
    assert run("select 1 as a if 1 = 1 select 2 as b") == [(2,)]
    assert run("if 1 = 2 select 2 as b") == [(0,)]
    assert run("if 1 = 1 select 1 as a into t; if @@rowcount = 1 insert t values (2)") == [(2,)]


def test_variables_are_those_of_the_whole_batch(run):
    text = "if 1 = 2 begin declare @a int = 5; declare @t table (x int) end insert @t values (7) "
    assert run(text + "select x, @a as a from @t") == [(7, None)]


def test_an_error_tells_the_statement_and_its_line(run):
    with pytest.raises(RequestError, match=r"Statement 3, line 3: .*nothing"):
        run("select 1 as a\nif 1 = 1 begin\ndrop table nothing\nend")
    with pytest.raises(RequestError, match=r"^Statement 1: .*nothing.*line 1"):
        run("if exists (select 1 as a from nothing) select 1 as a")


def test_who_is_anonymous_may_ask_conditions(run):
    assert run("if exists (select * from objects) select 1 as a", "Demo", owner=None, origin="job9") == [(1,)]


def test_blocks_have_an_end_of_depth(run):
    with pytest.raises(QueryTooLargeError, match="nesting"):
        run("if 1 = 1 " * 300 + "select 1 as a")
    with pytest.raises(QueryTooLargeError, match="nesting"):
        run("begin " * 300 + "select 1 as a" + " end" * 300)
    assert run("if 1 = 1 begin " * 50 + "select 1 as a" + " end" * 50) == [(1,)]


RETRIED = (
    "if object_id('mydb.dbo.t') is not null drop table mydb.t; select 1 as a into mydb.t",
    "if object_id('mydb.t') is null select 1 as a into mydb.t else insert mydb.t values (2)",
    "if exists (select * from information_schema.tables where table_name = 't') drop table t; select 1 as a into t",
    "if object_id('u') is null begin select 1 as a into u; select a into t from u end else drop table u",
    "create table t (a int) if not exists (select * from t) insert t values (1) else delete t",
    "select 1 as a into t; if (select count(*) from t) = 1 begin insert t values (1); delete t where a = 3 end",
    "select 1 as a into t; declare @n int = (select count(*) from t) if @n < 2 insert t values (1) else drop table t",
    "select 1 as a into u; insert u values (1) if @@rowcount = 1 select a into t from u else drop table u",
)


class Lost(Exception):
    """The worker is gone."""


@pytest.mark.parametrize("text", RETRIED)
def test_a_job_begun_anew_after_any_change_goes_the_same_way(house, run, monkeypatch, text):
    run(text, owner="alice", origin="job1")
    write, n_lost = ArchiveDirectory._write, 0

    def write_and_die(self, contents):
        write(self, contents)
        raise Lost

    with monkeypatch.context() as dying:
        dying.setattr(ArchiveDirectory, "_write", write_and_die)
        while is_lost(run, text):
            n_lost += 1
    assert 2 <= n_lost < 10
    run(text, owner="bob", origin="job1")
    found = [{t.name: run(f"select a from {t.name}", owner=who) for t in house.mydb(who).tables()} for who in OWNERS]
    assert found[0] == found[1]
    assert found[0], "the job did something"


def is_lost(run, text: str) -> bool:
    try:
        run(text, owner="bob", origin="job1")
    except Lost:
        return True
    return False
