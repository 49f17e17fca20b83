"""The tree of things that can go wrong.

An error is a message to a person: what happened, to what, and what to try. Its facts are attributes; the class writes
the sentence, so that the same facts can become a VOTable INFO, JSON or a line on the terminal. Every error survives
pickling, because queries run in other processes. No HTTP status lives here: `web.dali` maps classes to protocol words.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

__all__ = [
    "AccountsError",
    "AmbiguousColumnError",
    "AnswerTooLargeError",
    "BadAnswerError",
    "BadParameterError",
    "BadQueryError",
    "BadRecipeError",
    "BadRegionError",
    "BadRowsError",
    "BodyTooLargeError",
    "BundleLimitError",
    "BusyError",
    "CutShortError",
    "CutoutTooLargeError",
    "DamagedDataError",
    "EngineError",
    "FetchError",
    "ForgedRequestError",
    "IncompleteError",
    "JobFailedError",
    "JobPhaseError",
    "JobSpaceError",
    "JobsUnavailableError",
    "LedgerError",
    "LimitError",
    "LoginError",
    "LoginNeededError",
    "MemoryLimitError",
    "NameTakenError",
    "NoOverlapError",
    "NoPositionError",
    "NotAllowedError",
    "NotOfferedError",
    "NotYoursError",
    "QuerySyntaxError",
    "QueryTooLargeError",
    "QuotaError",
    "RefusedError",
    "RequestError",
    "ResultTooLongError",
    "ServiceError",
    "SettingsError",
    "SeveralValuesError",
    "SkydexError",
    "SparkUnavailableError",
    "SpillLimitError",
    "StoreError",
    "TableChangedError",
    "TableExistsError",
    "TemporaryTablesError",
    "ThrottledError",
    "TimeLimitError",
    "TooManyJobsError",
    "TooManyKeptJobsError",
    "UnknownBandError",
    "UnknownColumnError",
    "UnknownContextError",
    "UnknownFunctionError",
    "UnknownGroupError",
    "UnknownImageError",
    "UnknownObjectError",
    "UnknownResourceError",
    "UnknownTableError",
    "UnknownUserError",
    "UnreachableError",
    "UnreadableFileError",
    "UnsupportedFormatError",
    "UnwritableFileError",
    "UploadTooLargeError",
    "WorkerError",
    "near_names",
    "one_line",
]


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def near_names(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Names that a mistyped one may have meant, best first, compared without regard to case."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    return [by_lower[hit] for hit in difflib.get_close_matches(name.lower(), by_lower, n=most, cutoff=0.6)]


def one_line(text: str, *, most: int = 200) -> str:
    """Put what somebody said into one line, without what steers a terminal; beyond `most` its end is left out."""
    line = " ".join(_CONTROLS.sub(" ", text[: 100 * most]).split())
    return line if len(line) <= most else f"{line[: most - 2].rstrip()} …"


class SkydexError(Exception):
    """Anything skydex raises on purpose; `str()` of it is fit for a user's eyes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[SkydexError], args: tuple[Any, ...], facts: dict[str, Any]) -> SkydexError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class RequestError(SkydexError):
    """The asker can mend it."""


class LimitError(SkydexError):
    """A limit was reached; the message says which, and how to stay under it."""


class ServiceError(SkydexError):
    """Ours to mend: engine, store or an upstream service."""


