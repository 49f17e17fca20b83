"""`[[private]]`: schemas that exist for some and not for others."""

from __future__ import annotations

import pytest
from astropy.table import Table

from skydex.archive import Archive, ConeRequest, PrivateOffer, QueryRequest
from skydex.errors import UnknownTableError
from skydex.ingest import ingest_files
from skydex.tables.tap_schema import TAP_SCHEMA

OFFERS = """
[[private]]
schema = "Early"
users = ["Alice"]

[[private]]
schema = "never"

[[tap]]
name = "survey"
schemas = { dbo = ["early", "common"] }

[[names]]
table = "early.stars"
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    where = tmp_path_factory.mktemp("private")
    Table({"name": ["Nova X"], "ra": [10.0], "dec": [20.0]}).write(where / "stars.ecsv")
    for schema in ("common", "early", "never"):
        ingest_files([where / "stars.ecsv"], where / "archive", f"{schema}.stars", ra="ra", dec="dec", id="name")
    (where / "archive" / "services.toml").write_text(OFFERS)
    return where / "archive"


@pytest.fixture(scope="module")
def archive(directory):
    return Archive.open(directory)


def schemas(archive: Archive, owner: str | None) -> list[str]:
    return [schema.name for schema in archive.schemas(owner) if schema.name != TAP_SCHEMA]


def names(archive: Archive, query: str, owner: str | None) -> list[str]:
    with archive.query(QueryRequest(query, owner=owner)) as result:
        return [value for batch in result.batches for value in batch.column(0).to_pylist()]


def test_a_private_schema_exists_for_its_users_alone(archive):
    assert schemas(archive, None) == schemas(archive, "bob") == ["common"]
    assert schemas(archive, "alice") == schemas(archive, "ALICE") == ["common", "early"]


def test_tap_schema_tells_each_asker_of_what_she_may_see(archive):
    query = "SELECT table_name FROM TAP_SCHEMA.tables WHERE table_name LIKE '%.stars'"
    assert names(archive, query, None) == ["common.stars"]
    assert names(archive, query, "alice") == ["common.stars", "early.stars"]


def test_a_member_of_a_group_may_see_it():
    offer = PrivateOffer("early", groups=("Survey",))
    assert offer.is_for("carol", ["survey"])
    assert not offer.is_for("carol", ["others"])
    assert not offer.is_for(None, ["survey"])


@pytest.mark.parametrize("owner", [None, "bob"])
def test_what_is_private_and_what_is_not_there_give_the_same_answer(archive, owner):
    def answer(request):
        with pytest.raises(UnknownTableError) as caught:
            archive.query(request)
        return str(caught.value).replace("absent", "early")

    for name in ("{}.stars", "{}.other"):
        hidden, absent = (f"SELECT * FROM {name.format(schema)}" for schema in ("early", "absent"))
        assert answer(QueryRequest(hidden, owner=owner)) == answer(QueryRequest(absent, owner=owner))
    cones = (ConeRequest(f"{schema}.stars", 10, 20, 1, owner=owner) for schema in ("early", "absent"))
    assert len({answer(cone) for cone in cones}) == 1
    collections = (QueryRequest("SELECT 1 FROM stars", owner=owner, collection=c) for c in ("early", "absent"))
    assert len({answer(request) for request in collections}) == 1
    assert archive.find_view("early", owner) is None


def test_its_users_reach_it_by_every_way(archive):
    assert names(archive, "SELECT name FROM early.stars", "alice") == ["Nova X"]
    assert names(archive, "SELECT o.name FROM early.stars e JOIN common.stars o ON e.name = o.name", "alice")
    assert archive.find_view("early", "alice").name == "early"
    with archive.query(ConeRequest("early.stars", 10, 20, 1, owner="alice")) as result:
        assert sum(batch.num_rows for batch in result.batches) == 1


def test_an_offer_shows_each_asker_what_she_may_see(archive):
    def shown(owner):
        return [relation.rows.table.name for relation in archive.namespace("survey", owner) if relation.dataset]

    assert (shown(None), shown("bob"), shown("alice")) == (["common.stars"], ["common.stars"], ["early.stars"])


def test_names_of_private_objects_are_unknown_to_others(archive):
    assert archive.names().find("Nova X") == archive.names("bob").find("Nova X") == ()
    assert archive.names().near("Nova Y") == []
    assert archive.names("alice").find("nova x")[0].source == "early.stars"


def test_who_has_the_files_sees_everything(directory):
    whole = Archive.open(directory, shows_private=True)
    assert schemas(whole, None) == ["common", "early", "never"]
