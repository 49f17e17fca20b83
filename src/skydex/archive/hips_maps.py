"""`HipsMap`: the images of one band of a collection, as a map of the sky that is made where somebody looks.

What there is follows from the table of images: a map for each filter, or for each instrument and filter where several
instruments have a filter of the same name. The map with the most images stands for the collection.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skydex.archive.requests import Upload
from skydex.errors import SkydexError, UnknownResourceError, near_names
from skydex.formats import Format, get_format
from skydex.images import SIDE_DEG, TILE_WIDTH, Image, Layer, Tile
from skydex.query import Namespace, Plan, bind, build, make_plan, parse_regions
from skydex.sky import Cone, Polygon, coverage_of_regions, unit_vectors
from skydex.store import ImageRecord
from skydex.tables import Result

if TYPE_CHECKING:
    from mocpy import MOC

    from skydex.archive.archive import Archive
    from skydex.archive.images import Images

__all__ = ["HipsMap", "HipsMaps", "hips_maps"]

_COLUMNS = (
    "obs_publisher_did", "s_ra", "s_dec", "s_fov", "s_region", "s_pixel_scale", "s_xel1", "s_xel2", "filter",
    "instrument_name", "calib_level", "t_exptime", "t_min", "t_max", "em_min", "em_max", "bunit",
)  # fmt: skip
_ROWS = "i"
_NO_BAND = "all"
"""Name of the map of images of which no filter is known."""
_LEAST_ORDER, _MOST_ORDER = 3, 20
_COARSER = 0.2
"""Binary orders of magnitude by which pixels of the finest tiles may be larger than those of the images."""
_COVERAGE_FINER = 2
"""Orders by which the coverage is finer than the finest tiles, within these limits."""
_COVERAGE_ORDERS = (8, 14)
_MANNER = 3
"""Another number, when tiles are made in another way, makes those that are kept worthless."""
_MOST_IMAGES = 2000
"""Of more images in one tile some are left out, evenly."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _ImageRows:
    """The rows of a table of images that lie on the sky."""

    collection_name: str
    owner: str | None = None
    max_rows: ClassVar[int | None] = None
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        table = namespace.get(f"{self.collection_name}.images").table
        outputs = [build.column_node(name, _ROWS) for name in _COLUMNS]
        query = build.select_query(outputs, table, alias=_ROWS)
        return make_plan(bind(query, namespace))

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)


@dataclass(frozen=True)
class HipsMap:
    """A map."""

    collection: str
    """The collection."""
    band: str
    """Name of the map in the collection, fit for addresses."""
    label: str
    """What it is of, for people."""
    rows: tuple[Row, ...]
    """Its images: the best calibrated first, and of these the ones that were exposed longest."""
    published: float
    """When they were published, seconds since 1970."""
    about: str
    """What their table says of them."""

    @property
    def version(self) -> str:
        """Changes with its images."""
        return f"{_MANNER} {self.collection}/{self.band}@{self.published!r}/{len(self.rows)}"

    @cached_property
    def order(self) -> int:
        """Order of the finest tiles, whose pixels are about as large as the smallest ones of the images."""
        scales = [row["s_pixel_scale"] for row in self.rows if (row["s_pixel_scale"] or 0.0) > 0.0]
        if not scales:
            return _LEAST_ORDER
        order = math.ceil(math.log2(SIDE_DEG * 3600.0 / TILE_WIDTH / min(scales)) - _COARSER)
        return min(max(order, _LEAST_ORDER), _MOST_ORDER)

    @cached_property
    def coverage(self) -> MOC:
        """Where it has images."""
        return coverage_of_regions(_footprints(self.rows), coverage_order(self.order))

    def touching(self, tile: Tile) -> list[Row]:
        """The images that may touch a tile, the best calibrated first."""
        cone = tile.cone
        chords = np.linalg.norm(self._centres - unit_vectors(cone.ra_deg, cone.dec_deg)[:, None], axis=0)
        reach = np.minimum(self._radii + math.radians(cone.radius_deg), math.pi)
        found = np.flatnonzero(chords <= 2.0 * np.sin(reach / 2.0) + 1e-12)
        if len(found) > _MOST_IMAGES:
            found = found[np.linspace(0, len(found) - 1, _MOST_IMAGES).astype(np.int64)]
        return [self.rows[number] for number in found]

    def layers(self, tile: Tile, images: Images) -> list[Layer]:
        """The images that may touch a tile, each with its weight: its exposure time, where all have one."""
        rows = self.touching(tile)
        are_timed = all((row["t_exptime"] or 0.0) > 0.0 for row in rows)
        return [
            Layer(_opening(images, row), row["t_exptime"] if are_timed else 1.0, row["calib_level"] or 0)
            for row in rows
        ]

    @cached_property
    def _centres(self) -> NDArray[np.float64]:
        ra, dec = (np.array([row[name] for row in self.rows]) for name in ("s_ra", "s_dec"))
        return unit_vectors(ra, dec)

    @cached_property
    def _radii(self) -> NDArray[np.float64]:
        """Of circles around the centres that hold the images, which need not be the smallest such circles."""
        return np.radians([min(float(row["s_fov"]), 180.0) for row in self.rows])


