"""What the catalogue REST API asks: a search in one table, or the counterparts of positions that come along.

The rows of a page are seen before the first byte leaves, so that an answer can say at its beginning whether there are
more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.archive.catalog_columns import info_of
from skydex.archive.catalog_search import DISTANCE, ROWS, Search, Searched
from skydex.archive.offers import CatalogOffer
from skydex.archive.requests import Upload
from skydex.archive.uploads import TAP_UPLOAD
from skydex.errors import BadParameterError, near_names
from skydex.formats import Format, get_format
from skydex.formats.catalogjson import write_catalog_json
from skydex.formats.delimited import write_bare_csv
from skydex.formats.spool import Spool
from skydex.query import Namespace, Plan, bind, build, make_plan
from skydex.query.languages.adql_text import adql_text
from skydex.tables import Column, Datatype, Result, Table, arrow_type

__all__ = ["CatalogRequest", "CounterpartsRequest"]

_UPLOADED = "u"
"""What the positions that come along are called in the query."""
_ARCSEC = 3600.0
_DISTANCE = "dstArcSec"
_ADDED = ("MatchRA", "MatchDEC", _DISTANCE)
"""What Pan-STARRS calls the position and the distance of a counterpart."""


@dataclass(frozen=True)
class CatalogRequest:
    """A page of what a search finds."""

    search: Search
    """What is chosen."""
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
        query = Searched(self.search, namespace).query(_offset(self.page, self.max_rows))
        return make_plan(bind(query, namespace), self.max_rows)

    def adql(self, namespace: Namespace) -> str:
        """The same question in ADQL; positions must be in the table itself."""
        searched = Searched(self.search, namespace)
        query = searched.query(_offset(self.page, self.max_rows))
        if [part.name for part in query.expressions] == [column.name for column in searched.table.columns]:
            query.set("expressions", [exp.Star()])
        return adql_text(query, top=self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """Put the rows of the page aside, with what the publisher writes where a measurement is missing."""
        return _shaped(result, namespace, self.search.offer)

    def form(self, name: str, namespace: Namespace) -> Format:
        """A format in the shape that the publisher's own service gives it."""
        return _form(name, namespace, self.search.offer)


@dataclass(frozen=True)
class CounterpartsRequest:
    """The rows of a table near each of many positions.

    An answer has every column of the positions, between underscores (`_ra_`), the position of the row (`MatchRA`,
    `MatchDEC`), the distance in arcseconds (`dstArcSec`), and then the columns of the row.
    """

    search: Search
    """What is chosen besides; it has no cone."""
    upload: Upload
    """The table of the positions."""
    radius_deg: float
    """How far from its position a row may be."""
    position: tuple[str, str] = ("ra", "dec")
    """Columns of the positions, in degrees; where there are none of these names, those that say that they are."""
    page: int = 1
    """Number of the page, from 1."""
    max_rows: int | None = None
    """Rows of a page; None for everything."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: ClassVar[str | None] = None

    @property
    def uploads(self) -> tuple[Upload, ...]:
        return (self.upload,)

    def plan(self, namespace: Namespace) -> Plan:
        """Find the columns, make the tree of the join, bind and plan it."""
        uploaded = namespace.get(f"{TAP_UPLOAD}.{self.upload.name}").table
        given = [_position_column(uploaded, name) for name in _position_names(self.position, uploaded)]
        searched = Searched(self._without_added(uploaded), namespace)
        there = searched.position()
        distance = build.distance_node(given, there)
        near = exp.LTE(this=distance, expression=build.literal(self.radius_deg))
        in_arcsec = exp.Mul(this=distance.copy(), expression=build.literal(_ARCSEC))
        query = build.select_query(
            [
                *(build.named(build.column_node(c.name, _UPLOADED), f"_{c.name}_") for c in uploaded.columns),
                *_added(searched.table, there, in_arcsec),
                *searched.outputs(),
            ],
            searched.table,
            alias=ROWS,
            joined=[*searched.joined(), build.Joined(uploaded, _UPLOADED, near)],
            conditions=list(searched.conditions()),
            tail=build.Tail(list(self._order(searched, uploaded, distance)), _offset(self.page, self.max_rows)),
        )
        return make_plan(bind(query, namespace), self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """Put the rows of the page aside, with what the publisher writes where a measurement is missing."""
        return _shaped(result, namespace, self.search.offer)

    def form(self, name: str, namespace: Namespace) -> Format:
        """A format in the shape that the publisher's own service gives it."""
        return _form(name, namespace, self.search.offer)

    def _without_added(self, uploaded: Table) -> Search:
        """The search without those of its columns that every answer has anyway."""
        added = {f"_{column.name}_".lower() for column in uploaded.columns} | {name.lower() for name in _ADDED}
        return replace(self.search, columns=tuple(c for c in self.search.columns if c.lower() not in added))

    def _order(
        self, searched: Searched, uploaded: Table, distance: exp.Expression
    ) -> Iterator[tuple[exp.Expression, bool]]:
        """The keys, then the positions one after the other with what is nearest first, then what tells rows apart."""
        for key in self.search.sort_by:
            is_distance = key.name.lower() in (DISTANCE, _DISTANCE.lower())
            yield distance.copy() if is_distance else searched.key(key.name), key.descends
        given = [_position_column(uploaded, name) for name in _position_names(self.position, uploaded)]
        others = [build.column_node(column.name, _UPLOADED) for column in uploaded.columns if not column.is_array]
        yield from ((node, False) for node in (*given, distance.copy(), *others))
        yield from searched.ties()


