"""`Journal`: what a staging directory already holds for certain.

One JSON line per event, appended and flushed to the disk after the files that it speaks of. A process that is killed
leaves at most a torn last line, which is cut off when the journal is opened again, and files that no line names, which
are removed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skydex.store.files import write_file
from skydex.store.texts import TextSize

__all__ = ["Entry", "Journal"]

_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """Some pieces of input whose rows lie in some runs."""

    pieces: dict[str, int]
    """Rows of each piece, by its key."""
    runs: dict[str, int]
    """Bytes of each run, by file name."""
    texts: dict[str, TextSize]
    """Sizes of the texts in them."""

    def to_json(self) -> dict[str, Any]:
        return {
            "pieces": self.pieces,
            "runs": self.runs,
            "texts": {name: [size.longest, size.is_ascii] for name, size in self.texts.items()},
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Entry:
        texts = {name: TextSize(*size) for name, size in content["texts"].items()}
        return cls(content["pieces"], content["runs"], texts)


class Journal:
    """The journal of one staging directory."""

    def __init__(self, path: Path, purpose: str) -> None:
        self.path = path
        self.entries: list[Entry] = []
        """What is certain, in the order in which it became so."""
        if not self._resume(purpose):
            header = json.dumps({"format": _FORMAT, "purpose": purpose})
            write_file(path, f"{header}\n".encode())

    def _resume(self, purpose: str) -> bool:
        """Read an earlier journal for the same purpose; false if there is none."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        header, *lines = whole.splitlines() or [b"{}"]
        if json.loads(header) != {"format": _FORMAT, "purpose": purpose}:
            return False
        self.entries = [Entry.from_json(json.loads(line)) for line in lines]
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        return True

    def append(self, entry: Entry) -> None:
        """Write down an entry; when this returns, it is on the disk."""
        line = json.dumps(entry.to_json()).encode() + b"\n"
        end = self.path.stat().st_size
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            _write_whole(descriptor, line, end)
        finally:
            os.close(descriptor)
        self.entries.append(entry)


def _write_whole(descriptor: int, line: bytes, end: int) -> None:
    """Append a line, or leave the file as it was."""
    try:
        left = memoryview(line)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise
