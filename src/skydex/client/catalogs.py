"""The catalogue REST API of MAST, asked: metadata, searches by cone and constraints, page after page.

`{base}/{table}/metadata` describes columns, `{base}/{table}.csv` gives rows (https://catalogs.mast.stsci.edu/docs).
CSV is the smallest form that every server of this API has; the metadata say what is in it, so that no identifier is
rounded and no column guessed. A server of skydex, which says what it is, is asked for Arrow instead. What metadata
declare to stand for a missing measurement (-999 in Pan-STARRS) is null in what comes back.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.client.answers import result_of_answer
from skydex.client.conditions import parameters, settled
from skydex.client.http import Web, host_of
from skydex.client.orders import RowsOrder
from skydex.client.presets import Preset
from skydex.errors import (
    BadAnswerError,
    BadParameterError,
    RefusedError,
    UnknownColumnError,
    UnknownTableError,
    UnreadableFileError,
    near_names,
)
from skydex.formats.knowncsv import read_known_csv
from skydex.tables import POSITION_NAMES, Column, Datatype, Result, Table, likely_position, limited

__all__ = ["Catalogs"]

PAGE_ROWS = 1_000_000
"""Rows of a page; notebooks of MAST ask for as many at once."""
_LONGEST_ADDRESS = 2000
_METADATA_BYTES = 64 << 20
_NOT_FOUND = 404
_NONE = "NULL"
_LOWER, _UPPER = (".gt", ".gte", ""), (".lt", ".lte", ".neq")
"""Operators that what stands for a missing value, less than any other, does not pass, and those that it does."""
_NULLS = {".null": "", ".nnull": ".gt"}
_DISTANCE = Column("distance", Datatype.DOUBLE, unit="deg", description="Angle from the centre of the search")
_DB_TYPES = {
    "BIGINT": Datatype.LONG,
    "INTEGER": Datatype.INT,
    "SMALLINT": Datatype.SHORT,
    "TINYINT": Datatype.UNSIGNED_BYTE,
    "BIT": Datatype.BOOLEAN,
    "REAL": Datatype.FLOAT,
    "DOUBLE": Datatype.DOUBLE,
}
_SIGNED = (Datatype.SHORT, Datatype.INT, Datatype.LONG)
_TYPES = {
    "long": Datatype.LONG,
    "int": Datatype.INT,
    "short": Datatype.SHORT,
    "unsignedbyte": Datatype.UNSIGNED_BYTE,
    "boolean": Datatype.BOOLEAN,
    "float": Datatype.DOUBLE,  # HSC calls doubles so as well
    "double": Datatype.DOUBLE,
}


@dataclass(frozen=True)
class _Described:
    """A table as its metadata have it."""

    table: Table
    """Its columns."""
    missing: Mapping[str, float]
    """What stands for a missing value, by the name of the column in small letters."""
    suffix: str = "csv"
    """The format in which its rows are asked for."""

    def find(self, name: str) -> Column | None:
        """What a column of an answer is."""
        return self.table.find_column(name) or (_DISTANCE if name.lower() == _DISTANCE.name else None)

    def measured(self, asked: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Constraints that what stands for a missing value does not keep: to the service it is a number like others."""
        bounded = {name.lower() for name, operator, _ in map(_split, asked) if operator in _LOWER}
        for name, operator, value in map(_split, asked):
            number = self.missing.get(name.lower())
            if number is not None and operator in _NULLS:
                yield f"{name}{_NULLS[operator]}", f"{number:g}"
                continue
            yield f"{name}{operator}", value
            if number is not None and operator in _UPPER and name.lower() not in bounded:
                yield f"{name}.gt", f"{number:g}"


