"""`Points`: measurements of objects that are known, read some hundred objects at a time, in the columns of an answer.

What is asked, and which objects that means, is the affair of `light_curves`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.lightcurve import LightCurve, Roles
from skydex.lightcurve.holdings import Holding
from skydex.query import Namespace, Plan, bind, build, make_plan
from skydex.sky import unit_vectors
from skydex.tables import Column, Datatype, Result

__all__ = ["ALIAS", "KEYS_AT_ONCE", "Points", "Run", "Wanted", "batches", "curve_of", "is_among", "numbers_of"]

Run = Callable[[Plan], Result]
KEYS_AT_ONCE = 500
"""Objects whose measurements are read together: a few thousand rows of a survey, and less than a MB."""
ALIAS = "t"
"""What tables are called in queries."""
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_PLAIN_UNITS = (None, "", "d", "mag", "Jy")
_OBJECT_COLUMNS = (
    Column("object_id", Datatype.LONG, ucd="meta.id;meta.main", description="What the catalogue calls the object"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main", description="Where it is, ICRS"),
    Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main", description="Where it is, ICRS"),
)
_ASKED_COLUMNS = (
    Column("asked", Datatype.LONG, ucd="meta.number", description="Number of the place that was asked for, from 1"),
    Column("distance", Datatype.DOUBLE, unit="arcsec", ucd="pos.angDistance", description="How far from it"),
)


@dataclass(frozen=True)
class Wanted:
    """The objects of an answer, sorted."""

    keys: pa.Array
    """(n,) identifiers, ascending; the same one twice if two places have it."""
    ra: _Floats
    dec: _Floats
    key_column: Column
    asked: _Ints | None = None
    """(n,) numbers of places, if places were asked."""
    distance: _Floats | None = None
    """(n,) arcsec."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the answer that are about the objects."""
        first = replace(_OBJECT_COLUMNS[0], datatype=self.key_column.datatype, arraysize=self.key_column.arraysize)
        return (first, *_OBJECT_COLUMNS[1:], *(_ASKED_COLUMNS if self.asked is not None else ()))

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, end: int) -> Wanted:
        """Some of them, by their places."""
        cut = slice(start, end)
        asked = None if self.asked is None else self.asked[cut]
        distance = None if self.distance is None else self.distance[cut]
        return replace(
            self,
            keys=self.keys.slice(start, end - start),
            ra=self.ra[cut],
            dec=self.dec[cut],
            asked=asked,
            distance=distance,
        )


