"""`publish_images`: the images of a collection appear in an archive, with the tables that describe them.

Three steps, each of which happens wholly or not at all: the register, so that whatever a table names can be opened;
`<collection>.images` with `<collection>.image_cards`; and `ivoa.obscore`, made anew from the images of all
collections. The same call made again mends what a killed one left undone. Images themselves are not touched.

Addresses are stored without that of the server (`Relation.links`), which can change.
"""

from __future__ import annotations

import re
import shutil
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import BadRecipeError, StoreError, UnknownTableError
from skydex.images import Image, facts_of, footprint_of
from skydex.ingest.images.columns import CARD_COLUMNS, IMAGE_COLUMNS
from skydex.ingest.images.entry import Card, ImageEntry, address_of, place_of
from skydex.ingest.images.examples import examples_of_images, examples_of_obscore
from skydex.ingest.images.reach import Reach
from skydex.sky import index29
from skydex.store import LINKS, REACHES, ArchiveDirectory, ArchiveEntry, ImageRecord, Imagery, Layout, OriginalFile
from skydex.tables import (
    INDEX_COLUMN,
    OBSCORE,
    OBSCORE_COLUMNS,
    OBSCORE_UTYPE,
    Column,
    ForeignKey,
    Position,
    Table,
    arrow_schema,
)

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["ImageReport", "Kept", "checked_collection", "publish_images", "remove_images"]

_COLLECTION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)
_RESERVED = frozenset({"ivoa", "tap_schema", "tap_upload", "mydb"})
_POSITION = Position("s_ra", "s_dec")
_ID = "obs_publisher_did"
_LINKS = ["access_url"]
_OUTLINE = "s_region"
_PLACE = frozenset({"s_ra", "s_dec", "s_fov", "s_region", "s_pixel_scale"})
_EXTENSION = next(column for column in IMAGE_COLUMNS if column.name == "extension")
_AUXILIARY = ("ERR", "DQ", "SAMP", "TIME", "WHT", "CTX", "MSK", "MASK", "VAR", "EXP", "EXPWT", "NUM", "WT")
"""Names of extensions that tell of the errors of another; they are no products of their own in `ivoa.obscore`."""
_BATCH = 4000
_ATTEMPTS = 10
_ABOUT_OBSCORE = (
    "Images of all collections of this archive, as ObsCore 1.1 describes data sets: one row for each. Images that tell "
    "of the errors of others are not among them; the tables of each collection have them."
)


@dataclass(frozen=True)
class ImageReport:
    """What was published."""

    collection: str
    """Name of the collection."""
    n_images: int
    """Images of it."""
    n_cards: int
    """Header cards of them."""
    seconds: float
    """How long it took."""

    def __str__(self) -> str:
        return f"{self.collection}: {self.n_images:,} images, {self.n_cards:,} header cards, {self.seconds:.1f} s"


@dataclass(frozen=True)
class Kept:
    """What stays as it was published before."""

    records: tuple[ImageRecord, ...] = ()
    """Images whose rows and cards are taken over."""
    originals: Iterable[OriginalFile] = ()
    """What the register keeps of files; asked for when all new images have passed."""