class Catalogs:
    """The tables of a catalogue service.

    Parameters
    ----------
    preset : Preset
        Its address, `catalog`, and what its tables are called.
    web : Web
        How it is asked.
    """

    def __init__(self, preset: Preset, web: Web) -> None:
        self._preset, self._web, self._base = preset, web, preset.services["catalog"].rstrip("/")
        self._described = cache(self._ask_metadata)

    def tables(self) -> tuple[Table, ...]:
        """What there is, without columns."""
        return tuple(Table(name, (), self._about(name)) for name in self._preset.table_names())

    def table(self, name: str) -> Table:
        """One table with its columns.

        Raises
        ------
        UnknownTableError
            There is none of this name.
        """
        return replace(self._described(self._preset.table_path(name)).table, name=name)

    def rows(self, order: RowsOrder) -> Result:
        """Rows of one table; those of further pages are asked for as they are taken.

        Raises
        ------
        UnknownTableError, UnknownColumnError
            There is none of this name.
        BadParameterError
            Neither a position nor a condition restricts the search.
        NotOfferedError
            A condition says what the parameters of this API cannot say.
        RefusedError
            The service refuses, for instance a cone that is too large.
        """
        path = self._preset.table_path(order.table)
        described = self._described(path)
        asked = list(self._parameters(order, described))
        page_rows = PAGE_ROWS if order.max_rows is None else min(order.max_rows + 1, PAGE_ROWS)
        first, digest = self._page(path, asked, page_rows, 1)
        batches = chain([first], self._further(path, asked, page_rows, first, digest))
        result = replace(first, batches=_joined(batches), name=order.table, description=described.table.description)
        return limited(result, order.max_rows)

    def _about(self, name: str) -> str:
        release, _, path = self._preset.table_path(name).partition("/")
        return self._preset.tables[release][path]

    def _parameters(self, order: RowsOrder, described: _Described) -> Iterator[tuple[str, str]]:
        table = described.table
        if order.cone is None and order.condition is None:
            raise BadParameterError("search", f"of {order.table} needs a position or a condition: it has none.")
        if order.cone is not None:
            yield from zip(
                ("ra", "dec", "radius"),
                map(repr, (order.cone.ra_deg, order.cone.dec_deg, order.cone.radius_deg)),
                strict=True,
            )
        if order.condition is not None:
            yield from described.measured(list(parameters(settled(order.condition, table), self._preset.name)))
        if order.columns:
            _check_columns(order.columns, table)
            yield "columns", f"[{','.join(_spelled(name, table) for name in order.columns)}]"
        for key in order.sort_by:
            name = _spelled(key.removeprefix("-"), table)
            yield "sort_by", f"{name}.{'desc' if key.startswith('-') else 'asc'}"

    def _further(
        self, path: str, asked: Sequence[tuple[str, str]], page_rows: int, first: Result, digest: bytes
    ) -> Iterator[Result]:
        """The pages after the first, until one is not full."""
        page, n_rows = 1, first.n_rows
        while n_rows >= page_rows:
            page += 1
            before = digest
            result, digest = self._page(path, asked, page_rows, page)
            n_rows = result.n_rows
            if n_rows and digest == before:
                raise BadAnswerError(host_of(self._base), f"its page {page} is the one before again.")
            if n_rows and result.schema != first.schema:
                raise BadAnswerError(host_of(self._base), "its pages have different columns.")
            yield result

    def _page(self, path: str, asked: Sequence[tuple[str, str]], page_rows: int, page: int) -> tuple[Result, bytes]:
        """The rows of a page, and by what it is known when it comes again: not every service counts pages."""
        described, host = self._described(path), host_of(self._base)
        fields = [*asked, ("pagesize", str(page_rows)), ("page", str(page))]
        content = self._sent(f"{self._base}/{path}.{described.suffix}", fields)
        if described.suffix == "arrow":
            result = result_of_answer([content], host=host)
        else:
            result = _of_csv(content if content.strip() else _header(asked, described.table), described, host)
        table = result.to_arrow()
        batches = _without_missing(table, result.columns, described.missing).to_batches()
        page_of_rows = replace(result, batches=iter(batches), n_rows=table.num_rows, overflow=False)
        return page_of_rows, hashlib.sha256(content).digest()

    def _sent(self, url: str, fields: Sequence[tuple[str, str]]) -> bytes:
        """Ask by the address, which can be shown and kept, as long as it is not too long for servers on the way."""
        length = len(url) + sum(len(name) + len(value) + 2 for name, value in fields)
        return self._web.get(url, fields) if length < _LONGEST_ADDRESS else self._web.post(url, fields)

    def _ask_metadata(self, path: str) -> _Described:
        try:
            answer = self._web.whole("GET", f"{self._base}/{path}/metadata", max_bytes=_METADATA_BYTES)
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                raise UnknownTableError(path, where=self._preset.name) from error
            raise
        items = _metadata(answer.content, host_of(self._base))
        columns = tuple(map(_column, items))
        position = likely_position(columns, POSITION_NAMES)
        return _Described(
            Table(f"{self._preset.collection}/{path}", columns, self._about(path), position=position),
            _all_missing(items, columns),
            "arrow" if answer.headers.get("server", "").startswith("skydex/") else "csv",
        )


