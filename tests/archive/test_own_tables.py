"""Users find their own tables, and those shared with them, wherever a query names tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord

from skydex.archive import Archive, QueryRequest
from skydex.errors import DamagedDataError, SkydexError, StoreError, UnknownTableError
from skydex.tables import Column, Datatype, arrow_schema

COLUMNS = (Column("objid", Datatype.LONG), Column("ra", Datatype.DOUBLE), Column("dec", Datatype.DOUBLE))


@pytest.fixture
def archive(directory) -> Archive:
    opened = Archive.open(directory.path)
    for name in ("alice", "Bob"):
        opened.accounts.add(name, "correct horse")
    return opened


@pytest.fixture
def save(archive: Archive, objects: pa.Table) -> Callable[..., int]:
    """Make a table of the first ten objects."""
    rows = objects.slice(0, 10).select([0, 1, 2]).cast(arrow_schema(COLUMNS)).to_batches()
    return lambda owner, name: archive.mydb(owner).create(name, COLUMNS, rows)


def rows(archive: Archive, text: str, owner: str | None) -> list[dict]:
    return archive.query(QueryRequest(text, owner=owner)).to_arrow().to_pylist()


def count(archive: Archive, table: str, owner: str | None) -> int:
    (row,) = rows(archive, f"SELECT count(*) AS n FROM {table}", owner)
    return row["n"]


def refusal(archive: Archive, table: str, owner: str | None) -> str:
    with pytest.raises(SkydexError) as caught:
        count(archive, table, owner)
    return str(caught.value)


def test_a_table_of_ones_own_joins_with_a_catalogue(archive, save) -> None:
    assert save("alice", "Chosen") == 10
    text = "SELECT o.objid FROM mydb.chosen AS c JOIN demo.objects AS o ON o.objid = c.objid WHERE o.dec > -90"
    assert len(rows(archive, text, "alice")) == 10


def test_own_tables_are_pruned_and_cross_matched_by_their_positions(archive, save) -> None:
    save("alice", "chosen")
    plan = archive.plan(
        QueryRequest("SELECT * FROM mydb.chosen WHERE 1=CONTAINS(POINT(ra,dec),CIRCLE(200,0,1))", owner="alice")
    )
    assert next(iter(plan.scans.values())).selection.n_rows == 0
    text = (
        "SELECT count(*) AS n FROM mydb.chosen AS c JOIN demo.objects AS o "
        "ON DISTANCE(c.ra, c.dec, o.ra, o.dec) < 0.0001"
    )
    assert rows(archive, text, "alice") == [{"n": 10}]
    assert archive.plan(QueryRequest(text, owner="alice")).matches


def test_a_bare_name_is_a_published_table_before_it_is_ones_own(archive, save) -> None:
    save("alice", "objects")
    save("alice", "mine")
    assert count(archive, "objects", "alice") == 1000
    assert count(archive, "mine", "alice") == 10


def test_changes_are_seen_at_once(archive, save) -> None:
    save("alice", "t")
    assert count(archive, "mydb.t", "alice") == 10
    mydb = archive.mydb("alice")
    mydb.append(
        "t", COLUMNS, mydb.open("t").read(mydb.open("t").select(None).pieces[0], ["objid", "ra", "dec"]).to_batches()
    )
    assert count(archive, "mydb.t", "alice") == 20
    mydb.rename("t", "u")
    assert "mydb.u" in refusal(archive, "mydb.t", "alice")
    assert count(archive, "mydb.u", "alice") == 20
    mydb.drop("u")
    assert refusal(archive, "mydb.u", "alice").startswith('No table "mydb.u"')


@pytest.mark.parametrize("table", ["mydb.t", "alice.t", "ALICE.T", "TAP_SCHEMA.t"])
def test_what_is_not_ones_own_does_not_exist(archive, save, table: str) -> None:
    there = refusal(archive, table, "Bob")
    nobody = refusal(archive, table, None)
    save("alice", "t")
    assert refusal(archive, table, "Bob") == there
    assert refusal(archive, table, None) == nobody


def test_a_shared_table_is_found_under_its_owners_name_until_it_is_taken_back(archive, save) -> None:
    save("alice", "t")
    save("alice", "other")
    archive.mydb("alice").share("t", users=["BOB"])
    assert count(archive, "alice.t", "bob") == count(archive, "Alice.T", "bob") == 10
    assert count(archive, "alice.t", "alice") == 10
    assert "other" not in refusal(archive, "alice.othe", "bob")
    refusal(archive, "alice.other", "bob")
    refusal(archive, "alice.t", None)
    archive.mydb("alice").unshare("t", users=["bob"])
    refusal(archive, "alice.t", "bob")


def test_members_of_a_group_see_what_is_shared_with_it(archive, save) -> None:
    save("alice", "t")
    archive.accounts.add_group("hubble")
    archive.mydb("alice").share("t", groups=["Hubble"])
    refusal(archive, "alice.t", "bob")
    archive.accounts.join("hubble", "bob")
    assert count(archive, "alice.t", "bob") == 10


def test_a_new_table_of_an_old_name_is_not_shared(archive, save) -> None:
    save("alice", "t")
    archive.mydb("alice").share("t", users=["bob"])
    archive.mydb("alice").drop("t")
    save("alice", "t")
    refusal(archive, "alice.t", "bob")


def test_tap_schema_tells_each_user_of_her_own_tables(archive, save) -> None:
    save("alice", "t")
    save("bob", "theirs")
    text = "SELECT table_name FROM TAP_SCHEMA.tables WHERE table_name LIKE '%.t%' AND schema_name <> 'TAP_SCHEMA'"
    assert [row["table_name"] for row in rows(archive, text, "alice")] == ["mydb.t"]
    assert [row["table_name"] for row in rows(archive, text, "bob")] == ["mydb.theirs"]
    assert rows(archive, text, None) == []
    archive.mydb("bob").share("theirs", users=["alice"])
    assert [row["table_name"] for row in rows(archive, text, "alice")] == ["mydb.t", "Bob.theirs"]
    (column,) = rows(
        archive, "SELECT * FROM TAP_SCHEMA.columns WHERE table_name='mydb.t' AND column_name='ra'", "alice"
    )
    assert (column["datatype"], column["indexed"]) == ("double", 1)
    shown = {schema.name: [table.name for table in schema.tables] for schema in archive.view(owner="alice").schemas}
    assert (shown["mydb"], shown["Bob"]) == (["mydb.t"], ["Bob.theirs"])
    assert "demo" in shown
    assert "mydb" not in {schema.name for schema in archive.view().schemas}


def test_own_tables_are_there_beside_one_collection_too(archive, save) -> None:
    save("alice", "t")
    assert archive.namespace("demo", "alice").get("mydb.t").table.n_rows == 10
    with pytest.raises(UnknownTableError):
        archive.namespace("demo", "alice").get("other.notes")


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_r13_a_broken_table_of_one_user_harms_nobody_else_and_none_of_her_others(archive, save) -> None:
    for owner, name in (("alice", "broken"), ("alice", "sound"), ("bob", "t")):
        save(owner, name)
    archive.mydb("alice").share("broken", users=["bob"])
    home = archive.mydb("alice").path
    damage(next(home.glob("catalogs/mydb.broken/2*/manifest.json")))
    for owner in ("alice", "bob", None):
        assert count(archive, "demo.objects", owner) == 1000
        assert rows(archive, "SELECT count(*) AS n FROM TAP_SCHEMA.tables", owner)[0]["n"] > 5
    assert count(archive, "mydb.sound", "alice") == 10
    assert count(archive, "mydb.t", "bob") == 10
    for owner, table in (("alice", "mydb.broken"), ("bob", "alice.broken")):
        with pytest.raises(DamagedDataError):
            count(archive, table, owner)
    archive.mydb("alice").drop("broken")
    refusal(archive, "mydb.broken", "alice")


def test_r13_a_broken_list_of_one_user_harms_nobody_else(archive, save) -> None:
    save("alice", "t")
    save("bob", "t")
    archive.mydb("alice").share("t", users=["bob"])
    (archive.mydb("alice").path / "archive.json").write_text("{")
    for owner in ("alice", "bob"):
        assert count(archive, "demo.objects", owner) == 1000
    assert count(archive, "mydb.t", "bob") == 10
    assert refusal(archive, "alice.t", "bob").startswith('No table "alice.t"')
    with pytest.raises(StoreError) as caught:
        count(archive, "mydb.t", "alice")
    assert "json" not in str(caught.value)


def scattered(n: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    return pa.table([np.arange(n) + 1_000_000 * seed, rng.uniform(0, 360, n), dec], schema=arrow_schema(COLUMNS))


@pytest.mark.parametrize("sizes", [(300, 20, 1), (20_000, 5000, 3000, 1, 1), (250_000, 30_000)])
def test_rows_that_were_appended_are_found_like_those_that_were_there(archive, sizes) -> None:
    mydb = archive.mydb("alice")
    lots = [scattered(size, seed) for seed, size in enumerate(sizes)]
    mydb.create("t", COLUMNS, lots[0].to_batches())
    for lot in lots[1:]:
        mydb.append("t", COLUMNS, lot.to_batches())
    assert len(mydb.open("t").partitions) > 1
    every = SkyCoord(*(pa.concat_tables(lots)[name].to_numpy() for name in ("ra", "dec")), unit="deg")
    for ra, dec, radius in ((0, 0, 5), (359.9, 89, 3), (120, -45, 20), (10, 10, 0.5)):
        expected = np.count_nonzero(every.separation(SkyCoord(ra, dec, unit="deg")).deg <= radius)
        assert (
            count(archive, f"mydb.t WHERE 1=CONTAINS(POINT(ra,dec),CIRCLE({ra},{dec},{radius}))", "alice") == expected
        )
    mydb.create("u", COLUMNS, lots[-1].to_batches())
    near = "mydb.u AS u JOIN mydb.t AS t ON DISTANCE(u.ra, u.dec, t.ra, t.dec) < 0.00001"
    assert count(archive, near, "alice") == sizes[-1]
