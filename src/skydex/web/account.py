"""Accounts on the web: logging in with a browser, one's own password and tokens, and making an account.

Each address answers a browser (`Accept: text/html`) with a page and everybody else with JSON; what is posted is a form
or a JSON object. Whoever logs in here gets a session: a cookie that scripts cannot read and that is not sent along from
other sites; each form carries the token of its session (promise R23). Programs need neither, and send a password or a
token with each request.

- `GET /account`: who I am.
- `POST /account/login`: `name`, `password`. `POST /account/logout`.
- `POST /account/register`: `name`, `password`; where the operator lets people make accounts.
- `POST /account/password`: `password`, `new_password`; all tokens and sessions end.
- `GET /account/tokens`: my tokens. `POST /account/tokens`: `label`, `days`; the answer shows the new token this once.
- `DELETE /account/tokens/{id}` (or `POST`): end one.
- `GET /account/groups`: the groups that I am in, with the members of those that I made.
- `POST /account/groups`: `name`; make a group, with which MyDB tables may be shared.
- `POST /account/groups/{name}/add`, `.../remove`: `user`; by who made the group. `POST /account/groups/{name}/leave`.
- `DELETE /account/groups/{name}` (or `POST`): end it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

from skydex.accounts import Token, User
from skydex.errors import (
    BadParameterError,
    LoginError,
    LoginNeededError,
    NotAllowedError,
    SkydexError,
    UnknownGroupError,
)
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Handler, Reply
from skydex.web.door import COOKIE, LOGIN, SAFE_METHODS, way_up
from skydex.web.moments import written_moment
from skydex.web.pages import page
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["SERVICE"]

BASE = "/account"
JSON_TYPE = "application/json"

_TITLE = "Accounts"
_RULES = "8 to 1,024 bytes, of any characters; a few words that nobody guesses are good."
_DAY_S, _HOUR_S = 86_400, 3600
_LEAST_DAYS = 0.01
_CSRF = "csrf_token"
_HALF = re.compile("[\ud800-\udfff]")
"""Surrogates, which JSON can write one by one, and nothing can store."""
_UNSTORED = (b"cache-control", b"no-store")


@dataclass(frozen=True)
class _Seen:
    """What an address has to say, to people and to programs."""

    title: str
    """Title of the page."""
    body: str
    """The page, in HTML."""
    facts: Any = None
    """The same for programs."""
    status: int = 200
    """HTTP status."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Further headers."""
    next: str | None = None
    """Where a browser goes instead, below `/account`."""


_Deed = Callable[[Call, dali.Parameters], Awaitable[_Seen]]
_Page = Callable[[Call], _Seen]


# What each address does


async def _login(call: Call, given: dali.Parameters) -> _Seen:
    user = await call.log_in(_get(given, "name"), _get(given, "password"))
    return await _welcome(call, user)


async def _register(call: Call, given: dali.Parameters) -> _Seen:
    if not _is_open(call.site):
        raise NotAllowedError("Accounts of this archive are made by those who run it. Ask them for one.")
    site = call.site
    name, password = _get(given, "name"), _get(given, "password")
    if given.find("again") not in (None, password):
        raise BadParameterError("password", "was not typed the same twice.")
    user = await site.door.work(
        site.accounts.register, name, password, address=call.address, taken=site.archive.has_name
    )
    return await _welcome(call, user)


async def _logout(call: Call, _: dali.Parameters) -> _Seen:
    if call.session is not None:
        await asyncio.to_thread(call.site.accounts.end_session, call.session)
    call.user = call.session = None
    return _Seen("", "", {"name": None}, headers=(_cookie(call.site, "", 0),), next=LOGIN)


async def _change_password(call: Call, given: dali.Parameters) -> _Seen:
    user, site = _needed(call, "A password"), call.site
    await site.door.compare(site.accounts, user.name, _get(given, "password"), call.address)
    await site.door.work(site.accounts.set_password, user.name, _get(given, "new_password"))
    return await _welcome(call, user)