class BadParameterError(RequestError):
    """A parameter is missing, unknown or not of the form it must have."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"Parameter {name}: {problem}")


class SeveralValuesError(BadParameterError):
    """A parameter with several values where there can be one only."""

    def __init__(self, name: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(name, f"has several values, and there can be one only. {remedy}")


class Located(RequestError):
    """An error that points at a place in the query text."""

    line: int | None = None
    column: int | None = None
    token: str | None = None

    def __init__(self, sentence: str, *, line: int | None = None, column: int | None = None, token: str | None = None):
        self.sentence, self.line, self.column, self.token = sentence, line, column, token
        where = f" (line {line}, column {column})" if line is not None and column is not None else ""
        super().__init__(f"{sentence}{where}")

    def at(self, place: Mapping[str, Any]) -> Self:
        """The same error, pointing at a place: `line`, `column` and `token`."""
        twin = copy.copy(self)
        Located.__init__(twin, self.sentence, **place)
        return twin


class QuerySyntaxError(Located):
    """The text does not follow the grammar of its language."""


class BadQueryError(Located):
    """The text parses but cannot mean anything: wrong types, a column that is not grouped, and the like."""


class AmbiguousColumnError(Located):
    """A bare column name that several tables of the query have."""

    def __init__(self, name: str, tables: Sequence[str], **place: Any) -> None:
        self.name, self.tables = name, list(tables)
        super().__init__(f'Column "{name}" is in {_listed(tables)}: say which, as in {tables[0]}.{name}.', **place)


class _UnknownName(Located):
    noun = "name"

    def __init__(
        self,
        name: str,
        *,
        where: str = "",
        near: Sequence[str] = (),
        hint: str = "",
        others: Sequence[str] = (),
        **place: Any,
    ) -> None:
        self.name, self.near, self.others = name, list(near), list(others)
        inside = f" in {where}" if where else ""
        meant = f" Did you mean {_listed([quoted(n) for n in near], word='or')}?" if near else ""
        names = " nor ".join(f'"{one}"' for one in (name, *others))
        super().__init__(f"No {self.noun} {names}{inside}.{f' {hint}' if hint else meant}", **place)


class UnknownTableError(_UnknownName):
    """A table that the asker cannot see; "not yours" and "not there" read alike."""

    noun = "table"


class UnknownColumnError(_UnknownName):
    """A column that none of the tables in scope has."""

    noun = "column"


class UnknownContextError(_UnknownName):
    """A context of CasJobs that there is not."""

    noun = "context"


class UnknownFunctionError(_UnknownName):
    """A function outside the published list."""

    noun = "function"


class UnknownObjectError(_UnknownName):
    """A name of an object on the sky that is not known here."""

    noun = "object"


class UnknownImageError(_UnknownName):
    """An image that the asker cannot see; "not yours" and "not there" read alike."""

    noun = "image"


class UnknownBandError(_UnknownName):
    """A band in which a light curve has no point."""

    noun = "band"


class UnknownUserError(_UnknownName):
    """A user that is not there, or not any more."""

    noun = "user"


class UnknownGroupError(_UnknownName):
    """A group of users that is not there."""

    noun = "group"


class NameTakenError(RequestError):
    """A name that somebody or something has, or had: such names are not given again."""

    def __init__(self, what: str, name: str) -> None:
        self.what, self.name = what, name
        super().__init__(f'The name "{name}" cannot be given to a {what}: it is taken. Choose another one.')


class NotOfferedError(RequestError):
    """Something that an archive cannot be asked, though others can."""

    def __init__(self, verb: str, target: str, offered: Sequence[str], *, hint: str = "") -> None:
        self.verb, self.target, self.offered = verb, target, list(offered)
        can = f" It can be asked: {', '.join(offered)}." if offered else ""
        super().__init__(f"{target} has no {verb}.{can}{f' {hint}' if hint else ''}")


class RefusedError(RequestError):
    """Something that a service far away refuses to do; in its own words, as far as it says why."""

    def __init__(self, host: str, reason: str, *, status: int | None = None) -> None:
        self.host, self.reason, self.status = host, one_line(reason), status
        super().__init__(f"{host} refuses: {self.reason}")


class JobFailedError(RequestError):
    """A job far away that ended without a result."""

    def __init__(self, url: str, phase: str, reason: str) -> None:
        self.url, self.phase, self.reason = url, str(phase), one_line(reason)
        super().__init__(f"The job {url} ended in phase {self.phase}: {self.reason or 'the service does not say why.'}")


class LoginError(RequestError):
    """A user name, password or token that is not right; which of them is not said."""

    def __init__(self, sentence: str = "The user name or the password is wrong.") -> None:
        super().__init__(sentence)


class LoginNeededError(LoginError):
    """Something that only users may do, asked by somebody who is not logged in."""

    def __init__(
        self, what: str = "This", *, hint: str = "send a user name and password (HTTP Basic), or a token (Bearer)."
    ) -> None:
        self.what = what
        super().__init__(f"{what} needs a login: {hint}")


class NotAllowedError(RequestError):
    """Something that the asker may not do; the message says who may."""


class ForgedRequestError(RequestError):
    """A change asked in the name of a user by a browser, without proof that the user meant it."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing was changed: the request may come from a page of somebody else. Open the page again and retry; "
            "a program sends its password or a token instead of a cookie, or the page's token as X-CSRF-Token."
        )


