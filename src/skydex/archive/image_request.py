"""Whole images: as FITS, written from what they are, and as a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import UnknownImageError
from skydex.images import MEDIA_TYPES, Box, Look, Scale, Stretch, file_chunks, fits_chunks, render, thumbnail
from skydex.store import ImageRecord

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.archive.images import Images
    from skydex.engines import Deadline

__all__ = ["ImageFileRequest", "PreviewRequest"]

_LOOK = Look(Stretch.ASINH, Scale.PERCENTILES, (0.5, 99.75))


@dataclass(frozen=True)
class ImageFileRequest(PictureRequest):
    """All pixels of an image, or of all images of a name."""

    collection: str
    """Where it is."""
    name: str
    """Its name."""
    hdu: int | None = None
    """Number of its HDU; None for one file of all images of the name."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """It, or all of the name."""
        return _records(self, images)

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Write it while it is read."""
        images = archive.images(self.owner)
        records = _records(self, images)
        if self.hdu is not None:
            image = images.open(records[0])
            return Picture("image/fits", ".fits", fits_chunks(image, Box.whole(image.shape)))
        opened = {record.hdu: (record.extension, images.open(record)) for record in records}
        return Picture("application/fits", ".fits", file_chunks(opened))


@dataclass(frozen=True)
class PreviewRequest(PictureRequest):
    """A small picture of a whole image."""

    collection: str
    """Where it is."""
    name: str
    """Its name."""
    hdu: int | None = None
    """Number of its HDU; None for the first with an image."""
    side: int = 256
    """Longer side, in pixels."""
    format: str = "jpeg"
    """`jpeg` or `png`."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """The one that is shown."""
        return _records(self, images)[:1]

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Shrink and render it."""
        images = archive.images(self.owner)
        image = images.open(_records(self, images)[0])
        band = thumbnail(image, self.side, check=deadline.check if deadline else lambda: None)
        picture = render((band,), _LOOK, self.format)
        return Picture(MEDIA_TYPES[self.format], f".{self.format}".replace("jpeg", "jpg"), iter((picture,)))


def _records(request: ImageFileRequest | PreviewRequest, images: Images) -> list[ImageRecord]:
    found = images.find_in(request.collection, request.name)
    chosen = [record for record in found if request.hdu is None or record.hdu == request.hdu]
    if not chosen:
        raise UnknownImageError(request.name[:200], where=request.collection[:100])
    return chosen
