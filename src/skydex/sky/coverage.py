"""Coverage: which part of the sky a catalogue has rows in, as a MOC.

MOC 2.0 (IVOA REC 2022-07-27), space MOCs in NESTED ICRS pixels. mocpy is imported on first use: with astropy behind
it, it takes half a second, which queries and clients need not spend.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import UnreadableFileError
from skydex.sky.pixels import MAX_ORDER
from skydex.sky.ranges import Ranges
from skydex.sky.regions import Cone, Polygon

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = [
    "cells_in_fits",
    "coverage_as_fits",
    "coverage_from_fits",
    "coverage_of_index29",
    "coverage_of_pixels",
    "coverage_of_regions",
    "coverage_ranges29",
    "coverage_to_fits",
    "sky_fraction",
]

Floats = NDArray[np.float64]
_PANIC = "PanicException"
"""What mocpy raises over a polygon that it cannot fill, such as a wide one that is twisted; no kind of `Exception`."""


def coverage_of_pixels(orders: ArrayLike, pixels: ArrayLike) -> MOC:
    """The MOC of pixels, each with its order (or one order for all), such as the partitions of a catalogue.

    Parameters
    ----------
    orders : (n,) array_like of int, or int
        HEALPix orders, 0 to 29.
    pixels : (n,) array_like of int
        NESTED pixel numbers.

    Returns
    -------
    coverage : MOC
        Of the finest order given, whether or not pixels of it can be joined.
    """
    from mocpy import MOC

    numbers = np.atleast_1d(np.asarray(pixels, dtype=np.uint64))
    depths = np.broadcast_to(np.asarray(orders, dtype=np.uint8), numbers.shape).copy()
    return MOC.from_healpix_cells(numbers, depths, int(np.max(orders, initial=0)))


def coverage_of_index29(index29: ArrayLike, order: int) -> MOC:
    """The MOC, at one order, of all pixels that hold a position; rows without one (index -1) do not count."""
    index = np.asarray(index29, dtype=np.int64)
    return coverage_of_pixels(order, np.unique(index[index >= 0] >> 2 * (MAX_ORDER - order)))


def coverage_of_regions(regions: Iterable[Cone | Polygon], order: int) -> MOC:
    """The MOC, at one order, of all pixels that circles and polygons touch."""
    from astropy.coordinates import Latitude, Longitude
    from mocpy import MOC

    given = list(regions)
    alike: dict[int, list[Floats]] = {}
    for region in given:
        if isinstance(region, Polygon):  # those of as many corners together: mocpy takes no others in one call
            alike.setdefault(len(region.ra_deg), []).extend((np.array(region.ra_deg), np.array(region.dec_deg)))
    cones = np.array([(c.ra_deg, c.dec_deg, c.radius_deg) for c in given if isinstance(c, Cone)]).reshape(-1, 3)
    parts = [MOC.new_empty(order)]
    for polygons in alike.values():
        parts += _of_polygons(polygons, order)
    if len(cones):
        lon, lat, radius = (cones[:, i] for i in range(3))
        places = (Longitude(lon, unit="deg"), Latitude(lat, unit="deg"), Longitude(radius, unit="deg"))
        parts += MOC.from_cones(*places[:2], radius=places[2], max_depth=order, n_threads=1)
    return parts[0].union(*parts)


def _of_polygons(vertices: list[Floats], order: int) -> list[MOC]:
    """MOCs of polygons, given as longitudes and latitudes in turn; those that cannot be filled are left out."""
    from mocpy import MOC

    try:
        return list(MOC.from_polygons(vertices, max_depth=order, n_threads=1))
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        if len(vertices) == 2:
            return []
        half = len(vertices) // 4 * 2
        return _of_polygons(vertices[:half], order) + _of_polygons(vertices[half:], order)


def coverage_ranges29(coverage: MOC) -> Ranges:
    """The order-29 pixels of a MOC, as merged half-open ranges."""
    return np.asarray(coverage.to_depth29_ranges, dtype=np.int64).reshape(-1, 2)


def coverage_to_fits(coverage: MOC, path: Path) -> None:
    """Write a MOC as FITS (MOC 2.0, NUNIQ), replacing what is there."""
    coverage.save(str(path), format="fits", overwrite=True)


def coverage_as_fits(coverage: MOC) -> bytes:
    """A MOC as the bytes of a FITS file (MOC 2.0, NUNIQ)."""
    out = io.BytesIO()
    coverage.serialize("fits").writeto(out)
    return out.getvalue()


def coverage_from_fits(path: Path) -> MOC:
    """Read a space MOC from a FITS file of MOC 1.1 or 2.0.

    Raises
    ------
    UnreadableFileError
        A file that is missing or damaged, or a MOC of time.
    """
    from mocpy import MOC

    try:
        return MOC.load(str(path), format="fits")
    except OSError as error:
        raise UnreadableFileError(path.name, f"{error}.") from error


def cells_in_fits(content: bytes, order: int) -> NDArray[np.int64]:
    """The pixels of an order that a space MOC touches, from the bytes of its FITS file, without mocpy.

    Parameters
    ----------
    content : bytes
        A file of MOC 1.1 (NUNIQ) or 2.0 (RANGE).
    order : int
        HEALPix order of the pixels that are wanted.

    Returns
    -------
    pixels : (n,) int64 array
        NESTED numbers, ascending, each once.

    Raises
    ------
    UnreadableFileError
        It is no such file.
    """
    try:
        _, start = _cards(content, 0)
        cards, start = _cards(content, start)
        width = int(cards["NAXIS1"])
        n_bytes = 4 if cards["TFORM1"].strip("' ").endswith("J") else 8
        numbers = np.frombuffer(content, f">i{n_bytes}", int(cards["NAXIS2"]) * width // n_bytes, start)
        is_ranges = cards["ORDERING"].strip("' ") == "RANGE"
    except (KeyError, ValueError) as error:
        raise UnreadableFileError("a coverage", f"{error}.") from error
    ranges = numbers.reshape(-1, 2).astype(np.int64) if is_ranges else _ranges_of_uniq(numbers.astype(np.int64))
    shift = 2 * (MAX_ORDER - order)
    first, last = ranges[:, 0] >> shift, (ranges[:, 1] - 1) >> shift
    n = last - first + 1
    starts = np.repeat(first - np.concatenate([np.zeros(1, np.int64), np.cumsum(n)[:-1]]), n)
    return np.unique(starts + np.arange(int(n.sum())))


def _cards(content: bytes, start: int) -> tuple[dict[str, str], int]:
    """The cards of a FITS header, and where it ends."""
    cards: dict[str, str] = {}
    for at in range(start, len(content), 80):
        card = content[at : at + 80].decode("ascii", "replace")
        if card.startswith("END "):
            return cards, start + -(-(at + 80 - start) // 2880) * 2880
        name, _, value = card.partition("=")
        cards[name.strip()] = value.partition("/")[0].strip()
    raise ValueError("a header has no end")


def _ranges_of_uniq(numbers: NDArray[np.int64]) -> Ranges:
    """Order-29 pixels, half-open, of cells that are numbered 4 x 4^order + pixel."""
    orders = (np.log2(numbers / 4.0) / 2.0).astype(np.int64)
    orders -= numbers < 4 << 2 * orders  # large numbers are rounded up
    shift = 2 * (MAX_ORDER - orders)
    pixels = numbers - (4 << 2 * orders)
    return np.stack([pixels << shift, (pixels + 1) << shift], axis=1)


def sky_fraction(coverage: MOC) -> float:
    """The part of the sky, 0 to 1, that a MOC covers."""
    return float(coverage.sky_fraction)
