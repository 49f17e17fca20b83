"""Accounts as people use them in a browser, and programs without one."""

from __future__ import annotations

import contextlib
import re

import httpx
import pytest
from lxml import html
from serving import build_archive, serving

from skydex.archive import Archive

PASSWORD = "correct-horse-7781"
HTML = {"accept": "text/html,application/xhtml+xml"}
QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 star_id FROM sky.stars", "FORMAT": "csv"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return build_archive(tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="module")
def served(place):
    with serving(place, registration="open", contact="Ask <b>us</b>") as server:
        yield server


@pytest.fixture(scope="module")
def accounts(place, served):
    accounts = Archive.open(place).accounts
    for name in ("alice", "bob"):
        accounts.add(name, PASSWORD)
    return accounts


class Browser:
    """What a browser does with pages and forms; it says where a form comes from."""

    def __init__(self, url):
        self.client = httpx.Client(base_url=url, headers=HTML, follow_redirects=True, timeout=30)
        self.reply = None

    def open(self, path):
        self.reply = self.client.get(path)
        return self

    def submit(self, button, **values):
        """Fill in the form with that button, and send it."""
        forms = html.fromstring(self.reply.content, base_url=str(self.reply.url)).forms
        [form, *_] = [form for form in forms if button in form.text_content()]
        assert form.method == "POST"
        action = self.reply.url.join(form.action)
        fields = {name: value or "" for name, value in form.fields.items()} | values
        origin = f"{action.scheme}://{action.netloc.decode()}"
        self.reply = self.client.post(action, data=fields, headers={"origin": origin, "sec-fetch-site": "same-origin"})
        return self

    @property
    def text(self):
        return html.fromstring(self.reply.content).text_content()


@pytest.fixture
def browser(served, accounts):
    browser = Browser(served.url)
    yield browser
    browser.client.close()


def logged_in(browser, name="alice"):
    browser.open("/account").submit("Log in", name=name, password=PASSWORD)
    assert "Your account" in browser.text, browser.text
    return browser


def own_form(browser):
    """The first form of the page that changes something."""
    return next(form for form in html.fromstring(browser.reply.content).forms if form.method == "POST")


def test_somebody_logs_in_sees_who_she_is_and_logs_out(browser, accounts):
    logged_in(browser)
    assert browser.reply.url.path == "/account"
    assert str(accounts.get("alice").wsid) in browser.text
    browser.submit("Log out")
    assert "Log in" in browser.text
    assert browser.open("/account").reply.url.path == "/account/login"


def test_the_first_page_leads_to_the_account(browser):
    assert "/account" in browser.open("/").reply.text


def test_who_has_to_log_in_first_comes_back_to_where_she_wanted_to_go(browser):
    browser.open("/mydb/tables?a=1&b=%3Cb%3E")
    assert browser.reply.url.path == "/account/login"
    browser.submit("Log in", name="alice", password="wrong-horse-3317")
    browser.submit("Log in", name="alice", password=PASSWORD)
    assert browser.reply.url.raw_path == b"/mydb/tables?a=1&b=%3Cb%3E"
    assert browser.reply.json() == []


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/a\r\nx: y", "", "<b>", "ä"],
)
def test_r21_a_login_leads_to_no_other_site(browser, served, wanted):
    browser.client.get("/account/login", params={"next": wanted})
    reply = browser.client.post(
        "/account/login",
        params={"next": wanted},
        data={"name": "alice", "password": PASSWORD},
        follow_redirects=False,
    )
    assert reply.status_code == 303
    assert reply.headers["location"].startswith("../")
    assert reply.url.join(reply.headers["location"]).netloc == reply.url.netloc
    assert "x" not in reply.headers


def test_a_wrong_password_is_said_above_the_form_and_nothing_of_it_comes_back(browser):
    browser.open("/account/login").submit("Log in", name="<b>alice", password="wrong-horse-3317")
    assert browser.reply.status_code == 403
    assert "www-authenticate" not in browser.reply.headers
    assert "is wrong" in browser.text
    assert "wrong-horse" not in browser.reply.text
    assert "<b>alice" not in browser.reply.text
    browser.submit("Log in", name="alice", password=PASSWORD)
    assert "Your account" in browser.text


def test_pages_run_no_scripts_and_are_kept_by_nobody_and_the_cookie_is_hidden_from_scripts(browser):
    reply = browser.client.post("/account/login", data={"name": "alice", "password": PASSWORD}, follow_redirects=False)
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = browser.open("/account").reply
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"


