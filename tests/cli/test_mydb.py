"""The tables that users keep, as an operator sees to them."""

from __future__ import annotations

import pytest
from astropy.table import Table

from skydex.archive import Archive
from skydex.ingest import ingest_files

PASSWORD = "correct horse"


@pytest.fixture
def own(tmp_path, stars_file):
    """An archive with three users, two of them in a group."""
    ingest_files([stars_file], tmp_path / "archive", "my.stars")
    accounts = Archive.open(tmp_path / "archive").accounts
    accounts.add_group("observers")
    for name in ("alice", "bob", "carol"):
        accounts.add(name, PASSWORD)
    for name in ("alice", "carol"):
        accounts.join("observers", name)
    return tmp_path / "archive"


def test_tables_are_uploaded_listed_exported_renamed_shared_and_dropped(own, skydex, tmp_path):
    (tmp_path / "targets.csv").write_text("id,mag\n1,2.5\n2,3.5\n")
    mine = ("--user", "ALICE")
    assert skydex("mydb", "upload", own, tmp_path / "targets.csv", *mine).out == "mydb.targets: 2 rows\n"
    again = skydex("mydb", "upload", own, tmp_path / "targets.csv", *mine)
    assert (again.status, "already an object named 'targets'" in again.err) == (1, True)
    more = skydex("mydb", "upload", own, tmp_path / "targets.csv", "mydb.targets", *mine, "--mode", "append")
    assert more.out == "mydb.targets: 2 rows\n"
    assert skydex("mydb", "rename", own, "targets", "kept", *mine).status == 0
    assert "kept" in skydex("mydb", "list", own, *mine).out
    assert skydex("mydb", "export", own, "kept", *mine, "-o", tmp_path / "kept.fits").status == 0
    assert sorted(Table.read(tmp_path / "kept.fits")["mag"]) == [2.5, 2.5, 3.5, 3.5]
    assert skydex("mydb", "export", own, "alice.kept", *mine).out.splitlines()[0] == "id,mag"
    shared = skydex("mydb", "share", own, "kept", *mine, "--with", "Bob", "--group", "observers")
    assert shared.out == "shared with bob, observers\n"
    assert skydex("mydb", "unshare", own, "kept", *mine, "--group", "observers").out == "shared with bob\n"
    assert skydex("mydb", "drop", own, "mydb.kept", *mine).status == 0
    assert "kept" not in skydex("mydb", "list", own, *mine).out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("list", "--user", "nobody"), 'No user "nobody"'),
        (("drop", "none", "--user", "alice"), "none"),
        (("drop", "bob.t", "--user", "alice"), "no table of your own"),
        (("share", "t", "--user", "bob", "--group", "observers"), 'No group "observers"'),
        (("share", "t", "--user", "bob"), "missing"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(own, skydex, words, says):
    verb, *rest = words
    told = skydex("mydb", verb, own, *rest)
    assert told.status == 1
    assert says in told.err
