"""`create_app`: an archive as an ASGI application."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from skydex.archive import Archive
from skydex.errors import UnknownResourceError
from skydex.jobs import ForkServer, Staffing, WorkerLimits
from skydex.settings import Settings
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dispatch import Dispatcher, Rules
from skydex.web.service import Service
from skydex.web.site import Site
from skydex.web.spool import SpoolLimits
from skydex.web.workroom import PRELOAD, open_workroom

__all__ = ["create_app", "staffing"]


def create_app(
    directory: Path, settings: Settings, services: tuple[Service, ...], fork_server: ForkServer | None = None
) -> Starlette:
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
    """
    dispatcher = Dispatcher(staffing(directory, settings), _rules(settings), fork_server)
    site = Site(Archive.open(directory, settings), settings, dispatcher)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await dispatcher.start()
        try:
            yield
        finally:
            await dispatcher.stop()

    routes = [route for service in services for route in service.routes(site)]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False  # a redirect would repeat the Host header
    app.router.default = _Elsewhere(site)
    return app


class _Elsewhere:
    """What answers at every other address."""

    def __init__(self, site: Site) -> None:
        self._endpoint = Endpoint(site, _nothing_here, methods=("GET", "POST"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._endpoint(scope, receive, send)


async def _nothing_here(call: Call) -> Reply:
    raise UnknownResourceError("resource", call.scope["path"][:200])


def staffing(directory: Path, settings: Settings) -> Staffing:
    """What the workers of an archive are."""
    return Staffing(
        functools.partial(open_workroom, directory, settings),
        WorkerLimits(settings.query_memory_mb),
        PRELOAD,
        settings.temp_dir,
        settings.log_level,
    )


def _rules(settings: Settings) -> Rules:
    spool = SpoolLimits(settings.spool_memory_kb << 10, settings.spool_mb << 20, settings.temp_dir)
    return Rules(settings.workers, settings.query_time_s, settings.queue_length, settings.queue_wait_s, spool)
