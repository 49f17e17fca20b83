"""Parts of data sets as SODA means them: one, or several for a job.

SODA 1.0 (IVOA REC 2017-05-17). A region says what a cutout has to cover (section 4): it is the rectangle of pixels
around the region, as far as the image reaches, and nothing in it is blanked out. The pixels and their header are
those of the file; nothing is resampled. An image is one interval of wavelengths and of time: BAND and TIME either
leave it as it is or leave nothing of it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skydex.archive.intervals import Interval
from skydex.archive.observations import Observations
from skydex.archive.pictures import Picture, PictureRequest, plain_name
from skydex.errors import (
    BadParameterError,
    CutoutTooLargeError,
    NoOverlapError,
    RequestError,
    SkydexError,
    TimeLimitError,
    UnknownImageError,
)
from skydex.formats.package import PACKAGE_TYPE, packed
from skydex.images import MEDIA_TYPES, Box, Image, Look, Scale, Stretch, box_of, brightness, fits_chunks, render
from skydex.sky import Region
from skydex.store import ImageRecord

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.archive.images import Images
    from skydex.engines import Deadline

__all__ = ["FITS_TYPE", "SODA_FORMATS", "SodaJob", "SodaRequest"]

FITS_TYPE = "application/fits"
SODA_FORMATS = ("fits", *MEDIA_TYPES)
"""What a cutout can be."""

_LOOK = Look(stretch=Stretch.ASINH, scale=Scale.PERCENTILES, percent=(0.5, 99.8))
"""How a cutout is shown where nobody says how."""
_MOST_SHOWN = 1 << 24
"""Pixels of a picture; where a cutout has more, blocks of them become one."""
_SUFFIXES = {"fits": ".fits", "png": ".png", "jpeg": ".jpg"}
_AXES = {"BAND": ("em_min", "em_max", "wavelengths"), "TIME": ("t_min", "t_max", "times")}
"""For each parameter the columns of ObsCore that it is compared with, and what these are."""


@dataclass(frozen=True)
class SodaRequest(PictureRequest):
    """A part of one image."""

    did: str
    """Identifier of the image, `obs_publisher_did` of ObsCore."""
    region: Region | None = None
    """What the part has to cover; None for all of the image."""
    band: Interval | None = None
    """Wavelengths in metres; None for all."""
    time: Interval | None = None
    """Modified Julian days; None for all."""
    format: str = "fits"
    """`fits`, `png` or `jpeg`."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """The image, unless ObsCore is asked about it, too."""
        return (images.get_did(self.did),) if self.band is None and self.time is None else None

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Find the image, cut, and write.

        Raises
        ------
        UnknownImageError
            There is no such image.
        NoOverlapError
            The parameters leave nothing of it.
        """
        images = archive.images(self.owner)
        record = images.get_did(self.did)
        self._check_axes(archive, record, deadline)
        image = images.open(record)
        box = Box.whole(image.shape) if self.region is None else image.overlap(box_of(image, self.region))
        name = plain_name(image.name) + ("" if self.region is None else "_cutout")
        suffix = _SUFFIXES[self.format]
        if self.format == "fits":
            return Picture(FITS_TYPE, suffix, fits_chunks(image, box), f"{name}{suffix}")
        if box.n_pixels > archive.most_pixels:
            raise CutoutTooLargeError(box.shape, archive.most_pixels)
        chunks = self._shown(image, box, deadline.check if deadline else lambda: None)
        return Picture(MEDIA_TYPES[self.format], suffix, chunks, f"{name}{suffix}")

    def _shown(self, image: Image, box: Box, check: Callable[[], None]) -> Iterator[bytes]:
        shrink = max(1, math.ceil(math.sqrt(box.n_pixels / _MOST_SHOWN)))
        return iter((render([brightness(image, box, shrink=shrink, check=check)], _LOOK, self.format),))

    def _check_axes(self, archive: Archive, record: ImageRecord, deadline: Deadline | None) -> None:
        """See to it that an image has something of the wavelengths and times that are asked for."""
        asked = {"BAND": self.band, "TIME": self.time}
        wanted = {axis: interval for axis, interval in asked.items() if interval is not None}
        if not wanted:
            return
        columns = [column for axis in wanted for column in _AXES[axis][:2]]
        row = Observations(archive, self.owner, deadline).find([record], columns).get(self.did, {})
        for axis, interval in wanted.items():
            first, last, noun = _AXES[axis]
            low, high = row.get(first), row.get(last)
            if low is None or high is None or math.isnan(low) or math.isnan(high):
                raise BadParameterError(axis, f'cannot be used: the {noun} of the image "{record.name}" are not known.')
            if not interval.touches(low, high):
                raise NoOverlapError(record.name)


@dataclass(frozen=True)
class SodaJob(PictureRequest):
    """Several parts of images in one package, one file each; one that cannot be made is a text that says why."""

    parts: tuple[SodaRequest, ...]
    """Which."""

    def check(self, archive: Archive) -> None:
        """See to it that one image at least is there."""
        for part in self.parts[:-1]:
            with contextlib.suppress(UnknownImageError):
                archive.images(part.owner).get_did(part.did)
                return
        archive.images(self.parts[-1].owner).get_did(self.parts[-1].did)

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Make a package, one part after another as it is read."""
        return Picture(PACKAGE_TYPE, ".zip", packed(self._members(archive, deadline)))

    def _members(self, archive: Archive, deadline: Deadline | None) -> Iterator[tuple[str, Iterator[bytes]]]:
        for number, part in enumerate(self.parts, start=1):
            if deadline is not None:
                deadline.check()
            try:
                picture = part.draw(archive, deadline)
            except TimeLimitError:
                raise
            except SkydexError as error:
                yield f"result{number}.txt", iter((_reason(error),))
            else:
                yield f"result{number}{picture.suffix}", picture.chunks


def _reason(error: SkydexError) -> bytes:
    """An error as SODA 1.0, sections 5.2 and 6, asks for."""
    word = "UsageError" if isinstance(error, RequestError) else "Error"
    return f"{word}: {error}\n".encode()
