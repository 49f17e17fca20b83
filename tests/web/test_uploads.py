"""Tables that come along with a query, by raw HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import resource
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import requests
from astropy.io.votable import from_table, writeto
from astropy.table import Table
from serving import serving, stars
from test_fetch import Script, fetcher, plain
from test_tap import error_of, table_of

from skydex.errors import BadParameterError, FetchError, StoreError, UploadTooLargeError
from skydex.settings import Settings
from skydex.web.asgi import Call
from skydex.web.intake import Intake
from skydex.web.uploads import received

COUNT = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.u"
VOTABLE = "application/x-votable+xml"


def votable(table, tabledata_format="tabledata"):
    document = from_table(table)
    out = io.BytesIO()
    writeto(document, out, tabledata_format=tabledata_format)
    return out.getvalue()


NUMBERS = votable(Table({"k": [1, 2, 3], "x": [0.5, 1.5, 2.5]}))


def ask(web, query=COUNT, *, files, upload="u,param:u", **fields):
    form = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query, "UPLOAD": upload, **fields}
    return web.post("/tap/sync", data=form, files=files)


def test_an_uploaded_table_is_queried_like_any_other(web):
    answer = ask(web, "SELECT k, x FROM TAP_UPLOAD.u WHERE x > 1 ORDER BY k", files={"u": ("u", NUMBERS, VOTABLE)})
    assert [tuple(row) for row in table_of(answer)] == [(2, 1.5), (3, 2.5)]


def test_an_uploaded_table_joins_with_a_published_one(web):
    ids = votable(Table({"id": [3, 5, 7]}))
    query = "SELECT star_id, ra FROM TAP_UPLOAD.u AS u JOIN sky.stars AS s ON u.id = s.star_id ORDER BY star_id"
    assert list(table_of(ask(web, query, files={"u": ("u", ids, VOTABLE)}))["ra"]) == list(stars()["ra"][[3, 5, 7]])


@pytest.mark.parametrize("upload", ["u,param:u;v,param:w", ["u,param:u", "v,param:w"], "u , param:u ; v,PARAM:W ;"])
def test_several_tables_come_in_one_parameter_or_in_several(web, upload):
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.u, TAP_UPLOAD.v"
    answer = ask(web, query, upload=upload, files={"u": ("u", NUMBERS, VOTABLE), "w": ("w", NUMBERS, VOTABLE)})
    assert table_of(answer)["n"][0] == 9


@pytest.mark.parametrize(
    ("upload", "part"),
    [
        ("u", "name,param:part"),
        ("u,", "name,param:part"),
        ("u,u", "name,param:part"),
        (",param:u", "name is a letter"),
        ("1u,param:u", '"1u"'),
        ("TAP_UPLOAD.u,param:u", "without a schema"),
        ('"u",param:u', "name is a letter"),
        ("u,param:other", '"other"'),
        ("u,param:u;U,param:u", "a name of its own"),
        ("u,http://127.0.0.1:1/x.xml", "as name,param:part"),
        ("u,file:///etc/passwd", "as name,param:part"),
        (";".join(f"u{i},param:u" for i in range(33)), "at most 32"),
        ("u,param:u;" * 20_000, "more than 100,000 characters"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_by_name_and_with_the_remedy(web, upload, part):
    assert part in error_of(ask(web, upload=upload, files={"u": ("u", NUMBERS, VOTABLE)}))


def test_two_parts_of_one_name_are_ambiguous(web):
    files = [("u", ("u", NUMBERS, VOTABLE)), ("u", ("v", NUMBERS, VOTABLE))]
    assert "has 2" in error_of(ask(web, files=files))


def test_a_table_may_come_as_a_plain_field(web):
    answer = ask(web, files={"u": (None, NUMBERS)})
    assert table_of(answer)["n"][0] == 3


def test_the_name_of_a_file_is_never_a_path(web, tmp_path):
    for name in (f"{tmp_path}/x.vot", "../../x.vot", "..\\x.vot", "x/../../y", "\x00.csv", "a" * 100_000):
        answer = ask(web, files={"u": (name, NUMBERS, VOTABLE)})
        assert answer.status_code == 200 or error_of(answer)
    assert not list(tmp_path.iterdir())


def test_r02_an_upload_is_gone_with_its_request(web):
    assert table_of(ask(web, files={"u": ("u", NUMBERS, VOTABLE)}))["n"][0] == 3
    assert 'No table "TAP_UPLOAD.u"' in error_of(web.post("/tap/sync", data={"QUERY": COUNT}))


@pytest.fixture(scope="module")
def small(archive, tmp_path_factory):
    """A server that takes 2 MB, and its temporary files."""
    place = tmp_path_factory.mktemp("small")
    options = {"upload_mb": 2, "upload_rows": 1000, "temp_dir": place, "state_dir": place / "state"}
    with serving(archive, **options) as server:
        server.place = place
        yield server


def by_requests(url, form, data):
    answer = requests.post(url, data=form, files={"u": data}, timeout=60)
    return answer.status_code, answer.text


def by_httpx(url, form, data):
    answer = httpx.post(url, data=form, files={"u": data}, timeout=60)
    return answer.status_code, answer.text


def in_chunks(url, form, data):
    whole = httpx.Request("POST", url, data=form, files={"u": data})
    kind = {"Content-Type": whole.headers["Content-Type"]}
    answer = httpx.post(url, content=iter([whole.read()]), headers=kind, timeout=60)
    return answer.status_code, answer.text


def by_urllib(url, form, data):
    whole = httpx.Request("POST", url, data=form, files={"u": data})
    kind = {"Content-Type": whole.headers["Content-Type"]}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, whole.read(), kind), timeout=60)
    with caught.value as answer:
        return answer.code, answer.read().decode()


def by_curl(url, form, data):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    words = ["curl", "-s", "-w", "%{http_code}", "-F", "u=@-", *(f"-F{name}={form[name]}" for name in form), url]
    said = subprocess.run(words, input=data, capture_output=True, check=True, timeout=60).stdout
    return int(said[-3:]), said[:-3].decode()


@pytest.mark.parametrize("resource", ["sync", "async"])
@pytest.mark.parametrize("sent", [by_requests, by_httpx, in_chunks, by_urllib, by_curl])
def test_r15_a_form_that_is_too_large_is_an_error_that_every_client_reads(sent, resource, small):
    rows = b"a\n" + b"1\n" * (15 << 20)
    status, text = sent(f"{small.url}/tap/{resource}", {"QUERY": COUNT, "UPLOAD": "u,param:u"}, rows)
    assert status == 413
    assert 'value="ERROR">What is uploaded is over the limit of 2 MB' in text
    assert not list(small.place.rglob("upload-*"))


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"a\n" + b"1\n" * 1001, 413, "TAP_UPLOAD.u is over the limit of 1,000 rows"),
        (gzip.compress(bytes(20 << 20)), 413, "TAP_UPLOAD.u, unpacked, is over the limit of 2 MB"),
        (NUMBERS.replace(b"<VOTABLE", b"<!DOCTYPE VOTABLE SYSTEM 'file:///etc/passwd'><VOTABLE", 1), 400, "DOCTYPE"),
        (b"", 400, "it is empty"),
    ],
    ids=["rows", "bomb", "doctype", "nothing"],
)
def test_r15_what_is_wrong_with_a_table_is_an_error_of_the_protocol(data, status, reason, small):
    with httpx.Client(base_url=small.url, timeout=30) as web:
        assert reason in error_of(ask(web, files={"u": ("u", data)}), status)
    assert not list(small.place.rglob("upload-*"))


def peak_mb(pid):
    """The most memory that a process has had."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) >> 10