class TableExistsError(RequestError):
    """A table of one's own that is to be made, and of whose name there is one already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is already an object named '{name}' in the database.")


class TableChangedError(RequestError):
    """A table of one's own that somebody changed while it was being written anew."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"The table {name} was changed or dropped meanwhile, by another job or query. Run it again.")


class NotYoursError(RequestError):
    """A table that is to be made or changed, and is not one of the asker's own; whether there is one is not said."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f'"{name[:100]}" is no table of your own: only those in mydb can be made, changed or dropped.')


class BadRegionError(RequestError):
    """A region of the sky that cannot be: a polygon of two points, a negative radius."""


class NoPositionError(RequestError):
    """An image that is asked for a place on the sky, though its header does not say where it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f'The image "{name}" has no celestial coordinates: ask for pixels of it.')


class NoOverlapError(RequestError):
    """A region that no pixel of an image lies in."""

    def __init__(self, name: str, distance_arcsec: float | None = None) -> None:
        self.name, self.distance_arcsec = name, distance_arcsec
        far = "" if distance_arcsec is None else f" Its nearest edge is {_angle(distance_arcsec)} away."
        super().__init__(f'The image "{name}" does not reach this place.{far}')


class UnknownResourceError(RequestError):
    """An address at which nothing is published."""

    def __init__(self, what: str, name: str, *, near: Sequence[str] = ()) -> None:
        self.what, self.name, self.near = what, name, list(near)
        meant = f" Did you mean {_listed([quoted(n) for n in near], word='or')}?" if near else ""
        super().__init__(f'No {what} "{name}".{meant}')


class JobPhaseError(RequestError):
    """Something that cannot be done with a job in its present phase."""

    def __init__(self, phase: str, problem: str) -> None:
        self.phase = str(phase)
        super().__init__(f"The job is {self.phase}: {problem}.")


class UnsupportedFormatError(RequestError):
    """A file format or media type that is not offered."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name, self.known = name, list(known)
        super().__init__(f'Format "{name}" is not offered. Offered: {", ".join(known)}.')


class UnreadableFileError(RequestError):
    """An input file that cannot be read as what it claims to be."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, one_line(reason)
        super().__init__(f"Cannot read {file}: {self.reason}")


class UnwritableFileError(RequestError):
    """A file into which rows shall go, and where nothing can be written."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, one_line(reason)
        super().__init__(f"Cannot write {file}: {self.reason}")


class FetchError(RequestError):
    """A file that a request names by its address, and that cannot be had from there."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, one_line(reason)
        super().__init__(
            f"Cannot fetch {one_line(url)}: {self.reason}. Check the address, or send the table along in the request."
        )


class BadRecipeError(RequestError):
    """An ingest recipe or option that does not fit its file."""


class BadRowsError(RequestError):
    """Rows that cannot be true, where the caller asked to refuse them."""


class SettingsError(RequestError):
    """A setting that does not exist or has an impossible value."""


class QueryTooLargeError(LimitError):
    """A query text, list or nesting beyond its limit."""

    def __init__(self, what: str, *, size: int | None = None, limit: int, hint: str = "") -> None:
        self.what, self.size, self.limit = what, size, limit
        has = f" ({size:,})" if size is not None else ""
        super().__init__(f"The query's {what}{has} is over the limit of {limit:,}.{' ' + hint if hint else ''}")


class BodyTooLargeError(LimitError):
    """A request whose parameters are larger than the service reads."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        super().__init__(f"The request is over the limit of {megabytes:,} MB for its parameters.")


class UploadTooLargeError(LimitError):
    """A table that comes along with a request and is larger than the service takes."""

    def __init__(self, what: str, limit: str) -> None:
        self.what, self.limit = what, limit
        super().__init__(f"{what} is over the limit of {limit}. Send it in parts, or only the columns that you need.")


class TimeLimitError(LimitError):
    """A query that ran into its time limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"The query was stopped at its limit of {seconds:g} s. Restrict it (a region, an indexed column, TOP)."
        )


