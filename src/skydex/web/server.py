"""`serve`: an archive on a TCP port, until it is told to stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn

from skydex.errors import SettingsError
from skydex.jobs import ForkServer
from skydex.settings import Settings
from skydex.web.accesslog import Discreet
from skydex.web.app import App, create_app, staffing
from skydex.web.connection import connection_class
from skydex.web.service import Service

__all__ = ["listen", "serve_services"]

_BACKLOG = 1024
_IDLE_S = 30
_log = logging.getLogger(__name__)


def serve_services(directory: Path, settings: Settings, services: tuple[Service, ...]) -> None:
    """Serve an archive until SIGTERM or SIGINT.

    Then no connection is accepted any more, running requests have `settings.stop_time_s` to end, and all workers stop.

    Raises
    ------
    SettingsError
        The address cannot be listened on.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s: %(name)s: %(message)s")
    logging.getLogger("uvicorn.access").addFilter(Discreet())
    with listen(settings) as sock:
        settings = replace(settings, port=sock.getsockname()[1])
        fork_server = ForkServer.forked(staffing(directory, settings))
        app = create_app(directory, settings, services, fork_server)
        _log.info("Serving %s at %s", directory, settings.public_url)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when all is done
        with contextlib.suppress(KeyboardInterrupt):
            _Server(app, settings).run(sockets=[sock])


class _Server(uvicorn.Server):
    """uvicorn, which tells the application before it begins to wait for the end of requests."""

    def __init__(self, app: App, settings: Settings) -> None:
        super().__init__(_config(app, settings))
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.leave()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """A socket on the address that the settings say."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SettingsError(f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}.") from error


def _config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=connection_class(settings),
        loop="auto",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level=settings.log_level,
        access_log=settings.access_log,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=max(1, round(settings.stop_time_s)),
    )
