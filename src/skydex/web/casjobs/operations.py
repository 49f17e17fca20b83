"""`Operation`: one thing that the service can be asked, with typed parameters and a typed answer.

The same operations answer a GET, a POST and a SOAP request, and the WSDL describes them: this module is what all of
these know of an operation. Names of parameters count without regard to case.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skydex.tables import xml_text
from skydex.web.asgi import Call
from skydex.web.dali import Parameters
from skydex.web.dispatch import Exchange

__all__ = ["Answer", "Kind", "Operation", "Parameter", "integer_answer", "text_answer"]


class Kind(enum.StrEnum):
    """Types of XML Schema that parameters have."""

    LONG = "long"
    INT = "int"
    STRING = "string"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Parameter:
    """One parameter."""

    name: str
    """As the WSDL has it."""
    kind: Kind = Kind.STRING
    """Its type."""


@dataclass(frozen=True)
class Answer:
    """What an operation gives, before it is known how it travels."""

    kind: str = ""
    """Name of the element that holds it where there is no envelope; empty if there is nothing to say."""
    content: str = ""
    """What is in that element, as XML."""
    document: Exchange | None = None
    """The same as a whole document from a worker, in the place of `content`."""
    around: tuple[bytes, bytes] = (b"", b"")
    """What stands before and after the content in that document."""


@dataclass(frozen=True)
class Operation:
    """One operation."""

    name: str
    """As addresses and envelopes have it."""
    parameters: tuple[Parameter, ...]
    """In the order in which an envelope has them."""
    returns: str
    """Type of its answer in the WSDL; empty if there is none."""
    answer: Callable[[Call, Parameters], Awaitable[Answer]]
    """Does it."""
    about: str
    """A line for people."""
    file: str = ""
    """Name of a parameter that may be large."""


def text_answer(content: str) -> Answer:
    """A text."""
    return Answer("string", xml_text(content))


def integer_answer(kind: str, number: int) -> Answer:
    """A number of a kind: `long` or `int`."""
    return Answer(kind, str(number))