def publish_images(
    directory: ArchiveDirectory,
    collection: str,
    entries: Iterable[ImageEntry],
    *,
    description: str,
    kept: Kept | None = None,
) -> ImageReport:
    """Publish the images of a collection, in place of those that were published before.

    Parameters
    ----------
    directory : ArchiveDirectory
        The archive.
    collection : str
        Schema of the tables that describe them.
    entries : iterable of ImageEntry
        The images, all of that collection; walked through once.
    description : str
        One paragraph for people on the images of this collection.
    kept : Kept, optional
        What stays of those that were published before.

    Raises
    ------
    BadRecipeError
        A name that no collection can have, or that a table has; a value of a column that there is not.
    StoreError
        The disk is full or fails.
    """
    started = time.perf_counter()
    images = Table(
        f"{checked_collection(collection)}.images",
        IMAGE_COLUMNS,
        description,
        _POSITION,
        _ID,
        examples=examples_of_images(collection),
    )
    cards = Table(
        f"{collection}.image_cards",
        CARD_COLUMNS,
        f"{description} These are the cards of the headers of the images in {images.name}.",
        foreign_keys=(ForeignKey(images.name, ((_ID, _ID),), "The image"),),
    )
    if _is_listed(directory, images.name) and collection not in Imagery(directory.path).collections():
        raise BadRecipeError(f"There is a table {images.name} that is none of images: give the images another name.")
    kept = kept or Kept()
    with _Writer(directory, images) as image_rows, _Writer(directory, cards) as card_rows:
        for writer in (image_rows, card_rows) if kept.records else ():
            writer.take_over(pa.array([record.did for record in kept.records]))
        reach = Reach(_reach_of((directory.get(images.name),)) if kept.records else 0.0)
        records = chain(kept.records, _recorded(entries, image_rows, card_rows, reach))
        n_images = Imagery(directory.path).publish(collection, records, originals=kept.originals)
        image_rows.publish(_notes(reach.deg))
        card_rows.publish()
    _publish_obscore(directory)
    return ImageReport(collection, n_images, card_rows.n_rows, time.perf_counter() - started)


def remove_images(directory: ArchiveDirectory, collection: str) -> None:
    """Take the images of a collection out of an archive; they themselves stay where they are."""
    if collection not in Imagery(directory.path).collections():
        return
    for name in (f"{collection}.images", f"{collection}.image_cards"):
        if _is_listed(directory, name):
            directory.remove(name)
    Imagery(directory.path).remove(collection)
    _publish_obscore(directory)


def checked_collection(collection: str) -> str:
    """The name of a collection; `BadRecipeError` if none can be called so."""
    if not _COLLECTION.fullmatch(collection) or collection.lower() in _RESERVED:
        raise BadRecipeError(
            f"No collection of images can be called {collection[:100]!r}: take letters, digits and _, the first of "
            f"them a letter, and none of {', '.join(sorted(_RESERVED))}."
        )
    return collection


