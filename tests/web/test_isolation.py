"""What is somebody's own does not exist for anybody else, whichever way they try (R02, R09).

Every route of every service is tried, filled in with the names of what is alice's, by bob and by somebody who is not
logged in. They may know all her names: what they must not learn is whether those names mean anything. So each request
is made twice, the second time with names that nobody has, and both answers must be the same.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
import tarfile
import time
import zipfile
from dataclasses import dataclass, field

import httpx
import numpy as np
import pytest
import serving
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from starlette.routing import Route

from skydex.archive import Archive, QueryRequest
from skydex.ingest import ingest_files
from skydex.ingest.images import ingest_images
from skydex.jobs import Job, JobResult, Ledger, Phase, QueueLimits, StateDirectory, new_job_id
from skydex.settings import Settings
from skydex.sky import pixels_of
from skydex.store import ArchiveDirectory
from skydex.web import SERVICES
from skydex.web.app import create_app
from skydex.web.casjobs.service import OPERATIONS

SECRETS = ("canary_7f3a", "canary 7f3a", "123.4567891")
"""In the columns, values and descriptions of all that is alice's, and in what her jobs ask."""
NEW = re.compile(r"j[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+Z?|[\w-]+,[\d:]+z|7000\d{4}")
"""Identifiers, moments and numbers of jobs."""
SECOND_NAMES = ("/ps1casjobs", "/hcasjobs", "/viz-bin", "/Santa-war")
"""Other addresses of services that are tried."""
RESULT = JobResult(30, "ab" * 32, "text/csv", ".csv")


@dataclass(frozen=True)
class Names:
    """What somebody may have heard of."""

    own: str = "nebulae_of_alice"
    """A table of hers."""
    shared: str = "shared_by_alice"
    """One that she shares with others."""
    private: str = "proprietary"
    """A schema that she alone may see."""
    user: str = "alice"
    """Her name."""
    path: str = "proprietary/stars"
    """Where her schema is in the catalogue REST API."""
    nova: str = "Nova Aliciae"
    """An object in it."""
    image: str = "nova_of_alice_flt"
    """An image of it."""
    job: str = field(default_factory=new_job_id)
    """A job of hers."""
    wsid: str = "0"
    """Her number."""
    number: str = "0"
    """The number of her job."""


NOBODYS = Names(
    *(
        "nebulae_of_nobod",
        "shared_by_nobod",
        "proprietors",
        "alina",
        "proprietors/stars",
        "Nova Alinicis",
        "nova_of_nobod_flt",
    ),
    *(new_job_id(), "1034567890", "60000001"),
)


