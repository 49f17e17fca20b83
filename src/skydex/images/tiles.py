"""Tiles of HiPS: the pixels of images on the HEALPix grid.

HiPS 1.0 (IVOA REC 2017-05-19), section 4.2. Positions become pixels of an image by its own WCS: on a coarse grid of the
tile, between which they are interpolated as long as that is right to some hundredths of a pixel. Pixels are taken
linearly where those of the tile are as large, and where they are larger, means of blocks of pixels. An image that is
but a few pixels of the tile large is counted into them. Where images overlap, the mean of the first few is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skydex.errors import NoPositionError
from skydex.images.blocks import block_means
from skydex.images.hips_grid import TILE_ORDERS, TILE_WIDTH, Tile, places_of
from skydex.images.image import Image
from skydex.sky import Cone, pixels_of, separation_deg

__all__ = ["Layer", "tile_data"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Values = NDArray[np.float32]

_STEPS = (32, 8)
"""Widths of the grid on which positions are computed, each tried if the one before is not good enough."""
_STRIDE = 8
"""Width of the grid on which it is looked where a tile and an image meet."""
_WIDE_DEG = 60.0
"""Images that reach farther from their middle are looked up everywhere."""
_TOLERANCE = 0.03
"""Pixels of the image by which interpolated positions may be wrong."""
_SMALL = 16.0
"""An image that extends over fewer pixels of the tile is counted into them."""
_DENSITY = 4.0
"""Of such an image there are so many blocks, in each direction, for a pixel of the tile."""
_FEW = 1 << 18
"""And no more than so many of its pixels are looked at."""
_DEPTH = 4
"""Of more images at one place the others are not looked at."""


@dataclass(frozen=True)
class Layer:
    """An image that goes into a tile."""

    open: Callable[[], Image]
    """Gives it."""
    weight: float = 1.0
    """How much it counts."""
    rank: int = 0
    """Images of a rank are seen only where there are none of a higher one."""


def tile_data(tile: Tile, layers: Iterable[Layer], *, most_pixels: int) -> Values | None:
    """Make the pixels of a tile.

    Parameters
    ----------
    tile : Tile
        Which.
    layers : iterable of Layer
        The images that may touch it, of falling rank, and the best of a rank first: at each place four are enough.
    most_pixels : int
        How many pixels of one image are looked at; of a larger part some rows are taken.

    Returns
    -------
    values : (512, 512) float32 array, or None
        NaN where there is no image; None if there is none in all of it. Row 0 is the first of a FITS tile.
    """
    canvas = _Canvas()
    for layer in layers:
        canvas.begin(layer.rank)
        try:
            _paint(canvas, tile, layer, most_pixels)
        except NoPositionError:
            continue
    return canvas.values()


class _Canvas:
    """The tile as far as it is made: weighted sums, and sums of weights."""

    def __init__(self) -> None:
        self._rank: int | None = None
        self._done: Values | None = None
        self._sums = np.zeros(TILE_WIDTH * TILE_WIDTH)
        self._weights = np.zeros(TILE_WIDTH * TILE_WIDTH)
        self._depths = np.zeros(TILE_WIDTH * TILE_WIDTH, np.int8)

    def wants(self, places: Numbers) -> NDArray[np.bool_]:
        """At which places, numbers of pixels, a further image of this rank would count."""
        wanted = self._depths[places] < _DEPTH
        return wanted if self._done is None else wanted & ~np.isfinite(self._done[places])

    def begin(self, rank: int) -> None:
        """Go on with images of a rank."""
        if self._rank is not None and rank != self._rank:
            self._settle()
        self._rank = rank

    def add(self, places: Numbers, values: NDArray[np.float32], weight: float) -> None:
        """Add values at places, each of which may occur several times; the places are numbers of pixels."""
        is_known = np.isfinite(values)
        places, values = places[is_known], values[is_known]
        self._sums += np.bincount(places, values.astype(np.float64) * weight, TILE_WIDTH * TILE_WIDTH)
        counts = np.bincount(places, minlength=TILE_WIDTH * TILE_WIDTH)
        self._weights += counts * weight
        self._depths += counts > 0

    def values(self) -> Values | None:
        """The tile; None if it is empty."""
        self._settle()
        found = self._done
        return None if found is None or not np.isfinite(found).any() else found.reshape(TILE_WIDTH, TILE_WIDTH)

    def _settle(self) -> None:
        with np.errstate(invalid="ignore", divide="ignore"):
            made = (self._sums / self._weights).astype(np.float32)
        self._done = made if self._done is None else np.where(np.isfinite(self._done), self._done, made)
        self._sums[:] = self._weights[:] = 0.0
        self._depths[:] = 0


def _paint(canvas: _Canvas, tile: Tile, layer: Layer, most_pixels: int) -> None:
    image = layer.open()
    scale = image.scale_arcsec
    if not (scale > 0.0):
        raise NoPositionError(image.name)
    ratio = tile.scale_arcsec / scale
    if max(image.shape) < _SMALL * ratio:
        _count(canvas, tile, image, layer.weight, ratio, most_pixels)
    else:
        _interpolate(canvas, tile, image, layer.weight, ratio, most_pixels)


def _count(canvas: _Canvas, tile: Tile, image: Image, weight: float, ratio: float, most_pixels: int) -> None:
    """Count a small image into the pixels of the tile."""
    ny, nx = image.shape
    step = max(1, int(ratio / _DENSITY))
    rows, columns = np.indices((-(-ny // step), -(-nx // step)))
    y = np.minimum(rows * step + (step - 1) / 2.0, ny - 1.0)
    x = np.minimum(columns * step + (step - 1) / 2.0, nx - 1.0)
    ra, dec = image.positions_of(x.ravel(), y.ravel())
    cells = pixels_of(ra, dec, tile.order + TILE_ORDERS)
    here = np.flatnonzero((cells >> 2 * TILE_ORDERS) == tile.pixel)
    places = places_of(cells[here] & ((1 << 2 * TILE_ORDERS) - 1))
    if canvas.wants(places).any():
        means = block_means(image, (0, ny, 0, nx), step, min(most_pixels, _FEW))
        canvas.add(places, means.ravel()[here], weight)


def _interpolate(canvas: _Canvas, tile: Tile, image: Image, weight: float, ratio: float, most_pixels: int) -> None:
    """Look up the pixels of the tile in the image."""
    ny, nx = image.shape
    x, y = _pixels_in(tile, image)
    with np.errstate(invalid="ignore"):
        is_on = (x >= -0.5) & (x <= nx - 0.5) & (y >= -0.5) & (y <= ny - 0.5)
    places = np.flatnonzero(is_on)
    places = places[canvas.wants(places)]
    if not len(places):
        return
    x, y = x.ravel()[places], y.ravel()[places]
    step = max(1, int(ratio))
    box = (*_bounds(y, step, ny), *_bounds(x, step, nx))
    means = block_means(image, box, step, most_pixels)
    rows, columns = ((at - first + 0.5) / step - 0.5 for at, first in ((y, box[0]), (x, box[2])))
    canvas.add(places, _between(means, rows, columns), weight)


def _bounds(places: Floats, step: int, size: int) -> tuple[int, int]:
    """First and last + 1 of the pixels that are needed to interpolate, in whole blocks counted from 0."""
    low = max(0, int(places.min()) - step) // step * step
    high = min(size, -(-(int(places.max()) + 2 * step) // step) * step)
    return low, high


def _between(values: Values, rows: Floats, columns: Floats) -> Values:
    """Interpolate linearly; of neighbours without a value the others speak, if they have half the weight."""
    from scipy.ndimage import map_coordinates  # which only workers pay for

    at = np.stack([rows, columns])
    is_known = np.isfinite(values)
    if is_known.all():
        return np.asarray(map_coordinates(values, at, order=1, mode="nearest"), dtype=np.float32)
    sums = map_coordinates(np.where(is_known, values, 0.0), at, order=1, mode="nearest")
    weights = map_coordinates(is_known.astype(np.float32), at, order=1, mode="nearest")
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights >= 0.5, sums / weights, np.nan).astype(np.float32)


def _pixels_in(tile: Tile, image: Image) -> tuple[Floats, Floats]:
    """Where the pixels of a tile lie in an image, (512, 512) each; NaN for those that are not near it.

    Far from an image the inverse of its distortions takes long and means nothing.
    """
    whole = np.full((TILE_WIDTH, TILE_WIDTH), np.nan), np.full((TILE_WIDTH, TILE_WIDTH), np.nan)
    cone = _cone_of(image)
    part = _part_in(tile, cone)
    if part is None:
        return whole
    rows, columns = part
    found = next(filter(None, (_between_nodes(tile, image, part, step) for step in _STEPS)), None)
    x, y = found or _pixels_at(tile, image, rows, columns, cone)
    here = np.ix_(rows, columns)
    whole[0][here], whole[1][here] = x, y
    return whole


def _cone_of(image: Image) -> Cone | None:
    """A cone that holds an image; None if it reaches too far."""
    ny, nx = image.shape
    x, y = np.meshgrid(np.linspace(-0.5, nx - 0.5, 5), np.linspace(-0.5, ny - 0.5, 5))
    ra, dec = image.positions_of(x.ravel(), y.ravel())
    middle = x.size // 2
    radius = float(np.max(separation_deg(ra[middle], dec[middle], ra, dec)))
    return Cone(float(ra[middle]), float(dec[middle]), 1.05 * radius) if radius < _WIDE_DEG else None


def _part_in(tile: Tile, cone: Cone | None) -> tuple[Numbers, Numbers] | None:
    """Rows and columns of a tile that hold all its pixels in a cone; None if there are none."""
    every = np.arange(TILE_WIDTH)
    if cone is None:
        return every, every
    nodes = np.append(every[::_STRIDE], TILE_WIDTH - 1)
    ra, dec = tile.positions(*np.meshgrid(nodes, nodes, indexing="ij"))
    reach = cone.radius_deg + 2.0 * _STRIDE * tile.scale_arcsec / 3600.0
    rows, columns = np.nonzero(separation_deg(cone.ra_deg, cone.dec_deg, ra, dec) <= reach)
    if not len(rows):
        return None
    return every[nodes[rows.min()] : nodes[rows.max()] + 1], every[nodes[columns.min()] : nodes[columns.max()] + 1]


def _between_nodes(tile: Tile, image: Image, part: tuple[Numbers, Numbers], step: int) -> tuple[Floats, Floats] | None:
    """Pixel coordinates interpolated between the nodes of a grid; None if they are not good enough."""
    nodes = [np.append(numbers[:-1:step], numbers[-1]) for numbers in part]
    if min(map(len, nodes)) < 2:
        return None
    rows, columns = (_interpolation(at, numbers) for at, numbers in zip(nodes, part, strict=True))
    x, y = (rows @ values @ columns.T for values in _pixels_at(tile, image, nodes[0], nodes[1]))
    middles = [(at[1:] + at[:-1]) // 2 for at in nodes]
    true_x, true_y = _pixels_at(tile, image, middles[0], middles[1])
    here = np.ix_(middles[0] - part[0][0], middles[1] - part[1][0])
    is_on = _is_near(image, x[here], y[here]) | _is_near(image, true_x, true_y)
    errors = np.maximum(np.abs(x[here] - true_x), np.abs(y[here] - true_y))[is_on]
    return (x, y) if len(errors) and errors.max() <= _TOLERANCE else None  # NaN is no such error


def _is_near(image: Image, x: Floats, y: Floats) -> NDArray[np.bool_]:
    ny, nx = image.shape
    with np.errstate(invalid="ignore"):
        return np.asarray((x > -2.0) & (x < nx + 1.0) & (y > -2.0) & (y < ny + 1.0))


def _pixels_at(
    tile: Tile, image: Image, rows: Numbers, columns: Numbers, cone: Cone | None = None
) -> tuple[Floats, Floats]:
    """Pixel coordinates of these rows and columns, of those alone that lie in a cone."""
    ra, dec = tile.positions(*np.meshgrid(rows, columns, indexing="ij"))
    wanted = np.full(ra.shape, True) if cone is None else cone.contains(ra, dec)
    x, y = np.full(ra.shape, np.nan), np.full(ra.shape, np.nan)
    x[wanted], y[wanted] = image.pixels_of(ra[wanted], dec[wanted])
    return x, y


def _interpolation(nodes: Numbers, numbers: Numbers) -> Floats:
    """The matrix that makes of values at nodes those at all numbers, linearly."""
    return np.stack([np.interp(numbers, nodes, unit) for unit in np.eye(len(nodes))], axis=1)
