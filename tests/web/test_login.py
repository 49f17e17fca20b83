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
def test_wrong_credentials_are_401_in_the_form_of_the_protocol(ask, header, method, path, kind):
    reply = ask.request(method, path, headers={"Authorization": header}, data=QUERY if method == "POST" else None)
    assert reply.status_code in (401, 429)  # guesses wait at last
    assert kind in reply.headers["content-type"]
    if reply.status_code == 401:
        assert reply.headers.get_list("www-authenticate") == [
            'Basic realm="skydex", charset="UTF-8"',
            'Bearer realm="skydex"',
        ]
    assert "horse" not in reply.text


def test_what_a_user_sees_is_for_no_cache_that_others_use(ask):
    assert ask.get("/tap/capabilities", auth=("alice", PASSWORD)).headers["cache-control"] == "private"
    assert "cache-control" not in ask.get("/tap/capabilities").headers
