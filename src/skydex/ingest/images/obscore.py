"""`publish_obscore`: the table `ivoa.obscore`, made anew from the tables of images of all collections.

ObsCore 1.1 (IVOA REC 2017-05-09), section 4. What all tables of images note for an archive is said here as well: which
of their columns are addresses, and how far outlines reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import StoreError
from skydex.ingest.images.columns import IMAGE_COLUMNS
from skydex.ingest.images.examples import examples_of_obscore
from skydex.ingest.images.rows import ID, POSITION, OutdatedError, RowWriter, is_listed, rows_of
from skydex.store import LINKS, REACHES, ArchiveDirectory, ArchiveEntry, Imagery
from skydex.tables import OBSCORE, OBSCORE_COLUMNS, OBSCORE_UTYPE, Table

__all__ = ["OUTLINE", "notes_of", "publish_obscore", "reach_of"]

_LINKS = ["access_url"]
"""Columns of addresses without that of the server."""
OUTLINE = "s_region"
"""The column of outlines."""
_EXTENSION = next(column for column in IMAGE_COLUMNS if column.name == "extension")
_AUXILIARY = ("ERR", "DQ", "SAMP", "TIME", "WHT", "CTX", "MSK", "MASK", "VAR", "EXP", "EXPWT", "NUM", "WT")
"""Names of extensions that tell of the errors of another; they are no products of their own in `ivoa.obscore`."""
_ATTEMPTS = 10
"""How often it is begun again because images were published meanwhile."""
_ABOUT_OBSCORE = (
    "Images of all collections of this archive, as ObsCore 1.1 describes data sets: one row for each. Images that tell "
    "of the errors of others are not among them; the tables of each collection have them."
)


def publish_obscore(directory: ArchiveDirectory) -> None:
    """Make `ivoa.obscore` anew; if images are published meanwhile, once more."""
    for _ in range(_ATTEMPTS):
        sources = tuple(directory.get(name) for name in _image_tables(directory))
        if not sources:
            if is_listed(directory, OBSCORE):
                directory.remove(OBSCORE)
            return
        examples = examples_of_obscore(_place_in(directory, sources))
        table = Table(OBSCORE, OBSCORE_COLUMNS, _ABOUT_OBSCORE, POSITION, ID, utype=OBSCORE_UTYPE, examples=examples)
        try:
            with RowWriter(directory, table) as rows:
                for entry in sources:
                    for part in rows_of(directory, entry.name, (*OBSCORE_COLUMNS, _EXTENSION)):
                        rows.add_table(part.filter(_is_product(part)).drop_columns([_EXTENSION.name]))
                rows.publish(notes_of(reach_of(sources)), of=sources)
            return
        except OutdatedError:
            continue
    raise StoreError(f"{OBSCORE} could not be made: images are being published too often.")


def notes_of(reach: float | None) -> dict[str, Any]:
    """What an archive wants to know of a table of images."""
    return {LINKS: _LINKS} | ({REACHES: {OUTLINE: reach}} if reach is not None else {})


def reach_of(tables: Iterable[ArchiveEntry]) -> float | None:
    """How far outlines reach in all of some tables, if that is known of each."""
    reaches = [entry.notes.get(REACHES, {}).get(OUTLINE) for entry in tables]
    known = [reach for reach in reaches if reach is not None]
    return max(known) if len(known) == len(reaches) and known else None


def _image_tables(directory: ArchiveDirectory) -> list[str]:
    names = (f"{collection}.images" for collection in Imagery(directory.path).collections())
    return [name for name in names if is_listed(directory, name)]


def _place_in(directory: ArchiveDirectory, sources: Iterable[ArchiveEntry]) -> tuple[float, float] | None:
    """The middle of some image."""
    for entry in sources:
        dataset = directory.open(entry.name)
        for piece in dataset.select(None).pieces[:1]:
            rows = dataset.read(piece, [POSITION.ra, POSITION.dec]).slice(0, 1).to_pylist()
            if rows and None not in rows[0].values():
                return rows[0][POSITION.ra], rows[0][POSITION.dec]
    return None


def _is_product(images: pa.Table) -> pa.ChunkedArray:
    """Whether each image is one that somebody would look for, and not what is known of the errors of another."""
    name = pc.utf8_upper(pc.list_element(pc.split_pattern(pc.fill_null(images[_EXTENSION.name], ""), ","), 0))
    return pc.invert(pc.is_in(name, pa.array(_AUXILIARY)))
