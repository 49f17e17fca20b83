"""Credentials in a request are those of somebody, or wrong; nothing else comes of them."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.accounts import Accounts
from skydex.errors import LoginError, ThrottledError
from skydex.web.door import Door, comes_from_elsewhere, csrf_token_of, is_csrf_token, session_in

OWN = ("http://archive.example:8642", "https://archive.example:8642")


@pytest.fixture(scope="module")
def admit(tmp_path_factory):
    accounts = Accounts(tmp_path_factory.mktemp("door"))
    accounts.add("alice", "correct horse")
    door = Door()

    def admit(header):
        return asyncio.run(door.admit(accounts, header, ""))

    yield admit
    accounts.close()


@settings(max_examples=60)
@given(scheme=st.sampled_from([b"Basic ", b"Bearer ", b"basic", b"", b"Basic YWxpY2U6"]), rest=st.binary(max_size=60))
def test_r07_any_header_is_somebody_or_wrong(admit, scheme, rest):
    with contextlib.suppress(LoginError, ThrottledError):
        raise AssertionError(admit(scheme + rest))


@given(cookies=st.binary(max_size=80))
def test_r07_any_cookies_can_be_read(cookies):
    assert session_in(cookies) is None or b"skydex_session=" in cookies


@pytest.mark.parametrize(
    ("cookies", "secret"),
    [
        (b"skydex_session=abc", "abc"),
        (b"a=b; skydex_session=abc; c=d", "abc"),
        (b"skydex_session=", None),
        (b"not_skydex_session=abc", None),
        (b"skydex_session", None),
        (b"", None),
    ],
)
def test_a_session_is_found_among_cookies(cookies, secret):
    assert session_in(cookies) == secret


@pytest.mark.parametrize(
    ("origin", "fetch_site", "is_elsewhere"),
    [
        ("", "", False),  # a program
        ("http://archive.example:8642", "same-origin", False),
        ("HTTPS://Archive.example:8642", "", False),
        ("http://archive.example", "", True),
        ("http://archive.example:8642.evil.example", "", True),
        ("http://evil.example", "cross-site", True),
        ("", "cross-site", True),
        ("", "same-site", True),
        ("", "none", False),  # typed by the user
        ("null", "same-origin", False),  # a page that keeps its address to itself
        ("null", "cross-site", True),
        ("null", "", True),  # a sandboxed frame in an old browser
    ],
)
def test_r23_a_page_of_another_site_is_known_by_what_the_browser_says(origin, fetch_site, is_elsewhere):
    assert comes_from_elsewhere(origin, fetch_site, OWN) == is_elsewhere


def test_r23_each_session_has_a_token_of_its_own():
    assert is_csrf_token(csrf_token_of("one"), "one")
    assert not is_csrf_token(csrf_token_of("one"), "two")
    assert not is_csrf_token("", "one")
