"""`CatalogRequest`: a search in one table, by a cone and by constraints on columns, page by page.

It is what the catalogue REST API asks. A request names columns in any case, and its answer calls them as it did. The
rows of a page are seen before the first byte leaves, so that an answer can say at its beginning whether there are more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.archive.catalog_columns import info_of
from skydex.archive.constraints import Constraint, condition_of
from skydex.archive.offers import CatalogOffer
from skydex.archive.requests import Upload
from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.formats import Format, get_format
from skydex.formats.catalogjson import write_catalog_json
from skydex.formats.delimited import write_bare_csv
from skydex.formats.spool import Spool
from skydex.query import Namespace, Plan, bind, build, make_plan
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Result, Table, arrow_type

__all__ = ["DISTANCE", "PARAMETERS", "CatalogRequest", "SortKey"]

DISTANCE = "distance"
"""What the angle from the centre of a cone is called in lists of columns and in sort keys."""
PARAMETERS = (
    "ra", "dec", "radius", "columns", "sort_by", "pagesize", "page", "format", "flatten_response", "raw",
)  # fmt: skip
"""Parameters that are no columns."""

_ROWS, _PLACES = "t", "p"
"""What the table, and that with its positions, are called in the query."""


@dataclass(frozen=True)
class SortKey:
    """What rows are sorted by."""

    name: str
    """A column, or `distance`."""
    descends: bool = False
    """Whether the greatest comes first."""


@dataclass(frozen=True)
class CatalogRequest:
    """A page of what a search finds."""

    offer: CatalogOffer
    """Where, and how its publisher presents it."""
    constraints: tuple[Constraint, ...] = ()
    """All of them hold."""
    cone: Cone | None = None
    """Region of the search, if it has one."""
    columns: tuple[str, ...] = ()
    """As the request spells them; none means those of the offer."""
    sort_by: tuple[SortKey, ...] = ()
    """The first counts most."""
    page: int = 1
    """Number of the page, from 1."""
    max_rows: int | None = None
    """Rows of a page; None for everything."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """Find the columns, make the tree, bind and plan it."""
        search = _Search(self, namespace)
        return make_plan(bind(search.query(), namespace), self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """Put the rows of the page aside, and what the publisher writes where a measurement is missing."""
        result.name = self.offer.path
        if self.offer.missing is not None:
            result.batches = _filled(result.batches, result.columns, self.offer.missing)
        return held(result)

    def form(self, name: str, namespace: Namespace) -> Format:
        """A format in the shape that the publisher's own service gives it."""
        return catalog_form(name, namespace.get(self.offer.table).table, self.offer)


def catalog_form(name: str, table: Table, offer: CatalogOffer) -> Format:
    """CSV without remarks, JSON with columns described as in metadata, plain VOTables; others as they are."""
    form = get_format(name)
    if form.name == "csv":
        return replace(form, write=write_bare_csv)
    if form.name == "json":
        return replace(form, write=partial(write_catalog_json, describe=partial(info_of, table=table, offer=offer)))
    return form


def held(result: Result) -> Result:
    """The same with all rows seen, so that it is known whether there are more."""
    spool = Spool(result.schema)
    for batch in result.batches:
        spool.add(batch)
    result.batches = _given_back(spool)
    result.is_held = True
    return result


def _given_back(spool: Spool) -> Iterator[pa.RecordBatch]:
    with spool:
        yield from spool


def find_column(table: Table, name: str, where: str) -> Column:
    """A column by a name in any case.

    Raises
    ------
    UnknownColumnError
        With names of columns and parameters that may have been meant.
    """
    column = table.find_column(name)
    if column is None:
        near = near_names(name, (*(known.name for known in table.columns), *PARAMETERS))
        raise UnknownColumnError(name[:80], where=where, near=near)
    return column


