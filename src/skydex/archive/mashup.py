"""`MashupRequest`: rows of one table as MAST's invoke asks for them, page by page; `MashupCount`: only how many.

An answer tells how many rows there are in all, so the whole result is counted, and only its page is kept. Columns that
belong together, as those of one filter, can be left out where the whole result has nothing in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import ClassVar

import pyarrow as pa
from sqlglot import exp

from skydex.archive.constraints import Constraint, condition_of
from skydex.archive.filters import ColumnFilter
from skydex.archive.requests import Upload
from skydex.errors import BadParameterError
from skydex.formats import Format, get_format
from skydex.formats.delimited import write_bare_csv
from skydex.formats.format import Writer
from skydex.formats.mashup import PAGING, write_mashup_extjs, write_mashup_json
from skydex.formats.spool import Spool
from skydex.query import Namespace, Plan, bind, build, make_plan
from skydex.sky import Cone
from skydex.tables import Column, Result, Table, arrow_schema

__all__ = ["ImagesTable", "MashupCount", "MashupRequest", "Output"]

_ROWS = "t"
"""What the table is called in the query."""
_IMAGES = "i"
"""What the table of images is called there."""
_ARCMIN = 60.0
_PAGE_ROWS = 50_000
_COUNT = "Column1"
"""What MAST calls a column that has no name."""


@dataclass(frozen=True)
class Output:
    """A column of the answer."""

    column: str
    """The table's column; if empty, a text that `of_image` fills."""
    name: str
    """What the answer calls it."""
    group: str = ""
    """If not empty: a column of the answer without which it is left out, where that one is null throughout."""
    of_image: tuple[str, ...] = ()
    """Columns of the table of images, whose values stand in one text with blanks between them."""


@dataclass(frozen=True)
class ImagesTable:
    """A table of images, and how rows name theirs."""

    table: str
    """Qualified name, of a table with the columns that an ingest of images makes."""
    column: str
    """Column of the rows that holds the name of an image."""


