"""The tables of one's own over HTTP: files in, files out, and nobody else's business."""

from __future__ import annotations

import gzip
import io

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import serving
from astropy.table import Table

from skydex.archive import Archive
from skydex.web.door import COOKIE

PASSWORD = "correct horse"
STARS = "id,ra,dec,name\n1,10.5,-5,007\n2,20.25,5,Gliese 1\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    place = serving.build_archive(tmp_path_factory.mktemp("mydb"))
    accounts = Archive.open(place).accounts
    for name in ("alice", "bob", "carol"):
        accounts.add(name, PASSWORD)
    accounts.add("dave", PASSWORD, quota_tables=1, quota_mb=1)
    accounts.add_group("observers")
    for name in ("alice", "carol"):
        accounts.join("observers", name)
    with serving.serving(place, mydb_upload_mb=8) as server:
        server.accounts = accounts
        yield server


@pytest.fixture
def client(server):
    """A client of the server for a user; the tables that she made are gone afterwards."""
    opened = []

    def client(name):
        made = httpx.Client(base_url=server.url, auth=(name, PASSWORD) if name else None, timeout=30)
        opened.append(made)
        return made

    yield client
    for one in opened:
        tables = one.get("/mydb/tables").json() if one.auth else []
        for table in tables:
            one.delete(f"/mydb/tables/{table['name'].partition('.')[2]}")
        one.close()


@pytest.fixture
def alice(client):
    return client("alice")


def ask(client, query):
    return client.get("/tap/sync", params={"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv"})


def rows(client, query):
    answer = ask(client, query)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()[1:]


def test_a_file_becomes_a_table_is_listed_described_and_dropped(alice):
    made = alice.put("/mydb/tables/stars", content=STARS, params={"description": "Two stars"})
    assert (made.status_code, made.json()) == (201, {"name": "mydb.stars", "n_rows": 2, "warnings": []})
    (listed,) = alice.get("/mydb/tables").json()
    assert (listed["name"], listed["n_rows"], listed["description"]) == ("mydb.stars", 2, "Two stars")
    columns = alice.get("/mydb/tables/STARS").json()["columns"]
    assert [(c["name"], c["datatype"]) for c in columns] == [
        ("id", "long"), ("ra", "double"), ("dec", "long"), ("name", "char"),
    ]  # fmt: skip
    used = alice.get("/mydb").json()
    assert (used["user"], used["tables"]["used"], used["bytes"]["used"]) == ("alice", 1, listed["n_bytes"])
    assert rows(alice, "SELECT name FROM mydb.stars ORDER BY id") == ["007", "Gliese 1"]
    assert alice.delete("/mydb/tables/stars").status_code == 204
    assert alice.get("/mydb/tables/stars").status_code == alice.delete("/mydb/tables/stars").status_code == 404
    assert alice.get("/mydb/tables").json() == []


def test_a_table_is_appended_to_and_replaced(alice):
    alice.put("/mydb/tables/t", content=STARS)
    assert alice.put("/mydb/tables/t", content=STARS).status_code == 409
    more = alice.put("/mydb/tables/t", content="name,id\n0042,3\n", params={"mode": "append"})
    assert (more.status_code, more.json()["n_rows"]) == (200, 1)
    assert rows(alice, "SELECT id, name, ra FROM mydb.t WHERE id = 3") == ["3,0042,"]
    wrong = alice.put("/mydb/tables/t", content="id,mag\n4,1.5\n", params={"mode": "append"})
    assert (wrong.status_code, "mag" in wrong.json()["error"]) == (400, True)
    wrong = alice.put("/mydb/tables/t", content="id\nfour\n", params={"mode": "append"})
    assert (wrong.status_code, "id" in wrong.json()["error"]) == (400, True)
    assert rows(alice, "SELECT COUNT(*) FROM mydb.t") == ["3"]
    assert alice.put("/mydb/tables/t", content="x\n1.5\n", params={"mode": "replace"}).status_code == 201
    assert rows(alice, "SELECT * FROM mydb.t") == ["1.5"]
    assert alice.put("/mydb/tables/none", content=STARS, params={"mode": "append"}).status_code == 404
    assert alice.put("/mydb/tables/t", content=STARS, params={"mode": "upsert"}).status_code == 400


def written(table: Table, kind: str) -> bytes:
    stream = io.BytesIO()
    table.write(stream, format=kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["votable", "fits", "parquet", "ascii.ecsv", "gzip"])
def test_tables_come_in_many_formats(alice, kind):
    table = Table({"id": [1, 2, 3], "mag": np.array([1.5, 2.5, np.nan], "f4"), "name": ["a", "bcd", "é"]})
    if kind == "gzip":
        content = gzip.compress(b"id,mag,name\n1,1.5,a\n2,2.5,bcd\n3,,\xc3\xa9\n")
    elif kind in ("votable", "ascii.ecsv"):
        text = io.BytesIO() if kind == "votable" else io.StringIO()
        table.write(text, format=kind)
        content = text.getvalue() if kind == "votable" else text.getvalue().encode()
    elif kind == "fits":
        table["name"] = ["a", "bcd", "e"]
        content = written(table, "fits")
    else:
        stream = io.BytesIO()
        pq.write_table(pa.table({c: list(table[c]) for c in table.colnames}), stream)
        content = stream.getvalue()
    assert alice.put("/mydb/tables/t", content=content).status_code == 201
    assert rows(alice, "SELECT id, mag FROM mydb.t ORDER BY id") == ["1,1.5", "2,2.5", "3,"]


