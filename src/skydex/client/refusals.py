"""What a service says when it says no: its own words, out of whatever it wraps them in.

VOTables with QUERY_STATUS (DALI 1.1, section 4.4) or an INFO or PARAM named Error (SCS 1.03, section 2.3), errors of
VOSI and SOAP, the JSON of REST services, a text in an XML element as CasJobs writes it, pages for browsers, plain text.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from skydex.client.xml import Element, tree_of
from skydex.errors import BadAnswerError

__all__ = ["words_of"]

_KEYS = ("msg", "message", "error_message", "errormessage", "detail", "error", "errors", "title", "reason")
"""Where JSON has its words, the likeliest first."""
_TELLING = ("message", "faultstring", "text", "string", "error", "info")
"""Elements in which XML has them, the likeliest first."""
_BARE_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[<>]*>")
"""A document type that declares nothing here, as the VOTables of old services have it."""
_UNSAID = "The service does not say why."
_MOST_CHARACTERS = 2000
_MOST_READ = 1 << 14
"""Characters in which a page, or text between brackets, is searched for words: a search takes their square."""
_TAGS = re.compile(r"<[^<>]*>")


def words_of(content: bytes, media_type: str = "") -> str:
    """Find the words in a refusal; empty if there are none.

    Parameters
    ----------
    content : bytes
        Its body, or the beginning of it.
    media_type : str, optional
        What it claims to be; what it is counts more.
    """
    text = content.decode("utf-8", "replace").strip()
    if not text:
        return ""
    start = text[:200].lower()
    if start.startswith(("<!doctype html", "<html")) or "html" in media_type:
        return _of_page(text)
    if start.startswith("<"):
        return _of_xml(content)
    if start.startswith(("{", "[", '"')):
        return _of_json(text)
    return _short(text)


def _of_page(page: str) -> str:
    text = page[:_MOST_READ]
    body = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", " ", text)
    heading = re.search(r"(?is)<h1\b[^>]*>(.*?)</h1>", body) or re.search(r"(?is)<title\b[^>]*>(.*?)</title>", text)
    return _bare(heading[1] if heading else body)


def _bare(text: str) -> str:
    """What stands between tags."""
    return _short(html.unescape(_TAGS.sub(" ", text[:_MOST_READ])))


def _of_xml(content: bytes) -> str:
    try:
        root = tree_of(_BARE_DOCTYPE.sub(b"", content), "")
    except BadAnswerError:
        return _bare(content.decode("utf-8", "replace"))
    if root.tag.upper() == "VOTABLE":
        return _of_votable(root)
    told = {element.tag.lower(): words for element in root.iter() if (words := _short("".join(element.itertext())))}
    return next((told[name] for name in _TELLING if name in told), _short("".join(root.itertext())))


def _of_votable(root: Element) -> str:
    for element in root.iter():
        name, value = element.get("name", "").lower(), element.get("value", "")
        if name == "query_status" and value.upper() == "ERROR":
            return _short("".join(element.itertext())) or _UNSAID
        if name == "error" or element.get("ID", "").lower() == "error":
            return _short(value or "".join(element.itertext())) or _UNSAID
    return ""


def _of_json(text: str) -> str:
    try:
        return _short(_said(json.loads(text)))
    except (ValueError, RecursionError):
        return _short(text)


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_said, value[:5])))
    if not isinstance(value, dict):
        return ""
    by_name = {str(key).lower(): inside for key, inside in value.items()}
    return next((words for key in _KEYS if key in by_name and (words := _said(by_name[key]))), "")


def _short(text: str) -> str:
    return " ".join(text.split())[:_MOST_CHARACTERS]
