"""`Images`: the images of an archive that somebody may see, found by name or identifier, and opened.

Opened images are kept, a few hundred at a time: their headers, where their parts lie, their WCS; no pixels.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skydex.errors import UnknownImageError
from skydex.images import FITS_OPENER, Image, open_pixels
from skydex.store import ImageRecord, Imagery

__all__ = ["Images", "OpenImages", "Original", "find_original", "mark_of"]

_MOST_OPEN = 256
_PACKED_TYPES = {".gz": "application/gzip", ".bz2": "application/x-bzip2"}


@dataclass(frozen=True)
class Original:
    """The file from which images were registered."""

    path: Path
    """Where it is."""
    media_type: str
    """What it is, as it stands there."""


def find_original(record: ImageRecord) -> Original | None:
    """The file that an image is in; None if no file has it, as where it is simulated."""
    if record.opener != FITS_OPENER:
        return None
    path = Path(record.location)
    return Original(path, _PACKED_TYPES.get(path.suffix.lower(), "application/fits"))


def mark_of(record: ImageRecord) -> str | None:
    """What changes with the file of an image; `None` if no file has it, or it is not there."""
    if record.opener != FITS_OPENER:
        return None
    try:
        facts = os.stat(record.location)
    except OSError:
        return None
    return f"{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"


class OpenImages:
    """Images that are open, by where they are and as they are now; shared by everybody who may see them."""

    def __init__(self) -> None:
        self._open = functools.lru_cache(_MOST_OPEN)(_opened)

    def get(self, record: ImageRecord) -> Image:
        """The image of a record; `StoreError` if it is not there any more."""
        return self._open(record.name, record.opener, record.location, record.access, mark_of(record))


class Images:
    """What a user, or anybody, sees of an archive's images.

    Parameters
    ----------
    imagery : Imagery
        The register.
    opened : OpenImages
        Those that are open.
    hidden : frozenset of str
        Collections, in small letters, that do not exist for who asks.
    """

    def __init__(self, imagery: Imagery, opened: OpenImages, hidden: frozenset[str] = frozenset()) -> None:
        self._imagery, self._opened, self._hidden = imagery, opened, hidden

    def collections(self) -> tuple[str, ...]:
        """Names of collections with images."""
        return tuple(name for name in self._imagery.collections() if name.lower() not in self._hidden)

    def find(self, name: str, *, caseless: bool = False) -> list[ImageRecord]:
        """The images of a name, one for each extension, in their order; none if there is no such name."""
        for collection in self.collections():
            found = self._imagery.find(collection, name, caseless=caseless)
            if found:
                return found
        return []

    def find_in(self, collection: str, name: str) -> list[ImageRecord]:
        """The images of a name in one collection, which is compared without regard to case."""
        known = next((own for own in self.collections() if own.lower() == collection.lower()), None)
        return self._imagery.find(known, name) if known else []

    def get(self, name: str, extension: str | int | None = None, *, caseless: bool = False) -> ImageRecord:
        """The image that a name means.

        Parameters
        ----------
        name : str
            Name or alias.
        extension : str or int, optional
            Number or EXTNAME of the extension (`SCI`, `SCI,2`); if it is not said, the first one with an image.
        caseless : bool, optional
            Whether names are compared without regard to case.

        Raises
        ------
        UnknownImageError
            There is no such image, or it has no such extension.
        """
        found = self.find(name, caseless=caseless)
        chosen = next((record for record in found if _is(record, extension)), None)
        if chosen is None:
            raise self._unknown(name[:200], found, extension)
        return chosen

    def _unknown(self, name: str, found: list[ImageRecord], extension: str | int | None) -> UnknownImageError:
        """What to say where there is no such image: which extensions there are, or a name that differs in case."""
        if found:
            there = ", ".join(f"[{record.hdu}]" for record in found[:20])
            return UnknownImageError(f"{name}[{extension}]", hint=f'"{name}" has images in {there}.')
        near = list(dict.fromkeys(record.name for record in self.find(name, caseless=True)))
        return UnknownImageError(name, near=near[:3])

    def get_did(self, did: str) -> ImageRecord:
        """The image of an identifier; `UnknownImageError` if there is none."""
        for collection in self.collections():
            found = self._imagery.find_did(collection, did)
            if found:
                return found
        raise UnknownImageError(did[:200])

    def records(self, collection: str) -> Iterator[ImageRecord]:
        """All images of a collection."""
        if collection.lower() not in self._hidden:
            yield from self._imagery.records(collection)

    def published(self, collection: str) -> float:
        """When the images of a collection were published, in seconds since 1970; 0 if it has none."""
        return 0.0 if collection.lower() in self._hidden else self._imagery.published(collection)

    def open(self, record: ImageRecord) -> Image:
        """Open an image, or take the one that is open."""
        return self._opened.get(record)


def _is(record: ImageRecord, extension: str | int | None) -> bool:
    if extension is None:
        return True
    word = str(extension).strip().upper()
    return word == str(record.hdu) or word in (record.extension.upper(), record.extension.upper().partition(",")[0])


def _opened(name: str, opener: str, location: str, access: bytes, _: str | None) -> Image:
    return Image(name, open_pixels(opener, location, access))
