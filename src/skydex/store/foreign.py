"""Catalogues that others wrote: HATS of any product type, and plain directories of Parquet files.

What a catalogue does not say is inferred and marked so: units and UCDs of the positions from `hats_col_ra` and
`hats_col_dec`, types from Arrow. Files come from `partition_info.csv`, else from `_metadata`, else from a listing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.errors import StoreError
from skydex.store.footers import (
    Bounds,
    pixel_bounds,
    read_footer,
    read_footers,
    row_groups_of_files,
    row_groups_of_metadata,
)
from skydex.store.holding import NOWHERE, Holding, Partition
from skydex.store.layout import (
    COMMON_METADATA,
    DATASET,
    METADATA,
    PARTITION_INFO,
    PROPERTIES,
    partition_file,
    partition_label,
    pixel_of_file,
)
from skydex.store.location import Location
from skydex.store.properties import parse_properties
from skydex.store.remote import RemoteLocation
from skydex.store.rowgroups import RowGroups
from skydex.store.statistics import Statistics, statistics_in_memory, statistics_of_footer
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, column_of_arrow, columns_from_metadata

__all__ = ["find_properties", "read_foreign"]

_WHOLE_SKY = (0, (12 << 58) - 1)
_ID_UCD = "meta.id;meta.main"
_MOST_METADATA = 16 << 20
"""Of a larger `_metadata` far away the footers of the files are read instead, as they are needed."""
_SURE = 0.9
"""Confidence in what the property file implies about the position columns."""
_POSITION_UCDS = ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main")


def find_properties(location: Location) -> dict[str, str] | None:
    """Read the property file of a HATS catalogue; `None` if there is none."""
    contents = (location.find(name) for name in PROPERTIES)
    content = next((content for content in contents if content is not None), None)
    return None if content is None else parse_properties(content.decode("utf-8", errors="replace"))


def read_foreign(location: Location, *, name: str) -> Holding:
    """Read what a catalogue that is not ours says of itself.

    Raises
    ------
    StoreError
        There is no catalogue, or it has no data files.
    """
    return _Foreign(location, name, find_properties(location) or {}).holding()


@dataclass(frozen=True, eq=False)
class _Foreign:
    """A foreign catalogue while it is being read."""

    location: Location
    name: str
    properties: dict[str, str]

    def holding(self) -> Holding:
        if not self.properties:
            self._refuse_a_mixture()
        schema = self.footer.schema.to_arrow_schema()
        index, order = self.index(schema)
        return Holding(
            table=self.table(schema, index),
            version=self.version(),
            arrow_schema=schema,
            index_column=index,
            index_order=order,
            nan_is_null=True,
            partitions=self.partitions,
            load_row_groups=lambda: self.row_groups(Bounds(index, order, self.fallback)),
            find_statistics=lambda: self.statistics(schema),
            bounds_of=self.fallback,
            load_some_row_groups=self.some_row_groups(Bounds(index, order, self.fallback)),
        )

    def _refuse_a_mixture(self) -> None:
        """A plain directory is a table only if its files have the same columns."""
        footers = read_footers(self.location, [partition.file for partition in self.partitions], name=self.name)
        schemas = [footer.schema.to_arrow_schema().remove_metadata() for footer in footers]
        odd = next((number for number, schema in enumerate(schemas) if schema != schemas[0]), None)
        if odd is not None:
            file = partition_label(self.partitions[odd].file)
            raise StoreError(f"The files in the directory for {self.name} are not one table: {file} has other columns.")

    @cached_property
    def footer(self) -> pq.FileMetaData:
        """The footer that speaks for all: `_common_metadata`, or that of the first file."""
        content = self.location.find(COMMON_METADATA)
        if content:
            return _parsed(content, name=self.name)
        if not self.partitions:
            raise StoreError(f"There are no Parquet files in the catalogue that {self.name} was to be opened from.")
        return read_footer(self.location, self.partitions[0].file, name=self.name)

    @cached_property
    def metadata(self) -> pq.FileMetaData | None:
        """All footers at once, if the catalogue has them."""
        if isinstance(self.location, RemoteLocation) and not self.location.is_small(METADATA, _MOST_METADATA):
            return None
        content = self.location.find(METADATA)
        return _parsed(content, name=self.name) if content else None

    @cached_property
    def partitions(self) -> tuple[Partition, ...]:
        found = (Partition(self.location.path(file), *_pixel(file), n_rows) for file, n_rows in self._files())
        return tuple(sorted(found, key=lambda partition: (*pixel_bounds(partition), partition.file)))

    def _files(self) -> Iterator[tuple[str, int | None]]:
        """Names of the data files with their rows, if known."""
        suffix = self.properties.get("hats_npix_suffix", ".parquet")
        listed = self.location.find(PARTITION_INFO)
        if listed is not None and suffix not in ("/", "\\"):
            for row in csv.DictReader(io.StringIO(listed.decode())):
                yield partition_file(int(row["Norder"]), int(row["Npix"]), suffix=suffix), _count(row.get("num_rows"))
        else:
            yield from self._files_unlisted()

    def _files_unlisted(self) -> Iterator[tuple[str, int | None]]:
        if self.metadata is not None and self.metadata.num_row_groups:
            counts: dict[str, int] = {}
            for number in range(self.metadata.num_row_groups):
                group = self.metadata.row_group(number)
                file = group.column(0).file_path
                counts[file] = counts.get(file, 0) + group.num_rows
            yield from ((f"{DATASET}/{file}", n_rows) for file, n_rows in counts.items())
            return
        names = self.location.iter_names(DATASET if self.properties else "")
        yield from ((file, None) for file in names if _is_data(file))

    def index(self, schema: pa.Schema) -> tuple[str | None, int]:
        """Name and order of the index column."""
        named = self.properties.get("hats_col_healpix")
        if named in schema.names:
            return named, int(self.properties.get("hats_col_healpix_order", 29))
        return (INDEX_COLUMN, 29) if INDEX_COLUMN in schema.names else (None, 29)

    def table(self, schema: pa.Schema, index: str | None) -> Table:
        """Describe the table: what the files say in VOTable's words, then what Arrow and the properties imply."""
        said = columns_from_metadata(self.footer.metadata)
        drawn = (_column(field, said.get(field.name)) for field in schema if field.name != index)
        columns = tuple(column for column in drawn if column is not None)
        names = {column.name for column in columns}
        ra, dec = self.properties.get("hats_col_ra"), self.properties.get("hats_col_dec")
        position = Position(ra, dec) if ra in names and dec in names and ra and dec else None
        if position:
            columns = tuple(_positioned(column, position) for column in columns)
        main = next((column.name for column in columns if column.ucd == _ID_UCD), None)
        words = self.properties.get("obs_description") or self.properties.get("obs_title") or ""
        return Table(self.name, columns, words, position, id_column=main, n_rows=self.n_rows())

    def n_rows(self) -> int | None:
        counts = [partition.n_rows for partition in self.partitions]
        if counts and None not in counts:
            return sum(count for count in counts if count is not None)
        return _count(self.properties.get("hats_nrows"))

    def version(self) -> str:
        """Digest of size and time of whatever changes when the catalogue changes."""
        names = (*PROPERTIES, PARTITION_INFO, COMMON_METADATA, METADATA)
        stamps = repr([self.location.stamp(name) for name in names])
        if not any(self.location.stamp(name) for name in names):
            stamps = repr([(p.file, self.location.size(p.file)) for p in self.partitions])
        return hashlib.sha256(stamps.encode()).hexdigest()[:16]

    def row_groups(self, bounds: Bounds) -> RowGroups:
        start = len(self.location.path(f"{DATASET}/"))
        metadata = self.metadata
        self.__dict__.pop("metadata")  # it can be large and is not needed again
        if metadata is not None:
            numbers = {partition.file[start:]: number for number, partition in enumerate(self.partitions)}
            found = row_groups_of_metadata(metadata, self.partitions, numbers, bounds)
            if found is not None:
                return found
        everyone = range(len(self.partitions))
        return row_groups_of_files(self.location, self.partitions, bounds, name=self.name, numbers=everyone)

    def some_row_groups(self, bounds: Bounds) -> Callable[[NDArray[np.int64]], RowGroups] | None:
        """How to read the bounds of some row groups: far away, where no file speaks for all, from a few footers."""
        location = self.location
        if not isinstance(location, RemoteLocation) or location.is_small(METADATA, _MOST_METADATA):
            return None
        partitions = self.partitions
        return lambda numbers: row_groups_of_files(
            location, partitions, bounds, name=self.name, numbers=numbers.tolist()
        )

    def statistics(self, schema: pa.Schema) -> Statistics | None:
        """What `_metadata` says of the values, if it speaks of exactly these files."""
        metadata = self.metadata
        self.__dict__.pop("metadata")
        if metadata is None:
            return None
        start = len(self.location.path(f"{DATASET}/"))
        numbers = {partition.file[start:]: number for number, partition in enumerate(self.partitions)}
        files = [metadata.row_group(group).column(0).file_path for group in range(metadata.num_row_groups)]
        if set(files) != set(numbers):
            return None
        order = np.argsort([numbers[file] for file in files], kind="stable")
        return statistics_in_memory(statistics_of_footer(metadata, schema, is_own=False).take(order))

    def fallback(self, partition: Partition) -> tuple[int, int]:
        """Bounds without statistics; rows of a margin lie outside their pixel, so they may be anywhere."""
        is_margin = self.properties.get("dataproduct_type") == "margin"
        return _WHOLE_SKY if is_margin else pixel_bounds(partition)


