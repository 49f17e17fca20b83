"""Several files, one table: which columns they have together, and each file's rows in that shape.

Integers widen to longer integers or to floats, a column that some files lack is null there, and a text column without
a single value takes the type that other files give it (which is how CSV readers see empty columns). What cannot be one
column (a text here and a number there, two different units) is an error that names both files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import BadRecipeError
from skydex.formats import Source
from skydex.ingest.units import normalised_unit
from skydex.tables import Column, Datatype, arrow_type, uniquely_named

__all__ = ["Shape", "first_batch", "reconciled"]

_WIDTH = [Datatype.UNSIGNED_BYTE, Datatype.SHORT, Datatype.INT, Datatype.LONG]
_TEXTS = ("unit", "ucd", "utype", "xtype", "description")
_EXACT_IN_FLOAT = (Datatype.UNSIGNED_BYTE, Datatype.SHORT)


@dataclass(frozen=True)
class Shape:
    """The columns of several files together, and how each file's rows get there."""

    columns: tuple[Column, ...]
    """All columns, in the order in which they were met."""
    warnings: tuple[str, ...] = ()
    """What had to be bridged."""

    def aligned(self, batch: pa.RecordBatch, own: Sequence[Column]) -> pa.Table:
        """Rows of one file (whose columns are `own`, uniquely named) with all columns in their common types."""
        arrays = {column.name.lower(): array for column, array in zip(own, batch.columns, strict=True)}
        fitted = [_fitted(arrays.get(column.name.lower()), column, batch.num_rows) for column in self.columns]
        return pa.table(fitted, names=[column.name for column in self.columns])


def _fitted(array: pa.Array | None, column: Column, n_rows: int) -> pa.Array:
    kind = arrow_type(column)
    if array is None:
        return pa.nulls(n_rows, kind)
    if array.type == kind or pa.types.is_dictionary(array.type):
        return array if array.type == kind else array.dictionary_decode().cast(kind)
    if pa.types.is_string(array.type):
        array = pc.if_else(pc.equal(pc.utf8_trim_whitespace(array), ""), None, array)
    try:
        return array.cast(kind)
    except pa.ArrowInvalid as error:
        raise BadRecipeError(
            f"Column {column.name} is {column.datatype} in one file, and another holds what is not: {error}. "
            f"Say which it is: columns: {{{column.name}: {{type: char}}}}."
        ) from error


def first_batch(source: Source) -> pa.RecordBatch | None:
    """The first batch of a file that has any rows; the file is closed again."""
    batches = source.open_batches()
    try:
        return next((batch for batch in batches if batch.num_rows), None)
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def reconciled(sources: Sequence[Source]) -> Shape:
    """Find the columns that several files have together.

    Raises
    ------
    BadRecipeError
        A column cannot be the same thing in all files.
    """
    columns: dict[str, Column] = {}
    origin: dict[str, Source] = {}
    warnings: list[str] = []
    for source in sources:
        for column in uniquely_named(source.columns):
            key = column.name.lower()
            if key in columns:
                columns[key] = _joined(columns[key], origin[key], column, source)
            else:
                columns[key], origin[key] = column, source
    warnings += _missing(columns, sources)
    return Shape(tuple(columns.values()), tuple(warnings))


def _missing(columns: dict[str, Column], sources: Sequence[Source]) -> list[str]:
    own = [(source.file.name, {column.name.lower() for column in uniquely_named(source.columns)}) for source in sources]
    lacking = {key: [file for file, names in own if key not in names] for key in columns}
    return [f"{columns[key].name} is not in {_named(files)}: null there." for key, files in lacking.items() if files]


def _named(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more files"


def _joined(first: Column, file: Source, second: Column, other: Source) -> Column:
    if first == second:
        return first
    datatype, arraysize = _common_type(first, file, second, other)
    units = normalised_unit(first.unit), normalised_unit(second.unit)
    if None not in units and units[0] != units[1]:
        raise BadRecipeError(
            f"{first.name} is in {first.unit} in {file.file.name}, but in {second.unit} in {other.file.name}: "
            "these files are not one table."
        )
    texts = {key: getattr(first, key) or getattr(second, key) for key in _TEXTS}
    return replace(first, datatype=datatype, arraysize=arraysize, **texts)


def _common_type(first: Column, file: Source, second: Column, other: Source) -> tuple[Datatype, str | None]:
    if first.is_array != second.is_array:
        raise _mismatch(first, file, second, other)
    arraysize = first.arraysize if first.arraysize == second.arraysize else "*"
    one, two = first.datatype, second.datatype
    if one == two or (one.is_text and two.is_text):
        return one if one == two else Datatype.UNICODE_CHAR, arraysize
    if one.is_numeric and two.is_numeric:
        return _wider(one, two), arraysize
    if one.is_text != two.is_text and _is_empty(file if one.is_text else other, first.name):
        return (two, second.arraysize) if one.is_text else (one, first.arraysize)
    raise _mismatch(first, file, second, other)


def _wider(one: Datatype, two: Datatype) -> Datatype:
    if one.is_integer and two.is_integer:
        return max(one, two, key=_WIDTH.index)
    kinds = {one, two}
    others = kinds - {Datatype.FLOAT}
    return Datatype.FLOAT if Datatype.FLOAT in kinds and others <= set(_EXACT_IN_FLOAT) else Datatype.DOUBLE


def _is_empty(source: Source, name: str) -> bool:
    """Whether a text column has no value at all in the file's first batch."""
    names = [column.name.lower() for column in uniquely_named(source.columns)]
    batch = first_batch(source)
    if batch is None or name.lower() not in names:
        return True
    texts = batch.column(names.index(name.lower()))
    return not pc.any(pc.not_equal(pc.utf8_trim_whitespace(texts.cast(pa.string())), ""), min_count=0).as_py()


def _mismatch(first: Column, file: Source, second: Column, other: Source) -> BadRecipeError:
    return BadRecipeError(
        f"{first.name} is {_type_name(first)} in {file.file.name}, but {_type_name(second)} in {other.file.name}: "
        "these files are not one table. Ingest them as two, or drop the column in the recipe."
    )


def _type_name(column: Column) -> str:
    return f"{column.datatype}{f'[{column.arraysize}]' if column.is_array else ''}"
