"""`create_app`: an archive as an ASGI application."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute, Match, Router
from starlette.types import Lifespan, Receive, Scope, Send

from skydex.archive import OFFERS_FILE, Archive
from skydex.errors import UnknownResourceError
from skydex.jobs import ForkServer, Staffing, StateDirectory, WorkerLimits
from skydex.names import NameMemory
from skydex.settings import Settings
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dispatch import Dispatcher, Rules
from skydex.web.fetch import Fetcher
from skydex.web.folders import Folders
from skydex.web.forwarding import Forwarder
from skydex.web.front import Front, shared_throttles, shares_of
from skydex.web.intake import Intake
from skydex.web.kept_answers import KeptAnswers
from skydex.web.long_queue import LongQueue
from skydex.web.runner import Runner
from skydex.web.service import Service
from skydex.web.site import Site
from skydex.web.spool import SpoolLimits
from skydex.web.workroom import open_workroom, preload_of

__all__ = ["App", "create_app", "staffing"]

_log = logging.getLogger(__name__)
_NAMES = "names.sqlite"
"""File in the state directory for names that were looked up elsewhere."""
_MOST_REMEMBERED = 4096
_FEWEST_WORKERS = 4
"""One for quick requests, one for slow ones, and two for jobs, which one asker never has both."""
_LONGEST_REMEMBERED = 300
"""Characters of an address; together they bound the memory that addresses made up by somebody can take."""


def create_app(
    directory: Path,
    settings: Settings,
    services: tuple[Service, ...],
    fork_server: ForkServer | None = None,
    front: Front | None = None,
) -> App:
    """Make the application that serves an archive.

    Parameters
    ----------
    directory : Path
        The archive.
    settings : Settings
        The operator's choices.
    services : tuple of Service
        What it offers.
    fork_server : ForkServer, optional
        Where workers come from, if it is there already.
    front : Front, optional
        Which of the processes of the server this is, if there are several.
    """
    rules = _rules(settings)
    if front is not None:
        settings = shares_of(settings)
        rules = replace(
            rules, n_workers=settings.workers, n_with_jobs=rules.n_workers, queue_length=settings.queue_length
        )
    dispatcher = Dispatcher(staffing(directory, settings), rules, fork_server)
    folders = Folders(settings.temp_dir)
    orders = {name: order for service in services for name, order in service.jobs.items()}
    archive = Archive.open(directory, settings)
    _check_offers(archive)
    state = StateDirectory(settings.state_directory(directory))
    server, bell = (front.server, front.bell) if front is not None else ("", None)
    long_queue = LongQueue(directory, settings) if settings.spark is not None else None
    gone = lambda: (name for name, _ in archive.accounts.removed())  # noqa: E731
    runner = Runner(state, settings, dispatcher, orders, gone, long_queue, server=server, bell=bell)
    if front is not None:
        shared_throttles(archive.accounts, front.bell)
    fetcher = Fetcher(settings.fetch_time_s) if settings.upload_from_uri else None
    intake, forwarder = Intake(settings.uploads_mb), _forwarder(directory, settings)
    answers = KeptAnswers(settings.cache_mb << 20, f"{settings.public_url} {archive.offers!r}")
    site = Site(archive, settings, dispatcher, runner, folders, intake, fetcher, forwarder=forwarder, answers=answers)

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await dispatcher.start()
        await runner.start()
        try:
            yield
        finally:
            await runner.stop()
            await dispatcher.stop()
            if long_queue is not None:
                await long_queue.stop()
            folders.remove()

    routes = [route for service in services for route in service.routes(site)]
    elsewhere = Endpoint(site, _nothing_here, methods=("GET", "POST"))
    return App(routes, lifespan, elsewhere, runner.leave)


class App:
    """The ASGI application: the routes of all services, and a memory of where each address leads.

    Searching takes time with each route that there is. The errors of endpoints need no middleware: they keep them to
    themselves.
    """

    def __init__(
        self, routes: Sequence[BaseRoute], lifespan: Lifespan[Any], elsewhere: Endpoint, leave: Callable[[], None]
    ) -> None:
        self._routes, self._elsewhere = routes, elsewhere
        self.leave = leave
        """To be called when the server is about to stop, so that nobody goes on waiting for what may take long."""
        self._router = Router(lifespan=lifespan)
        self._remembered = functools.lru_cache(_MOST_REMEMBERED)(self._search)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        path, method = scope["path"], scope["method"]
        search = self._remembered if len(path) <= _LONGEST_REMEMBERED else self._search
        route, way = search(path, method)
        if route is None:
            await self._elsewhere(scope, receive, send)
            return
        scope.update(way)
        await route.handle(scope, receive, send)

    def _search(self, path: str, method: str) -> tuple[BaseRoute | None, Mapping[str, Any]]:
        """The first route that fits, and what it adds to the scope."""
        scope = {"type": "http", "path": path, "method": method}
        for route in self._routes:
            match, way = route.matches(scope)
            if match is not Match.NONE:
                return route, way
        return None, {}


def _check_offers(archive: Archive) -> None:
    """A mistake in the file of offers shows now, and not with some request."""
    published = archive.refresh().collections
    for private in archive.offers.private:
        if private.schema.lower() not in published:
            _log.warning("%s hides the schema %s, in which nothing is published", OFFERS_FILE, private.schema)


async def _nothing_here(call: Call) -> Reply:
    raise UnknownResourceError("resource", call.scope["path"][:200])


def staffing(directory: Path, settings: Settings) -> Staffing:
    """What the workers of an archive are."""
    return Staffing(
        functools.partial(open_workroom, directory, settings),
        WorkerLimits(settings.query_memory_mb),
        preload_of(directory),
        settings.temp_dir,
        settings.log_level,
    )


def _forwarder(directory: Path, settings: Settings) -> Forwarder | None:
    """Who asks elsewhere for names, if the operator wants that."""
    if settings.name_server is None:
        return None
    file = settings.state_directory(directory) / _NAMES
    memory = NameMemory(file, n_kept=settings.names_kept, days=settings.names_kept_days)
    return Forwarder(settings.name_server, Fetcher(settings.name_server_time_s), memory)


def _rules(settings: Settings) -> Rules:
    spool = SpoolLimits(settings.spool_memory_kb << 10, settings.spool_mb << 20, settings.temp_dir)
    n_workers = max(_FEWEST_WORKERS, settings.workers)
    return Rules(n_workers, settings.query_time_s, settings.queue_length, settings.queue_wait_s, spool)
