"""`render`: numbers become a picture, PNG or JPEG.

The top row of a picture is the last one of its image, where FITS has the largest y, so that what is up there is up
here. Coordinates of the sky travel along as FITS cards in the comment of the picture, where Aladin looks for them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import UnsupportedFormatError
from skydex.images.look import Look
from skydex.images.marks import Compass, draw_compass, draw_marker
from skydex.images.palettes import GRAY, palette_of
from skydex.images.resizing import resized
from skydex.images.stretches import stretched

if TYPE_CHECKING:
    from PIL.Image import Image as Drawing

__all__ = ["MEDIA_TYPES", "picture_of", "render"]

MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg"}
"""Formats of pictures."""

Band = NDArray[Any]


def render(
    bands: Sequence[Band | None], look: Look, format: str = "png", *, compass: Compass | None = None, comment: str = ""
) -> bytes:
    """Make a picture of one band, in grey or in the colours of a palette, or of red, green and blue.

    Parameters
    ----------
    bands : sequence of (ny, nx) arrays
        One, or red, green and blue, all of one shape; where green is missing (None) it is the mean of the others, and
        what else is missing is dark.
    look : Look
        How.
    format : str
        `png` or `jpeg`.
    compass : Compass, optional
        Where north and east are, if the look has a compass.
    comment : str, optional
        What the file says of itself.

    Raises
    ------
    UnsupportedFormatError
        There is no such format.
    """
    from PIL import Image as Pictures

    if format not in MEDIA_TYPES:
        raise UnsupportedFormatError(format, list(MEDIA_TYPES))
    drawing = Pictures.fromarray(picture_of(bands, look)).copy()  # that it may be drawn on
    if look.has_marker:
        draw_marker(drawing)
    if look.has_compass and compass is not None:
        draw_compass(drawing, compass)
    return _encoded(_colored(drawing, look), format, look.quality, comment)


def picture_of(bands: Sequence[Band | None], look: Look) -> NDArray[np.uint8]:
    """Grey of each pixel, (ny, nx), or red, green and blue, (ny, nx, 3); the first row is the uppermost."""
    given = [band for band in bands if band is not None]
    sized = [resized(band, look) for band in given] if look.resizes else given
    greys = iter(stretched(sized, look))
    if len(bands) == 1:
        return np.ascontiguousarray(next(greys)[::-1])
    channels = [None if band is None else next(greys) for band in bands]
    return np.ascontiguousarray(np.stack(_completed(channels), axis=-1)[::-1])


def _completed(channels: list[NDArray[np.uint8] | None]) -> list[NDArray[np.uint8]]:
    """Red, green and blue, none of them missing."""
    red, green, blue = channels
    if green is None and red is not None and blue is not None:
        green = ((red.astype(np.uint16) + blue) // 2).astype(np.uint8)
    dark = np.zeros(next(channel.shape for channel in channels if channel is not None), np.uint8)
    return [dark if channel is None else channel for channel in (red, green, blue)]


def _colored(drawing: Drawing, look: Look) -> Drawing:
    if drawing.mode != "L" or look.palette == GRAY:
        return drawing
    drawing.putpalette(palette_of(look.palette).tobytes())
    return drawing


def _encoded(drawing: Drawing, format: str, quality: int, comment: str) -> bytes:
    out = io.BytesIO()
    if format == "png":
        from PIL.PngImagePlugin import PngInfo

        facts = PngInfo()
        if comment:
            facts.add_text("Comment", comment)
        drawing.save(out, "PNG", pnginfo=facts)
    else:
        plain = drawing.convert("RGB") if drawing.mode == "P" else drawing
        plain.save(out, "JPEG", quality=quality, comment=comment.encode("ascii", "replace"))
    return out.getvalue()
