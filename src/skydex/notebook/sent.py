"""`Drawn`: rows as a browser is sent them, in Arrow, and what can be drawn of them.

Rows go once, with the columns that tell most; where they lie in the diagram goes each time that other axes are chosen.
So a table of hundreds of columns costs a browser no more than one of ten.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import BadParameterError, near_names
from skydex.tables import Axis, Table, axes_of, chosen_axes, plottable, shown_columns

__all__ = ["PLACES", "Drawn"]

PLACES = ("x", "y", "color")
"""What a quantity may be drawn as."""
_SECONDS = "%Y-%m-%dT%H:%M:%S"


class Drawn:
    """Rows that are drawn.

    Parameters
    ----------
    table : Table
        What they are of.
    rows : pyarrow Table
        With columns of the table.
    cone : (float, float, float), optional
        Where they are: right ascension, declination and radius, degrees, ICRS.
    more : str, optional
        What is said of rows that are not among them.

    Raises
    ------
    BadParameterError
        There are none, or they have no numbers.
    """

    def __init__(
        self, table: Table, rows: pa.Table, *, cone: tuple[float, float, float] | None = None, more: str = ""
    ) -> None:
        self.table, self.rows, self.cone, self.more = table, rows, cone, more
        self.axes = axes_of(table, rows.select([column.name for column in plottable(table)]))
        if not self.axes:
            what = "no numbers that could be drawn" if rows.num_rows else "no such rows"
            raise BadParameterError("table", f"{table.name} has {what}.")

    @cached_property
    def _by_key(self) -> Mapping[str, Axis]:
        return {axis.key: axis for axis in self.axes}

    def keys(self, asked: Mapping[str, str | None]) -> dict[str, str]:
        """What is drawn at first: what is asked for, else a colour and a magnitude, or whatever tells most."""
        telling = {place: axis.key if axis else "" for place, axis in chosen_axes(self.axes, {}).items()}
        return {place: self.checked(place, asked.get(place) or key) for place, key in telling.items()}

    def checked(self, place: str, key: str) -> str:
        """The key of an axis; `color` may be nothing.

        Raises
        ------
        BadParameterError
            There is no such axis; with those whose names are near.
        """
        if key in self._by_key or (place == "color" and not key):
            return key
        near = near_names(key, self._by_key) or list(self._by_key)[:5]
        raise BadParameterError(place, f"cannot be {key[:80]!r}. There are {', '.join(near)}, and others; see axes.")

    def facts(self) -> dict[str, Any]:
        """What a view is told besides."""
        position = self.table.position
        return {
            "axes": [axis.facts() for axis in self.axes],
            "id": self.table.id_column,
            "ra": position.ra if position else None,
            "dec": position.dec if position else None,
            "cone": dict(zip(("ra", "dec", "radius"), self.cone, strict=True)) if self.cone else None,
            "more": self.more,
        }

    def shown(self) -> bytes:
        """The columns that tell most, as an Arrow stream."""
        columns = [self.table.get_column(name) for name in shown_columns(self.table)]
        values = [_readable(self.rows[column.name]) for column in columns]
        fields = [
            pa.field(column.name, array.type, metadata={"unit": column.unit or ""})
            for column, array in zip(columns, values, strict=True)
        ]
        return _stream(pa.table(values, pa.schema(fields)))

    def points(self, keys: Mapping[str, str]) -> bytes:
        """Where the rows lie in a diagram, and its axes by place, as an Arrow stream."""
        axes = {place: self._by_key[key] for place, key in keys.items() if key}
        columns = {f"plot_{place[0]}": axis.values(self.rows) for place, axis in axes.items()}
        return _stream(pa.table(columns).replace_schema_metadata({place: axis.key for place, axis in axes.items()}))


def _readable(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values that a browser can show: a timestamp as a text."""
    return pc.strftime(values, _SECONDS) if pa.types.is_timestamp(values.type) else values


def _stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    stream: bytes = sink.getvalue().to_pybytes()
    return stream