def test_a_session_counts_for_other_services_of_the_archive(browser):
    logged_in(browser)
    token = own_form(browser).fields["csrf_token"]
    made = browser.client.post("/tap/async", data=QUERY, headers={"x-csrf-token": token}, follow_redirects=False)
    assert made.status_code == 303
    assert browser.client.get(f"{made.headers['location']}/owner").text == "alice"


def test_r23_a_cookie_alone_changes_nothing(browser, accounts):
    logged_in(browser)
    good = own_form(browser).fields["csrf_token"]
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    attempts = [
        ({}, {}),
        ({"csrf_token": "guess"}, {}),
        ({"csrf_token": good}, elsewhere),
        ({"csrf_token": good}, {"origin": "null"}),
        ({}, {"x-csrf-token": "ä".encode("latin-1")}),
    ]
    token = accounts.make_token(accounts.get("alice"), seconds=60)
    known = accounts.get_token(token).id
    for fields, headers in attempts:
        for path, data in [
            ("/account/logout", {}),
            ("/account/tokens", {"label": "stolen"}),
            (f"/account/tokens/{known}", {}),
            ("/account/password", {"password": PASSWORD, "new_password": "evil-horse-1"}),
            ("/tap/async", QUERY),
            ("/tap/sync", QUERY),
        ]:
            reply = browser.client.post(path, data={**data, **fields}, headers=headers)
            assert reply.status_code == 403, path
    assert browser.client.delete(f"/account/tokens/{known}").status_code == 403
    assert "Your account" in browser.open("/account").text
    assert [one.label for one in accounts.tokens(accounts.get("alice"))] == [""]
    assert accounts.login("alice", PASSWORD, address="")
    accounts.revoke(accounts.get("alice"), known)


def test_r23_no_other_site_logs_somebody_in_or_uses_a_password_that_the_browser_remembers(browser, accounts):
    elsewhere = {"origin": "https://evil.example"}
    reply = browser.client.post("/account/login", data={"name": "bob", "password": PASSWORD}, headers=elsewhere)
    assert reply.status_code == 403
    assert "set-cookie" not in reply.headers
    reply = browser.client.post("/tap/async", data=QUERY, auth=("bob", PASSWORD), headers=elsewhere)
    assert reply.status_code == 403
    token = accounts.make_token(accounts.get("bob"), seconds=60)  # which no browser remembers
    reply = browser.client.post("/tap/sync", data=QUERY, headers={**elsewhere, "authorization": f"Bearer {token}"})
    assert reply.status_code == 200


def test_r23_no_address_of_casjobs_that_changes_something_can_be_put_into_a_page(browser, accounts):
    ask = "/ps1casjobs/services/jobs.asmx/ExecuteQuickJob"
    given = {"qry": "create table stolen (a int)", "context": "MYDB", "taskname": "t", "isSystem": "False"}
    logged_in(browser)
    elsewhere = {"sec-fetch-site": "cross-site"}  # the picture of a page, whose Origin browsers do not say
    assert browser.client.get(ask, params=given).status_code == 500
    assert browser.client.get(ask, params=given, auth=("alice", PASSWORD), headers=elsewhere).status_code == 500
    own = browser.client.get("/mydb/tables", auth=("alice", PASSWORD)).json()
    assert own == []
    assert browser.client.get(ask, params=given, auth=("alice", PASSWORD)).status_code == 200
    browser.client.delete("/mydb/tables/stolen", auth=("alice", PASSWORD))


def test_somebody_makes_an_account_for_herself(browser, accounts):
    browser.open("/account/login")
    link = html.fromstring(browser.reply.content).xpath("//a[contains(., 'Make an account')]/@href")[0]
    browser.open(browser.reply.url.join(link))
    browser.submit("Make it", name="carol", password=PASSWORD, again="other-horse-1")
    assert "not typed the same" in browser.text
    browser.submit("Make it", name="sky", password=PASSWORD, again=PASSWORD)
    assert "taken" in browser.text
    browser.submit("Make it", name="carol", password="short", again="short")
    assert "8 to 1,024 bytes" in browser.text
    browser.submit("Make it", name="carol", password=PASSWORD, again=PASSWORD)
    assert "Your account" in browser.text
    assert accounts.get("carol").quota_mb == 1000