def test_r15_a_large_upload_never_is_in_the_memory_of_the_web_process(archive, tmp_path):
    with serving(archive, state_dir=tmp_path) as server, httpx.Client(base_url=server.url, timeout=60) as web:
        assert ask(web, files={"u": ("u", NUMBERS)}).status_code == 200
        before = peak_mb(server.process.pid)
        rows = b"a,b\n" + b"1234567,2.5\n" * 8_000_000
        assert table_of(ask(web, files={"u": ("u", rows)}))["n"][0] == 8_000_000
        assert peak_mb(server.process.pid) < before + 20


@contextlib.contextmanager
def canary():
    """A listener on loopback that counts who comes: its port, and those who came."""
    came = []

    def listen():
        with contextlib.suppress(OSError):
            while True:
                connection, peer = listener.accept()
                came.append(peer)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname()[1], came
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("upload_from_uri", [False, True])
def test_r16_no_address_of_an_upload_leads_inside(upload_from_uri, archive, tmp_path):
    options = {"upload_from_uri": upload_from_uri, "state_dir": tmp_path}
    with canary() as (port, came), serving(archive, **options) as server:
        reason = "no public address" if upload_from_uri else "this service fetches nothing"
        hosts = ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0")
        with httpx.Client(base_url=server.url, timeout=30) as web:
            for host in hosts:
                for scheme in ("http", "https"):
                    assert reason in error_of(ask(web, upload=f"u,{scheme}://{host}:{port}/x.xml", files=None))
            for address in ("file:///etc/passwd", "ftp://127.0.0.1/x", "ivo://example/x"):
                assert "root:" not in error_of(ask(web, upload=f"u,{address}", files=None))
            job = web.post("/tap/async", data={"QUERY": COUNT, "UPLOAD": f"u,http://127.0.0.1:{port}/", "PHASE": "RUN"})
            assert reason in error_of(job)
        assert came == []


