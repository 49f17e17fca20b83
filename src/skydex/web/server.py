"""`serve`: an archive on a TCP port, by one process or several, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import uvicorn

from skydex.errors import SettingsError
from skydex.jobs import ForkServer, preload
from skydex.settings import Settings
from skydex.web.accesslog import Discreet
from skydex.web.app import App, create_app, staffing
from skydex.web.connection import Connection, connection_class
from skydex.web.front import Front
from skydex.web.service import Service
from skydex.web.supervisor import READY, supervise
from skydex.web.workroom import preload_of

__all__ = ["listen", "serve_services"]

_BACKLOG = 1024
_IDLE_S = 30
_AT_ONCE = 64
_log = logging.getLogger(__name__)


def serve_services(directory: Path, settings: Settings, services: tuple[Service, ...]) -> None:
    """Serve an archive until SIGTERM or SIGINT.

    Then no connection is accepted any more, running requests have `settings.stop_time_s` to end, and all workers stop.

    Raises
    ------
    SettingsError
        The address cannot be listened on.
    """
    _log_to_screen(settings)
    with listen(settings) as sock:
        settings = replace(settings, port=sock.getsockname()[1])
        _log.info("Serving %s at %s", directory, settings.public_url)
        if settings.processes > 1:
            sys.exit(_supervised(sock, directory, settings, services))
        fork_server = ForkServer.forked(staffing(directory, settings))
        app = create_app(directory, settings, services, fork_server)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when all is done
        with contextlib.suppress(KeyboardInterrupt):
            _Server(app, settings).run(sockets=[sock])


def _supervised(sock: socket.socket, directory: Path, settings: Settings, services: tuple[Service, ...]) -> int:
    """Serve with several processes; gives the exit status."""
    preload(preload_of(directory))  # which they share

    def be(front: Front) -> None:
        _log_to_screen(settings, f"process {front.place + 1}: ")
        fork_server = ForkServer.forked(staffing(directory, settings))
        app = create_app(directory, settings, services, fork_server, front)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        _Front(app, settings, front).run(sockets=[])

    return supervise(sock, settings.processes, be, stop_s=settings.stop_time_s)


def _log_to_screen(settings: Settings, who: str = "") -> None:
    form = f"%(levelname)s: {who}%(name)s: %(message)s"
    logging.basicConfig(level=settings.log_level.upper(), format=form, force=bool(who))
    access = logging.getLogger("uvicorn.access")
    if not access.filters:
        access.addFilter(Discreet())


class _Server(uvicorn.Server):
    """uvicorn, which tells the application before it begins to wait for the end of requests."""

    def __init__(self, app: App, settings: Settings) -> None:
        super().__init__(_config(app, settings))
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.leave()
        await super().shutdown(sockets)


class _Front(_Server):
    """The same as one of several processes: its connections come from the supervisor."""

    def __init__(self, app: App, settings: Settings, front: Front) -> None:
        super().__init__(app, settings)
        self._front = front
        self._arriving: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop, front = asyncio.get_running_loop(), self._front
        loop.add_reader(front.bell.fileno(), front.bell.listen)
        loop.add_reader(front.door.fileno(), self._open)
        front.door.send(READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._front.door.fileno())
        await super().shutdown(sockets)

    def _open(self) -> None:
        """Take the connections that have come."""
        for _ in range(_AT_ONCE):
            try:
                message, descriptors, _, _ = socket.recv_fds(self._front.door, 1, 1)
            except BlockingIOError:
                return
            if not message:  # which ends this process, too, where the kernel tells it (`die_with_parent`)
                asyncio.get_running_loop().remove_reader(self._front.door.fileno())
                self.should_exit = True
                return
            if descriptors:
                task = asyncio.get_running_loop().create_task(self._welcome(socket.socket(fileno=descriptors[0])))
                self._arriving.add(task)
                task.add_done_callback(self._arriving.discard)
            else:
                self._front.closed[0] += 1  # this process has too many files open

    async def _welcome(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, sock)
        except OSError:  # it has gone already
            sock.close()
            self._front.closed[0] += 1

    def _protocol(self) -> asyncio.Protocol:
        kind = cast(type[Connection], self.config.http_protocol_class)
        protocol = kind(self.config, self.server_state, self.lifespan.state)
        protocol.on_closed = self._count_closed
        return protocol

    def _count_closed(self) -> None:
        self._front.closed[0] += 1


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
