"""What is asked of an archive, wherever it is: plain values, in degrees and pixels, that every door takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skydex.client.conditions import Condition
from skydex.sky import Cone
from skydex.tables import Result
from skydex.xmatch import Criteria

__all__ = ["CrossmatchOrder", "CurvesOrder", "CutoutOrder", "NamedPlace", "Query", "RowsOrder"]


@dataclass(frozen=True)
class NamedPlace:
    """Where an object is, and who says so."""

    ra_deg: float
    """ICRS."""
    dec_deg: float
    """ICRS."""
    name: str
    """The object, as the resolver writes it."""
    resolver: str
    """Who knew it."""


@dataclass(frozen=True)
class RowsOrder:
    """Rows of one table that keep some conditions."""

    table: str
    """As the archive names it: `schema.table`, or the word of a catalogue's service, such as `summary`."""
    columns: tuple[str, ...] = ()
    """Names, without regard to case; none for what the archive shows by itself."""
    condition: Condition | None = None
    """What the rows keep."""
    cone: Cone | None = None
    """Where they are."""
    sort_by: tuple[str, ...] = ()
    """Names of columns; with a leading minus, the greatest first."""
    max_rows: int | None = None
    """Row limit; None for that of the service."""


@dataclass(frozen=True)
class Query:
    """A query text."""

    text: str
    """As the user wrote it."""
    language: str = "ADQL"
    """As TAP's LANG names it."""
    max_rows: int | None = None
    """Row limit; None for that of the service."""
    uploads: Mapping[str, Result | Path] = field(default_factory=dict)
    """Tables that come along, by what the text calls them after `TAP_UPLOAD.`."""
    is_whole: bool = False
    """Whether, without a row limit, as many rows are wanted as the service gives at most."""


@dataclass(frozen=True)
class CrossmatchOrder:
    """Rows of tables that are near each other."""

    tables: tuple[str, ...]
    """As the archive names them, the first one first; those that come along begin with `TAP_UPLOAD.`."""
    criteria: Criteria
    """Which rows are partners, and which come out."""
    uploads: Mapping[str, Result | Path] = field(default_factory=dict)
    """Tables that come along, by what stands after `TAP_UPLOAD.`."""


@dataclass(frozen=True)
class CurvesOrder:
    """Measurements over time of objects; by what they are called, or by places of which the nearest one is meant."""

    table: str
    """Of the objects, or of their measurements."""
    ids: tuple[int | str, ...] = ()
    """What the table calls them."""
    places: tuple[tuple[float, float], ...] = ()
    """Right ascension and declination, ICRS, in degrees."""
    radius_deg: float = 1.0 / 3600.0
    """How far from its place an object may be."""


@dataclass(frozen=True)
class CutoutOrder:
    """A part of an image."""

    images: tuple[str, ...]
    """Name of the image, as its catalogue writes it; three, in the order red, green, blue, make a colour picture."""
    size: tuple[int, int]
    """Columns and rows, in pixels."""
    place: tuple[float, float] | None = None
    """Right ascension and declination of the centre, ICRS, in degrees."""
    pixel: tuple[float, float] | None = None
    """Column and row of the centre, from 0, if it is not given as a place."""
    form: str = "fits"
    """`fits`, `jpeg` or `png`."""
    look: Mapping[str, float | str | bool] = field(default_factory=dict)
    """How a picture is drawn, in the words of fitscut: `autoscale`, `asinh`, `zoom` and others."""
