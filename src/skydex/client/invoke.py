"""MAST's invoke, asked: rows of its Filtered services, page after page.

One parameter, `request`, holds a JSON object with the service, its parameters and the page (MAST API,
https://mast.stsci.edu/api/v0). An answer may say EXECUTING: then it is asked for again. Rows come as objects with the
types that `fields` gives; units and descriptions come from `columnsconfig`, where the service has them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import Any

import pyarrow as pa

from skydex.client.conditions import settled
from skydex.client.http import Web, host_of
from skydex.client.orders import RowsOrder
from skydex.client.presets import Preset
from skydex.client.psf import filters_of
from skydex.errors import (
    BadAnswerError,
    NotOfferedError,
    RefusedError,
    SkydexError,
    UnknownTableError,
    UnreachableError,
)
from skydex.tables import (
    POSITION_NAMES,
    Column,
    Datatype,
    Result,
    Table,
    arrow_schema,
    arrow_type,
    column_of_arrow,
    conformed,
    likely_position,
    limited,
)

__all__ = ["Invoke"]

PAGE_ROWS = 50_000
"""The most rows that MAST loads at once."""
_MOST_BYTES = 512 << 20
"""Of a page."""
_PATIENCE_S = 600.0
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_SELECTED = "_selected_"
"""A column that MAST's pages tick."""
_TYPES = {
    "double": Datatype.DOUBLE,
    "float": Datatype.DOUBLE,
    "decimal": Datatype.DOUBLE,
    "long": Datatype.LONG,
    "int": Datatype.LONG,
    "short": Datatype.LONG,
    "number": Datatype.LONG,
    "boolean": Datatype.BOOLEAN,
    "binary": Datatype.BOOLEAN,
    "unsignedbyte": Datatype.UNSIGNED_BYTE,
}
"""What the words for types mean (astroquery 0.4.11, `mast/utils.py`); any other is a text."""
_DATATYPES = {kind.value.lower(): kind for kind in Datatype}


@dataclass(frozen=True)
class _Page:
    """One page of rows."""

    columns: tuple[Column, ...]
    """As `fields` has them."""
    rows: pa.Table
    """In their types."""
    n_pages: int
    """How many there are."""


class Invoke:
    """The services of MAST's invoke that give rows.

    Parameters
    ----------
    preset : Preset
        Its addresses, `invoke` and perhaps `columns`, and its databases.
    web : Web
        How it is asked.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._preset, self._web, self._url = preset, web, preset.services["invoke"]
        self._properties = cache(self._ask_properties)

    def tables(self) -> tuple[Table, ...]:
        """The databases, without columns."""
        return tuple(Table(word, (), self._preset.about(word)) for word in self._preset.databases)

    def table(self, name: str) -> Table:
        """One database with its columns.

        Raises
        ------
        UnknownTableError
            There is none of this name.
        """
        service = self._preset.database(name)
        columns = tuple(_configured(*item) for item in self._properties(service).items() if item[0] != _SELECTED)
        if not columns:
            raise UnknownTableError(name[:80], where=self._preset.name, near=list(self._preset.databases))
        return Table(name, columns, self._preset.about(name), position=likely_position(columns, POSITION_NAMES))

    def rows(self, order: RowsOrder) -> Result:
        """Rows of a database, with conditions as filters.

        Raises
        ------
        UnknownTableError, UnknownColumnError
            There is none of this name.
        NotOfferedError
            A filter cannot say it, or the rows are to be sorted.
        RefusedError
            The service refuses.
        """
        if order.sort_by:
            raise NotOfferedError("sorting", self._preset.name, [], hint="Sort the rows when they are there.")
        service = self._preset.database(order.table)
        table = self.table(order.table)
        condition = settled(order.condition, table) if order.condition is not None else None
        columns = [table.get_column(name).name for name in order.columns]
        params = _params(columns, filters_of(condition))
        if order.cone is not None:
            centre = (order.cone.ra_deg, order.cone.dec_deg, order.cone.radius_deg)
            service, params = (
                f"{service}.Position",
                {**params, **dict(zip(("ra", "dec", "radius"), centre, strict=True))},
            )
        result = self._asked(service, params, order.max_rows)
        result.name = order.table
        return result

    def filtered(
        self, service: str, columns: Sequence[str], filters: Sequence[Mapping[str, object]], max_rows: int | None = None
    ) -> Result:
        """Rows of a service by its filters; those of further pages are asked for as they are taken.

        Parameters
        ----------
        service : str
            Such as `Mast.Catalogs.Filtered.Wfc3Psf.Uvis`.
        columns : sequence of str
            Names; none for all.
        filters : sequence of mapping
            As MAST has them: `{"paramName": ..., "values": [...]}`.
        max_rows : int, optional
            Row limit.

        Raises
        ------
        RefusedError
            The service refuses.
        """
        return self._asked(service, _params(columns, filters), max_rows)

    def _asked(self, service: str, params: Mapping[str, object], max_rows: int | None) -> Result:
        page_rows = PAGE_ROWS if max_rows is None else min(max_rows + 1, PAGE_ROWS)
        first = self._page(service, params, page_rows, 1)
        pages = chain([first], self._further(service, params, page_rows, first))
        batches = (batch for page in pages for batch in page.rows.to_batches())
        return limited(Result(first.columns, batches, name=service), max_rows)

    def _further(self, service: str, params: Mapping[str, object], page_rows: int, first: _Page) -> Iterator[_Page]:
        for number in range(2, first.n_pages + 1):
            page = self._page(service, params, page_rows, number)
            if page.rows.schema != first.rows.schema:
                raise BadAnswerError(host_of(self._url), "its pages have different columns.")
            if not page.rows.num_rows:
                return
            yield page

    def _page(self, service: str, params: Mapping[str, object], page_rows: int, number: int) -> _Page:
        host = host_of(self._url)
        answer = self._complete(
            {"service": service, "params": params, "format": "json", "pagesize": page_rows, "page": number}
        )
        try:
            fields = [
                (str(field["name"]), str(field["type"])) for field in answer["fields"] if field["name"] != _SELECTED
            ]
            n_pages = int((answer.get("paging") or {}).get("pagesFiltered") or 1)
            properties = self._properties(service.removesuffix(".Position"))
            columns = tuple(_column(name, word, properties.get(name) or {}) for name, word in fields)
            return _Page(*_rows(answer["data"], columns), n_pages)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, pa.ArrowException) as error:
            raise BadAnswerError(host, "it is not a page of rows with their types.") from error

    def _complete(self, request: Mapping[str, object]) -> Mapping[str, Any]:
        """Ask until the answer is there."""
        host, begun, pause_s = host_of(self._url), time.monotonic(), _PAUSE_S
        while True:
            content = self._web.post(self._url, {"request": json.dumps(request)}, max_bytes=_MOST_BYTES)
            answer = _document(content, host)
            status = answer.get("status")
            if status == "COMPLETE":
                return answer
            if status != "EXECUTING":
                raise RefusedError(host, str(answer.get("msg") or "it does not say why"))
            if time.monotonic() - begun > _PATIENCE_S:
                raise UnreachableError(host, f"the query was not done in {_PATIENCE_S:g} s")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def _ask_properties(self, service: str) -> Mapping[str, Mapping[str, Any]]:
        """What is to be known of a service's columns; nothing if nobody tells."""
        url = self._preset.services.get("columns")
        if url is None:
            return {}
        try:
            found = _document(self._web.post(url, {"colConfigId": service}), host_of(url))
        except SkydexError:
            return {}  # rows are worth having without their units
        return {name: facts for name, facts in found.items() if isinstance(facts, dict)}