@dataclass(frozen=True)
class MashupRequest:
    """A page of rows."""

    table: str
    """Qualified name of the table."""
    outputs: tuple[Output, ...]
    """The columns of the answer."""
    images: ImagesTable | None = None
    """The table of images, if outputs tell of the image of a row."""
    cone: Cone | None = None
    """Region, if there is one."""
    distance_at: int | None = None
    """Before which output the distance from the cone's centre stands, in arcminutes, by which the rows are sorted."""
    constraints: tuple[Constraint, ...] = ()
    """All of them hold."""
    filters: tuple[ColumnFilter, ...] = ()
    """All of these, too."""
    sort_by: tuple[str, ...] | None = ()
    """Columns by which rows are sorted, before the one that names them; None leaves all rows in their own order."""
    page: int = 1
    """Number of the page, from 1."""
    page_rows: int = _PAGE_ROWS
    """Rows of a page."""
    max_rows: int | None = None
    """Rows of the whole answer."""
    without_nulls: bool = False
    """Whether every column is left out that is null throughout."""
    with_selected: bool = False
    """Whether the answer ends with the column that MAST's pages tick."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """Make the tree, bind and plan it."""
        table = namespace.get(self.table).table
        query = build.select_query(
            list(self._selected(table)),
            table,
            alias=_ROWS,
            joined=list(self._joined(namespace)),
            conditions=list(self._conditions(table)),
            tail=build.Tail([(key, False) for key in self._keys(table)]),
        )
        for join in query.args["joins"]:
            join.set("side", "LEFT")
        return make_plan(bind(query, namespace), self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """Count all rows, keep those of the page, and leave out what is empty."""
        kept = Spool(result.schema)
        total, filled = 0, set[int]()
        first, last = (self.page - 1) * self.page_rows, self.page * self.page_rows
        for batch in result.batches:
            filled |= {i for i in range(batch.num_columns) if i not in filled and _has_values(batch.column(i))}
            begin, end = max(0, first - total), min(batch.num_rows, last - total)
            if begin < end:
                kept.add(batch.slice(begin, end - begin))
            total += batch.num_rows
        places = self._places(result.columns, filled)
        result.columns = tuple(result.columns[place] for place in places)
        result.batches = _chosen(kept, places, result.columns)
        result.infos = (*result.infos, *zip(PAGING, map(str, (self.page, self.page_rows, total)), strict=True))
        result.name, result.is_held = self.table, True
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return _form(name, partial(write_mashup_json, with_selected=self.with_selected))

    def _selected(self, table: Table) -> Iterator[exp.Expression]:
        for place, output in enumerate(self.outputs):
            if place == self.distance_at:
                yield exp.Alias(this=self._distance(table), alias=exp.Identifier(this="Distance", quoted=True))
            if output.column:
                node = build.column_node(table.get_column(output.column).name, _ROWS)
            else:
                node = _text_of_image(output.of_image if self.images else ())
            yield exp.Alias(this=node, alias=exp.Identifier(this=output.name, quoted=True))

    def _joined(self, namespace: Namespace) -> Iterator[build.Joined]:
        """The images of the rows; of an image with several extensions, the one that the pixels are in."""
        if self.images is None:
            return
        extension = build.column_node("extension", _IMAGES)
        is_first = exp.Or(
            this=exp.Is(this=extension, expression=exp.Null()),
            expression=exp.In(this=extension.copy(), expressions=[build.literal(name) for name in ("SCI", "SCI,1")]),
        )
        names = (build.column_node("name", _IMAGES), build.column_node(self.images.column, _ROWS))
        same = exp.EQ(this=names[0], expression=names[1])
        condition = exp.And(this=same, expression=exp.Paren(this=is_first))
        yield build.Joined(namespace.get(self.images.table).table, _IMAGES, condition)

    def _conditions(self, table: Table) -> Iterator[exp.Expression]:
        if self.cone is not None:
            yield build.in_cone(_position(table), self.cone)
        for constraint in self.constraints:
            yield condition_of(constraint, table.get_column(constraint.name), _ROWS, missing=None)
        yield from (one.condition(table, _ROWS) for one in self.filters)

    def _keys(self, table: Table) -> Iterator[exp.Expression]:
        if self.distance_at is not None:
            yield self._distance(table)
        names = () if self.sort_by is None else (*self.sort_by, *filter(None, (table.id_column,)))
        yield from (build.column_node(table.get_column(name).name, _ROWS) for name in dict.fromkeys(names))

    def _distance(self, table: Table) -> exp.Expression:
        assert self.cone is not None, "a distance is measured from the centre of a cone"
        centre = [build.literal(self.cone.ra_deg), build.literal(self.cone.dec_deg)]
        return exp.Mul(this=build.distance_node(_position(table), centre), expression=build.literal(_ARCMIN))

    def _places(self, columns: Sequence[Column], filled: set[int]) -> list[int]:
        """Which columns stay; one at least, so that rows can be counted."""
        outputs: list[Output | None] = [*self.outputs]
        if self.distance_at is not None:
            outputs.insert(self.distance_at, None)
        living = {columns[place].name for place in filled}
        stay = [place for place, output in enumerate(outputs) if output is None or self._stays(output, living)]
        return stay or [0]

    def _stays(self, output: Output, living: set[str]) -> bool:
        if output.group and output.group not in living:
            return False
        return not self.without_nulls or output.name in living


@dataclass(frozen=True)
class MashupCount:
    """The number of rows: one row with one column."""

    table: str
    """Qualified name of the table."""
    cone: Cone | None = None
    """Region, if there is one."""
    filters: tuple[ColumnFilter, ...] = ()
    """All of them hold."""
    owner: str | None = None
    """Who asks; None for anybody."""
    max_rows: ClassVar[int | None] = None
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """Make the tree, bind and plan it."""
        table = namespace.get(self.table).table
        conditions = [one.condition(table, _ROWS) for one in self.filters]
        if self.cone is not None:
            conditions.append(build.in_cone(_position(table), self.cone))
        number = build.named(build.call("COUNT", exp.Star()), _COUNT)
        query = build.select_query([number], table, alias=_ROWS, conditions=conditions)
        return make_plan(bind(query, namespace))

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """The same as a page of one row."""
        result.infos = (*result.infos, *zip(PAGING, ("1", str(_PAGE_ROWS), "1"), strict=True))
        result.name = self.table
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        """As of rows, but that MAST calls the number a text."""
        return _form(name, partial(write_mashup_json, as_texts=(_COUNT,)))


def _text_of_image(columns: Sequence[str]) -> exp.Expression:
    """Values of an image in one text; empty where there is no image."""
    if not columns:
        return build.literal("")
    text = exp.DataType.build("varchar")
    values = [exp.Cast(this=build.column_node(name, _IMAGES), to=text.copy()) for name in columns]
    joined = reduce(lambda left, right: exp.DPipe(this=left, expression=right), _between(values, build.literal(" ")))
    return build.call("COALESCE", joined, build.literal(""))


def _between(nodes: Sequence[exp.Expression], separator: exp.Expression) -> Iterator[exp.Expression]:
    for number, node in enumerate(nodes):
        if number:
            yield separator.copy()
        yield node


def _form(name: str, as_json: Writer) -> Format:
    """A format in the shape that MAST gives it; `xml` is a VOTable."""
    form = get_format({"xml": "votable/td", "votable": "votable/td", "extjs": "json"}.get(name, name))
    writers: dict[str, Writer] = {"json": as_json, "extjs": write_mashup_extjs, "csv": write_bare_csv}
    return replace(form, write=writers[name]) if name in writers else form


def _position(table: Table) -> list[exp.Expression]:
    if table.position is None:
        raise BadParameterError("ra", f"{table.name} has no positions to search by.")
    return [build.column_node(name, _ROWS) for name in (table.position.ra, table.position.dec)]


def _has_values(array: pa.Array) -> bool:
    return int(array.null_count) < len(array)


def _chosen(kept: Spool, places: Sequence[int], columns: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(columns)
    with kept:
        for batch in kept:
            yield pa.RecordBatch.from_arrays([batch.column(place) for place in places], schema=schema)