class MemoryLimitError(LimitError):
    """A query that needed more memory than one query may have; how much that is need not be known."""

    def __init__(self, megabytes: int | None) -> None:
        self.megabytes = megabytes
        limit = "memory than" if megabytes is None else f"than the {megabytes:,} MB of memory that"
        super().__init__(f"The query needs more {limit} one query may use. Restrict it, or select fewer columns.")


class TemporaryTablesError(LimitError):
    """A batch whose temporary tables, with what is read to change tables, need more memory than they may."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        super().__init__(
            f"Temporary tables, and tables that are changed in place, may take {megabytes:,} MB in one batch. "
            "Keep fewer rows or columns, or write a table of your own with SELECT ... INTO mydb.t."
        )


class SpillLimitError(LimitError):
    """A query whose intermediate result outgrew its share of disk, or the disk."""

    def __init__(self, megabytes: int | None) -> None:
        self.megabytes = megabytes
        room = "what the disk has left" if megabytes is None else f"the {megabytes:,} MB of disk that one query may use"
        super().__init__(f"The query's intermediate result is over {room}. Restrict the join or the sort.")


class ResultTooLongError(LimitError):
    """A result with more rows than its format can say were cut off."""

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        super().__init__(
            f"The result has more than {n_rows:,} rows, the limit of such an answer. "
            "Put it into a table of your own with SELECT ... INTO mydb.name, and download that."
        )


class CutShortError(LimitError):
    """Rows that were to be kept whole, of which an archive gives a part only."""

    def __init__(self, target: str, n_rows: int) -> None:
        self.target, self.n_rows = target, n_rows
        super().__init__(
            f"{target} gave the first {n_rows:,} rows and has more. Nothing was changed. Choose fewer, such as a "
            "smaller region; or name a limit of rows, and be content with a part."
        )


class AnswerTooLargeError(LimitError):
    """An answer larger than one that is given at once may be."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        super().__init__(
            f"The answer is over the {megabytes:,} MB that a quick job may have. "
            "Put it into a table of your own with SELECT ... INTO mydb.name, and download that."
        )


class BundleLimitError(LimitError):
    """A file that a bundle has no room for."""

    def __init__(self, what: str, megabytes: int) -> None:
        self.what, self.megabytes = what, megabytes
        super().__init__(f"{what} may have {megabytes:,} MB at most: ask for this file apart from the others.")


class CutoutTooLargeError(LimitError):
    """A part of an image that has more pixels than one answer may."""

    def __init__(self, shape: Sequence[int], limit: int) -> None:
        self.shape, self.limit = tuple(shape), limit
        super().__init__(
            f"A cutout of {self.shape[1]:,} x {self.shape[0]:,} pixels is over the limit of {limit:,} pixels. "
            "Ask for a smaller one, or download the whole image."
        )


class BusyError(LimitError):
    """Every worker is taken; the caller should come back."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"The service is busy. Please try again in {retry_after_s} s.")


class ThrottledError(LimitError):
    """Too many wrong passwords, or too many new accounts, of late."""

    def __init__(self, what: str, retry_after_s: int) -> None:
        self.what, self.retry_after_s = what, retry_after_s
        super().__init__(f"There were too many {what} of late. Please try again in {retry_after_s:,} s.")


class TooManyJobsError(LimitError):
    """One asker has as many unfinished jobs as one may have."""

    def __init__(self, limit: int, whose: str, retry_after_s: int) -> None:
        self.limit, self.whose, self.retry_after_s = limit, whose, retry_after_s
        super().__init__(
            f"There are {limit:,} unfinished jobs of this {whose}, which is the limit. "
            f"Wait until some have ended or delete them; try again in {retry_after_s} s."
        )


class TooManyKeptJobsError(LimitError):
    """One asker has as many jobs, with those that have ended, as one may have."""

    def __init__(self, limit: int, whose: str) -> None:
        self.limit, self.whose = limit, whose
        super().__init__(
            f"There are {limit:,} jobs of this {whose}, which is the limit. Delete some of those that have ended."
        )


class JobSpaceError(LimitError):
    """The jobs of one asker, with their uploads and results, take as much room on the disk as they may."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        super().__init__(
            f"Jobs of one address or user may take {megabytes:,} MB, with uploads and results, and this would be more. "
            "Delete some of those that have ended, or ask for fewer rows or columns."
        )


