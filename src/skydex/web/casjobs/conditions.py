"""Conditions of GetJobs: which of a user's jobs are meant.

`key : value` joined with semicolons, as in `Status : 5; TimeSubmit : 2024-05-01,`. A value is one (`V`), a span
(`V1,V2`, `V,` or `,V`, both ends counted), or several of these with `|` between. Keys and texts are compared without
regard to case. In a text a comma may also be what it is. Service `edu.jhu.Cas.Services`, operation GetJobs.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from skydex.errors import BadParameterError, near_names
from skydex.web.moments import parsed_moment

__all__ = ["KEYS", "Condition", "Fact", "parse_conditions"]

Fact = int | float | str
"""A number, a moment in Unix seconds, or a text."""
_NAME = "conditions"
_MOST = 100
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_AMERICAN = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y")
"""How .NET writes a moment where nobody says otherwise."""
_DAY_S, _MINUTE_S = 86_400, 60
STATUS_WORDS = ("ready", "started", "canceling", "cancelled", "failed", "finished")
"""What the numbers of statuses mean, from 0."""


@dataclass(frozen=True)
class _Span:
    """From where to where a fact may be; None for no bound."""

    first: Fact | None
    """The least that counts."""
    last: Fact | None
    """The greatest that counts."""

    def holds(self, fact: Fact) -> bool:
        above = self.first is None or fact >= self.first  # type: ignore[operator]
        return above and (self.last is None or fact <= self.last)  # type: ignore[operator]


@dataclass(frozen=True)
class Condition:
    """One condition, of which an alternative must hold."""

    key: str
    """What it is about, one of `KEYS`."""
    spans: tuple[_Span, ...]
    """The alternatives."""

    def holds(self, facts: Mapping[str, Fact | None]) -> bool:
        """Whether it holds of a job; what a job does not have fits nothing."""
        fact = facts.get(self.key)
        if fact is None:
            return False
        compared = fact.lower() if isinstance(fact, str) else fact
        return any(span.holds(compared) for span in self.spans)

    def only(self) -> Fact | None:
        """The one value that counts, if there is but one."""
        span = self.spans[0]
        return span.first if len(self.spans) == 1 and span.first == span.last else None


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Read conditions; none if there is no text.

    Raises
    ------
    BadParameterError
        A key is unknown, or a value not of its kind.

    Examples
    --------
    >>> [condition.key for condition in parse_conditions("jobid : 777;STATUS:4|5")]
    ['JobID', 'Status']
    """
    parts = [part for part in text.split(";") if part.strip()]
    if len(parts) > _MOST:
        raise BadParameterError(_NAME, f"has more than {_MOST} conditions.")
    return tuple(map(_condition, parts))


def _condition(part: str) -> Condition:
    word, colon, values = part.partition(":")
    key = {known.lower(): known for known in KEYS}.get(word.strip().lower())
    if key is None:
        near = near_names(word.strip(), KEYS)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(KEYS)}."
        raise BadParameterError(_NAME, f'has no key "{word.strip()[:80]}". {hint}')
    if not colon:
        raise BadParameterError(_NAME, f'needs a value for {key}, as in "{key} : value".')
    return Condition(key, tuple(_spans(key, values.strip())))


def _spans(key: str, values: str) -> Sequence[_Span]:
    read = KEYS[key]
    if read is _text:
        whole = [_Span(alternative.strip().lower(), alternative.strip().lower()) for alternative in values.split("|")]
        return [*whole, *(_span(read, alternative) for alternative in values.split("|") if "," in alternative)]
    return [_span(read, alternative) for alternative in values.split("|")]


def _span(read: Callable[[str], tuple[Fact, Fact]], alternative: str) -> _Span:
    first, comma, last = (word.strip() for word in alternative.partition(","))
    if not comma:
        return _Span(*read(first))
    return _Span(read(first)[0] if first else None, read(last)[1] if last else None)


def _integer(word: str) -> tuple[Fact, Fact]:
    if not _INTEGER.fullmatch(word):
        raise BadParameterError(_NAME, f'must have a whole number where it says "{word[:80]}".')
    return int(word), int(word)


def _status(word: str) -> tuple[Fact, Fact]:
    return _integer(str(STATUS_WORDS.index(word.lower())) if word.lower() in STATUS_WORDS else word)


def _text(word: str) -> tuple[Fact, Fact]:
    return word.lower(), word.lower()


def _moment(word: str) -> tuple[Fact, Fact]:
    """First and last whole second of a moment, which may be as long as a day."""
    start, length = _american(word)
    if start is None:
        start = parsed_moment(_NAME, word)
        length = _DAY_S if ":" not in word else _MINUTE_S if word.count(":") == 1 else 1
    return int(start // 1), int(start // 1) + length - 1


def _american(word: str) -> tuple[float | None, int]:
    for form in _AMERICAN:
        try:
            moment = datetime.datetime.strptime(word, form).replace(tzinfo=datetime.UTC)
        except ValueError:
            continue
        return moment.timestamp(), 1 if ":" in word else _DAY_S
    return None, 0


KEYS: Mapping[str, Callable[[str], tuple[Fact, Fact]]] = {
    "JobID": _integer,
    "TimeSubmit": _moment,
    "TimeStart": _moment,
    "TimeEnd": _moment,
    "Status": _status,
    "Queue": _integer,
    "TaskName": _text,
    "Error": _text,
    "Query": _text,
    "Context": _text,
    "Type": _text,
    "WSID": _integer,
}
"""What conditions can be about, and how the value of each is read: the least and the greatest that it may mean."""