def test_the_whole_table_comes_out_in_many_formats(alice, tmp_path):
    content = "id,mag\n" + "".join(f"{i},{i / 8}\n" for i in range(30_000))
    alice.put("/mydb/tables/t", content=content)

    def given(suffix, **asked):
        answer = alice.get(f"/mydb/tables/t{suffix}", params=asked)
        assert answer.status_code == 200, answer.text
        file = tmp_path / answer.headers["content-disposition"].partition('filename="')[2].rstrip('"')
        file.write_bytes(answer.content)
        return file

    for file, kind in ((given(".csv"), "ascii.csv"), (given(".fits"), "fits"), (given(".vot"), "votable")):
        found = Table.read(file, format=kind)
        assert (len(found), sorted(found["id"])[-1], max(found["mag"])) == (30_000, 29_999, 29_999 / 8)
    assert pq.read_table(given(".parquet")).num_rows == 30_000
    assert pa.ipc.open_stream(given("", format="arrow").read_bytes()).read_all().num_rows == 30_000
    assert alice.get("/mydb/tables/t.exe").status_code == 400
    assert alice.get("/mydb/tables/none.csv").status_code == 404


def test_a_table_comes_in_a_form(alice):
    form = {"name": "mydb.t", "description": "by hand"}
    made = alice.post("/mydb/tables", data=form, files={"file": ("x.csv", STARS, "text/csv")})
    assert (made.status_code, made.json()["name"]) == (201, "mydb.t")
    assert alice.post("/mydb/tables", data={"name": "u", "file": STARS}).status_code == 201
    assert alice.post("/mydb/tables", data={"name": "v"}).status_code == 400
    assert alice.post("/mydb/tables", data={"file": STARS}).status_code == 400


def test_a_table_gets_another_name(alice):
    alice.put("/mydb/tables/t", content=STARS)
    alice.put("/mydb/tables/u", content=STARS)
    assert alice.post("/mydb/tables/t/rename", data={"to": "U"}).status_code == 409
    assert alice.post("/mydb/tables/none/rename", data={"to": "v"}).status_code == 404
    assert alice.post("/mydb/tables/t/rename", data={"to": "sky.stars"}).status_code == 403
    assert alice.post("/mydb/tables/t/rename", data={"to": "mydb.w"}).json()["name"] == "mydb.w"
    assert [table["name"] for table in alice.get("/mydb/tables").json()] == ["mydb.u", "mydb.w"]


def test_a_table_is_shared_with_users_and_groups_and_no_more(client, alice):
    bob, carol = client("bob"), client("carol")
    alice.put("/mydb/tables/t", content=STARS)
    assert ask(bob, "SELECT * FROM alice.t").status_code == 400
    shared = alice.post("/mydb/tables/t/share", data={"users": "BOB"})
    assert (shared.status_code, shared.json()["users"]) == (200, ["bob"])
    assert rows(bob, "SELECT id FROM alice.t ORDER BY id") == ["1", "2"]
    assert ask(carol, "SELECT * FROM alice.t").status_code == 400
    assert alice.post("/mydb/tables/t/share", data={"groups": "Observers"}).json()["groups"] == ["observers"]
    assert rows(carol, "SELECT COUNT(*) FROM alice.t") == ["2"]
    for change in (bob.delete("/mydb/tables/alice.t"), bob.put("/mydb/tables/alice.t", content=STARS)):
        assert change.status_code == 403
    alice.post("/mydb/tables/t/unshare", data={"users": "bob", "groups": "observers"})
    assert [ask(other, "SELECT * FROM alice.t").status_code for other in (bob, carol)] == [400, 400]


def test_one_shares_with_those_who_are_there_and_groups_that_one_is_in(client, alice):
    bob = client("bob")
    alice.put("/mydb/tables/t", content=STARS)
    bob.put("/mydb/tables/t", content=STARS)
    assert "nobody" in alice.post("/mydb/tables/t/share", data={"users": "bob,nobody"}).json()["error"]
    assert alice.get("/mydb/tables/t").json()["users"] == []
    other = bob.post("/mydb/tables/t/share", data={"groups": "observers"})
    none = bob.post("/mydb/tables/t/share", data={"groups": "no_such_group"})
    assert (other.status_code, none.status_code) == (400, 400)
    assert other.json()["error"].replace("observers", "no_such_group") == none.json()["error"]
    assert alice.post("/mydb/tables/t/share").status_code == 400


