"""Forwarding: a Sesame elsewhere is asked for names that nobody knows here, if the operator wants that.

Nothing leaves the server but the name, to the one address of the settings, under the rules of every fetch (`fetch`,
reliability R16): public machines only, a limit of time, nothing of ours in the request. Answers are kept, so that each
name is asked for once in a while; a resolver that fails is no resolver, and its failure is not kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

from skydex.errors import FetchError, one_line
from skydex.names import NamedObject, NameMemory
from skydex.web.fetch import Fetcher

__all__ = ["Forwarder"]

_ASKED = "-oI/A"
"""All names of an object, from every database."""
_LONGEST_NAME = 100
_MOST_BYTES = 1 << 18
_MOST_AT_ONCE = 4
"""Questions on their way together, so that nobody can make the server a burden to the other."""
_MOST_ALIASES = 200
_AUTHORITIES = {"S": "SIMBAD", "N": "NED", "V": "VIZIER"}
_BEGIN = re.compile(r"^#=(\w)", re.M)
_PLACE = re.compile(r"^%J\s+([0-9.]{1,30})\s+([+-]?[0-9.]{1,30})(?=\s|$)", re.M)
_NAME = re.compile(r"^%I\.0\s+(.+)$", re.M)
_ALIAS = re.compile(r"^%I\s+(.+)$", re.M)
_TYPE = re.compile(r"^%C\.0\s+(.+)$", re.M)

_log = logging.getLogger(__name__)


class Forwarder:
    """Asks another Sesame.

    Parameters
    ----------
    address : str
        Where it answers, as in `https://cds.unistra.fr/cgi-bin/nph-sesame`.
    fetcher : Fetcher
        Goes there.
    memory : NameMemory
        Keeps the answers.
    """

    def __init__(self, address: str, fetcher: Fetcher, memory: NameMemory) -> None:
        self._address, self._fetcher, self._memory = address.rstrip("/"), fetcher, memory
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self._asking: dict[str, asyncio.Task[tuple[NamedObject, ...]]] = {}

    async def find(self, name: str) -> tuple[NamedObject, ...]:
        """What the other knows of a name, now or when it was last asked; nothing if it does not answer in time."""
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            return ()
        kept = await asyncio.to_thread(self._memory.find, name)
        if kept is not None:
            return kept
        asking = self._asking.get(name)
        if asking is None:
            asking = self._asking[name] = asyncio.create_task(self._ask(name))
            asking.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(asking)  # others may wait for the same answer

    async def _ask(self, name: str) -> tuple[NamedObject, ...]:
        try:
            async with asyncio.timeout(self._fetcher.time_s), self._slots:
                text = await self._fetched(f"{self._address}/{_ASKED}?{quote(name, safe='')}")
        except (FetchError, TimeoutError) as error:
            _log.warning("A name could not be asked for elsewhere: %s", error or "no answer in time")
            return ()
        objects = tuple(_objects(text))
        await asyncio.to_thread(self._memory.keep, name, objects)
        return objects

    async def _fetched(self, url: str) -> str:
        content = b""
        async with self._fetcher.open(url) as answer:
            async for piece in answer.pieces:
                content += piece
                if len(content) > _MOST_BYTES:
                    raise FetchError(self._address, "its answer is too long")
        return content.decode("utf-8", "replace")


def _objects(text: str) -> Iterator[NamedObject]:
    """The answers of the databases, as far as they have positions on the sky."""
    _, *parts = _BEGIN.split(text)
    for letter, part in zip(parts[::2], parts[1::2], strict=True):
        place = _place(part)
        if place is not None and letter in _AUTHORITIES:
            name, kind = _first(_NAME, part), _first(_TYPE, part)
            aliases = tuple(one_line(found[1]) for found in [*_ALIAS.finditer(part)][:_MOST_ALIASES])
            yield NamedObject(name, *place, "Sesame", _AUTHORITIES[letter], kind, (name, *aliases))


def _place(part: str) -> tuple[float, float] | None:
    found = _PLACE.search(part)
    try:
        ra, dec = (float(number) for number in found.groups()) if found else (-1.0, 0.0)
    except ValueError:
        return None
    return (ra, dec) if 0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0 else None


def _first(pattern: re.Pattern[str], part: str) -> str:
    found = pattern.search(part)
    return one_line(found[1]) if found else ""
