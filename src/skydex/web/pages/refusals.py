"""`mended`: a page whose form says something that cannot be, shown without it, with the error beside its field.

What was written stays in the form, so that it can be put right there; the status is 400 all the same, and programs get
the error alone. An error that is about nothing in the address is the affair of the page of errors.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from markupsafe import Markup

from skydex.errors import BadParameterError, LoginNeededError, RequestError, SkydexError
from skydex.web import dali
from skydex.web.asgi import Call, Reply
from skydex.web.pages.rendering import Facts

__all__ = ["Refusals", "mended"]

_MOST = 12
"""Errors of one form; a page is gathered anew after each."""
_TOGETHER = (("ra", "dec", "radius"), ("period", "epoch"))
"""Parameters that say nothing without each other."""

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Refusals:
    """What was refused of an address."""

    messages: dict[str, str] = field(default_factory=dict)
    """Why, by parameter, as the address spells it."""
    left_out: Pairs = ()
    """What the page was gathered without."""

    def __bool__(self) -> bool:
        return bool(self.messages)

    def written(self, name: str, value: object) -> object:
        """What a field shows: what was written there if it was left out, or else its value."""
        return next((text for one, text in self.left_out if one.lower() == name.lower()), value)

    def beside(self, name: str) -> Markup:
        """What stands behind a field: why it was refused, if it was."""
        found = self._find(name)
        return Markup('<small class="wrong" id="wrong-{}">{}</small>').format(name, found) if found else Markup()

    def mark(self, name: str) -> Markup:
        """Attributes of a field that was refused."""
        marks = Markup(' aria-invalid="true" aria-describedby="wrong-{}"')
        return marks.format(name) if self._find(name) else Markup()

    def of_columns(self, others: Sequence[str]) -> list[tuple[str, str, str, str]]:
        """Constraints that were refused: column, operator, value and why; `others` are no columns."""
        found = []
        for name, text in self.left_out:
            column, _, operator = name.partition(".")
            if name in self.messages and column.lower() not in others:
                found.append((column, operator.lower() or "eq", text, self.messages[name]))
        return found

    def _find(self, name: str) -> str | None:
        return next((why for one, why in self.messages.items() if one.lower() == name.lower()), None)


async def mended(
    call: Call, gather: Callable[[Call], Awaitable[Facts | Reply]], error: SkydexError
) -> tuple[Facts | Reply, Refusals]:
    """Gather a page again without what was refused.

    Parameters
    ----------
    call : Call
        The request; from now on its address says nothing of what was refused.
    gather : callable
        What failed.
    error : SkydexError
        With what.

    Raises
    ------
    SkydexError
        The error, if it is about nothing in the address, or the page fails without it, too.
    """
    pairs, messages, left_out = call.query_pairs(), dict[str, str](), list[tuple[str, str]]()
    trouble = error
    for _ in range(_MOST):
        refused = _refused(trouble, pairs)
        if not refused:
            raise error
        messages[refused[0][0]] = _reason(trouble)
        left_out += refused
        pairs = [pair for pair in pairs if pair not in refused]
        call.go_on_with(pairs)
        try:
            return await gather(call), Refusals(messages, left_out)
        except LoginNeededError:
            raise
        except RequestError as another:
            trouble = another
    raise error


def _refused(error: SkydexError, pairs: Pairs) -> list[tuple[str, str]]:
    """The part of an address that an error is about, and what says nothing without it."""
    name = getattr(error, "name", None)
    if dali.error_status(error) != HTTPStatus.BAD_REQUEST or not isinstance(name, str) or not name:
        return []
    named = [pair for pair in pairs if pair[0].lower() == name.lower()]
    named = named or [pair for pair in pairs if pair[0].partition(".")[0].lower() == name.lower()]
    named = named or [pair for pair in pairs if name in (part.strip() for part in pair[1].split(","))][:1]
    if not named:
        return []
    group = next((group for group in _TOGETHER if named[0][0].lower() in group), ())
    return [*named, *(pair for pair in pairs if pair[0].lower() in group and pair not in named)]


def _reason(error: SkydexError) -> str:
    """Why, without the name of the parameter, which stands beside it."""
    if not isinstance(error, BadParameterError):
        return dali.error_message(error)
    message = dali.error_message(error).removeprefix(f"Parameter {error.name}: ")
    return message[:1].upper() + message[1:]