def test_a_new_password_ends_what_the_old_one_began(browser, served, accounts):
    accounts.add("dora", PASSWORD)
    old = logged_in(Browser(served.url), "dora")
    logged_in(browser, "dora").open("/account/password")
    browser.submit("Change it", password="wrong-horse-3317", new_password="another-horse-5")
    assert "is wrong" in browser.text
    browser.submit("Change it", password=PASSWORD, new_password="another-horse-5")
    assert "Your account" in browser.text
    assert old.open("/account").reply.url.path == "/account/login"
    assert accounts.login("dora", "another-horse-5", address="")
    old.client.close()


def test_a_token_is_shown_once_and_works_until_it_is_ended(browser, served):
    logged_in(browser, "bob").submit("Make a token", label="<i>laptop", days="2")
    [secret] = re.findall(r"skydex_[\w-]{43}", browser.text)
    bearer = {"authorization": f"Bearer {secret}"}
    assert httpx.get(f"{served.url}/account", headers=bearer).json()["name"] == "bob"
    assert httpx.post(f"{served.url}/account/tokens", headers=bearer).status_code == 403
    browser.open("/account")
    assert secret not in browser.reply.text
    assert "&lt;i&gt;laptop" in browser.reply.text
    browser.submit("End it")
    assert httpx.get(f"{served.url}/account", headers=bearer).status_code == 401


def test_a_program_makes_lists_and_ends_tokens(served, accounts):
    with httpx.Client(base_url=f"{served.url}/account", auth=("alice", PASSWORD)) as client:
        made = client.post("/tokens", json={"label": "cron", "days": 0.5})
        assert made.status_code == 201
        assert made.json()["token"].startswith("skydex_")
        assert [token["label"] for token in client.get("/tokens").json()["tokens"]] == ["cron"]
        assert client.delete(f"/tokens/{made.json()['id']}").json() == {"tokens": []}
        assert client.post("/tokens", json={"days": 1e6}).status_code == 400
        assert client.post("/tokens", content=b"[1]", headers={"content-type": "application/json"}).status_code == 400
        assert client.post("/tokens", content=b"{", headers={"content-type": "application/json"}).status_code == 400


@pytest.mark.parametrize(
    "body", [b'{"label": "\\ud800"}', b'{"csrf_token": "\\udfff"}', b'{"\\ud800": 1}', b"[" * 200_000]
)
def test_r07_texts_that_are_none_and_endless_nests_are_refused(served, accounts, body):
    headers = {"content-type": "application/json"}
    with httpx.Client(base_url=f"{served.url}/account", auth=("alice", PASSWORD)) as client:
        assert client.post("/tokens", content=body, headers=headers).status_code == 400
    with httpx.Client(base_url=f"{served.url}/account") as client:
        assert client.post("/login", json={"name": "alice", "password": PASSWORD}).status_code == 200
        assert client.post("/tokens", content=body, headers=headers).status_code == 400


def test_a_program_logs_in_for_a_session(served, accounts):
    with httpx.Client(base_url=served.url) as client:
        assert client.get("/account").status_code == 401
        assert client.post("/account/login", json={"name": "alice", "password": "wrong-horse-1"}).status_code == 401
        facts = client.post("/account/login", json={"name": "alice", "password": PASSWORD}).json()
        assert facts["wsid"] == accounts.get("alice").wsid
        assert client.get("/account").json()["name"] == "alice"
        csrf = {"x-csrf-token": facts["csrf_token"]}
        assert client.post("/account/logout", headers=csrf).json() == {"name": None}
        assert client.get("/account").status_code == 401


def test_where_the_operator_makes_accounts_nobody_else_does(server, web):
    assert web.post("/account/register", data={"name": "eve", "password": PASSWORD}).status_code == 403
    assert "Those who run" in web.get("/account/register", headers=HTML).text
    assert "Make an account" not in web.get("/account/login", headers=HTML).text


def test_credentials_in_an_address_are_not_taken(served, accounts):
    reply = httpx.post(f"{served.url}/account/login?name=alice&password={PASSWORD}")
    assert reply.status_code == 400


@pytest.fixture
def programs(served, accounts):
    """Programs of alice, who makes groups, of bob and of a third."""
    if accounts.find("carol") is None:
        accounts.add("carol", PASSWORD)
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(httpx.Client(base_url=served.url, auth=(name, PASSWORD), timeout=30))
            for name in ("alice", "bob", "carol")
        ]


