"""`LightCurvesRequest`: the measurements of many objects over time, in one answer.

Objects are named by their identifiers, by places of which the nearest object is meant, or by a table that comes along
with either. Where the measurements are, `skydex.lightcurve.holdings` knows; every table is answered in the same
columns. An answer is sorted by object and time: in formats that can hold lists a row for each object, in others a row
for each measurement. It is read some hundred objects at a time, and sent as it is read (`light_curve_points`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.archive.light_curve_points import ALIAS, KEYS_AT_ONCE, Points, Run, Wanted, batches, is_among, numbers_of
from skydex.archive.requests import ComposedRequest, Upload
from skydex.archive.uploads import TAP_UPLOAD
from skydex.errors import BadParameterError, NoPositionError, QueryTooLargeError
from skydex.formats import Format, get_format
from skydex.formats.nested import NESTING, nested_format
from skydex.lightcurve.holdings import Holding, find_holding
from skydex.query import Namespace, Plan, Relation, bind, build, make_plan
from skydex.sky import Cone, unit_vectors
from skydex.tables import Column, Datatype, Position, Result, Table, arrow_schema, limited

__all__ = ["LARGEST_RADIUS_DEG", "LightCurvesRequest"]

Key = int | str
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

LARGEST_RADIUS_DEG = 0.1
"""How far from its place an object may be."""

_PLACES = "places"
_ASKED = "a"
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_ID_NAMES = ("object_id", "id")
_N_TOLD = 100
"""Identifiers that are listed as unknown; of more the number is told."""


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
        keys = _typed(self.ids[:KEYS_AT_ONCE], _key_column(holding))
        return self._points(holding, namespace).plan(keys)

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

    def _points(self, holding: Holding, namespace: Namespace) -> Points:
        return Points(holding, namespace, self.bands, self.is_good)

    def composed(self, namespace: Namespace, run: Run) -> Result:
        """Find the objects, then read their measurements as they are taken out."""
        holding = self.holding(namespace)
        points = self._points(holding, namespace)
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
        result.batches = batches(wanted, points, run, arrow_schema(columns), is_flat=self.is_flat)
        return limited(result, self.max_rows)


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

    def wanted(self) -> tuple[Wanted, list[Key]]:
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

    def _by_keys(self, keys: pa.Array) -> tuple[Wanted, list[Key]]:
        objects = self._holding.objects
        nowhere = np.full(len(keys), np.nan)
        if objects is None or not len(keys):
            return Wanted(keys, nowhere, nowhere, self._column), []
        names = [self._holding.key, *(column.name for column in objects.position_columns())]
        outputs = [build.column_node(name, ALIAS) for name in names]
        query = build.select_query(outputs, objects, alias=ALIAS, conditions=[is_among(names[0], keys)])
        with self._run(make_plan(bind(query, self._namespace))) as result:
            rows = result.to_arrow()
        place = pc.index_in(keys, value_set=rows.column(0).combine_chunks().cast(keys.type))
        is_known = place.is_valid()
        unknown: list[Key] = keys.filter(pc.invert(is_known)).to_pylist()
        rows, kept = rows.take(place.filter(is_known)), keys.filter(is_known)
        if len(names) == 1:
            return Wanted(kept, nowhere[: len(kept)], nowhere[: len(kept)], self._column), unknown
        ra, dec = (numbers_of(rows.column(number)) for number in (1, 2))
        return Wanted(kept, ra, dec, self._column), unknown

    def _at(self, places: _Floats) -> tuple[Wanted, list[Key]]:
        """The object that is nearest to each place."""
        if self._holding.position is None:
            raise NoPositionError((self._holding.objects or self._holding.points).name)
        table, ra_name, dec_name = self._holding.position
        name = self._holding.key if table is self._holding.objects else self._holding.roles.object
        position = [build.column_node(one, ALIAS) for one in (ra_name, dec_name)]
        outputs = [build.column_node(name, ALIAS), *(node.copy() for node in position)]
        if len(places) == 1:
            cone = Cone(float(places[0, 0]), float(places[0, 1]), self._request.radius_deg)
            query = build.select_query(outputs, table, alias=ALIAS, conditions=[build.in_cone(position, cone)])
            namespace = self._namespace
        else:
            query, namespace = self._join(places, table, position, outputs)
        with self._run(make_plan(bind(query, namespace))) as result:
            rows = result.to_arrow()
        number = (
            np.zeros(len(rows), dtype=np.int64) if len(places) == 1 else numbers_of(rows.column(3)).astype(np.int64)
        )
        ra, dec = numbers_of(rows.column(1)), numbers_of(rows.column(2))
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
        found = Wanted(
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
            alias=ALIAS,
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
        ra, dec = (numbers_of(rows.column(column.name)) for column in table.position_columns())
        return pa.array([], pa.int64()), np.column_stack([ra, dec])

    def _as_keys(self, values: pa.Array, column: Column) -> pa.Array:
        try:
            wanted = pa.string() if self._column.datatype.is_text else pa.int64()
            return values.cast(wanted).sort()
        except pa.ArrowInvalid:
            problem = f"holds other values in {column.name} than {self._column.name} has: whole numbers."
            raise BadParameterError("upload", problem) from None


def _arcsec(ra: _Floats, dec: _Floats, other_ra: _Floats, other_dec: _Floats) -> _Floats:
    chord = np.sqrt(((unit_vectors(ra, dec) - unit_vectors(other_ra, other_dec)) ** 2).sum(axis=0))
    return np.asarray(np.degrees(2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0))) * 3600.0)
