"""What users keep is what they put there, under their names and within their quota."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from skydex.errors import (
    BadParameterError,
    BadQueryError,
    QuotaError,
    TableChangedError,
    TableExistsError,
    UnknownColumnError,
    UnknownTableError,
)
from skydex.mydb import MyDB, Quota
from skydex.sky import Cone, ranges29
from skydex.store import verify
from skydex.tables import Column, Datatype, Position, arrow_schema


def files_of(mydb: MyDB, name: str) -> list[str]:
    dataset = mydb.open(name)
    return [partition.file for partition in dataset.partitions]


def leftovers(mydb: MyDB) -> list[str]:
    """What lies in the directory beside published tables."""
    listed = {entry.location for entry in mydb._shelf.store.tables()}
    versions = {path.relative_to(mydb.path).as_posix() for path in mydb.path.glob("catalogs/*/2*")}
    return [*(versions - listed), *(path.name for path in (mydb.path / "staging").glob("*"))]


def test_there_is_nothing_at_first(mydb):
    assert mydb.tables() == ()
    assert mydb.revision == ""
    assert not mydb.path.exists()
    with pytest.raises(UnknownTableError, match=r'No table "mydb.t"'):
        mydb.open("t")


def test_a_table_keeps_rows_types_units_and_descriptions(mydb, rows, read):
    batches = rows(2500)
    assert mydb.create("Stars", rows.columns, batches, description="Some stars") == 2500
    assert read(mydb, "stars").equals(pa.Table.from_batches(batches))
    (table,) = mydb.tables()
    assert (table.name, table.n_rows, table.description) == ("Stars", 2500, "Some stars")
    assert 10_000 < table.n_bytes < 200_000
    described = mydb.describe("STARS")
    assert described.name == "mydb.Stars"
    assert [(c.name, c.datatype, c.unit, c.ucd) for c in described.columns] == [
        (c.name, c.datatype, c.unit, c.ucd) for c in rows.columns
    ]
    assert described.columns[-1].arraysize == "8*", "the length of the longest text"
    assert verify(mydb.open("stars")) == []


def test_what_is_said_of_a_table_cannot_be_large(mydb, rows, read):
    long = "x" * 1_000_000
    columns = (replace(rows.columns[0], description=long, unit=long, ucd=long), *rows.columns[1:])
    mydb.create("t", columns, rows(10), description=long)
    assert len(mydb.tables()[0].description) == 2000
    assert len(str(mydb.describe("t"))) < 20_000
    assert mydb.n_bytes < 100_000
    with pytest.raises(BadQueryError, match=r"column x{40}\.\.\. is longer than 256"):
        mydb.create("u", (rows.columns[0].renamed(long), *rows.columns[1:]), rows(10))


def test_a_table_may_be_empty_and_be_filled_later(mydb, rows, read):
    assert mydb.create("t", rows.columns, []) == 0
    assert read(mydb, "t").num_rows == 0
    assert mydb.append("t", rows.columns, rows(3)) == 3
    assert read(mydb, "t")["MatchID"].to_pylist() == [0, 1, 2]


def test_columns_of_one_name_get_numbers(mydb):
    columns = (Column("a", Datatype.INT), Column("A", Datatype.INT))
    mydb.create("t", columns, [pa.record_batch([[1], [2]], schema=arrow_schema(columns))])
    assert [column.name for column in mydb.describe("t").columns] == ["a", "A_2"]


def test_missing_numbers_are_null(mydb, read):
    columns = (Column("a", Datatype.DOUBLE),)
    mydb.create("t", columns, [pa.record_batch([pa.array([1.0, np.nan, None])], names=["a"])])
    assert read(mydb, "t")["a"].null_count == 2


def test_what_is_not_there_cannot_be_shared(mydb):
    with pytest.raises(UnknownTableError):
        mydb.share("t", users=["bob"])
    assert not mydb.path.parent.exists()


@pytest.mark.parametrize("name", ["", "1t", "a b", "a.b", "../t", "t\0", "é", "_t", "t" * 129])
def test_names_of_tables_are_identifiers(mydb, rows, name):
    with pytest.raises(BadParameterError):
        mydb.create(name, rows.columns, [])
    with pytest.raises(UnknownTableError):
        mydb.drop(name)


def test_a_table_without_columns_is_refused(mydb):
    with pytest.raises(BadQueryError, match="no columns"):
        mydb.create("t", (), [])


class TestPositions:
    def test_names_of_catalogues_make_a_table_searchable_by_position(self, mydb, rows):
        mydb.create("t", rows.columns, rows(20_000))
        dataset = mydb.open("t")
        assert dataset.table.position == Position("MatchRA", "MatchDec")
        assert dataset.table.get_column("MatchRA").indexed
        small = dataset.select(ranges29(Cone(10, 10, 1)))
        assert 0 < small.n_groups < dataset.select(None).n_groups

    def test_ucds_do_so_too_and_units_forbid_it(self, mydb, rows):
        named = {"MatchRA": ("x", "pos.eq.ra;meta.main"), "MatchDec": ("y", "pos.eq.dec;meta.main")}
        columns = tuple(
            replace(c, name=named[c.name][0], ucd=named[c.name][1]) if c.name in named else c for c in rows.columns
        )
        mydb.create("t", columns, rows(10))
        assert mydb.describe("t").position == Position("x", "y")
        mydb.create("u", [replace(c, unit="rad" if c.unit == "deg" else c.unit) for c in columns], rows(10))
        assert mydb.describe("u").position is None

    @pytest.mark.parametrize("n_before", [0, 5000])
    def test_values_that_can_be_no_positions_are_kept_as_they_are(self, mydb, rows, read, n_before):
        batches = [*rows(n_before), *rows(10, ra=(-180, 0)), *rows(1000)]
        mydb.create("t", rows.columns, batches)
        assert mydb.describe("t").position is None
        assert read(mydb, "t").equals(pa.Table.from_batches(batches))

    def test_rows_without_a_position_may_be_among_the_others(self, mydb, rows, read):
        (batch,) = rows(10)
        ra = pa.array([None, *batch["MatchRA"].to_pylist()[1:]])
        batch = batch.set_column(1, "MatchRA", ra)
        mydb.create("t", rows.columns, [batch])
        mydb.append("t", rows.columns, [batch])
        dataset = mydb.open("t")
        assert dataset.table.position is not None
        assert read(mydb, "t").num_rows == 20
        assert dataset.select(ranges29(Cone(0, 0, 180))).n_rows == 18

    def test_rows_without_positions_stay_in_their_order(self, mydb):
        columns = (Column("n", Datatype.INT),)
        numbers = list(np.random.default_rng(1).permutation(50))
        mydb.create("t", columns, [pa.record_batch([pa.array(numbers[:30], pa.int32())], names=["n"])])
        for number in numbers[30:]:
            mydb.append("t", columns, [pa.record_batch([pa.array([number], pa.int32())], names=["n"])])
        dataset = mydb.open("t")
        found = [n for piece in dataset.select(None).pieces for n in dataset.read(piece, ["n"])["n"].to_pylist()]
        assert found == numbers


class TestChanges:
    def test_a_table_is_made_once(self, mydb, rows):
        mydb.create("t", rows.columns, rows(5))
        with pytest.raises(TableExistsError) as caught:
            mydb.create("T", rows.columns, rows(5))
        assert str(caught.value) == "There is already an object named 'T' in the database."

    def test_a_table_is_replaced_where_that_is_asked_for(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(5))
        mydb.share("t", users=["bob"])
        assert mydb.create("t", rows.columns, rows(3), replace=True) == 3
        assert read(mydb, "t").num_rows == 3
        assert mydb.get("t").users == ("bob",)

    def test_rows_made_of_an_older_version_do_not_replace_a_newer_one(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(5))
        basis = mydb.get("t").version
        mydb.append("t", rows.columns, rows(1))
        with pytest.raises(TableChangedError):
            mydb.create("t", rows.columns, rows(5), replace=True, basis=basis)
        assert read(mydb, "t").num_rows == 6
        mydb.create("t", rows.columns, rows(5), replace=True, basis=mydb.get("t").version)
        assert read(mydb, "t").num_rows == 5
        assert leftovers(mydb) == []

    def test_who_reads_goes_on_to_read_what_was_there(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(5))
        before = mydb.open("t")
        mydb.create("t", rows.columns, rows(3), replace=True)
        mydb.append("t", rows.columns, rows(1))
        mydb.drop("t")
        assert sum(len(before.read(piece, ["MatchID"])) for piece in before.select(None).pieces) == 5
        del before
        mydb.create("u", rows.columns, rows(3))
        assert leftovers(mydb) == []

    def test_renaming_keeps_the_table_and_never_covers_another(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(5))
        mydb.create("u", rows.columns, rows(3))
        with pytest.raises(TableExistsError):
            mydb.rename("t", "U")
        with pytest.raises(BadParameterError):
            mydb.rename("t", "a b")
        mydb.rename("t", "T")
        mydb.rename("T", "v")
        mydb.create("t", rows.columns, rows(2))
        assert [(t.name, read(mydb, t.name).num_rows) for t in mydb.tables()] == [("t", 2), ("u", 3), ("v", 5)]
        assert mydb.open("v").table.name == "mydb.v"

    def test_a_change_of_one_origin_is_made_once(self, mydb, rows, read):
        assert mydb.create("t", rows.columns, rows(5), origin="job 1#1") == 5
        assert mydb.create("t", rows.columns, rows(5), origin="job 1#1") == 5
        assert mydb.append("t", rows.columns, rows(2), origin="job 1#2") == 2
        assert mydb.append("t", rows.columns, rows(2), origin="job 1#2") == 2
        assert read(mydb, "t").num_rows == 7
        mydb.create("u", rows.columns, [], origin="job 1#3")
        for _ in range(2):
            mydb.rename("u", "v", origin="job 1#4")
            mydb.drop("v", origin="job 1#5")
            mydb.drop("t", origin="job 1#6")
        assert mydb.tables() == ()
        with pytest.raises(UnknownTableError):
            mydb.drop("t", origin="job 2#1")


class TestAppending:
    def test_appending_a_row_writes_a_row(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(30_000))
        (before,) = files_of(mydb, "t")
        inode = os.stat(before).st_ino
        mydb.append("t", rows.columns, rows(1))
        first, second = files_of(mydb, "t")
        assert os.stat(first).st_ino == inode
        assert os.stat(second).st_size < 5000
        assert read(mydb, "t")["MatchID"].to_pylist() == list(range(30_001))
        assert verify(mydb.open("t")) == []

    def test_rows_added_one_by_one_make_few_files(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(500))
        for _ in range(60):
            mydb.append("t", rows.columns, rows(1))
        assert len(files_of(mydb, "t")) <= 7
        assert read(mydb, "t")["MatchID"].to_pylist() == list(range(560))
        assert mydb.get("t").n_rows == 560
        assert verify(mydb.open("t")) == []

    def test_when_most_rows_are_new_the_table_is_written_anew(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(100))
        mydb.append("t", rows.columns, rows(5000))
        assert len(files_of(mydb, "t")) == 1
        assert read(mydb, "t").num_rows == 5100

    def test_what_is_appended_is_found_by_position(self, mydb, rows):
        mydb.create("t", rows.columns, rows(20_000, ra=(0, 5)))
        mydb.append("t", rows.columns, rows(1000, ra=(200, 210)))
        dataset = mydb.open("t")
        found = dataset.select(ranges29(Cone(205, 0, 1)))
        assert "appended" in found.pieces[-1].file
        assert found.n_groups < found.total_groups

    def test_columns_go_by_their_names_and_missing_ones_are_null(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(1))
        columns = (Column("CLASS", Datatype.CHAR, arraysize="*"), Column("matchid", Datatype.INT))
        mydb.append("t", columns, [pa.record_batch([["of a longer kind"], [7]], schema=arrow_schema(columns))])
        assert read(mydb, "t").to_pylist()[-1] == {
            "MatchID": 7, "MatchRA": None, "MatchDec": None, "A_F606W": None, "Class": "of a longer kind",
        }  # fmt: skip
        assert mydb.describe("t").columns[-1].arraysize == "16*"

    def test_what_does_not_fit_is_refused_and_changes_nothing(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(2))
        odd = (Column("MatchI", Datatype.LONG),)
        with pytest.raises(UnknownColumnError, match="MatchID"):
            mydb.append("t", odd, [pa.record_batch([[1]], schema=arrow_schema(odd))])
        text = (Column("MatchID", Datatype.CHAR, arraysize="*"),)
        with pytest.raises(BadQueryError, match="MatchID"):
            mydb.append("t", text, [pa.record_batch([["one"]], schema=arrow_schema(text))])
        with pytest.raises(UnknownTableError):
            mydb.append("u", rows.columns, rows(1))
        assert read(mydb, "t").num_rows == 2

    def test_appended_values_that_can_be_no_positions_are_kept(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(3000))
        mydb.append("t", rows.columns, rows(2, ra=(400, 500)))
        assert mydb.describe("t").position is None
        assert not any(column.indexed for column in mydb.describe("t").columns)
        assert read(mydb, "t")["MatchRA"].to_pylist()[-1] > 400

    def test_texts_beyond_ascii_may_come_later(self, mydb, rows):
        mydb.create("t", rows.columns, rows(300))
        mydb.append("t", rows.columns, rows(1, text="RR-Lyræ"))
        assert mydb.describe("t").columns[-1].datatype is Datatype.UNICODE_CHAR

    def test_appending_no_rows_changes_nothing(self, mydb, rows):
        mydb.create("t", rows.columns, rows(3))
        before = mydb.revision
        assert mydb.append("t", rows.columns, []) == 0
        assert mydb.revision == before

    def test_of_many_who_append_at_once_nobodys_rows_are_lost(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(200))
        lots = [rows(3) for _ in range(12)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda lot: MyDB(mydb.path, mydb.quota).append("t", rows.columns, lot), lots))
        assert read(mydb, "t")["MatchID"].to_pylist() == list(range(236))


class TestQuota:
    def test_a_table_too_many_names_limit_and_use(self, mydb, rows):
        mydb.quota = Quota(10**9, 2)
        mydb.create("a", rows.columns, [])
        mydb.create("b", rows.columns, [])
        with pytest.raises(QuotaError) as caught:
            mydb.create("c", rows.columns, [])
        assert "limit is 2 tables, in use are 2 tables" in str(caught.value)
        mydb.create("b", rows.columns, rows(1), replace=True)
        mydb.drop("a")
        mydb.create("c", rows.columns, [])

    def test_r13_bytes_beyond_the_quota_leave_no_table_behind(self, mydb, rows, read):
        mydb.quota = Quota(1 << 20, 10)
        mydb.create("t", rows.columns, rows(20_000))
        used = mydb.n_bytes
        with pytest.raises(QuotaError) as caught:
            mydb.create("u", rows.columns, rows(30_000))
        assert "limit is 1.0 MB" in str(caught.value)
        with pytest.raises(QuotaError):
            mydb.append("t", rows.columns, rows(30_000))
        assert [table.name for table in mydb.tables()] == ["t"]
        assert read(mydb, "t").num_rows == 20_000
        assert mydb.n_bytes == used
        assert leftovers(mydb) == []

    def test_who_is_over_the_quota_can_still_make_a_table_smaller(self, mydb, rows, read):
        mydb.create("t", rows.columns, rows(20_000))
        mydb.quota = Quota(1000, 10)
        with pytest.raises(QuotaError):
            mydb.create("u", rows.columns, rows(1))
        assert mydb.create("t", rows.columns, rows(1000), replace=True) == 1000

    def test_writers_at_the_same_time_do_not_overrun_it(self, mydb, rows):
        mydb.create("first", rows.columns, rows(10_000))
        mydb.quota = Quota(int(mydb.n_bytes * 3.5), 50)
        lots = [(f"t{i}", rows(10_000)) for i in range(6)]

        def create(lot) -> bool:
            try:
                MyDB(mydb.path, mydb.quota).create(lot[0], rows.columns, lot[1])
            except QuotaError:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(create, lots))
        assert outcomes.count(True) == 2
        assert mydb.n_bytes <= mydb.quota.n_bytes
        assert len(mydb.tables()) == 3

    def test_endless_rows_are_refused_before_they_fill_the_disk(self, mydb, rows, monkeypatch):
        monkeypatch.setattr("skydex.mydb.mydb._LEAST_STAGED", 1 << 20)
        mydb.quota = Quota(1 << 20, 10)
        batch = rows(1000)[0]
        given = 0

        def endless():
            nonlocal given
            while True:
                given += batch.nbytes
                yield batch

        with pytest.raises(QuotaError):
            mydb.create("t", rows.columns, endless())
        assert given < 10 << 20
        assert leftovers(mydb) == []


def test_the_first_tables_of_a_user_may_be_made_at_the_same_time(mydb, rows):
    lots = [(f"t{i}", rows(10)) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda lot: MyDB(mydb.path, mydb.quota).create(lot[0], rows.columns, lot[1]), lots))
    assert len(mydb.tables()) == 8
    assert os.listdir(mydb.path.parent) == [mydb.path.name]