async def _make_token(call: Call, given: dali.Parameters) -> _Seen:
    user, site = _needed(call, "A token"), call.site
    if call.header(b"authorization")[:6].lower() == b"bearer":
        raise NotAllowedError("A token does not make further tokens. Log in with your password.")
    most = site.settings.token_days
    days = most if given.find("days") is None else given.get_number("days", least=_LEAST_DAYS, most=most)
    secret = await asyncio.to_thread(
        site.accounts.make_token, user, seconds=days * _DAY_S, label=given.find("label") or ""
    )
    made = site.accounts.get_token(secret)
    shown = "<p>Keep it now; it is not shown again. Send it as <code>Authorization: Bearer</code>.</p>"
    body = f"{shown}<p><code>{escape(secret)}</code></p>{_back(call)}"
    return _Seen("A new token", body, {"token": secret, **_token_facts(made)}, 201)


async def _revoke(call: Call, _: dali.Parameters) -> _Seen:
    user = _needed(call, "A token")
    await asyncio.to_thread(call.site.accounts.revoke, user, call.part("id") or "")
    return _Seen("", "", {"tokens": _tokens(call, user)}, next="account")


async def _make_group(call: Call, given: dali.Parameters) -> _Seen:
    user, accounts = _needed(call, "A group"), call.site.accounts
    most = call.site.settings.groups_per_user
    name = await asyncio.to_thread(accounts.add_own_group, user, _get(given, "name"), most=most)
    return _Seen("", "", _group_facts(call, user, name), 201, next="account/groups")


async def _add_member(call: Call, given: dali.Parameters) -> _Seen:
    return await _with_member(call, given, call.site.accounts.join)


async def _remove_member(call: Call, given: dali.Parameters) -> _Seen:
    return await _with_member(call, given, call.site.accounts.leave)


async def _with_member(call: Call, given: dali.Parameters, change: Callable[[str, str], User]) -> _Seen:
    """Somebody comes or goes, as the maker of a group wishes."""
    user, who = _needed(call, "A group"), _get(given, "user")
    name = await asyncio.to_thread(call.site.accounts.get_own_group, user, call.part("name") or "")
    if who.lower() == user.name.lower():
        raise BadParameterError("user", "must be somebody else: you are in the groups that you made.")
    await asyncio.to_thread(change, name, who)
    return _Seen("", "", _group_facts(call, user, name), next="account/groups")


async def _leave_group(call: Call, _: dali.Parameters) -> _Seen:
    user, asked = _needed(call, "A group"), call.part("name") or ""
    name = next((group for group in user.groups if group.lower() == asked.lower()), None)
    if name is None:
        raise UnknownGroupError(asked[:100])
    if name in _made_by(user):
        raise NotAllowedError("You made this group: delete it instead.")
    if "." not in name:
        raise NotAllowedError("Those who run this archive say who is in this group. Ask them.")
    user = await asyncio.to_thread(call.site.accounts.leave, name, user.name)
    return _Seen("", "", {"groups": _groups(call, user)}, next="account/groups")


async def _end_group(call: Call, _: dali.Parameters) -> _Seen:
    user, accounts = _needed(call, "A group"), call.site.accounts
    name = await asyncio.to_thread(accounts.get_own_group, user, call.part("name") or "")
    await asyncio.to_thread(accounts.remove_group, name)
    user = replace(user, groups=user.groups - {name})
    return _Seen("", "", {"groups": _groups(call, user)}, next="account/groups")


async def _welcome(call: Call, user: User) -> _Seen:
    """Somebody has just shown who she is: she gets a session."""
    seconds = call.site.settings.session_hours * _HOUR_S
    call.session = await asyncio.to_thread(call.site.accounts.make_session, user, seconds=seconds)
    call.user = user
    cookie = _cookie(call.site, call.session, round(seconds))
    return replace(_account_page(call), headers=(cookie,), next=_back_to(call))


def _back_to(call: Call) -> str:
    """Where somebody wanted to go who had to log in first: always a place of ours, since its way begins here."""
    wanted = dali.Parameters(call.query_pairs()).find("next") or BASE
    return quote(wanted.lstrip("/\\"), safe="/?&=%+,;:()*")


# What each address shows


def _account_page(call: Call) -> _Seen:
    if call.user is None and call.is_browser:
        return _Seen("", "", next=LOGIN)
    user = _needed(call, "An account")
    rows = (
        ("name", user.name),
        ("number for CasJobs (WSID)", str(user.wsid)),
        ("tables may take", f"{user.quota_mb:,} MB"),
        ("how many", f"{user.quota_tables:,}"),
        ("groups", ", ".join(sorted(user.groups)) or "none"),
    )
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    ways = (
        ("mydb", "Your tables"),
        ("jobs", "Your jobs"),
        ("account/password", "Change the password"),
        ("account/groups", "Groups"),
    )
    links = "".join(f'<li><a href="{_way(call, path)}">{escape(name)}</a></li>' for path, name in ways)
    leave = _form(call, "account/logout", (), "Log out")
    body = f'<dl class="facts">{facts}</dl><ul>{links}</ul>{leave}<h2>Tokens</h2>{_tokens_html(call, user)}'
    return _Seen("Your account", body, _facts(call, user))


