"""Nebulae, clusters and galaxies: OpenNGC by way of pyongc, an optional part (`pip install 'skydex[names]'`).

NGC, IC, Messier and Caldwell numbers, the numbers of PGC, UGC, MCG, ESO and others for the same objects, and common
names. The data are CC BY-SA 4.0 and stay in that package.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec

__all__ = ["are_installed", "iter_nebulae"]

_ALIASES = {
    "Large Magellanic Cloud": ("LMC",),
    "Small Magellanic Cloud": ("SMC",),
    "Andromeda Galaxy": ("Andromeda",),
    "Crab Nebula": ("Crab", "Tau A", "Taurus A"),
    "Virgo Galaxy": ("Vir A", "Virgo A"),
    "Centaurus A": ("Cen A",),
    "47 Tuc Cluster": ("47 Tuc", "47 Tucanae"),
    "Omega Centauri": ("ome Cen", "omega Cen"),
}
"""What astronomers write for some common names."""
_PADDED = re.compile(r"^([A-Z]+) *0*(\d)")
"""NGC0224 is NGC 224 to people."""


def are_installed() -> bool:
    """Whether OpenNGC is at hand."""
    return find_spec("pyongc") is not None


def iter_nebulae() -> Iterator[tuple[str, float, float]]:
    """Each name of each object with its position, ICRS J2000, degrees; nothing without that part."""
    if not are_installed():
        return
    from pyongc import DBPATH

    with closing(sqlite3.connect(f"file:{DBPATH}?mode=ro", uri=True)) as database:
        objects = database.execute(
            "SELECT i.identifier, o.messier, o.commonnames, o.ra, o.dec FROM objects AS o "
            "JOIN objIdentifiers AS i ON i.name = o.name WHERE o.type <> 'NonEx' AND o.ra IS NOT NULL ORDER BY o.id"
        )
        for identifier, messier, common, ra, dec in objects:
            for name in _names(identifier, messier, common):
                yield name, math.degrees(ra), math.degrees(dec)


def _names(identifier: str, messier: str | None, common: str | None) -> Iterator[str]:
    yield _PADDED.sub(r"\1 \2", identifier)
    if messier:
        yield f"M {messier.lstrip('0')}"
    for name in filter(None, (common or "").split(",")):
        yield name
        yield from _ALIASES.get(name, ())
