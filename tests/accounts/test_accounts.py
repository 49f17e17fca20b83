"""Users, passwords, tokens and groups in a file that several processes share."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from skydex.accounts import ACCOUNTS_FILE, Accounts
from skydex.errors import (
    AccountsError,
    BadParameterError,
    LoginError,
    NameTakenError,
    ThrottledError,
    UnknownGroupError,
    UnknownUserError,
)

PASSWORD = "correct horse"


@pytest.fixture
def accounts(tmp_path):
    accounts = Accounts(tmp_path / "state")
    yield accounts
    accounts.close()


@pytest.fixture
def alice(accounts):
    return accounts.add("alice", PASSWORD)


def test_nobody_is_there_before_the_file_is_and_asking_does_not_make_it(accounts, tmp_path):
    assert accounts.users() == ()
    assert accounts.find("alice") is None
    with pytest.raises(LoginError):
        accounts.login("alice", PASSWORD, address="")
    assert not (tmp_path / "state").exists()


def test_a_user_logs_in_by_name_in_any_case_and_by_number(accounts, alice):
    for who in ("alice", "ALICE", str(alice.wsid), alice.wsid):
        assert accounts.login(who, PASSWORD, address="192.0.2.1") == alice
    assert 9 <= len(str(alice.wsid)) <= 10


@pytest.mark.parametrize("address", ["192.0.2.1", ""])
def test_r22_many_guesses_at_once_are_counted_like_one_after_another(accounts, alice, address):
    """The sixth has to wait, though none of them had failed when it began."""

    def guess(number):
        with pytest.raises((LoginError, ThrottledError)) as told:
            accounts.login("alice", f"wrong horse {number}", address=address)
        return told.type

    with ThreadPoolExecutor(24) as pool:
        assert Counter(pool.map(guess, range(24))) == {LoginError: 5, ThrottledError: 19}


def test_new_accounts_made_at_once_are_counted_like_one_after_another(accounts):
    def register(number):
        try:
            accounts.register(f"user{number}", PASSWORD, address="192.0.2.1", taken=lambda _: False)
        except ThrottledError:
            return False
        return True

    with ThreadPoolExecutor(30) as pool:
        assert sum(pool.map(register, range(30))) == 20


def test_many_right_passwords_at_once_are_compared_once(accounts, alice, monkeypatch):
    compared = []
    monkeypatch.setattr("skydex.accounts.accounts.is_password", lambda *given: compared.append(given) or True)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: accounts.login("alice", PASSWORD, address="192.0.2.1"), range(16))
    assert set(found) == {alice}
    assert len(compared) == 1


@pytest.mark.parametrize(
    "who",
    ["bob", "", "1234567890", "12", "alice\0", "\ud800", "9" * 5000, "' OR 1=1 --", f"{1234567890:020d}{'0' * 5000}"],
)
def test_somebody_unknown_and_a_wrong_password_read_alike(accounts, alice, who):
    with pytest.raises(LoginError) as unknown:
        accounts.login(who, PASSWORD, address="")
    with pytest.raises(LoginError) as wrong:
        accounts.login("alice", "wrong horse", address="")
    assert str(unknown.value) == str(wrong.value)


def test_a_file_that_appears_later_is_noticed(accounts, tmp_path):
    assert accounts.find("alice") is None
    elsewhere = Accounts(tmp_path / "state")
    elsewhere.add("alice", PASSWORD)
    assert accounts.login("alice", PASSWORD, address="").name == "alice"


def test_a_change_by_another_process_counts_at_once(accounts, alice, tmp_path):
    accounts.login("alice", PASSWORD, address="")
    code = (
        "import sys; from pathlib import Path; from skydex.accounts import Accounts;"
        "Accounts(Path(sys.argv[1])).set_password('alice', 'another horse')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "state")], check=True)
    with pytest.raises(LoginError):
        accounts.login("alice", PASSWORD, address="")
    assert accounts.login("alice", "another horse", address="") == alice


@pytest.mark.parametrize("name", ["", "1a", "a b", "a.b", "ä", "a" * 64, "a\n", "a'b", "../x", "_x"])
def test_a_name_is_an_identifier(accounts, name):
    with pytest.raises(BadParameterError, match="letter"):
        accounts.add(name, PASSWORD)


@pytest.mark.parametrize("name", ["MyDB", "dbo", "TAP_SCHEMA", "public", "ivoa", "hsc"])
def test_a_name_that_means_something_else_is_taken(accounts, name):
    with pytest.raises(NameTakenError, match=name):
        accounts.add(name, PASSWORD, taken=lambda word: word == "hsc")


def test_a_name_is_given_once_in_any_case_and_never_again(accounts, alice):
    with pytest.raises(NameTakenError):
        accounts.add("Alice", PASSWORD)
    accounts.remove("ALICE")
    assert accounts.find("alice") is None
    assert accounts.find(alice.wsid) is None
    assert accounts.removed() == (("alice", alice.wsid),)
    with pytest.raises(NameTakenError):
        accounts.add("alice", PASSWORD)
    with pytest.raises(LoginError):
        accounts.login("alice", PASSWORD, address="")
    with pytest.raises(UnknownUserError):
        accounts.remove("alice")


def test_a_mistyped_name_gives_nobody_away(accounts, alice):
    with pytest.raises(UnknownUserError) as caught:
        accounts.get("alicee")
    assert str(caught.value) == 'No user "alicee".'


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025, "ä" * 600])
def test_r22_a_password_has_8_to_1024_bytes(accounts, password):
    with pytest.raises(BadParameterError, match=r"8 to 1,024 bytes"):
        accounts.add("alice", password)
    assert accounts.users() == ()


@pytest.mark.parametrize("password", ["12345678", "x" * 1024, "ä" * 512, "pass:word with \0 and ' and \""])
def test_any_other_text_is_a_password(accounts, password):
    accounts.add("alice", password)
    assert accounts.login("alice", password, address="").name == "alice"
    with pytest.raises(LoginError):
        accounts.login("alice", password[:-1] + "!", address="")


def test_a_password_is_the_same_however_a_keyboard_composes_it(accounts):
    accounts.add("alice", "Zürich-Zürich")
    assert accounts.login("alice", "Zu\u0308rich-Zu\u0308rich", address="")


def test_r22_the_file_holds_an_argon2id_hash_and_no_password_and_only_its_owner_reads_it(accounts, alice, tmp_path):
    token = accounts.make_token(alice, seconds=60)
    session = accounts.make_session(alice, seconds=60)
    files = list((tmp_path / "state").iterdir())
    kept = b"".join(file.read_bytes() for file in files)
    assert b"$argon2id$" in kept
    for secret in (PASSWORD, token, session):
        assert secret.encode() not in kept
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_r22_an_unknown_user_takes_as_long_as_a_wrong_password(accounts, alice):
    def median(who):
        times = []
        for i in range(9):
            start = time.thread_time()
            with pytest.raises(LoginError):
                accounts.login(who, "wrong horse", address=f"192.0.2.{i}")
            times.append(time.thread_time() - start)
        return sorted(times)[4]

    median("warm")
    known, unknown = median("alice"), median("nobody_here")
    assert 0.5 < known / unknown < 2
    assert unknown > 0.005


def test_a_password_that_was_right_a_moment_ago_costs_nothing(accounts, alice):
    assert accounts.find_quickly("alice", PASSWORD) is None
    accounts.login("alice", PASSWORD, address="")
    start = time.thread_time()
    for _ in range(20):
        assert accounts.find_quickly("Alice", PASSWORD) == alice
        assert accounts.find_quickly("alice", "wrong horse") is None
    assert time.thread_time() - start < 0.1


def test_r22_guessing_is_slowed_down_for_the_guesser_and_not_for_the_user(accounts, alice):
    for _ in range(5):
        with pytest.raises(LoginError):
            accounts.login("alice", "guess guess", address="192.0.2.66")
    with pytest.raises(ThrottledError) as caught:
        accounts.login("alice", PASSWORD, address="192.0.2.66")
    assert 1 <= caught.value.retry_after_s <= 2
    assert accounts.login("alice", PASSWORD, address="192.0.2.1") == alice
    assert accounts.login("alice", PASSWORD, address="192.0.2.66") == alice  # known to be right


def test_r22_an_address_that_tries_many_names_is_slowed_down(accounts, alice):
    for i in range(30):
        with pytest.raises(LoginError):
            accounts.login(f"user{i}", "guess guess", address="2001:db8::1")
    with pytest.raises(ThrottledError):
        accounts.login("alice", PASSWORD, address="2001:db8::ffff:2")


def test_a_token_is_its_owner_until_it_expires_or_is_revoked(accounts, alice):
    token = accounts.make_token(alice, seconds=60, label="notebook")
    assert accounts.by_token(token) == alice
    [known] = accounts.tokens(alice)
    assert (known.label, round(known.expires - known.created)) == ("notebook", 60)
    accounts.revoke(alice, known.id)
    for dead in (token, accounts.make_token(alice, seconds=-1), "", "nonsense", "\ud800"):
        with pytest.raises(LoginError, match="token"):
            accounts.by_token(dead)
    assert accounts.tokens(alice) == ()


def test_nobody_revokes_the_token_of_somebody_else(accounts, alice):
    bob = accounts.add("bob", PASSWORD)
    token = accounts.make_token(alice, seconds=60)
    accounts.revoke(bob, accounts.tokens(alice)[0].id)
    assert accounts.by_token(token) == alice


def test_a_session_is_no_token_and_a_token_no_session(accounts, alice):
    assert accounts.by_session(accounts.make_token(alice, seconds=60)) is None
    with pytest.raises(LoginError):
        accounts.by_token(accounts.make_session(alice, seconds=60))


def test_a_new_password_and_removal_end_all_tokens_and_sessions(accounts, alice):
    bob = accounts.add("bob", PASSWORD)
    for end in (lambda: accounts.set_password("alice", "another horse"), lambda: accounts.remove("alice")):
        token, session = accounts.make_token(alice, seconds=60), accounts.make_session(alice, seconds=60)
        others = accounts.make_token(bob, seconds=60)
        end()
        with pytest.raises(LoginError):
            accounts.by_token(token)
        assert accounts.by_session(session) is None
        assert accounts.by_token(others) == bob


def test_a_user_has_so_many_tokens_and_no_more(accounts, alice):
    first = accounts.make_session(alice, seconds=60)
    for _ in range(20):
        assert accounts.by_session(first) == alice
        last = accounts.make_session(alice, seconds=60)
    assert accounts.by_session(first) is None
    assert accounts.by_session(last) == alice


def test_a_quota_is_the_archives_until_the_user_has_her_own(tmp_path, accounts, alice):
    assert (alice.quota_mb, alice.quota_tables) == (1000, 500)
    assert accounts.set_quota("alice", mb=20).quota_mb == 20
    assert Accounts(tmp_path / "state", quota_mb=7, quota_tables=8).get("alice").quota_tables == 8
    assert Accounts(tmp_path / "state", quota_mb=7).get("alice").quota_mb == 20
    with pytest.raises(BadParameterError):
        accounts.set_quota("alice", mb=-1)


def test_groups_have_members(accounts, alice):
    accounts.add("bob", PASSWORD)
    accounts.add_group("Variables")
    assert accounts.join("variables", "ALICE").groups == {"Variables"}
    accounts.join("variables", "bob")
    assert accounts.groups() == {"Variables": ("alice", "bob")}
    assert accounts.get("alice").groups == {"Variables"}
    assert accounts.leave("variables", "bob").groups == frozenset()
    accounts.remove("alice")
    assert accounts.groups() == {"Variables": ()}
    with pytest.raises(NameTakenError):
        accounts.add_group("VARIABLES")
    with pytest.raises(UnknownGroupError, match="variabels"):
        accounts.join("variabels", "bob")
    accounts.remove_group("variables")
    assert accounts.groups() == {}
    with pytest.raises(UnknownGroupError):
        accounts.join("variables", "bob")
    with pytest.raises(NameTakenError):  # tables may still be shared with it
        accounts.add_group("variables")


def test_many_threads_and_processes_write_at_once(accounts, tmp_path):
    accounts.add("first", PASSWORD)

    def join(n):
        mine = Accounts(tmp_path / "state")
        for i in range(5):
            mine.add_group(f"group_{n}_{i}")
            accounts.join(f"group_{n}_{i}", "first")

    threads = [threading.Thread(target=join, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accounts.get("first").groups) == 20


def test_a_file_that_is_no_record_is_an_error_without_its_path(accounts, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / ACCOUNTS_FILE).write_bytes(b"not a database, but long enough to look at " * 40)
    for deed in (lambda: accounts.users(), lambda: accounts.add("alice", PASSWORD)):
        with pytest.raises(AccountsError) as caught:
            deed()
        assert str(tmp_path) not in str(caught.value)


def test_a_record_of_a_newer_version_is_left_alone(accounts, alice, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "state" / ACCOUNTS_FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    accounts.close()
    for deed in (accounts.users, lambda: accounts.add("bob", PASSWORD)):
        with pytest.raises(AccountsError, match="99"):
            deed()


def test_where_nobody_can_write_users_are_read_and_changes_are_refused(tmp_path):
    """As somebody else than root, for whom the permissions of a directory mean nothing."""
    Accounts(tmp_path / "state").add("alice", PASSWORD)
    for place in (tmp_path, *tmp_path.parents):
        if place != place.parent and os.geteuid() == 0:
            os.chmod(place, place.stat().st_mode | 0o111)
    os.chmod(tmp_path / "state" / ACCOUNTS_FILE, 0o644)
    os.chmod(tmp_path / "state", 0o555)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from skydex.accounts import Accounts; from skydex.errors import AccountsError\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "accounts = Accounts(Path(sys.argv[1]))\n"
        "user = accounts.login('alice', sys.argv[2], address='')\n"
        "try: accounts.make_session(user, seconds=60)\n"
        "except AccountsError as error: print(error)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "state"), PASSWORD], capture_output=True, text=True
        )
    finally:
        os.chmod(tmp_path / "state", 0o755)
    assert "cannot be written" in done.stdout, done.stderr
