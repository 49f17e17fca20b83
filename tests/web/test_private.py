"""A private collection, asked for by every path: it is there for those whom `[[private]]` names, and for no others."""

from __future__ import annotations

import json

import httpx
import pytest
import serving
from astropy.table import Table

from skydex.archive import Archive
from skydex.ingest import ingest_files

PASSWORD = "correct horse"
OFFERS = """
[[private]]
schema = "secret"
users = ["alice"]
groups = ["team"]

[[tap]]
name = "{hidden}tap"
title = "Concealed by {hidden}"
paths = ["/{hidden}/tapservice"]
schemas = {{ dbo = ["{hidden}"] }}

[[scs]]
path = "/{hidden}cone"
table = "{hidden}.objects"

[[catalog]]
path = "{hidden}rest/objects"
table = "{hidden}.objects"
crossmatch = true

[[casjobs]]
context = "{hidden}Context"
schemas = {{ dbo = ["{hidden}"] }}

[[names]]
table = "secret.objects"
"""
QUERY = {"LANG": "ADQL", "RESPONSEFORMAT": "csv"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a private collection, `secret`, and offers of it and of one that is not there, `absent`."""
    where = tmp_path_factory.mktemp("private")
    place = serving.build_archive(where)
    Table({"objname": ["Nova Q"], "ra": [10.0], "dec": [20.0]}).write(where / "objects.ecsv")
    ingest_files([where / "objects.ecsv"], place, "secret.objects", ra="ra", dec="dec", id="objname")
    offers = OFFERS.format(hidden="secret")
    absent = OFFERS.format(hidden="absent").partition("[[tap]]")[2].partition("[[names]]")[0]
    (place / "services.toml").write_text(
        f"{offers}columns = ['objname']\n[[tap]]{absent}\n[[private]]\nschema = 'sekret'\n"
    )
    accounts = Archive.open(place).accounts
    accounts.add_group("team")
    for name in ("alice", "bob", "carol"):
        accounts.add(name, PASSWORD)
    accounts.join("team", "carol")
    with serving.serving(place) as server:
        server.place = place
        yield server


@pytest.fixture(params=["nobody", "bob"])
def other(server, request):
    """Somebody who may not see it."""
    auth = (request.param, PASSWORD) if request.param != "nobody" else None
    with httpx.Client(base_url=server.url, auth=auth, timeout=30) as client:
        yield client


@pytest.fixture(params=["alice", "carol"])
def member(server, request):
    """Somebody who may."""
    with httpx.Client(base_url=server.url, auth=(request.param, PASSWORD), timeout=30) as client:
        yield client


def tap(base, query):
    return ("GET", f"{base}/sync", {**QUERY, "QUERY": query})


CONE = {"RA": "10", "DEC": "20", "SR": "1"}
AROUND = {"ra": "10", "dec": "20", "radius": "0.1"}
PATHS = [
    tap("/tap", "SELECT * FROM {}.objects"),
    tap("/tap", "SELECT * FROM {}.nothing"),
    tap("/tap", "SELECT s.star_id FROM sky.stars AS s, {}.objects AS o"),
    tap("/{}/tap", "SELECT * FROM objects"),
    tap("/{}tap/tap", "SELECT * FROM dbo.objects"),
    tap("/{}/tapservice", "SELECT * FROM dbo.objects"),
    ("GET", "/{}/tap", {}),
    ("GET", "/{}/tap/tables", {}),
    ("GET", "/{}/tap/tables/{}.objects", {}),
    ("GET", "/tap/tables/{}.objects", {}),
    ("GET", "/{}/tap/examples", {}),
    ("GET", "/{}/tap/capabilities", {}),
    ("GET", "/{}/tap/async", {}),
    ("GET", "/{}/scs/objects", CONE),
    ("GET", "/{}/scs/objects/capabilities", {}),
    ("GET", "/{}cone", CONE),
    ("GET", "/api/v0.1/{}/objects.csv", AROUND),
    ("GET", "/api/v0.1/{}rest/objects.csv", AROUND),
    ("GET", "/api/v0.1/{}rest/objects/metadata", {}),
    ("GET", "/api/v0.1/{}rest/objects/docs", {}),
    ("GET", "/look/density/{}.objects.json", {"x": "ra", "y": "dec"}),
    ("GET", "/look/sky/{}.objects", {}),
    ("GET", "/look/histogram/{}.objects.csv", {"x": "ra"}),
    ("GET", "/look/facets/{}.objects", {"columns": "objname"}),
    ("GET", "/look/columns/{}.objects.votable", {}),
]


def said(client, path, hidden):
    """Status and words of an answer, without the name that was asked for."""
    method, address, parameters = path
    address = address.replace("{}", hidden)
    answer = client.request(method, address, params={k: v.replace("{}", hidden) for k, v in parameters.items()})
    return answer.status_code, answer.text.replace(hidden, "NAME")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[1])
def test_r02_others_cannot_tell_it_from_one_that_is_not_there(other, path):
    status, words = said(other, path, "secret")
    assert (status, words) == said(other, path, "absent")
    assert status in (200, 400, 404)
    assert "Nova Q" not in words


@pytest.mark.parametrize("path", [path for path in PATHS if "nothing" not in str(path)], ids=lambda path: path[1])
def test_members_find_it_by_every_path(member, path):
    status, _ = said(member, path, "secret")
    assert status == 200


LISTS = ["/", "/tap/tables", "/tap/examples", "/api/v0.1/", "/api/v0.1/openapi.json"]


@pytest.mark.parametrize("path", [*LISTS, "/capabilities", "/tap/capabilities"])
def test_r02_no_list_tells_others_of_it(other, path):
    answer = other.get(path)
    assert answer.status_code == 200
    assert not [word for word in ("secret", "objname", "Nova Q", "Concealed") if word in answer.text]


def test_lists_tell_members_of_it(member):
    for path in LISTS:
        assert "secret" in member.get(path).text, path
    rows = member.get("/tap/sync", params={**QUERY, "QUERY": "SELECT table_name FROM TAP_SCHEMA.tables"}).text
    assert "secret.objects" in rows


@pytest.mark.parametrize(
    "column", ["tables.table_name", "columns.column_name", "schemas.schema_name", "keys.from_table"]
)
def test_r02_tap_schema_does_not_tell_others_of_it(other, column):
    table, _, name = column.partition(".")
    rows = other.get("/tap/sync", params={**QUERY, "QUERY": f"SELECT {name} FROM TAP_SCHEMA.{table}"})
    assert rows.status_code == 200
    assert not [word for word in ("secret", "objname") if word in rows.text]


def test_r02_jobs_do_not_read_it_for_others(other, server):
    def outcome(hidden):
        asked = {"LANG": "ADQL", "QUERY": f"SELECT * FROM {hidden}.objects", "PHASE": "RUN"}
        made = other.post("/tap/async", data=asked)
        if made.status_code != 303:
            return made.status_code, made.text.replace(hidden, "NAME")
        job = made.headers["location"]
        other.get(job, params={"WAIT": 10})
        return other.get(f"{job}/phase").text, other.get(f"{job}/error").text.replace(hidden, "NAME")

    assert outcome("secret") == outcome("absent")
    assert outcome("secret")[0] in (400, "ERROR")


def test_r02_its_names_are_unknown_to_others(other, member):
    for client, is_known in ((other, False), (member, True)):
        assert ("10.0000" in client.get("/cgi-bin/nph-sesame/-oI/A?Nova%20Q").text) == is_known
        service = {"service": "Mast.Name.Lookup", "params": {"input": "Nova Q", "format": "json"}, "format": "json"}
        found = client.get("/api/v0/invoke", params={"request": json.dumps(service)}).json()
        assert bool(found.get("resolvedCoordinate")) == is_known


def quick(server, name, context, query):
    accounts = Archive.open(server.place).accounts
    asked = {"wsid": accounts.get(name).wsid, "pw": PASSWORD, "qry": query, "context": context, "taskname": "t"}
    answer = httpx.post(f"{server.url}/casjobs/services/jobs.asmx/ExecuteQuickJob", data=asked | {"isSystem": "false"})
    return answer.status_code, answer.text


def test_r02_casjobs_does_not_show_it_to_others(server):
    def said(name, hidden):
        tries = [(f"{hidden}Context", "SELECT * FROM objects")]
        tries += [("MYDB", f"SELECT * FROM {place}objects") for place in (f"{hidden}Context..", f"{hidden}.")]
        return [
            (status, words.replace(hidden, "NAME")) for status, words in (quick(server, name, *try_) for try_ in tries)
        ]

    assert said("bob", "secret") == said("bob", "absent")
    assert {status for status, _ in said("bob", "secret")} == {500}
    assert all("Nova Q" in words for status, words in said("alice", "secret"))


def test_r02_a_cross_match_does_not_read_it_for_others(other, member):
    def matched(client, hidden):
        file = {"file": ("p.csv", "ra,dec\n10,20\n", "text/csv")}
        answer = client.post(
            f"/api/v0.1/{hidden}rest/objects/crossmatch/upload.csv", files=file, data={"radius": "0.1"}
        )
        return answer.status_code, answer.text.replace(hidden, "NAME")

    assert matched(other, "secret") == matched(other, "absent")
    assert "Nova Q" in matched(member, "secret")[1]


def test_an_entry_that_hides_nothing_is_told_to_the_operator(server):
    told = [line for line in server.log if "hides the schema" in line]
    assert len(told) == 1
    assert "services.toml hides the schema sekret, in which nothing is published" in told[0]