def _login_page(call: Call) -> _Seen:
    if call.user is not None:
        return _Seen("", "", _facts(call, call.user), next=_back_to(call))
    fields = (
        _Field("name", "User name", "text", "username"),
        _Field("password", "Password", "password", "current-password"),
    )
    ask = "No account yet?"
    more = f'<p>{ask} <a href="{_way(call, "account/register")}">Make an account</a></p>' if _is_open(call.site) else ""
    back = call.scope["query_string"].decode("latin-1")
    form = _form(call, f"{LOGIN}?{back}" if back else LOGIN, fields, "Log in")
    return _Seen("Log in", form + more, {"post": ["name", "password"]})


def _register_page(call: Call) -> _Seen:
    if not _is_open(call.site):
        contact = escape(call.site.settings.contact)
        return _Seen("No new accounts", f"<p>Those who run this archive make accounts. {contact}</p>", {"open": False})
    fields = (
        _Field("name", "User name", "text", "username", "A letter, then letters, digits and underscores."),
        _Field("password", "Password", "password", "new-password", _RULES),
        _Field("again", "The password once more", "password", "new-password"),
    )
    return _Seen("Make an account", _form(call, "account/register", fields, "Make it"), {"open": True})


def _password_page(call: Call) -> _Seen:
    if call.user is None and call.is_browser:
        return _Seen("", "", next=LOGIN)
    fields = (
        _Field("password", "Password", "password", "current-password"),
        _Field("new_password", "New password", "password", "new-password", f"{_RULES} All tokens and sessions end."),
    )
    body = f"{_form(call, 'account/password', fields, 'Change it')}{_back(call)}"
    return _Seen("Change the password", body, {"post": ["password", "new_password"]})


def _tokens_page(call: Call) -> _Seen:
    if call.user is None and call.is_browser:
        return _Seen("", "", next=LOGIN)
    user = _needed(call, "A token")
    return _Seen("Tokens", _tokens_html(call, user) + _back(call), {"tokens": _tokens(call, user)})


def _tokens_html(call: Call, user: User) -> str:
    about = "<p>A token stands for your password in programs, for a while.</p>"
    rows = "".join(_token_row(call, token) for token in call.site.accounts.tokens(user))
    head = "".join(f'<th scope="col">{name}</th>' for name in ("For", "Ends", "End it now"))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    most = f"At most {call.site.settings.token_days:g}; so many if nothing is said."
    fields = (
        _Field("label", "What it is for", is_needed=False),
        _Field("days", "Days until it ends", hint=most, is_needed=False),
    )
    return f"{about}{table}{_form(call, 'account/tokens', fields, 'Make a token')}"


def _token_row(call: Call, token: Token) -> str:
    end = _form(call, f"account/tokens/{token.id}", (), "End it")
    label, until = escape(token.label or "no label"), written_moment(token.expires)
    return f"<tr><td>{label}</td><td>{until}</td><td>{end}</td></tr>"


def _groups_page(call: Call) -> _Seen:
    if call.user is None and call.is_browser:
        return _Seen("", "", next=LOGIN)
    user = _needed(call, "A group")
    about = (
        "<p>Tables of MyDB can be shared with a group. Who is added to one sees such tables, and nobody sees hers.</p>"
    )
    groups = _groups(call, user)
    rows = "".join(_group_row(call, group) for group in groups)
    make = _form(call, "account/groups", (_Field("name", "Name of a new group"),), "Make a group")
    return _Seen("Groups", f"{about}{rows}{make}{_back(call)}", {"groups": groups})


def _group_row(call: Call, group: dict[str, Any]) -> str:
    name, way = escape(group["name"]), f"account/groups/{group['name']}"
    if "members" not in group:
        return f"<h2>{name}</h2>{_form(call, f'{way}/leave', (), 'Leave it') if '.' in name else ''}"
    who = (_Field("user", "User"),)
    forms = (_form(call, f"{way}/{word}", who, label) for word, label in (("add", "Add"), ("remove", "Remove")))
    members = escape(", ".join(group["members"]))
    return f"<h2>{name}</h2><p>{members}</p>{''.join(forms)}{_form(call, way, (), 'Delete the group')}"


