"""Parts of data sets as SODA means them: one, or several for a job.

SODA 1.0 (IVOA REC 2017-05-17). A region says what a cutout has to cover (section 4): it is the rectangle of pixels
around the region, as far as the image reaches, and nothing in it is blanked out. The pixels and their header are
those of the file; nothing is resampled. An image is one interval of wavelengths and of time: BAND and TIME either
leave it as it is or leave nothing of it. A picture can have the levels of black and white of the same region in another
image, so that a star that varies does so in a row of pictures, too.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
from skydex.images import (
    MEDIA_TYPES,
    Box,
    Image,
    Levels,
    Look,
    Scale,
    Stretch,
    box_of,
    brightness,
    fits_chunks,
    gain_over,
    levels_of,
    render,
)
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
_MOST_LEVELS = 128
"""Parts of images whose levels are kept."""
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
    like: str | None = None
    """Identifier of the image whose levels a picture has; None for its own."""

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """The image, and that of its levels, unless ObsCore is asked about it, too."""
        if self.band is not None or self.time is not None:
            return None
        return tuple(images.get_did(did) for did in (self.did, self.like) if did is not None)

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
        look = _LOOK if self.like is None else self._look_of(self.like, archive, image)
        picture = _shown(archive, image, box, look, self.format, deadline)
        return Picture(MEDIA_TYPES[self.format], suffix, iter((picture,)), f"{name}{suffix}")

    def _look_of(self, like: str, archive: Archive, image: Image) -> Look:
        """The look with the levels that the region has in another image, in numbers of this one."""
        images = archive.images(self.owner)
        other = images.open(images.get_did(like))
        try:
            box = Box.whole(other.shape) if self.region is None else other.overlap(box_of(other, self.region))
        except NoOverlapError:
            raise BadParameterError("LIKE", f'names the image "{other.name}", which the region misses.') from None
        low, high = _levels_there(archive.most_pixels, other, box)
        gain = gain_over(image, other)
        return replace(_LOOK, low=(low * gain,), high=(high * gain,))

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


def _shown(archive: Archive, image: Image, box: Box, look: Look, format: str, deadline: Deadline | None) -> bytes:
    """A picture of a part of an image."""
    check = deadline.check if deadline else _no_check
    return render([_blocks(archive.most_pixels, image, box, check)], look, format)


@functools.lru_cache(_MOST_LEVELS)
def _levels_there(most_pixels: int, image: Image, box: Box) -> Levels:
    """Levels of a part of an image, kept, since all pictures of a row ask for the same."""
    return levels_of(_blocks(most_pixels, image, box), _LOOK)


def _no_check() -> None:
    """There is no limit of time."""


def _blocks(most_pixels: int, image: Image, box: Box, check: Callable[[], None] = _no_check) -> NDArray[np.float32]:
    """Pixels of a part of an image, or as many blocks of them as a picture may have."""
    if box.n_pixels > most_pixels:
        raise CutoutTooLargeError(box.shape, most_pixels)
    return brightness(image, box, shrink=max(1, math.ceil(math.sqrt(box.n_pixels / _MOST_SHOWN))), check=check)


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