def _parsed(content: bytes, *, name: str) -> pq.FileMetaData:
    try:
        return pq.read_metadata(pa.BufferReader(content))
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"The metadata files of {name} are not Parquet.") from error


def _pixel(file: str) -> tuple[int, int]:
    return pixel_of_file(file) or (NOWHERE, NOWHERE)


def _is_data(file: str) -> bool:
    name = file.rsplit("/", 1)[-1]
    return not name.startswith(("_", ".")) and name.endswith((".parquet", ".parq", ".pq")) and "thumbnail" not in name


def _count(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None


def _column(field: pa.Field, said: Column | None) -> Column | None:
    """Describe a column by its Arrow type, in the words of the file's VOTable if it has one."""
    drawn = column_of_arrow(field.name, field.type)
    if drawn is None or said is None:
        return drawn
    size = said.arraysize if drawn.datatype.is_text or drawn.is_array else None
    text = said.datatype if drawn.datatype.is_text and said.datatype.is_text else drawn.datatype
    xtype = said.xtype or drawn.xtype
    return replace(said, datatype=text, arraysize=size or drawn.arraysize, xtype=xtype)


def _positioned(column: Column, position: Position) -> Column:
    """Add what is implied by being a position column: unit, UCD, and that the index serves it."""
    if column.name not in (position.ra, position.dec):
        return column
    guessed = {"unit": "deg", "ucd": _POSITION_UCDS[column.name == position.dec]}
    missing = {key: value for key, value in guessed.items() if not getattr(column, key)}
    if column.datatype not in (Datatype.FLOAT, Datatype.DOUBLE):
        missing = {}
    marks = MappingProxyType({**column.inferred, **dict.fromkeys(missing, _SURE)})
    unit, ucd = missing.get("unit", column.unit), missing.get("ucd", column.ucd)
    return replace(column, unit=unit, ucd=ucd, indexed=True, inferred=marks)
