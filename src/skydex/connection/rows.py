"""`ResultTable`: the rows of an answer as an astropy `QTable`, with where they come from.

Columns have units, descriptions and UCDs, and show as many digits as they mean (`precision`). What was asked of whom
travels in `meta["provenance"]`, a list, so that `join` and `vstack` of several answers keep the provenance of all
without a word of warning.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from astropy.io import registry
from astropy.table import Column as AstropyColumn
from astropy.table import QTable, Table

from skydex.connection.arrow_columns import arrow_table, result_of
from skydex.connection.astropy_columns import astropy_column, is_quantity
from skydex.connection.files import astropy_writer
from skydex.errors import ServiceError
from skydex.tables import Column, Result, uniquely_named

__all__ = ["ResultTable", "result_table", "table_of_arrow"]


class ResultTable(QTable):  # type: ignore[misc]
    """Rows of an answer: an astropy `QTable` that knows where it comes from.

    A null float is NaN, other nulls are masked; text is text, and timestamps are ISO 8601 text. A unit that astropy
    does not know is kept beside its column, which is then a plain one. UCD, utype and xtype of a column are in its
    `info.meta`.
    """

    @property
    def provenance(self) -> tuple[Mapping[str, Any], ...]:
        """What was asked: for each answer that went into this table `query`, `service`, `target`, `time`, and so on."""
        return tuple(self.meta.get("provenance", ()))

    @property
    def truncated(self) -> bool:
        """Whether an answer that went into this table was cut at a row limit: there are more rows."""
        return any(answer.get("truncated", False) for answer in self.provenance)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the answer, in sentences."""
        return tuple(self.meta.get("warnings", ()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Where the rows come from, as pairs of texts; several answers one after the other."""
        pairs = [pair for answer in self.provenance for pair in _pairs(answer)]
        return (*pairs, *(("warning", warning) for warning in self.warnings))

    def to_result(self) -> Result:
        """Set the rows in motion again, with where they come from."""
        result = result_of(self)
        result.infos = tuple(pair for answer in self.provenance for pair in _pairs(answer))
        result.warnings, result.overflow = list(self.warnings), self.truncated
        return result

    @property
    def arrow(self) -> pa.Table:
        """The rows as an Arrow table, as they are now; unit, UCD and description are in the metadata of its fields."""
        return arrow_table(self)

    def to_pandas(self, index: str | bool | None = None, use_nullable_int: bool = True) -> Any:
        """Give the rows as a pandas DataFrame.

        Parameters
        ----------
        index : str, optional
            Name of a column that becomes the index.
        use_nullable_int : bool, optional
            Whether integers with nulls become pandas' nullable integers; otherwise they become floats.

        Returns
        -------
        frame : pandas.DataFrame
            Timestamps are `datetime64`; units, by column, are in `attrs["units"]`.
        """
        _library("pandas")
        rows = self.arrow
        frame = rows.to_pandas()
        for name in _integers_with_nulls(rows) if use_nullable_int else ():
            frame[name] = rows[name].to_pandas(types_mapper=_nullable_type)
        frame.attrs["units"] = {name: str(unit) for name in self.colnames if (unit := self[name].info.unit) is not None}
        return frame.set_index(index) if isinstance(index, str) else frame

    def to_polars(self) -> Any:
        """Give the rows as a polars DataFrame; it has no place for units."""
        return _library("polars").from_arrow(self.arrow)

    def _convert_col_for_table(self, col: Any) -> Any:
        """Leave columns that cannot be quantities what they are; `QTable` would warn of each."""
        if isinstance(col, AstropyColumn) and not is_quantity(col.dtype, col.unit):
            return Table._convert_col_for_table(self, col)
        return super()._convert_col_for_table(col)

    def _base_repr_(self, html: bool = False, descr_vals: list[str] | None = None, **kwargs: Any) -> str:
        if descr_vals is None and self.truncated:
            descr_vals = [type(self).__name__, "cut at its row limit, there are more rows", f"length={len(self)}"]
        shown: str = super()._base_repr_(html, descr_vals, **kwargs)
        return shown


registry.register_writer("fits", ResultTable, astropy_writer("fits", {None: "fits"}), force=True)
registry.register_writer(
    "votable",
    ResultTable,
    astropy_writer(
        "votable", {None: "votable", "binary2": "votable", "binary": "votable/b", "tabledata": "votable/td"}
    ),
    force=True,
)


def result_table(result: Result, **provenance: Any) -> ResultTable:
    """Take all rows of a result as a table.

    Parameters
    ----------
    result : Result
        Rows in motion; they are used up.
    **provenance
        What is known of the answer: `query`, `service`, `target`, `time`, `versions`, `description`, `citation`. Values
        that YAML can write; what is None is left out.

    Returns
    -------
    table : ResultTable
        Names that differ only in case get a number, as in `skydex.tables.uniquely_named`.
    """
    with result:
        rows = result.to_arrow()
    known: dict[str, Any] = {"description": result.description or None, **provenance, "truncated": result.overflow}
    if result.infos:
        known["infos"] = [list(info) for info in result.infos]
    return table_of_arrow(rows, result.columns, provenance=known, warnings=result.warnings)


def table_of_arrow(
    rows: pa.Table, columns: Sequence[Column], *, provenance: Mapping[str, Any], warnings: Sequence[str] = ()
) -> ResultTable:
    """Make a table of Arrow rows in `arrow_schema(columns)`."""
    named = uniquely_named(columns)
    made = [astropy_column(values, column) for values, column in zip(rows.columns, named, strict=True)]
    table = ResultTable(made, names=[column.name for column in named], copy=False)
    table.meta["provenance"] = [{key: value for key, value in provenance.items() if value is not None}]
    if warnings:
        table.meta["warnings"] = list(warnings)
    return table


def _pairs(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in answer.items():
        if key == "infos":
            yield from ((str(name), str(said)) for name, said in value)
        elif isinstance(value, Mapping):
            yield key, ", ".join(f"{name} {said}" for name, said in value.items())
        elif key != "truncated":
            yield key, str(value)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ServiceError(f"This needs {name}: pip install 'skydex[frames]'.") from error


def _integers_with_nulls(rows: pa.Table) -> list[str]:
    return [name for name in rows.column_names if rows[name].null_count and pa.types.is_integer(rows[name].type)]


def _nullable_type(kind: pa.DataType) -> Any:
    """The type in which pandas keeps integers with nulls: `Int64`, `UInt8`."""
    name = str(kind)
    return _library("pandas").api.types.pandas_dtype(
        name[:2].upper() + name[2:] if name.startswith("u") else name.capitalize()
    )
