"""HiPS: requests for the maps of collections of images, and for their tiles, which are made when they are asked for.

HiPS 1.0 (IVOA REC 2017-05-19): tiles (section 4.1), `properties` (4.4.1), `Moc.fits` (4.4.2), `Allsky` (4.3.2), and the
list of all maps (5). Tiles that were made are kept on the disk for a while (`store.TileCache`). What a tile costs is
bounded: it looks at the images that touch it, and of each at so many pixels as its share of a fixed number.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skydex.archive.hips_maps import HipsMap, HipsMaps, hips_maps
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import SkydexError, UnknownResourceError
from skydex.images import (
    ALLSKY_ORDER,
    TILE_FORMATS,
    TILE_ORDERS,
    TILE_WIDTH,
    Layer,
    Tile,
    allsky_of,
    measured,
    tile_data,
    tile_file,
    tile_values,
)
from skydex.sky import coverage_as_fits, sky_fraction

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["AllskyRequest", "CoverageRequest", "HipsListRequest", "HipsRequest", "PropertiesRequest", "TileRequest"]

_MOST_PIXELS = 8 << 20
"""Pixels of images that one tile looks at."""
_LEAST_PIXELS = 1 << 12
"""And those of one image at least."""
_SAMPLES, _SAMPLE_SIDE = 8, 192
"""Images, and pixels along an edge of each, from which the levels of black and white are chosen."""
_BLACK, _WHITE = -1.0, 10.0
"""Levels of black and white, in scatters of the sky from its middle; white is higher where more is bright."""
_BRIGHT_PERCENT = 99.7
_PLAIN_CUT = (0.0, 1.0)
_FITS_TYPE = "application/fits"
_TEXT_TYPE = "text/plain; charset=utf-8"
_AUTHORITY = "ivo://skydex/hips"

Values = NDArray[np.float32]


@dataclass(frozen=True)
class HipsRequest(PictureRequest):
    """Something about a map."""

    collection: str
    """Which collection, in any case."""
    band: str | None = None
    """Which of its maps; None for the one that stands for it."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Find the map and answer."""
        maps = hips_maps(archive, self.collection, self.owner)
        return self.drawn(_Drawing(archive, maps, maps.get(self.band), self.owner, deadline))

    @abstractmethod
    def drawn(self, drawing: _Drawing) -> Picture:
        """Answer, now that the map is known."""


@dataclass(frozen=True)
class TileRequest(HipsRequest):
    """A tile."""

    order: int = ALLSKY_ORDER
    """Its HEALPix order."""
    pixel: int = 0
    """Its NESTED number."""
    format: str = "fits"
    """`fits`, `png` or `jpg`."""

    def drawn(self, drawing: _Drawing) -> Picture:
        name = f"Norder{self.order}/Npix{self.pixel}.{self.format}"
        if self.format not in TILE_FORMATS or not 0 <= self.order <= drawing.map.order or self.order > 29 - TILE_ORDERS:
            raise UnknownResourceError("tile", name)
        if not 0 <= self.pixel < 12 << 2 * self.order:
            raise UnknownResourceError("tile", name)
        file = drawing.tile(Tile(self.order, self.pixel), self.format)
        if file is None:
            raise UnknownResourceError("tile with an image in it", name)
        return _picture(file, TILE_FORMATS[self.format])


@dataclass(frozen=True)
class AllskyRequest(HipsRequest):
    """All tiles of order 3 in one picture."""

    format: str = "fits"
    """`fits`, `png` or `jpg`."""

    def drawn(self, drawing: _Drawing) -> Picture:
        if self.format not in TILE_FORMATS:
            raise UnknownResourceError("picture of the whole sky", f"Allsky.{self.format}")
        return _picture(drawing.allsky(self.format), TILE_FORMATS[self.format])


@dataclass(frozen=True)
class PropertiesRequest(HipsRequest):
    """What is said of a map."""

    address: str = ""
    """Where the collection is on the web; the map itself is there or one step below."""

    def drawn(self, drawing: _Drawing) -> Picture:
        is_main = self.band is None
        facts = drawing.facts(self.address, is_main=is_main) | drawing.looks()
        return _picture(_document([facts]), _TEXT_TYPE)


