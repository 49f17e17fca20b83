"""The little protocol between a worker process and whoever gives it work.

A frame is one byte of kind, four of length (little endian), and the payload. The giver sends REQUEST; the worker
answers READY once at its start, and then for each request HEADER, DATA (any number) and END, or ERROR at any point.
Payloads of REQUEST, HEADER and ERROR are pickles: both ends run as the same user on one machine, and a worker is a
limit to resources, not a wall against its own code.
"""

from __future__ import annotations

import enum
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence

__all__ = ["FrameReader", "Kind", "frame", "iter_frames", "send_parts"]

_HEAD = struct.Struct("<BI")
_RECEIVE_BYTES = 1 << 18


class Kind(enum.IntEnum):
    """What a frame carries."""

    READY = 1
    """The worker can take its first request."""
    REQUEST = 2
    """Pickled pair of a request and its deadline (`time.monotonic()` seconds, or None)."""
    HEADER = 3
    """Pickled dict of facts about the answer."""
    DATA = 4
    """Bytes of the answer."""
    END = 5
    """The answer is whole; a payload means that the worker ends itself now."""
    ERROR = 6
    """Pickled pair of a `SkydexError` and whether the worker ends itself now; no END follows."""


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """One whole frame."""
    return _HEAD.pack(kind, len(payload)) + payload


def data_head(n_bytes: int) -> bytes:
    """What stands before `n_bytes` of an answer, which may then be sent without copying them."""
    return _HEAD.pack(Kind.DATA, n_bytes)


def send_parts(sock: socket.socket, parts: Sequence[bytes]) -> None:
    """Send parts one after another through a blocking socket, in as few system calls as it takes."""
    left = deque(memoryview(part) for part in parts if part)
    while left:
        n_sent = sock.sendmsg([left[i] for i in range(min(len(left), 64))])
        while left and n_sent >= len(left[0]):
            n_sent -= len(left.popleft())
        if n_sent:
            left[0] = left[0][n_sent:]


def iter_frames(sock: socket.socket) -> Iterator[tuple[Kind, bytes]]:
    """Frames from a blocking socket until the other end closes."""
    reader = FrameReader()
    while data := sock.recv(_RECEIVE_BYTES):
        yield from reader.feed(data)


class FrameReader:
    """Cuts a stream of bytes into frames.

    The payload of a DATA frame is given on as it arrives, perhaps in several pieces; all other payloads are whole.
    """

    def __init__(self) -> None:
        self._held = b""
        self._data_left = 0

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Frames, and pieces of DATA frames, that end within these further bytes."""
        data, self._held = self._held + data if self._held else data, b""
        start = 0
        while start < len(data):
            if self._data_left:
                piece = data[start : start + self._data_left]
                self._data_left -= len(piece)
                start += len(piece)
                yield Kind.DATA, piece
                continue
            found = self._next(data, start)
            if found is None:
                self._held = data[start:]
                return
            kind, payload, start = found
            if kind != Kind.DATA:
                yield kind, payload

    def _next(self, data: bytes, start: int) -> tuple[Kind, bytes, int] | None:
        """The frame at `start` and where the next one begins; of a DATA frame only the head is taken."""
        body = start + _HEAD.size
        if len(data) < body:
            return None
        kind, length = _HEAD.unpack_from(data, start)
        if kind == Kind.DATA:
            self._data_left = length
            return Kind.DATA, b"", body
        return (Kind(kind), data[body : body + length], body + length) if len(data) >= body + length else None
