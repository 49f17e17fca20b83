"""`RangeCache`: bytes that were read from far away, kept on the disk under a limit.

Built on `TileCache`: any number of processes share it, those used longest ago go first, and a disk that is full is no
error. What is kept carries its key and a checksum, so that what a crash or a disk has spoilt is as good as none.
"""

from __future__ import annotations

import struct
import zlib

from skydex.store.remote.access import RemoteAccess
from skydex.store.tile_cache import TileCache

__all__ = ["RangeCache"]

_MAGIC = b"skydex1\n"
_HEAD = struct.Struct("<8sIIQ")
_LARGEST_PART = 8
"""A range that takes more than one part in so many of the cache is not kept."""


class RangeCache:
    """Bytes by their keys, as long as there is room."""

    def __init__(self, access: RemoteAccess) -> None:
        folder = access.cache_directory if access.cache_bytes else None
        self._kept = TileCache(folder, access.cache_bytes) if folder else None
        self._most_bytes = access.cache_bytes // _LARGEST_PART

    @property
    def is_open(self) -> bool:
        """Whether anything is ever kept."""
        return self._kept is not None

    def find(self, key: str) -> bytes | None:
        """What is kept under a key, if it is whole."""
        content = self._kept.find(key) if self._kept else None
        if content is None or len(content) < _HEAD.size:
            return None
        magic, checksum, key_length, length = _HEAD.unpack_from(content)
        body = content[_HEAD.size + key_length :]
        whole = magic == _MAGIC and len(body) == length and zlib.crc32(content[_HEAD.size :]) == checksum
        return body if whole and content[_HEAD.size : _HEAD.size + key_length] == key.encode() else None

    def keep(self, key: str, content: bytes) -> None:
        """Keep bytes under a key, if there is room."""
        if self._kept is None or len(content) > self._most_bytes:
            return
        name = key.encode()
        checksum = zlib.crc32(content, zlib.crc32(name))
        self._kept.keep(key, _HEAD.pack(_MAGIC, checksum, len(name), len(content)) + name + content)