def _check_columns(names: Sequence[str], table: Table) -> None:
    """See to it that there are all of them; those that there are not are told at once."""
    known = [column.name for column in table.columns]
    unknown = [name for name in names if name.strip().lower() != _DISTANCE.name and not table.find_column(name.strip())]
    if unknown:
        near = dict.fromkeys(name for one in unknown for name in near_names(one, known))
        raise UnknownColumnError(unknown[0], where=table.name, near=list(near), others=unknown[1:])


def _spelled(name: str, table: Table) -> str:
    """A column as its table writes it, or the distance, which some tables add to what is in a cone."""
    return _DISTANCE.name if name.strip().lower() == _DISTANCE.name else table.get_column(name.strip()).name


def _split(pair: tuple[str, str]) -> tuple[str, str, str]:
    """Column, operator with its dot, value."""
    name, dot, operator = pair[0].partition(".")
    return name, dot + operator, pair[1]


def _of_csv(content: bytes, described: _Described, host: str) -> Result:
    try:
        result = read_known_csv(content, described.find)
    except UnreadableFileError as error:
        raise BadAnswerError(host, error.reason) from error
    if not any(described.find(column.name) for column in result.columns):
        raise BadAnswerError(host, "it is no table with the columns of its metadata.")
    return result


def _header(asked: Sequence[tuple[str, str]], table: Table) -> bytes:
    """The first line of an answer without rows, for a service that sends nothing then."""
    columns = dict(asked).get("columns", "").strip("[]") or ",".join(column.name for column in table.columns)
    return columns.encode()


def _metadata(content: bytes, host: str) -> list[Mapping[str, Any]]:
    try:
        items = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(host, "its metadata are not JSON.") from error
    if not isinstance(items, list) or not items or not all(isinstance(one, dict) and one.get("name") for one in items):
        raise BadAnswerError(host, "its metadata are not a list of columns with names.")
    return items


def _column(item: Mapping[str, Any]) -> Column:
    datatype = _DB_TYPES.get(_word(item, "db_type").upper()) or _TYPES.get(_word(item, "type").lower(), Datatype.CHAR)
    length = _word(item, "arraysize")
    is_bounded = length.removesuffix("*").isdigit()
    return Column(
        str(item["name"]),
        datatype,
        arraysize=(f"{length.removesuffix('*')}*" if is_bounded else "*") if datatype.is_text else None,
        unit=_word(item, "unit") or None,
        ucd=_word(item, "ucd") or None,
        utype=_word(item, "utype") or None,
        description=_word(item, "description"),
    )


def _word(item: Mapping[str, Any], key: str) -> str:
    """A value of metadata, in which `NULL` stands for none."""
    value = item.get(key)
    return "" if value is None or value == _NONE else str(value)


def _all_missing(items: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> dict[str, float]:
    """What stands for values that were not measured; whole numbers of which nothing is said follow most others."""
    declared = {column.name.lower(): _missing(item) for item, column in zip(items, columns, strict=True)}
    known = {name: number for name, number in declared.items() if number is not None}
    if known:
        usual = Counter(known.values()).most_common(1)[0][0]
        known |= {c.name.lower(): usual for c in columns if c.datatype in _SIGNED and c.name.lower() not in known}
    return known


def _missing(item: Mapping[str, Any]) -> float | None:
    try:
        return float(_word(item, "default_value"))
    except ValueError:
        return None


def _without_missing(table: pa.Table, columns: Sequence[Column], missing: Mapping[str, float]) -> pa.Table:
    for place, column in enumerate(columns):
        number = missing.get(column.name.lower())
        if number is not None and column.datatype.is_numeric and not column.is_array:
            values = table.column(place)
            try:
                marker = pa.scalar(number).cast(values.type)
            except pa.ArrowInvalid:  # no value of this type can be that
                continue
            kept = pc.if_else(pc.equal(values, marker), None, values)
            table = table.set_column(place, table.schema.field(place), kept)
    return table


def _joined(pages: Iterator[Result]) -> Iterator[pa.RecordBatch]:
    for page in pages:
        yield from page.batches
