"""`Spool`: the part of an answer that a worker has given and the reader has not yet taken.

So that a slow reader does not hold the engine, an answer is taken from its worker as fast as it comes: into memory at
first, beyond that into a file without a name, and only beyond the file's limit does the worker have to wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from skydex.errors import StoreError

__all__ = ["Spool", "SpoolLimits"]

_READ_BYTES = 1 << 18
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpoolLimits:
    """How much of an answer may wait for its reader."""

    memory_bytes: int
    """In memory."""
    disk_bytes: int
    """In a file."""
    temp_dir: str | None = None
    """Where that file is made; by default where the system has temporary files."""


class Spool:
    """Bytes in the order in which they came, in memory and then on disk.

    Parameters
    ----------
    limits : SpoolLimits
        How much may wait.
    pause, resume : callable
        Called when the source should stop and may go on.
    """

    def __init__(self, limits: SpoolLimits, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._limits, self._pause, self._resume = limits, pause, resume
        self._memory: deque[bytes] = deque()
        self._n_memory = 0
        self._file: int | None = None
        self._read_at = self._written = 0
        self._writing: asyncio.Task[None] | None = None
        self._is_paused = self._is_broken = False

    def put(self, piece: bytes) -> None:
        """Take a piece; never waits, but may ask the source to pause."""
        self._memory.append(piece)
        self._n_memory += len(piece)
        if self._n_memory > self._limits.memory_bytes and self._writing is None:
            self._hold()
            if self._on_disk() < self._limits.disk_bytes:
                self._writing = asyncio.get_running_loop().create_task(self._write_out())

    async def take(self) -> bytes:
        """Give the next bytes; empty if there are none at present.

        Raises
        ------
        StoreError
            What went to disk is lost.
        """
        if self._on_disk() or self._writing:
            if not self._on_disk() and self._writing:
                await asyncio.wait([self._writing])
            if self._is_broken:
                raise StoreError("There is no room to keep the answer until it is read.")
            return await self._take_from_file()
        piece = self._memory.popleft() if self._memory else b""
        self._n_memory -= len(piece)
        self._let_go()
        return piece

    def take_all(self) -> bytes:
        """Give everything at once, if nothing went to disk."""
        whole = self._memory[0] if len(self._memory) == 1 else b"".join(self._memory)
        self._memory.clear()
        self._n_memory = 0
        return whole

    def is_in_memory(self) -> bool:
        """Whether nothing of it has gone to disk."""
        return self._file is None and self._writing is None

    def close(self) -> None:
        """Forget what is left and free its memory and disk."""
        self._memory.clear()
        if self._writing is None and self._file is not None:
            os.close(self._file)
            self._file = None
        elif self._writing is not None:
            self._writing.add_done_callback(lambda _: self.close())

    def _on_disk(self) -> int:
        return self._written - self._read_at

    async def _write_out(self) -> None:
        pieces, self._memory, self._n_memory = self._memory, deque(), 0
        try:
            self._written += await asyncio.to_thread(self._append, b"".join(pieces))
        except OSError:
            _log.exception("An answer cannot be kept for its reader")
            self._is_broken = True
        finally:
            self._writing = None
            self._let_go()

    def _append(self, block: bytes) -> int:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._limits.temp_dir) as file:
                self._file = os.dup(file.fileno())
        view, at = memoryview(block), self._written
        while view:
            n_written = os.pwrite(self._file, view, at)
            view, at = view[n_written:], at + n_written
        return len(block)

    async def _take_from_file(self) -> bytes:
        if self._file is None or not self._on_disk():
            return b""
        wanted = min(_READ_BYTES, self._on_disk())
        piece = await asyncio.to_thread(os.pread, self._file, wanted, self._read_at)
        self._read_at += len(piece)
        if not self._on_disk() and self._writing is None:
            os.ftruncate(self._file, 0)
            self._read_at = self._written = 0
        self._let_go()
        return piece

    def _hold(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._pause()

    def _let_go(self) -> None:
        has_room = self._n_memory <= self._limits.memory_bytes // 2 and self._writing is None
        if self._is_paused and has_room:
            self._is_paused = False
            self._resume()
