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

from skydex.names.named import NamedObject

__all__ = ["are_installed", "iter_nebulae"]

SOURCE = "OpenNGC"
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


def iter_nebulae() -> Iterator[NamedObject]:
    """Each object with its names; nothing without that part."""
    if not are_installed():
        return
    from pyongc import DBPATH

    with closing(sqlite3.connect(f"file:{DBPATH}?mode=ro", uri=True)) as database:
        identifiers: dict[str, list[str]] = {}
        for name, identifier in database.execute("SELECT name, identifier FROM objIdentifiers"):
            identifiers.setdefault(name, []).append(_PADDED.sub(r"\1 \2", identifier))
        objects = database.execute(
            "SELECT name, type, ra, dec, messier, commonnames, majax, minax, pa FROM objects "
            "WHERE type <> 'NonEx' AND ra IS NOT NULL ORDER BY id"
        )
        for name, kind, ra, dec, messier, common, major, minor, angle in objects:
            names = (*identifiers.get(name, ()), *_further_names(messier, common))
            yield NamedObject(
                _PADDED.sub(r"\1 \2", name),
                math.degrees(ra),
                math.degrees(dec),
                SOURCE,
                object_type=kind,
                aliases=names,
                major_axis_deg=_arcminutes(major),
                minor_axis_deg=_arcminutes(minor),
                position_angle_deg=None if angle is None else float(angle),
            )


def _further_names(messier: str | None, common: str | None) -> Iterator[str]:
    if messier:
        yield f"M {messier.lstrip('0')}"
    for name in filter(None, (common or "").split(",")):
        yield name
        yield from _ALIASES.get(name, ())


def _arcminutes(value: float | None) -> float | None:
    return None if value is None else value / 60.0
