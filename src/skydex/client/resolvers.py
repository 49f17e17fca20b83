"""Resolvers of names, asked: `Mast.Name.Lookup` of MAST's invoke, and Sesame of the CDS.

They are asked in the order in which a preset has them, until one knows the name; one that cannot be reached is passed
over, as long as another answers. The place that is found says who knew it, since two resolvers may give two places, and
what a search finds depends on it. MAST API: https://mast.stsci.edu/api/v0/_services.html; Sesame:
https://vizier.cds.unistra.fr/doc/sesame.htx.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from skydex.client.http import Web, host_of
from skydex.client.orders import NamedPlace
from skydex.client.presets import Preset
from skydex.errors import BadAnswerError, RefusedError, ServiceError, UnknownObjectError

__all__ = ["Resolvers", "preferred_authorities"]

_MOST_BYTES = 1 << 20
_PLACE, _SPEAKER, _NAME = "%J", "#=", "%I.0"
"""How the lines of Sesame begin that tell a place, who speaks from here on, and what the object is called there."""
_NEAR_BEGINS, _NEAR = "#!", "Did you mean "
_MOST_NEAR = 5

Found = NamedPlace | list[str]
"""Where an object is; or names that look like one that is not known."""


class Resolvers:
    """The resolvers of an archive.

    Parameters
    ----------
    preset : Preset
        Their addresses, `lookup` and `sesame`.
    web : Web
        How they are asked.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._web = web
        self._resolvers = [(_KINDS[kind], url) for kind, url in preset.services.items() if kind in _KINDS]

    def place(self, name: str) -> NamedPlace:
        """Where an object is, as the first resolver says that knows it.

        Raises
        ------
        UnknownObjectError
            None of those that answered knows it.
        UnreachableError, BadAnswerError, RefusedError
            None gave an answer.
        """
        problem: Exception | None = None
        n_answers, near = 0, list[str]()
        for ask, url in self._resolvers:
            try:
                found = ask(self._web, url, name)
            except (ServiceError, RefusedError) as error:
                problem = problem or error
                continue
            if isinstance(found, NamedPlace):
                return found
            n_answers, near = n_answers + 1, near or found
        if problem is not None and not n_answers:
            raise problem
        raise UnknownObjectError(name[:80], near=near)


def preferred_authorities(preset: Preset) -> tuple[str, ...]:
    """Whose positions the resolvers of an archive prefer, the best first."""
    return next((_AUTHORITIES[kind] for kind in preset.services if kind in _AUTHORITIES), ())


def _looked_up(web: Web, url: str, name: str) -> Found:
    """Ask MAST."""
    request = {"service": "Mast.Name.Lookup", "params": {"input": name, "format": "json"}}
    content = web.post(url, {"request": json.dumps(request)}, max_bytes=_MOST_BYTES)
    try:
        entries = json.loads(content).get("resolvedCoordinate") or []
        return _entry(entries[0], name) if entries else []
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        raise BadAnswerError(host_of(url), "it is no list of places.") from error


def _entry(entry: Mapping[str, Any], name: str) -> NamedPlace:
    known, resolver = entry.get("canonicalName") or name, entry.get("resolver")
    ra_deg, dec_deg = _checked(float(entry["ra"]), float(entry["decl"]))
    return NamedPlace(ra_deg, dec_deg, str(known), f"MAST ({resolver})" if resolver else "MAST")


def _of_sesame(web: Web, url: str, name: str) -> Found:
    """Ask Sesame: SIMBAD, then NED, then VizieR."""
    text = web.get(f"{url.rstrip('/')}/-oI/SNV?{quote(name)}", max_bytes=_MOST_BYTES).decode("utf-8", "replace")
    speaker, known = "", name
    for line in text.splitlines():
        if line.startswith(_SPEAKER):
            speaker = line.partition(":")[0].rpartition("=")[2].partition("(")[0].strip()
        elif line.startswith(_NAME):
            known = line.removeprefix(_NAME).strip() or known
        elif line.startswith(_PLACE + " "):
            return _spoken(line, known, f"Sesame ({speaker})" if speaker else "Sesame", host_of(url))
    return _near(text)


def _near(text: str) -> list[str]:
    """Names that a service, as that of skydex does, offers in place of one that it does not know."""
    for line in text.splitlines():
        _, is_offer, offered = line.partition(_NEAR)
        if is_offer and line.startswith(_NEAR_BEGINS):
            return [name[:80] for name in offered.strip().removesuffix("?").split(" or ", _MOST_NEAR)][:_MOST_NEAR]
    return []


def _spoken(line: str, known: str, resolver: str, host: str) -> NamedPlace:
    """The place in a line of Sesame."""
    try:
        ra_deg, dec_deg = _checked(*map(float, line.split()[1:3]))
    except (ValueError, TypeError) as error:
        raise BadAnswerError(host, "it gives a place that is none.") from error
    return NamedPlace(ra_deg, dec_deg, known, resolver)


def _checked(ra_deg: float, dec_deg: float) -> tuple[float, float]:
    """A place on the sky."""
    if not (math.isfinite(ra_deg) and 0.0 <= ra_deg <= 360.0 and -90.0 <= dec_deg <= 90.0):
        raise ValueError("no place on the sky")
    return ra_deg, dec_deg


_KINDS: Mapping[str, Callable[[Web, str, str], Found]] = {"lookup": _looked_up, "sesame": _of_sesame}
"""How each kind is asked, by what presets call it."""
_AUTHORITIES: Mapping[str, tuple[str, ...]] = {"lookup": ("NED", "SIMBAD"), "sesame": ("SIMBAD", "NED", "VIZIER")}
"""Whom each kind asks, in its order."""