class _Writer:
    """Rows on their way into a table; nothing is left of them if they are not published."""

    def __init__(self, directory: ArchiveDirectory, table: Table) -> None:
        self._directory, self._table = directory, table
        self._schema = arrow_schema(table.columns)
        self._waiting: list[Mapping[str, Any]] = []
        self._pieces = self.n_rows = 0

    def __enter__(self) -> _Writer:
        self._staging = self._directory.stage(self._table, Layout())
        return self

    def __exit__(self, *_: object) -> None:
        self._staging.close()
        shutil.rmtree(self._staging.directory, ignore_errors=True)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows; columns that one does not have are null."""
        waiting = len(self._waiting)
        self._waiting += rows
        self.n_rows += len(self._waiting) - waiting
        if len(self._waiting) >= _BATCH:
            self._flush()

    def add_table(self, rows: pa.Table) -> None:
        """Add rows in the columns of the table."""
        if self._table.position is not None:
            ra, dec = (rows[name].to_numpy().astype(np.float64) for name in (_POSITION.ra, _POSITION.dec))
            index = index29(ra, dec)
            rows = rows.add_column(0, pa.field(INDEX_COLUMN, pa.int64()), pa.array(index, mask=index < 0))
        self._staging.add(str(self._pieces), rows)
        self._pieces += 1

    def take_over(self, dids: pa.Array) -> None:
        """Add the rows of some images from the table that is published now."""
        for rows in _rows_of(self._directory, self._table.name, self._table.columns):
            chosen = rows.filter(pc.is_in(rows[_ID], dids))
            if len(chosen):
                self.n_rows += len(chosen)
                self.add_table(chosen)

    def _flush(self) -> None:
        arrays = [
            pa.array([row.get(field.name) for row in self._waiting], field.type, from_pandas=True)
            for field in self._schema
        ]
        self.add_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []

    def publish(self, notes: Mapping[str, Any] | None = None, *, of: tuple[ArchiveEntry, ...] = ()) -> None:
        """Make the table appear.

        Parameters
        ----------
        notes : mapping, optional
            Notes of its entry.
        of : tuple of ArchiveEntry
            The tables that it was made of.

        Raises
        ------
        _OutdatedError
            These were published anew meanwhile.
        """
        if self._waiting:
            self._flush()

        def settle(entry: ArchiveEntry, listed: tuple[ArchiveEntry, ...]) -> ArchiveEntry:
            if of and not set(_versions(of)) <= set(_versions(listed)):
                raise _OutdatedError("Tables of images were published meanwhile.")
            return replace(entry, notes=notes or {})

        written = self._staging.finish()
        self._directory.publish(self._table.name, written.directory, settle=settle)


class _OutdatedError(StoreError):
    """What a table was made of has changed."""


def _versions(entries: Iterable[ArchiveEntry]) -> Iterator[tuple[str, str]]:
    return ((entry.name, entry.version) for entry in entries)


def _recorded(entries: Iterable[ImageEntry], images: _Writer, cards: _Writer, reach: Reach) -> Iterator[ImageRecord]:
    """The records of images, whose rows and cards are written on the way."""
    known = {column.name for column in IMAGE_COLUMNS}
    for entry in entries:
        unknown = entry.row.keys() - known
        if unknown:
            raise BadRecipeError(f"A table of images has no column {', '.join(sorted(unknown))}.")
        header = _cards(entry.header)
        row = {**_defaults(entry), **_facts(entry, header), **entry.row}
        reach.see(row.get(_OUTLINE), row.get(_POSITION.ra), row.get(_POSITION.dec))
        images.add([row])
        cards.add(_card_rows(entry.record, header))
        yield entry.record


def _defaults(entry: ImageEntry) -> dict[str, Any]:
    """What follows from the record, and must not be null in ObsCore."""
    record = entry.record
    return {
        "dataproduct_type": "image",
        "calib_level": 2,
        "obs_collection": record.collection,
        "obs_id": record.name,
        _ID: record.did,
        "access_url": address_of(record.collection, record.name, record.hdu),
        "access_format": "image/fits",
        "o_ucd": "phot.count",
        "t_xel": 1,
        "em_xel": 1,
        "pol_xel": 0,
        "name": record.name,
        "hdu": record.hdu,
        "extension": record.extension or None,
    }


def _facts(entry: ImageEntry, cards: Iterable[Card]) -> dict[str, Any]:
    """What the header says; where the image lies is worked out only if its row does not tell."""
    if entry.header is None:
        return {}
    facts = facts_of({keyword: value for keyword, value, _ in cards})
    shape = tuple(entry.row.get(name, facts.get(name)) for name in ("s_xel2", "s_xel1"))
    if None in shape or not _PLACE - entry.row.keys() or isinstance(entry.header, tuple):
        return facts
    footprint = footprint_of(Image(entry.record.name, _HeaderOnly(entry.header, shape)))
    return facts | place_of(footprint)


@dataclass(frozen=True)
class _HeaderOnly:
    """Stands for pixels where nobody asks for them."""

    header: fits.Header
    shape: tuple[int, int]

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        raise NotImplementedError


def _card_rows(record: ImageRecord, header: Iterable[Card]) -> Iterator[dict[str, Any]]:
    own = {_ID: record.did, "name": record.name, "hdu": record.hdu}
    for number, (keyword, value, comment) in enumerate(header):
        if keyword:
            is_number = isinstance(value, int | float)
            text = ("T" if value else "F") if isinstance(value, bool) else str(value)
            yield {
                **own,
                "card": number,
                "keyword": keyword,
                "text": text,
                "number": float(value) if is_number else None,
                "comment": comment or None,
            }


def _cards(header: fits.Header | tuple[Card, ...] | None) -> tuple[Card, ...]:
    """The cards of a header."""
    if header is None or isinstance(header, tuple):
        return header or ()
    return tuple(_readable(header))


def _readable(header: fits.Header) -> Iterator[Card]:
    """Cards whose values can be read; one that cannot stands for nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of astropy, about cards that it mends
        for card in header.cards:
            try:
                value = card.value
            except Exception:  # astropy raises what it likes over damaged cards
                yield "", None, ""
            else:
                yield card.keyword, value, card.comment