def _params(columns: Sequence[str], filters: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"columns": ",".join(columns) or "*", "filters": list(filters)}


def _document(content: bytes, host: str) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(host, "it is not JSON.") from error
    if not isinstance(found, dict):
        raise BadAnswerError(host, "it is not a JSON object.")
    return found


def _configured(name: str, facts: Mapping[str, Any]) -> Column:
    return _column(name, str(facts.get("type") or facts.get("vot.datatype") or "string"), facts)


def _column(name: str, word: str, facts: Mapping[str, Any]) -> Column:
    """A column of an answer, which knows types, with what the configuration says besides."""
    datatype = _TYPES.get(word.lower(), Datatype.CHAR)
    told = _DATATYPES.get(str(facts.get("vot.datatype", "")).lower())
    if told is not None and told.is_numeric and datatype.is_numeric:
        datatype = told
    told_size = str(facts.get("vot.arraysize") or "*")
    return Column(
        name,
        datatype,
        arraysize=told_size if datatype.is_text else None,
        unit=_text(facts, "vot.unit") or _text(facts, "unit"),
        ucd=_text(facts, "vot.ucd"),
        utype=_text(facts, "vot.utype"),
        description=_text(facts, "vot.description") or "",
    )


def _text(facts: Mapping[str, Any], key: str) -> str | None:
    value = facts.get(key)
    return str(value) if value not in (None, "") else None


def _rows(data: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> tuple[tuple[Column, ...], pa.Table]:
    """Objects as columns; a key that is missing is a null."""
    found = [_typed(values, column) for values, column in zip(_values(data, columns), columns, strict=True)]
    described = tuple(column for column, _ in found)
    arrays = [conformed(values, column) for column, values in found]
    return described, pa.table(arrays, schema=arrow_schema(described))


def _values(data: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> Iterator[pa.Array]:
    """The values of each column, in the types that they have by themselves."""
    try:
        objects = pa.array(data) if data else pa.array([], pa.struct([]))
        places = {field.name: place for place, field in enumerate(objects.type)}
        yield from (objects.field(places[c.name]) if c.name in places else pa.nulls(len(data)) for c in columns)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        yield from (_mixed([row.get(column.name) for row in data]) for column in columns)


def _mixed(values: Sequence[Any]) -> pa.Array:
    """Values of one column, as texts if they are not all of one kind."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        texts = [value if isinstance(value, str | None) else json.dumps(value) for value in values]
        return pa.array(texts, pa.string())


def _typed(values: pa.Array, column: Column) -> tuple[Column, pa.Array]:
    """Values in the type of their column, or if they do not fit, the column in theirs: MAST calls some counts texts."""
    if not column.datatype.is_text or not _is_number(values.type):
        try:
            return column, values.cast(arrow_type(column))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
    own = column_of_arrow(column.name, values.type)
    if own is None:
        own, values = Column(column.name, Datatype.CHAR), pa.array(map(json.dumps, values.to_pylist()))
    size = "*" if own.datatype.is_text else own.arraysize
    return replace(column, datatype=own.datatype, arraysize=size), values


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
