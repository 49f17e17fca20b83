"""DALI: what parameters mean, and how errors go out.

DALI 1.1 (IVOA REC 2017-05-17): parameters in the query string or a form (section 2), names without regard to case
(3.1), unknown ones ignored, RESPONSEFORMAT and MAXREC (3.4), errors as VOTable or as text that begins with a word of
the standard (4.2). The one table that gives each class of error its HTTP status and its word stands here; how a form
comes in is the affair of `forms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl

from skydex.errors import (
    AccountsError,
    BadParameterError,
    BodyTooLargeError,
    BusyError,
    CutoutTooLargeError,
    ForgedRequestError,
    JobPhaseError,
    JobSpaceError,
    JobsUnavailableError,
    LimitError,
    LoginError,
    NoOverlapError,
    NotAllowedError,
    NotYoursError,
    QuotaError,
    RequestError,
    ServiceError,
    SeveralValuesError,
    SkydexError,
    TableExistsError,
    ThrottledError,
    TooManyJobsError,
    TooManyKeptJobsError,
    UnknownImageError,
    UnknownResourceError,
    UploadTooLargeError,
)
from skydex.settings import Settings

__all__ = [
    "CHALLENGES",
    "MOST_FIELDS",
    "NUMBER",
    "Parameters",
    "error_headers",
    "error_message",
    "error_status",
    "error_text",
    "parse_pairs",
    "row_limit",
]

VOTABLE_TYPE = "application/x-votable+xml"
"""Media type of a VOTable (VOTable 1.4, section 8)."""
TEXT_TYPE = "text/plain; charset=utf-8"
MOST_FIELDS = 1000
"""Parameters of one request."""

_STATUS: tuple[tuple[type[SkydexError], int, str], ...] = (
    (BodyTooLargeError, 413, "UsageError"),
    (UploadTooLargeError, 413, "UsageError"),
    (CutoutTooLargeError, 413, "UsageError"),
    (LoginError, 401, "AuthenticationError"),
    (ForgedRequestError, 403, "AuthorizationError"),
    (NotAllowedError, 403, "AuthorizationError"),
    (NotYoursError, 403, "AuthorizationError"),
    (ThrottledError, 429, "AuthenticationError"),
    (TooManyJobsError, 429, "UsageError"),
    (TooManyKeptJobsError, 429, "UsageError"),
    (JobSpaceError, 429, "UsageError"),
    (BusyError, 503, "ServiceUnavailable"),
    (JobsUnavailableError, 503, "ServiceUnavailable"),
    (AccountsError, 503, "ServiceUnavailable"),
    (JobPhaseError, 403, "UsageError"),
    (TableExistsError, 409, "UsageError"),
    (QuotaError, 413, "UsageError"),
    (UnknownImageError, 404, "NotFoundError"),
    (NoOverlapError, 404, "NotFoundError"),
    (UnknownResourceError, 404, "NotFoundError"),
    (SeveralValuesError, 400, "MultiValuedParamNotSupported"),
    (RequestError, 400, "UsageError"),
    (LimitError, 400, "UsageError"),
    (ServiceError, 500, "Error"),
)
"""HTTP status and DALI word of each class of error; the first that fits counts."""
CHALLENGES = (
    (b"www-authenticate", b'Basic realm="skydex", charset="UTF-8"'),
    (b"www-authenticate", b'Bearer realm="skydex"'),
)
"""How one may log in (RFC 7617, RFC 6750)."""

NUMBER = re.compile(r"[+-]?([0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})([eE][+-]?[0-9]{1,4})?", re.ASCII)
"""A number as parameters have it; of the largest ones the value is infinite."""

_MOST_MESSAGE = 2000
_INTEGER = re.compile(r"[+-]?[0-9]{1,300}", re.ASCII)


class Parameters:
    """What a request asks, by name without regard to case; a name may have several values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), []).append(value)

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Every name, in upper case, with each of its values."""
        return ((name, value) for name, values in self._values.items() for value in values)

    def values(self, name: str) -> Sequence[str]:
        """Every value of a parameter, in the order given."""
        return self._values.get(name.upper(), [])

    def find(self, name: str, *aliases: str) -> str | None:
        """The one value of a parameter, under its name or else under an alias; an empty value counts as none.

        Raises
        ------
        BadParameterError
            It is given several times with different values.
        """
        for key in (name, *aliases):
            given = set(self.values(key)) - {""}
            if len(given) > 1:
                raise BadParameterError(key, "is given more than once.")
            if given:
                return given.pop()
        return None

    def find_integer(self, name: str) -> int | None:
        """The one value of a parameter, as an integer."""
        text = self.find(name)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text.strip()):
            raise BadParameterError(name, f'must be a whole number, not "{_short(text)}".')
        return int(text)

    def get_number(self, name: str, *, least: float, most: float) -> float:
        """The one value of a parameter that must be there, as a number between two bounds.

        Raises
        ------
        BadParameterError
            It is missing, or not a number, or out of bounds.
        """
        text = self.find(name)
        if text is None:
            raise BadParameterError(name, f"is missing: it is a number from {least:g} to {most:g}.")
        value = float(text) if NUMBER.fullmatch(text.strip()) else None
        if value is None or not least <= value <= most:
            raise BadParameterError(name, f'must be a number from {least:g} to {most:g}, not "{_short(text)}".')
        return value


def parse_pairs(text: bytes, *, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """Names and values in a query string or an urlencoded form.

    Raises
    ------
    BadParameterError
        There are too many.
    """
    try:
        return parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        raise BadParameterError("request", f"has more than {most} parameters.") from error


def row_limit(parameters: Parameters, settings: Settings) -> int:
    """The number of rows that MAXREC asks for, within what the service gives (DALI 1.1, section 3.4.4)."""
    asked = parameters.find_integer("MAXREC")
    if asked is None:
        return settings.max_rows_default
    if asked < 0:
        raise BadParameterError("MAXREC", "must not be negative.")
    return min(asked, settings.max_rows_hard)


def error_status(error: SkydexError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def error_headers(error: SkydexError) -> tuple[tuple[bytes, bytes], ...]:
    """HTTP headers that belong to an error."""
    if isinstance(error, LoginError):
        return CHALLENGES
    seconds = getattr(error, "retry_after_s", None)
    return () if seconds is None else ((b"retry-after", b"%d" % seconds),)


def error_text(error: SkydexError) -> bytes:
    """An error as text, with the standard's word in front (DALI 1.1, section 4.2)."""
    word = next((word for kind, _, word in _STATUS if isinstance(error, kind)), "Error")
    return f"{word}: {error_message(error)}\n".encode()


def error_message(error: SkydexError) -> str:
    """An error as one text of moderate length."""
    return _short(str(error), _MOST_MESSAGE).encode("utf-8", "replace").decode()


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
