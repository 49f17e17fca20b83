"""The inside of a worker process: take a request, stream the answer, again and again.

Small answers leave in one piece, so that whoever waits knows at once that they are whole; and an error that comes
before the first piece has left is an error of the request, not of a half-sent answer.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skydex.errors import EngineError, LimitError, MemoryLimitError, RequestError, ServiceError, SkydexError
from skydex.jobs.frames import Kind, data_head, frame, iter_frames, send_parts
from skydex.jobs.limits import limit_memory, resident_mb

__all__ = ["Factory", "Handler", "WorkerLimits", "run_worker"]

Handler = Callable[[Any, float | None], tuple[dict[str, Any], Iterator[bytes]]]
"""Answers a request before a deadline (`time.monotonic()` seconds): facts about the answer, and its bytes."""
Factory = Callable[[Path], Handler]
"""Makes the handler of one worker, given an empty directory that is the worker's own and ends with it."""

PIECE_BYTES = 1 << 16
"""Bytes that are gathered before they leave."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerLimits:
    """What one worker may take."""

    memory_mb: int | None
    """Memory of one request, beyond what the idle worker has; None if the handler sees to that."""
    n_requests: int = 50_000
    """Requests after which a worker is replaced, against slow leaks."""
    growth_mb: int = 384
    """Resident memory by which an idle worker may have grown before it is replaced."""


def run_worker(sock: socket.socket, factory: Factory, limits: WorkerLimits, scratch: Path) -> None:
    """Answer requests from a socket until it closes or the worker has had its day."""
    worker = _Worker(sock, factory(scratch), limits)
    if limits.memory_mb is not None:
        limit_memory(limits.memory_mb)
    sock.sendall(frame(Kind.READY))
    for _, payload in iter_frames(sock):
        worker.answer(*pickle.loads(payload))
        if worker.is_spent:
            return


class _Worker:
    """One worker between its requests."""

    def __init__(self, sock: socket.socket, handler: Handler, limits: WorkerLimits) -> None:
        self._sock, self._handler, self._limits = sock, handler, limits
        self._at_rest_mb = resident_mb()
        self._n_done = 0
        self.is_spent = False

    def answer(self, request: Any, deadline: float | None) -> None:
        """Send the answer to one request, or the error that came instead."""
        outbox = _Outbox(self._sock)
        try:
            facts, chunks = self._handler(request, deadline)
            outbox.begin(facts)
            for chunk in chunks:
                outbox.add(chunk)
            self._count()
            outbox.finish(last=self.is_spent)
        except ConnectionError:
            self.is_spent = True  # nobody listens any more
        except (RequestError, LimitError) as error:
            self._refuse(outbox, error, fit=not isinstance(error, MemoryLimitError))
        except MemoryError:
            self._refuse(outbox, MemoryLimitError(self._limits.memory_mb or round(resident_mb())), fit=False)
        except ServiceError as error:
            _log.error("A request failed: %r", request, exc_info=True)
            self._refuse(outbox, error, fit=False)
        except Exception:
            _log.exception("A request failed in a way nobody foresaw: %r", request)
            fault = EngineError("The service failed on this request. The fault is logged.")
            self._refuse(outbox, fault, fit=True)  # if each such request cost a worker, somebody would make use of it

    def _count(self) -> None:
        self._n_done += 1
        has_grown = resident_mb() > self._at_rest_mb + self._limits.growth_mb
        self.is_spent = has_grown or self._n_done >= self._limits.n_requests

    def _refuse(self, outbox: _Outbox, error: SkydexError, *, fit: bool) -> None:
        self._count()
        self.is_spent = self.is_spent or not fit
        error.__traceback__ = error.__cause__ = error.__context__ = None
        with contextlib.suppress(ConnectionError):
            outbox.break_off(error, last=self.is_spent)


class _Outbox:
    """Pieces of one answer on their way out, gathered until they are worth sending."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._head = b""
        self._chunks: list[bytes] = []
        self._n_bytes = 0
        self._has_left = False

    def begin(self, facts: dict[str, Any]) -> None:
        self._head = frame(Kind.HEADER, pickle.dumps(facts))

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._n_bytes += len(chunk)
        if self._n_bytes >= PIECE_BYTES:
            self._flush()

    def finish(self, *, last: bool) -> None:
        self._flush(frame(Kind.END, b"last" if last else b""))

    def break_off(self, error: SkydexError, *, last: bool) -> None:
        """End with an error; what is still here goes along only if it belongs to what has left already."""
        if not self._has_left:
            self._head, self._chunks, self._n_bytes = b"", [], 0
        self._flush(frame(Kind.ERROR, pickle.dumps((error, last))))

    def _flush(self, tail: bytes = b"") -> None:
        """Send all that is here as one DATA frame, so that a small answer is one piece for whoever reads it."""
        data = [data_head(self._n_bytes), *self._chunks] if self._n_bytes else []
        send_parts(self._sock, [self._head, *data, tail])
        self._head, self._chunks, self._n_bytes, self._has_left = b"", [], 0, True