def _groups(call: Call, user: User) -> list[dict[str, Any]]:
    return [_group_facts(call, user, name) for name in sorted(user.groups)]


def _group_facts(call: Call, user: User, name: str) -> dict[str, Any]:
    """What a user may know of a group: of one that she made, who is in it."""
    if name.partition(".")[0].lower() != user.name.lower() or "." not in name:
        return {"name": name}
    return {"name": name, "members": list(call.site.accounts.groups().get(name, ()))}


def _made_by(user: User) -> set[str]:
    return {name for name in user.groups if name.lower().startswith(f"{user.name.lower()}.")}


def _tokens(call: Call, user: User) -> list[dict[str, str]]:
    return [_token_facts(token) for token in call.site.accounts.tokens(user)]


def _token_facts(token: Token) -> dict[str, str]:
    return {
        "id": token.id,
        "label": token.label,
        "created": written_moment(token.created),
        "expires": written_moment(token.expires),
    }


def _facts(call: Call, user: User) -> dict[str, Any]:
    """Who somebody is, for programs."""
    return {
        "name": user.name,
        "wsid": user.wsid,
        "quota_mb": user.quota_mb,
        "quota_tables": user.quota_tables,
        "groups": sorted(user.groups),
        "created": written_moment(user.created),
        **({_CSRF: call.csrf_token} if call.session else {}),
    }


# Forms


@dataclass(frozen=True)
class _Field:
    """One line of a form."""

    name: str
    """Of the parameter."""
    label: str
    """What people read."""
    kind: str = "text"
    """As HTML has it."""
    autocomplete: str = "off"
    """What a browser may fill in."""
    hint: str = ""
    """What it must be like."""
    is_needed: bool = True
    """Whether nothing happens without it."""


def _form(call: Call, path: str, fields: Sequence[_Field], button: str) -> str:
    stem = path.partition("?")[0].replace("/", "-")
    lines = "".join(_line(field, f"{stem}-{field.name}") for field in fields)
    token = f'<input type="hidden" name="{_CSRF}" value="{call.csrf_token}">' if call.session else ""
    action = escape(_way(call, path))
    kind = ' class="main"' if fields else ""
    button = f"<p><button{kind}>{escape(button)}</button></p>"
    return f'<form class="lines" method="post" action="{action}">{token}{lines}{button}</form>'


def _line(field: _Field, name: str) -> str:
    """A field with its label, and what is said of it beside, which is read out with it."""
    hint = f'<span class="soft" id="{escape(name)}-hint">{escape(field.hint)}</span>' if field.hint else ""
    told = f' aria-describedby="{escape(name)}-hint"' if field.hint else ""
    needed = " required" if field.is_needed else ""
    return (
        f'<p><label for="{escape(name)}">{escape(field.label)}</label><input id="{escape(name)}" name="{field.name}" '
        f'type="{field.kind}" autocomplete="{field.autocomplete}"{needed}{told}>{hint}</p>'
    )


def _back(call: Call) -> str:
    return f'<p><a href="{_way(call, "account")}">Your account</a></p>'


def _way(call: Call, path: str) -> str:
    """The way from a page to another one."""
    return way_up(call.scope["path"]) + path


def _cookie(site: Site, secret: str, seconds: int) -> tuple[bytes, bytes]:
    """The header that sets the cookie of a session, or removes it."""
    only = "; Secure" if site.url.startswith("https:") else ""
    return b"set-cookie", f"{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{only}".encode()


# What all addresses have in common


def _handler(page_of: _Page, deed: _Deed | None = None, *, is_entrance: bool = False) -> Handler:
    """The handler of an address that shows a page, and does a deed where something is posted.

    At an entrance nobody has a session yet, or does not have to: it is enough that no other site has sent the form.
    """

    async def handle(call: Call) -> Reply:
        try:
            if deed is None or call.scope["method"] in SAFE_METHODS:
                return _shown(call, page_of(call))
            given = await _posted(call)
            if is_entrance:
                call.check_origin()
            else:
                call.check_form(given.find(_CSRF) or call.header(b"x-csrf-token").decode("latin-1"))
            return _shown(call, await deed(call, given))
        except SkydexError as error:
            return _failed(call, error, page_of)

    return handle


