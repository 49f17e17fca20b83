"""What is kept is what nothing but a publication of its tables changes, and not more than there is room for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from serving import build_archive

from skydex.archive import Archive, CatalogOffer, CatalogRequest, ConeRequest, QueryRequest, Search, Upload
from skydex.archive.basis import basis_of
from skydex.archive.descriptors import has_links
from skydex.ingest import ingest_files
from skydex.query import Namespace
from skydex.sky import Cone
from skydex.store import REACHES, ArchiveDirectory
from skydex.tables import ForeignKey
from skydex.web.kept_answers import KeptAnswer, KeptAnswers, basis

CONE = ConeRequest("sky.stars", 10.0, 5.0, 1.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return build_archive(tmp_path_factory.mktemp("kept"))


def a_query(text, **given):
    return QueryRequest(text, **given), "csv"


def test_what_hangs_on_chance_on_the_asker_or_on_an_upload_does_not_last(place):
    archive = Archive.open(place)
    assert basis(a_query("SELECT ra FROM sky.stars"), archive)
    assert basis((CONE, "votable"), archive)
    for changing in (
        a_query("SELECT RAND() AS r FROM sky.stars"),
        a_query("SELECT GETDATE()", language="CasJobs"),
        a_query("SELECT ra FROM sky.stars", owner="alice"),
        a_query("SELECT * FROM TAP_UPLOAD.t", uploads=(Upload("t", "/nowhere"),)),
    ):
        assert not basis(changing, archive)


def test_what_is_mounted_may_change_where_it_lies(place):
    directory = ArchiveDirectory(place)
    directory.mount("their.stars", str(directory.hats_path("sky.stars")))
    archive = Archive.open(place)
    try:
        assert not basis(a_query("SELECT ra FROM sky.stars"), archive)
        assert not basis((ConeRequest("their.stars", 10.0, 5.0, 1.0), "votable"), archive)
        assert basis((CONE, "votable"), archive)
        assert not basis(a_query("SELECT ra FROM stars"), archive)
        assert not basis(a_query("SELECT 1 AS one"), archive)
        assert basis(a_query("SELECT flux FROM sky.detections"), archive)
    finally:
        directory.remove("their.stars")
    assert basis(a_query("SELECT ra FROM sky.stars"), archive)


SEARCH = CatalogRequest(Search(CatalogOffer("sky/stars", "sky.stars"), cone=Cone(10.0, 5.0, 0.4)))
LOOKING = {
    "a cone": (CONE, "votable"),
    "a search": (SEARCH, "json"),
    "a query": a_query("SELECT ra FROM sky.stars"),
    "a bare name in quotes": a_query('SELECT COUNT(*) FROM "STARS"'),
    "a collection": a_query("SELECT ra FROM stars", collection="sky"),
    "an offer": a_query("SELECT ra FROM dbo.stars", collection="tap:shown"),
}
EVERYTHING = {
    "descriptions": a_query("SELECT * FROM TAP_SCHEMA.tables"),
    "no table": a_query("SELECT 1 AS one"),
    "several": a_query("SELECT s.ra FROM sky.stars AS s, TAP_SCHEMA.columns AS c"),
}
OFFERS = '[[tap]]\nname = "shown"\nschemas = { dbo = ["sky"] }\n'


@pytest.fixture
def published(tmp_path):
    """An archive that is a test's own, and what publishes a table of it."""
    place = build_archive(tmp_path)
    (place / "services.toml").write_text(OFFERS)

    def publish(name, n, **given):
        rows = Table({"star_id": np.arange(n), "ra": np.linspace(1, 2, n), "dec": np.zeros(n)})
        rows.write(tmp_path / "rows.fits", overwrite=True)
        ingest_files([tmp_path / "rows.fits"], place, name, **{"id": "star_id", **given})

    return place, publish


def bases(archive):
    return {name: basis(order, archive) for name, order in {**LOOKING, **EVERYTHING}.items()}


def test_what_an_answer_rests_on_is_the_tables_that_it_reads(published):
    place, publish = published
    archive = Archive.open(place)
    before = bases(archive)
    assert before == bases(Archive.open(place))  # as another process has it
    publish("more.others", 5)
    beside = bases(archive)
    assert {name for name in before if beside[name] != before[name]} == EVERYTHING.keys()
    publish("sky.stars", 7)
    after = bases(archive)
    assert all(after[name] != beside[name] for name in after)
    assert after["a query"] == basis(a_query("SELECT dec FROM sky.stars"), archive) != after["an offer"]
    assert after["a query"] != basis(a_query("SELECT * FROM sky.stars JOIN sky.detections USING (star_id)"), archive)


def test_an_answer_rests_on_what_is_told_of_its_tables_and_of_others_beside_them(published):
    place, publish = published
    archive = Archive.open(place)
    seen = [bases(archive)]

    def is_new():
        seen.append(bases(archive))
        return all(seen[-1][name] not in [known[name] for known in seen[:-1]] for name in LOOKING)

    ingest = {"ra": "ra", "dec": "dec", "description": "the same rows, otherwise described"}
    publish("sky.stars", 7)
    assert is_new()
    publish("sky.stars", 7, **ingest)
    assert is_new()
    ArchiveDirectory(place).amend("sky.stars", lambda entry, _: replace(entry, notes={REACHES: {"ra": 1.0}}))
    assert is_new()
    publish("other.stars", 3)  # which makes the bare name ambiguous
    assert basis(LOOKING["a bare name in quotes"], archive) != seen[-1]["a bare name in quotes"]
    assert basis(LOOKING["a cone"], archive) == seen[-1]["a cone"]
    key = ForeignKey("sky.stars", (("star_id", "star_id"),))  # answers lead to the measurements of their objects
    assert not has_links(archive.namespace().get("sky.stars"), archive.namespace())
    with_key = [replace(r, table=replace(r.table, foreign_keys=(key,))) for r in archive.namespace() if r.dataset]
    linked, shown = Namespace(with_key), archive.namespace()
    assert basis_of(CONE, Namespace(shown), linked, ()) != basis_of(CONE, Namespace(shown), shown, ())


def test_what_somebody_may_not_see_any_more_has_another_name(published):
    place, _ = published
    tags = []
    for private in ("", '[[private]]\nschema = "sky"\nusers = ["alice"]\n'):
        (place / "services.toml").write_text(OFFERS + private)
        archive = Archive.open(place)  # as a server does at its start
        answers = KeptAnswers(1, repr(archive.offers))
        tags.append({name: answers.tag(basis(order, archive), order, "") for name, order in LOOKING.items()})
    assert all(tags[0][name] != tags[1][name] for name in LOOKING)
    assert basis(a_query("SELECT ra FROM sky.stars", owner="alice"), archive) is None


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