async def taken(folder, query_string, *, body=b"", content_type="", fetcher=None, upload_mb=1, leaves=False):
    """What `received` makes of a request, whose client waits for the answer or leaves."""
    settings = Settings(upload_mb=upload_mb)
    headers = [(b"content-type", content_type.encode())]
    scope = {"method": "POST" if body else "GET", "query_string": query_string.encode(), "headers": headers}
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if messages:
            return messages.pop(0)
        if not leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    call = Call(SimpleNamespace(settings=settings, fetcher=fetcher, intake=Intake(settings.uploads_mb)), scope, receive)
    try:
        _, uploads = await received(call, folder)
    finally:
        call.end()
    return [(upload.name, upload.content_type, Path(upload.path).read_bytes()) for upload in uploads]


def at(server, path):
    return f"http://data.example.org:{server.port}/{path}"


def test_r14_a_disk_that_takes_no_more_is_an_error_that_says_so(run, tmp_path):
    head = b'--xx\r\nContent-Disposition: form-data; name="u"; filename="u"\r\n\r\n'
    body = head + bytes(900_000) + b"\r\n--xx--\r\n"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, hard))
    try:
        with pytest.raises(StoreError, match="An uploaded table could not be written: File too large"):
            run(taken(tmp_path, "", body=body, content_type="multipart/form-data; boundary=xx"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_r14_what_many_send_at_once_is_limited_together(archive):
    head = b'--xx\r\nContent-Disposition: form-data; name="data"; filename="u"\r\n\r\n'
    address = "/ps1casjobs/services/jobs.asmx/UploadData"
    start = f"POST {address} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n"
    with serving(archive, uploads_mb=1) as server, httpx.Client(base_url=server.url, timeout=30) as web:
        small = {"data": ("u", bytes(400_000))}
        # Whichever of the two arrives last is refused: when that was the slow one, another takes its place.
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as slow:
                slow.sendall(
                    start.encode() + b"Content-Type: multipart/form-data; boundary=xx\r\n\r\n" + head + bytes(900_000)
                )
                time.sleep(0.2)
                refused = web.post(address, files=small)
                if refused.status_code == 503:
                    assert web.get("/availability").is_success
                    break
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        for _ in range(100):
            answer = web.post(address, files=small)
            if answer.status_code != 503:
                break
            time.sleep(0.05)
        assert "WSID" in answer.text


def test_tables_elsewhere_are_fetched_where_that_is_allowed(run, tmp_path):
    async def ask():
        async with Script(lambda path: plain(path.encode(), "Content-Type: text/csv")) as server:
            words = f"UPLOAD=a,{at(server, 'x;y,z')};b,{at(server, 'b.csv')}&UPLOAD=c,{at(server, 'c')}"
            query_string = words.replace(";", "%3B")
            return await taken(tmp_path, query_string, fetcher=fetcher())

    assert run(ask()) == [("a", "text/csv", b"/x;y,z"), ("b", "text/csv", b"/b.csv"), ("c", "text/csv", b"/c")]
    assert sorted(file.suffix for file in tmp_path.iterdir()) == ["", "", ".csv"]


def test_tables_elsewhere_and_tables_in_the_form_come_together(run, tmp_path):
    body = (
        b'--xx\r\nContent-Disposition: form-data; name="here"; filename="h"\r\n\r\na\n1\n\r\n'
        b'--xx\r\nContent-Disposition: form-data; name="UPLOAD"\r\n\r\nv,param:here\r\n--xx--\r\n'
    )

    async def ask():
        async with Script(lambda _: plain()) as server:
            given = {"body": body, "content_type": "multipart/form-data; boundary=xx", "fetcher": fetcher()}
            return await taken(tmp_path, f"UPLOAD=u,{at(server, '')}", **given)

    assert run(ask()) == [("u", "", b"a,b\n1,2\n"), ("v", "", b"a\n1\n")]


def test_r24_a_client_that_leaves_ends_the_fetching_of_its_tables(run, tmp_path):
    async def ask():
        async with Script(lambda _: [plain()[:-1], 30.0]) as server:
            with pytest.raises(asyncio.CancelledError):
                await taken(tmp_path, f"UPLOAD=u,{at(server, 'u')}", fetcher=fetcher(time_s=30.0), leaves=True)

    start = time.monotonic()
    run(ask())
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("declared", [True, False])
def test_r16_tables_elsewhere_count_against_the_limit_together(declared, run, tmp_path):
    half = bytes(600_000)
    answer = plain(half) if declared else b"HTTP/1.1 200 OK\r\n\r\n" + half

    async def ask():
        async with Script(lambda _: answer) as server:
            return await taken(tmp_path, f"UPLOAD=u,{at(server, 'u')}&UPLOAD=v,{at(server, 'v')}", fetcher=fetcher())

    with pytest.raises(UploadTooLargeError, match="1 MB"):
        run(ask())


def test_r16_a_table_elsewhere_that_cannot_be_had_is_an_error_with_the_remedy(run, tmp_path):
    async def ask():
        async with Script(lambda _: plain(b"", status="404 Not Found")) as server:
            await taken(tmp_path, f"UPLOAD=u,{at(server, 'u')}", fetcher=fetcher())

    with pytest.raises(FetchError, match=r"/u: its server answers with status 404\. .* send the table along"):
        run(ask())
    with pytest.raises(BadParameterError, match='the table "u", but this service fetches nothing: send the table'):
        run(taken(tmp_path, "UPLOAD=u,http://data.example.org/"))


def test_r02_uploads_of_a_request_are_seen_by_no_other_even_at_the_same_time(web):
    def mine(i):
        number = votable(Table({"k": [i]}))
        return table_of(ask(web, "SELECT k FROM TAP_UPLOAD.u", files={"u": ("u", number, VOTABLE)}))["k"].tolist()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(mine, range(100))) == [[i] for i in range(100)]


@pytest.mark.parametrize("table", ["TAP_UPLOAD.u", "mydb.u", "u", "main.u", "alice.u", "TAP_UPLOAD.never"])
def test_r02_what_is_not_yours_is_as_unknown_as_what_does_not_exist(web, table):
    table_of(ask(web, files={"u": ("u", NUMBERS, VOTABLE)}))

    def told(name):
        answer = web.post("/tap/sync", data={"LANG": "ADQL", "QUERY": f"SELECT * FROM {name}"})
        return error_of(answer).replace(f'"{name}"', "")

    assert told(table) == told(f"{table[:-1]}zqx")
