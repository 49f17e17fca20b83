"""Images become part of an archive: a register of where they are, and tables that describe them."""

from skydex.ingest.images.columns import CARD_COLUMNS, IMAGE_COLUMNS
from skydex.ingest.images.entry import ImageEntry, address_of, did_of, place_of
from skydex.ingest.images.files import (
    Change,
    FileEntry,
    ImagesReport,
    changed_originals,
    ingest_images,
    looks_like_fits,
    survey_images,
)
from skydex.ingest.images.publish import ImageReport, publish_images, remove_images

__all__ = [
    "CARD_COLUMNS",
    "IMAGE_COLUMNS",
    "Change",
    "FileEntry",
    "ImageEntry",
    "ImageReport",
    "ImagesReport",
    "address_of",
    "changed_originals",
    "did_of",
    "ingest_images",
    "looks_like_fits",
    "place_of",
    "publish_images",
    "remove_images",
    "survey_images",
]
