"""Images: open them, cut regions with their WCS, render them to FITS, PNG and JPEG."""

from skydex.images.image import Image
from skydex.images.openers import Opener, open_pixels
from skydex.images.pixels import Pixels

__all__ = ["Image", "Opener", "Pixels", "open_pixels"]
