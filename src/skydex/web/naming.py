"""Names on their way through the server: looked up by a worker, and given to whoever speaks for an authority.

Services answer in the names of others: Sesame for SIMBAD, NED and VizieR, MAST for these and for catalogues of its own.
A position whose source names an authority is given in that name alone; any other is given in whichever name is asked
for, since an archive that was asked for NED's position of a galaxy does better with OpenNGC's than with none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from skydex.names import NamedObject, best_of, said_by, split_radius
from skydex.web.asgi import Call
from skydex.web.forwarding import Forwarder
from skydex.web.workroom import Looked

__all__ = ["Found", "look_up"]


@dataclass(frozen=True)
class Found:
    """What is known of a name."""

    text: str
    """As it was asked for."""
    objects: tuple[NamedObject, ...]
    """Where it is, the source that counts most first; empty if nobody knows it."""
    near: tuple[str, ...] = ()
    """Names that look alike, if nobody knows it."""

    def by(self, authority: str) -> NamedObject | None:
        """The answer in the name of an authority: its own, else that of a source that names none."""
        return said_by(self.objects, authority)

    def best(self, authorities: Sequence[str]) -> NamedObject | None:
        """The answer in the name of the first authority that has one, else any."""
        return best_of(self.objects, authorities)


async def look_up(call: Call, texts: Sequence[str]) -> list[Found]:
    """What is known of each of some names or positions, here or else where names are asked for."""
    facts = await call.check(Looked(tuple(texts), call.owner), is_quick=True)
    found = [Found(*each) for each in zip(texts, facts["found"], map(tuple, facts["near"]), strict=True)]
    forwarder = call.site.forwarder
    if forwarder is None:
        return found
    return [*await asyncio.gather(*(_from_elsewhere(forwarder, one) for one in found))]


async def _from_elsewhere(forwarder: Forwarder, found: Found) -> Found:
    if found.objects:
        return found
    name, radius = split_radius(found.text)
    objects = await forwarder.find(name)
    return replace(found, objects=tuple(replace(known, radius_deg=radius) for known in objects))
