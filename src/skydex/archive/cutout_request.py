"""`CutoutRequest`: pixels around a place in one image, or in three for the colours of a picture.

It has fitscut's meaning (`/cgi-bin/fitscut.cgi`): a size in pixels of the image, whatever the zoom; pixels beyond the
edge are missing; FITS has the brightness as it is, in single precision, and of a look only the size concerns it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skydex import __version__
from skydex.archive.images import Images
from skydex.archive.pictures import Picture, PictureRequest, plain_name
from skydex.errors import BadParameterError, CutoutTooLargeError, NoOverlapError, UnknownImageError
from skydex.images import (
    MEDIA_TYPES,
    SOFTENING,
    Box,
    Cutout,
    Image,
    Look,
    Resizing,
    aligned,
    brightness,
    compass_at,
    fits_chunks,
    is_softened,
    placed,
    render,
    sky_text,
    to_fits,
    with_history,
    zoomed,
)

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline
    from skydex.store import ImageRecord

__all__ = ["CUTOUT_FORMATS", "CutoutRequest", "ImageName", "PixelPlace", "SkyPlace"]

CUTOUT_FORMATS = ("fits", *MEDIA_TYPES)
"""What a cutout can be."""

_ENDING = re.compile(r"(\.fits?|\.fts)?(\.gz|\.fz|\.bz2)?$", re.IGNORECASE)
_PRODUCTS = ("", "_drz", "_drc", "_sci")
"""Endings of HLA's file names that may be missing."""
_FITS_TYPE = "image/fits"
_LARGE = 1 << 22
"""Pixels beyond which FITS is sent while it is read."""
_COPIES = 4
"""Parts of the memory of a cutout that a picture needs besides, for levels and stretches."""
_LONGEST_JPEG = 65_500

Floats = NDArray[np.float32]


class ImageName(NamedTuple):
    """An image as its asker names it."""

    name: str
    """Name of the data set, or of the file, perhaps with the path that some archive has it under."""
    extension: str | None = None
    """Number or name of the extension; None for the first that has an image."""


class SkyPlace(NamedTuple):
    """A position, ICRS."""

    ra_deg: float
    dec_deg: float


class PixelPlace(NamedTuple):
    """A place in pixels of the image, counted from 0 at the middle of the first one."""

    x: float
    y: float


class _Part(NamedTuple):
    """A part of an image."""

    image: Image
    box: Box
    quality: Image | None
    """Its pixels are 0 where those of the image are bad."""


