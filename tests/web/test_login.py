"""Who asks: passwords, tokens and sessions over HTTP."""

from __future__ import annotations

import base64

import httpx
import pytest
from serving import serving

from skydex.archive import Archive

PASSWORD = "correct horse: battery"
QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 star_id FROM sky.stars", "FORMAT": "csv"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    from serving import build_archive

    return build_archive(tmp_path_factory.mktemp("login"))


@pytest.fixture(scope="module")
def served(place):
    """A server that started before there were any users."""
    with serving(place) as server:
        yield server


@pytest.fixture(scope="module")
def accounts(place, served):
    accounts = Archive.open(place).accounts
    accounts.add("alice", PASSWORD)
    accounts.add("bob", PASSWORD)
    return accounts


@pytest.fixture(scope="module")
def guessed(place, accounts):
    """A server for wrong passwords, which are slowed down at last."""
    with serving(place) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
def ask(served, accounts):
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def owner_of_a_new_job(client, **how):
    made = client.post("/tap/async", data=QUERY, follow_redirects=False, **how)
    assert made.status_code == 303, made.text
    return client.get(f"{made.headers['location']}/owner", **how).text


def test_who_sends_nothing_is_nobody(ask):
    assert owner_of_a_new_job(ask) == ""


@pytest.mark.parametrize("who", ["alice", "ALICE"])
def test_basic_credentials_say_who_asks(ask, who):
    assert owner_of_a_new_job(ask, auth=(who, PASSWORD)) == "alice"


def test_the_number_of_casjobs_is_a_name_too(ask, accounts):
    assert owner_of_a_new_job(ask, auth=(str(accounts.get("alice").wsid), PASSWORD)) == "alice"


def test_a_token_says_who_asks(ask, accounts):
    token = accounts.make_token(accounts.get("bob"), seconds=60)
    assert owner_of_a_new_job(ask, headers={"Authorization": f"Bearer {token}"}) == "bob"
    assert owner_of_a_new_job(ask, headers={"Authorization": f"bearer  {token}"}) == "bob"


@pytest.mark.parametrize(
    "header",
    [
        "Basic " + base64.b64encode(b"alice:wrong horse").decode(),
        "Basic " + base64.b64encode(b"nobody:wrong horse").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic !!!",
        "Basic",
        "Bearer",
        "Bearer nonsense",
        "Negotiate abc",
        "x" * 20_000,
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/tap/sync", "votable"),
        ("GET", "/tap/capabilities", "text/plain"),
        ("GET", "/sky/scs/stars?RA=1&DEC=1&SR=1", "votable"),
        ("GET", "/", "text/plain"),
    ],
)
def test_wrong_credentials_are_401_in_the_form_of_the_protocol(guessed, header, method, path, kind):
    reply = guessed.request(method, path, headers={"Authorization": header}, data=QUERY if method == "POST" else None)
    assert reply.status_code in (401, 429)  # guesses wait at last
    assert kind in reply.headers["content-type"]
    if reply.status_code == 401:
        assert reply.headers.get_list("www-authenticate") == [
            'Basic realm="skydex", charset="UTF-8"',
            'Bearer realm="skydex"',
        ]
    assert "horse" not in reply.text


def test_what_a_user_sees_is_for_no_cache_that_others_use(ask):
    assert ask.get("/tap/capabilities", auth=("alice", PASSWORD)).headers["cache-control"] == "private, no-cache"
    assert ask.get("/tap/capabilities").headers["cache-control"] == "public, no-cache"


def test_where_nothing_can_be_kept_everybody_is_nobody(place, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        serving(place, state_dir=tmp_path / "file" / "state", registration="open") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        assert client.post("/tap/sync", data=QUERY).status_code == 200
        assert client.post("/tap/sync", data=QUERY, auth=("alice", PASSWORD)).status_code == 401
        refused = client.post("/account/register", data={"name": "eve", "password": PASSWORD})
        assert refused.status_code == 503
        assert "cannot be written" in refused.json()["error"]


def test_a_damaged_record_of_users_harms_nobody_who_is_nobody(place, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "accounts.sqlite").write_bytes(b"what is this" * 1000)
    with (
        serving(place, state_dir=tmp_path / "state") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        assert client.post("/tap/sync", data=QUERY).status_code == 200
        refused = client.post("/tap/sync", data=QUERY, auth=("alice", PASSWORD))
        assert refused.status_code == 503
        assert "record of users" in refused.text
        assert str(tmp_path) not in refused.text


def test_a_removed_user_is_out_at_once_by_every_way(place, ask, accounts):
    accounts.add("mallory", PASSWORD)
    token = accounts.make_token(accounts.get("mallory"), seconds=60)
    session = accounts.make_session(accounts.get("mallory"), seconds=60)
    assert ask.get("/account", auth=("mallory", PASSWORD)).status_code == 200
    accounts.remove("mallory")
    assert ask.get("/account", auth=("mallory", PASSWORD)).status_code == 401
    assert ask.get("/account", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert ask.get("/account", headers={"cookie": f"skydex_session={session}"}).status_code == 401


def test_capabilities_name_the_ways_in_where_topcat_looks_for_them(ask):
    assert "www-authenticate" in ask.get("/tap/capabilities").headers
    known = ask.head("/tap/capabilities", auth=("alice", PASSWORD)).headers
    assert "www-authenticate" not in known
    assert known["x-vo-authenticated"] == "alice"


def test_many_wrong_passwords_at_once_delay_nobody_else(guessed):
    import asyncio
    import time

    async def storm():
        async with httpx.AsyncClient(base_url=guessed.base_url, timeout=60) as client:
            client_times = []

            async def guess(n):
                return (await client.get("/availability", auth=(f"user{n}", "wrong horse"))).status_code

            async def look():
                for _ in range(20):
                    start = time.monotonic()
                    assert (await client.get("/availability")).status_code == 200
                    client_times.append(time.monotonic() - start)
                    await asyncio.sleep(0.01)

            *statuses, _ = await asyncio.gather(*(guess(n) for n in range(90)), look())
            return set(statuses), max(client_times)

    statuses, longest = asyncio.run(storm())
    assert statuses <= {401, 429, 503}
    assert longest < 2
