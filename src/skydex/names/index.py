"""`NameIndex`: objects by their names, however these are written."""

from __future__ import annotations

from collections.abc import Iterable

from skydex.errors import near_names
from skydex.names.named import NamedObject
from skydex.names.spellings import key_of

__all__ = ["NameIndex"]

_ALIKE = 2
"""So many first letters agree, or a name is no suggestion for another."""
_LONGEST = 60
"""Characters of the longest text for which there are suggestions."""


class NameIndex:
    """Objects by their names.

    Parameters
    ----------
    objects : iterable of NamedObject
        Those best known first: of several of one name all are found, in this order.
    """

    def __init__(self, objects: Iterable[NamedObject]) -> None:
        self._by_key: dict[str, tuple[NamedObject, ...]] = {}
        for known in objects:
            alone = (known,)
            for key in {key_of(name): None for name in (known.name, *known.aliases)}:
                others = self._by_key.setdefault(key, alone)
                if others is not alone:
                    self._by_key[key] = (*others, known)

    def find(self, name: str) -> tuple[NamedObject, ...]:
        """Every object of a name; none if there is none."""
        return self._by_key.get(key_of(name), ())

    def near(self, name: str) -> list[str]:
        """Names that look like one that is not known, best first."""
        key = key_of(name)
        if not key or len(key) > _LONGEST:
            return []
        alike = [known for known in self._by_key if known[:_ALIKE] == key[:_ALIKE]]
        return [_written(self._by_key[hit][0], hit) for hit in near_names(key, alike)]


def _written(known: NamedObject, key: str) -> str:
    """The name behind a key, as the source writes it."""
    return next(name for name in (known.name, *known.aliases) if key_of(name) == key)
