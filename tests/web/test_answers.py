"""What a client has already is not sent again, what was worked out is not worked out again, and text is compressed."""

from __future__ import annotations

import gzip
import io

import httpx
import numpy as np
import pyarrow as pa
import pytest
import pyvo
import requests
import zstandard
from astropy.table import Table
from serving import build_archive, serving

from skydex.web.encodings import accepted, encoded, whole_encoded

CONE = "/sky/scs/stars?RA=10&DEC=5&SR=3"
QUERY = "/tap/sync?LANG=ADQL&FORMAT=csv&QUERY=SELECT+star_id,ra,name+FROM+sky.stars+WHERE+star_id<300"
LASTING = (
    CONE,
    QUERY,
    "/api/v0.1/sky/stars.json?ra=10&dec=5&radius=0.4",
    "/look/density/sky.stars.json?x=gmag&y=n_obs",
    "/tap/tables",
    "/tap/capabilities",
    "/api/v0.1/sky/stars/metadata",
    "/api/v0.1/openapi.json",
)
CHANGING = "/tap/sync?LANG=ADQL&FORMAT=csv&QUERY=SELECT+RAND()+AS+r+FROM+sky.stars+WHERE+star_id<3"
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return build_archive(tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module")
def keeping(place):
    """A server that keeps answers, of two processes."""
    from skydex.accounts import Accounts

    Accounts(place / "state").add("alice", "a good password")
    with serving(place, cache_mb=8, processes=2, workers=4) as server:
        yield server


@pytest.fixture
def web(keeping):
    with httpx.Client(base_url=keeping.url, timeout=60, headers=PLAIN) as web:
        yield web


@pytest.fixture
def other(keeping, web):
    """A client whom the other process answers."""
    web.get("/availability")
    with httpx.Client(base_url=keeping.url, timeout=60, headers=PLAIN) as other:
        yield other


@pytest.mark.parametrize("path", LASTING)
def test_who_has_an_answer_is_told_so_by_every_process(web, other, path):
    fresh, again, elsewhere = web.get(path), web.get(path), other.get(path)
    assert fresh.status_code == 200
    assert fresh.content == again.content == elsewhere.content
    assert {name: fresh.headers[name] for name in ("etag", "content-type")}.items() <= dict(elsewhere.headers).items()
    assert {key: value for key, value in fresh.headers.items() if key != "date"} == {
        key: value for key, value in again.headers.items() if key != "date"
    }
    for client in (web, other):
        known = client.get(path, headers={"if-none-match": f'"other", {fresh.headers["etag"]}'})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["etag"] == fresh.headers["etag"]
        assert "accept-encoding" in known.headers["vary"]
    assert web.get(path, headers={"if-none-match": '"other"'}).content == fresh.content
    assert "no-cache" in fresh.headers["cache-control"]


def test_a_post_has_the_answer_of_the_same_get_and_no_condition(web):
    fresh = web.get(QUERY)
    fields = dict(pair.split("=", 1) for pair in QUERY.partition("?")[2].replace("+", " ").split("&"))
    posted = web.post("/tap/sync", data=fields, headers={"if-none-match": fresh.headers["etag"]})
    assert (posted.status_code, posted.content, posted.headers["etag"]) == (200, fresh.content, fresh.headers["etag"])


def test_other_parameters_formats_and_codings_have_other_names(web):
    tags = [web.get(QUERY + more).headers["etag"] for more in ("", "&MAXREC=5", "&RESPONSEFORMAT=json")]
    tags.append(web.get(QUERY, headers={"accept-encoding": "gzip"}).headers["etag"])
    assert len(set(tags)) == 4


def test_what_overflows_says_so_when_it_comes_from_memory(web):
    path = QUERY.replace("csv", "votable") + "&MAXREC=7"
    first, second = web.get(path), web.get(path)
    assert b"OVERFLOW" in first.content
    assert first.content == second.content
    assert dict(first.headers).get("x-more-rows") == dict(second.headers).get("x-more-rows")


def test_what_changes_and_what_is_a_users_is_kept_by_nobody(web):
    drawn = [web.get(CHANGING) for _ in range(2)]
    assert drawn[0].text != drawn[1].text
    own = web.get(QUERY, auth=("alice", "a good password"))
    assert own.status_code == 200
    known = {"if-none-match": web.get(QUERY).headers["etag"]}
    assert web.get(QUERY, headers=known).status_code == 304
    assert web.get(QUERY, headers=known, auth=("alice", "a good password")).status_code == 200
    for answer in (*drawn, own):
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"].startswith("private")
    assert (
        web.get(QUERY, auth=("alice", "wrong"), headers={"if-none-match": web.get(QUERY).headers["etag"]}).status_code
        == 401
    )


def test_what_is_published_is_seen_at_once_by_every_process(place, web, other, tmp_path):
    from skydex.ingest import ingest_files
    from skydex.store import ArchiveDirectory

    def publish(n):
        table = Table({"id": np.arange(n), "ra": np.linspace(1, 2, n), "dec": np.zeros(n)})
        table.write(tmp_path / "new.fits", overwrite=True)
        ingest_files([tmp_path / "new.fits"], place, "more.new", id="id")

    path = "/tap/sync?LANG=ADQL&FORMAT=csv&QUERY=SELECT+COUNT(*)+AS+n+FROM+more.new"
    others = {path: web.get(path).headers["etag"] for path in (CONE, QUERY)}
    publish(5)
    tag, elsewhere = (client.get(path).headers["etag"] for client in (web, other))
    assert tag == elsewhere
    publish(9)
    for client in (web, other):
        answer = client.get(path, headers={"if-none-match": tag})
        assert (answer.status_code, answer.text.split()) == (200, ["n", "9"])
        for untouched, known in others.items():  # which rest on other tables
            assert client.get(untouched, headers={"if-none-match": known}).status_code == 304
    assert ArchiveDirectory(place).get("more.new")


@pytest.mark.parametrize(("header", "names"), [
    ("", ()), ("gzip", ("gzip",)), ("gzip, br, zstd", ("zstd", "gzip")), ("gzip;q=1.0, zstd;q=0.5", ("gzip", "zstd")),
    ("identity", ()), ("*", ("zstd", "gzip")), ("gzip;q=0", ()), ("*;q=0.1, zstd;q=0", ("gzip",)),
    ("GZIP ; Q=0.3", ("gzip",)),    ("identity;q=0, gzip;q=0.2", ("gzip",)), ("gzip;q=0.2, identity;q=0.9", ()),
    ("gzip;q=x", ()), ("x-gzip", ("gzip",)), (",;=", ()),
])  # fmt: skip
def test_the_coding_is_the_one_that_the_client_prefers(header, names):
    assert accepted(header.encode()) == names


def read_back(packed, name):
    if name == "gzip":
        return gzip.decompress(packed)
    return pa.input_stream(io.BytesIO(packed), compression="zstd").read()


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_codings_are_read_by_other_programs(name):
    data = np.random.default_rng(1).integers(0, 9, 700_000).astype("u1").tobytes()
    pieces = b"".join(encoded((data[at : at + 70_000] for at in range(0, len(data), 70_000)), name))
    assert len(pieces) < len(data)
    assert read_back(pieces, name) == data
    assert read_back(whole_encoded(b"", name), name) == b""


def test_zstd_is_one_frame_however_much_it_is():
    """Some clients stop after the first, or fail where it ends with what they received (httpx 0.28)."""
    data = np.random.default_rng(2).integers(0, 250, 900_000).astype("u1").tobytes()
    decoder = zstandard.ZstdDecompressor().decompressobj()
    assert b"".join(map(decoder.decompress, encoded(iter((data[:600_000], data[600_000:])), "zstd"))) == data
    assert decoder.eof
    assert not decoder.unused_data


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("path", [CONE, QUERY, "/tap/tables", "/tap/capabilities"])
def test_text_is_compressed_for_who_takes_it_so(web, path, coding):
    plain = web.get(path)
    for _ in range(2):
        packed = web.get(path, headers={"accept-encoding": coding})
        assert packed.headers["content-encoding"] == coding
        assert int(packed.headers["content-length"]) < 0.6 * len(plain.content)
        assert packed.content == plain.content
        assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in plain.headers


def test_what_is_packed_already_short_or_secret_is_not_compressed(web):
    everything = {"accept-encoding": "gzip"}
    for path in (
        QUERY.replace("csv", "parquet"),
        QUERY.replace("csv", "fits"),
        QUERY.replace("csv", "votable"),
        QUERY.replace("<300", "<2"),
        "/account/login",
    ):
        answer = web.get(path, headers=everything)
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers


def test_astronomers_clients_read_compressed_answers(keeping):
    url = f"{keeping.url}/tap"
    with requests.Session() as session:
        asked = "SELECT TOP 500 star_id, ra, name FROM sky.stars ORDER BY star_id"
        for form in ("votable", "votable/td", "csv"):
            answer = session.get(
                f"{url}/sync", params={"LANG": "ADQL", "QUERY": asked, "RESPONSEFORMAT": form}, timeout=60
            )
            assert answer.headers.get("Content-Encoding") == (None if form == "votable" else "gzip")
            assert b"star 499" in answer.content or form == "votable"
        found = pyvo.dal.TAPService(url, session=session).search(asked)
        assert list(found["star_id"]) == list(range(500))
        assert len(pyvo.dal.SCSService(f"{keeping.url}/sky/scs/stars?", session=session).search((10, 5), 3)) > 0


def test_a_result_of_a_job_is_fetched_in_parts(web):
    from asking import finished

    job = finished(web, "SELECT * FROM sky.stars ORDER BY star_id", FORMAT="csv")
    url = f"{job}/results/result"
    whole = web.get(url)
    tag, size = whole.headers["etag"], len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    assert web.head(url).headers["content-length"] == str(size)
    part = web.get(url, headers={"range": f"bytes={size - 100}-", "if-range": tag, "accept-encoding": "gzip"})
    assert (part.status_code, part.content) == (206, whole.content[-100:])
    assert part.headers["content-range"] == f"bytes {size - 100}-{size - 1}/{size}"
    assert web.get(url, headers={"range": "bytes=0-9", "if-range": '"other"'}).content == whole.content
    beyond = web.get(url, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert web.get(url, headers={"if-none-match": tag}).status_code == 304


def test_curl_goes_on_where_it_was_cut_off(web, tmp_path):
    import shutil
    import subprocess

    from asking import finished

    job = finished(web, "SELECT * FROM sky.stars ORDER BY star_id", FORMAT="csv")
    whole = web.get(f"{job}/results/result").content
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    file = tmp_path / "half.csv"
    file.write_bytes(whole[: len(whole) // 2])
    told = subprocess.run(
        [*["curl", "-sS", "-C", "-", "-w"], "%{http_code} %{size_download}", "-o", str(file), f"{job}/results/result"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert told.stdout == f"206 {len(whole) - len(whole) // 2}"
    assert file.read_bytes() == whole
