"""`HlaImagesRequest`: images of Hubble of a place, each with the address of its cutout there.

What HLA's search (`hlaSIAP.cgi`) gives: a row for each image, or one for each visit in which several filters were
used, whose picture has their colours. What an image is, its name tells: proposal, visit, detector, filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import pyarrow as pa

from skydex.archive.image_search import ImageSearch, found_images
from skydex.archive.pictures import Picture, PictureRequest
from skydex.formats import get_format
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Result, arrow_schema

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["HlaImagesRequest"]

_NAME = re.compile(
    r"hst_(?P<proposal>\w+?)_(?P<visit>\w\w)_(?P<instrument>acs|wfc3|wfpc2|nicmos|stis)_"
    r"(?:(?P<detector>wfc|hrc|sbc|uvis|ir|nic[123]|nuv|fuv|ccd)_)?(?P<filter>\w+)"
)
_FORMAT = "votable/td"
_OBSCORE = ("obs_publisher_did", "s_ra", "s_dec", "t_min", "t_max", "t_exptime", "s_pixel_scale", "em_min")
_COLORS = ("red", "green", "blue")
_DAY_S = 86_400.0


def _text(name: str, ucd: str, description: str) -> Column:
    return Column(name, Datatype.CHAR, "*", ucd=ucd, description=description)


def _number(name: str, unit: str | None, ucd: str, description: str) -> Column:
    return Column(name, Datatype.DOUBLE, unit=unit, ucd=ucd, description=description)


_COLUMNS = (
    _text("Title", "VOX:Image_Title", "Name of the image, or of its visit and its filters"),
    _number("RA", "deg", "POS_EQ_RA_MAIN", "Right ascension of its middle, J2000"),
    _number("DEC", "deg", "POS_EQ_DEC_MAIN", "Declination of its middle, J2000"),
    _text("Detector", "INST_ID", "Instrument and detector"),
    _text("Spectral_Elt", "OBS_FILTER", "Filters, from red to blue"),
    _text("StartTime", "TIME_DATE", "When it was begun, UTC"),
    _text("StopTime", "TIME_DATE", "When it was ended, UTC"),
    _number("ExpTime", "s", "TIME_EXPTIME", "Exposure time"),
    _text("PropID", "ID_PROPOSAL", "Number of the proposal"),
    _text("VisitNum", "ID_VISIT", "Visit"),
    Column("NAXES", Datatype.INT, ucd="VOX:Image_Naxes", description="Number of axes"),
    _number("SCALE", "deg/pixel", "VOX:Image_Scale", "Size of a pixel"),
    _text("FORMAT", "VOX:Image_Format", "Media type of what is at the address"),
    _text("URL", "VOX:Image_AccessReference", "Where to get it"),
)


class _Exposure(NamedTuple):
    """An image, and what its name and its row say."""

    name: str
    words: dict[str, str]
    row: dict[str, Any]

    @property
    def visit(self) -> tuple[str, ...]:
        return tuple(self.words[key] for key in ("proposal", "visit", "instrument", "detector"))

    @property
    def filter(self) -> str:
        return self.words["filter"]


@dataclass(frozen=True)
class HlaImagesRequest(PictureRequest):
    """Images of a place; it answers with a table."""

    ra_deg: float
    """The place, ICRS."""
    dec_deg: float
    """The place, ICRS."""
    size_deg: float
    """Width of the region; 0 for images that hold the place."""
    url: str
    """Where cutouts are to be had."""
    options: tuple[tuple[str, str], ...] = ()
    """Parameters of the cutouts."""
    instrument: str = ""
    """Part of the name of the instrument or the detector, in small letters; empty for all."""
    filters: tuple[str, ...] = ()
    """Filters, in small letters: of a coloured picture all of them, from red to blue; none means all."""
    is_colored: bool = False
    """Whether the images of a visit are put together."""
    media_type: str = "image/jpeg"
    """What is at the addresses."""
    owner: str | None = None
    """Who asks; None for anybody."""

    def draw(self, archive: Archive, deadline: Deadline | None = None) -> Picture:
        """Search, and write the table."""
        found = [exposure for exposure in self._exposures(archive, deadline) if self._is_wanted(exposure)]
        rows = [self._row(group) for group in (self._visits(found) if self.is_colored else ([one] for one in found))]
        rows.sort(key=lambda row: (row["StartTime"] or "", row["Title"]))
        batch = pa.RecordBatch.from_pylist(rows, arrow_schema(_COLUMNS))
        form = get_format(_FORMAT)
        assert form.write is not None, "VOTables can be written"
        result = Result(_COLUMNS, iter([batch]), "images")
        return Picture(form.media_type, form.suffixes[0], form.write(result))

    def _exposures(self, archive: Archive, deadline: Deadline | None) -> Iterator[_Exposure]:
        cone = Cone(self.ra_deg, self.dec_deg, self.size_deg / 2.0)
        images = archive.images(self.owner)
        search = ImageSearch((cone,), columns=_OBSCORE, owner=self.owner)
        for row in found_images(archive, search, deadline):
            name = images.get_did(row["obs_publisher_did"]).name
            if found := _NAME.fullmatch(name):
                yield _Exposure(name, {key: word or "" for key, word in found.groupdict().items()}, row)

    def _is_wanted(self, exposure: _Exposure) -> bool:
        is_filter = not self.filters or exposure.filter in self.filters
        return is_filter and self.instrument in _detector(exposure).lower()

    def _visits(self, exposures: Iterable[_Exposure]) -> Iterator[list[_Exposure]]:
        """Images of each visit with all the filters that are wanted, from red to blue."""
        visits: dict[tuple[str, ...], dict[str, _Exposure]] = {}
        for exposure in exposures:
            visits.setdefault(exposure.visit, {})[exposure.filter] = exposure
        for of_filter in visits.values():
            if self.filters and all(name in of_filter for name in self.filters):
                yield _three([of_filter[name] for name in self.filters])
            elif not self.filters and len(of_filter) > 1:
                yield _three(sorted(of_filter.values(), key=lambda one: -(one.row["em_min"] or 0.0)))

    def _row(self, exposures: Sequence[_Exposure]) -> dict[str, Any]:
        first, rows = exposures[0], [exposure.row for exposure in exposures]
        names = [exposure.filter for exposure in exposures]
        title = first.name if len(exposures) == 1 else first.name.removesuffix(first.filter) + "_".join(names)
        return {
            "Title": title,
            "RA": first.row["s_ra"],
            "DEC": first.row["s_dec"],
            "Detector": _detector(first),
            "Spectral_Elt": "/".join(names).upper(),
            "StartTime": _moment(min((row["t_min"] for row in rows if row["t_min"] is not None), default=None)),
            "StopTime": _moment(max((row["t_max"] for row in rows if row["t_max"] is not None), default=None)),
            "ExpTime": sum(row["t_exptime"] or 0.0 for row in rows),
            "PropID": first.words["proposal"],
            "VisitNum": first.words["visit"],
            "NAXES": 2 if len(exposures) == 1 else 3,
            "SCALE": None if first.row["s_pixel_scale"] is None else first.row["s_pixel_scale"] / 3600.0,
            "FORMAT": self.media_type,
            "URL": self._address(exposures),
        }

    def _address(self, exposures: Sequence[_Exposure]) -> str:
        colors = _COLORS if len(exposures) != 2 else ("red", "blue")
        names = [(color, exposure.name) for color, exposure in zip(colors, exposures, strict=False)]
        place = [("ra", repr(self.ra_deg)), ("dec", repr(self.dec_deg))]
        return f"{self.url}?{urlencode([*names, *place, *self.options])}"


def _three(exposures: list[_Exposure]) -> list[_Exposure]:
    """At most three of them: the first, the middle and the last."""
    return exposures if len(exposures) <= 3 else [exposures[0], exposures[len(exposures) // 2], exposures[-1]]


def _detector(exposure: _Exposure) -> str:
    return "/".join(filter(None, (exposure.words["instrument"], exposure.words["detector"]))).upper()


def _moment(mjd: float | None) -> str | None:
    """A date and a time of day to the second."""
    if mjd is None:
        return None
    from datetime import datetime, timedelta

    return (datetime(1858, 11, 17) + timedelta(seconds=round(mjd * _DAY_S))).isoformat(sep=" ")
