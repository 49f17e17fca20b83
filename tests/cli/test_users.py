"""Who may log in, as an operator says it."""

from __future__ import annotations

import http.server
import io
import socket
import threading

import pytest

from skydex.archive import Archive
from skydex.demo.server import running_server
from skydex.errors import LoginError
from skydex.ingest import ingest_files

PASSWORD = "correct horse"


@pytest.fixture
def own(tmp_path, stars_file):
    """An archive that may be changed."""
    ingest_files([stars_file], tmp_path / "archive", "my.stars")
    return tmp_path / "archive"


@pytest.fixture
def with_password(skydex, monkeypatch):
    """Run a command that reads a password from standard input."""

    def run(*arguments, password=PASSWORD):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        return skydex(*arguments, "--password-stdin")

    return run


def test_a_user_is_added_listed_changed_and_removed(own, skydex, with_password):
    added = with_password("user", "add", own, "alice")
    accounts = Archive.open(own).accounts
    assert added.out == f"alice: WSID {accounts.get('alice').wsid}\n"
    assert accounts.login("alice", PASSWORD, address="").name == "alice"
    assert skydex("user", "quota", own, "alice", "--mb", 20000).out == "alice: 20,000 MB, 500 tables\n"
    assert skydex("user", "quota", own, "ALICE").out == "alice: 20,000 MB, 500 tables\n"
    [line] = [line for line in skydex("user", "list", own).out.splitlines() if line.startswith("alice")]
    assert line.split()[2:6] == ["0", "500", "0.0", "20,000"]
    assert with_password("user", "passwd", own, "alice", password="another horse").status == 0
    with pytest.raises(LoginError):
        accounts.login("alice", PASSWORD, address="")
    assert skydex("user", "remove", own, "alice").out == "alice: removed\n"
    assert "alice" not in skydex("user", "list", own).out


def test_groups_are_made_joined_left_and_removed(own, skydex, with_password):
    with_password("user", "add", own, "alice")
    assert skydex("group", "add", own, "variables").status == 0
    assert skydex("group", "join", own, "variables", "alice").out == "alice: variables\n"
    assert skydex("group", "list", own).out == "variables: alice\n"
    assert skydex("group", "leave", own, "variables", "alice").out == "alice: in no group\n"
    assert skydex("group", "list", own).out == "variables: nobody\n"
    assert skydex("group", "remove", own, "VARIABLES").out == "variables: removed\n"


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("alice", "short", "8 to 1,024 bytes"),
        ("my", PASSWORD, "taken"),
        ("dbo", PASSWORD, "taken"),
        ("Order", PASSWORD, "taken"),
        ("a.b", PASSWORD, "letter"),
    ],
)
def test_what_cannot_be_a_user_is_refused_in_one_line(own, skydex, with_password, name, password, said):
    ran = with_password("user", "add", own, name, password=password)
    assert ran.status == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert password not in ran.err


def test_a_taken_name_is_said_so_before_a_password_is_asked_for(own, skydex, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _: pytest.fail("asked"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert "taken" in skydex("user", "add", own, "my").err


def test_a_password_is_typed_twice(own, skydex, monkeypatch):
    typed = iter([PASSWORD, PASSWORD + "!", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert "not typed the same twice" in skydex("user", "add", own, "alice").err
    assert skydex("user", "add", own, "alice").status == 0


def test_somebody_unknown_is_said_so_before_a_password_is_asked_for(own, skydex):
    assert 'No user "alice"' in skydex("user", "passwd", own, "alice").err


def test_without_a_terminal_the_password_must_be_said_to_come(own, skydex, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "--password-stdin" in skydex("user", "add", own, "alice").err


def test_users_of_a_folder_of_files_are_those_of_the_archive_that_was_made_of_it(
    skydex, with_password, tmp_path, stars_file
):
    from skydex.cli.serving import archive_of_folder

    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "stars.csv").write_bytes(stars_file.read_bytes())
    archive = archive_of_folder(folder)
    with_password("user", "add", folder, "alice")
    assert Archive.open(archive).accounts.get("alice")


def test_a_place_that_is_no_archive_is_left_alone(skydex, with_password, tmp_path):
    assert with_password("user", "add", tmp_path / "nowhere", "alice").status == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def kept(own, with_password, tmp_path, skydex):
    """An archive with a user who keeps a table."""
    with_password("user", "add", own, "alice")
    made = skydex("query", own, "SELECT id INTO mydb.mine FROM my.stars", "--context", "mydb", "--user", "alice")
    assert made.status == 0, made.err
    return own


def test_a_query_is_asked_for_a_user(kept, skydex):
    text = "SELECT COUNT(*) AS n FROM mydb.mine"
    assert skydex("query", kept, text, "--user", "ALICE", "-f", "csv").out == "n\n4\n"
    assert skydex("query", kept, text).status == 1
    assert 'No user "bob"' in skydex("query", kept, text, "--user", "bob").err


def test_a_server_is_asked_for_a_user_who_sends_her_password(kept, skydex, with_password):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with running_server(kept, port=port) as server:
        asked = ("query", server.url, "SELECT COUNT(*) AS n FROM mydb.mine", "-f", "csv")
        assert with_password(*asked, "--user", "alice").out == "n\n4\n"
        assert "password is wrong" in with_password(*asked, "--user", "alice", password="wrong horse").err
        assert skydex(*asked).status == 1
        cone = ("cone", server.url, "my.stars", "10.6", "41.25", "1", "-f", "csv", "--user", "alice")
        assert with_password(*cone).status == 0
        assert "password is wrong" in with_password(*cone, password="wrong horse").err


def test_r22_a_server_that_leads_on_to_another_one_does_not_get_it_the_password(with_password):
    heard = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append((self.path, self.headers.get("Authorization")))
            self.send_response(404)
            self.end_headers()

        def do_POST(self):
            heard.append((self.path, self.headers.get("Authorization")))
            self.send_response(303)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with_password("query", f"http://127.0.0.1:{server.server_port}/tap", "SELECT 1 AS x", "--user", "alice")
        server.shutdown()
    told = [(path, word is not None) for path, word in heard]
    assert ("/tap/sync", True) in told
    assert ("/elsewhere", False) in told
    assert ("/elsewhere", True) not in told
