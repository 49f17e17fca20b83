"""Where the bytes of one file go while they come: to `name.part` beside their final place, or into memory.

A part of a large file that was left behind is gone on with if its origin gave a strong validator, which stands beside
it in `name.part.json`. Without one, a part is worth nothing and is deleted. The final name appears in one step, when
length, checksum (if its origin tells one) and the first bytes are right.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from skydex.client.door import OpenedFile
from skydex.client.transfers.checks import HEAD_BYTES, misfit
from skydex.client.transfers.manifest import FetchedFile, keep, now
from skydex.client.transfers.naming import PART
from skydex.errors import BadAnswerError, BadParameterError, UnreachableError

__all__ = ["FilePart", "MemoryPart", "Part"]

_NOTE = ".json"
_PIECE = 1 << 20
_WORTH_KEEPING = 1 << 20
"""Of smaller files parts are not kept for later: to note what they are parts of costs more than to fetch them anew."""


class Part(Protocol):
    """What takes the bytes of one file."""

    @property
    def name(self) -> str: ...
    @property
    def offset(self) -> int:
        """How much is there already."""
        ...

    @property
    def validator(self) -> str:
        """Of which version that is."""
        ...

    def begin(self, opened: OpenedFile) -> None:
        """Make ready for what was opened."""
        ...

    def write(self, chunk: bytes) -> None: ...

    def restart(self) -> None:
        """Forget what came, which was wrong."""
        ...


@dataclass
class Counting:
    """What is common to parts: how much has come, how much should, what it begins with."""

    name: str
    max_bytes: int
    offset: int = 0
    validator: str = ""
    expected: int | None = None
    head: bytes = b""

    def expect(self, opened: OpenedFile) -> None:
        if opened.n_bytes is not None and opened.n_bytes > self.max_bytes:
            raise BadAnswerError(self.name, f"it has {opened.n_bytes:,} bytes; at most {self.max_bytes:,} are taken.")
        self.expected, self.validator = opened.n_bytes, opened.validator

    def count(self, chunk: bytes) -> None:
        if self.offset < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        self.offset += len(chunk)
        if self.offset > self.max_bytes:
            raise BadAnswerError(self.name, f"it is larger than {self.max_bytes:,} bytes, which is what is taken.")

    def check(self, name: str) -> None:
        """Whether it is whole, and what its name says."""
        if self.expected is not None and self.offset < self.expected:
            raise UnreachableError(self.name, f"it ended after {self.offset:,} of {self.expected:,} bytes")
        if self.expected is not None and self.offset > self.expected:
            raise BadAnswerError(self.name, f"it has {self.offset:,} bytes instead of {self.expected:,}.")
        problem = misfit(name, self.head)
        if problem is not None:
            raise BadAnswerError(self.name, f"{problem}.")


@dataclass
class MemoryPart:
    """Bytes that are kept in memory."""

    name: str
    max_bytes: int
    pieces: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counting = Counting(self.name, self.max_bytes)

    @property
    def offset(self) -> int:
        return self.counting.offset

    @property
    def validator(self) -> str:
        return self.counting.validator

    def begin(self, opened: OpenedFile) -> None:
        if opened.offset != self.counting.offset:
            self.restart()
        self.counting.expect(opened)
        self.sha256 = opened.sha256

    def write(self, chunk: bytes) -> None:
        self.counting.count(chunk)
        self.pieces.append(chunk)

    def restart(self) -> None:
        self.pieces.clear()
        self.counting = Counting(self.name, self.max_bytes)

    def content(self) -> bytes:
        """All of it, checked."""
        self.counting.check(self.name)
        content = b"".join(self.pieces)
        if self.sha256 and hashlib.sha256(content).hexdigest() != self.sha256:
            self.restart()
            raise UnreachableError(self.name, "its checksum is wrong")
        return content


class FilePart:
    """Bytes that go to a file.

    Parameters
    ----------
    folder : Path
        Where the file will be.
    name : str
        Its final name.
    reference : str
        What it is asked for by.
    max_bytes : int
        Largest size.
    """

    def __init__(self, folder: Path, name: str, reference: str, *, max_bytes: int) -> None:
        self.folder, self.name, self.reference, self._max_bytes = folder, name, reference, max_bytes
        self.path = folder / f"{name}{PART}"
        self._note = folder / f"{name}{PART}{_NOTE}"
        self._file: IO[bytes] | None = None
        self._facts = OpenedFile(iter(()))
        self._anew()
        try:
            self._take_up()
        except BaseException:
            self.leave()
            raise

    @property
    def offset(self) -> int:
        return self._counting.offset

    @property
    def validator(self) -> str:
        return self._counting.validator

    def _anew(self) -> None:
        self._counting, self._digest = Counting(self.name, self._max_bytes), hashlib.sha256()

    def _take_up(self) -> None:
        """Go on with what an earlier call left, if it is known what it is a part of."""
        self._file = self._locked()
        note = self._noted()
        if note.get("reference") != self.reference or not note.get("validator"):
            return
        while piece := self._file.read(_PIECE):
            self._counting.count(piece)
            self._digest.update(piece)
        self._counting.validator = str(note["validator"])

    def _locked(self) -> IO[bytes]:
        """The part, for this process alone."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    return os.fdopen(descriptor, "r+b")
            except FileNotFoundError:
                pass  # another process has just finished it
            except BlockingIOError as error:
                os.close(descriptor)
                raise BadParameterError("into", f"{self.name} is being fetched into it by another process.") from error
            os.close(descriptor)

    def _noted(self) -> dict[str, Any]:
        try:
            note = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def begin(self, opened: OpenedFile) -> None:
        assert self._file is not None, "a part that was left is not gone on with"
        if opened.offset != self._counting.offset:
            self._anew()
        self._file.seek(self._counting.offset)
        self._file.truncate()
        self._counting.expect(opened)
        self._facts = opened
        self._check_space()
        if self._is_worth_keeping():
            self._note.write_text(json.dumps({"reference": self.reference, "validator": opened.validator}))

    def _is_worth_keeping(self) -> bool:
        """Whether a later call can go on with the part, and gains by it."""
        expected = self._counting.expected
        return bool(self._counting.validator) and (expected is None or expected >= _WORTH_KEEPING)

    def _check_space(self) -> None:
        wanted = (self._counting.expected or 0) - self._counting.offset
        if wanted > 0 and wanted > shutil.disk_usage(self.folder).free:
            raise BadParameterError("into", f"has no room for {self.name}, of which {wanted:,} bytes are missing.")

    def write(self, chunk: bytes) -> None:
        assert self._file is not None, "begin comes first"
        self._counting.count(chunk)
        self._digest.update(chunk)
        self._file.write(chunk)

    def leave(self) -> None:
        """Give up, if it is not finished; what can be gone on with later stays."""
        if self._file is None:
            return
        if not (self._is_worth_keeping() and self._counting.offset):
            self._delete()
        with suppress(OSError):
            self._file.close()
        self._file = None

    def restart(self) -> None:
        self._anew()

    @property
    def facts(self) -> OpenedFile:
        """What the sender says of it."""
        return self._facts

    def finish(self, name: str) -> FetchedFile:
        """Check it, record it, and give it its name."""
        assert self._file is not None, "begin comes first"
        self._counting.check(name)
        sha256 = self._digest.hexdigest()
        if self._facts.sha256 and sha256 != self._facts.sha256:
            self.restart()
            raise UnreachableError(self.name, "its checksum is wrong")
        self._file.flush()
        file = FetchedFile(
            name=name,
            reference=self.reference,
            n_bytes=self._counting.offset,
            sha256=sha256,
            fetched_at=now(),
            validator=self._facts.validator,
            media_type=self._facts.media_type,
            mtime_ns=os.fstat(self._file.fileno()).st_mtime_ns,
        )
        keep(self.folder, file)  # first: a file without a line would be taken for the user's own
        os.replace(self.path, self.folder / name)
        self._note.unlink(missing_ok=True)
        self._file.close()
        self._file = None
        return file

    def _delete(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