@dataclass(frozen=True)
class CoverageRequest(HipsRequest):
    """Where there are images, as a MOC."""

    is_whole: bool = False
    """Whether all images of the collection count, of whatever band."""

    def drawn(self, drawing: _Drawing) -> Picture:
        coverage = drawing.maps.coverage if self.is_whole else drawing.map.coverage
        return _picture(coverage_as_fits(coverage), _FITS_TYPE)


@dataclass(frozen=True)
class HipsListRequest(PictureRequest):
    """All maps of all collections."""

    address: str
    """Where collections are on the web, before their names."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        return _picture(_document(list(self._records(archive, deadline))), _TEXT_TYPE)

    def _records(self, archive: Archive, deadline: Deadline | None) -> Iterator[dict[str, str]]:
        for name in archive.images(self.owner).collections():
            try:
                maps = hips_maps(archive, name, self.owner)
            except SkydexError:
                continue  # none of its images lie on the sky
            for one in maps.maps.values():
                drawing = _Drawing(archive, maps, one, self.owner, deadline)
                yield drawing.facts(f"{self.address}/{name}", is_main=False)


@dataclass(frozen=True)
class _Drawing:
    """A map that is being looked at."""

    archive: Archive
    maps: HipsMaps
    map: HipsMap
    owner: str | None
    deadline: Deadline | None

    def tile(self, tile: Tile, format: str) -> bytes | None:
        """A tile as a file; None if there is nothing in it."""
        key = f"{self.map.version} {tile.order} {tile.pixel} {format}"
        kept = self.archive.tiles.find(key)
        if kept is not None:
            return kept
        values = self.values(tile) if format == "fits" else self._known(tile)
        if values is None:
            return None
        made = tile_file(values, format, _PLAIN_CUT if format == "fits" else self.cut(), tile=tile, about=self._about)
        self.archive.tiles.keep(key, made)
        return made

    def allsky(self, format: str) -> bytes:
        """All tiles of order 3, as far as there is something in them."""
        key = f"{self.map.version} Allsky {format}"
        kept = self.archive.tiles.find(key)
        if kept is not None:
            return kept
        found = {pixel: self._known(Tile(ALLSKY_ORDER, pixel)) for pixel in self._pixels()}
        whole = allsky_of({pixel: values for pixel, values in found.items() if values is not None})
        made = tile_file(whole, format, _PLAIN_CUT if format == "fits" else self.cut(), about=self._about)
        self.archive.tiles.keep(key, made)
        return made

    def values(self, tile: Tile) -> Values | None:
        """The numbers of a tile; None if there is nothing in it."""
        layers = self.map.layers(tile, self.archive.images(self.owner))
        most = max(_LEAST_PIXELS, _MOST_PIXELS // max(1, len(layers)))
        return tile_data(tile, self._timely(layers), most_pixels=most)

    def cut(self) -> tuple[float, float]:
        """Levels of black and white, the same for all tiles."""
        key = f"{self.map.version} levels"
        kept = self.archive.tiles.find(key)
        if kept is None:
            kept = " ".join(map(repr, self._levels())).encode()
            self.archive.tiles.keep(key, kept)
        low, high = map(float, kept.split())
        return low, high

    def facts(self, address: str, *, is_main: bool) -> dict[str, str]:
        """Keywords and values, in the order of the standard."""
        map, rows = self.map, self.map.rows
        pixel_deg = Tile(map.order, 0).scale_arcsec / 3600.0
        facts: dict[str, Any] = {
            "creator_did": f"{_AUTHORITY}/{map.collection}?{map.band}",
            "obs_collection": map.collection,
            "obs_title": f"{map.collection}: {map.label}",
            "obs_description": f"{map.about} A map of {len(rows)} of them, {map.label}; its tiles are made on demand.",
            "dataproduct_type": "image",
            "client_category": f"Image/{map.collection}",
            "hips_version": "1.4",
            "hips_builder": "skydex",
            "hips_release_date": _moment(map.published),
            "hips_creation_date": _moment(map.published),
            "hips_status": "public master clonableOnce",
            "hips_service_url": address if is_main else f"{address}/{map.band}",
            "hips_frame": "equatorial",
            "hips_order": map.order,
            "hips_order_min": 0,
            "hips_tile_width": TILE_WIDTH,
            "hips_tile_format": "png jpeg fits",
            "hips_pixel_bitpix": -32,
            "hips_pixel_scale": f"{pixel_deg:.6g}",
            "hips_initial_ra": f"{rows[0]['s_ra']:.6f}",
            "hips_initial_dec": f"{rows[0]['s_dec']:.6f}",
            "hips_initial_fov": f"{min(max(2.0 * rows[0]['s_fov'], 16.0 * pixel_deg), 180.0):.6g}",
            "s_pixel_scale": f"{(_least(rows, 's_pixel_scale') or 3600.0 * pixel_deg) / 3600.0:.6g}",
            "em_min": _least(rows, "em_min"),
            "em_max": _most(rows, "em_max"),
            "t_min": _least(rows, "t_min"),
            "t_max": _most(rows, "t_max"),
        }
        return {name: str(value) for name, value in facts.items() if value is not None}

    def looks(self) -> dict[str, str]:
        """Keywords and values for which images must be looked at."""
        low, high = self.cut()
        return {
            "hips_pixel_cut": f"{low:.6g} {high:.6g}",
            "moc_order": str(self.map.coverage.max_order),
            "moc_sky_fraction": f"{sky_fraction(self.map.coverage):.6g}",
        }

    @property
    def _about(self) -> str:
        return f"{self.map.collection}, {self.map.label}. {self.map.about}"

    def _known(self, tile: Tile) -> Values | None:
        """The numbers of a tile as its file in FITS has them, which is kept for the next format."""
        file = self.tile(tile, "fits")
        return None if file is None else tile_values(file)

    def _pixels(self) -> list[int]:
        """Tiles of order 3 in which there are images."""
        coverage = self.map.coverage.degrade_to_order(ALLSKY_ORDER)
        return [int(pixel) for pixel in coverage.flatten()]

    def _timely(self, layers: list[Layer]) -> Iterator[Layer]:
        for layer in layers:
            if self.deadline is not None:
                self.deadline.check()
            yield layer

    def _levels(self) -> tuple[float, float]:
        images, rows = self.archive.images(self.owner), self.map.rows
        parts = []
        for number in np.unique(np.linspace(0, len(rows) - 1, _SAMPLES).astype(np.int64)):
            image = images.open(images.get_did(rows[number]["obs_publisher_did"]))
            (y0, y1), (x0, x1) = (_middle(size) for size in image.shape)
            part = measured(image, y0, y1, x0, x1)
            parts.append(part[np.isfinite(part)].astype(np.float64))
        return _levels_of(np.concatenate(parts))


def _levels_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """Black a little below the sky, white where few pixels are brighter."""
    if not len(values):
        return _PLAIN_CUT
    sky = float(np.median(values))
    scatter = 1.4826 * float(np.median(np.abs(values - sky)))
    low = max(sky + _BLACK * scatter, float(values.min()))
    high = max(sky + _WHITE * scatter, float(np.percentile(values, _BRIGHT_PERCENT)))
    return (low, high) if high > low else (low, low + 1.0)


def _middle(size: int) -> tuple[int, int]:
    first = max(0, (size - _SAMPLE_SIDE) // 2)
    return first, min(size, first + _SAMPLE_SIDE)


def _least(rows: tuple[Any, ...], name: str) -> float | None:
    found = [row[name] for row in rows if row[name] is not None]
    return min(found) if found else None


def _most(rows: tuple[Any, ...], name: str) -> float | None:
    found = [row[name] for row in rows if row[name] is not None]
    return max(found) if found else None


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%MZ")


def _document(records: list[dict[str, str]]) -> bytes:
    """Records of keywords and values, with an empty line between two (HiPS 1.0, section 4.4.1)."""
    texts = ("".join(f"{name:<20} = {' '.join(value.split())}\n" for name, value in one.items()) for one in records)
    return "\n".join(texts).encode("utf-8", "replace")


def _picture(content: bytes, media_type: str) -> Picture:
    return Picture(media_type, "", iter([content]))
