"""A name becomes a position, without asking anybody outside.

What is known: the stars of `stars`, the objects of `nebulae` where that part is installed, and positions that are
written out (`coordinates`). What an archive's own tables name is added by `archive.naming`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from skydex.errors import UnknownObjectError
from skydex.names.coordinates import read_position, split_radius
from skydex.names.index import NameIndex
from skydex.names.named import NamedObject
from skydex.names.nebulae import are_installed, iter_nebulae
from skydex.names.stars import iter_stars

__all__ = ["LONGEST_NAME", "find_objects", "near_objects", "resolve", "unknown"]

LONGEST_NAME = 200
"""Characters of a name; what is longer is none."""
_MOST_NEAR = 3
_NO_OTHERS = NameIndex(())
Finder = Callable[[str], Sequence[NamedObject]]
_STARS_ALONE = "the names of stars; pip install 'skydex[names]' adds nebulae, clusters and galaxies"


def resolve(name: str) -> tuple[float, float]:
    """Position of a named star, nebula, cluster or galaxy, or one that is written out.

    Parameters
    ----------
    name : str
        In any case and spacing: `NGC 1333`, `m31`, `alf Cen`, `α Cen`, `Crab Nebula`, `HIP 32349`; or a position such
        as `01 04 47 +02 07 04`, `16.2 2.1`, `G129.73-60.56`.

    Returns
    -------
    ra_deg, dec_deg : float
        ICRS, epoch 2000, degrees.

    Raises
    ------
    UnknownObjectError
        With names that look alike.

    Examples
    --------
    >>> resolve("Sirius")
    (101.287155, -16.716116)
    """
    found = find_objects(name)
    if not found:
        raise unknown(name, near_objects(name))
    return found[0].ra_deg, found[0].dec_deg


def find_objects(text: str, own: Finder = _NO_OTHERS.find) -> tuple[NamedObject, ...]:
    """Every object of a name, or the position that it is.

    Parameters
    ----------
    text : str
        A name or a position; a radius may follow, as in `M 101 r=0.2` (degrees).
    own : callable, optional
        Finds objects that come before those that everybody knows, by their name.

    Returns
    -------
    objects : tuple of NamedObject
        The best known first; empty if nobody knows the name.
    """
    if len(text) > LONGEST_NAME:
        return ()
    name, radius = split_radius(text)
    found = (*own(name), *_known().find(name)) or tuple(filter(None, (read_position(name),)))
    return found if radius is None else tuple(replace(known, radius_deg=radius) for known in found)


def near_objects(name: str, own: NameIndex = _NO_OTHERS) -> list[str]:
    """Names that look like one that is not known, best first."""
    return list(dict.fromkeys((*own.near(name), *_known().near(name))))[:_MOST_NEAR]


def unknown(name: str, near: list[str]) -> UnknownObjectError:
    """The error for a name that nobody knows here."""
    return UnknownObjectError(name, where="" if are_installed() else _STARS_ALONE, near=near)


@cache
def _known() -> NameIndex:
    """What everybody knows; of two objects of one name the first counts."""
    return NameIndex((*iter_stars(), *iter_nebulae()))