class HipsMaps:
    """The maps of a collection.

    Parameters
    ----------
    collection : str
        Its name.
    maps : iterable of HipsMap
        At least one; the first one stands for the collection.
    """

    def __init__(self, collection: str, maps: Iterable[HipsMap]) -> None:
        self.collection = collection
        self.maps = {one.band: one for one in maps}

    @property
    def main(self) -> HipsMap:
        """The map that stands for the collection."""
        return next(iter(self.maps.values()))

    def get(self, band: str | None) -> HipsMap:
        """A map by its name, in any case.

        Raises
        ------
        UnknownResourceError
            There is no such map.
        """
        if band is None:
            return self.main
        found = next((one for name, one in self.maps.items() if name.lower() == band.lower()), None)
        if found is None:
            near = near_names(band[:80], self.maps) or list(self.maps)[:5]
            raise UnknownResourceError(f"map of {self.collection}", band[:80], near=near)
        return found

    @cached_property
    def coverage(self) -> MOC:
        """Where the collection has images."""
        every = (row for one in self.maps.values() for row in one.rows)
        return coverage_of_regions(_footprints(every), max(coverage_order(one.order) for one in self.maps.values()))


def hips_maps(archive: Archive, collection: str, owner: str | None) -> HipsMaps:
    """The maps of a collection that somebody may see, read once.

    Raises
    ------
    UnknownResourceError
        There is no such collection, or it has no images that lie on the sky.
    """
    images = archive.images(owner)
    names = {name.lower(): name for name in images.collections()}
    name = names.get(collection.lower())
    if name is None:
        raise UnknownResourceError("collection of images", collection[:80], near=near_names(collection[:80], names))
    published = images.published(name)

    def read() -> HipsMaps:
        return _read(archive, name, owner=owner, published=published)

    maps: HipsMaps = archive.published(owner).kept((HipsMaps, name, published), read)
    if not maps.maps:
        raise UnknownResourceError("map of the sky: nothing is known of where images lie in", name)
    return maps


def coverage_order(order: int) -> int:
    """The order at which the coverage of a map is given."""
    low, high = _COVERAGE_ORDERS
    return max(low, min(order + _COVERAGE_FINER, high))


def _read(archive: Archive, name: str, *, owner: str | None, published: float) -> HipsMaps:
    with archive.query(_ImageRows(name, owner)) as result:
        rows = [row for batch in result.batches for row in batch.to_pylist() if _lies_on_the_sky(row)]
    instruments: dict[str, set[str]] = {}
    for row in rows:
        instruments.setdefault(row["filter"] or "", set()).add(row["instrument_name"] or "")
    groups: dict[str, list[Row]] = {}
    for row in rows:
        label = row["filter"] or ""
        if len(instruments[label]) > 1:
            label = f"{row['instrument_name'] or ''} {label}"
        groups.setdefault(label.strip(), []).append(row)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    about = archive.published(owner).get(f"{name}.images").table.description
    return HipsMaps(name, _named(name, ordered, published=published, about=about))


def _named(
    collection: str, groups: Iterable[tuple[str, list[Row]]], *, published: float, about: str
) -> Iterator[HipsMap]:
    taken: set[str] = set()
    for label, rows in groups:
        stem = band = re.sub(r"[^A-Za-z0-9.+-]+", "_", label).strip("_.") or _NO_BAND
        number = 1
        while band.lower() in taken:
            number += 1
            band = f"{stem}_{number}"
        taken.add(band.lower())
        best_first = sorted(rows, key=lambda row: (-(row["calib_level"] or 0), -(row["t_exptime"] or 0.0)))
        yield HipsMap(collection, band, label or _NO_BAND, tuple(best_first), published, about)


def _lies_on_the_sky(row: Row) -> bool:
    return all(row[name] is not None for name in ("s_ra", "s_dec", "s_fov", "s_region"))


def _footprints(rows: Iterable[Row]) -> Iterator[Cone | Polygon]:
    for row in rows:
        try:
            yield from (outline.region() for outline in parse_regions(row["s_region"]))
        except SkydexError:
            continue  # an outline that is none: there is an image of which it is not known where it lies


def _opening(images: Images, row: Row) -> Any:
    def open_it() -> Image:
        record: ImageRecord = images.get_did(row["obs_publisher_did"])
        return images.open(record)

    return open_it
