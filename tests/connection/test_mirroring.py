"""Mirrors: what an archive elsewhere has, kept as a table here, with where it is from."""

from __future__ import annotations

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

import skydex
from skydex import col
from skydex.connection import mirror, mirrors, refresh
from skydex.connection.mirroring import _condition_facts, _condition_of
from skydex.errors import BadParameterError, CutShortError, SkydexError, UnknownTableError

TABLE = "hsc.SumMagAper2CatView"
WHERE = {"where": SkyCoord(16.19913, 2.11778, unit="deg"), "radius": 12 * u.arcmin}


@pytest.fixture(scope="module")
def served(simulated):
    """A server over the simulated archive."""
    from tests.web.serving import serving

    with serving(simulated) as server:
        yield server.url


@pytest.fixture(params=["near", "far"])
def hsc(request, simulated):
    """The archive on this disk, and a server over it."""
    return {"target": str(simulated) if request.param == "near" else request.getfixturevalue("served")}


def same(mine, theirs):
    """Whether two tables have the same rows, however they are ordered, in the columns of the second."""
    assert len(mine) == len(theirs) > 0
    key = theirs.colnames[0]
    mine, theirs = mine[np.argsort(mine[key])], theirs[np.argsort(theirs[key])]
    for name in theirs.colnames:
        assert mine[name].unit == theirs[name].unit
        if theirs[name].dtype.kind == "f":
            np.testing.assert_array_equal(np.asarray(mine[name]), np.asarray(theirs[name]))
        else:
            assert list(mine[name]) == list(theirs[name])
    return True


def test_a_cone_becomes_a_table_here(hsc, tmp_path):
    wanted = {**WHERE, "columns": "MatchID MatchRA MatchDec A_F475W A_F475W_N TargetName"}
    come = mirror(**hsc, into=tmp_path / "mine", table=TABLE, **wanted)
    assert come.name == TABLE
    mine = skydex.connect(tmp_path / "mine").search(come.name)
    assert same(mine, skydex.connect(**hsc).search(TABLE, **wanted))
    assert come.n_rows == len(mine)
    assert len(skydex.connect(tmp_path / "mine").cone(come.name, WHERE["where"], "8 arcmin")) > 0


def test_the_copy_says_where_it_is_from(hsc, tmp_path):
    come = mirror(**hsc, into=tmp_path / "mine", table=TABLE, **WHERE, name="galaxy.stars")
    (row,) = skydex.connect(tmp_path / "mine").tables()
    assert row["name"] == "galaxy.stars"
    for word in (f"Mirrored from {hsc['target']}", come.time[:10], f"{come.n_rows:,} rows", "0.2 deg", TABLE):
        assert word in row["description"]
    assert "simulated" in row["description"].lower()
    (kept,) = mirrors(tmp_path / "mine")
    assert (kept.n_rows, kept.time, kept.asked, kept.origin) == (come.n_rows, come.time, come.asked, come.origin)


@pytest.mark.parametrize("place", ["near", "far"])
def test_a_preset_is_mirrored_in_the_words_of_its_service(request, simulated, tmp_path, place):
    at = str(simulated) if place == "near" else request.getfixturevalue("served")
    wanted = {**WHERE, "columns": "MatchID, MatchRA, MatchDec, A_F475W, A_F475W_N"}
    come = mirror("mast-hsc", tmp_path, "summary", {"A_F475W_N.gte": "1"}, at=at, **wanted)
    assert come.name == "mirror.summary"
    assert f"Mirrored from mast-hsc at {at}" in come.description
    theirs = skydex.connect("mast-hsc", at=at).search("summary", col.A_F475W_N >= 1, **wanted)
    assert same(skydex.connect(tmp_path).search("mirror.summary"), theirs)
    assert refresh(tmp_path, "mirror.summary").n_rows == come.n_rows


def test_a_refreshed_copy_asks_the_same_again(simulated, tmp_path):
    first = mirror(
        simulated,
        tmp_path,
        TABLE,
        (col.NumImages > 3) | ~col.MatchID.is_null(),
        columns=["MatchID", "MatchRA", "MatchDec"],
        **WHERE,
    )
    again = refresh(tmp_path, first.name)
    assert again.asked == first.asked
    assert again.n_rows == again.n_rows_before == first.n_rows
    assert len(mirrors(tmp_path)) == 1


