"""`Sink`: a file that library writers write to while its bytes are already on their way."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["Sink"]


class Sink(io.RawIOBase):
    """A file that only grows, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held.append(bytes(data))
        self._place += len(self._held[-1])
        return len(self._held[-1])

    def tell(self) -> int:
        return self._place

    def taken(self) -> bytes:
        """Give all bytes that were written since it was last asked."""
        held, self._held = self._held, []
        return b"".join(held)
