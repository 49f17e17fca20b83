"""`KeptAnswers`: answers that need not be worked out again, and what names them.

An answer is named by what it depends on: the version of skydex, what the operator offers, the tables that it is made of
as they are published at the moment (`Archive.basis`), the request and the format; so a publication makes the names of
those answers new that read the table, and every process gives the same ones. Answers to somebody who is logged in, to
uploads, of catalogues that are mounted and may change where they lie, and to queries that draw lots or look at the
clock have no name, and are kept by nobody.

Documents that are written in this process are named by what they hold, and are compressed once.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from skydex import __version__
from skydex.archive import Archive, LinksRequest, PictureRequest, QueryRequest
from skydex.web.encodings import LEAST_BYTES, LEAST_TIME, whole_encoded

__all__ = ["Documents", "KeptAnswer", "KeptAnswers", "basis", "is_worth"]

_CHANGING = re.compile(r"\b(RAND|RANDOM|NEWID|UUID|NOW|GETDATE|GETUTCDATE|SYSDATE\w*|CURRENT_\w+)\b", re.IGNORECASE)
"""Words of functions that give something else each time; in a text or a name they do no harm but that to its speed."""
_SHARE = 16
"""One answer may take one part in so many."""
_OVERHEAD = 500
_MOST_DOCUMENTS = 64
_LARGEST_DOCUMENT = 4 << 20


@dataclass(frozen=True)
class KeptAnswer:
    """An answer with all that is told of it."""

    media_type: str
    """Value of Content-Type."""
    headers: tuple[tuple[bytes, bytes], ...]
    """Further headers."""
    body: bytes
    """The bytes."""


class KeptAnswers:
    """The answers that were asked for last, in memory.

    Parameters
    ----------
    n_bytes : int
        How much memory they may take; 0 keeps none.
    seed : str
        What they depend on as long as this server runs.
    """

    def __init__(self, n_bytes: int = 0, seed: str = "") -> None:
        self._left, self._most = n_bytes, n_bytes // _SHARE
        self._seed = f"{__version__} {seed}"
        self._answers: OrderedDict[bytes, KeptAnswer] = OrderedDict()

    @property
    def most_bytes(self) -> int:
        """How large one answer may be."""
        return self._most

    def tag(self, basis: str, order: object, encoding: str) -> bytes:
        """The name of an answer: a weak validator (RFC 9110, section 8.8.1), since rows may come in another order."""
        digest = hashlib.sha256(repr((self._seed, basis, order, encoding)).encode("utf-8", "replace"))
        return b'W/"%s"' % digest.hexdigest()[:32].encode()

    def find(self, tag: bytes) -> KeptAnswer | None:
        """The answer of that name, if it is here."""
        answer = self._answers.get(tag)
        if answer is not None:
            self._answers.move_to_end(tag)
        return answer

    def keep(self, tag: bytes, answer: KeptAnswer) -> None:
        """Keep an answer, and forget those that nobody has asked for the longest."""
        if len(answer.body) > self._most or tag in self._answers:
            return
        self._answers[tag] = answer
        self._left -= _size(answer)
        while self._left < 0:
            self._left += _size(self._answers.popitem(last=False)[1])


class Documents:
    """Documents that were sent last, each with its name and in the codings that were asked for.

    Parameters
    ----------
    level : int
        How much they are compressed.
    """

    def __init__(self, level: int = LEAST_TIME) -> None:
        self._level = level
        self._encoded: OrderedDict[tuple[bytes, str], bytes] = OrderedDict()

    def tag(self, body: bytes, encoding: str) -> bytes:
        """The name of a document in a coding."""
        return b'"%s%s"' % (
            hashlib.sha256(body).hexdigest()[:32].encode(),
            b"-" + encoding.encode() if encoding else b"",
        )

    def encoded(self, body: bytes, tag: bytes, encoding: str) -> bytes:
        """A document in a coding."""
        key = tag, encoding
        found = self._encoded.get(key)
        if found is None:
            found = whole_encoded(body, encoding, self._level)
            if len(found) > _LARGEST_DOCUMENT:
                return found
            self._encoded[key] = found
            if len(self._encoded) > _MOST_DOCUMENTS:
                self._encoded.popitem(last=False)
        self._encoded.move_to_end(key)
        return found


def basis(order: Any, archive: Archive) -> str | None:
    """Names what an answer rests on; `None` if the same question may have another answer the next moment."""
    if isinstance(order, LinksRequest):
        return archive.revision if order.owner is None and archive.is_settled else None
    if isinstance(order, PictureRequest):
        return archive.basis(order)
    request, _ = order
    if request.owner is not None or request.uploads:
        return None
    if isinstance(request, QueryRequest) and (
        not request.language.startswith("ADQL") or _CHANGING.search(request.text)
    ):
        return None
    return archive.basis(request)


def is_worth(body: bytes) -> bool:
    """Whether a document is long enough to be encoded."""
    return len(body) >= LEAST_BYTES


def _size(answer: KeptAnswer) -> int:
    return len(answer.body) + _OVERHEAD
