"""`Snapshot`: the small files of a remote catalogue as they were at one moment, for this process and later ones.

All that is known of a catalogue follows from these. They are read together, and believed as long as those of them that
every publication changes are what they were; then the others are, too, and nothing needs to be read again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from skydex.store.layout import COMMON_METADATA, MANIFEST_DIGEST, METADATA, PARTITION_INFO, PROPERTIES
from skydex.store.remote.cache import RangeCache
from skydex.store.remote.stamp import Stamp

__all__ = ["Snapshot", "find_snapshot"]

_FORMAT = 1
_COLLECTION = "collection.properties"
_TELLING = (
    (MANIFEST_DIGEST,),
    (*PROPERTIES, _COLLECTION),
    (PARTITION_INFO, METADATA, COMMON_METADATA),
)
"""One file of each of these groups is asked for; a manifest vouches for everything, so that the rest is not needed."""


@dataclass
class Snapshot:
    """What is known of the small files."""

    root: str
    """Public address of the catalogue."""
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    """Names this snapshot, and no other."""
    date: str = ""
    """Time at the server when it was begun."""
    stamps: dict[str, Stamp | None] = field(default_factory=dict)
    """By name; None for files that are not there."""
    contents: dict[str, bytes] = field(default_factory=dict)
    """Those that were read in this process."""

    def content(self, name: str, cache: RangeCache) -> bytes | None:
        """Content of a file, if it is at hand."""
        if name not in self.contents:
            kept = cache.find(self._key(name))
            if kept is not None:
                self.contents[name] = kept
        return self.contents.get(name)

    def add(self, name: str, stamp: Stamp | None, content: bytes | None, cache: RangeCache) -> None:
        """Learn of a file."""
        self.stamps[name] = stamp
        if content is not None:
            self.contents[name] = content
            cache.keep(self._key(name), content)
        self._save(cache)

    def telling(self) -> Mapping[str, Stamp]:
        """The files that a new publication would change."""
        found: dict[str, Stamp] = {}
        for group in _TELLING:
            known = ((name, self.stamps.get(name)) for name in group)
            first = next(((name, stamp) for name, stamp in known if stamp is not None), None)
            if first is not None:
                found[first[0]] = first[1]
                if first[0] == MANIFEST_DIGEST:
                    break
        return found

    def forget_contents(self, names: Iterable[str]) -> None:
        """Free the memory of large files."""
        for name in names:
            self.contents.pop(name, None)

    def drop(self, cache: RangeCache) -> None:
        """Let nobody use it any more."""
        cache.keep(_key(self.root), b"{}")

    def _key(self, name: str) -> str:
        return f"{self.root}\n{self.token}\n{name}"

    def _save(self, cache: RangeCache) -> None:
        stamps = {name: asdict(stamp) if stamp else None for name, stamp in self.stamps.items()}
        facts = {"format": _FORMAT, "token": self.token, "date": self.date, "stamps": stamps}
        cache.keep(_key(self.root), json.dumps(facts).encode())


def find_snapshot(root: str, cache: RangeCache) -> Snapshot | None:
    """The snapshot that an earlier process left behind."""
    kept = cache.find(_key(root))
    facts = json.loads(kept) if kept else {}
    if facts.get("format") != _FORMAT:
        return None
    stamps = {name: Stamp(**stamp) if stamp else None for name, stamp in facts["stamps"].items()}
    return Snapshot(root, facts["token"], facts["date"], stamps)


def _key(root: str) -> str:
    return f"{root}\nsnapshot"
