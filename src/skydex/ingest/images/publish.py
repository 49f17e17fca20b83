"""`publish_images`: the images of a collection appear in an archive, with the tables that describe them.

Three steps, each of which happens wholly or not at all: the register, so that whatever a table names can be opened;
`<collection>.images` with `<collection>.image_cards`; and `ivoa.obscore`, made anew from the images of all
collections. The same call made again mends what a killed one left undone. Images themselves are not touched.

Addresses are stored without that of the server (`Relation.links`), which can change.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from skydex.errors import BadRecipeError
from skydex.images import facts_of, footprint_of_header
from skydex.ingest.images.columns import CARD_COLUMNS, IMAGE_COLUMNS
from skydex.ingest.images.entry import Card, ImageEntry, address_of, place_of
from skydex.ingest.images.examples import examples_of_images
from skydex.ingest.images.obscore import OUTLINE, notes_of, publish_obscore, reach_of
from skydex.ingest.images.reach import Reach
from skydex.ingest.images.rows import ID, POSITION, RowWriter, is_listed
from skydex.store import ArchiveDirectory, ImageRecord, Imagery, OriginalFile
from skydex.tables import ForeignKey, Table

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["ImageReport", "Kept", "checked_collection", "publish_images", "remove_images"]

_COLLECTION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)
_RESERVED = frozenset({"ivoa", "tap_schema", "tap_upload", "mydb"})
_PLACE = frozenset({"s_ra", "s_dec", "s_fov", "s_region", "s_pixel_scale"})


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
        POSITION,
        ID,
        examples=examples_of_images(collection),
    )
    cards = Table(
        f"{collection}.image_cards",
        CARD_COLUMNS,
        f"{description} These are the cards of the headers of the images in {images.name}.",
        foreign_keys=(ForeignKey(images.name, ((ID, ID),), "The image"),),
    )
    if is_listed(directory, images.name) and collection not in Imagery(directory.path).collections():
        raise BadRecipeError(f"There is a table {images.name} that is none of images: give the images another name.")
    kept = kept or Kept()
    with RowWriter(directory, images) as image_rows, RowWriter(directory, cards) as card_rows:
        for writer in (image_rows, card_rows) if kept.records else ():
            writer.take_over(pa.array([record.did for record in kept.records]))
        reach = Reach(reach_of((directory.get(images.name),)) if kept.records else 0.0)
        records = chain(kept.records, _recorded(entries, image_rows, card_rows, reach))
        n_images = Imagery(directory.path).publish(collection, records, originals=kept.originals)
        image_rows.publish(notes_of(reach.deg))
        card_rows.publish()
    publish_obscore(directory)
    return ImageReport(collection, n_images, card_rows.n_rows, time.perf_counter() - started)


def remove_images(directory: ArchiveDirectory, collection: str) -> None:
    """Take the images of a collection out of an archive; they themselves stay where they are."""
    if collection not in Imagery(directory.path).collections():
        return
    for name in (f"{collection}.images", f"{collection}.image_cards"):
        if is_listed(directory, name):
            directory.remove(name)
    Imagery(directory.path).remove(collection)
    publish_obscore(directory)


def checked_collection(collection: str) -> str:
    """The name of a collection; `BadRecipeError` if none can be called so."""
    if not _COLLECTION.fullmatch(collection) or collection.lower() in _RESERVED:
        raise BadRecipeError(
            f"No collection of images can be called {collection[:100]!r}: take letters, digits and _, the first of "
            f"them a letter, and none of {', '.join(sorted(_RESERVED))}."
        )
    return collection


def _recorded(
    entries: Iterable[ImageEntry], images: RowWriter, cards: RowWriter, reach: Reach
) -> Iterator[ImageRecord]:
    """The records of images, whose rows and cards are written on the way."""
    known = {column.name for column in IMAGE_COLUMNS}
    for entry in entries:
        unknown = entry.row.keys() - known
        if unknown:
            raise BadRecipeError(f"A table of images has no column {', '.join(sorted(unknown))}.")
        header = _cards(entry.header)
        row = {**_defaults(entry), **_facts(entry, header), **entry.row}
        reach.see(row.get(OUTLINE), row.get(POSITION.ra), row.get(POSITION.dec))
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
        ID: record.did,
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
    return facts | place_of(footprint_of_header(entry.header, shape))


def _card_rows(record: ImageRecord, header: Iterable[Card]) -> Iterator[dict[str, Any]]:
    own = {ID: record.did, "name": record.name, "hdu": record.hdu}
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
