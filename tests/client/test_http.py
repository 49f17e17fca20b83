"""Requests come to an end, are repeated where that helps, and tell why they were refused."""

from __future__ import annotations

import datetime as dt
import email.utils
import socket

import pytest
from loopback import Reply, answering

from skydex.client.http import Web
from skydex.errors import BadAnswerError, LoginError, LoginNeededError, RefusedError, UnreachableError


def quick(**given) -> Web:
    return Web(**{"pause_s": 0.001, "timeout_s": 5.0, **given})


def in_turn(*replies):
    """Answer with one reply after the other, the last for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_become_better_is_asked_again(status):
    with answering(in_turn(Reply(status=status), Reply(status=status), b"here")) as server:
        assert quick().get(server.url) == b"here"
        assert len(server.asked) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
def test_other_refusals_are_not_asked_again(status):
    with answering(in_turn(Reply(b"no such thing", status=status))) as server:
        with pytest.raises(RefusedError, match="no such thing") as caught:
            quick().get(server.url)
        assert caught.value.status == status
        assert len(server.asked) == 1


def test_a_service_is_asked_six_times_at_most():
    with answering(in_turn(Reply(b"busy", status=503))) as server:
        with pytest.raises(RefusedError, match="busy"):
            quick().get(server.url)
        assert len(server.asked) == 6


def test_an_answer_that_breaks_off_is_asked_again_whole():
    with answering(in_turn(Reply(b"half", length=100), b"the whole")) as server:
        assert quick().get(server.url) == b"the whole"


def test_an_answer_that_always_breaks_off_says_so():
    with answering(in_turn(Reply(b"half", length=100))) as server, pytest.raises(UnreachableError):
        quick(retries=1).get(server.url)


def test_what_breaks_off_while_it_is_read_in_parts_says_so_and_is_not_repeated():
    with answering(in_turn(Reply(b"half", length=100))) as server:
        with quick().opened("GET", server.url) as answer, pytest.raises(UnreachableError):
            list(answer.chunks)
        assert len(server.asked) == 1


def test_what_changes_something_is_not_repeated_when_it_may_have_been_read():
    with answering(in_turn(Reply(b"half", length=100))) as server:
        with pytest.raises(UnreachableError):
            quick().post(server.url, {"PHASE": "RUN"}, repeatable=False)
        assert len(server.asked) == 1


def test_what_changes_something_is_repeated_when_the_service_did_not_take_it():
    with answering(in_turn(Reply(status=503), b"done")) as server:
        assert quick().post(server.url, {"PHASE": "RUN"}, repeatable=False) == b"done"


@pytest.mark.parametrize("as_date", [False, True])
def test_a_service_that_says_when_is_asked_then(as_date, monkeypatch):
    slept = []
    monkeypatch.setattr("skydex.client.http.time.sleep", slept.append)
    when = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30))
    later = Reply(status=503, headers={"Retry-After": when if as_date else "30"})
    with answering(in_turn(later, b"here")) as server:
        assert quick().get(server.url) == b"here"
    assert 27 <= slept[0] <= 30


def test_a_service_that_says_tomorrow_is_not_waited_for():
    with answering(in_turn(Reply(b"closed", status=503, headers={"Retry-After": "86400"}))) as server:
        with pytest.raises(RefusedError, match="closed"):
            quick().get(server.url)
        assert len(server.asked) == 1


def test_pauses_grow_and_differ(monkeypatch):
    slept = []
    monkeypatch.setattr("skydex.client.http.time.sleep", slept.append)
    with answering(in_turn(Reply(status=502))) as server, pytest.raises(RefusedError):
        Web(pause_s=1.0).get(server.url)
    assert [0.5 * 2**n <= pause <= 1.5 * 2**n for n, pause in enumerate(slept)] == [True] * 5
    assert len({pause / 2**n for n, pause in enumerate(slept)}) == 5


def test_where_nobody_listens_the_address_is_in_doubt():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(UnreachableError, match="Check the address"):
        quick().get(f"http://127.0.0.1:{port}/tap")


def test_silence_ends():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(UnreachableError, match="silent"):
        quick(timeout_s=0.1, retries=1).get(f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_an_answer_is_read_up_to_its_limit():
    with answering(in_turn(b"x" * 5000)) as server:
        with pytest.raises(BadAnswerError, match=r"1,000 bytes"):
            quick(max_bytes=1000).get(server.url)
        with pytest.raises(BadAnswerError, match=r"10 bytes"):
            quick().get(server.url, max_bytes=10)


def test_redirects_without_end_are_given_up():
    def farther(asked):
        return Reply(status=303, headers={"Location": f"{asked.path}x"})

    with answering(farther) as server, pytest.raises(BadAnswerError, match="without end"):
        quick().get(f"{server.url}/a")


def test_a_login_goes_to_its_own_server_and_to_no_other():
    with (
        answering(in_turn(b"theirs")) as other,
        answering(
            lambda asked: Reply(status=302, headers={"Location": other.url}) if asked.path == "/away" else b"ours"
        ) as server,
    ):
        web = quick(login=("ann", "sesame"), origins=[server.url])
        web.get(f"{server.url}/stay")
        web.get(f"{server.url}/away")
        web.get(other.url)
        assert all("authorization" in asked.headers for asked in server.asked)
        assert not any("authorization" in asked.headers for asked in other.asked)


def test_who_is_not_logged_in_hears_that_a_login_is_needed():
    with answering(in_turn(Reply(b"who are you?", status=401))) as server:
        with pytest.raises(LoginNeededError):
            quick().get(server.url)
        with pytest.raises(LoginError, match="does not take") as caught:
            quick(login=("ann", "wrong"), origins=[server.url]).get(server.url)
        assert not isinstance(caught.value, LoginNeededError)


def test_parameters_are_added_to_an_address_that_has_some():
    with answering(in_turn(b"")) as server:
        quick().get(f"{server.url}/scs?cat=2mass", {"RA": 10.5, "SR": None, "b": ["x", "y"]})
        assert server.asked[0].query == {"cat": "2mass", "RA": "10.5", "b": "y"}


def test_files_travel_as_parts_of_a_form(tmp_path):
    (tmp_path / "t.vot").write_bytes(b"<VOTABLE/>")
    with answering(in_turn(Reply(status=503), b"")) as server:
        parts = {"mine": ("mine", tmp_path / "t.vot", "application/x-votable+xml")}
        quick().post(server.url, {"UPLOAD": "mine,param:mine"}, files=parts)
        assert [b"<VOTABLE/>" in asked.body and b"mine,param:mine" in asked.body for asked in server.asked] == [
            True
        ] * 2


VOTABLE = '<VOTABLE><RESOURCE type="results">{}</RESOURCE></VOTABLE>'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (VOTABLE.format('<INFO name="QUERY_STATUS" value="ERROR">No\n column x</INFO>'), "No column x"),
        (VOTABLE.format('<INFO ID="Error" name="Error" value="SR too large"/>'), "SR too large"),
        (VOTABLE.format('<PARAM name="Error" datatype="char" value="DEC"/>'), "DEC"),
        ('{"status":"ERROR","msg":"bad filter"}', "bad filter"),
        ('{"error":{"code":3,"message":"no table"}}', "no table"),
        ('{"detail":[{"msg":"must be a number"},{"msg":"too long"}]}', "must be a number; too long"),
        ("<string xmlns='http://x'>System.Exception: No rights</string>", "System.Exception: No rights"),
        ("<html><head><title>502 Bad</title></head><body><h1>Bad &amp; ugly</h1><p>x</p></body>", "Bad & ugly"),
        ("System.Web.Services: Cannot\r\n  find table", "System.Web.Services: Cannot find table"),
        ("<broken", "<broken"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_service(body, words):
    with answering(in_turn(Reply(body.encode(), status=400))) as server, pytest.raises(RefusedError) as caught:
        quick().get(server.url)
    assert caught.value.reason == words


def test_an_error_that_is_explained_is_not_asked_again_whatever_its_status():
    body = VOTABLE.format('<INFO name="QUERY_STATUS" value="ERROR">No table x</INFO>').encode()
    with answering(in_turn(Reply(body, status=500))) as server:
        with pytest.raises(RefusedError, match="No table x"):
            quick().get(server.url)
        assert len(server.asked) == 1


def test_a_refusal_without_words_tells_its_status():
    with answering(in_turn(Reply(status=404))) as server, pytest.raises(RefusedError, match="status 404"):
        quick().get(server.url)


def test_who_was_closed_says_so_and_how_to_begin_anew():
    web = Web()
    web.close()
    with pytest.raises(UnreachableError, match=r"closed.*skydex\.connect"):
        web.get("http://127.0.0.1:9/tap")
