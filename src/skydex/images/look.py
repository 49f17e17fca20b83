"""`Look`: how numbers become a picture, said in one value; carrying it out is the affair of `render`."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from skydex.errors import BadParameterError

__all__ = ["BAD_VALUE", "Look", "Scale", "Stretch"]

BAD_VALUE = 0.0
"""What drizzled images hold where nothing was measured; it has no part in choosing levels, nor in means of blocks."""
LEAST_ZOOM, MOST_ZOOM = 1e-9, 64.0
"""Below them an image is less than a pixel; beyond them a pixel is larger than what people look at."""


class Stretch(enum.StrEnum):
    """How brightness between two levels becomes grey."""

    LINEAR = "linear"
    SQRT = "sqrt"
    LOG = "log"
    ASINH = "asinh"
    """fitscut's: the bands are weighed together, so that hues stay."""
    LUPTON = "lupton"
    """Lupton et al. 2004, PASP 116, 133."""
    EQUALIZED = "histeq"
    """As many pixels of each grey as of any other."""


class Scale(enum.StrEnum):
    """How the levels of black and white are chosen."""

    MINMAX = "minmax"
    """The least and the largest number."""
    PERCENTILES = "percentiles"
    """fitscut's shares of the histogram."""
    ZSCALE = "zscale"
    """IRAF's, for faint things on a sky."""


@dataclass(frozen=True)
class Look:
    """How a picture is made of one image or of three."""

    stretch: Stretch = Stretch.LINEAR
    """From brightness to grey."""
    scale: Scale = Scale.MINMAX
    """Where the levels come from."""
    percent: tuple[float, float] = (0.5, 99.5)
    """Shares of the pixels below black, and below white, in percent."""
    low: tuple[float, ...] = ()
    """Level of black for all bands, or for each of them; of this and no other, if it is given."""
    high: tuple[float, ...] = ()
    """Level of white."""
    palette: str = "gray"
    """Colour table of a picture of one band."""
    is_inverted: bool = False
    """Dark stars on a bright sky."""
    zoom: float = 1.0
    """Pixels of the picture for one of the image: whole multiples, and blocks of whole numbers of pixels."""
    output_size: int | None = None
    """Longer side of the picture, in pixels, in place of a zoom."""
    has_marker: bool = False
    """Whether cross-hairs point at the middle."""
    has_compass: bool = False
    """Whether arrows point to north and, shorter, east; they need a position angle as well."""
    lupton_q: float = 8.0
    """Q of Lupton's stretch: how soon it bends."""
    lupton_stretch: float | None = None
    """Linear part of Lupton's stretch, in units of the images; by default such that their levels of white become so."""
    quality: int = 75
    """Quality of a JPEG, 1 to 95."""

    def __post_init__(self) -> None:
        if not LEAST_ZOOM <= self.zoom <= MOST_ZOOM:
            raise BadParameterError("zoom", f"must be a number from {LEAST_ZOOM:g} to {MOST_ZOOM:g}.")
        if self.output_size is not None and self.output_size < 1:
            raise BadParameterError("output_size", "must be at least 1.")
        if not 0.0 <= self.percent[0] < self.percent[1] <= 100.0:
            raise BadParameterError("autoscale", "must leave a part of the histogram between 0 and 100 percent.")
        if not 1 <= self.quality <= 95:
            raise BadParameterError("quality", "must be from 1 to 95.")

    @property
    def resizes(self) -> bool:
        """Whether the picture has another number of pixels than the image."""
        return self.output_size is not None or self.zoom != 1.0

    def at_size(self) -> Look:
        """The same for numbers that have the size of the picture already."""
        return replace(self, zoom=1.0, output_size=None)
