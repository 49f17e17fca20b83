"""A name becomes a position, without asking anybody outside.

What is known: the stars of `stars`, and the objects of `nebulae` where that part is installed.
"""

from __future__ import annotations

from functools import cache

from skydex.errors import UnknownObjectError, near_names
from skydex.names.nebulae import are_installed, iter_nebulae
from skydex.names.spellings import key_of
from skydex.names.stars import iter_stars

__all__ = ["resolve"]

_STARS_ALONE = "the names of stars; pip install 'skydex[names]' adds nebulae, clusters and galaxies"
_ALIKE = 2
"""So many first letters agree, or a name is no suggestion for another."""


def resolve(name: str) -> tuple[float, float]:
    """Position of a named star, nebula, cluster or galaxy.

    Parameters
    ----------
    name : str
        In any case and spacing: `NGC 1333`, `m31`, `alf Cen`, `α Cen`, `Crab Nebula`, `HIP 32349`.

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
    key = key_of(name)
    found = _known().get(key)
    if found is None:
        alike = {known: written for known, (written, _, _) in _known().items() if known[:_ALIKE] == key[:_ALIKE]}
        where = "" if are_installed() else _STARS_ALONE
        raise UnknownObjectError(name, where=where, near=[alike[hit] for hit in near_names(key, alike)])
    return found[1:]


@cache
def _known() -> dict[str, tuple[str, float, float]]:
    """Every name, by its key: as it is written, and where; of two objects of one name the first counts."""
    known: dict[str, tuple[str, float, float]] = {}
    for name, ra, dec in (*iter_stars(), *iter_nebulae()):
        known.setdefault(key_of(name), (name, ra, dec))
    return known