def test_who_is_not_logged_in_has_no_tables(client):
    nobody = client(None)
    asked = [nobody.get("/mydb"), nobody.get("/mydb/tables"), nobody.get("/mydb/tables/t.csv")]
    asked += [nobody.put("/mydb/tables/t", content=STARS), nobody.delete("/mydb/tables/t")]
    asked += [nobody.post("/mydb/tables", data={"name": "t", "file": STARS})]
    asked += [nobody.post(f"/mydb/tables/t/{verb}", data={"to": "u", "users": "bob"}) for verb in ("rename", "share")]
    assert {answer.status_code for answer in asked} == {401}
    assert all("www-authenticate" in answer.headers for answer in asked)


def test_the_quota_is_named_and_leaves_nothing_behind(client):
    dave = client("dave")
    large = "x,y,z\n" + "\n".join(",".join(map(str, row)) for row in np.random.default_rng(1).random((60_000, 3)))
    full = dave.put("/mydb/tables/large", content=large)
    assert (full.status_code, "1.0 MB" in full.json()["error"]) == (413, True)
    assert dave.get("/mydb/tables").json() == []
    assert dave.put("/mydb/tables/t", content=STARS).status_code == 201
    full = dave.put("/mydb/tables/u", content=STARS)
    assert (full.status_code, "1 tables" in full.json()["error"]) == (413, True)


HOSTILE = {
    "a file of a kind that is none": bytes(range(256)),
    "nothing": b"",
    "rows elsewhere": b"<VOTABLE><RESOURCE><TABLE><FIELD name='a' datatype='int'/><DATA><BINARY>"
    b"<STREAM href='file:///etc/passwd'/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>",
    "a definition with entities": b"<!DOCTYPE table [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><table>&a;</table>",
    "a definition without columns": b"<table><name>t</name></table>",
    "a definition of a strange type": b"<table><column><name>a</name><dataType>blob</dataType></column></table>",
    "a definition that ends early": b"<table><column><name>a</name>",
    "a deep definition": b"<table>" + b"<column>" * 500 + b"</column>" * 500 + b"</table>",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused(alice, content):
    answer = alice.put("/mydb/tables/t", content=content)
    assert answer.status_code == 400, answer.text
    assert "root:" not in answer.text
    assert "/tmp" not in answer.text
    assert alice.get("/mydb/tables").json() == []


def test_files_over_the_limit_are_refused_packed_or_not(alice):
    content = b"x\n" + b"1234567\n" * (1 << 20) + b"1"
    for sent in (content, gzip.compress(content, 1)):
        answer = alice.put("/mydb/tables/t", content=sent)
        assert (answer.status_code, "8 MB" in answer.json()["error"]) == (413, True)
    assert alice.get("/mydb/tables").json() == []


@pytest.mark.parametrize("name", ["sky.stars", "tap_schema.tables", "bob.t", "a.b.c", "..%2Fx", "x%00", "1t", "a b"])
def test_tables_are_made_under_ones_own_names_only(alice, name):
    assert alice.put(f"/mydb/tables/{name}", content=STARS).status_code in (400, 403, 404, 405)
    assert alice.get("/mydb/tables").json() == []


def test_a_browser_with_a_session_changes_nothing_without_its_token(server, client):
    accounts = server.accounts
    secret = accounts.make_session(accounts.get("alice"), seconds=60)
    browser = client(None)
    browser.cookies.set(COOKIE, secret)
    changes = [browser.put("/mydb/tables/t", content=STARS), browser.delete("/mydb/tables/t")]
    changes += [browser.post("/mydb/tables/t/share", data={"users": "bob"})]
    changes += [browser.put("/tap/tables/t", content=STARS), browser.post("/tap/load/t", content=STARS)]
    assert {answer.status_code for answer in changes} == {403}
    assert browser.get("/mydb").json()["user"] == "alice"


def test_own_and_shared_tables_are_searched_like_catalogues(client, alice):
    bob = client("bob")
    alice.put("/mydb/tables/t", content="id,ra,dec\n1,10.5,-5.5\n2,20.25,5.5\n")
    alice.post("/mydb/tables/t/share", data={"users": "bob"})
    cone = {"RA": 10.5, "DEC": -5.5, "SR": 0.1, "RESPONSEFORMAT": "csv"}
    around = {"ra": 10.5, "dec": -5.5, "radius": 0.1}
    for who, schema in ((alice, "mydb"), (alice, "alice"), (bob, "alice")):
        assert len(who.get(f"/{schema}/scs/t", params=cone).text.splitlines()) == 2
        assert len(who.get(f"/api/v0.1/{schema}/t.csv", params=around).text.splitlines()) == 2
        assert who.get(f"/api/v0.1/{schema}/t/metadata").status_code == 200
    alice.post("/mydb/tables/t/unshare", data={"users": "bob"})
    for who, schema in ((bob, "alice"), (bob, "mydb"), (client(None), "alice"), (client(None), "mydb")):
        assert who.get(f"/api/v0.1/{schema}/t.csv", params=around).status_code == 404
        assert 'name="Error"' in who.get(f"/{schema}/scs/t", params=cone | {"RESPONSEFORMAT": "votable"}).text