def _position_names(names: tuple[str, str], uploaded: Table) -> tuple[str, str]:
    if uploaded.position is None or any(uploaded.find_column(name) for name in names):
        return names
    return uploaded.position.ra, uploaded.position.dec


def _position_column(uploaded: Table, name: str) -> exp.Expression:
    column = uploaded.find_column(name)
    if column is None:
        known = [known.name for known in uploaded.columns]
        near = near_names(name, known) or known[:5]
        raise BadParameterError("file", f'has no column "{name[:80]}". It has {", ".join(near)}.')
    if not column.datatype.is_numeric or column.is_array:
        raise BadParameterError("file", f'holds no numbers in its column "{column.name}": degrees are wanted.')
    return build.column_node(column.name, _UPLOADED)


def _added(table: Table, position: list[exp.Expression], in_arcsec: exp.Expression) -> Iterator[exp.Expression]:
    """What an answer says of each pair, but for what the table itself has under that name."""
    for name, node in zip(_ADDED, (*position, in_arcsec), strict=True):
        if table.find_column(name) is None:
            yield build.named(node.copy(), name)


def _offset(page: int, max_rows: int | None) -> int:
    return (page - 1) * (max_rows or 0)


def _shaped(result: Result, namespace: Namespace, offer: CatalogOffer) -> Result:
    result.name = offer.path
    if offer.missing is not None:
        result.batches = _filled(result.batches, result.columns, namespace.get(offer.table).table, offer.missing)
    return _held(result)


def _form(name: str, namespace: Namespace, offer: CatalogOffer) -> Format:
    """CSV without remarks, JSON with columns described as in metadata; others as they are."""
    form = get_format(name)
    if form.name == "csv":
        return replace(form, write=write_bare_csv)
    if form.name == "json":
        describe = partial(info_of, table=namespace.get(offer.table).table, offer=offer)
        return replace(form, write=partial(write_catalog_json, describe=describe))
    return form


def _held(result: Result) -> Result:
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


def _filled(
    batches: Iterator[pa.RecordBatch], columns: tuple[Column, ...], table: Table, missing: float
) -> Iterator[pa.RecordBatch]:
    """Give nulls of measured columns the value that their publisher writes."""
    places = [i for i, c in enumerate(columns) if _is_measured(c) and table.find_column(c.name)]
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
