"""`ProductRequest`: the whole file of an image, by the name of the file.

What was registered from a file is given as it is, byte for byte; of what no file has, such as a simulated exposure, one
is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skydex.archive.image_request import ImageFileRequest
from skydex.archive.images import Images, Original, find_original
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import StoreError, UnknownImageError
from skydex.store import ImageRecord

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["ProductRequest"]

_ENDING = ".fits"
_PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class ProductRequest(PictureRequest):
    """The file of an image, or of several."""

    file_name: str
    """What it is called, with its ending."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def find_original(self, images: Images) -> Original | None:
        """The file, if there is one.

        Raises
        ------
        UnknownImageError
            No image is called so.
        """
        return find_original(self._first(images))

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Send it while it is read or written."""
        first = self._first(archive.images(self.owner))
        original = find_original(first)
        if original is not None:
            return Picture(original.media_type, original.path.suffix, _bytes_of(original.path), self.file_name)
        written = ImageFileRequest(first.collection, first.name, owner=self.owner).draw(archive, deadline)
        return Picture(written.media_type, written.suffix, written.chunks, self.file_name)

    def _first(self, images: Images) -> ImageRecord:
        records = images.find(self.file_name) or images.find(self.file_name.removesuffix(_ENDING))
        if not records:
            raise UnknownImageError(self.file_name[:200])
        return records[0]


def _bytes_of(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise StoreError("The file of this image cannot be read any more.") from error
