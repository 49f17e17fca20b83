"""`LightCurvesRequest`: the measurements of many objects over time, in one answer.

Objects are named by their identifiers, by places of which the nearest object is meant, or by a table that comes along
with either. Where the measurements are, `skydex.lightcurve.holdings` knows; every table is answered in the same
columns. An answer is sorted by object and time: in formats that can hold lists a row for each object, in others a row
for each measurement. It is read some hundred objects at a time, and sent as it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.archive.requests import ComposedRequest, Upload
from skydex.archive.uploads import TAP_UPLOAD
from skydex.errors import BadParameterError, NoPositionError, QueryTooLargeError
from skydex.formats import Format, get_format
from skydex.formats.nested import NESTING, nested_format
from skydex.lightcurve import LightCurve, Roles
from skydex.lightcurve.holdings import Holding, find_holding
from skydex.query import Namespace, Plan, Relation, bind, build, make_plan
from skydex.sky import Cone, unit_vectors
from skydex.tables import Column, Datatype, Position, Result, Table, arrow_schema, limited

__all__ = ["LARGEST_RADIUS_DEG", "LightCurvesRequest", "curve_of"]

Key = int | str
Run = Callable[[Plan], Result]
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

LARGEST_RADIUS_DEG = 0.1
"""How far from its place an object may be."""

_KEYS_AT_ONCE = 500
"""Objects whose measurements are read together: a few thousand rows of a survey, and less than a MB."""
_PLACES = "places"
_ALIAS, _ASKED = "t", "a"
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_ID_NAMES = ("object_id", "id")
_N_TOLD = 100
"""Identifiers that are listed as unknown; of more the number is told."""
_PLAIN_UNITS = (None, "", "d", "mag", "Jy")


@dataclass(frozen=True)
class LightCurvesRequest(ComposedRequest):
    """Light curves of objects; identifiers, places or a table, one of the three."""

    table: str
    """Name of a table of objects, or of their measurements."""
    ids: tuple[Key, ...] = ()
    """What the table calls them; texts are read as the column is."""
    places: tuple[tuple[float, float], ...] = ()
    """Right ascension and declination, ICRS, degrees, of each of which the nearest object is meant."""
    radius_deg: float = 1.0 / 3600.0
    """How far from its place an object may be."""
    upload: Upload | None = None
    """A table that has identifiers, or else places."""
    bands: tuple[str, ...] = ()
    """Only measurements in these; all if there are none."""
    is_good: bool = False
    """Whether only measurements count that the catalogue's makers recommend to keep."""
    is_flat: bool = False
    """Whether each measurement is a row; formats without lists have it so anyway."""
    max_objects: int = 10_000
    """How many objects may be asked for."""
    max_rows: int | None = None
    """Limit of measurements; None for no limit."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: ClassVar[str | None] = None

    @property
    def uploads(self) -> tuple[Upload, ...]:
        return () if self.upload is None else (self.upload,)

    def plan(self, namespace: Namespace) -> Plan:
        """What is read for the objects that are named first."""
        holding = self.holding(namespace)
        keys = _typed(self.ids[:_KEYS_AT_ONCE], _key_column(holding))
        return _points_plan(_Points(holding, namespace, self), keys)

    def form(self, name: str, namespace: Namespace) -> Format:
        """The format, with a row for each object where it can hold lists."""
        form = get_format(name)
        if not self.nests(form.name):
            return form
        return nested_format(form, first_list="time", apart=("object_id", "asked"))

    def nests(self, format_name: str) -> bool:
        """Whether a row is an object."""
        return not self.is_flat and format_name in NESTING

    def tables_read(self, namespace: Namespace) -> Sequence[str]:
        """The tables that the answer is made of."""
        holding = self.holding(namespace)
        return [table.name for table in (holding.points, holding.objects) if table is not None]

    def holding(self, namespace: Namespace) -> Holding:
        """Where the measurements are.

        Raises
        ------
        BadParameterError
            The table has to do with no light curves.
        """
        table = namespace.get(self.table).table
        holding = _find_held(table, namespace)
        if holding is None:
            known = namespace.kept(_measured, lambda: _measured(namespace))
            hint = f" Those of this archive are in {', '.join(known[:10])}." if known else ""
            raise BadParameterError("table", f"is {table.name}, which is known to have no light curves.{hint}")
        return holding

    def find_holding(self, namespace: Namespace) -> Holding | None:
        """Like `holding`, but `None` if the table has to do with no light curves."""
        return _find_held(namespace.get(self.table).table, namespace)

    def composed(self, namespace: Namespace, run: Run) -> Result:
        """Find the objects, then read their measurements as they are taken out."""
        holding = self.holding(namespace)
        points = _Points(holding, namespace, self)
        wanted, unknown = _Finder(self, holding, namespace, run).wanted()
        infos = [("table", holding.points.name), ("time_format", holding.roles.time_format)]
        infos += [("time_scale", holding.roles.time_scale)] if holding.roles.time_scale else []
        warnings = []
        if unknown:
            told = ", ".join(map(str, unknown[:_N_TOLD])) + (", ..." if len(unknown) > _N_TOLD else "")
            infos.append(("unknown", told))
            where = (holding.objects or holding.points).name
            warnings.append(f"Of what was asked {len(unknown):,} is unknown in {where}: {told}")
        columns = (*wanted.columns, *points.columns)
        result = Result(columns, iter(()), "light_curves", infos=tuple(infos), warnings=warnings)
        result.batches = _batches(wanted, points, run, arrow_schema(columns), is_flat=self.is_flat)
        return limited(result, self.max_rows)


def curve_of(rows: Result, name: str = "") -> LightCurve:
    """The light curve of an answer that has the measurements of one object as its rows."""
    told, table = dict(rows.infos), rows.to_arrow()
    names = [known for known in ("mag", "mag_err", "flux", "flux_err", "quality") if known in table.column_names]
    values: dict[str, Any] = {known: _numbers(table.column(known)) for known in names}
    codes, labels = _coded(table.column("band")) if "band" in table.column_names else (None, [])
    return LightCurve.of_points(
        _numbers(table.column("time")),
        **values,
        band="" if codes is None else np.array(labels, dtype=np.str_)[codes],
        name=name,
        time_format=told["time_format"],
        time_scale=told.get("time_scale", ""),
    )


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
class _Wanted:
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
        first = replace(_OBJECT_COLUMNS[0], datatype=self.key_column.datatype, arraysize=self.key_column.arraysize)
        return (first, *_OBJECT_COLUMNS[1:], *(_ASKED_COLUMNS if self.asked is not None else ()))

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, end: int) -> _Wanted:
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


def _find_held(table: Table, namespace: Namespace) -> Holding | None:
    """Found once, and so is that there is none: descriptions of all tables are looked at for it."""
    key = LightCurvesRequest, table.name
    return namespace.kept(key, lambda: find_holding(table, [relation.table for relation in namespace]))


def _measured(namespace: Namespace) -> list[str]:
    """The tables that have measurements of light curves."""
    found = (_find_held(relation.table, namespace) for relation in namespace)
    return sorted({holding.points.name for holding in found if holding is not None})


def _key_column(holding: Holding) -> Column:
    """The column that names the objects."""
    if holding.objects is not None:
        return holding.objects.get_column(holding.key)
    return holding.points.get_column(holding.roles.object)


def _typed(ids: Sequence[Key], column: Column) -> pa.Array:
    """Identifiers in the type of their column, ascending, each once."""
    if column.datatype.is_text:
        texts = pa.array(list(map(str, ids)), pa.string())
        return texts.unique().sort()
    words = [part for one in ids for part in ([one] if isinstance(one, int) else one.split(","))]
    wrong = next((one for one in words if not isinstance(one, int) and not _INTEGER.fullmatch(one.strip())), None)
    if wrong is not None:
        raise BadParameterError("id", f'must be a whole number as in {column.name}, not "{str(wrong)[:80]}".')
    numbers = [int(one) for one in words]
    beyond = next((one for one in numbers if not -(2**63) <= one < 2**63), None)
    if beyond is not None:
        raise BadParameterError("id", f"is {beyond}, which is no number of 64 bits.")
    return pa.array(np.unique(np.array(numbers, dtype=np.int64)), pa.int64())


class _Finder:
    """Finds the objects that a request names."""

    def __init__(self, request: LightCurvesRequest, holding: Holding, namespace: Namespace, run: Run) -> None:
        self._request, self._holding, self._namespace, self._run = request, holding, namespace, run
        self._column = _key_column(holding)

    def wanted(self) -> tuple[_Wanted, list[Key]]:
        """The objects, and what is unknown of what was asked: identifiers, or numbers of places."""
        request = self._request
        ids, places = self._uploaded() if request.upload is not None else (request.ids, np.array(request.places))
        n_asked = len(places) if len(places) else len(ids)
        if n_asked > request.max_objects:
            hint = "Ask for fewer at a time."
            raise QueryTooLargeError("objects", size=n_asked, limit=request.max_objects, hint=hint)
        if len(places):
            return self._at(places)
        if not len(ids) and request.upload is None:
            raise BadParameterError("id", "is missing: name objects by id, by ra and dec, or by a table.")
        keys = ids if isinstance(ids, pa.Array) else _typed(ids, self._column)
        return self._by_keys(keys)

    def _by_keys(self, keys: pa.Array) -> tuple[_Wanted, list[Key]]:
        objects = self._holding.objects
        nowhere = np.full(len(keys), np.nan)
        if objects is None or not len(keys):
            return _Wanted(keys, nowhere, nowhere, self._column), []
        names = [self._holding.key, *(column.name for column in objects.position_columns())]
        outputs = [build.column_node(name, _ALIAS) for name in names]
        query = build.select_query(outputs, objects, alias=_ALIAS, conditions=[_is_among(names[0], keys)])
        with self._run(make_plan(bind(query, self._namespace))) as result:
            rows = result.to_arrow()
        place = pc.index_in(keys, value_set=rows.column(0).combine_chunks().cast(keys.type))
        is_known = place.is_valid()
        unknown: list[Key] = keys.filter(pc.invert(is_known)).to_pylist()
        rows, kept = rows.take(place.filter(is_known)), keys.filter(is_known)
        if len(names) == 1:
            return _Wanted(kept, nowhere[: len(kept)], nowhere[: len(kept)], self._column), unknown
        ra, dec = (_numbers(rows.column(number)) for number in (1, 2))
        return _Wanted(kept, ra, dec, self._column), unknown

    def _at(self, places: _Floats) -> tuple[_Wanted, list[Key]]:
        """The object that is nearest to each place."""
        if self._holding.position is None:
            raise NoPositionError((self._holding.objects or self._holding.points).name)
        table, ra_name, dec_name = self._holding.position
        name = self._holding.key if table is self._holding.objects else self._holding.roles.object
        position = [build.column_node(one, _ALIAS) for one in (ra_name, dec_name)]
        outputs = [build.column_node(name, _ALIAS), *(node.copy() for node in position)]
        if len(places) == 1:
            cone = Cone(float(places[0, 0]), float(places[0, 1]), self._request.radius_deg)
            query = build.select_query(outputs, table, alias=_ALIAS, conditions=[build.in_cone(position, cone)])
            namespace = self._namespace
        else:
            query, namespace = self._join(places, table, position, outputs)
        with self._run(make_plan(bind(query, namespace))) as result:
            rows = result.to_arrow()
        number = np.zeros(len(rows), dtype=np.int64) if len(places) == 1 else _numbers(rows.column(3)).astype(np.int64)
        ra, dec = _numbers(rows.column(1)), _numbers(rows.column(2))
        away = _arcsec(ra, dec, places[number, 0], places[number, 1])
        keys = rows.column(0).combine_chunks()
        keys = keys if pa.types.is_string(keys.type) else keys.cast(pa.int64())
        by_place = np.lexsort((away, number))
        first = by_place[np.unique(number[by_place], return_index=True)[1]]
        sorted_ = pc.sort_indices(
            pa.table({"key": keys.take(pa.array(first)), "asked": number[first]}),
            sort_keys=[("key", "ascending"), ("asked", "ascending")],
        ).to_numpy()
        chosen = first[sorted_]
        unknown: list[Key] = (np.setdiff1d(np.arange(len(places)), number) + 1).tolist()
        found = _Wanted(
            keys.take(pa.array(chosen)), ra[chosen], dec[chosen], self._column, number[chosen] + 1, away[chosen]
        )
        return found, unknown

    def _join(
        self, places: _Floats, table: Table, position: list[exp.Expression], outputs: list[exp.Expression]
    ) -> tuple[exp.Query, Namespace]:
        names = ("ra", "dec", "number")
        kinds = (Datatype.DOUBLE, Datatype.DOUBLE, Datatype.LONG)
        columns = tuple(Column(name, kind) for name, kind in zip(names, kinds, strict=True))
        rows = pa.table({"ra": places[:, 0], "dec": places[:, 1], "number": np.arange(len(places))})
        asked = Table(f"{TAP_UPLOAD}.{_PLACES}", columns, position=Position("ra", "dec"), n_rows=len(places))
        distance = build.distance_node([build.column_node(name, _ASKED) for name in names[:2]], position)
        near = exp.LTE(this=distance, expression=build.literal(self._request.radius_deg))
        query = build.select_query(
            [*outputs, build.column_node("number", _ASKED)],
            table,
            alias=_ALIAS,
            joined=[build.Joined(asked, _ASKED, near)],
        )
        return query, self._namespace.extended([Relation(asked, rows)])

    def _uploaded(self) -> tuple[pa.Array, _Floats]:
        """Identifiers in the table that came along, or else places."""
        assert self._request.upload is not None
        relation = self._namespace.get(f"{TAP_UPLOAD}.{self._request.upload.name}")
        assert isinstance(relation.rows, pa.Table)
        table, rows = relation.table, relation.rows
        names = {self._column.name.lower(), self._holding.roles.object.lower(), *_ID_NAMES}
        found = next((column for column in table.columns if column.name.lower() in names), None)
        if found is not None:
            values = rows.column(found.name).drop_null().unique()
            return self._as_keys(values, found), np.zeros((0, 2))
        if table.position is None:
            known = ", ".join(column.name for column in table.columns[:10])
            raise BadParameterError(
                "upload", f"has neither a column {self._column.name} nor positions (ra, dec), but {known}."
            )
        ra, dec = (_numbers(rows.column(column.name)) for column in table.position_columns())
        return pa.array([], pa.int64()), np.column_stack([ra, dec])

    def _as_keys(self, values: pa.Array, column: Column) -> pa.Array:
        try:
            wanted = pa.string() if self._column.datatype.is_text else pa.int64()
            return values.cast(wanted).sort()
        except pa.ArrowInvalid:
            problem = f"holds other values in {column.name} than {self._column.name} has: whole numbers."
            raise BadParameterError("upload", problem) from None


@dataclass(frozen=True)
class _Points:
    """How measurements are read, and in which columns they are given."""

    holding: Holding
    namespace: Namespace
    request: LightCurvesRequest

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

    def curve(self, rows: pa.Table) -> LightCurve:
        """All rows as arrays, in their order; without bands."""
        names = {getattr(self.roles, role) for role in ("time", "mag", "mag_err", "flux", "flux_err", "quality")}
        values = {name: self._with_unit(rows, name) for name in names if name}
        return LightCurve.in_given_order(**replace(self.roles, object="", band="", camera="").points(values))

    def _with_unit(self, rows: pa.Table, name: str) -> Any:
        numbers = _numbers(rows.column(name))
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


def _points_plan(points: _Points, keys: pa.Array) -> Plan:
    outputs = [build.column_node(name, _ALIAS) for name in points.names]
    condition = _is_among(points.roles.object, keys)
    table = points.holding.points
    return make_plan(bind(build.select_query(outputs, table, alias=_ALIAS, conditions=[condition]), points.namespace))


def _is_among(name: str, keys: pa.Array) -> exp.Expression:
    column = build.column_node(name, _ALIAS)
    values = [build.literal(key) for key in keys.to_pylist()]
    if len(values) == 1:
        return exp.EQ(this=column, expression=values[0])
    return exp.In(this=column, expressions=values)


def _batches(
    wanted: _Wanted, points: _Points, run: Run, schema: pa.Schema, *, is_flat: bool
) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        part = wanted.part(start, min(start + _KEYS_AT_ONCE, len(wanted)))
        keys = part.keys.unique()
        with run(_points_plan(points, keys)) as result:
            rows = pa.Table.from_batches(list(result.batches), result.schema)
        yield _batch(part, keys, points, rows, schema, is_flat=is_flat)


def _batch(
    part: _Wanted, keys: pa.Array, points: _Points, rows: pa.Table, schema: pa.Schema, *, is_flat: bool
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


def _is_kept(points: _Points, curve: LightCurve, codes: _Ints, labels: list[str]) -> NDArray[np.bool_]:
    kept = curve.is_measured
    if points.request.is_good and points.roles.good is not None:
        kept = kept & points.roles.good.holds(curve.quality)
    if points.request.bands:
        asked = {band.lower() for band in points.request.bands}
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


def _placed(part: _Wanted, keys: pa.Array, points: _Points, rows: pa.Table, owner: Any) -> _Wanted:
    """The objects with places, where only their measurements say where they are."""
    if not points.position or not len(rows) or np.isfinite(part.ra).all():
        return part
    ra, dec = (_numbers(rows.column(name)) for name in points.position)
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


def _numbers(values: pa.ChunkedArray) -> _Floats:
    return np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _arcsec(ra: _Floats, dec: _Floats, other_ra: _Floats, other_dec: _Floats) -> _Floats:
    chord = np.sqrt(((unit_vectors(ra, dec) - unit_vectors(other_ra, other_dec)) ** 2).sum(axis=0))
    return np.asarray(np.degrees(2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0))) * 3600.0)


def _is_jansky(unit: str) -> bool:
    """Whether a flux in a unit is given in Jy."""
    if unit == "Jy":
        return True
    from astropy import units as u

    known = u.Unit(unit, parse_strict="silent")
    return not isinstance(known, u.UnrecognizedUnit) and bool(known.is_equivalent("Jy"))