async def _posted(call: Call) -> dali.Parameters:
    """What somebody posts: a form, or an object of JSON; never what stands in the address, which is logged."""
    if call.header(b"content-type").partition(b";")[0].strip().lower() != JSON_TYPE.encode():
        return dali.Parameters(await call.posted_pairs())
    try:
        found = json.loads(await call.posted_text() or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadParameterError("request", "is no JSON.") from error
    if not isinstance(found, dict) or not all(isinstance(value, str | int | float) for value in found.values()):
        raise BadParameterError("request", "must be a JSON object of texts and numbers.")
    if any(_HALF.search(name) or _HALF.search(str(value)) for name, value in found.items()):
        raise BadParameterError("request", "has half a character: it is no text.")
    return dali.Parameters((name, str(value)) for name, value in found.items())


def _shown(call: Call, seen: _Seen) -> Reply:
    headers = (*seen.headers, _UNSTORED)
    if not call.is_browser:
        return Reply(_json(seen.facts), JSON_TYPE, seen.status, headers)
    if seen.next is not None:
        return Reply(b"", dali.TEXT_TYPE, 303, (*headers, (b"location", _way(call, seen.next).encode())))
    shown = page(call, seen.title, seen.body)
    kept = tuple(header for header in shown.headers if header[0] != b"cache-control")
    return replace(shown, status=seen.status, headers=(*kept, *headers))


def _failed(call: Call, error: SkydexError, page_of: _Page) -> Reply:
    """What went wrong: for people above the form, so that they can try again."""
    if not call.is_browser:
        return _refuse(error)
    seen = page_of(call) if call.user or not isinstance(error, LoginNeededError) else _login_page(call)
    status, headers = dali.error_status(error), dali.error_headers(error)
    if isinstance(error, LoginError):
        status, headers = 403, ()  # the form is the way to log in, and not the box that browsers show for 401
    body = f'<p class="told" role="alert">{escape(dali.error_message(error))}</p>{seen.body}'
    return _shown(call, replace(seen, body=body, status=status, headers=headers, next=None))


def _refuse(error: SkydexError) -> Reply:
    body = _json({"error": dali.error_message(error)})
    return Reply(body, JSON_TYPE, dali.error_status(error), (*dali.error_headers(error), _UNSTORED))


def _json(facts: Any) -> bytes:
    return f"{json.dumps(facts, ensure_ascii=False)}\n".encode("utf-8", "replace")


def _needed(call: Call, what: str) -> User:
    if call.user is None:
        raise LoginNeededError(what)
    return call.user


def _get(given: dali.Parameters, name: str) -> str:
    value = given.find(name)
    if value is None:
        raise BadParameterError(name, "is missing.")
    return value


def _is_open(site: Site) -> bool:
    return site.settings.registration == "open"


def _routes(site: Site) -> list[BaseRoute]:
    handlers: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
        ("", _handler(_account_page), ("GET",)),
        ("/login", _handler(_login_page, _login, is_entrance=True), ("GET", "POST")),
        ("/register", _handler(_register_page, _register, is_entrance=True), ("GET", "POST")),
        ("/logout", _handler(_account_page, _logout), ("POST",)),
        ("/password", _handler(_password_page, _change_password), ("GET", "POST")),
        ("/tokens", _handler(_tokens_page, _make_token), ("GET", "POST")),
        ("/groups", _handler(_groups_page, _make_group), ("GET", "POST")),
        ("/groups/{name}", _handler(_groups_page, _end_group), ("POST", "DELETE")),
        ("/groups/{name}/add", _handler(_groups_page, _add_member), ("POST",)),
        ("/groups/{name}/remove", _handler(_groups_page, _remove_member), ("POST",)),
        ("/groups/{name}/leave", _handler(_groups_page, _leave_group), ("POST",)),
        ("/tokens/{id}", _handler(_tokens_page, _revoke), ("POST", "DELETE")),
    )
    return [
        Route(BASE + path, Endpoint(site, handler, refuse=_refuse, methods=methods, is_form=True))
        for path, handler, methods in handlers
    ]


def _links(site: Site) -> Iterable[Link]:
    yield Link("Log in, or see your account", f"{site.url}{BASE}/login")


SERVICE = Service("account", _TITLE, _routes, lambda _: (), _links)
