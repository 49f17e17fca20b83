"""Forms: the body of a POST, taken in as it comes.

Urlencoded forms are gathered and read at their end. Multipart forms (RFC 7578) are taken apart while they arrive, so
that a file in one goes to whoever keeps files, piece by piece, and is never in memory. A service may name fields of
either kind of form that go the same way although they are plain texts. Everything that a peer can make
large has its limit here: texts, their number, the header of a part, and the time that taking a form apart may cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote_plus

import numpy as np
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from skydex.errors import BadParameterError, BodyTooLargeError
from skydex.web.dali import MOST_FIELDS, parse_pairs

__all__ = ["NO_FILES", "Files", "Form", "Head", "form_of"]

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_LONGEST_NAME = 200
_PLAIN_ENCODINGS = (b"7bit", b"8bit", b"binary")
"""Of Content-Transfer-Encoding: the bytes are sent as they are. Old clients say so."""
_HEXADECIMAL = np.full(256, 255, np.uint8)
_HEXADECIMAL[np.frombuffer(b"0123456789ABCDEFabcdef", np.uint8)] = [*range(16), *range(10, 16)]
"""What a digit means; 255 for what is none."""
_MOST_CPU_S = 5.0
"""A form of 100 MB takes a twentieth of this, unless it is made of what is nearly a boundary, again and again."""


@dataclass(frozen=True)
class Head:
    """What a part of a form says of itself."""

    name: str
    """Name of the field."""
    file_name: str | None
    """Name of the file, for a part that is one; nothing but a hint at what it holds."""
    content_type: str
    """Media type, or an empty text."""

    @property
    def is_file(self) -> bool:
        """Whether it has a file name, or is something other than text."""
        kind = self.content_type.partition(";")[0].strip().lower()
        return self.file_name is not None or kind not in ("", "text/plain")


class Files(Protocol):
    """Whoever takes the files in a form: one after the other, each in pieces."""

    def begin(self, head: Head) -> None: ...

    def add(self, piece: bytes) -> None: ...

    def end(self) -> None: ...


class Form(Protocol):
    """A body on its way in."""

    def add(self, piece: bytes) -> None: ...

    def pairs(self) -> list[tuple[str, str]]: ...


class _NoFiles:
    """Passes over files."""

    def begin(self, head: Head) -> None:
        pass

    def add(self, piece: bytes) -> None:
        pass

    def end(self) -> None:
        pass


NO_FILES: Files = _NoFiles()
"""For services that take no files."""


def form_of(content_type: str, max_mb: int, files: Files, large: Collection[str] = ()) -> Form:
    """Make ready for the body of a request.

    Parameters
    ----------
    content_type : str
        The request's Content-Type.
    max_mb : int
        Size of all texts together; files have limits of their own.
    files : Files
        Who takes the files.
    large : collection of str
        Names, in small letters, of fields that are taken for files whatever they are.

    Raises
    ------
    BadParameterError
        Such a body is no form.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("", _URLENCODED):
        return _UrlencodedWithFiles(max_mb, files, large) if large else _Urlencoded(max_mb)
    if kind == _MULTIPART:
        return _Multipart(content_type, max_mb, files, large)
    raise BadParameterError("Content-Type", f"must be {_URLENCODED} or {_MULTIPART}.")


