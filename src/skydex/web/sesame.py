"""Sesame: positions of named objects, as astropy's `SkyCoord.from_name` and many others ask for them.

The name resolver of the CDS as its users know it (https://vizier.cds.unistra.fr/doc/sesame.htx); there is no standard.
`/nph-sesame/{options}/{resolvers}?{name}`: the name is the bare query string, several are joined by `&`. Resolvers are
`S` SIMBAD, `N` NED, `V` VizieR, asked in this order until one answers, or `A` all of them; `~` (no cache) is accepted.
Options are `-oI` with all names, `-ox` as XML, `-oxp` the same as plain text. What nobody knows is an answer too, with
status 200. Positions come from the archive, and an answer says from which list or table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from starlette.routing import BaseRoute, Route

from skydex.errors import BadParameterError, one_line
from skydex.names import NamedObject
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dali import TEXT_TYPE
from skydex.web.naming import Found, look_up
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.vosi import XML_TYPE
from skydex.web.xml import document, element, optional, text

__all__ = ["SERVICE"]

BASES = ("/cgi-bin/nph-sesame", "/viz-bin/nph-sesame")
"""Where it answers at the CDS, and at its mirror."""

_RESOLVERS = {"S": ("SIMBAD", "Simbad"), "N": ("NED", "NED"), "V": ("VIZIER", "VizieR")}
"""By letter: the authority, and its name in an answer."""
_MOST_NAMES = 100
_NOTHING = "*** Nothing found ***"


@dataclass(frozen=True)
class _Options:
    """What the path of a request asks for."""

    resolvers: str = "SNV"
    """Letters, in the order in which they are asked."""
    with_all: bool = False
    """Whether all of them answer, not only the first that can."""
    as_xml: bool = False
    """Whether the answer is XML."""
    as_plain_text: bool = False
    """Whether XML is sent as plain text."""
    with_names: bool = False
    """Whether all names of an object are told."""


async def resolve(call: Call) -> Reply:
    """Answer a request for one or more names."""
    options = _parse_options(call.part("options") or "")
    names = _parse_names(call.scope["query_string"])
    answers = [_chosen(group, options) for group in await _found(call, names)]
    if options.as_xml:
        return Reply(_xml(answers, options), TEXT_TYPE if options.as_plain_text else XML_TYPE)
    return Reply("".join(f"{line}\n" for line in _lines(answers, options)).encode(), TEXT_TYPE)


@dataclass(frozen=True)
class _Answer:
    """A name, and who answers what."""

    found: Found
    objects: tuple[tuple[str, NamedObject], ...]
    """Letter of a resolver, and its object."""


def _parse_options(path: str) -> _Options:
    flags = resolvers = ""
    for part in filter(None, path.split("/")):
        if part.startswith("-o"):
            flags += part[2:]
        elif not part.startswith("-"):
            resolvers += part.upper().replace("~", "")
    letters = "".join(dict.fromkeys(letter for letter in resolvers if letter in _RESOLVERS))
    if set(resolvers) - {*_RESOLVERS, "A"}:
        raise BadParameterError("resolvers", "must be some of the letters S (SIMBAD), N (NED), V (VizieR) and A (all).")
    return _Options(letters or "SNV", "A" in resolvers, "x" in flags, "p" in flags, "I" in flags)


def _parse_names(query_string: bytes) -> list[str]:
    names = [name for name in query_string.decode("latin-1").split("&") if name]
    if not names:
        raise BadParameterError("name", "is missing: it follows the question mark, as in /SNV?M31.")
    if len(names) > _MOST_NAMES:
        raise BadParameterError("name", f"is given more than {_MOST_NAMES} times.")
    return names


async def _found(call: Call, names: list[str]) -> list[Found]:
    """Each name with its plus signs as blanks, or as they are if nobody knows it so."""
    readings = [unquote_plus(name) for name in names]
    literal = {name: unquote(name) for name in names if "+" in name}
    found = await look_up(call, [*readings, *literal.values()])
    otherwise = dict(zip(literal, found[len(names) :], strict=True))
    return [
        one if one.objects or name not in otherwise else otherwise[name]
        for name, one in zip(names, found[: len(names)], strict=True)
    ]


def _chosen(found: Found, options: _Options) -> _Answer:
    answers = ((letter, found.by(_RESOLVERS[letter][0])) for letter in options.resolvers)
    objects = tuple((letter, known) for letter, known in answers if known)
    return _Answer(found, objects if options.with_all else objects[:1])


def _lines(answers: Iterable[_Answer], options: _Options) -> Iterator[str]:
    for answer in answers:
        yield f"# {_comment(answer.found.text)}"
        for letter, known in answer.objects:
            yield f"#={_speaker(letter, known)}:    1"
            yield f"%I.0 {_comment(known.name)}"
            if known.object_type:
                yield f"%C.0 {_comment(known.object_type)}"
            yield f"%J {known.ra_deg:.8f} {known.dec_deg:+.8f} = {_sexagesimal(known)}"
            if options.with_names:
                yield from (f"%I {_comment(name)}" for name in known.aliases)
        if not answer.objects:
            yield f"#! {_NOTHING}{_meant(answer.found)}"
    yield f"#====Done ({dt.datetime.now(dt.UTC):%Y-%b-%d,%H:%M:%Sz})===="


def _xml(answers: Iterable[_Answer], options: _Options) -> bytes:
    return document(element("Sesame", *(_target(answer, options) for answer in answers)))


def _target(answer: _Answer, options: _Options) -> str:
    resolvers = [_resolver(letter, known, options) for letter, known in answer.objects]
    nothing = text("INFO", f"{_NOTHING}{_meant(answer.found)}")
    option = {"option": f"{'A' if options.with_all else ''}{options.resolvers}"}
    return element("Target", text("name", answer.found.text), *(resolvers or [nothing]), attributes=option)


def _resolver(letter: str, known: NamedObject, options: _Options) -> str:
    aliases = (text("alias", name) for name in known.aliases) if options.with_names else ()
    return element(
        "Resolver",
        optional("otype", known.object_type),
        text("jpos", _sexagesimal(known)),
        text("jradeg", f"{known.ra_deg:.8f}"),
        text("jdedeg", f"{known.dec_deg:+.8f}"),
        text("oname", known.name),
        *aliases,
        attributes={"name": _speaker(letter, known)},
    )


def _speaker(letter: str, known: NamedObject) -> str:
    """In whose name an answer is given, as clients look for it, and whence it comes."""
    return f"{letter}c={_RESOLVERS[letter][1]} (kept in skydex, {known.source})"


def _meant(found: Found) -> str:
    return f" Did you mean {_comment(' or '.join(found.near))}?" if found.near else ""


def _comment(words: str) -> str:
    """A text that can be taken for nothing else: in one line, without the sign that begins a fact."""
    return one_line(words.replace("%", "%25"))


def _sexagesimal(known: NamedObject) -> str:
    """Hours and degrees, minutes, seconds, as `01:04:48.40 +02:07:10.2`."""
    hundredths = round(known.ra_deg * 3600.0 / 15.0 * 100.0) % 8_640_000
    tenths = round(abs(known.dec_deg) * 3600.0 * 10.0)
    hours, degrees = _clock(hundredths, 100, 2), _clock(tenths, 10, 1)
    return f"{hours} {'-' if known.dec_deg < 0 else '+'}{degrees}"


def _clock(parts: int, per_second: int, n_digits: int) -> str:
    seconds, part = divmod(parts, per_second)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{part:0{n_digits}d}"


def _routes(site: Site) -> list[BaseRoute]:
    endpoint = Endpoint(site, resolve)
    return [Route(f"{base}{path}", endpoint) for base in BASES for path in ("", "/{options:path}")]


def _links(site: Site) -> Iterable[Link]:
    yield Link("Positions of named objects (Sesame)", f"{site.url}{BASES[0]}/-oI/SNV?M31")


SERVICE = Service("sesame", "Names to positions (Sesame)", _routes, lambda _: (), _links)
