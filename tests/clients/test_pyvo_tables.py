"""pyvo makes, fills, indexes and drops tables of a user's own, as it does at CADC."""

from __future__ import annotations

import io
import warnings

import pytest
import pyvo
import requests
from astropy.table import Table
from pyvo.auth import AuthSession
from pyvo.utils.prototype import activate_features

from skydex.archive import Archive

PASSWORD = "correct horse"
DEFINITION = """
<vosi:table xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0"
    xmlns:vod="http://www.ivoa.net/xml/VODataService/v1.1"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" type="output">
  <name>my_table</name>
  <description>This is my very own table</description>
  <column><name>article</name><description>some article</description>
    <dataType xsi:type="vod:VOTableType" arraysize="30*">char</dataType></column>
  <column><name>count</name><description>how many</description><unit>pc</unit><ucd>meta.number</ucd>
    <dataType xsi:type="vod:VOTableType">long</dataType></column>
</vosi:table> """
"""As the documentation of pyvo has it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    import serving

    place = serving.build_archive(tmp_path_factory.mktemp("tables"))
    accounts = Archive.open(place).accounts
    accounts.add("alice", PASSWORD)
    accounts.add("bob", PASSWORD)
    with serving.serving(place) as server:
        yield server


def service(server, name: str | None) -> pyvo.dal.TAPService:
    session = AuthSession()
    if name:
        session.credentials.set_password(name, PASSWORD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pyvo.dal.TAPService(f"{server.url}/tap", session=session)


@pytest.fixture
def alice(server):
    activate_features("cadc-tb-upload")
    service_of_alice = service(server, "alice")
    yield service_of_alice
    for name in list(service(server, "alice").tables.keys()):
        if name.startswith("mydb."):
            service_of_alice.remove_table(name)


def rows(service, query: str) -> list[tuple]:
    return [tuple(row) for row in service.search(query).to_table()]


def test_a_table_is_defined_filled_indexed_and_removed(server, alice):
    alice.create_table("mydb.articles", io.StringIO(DEFINITION))
    table = service(server, "alice").tables["mydb.articles"]
    assert table.description == "This is my very own table"
    assert [(c.name, c.datatype.content, c.unit, c.ucd) for c in table.columns] == [
        ("article", "char", None, None),
        ('"count"', "long", "pc", "meta.number"),
    ]
    alice.load_table("mydb.articles", io.StringIO("article,count\narticle1,10\n007,20\n"), format="csv")
    alice.load_table("mydb.articles", io.BytesIO(b"count\tarticle\n30\tarticle3\n\tarticle4\n"), format="tsv")
    found = rows(alice, 'SELECT article, "count" FROM mydb.articles ORDER BY "count"')
    assert found[:3] == [("article1", 10), ("007", 20), ("article3", 30)]
    assert len(found) == 4
    alice.create_index("mydb.articles", "article", unique=True)
    alice.create_index("mydb.articles", "count")
    alice.remove_table("mydb.articles")
    assert "mydb.articles" not in service(server, "alice").tables
    with pytest.raises(pyvo.dal.DALQueryError, match=r"mydb\.articles"):
        rows(alice, "SELECT * FROM mydb.articles")


def test_a_table_is_made_of_a_votable_with_its_rows_and_filled_from_fits(alice, tmp_path):
    stars = Table({"id": [1, 2], "ra": [10.0, 20.0], "dec": [5.0, -5.0]})
    stars.write(tmp_path / "stars.vot", format="votable")
    with open(tmp_path / "stars.vot", "rb") as file:
        alice.create_table("stars", file, format="VOTable")
    Table({"ID": [3], "dec": [1.0], "ra": [30.0]}).write(tmp_path / "more.fits")
    with open(tmp_path / "more.fits", "rb") as file:
        alice.load_table("alice.stars", file, format="FITSTable")
    near = "SELECT id FROM mydb.stars WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(30, 1, 0.1))"
    assert rows(alice, near) == [(3,)]
    assert rows(alice, "SELECT COUNT(*) FROM mydb.stars AS m JOIN sky.stars AS s ON m.id = s.star_id") == [(3,)]


def test_an_index_that_cannot_be_unique_is_an_error_of_its_job(alice):
    alice.create_table("t", io.StringIO(DEFINITION))
    alice.load_table("t", io.StringIO("article,count\na,1\na,2\n"), format="csv")
    with pytest.raises(pyvo.dal.DALQueryError, match="the value a occurs more than once"):
        alice.create_index("t", "article", unique=True)
    with pytest.raises(pyvo.dal.DALQueryError, match="artikle"):
        alice.create_index("t", "artikle")


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda tap: tap.remove_table("mydb.none"), 404),
        (lambda tap: tap.load_table("mydb.none", io.StringIO("a\n1\n"), format="csv"), 404),
        (lambda tap: tap.remove_table("sky.stars"), 403),
        (lambda tap: tap.create_table("sky.mine", io.StringIO(DEFINITION)), 403),
        (lambda tap: tap.remove_table("bob.secret"), 403),
        (lambda tap: tap.create_table("t", io.BytesIO(bytes(range(256)))), 400),
        (lambda tap: tap.create_table("t", io.StringIO("<!DOCTYPE t [<!ENTITY a 'b'>]><table>&a;</table>")), 400),
    ],
)
def test_what_cannot_be_is_refused(alice, make, status):
    with pytest.raises(requests.HTTPError) as caught:
        make(alice)
    assert caught.value.response.status_code == status


def test_a_table_that_is_there_is_not_made_again(alice):
    alice.create_table("t", io.StringIO(DEFINITION))
    with pytest.raises(requests.HTTPError) as caught:
        alice.create_table("T", io.StringIO(DEFINITION))
    assert caught.value.response.status_code == 409
    assert "already an object named" in caught.value.response.text


def test_strangers_make_no_tables(server):
    activate_features("cadc-tb-upload")
    for make in (
        lambda tap: tap.create_table("mydb.t", io.StringIO(DEFINITION)),
        lambda tap: tap.load_table("mydb.t", io.StringIO("a\n1\n"), format="csv"),
        lambda tap: tap.remove_table("mydb.t"),
    ):
        with pytest.raises(requests.HTTPError) as caught:
            make(service(server, None))
        assert caught.value.response.status_code == 401
    with pytest.raises(RuntimeError, match="401"):
        service(server, None).create_index("mydb.t", "a")


def test_others_find_none_of_it(server, alice):
    alice.create_table("mydb.secret", io.StringIO(DEFINITION))
    for other in (service(server, "bob"), service(server, None)):
        assert "secret" not in str(list(other.tables.keys()))
        for name in ("mydb.secret", "alice.secret"):
            with pytest.raises(pyvo.dal.DALQueryError):
                rows(other, f"SELECT * FROM {name}")
        assert rows(other, "SELECT COUNT(*) FROM TAP_SCHEMA.tables WHERE table_name LIKE '%secret'") == [(0,)]
    bob = service(server, "bob")
    assert [requests.get(f"{server.url}/tap/tables/{n}").status_code for n in ("mydb.secret", "alice.secret")] == [
        404
    ] * 2
    with pytest.raises(requests.HTTPError):
        bob.remove_table("alice.secret")
    assert rows(alice, "SELECT COUNT(*) FROM mydb.secret") == [(0,)]


def test_r09_jobs_that_make_indexes_are_those_of_their_owner(server, alice):
    alice.create_table("t", io.StringIO(DEFINITION))
    with requests.Session() as me:
        me.auth = ("alice", PASSWORD)
        asked = {"table": "t", "index": "article"}
        job = me.post(f"{server.url}/tap/table-update", data=asked, allow_redirects=False).headers["location"]
        assert me.get(job).status_code == 200
        for auth, status in ((("bob", PASSWORD), 404), (None, 401)):
            for path in ("", "/phase", "/parameters", "/results/result", "/owner"):
                assert requests.get(job + path, auth=auth).status_code == status
            assert requests.post(f"{job}/phase", data={"PHASE": "ABORT"}, auth=auth).status_code == status
            assert requests.delete(job, auth=auth).status_code == status
        assert me.get(f"{job}/phase").text == "PENDING"
