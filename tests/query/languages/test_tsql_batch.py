"""Statements of a T-SQL batch, as its text has them."""

from __future__ import annotations

import contextlib
import time

import pytest

from skydex.errors import BadQueryError, QuerySyntaxError, QueryTooLargeError
from skydex.query.languages.statements import (
    AddColumns,
    AlterColumn,
    Assign,
    CreateTable,
    Declare,
    DeclareTable,
    Delete,
    DropColumns,
    DropTable,
    Insert,
    Nothing,
    Rename,
    Select,
    SetVariable,
    Statement,
    Truncate,
    Update,
)
from skydex.query.languages.tsql_batch import read_batch
from skydex.query.languages.tsql_names import TableName


def only(text: str) -> Statement:
    (statement,) = read_batch(text)
    return statement


def test_statements_need_no_semicolons_and_know_their_lines():
    text = "declare @r float = 2\nset @r = 3\nselect a into mydb.t from x\n\ndrop table if exists t select 1 as y"
    found = [(type(statement), statement.line) for statement in read_batch(text)]
    assert found == [(Declare, 1), (SetVariable, 2), (Select, 3), (DropTable, 5), (Select, 5)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("select a into t from x", "t"),
        ("select a into mydb.t from x", "mydb.t"),
        ("select a into MyDB.dbo.[my t] from x", "MyDB.dbo.my t"),
        ("select a into mydb..t from x", "mydb.t"),
        ("select a into #t from x", "#t"),
        ("with c as (select 1 as a) select a into mydb.t from c", "mydb.t"),
        ("select a into mydb.t from x union all select b from y", "mydb.t"),
    ],
)
def test_into_names_a_table_and_leaves_the_query(text, name):
    statement = only(text)
    assert isinstance(statement, Select)
    assert str(statement.into) == name
    assert "INTO" not in statement.query.sql()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select @a = max(x), @b = 2 from t", Assign),
        ("declare @t table (a int, b float)", DeclareTable),
        ("create table t (id bigint identity(1,1) primary key, b varchar(20) not null, primary key (id))", CreateTable),
        ("drop table a, #b", DropTable),
        ("insert into t (a, b) values (1, 'x'), (2, null)", Insert),
        ("insert t select * from u", Insert),
        ("insert into t with c as (select 1 as a) select a from c", Insert),
        ("update t set a = 1 where b = 2", Update),
        ("update a set b = u.b from t a join u on u.id = a.id", Update),
        ("delete t", Delete),
        ("delete from t where a = 1", Delete),
        ("delete a from t a join u on u.id = a.id", Delete),
        ("delete from t from t join u on u.id = t.id", Delete),
        ("delete from mydb.t from mydb.t join u on u.id = t.id", Delete),
        ("alter table t add a int, b float", AddColumns),
        ("alter table t drop column a, b", DropColumns),
        ("alter table t alter column a bigint", AlterColumn),
        ("alter table t add constraint pk_t primary key (a)", Nothing),
        ("create index i on t (a)", Nothing),
        ("create unique clustered index i on mydb.t (a, b)", Nothing),
        ("truncate table t", Truncate),
        ("exec sp_rename 'a', 'b'", Rename),
        ("execute dbo.sp_rename @objname = N'mydb.dbo.a', @newname = @b", Rename),
        ("exec sp_rename a, b, 'OBJECT'", Rename),
        ("set nocount on", Nothing),
    ],
)
def test_every_statement_that_casjobs_knows_is_read(text, kind):
    assert type(only(text)) is kind
    follower = read_batch(f"{text} select 1 as x")[-1]
    assert isinstance(follower, Select), "the statement behind it begins where it ends"


def test_the_parts_of_an_update_are_told_apart():
    statement = only("update a set a.x = b.x, y = 3 from mydb.t as a join u b on a.id = b.id where b.z > 1")
    assert isinstance(statement, Update)
    assert (statement.target, [name for name, _ in statement.changes]) == (TableName(("a",)), ["x", "y"])
    assert statement.source is not None
    assert len(statement.joins) == 1
    assert statement.where is not None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("exec xp_cmdshell 'ls'", "EXECUTE xp_cmdshell"),
        ("exec master.dbo.xp_cmdshell 'ls'", "xp_cmdshell"),
        ("exec sp_rename 't.a', 'b', 'COLUMN'", "renames tables"),
        ("exec sp_rename 'a'", "renames tables"),
        ("exec sp_rename 'a', 'b', 'OBJECT', 'd'", "renames tables"),
        ("exec other.sp_rename 'a', 'b'", "sp_rename"),
        ("if 1 = 1 exec xp_cmdshell 'ls'", "EXECUTE"),
        ("while 1 = 1 select 1 as x", "WHILE"),
        ("if 1 = 1 begin while 1 = 1 begin select 1 as x end end", "WHILE"),
        ("create procedure p as select 1", "PROCEDURE"),
        ("create view v as select 1 as x", "CREATE VIEW"),
        ("create or replace table t (a int)", "OR REPLACE"),
        ("create table t as select 1 as x", "CREATE TABLE"),
        ("drop database mydb", "DROP DATABASE"),
        ("drop table t cascade", "CASCADE"),
        ("grant select on t to bob", "GRANT"),
        ("backup database mydb to disk = 'x'", "BACKUP"),
        ("bulk insert t from '/etc/passwd'", "BULK"),
        ("copy t to '/tmp/x'", "COPY"),
        ("attach '/tmp/x' as y", "ATTACH"),
        ("pragma database_list", "PRAGMA"),
        ("shutdown", "SHUTDOWN"),
        ("waitfor delay '0:0:10'", "WAITFOR"),
        ("merge into t using u on t.a = u.a when matched then delete", "MERGE"),
        ("set rowcount 10", "SET ROWCOUNT"),
        ("insert into t output inserted.* values (1)", "OUTPUT"),
        ("update t set a = 1 output deleted.a where a = 1", "OUTPUT"),
        ("insert overwrite t select 1", "OVERWRITE"),
        ("delete top (5) from t", "TOP"),
        ("delete t where a = 1 order by a", "ORDER BY"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(text, word):
    with pytest.raises((BadQueryError, QuerySyntaxError), match=word):
        read_batch(text)


def test_a_batch_has_no_end_of_statements():
    with pytest.raises(QueryTooLargeError, match="number of statements"):
        read_batch("select 1 as x;" * 1001)


def test_go_parts_batches_as_tools_do():
    assert [statement.line for statement in read_batch("select 1 as x\nGO\nselect 2 as y\ngo")] == [1, 3]


def test_any_chain_of_assignments_is_read_or_refused_at_once():
    start = time.monotonic()
    for text in ("set @a " + "+= @a " * 5000, "select " + "@a += 1, " * 5000 + "@a += 1", "set @a += (" * 150):
        with contextlib.suppress(QuerySyntaxError, QueryTooLargeError):
            read_batch(text)
    assert time.monotonic() - start < 10