@dataclass(frozen=True)
class Attempt:
    """One request."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path} {dict(self.fields)}"


def queries(names: Names) -> list[str]:
    own, private, user = names.own, names.private, names.user
    tables = [f"mydb.{own}", own, f"{user}.{own}", f"{user}.mydb.{own}", f"{user}.{names.shared}", f"{private}.stars"]
    return [
        *(f"SELECT * FROM {table}" for table in tables),
        *(f"SELECT s.star_id FROM sky.stars AS s JOIN {table} AS t ON s.star_id = t.k" for table in tables[:3:2]),
        *(f"SELECT * FROM TAP_SCHEMA.{table} ORDER BY 1, 2" for table in ("schemas", "tables", "columns", "keys")),
    ]


def statements(names: Names) -> list[str]:
    """What users of CasJobs would try."""
    own, private, user = names.own, names.private, names.user
    tables = [own, f"mydb.{own}", f"{user}.{own}", f"{user}.dbo.{own}", f"{user}.{names.shared}"]
    return [
        *(
            f"SELECT * FROM {table}"
            for table in (*tables, f"mydb.{user}.{own}", f"{private}.stars", f"{private}.dbo.stars")
        ),
        *(f"DROP TABLE {table}" for table in tables),
        f"SELECT 1 AS a INTO {user}.{own}_2",
        f"UPDATE {user}.{names.shared} SET x = 0",
        f"DELETE FROM {user}.{names.shared}",
        f"INSERT INTO {user}.{names.shared} SELECT TOP 1 * FROM {user}.{names.shared}",
        f"DROP TABLE IF EXISTS {user}.{own}",
        "SELECT TABLE_NAME FROM information_schema.tables",
        "SELECT COLUMN_NAME FROM information_schema.columns",
    ]


def asked_of_casjobs(operation: str, names: Names) -> list[dict[str, str]]:
    """The parameters of an operation, but for who asks."""
    if operation == "ExecuteQuickJob":
        return [{"qry": text, "context": "MYDB", "taskname": "t", "isSystem": "False"} for text in statements(names)]
    if operation == "SubmitJob":
        return [{"qry": text, "context": "MYDB", "estimate": "1"} for text in statements(names)[2:12:9]]
    about = {"jobid": names.number, "conditions": f"jobid : {names.number}", "qry": statements(names)[2]}
    table = {"tableName": f"{names.user}.{names.own}", "type": "CSV", "data": "a\n1\n", "tableExists": "True"}
    return [{**about, **table, "context": "MYDB"}]


def asked_of_images(route: str, names: Names) -> list[dict[str, str]]:
    """What services of images are asked."""
    did = f"ivo://skydex/{names.private}?{names.image}/0"
    stamp = f"mast:WFC3PSF/url/cgi-bin/fitscut.cgi?red={names.image}[0]&size=4&x=5&y=5&format=fits/x.fits"
    asked: dict[str, list[dict[str, str]]] = {
        "fitscut": [{"red": names.image, "x": "5", "y": "5", "size": "4", "format": f} for f in ("fits", "png")],
        "/soda/": [{"ID": did}, {"ID": did, "CIRCLE": "10 20 0.001", "PHASE": "RUN"}],
        "/datalink": [{"ID": did}, {"ID": f"{names.private}.stars/{names.nova}"}],
        "/sia2": [
            {"POS": "CIRCLE 10 20 1", "RESPONSEFORMAT": "votable/td"},
            {"ID": did},
            {"COLLECTION": names.private},
        ],
        "/sia1": [{"POS": "10,20", "SIZE": "1"}],
        "ps1filenames": [{"ra": "10", "dec": "20"}],
        "hlaSIAP": [{"pos": "10,20", "size": "1"}],
        "Download/": [{"uri": stamp}, {"uri": f"mast:HST/product/{names.image}.fits"}],
    }
    return next((fields for word, fields in asked.items() if word in route), [])


def fields_of(route: str, names: Names) -> list[dict[str, str]]:
    """What a route is asked, as far as its path does not say it all."""
    if images := asked_of_images(route, names):
        return images
    if route.endswith(("/sync", "/async")):
        asked = [{"LANG": "ADQL", "QUERY": query, "FORMAT": "csv"} for query in queries(names)]
        return asked if route.endswith("/sync") else [{}, *({**fields, "PHASE": "RUN"} for fields in asked[:4:2])]
    if "casjobs.cgi" in route:
        return [{"table": table} for table in (names.own, f"{names.user}.{names.own}", f"{names.user}.{names.shared}")]
    if "jobs.asmx/" in route:
        return asked_of_casjobs(route.rpartition("/")[2], names)
    if route.endswith("deletejobs"):
        return [{"JOB_IDS": names.job}]
    if "sesame" in route:
        return [{"options": "-oxp/ALL", "query": names.nova}]
    if "invoke" in route or "Santa" in route:
        asked = {"service": "Mast.Hsc.Db.v3", "format": "json", "params": {"ra": 10, "dec": 20, "radius": 0.1}}
        named = {"service": "Mast.Name.Lookup", "format": "json", "params": {"input": names.nova}}
        return [{"request": json.dumps(request)} for request in (asked, named)]
    if "scs" in route or "cone" in route:
        return [{"RA": "10", "DEC": "20", "SR": "1"}]
    if "api/v0.1" in route:
        return [{"ra": "10", "dec": "20", "radius": "0.1"}]
    if "async/{id}" in route or "table-update" in route:
        changes = ({"PHASE": "ABORT"}, {"ACTION": "DELETE"}, {"EXECUTIONDURATION": "1"})
        return [*changes, {"TABLE": names.own, "INDEX": "k"}]
    if "/mydb" in route:
        return [{"to": f"{names.own}_3", "users": "bob", "groups": "g", "name": names.own, "table": names.own}]
    return [{}]


CANDIDATES = {
    "collection": lambda names: [names.private, names.user, "mydb"],
    "table": lambda names: ["stars", names.own],
    "id": lambda names: [names.job],
    "path": lambda names: [names.path],
    "format": lambda _: ["csv", "fits"],
    "options": lambda names: [names.nova],
    "place": lambda names: [names.image, f"{names.image}/0", f"{names.image}/preview.jpg"],
    "order": lambda _: ["3"],
    "folder": lambda _: ["0"],
    "pixel": lambda _: [str(pixels_of([10.0], [20.0], 3)[0])],
    "band": lambda _: ["F606W"],
    "operation": lambda _: [one.name for part in OPERATIONS.values() for one in part],
}
"""What may stand in a path."""


def names_in(route: str, names: Names) -> list[str]:
    if "/async/" in route or "table-update" in route:
        return ["QUERY", "result"]
    if "output" in route:
        return [f"{names.job}.csv"]
    tables = [names.own, f"{names.own}.csv", f"mydb.{names.own}", f"{names.user}.{names.own}"]
    return [*tables, f"{names.user}.{names.shared}", f"{names.private}.stars"]


def makes_a_table(attempt: Attempt) -> bool:
    return attempt.method == "PUT" or "/load/" in attempt.path or "Upload" in attempt.path or "/mydb/" in attempt.path


def attempts(routes: list[Route], names: Names) -> list[Attempt]:
    """Every route with every name in its path, by each of its verbs; what may make tables comes last."""
    found = []
    for route in routes:
        if route.path.startswith(SECOND_NAMES):
            continue
        parts = re.findall(r"\{(\w+)(?::path)?\}", route.path)
        values = [names_in(route.path, names) if p == "name" else CANDIDATES[p](names) for p in parts]
        for chosen in itertools.product(*values):
            path = route.path
            for part, value in zip(parts, chosen, strict=True):
                path = re.sub(rf"\{{{part}(:path)?\}}", value.replace(" ", "%20"), path)
            for method in sorted({*route.endpoint._methods} - {"HEAD"}):
                for fields in fields_of(path if "{operation}" in route.path else route.path, names):
                    found.append(Attempt(method, path, tuple(fields.items())))
    return sorted(dict.fromkeys(found), key=makes_a_table)


def sent(client: httpx.Client, attempt: Attempt) -> httpx.Response:
    fields = {**dict(attempt.fields), **(client.credentials if "casjobs" in attempt.path else {})}
    if attempt.method == "POST":
        return client.post(attempt.path, data=fields)
    if attempt.method == "PUT":
        return client.put(attempt.path, content=b"a,b\n1,2\n", headers={"Content-Type": "text/csv"})
    return client.request(attempt.method, attempt.path, params=fields)


def text_of(answer: httpx.Response) -> str:
    """What an answer says; of a bundle its manifest, whose names it has in compressed form."""
    kind = answer.headers.get("content-type", "")
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            return " ".join(bundle.read(name).decode() for name in bundle.namelist())
    if kind == "application/gzip":
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as bundle:
            return " ".join(file.read().decode() for one in bundle if (file := bundle.extractfile(one)))
    return answer.text


def seen(answer: httpx.Response, *known: Names) -> tuple[int, str, str]:
    """What an answer tells, apart from the names that were asked for and what is new each time."""
    text = f"{answer.headers.get('location', '')} {text_of(answer)}"
    names = [(name, f"<{key}>") for one in known for key, name in vars(one).items()]
    for name, mark in sorted(names, key=lambda pair: -len(pair[0])):
        for spelled in {name, name.lower(), name.replace(" ", "%20"), name.replace(" ", "+")}:
            text = text.replace(spelled, mark)
    return answer.status_code, answer.headers.get("content-type", ""), NEW.sub("<new>", text)


@dataclass(frozen=True)
class Ground:
    """A server with what is alice's."""

    server: serving.Server
    archive: Archive
    state: StateDirectory
    routes: list[Route]
    names: Names

    def everything(self) -> object:
        """All that is alice's."""
        mydb = self.archive.mydb("alice")
        with contextlib.closing(Ledger(self.state.ledger)) as ledger:
            jobs = [job for job in map(ledger.get, sorted(ledger.identifiers())) if job.owner == "alice"]
        files = [(file, file.stat().st_size) for job in jobs for file in sorted(self.state.folder(job.id).rglob("*"))]
        return mydb.revision, mydb.tables(), jobs, files


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    place = tmp_path_factory.mktemp("isolated")
    directory = serving.build_archive(place)
    publish_private(directory, place)
    archive = Archive.open(directory)
    for name in ("alice", "bob", "carol"):
        archive.accounts.add(name, f"the password of {name}")
    archive.accounts.add_group("g")
    keep_tables(archive)
    state = StateDirectory(Settings().state_directory(directory))
    job = keep_job(state)
    names = Names(job=job.id, wsid=str(archive.accounts.get("alice").wsid), number=str(job.number))
    routes = [route for route in create_app(directory, Settings(), SERVICES)._routes if isinstance(route, Route)]
    with serving.serving(directory) as server:
        yield Ground(server, archive, state, routes, names)