class _Texts:
    """Bytes of texts, counted against their limit."""

    def __init__(self, max_mb: int) -> None:
        self._max_mb = max_mb
        self._left = max_mb << 20
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise BodyTooLargeError(self._max_mb)
        self._pieces.append(piece)

    def taken(self) -> bytes:
        """Give what was added since it was last asked."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class _Urlencoded(_Texts):
    def pairs(self) -> list[tuple[str, str]]:
        return parse_pairs(self.taken())


class _UrlencodedWithFiles(_Urlencoded):
    """An urlencoded form with fields that go elsewhere as they come."""

    def __init__(self, max_mb: int, files: Files, large: Collection[str]) -> None:
        super().__init__(max_mb)
        self._files, self._large = files, large
        self._head = b""
        self._is_name, self._is_large = True, False
        self._decoding = _Decoding()
        self._n_fields = 0

    def add(self, piece: bytes) -> None:
        first, *others = piece.split(b"&")
        self._take(first)
        for part in others:
            self._end()
            self._take(part)

    def pairs(self) -> list[tuple[str, str]]:
        self._end()
        return super().pairs()

    def _take(self, part: bytes) -> None:
        if self._is_large:
            self._files.add(self._decoding.decoded(part))
        elif not self._is_name:
            super().add(part)
        else:
            self._head += part
            name, equals, value = self._head.partition(b"=")
            if equals or len(self._head) > _LONGEST_NAME:
                self._begin(name, value)

    def _begin(self, name: bytes, value: bytes) -> None:
        """The name of a field is known."""
        self._is_name = False
        text = unquote_plus(name.decode("utf-8", "replace"))
        self._is_large = text.lower() in self._large
        if self._is_large:
            self._files.begin(Head(text, None, ""))
            self._take(value)
        else:
            super().add(self._head)

    def _end(self) -> None:
        """A field is over."""
        self._n_fields += 1
        if self._n_fields > MOST_FIELDS:
            raise BadParameterError("request", f"has more than {MOST_FIELDS} parameters.")
        if self._is_large:
            self._files.add(self._decoding.rest())
            self._files.end()
        else:
            super().add((self._head if self._is_name else b"") + b"&")
        self._head, self._is_name, self._is_large = b"", True, False


class _Decoding:
    """Percent-encoded bytes, decoded piece by piece and without a look at each one."""

    def __init__(self) -> None:
        self._held = b""

    def decoded(self, piece: bytes) -> bytes:
        """What a further piece means; an escape that it cuts is held back."""
        piece = self._held + piece.replace(b"+", b" ")
        cut = piece.find(b"%", max(0, len(piece) - 2))
        self._held = piece[cut:] if cut >= 0 else b""
        return _unescaped(piece[:cut] if cut >= 0 else piece)

    def rest(self) -> bytes:
        held, self._held = self._held, b""
        return held


def _unescaped(piece: bytes) -> bytes:
    if b"%" not in piece:
        return piece
    codes = np.frombuffer(piece, np.uint8)
    at = np.flatnonzero(codes == ord("%"))
    at = at[at + 2 < len(codes)]
    high, low = _HEXADECIMAL[codes[at + 1]], _HEXADECIMAL[codes[at + 2]]
    good = (high < 16) & (low < 16)
    at, values = at[good], (high[good] << 4) | low[good]
    decoded, is_kept = codes.copy(), np.ones(len(codes), bool)
    decoded[at] = values
    is_kept[at + 1] = is_kept[at + 2] = False
    return decoded[is_kept].tobytes()


class _Multipart:
    """A multipart form; the parser calls the methods below while it is fed."""

    def __init__(self, content_type: str, max_mb: int, files: Files, large: Collection[str]) -> None:
        boundary = parse_options_header(content_type.encode("latin-1", "replace"))[1].get(b"boundary", b"")
        if not boundary:
            raise BadParameterError("Content-Type", f"{_MULTIPART} needs a boundary.")
        self._files, self._large = files, large
        self._texts = _Texts(max_mb)
        self._pairs: list[tuple[str, str]] = []
        self._field = self._value = b""
        self._facts: dict[bytes, bytes] = {}
        self._head: Head | None = None
        self._is_file = False
        self._n_parts = 0
        self._cpu_s = 0.0
        self._is_whole = False
        self._parser = _parser(boundary, self)

    def add(self, piece: bytes) -> None:
        start = time.thread_time()
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _broken(str(error)) from error
        self._cpu_s += time.thread_time() - start
        if self._cpu_s > _MOST_CPU_S:
            raise BadParameterError("request", "has a multipart form that takes too long to read.")

    def pairs(self) -> list[tuple[str, str]]:
        """The texts; a file is given by its name alone."""
        if not self._is_whole:
            raise _broken("its last boundary is missing")
        return self._pairs

    def on_part_begin(self) -> None:
        self._n_parts += 1
        if self._n_parts > MOST_FIELDS:
            raise BadParameterError("request", f"has more than {MOST_FIELDS} parameters.")
        self._facts, self._head = {}, None

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._facts[self._field.lower()] = self._value
        self._field = self._value = b""

    def on_headers_finished(self) -> None:
        self._head = _head(self._facts)
        self._is_file = self._head.is_file or self._head.name.lower() in self._large
        if self._is_file:
            self._files.begin(self._head)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._head is not None
        take: Callable[[bytes], None] = self._files.add if self._is_file else self._texts.add
        take(data[start:end])

    def on_part_end(self) -> None:
        assert self._head is not None
        if self._is_file:
            self._files.end()
        self._pairs.append((self._head.name, self._texts.taken().decode("utf-8", "replace")))

    def on_end(self) -> None:
        self._is_whole = True


def _parser(boundary: bytes, form: _Multipart) -> MultipartParser:
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": form.on_part_begin,
                "on_header_field": form.on_header_field,
                "on_header_value": form.on_header_value,
                "on_header_end": form.on_header_end,
                "on_headers_finished": form.on_headers_finished,
                "on_part_data": form.on_part_data,
                "on_part_end": form.on_part_end,
                "on_end": form.on_end,
            },
        )
    except FormParserError as error:
        raise _broken(str(error)) from error


def _head(facts: dict[bytes, bytes]) -> Head:
    """Read the header of a part.

    Raises
    ------
    BadParameterError
        It does not say which field it is, or is not sent as it is.
    """
    _, words = parse_options_header(facts.get(b"content-disposition", b""))
    name = words.get(b"name", b"").decode("utf-8", "replace")
    if not name:
        raise _broken("one of its parts has no name")
    if len(name) > _LONGEST_NAME:
        raise _broken(f"one of its parts has a name of more than {_LONGEST_NAME} characters")
    if facts.get(b"content-transfer-encoding", b"binary").strip().lower() not in _PLAIN_ENCODINGS:
        raise _broken("one of its parts is encoded for transfer, which RFC 7578 has no more")
    file_name = words.get(b"filename")
    content_type = facts.get(b"content-type", b"").decode("latin-1")
    return Head(name, None if file_name is None else file_name.decode("utf-8", "replace"), content_type)


def _broken(reason: str) -> BadParameterError:
    return BadParameterError("request", f"has a body that is not the multipart form it claims to be: {reason}.")
