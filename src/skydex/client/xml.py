"""XML from far away, read without trust: no document type, no entity of its own, no endless depth, nothing fetched.

Names are given without their prefixes: services of one protocol differ in these and in nothing else.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.parsers import expat

from skydex.errors import BadAnswerError

__all__ = ["Element", "child", "children", "text_of", "tree_of"]

Element = ElementTree.Element

_MOST_DEEP = 100


def tree_of(content: bytes, host: str) -> Element:
    """The root of a document.

    Raises
    ------
    BadAnswerError
        It is no XML, or has what an answer does not need.
    """
    reading = _Reading(host)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.builder.data
    try:
        parser.Parse(content.strip(), True)
        return reading.builder.close()
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an encoding that nobody knows
        raise BadAnswerError(host, f"its XML is broken or cut short ({error}).") from error


def children(element: Element, name: str) -> list[Element]:
    """The elements of a name directly inside another, without regard to case."""
    return [inside for inside in element if inside.tag.lower() == name.lower()]


def child(element: Element, name: str) -> Element | None:
    """The first of them, if there is one."""
    found = children(element, name)
    return found[0] if found else None


def text_of(element: Element, name: str) -> str:
    """Text of the first element of a name directly inside another, with single blanks; empty if there is none."""
    found = child(element, name)
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


class _Reading:
    """Takes what expat tells."""

    def __init__(self, host: str) -> None:
        self.host, self.depth = host, 0
        self.builder = ElementTree.TreeBuilder()

    def doctype(self, *_: object) -> None:
        raise BadAnswerError(self.host, "it has a document type declaration (DOCTYPE), which it does not need.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _MOST_DEEP:
            raise BadAnswerError(self.host, f"its elements are nested more than {_MOST_DEEP} deep.")
        self.builder.start(_local(tag), {_local(name): value for name, value in attributes.items()})

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.builder.end(_local(tag))


def _local(name: str) -> str:
    return name.rpartition(":")[2]
