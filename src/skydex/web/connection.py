"""`Connection`: HTTP/1.1 on one socket, with limits on a peer's patience.

uvicorn closes idle connections by itself. What it leaves to us: a header that never ends or is too long, and a reader
that stops reading (`reliability`, promise R24).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from skydex.settings import Settings

__all__ = ["connection_class"]


def connection_class(settings: Settings) -> type[HttpToolsProtocol]:
    """The protocol class of a server with these settings."""

    class Connection(HttpToolsProtocol):
        header_time_s = settings.header_time_s
        write_time_s = settings.write_time_s
        most_header_bytes = settings.form_mb << 20

        _header_alarm: asyncio.TimerHandle | None = None
        _write_alarm: asyncio.TimerHandle | None = None
        _n_header_bytes = 0
        _n_unsent = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._header_alarm = self.loop.call_later(self.header_time_s, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._silence()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._header_alarm:
                self._n_header_bytes += len(data)
            super().data_received(data)
            if self._header_alarm and self._n_header_bytes > self.most_header_bytes:
                self.transport.abort()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._header_alarm is None:
                self._n_header_bytes = 0
                self._header_alarm = self.loop.call_later(self.header_time_s, self.transport.abort)

        def on_headers_complete(self) -> None:
            if self._header_alarm:
                self._header_alarm.cancel()
                self._header_alarm = None
            super().on_headers_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._n_unsent = self.transport.get_write_buffer_size()
            self._write_alarm = self.loop.call_later(self.write_time_s, self._check_progress)

        def resume_writing(self) -> None:
            if self._write_alarm:
                self._write_alarm.cancel()
                self._write_alarm = None
            super().resume_writing()

        def _check_progress(self) -> None:
            n_unsent = self.transport.get_write_buffer_size()
            if n_unsent >= self._n_unsent:
                self.transport.abort()
            else:
                self._n_unsent = n_unsent
                self._write_alarm = self.loop.call_later(self.write_time_s, self._check_progress)

        def _silence(self) -> None:
            for alarm in (self._header_alarm, self._write_alarm):
                if alarm:
                    alarm.cancel()

    return Connection
