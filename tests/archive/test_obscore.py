"""`ivoa.obscore`: addresses are those of the server that shows them, and private collections are not in it."""

import pytest

from skydex.archive import Archive, ConeRequest, QueryRequest
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.settings import Settings
from skydex.store import ArchiveDirectory, ImageRecord

PRIVATE = '[[private]]\nschema = "south"\nusers = ["alice"]\n'


@pytest.fixture
def path(tmp_path):
    directory = ArchiveDirectory.create(tmp_path / "archive")
    for collection, ra in (("north", 10.0), ("south", 11.0)):
        record = ImageRecord(collection, "a b", 0, "", did_of(collection, "a b", 0), "fits", "/data/a.fits")
        publish_images(directory, collection, [ImageEntry(record, {"s_ra": ra, "s_dec": 0.0})], description="Images")
    return directory.path


def asked(path, text, **settings):
    return Archive.open(path, Settings(**settings)).query(QueryRequest(text)).to_arrow().to_pylist()


def test_an_address_begins_with_that_of_the_server(path):
    text = "SELECT access_url FROM ivoa.obscore WHERE obs_collection = 'north'"
    assert asked(path, text) == [{"access_url": "http://127.0.0.1:8642/images/north/a%20b/0"}]
    assert asked(path, text, base_url="https://example.org/sky/") == [
        {"access_url": "https://example.org/sky/images/north/a%20b/0"}
    ]


@pytest.mark.parametrize(
    "clause",
    [
        "WHERE access_url = 'https://s.org/images/south/a%20b/0'",
        "WHERE access_url LIKE 'https://s.org/images/south%'",
        "WHERE access_url IN ('https://s.org/images/south/a%20b/0')",
        "AS o WHERE o.access_url > 'https://s.org/images/o'",
        "JOIN ivoa.obscore AS b USING (access_url) WHERE b.s_ra > 10.5",
    ],
)
def test_a_condition_sees_the_whole_address(path, clause):
    text = f"SELECT access_url FROM ivoa.obscore {clause}"
    assert asked(path, text, base_url="https://s.org") == [{"access_url": "https://s.org/images/south/a%20b/0"}]


def test_groups_and_orders_are_of_whole_addresses(path):
    text = "SELECT access_url, COUNT(*) AS n FROM ivoa.obscore GROUP BY access_url ORDER BY access_url DESC"
    rows = asked(path, text, base_url="https://s.org")
    assert [row["access_url"][21:27] for row in rows] == ["south/", "north/"]


def test_the_length_of_an_address_is_told_with_its_beginning(path):
    archive = Archive.open(path, Settings(base_url="https://s.org"))
    (address,) = archive.query(QueryRequest("SELECT access_url FROM ivoa.obscore WHERE s_ra < 10.5")).to_arrow()[0]
    (size,) = archive.query(
        QueryRequest(
            "SELECT arraysize FROM TAP_SCHEMA.columns WHERE table_name = 'ivoa.obscore' AND column_name = 'access_url'"
        )
    ).to_arrow()[0]
    assert size.as_py() == f"{len(address.as_py())}*"


def test_a_cone_gives_whole_addresses_and_needs_no_sql_engine(path):
    archive = Archive.open(path, Settings(base_url="https://s.org"))
    request = ConeRequest("ivoa.obscore", 10.0, 0.0, 0.1, verbosity=3)
    assert archive.plan(request).engine == "scan"
    (row,) = archive.query(request).to_arrow().to_pylist()
    assert row["access_url"] == "https://s.org/images/north/a%20b/0"


def test_a_private_collection_is_seen_by_its_users_alone(path):
    (path / "services.toml").write_text(PRIVATE, encoding="utf-8")
    archive = Archive.open(path)
    archive.accounts.add("alice", "a good long password")
    seen = {
        owner: archive.query(
            QueryRequest("SELECT obs_collection, access_url FROM ivoa.obscore ORDER BY 1", owner=owner)
        )
        .to_arrow()
        .to_pylist()
        for owner in (None, "alice")
    }
    assert [row["obs_collection"] for row in seen["alice"]] == ["north", "south"]
    assert seen[None] == seen["alice"][:1]
    cone = archive.query(ConeRequest("ivoa.obscore", 11.0, 0.0, 0.1)).to_arrow()
    assert cone.num_rows == 0
