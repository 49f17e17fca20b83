"""DALI: what parameters mean, and how errors go out.

DALI 1.1 (IVOA REC 2017-05-17): parameters in the query string or a form (section 2), names without regard to case
(3.1), unknown ones ignored, RESPONSEFORMAT and MAXREC (3.4), errors as VOTable or as text that begins with a word of
the standard (4.2). The one table that gives each class of error its HTTP status and its word stands here; how a form
comes in is the affair of `forms`.
"""

from __future__ import annotations

from skydex.archive import MOST_FIELDS, NUMBER, Parameters, parse_pairs
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
    RemoteChangedError,
    RemoteUnavailableError,
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
    (RemoteUnavailableError, 503, "ServiceUnavailable"),
    (RemoteChangedError, 503, "ServiceUnavailable"),
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

_MOST_MESSAGE = 2000


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
