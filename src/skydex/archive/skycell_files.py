"""`SkycellFilesRequest`: which Pan-STARRS images hold some positions, by their file names.

Pan-STARRS divides the sky into projection cells and these into skycells, which overlap; of the skycells that hold a
position the one is given whose middle is nearest (Waters et al. 2020, ApJS 251, 4, section 5). A stack is the sum of
all epochs, a warp is one of them. The names of the files tell cell, kind, filter and, of a warp, time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skydex.archive.image_search import ImageSearch, found_images
from skydex.archive.pictures import Picture, PictureRequest
from skydex.errors import BadRegionError, RequestError
from skydex.query import parse_regions
from skydex.sky import Cone, Polygon, pixels_of, separation_deg

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["SKYCELL_FILE", "SkycellFilesRequest"]

SKYCELL_FILE = re.compile(
    r"rings\.v\d+\.skycell\.(?P<projcell>\d{1,4})\.(?P<subcell>\d{1,3})\.(?P<kind>stk|wrp)\.(?P<filter>[grizy])"
    r"(?:\.(?P<day>\d{5})_(?P<second>\d{1,5}))?(?:\.unconv)?(?:\.fits)?"
)
"""Name of a file: `rings.v3.skycell.1784.059.stk.i.unconv.fits`, `rings.v3.skycell.1784.059.wrp.g.55230_36441.fits`."""

_HEAD = "projcell subcell ra dec filter mjd type filename shortname badflag\n"
_TYPES = {"stk": "stack", "wrp": "warp"}
_TEXT = "text/plain; charset=utf-8"
_ORDER = 7
"""Positions in one HEALPix pixel of this order, half a degree wide, are looked up together."""
_MARGIN_DEG = 1e-4
_DAY_S = 86_400.0
_COLUMNS = ("obs_publisher_did", "s_ra", "s_dec", "s_region", "t_min")

Floats = NDArray[np.float64]


class _File(NamedTuple):
    """An image of a skycell."""

    projcell: int
    subcell: int
    kind: str
    filter: str
    mjd: float
    name: str
    footprint: Polygon
    ra_deg: float
    dec_deg: float

    @property
    def series(self) -> tuple[str, str]:
        return self.kind, self.filter

    @property
    def cell(self) -> tuple[int, int]:
        return self.projcell, self.subcell

    def line(self, ra_deg: float, dec_deg: float) -> str:
        folder = f"{self.projcell:04d}/{self.subcell:03d}"
        facts = (self.projcell, self.subcell, ra_deg, dec_deg, self.filter, self.mjd, self.kind)
        path = f"/{self.name.partition('.skycell.')[0]}.skycell/{folder}/{self.name}"
        return " ".join(map(str, (*facts, path, self.name, 0))) + "\n"


@dataclass(frozen=True)
class SkycellFilesRequest(PictureRequest):
    """The files of some positions, as a table in text."""

    positions: tuple[tuple[float, float], ...]
    """Right ascension and declination of each, ICRS, degrees."""
    filters: str = "grizy"
    """Letters of the filters."""
    types: tuple[str, ...] = ("stack",)
    """`stack`, `warp`."""
    cells: tuple[tuple[int, int], ...] = ()
    """Projection cell and skycell of those that are wanted; none means the best one for each position."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Look the files up."""
        lines = self._lines(archive, deadline) if self.positions else iter(())
        text = _HEAD + "".join(lines)
        return Picture(_TEXT, ".txt", iter((text.encode(),)))

    def _lines(self, archive: Archive, deadline: Deadline | None) -> Iterator[str]:
        """A line for each position and file, position by position."""
        ra, dec = np.array(self.positions).T
        lines: list[list[str]] = [[] for _ in self.positions]
        groups = pixels_of(ra, dec, _ORDER)
        for group in np.unique(groups):
            if deadline:
                deadline.check()
            places = np.flatnonzero(groups == group)
            files = self._files(archive, ra[places], dec[places], deadline)
            held = np.array([file.footprint.contains(ra[places], dec[places]) for file in files], bool)
            for column, place in enumerate(places):
                found = [file for file, is_held in zip(files, held, strict=True) if is_held[column]]
                lines[place] = [file.line(*self.positions[place]) for file in self._best(found, ra[place], dec[place])]
        for of_place in lines:
            yield from of_place

    def _files(self, archive: Archive, ra: Floats, dec: Floats, deadline: Deadline | None) -> list[_File]:
        """Images that may hold some positions which lie together."""
        far = float(np.max(separation_deg(ra[0], dec[0], ra, dec)))
        search = ImageSearch((Cone(ra[0], dec[0], far + _MARGIN_DEG),), columns=_COLUMNS, owner=self.owner)
        rows = list(found_images(archive, search, deadline))
        images = archive.images(self.owner)
        found = (_file(images.get_did(row["obs_publisher_did"]).name, row) for row in rows)
        return [file for file in found if file is not None and self._is_wanted(file)]

    def _is_wanted(self, file: _File) -> bool:
        is_cell = not self.cells or file.cell in self.cells
        return file.kind in self.types and file.filter in self.filters and is_cell

    def _best(self, files: Sequence[_File], ra_deg: float, dec_deg: float) -> list[_File]:
        """Of each kind and filter those of one skycell, unless skycells were chosen."""
        if self.cells:
            return sorted(files, key=_order)
        nearest: dict[tuple[str, str], tuple[float, tuple[int, int]]] = {}
        for file in files:
            far = float(separation_deg(ra_deg, dec_deg, file.ra_deg, file.dec_deg))
            nearest[file.series] = min(nearest.get(file.series, (np.inf, file.cell)), (far, file.cell))
        return sorted((file for file in files if nearest[file.series][1] == file.cell), key=_order)


def _order(file: _File) -> tuple[Any, ...]:
    return file.kind, "grizy".index(file.filter), file.mjd, file.name


def _file(name: str, row: dict[str, Any]) -> _File | None:
    """What a name says; None if it is no such name, or if nobody knows where the image lies."""
    found = SKYCELL_FILE.fullmatch(name.removesuffix(".fits"))
    footprint = _footprint(row["s_region"])
    if found is None or footprint is None:
        return None
    kind = _TYPES[found["kind"]]
    mjd = 0.0
    if kind == "warp":
        mjd = int(found["day"]) + int(found["second"]) / _DAY_S if found["day"] else row["t_min"] or 0.0
    file_name = f"{name.removesuffix('.fits')}.fits"
    cell = int(found["projcell"]), int(found["subcell"])
    return _File(*cell, kind, found["filter"], mjd, file_name, footprint, row["s_ra"], row["s_dec"])


def _footprint(text: str | None) -> Polygon | None:
    try:
        outline = parse_regions(text or "")[0].region()
    except (RequestError, BadRegionError):
        return None
    return outline if isinstance(outline, Polygon) else None