@dataclass(frozen=True)
class Points:
    """How measurements are read, and in which columns they are given."""

    holding: Holding
    namespace: Namespace
    asked_bands: tuple[str, ...] = ()
    """Only measurements in these count; all if there are none."""
    is_good: bool = False
    """Whether only those count that the catalogue's makers recommend to keep."""

    @property
    def roles(self) -> Roles:
        return self.holding.roles

    @property
    def position(self) -> tuple[str, ...]:
        """Columns of positions, if the measurements say where objects are."""
        if self.holding.position is None or self.holding.position[0] is not self.holding.points:
            return ()
        return self.holding.position[1:]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are read; that of the object is the first."""
        roles = self.roles
        image = (self.holding.image,) if self.holding.image else ()
        return tuple(dict.fromkeys((roles.object, *roles.columns, *image, *self.position)))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the answer after those of the object; the first is that of the time."""
        roles, points = self.roles, self.holding.points
        scale = f", {roles.time_scale.upper()}" if roles.time_scale else ""
        found = [
            Column(
                "time",
                Datatype.DOUBLE,
                unit="d",
                ucd="time.epoch",
                description=f"When: days, {roles.time_format.upper()}{scale} ({roles.time})",
            )
        ]
        if roles.band:
            found.append(Column("band", Datatype.CHAR, "32*", ucd="meta.id;instr.filter", description="Band"))
        of = roles.mag or f"AB, of {roles.flux}"
        found.append(Column("mag", Datatype.DOUBLE, unit="mag", ucd="phot.mag", description=f"Magnitude ({of})"))
        words = "Its error, one sigma"
        found.append(Column("mag_err", Datatype.DOUBLE, unit="mag", ucd="stat.error;phot.mag", description=words))
        if roles.flux:
            unit = points.get_column(roles.flux).unit or "Jy"
            unit = "Jy" if _is_jansky(unit) else unit
            about = f"Flux ({roles.flux})"
            found.append(Column("flux", Datatype.DOUBLE, unit=unit, ucd="phot.flux", description=about))
            found.append(Column("flux_err", Datatype.DOUBLE, unit=unit, ucd="stat.error;phot.flux", description=words))
        if roles.quality:
            rule = f"; {roles.good.operator} {roles.good.value:g} is good" if roles.good else ""
            about = f"What the catalogue says of it ({roles.quality}{rule})"
            found.append(Column("quality", Datatype.DOUBLE, ucd="meta.code.qual", description=about))
        if self.holding.image:
            image = points.get_column(self.holding.image)
            found.append(replace(image, name="image", description=image.description or "The image it is from"))
        return tuple(found)

    def plan(self, keys: pa.Array) -> Plan:
        """What reads the measurements of some objects."""
        outputs = [build.column_node(name, ALIAS) for name in self.names]
        condition = is_among(self.roles.object, keys)
        query = build.select_query(outputs, self.holding.points, alias=ALIAS, conditions=[condition])
        return make_plan(bind(query, self.namespace))

    def curve(self, rows: pa.Table) -> LightCurve:
        """All rows as arrays, in their order; without bands."""
        names = {getattr(self.roles, role) for role in ("time", "mag", "mag_err", "flux", "flux_err", "quality")}
        values = {name: self._with_unit(rows, name) for name in names if name}
        return LightCurve.in_given_order(**replace(self.roles, object="", band="", camera="").points(values))

    def _with_unit(self, rows: pa.Table, name: str) -> Any:
        numbers = numbers_of(rows.column(name))
        unit = self.holding.points.get_column(name).unit
        if unit in _PLAIN_UNITS:
            return numbers
        from astropy.table import Column as UnitColumn

        return UnitColumn(numbers, unit=unit)

    def bands(self, rows: pa.Table) -> tuple[_Ints, list[str]]:
        """The band of each row as a number, and the names."""
        codes, labels = _coded(rows.column(self.roles.band))
        cameras: list[str] | None = None
        if self.roles.camera:
            of_camera, cameras = _coded(rows.column(self.roles.camera))
            codes = codes * max(len(cameras), 1) + of_camera
        different, place = np.unique(codes, return_inverse=True)
        n = max(len(cameras), 1) if cameras is not None else 1
        band = np.array([labels[code // n] for code in different.tolist()], dtype=np.str_)
        camera = np.array([cameras[code % n] for code in different.tolist()], dtype=np.str_) if cameras else None
        return np.asarray(place, dtype=np.int64), self.roles.named_bands(band, camera).tolist()


def _coded(values: pa.ChunkedArray) -> tuple[_Ints, list[str]]:
    """Labels as numbers, and what they stand for."""
    coded = values.combine_chunks().dictionary_encode()
    labels = [*("" if one is None else str(one).strip() for one in coded.dictionary.to_pylist()), ""]
    indices = coded.indices.fill_null(len(labels) - 1)
    return indices.to_numpy(zero_copy_only=False).astype(np.int64), labels


def is_among(name: str, keys: pa.Array) -> exp.Expression:
    """The condition that a column has one of several values."""
    column = build.column_node(name, ALIAS)
    values = [build.literal(key) for key in keys.to_pylist()]
    if len(values) == 1:
        return exp.EQ(this=column, expression=values[0])
    return exp.In(this=column, expressions=values)


def batches(wanted: Wanted, points: Points, run: Run, schema: pa.Schema, *, is_flat: bool) -> Iterator[pa.RecordBatch]:
    """The measurements of all objects, read as they are taken out."""
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        part = wanted.part(start, min(start + KEYS_AT_ONCE, len(wanted)))
        keys = part.keys.unique()
        with run(points.plan(keys)) as result:
            rows = pa.Table.from_batches(list(result.batches), result.schema)
        yield _batch(part, keys, points, rows, schema, is_flat=is_flat)


def _batch(
    part: Wanted, keys: pa.Array, points: Points, rows: pa.Table, schema: pa.Schema, *, is_flat: bool
) -> pa.RecordBatch:
    """The measurements of some objects, sorted."""
    curve = points.curve(rows)
    owner = pc.index_in(rows.column(0).combine_chunks().cast(keys.type), value_set=keys).to_numpy(zero_copy_only=False)
    codes, labels = points.bands(rows) if points.roles.band else (np.zeros(len(rows), dtype=np.int64), [""])
    kept = np.flatnonzero(_is_kept(points, curve, codes, labels))
    order = kept[np.lexsort((curve.time[kept], owner[kept]))]
    counts = np.bincount(owner[order].astype(np.int64), minlength=len(keys))
    place = pc.index_in(part.keys, value_set=keys).to_numpy(zero_copy_only=False)
    index, whose = _spread(place, counts, order, is_flat=is_flat)
    part = _placed(part, keys, points, rows, owner)
    empty = index < 0
    of_object = [part.keys, part.ra, part.dec] + ([part.asked, part.distance] if part.asked is not None else [])
    values: dict[str, Any] = {
        "time": curve.time,
        "mag": curve.mag,
        "mag_err": curve.mag_err,
        "flux": curve.flux,
        "flux_err": curve.flux_err,
        "quality": curve.quality,
    }
    arrays = [_taken(column, whose) for column in of_object]
    for field in schema.names[len(arrays) :]:
        if field == "band":
            code = codes[index] if len(codes) else index
            arrays.append(pa.array(labels, pa.string()).take(pa.array(code, mask=empty)))
        elif field == "image":
            arrays.append(rows.column(points.holding.image).combine_chunks().take(pa.array(index, mask=empty)))
        else:
            numbers = values[field]
            chosen = numbers[index] if len(numbers) else np.full(len(index), np.nan)
            arrays.append(pa.array(chosen, mask=empty | np.isnan(chosen)))
    return pa.RecordBatch.from_arrays(
        [array.cast(kind.type) for array, kind in zip(arrays, schema, strict=True)], schema=schema
    )


def _is_kept(points: Points, curve: LightCurve, codes: _Ints, labels: list[str]) -> NDArray[np.bool_]:
    kept = curve.is_measured
    if points.is_good and points.roles.good is not None:
        kept = kept & points.roles.good.holds(curve.quality)
    if points.asked_bands:
        asked = {band.lower() for band in points.asked_bands}
        names = [label.lower() for label in labels]
        is_asked = np.array([name in asked or name.rpartition("_")[2] in asked for name in names], dtype=bool)
        kept = kept & (is_asked[codes] if len(codes) else True)
    return np.asarray(kept)


def _spread(place: Any, counts: _Ints, order: _Ints, *, is_flat: bool) -> tuple[_Ints, _Ints]:
    """Rows of each object one after the other, -1 for one that has none, and the number of the object of each."""
    starts = np.concatenate([[0], np.cumsum(counts)])
    n_points = counts[place]
    n_rows = n_points if is_flat else np.maximum(n_points, 1)
    whose = np.repeat(np.arange(len(place)), n_rows)
    within = np.arange(len(whose)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
    is_empty = n_points[whose] == 0
    source = np.where(is_empty, 0, starts[place[whose]] + within)
    return np.where(is_empty, -1, order[source] if len(order) else -1), whose


def _placed(part: Wanted, keys: pa.Array, points: Points, rows: pa.Table, owner: Any) -> Wanted:
    """The objects with places, where only their measurements say where they are."""
    if not points.position or not len(rows) or np.isfinite(part.ra).all():
        return part
    ra, dec = (numbers_of(rows.column(name)) for name in points.position)
    is_known = np.isfinite(ra) & np.isfinite(dec)
    vectors = unit_vectors(ra[is_known], dec[is_known])
    whose = owner[is_known].astype(np.int64)
    x, y, z = (np.bincount(whose, one, minlength=len(keys)) for one in vectors)
    with np.errstate(invalid="ignore"):
        length = np.sqrt(x * x + y * y + z * z)
        found_ra = np.degrees(np.arctan2(y, x)) % 360.0
        found_dec = np.degrees(np.arcsin(np.where(length > 0.0, z / length, np.nan)))
    found_ra[length == 0.0] = np.nan
    place = pc.index_in(part.keys, value_set=keys).to_numpy(zero_copy_only=False)
    return replace(part, ra=found_ra[place], dec=found_dec[place])


def _taken(values: Any, whose: _Ints) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.take(pa.array(whose))
    chosen = values[whose]
    return pa.array(chosen, mask=np.isnan(chosen)) if chosen.dtype.kind == "f" else pa.array(chosen)


def numbers_of(values: pa.ChunkedArray) -> _Floats:
    """Values as float64, NaN for nulls."""
    return np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _is_jansky(unit: str) -> bool:
    """Whether a flux in a unit is given in Jy."""
    if unit == "Jy":
        return True
    from astropy import units as u

    known = u.Unit(unit, parse_strict="silent")
    return not isinstance(known, u.UnrecognizedUnit) and bool(known.is_equivalent("Jy"))


def curve_of(rows: Result, name: str = "") -> LightCurve:
    """The light curve of an answer that has the measurements of one object as its rows."""
    told, table = dict(rows.infos), rows.to_arrow()
    names = [known for known in ("mag", "mag_err", "flux", "flux_err", "quality") if known in table.column_names]
    values: dict[str, Any] = {known: numbers_of(table.column(known)) for known in names}
    codes, labels = _coded(table.column("band")) if "band" in table.column_names else (None, [])
    return LightCurve.of_points(
        numbers_of(table.column("time")),
        **values,
        band="" if codes is None else np.array(labels, dtype=np.str_)[codes],
        name=name,
        time_format=told["time_format"],
        time_scale=told.get("time_scale", ""),
    )
