"""Names that are asked for elsewhere: at a Sesame on loopback that only the tests' own fetchers may visit."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from serving import serving
from test_fetch import Script, fetcher, plain

from skydex.names import NameMemory
from skydex.web.fetch import Fetcher
from skydex.web.forwarding import Forwarder

KNOWN = b"""# V0332 Per\t#Q1
#=Sc=Simbad (CDS, via client/server):    1     0ms (from cache)
%@ 567
%I.0 V* V332 Per
%C.0 HXB
%J 53.74958 +53.17318 = 03:34:59.90 +53:10:23.4
%I BQ Cam
#=N=NED :    1     5ms
%I.0 V0332+53
%J 53.7500000 +53.1700000 = 03:35:00.0 +53:10:12
#====Done (2026-Nov-21,10:00:00z)====
"""
UNKNOWN = b"# x\t#Q2\n#! *** Nothing found ***\n#====Done (2026-Nov-21,10:00:00z)====\n"


@pytest.fixture
def asked(run, tmp_path):
    """Ask a scripted Sesame for names, one after the other; give the answers and the server."""

    def asked(names, answer, *, fetcher=fetcher(time_s=2.0), together=False):  # noqa: B008 - it has no state
        async def ask():
            async with Script(answer if callable(answer) else lambda _: plain(answer)) as server:
                memory = NameMemory(tmp_path / "names.sqlite", n_kept=100, days=1)
                forwarder = Forwarder(f"http://sesame.example.org:{server.port}/cgi-bin/nph-sesame/", fetcher, memory)
                if together:
                    return await asyncio.gather(*map(forwarder.find, names)), server
                return [await forwarder.find(name) for name in names], server

        return run(ask())

    return asked


def test_every_database_has_its_answer(asked):
    ((simbad, ned),), server = asked(["V0332 Per"], KNOWN)
    assert (simbad.authority, simbad.name, simbad.object_type) == ("SIMBAD", "V* V332 Per", "HXB")
    assert (simbad.ra_deg, simbad.dec_deg, simbad.aliases) == (53.74958, 53.17318, ("V* V332 Per", "BQ Cam"))
    assert (ned.authority, ned.ra_deg, ned.dec_deg) == ("NED", 53.75, 53.17)
    assert server.requests[0].startswith("GET /cgi-bin/nph-sesame/-oI/A?V0332%20Per HTTP/1.1")


def test_a_name_is_asked_for_once_known_or_not(asked):
    answers, server = asked(["V0332 Per", "v0332 per", "V332Per", "V0332 Per"], KNOWN)
    assert len(set(answers)) == 1
    assert len(server.requests) <= 2
    answers, server = asked(["no such", "no such"], UNKNOWN)
    assert answers == [(), ()]
    assert len(server.requests) == 1


def test_who_asks_together_shares_one_question(asked):
    answers, server = asked(["V0332 Per"] * 20, KNOWN, together=True)
    assert len(set(answers)) == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        plain(b"", status="500 Broken"),
        b"no HTTP at all",
        [plain(KNOWN)[:-200], 5.0],
        plain(b"%J 1 2\n" * 100_000),
    ],
    ids=["status", "no HTTP", "slow", "endless"],
)
def test_a_resolver_that_fails_is_asked_again_next_time(asked, answer):
    answers, server = asked(["M 1", "M 1"], lambda _: answer)
    assert answers == [(), ()]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"#=S=Simbad\n%J 400 20 = x\n",
        b"#=S=Simbad\n%J 1.2.3 20\n",
        b"#=S=Simbad\n%J 1e5 20\n",
        b"#=X=Elsewhere\n%J 1 2\n",
        b"%J 1 2\n",
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_what_is_no_position_is_none(asked, answer):
    assert asked(["M 1"], answer)[0] == [()]


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "M\r\nX-Evil: 1", "\x00"])
def test_what_is_no_name_is_not_sent(asked, name):
    answers, server = asked([name], KNOWN)
    assert answers == [()]
    assert server.requests == []


def test_a_server_that_is_not_public_is_not_asked(asked):
    answers, server = asked(["M 1"], KNOWN, fetcher=Fetcher(2.0))
    assert answers == [()]
    assert server.requests == []


def test_a_real_server_keeps_to_public_addresses(archive):
    with socket.create_server(("127.0.0.1", 0)) as sesame:
        address = f"http://127.0.0.1:{sesame.getsockname()[1]}/cgi-bin/nph-sesame"
        with serving(archive, name_server=address) as server:
            answer = httpx.get(f"{server.url}/cgi-bin/nph-sesame/SNV?V0332%20Per", timeout=30)
        sesame.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has connected
            sesame.accept()
    assert (answer.status_code, "Nothing found" in answer.text) == (200, True)
    assert "no public address" in "".join(server.log)
