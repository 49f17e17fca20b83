"""`Seekable`: where a reader stands in a file far away; what is there, others know."""

from __future__ import annotations

import io

__all__ = ["Seekable"]


class Seekable(io.RawIOBase):
    """A file of known size that is read at random; `read` is for who knows its bytes.

    Parameters
    ----------
    size : int
        Bytes of the whole file.
    """

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def _stop(self, size: int) -> int:
        """The byte behind the last one of so many from here on, or of all for a negative number."""
        return self._size if size < 0 else min(self._at + size, self._size)
