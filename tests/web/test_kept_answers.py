"""What is kept is what nothing but a publication changes, and not more than there is room for."""

from __future__ import annotations

import pytest
from serving import build_archive

from skydex.archive import Archive, ConeRequest, QueryRequest, Upload
from skydex.store import ArchiveDirectory
from skydex.web.kept_answers import KeptAnswer, KeptAnswers, is_lasting

CONE = ConeRequest("sky.stars", 10.0, 5.0, 1.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return build_archive(tmp_path_factory.mktemp("kept"))


def a_query(text, **given):
    return QueryRequest(text, **given), "csv"


def test_what_hangs_on_chance_on_the_asker_or_on_an_upload_does_not_last(place):
    archive = Archive.open(place)
    assert is_lasting(a_query("SELECT ra FROM sky.stars"), archive)
    assert is_lasting((CONE, "votable"), archive)
    for changing in (
        a_query("SELECT RAND() AS r FROM sky.stars"),
        a_query("SELECT GETDATE()", language="CasJobs"),
        a_query("SELECT ra FROM sky.stars", owner="alice"),
        a_query("SELECT * FROM TAP_UPLOAD.t", uploads=(Upload("t", "/nowhere"),)),
    ):
        assert not is_lasting(changing, archive)


def test_what_is_mounted_may_change_where_it_lies(place):
    directory = ArchiveDirectory(place)
    directory.mount("their.stars", str(directory.hats_path("sky.stars")))
    archive = Archive.open(place)
    try:
        assert not is_lasting(a_query("SELECT ra FROM sky.stars"), archive)
        assert not is_lasting((ConeRequest("their.stars", 10.0, 5.0, 1.0), "votable"), archive)
        assert is_lasting((CONE, "votable"), archive)
    finally:
        directory.remove("their.stars")
    assert is_lasting(a_query("SELECT ra FROM sky.stars"), archive)


def test_there_is_never_more_than_there_is_room_for():
    answers = KeptAnswers(160_000)
    for n in range(100):
        answers.keep(b"%d" % n, KeptAnswer("text/csv", (), b"x" * 9000))
        answers.find(b"0")
    found = [n for n in range(100) if answers.find(b"%d" % n)]
    assert 0 in found  # which was asked for all the time
    assert found[1:] == list(range(100 - len(found) + 1, 100))
    assert 9500 * len(found) <= 160_000
    answers.keep(b"large", KeptAnswer("text/csv", (), b"x" * 10_001))
    assert answers.find(b"large") is None
    nothing = KeptAnswers()
    nothing.keep(b"small", KeptAnswer("text/csv", (), b"x"))
    assert nothing.find(b"small") is None


def test_names_change_with_whatever_an_answer_hangs_on():
    made = {
        KeptAnswers(1, seed).tag(revision, (request, form), coding)
        for seed in ("a", "b")
        for revision in ("1", "2")
        for request in (CONE, ConeRequest("sky.stars", 10.0, 5.0, 1.5))
        for form in ("csv", "json")
        for coding in ("", "gzip")
    }
    assert len(made) == 32
