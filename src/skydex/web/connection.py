"""`Connection`: HTTP/1.1 on one socket, in few packets, and with limits on a peer's patience.

uvicorn closes idle connections by itself. What it leaves to us: a header that never ends or is too long, a body that
goes on after its answer, a reader that stops reading (`reliability`, promise R24), and sending the header and a small
body together, which saves a packet and keeps delayed acknowledgements out of the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from skydex.settings import Settings

__all__ = ["Connection", "connection_class"]

_MOST_GATHERED = 1 << 16


def connection_class(settings: Settings) -> type[Connection]:
    """The protocol class of a server with these settings."""
    return type("Connection", (Connection,), {"settings": settings})


class Connection(HttpToolsProtocol):
    """HTTP on one socket."""

    settings: Settings
    _header_alarm: asyncio.TimerHandle | None = None
    _write_alarm: asyncio.TimerHandle | None = None
    _tail_alarm: asyncio.TimerHandle | None = None
    _is_whole = True
    _n_header_bytes = 0
    _n_unsent = 0
    on_closed: Callable[[], None] | None = None
    """To be told when it has ended."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast(asyncio.Transport, _Gathering(transport, self.loop)))
        self._await_header()

    def connection_lost(self, exc: Exception | None) -> None:
        for alarm in (self._header_alarm, self._write_alarm, self._tail_alarm):
            if alarm:
                alarm.cancel()
        super().connection_lost(exc)
        if self.on_closed is not None:
            self.on_closed()

    def data_received(self, data: bytes) -> None:
        if self._header_alarm:
            self._n_header_bytes += len(data)
        super().data_received(data)
        if self._header_alarm and self._n_header_bytes > self.settings.form_mb << 20:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._header_alarm is None:
            self._await_header()

    def on_headers_complete(self) -> None:
        if self._header_alarm:
            self._header_alarm.cancel()
            self._header_alarm = None
        self._is_whole = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_whole = True
        if self._tail_alarm:
            self._tail_alarm.cancel()
            self._tail_alarm = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and not self._is_whole:  # who has an answer already may send the rest, but not for ever
            self._tail_alarm = self.loop.call_later(self.settings.body_time_s, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_progress()

    def resume_writing(self) -> None:
        if self._write_alarm:
            self._write_alarm.cancel()
            self._write_alarm = None
        super().resume_writing()

    def _await_header(self) -> None:
        self._n_header_bytes = 0
        self._header_alarm = self.loop.call_later(self.settings.header_time_s, self.transport.abort)

    def _await_progress(self) -> None:
        self._n_unsent = self.transport.get_write_buffer_size()
        self._write_alarm = self.loop.call_later(self.settings.write_time_s, self._check_progress)

    def _check_progress(self) -> None:
        if self.transport.get_write_buffer_size() >= self._n_unsent:
            self.transport.abort()
        else:
            self._await_progress()


class _Gathering:
    """A transport that sends together what is written during one turn of the event loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._n_bytes = 0

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._n_bytes += len(data)
        if self._n_bytes > _MOST_GATHERED:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts, self._n_bytes = self._parts, [], 0
            self._transport.writelines(parts)
