"""Batches of T-SQL: statements one after another, as users of CasJobs write them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from skydex.archive import Archive, BatchRequest, Deadline
from skydex.errors import (
    BadQueryError,
    QueryTooLargeError,
    QuotaError,
    RequestError,
    SkydexError,
    TableChangedError,
    TableExistsError,
    TemporaryTablesError,
    TimeLimitError,
    UnknownColumnError,
    UnknownContextError,
    UnknownTableError,
)
from skydex.settings import Settings
from skydex.store import ArchiveDirectory

CONTEXTS = """
[[casjobs]]
context = "Demo"
aliases = ["DemoOld"]
schemas = { dbo = ["demo"] }
functions = [
    { name = "SearchObjects", table = "demo.objects", columns = ["objid"], unit = "arcsec" },
    { name = "fGetNearbyObjEq", table = "demo.objects", columns = ["objid"], distance = "distance" },
    { name = "fGetNearestObjEq", table = "demo.objects", columns = ["objid"], distance = "distance", nearest = true },
]

[[casjobs]]
context = "Other"
schemas = { dbo = ["other"] }
"""


@pytest.fixture
def house(directory: ArchiveDirectory) -> Archive:
    (directory.path / "services.toml").write_text(CONTEXTS, encoding="utf-8")
    opened = Archive.open(directory.path)
    for name in ("alice", "bob"):
        opened.accounts.add(name, "correct horse")
    return opened


@pytest.fixture
def run(house: Archive):
    """Carry out a batch of alice, and give its rows as tuples."""

    def run(text: str, context: str = "MYDB", owner: str | None = "alice", **more) -> list[tuple]:
        with house.query(BatchRequest(text, context, owner, **more)) as result:
            rows = result.to_arrow()
        return [tuple(row.values()) for row in rows.to_pylist()] if rows.num_columns else []

    return run


# --- queries ---


@pytest.mark.parametrize(
    "text",
    [
        f"DECLARE @x float({'9' * 5000})",
        "DECLARE @x float(\u00b2)",
        "DECLARE @x float(max)",
        "DECLARE @x varchar(\u0664)",
        f"CREATE TABLE t (a decimal({'9' * 5000}, 2))",
        "DECLARE @x float = 1e999",
        "DECLARE @x float = 1e308 SET @x = @x * 10 SELECT @x AS x",
        "DECLARE @x float = 'nan' SELECT @x + 1 AS x",
        "DECLARE @x float = CAST('nan' AS float)",
        "SELECT 1 + 'inf' AS x",
        "SELECT CAST('-Infinity' AS float) AS x",
        "SELECT 1 + '1_000' AS x",
        "SELECT 1 + '\u0663' AS x",
        "SELECT 1 + '1e999' AS x",
    ],
)
def test_r07_sizes_and_numbers_that_are_none_are_refused(run, text):
    with pytest.raises(RequestError):
        run(text)


def test_a_bare_name_is_looked_up_in_the_context(run):
    assert run("select count(*) as n from objects", "Demo") == [(1000,)]
    assert run("select count(*) as n from dbo.objects", "demoold") == [(1000,)]


@pytest.mark.parametrize("name", ["Demo.dbo.objects", "demo..objects", "[Demo].[dbo].[objects]"])
def test_a_table_of_another_context_is_named_with_it(run, name):
    assert run(f"select count(*) as n from {name}", "Other") == [(1000,)]
    assert run(f"select count(*) as n from {name}") == [(1000,)]


@pytest.mark.parametrize("name", ["objects", "dbo.Objects"])
def test_a_table_that_another_context_has_is_told_with_it(run, name):
    with pytest.raises(UnknownTableError, match=r"in the context Demo: choose that, or write Demo\.dbo\.[oO]bjects\."):
        run(f"select top 1 * from {name}", "Other")
    with pytest.raises(UnknownTableError, match="in the context Demo"):
        run(f"select top 1 * from {name}")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("while 1 = 1 select 1 as a", "one query"),
        ("exec sp_help 'a'", "sp_help is no .* no stored procedures"),
    ],
)
def test_a_statement_that_is_not_offered_says_what_to_do_instead(run, text, instead):
    with pytest.raises(BadQueryError, match=instead):
        run(text)


def test_a_context_that_is_not_there_is_told(run):
    with pytest.raises(UnknownContextError, match="Demo"):
        run("select 1 as x", "Demos")


def test_the_last_select_is_the_answer(run):
    assert run("select 1 as x; select 2 as y; declare @a int") == [(2,)]
    assert run("select 1 as x; select 2 as y") == [(2,)]


def test_rows_shown_are_limited_and_say_so(house):
    result = house.query(BatchRequest("select objid from objects", "Demo", None, max_rows=10))
    assert result.to_arrow().num_rows == 10
    assert result.overflow


# --- variables ---


def test_variables_are_values_wherever_an_expression_may_stand(run):
    text = "declare @n int = 3, @low float; set @low = 2.5 * 4 select top (@n) objid - @n as x from objects"
    text += " where ra >= @low"
    assert len(run(text, "Demo")) == 3
    assert run("declare @a int = 7 select @a / 2 as half") == [(3,)], "an integer stays one"
    assert run("declare @a float = 7 select @a / 2 as half") == [(3.5,)]
    assert run("declare @a varchar(10) = 'it''s' select @a as t") == [("it's",)]
    assert run("declare @a int = -4 select 5 - @a as x") == [(9,)]
    assert run("declare @a int select case when @a is null then 8 end as x") == [(8,)]


def test_variables_become_what_queries_give(run):
    assert run("declare @n int set @n = (select count(*) from objects) select @n as n", "Demo") == [(1000,)]
    text = "declare @a bigint, @b float select @a = max(objid), @b = 1.5 from objects select @a as a, @b as b"
    assert run(text, "Demo") == [(10**18 + 999, 1.5)]
    assert run("declare @a int = 4 select @a = objid from objects where 1 = 0 select @a as a", "Demo") == [(4,)]


def test_a_variable_that_is_not_declared_is_told(run):
    with pytest.raises(BadQueryError, match="@r is not declared"):
        run("select @r as r")


# --- tables of one's own ---


def test_into_makes_a_table_and_says_how_many_rows(run, house):
    result = house.query(BatchRequest("select top 5 objid, mag into mydb.t from objects", "Demo", "alice"))
    assert result.rows_affected == 5
    assert result.to_arrow().to_pydict() == {"Rows Affected": [5]}
    assert run("select count(*) as n from t") == [(5,)]
    assert run("select count(*) as n from mydb.t a join objects b on a.objid = b.objid", "Demo") == [(5,)]


def test_a_table_that_is_there_is_not_overwritten(run):
    run("select 1 as x into mydb.t")
    with pytest.raises(TableExistsError, match="There is already an object named 't' in the database"):
        run("select 2 as x into mydb.t")
    assert run("drop table if exists t select 2 as x into t select x from t") == [(2,)]


def test_columns_of_a_table_have_names_and_different_ones(run):
    with pytest.raises(BadQueryError, match=r"Column 2 .* has no name"):
        run("select objid, mag + 1 into mydb.t from objects", "Demo")
    with pytest.raises(BadQueryError, match="unique: objID is specified more than once"):
        run("select objid, objid as objID into mydb.t from objects", "Demo")
    with pytest.raises(UnknownTableError):
        run("select * from t")


def test_tables_are_made_in_mydb_only(run):
    for target in ("t", "dbo.t", "Demo.dbo.t", "bob.t"):
        with pytest.raises(BadQueryError, match="in MyDB only"):
            run(f"select 1 as x into {target}", "Demo")


def test_nobody_keeps_no_tables(run):
    with pytest.raises(BadQueryError, match="account"):
        run("select 1 as x into mydb.t", owner=None)
    with pytest.raises(UnknownTableError):
        run("select * from mydb.t", owner=None)


def test_others_neither_see_nor_touch_ones_tables(run):
    run("select 1 as x into t")
    with pytest.raises(UnknownTableError) as unseen:
        run("select * from alice.t", owner="bob")
    with pytest.raises(UnknownTableError) as absent:
        run("select * from alice.u", owner="bob")
    assert str(unseen.value).replace("alice.t", "alice.u") == str(absent.value)
    for text in ("drop table alice.t", "delete alice.t", "insert into alice.t values (1)", "drop table mydb.t"):
        with pytest.raises(RequestError):
            run(text, owner="bob")
    assert run("select x from t") == [(1,)]


def test_statements_before_an_error_stay_and_the_error_names_its_own(run):
    with pytest.raises(UnknownColumnError, match=r"Statement 2: .*nothing.*line 2"):
        run("select 1 as x into t\nselect nothing as y into u from t\nselect 3 as z into v")
    assert run("select table_name from information_schema.tables") == [("t",)]


def test_a_job_that_begins_anew_does_nothing_twice(run):
    text = (
        "create table t (a int) insert into t values (1), (2) update t set a = a + 10 where a = 1 "
        "select a into u from t drop table t"
    )
    first = run(text, origin="job1")
    assert run(text, origin="job1") == first
    assert sorted(run("select a from u")) == [(2,), (11,)]


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ("", "drop table if exists t; select 1 as a into t", [(1,)]),
        ("create table t (a int)", "delete t; insert t values (1)", [(1,)]),
        ("create table t (a int)", "update t set a = 2; insert t values (1)", [(1,)]),
        ("create table t (a int)", "insert t select a + 1 from t; insert t values (1)", [(1,)]),
    ],
)
def test_what_found_nothing_to_do_finds_nothing_when_the_job_begins_anew(run, before, text, after):
    if before:
        run(before)
    for _ in range(2):
        run(text, origin="job1")
    assert run("select a from t") == after


@pytest.mark.parametrize(
    "text",
    [
        "exec sp_rename 't', 'u'",
        "EXECUTE sp_rename 'mydb.dbo.T', 'u'",
        "declare @new varchar(9) = 'u' exec sp_rename @newname = @new, @objname = N'[mydb].[dbo].[t]'",
        "exec sp_rename t, u; select a into t from u; drop table t",
    ],
)
def test_a_table_is_renamed_once(run, text):
    run("select 1 as a into t")
    for _ in range(2):
        run(text, origin="job1")
    assert run("select table_name from information_schema.tables") == [("u",)]


def test_only_ones_own_tables_are_renamed_and_to_names_that_are_free(run, house):
    run("select 1 as a into t; select 2 as b into u")
    run("select 1 as a into b", owner="bob")
    house.mydb("bob").share("b", users=("alice",))
    with pytest.raises(TableExistsError):
        run("exec sp_rename 't', 'U'")
    with pytest.raises(UnknownTableError):
        run("exec sp_rename 'v', 'w'")
    for old in ("bob.b", "demo.objects", "#x"):
        with pytest.raises(BadQueryError, match="MyDB"):
            run(f"exec sp_rename '{old}', 'w'")
    for new in ("mydb.dbo.w", "", "../w"):
        with pytest.raises(RequestError, match="cannot be the name"):
            run(f"exec sp_rename 't', '{new}'")
    with pytest.raises(BadQueryError, match="log in"):
        run("exec sp_rename 't', 'w'", owner=None)


def test_information_schema_lists_the_tables_of_a_database(run):
    run("select 1 as x into b select 2.5 as y, 'text' as z into a")
    assert run("SELECT Distinct TABLE_NAME FROM information_schema.TABLES order by table_name") == [("a",), ("b",)]
    assert run("select table_name from information_schema.tables", "Demo") == [("objects",)]
    columns = "select column_name, data_type from information_schema.columns where table_name = 'a' order by 1"
    assert run(columns) == [("y", "float"), ("z", "varchar")]


# --- temporary tables ---


def test_temporary_tables_live_in_their_batch(run):
    text = "select top 5 objid into #t from objects select count(*) as n from #t a join objects b on a.objid = b.objid"
    assert run(text, "Demo") == [(5,)]
    with pytest.raises(UnknownTableError):
        run("select * from #t", "Demo")


def test_table_variables_are_tables(run):
    text = "declare @t table (id int, name varchar(10)) insert into @t values (1, 'a'), (2, null)"
    assert run(f"{text} select name from @t where id = 1") == [("a",)]


def test_temporary_tables_have_a_limit(directory):
    settings = replace(Settings(), query_memory_mb=256)
    house = Archive.open(directory.path, settings)
    text = "select a.ra into #t from demo.dbo.objects a cross join demo.dbo.objects b cross join demo.dbo.objects c"
    (directory.path / "services.toml").write_text(CONTEXTS, encoding="utf-8")
    with pytest.raises(TemporaryTablesError, match="128 MB"):
        house.query(BatchRequest(text, "Demo", None)).to_arrow()


# --- statements that change tables ---


@pytest.mark.parametrize("t", ["t", "#t"])
def test_a_table_is_made_filled_changed_and_dropped(run, t):
    text = f"""
    create table {t} (id bigint primary key, name varchar(20) not null, x float null)
    insert into {t} values (1, 'one', 1.5), (2, 'two', 2 * 2), (3, 'three', null)
    insert into {t} (name, id) select 'o' + cast(objid - 1000000000000000000 as varchar(5)), 4 from demo.dbo.objects
        where objid = 1000000000000000000
    update {t} set x = id * 10, name = name + '!' where x is null
    delete from {t} where id = 2
    alter table {t} add y int
    update {t} set y = 7 where id >= 3
    select id, name, x, y from {t} order by id
    """
    assert run(text) == [(1, "one", 1.5, None), (3, "three!", 30.0, 7), (4, "o0!", 40.0, 7)]


def test_rows_affected_are_counted(run):
    text = "create table t (a int) insert t values (1), (2), (3) update t set a = 0 where a > 1 delete t where a = 1"
    assert run(text) == [(6,)]


@pytest.mark.parametrize(
    "text",
    [
        "update t set y = b.mag from t join demo.dbo.objects b on b.objid = t.objid",
        "update a set a.y = b.mag from mydb.t a, demo.dbo.objects b where b.objid = a.objid",
        "update t set y = b.mag from demo.dbo.objects b where b.objid = t.objid",
        "update t set y = (select max(mag) from demo.dbo.objects b where b.objid = t.objid)",
    ],
)
def test_update_takes_values_from_other_tables(run, text, objects):
    run("select top 3 objid, ra as y into t from demo.dbo.objects order by objid")
    assert run(text) == [(3,)]
    assert [y for (y,) in run("select y from t order by objid")] == objects["mag"].to_pylist()[:3]


@pytest.mark.parametrize(
    "text",
    [
        "delete a from t a join u on u.x = a.x",
        "delete from t where x in (select x from u)",
        "delete from t from t join u on u.x = t.x",
        "with w as (select x from u) delete t from t join w on w.x = t.x",
    ],
)
def test_delete_finds_its_rows_with_other_tables(run, text):
    run("create table t (x int) create table u (x int) insert t values (1), (2), (3) insert u values (2), (2), (3)")
    assert run(text) == [(2,)]
    assert run("select x from t") == [(1,)]


def test_values_become_what_their_column_is(run):
    run("create table t (a int, b varchar(9), c float, d bit, e datetime)")
    run("insert t values (2.9, 7, ' 1.5 ', 3, '2020-01-02')")
    ((a, b, c, d, e),) = run("select a, b, c, d, e from t")
    assert (a, b, c, bool(d), str(e)) == (2, "7", 1.5, True, "2020-01-02 00:00:00")
    with pytest.raises(BadQueryError, match="column a cannot be converted to int"):
        run("insert into t (a) values ('many')")
    with pytest.raises(BadQueryError, match="column a cannot be converted to int"):
        run("insert into t (a) values (3000000000)")
    assert run("select count(*) as n from t") == [(1,)]


def test_columns_are_added_dropped_and_changed(run):
    run("select 1 as a, 2.7 as b into t alter table t add c varchar(5) alter table t alter column b int")
    assert run("select * from t") == [(1, 2, None)]
    run("alter table t drop column a, c")
    assert run("select * from t") == [(2,)]
    with pytest.raises(UnknownColumnError):
        run("alter table t drop column zz")


def test_an_identity_counts_within_its_batch(run):
    text = "create table #t (id int identity(1,1), a varchar(3)) insert #t values ('x'), ('y') insert #t values ('z')"
    assert run(f"{text} select * from #t") == [(1, "x"), (2, "y"), (3, "z")]


def test_an_identity_goes_on_counting_in_later_batches(run):
    run("create table t (id int identity(1,1) primary key, a varchar(3))")
    run("insert into t (a) values ('x'), ('y')")
    run("insert t select 'z' as a")
    run("delete from t where a = 'y'")
    run("insert into t values ('w')")
    assert run("select id, a from t order by id") == [(1, "x"), (3, "z"), (4, "w")]
    run("create table u (a int, id int identity(100, 1)) insert u values (7), (8)")
    assert run("select id, a from u order by id") == [(100, 7), (101, 8)]
    with pytest.raises(BadQueryError, match="counts by one"):
        run("create table w (id int identity(1, 10))")


def test_an_identity_counts_once_where_several_insert_at_once(run):
    run("create table t (id int identity(1,1), a int)")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda a: run(f"insert t values ({a})"), range(8)))
    assert run("select count(*) n, count(distinct id) d, max(id) m from t") == [(8, 8, 8)]


def test_defaults_are_put_where_a_row_says_nothing(run):
    run("create table t (id int, flag int not null default 7, note varchar(9) default ('none'), z float default -1.5)")
    run("insert into t (id) values (1)")
    run("insert into t (id, flag, z) values (2, 3, null)")
    run("insert into t (id, note) select 3, 'x'")
    assert run("select id, flag, note, z from t order by id") == [
        (1, 7, "none", -1.5),
        (2, 3, "none", None),
        (3, 7, "x", -1.5),
    ]
    assert run("create table #t (a int, b int default 4) insert #t (a) values (1) select * from #t") == [(1, 4)]
    run("alter table t drop column note")
    run("insert into t (id) values (4)")
    assert run("select * from t where id = 4") == [(4, 7, -1.5)]
    with pytest.raises(BadQueryError, match="DEFAULT is a value"):
        run("create table w (id int, made datetime default getdate())")


def test_columns_that_are_added_have_the_values_that_transact_sql_gives_them(run):
    run("select top 3 objid into mydb.t from objects", "Demo")
    run("alter table t add flag int not null default 5, note varchar(5) default 'x', id int identity(1,1)")
    assert sorted(row[1:3] for row in run("select objid, flag, note, id from t")) == [(5, None)] * 3
    assert sorted(run("select id from t")) == [(1,), (2,), (3,)]
    run("insert into t (objid) values (-9)")
    assert run("select * from t where objid = -9") == [(-9, 5, "x", 4)]


def test_truncate_leaves_an_empty_table(run):
    assert run("select 1 as a into t truncate table t select count(*) as n from t") == [(0,)]


def test_indices_and_options_are_hints(run):
    assert run("set nocount on select 1 as a into t create index i on t (a) select a from t") == [(1,)]
    with pytest.raises(UnknownTableError):
        run("create index i on nothing (a)")


# --- table functions ---


def near(objects, ra, dec, radius_deg):
    ras, decs = (np.radians(objects[name].to_numpy()) for name in ("ra", "dec"))
    ra, dec = np.radians(ra), np.radians(dec)
    chord = np.sin((decs - dec) / 2) ** 2 + np.cos(dec) * np.cos(decs) * np.sin((ras - ra) / 2) ** 2
    distance = np.degrees(2 * np.arcsin(np.sqrt(chord)))
    found = distance <= radius_deg
    return dict(zip(objects["objid"].to_numpy()[found].tolist(), distance[found].tolist(), strict=True))


def test_a_table_function_is_a_cone_search(run, objects):
    expected = near(objects, 10.5, 20.5, 0.1)
    assert len(expected) > 5
    text = "select s.objid, o.mag from SearchObjects(10.5, 20.5, 360.0) s join objects o on o.objid = s.objid"
    assert {row[0] for row in run(text, "Demo")} == set(expected)
    text = "declare @ra float = 10.5, @r float = 6 select * from dbo.fGetNearbyObjEq(@ra, 41 / 2.0, @r)"
    found = dict(run(text, "Demo"))
    assert found.keys() == expected.keys()
    assert all(abs(found[key] / 60 - expected[key]) < 1e-9 for key in found)


def test_the_nearest_is_one(run, objects):
    expected = near(objects, 10.5, 20.5, 0.1)
    assert [row[0] for row in run("select objid from fGetNearestObjEq(10.5, 20.5, 6) n", "Demo")] == [
        min(expected, key=expected.__getitem__)
    ]


POSITIONS = """
create table #p (id int, ra float, dec float)
insert #p values (1, 10.5, 20.5), (2, 10.2, 20.8), (3, 50.0, 60.0), (4, 10.5, 20.5), (5, null, 1.0)
"""


def test_apply_searches_around_every_row(run, objects):
    found = run(POSITIONS + "select p.id, n.* from #p p cross apply fGetNearbyObjEq(p.ra, p.dec, 3) n", "Demo")
    for key, ra, dec in ((1, 10.5, 20.5), (2, 10.2, 20.8), (3, 50.0, 60.0), (4, 10.5, 20.5)):
        expected = near(objects, ra, dec, 0.05)
        assert {row[1] for row in found if row[0] == key} == set(expected)
    assert all(len(row) == 3 for row in found), "* shows the columns of the function alone"


def test_outer_apply_keeps_rows_without_neighbours(run, objects):
    text = (
        "select p.id, n.objid from #p p outer apply dbo.fGetNearestObjEq(p.ra, p.dec, 60 * p.ra / p.ra) n order by p.id"
    )
    found = run(POSITIONS + text, "Demo")
    nearest = [near(objects, ra, dec, 1.0) for ra, dec in ((10.5, 20.5), (10.2, 20.8))]
    first, second = (min(one, key=one.__getitem__) for one in nearest)
    assert found == [(1, first), (2, second), (3, None), (4, first), (5, None)]


def test_apply_takes_a_query_with_a_table_function_around_the_row(run, objects):
    text = """select p.id, b.objid from #p p {apply} apply (
        select top 1 n.objid, n.distance from dbo.fGetNearbyObjEq(p.ra, p.dec, 6) n
        join objects o on o.objid = n.objid where o.mag > 0 order by n.distance) b order by p.id"""
    same = "select p.id, n.objid from #p p outer apply fGetNearestObjEq(p.ra, p.dec, 6) n order by p.id"
    expected = run(POSITIONS + same, "Demo")
    assert len([found for _, found in expected if found]) == 3
    assert run(POSITIONS + text.format(apply="outer"), "Demo") == expected
    assert run(POSITIONS + text.format(apply="cross"), "Demo") == [row for row in expected if row[1]]
    text = """select a.id, b.n from (select top 3 id, ra, dec from #p order by id) a
        cross apply (select count(*) as n from fGetNearbyObjEq(a.ra, a.dec, 6) f) b order by a.id"""
    counts = [len(near(objects, ra, dec, 0.1)) for ra, dec in ((10.5, 20.5), (10.2, 20.8))]
    assert run(POSITIONS + text, "Demo") == [(1, counts[0]), (2, counts[1]), (3, 0)]
    with pytest.raises(BadQueryError, match=r"name their tables, as in p\.ra"):
        run(
            POSITIONS + "select * from #p p cross apply (select top 1 objid from fGetNearbyObjEq(ra, dec, 6)) b", "Demo"
        )


def test_apply_reads_only_what_where_leaves(run):
    text = (
        "select count(*) as n from #p p cross apply fGetNearbyObjEq(p.ra, p.dec, 600) n where p.id = 3 and n.objid > 0"
    )
    assert run(POSITIONS + text, "Demo") == [(0,)]


def test_wrong_calls_of_table_functions_are_told(run):
    with pytest.raises(RequestError, match=r"fGetNearbyObjEq"):
        run("select * from fGetNearbyObj(1, 2, 3) n", "Demo")
    with pytest.raises(BadQueryError, match="3 arguments, not 2"):
        run("select * from fGetNearbyObjEq(1, 2) n", "Demo")
    with pytest.raises(BadQueryError, match="CROSS APPLY"):
        run("select * from objects o join fGetNearbyObjEq(o.ra, o.dec, 1) n on 1 = 1", "Demo")
    with pytest.raises(SkydexError):
        run("select * from fGetNearbyObjEq(1, 200, 3) n", "Demo")
    with pytest.raises(RequestError):
        run("select * from fGetNearbyObjEq(1, 2, 3) n", "Other")


# --- names ---


@pytest.mark.parametrize(
    "text",
    [
        "select mydb.t.x from mydb.t where mydb.dbo.t.x > 0",
        "select MyDB.dbo.T.x from mydb..t",
        "select t.X from [mydb].[t]",
        "select x into ##g from t select ##g.x from ##g",
        "select x into #g from t select #g.x from #g join t on t.x = #g.x",
    ],
)
def test_names_may_be_written_with_all_their_parts(run, text):
    run("select 5 as x into t")
    assert run(text) == [(5,)]


def test_the_changed_table_may_be_meant_by_its_name_though_from_calls_it_otherwise(run):
    run("select 5 as x into t select 7 as x into u")
    assert run("update mydb.t set x = b.x from mydb.t a, u b") == [(1,)]
    assert run("select x from t") == [(7,)]
    with pytest.raises(BadQueryError, match="more than once"):
        run("delete t from t a join t b on a.x = b.x")


def test_an_error_in_rows_still_to_come_names_its_statement(run):
    with pytest.raises(RequestError, match=r"^Statement 2"):
        run("declare @a int\nselect cast(remark as int) as x from objects", "Demo")


def test_a_function_over_a_table_that_is_private_does_not_exist(house, run):
    (house._directory.path / "services.toml").write_text(
        CONTEXTS + '[[private]]\nschema = "demo"\nusers = ["bob"]\n', encoding="utf-8"
    )
    again = Archive.open(house._directory.path)
    text = "select * from fGetNearbyObjEq(10.5, 20.5, 6) n"
    with pytest.raises(RequestError, match=r"No (function|context)") as caught:
        again.query(BatchRequest(text, "Demo", "alice")).to_arrow()
    assert "objects" not in str(caught.value)
    assert again.query(BatchRequest(text, "Demo", "bob")).to_arrow().num_rows > 0


def test_functions_stand_wherever_from_may(run, objects):
    expected = len(near(objects, 10.5, 20.5, 0.1))
    for text in (
        "select count(*) as n from objects o, dbo.fGetNearbyObjEq(10.5, 20.5, 6) n where o.objid = n.objid",
        "select count(*) as n from objects where objid in (select objid from fGetNearbyObjEq(10.5, 20.5, 6))",
        "with c as (select * from Demo.dbo.fGetNearbyObjEq(10.5, 20.5, 6) x) select count(*) as n from c",
        "with c as (select 10.5 as a, 20.5 as b) select count(*) as n from c cross apply fGetNearbyObjEq(a, b, 6) x",
        "select count(*) as n from (values (10.5, 20.5)) c(a, b) cross apply Demo.dbo.fGetNearbyObjEq(a, b, 6) x",
    ):
        assert run(text, "Demo") == [(expected,)], text


# --- limits ---


def test_the_deadline_is_that_of_the_whole_batch(house):
    text = "create table #t (a float) " + "insert #t select a.objid from objects a, objects b " * 400
    start = time.monotonic()
    with pytest.raises(TimeLimitError):
        house.query(BatchRequest(text, "Demo", None), Deadline.after(1.0)).to_arrow()
    assert time.monotonic() - start < 5


def test_a_quota_names_itself_and_leaves_no_table(house, run):
    house.accounts.set_quota("alice", tables=1)
    run("select 1 as x into a")
    with pytest.raises(QuotaError, match=r"Statement 2.*limit is 1 tables"):
        run("update a set x = 2 select 1 as x into b")
    assert run("select table_name from information_schema.tables") == [("a",)]
    assert run("select x from a") == [(2,)], "what came before stays"


# --- what is written otherwise ---


def test_assignments_may_compute_with_the_value_that_was(run):
    assert run("declare @a int = 5, @b int = 2 set @a += 1 + 1 set @a *= @b + 1 select @a -= 1 select @a as a") == [
        (20,)
    ]
    text = (
        "create table t (a int, b int) insert t values (1, 10), (2, 20) update t set t.a += 2 * 3, b %= 6 where a = 1"
    )
    assert run(f"{text} select a, b from t order by b") == [(7, 4), (2, 20)]


def test_rows_of_the_statement_before_are_a_variable(run):
    assert run("create table #t (a int) insert #t values (1), (2) select @@rowcount as n") == [(2,)]
    with pytest.raises(BadQueryError, match="@@error is not offered"):
        run("select @@error as n")


def test_numbers_of_rows_may_be_computed(run):
    text = "declare @n int = 2 select objid - 1000000000000000000 as i from objects order by objid "
    assert run(text + "offset @n rows fetch next (@n + 1) rows only", "Demo") == [(2,), (3,), (4,)]


def test_changes_may_be_taken_from_table_functions(run, objects):
    text = "update p set id = n.objid from #p p cross apply fGetNearestObjEq(p.ra, p.dec, 60) n select ra, id from #p"
    expected = near(objects, 10.5, 20.5, 1.0)
    found = run(POSITIONS.replace("id int", "id bigint") + text, "Demo")
    assert [row[1] for row in found if row[0] == 10.5] == [min(expected, key=expected.__getitem__)] * 2
    assert (50.0, 3) in found
    text = "delete p from #p p cross apply fGetNearbyObjEq(p.ra, p.dec, 3) n select id from #p order by id"
    assert run(POSITIONS + text, "Demo") == [(3,), (5,)]


def test_arguments_that_are_computed_have_the_meaning_of_t_sql(run, objects):
    assert run("select count(*) as n from fGetNearbyObjEq(10.5, 20.5, 11 / 2) n", "Demo") == [
        (len(near(objects, 10.5, 20.5, 5 / 60)),)
    ]


@pytest.mark.parametrize(
    "left",
    [
        "from (select top 50 * from objects) o",
        "from (select top 50 * from objects where mag > 1 order by newid()) o",
        "from o",
    ],
)
def test_rows_that_top_chooses_are_the_same_for_apply(run, left):
    with_ = "with o as (select top 50 * from objects) " if left == "from o" else ""
    text = f"{with_}select count(distinct o.objid) as n {left} cross apply fGetNearestObjEq(o.ra, o.dec, 1) n"
    assert run(text, "Demo") == [(50,)]


def test_a_query_is_applied_beside_a_function(run):
    text = """select o.objid, n.objid, q.m from (select top 3 * from objects order by objid) o
    cross apply fGetNearestObjEq(o.ra, o.dec, 1) n
    cross apply (select m = max(mag) from (select top 1 mag from objects b where b.objid = o.objid) c) q
    order by 1"""
    found = run(text, "Demo")
    assert [row[0] for row in found] == [10**18, 10**18 + 1, 10**18 + 2]
    assert all(len(row) >= 2 for row in found)


def test_no_change_is_lost_when_two_change_a_table_at_once(run):
    run("create table t (x int) insert t values (0)")

    def change(_: int) -> int:
        try:
            run("update t set x = x + 1")
        except TableChangedError:
            return 0
        return 1

    with ThreadPoolExecutor(3) as pool:
        n_done = sum(pool.map(change, range(12)))
    assert run("select x from t") == [(n_done,)]


def test_a_damaged_table_is_listed_and_harms_no_other(house, run):
    run("select 1 as x into a select 2 as y into b")
    (file,) = [path for path in house.mydb("alice").path.rglob("*.parquet") if ".a" in str(path)][:1]
    file.write_bytes(b"no parquet")
    again = Archive.open(house._directory.path)

    def ask(text: str) -> list[dict]:
        return again.query(BatchRequest(text, "MYDB", "alice")).to_arrow().to_pylist()

    assert ask("select table_name as t from information_schema.tables order by 1") == [{"t": "a"}, {"t": "b"}]
    assert {"t": "y"} in ask("select column_name as t from information_schema.columns")
    assert ask("select y from b") == [{"y": 2}]
    with pytest.raises(SkydexError):
        ask("select x from a")
    assert ask("drop table a select table_name as t from information_schema.tables") == [{"t": "b"}]


def test_texts_of_variables_are_as_long_as_declared_and_never_endless(run):
    assert run("declare @s varchar(3) = 'abcdef' select @s as s") == [("abc",)]
    with pytest.raises(QueryTooLargeError, match="text in @s"):
        run("declare @s varchar(max) = 'x' " + "set @s += @s " * 40)
