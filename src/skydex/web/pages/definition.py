"""`Page`: facts for somebody's eyes, and the same facts for programs at the same address with `.json`.

A page gathers what it shows into values that JSON has; a template shows them. So whatever is on a page can be had by a
program, and nothing is worked out in a template.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from skydex.errors import BadParameterError, LoginNeededError, SkydexError
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Handler, Reply
from skydex.web.door import LOGIN, way_up
from skydex.web.pages.policy import STRICT, Policy
from skydex.web.pages.refusals import mended
from skydex.web.pages.rendering import Facts, rendered
from skydex.web.site import Site

__all__ = ["Page", "page_routes", "refused"]

JSON_TYPE = "application/json"
Gather = Callable[[Call], Awaitable[Facts | Reply]]
"""Finds what a page shows, or where it is."""


@dataclass(frozen=True)
class Page:
    """One page, or all pages of a kind."""

    path: str
    """Where it is; parts in braces are `call.part`."""
    template: str
    """What it looks like."""
    gather: Gather
    """What it shows."""
    policy: Policy | Callable[[Call], Policy] = STRICT
    """What it may do in a browser, whatever is asked or by what is asked."""
    others: Handler | None = None
    """What answers programs at the same address, where they have known it longer than there is a page."""

    posted: Handler | None = None
    """What answers a form that is posted there; it sees to promise R23 where it changes something."""

    def policy_of(self, call: Call) -> Policy:
        """What the answer to a call may do."""
        return self.policy(call) if callable(self.policy) else self.policy


def page_routes(site: Site, pages: Sequence[Page]) -> list[BaseRoute]:
    """Where pages are, each followed by its facts."""
    routes: list[BaseRoute] = []
    for page in pages:
        facts = "/index.json" if page.path == "/" else f"{page.path}.json"
        routes.append(Route(facts, Endpoint(site, _told(page), refuse=_refuse_in_json)))
        routes.append(Route(page.path, _endpoint(site, page)))
    return routes


def _endpoint(site: Site, page: Page) -> Endpoint:
    if page.posted is None:
        return Endpoint(site, _shown(page))
    shown, posted = _shown(page), refused(page.posted)

    async def handle(call: Call) -> Reply:
        return await (posted if call.scope["method"] == "POST" else shown)(call)

    return Endpoint(site, handle, methods=("GET", "POST"), is_form=True)


def _told(page: Page) -> Handler:
    """The facts of a page for programs."""

    async def handle(call: Call) -> Reply:
        facts = await page.gather(call)
        return facts if isinstance(facts, Reply) else _json(call, facts)

    return handle


def _shown(page: Page) -> Handler:
    """A page for people; a program that asks for JSON gets that."""

    async def handle(call: Call) -> Reply:
        if page.others is not None and not call.is_browser:
            return await page.others(call)
        wants_json = not call.is_browser and b"json" in call.header(b"accept").lower()
        try:
            facts = await page.gather(call)
        except LoginNeededError:
            raise
        except SkydexError as error:
            return _refuse_in_json(error) if wants_json else await _mended(call, page, error)
        if isinstance(facts, Reply):
            return facts
        return _json(call, facts) if wants_json else rendered(call, page.template, facts, policy=page.policy_of(call))

    return handle


def refused(deed: Handler) -> Handler:
    """What does something that a form asks; what is wrong with it is told on a page, but to programs in JSON.

    Who has to log in first is led there, and has to begin anew: what was posted is not kept.
    """

    async def handle(call: Call) -> Reply:
        try:
            return await deed(call)
        except SkydexError as error:
            if not call.is_browser:
                return _refuse_in_json(error)
            if isinstance(error, LoginNeededError):
                way = f"{way_up(call.scope['path'])}{LOGIN}".encode()
                return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", way), (b"cache-control", b"no-store")))
            return _refuse(call, error)

    return handle


async def _mended(call: Call, page: Page, error: SkydexError) -> Reply:
    """A page without what cannot be, which is told beside its field; or else what is wrong, on a page of its own."""
    try:
        facts, refusals = await mended(call, page.gather, error)
    except LoginNeededError:
        raise
    except SkydexError as lasting:
        return _refuse(call, lasting)
    if isinstance(facts, Reply):
        return _refuse(call, error)
    policy = page.policy_of(call)
    return rendered(call, page.template, facts, policy=policy, status=400, refusals=refusals)


def _json(call: Call, facts: Facts) -> Reply:
    body = json.dumps(facts, ensure_ascii=False, allow_nan=False, default=str)
    return call.document(body.encode("utf-8", "replace"), JSON_TYPE)


def _refuse(call: Call, error: SkydexError) -> Reply:
    status = dali.error_status(error)
    facts = {"status": status, "message": dali.error_message(error)}
    reply = rendered(call, "error.html", facts, status=status)
    return Reply(reply.body, reply.media_type, status, (*reply.headers, *dali.error_headers(error)))


def _refuse_in_json(error: SkydexError) -> Reply:
    facts = {"error": dali.error_message(error)}
    if isinstance(error, BadParameterError):
        facts["parameter"] = error.name
    body = json.dumps(facts, ensure_ascii=False)
    return Reply(body.encode("utf-8", "replace"), JSON_TYPE, dali.error_status(error), dali.error_headers(error))