def test_a_group_that_a_user_makes_sees_the_tables_that_are_shared_with_it_as_long_as_it_is_there(programs):
    alice, bob, carol = programs
    made = alice.post("/account/groups", json={"name": "friends"})
    assert (made.status_code, made.json()) == (201, {"name": "alice.friends", "members": ["alice"]})
    query = {"LANG": "ADQL", "QUERY": "SELECT x FROM alice.t", "FORMAT": "csv"}
    assert alice.put("/mydb/tables/t", content=b"x\n1\n", headers={"content-type": "text/csv"}).status_code == 201
    assert alice.post("/mydb/tables/t/share", data={"groups": "alice.friends"}).status_code == 200
    assert bob.get("/tap/sync", params=query).status_code == 400
    added = alice.post("/account/groups/friends/add", json={"user": "BOB"})
    assert added.json() == {"name": "alice.friends", "members": ["alice", "bob"]}
    assert bob.get("/account/groups").json() == {"groups": [{"name": "alice.friends"}]}, "who is in it alice alone sees"
    assert bob.get("/tap/sync", params=query).text.split() == ["x", "1"]
    assert carol.get("/tap/sync", params=query).status_code == 400
    for path, user in (("add", "carol"), ("remove", "alice")):
        assert bob.post(f"/account/groups/alice.friends/{path}", json={"user": user}).status_code == 403
        assert carol.post(f"/account/groups/alice.friends/{path}", json={"user": user}).status_code == 400
    assert bob.delete("/account/groups/alice.friends").status_code == 403
    assert bob.post("/account/groups/alice.friends/leave").json() == {"groups": []}
    assert bob.get("/tap/sync", params=query).status_code == 400
    assert alice.post("/account/groups/friends/leave").status_code == 400
    assert alice.post("/account/groups/alice.friends/leave").status_code == 403
    alice.post("/account/groups/friends/add", json={"user": "bob"})
    assert alice.post("/account/groups/friends/remove", json={"user": "bob"}).json()["members"] == ["alice"]
    alice.post("/account/groups/friends/add", json={"user": "bob"})
    assert alice.delete("/account/groups/alice.friends").json() == {"groups": []}
    assert bob.get("/tap/sync", params=query).status_code == 400
    assert alice.post("/account/groups", json={"name": "Friends"}).status_code == 400, "a name is given once"


def test_groups_of_the_operator_and_of_others_are_not_touched(programs, accounts):
    alice, bob, _ = programs
    accounts.add_group("team")
    accounts.join("team", "alice")
    for path in ("", "/add", "/leave"):
        assert alice.post(f"/account/groups/team{path}", json={"user": "bob"}).status_code in (400, 403)
        assert bob.post(f"/account/groups/team{path}", json={"user": "bob"}).status_code == 400
    assert accounts.groups()["team"] == ("alice",)
    assert alice.post("/account/groups", json={"name": "team"}).json()["name"] == "alice.team"
    for name in ("a.b", "bob.x", "", "1", "mydb"):
        assert alice.post("/account/groups", json={"name": name}).status_code == 400


def test_a_user_makes_so_many_groups_and_they_go_with_her(programs, accounts):
    carol = programs[2]
    replies = [carol.post("/account/groups", json={"name": f"g{n}"}).status_code for n in range(21)]
    assert replies == [201] * 20 + [403]
    assert carol.post("/account/groups/g1/add", json={"user": "nobody1"}).status_code == 400
    assert carol.post("/account/groups/g1/add", json={"user": "bob"}).status_code == 200
    accounts.remove("carol")
    assert not [group for group in accounts.groups() if group.startswith("carol.")]
    assert "carol.g1" not in accounts.get("bob").groups


def test_groups_are_made_and_ended_with_a_browser(browser):
    logged_in(browser).open("/account/groups").submit("Make a group", name="readers")
    assert "alice.readers" in browser.reply.text
    browser.submit("Add", user="bob")
    assert "alice, bob" in browser.reply.text
    browser.submit("Delete the group")
    assert "alice.readers" not in browser.reply.text


def test_r23_a_cookie_alone_makes_no_group(browser, accounts):
    logged_in(browser)
    assert browser.client.post("/account/groups", data={"name": "forged"}).status_code == 403
    assert "alice.forged" not in accounts.groups()
