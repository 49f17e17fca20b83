"""`ImageSearch`: images by what ObsCore says of them, as an ordinary query on `ivoa.obscore`.

What SIA 2.0 (IVOA REC 2015-12-23, section 2.1) and SIA 1.0 ask for: footprints that touch a region, intervals of
wavelength and time, words. Values of one kind are alternatives; different kinds hold all together. A parallel is no
great circle: a range of coordinates is searched as polygons whose corners are so close that no image is missed, and
that hold at most a few arcseconds more.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sqlglot import exp

from skydex.archive.intervals import Interval
from skydex.archive.requests import Upload
from skydex.errors import UnknownResourceError
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan, bind, build, make_plan
from skydex.query.tree import conjunction
from skydex.sky import Cone, Polygon, Range, Region
from skydex.tables import OBSCORE, Result, Table

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["Chosen", "ImageSearch", "Spanning", "Touch", "Words", "found_images", "obscore_table"]

_ROWS = "o"
_WIDEST_DEG = 45.0
"""A piece of a range is at most so wide and high."""
_STEP_DEG = 0.5
"""And its corners along a parallel are at most so far apart."""


class Touch(enum.Enum):
    """What a footprint must be to a region."""

    OVERLAPS = "OVERLAPS"
    """Have a place in common with it."""
    COVERS = "COVERS"
    """Hold all of it."""
    ENCLOSED = "ENCLOSED"
    """Lie in it."""


@dataclass(frozen=True)
class Spanning:
    """Values, or stretches of them, that have a place in common with one of several intervals."""

    low: str
    """Column of the lower end."""
    high: str
    """Column of the upper end; the same where the value is one number."""
    intervals: tuple[Interval, ...]
    """The intervals."""

    def condition(self) -> exp.Expression:
        return _any([self._meets(interval) for interval in self.intervals])

    def _meets(self, interval: Interval) -> exp.Expression:
        tests: list[exp.Expression] = []
        if math.isfinite(interval.high):
            tests.append(exp.LTE(this=build.column_node(self.low, _ROWS), expression=build.literal(interval.high)))
        if math.isfinite(interval.low):
            tests.append(exp.GTE(this=build.column_node(self.high, _ROWS), expression=build.literal(interval.low)))
        is_null = exp.Is(this=build.column_node(self.low, _ROWS), expression=exp.Null())
        return conjunction(tests or [exp.Not(this=is_null)])


@dataclass(frozen=True)
class Words:
    """Texts that are one of several, without regard to case."""

    column: str
    """Which."""
    words: tuple[str, ...]
    """What they may be, or have in them, with no `%` or `_` there."""
    is_part: bool = False
    """Whether it is enough that a text has the word in it."""

    def condition(self) -> exp.Expression:
        subject = build.column_node(self.column, _ROWS)
        if self.is_part:
            patterns = (build.literal(f"%{word}%") for word in self.words)
            return _any([exp.ILike(this=subject.copy(), expression=pattern) for pattern in patterns])
        words = [build.literal(word.lower()) for word in self.words]
        return exp.In(this=build.text_of(subject), expressions=words)


@dataclass(frozen=True)
class Chosen:
    """Whole numbers that are one of several."""

    column: str
    """Which."""
    numbers: tuple[int, ...]
    """What they may be."""

    def condition(self) -> exp.Expression:
        subject = build.column_node(self.column, _ROWS)
        return exp.In(this=subject, expressions=[build.literal(number) for number in self.numbers])


@dataclass(frozen=True)
class ImageSearch:
    """Images that somebody looks for."""

    regions: tuple[Region, ...] = ()
    """Where; none means everywhere."""
    touch: Touch = Touch.OVERLAPS
    """What footprints are to one of the regions."""
    facts: tuple[Spanning | Words | Chosen, ...] = ()
    """What else holds."""
    columns: tuple[str, ...] = ()
    """Columns of the answer, as far as there are such; none means all."""
    max_rows: int | None = None
    """Row limit; None for no limit."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """Make the tree, bind and plan it."""
        table = obscore_table(namespace)
        found = [table.find_column(name) for name in self.columns] if self.columns else table.columns
        outputs = [build.column_node(column.name, _ROWS) for column in found if column is not None]
        query = build.select_query(outputs, table, alias=_ROWS, conditions=list(self._conditions()))
        return make_plan(bind(query, namespace), self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)

    def _conditions(self) -> Iterator[exp.Expression]:
        yield from (fact.condition() for fact in self.facts)
        if self.regions:
            yield from _band(self.regions)
            yield _any([test for region in self.regions for test in self._tests(region)])

    def _tests(self, region: Region) -> Iterator[exp.Expression]:
        """Conditions of which one must hold."""
        footprint = build.column_node("s_region", _ROWS)
        if not isinstance(region, Range):
            yield _one(_TESTS[self.touch](_shape(region), footprint))
        elif region.width_deg >= 360.0 and region.dec_max - region.dec_min >= 180.0:
            yield exp.Not(this=exp.Is(this=footprint, expression=exp.Null()))
        else:
            for piece in _pieces(region):
                yield _one(_TESTS[self.touch](_shape(piece), footprint.copy()))


def found_images(archive: Archive, search: ImageSearch, deadline: Deadline | None) -> Iterator[dict[str, Any]]:
    """The rows of images that are found; none where there are no images at all."""
    if archive.namespace(owner=search.owner).find(OBSCORE) is None:
        return
    with archive.query(search, deadline) as result:
        for batch in result.batches:
            yield from batch.to_pylist()


def obscore_table(namespace: Namespace) -> Table:
    """The table of images.

    Raises
    ------
    UnknownResourceError
        There are no images, or none for who asks.
    """
    found = namespace.find(OBSCORE)
    if found is None:
        raise UnknownResourceError("collection of images: there is no table", OBSCORE)
    return found.table


_TESTS = {
    Touch.OVERLAPS: lambda shape, footprint: build.call("INTERSECTS", shape, footprint),
    Touch.COVERS: lambda shape, footprint: build.call("CONTAINS", shape, footprint),
    Touch.ENCLOSED: lambda shape, footprint: build.call("CONTAINS", footprint, shape),
}


def _band(regions: Sequence[Region]) -> Iterator[exp.Expression]:
    """The declinations at which images may lie that touch regions, which is quickly told."""
    cones = [region.bounding_cone for region in regions]
    low, high = min(c.dec_deg - c.radius_deg for c in cones), max(c.dec_deg + c.radius_deg for c in cones)
    centre, size = build.column_node("s_dec", _ROWS), build.column_node("s_fov", _ROWS)
    is_unknown = exp.Is(this=size, expression=exp.Null())
    if low > -90.0:
        north = exp.Add(this=centre, expression=size.copy())
        yield _any([is_unknown, exp.GTE(this=north, expression=build.literal(low))])
    if high < 90.0:
        south = exp.Sub(this=centre.copy(), expression=size.copy())
        yield _any([is_unknown.copy(), exp.LTE(this=south, expression=build.literal(high))])


def _one(call: exp.Expression) -> exp.Expression:
    return exp.EQ(this=call, expression=build.literal(1))


def _any(tests: Sequence[exp.Expression]) -> exp.Expression:
    return exp.Paren(this=conjunction(list(tests), exp.Or)) if len(tests) > 1 else tests[0]


def _shape(region: Region) -> exp.Expression:
    """A circle or a polygon as ADQL has it; a cone without a radius as a point, which is in what it touches."""
    if isinstance(region, Polygon):
        numbers = [number for vertex in zip(region.ra_deg, region.dec_deg, strict=True) for number in vertex]
        return build.call("POLYGON", *map(build.literal, numbers))
    assert isinstance(region, Cone), "there are no other regions"
    centre = (region.ra_deg, region.dec_deg)
    if region.radius_deg == 0.0:
        return build.call("POINT", *map(build.literal, centre))
    return build.call("CIRCLE", *map(build.literal, (*centre, region.radius_deg)))


def _pieces(region: Range) -> Iterator[Polygon]:
    """Polygons that hold a range together."""
    n_wide = max(1, math.ceil(region.width_deg / _WIDEST_DEG))
    n_high = max(1, math.ceil((region.dec_max - region.dec_min) / _WIDEST_DEG))
    width, height = region.width_deg / n_wide, (region.dec_max - region.dec_min) / n_high
    for i in range(n_wide):
        for k in range(n_high):
            yield _piece(region.ra_min + i * width, width, region.dec_min + k * height, height)


def _piece(ra_min: float, width: float, dec_min: float, height: float) -> Polygon:
    """A polygon around a small range; of no width or height it is made one of some milliarcseconds."""
    least = 1e-6
    width, height = max(width, least), max(height, least)
    low, high = max(dec_min, -90.0), min(dec_min + height, 90.0)
    low = min(low, high - least)
    n_steps = max(1, math.ceil(width / _STEP_DEG))
    ras = [ra_min + width * i / n_steps for i in range(n_steps + 1)]
    below = _edge(ras, low, outwards=-1)
    above = _edge(ras, high, outwards=1)
    corners = [*below, *reversed(above)]
    return Polygon(tuple(ra for ra, _ in corners), tuple(dec for _, dec in corners))


def _edge(ras: Sequence[float], dec: float, *, outwards: int) -> list[tuple[float, float]]:
    """Corners along a parallel; towards the equator they lie a little outside, where arcs bend to the pole."""
    if abs(dec) == 90.0:
        return [(ras[len(ras) // 2], dec)]
    step = math.radians(ras[1] - ras[0])
    bend = math.degrees(step**2 / 8.0 * abs(math.sin(2.0 * math.radians(dec))) / 2.0) * 1.01
    is_towards_equator = dec * outwards < 0.0
    return [(ra, dec + outwards * bend if is_towards_equator else dec) for ra in ras]
