"""One request on its way through the server, and one reply on its way back.

`Endpoint` is the ASGI side of every resource: it turns what a handler returns or raises into bytes, notices that a
client has left, and never lets an exception's text out. Handlers take a `Call` and return a `Reply`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.types import Message, Receive, Scope, Send

from skydex import __version__
from skydex.accounts import User
from skydex.archive import LinksRequest, PictureRequest
from skydex.errors import (
    BadParameterError,
    BodyTooLargeError,
    BusyError,
    EngineError,
    ForgedRequestError,
    LoginNeededError,
    SkydexError,
)
from skydex.web import dali
from skydex.web.dispatch import Exchange
from skydex.web.door import SAFE_METHODS, comes_from_elsewhere, csrf_token_of, is_csrf_token, session_in, way_in
from skydex.web.encodings import accepted
from skydex.web.forms import NO_FILES, Files, Form, Head, form_of
from skydex.web.kept_answers import Documents, KeptAnswer, basis, is_worth
from skydex.web.site import Site
from skydex.web.workroom import Encoded, TableOrder

__all__ = ["MORE_ROWS", "Call", "Endpoint", "FilePart", "Handler", "Refusal", "Reply", "refuse_in_text"]

Headers = tuple[tuple[bytes, bytes], ...]
MORE_ROWS = b"x-more-rows"
"""Header that says, where it is known before the answer begins, whether there are rows beyond its limit."""
_PATIENCE_S = 0.05
"""How long an answer may take before the server begins to look whether its client is still there."""
_RESTART_S = 30
"""When to come back to a server that is stopping."""
_MOST_DISCARDED = 1 << 30
_PIECE_BYTES = 1 << 18
_MOST_KEPT = 1 << 22
"""Bytes of an answer that are held while it is sent, to be kept for the next one who asks."""
_VARIES: Headers = ((b"vary", b"authorization, cookie, accept-encoding"),)
_EVERYWHERE: Headers = (
    (b"server", f"skydex/{__version__}".encode()),  # as IVOA's note on software identification (SoftID 1.0) asks
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"link, x-more-rows, etag"),
    (b"x-content-type-options", b"nosniff"),
)
_PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, if-none-match, if-range, range"),
    (b"access-control-max-age", b"86400"),
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FilePart:
    """Bytes of an open file, which is closed when they are sent."""

    descriptor: int
    """The file."""
    start: int
    """Where they begin."""
    length: int
    """How many."""


@dataclass(frozen=True)
class Reply:
    """What goes back to a client."""

    body: bytes | Exchange | FilePart
    """The bytes, or where they come from."""
    media_type: str
    """Value of Content-Type."""
    status: int = 200
    """HTTP status."""
    headers: Headers = ()
    """Further headers."""
    keep: Callable[[bytes], None] | None = None
    """What is to be done with the bytes of an answer that has come whole, if there are not too many."""


class ClientLeft(Exception):
    """The client closed its connection before it had sent its request."""


class Call:
    """One request: who asks, for what, with which parameters."""

    __slots__ = ("_has_more", "_receive", "_watch", "has_left", "scope", "session", "site", "user")

    def __init__(self, site: Site, scope: Scope, receive: Receive) -> None:
        self.site, self.scope, self._receive = site, scope, receive
        self._watch: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self.has_left = False
        self._has_more = True
        self.user: User | None = None
        """Who is logged in."""
        self.session: str | None = None
        """The secret of the session, where that is how."""

    @property
    def asker(self) -> str:
        """Where the request comes from: the address of the other end, or what a web server in front says of it."""
        client = self.scope.get("client")
        address: str = client[0] if client else ""
        if address in self.site.settings.proxies:
            return self.header(b"x-forwarded-for").decode("latin-1").rpartition(",")[2].strip()[:100] or address
        return address

    @property
    def queuer(self) -> str:
        """Whose turn it is when requests wait for a worker: a user's, or an address's."""
        return f"user {self.user.name}" if self.user else self.asker

    @property
    def owner(self) -> str | None:
        """Name of who is logged in."""
        return self.user.name if self.user else None

    async def identify(self, *, is_form: bool) -> None:
        """Find out who is logged in, by the headers of the request.

        A browser sends the cookie of a session, and a password that it was given once, whoever made it ask. So what
        is to change something must not come from a page of somebody else; and with a session it needs the session's
        token as well, in a header, or in a form where the handler sees to that (`is_form`, `check_form`).

        Raises
        ------
        LoginError, ThrottledError
            The password or the token is not right.
        ForgedRequestError
            It is a change that the user may not have meant.
        """
        changes = self.scope["method"] not in SAFE_METHODS
        authorization = self.header(b"authorization")
        if authorization:
            if changes and authorization[:5].lower() == b"basic":
                self.check_origin()
            self.user = await self.site.door.admit(self.site.accounts, authorization, self.address)
            return
        secret = session_in(self.header(b"cookie"))
        user = self.site.accounts.by_session(secret) if secret else None
        if secret is None or user is None:
            return
        if changes:
            self.check_origin()
        self.user, self.session = user, secret
        if changes and not is_form:
            self.check_form(self.header(b"x-csrf-token").decode("latin-1"))

    def check_form(self, csrf_token: str) -> None:
        """See to it that a form which a browser posts is one of ours.

        Raises
        ------
        ForgedRequestError
            It comes from elsewhere, or lacks the token of the session.
        """
        self.check_origin()
        if self.session is not None and not is_csrf_token(csrf_token, self.session):
            self.user = self.session = None
            raise ForgedRequestError

    def check_origin(self) -> None:
        """See to it that what changes something is not asked by a page of another site.

        Raises
        ------
        ForgedRequestError
            It is.
        """
        origin, fetch_site, host = (
            self.header(name).decode("latin-1") for name in (b"origin", b"sec-fetch-site", b"host")
        )
        parts = urlsplit(self.site.url)
        own = (f"{parts.scheme}://{parts.netloc}".lower(), f"http://{host}".lower(), f"https://{host}".lower())
        if comes_from_elsewhere(origin, fetch_site, own):
            raise ForgedRequestError

    async def log_in(self, who: str, password: str) -> User:
        """Log in with credentials that are parameters of the request: a name or a number, and a password.

        Raises
        ------
        LoginError, ThrottledError
            They are not right.
        """
        self.user = await self.site.door.compare(self.site.accounts, who, password, self.address)
        self.session = None
        return self.user

    @property
    def csrf_token(self) -> str:
        """What a form of a page says to show that it is ours; empty where there is no session."""
        return csrf_token_of(self.session) if self.session else ""

    @property
    def is_browser(self) -> bool:
        """Whether the answer is for somebody's eyes."""
        return b"text/html" in self.header(b"accept").lower()

    @property
    def address(self) -> str:
        """Where the request comes from; empty where a web server in front of this one does not tell."""
        return self.asker if self.site.settings.tells_addresses else ""

    def part(self, name: str) -> str | None:
        """A variable part of the path."""
        value: str | None = self.scope["path_params"].get(name)
        return value

    async def parameters(self, files: Files = NO_FILES, large: Collection[str] = ()) -> dali.Parameters:
        """What the request asks, from its address and, in a POST, from its form.

        Files in the form go to `files`, and so do plain fields whose names, in small letters, are among `large`.
        """
        posted = await self.posted_pairs(files, large) if self.scope["method"] == "POST" else []
        return dali.Parameters([*self.query_pairs(), *posted])

    def query_pairs(self) -> list[tuple[str, str]]:
        """Names and values in the address."""
        return dali.parse_pairs(self.scope["query_string"])

    def go_on_with(self, pairs: Iterable[tuple[str, str]]) -> None:
        """From now on the address has these names and values, and no others."""
        self.scope = {**self.scope, "query_string": urlencode(list(pairs)).encode("ascii")}

    async def posted_pairs(self, files: Files = NO_FILES, large: Collection[str] = ()) -> list[tuple[str, str]]:
        """Names and values in the form of a POST; files in it go to `files`, as do `large` fields."""
        try:
            form = self._form(files, large)
            async for piece in self._body():
                form.add(piece)
            return form.pairs()
        except SkydexError:
            await self.discard_body()
            raise

    async def posted_text(self) -> bytes:
        """The body of a POST as it is, within the limit of parameters."""
        max_mb = self.site.settings.form_mb
        pieces, n_left = [], max_mb << 20
        async for piece in self._body():
            n_left -= len(piece)
            if n_left < 0:
                await self.discard_body()
                raise BodyTooLargeError(max_mb)
            pieces.append(piece)
        return b"".join(pieces)

    async def posted_file(self, files: Files, head: Head) -> None:
        """The body of a request as it is, which goes to `files` as one file."""
        try:
            files.begin(head)
            async for piece in self._body():
                files.add(piece)
            files.end()
        except SkydexError:
            await self.discard_body()
            raise

    async def ask(self, request: Any, *, is_quick: bool = False) -> Reply:
        """Have a worker answer a request; the reply streams its bytes."""
        self.watch()
        exchange = await self.site.dispatcher.submit(request, asker=self.queuer, is_quick=is_quick)
        try:
            facts = await exchange.facts()
        except BaseException:
            exchange.close()
            raise
        return Reply(exchange, facts["media_type"], headers=_headers(facts))

    async def answer(self, order: TableOrder | LinksRequest, *, is_quick: bool = False) -> Reply:
        """Like `ask`, of what may be known already: to the client, or here; and in the coding that the client takes.

        What somebody sees who is logged in is kept by nobody; nor is what changes from one moment to the next. The
        condition of a POST is not looked at: its answer has a name all the same, and may come from here.
        """
        names = accepted(self.header(b"accept-encoding")) if self.site.settings.compression else ()
        asked = Encoded(order, names) if names else order
        rests_on = basis(order, self.site.archive) if self.user is None else None
        if rests_on is not None:
            return await self._named(asked, order, rests_on, coding=" ".join(names), is_quick=is_quick)
        reply = await self.ask(asked, is_quick=is_quick)
        privacy = b"private, no-store" if self.user is None else b"private"
        return replace(reply, headers=(*reply.headers, *_VARIES, (b"cache-control", privacy)))

    async def picture(self, request: PictureRequest, *, is_quick: bool = False) -> Reply:
        """Like `answer`, of pixels, which have a name if they come from files."""
        rests_on = basis(request, self.site.archive) if self.user is None else None
        if rests_on is None:
            return await self.ask(request, is_quick=is_quick)
        return await self._named(request, request, rests_on, coding="", is_quick=is_quick)

    async def _named(self, asked: Any, order: object, rests_on: str, *, coding: str, is_quick: bool) -> Reply:
        """An answer with its name: to who has it that it is the same, or from here, or from a worker."""
        answers = self.site.answers
        tag = answers.tag(rests_on, order, coding)
        headers = (*_VARIES, (b"cache-control", b"public, no-cache"), (b"etag", tag))
        if self.scope["method"] != "POST" and is_known(self.header(b"if-none-match"), tag):
            return Reply(b"", dali.TEXT_TYPE, 304, headers)
        if (kept := answers.find(tag)) is not None:
            return Reply(kept.body, kept.media_type, headers=kept.headers)
        reply = await self.ask(asked, is_quick=is_quick)
        if basis(order, self.site.archive) != rests_on:  # it changed between the question and the answer
            return replace(reply, headers=(*reply.headers, *_VARIES, (b"cache-control", b"private, no-store")))
        reply = replace(reply, headers=(*reply.headers, *headers))
        if not answers.most_bytes:
            return reply
        return replace(reply, keep=lambda body: answers.keep(tag, KeptAnswer(reply.media_type, reply.headers, body)))

    async def gathered(self, order: TableOrder | PictureRequest, *, max_mb: int, is_quick: bool = False) -> bytes:
        """The whole of an answer that is to be part of this one; from here, if it is known.

        Raises
        ------
        AnswerTooLargeError
            It is larger than so many MB.
        SkydexError
            Whatever is wrong with the order.
        """
        answers = self.site.answers
        rests_on = basis(order, self.site.archive) if self.user is None else None
        tag = answers.tag(rests_on, order, "") if rests_on is not None else None
        if tag is not None and (kept := answers.find(tag)) is not None:
            return kept.body
        self.watch()
        exchange = await self.site.dispatcher.submit(order, asker=self.queuer, is_quick=is_quick)
        try:
            facts = await exchange.facts()
            await exchange.gathered(max_mb)
            body = b""
            while piece := await exchange.read():
                body += piece
        finally:
            exchange.close()
        if tag is not None and basis(order, self.site.archive) == rests_on:
            headers = (*_headers(facts), *_VARIES, (b"cache-control", b"public, no-cache"), (b"etag", tag))
            answers.keep(tag, KeptAnswer(facts["media_type"], headers, body))
        return body

    def document(self, body: bytes, media_type: str, headers: Headers = ()) -> Reply:
        """A document that was written here: known to the client, or in the coding that it takes."""
        return self._document(self.site.documents, body, media_type, headers)

    def file(self, body: bytes, media_type: str, headers: Headers = ()) -> Reply:
        """Like `document`, of what is the same for everybody as long as this server runs."""
        return self._document(self.site.files, body, media_type, headers)

    def _document(self, documents: Documents, body: bytes, media_type: str, headers: Headers) -> Reply:
        is_encoded = self.site.settings.compression and is_worth(body)
        coding = next(iter(accepted(self.header(b"accept-encoding"))), "") if is_encoded else ""
        tag = documents.tag(body, coding)
        headers = (*headers, *_VARIES, (b"etag", tag))
        if not any(name == b"cache-control" for name, _ in headers):
            headers = (*headers, (b"cache-control", b"private, no-cache" if self.user else b"public, no-cache"))
        if self.scope["method"] != "POST" and is_known(self.header(b"if-none-match"), tag):
            return Reply(b"", media_type, 304, headers)
        if not coding:
            return Reply(body, media_type, headers=headers)
        headers = (*headers, (b"content-encoding", coding.encode()))
        return Reply(documents.encoded(body, tag, coding), media_type, headers=headers)

    async def check(self, request: Any, *, is_quick: bool, time_s: float | None = None) -> dict[str, Any]:
        """Have a worker see to something that has facts and no bytes; what is wrong with it is raised."""
        self.watch()
        exchange = await self.site.dispatcher.submit(request, asker=self.queuer, is_quick=is_quick, time_s=time_s)
        try:
            facts = await exchange.facts()
            while await exchange.read():
                pass
            return facts
        finally:
            exchange.close()

    def end(self) -> None:
        """Stop looking whether the client is still there."""
        if self._watch is not None:
            self._watch.cancel()

    def _form(self, files: Files, large: Collection[str]) -> Form:
        if self.header(b"content-encoding") not in (b"", b"identity"):
            raise BadParameterError("Content-Encoding", "is not accepted in requests.")
        return form_of(self.header(b"content-type").decode("latin-1"), self.site.settings.form_mb, files, large)

    async def _body(self) -> AsyncIterator[bytes]:
        """What is left of the body, in pieces."""
        while self._has_more:
            message = await asyncio.wait_for(self._receive(), self.site.settings.body_time_s)
            if message["type"] == "http.disconnect":
                raise ClientLeft
            self._has_more = message["more_body"]
            yield message["body"]

    async def discard_body(self) -> None:
        """Read a refused body to its end all the same, since most clients send first and listen later."""
        n_bytes = 0
        async for piece in self._body():
            n_bytes += len(piece)
            if n_bytes > _MOST_DISCARDED:
                return

    def header(self, name: bytes) -> bytes:
        """A header of the request, its lines joined (RFC 9110, section 5.3); empty if there is none of that name."""
        return b", ".join(value for key, value in self.scope["headers"] if key == name)

    def watch(self) -> None:
        """Begin to look for the client's leaving, if the answer is not there soon."""
        if self._watch is not None:
            return
        task = asyncio.current_task()
        assert task is not None
        self._watch = asyncio.get_running_loop().call_later(_PATIENCE_S, self._look, task)

    def _look(self, task: asyncio.Task[Any]) -> None:
        self._watch = asyncio.get_running_loop().create_task(self._wait_for_leaving(task))

    async def _wait_for_leaving(self, task: asyncio.Task[Any]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_left = True
        task.cancel()


Handler = Callable[[Call], Awaitable[Reply]]
"""Answers one call."""
Refusal = Callable[[SkydexError], Reply]
"""Puts an error into the form that a protocol asks for."""


def refuse_in_text(error: SkydexError) -> Reply:
    """An error as plain text."""
    return Reply(dali.error_text(error), dali.TEXT_TYPE, dali.error_status(error), dali.error_headers(error))


class Endpoint:
    """The ASGI application of one resource.

    Parameters
    ----------
    site : Site
        What is served.
    handler : Handler
        Answers a call.
    refuse : Refusal
        The form of its errors.
    methods : tuple of str
        HTTP methods that the handler takes; HEAD and OPTIONS come by themselves.
    is_form : bool
        Whether the handler itself sees to it that what a browser posts in a user's name comes from a page of ours.
    """

    def __init__(
        self,
        site: Site,
        handler: Handler,
        *,
        refuse: Refusal = refuse_in_text,
        methods: tuple[str, ...] = ("GET",),
        is_form: bool = False,
    ) -> None:
        self._site, self._handler, self._refuse = site, handler, refuse
        self._methods = (*methods, "HEAD")
        self._is_form = is_form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(self._site, scope, receive)
        try:
            reply = await self._reply(call)
            await _send(call, reply, send)
        except ClientLeft:
            return
        except asyncio.CancelledError:
            if not call.has_left:
                raise
        finally:
            call.end()

    async def _reply(self, call: Call) -> Reply:
        method = call.scope["method"]
        if method == "OPTIONS":
            return Reply(b"", dali.TEXT_TYPE, 204, _PREFLIGHT)
        if method not in self._methods:
            allowed = ", ".join(self._methods)
            return Reply(b"UsageError: Method not allowed\n", dali.TEXT_TYPE, 405, ((b"allow", allowed.encode()),))
        try:
            if (refused := await self._refused(call)) is not None:
                return refused
            return _kept_private(call, await self._handler(call))
        except LoginNeededError as error:
            if method != "GET" or not call.is_browser:
                return self._refuse(error)
            to = way_in(call.scope["path"], call.scope["query_string"]).encode()
            return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", to), (b"cache-control", b"no-store")))
        except SkydexError as error:
            return self._refuse(error)
        except TimeoutError:
            return self._refuse(BadParameterError("request", "did not arrive in time."))
        except ClientLeft:
            raise
        except asyncio.CancelledError:
            if call.has_left:
                raise
            return self._refuse(BusyError(_RESTART_S))  # the server is stopping
        except Exception:
            _log.exception("A request to %s failed in a way nobody foresaw", call.scope["path"])
            return self._refuse(EngineError("The service failed on this request. The fault is logged."))

    async def _refused(self, call: Call) -> Reply | None:
        """What somebody gets whose credentials are not right: the protocol's form, with HTTP's status all the same."""
        try:
            await call.identify(is_form=self._is_form)
            return None
        except SkydexError as error:
            await call.discard_body()
            reply, headers = self._refuse(error), dali.error_headers(error)
            more = tuple(header for header in headers if header not in reply.headers)
            return replace(reply, status=dali.error_status(error), headers=(*reply.headers, *more))


def _kept_private(call: Call, reply: Reply) -> Reply:
    """What somebody sees who is logged in is for no cache that others use; and it says who that is."""
    if call.user is None:
        return reply
    headers = (*reply.headers, (b"x-vo-authenticated", call.user.name.encode()))  # AuthVO 1.0 WD 2025-05-27
    if not any(name == b"cache-control" for name, _ in headers):
        headers = (*headers, (b"cache-control", b"private"))
    return replace(reply, headers=headers)


async def _send(call: Call, reply: Reply, send: Send) -> None:
    body = reply.body
    if isinstance(body, bytes):
        await _send_whole(reply, body, send)
        return
    if isinstance(body, FilePart):
        call.watch()
        await _send_file(reply, body, send, is_wanted=call.scope["method"] != "HEAD")
        return
    try:
        small = body.small_answer()
        if small is not None:
            if reply.keep is not None:
                reply.keep(small)
            await _send_whole(reply, small, send)
        else:
            await _send_stream(reply, body, send)
    finally:
        body.close()


async def _send_whole(reply: Reply, body: bytes, send: Send) -> None:
    await send(_start(reply, (b"content-length", b"%d" % len(body))))
    await send({"type": "http.response.body", "body": body})


async def _send_file(reply: Reply, part: FilePart, send: Send, *, is_wanted: bool) -> None:
    try:
        await send(_start(reply, (b"content-length", b"%d" % part.length)))
        at, end = part.start, part.start + part.length
        while is_wanted and at < end:
            piece = await asyncio.to_thread(os.pread, part.descriptor, min(_PIECE_BYTES, end - at), at)
            if not piece:
                _log.error("A file is shorter than it should be")
                return  # which makes the server close the connection
            at += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        os.close(part.descriptor)


async def _send_stream(reply: Reply, exchange: Exchange, send: Send) -> None:
    """Send bytes as they come; where the answer breaks off, so does the connection, and the client notices."""
    await send(_start(reply))
    pieces: list[bytes] | None = [] if reply.keep is not None else None
    n_bytes = 0
    try:
        while piece := await exchange.read():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            n_bytes += len(piece)
            if pieces is not None:
                pieces.append(piece)
                if n_bytes > _MOST_KEPT:
                    pieces = None
    except SkydexError as error:
        _log.warning("An answer broke off: %s", error)
        return  # without the last chunk, which makes the server close the connection
    if pieces is not None and reply.keep is not None:
        reply.keep(b"".join(pieces))
    await send({"type": "http.response.body", "body": b""})


def is_known(condition: bytes, tag: bytes) -> bool:
    """Whether a client has what is named so already, compared weakly (RFC 9110, sections 8.8.3.2 and 13.1.2)."""
    known = [word.strip().removeprefix(b"W/") for word in condition.split(b",")]
    return tag.removeprefix(b"W/") in known if condition else False


def _start(reply: Reply, *more: tuple[bytes, bytes]) -> Message:
    headers = [(b"content-type", reply.media_type.encode("latin-1")), *_EVERYWHERE, *reply.headers, *more]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def _headers(facts: dict[str, Any]) -> Headers:
    """What a worker knows of an answer besides its bytes."""
    suffix, overflow = facts.get("suffix", ""), facts.get("overflow")
    file_name = facts.get("file_name") or (f"result{suffix}" if suffix else "")
    name: Headers = (
        ((b"content-disposition", f'inline; filename="{file_name}"'.encode("latin-1")),) if file_name else ()
    )
    if encoding := facts.get("encoding"):
        name = (*name, (b"content-encoding", encoding.encode()))
    return (*name, (MORE_ROWS, b"true" if overflow else b"false")) if overflow is not None else name