def _publish_obscore(directory: ArchiveDirectory) -> None:
    """Make `ivoa.obscore` anew; if images are published meanwhile, once more."""
    for _ in range(_ATTEMPTS):
        sources = tuple(directory.get(name) for name in _image_tables(directory))
        if not sources:
            if _is_listed(directory, OBSCORE):
                directory.remove(OBSCORE)
            return
        examples = examples_of_obscore(_place_in(directory, sources))
        table = Table(OBSCORE, OBSCORE_COLUMNS, _ABOUT_OBSCORE, _POSITION, _ID, utype=OBSCORE_UTYPE, examples=examples)
        try:
            with _Writer(directory, table) as rows:
                for entry in sources:
                    for part in _rows_of(directory, entry.name, (*OBSCORE_COLUMNS, _EXTENSION)):
                        rows.add_table(part.filter(_is_product(part)).drop_columns([_EXTENSION.name]))
                rows.publish(_notes(_reach_of(sources)), of=sources)
            return
        except _OutdatedError:
            continue
    raise StoreError(f"{OBSCORE} could not be made: images are being published too often.")


def _notes(reach: float | None) -> dict[str, Any]:
    """What an archive wants to know of a table of images."""
    return {LINKS: _LINKS} | ({REACHES: {_OUTLINE: reach}} if reach is not None else {})


def _reach_of(tables: Iterable[ArchiveEntry]) -> float | None:
    """How far outlines reach in all of some tables, if that is known of each."""
    reaches = [entry.notes.get(REACHES, {}).get(_OUTLINE) for entry in tables]
    known = [reach for reach in reaches if reach is not None]
    return max(known) if len(known) == len(reaches) and known else None


def _place_in(directory: ArchiveDirectory, sources: Iterable[ArchiveEntry]) -> tuple[float, float] | None:
    """The middle of some image."""
    for entry in sources:
        dataset = directory.open(entry.name)
        for piece in dataset.select(None).pieces[:1]:
            rows = dataset.read(piece, [_POSITION.ra, _POSITION.dec]).slice(0, 1).to_pylist()
            if rows and None not in rows[0].values():
                return rows[0][_POSITION.ra], rows[0][_POSITION.dec]
    return None


def _image_tables(directory: ArchiveDirectory) -> list[str]:
    names = (f"{collection}.images" for collection in Imagery(directory.path).collections())
    return [name for name in names if _is_listed(directory, name)]


def _rows_of(directory: ArchiveDirectory, name: str, columns: tuple[Column, ...]) -> Iterator[pa.Table]:
    """Rows of a published table, in some of its columns."""
    dataset = directory.open(name)
    schema = arrow_schema(columns)
    for piece in dataset.select(None).pieces:
        yield dataset.read(piece, schema.names).select(schema.names).cast(schema)


def _is_product(images: pa.Table) -> pa.ChunkedArray:
    """Whether each image is one that somebody would look for, and not what is known of the errors of another."""
    name = pc.utf8_upper(pc.list_element(pc.split_pattern(pc.fill_null(images[_EXTENSION.name], ""), ","), 0))
    return pc.invert(pc.is_in(name, pa.array(_AUXILIARY)))


def _is_listed(directory: ArchiveDirectory, name: str) -> bool:
    try:
        directory.get(name)
    except UnknownTableError:
        return False
    return True
