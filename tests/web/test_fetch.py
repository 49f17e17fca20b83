"""Fetching from scripted servers on loopback, which only the tests' own fetchers may visit."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.errors import FetchError
from skydex.web.fetch import Fetcher

BODY = b"a,b\n1,2\n"


def plain(body=BODY, *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def leading_to(place, status="302 Found"):
    return plain(b"", f"Location: {place}", status=status)


class Script:
    """A server that sends what stands in its script, and remembers what it was asked."""

    def __init__(self, answers, *, tls=None):
        self.answers, self.tls, self.requests = answers, tls, []
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    @property
    def n_connections(self):
        return len(self._writers)

    async def _serve(self, reader, writer):
        self._writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode())
            answer = self.answers(head.split()[1].decode())
            for piece in answer if isinstance(answer, list) else [answer]:
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                else:
                    writer.write(piece)
                    await writer.drain()
        writer.close()


def fetcher(names=None, *, time_s=10.0, visits=None, **given):
    """A fetcher for which every name is a machine here, unless `names` says otherwise, and all of them are public."""

    async def look_up(host, port):
        return (names or {}).get(host, ["127.0.0.1"])

    def may_visit(address):
        (visits if visits is not None else []).append(address)
        return address == "127.0.0.1"

    return Fetcher(time_s, may_visit, look_up, **given)


async def fetched(fetcher, url):
    async with fetcher.open(url) as found:
        return found.file_name, found.content_type, b"".join([piece async for piece in found.pieces])


def served(run, answer, path="/d/t.csv?x=1", *, fetcher=fetcher()):  # noqa: B008 - it has no state
    async def ask():
        async with Script(answer if callable(answer) else lambda _: answer) as server:
            return await fetched(fetcher, f"http://data.example.org:{server.port}{path}"), server

    return run(ask())


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na,b\r\n5;x=y\r\n\n1,2\n\r\n0\r\nT: x\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        plain(),
        [bytes([byte]) for byte in plain()],
        CHUNKED,
        [CHUNKED[:60], 0.01, CHUNKED[60:]],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\n", plain()],
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        plain() + b"and more",
    ],
    ids=["length", "byte by byte", "chunks", "slow chunks", "early hints", "until the end", "HTTP/1.0", "more"],
)
def test_a_file_comes_whole_however_its_server_frames_it(answer, run):
    assert served(run, answer)[0] == ("t.csv", "", BODY)


def test_a_file_comes_with_its_name_and_type(run):
    answer = plain(gzip.compress(BODY), "Content-Type: text/csv", "Content-Encoding: gzip")
    (name, kind, body), _ = served(run, answer, "/t.csv.gz")
    assert (name, kind, gzip.decompress(body)) == ("t.csv.gz", "text/csv", BODY)


def test_a_request_holds_nothing_of_ours(run, monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine data.example.org login me password secret\n")
    answers = {"/1": plain(b"", "Location: /2?a=b#c", "Set-Cookie: s=1", status="307 X"), "/2?a=b": plain()}
    _, server = served(run, answers.get, "/1")
    heads = [dict(line.split(": ", 1) for line in request.splitlines()[1:] if line) for request in server.requests]
    assert [set(head) for head in heads] == [{"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}] * 2
    assert heads[0]["Host"] == f"data.example.org:{server.port}"
    assert heads[0]["User-Agent"].startswith("skydex/")


@pytest.mark.parametrize("status", ["301 X", "302 X", "303 X", "307 X", "308 X"])
def test_redirects_are_followed(status, run):
    answers = {"/a/1": leading_to("2", status), "/a/2": plain()}
    (name, _, body), _ = served(run, answers.get, "/a/1")
    assert (name, body) == ("2", BODY)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (plain(status="404 Not Found"), "status 404"),
        (plain(status="204 No Content"), "status 204"),
        (plain(status="206 Partial Content"), "status 206"),
        (plain(status="401 X"), "status 401"),
        (leading_to("/"), "more than 5 times"),
        (plain(b"", status="302 X"), "status 302"),
        (leading_to("file:///etc/passwd"), "only http and https"),
        (leading_to("ftp://example.org/x"), "only http and https"),
        (leading_to("http://a:b@example.org/x"), "a name and a password"),
        (leading_to("http://example.org:22/x"), "port 22"),
        (leading_to("http://example.org:8080/\u0080"), "percent-encoded"),
        (leading_to("http://[::1/x"), "proper address"),
        (leading_to("http://inside.example.org/x"), "no public address"),
        (plain()[:-1], "broke off"),
        (CHUNKED[:-8], "broke off"),
        (b"", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broke off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer in HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456", "does not answer in HTTP"),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 1000 + b"\r\n"] * 1000], "does not answer in HTTP"),
    ],
)  # fmt: skip
def test_r16_what_cannot_be_had_is_an_error_that_says_why(answer, reason, run):
    asked = fetcher({"inside.example.org": ["10.0.0.1"]})
    with pytest.raises(FetchError, match=reason):
        served(run, answer, fetcher=asked)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/x", "file:///etc/passwd", "gopher://example.org/x", "http:///x", "http://", "//e.org/x",
        "http://example.org:99999/", "http://example.org:0/", "http://example.org:25/", "http://[::1", "http://a b/",
        "http://user@example.org/", "http://example.org\\@127.0.0.1/", "http://exämple.org/", "http://e.org/\r\nX: y",
        "http://e.org/" + "x" * 2000, "javascript:alert(1)", "data:text/csv,a", "ivo://example/x", "vos://example/x",
    ],
)  # fmt: skip
def test_r16_addresses_that_are_none_to_go_to_are_refused_before_anybody_is_asked(url, run):
    async def look_up(host, port):
        raise AssertionError(host)

    with pytest.raises(FetchError):
        run(fetched(Fetcher(5.0, look_up=look_up), url))


def test_r22_a_password_in_an_address_is_not_shown(run):
    with pytest.raises(
        FetchError, match=r"^Cannot fetch http://example\.org/x: it holds a name and a password"
    ) as caught:
        run(fetched(Fetcher(5.0), "http://me:secret@word@example.org/x"))
    assert "secret" not in str(caught.value)


ADDRESSES = st.one_of(st.text(), st.from_regex(r"(?i)(https?|ftp)://[^/]{0,20}[:/@#?%]?.{0,20}", fullmatch=True))


async def look_up_nothing(host, port):
    assert host
    assert port in (80, 443) or 1024 <= port <= 65535
    return []


NOWHERE = Fetcher(5.0, look_up=look_up_nothing)


@given(ADDRESSES)
def test_r16_any_text_is_an_address_or_is_refused(url):
    with pytest.raises(FetchError):
        asyncio.run(fetched(NOWHERE, url))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "017700000001", "127.1", "0",
     "0.0.0.0", "[::]", "[::ffff:7f00:1]", "127.0.0.1."],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_r16_a_listener_on_loopback_stays_silent(host, scheme, run):
    async def ask():
        async with Script(lambda _: plain()) as canary:
            with pytest.raises(FetchError, match="no public address"):
                await fetched(Fetcher(5.0), f"{scheme}://{host}:{canary.port}/x")
            return canary.n_connections

    assert run(ask()) == 0


def test_r16_a_redirect_to_loopback_is_not_followed(run):
    async def ask():
        async with Script(lambda _: plain()) as canary, Script(lambda _: leading_to(canary_url)) as outside:
            names = {"inside.example.org": ["127.0.0.2"]}
            for scheme in ("http:", "https:", ""):
                canary_url = f"{scheme}//inside.example.org:{canary.port}/"
                with pytest.raises(FetchError, match="no public address"):
                    await fetched(fetcher(names), f"http://data.example.org:{outside.port}/")
            return canary.n_connections, outside.n_connections

    assert run(ask()) == (0, 3)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::1", "127.0.0.1"], []])
def test_r16_one_private_number_behind_a_name_spoils_it(addresses, run):
    with pytest.raises(FetchError, match="no public address"):
        served(run, plain(), fetcher=fetcher({"data.example.org": addresses}))


def test_r16_the_connection_goes_to_the_number_that_was_checked(run):
    looked_up, visits = [], []

    async def look_up(host, port):
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.0.0.1"]  # a name that is given another number at once

    def may_visit(address):
        visits.append(address)
        return True

    assert served(run, plain(), fetcher=Fetcher(5.0, may_visit, look_up))[0][2] == BODY
    assert (looked_up, visits) == (["data.example.org"], ["127.0.0.1"])


@pytest.mark.parametrize(
    "answer",
    [[5.0], [b"HTTP/1.1 200 OK\r\n", 5.0], [plain()[:-1], 5.0], [b"x: y\r\n", 0.1] * 50],
    ids=["silence", "in the header", "in the body", "drips"],
)
def test_r16_time_is_limited(answer, run):
    start = time.monotonic()
    answer = [b"HTTP/1.1 200 OK\r\n", *answer] if len(answer) > 50 else answer
    with pytest.raises(FetchError, match=r"longer than 0\.3 s"):
        served(run, answer, fetcher=fetcher(time_s=0.3))
    assert time.monotonic() - start < 3


def test_a_server_that_is_not_there_is_tried_at_its_next_address(run):
    async def ask():
        async with Script(lambda _: plain()) as server:
            found = fetcher({"data.example.org": ["127.0.0.9", "127.0.0.1"]})
            anywhere = Fetcher(5.0, lambda _: True, found.look_up)
            return await fetched(anywhere, f"http://data.example.org:{server.port}/")

    assert run(ask())[2] == BODY


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of `data.example.org`, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "data.example.org")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("data.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    return file


@pytest.mark.parametrize(
    ("host", "is_known", "is_fine"),
    [("data.example.org", True, True), ("other.example.org", True, False), ("data.example.org", False, False)],
    ids=["its own name", "another name", "an unknown authority"],
)
def test_tls_proves_the_name_although_the_connection_goes_to_a_number(host, is_known, is_fine, certificate, run):
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate)
    ours = ssl.create_default_context(cafile=str(certificate) if is_known else None)

    async def ask():
        async with Script(lambda _: plain(), tls=theirs) as server:
            return await fetched(fetcher(tls=ours), f"https://{host}:{server.port}/")

    if is_fine:
        assert run(ask())[2] == BODY
    else:
        with pytest.raises(FetchError, match="does not prove its name"):
            run(ask())
