"""XML elements as text: children go in as XML, texts and attributes as plain text that is escaped here."""

from __future__ import annotations

from collections.abc import Mapping

from skydex.tables.fields import xml_attribute, xml_text

__all__ = ["document", "element", "optional", "text"]

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def element(tag: str, *children: str, attributes: Mapping[str, str | None] | None = None) -> str:
    """One element; attributes that are `None` are left out."""
    words = "".join(f" {key}={xml_attribute(value)}" for key, value in (attributes or {}).items() if value is not None)
    inner = "".join(children)
    return f"<{tag}{words}>{inner}</{tag}>" if inner else f"<{tag}{words}/>"


def text(tag: str, content: object, attributes: Mapping[str, str | None] | None = None) -> str:
    """One element that holds a text."""
    return element(tag, xml_text(str(content)), attributes=attributes)


def optional(tag: str, content: object | None) -> str:
    """One element that holds a text, or nothing if there is no text."""
    return text(tag, content) if content not in (None, "") else ""


def document(root: str) -> bytes:
    """A whole document."""
    return f"{_HEAD}{root}\n".encode()