class _Search:
    """The tree of one request over the tables of a namespace."""

    def __init__(self, request: CatalogRequest, namespace: Namespace) -> None:
        self._request, self._offer = request, request.offer
        self._table = namespace.get(request.offer.table).table
        place = request.offer.place
        self._places = namespace.get(place.table).table if place and request.cone else None

    def query(self) -> exp.Query:
        return build.select_query(
            [self._output(name) for name in self._names()],
            self._table,
            alias=_ROWS,
            joined=list(self._joined()),
            conditions=list(self._conditions()),
            tail=build.Tail(list(self._order()), (self._request.page - 1) * (self._request.max_rows or 0)),
        )

    def _names(self) -> Sequence[str]:
        """The columns of the answer, each once, as they will be called."""
        asked = self._request.columns
        names = asked or self._offer.columns or tuple(column.name for column in self._table.columns)
        if not asked and self._request.cone and self._offer.distance:
            names = (*names, self._offer.distance)
        return list({name.lower(): name for name in reversed(names)}.values())[::-1]

    def _output(self, name: str) -> exp.Expression:
        if self._is_distance(name):
            alias = exp.Identifier(this=name, quoted=True)
            return exp.Alias(this=self._distance(), alias=alias)
        find_column(self._table, name, self._offer.path)
        return build.column_node(name, _ROWS)

    def _joined(self) -> Iterator[build.Joined]:
        """The table with the positions, where it is another."""
        if self._places is not None and self._offer.place is not None:
            key = self._offer.place.key
            same = exp.EQ(this=build.column_node(key, _ROWS), expression=build.column_node(key, _PLACES))
            yield build.Joined(self._places, _PLACES, same)

    def _conditions(self) -> Iterator[exp.Expression]:
        if self._request.cone is not None:
            yield build.in_cone(self._position(), self._request.cone)
        for constraint in self._request.constraints:
            column = find_column(self._table, constraint.name, self._offer.path)
            yield condition_of(constraint, column, _ROWS, missing=self._offer.missing)

    def _order(self) -> Iterator[tuple[exp.Expression, bool]]:
        """The keys, and what names a row as the last one, so that pages fit together."""
        for key in self._request.sort_by:
            yield self._key(key.name), key.descends
        if self._request.sort_by and self._table.id_column is not None:
            yield build.column_node(self._table.id_column, _ROWS), False

    def _key(self, name: str) -> exp.Expression:
        if self._is_distance(name):
            return self._distance()
        column = find_column(self._table, name, self._offer.path)
        if column.is_array:
            raise BadParameterError("sort_by", f"cannot sort by {column.name}, which holds arrays.")
        return build.column_node(column.name, _ROWS)

    def _is_distance(self, name: str) -> bool:
        """Whether a name means the angle from the centre, and not a column of the table."""
        if name.lower() not in (DISTANCE, self._offer.distance.lower()) or self._table.find_column(name):
            return False
        if self._request.cone is None:
            raise BadParameterError(name, "is known in a cone search only: give ra and dec.")
        return True

    def _distance(self) -> exp.Expression:
        cone = self._request.cone
        assert cone is not None
        return build.distance_node(self._position(), [build.literal(cone.ra_deg), build.literal(cone.dec_deg)])

    def _position(self) -> list[exp.Expression]:
        table, alias = (self._places, _PLACES) if self._places is not None else (self._table, _ROWS)
        if table.position is None:
            raise BadParameterError("ra", f"{self._offer.path} has no positions to search by.")
        return [build.column_node(name, alias) for name in (table.position.ra, table.position.dec)]


def _filled(batches: Iterator[pa.RecordBatch], columns: tuple[Column, ...], missing: float) -> Iterator[pa.RecordBatch]:
    """Give nulls of measured columns the value that their publisher writes."""
    places = [i for i, column in enumerate(columns) if _is_measured(column)]
    for batch in batches:
        arrays = batch.columns
        for place in places:
            if arrays[place].null_count:
                value = pa.scalar(missing).cast(arrow_type(columns[place]))
                arrays[place] = pc.fill_null(arrays[place], value)
        yield pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _is_measured(column: Column) -> bool:
    signed = (Datatype.SHORT, Datatype.INT, Datatype.LONG)
    return not column.is_array and (column.datatype.is_floating or column.datatype in signed)
