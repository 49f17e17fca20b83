"""Questions to a server: TAP 1.1 sync (IVOA REC 2019-09-27, section 2.1), SCS 1.03 (IVOA REC 2008-02-22), Sesame.

An answer is handed on as it arrives. The server's own words about an error are shown, from a VOTable's QUERY_STATUS
(DALI 1.1, section 4.4) or from the SCS INFO named Error.
"""

from __future__ import annotations

import base64
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

from skydex import __version__
from skydex.errors import BadQueryError, ServiceError, UnknownObjectError

__all__ = ["ask", "is_address", "named_place", "scs_address", "tap_address"]

CHUNK = 1 << 18
WAIT_S = 600.0
"""How long a server may stay silent: the longest that synchronous queries are commonly given."""
_ERROR_HEAD = 1 << 16
_HEADERS = {"User-Agent": f"skydex/{__version__}"}
_PLACE = re.compile(r"^%J ([0-9.]+) ([+-]?[0-9.]+)", re.M)
_MEANT = re.compile(r"Did you mean (.+)\?$", re.M)


def is_address(target: str) -> bool:
    """Whether a target is a server rather than a directory."""
    return target.startswith(("http://", "https://"))


def tap_address(target: str) -> str:
    """Where a server answers queries: a TAP address is taken as it is, any other is asked below `/tap`."""
    base = target.rstrip("/")
    if base.endswith("/sync"):
        return base
    last = urlsplit(base).path.rpartition("/")[2].lower()
    return f"{base}/sync" if "tap" in last else f"{base}/tap/sync"


def scs_address(target: str, table: str) -> str:
    """Where a skydex server answers cone searches in a table."""
    base = target.rstrip("/").removesuffix("/tap")
    schema, _, name = table.rpartition(".")
    return f"{base}/{schema}/scs/{name}"


def named_place(target: str, name: str) -> tuple[float, float]:
    """Where an object is, as the server's Sesame says; degrees, ICRS.

    Raises
    ------
    UnknownObjectError
        The server does not know the name.
    """
    base = re.sub(r"/(tap|tap/sync)$", "", target.rstrip("/"))
    address = f"{base}/cgi-bin/nph-sesame/SNV?{quote(name, safe='')}"
    text = b"".join(_answered(urllib.request.Request(address, headers=_HEADERS))).decode("utf-8", "replace")
    found = _PLACE.search(text)
    if found is None:
        near = _MEANT.search(text)
        raise UnknownObjectError(name, near=near[1].split(" or ") if near else [])
    return float(found[1]), float(found[2])


def ask(address: str, parameters: Mapping[str, object], login: tuple[str, str] | None = None) -> Iterator[bytes]:
    """Post parameters, and yield the answer as it arrives.

    Parameters
    ----------
    address : str
        Where to.
    parameters : mapping
        What is asked; those that are None are left out.
    login : tuple of str, optional
        User name and password, which go to this server and to none to which it may lead on.

    Raises
    ------
    BadQueryError
        The server refused the request; its own words.
    ServiceError
        There was no answer, or it broke off.
    """
    given = {key: value for key, value in parameters.items() if value is not None}
    request = urllib.request.Request(address, urlencode(given).encode(), _HEADERS)
    if login is not None:
        words = base64.b64encode(":".join(login).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {words}")
    return _answered(request)


def _answered(request: urllib.request.Request) -> Iterator[bytes]:
    host = urlsplit(request.full_url).netloc
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            yield from _chunks(answer)
    except urllib.error.HTTPError as error:
        raise _refusal(error.read(_ERROR_HEAD), f"{host} answered with status {error.code}.") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        raise ServiceError(f"{host} gave no whole answer: {reason}. Nothing was kept; try again.") from error


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    head = answer.read(CHUNK)
    if len(head) < CHUNK and (message := _error_message(head)):  # SCS refuses with status 200
        raise BadQueryError(message)
    yield head
    while chunk := answer.read(CHUNK):
        yield chunk


def _refusal(content: bytes, otherwise: str) -> BadQueryError:
    return BadQueryError(_error_message(content) or otherwise)


def _error_message(content: bytes) -> str | None:
    """What a short VOTable says went wrong, if it is one and something did."""
    if b"<VOTABLE" not in content[:2000]:
        return None
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return None
    for element in root.iter():
        facts = (element.get("name", "").lower(), element.get("value", ""))
        if facts[0] == "query_status" and facts[1].upper() == "ERROR":
            return " ".join((element.text or "").split()) or "The server refused the query and did not say why."
        if facts[0] == "error":
            return facts[1]
    return None