class QuotaError(LimitError):
    """One's own tables take, or would take, more than they may."""

    def __init__(self, what: str, *, limit: str, use: str) -> None:
        self.what, self.limit, self.use = what, limit, use
        super().__init__(f"MyDB is full: the limit is {limit}, in use are {use}. {what} Drop tables, or ask for more.")


class EngineError(ServiceError):
    """The engine failed on a plan that was thought good."""


class SparkUnavailableError(EngineError):
    """Spark that cannot be used; the message says why, and what helps."""

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__(f"{reason} {remedy}")


class StoreError(ServiceError):
    """Stored data that are missing or not as they should be."""


class DamagedDataError(StoreError):
    """A partition whose bytes are not those that were published."""


class RemoteUnavailableError(StoreError):
    """A catalogue far away that does not answer, or not as it should; and what helps, if waiting does not."""

    retry_after_s = 30

    def __init__(self, table: str, reason: str, *, remedy: str = "") -> None:
        self.table, self.reason, self.remedy = table, one_line(reason), remedy or "Try again later."
        super().__init__(
            f"The rows of {table} lie elsewhere and cannot be read at present: {self.reason}. {self.remedy}"
        )


class RemoteChangedError(StoreError):
    """A catalogue far away that was changed while it was read, so that its rows would be of two versions."""

    retry_after_s = 1

    def __init__(self, table: str, partition: str = "") -> None:
        self.table, self.partition = table, partition
        where = f" (partition {partition})" if partition else ""
        super().__init__(
            f"The remote catalogue of {table} changed while it was read{where}. Ask again: it is opened anew."
        )


class LedgerError(ServiceError):
    """The record of jobs cannot be read or written."""


class AccountsError(ServiceError):
    """The record of users cannot be read or written."""


class JobsUnavailableError(ServiceError):
    """A server that runs no jobs at present; the message says why."""

    retry_after_s = 30


class UnreachableError(ServiceError):
    """A service far away that gave no answer, or none that was whole."""

    def __init__(
        self,
        host: str,
        reason: str,
        *,
        hint: str = "Nothing was kept; try again.",
        wait_s: float | None = None,
        was_reached: bool = True,
    ) -> None:
        self.host, self.reason, self.wait_s, self.was_reached = host, one_line(reason), wait_s, was_reached
        super().__init__(f"{host} gave no whole answer: {self.reason}. {hint}")


class BadAnswerError(ServiceError):
    """An answer from far away that is not what its protocol promises, or larger than is taken."""

    def __init__(self, host: str, reason: str) -> None:
        self.host, self.reason = host, one_line(reason)
        end = "" if self.reason.endswith((".", "!", "?", "…")) else "."
        super().__init__(f"The answer of {one_line(host)} cannot be used: {self.reason}{end}")


class IncompleteError(ServiceError):
    """Files that did not come, of several; a second call fetches only these."""

    def __init__(self, missing: Mapping[str, str], n_wanted: int, folder: str) -> None:
        self.missing, self.n_wanted, self.folder = dict(missing), n_wanted, folder
        first, reason = next(iter(self.missing.items()))
        why = f"{first}: {one_line(reason)}"
        if len(missing) < n_wanted:
            said = (
                f"{len(missing):,} of {n_wanted:,} files are missing in {folder}, the first is {why} "
                "The others are there; call again to fetch what is missing."
            )
        elif n_wanted == 1:
            said = f"The file did not come: {why}"
        else:
            said = f"None of {n_wanted:,} files came; the first is {why}"
        super().__init__(said)


class WorkerError(ServiceError):
    """A worker process ended before it answered."""


def _angle(arcsec: float) -> str:
    return f"{arcsec:.4g} arcsec" if arcsec < 3600 else f"{arcsec / 3600:.4g} deg"


def quoted(name: str) -> str:
    """A name in double quotes, as messages show it."""
    return f'"{name}"'


def _listed(names: Sequence[str], *, word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
