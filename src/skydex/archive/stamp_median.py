"""`StampMedianRequest`: what point sources usually look like, from cutouts of many; `skydex.images.median_stamp`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from skydex.archive.cutout_request import CutoutRequest
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import BadParameterError, NoOverlapError, UnknownImageError
from skydex.images import MEDIA_TYPES, Look, Stretch, median_stamp, render
from skydex.store import ImageRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skydex.archive.archive import Archive
    from skydex.archive.images import Images
    from skydex.engines import Deadline

__all__ = ["MOST_STAMPS", "StampMedianRequest"]

MOST_STAMPS = 100
"""Cutouts that one median is made of."""
_PEAK = 1e4
"""The brightest pixel of a picture: the logarithm of fitscut takes numbers for counts."""


@dataclass(frozen=True)
class StampMedianRequest(PictureRequest):
    """The median of cutouts of one size, as FITS or as a picture."""

    stamps: tuple[CutoutRequest, ...]
    """Of one image each; what cannot be cut does not count."""
    format: str = "fits"
    """`fits`, `png` or `jpeg`."""
    look: Look = field(default_factory=lambda: Look(stretch=Stretch.LOG))
    """How it is shown."""
    file_name: str = "median"
    """What a file of it may be called, without its ending."""

    def images_read(self, images: Images) -> Sequence[ImageRecord] | None:
        """Those of all cutouts that can be had."""
        return [record for stamp in self.stamps for record in _records(stamp, images)]

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Cut, put one on the other, and write."""
        cut = list(self._cut(archive, deadline))
        if not cut:
            raise BadParameterError("stamps", "are not there: none of these stars has one.")
        median = median_stamp([one for one in cut if one.shape == cut[0].shape])
        if self.format == "fits":
            return Picture("image/fits", ".fits", iter((median.fits(),)), f"{self.file_name}.fits")
        suffix = f".{self.format}".replace("jpeg", "jpg")
        counts = median.data * (_PEAK / max(float(np.nanmax(median.data, initial=0.0)), 1e-30))
        picture = render([counts.astype(np.float32)], self.look, self.format)
        return Picture(MEDIA_TYPES[self.format], suffix, iter((picture,)), f"{self.file_name}{suffix}")

    def _cut(self, archive: Archive, deadline: Deadline | None) -> Iterator[NDArray[np.float32]]:
        for stamp in self.stamps[:MOST_STAMPS]:
            if deadline is not None:
                deadline.check()
            try:
                yield stamp.numbers(archive, deadline)
            except (NoOverlapError, UnknownImageError):
                continue


def _records(stamp: CutoutRequest, images: Images) -> Sequence[ImageRecord]:
    try:
        return stamp.images_read(images) or ()
    except UnknownImageError:
        return ()