def publish_private(directory, place):
    """A schema that alice alone may see, offered by every service that can offer one."""
    rows = Table({"name": ["Nova Aliciae"], "ra": [10.0], "dec": [20.0], "canary_7f3a": [123.4567891]})
    rows.write(place / "stars.ecsv")
    given = {"ra": "ra", "dec": "dec", "id": "name", "description": "canary 7f3a"}
    ingest_files([place / "stars.ecsv"], directory, "proprietary.stars", **given)
    ingest_images([write_image(place)], ArchiveDirectory(directory), "proprietary", description="canary 7f3a")
    offers = """
        [[private]]
        schema = "proprietary"
        users = ["alice"]
        [[names]]
        table = "proprietary.stars"
        [[catalog]]
        path = "proprietary/stars"
        table = "proprietary.stars"
        [[scs]]
        path = "/nova/cone"
        table = "proprietary.stars"
        [[tap]]
        name = "novae"
        paths = ["/nova/tap"]
        schemas = { dbo = ["proprietary"] }
    """
    (directory / "services.toml").write_text(offers)


def write_image(place):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [10.0, 20.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [10.5, 10.5], [-1e-3, 1e-3]
    image = fits.PrimaryHDU(np.full((20, 20), 123.4567891), wcs.to_header())
    image.header.update(
        OBJECT="canary 7f3a", FILTER="F606W", TELESCOP="HST", INSTRUME="ACS", **{"DATE-OBS": "2020-01-01"}
    )
    image.writeto(place / "nova_of_alice_flt.fits")
    return place / "nova_of_alice_flt.fits"


def keep_tables(archive):
    """A table of alice's, and one that she shares with carol and with a group in which bob is not."""
    query = "SELECT star_id AS k, 'canary 7f3a' AS canary_7f3a, 123.4567891 AS x FROM sky.stars WHERE star_id < 3"
    mydb = archive.mydb("alice")
    for name in ("nebulae_of_alice", "shared_by_alice"):
        with archive.query(QueryRequest(query)) as result:
            mydb.create(name, result.columns, result.batches, description="canary 7f3a")
    mydb.share("shared_by_alice", users=["carol"], groups=["g"])


def keep_job(state):
    """A completed job of alice's, with its file."""
    job = Job(
        id=new_job_id(), kind="tap", scope="", owner="alice", address="127.0.0.1", run_id="canary 7f3a",
        phase=Phase.COMPLETED, created=time.time(), duration_s=60, destruction=time.time() + 10_000,
        parameters=(("QUERY", "SELECT 'canary_7f3a'"),), attempt=1, result=RESULT,
    )  # fmt: skip
    state.claim()
    with contextlib.closing(Ledger(state.ledger)) as ledger, ledger.transaction():
        ledger._connection.execute("INSERT INTO sqlite_sequence VALUES ('jobs', 70000000)")
        kept = ledger.add(job, QueueLimits(99, 99, 99, 99, 99))
    state.folder(kept.id).mkdir(parents=True)
    state.result(kept.id, 1).write_bytes(b"k,canary_7f3a\n1,123.4567891\n".ljust(RESULT.size))
    state.release()
    return kept


@pytest.fixture(scope="module")
def login(ground):
    with contextlib.ExitStack() as clients:

        def login(name=None):
            client = clients.enter_context(httpx.Client(base_url=ground.server.url, timeout=30))
            client.credentials = {}
            if name:
                user = ground.archive.accounts.get(name)
                token = ground.archive.accounts.make_token(user, seconds=600)
                client.headers["Authorization"] = f"Bearer {token}"
                client.credentials = {"wsid": str(user.wsid), "userid": name, "pw": f"the password of {name}"}
            return client

        yield login


def test_r02_what_is_somebodys_own_can_be_told_from_nothing_by_no_request_of_others(ground, login):
    before = ground.everything()
    mine, nobodys = (attempts(ground.routes, names) for names in (ground.names, NOBODYS))
    assert len(mine) > 200
    told: list[str] = []
    for client in (login("bob"), login()):
        for attempt, other in zip(mine, nobodys, strict=True):
            if "casjobs" in attempt.path and not client.credentials:
                continue  # wrong passwords are counted, and then they are refused unheard
            answer, twin = sent(client, attempt), sent(client, other)
            names = unasked(answer, attempt, ground.names)
            if has_secrets(answer) or names:
                told.append(f"{attempt} {names}: {answer.text[:300]}")
            elif (first := seen(answer, ground.names, NOBODYS)) != (second := seen(twin, ground.names, NOBODYS)):
                told.append(f"{attempt}: {first} is not {second}"[:1500])
        for job in ended_jobs(client):
            if any(has_secrets(client.get(f"{job}{path}")) for path in ("", "/error", "/results/result")):
                told.append(f"a job: {client.get(job).text}")
    assert told == [], "\n".join(told)
    assert ground.everything() == before


def unasked(answer: httpx.Response, attempt: Attempt, names: Names) -> list[str]:
    """Names that only the answer has; the tables that somebody makes by a name of hers are not meant."""
    others = (name for key, name in vars(names).items() if key not in ("own", "user"))
    return [name for name in others if name in answer.text and name not in str(attempt).replace("%20", " ")]


def has_secrets(answer: httpx.Response) -> bool:
    return any(secret in answer.text for secret in SECRETS)


def ended_jobs(client: httpx.Client) -> list[str]:
    """The addresses of all jobs of somebody, once they have ended."""
    listed = re.findall(r'href="([^"]+/async/j[0-9a-f]{32})"', client.get("/tap/async").text)
    for job in listed:
        for phase in ("QUEUED", "EXECUTING"):
            assert f"<uws:phase>{phase}" not in client.get(job, params={"WAIT": "20", "PHASE": phase}).text
    return listed


SEEN_BY_ALICE = (
    *("/tap/sync", "/tap/tables", "/tap/tables/{name}", "/{collection}/tap/sync", "/{collection}/tap/tables"),
    *("/tap/async/{id}", "/tap/async/{id}/parameters", "/tap/async/{id}/parameters/{name}", "/tap/async"),
    *(
        "/tap/async/{id}/results/{name}",
        "/{collection}/scs/{table}",
        "/nova/cone",
        "/nova/tap/tables",
        "/nova/tap/sync",
    ),
    *("/api/v0.1/{path:path}", "/api/v0.1/{path:path}/metadata", "/mydb/tables", "/mydb/tables/{name}"),
    *("/casjobs/services/jobs.asmx/{operation}", "/cgi-bin/quick_casjobs.cgi"),
    *("/cgi-bin/fitscut.cgi", "/cgi-bin/hla/fitscut.cgi", "/soda/sync", "/sia2/query"),
    *("/images/{collection}/{place:path}", "/api/v0.1/Download/file"),
)
"""Routes by which she sees what is hers: the same requests are good ones."""


@pytest.mark.parametrize("path", SEEN_BY_ALICE)
def test_the_same_requests_tell_alice_what_is_hers(ground, login, path):
    routes = [route for route in ground.routes if route.path == path]
    harmless = [
        attempt
        for attempt in attempts(routes, ground.names)
        if (attempt.method == "GET" or path.endswith("/sync")) and "DROP" not in str(attempt)
    ]
    alice = login("alice")
    assert any(has_secrets(sent(alice, attempt)) for attempt in harmless), harmless


def test_r02_what_is_shared_is_seen_by_those_with_whom_it_is_shared(ground, login):
    query = {"LANG": "ADQL", "QUERY": "SELECT * FROM alice.shared_by_alice", "FORMAT": "csv"}
    assert has_secrets(login("carol").post("/tap/sync", data=query))
    refused = login("bob").post("/tap/sync", data=query)
    ground.archive.accounts.join("g", "bob")
    assert has_secrets(login("bob").post("/tap/sync", data=query))
    ground.archive.accounts.leave("g", "bob")
    assert seen(login("bob").post("/tap/sync", data=query)) == seen(refused)
    kept = {"LANG": "ADQL", "QUERY": "SELECT * FROM alice.nebulae_of_alice", "FORMAT": "csv"}
    assert login("carol").post("/tap/sync", data=kept).status_code == 400
