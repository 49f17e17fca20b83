"""`ImageLimits`: how large a FITS file may claim to be; checked before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ImageLimits"]


@dataclass(frozen=True)
class ImageLimits:
    """What an image file may be like."""

    header_mb: int = 16
    """Size of the header of one HDU, in MB."""
    headers_mb: int = 64
    """Size of all headers of one file, in MB: a file that is packed may have any number of them."""
    n_hdus: int = 10_000
    """HDUs of one file."""
    side: int = 10_000_000
    """Columns, or rows, of one image."""
    tile_mpix: int = 64
    """Pixels of one tile of a tile-compressed image, in millions: all of a tile is unpacked for one pixel of it."""
    unpacked_mb: int = 2048
    """Size of a file that is compressed as a whole (gzip, bzip2), when it is unpacked, in MB."""
