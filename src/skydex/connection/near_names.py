"""Where objects are, as an archive on this disk knows it.

Two resolvers may give an object two places, arcminutes apart for galaxies. An archive answers here in the name of the
authority in whose name its server answers.
"""

from __future__ import annotations

from skydex.archive import Archive
from skydex.client import NamedPlace, Preset, get_preset
from skydex.client.resolvers import preferred_authorities
from skydex.names import best_of, unknown

__all__ = ["near_place"]


def near_place(archive: Archive, name: str, preset: Preset | None, owner: str | None) -> NamedPlace:
    """Where an object is.

    Raises
    ------
    UnknownObjectError
        Nobody knows it; with names that look alike.
    """
    names = archive.names(owner)
    found = best_of(names.find(name), preferred_authorities(preset or get_preset("skydex")))
    if found is None:
        raise unknown(name, names.near(name))
    return NamedPlace(found.ra_deg, found.dec_deg, found.name, found.authority or found.source)
