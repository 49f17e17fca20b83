"""Images: open them, cut regions with their WCS, render them to FITS, PNG and JPEG."""

from skydex.images.image import Image
from skydex.images.look import Look, Scale, Stretch
from skydex.images.marks import Compass
from skydex.images.openers import Opener, open_pixels
from skydex.images.palettes import PALETTES
from skydex.images.pixels import Pixels
from skydex.images.render import MEDIA_TYPES, render
from skydex.images.resizing import Resizing, shrunk

__all__ = [
    "MEDIA_TYPES",
    "PALETTES",
    "Compass",
    "Image",
    "Look",
    "Opener",
    "Pixels",
    "Resizing",
    "Scale",
    "Stretch",
    "open_pixels",
    "render",
    "shrunk",
]