@dataclass(frozen=True)
class CutoutRequest(PictureRequest):
    """Pixels of a place."""

    bands: tuple[ImageName | None, ...]
    """One image, or those of red, green and blue, of which one or two may be missing."""
    centre: SkyPlace | PixelPlace | None = None
    """Where; None for the middle of the image."""
    size: tuple[int, int] | None = (256, 256)
    """Columns and rows, in pixels of the image; None for all of it."""
    look: Look = field(default_factory=Look)
    """How it is shown."""
    format: str = "fits"
    """`fits`, `png` or `jpeg`."""
    file_name: str = ""
    """What a file of it may be called; by default it is named after its image."""
    quality: str | None = None
    """Extension of the same file that is 0 where pixels are bad, which are left out of pictures."""
    is_aligned: bool = False
    """Whether green and blue are brought to the pixels of red by their WCS."""
    is_caseless: bool = False
    """Whether names are compared without regard to case."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """Those of all bands, with what says which of their pixels are bad."""
        found = []
        for name in filter(None, self.bands):
            known = _known(images, name.name, caseless=self.is_caseless)
            found.append(images.get(known, name.extension, caseless=self.is_caseless))
            if (quality := self._quality_record(images, known)) is not None:
                found.append(quality)
        return found

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Find the images, cut, and write."""
        images = archive.images(self.owner)
        parts = self._parts(images)
        first = _first(parts)
        if first is None:
            raise BadParameterError("red", "is missing: it names the image.")
        resizing = self._resizing(parts, first, archive.most_pixels)
        suffix = f".{self.format}".replace("jpeg", "jpg")
        file_name = _file_name(self.file_name, suffix) or _file_name(first.image.name, suffix)
        if self.format == "fits":
            return Picture(_FITS_TYPE, suffix, self._fits(parts, first, resizing, deadline), file_name)
        bands = self._bands(parts, first, resizing, deadline)
        compass = compass_at(first.image, first.box) if self.look.has_compass else None
        comment = sky_text(_headed(first, np.empty((0, 0), np.float32), resizing))
        picture = render(bands, self.look.at_size(), self.format, compass=compass, comment=comment)
        return Picture(MEDIA_TYPES[self.format], suffix, iter((picture,)), file_name)

    def numbers(self, archive: Archive, deadline: Deadline | None = None) -> Floats:
        """The pixels of its first image, (ny, nx), with NaN where there are none."""
        parts = self._parts(archive.images(self.owner))
        first = _first(parts)
        if first is None:
            raise BadParameterError("red", "is missing: it names the image.")
        (band,) = self._bands([first], first, self._resizing([first], first, archive.most_pixels), deadline)
        assert band is not None, "of one band none is missing"
        return band

    def _parts(self, images: Images) -> list[_Part | None]:
        """Which part of which image each band is; of aligned ones all are where the first is."""
        parts: list[_Part | None] = []
        for name in self.bands:
            first = _first(parts) if self.is_aligned else None
            parts.append(None if name is None else self._part(images, name, first.box if first else None))
        return parts

    def _part(self, images: Images, name: ImageName, box: Box | None) -> _Part:
        known = _known(images, name.name, caseless=self.is_caseless)
        image = images.open(images.get(known, name.extension, caseless=self.is_caseless))
        return _Part(image, box or self._box(image), self._quality(images, known))

    def _box(self, image: Image) -> Box:
        if self.size is None:
            return Box.whole(image.shape)
        if self.centre is None:
            return Box.centred(image.shape[1] // 2, image.shape[0] // 2, *self.size)
        if isinstance(self.centre, PixelPlace):
            return Box.centred(*self.centre, *self.size)
        return image.box_at(*self.centre, *self.size)

    def _quality(self, images: Images, known: str) -> Image | None:
        record = self._quality_record(images, known)
        return images.open(record) if record is not None else None

    def _quality_record(self, images: Images, known: str) -> ImageRecord | None:
        if self.quality is None:
            return None
        try:
            return images.get(known, self.quality, caseless=self.is_caseless)
        except UnknownImageError:
            return None  # which is no error with fitscut either

    def _resizing(self, parts: Sequence[_Part | None], first: _Part, most_pixels: int) -> Resizing:
        """How large the picture is, if that is within limits and the same for all bands."""
        boxes = [part.box for part in parts if part is not None]
        if any(box.shape != first.box.shape for box in boxes):
            raise BadParameterError("size", "the images differ in size: send one in pixels, or align=1.")
        resizing = Resizing.of(first.box.shape, self.look)
        if self._is_streamed(parts):
            return resizing
        most = most_pixels // len(boxes) // (1 if self.format == "fits" else _COPIES)
        if resizing.shape[0] * resizing.shape[1] > most:
            raise CutoutTooLargeError(resizing.shape, most)
        if self.is_aligned and len(boxes) > 1 and first.box.n_pixels > most:
            raise CutoutTooLargeError(first.box.shape, most)
        if self.format == "jpeg" and max(resizing.shape) > _LONGEST_JPEG:
            raise BadParameterError("format", f"a JPEG has at most {_LONGEST_JPEG:,} pixels a side: ask for png.")
        return resizing

    def _is_streamed(self, parts: Sequence[_Part | None]) -> bool:
        """Whether it is FITS so large, and so plain, that it is sent while it is read."""
        part = parts[0] if len(parts) == 1 and self.format == "fits" and not self.look.resizes else None
        if part is None or is_softened(part.image):
            return False
        inside = part.box.on(part.image.shape)
        return inside is not None and inside.n_pixels > max(_LARGE, part.box.n_pixels // 2)

    def _bands(
        self, parts: Sequence[_Part | None], first: _Part, resizing: Resizing, deadline: Deadline | None
    ) -> list[Floats | None]:
        """Brightness of each band; where an image does not reach the place, it is missing in a picture of others."""
        bands: list[Floats | None] = []
        missed: list[NoOverlapError] = []
        for part in parts:
            try:
                bands.append(None if part is None else self._band(part, first, resizing, deadline))
            except NoOverlapError as error:
                missed.append(error)
                bands.append(np.full(resizing.shape, np.nan, np.float32))
        if len(missed) == sum(part is not None for part in parts):
            raise missed[0]
        return bands

    def _band(self, part: _Part, first: _Part, resizing: Resizing, deadline: Deadline | None) -> Floats:
        check = deadline.check if deadline else _no_check
        if self.is_aligned and part is not first:
            return resizing.of_whole(aligned(part.image, first.image, part.box))
        part.image.overlap(part.box)
        blocks = brightness(part.image, part.box, shrink=resizing.shrink, quality=part.quality, check=check)
        return resizing.of_blocks(blocks)

    def _fits(
        self, parts: Sequence[_Part | None], first: _Part, resizing: Resizing, deadline: Deadline | None
    ) -> Iterator[bytes]:
        if self._is_streamed(parts):
            return fits_chunks(first.image, first.box)
        bands = self._bands([part and part._replace(quality=None) for part in parts], first, resizing, deadline)
        data = bands[0] if len(bands) == 1 else np.stack(_completed(bands))
        assert data is not None, "of one band none is missing"
        return iter((to_fits(with_history(_headed(first, data, resizing), *self._history(parts))),))

    @staticmethod
    def _history(parts: Sequence[_Part | None]) -> Iterator[str]:
        yield f"Cut out by skydex {__version__}"
        if len(parts) > 1:
            for color, part in zip(("Red", "Green", "Blue"), parts, strict=True):
                yield f"{color}: {part.image.name if part else 'none'}"


def _first(parts: Sequence[_Part | None]) -> _Part | None:
    return next((part for part in parts if part is not None), None)


def _headed(part: _Part, data: Floats, resizing: Resizing) -> Cutout:
    """Pixels with the header of the place where they were cut."""
    cards, lookups = placed(part.image, part.box)
    cutout = Cutout(data, cards, part.box, part.image.name, lookups)
    if is_softened(part.image):
        cutout = cutout.with_data(data, without=SOFTENING)
    return cutout if resizing.zooms == (1.0, 1.0) else zoomed(cutout, data, resizing)


def _completed(bands: Sequence[Floats | None]) -> list[Floats]:
    """Bands of a colour image, none of them missing: green is the mean of the others, and the others are empty."""
    red, green, blue = bands
    if green is None and red is not None and blue is not None:
        green = (red + blue) / np.float32(2.0)
    empty = np.full(next(band.shape for band in bands if band is not None), np.nan, np.float32)
    return [empty if band is None else band for band in (red, green, blue)]


def _known(images: Images, name: str, *, caseless: bool) -> str:
    """The name under which an image is registered; what its asker says, if there is none."""
    return next((found for found in _spellings(name) if images.find(found, caseless=caseless)), name)


def _spellings(name: str) -> Iterator[str]:
    """What an image may be registered as: with and without its path, its endings, and those of its product."""
    for text in dict.fromkeys((name, name.rpartition("/")[2])):
        bare = _ENDING.sub("", text)
        stem = next((bare.removesuffix(end) for end in _PRODUCTS[1:] if bare.endswith(end)), bare)
        stems = dict.fromkeys((bare, *(stem + end for end in _PRODUCTS)))
        yield from dict.fromkeys((text, *stems, *(f"{one}.fits" for one in stems)))


def _file_name(name: str, suffix: str) -> str:
    """A plain file name with an ending; empty if nothing of the name can be kept."""
    text = plain_name(name)
    return text if not text or text.lower().endswith((suffix, ".fits", ".jpeg")) else text + suffix


def _no_check() -> None:
    """There is no limit of time."""
