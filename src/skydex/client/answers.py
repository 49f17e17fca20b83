"""Answers: the bytes that a service sends become a result, whatever format they are in.

The project's own readers decide what they are and read them, since they refuse what an answer has no need of: a
document type, rows that are elsewhere, texts that lead outside of their buffers (DALI 1.1, section 4.4, tells what an
answer must have). An Arrow stream is read as it arrives; anything else is put aside first, in a file that goes with the
result.
"""

from __future__ import annotations

import io
import itertools
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from skydex.errors import BadAnswerError, RefusedError, UnreadableFileError, UnsupportedFormatError
from skydex.formats import Format, Source, arrow, format_of_file, get_format
from skydex.formats.compressed import first_bytes
from skydex.formats.votable import Info, read_answer
from skydex.tables import Result

__all__ = ["result_of_answer"]

MAX_PLAIN_BYTES = 64 << 30
"""To how many bytes a compressed answer may unpack."""
_NAME = "answer"
_HEAD_BYTES, _BUFFER_BYTES = 16, 1 << 16
_LANGUAGES = (
    ("html", "a page for browsers", re.compile(rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html)")),
    ("votable", "XML", re.compile(rb"(\xef\xbb\xbf)?\s*<[?!\w]")),
    ("json", "JSON", re.compile(rb"(\xef\xbb\xbf)?\s*(\{|\[\s*[\[{])")),
)
"""How answers begin that can be of one format only."""
_TRUST: Mapping[str, Any] = {"allow_doctype": True}
"""Old services name a DTD; it is never fetched."""


def result_of_answer(
    chunks: Iterable[bytes], *, host: str, media_type: str = "", max_plain_bytes: int = MAX_PLAIN_BYTES
) -> Result:
    """Read the table in an answer.

    Parameters
    ----------
    chunks : iterable of bytes
        The answer, as it arrives.
    host : str
        Who sends it, for messages.
    media_type : str, optional
        What it claims to be; what it is counts more.
    max_plain_bytes : int, optional
        To how many bytes it may unpack if it is compressed.

    Returns
    -------
    result : Result
        The first table. Its rows are read when they are taken; `overflow` is as the service says.

    Raises
    ------
    RefusedError
        It is an error message.
    BadAnswerError
        It cannot be read as a table; also later, while rows are taken.
    """
    head, rest = _begun(iter(chunks))
    stream = cast(BinaryIO, io.BufferedReader(_Arriving(itertools.chain([head], rest)), _BUFFER_BYTES))
    try:
        if arrow.sniff(head):
            return _watched(arrow.open_stream(stream, _NAME), host)
        kept = _Kept(stream, media_type)
        return _watched(_put_aside(kept, host, max_plain_bytes), host, kept)
    except UnreadableFileError as error:
        raise BadAnswerError(host, error.reason) from error


def _begun(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """As many bytes as a format is recognised by, and what follows."""
    head = b""
    while len(head) < _HEAD_BYTES and (chunk := next(chunks, None)) is not None:
        head += chunk
    return head, chunks


class _Arriving(io.RawIOBase):
    """Chunks as a stream."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._held = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._held and (chunk := next(self._chunks, None)) is not None:
            self._held = memoryview(chunk)
        n_bytes = min(len(buffer), len(self._held))
        buffer[:n_bytes], self._held = self._held[:n_bytes], self._held[n_bytes:]
        return n_bytes


class _Kept:
    """A file with an answer, which goes when nobody holds it any more."""

    def __init__(self, stream: BinaryIO, media_type: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="skydex-answer-"))
        self.remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.file = folder / f"{_NAME}{_suffix(media_type)}"
        with self.file.open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)


def _suffix(media_type: str) -> str:
    """The usual ending of files of a media type, by which those formats are known whose content does not tell."""
    try:
        return get_format(media_type).suffixes[0] if media_type else ""
    except UnsupportedFormatError:
        return ""


def _put_aside(kept: _Kept, host: str, max_plain_bytes: int) -> Result:
    form = format_of_file(kept.file)
    _check_language(form, kept.file, host)
    options = {**_TRUST, "max_bytes": max_plain_bytes}
    if form.name == "votable":
        return _of_votable(*read_answer(kept.file, options), host=host)
    if form.read is None:
        raise BadAnswerError(host, f"it is {form.name}, which is not read.")
    return _of_source(form.read(kept.file, options)[0])


def _check_language(form: Format, file: Path, host: str) -> None:
    """Refuse documents of another kind: a reader of texts would find rows in them."""
    start = first_bytes(file)
    for name, language, pattern in _LANGUAGES:
        if form.name != name and pattern.match(start):
            raise BadAnswerError(host, f"it is {language}, and no table.")


def _of_votable(sources: Sequence[Source], infos: Sequence[Info], *, host: str) -> Result:
    status = [info for info in infos if info.name.upper() == "QUERY_STATUS"]
    errors = [info for info in status if info.value.upper() == "ERROR"]
    if not sources:
        errors += [info for info in infos if info.name.lower() == "error"]
    if errors:
        raise RefusedError(host, errors[0].text or errors[0].value)
    if not sources:
        raise BadAnswerError(host, "it holds no table.")
    others = [(info.name, info.value or info.text) for info in infos if info not in status]
    result = _of_source(sources[0], others)
    result.overflow = any(info.value.upper() == "OVERFLOW" for info in status)
    return result


def _of_source(source: Source, infos: Iterable[tuple[str, str]] = ()) -> Result:
    return Result(
        source.columns,
        source.open_batches(),
        name=source.name,
        description=source.description,
        infos=(*infos, *source.facts.items()),
        warnings=list(source.warnings),
    )


def _watched(result: Result, host: str, kept: _Kept | None = None) -> Result:
    """The same result, whose rows fail as those of an answer, and whose file goes after the last of them."""
    result.batches = _rows(result.batches, host, kept)
    return result


def _rows(batches: Iterator[pa.RecordBatch], host: str, kept: _Kept | None) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except UnreadableFileError as error:
        raise BadAnswerError(host, error.reason) from error
    finally:
        if kept is not None:
            kept.remove()
