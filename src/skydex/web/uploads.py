"""Uploads: the tables that come along with a query, received (TAP 1.1, section 2.5; DALI 1.1, section 3.4.5).

`UPLOAD=name,param:part` names a part of the same multipart form, `UPLOAD=name,address` a table elsewhere, which is
fetched where the operator allows it. Files go to disk as they arrive, counted; nobody looks into them here, and no name
that a peer chose becomes the name of a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from skydex.archive import Upload
from skydex.errors import BadParameterError, UploadTooLargeError
from skydex.store.files import storing
from skydex.web.asgi import Call
from skydex.web.dali import Parameters
from skydex.web.forms import Head
from skydex.web.intake import Intake

__all__ = ["KeptFile", "KeptFiles", "received"]

_MOST_TABLES = 32
_LONGEST = 100_000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}", re.ASCII)
_BETWEEN = re.compile(r";(?=[^,;]*,[^,;]*:|\s*$)")
"""A semicolon that ends an entry: another begins behind it, or nothing. Addresses may have semicolons of their own."""
_SUFFIX = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}$", re.ASCII)


async def received(call: Call, directory: Path) -> tuple[Parameters, tuple[Upload, ...]]:
    """Read the parameters of a call, and put the tables that come along into files.

    Parameters
    ----------
    call : Call
        The request.
    directory : Path
        Where the files go; made when there is a first one. It is the caller's to remove, also after an error.

    Raises
    ------
    BadParameterError
        UPLOAD says what cannot be.
    FetchError
        A table elsewhere cannot be had.
    UploadTooLargeError
        The files are larger than the service takes.
    """
    files = KeptFiles(directory, call.site.settings.upload_mb, call.site.intake)
    with files:
        parameters = await call.parameters(files)
    wanted = _wanted(parameters.values("UPLOAD"))
    return parameters, tuple([await _upload(entry, call, files, parameters) for entry in wanted])


@dataclass(frozen=True)
class _Entry:
    """What UPLOAD says of one table."""

    name: str
    """Its name in queries."""
    scheme: str
    """`param`, or that of an address."""
    place: str
    """A part's name, or the whole address."""


@dataclass(frozen=True)
class KeptFile:
    """A file of the form, on disk."""

    path: Path
    """Where it is."""
    content_type: str
    """What the sender calls it."""


class KeptFiles:
    """The files of one form, written as they come.

    Parameters
    ----------
    directory : Path
        Where they go; made when there is a first one.
    max_mb : int
        How large they may be together, in MB.
    intake : Intake
        What counts them with all others, as long as this is entered.
    """

    def __init__(self, directory: Path, max_mb: int, intake: Intake) -> None:
        self._directory = directory
        self._max_mb = max_mb
        self._intake = intake
        self._n_taken = 0
        self._kept: list[tuple[str, KeptFile]] = []
        self._open: BinaryIO | None = None

    def __enter__(self) -> KeptFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._intake.give_back(self._n_taken)
        self.end()

    @storing("an uploaded table")
    def begin(self, head: Head) -> None:
        suffix = _SUFFIX.search(head.file_name or "")
        self._open = self._new(head.name, head.content_type, suffix.group().lower() if suffix else "").open("xb")

    @storing("an uploaded table")
    def add(self, piece: bytes) -> None:
        if self._n_taken + len(piece) > self._max_mb << 20:
            raise UploadTooLargeError("What is uploaded", f"{self._max_mb:,} MB")
        self._intake.take(len(piece))
        self._n_taken += len(piece)
        assert self._open is not None
        self._open.write(piece)

    @storing("an uploaded table")
    def end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    @property
    def last(self) -> KeptFile:
        """The file that was kept last."""
        return self._kept[-1][1]

    def of_part(self, name: str) -> KeptFile | None:
        """The file in a part, whose name is looked up exactly as written first, then without regard to case.

        Raises
        ------
        BadParameterError
            There are several.
        """
        alike = [(part, file) for part, file in self._kept if part.lower() == name.lower()]
        found = [file for part, file in alike if part == name] or [file for _, file in alike]
        if len(found) > 1:
            raise BadParameterError("UPLOAD", f'names the part "{name}", of which the form has {len(found)}.')
        return found[0] if found else None

    @storing("an uploaded table")
    def keep_text(self, name: str, text: str) -> KeptFile:
        """Put a table that came as a plain field into a file, too."""
        self._new(name, "", "").write_text(text, encoding="utf-8")
        return self.last

    def _new(self, part: str, content_type: str, suffix: str) -> Path:
        if len(self._kept) >= _MOST_TABLES:
            raise BadParameterError("UPLOAD", f"takes at most {_MOST_TABLES} tables in one request.")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"upload-{len(self._kept) + 1}{suffix}"
        self._kept.append((part, KeptFile(path, content_type)))
        return path


def _wanted(values: Sequence[str]) -> list[_Entry]:
    """Every table that UPLOAD names, in order."""
    if sum(map(len, values)) > _LONGEST:
        raise BadParameterError("UPLOAD", f"has more than {_LONGEST:,} characters.")
    texts = [text.strip() for value in values for text in _BETWEEN.split(value)]
    entries = [_entry(text) for text in texts if text]
    if len(entries) > _MOST_TABLES:
        raise BadParameterError("UPLOAD", f"takes at most {_MOST_TABLES} tables in one request.")
    names: set[str] = set()
    for entry in entries:
        if entry.name.lower() in names:
            raise BadParameterError("UPLOAD", f'names two tables "{entry.name}": each needs a name of its own.')
        names.add(entry.name.lower())
    return entries


def _entry(text: str) -> _Entry:
    name, comma, source = (word.strip() for word in text.partition(","))
    scheme, colon, place = (word.strip() for word in source.partition(":"))
    if not (comma and colon and place):
        raise BadParameterError("UPLOAD", f'must be "name,param:part" or "name,address", not "{_short(text)}".')
    if not _NAME.fullmatch(name):
        raise BadParameterError(
            "UPLOAD",
            f'cannot call a table "{_short(name)}": a name is a letter and then letters, digits and underscores, '
            "without a schema.",
        )
    is_part = scheme.lower() == "param"
    return _Entry(name, scheme.lower(), place if is_part else source)


async def _upload(entry: _Entry, call: Call, files: KeptFiles, parameters: Parameters) -> Upload:
    if entry.scheme != "param":
        file = await _fetched(entry, call, files)
    else:
        file = files.of_part(entry.place) or _in_text(entry, files, parameters)
    return Upload(entry.name, str(file.path), file.content_type)


async def _fetched(entry: _Entry, call: Call, files: KeptFiles) -> KeptFile:
    """A table that lies elsewhere, which is not fetched any further once whoever asked for it has left."""
    fetcher = call.site.fetcher
    if fetcher is None:
        raise BadParameterError(
            "UPLOAD",
            f'names an address for the table "{entry.name}", but this service fetches nothing: '
            "send the table along in a multipart form, as name,param:part.",
        )
    call.watch()
    async with fetcher.open(entry.place) as found:
        with files:
            files.begin(Head(entry.place, found.file_name, found.content_type))
            async for piece in found.pieces:
                files.add(piece)
    return files.last


def _in_text(entry: _Entry, files: KeptFiles, parameters: Parameters) -> KeptFile:
    texts: Sequence[str] = [text for text in parameters.values(entry.place) if text]
    if len(texts) != 1:
        count = "no" if not texts else "more than one"
        raise BadParameterError(
            "UPLOAD", f'names the part "{_short(entry.place)}", but the request has {count} part of that name.'
        )
    return files.keep_text(entry.place, texts[0])


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."