def test_a_query_becomes_a_table_that_needs_a_name(simulated, tmp_path):
    query = "SELECT Filter, COUNT(*) AS n, MIN(StartMJD) AS mjd FROM hsc.DetailedCatalog GROUP BY Filter"
    with pytest.raises(BadParameterError, match="name"):
        mirror(simulated, tmp_path, query=query)
    come = mirror(simulated, tmp_path, query=query, name="mine.counts")
    archive = skydex.connect(tmp_path)
    assert same(archive.search("mine.counts"), skydex.connect(simulated).query(query))
    assert query in archive.tables()["description"][0]
    assert refresh(tmp_path, "mine.counts").n_rows == come.n_rows


def test_an_answer_that_was_cut_is_kept_only_by_those_who_asked_for_a_part(simulated, tmp_path, monkeypatch):
    mirror(simulated, tmp_path, TABLE, maxrec=10, name="some")
    (kept,) = mirrors(tmp_path)
    assert (kept.n_rows, kept.is_truncated) == (10, True)
    assert "cut at the row limit" in kept.description
    door = type(skydex.connect(simulated).door)
    ask = door.rows

    def cut(self, order):
        from dataclasses import replace

        return ask(self, replace(order, max_rows=5))

    monkeypatch.setattr(door, "rows", cut)
    with pytest.raises(CutShortError, match="gave the first 5 rows and has more"):
        mirror(simulated, tmp_path, TABLE, name="some")
    assert [one.n_rows for one in mirrors(tmp_path)] == [10]


def test_what_was_refused_changes_nothing(simulated, tmp_path):
    mirror(simulated, tmp_path / "mine", TABLE, maxrec=3, name="some")
    for asked in ({"table": "nowhere.here"}, {}, {"query": "SELECT", "name": "x"}, {"table": "t", "query": "q"}):
        with pytest.raises(SkydexError):
            mirror(simulated, tmp_path / "mine", **asked)
    with pytest.raises(UnknownTableError):
        refresh(tmp_path / "mine", "some.thing")
    assert [one.name for one in mirrors(tmp_path / "mine")] == ["mirror.some"]


def test_a_table_that_was_not_mirrored_cannot_be_refreshed(simulated):
    with pytest.raises(BadParameterError, match="no mirrored table"):
        refresh(simulated, TABLE)
    assert mirrors(simulated) == []


def test_a_copy_without_a_name_replaces_nothing_but_itself(simulated, tmp_path):
    first = mirror(simulated, tmp_path, TABLE, maxrec=3)
    assert mirror(simulated, tmp_path, TABLE, maxrec=3).name == first.name == TABLE
    with pytest.raises(BadParameterError, match=r"has another hsc\.SumMagAper2CatView already"):
        mirror(simulated, tmp_path, TABLE, maxrec=4)
    assert mirror(simulated, tmp_path, TABLE, maxrec=4, name=TABLE).n_rows == 4


def test_no_rows_are_a_table_too(simulated, tmp_path):
    come = mirror(simulated, tmp_path, TABLE, where=(200.0, -80.0), radius=0.01, name="empty")
    assert come.n_rows == 0
    assert len(skydex.connect(tmp_path).search("mirror.empty")) == 0


def test_no_password_is_kept(simulated, served, tmp_path):
    with pytest.raises(SkydexError):
        mirror(served, tmp_path, TABLE, maxrec=3, user="eve", password="secret", name="some")
    come = mirror(served, tmp_path, TABLE, maxrec=3, name="some")
    assert "secret" not in json.dumps(come.notes())
    assert "secret" not in repr(come)


def test_conditions_survive_being_written_down():
    condition = ((col.a > 1) & (col.b.isin([1, 2]) | ~col.c.like("x%"))) & col.d.between(1.5, 2) & col.e.is_null()
    assert _condition_of(json.loads(json.dumps(_condition_facts(condition)))) == condition
